"""jax.image: images of another size, each pixel a weighted sum of old ones.

The weights are a product of one matrix for each axis. A matrix has a column for each new pixel: the values of a
kernel around its place in the old image, divided by their sum. Where an image gets smaller, antialiasing stretches
the kernel, so that it takes in all old pixels under a new one.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.promotion import promote_dtypes_inexact
from minijax.primitives.creation import canonical_shape
from minijax.primitives.shaping import canonical_axis

__all__ = ["ResizeMethod", "resize", "scale_and_translate"]


class ResizeMethod(enum.Enum):
    """How to interpolate between pixels.

    NEAREST         the nearest pixel, without any mixture
    LINEAR          a straight line between two pixels; a triangle that takes in more of them when antialiased
    LANCZOS3        a sinc in a window of another sinc, over three pixels to either side
    LANCZOS5        the same over five pixels
    CUBIC           Keys' cubic with a = -1/2 (https://doi.org/10.1109/TASSP.1981.1163711)
    CUBIC_PYTORCH   a = -3/4 and edge pixels repeated, as in OpenCV and PyTorch; the same as CUBIC when antialiased
    AREA            the mean over the area that the new pixel covers
    """

    NEAREST = 0
    LINEAR = 1
    LANCZOS3 = 2
    LANCZOS5 = 3
    CUBIC = 4
    CUBIC_PYTORCH = 5
    AREA = 6

    @staticmethod
    def from_string(s: str) -> ResizeMethod:
        """The method of that name. Raises ValueError for an unknown one."""
        if s not in _METHODS:
            raise ValueError(f"Unknown resize method {s!r}: choose one of {', '.join(map(repr, _METHODS))}.")
        return _METHODS[s]


_METHODS = {
    "nearest": ResizeMethod.NEAREST,
    "linear": ResizeMethod.LINEAR,
    "bilinear": ResizeMethod.LINEAR,
    "trilinear": ResizeMethod.LINEAR,
    "triangle": ResizeMethod.LINEAR,
    "lanczos3": ResizeMethod.LANCZOS3,
    "lanczos5": ResizeMethod.LANCZOS5,
    "cubic": ResizeMethod.CUBIC,
    "bicubic": ResizeMethod.CUBIC,
    "tricubic": ResizeMethod.CUBIC,
    "cubic-pytorch": ResizeMethod.CUBIC_PYTORCH,
    "bicubic-pytorch": ResizeMethod.CUBIC_PYTORCH,
    "area": ResizeMethod.AREA,
}

# ----------------------------------------------------------------- what users call


def resize(
    image: Any,
    shape: Sequence[int],
    method: str | ResizeMethod,
    antialias: bool = True,
    precision: Any = lax.Precision.HIGHEST,
) -> Array:
    """The image in another shape; axes whose length stays the same are left alone.

    method: a ResizeMethod or its name, such as 'bilinear'. Integers become floats, except by 'nearest'.
    Raises ValueError unless the shape has a length for each axis of the image.
    """
    shape = canonical_shape(shape)
    _check_rank(image, shape)
    method = ResizeMethod.from_string(method) if isinstance(method, str) else method
    if method == ResizeMethod.NEAREST:
        return _nearest(image, shape)
    (image,) = promote_dtypes_inexact(image)
    axes = [d for d in range(len(shape)) if image.shape[d] != shape[d]]
    scales = [1.0 if shape[d] == 0 else shape[d] / image.shape[d] for d in axes]
    return _resample(image, shape, axes, scales, [0.0] * len(axes), method, antialias, precision)


def scale_and_translate(
    image: Any,
    shape: Sequence[int],
    spatial_dims: Sequence[int],
    scale: Any,
    translation: Any,
    method: str | ResizeMethod,
    antialias: bool = True,
    precision: Any = lax.Precision.HIGHEST,
) -> Array:
    """The image enlarged by `scale` and then moved by `translation` new pixels, cut out in `shape`.

    scale, translation: f[len(spatial_dims)], of the axes spatial_dims; both can be differentiated. New pixels that
    come from outside of the image are zero. Methods are those of `resize` but 'nearest'.
    """
    shape = canonical_shape(shape)
    _check_rank(image, shape)
    method = ResizeMethod.from_string(method) if isinstance(method, str) else method
    if method == ResizeMethod.NEAREST:
        raise ValueError("scale_and_translate does not know the method 'nearest'. resize does.")
    (image,) = promote_dtypes_inexact(image)
    scale, translation = promote_dtypes_inexact(scale, translation)
    return _resample(image, shape, spatial_dims, scale, translation, method, antialias, precision)


def _check_rank(image: Any, shape: tuple[int, ...]) -> None:
    if len(shape) != image.ndim:
        raise ValueError(
            f"the new shape must have a length for each axis of the image, got {shape} for an image of shape "
            f"{image.shape}. Leave axes such as batch and channels as long as they are."
        )


def _nearest(image: Any, shape: tuple[int, ...]) -> Array:
    for d, (m, n) in enumerate(zip(image.shape, shape)):
        if m != n:
            places = (jnp.arange(n, dtype=np.float32) + 0.5) * m / n
            index = jnp.floor(places.astype(np.float32)).astype(np.int32)
            image = image[(slice(None),) * d + (index,)]
    return image


# ----------------------------------------------------------------- kernels, as functions of the distance


def _triangle(x: Array) -> Array:
    return jnp.maximum(0, 1 - jnp.abs(x))


def _lanczos(radius: float) -> Callable[[Array], Array]:
    def kernel(x: Array) -> Array:
        y = radius * jnp.sin(np.pi * x) * jnp.sin(np.pi * x / radius)
        # The inner where keeps the derivative at 0 free of 0 / 0.
        out = jnp.where(x > 1e-3, jnp.divide(y, jnp.where(x != 0, np.pi**2 * x**2, 1)), 1)
        return jnp.where(x > radius, 0.0, out)

    return kernel


def _keys_cubic(x: Array) -> Array:
    out = (1.5 * x - 2.5) * x * x + 1.0
    out = jnp.where(x >= 1.0, ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0, out)
    return jnp.where(x >= 2.0, 0.0, out)


def _opencv_cubic(x: Array) -> Array:
    a = -0.75
    out = ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    out = jnp.where(x >= 1.0, ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a, out)
    return jnp.where(x >= 2.0, 0.0, out)


_KERNELS = {
    ResizeMethod.LINEAR: _triangle,
    ResizeMethod.LANCZOS3: _lanczos(3.0),
    ResizeMethod.LANCZOS5: _lanczos(5.0),
    ResizeMethod.CUBIC: _keys_cubic,
    ResizeMethod.CUBIC_PYTORCH: _opencv_cubic,
}

# ----------------------------------------------------------------- matrices of weights


def _resample(
    image: Array,
    shape: tuple[int, ...],
    axes: Sequence[int],
    scales: Any,
    translations: Any,
    method: ResizeMethod,
    antialias: bool,
    precision: Any,
) -> Array:
    """The image times a matrix of weights along each of `axes`."""
    if not len(axes):
        return image
    if method == ResizeMethod.CUBIC_PYTORCH and antialias:
        method = ResizeMethod.CUBIC
    operands: list[Any] = []
    result = list(range(image.ndim))
    for i, axis in enumerate(axes):
        d = canonical_axis(axis, image.ndim)
        weights = _weights(image.shape[d], shape[d], scales[i], translations[i], method, antialias)
        operands += [weights.astype(image.dtype), [d, image.ndim + i]]
        result[d] = image.ndim + i
    return jnp.einsum(image, list(range(image.ndim)), *operands, result, precision=precision)


def _weights(m: int, n: int, scale: Any, translation: Any, method: ResizeMethod, antialias: bool) -> Array:
    """The weights [m, n] of m old pixels in n new ones along an axis."""
    dtype = dtypes.result_type(scale, translation)
    step = 1.0 / scale
    # The middle of each new pixel, in old pixels.
    middle = (jnp.arange(n, dtype=dtype) + 0.5) * step - translation * step - 0.5
    if method == ResizeMethod.AREA:
        weights = _covered(m, n, step, translation, dtype)
    else:
        stretch = jnp.maximum(step, 1.0) if antialias else 1.0
        beyond = 2 if method == ResizeMethod.CUBIC_PYTORCH else 0
        pixels = jnp.arange(-beyond, m + beyond, dtype=dtype)
        weights = _KERNELS[method](jnp.abs(middle[None, :] - pixels[:, None]) / stretch)
        if method == ResizeMethod.CUBIC_PYTORCH:
            return _normalised(_at_edges(weights, pixels, m))
    inside = jnp.logical_and(middle >= -0.5, middle <= m - 0.5)[None, :]
    return jnp.where(inside, _normalised(weights), 0)


def _covered(m: int, n: int, step: Any, translation: Any, dtype: Any) -> Array:
    """How much of each old pixel each new pixel covers."""
    left = jnp.arange(n, dtype=dtype) * step - translation * step
    right = left + step
    low = jnp.arange(m, dtype=dtype)
    high = low + 1.0
    overlap = jnp.minimum(right[None, :], high[:, None]) - jnp.maximum(left[None, :], low[:, None])
    return jnp.maximum(0.0, overlap)


def _at_edges(weights: Array, pixels: Array, m: int) -> Array:
    """Weights of pixels beyond the edges, given to the pixels at the edges."""
    rows = jnp.clip(pixels.astype(np.int32), 0, m - 1)[:, None]
    columns = lax.broadcast_in_dim(jnp.arange(weights.shape[1]), weights.shape, (1,))
    return jnp.zeros((m, weights.shape[1]), weights.dtype).at[rows, columns].add(weights)


def _normalised(weights: Array) -> Array:
    """Each column divided by its sum; zeros where that is (nearly) zero."""
    total = jnp.sum(weights, axis=0, keepdims=True)
    tiny = 1000.0 * float(np.finfo(np.float32).eps)
    return jnp.where(jnp.abs(total) > tiny, jnp.divide(weights, jnp.where(total != 0, total, 1)), 0)
