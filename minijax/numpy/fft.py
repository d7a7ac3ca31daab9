"""jax.numpy.fft: discrete Fourier transforms over any axes, of any length, in three normalisations.

`norm` says where to divide by the number of elements: "backward" (in the inverse transform, the default),
"forward", or "ortho" (by its square root in both).
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array
from minijax.lax import FftType
from minijax.numpy.arithmetic import conj
from minijax.numpy.creation import array, asarray
from minijax.numpy.exponential import sqrt
from minijax.numpy.indexing import getitem
from minijax.numpy.manipulation import moveaxis
from minijax.numpy.padding import pad
from minijax.numpy.promotion import ensure_arraylike, promote_dtypes_inexact
from minijax.numpy.ranges import arange
from minijax.numpy.rearranging import roll
from minijax.numpy.reductions import prod

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]

Lengths = Sequence[int] | None

# --------------------------------------------------------------------------- what all transforms share


def _transform(name: str, kind: FftType, a: Any, s: Lengths, axes: Lengths, norm: str | None) -> Array:
    """The transform over `axes` (by default the last ones), each cut or padded with zeros to its length in `s`."""
    a = ensure_arraylike(f"fft.{name}", a)
    s = _lengths(name, s, axes)
    places = _axes(name, a, s, axes)
    if axes is not None:
        a = moveaxis(a, axes, places)
    if s is None:
        s = [a.shape[d] for d in places]
        if kind == FftType.IRFFT and s:
            s[-1] = max(0, 2 * (s[-1] - 1))
    else:
        a = _of_lengths(a, places, s, kind)
    out = _over_last_axes(a, kind, s)
    if norm is not None:
        out = out * _factor(name, array(s, dtype=out.dtype), norm)
    return out if axes is None else moveaxis(out, places, axes)


def _lengths(name: str, s: Lengths, axes: Lengths) -> list[int] | None:
    if s is None:
        return None
    s = list(map(operator.index, s))
    if any(n <= 0 for n in s):
        raise ValueError(f"fft.{name}: the lengths to transform should be positive, got {s}.")
    if axes is not None and len(s) != len(axes):
        raise ValueError(f"fft.{name}: Shape and axes have different lengths, got s={s} and axes={tuple(axes)}.")
    return s


def _axes(name: str, a: Array, s: Lengths, axes: Lengths) -> tuple[int, ...]:
    """The axes to transform, which are the last ones once `axes` have been moved there."""
    if axes is not None and len(axes) != len(set(axes)):
        raise ValueError(f"fft.{name} does not support repeated axes. Got axes {axes}.")
    count = len(axes) if axes is not None else len(s) if s is not None else a.ndim
    return tuple(range(a.ndim - count, a.ndim))


def _of_lengths(a: Array, axes: Sequence[int], s: Sequence[int], kind: FftType) -> Array:
    lengths = list(a.shape)
    for axis, n in zip(axes, s, strict=True):
        lengths[axis] = n
    if kind == FftType.IRFFT:
        lengths[-1] = lengths[-1] // 2 + 1
    a = getitem(a, tuple([slice(n) for n in lengths]))
    return pad(a, [(0, n - m) for n, m in zip(lengths, a.shape, strict=True)])


def _over_last_axes(a: Array, kind: FftType, s: Sequence[int]) -> Array:
    """The transform over the last len(s) axes: at most three at once, as XLA has it."""
    if len(s) <= 3:
        return lax.fft(a, kind, tuple(s))
    n = 2 if len(s) == 4 else 3
    first = tuple(range(a.ndim - len(s), a.ndim - n))
    last = tuple(range(a.ndim - len(s) + n, a.ndim))
    if kind in (FftType.RFFT, FftType.FFT):
        a = moveaxis(lax.fft(a, kind, tuple(s[-n:])), first, last)
        return moveaxis(_over_last_axes(a, FftType.FFT, s[:-n]), last, first)
    a = _over_last_axes(moveaxis(a, first, last), FftType.IFFT, s[:-n])
    return lax.fft(moveaxis(a, last, first), kind, tuple(s[-n:]))


def _factor(name: str, s: Array, norm: str) -> Any:
    """What to multiply the unnormalised (or, for inverse transforms, divided) result with."""
    if norm == "backward":
        return array(1)
    (s,) = promote_dtypes_inexact(s)
    inverse = name.startswith("i")
    if norm == "ortho":
        return sqrt(prod(s)) if inverse else 1 / sqrt(prod(s))
    if norm == "forward":
        return prod(s) if inverse else 1 / prod(s)
    raise ValueError(f'fft.{name}: invalid norm {norm!r}; it should be "backward", "ortho" or "forward".')


# --------------------------------------------------------------------------- over one axis


def _transform_1d(name: str, kind: FftType, a: Any, n: int | None, axis: int | None, norm: str | None) -> Array:
    _check_one_axis(name, axis)
    s, axes = None if n is None else [n], None if axis is None else [axis]
    return _transform(name, kind, a, s, axes, norm)


def _check_one_axis(name: str, axis: Any) -> None:
    if isinstance(axis, (list, tuple)):
        raise ValueError(f"fft.{name} does not support multiple axes. Please use fft.{name}n. Got axis = {axis!r}.")


def fft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """The spectrum along an axis, cut or padded to length n first."""
    return _transform_1d("fft", FftType.FFT, a, n, axis, norm)


def ifft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """The inverse of `fft`."""
    return _transform_1d("ifft", FftType.IFFT, a, n, axis, norm)


def rfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """The first n // 2 + 1 entries of the spectrum of real numbers; the others are their conjugates."""
    return _transform_1d("rfft", FftType.RFFT, a, n, axis, norm)


def irfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """The inverse of `rfft`: n real numbers, by default an even number of them."""
    return _transform_1d("irfft", FftType.IRFFT, a, n, axis, norm)


def hfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """The real spectrum of a Hermitian sequence, of which the first n // 2 + 1 entries are given."""
    conjugate = conj(a)
    _check_one_axis("hfft", axis)
    count = (conjugate.shape[axis] - 1) * 2 if n is None else n
    return _transform_1d("hfft", FftType.IRFFT, conjugate, n, axis, norm) * count


def ihfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """The inverse of `hfft`."""
    _check_one_axis("ihfft", axis)
    a = asarray(a)
    count = a.shape[axis] if n is None else n
    return conj(_transform_1d("ihfft", FftType.RFFT, a, n, axis, norm)) * (1 / count)


# --------------------------------------------------------------------------- over two axes


def _transform_2d(name: str, kind: FftType, a: Any, s: Lengths, axes: Sequence[int], norm: str | None) -> Array:
    if len(axes) != 2:
        raise ValueError(f"fft.{name} only supports 2 axes. Got axes = {axes!r}.")
    return _transform(name, kind, a, s, axes, norm)


def fft2(a: Any, s: Lengths = None, axes: Sequence[int] = (-2, -1), norm: str | None = None) -> Array:
    """`fftn` over two axes."""
    return _transform_2d("fft2", FftType.FFT, a, s, axes, norm)


def ifft2(a: Any, s: Lengths = None, axes: Sequence[int] = (-2, -1), norm: str | None = None) -> Array:
    """`ifftn` over two axes."""
    return _transform_2d("ifft2", FftType.IFFT, a, s, axes, norm)


def rfft2(a: Any, s: Lengths = None, axes: Sequence[int] = (-2, -1), norm: str | None = None) -> Array:
    """`rfftn` over two axes."""
    return _transform_2d("rfft2", FftType.RFFT, a, s, axes, norm)


def irfft2(a: Any, s: Lengths = None, axes: Sequence[int] = (-2, -1), norm: str | None = None) -> Array:
    """`irfftn` over two axes."""
    return _transform_2d("irfft2", FftType.IRFFT, a, s, axes, norm)


# --------------------------------------------------------------------------- over several axes


def fftn(a: Any, s: Lengths = None, axes: Lengths = None, norm: str | None = None) -> Array:
    """The spectrum over `axes` (all of them by default, or the last ones if only their lengths `s` are given)."""
    return _transform("fftn", FftType.FFT, a, s, axes, norm)


def ifftn(a: Any, s: Lengths = None, axes: Lengths = None, norm: str | None = None) -> Array:
    """The inverse of `fftn`."""
    return _transform("ifftn", FftType.IFFT, a, s, axes, norm)


def rfftn(a: Any, s: Lengths = None, axes: Lengths = None, norm: str | None = None) -> Array:
    """The spectrum of real numbers over `axes`, of the last axis only the first n // 2 + 1 entries."""
    return _transform("rfftn", FftType.RFFT, a, s, axes, norm)


def irfftn(a: Any, s: Lengths = None, axes: Lengths = None, norm: str | None = None) -> Array:
    """The inverse of `rfftn`; the last axis has even length by default."""
    return _transform("irfftn", FftType.IRFFT, a, s, axes, norm)


# --------------------------------------------------------------------------- frequencies and their order


def _check_frequencies(name: str, n: Any, d: Any) -> None:
    if isinstance(n, (list, tuple)):
        raise ValueError(f"The n argument of fft.{name} only takes an int. Got n = {list(n)}.")
    if isinstance(d, (list, tuple)):
        raise ValueError(f"The d argument of fft.{name} only takes a single value. Got d = {list(d)}.")


def fftfreq(n: int, d: Any = 1.0, *, dtype: Any = None, device: Any = None) -> Array:
    """The frequencies of the entries of a spectrum of length n, for samples at distance d."""
    out_dtype = dtype or dtypes.default_float_dtype()
    _check_frequencies("fftfreq", n, d)
    dtype = dtypes.to_floating_dtype(out_dtype)
    k = (arange(n, dtype=dtype, device=device) + n // 2) % n - n // 2
    return (k.astype(dtype) / array(d * n, dtype=dtype, device=device)).astype(out_dtype)


def rfftfreq(n: int, d: Any = 1.0, *, dtype: Any = None, device: Any = None) -> Array:
    """The frequencies of the entries of half a spectrum, for n samples at distance d."""
    dtype = dtype or dtypes.default_float_dtype()
    _check_frequencies("rfftfreq", n, d)
    out = arange(0, n // 2 + 1, dtype=dtype) / array(d * n, dtype=dtype)
    return out if device is None else out.to_device(device)


def fftshift(x: Any, axes: int | Sequence[int] | None = None) -> Array:
    """The entries with frequency zero moved from the front to the middle of `axes` (all by default)."""
    return _shifted("fftshift", x, axes, 1)


def ifftshift(x: Any, axes: int | Sequence[int] | None = None) -> Array:
    """The inverse of `fftshift`."""
    return _shifted("ifftshift", x, axes, -1)


def _shifted(name: str, x: Any, axes: int | Sequence[int] | None, direction: int) -> Array:
    x = ensure_arraylike(name, x)
    if isinstance(axes, (int, np.integer)):
        return roll(x, direction * (x.shape[axes] // 2), axes)
    axes = tuple(range(x.ndim)) if axes is None else axes
    return roll(x, [direction * (x.shape[d] // 2) for d in axes], axes)
