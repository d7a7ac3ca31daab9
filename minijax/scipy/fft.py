"""jax.scipy.fft: the discrete cosine transform of type 2 and its inverse, by the fast Fourier transform.

Arguments that all of them have: `norm`, None or 'backward' for no factor forward and 1 / (2 N) back, 'ortho' for an
orthogonal matrix; `n` or `s`, the lengths to which the input is cut or padded with zeros before.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.promotion import ensure_arraylike, promote_dtypes_inexact
from minijax.primitives.shaping import canonical_axes, canonical_axis

__all__ = ["dct", "dctn", "idct", "idctn"]


def _check(name: str, type: int, norm: str | None) -> None:
    if type != 2:
        raise NotImplementedError(f"{name}: only type 2 is implemented, got {type}.")
    if norm not in (None, "backward", "ortho"):
        raise ValueError(f"{name}: norm must be None, 'backward' or 'ortho', got {norm!r}.")


def _both_parts(transform: Callable[[Array], Array], x: Array) -> Array:
    """A real linear transform of real or complex numbers."""
    if dtypes.kind(x.dtype) == "c":
        return lax.complex(transform(x.real), transform(x.imag))
    (x,) = promote_dtypes_inexact(x)
    return transform(x)


def _resized(x: Array, lengths: dict[int, int]) -> Array:
    pads = [(0, lengths.get(a, length) - length, 0) for a, length in enumerate(x.shape)]
    return lax.pad(x, jnp.array(0, x.dtype), pads)


def _along(values: Array, axis: int, ndim: int) -> Array:
    return jnp.expand_dims(values, [a for a in range(ndim) if a != axis])


def _quarter_turns(n: int, dtype: Any) -> Array:
    """exp(-i pi k / (2 n)) for k = 0, ..., n - 1."""
    k = jnp.arange(n, dtype=dtype)
    return jnp.exp(-0.5j * np.pi * k / n)


def _orthogonal_scale(x: Array, axis: int) -> Array:
    n = x.shape[axis]
    scale = jnp.concatenate([jnp.full(1, 4, x.dtype), jnp.full(max(n - 1, 0), 2, x.dtype)])[:n]
    return lax.sqrt(_along(scale, axis, x.ndim) * n)


# ----------------------------------------------------------------- dct


def dct(x: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """The discrete cosine transform along an axis: 2 times the sum of x[j] cos(pi k (2 j + 1) / (2 N))."""
    x = ensure_arraylike("dct", x)
    _check("dct", type, norm)
    axis = canonical_axis(axis, x.ndim)
    if n is not None:
        x = _resized(x, {axis: n})
    return _both_parts(lambda x: _dct(x, axis, norm), x)


def _dct(x: Array, axis: int, norm: str | None) -> Array:
    # The entries of even number, then those of odd number backwards (Makhoul, 1980).
    even = lax.slice_in_dim(x, 0, None, 2, axis)
    odd = lax.slice_in_dim(x, 1, None, 2, axis)
    spectrum = jnp.fft.fft(lax.concatenate([even, lax.rev(odd, (axis,))], axis), axis=axis)
    turns = _along(_quarter_turns(x.shape[axis], x.dtype), axis, x.ndim)
    out = 2 * (spectrum * turns).real
    return out / _orthogonal_scale(out, axis) if norm == "ortho" else out


def dctn(
    x: Any, type: int = 2, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str | None = None
) -> Array:
    """The discrete cosine transform along several axes, one after the other; all of them by default."""
    return _along_axes("dctn", _dct, x, type, s, axes, norm)


def _along_axes(
    name: str, transform: Callable[..., Array], x: Any, type: int, s: Any, axes: Any, norm: str | None
) -> Array:
    x = ensure_arraylike(name, x)
    _check(name, type, norm)
    if s is not None:
        s = list(s) if isinstance(s, Sequence) else [operator.index(s)]
        if len(s) > x.ndim:
            raise ValueError(f"{name}: s must have at most {x.ndim} entries for an array of shape {x.shape}, got {s}.")
    if axes is None:
        axes = range(x.ndim - len(s), x.ndim) if s is not None else range(x.ndim)
    axes = canonical_axes(axes, x.ndim)
    if s is not None:
        x = _resized(x, dict(zip(axes, s, strict=True)))
    for axis in axes:
        x = _both_parts(lambda x, axis=axis: transform(x, axis, norm), x)
    return x


# ----------------------------------------------------------------- idct


def idct(x: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """The inverse of `dct` along an axis."""
    x = ensure_arraylike("idct", x)
    _check("idct", type, norm)
    axis = canonical_axis(axis, x.ndim)
    if n is not None:
        x = _resized(x, {axis: n})
    return _both_parts(lambda x: _idct(x, axis, norm), x)


def _idct(x: Array, axis: int, norm: str | None) -> Array:
    n = x.shape[axis]
    if norm != "ortho":
        x = x / _orthogonal_scale(x, axis)
    x = x / _orthogonal_scale(x, axis)
    spectrum = x / _along(_quarter_turns(n, x.dtype), axis, x.ndim) * 2 * n
    shuffled = jnp.moveaxis(jnp.fft.ifft(spectrum, axis=axis).real, axis, -1)
    even, odd = shuffled[..., : (n + 1) // 2], shuffled[..., (n + 1) // 2 :][..., ::-1]
    out = jnp.zeros_like(shuffled).at[..., ::2].set(even).at[..., 1::2].set(odd)
    return jnp.moveaxis(out, -1, axis)


def idctn(
    x: Any, type: int = 2, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str | None = None
) -> Array:
    """The inverse of `dctn`."""
    return _along_axes("idctn", _idct, x, type, s, axes, norm)
