"""The discrete Fourier transform over the last axes, forwards and backwards, of complex and of real numbers."""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.core import ShapedArray
from minijax.primitives.arithmetic import div, mul
from minijax.primitives.complex_parts import complex_dtype, conj, real_dtype
from minijax.primitives.conversion import convert
from minijax.primitives.creation import full_like
from minijax.primitives.dynamic_slicing import dynamic_update_slice
from minijax.primitives.shaping import expand_dims, move_axis
from minijax.primitives.standard import Shape, def_linear, standard

__all__ = ["FftType", "fft"]


class FftType(enum.IntEnum):
    """Which transform: forward or inverse, of complex numbers or between real numbers and half a spectrum."""

    FFT = 0
    IFFT = 1
    RFFT = 2
    IRFFT = 3


def fft(x: Any, fft_type: FftType | str, fft_lengths: Sequence[int]) -> Array:
    """The transform over the last len(fft_lengths) axes, which have these lengths.

    RFFT takes real numbers and gives the first n // 2 + 1 entries of the spectrum along the last axis; IRFFT takes
    these back to n real numbers. The inverse transforms divide by the number of elements.
    Raises ValueError for other shapes, and for complex numbers under RFFT; TypeError for an unknown fft_type.
    """
    kind = _fft_type(fft_type)
    dtype = dtypes.dtype(x)
    if kind is FftType.RFFT:
        if dtypes.is_complex(dtype):
            raise ValueError(f"fft: RFFT takes real numbers only, got {dtype}. Use FFT.")
        x = convert(x, dtypes.canonicalize_dtype(dtypes.to_inexact_dtype(dtype)))
    else:
        x = convert(x, dtypes.canonicalize_dtype(dtypes.to_complex_dtype(dtype)))
    return fft_p.bind(x, fft_type=kind, fft_lengths=tuple(fft_lengths)) if fft_lengths else x


def _fft_type(fft_type: Any) -> FftType:
    if isinstance(fft_type, FftType):
        return fft_type
    names = ", ".join(FftType.__members__)
    if not isinstance(fft_type, str):
        raise TypeError(f"fft: unknown FFT type value {fft_type!r}. Pass a lax.FftType or one of the names {names}.")
    if fft_type not in (*FftType.__members__, *map(str.lower, FftType.__members__)):
        raise ValueError(f"fft: unknown FFT type {fft_type!r}, it is one of {names}.")
    return FftType[fft_type.upper()]


def _fft_impl(x: np.ndarray, *, fft_type: FftType, fft_lengths: Shape) -> np.ndarray:
    if not x.size or 0 in fft_lengths:
        aval = ShapedArray(x.shape, x.dtype)
        shape = _fft_shape(aval, fft_type=fft_type, fft_lengths=fft_lengths)
        return np.zeros(shape, _fft_dtype(aval, fft_type=fft_type, fft_lengths=fft_lengths))
    # NumPy computes in the precision of its operand.
    return _TRANSFORMS[fft_type](x, fft_lengths, range(x.ndim - len(fft_lengths), x.ndim))


_TRANSFORMS = {
    FftType.FFT: np.fft.fftn,
    FftType.IFFT: np.fft.ifftn,
    FftType.RFFT: np.fft.rfftn,
    FftType.IRFFT: np.fft.irfftn,
}


def _fft_shape(x: ShapedArray, *, fft_type: FftType, fft_lengths: Shape) -> Shape:
    rank = len(fft_lengths)
    if rank > x.ndim:
        raise ValueError(f"fft: the operand has shape {x.shape}, fewer axes than fft_lengths {fft_lengths}.")
    kept, given = x.shape[: x.ndim - rank], x.shape[x.ndim - rank :]
    wanted = fft_lengths if fft_type is not FftType.IRFFT else (*fft_lengths[:-1], given[-1])
    if given != wanted:
        raise ValueError(
            f"fft: the last axes of the operand, of shape {x.shape}, must have the lengths {fft_lengths} for "
            f"{fft_type.name}. Cut or pad them first."
        )
    if fft_type is FftType.RFFT:
        return (*kept, *fft_lengths[:-1], fft_lengths[-1] // 2 + 1)
    return (*kept, *fft_lengths)


def _fft_dtype(x: ShapedArray, *, fft_type: FftType, fft_lengths: Shape) -> np.dtype:
    accepted = ("float32", "float64") if fft_type is FftType.RFFT else ("complex64", "complex128")
    if x.dtype.name not in accepted:
        raise ValueError(f"fft: the operand of {fft_type.name} must be {' or '.join(accepted)}, got {x.str_short()}.")
    if fft_type is FftType.RFFT:
        return complex_dtype(x.dtype)
    return real_dtype(x.dtype) if fft_type is FftType.IRFFT else x.dtype


fft_p = standard("fft", _fft_impl, _fft_shape, _fft_dtype)


def _fft_batch(axis_size: int, args: Any, dims: Any, **params: Any) -> tuple[Array, int]:
    return fft_p.bind(move_axis(args[0], dims[0], 0), **params), 0


fft_p.batch = _fft_batch


def _fft_transpose(ct: Any, x: ShapedArray, *, fft_type: FftType, fft_lengths: Shape) -> Array:
    """The matrices of the complex transforms are symmetric; half a spectrum stands for the entries left out, too."""
    if fft_type is FftType.RFFT:
        return _rfft_transpose(ct, fft_lengths)
    return _irfft_transpose(ct, fft_lengths) if fft_type is FftType.IRFFT else fft(ct, fft_type, fft_lengths)


def _rfft_transpose(ct: Any, fft_lengths: Shape) -> Array:
    count = _multiplicity(ct, np.shape(ct)[-1], fft_lengths[-1], dtypes.dtype(ct))
    count = expand_dims(count, range(np.ndim(ct) - 1))
    out = fft(div(conj(ct), count), FftType.IRFFT, fft_lengths)
    return mul(dtypes.dtype(out).type(math.prod(fft_lengths)), out)


def _irfft_transpose(ct: Any, fft_lengths: Shape) -> Array:
    spectrum = fft(ct, FftType.RFFT, fft_lengths)
    dtype = dtypes.dtype(spectrum)
    count = _multiplicity(ct, np.shape(spectrum)[-1], fft_lengths[-1], dtype)
    count = expand_dims(count, range(np.ndim(spectrum) - 1))
    return conj(mul(mul(dtype.type(1 / math.prod(fft_lengths)), count), spectrum))


def _multiplicity(like: Any, entries: int, length: int, dtype: np.dtype) -> Array:
    """How many entries of the whole spectrum each of half a spectrum stands for: 2, but 1 for those at the ends."""
    count = full_like(like, 2.0, dtype, (entries,))
    for end in (0,) if length % 2 else (0, entries - 1):
        count = dynamic_update_slice(count, full_like(like, 1.0, dtype, (1,)), (end,))
    return count


def_linear(fft_p, _fft_transpose)
