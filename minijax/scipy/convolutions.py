"""Convolution and correlation of arrays of any rank (part of `jax.scipy.signal`)."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array
from minijax.numpy.promotion import ensure_arraylike, promote_dtypes_inexact
from minijax.primitives.shaping import canonical_axes
from minijax.vmapping import vmap

__all__ = ["convolve", "convolve2d", "correlate", "correlate2d", "fftconvolve"]

MODES = ("full", "same", "valid")


def _check_mode(mode: str) -> None:
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(map(repr, MODES))}, got {mode!r}.")


def _fits(first: Sequence[int], second: Sequence[int]) -> bool:
    """Whether no length of `second` exceeds that of `first`."""
    return all(n >= m for n, m in zip(first, second))


# ----------------------------------------------------------------- by sliding windows


def convolve(in1: Any, in2: Any, mode: str = "full", method: str = "auto", precision: Any = None) -> Array:
    """The convolution of two arrays of one rank.

    mode: every overlap ('full'), the middle in the shape of in1 ('same'), or complete overlaps only ('valid').
    method: 'direct', or 'fft' by Fourier transforms; 'auto' means 'direct'.
    Raises ValueError for ranks that differ, empty arrays, and arrays of which none fits into the other.
    """
    if method == "fft":
        return fftconvolve(in1, in2, mode=mode)
    if method not in ("direct", "auto"):
        raise ValueError(f"convolve: method must be 'auto', 'direct' or 'fft', got {method!r}.")
    return _direct(in1, in2, mode, precision)


def _direct(in1: Any, in2: Any, mode: str, precision: Any) -> Array:
    _check_mode(mode)
    if in1.ndim != in2.ndim or in1.size == 0 or in2.size == 0:
        raise ValueError(
            f"convolve: the inputs must have one rank and must not be empty, got shapes {in1.shape} and {in2.shape}."
        )
    in1, in2 = promote_dtypes_inexact(in1, in2)
    if not _fits(in1.shape, in2.shape) and not _fits(in2.shape, in1.shape):
        raise ValueError(
            "convolve: one input must be smaller than the other in every dimension, got shapes "
            f"{in1.shape} and {in2.shape}. Pad one of them."
        )
    second = in2.shape
    if _fits(in2.shape, in1.shape):
        in1, in2 = in2, in1
    window = in2.shape
    paddings = {
        "valid": [(0, 0) for _ in window],
        "same": [(n - 1 - (m - 1) // 2, n - m + (m - 1) // 2) for n, m in zip(window, second)],
        "full": [(n - 1, n - 1) for n in window],
    }
    out = lax.conv_general_dilated(
        in1[None, None], jnp.flip(in2)[None, None], (1,) * len(window), paddings[mode], precision=precision
    )
    return out[0, 0]


def correlate(in1: Any, in2: Any, mode: str = "full", method: str = "auto", precision: Any = None) -> Array:
    """The cross-correlation of two arrays of one rank: `convolve` with the second one reversed and conjugated."""
    return convolve(in1, jnp.flip(in2.conj()), mode, precision=precision, method=method)


def convolve2d(
    in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: float = 0, precision: Any = None
) -> Array:
    """The convolution of two matrices, see `convolve`. Around the edges there are zeros, boundary='fill'."""
    _check_matrices("convolve2d", in1, in2, boundary, fillvalue)
    return _direct(in1, in2, mode, precision)


def correlate2d(
    in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: float = 0, precision: Any = None
) -> Array:
    """The cross-correlation of two matrices. Around the edges there are zeros, boundary='fill'."""
    _check_matrices("correlate2d", in1, in2, boundary, fillvalue)
    larger = _fits(in2.shape, in1.shape)
    if mode == "same" or not larger or (mode == "valid" and in1.shape == in2.shape):
        return jnp.flip(_direct(jnp.flip(in1), in2.conj(), mode, precision))
    out = _direct(jnp.flip(in2), in1.conj(), mode, precision)
    return out if mode == "valid" else out.conj()


def _check_matrices(name: str, in1: Any, in2: Any, boundary: str, fillvalue: float) -> None:
    if boundary != "fill" or fillvalue != 0:
        raise NotImplementedError(
            f"{name} knows boundary='fill' with fillvalue=0 only, got {boundary!r} and {fillvalue!r}. "
            "Pad the input with jnp.pad first."
        )
    if np.ndim(in1) != 2 or np.ndim(in2) != 2:
        raise ValueError(f"{name} takes two matrices, got shapes {np.shape(in1)} and {np.shape(in2)}.")


# ----------------------------------------------------------------- by Fourier transforms


def fftconvolve(in1: Any, in2: Any, mode: str = "full", axes: Sequence[int] | int | None = None) -> Array:
    """The convolution along `axes` (all by default) by Fourier transforms, for large windows.

    mode: see `convolve`. Along the other axes both inputs must have the same lengths.
    """
    in1, in2 = promote_dtypes_inexact(*ensure_arraylike("fftconvolve", in1, in2))
    if in1.ndim != in2.ndim:
        raise ValueError(f"fftconvolve: the inputs must have one rank, got shapes {in1.shape} and {in2.shape}.")
    _check_mode(mode)

    def function(x: Array, y: Array) -> Array:
        return _by_transforms(x, y, mode)

    if axes is None:
        return function(in1, in2)
    axes = (operator.index(axes),) if isinstance(axes, int | np.integer) else tuple(axes)
    kept = sorted(set(range(in1.ndim)) - set(canonical_axes(axes, in1.ndim)))
    if any(in1.shape[d] != in2.shape[d] for d in kept):
        raise ValueError(
            f"fftconvolve: axes that are not convolved must have the same lengths, got shapes {in1.shape} and "
            f"{in2.shape} with axes {axes}."
        )
    for d in kept:
        function = vmap(function, in_axes=d, out_axes=d)
    return function(in1, in2)


def _by_transforms(x: Array, y: Array, mode: str) -> Array:
    full = tuple([n + m - 1 for n, m in zip(x.shape, y.shape)])
    if mode == "valid" and not _fits(x.shape, y.shape) and not _fits(y.shape, x.shape):
        raise ValueError(
            "fftconvolve: for mode 'valid' one input must be at least as large as the other in every dimension, got "
            f"shapes {x.shape} and {y.shape}."
        )
    if mode == "valid" and _fits(y.shape, x.shape):
        x, y = y, x
    if all(n == 1 or m == 1 for n, m in zip(x.shape, y.shape)):
        out = x * y
    elif jnp.iscomplexobj(x):
        out = jnp.fft.ifftn(jnp.fft.fftn(x, full) * jnp.fft.fftn(y, full), full)
    else:
        out = jnp.fft.irfftn(jnp.fft.rfftn(x, full) * jnp.fft.rfftn(y, full), full)
    shapes = {"full": full, "same": x.shape, "valid": tuple([n - m + 1 for n, m in zip(x.shape, y.shape)])}
    shape = shapes[mode]
    return lax.dynamic_slice(out, [(n - m) // 2 for n, m in zip(full, shape)], shape)
