"""jax.scipy.ndimage: interpolation in images."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array

__all__ = ["map_coordinates"]


def map_coordinates(
    input: Any, coordinates: Sequence[Any], order: int, mode: str = "constant", cval: Any = 0.0
) -> Array:
    """The values of an image at places between its elements.

    coordinates   one array for each axis of the image; the result has their shape and the image's dtype
    order         0 takes the nearest element, 1 interpolates linearly between neighbours
    mode          what lies around the image: 'constant' cval, 'nearest' its edge, 'wrap' the image again, 'mirror' the
                  image reflected at the centres of its edge elements, 'reflect' at their outer ends

    Raises ValueError unless there are as many coordinates as axes, NotImplementedError for another order or mode.
    """
    image = jnp.asarray(input)
    places = [jnp.asarray(c) for c in coordinates]
    cval = jnp.asarray(cval, image.dtype)
    if len(places) != image.ndim:
        raise ValueError(
            f"map_coordinates: there must be coordinates for each axis of the input of shape {image.shape}, got "
            f"{len(places)}."
        )
    if mode not in _AROUND:
        raise NotImplementedError(f"map_coordinates: mode must be one of {', '.join(_AROUND)}; got {mode!r}.")
    if order not in (0, 1):
        raise NotImplementedError(f"map_coordinates: order must be 0 or 1, got {order!r}.")
    neighbours = [(_nearest, _linear)[order](place) for place in places]
    terms = []
    for chosen in itertools.product(*neighbours):
        indices, weights = zip(*chosen)
        found = image[tuple([_AROUND[mode](i, n) for i, n in zip(indices, image.shape)])]
        if mode == "constant":
            inside = [(i >= 0) & (i < n) for i, n in zip(indices, image.shape)]
            found = jnp.where(functools.reduce(operator.and_, inside), found, cval)
        terms.append(functools.reduce(operator.mul, weights) * found)
    out = functools.reduce(operator.add, terms)
    if jnp.issubdtype(image.dtype, np.integer):
        out = _rounded(out)
    return out.astype(image.dtype)


def _mirrored(index: Array, n: int) -> Array:
    last = n - 1
    return jnp.abs((index + last) % (2 * last) - last)


_AROUND: dict[str, Callable[[Array, int], Array]] = {
    "constant": lambda index, n: index,
    "nearest": lambda index, n: jnp.clip(index, 0, n - 1),
    "wrap": lambda index, n: index % n,
    "mirror": _mirrored,
    # The same with a place between any two elements, where the mirrors stand.
    "reflect": lambda index, n: jnp.floor_divide(_mirrored(2 * index + 1, 2 * n + 1) - 1, 2),
}


def _rounded(x: Array) -> Array:
    return x if jnp.issubdtype(x.dtype, np.integer) else lax.round(x)


def _nearest(place: Array) -> list[tuple[Array, Any]]:
    """The index of the nearest element, with weight 1."""
    return [(_rounded(place).astype(np.int32), place.dtype.type(1))]


def _linear(place: Array) -> list[tuple[Array, Any]]:
    """The indices of the elements below and above, with their weights."""
    lower = jnp.floor(place)
    above = place - lower
    index = lower.astype(np.int32)
    return [(index, 1 - above), (index + 1, above)]
