"""Spectra of signals over time: trends removed, windows cut out and transformed (part of `jax.scipy.signal`)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array
from minijax.numpy.axes import static_int
from minijax.numpy.promotion import check_arraylike, promote_dtypes_inexact
from minijax.primitives.shaping import canonical_axis
from minijax.vmapping import vmap

__all__ = ["csd", "detrend", "stft", "welch"]

# ----------------------------------------------------------------- trends


def detrend(data: Any, axis: int = -1, type: str = "linear", bp: Any = 0, overwrite_data: None = None) -> Array:
    """The data without their mean ('constant') or without the straight line that fits best ('linear') along an axis.

    bp: where one line ends and the next begins. Raises ValueError for another type, and for bp outside of the axis.
    """
    if overwrite_data is not None:
        raise NotImplementedError("detrend: arrays are immutable, overwrite_data means nothing here. Leave it out.")
    if type not in ("constant", "linear"):
        raise ValueError(f"detrend: type must be 'linear' or 'constant', got {type!r}.")
    (data,) = promote_dtypes_inexact(jnp.asarray(data))
    if type == "constant":
        return data - data.mean(axis, keepdims=True)
    n = data.shape[axis]
    ends = np.sort(np.unique(np.r_[0, bp, n]))
    if ends[0] < 0 or ends[-1] > n:
        raise ValueError(f"detrend: bp must lie between 0 and the length {n} of the axis, got {bp}.")
    columns = jnp.moveaxis(data, axis, 0)
    shape = columns.shape
    columns = columns.reshape(n, -1)
    for start, stop in zip(ends[:-1].tolist(), ends[1:].tolist()):
        count = stop - start
        steps = jnp.arange(1, count + 1, dtype=data.dtype) / data.dtype.type(count)
        line = jnp.vstack([jnp.ones(count, dtype=data.dtype), steps]).T
        fit, *_ = jnp.linalg.lstsq(line, columns[start:stop])
        columns = columns.at[start:stop].add(-jnp.matmul(line, fit, precision=lax.Precision.HIGHEST))
    return jnp.moveaxis(columns.reshape(shape), 0, axis)


# ----------------------------------------------------------------- windows


def window_weights(window: Any, n: int, dtype: Any) -> Array:
    """The weights of a window by name: 'hann' is known here, the others are SciPy's."""
    if window == "hann":
        weights: Any = jnp.array([1.0]) if n == 1 else jnp.sin(jnp.linspace(0, np.pi, n, endpoint=False)) ** 2
    else:
        try:
            from scipy.signal import get_window
        except ImportError as error:
            raise ImportError(
                f"window={window!r} is one of SciPy's, which is not installed. Use 'hann', or pass the weights."
            ) from error
        weights = get_window(window, n)
    return jnp.array(weights, dtype=dtype)


def _segment_window(window: Any, nperseg: int | None, length: int, dtype: Any) -> tuple[Array, int]:
    """The weights of a segment, and its length."""
    if isinstance(window, str | tuple):
        n = length if nperseg is None else int(nperseg)
        if n > length:
            warnings.warn(f"nperseg={n} is greater than the input's length: {length} is used instead.", stacklevel=4)
            n = length
        return window_weights(window, n, dtype), n
    weights = jnp.asarray(window, dtype=dtype)
    if weights.ndim != 1 or weights.size > length or nperseg not in (None, weights.size):
        raise ValueError(
            "the window must have one axis, be no longer than the signal, and as long as nperseg if that is given; got "
            f"a window of shape {weights.shape}, a signal of length {length} and nperseg {nperseg}."
        )
    return weights, weights.size


def concrete(value: Any, what: str) -> int:
    """A length as a Python int. Raises ConcretizationTypeError for a traced one."""
    return static_int(value, f"the argument `{what}` of a windowed Fourier transform")


# ----------------------------------------------------------------- segments and their transforms


def _pad(mode: str, **options: Any) -> Callable[[Array, int], Array]:
    return lambda x, n: jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(n, n)], mode, **options)


def _odd(x: Array, n: int) -> Array:
    """`n` more elements at both ends of the last axis, reflected at the point of the first and of the last one."""
    if n < 1:
        return x
    if n > x.shape[-1] - 1:
        raise ValueError(f"the extension by {n} is too long for a signal of length {x.shape[-1]}: it must be shorter.")
    left = 2 * x[..., :1] - jnp.flip(x[..., 1 : n + 1], -1)
    right = 2 * x[..., -1:] - jnp.flip(x[..., -n - 1 : -1], -1)
    return jnp.concatenate((left, x, right), axis=-1)


_BOUNDARIES: dict[str | None, Callable[[Array, int], Array]] = {
    "even": _pad("reflect"),
    "odd": _odd,
    "constant": _pad("edge"),
    "zeros": _pad("constant", constant_values=0.0),
    None: lambda x, n: x,
}


class _Segments(NamedTuple):
    """How a signal is cut in segments and transformed."""

    window: Array
    length: int
    overlap: int
    nfft: int
    without_trend: Callable[[Array], Array]
    onesided: bool

    def transforms(self, x: Array) -> Array:
        """The Fourier transforms of the windowed segments, [..., segments, frequencies]."""
        if self.length == 1 and self.overlap == 0:
            segments = x[..., None]
        else:
            starts = jnp.arange(x.shape[-1] - self.length + 1, step=self.length - self.overlap)
            segments = vmap(lambda start: lax.dynamic_slice_in_dim(x, start, self.length, axis=-1), out_axes=-2)(starts)
        segments = self.window * self.without_trend(segments)
        if self.onesided:
            return jnp.fft.rfft(segments.real, n=self.nfft)
        return jnp.fft.fft(segments, n=self.nfft)


def _spectra(
    x: Any,
    y: Any,
    fs: Any,
    window: Any,
    nperseg: Any,
    noverlap: Any,
    nfft: Any,
    trend: Any,
    return_onesided: bool,
    scaling: str,
    axis: Any,
    boundary: str | None = None,
    padded: bool = False,
    power: bool = True,
) -> tuple[Array, Array, Array]:
    """Frequencies, times and transforms of the segments of a signal; with `power` their squares, or products with y's.

    The axis of the signal is that of frequencies in the result, whose last axis is that of times.
    """
    if boundary not in _BOUNDARIES:
        raise ValueError(f"unknown boundary {boundary!r}: it must be one of {list(_BOUNDARIES)}.")
    signals, axis = _signals(x, y, concrete(axis, "axis"))
    dtype = jnp.promote_types(signals[0].dtype, np.complex64)
    real_dtype = np.finfo(dtype).dtype
    if nperseg is not None and (nperseg := concrete(nperseg, "nperseg")) < 1:
        raise ValueError(f"nperseg must be a positive integer, got {nperseg}.")
    weights, length = _segment_window(window, nperseg, signals[0].shape[axis], signals[0].dtype)
    overlap = length // 2 if noverlap is None else concrete(noverlap, "noverlap")
    nfft = length if nfft is None else concrete(nfft, "nfft")
    if any(s.size == 0 for s in signals):
        shape = _shape_of_nothing(signals, axis)
        return jnp.zeros(shape, real_dtype), jnp.zeros(shape, real_dtype), jnp.zeros(shape, dtype)
    if nfft < length or overlap >= length:
        raise ValueError(
            f"nfft must be at least nperseg and noverlap less than nperseg; got nfft {nfft}, nperseg {length} and "
            f"noverlap {overlap}."
        )
    signals = [_extended(s, boundary, padded, length, overlap) for s in _of_one_length(signals, axis)]
    onesided = _is_onesided(return_onesided, signals)
    segments = _Segments(weights, length, overlap, nfft, _trend_remover(trend, axis), onesided)
    transforms = [segments.transforms(s) for s in signals]
    out = jnp.conjugate(transforms[0]) * transforms[-1] if power else transforms[0]
    out = out * _scale(scaling, weights, fs, power).astype(jnp.promote_types(weights.dtype, np.complex64))
    if onesided and power:
        # All but the constant part and the highest frequency stand for two: there is a negative one too.
        out = out.at[..., 1 : None if nfft % 2 else -1].mul(2)
    out = out.astype(dtype)
    if y is None and power:
        out = out.real
    frequencies = (jnp.fft.rfftfreq if onesided else jnp.fft.fftfreq)(nfft, 1 / fs, dtype=real_dtype)
    return frequencies, _times(signals[0].shape[-1], segments, boundary, fs, real_dtype), jnp.moveaxis(out, -1, axis)


def _signals(x: Any, y: Any, axis: int) -> tuple[list[Array], int]:
    """One signal or two, in one dtype, and the axis counted from the front."""
    axis = canonical_axis(axis, x.ndim)
    if y is None:
        check_arraylike("spectral_helper", x)
        return promote_dtypes_inexact(x), axis
    check_arraylike("spectral_helper", x, y)
    signals = promote_dtypes_inexact(x, y)
    if x.ndim != signals[1].ndim:
        raise ValueError(f"the two signals must have one rank, got shapes {x.shape} and {signals[1].shape}.")
    jnp.broadcast_shapes(*[_without(s.shape, axis) for s in signals])
    return signals, axis


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], *shape[axis + 1 :])


def _shape_of_nothing(signals: Sequence[Array], axis: int) -> tuple[int, ...]:
    """The shape of the result for an empty signal."""
    outer = jnp.broadcast_shapes(*[_without(s.shape, axis) for s in signals])
    return (*outer[:axis], min([s.shape[axis] for s in signals]), *outer[axis:])


def _of_one_length(signals: Sequence[Array], axis: int) -> list[Array]:
    """The signals with their axis last, and zeros behind the shorter one."""
    signals = [jnp.moveaxis(s, axis, -1) for s in signals]
    longest = max([s.shape[-1] for s in signals])
    return [_with_zeros(s, longest - s.shape[-1]) for s in signals]


def _with_zeros(x: Array, n: int) -> Array:
    return jnp.concatenate((x, jnp.zeros_like(x, shape=(*x.shape[:-1], n))), axis=-1) if n else x


def _extended(x: Array, boundary: str | None, padded: bool, length: int, overlap: int) -> Array:
    """The signal, half a segment longer at both ends, and behind so that segments fill it."""
    if boundary is not None:
        x = _BOUNDARIES[boundary](x, length // 2)
    return _with_zeros(x, -(x.shape[-1] - length) % (length - overlap) % length) if padded else x


def _trend_remover(trend: Any, axis: int) -> Callable[[Array], Array]:
    """What is done to segments, whose elements lie along the last axis."""
    if isinstance(trend, str):
        return lambda segments: detrend(segments, type=trend, axis=-1)
    if callable(trend):
        return lambda segments: jnp.moveaxis(trend(jnp.moveaxis(segments, axis, -1)), -1, axis)
    if trend:
        raise ValueError(f"detrend must be 'linear', 'constant', a function or False, got {trend!r}.")
    return lambda segments: segments


def _is_onesided(wanted: bool, signals: Sequence[Array]) -> bool:
    """Whether negative frequencies are left out, which are those of a real signal once more."""
    if wanted and any(jnp.iscomplexobj(s) for s in signals):
        warnings.warn("The signal is complex, so return_onesided is taken to be False.", stacklevel=4)
        return False
    return wanted


def _scale(scaling: str, weights: Array, fs: Any, power: bool) -> Array:
    if scaling == "density":
        scale = 1.0 / (fs * (weights * weights).sum())
    elif scaling == "spectrum":
        scale = 1.0 / weights.sum() ** 2
    else:
        raise ValueError(f"scaling must be 'density' or 'spectrum', got {scaling!r}.")
    return scale if power else jnp.sqrt(scale)


def _times(length: int, segments: _Segments, boundary: str | None, fs: Any, dtype: Any) -> Array:
    """The middle of each segment."""
    half = segments.length / 2
    times = jnp.arange(half, length - half + 1, segments.length - segments.overlap, dtype=dtype) / fs
    return times if boundary is None else times - half / fs


# ----------------------------------------------------------------- what users call


def stft(
    x: Any,
    fs: Any = 1.0,
    window: Any = "hann",
    nperseg: int = 256,
    noverlap: int | None = None,
    nfft: int | None = None,
    detrend: Any = False,
    return_onesided: bool = True,
    boundary: str | None = "zeros",
    padded: bool = True,
    axis: int = -1,
) -> tuple[Array, Array, Array]:
    """The short-time Fourier transform: (frequencies, times, transforms of segments with times on the last axis).

    fs         samples in a unit of time
    window     'hann', the name of another one of SciPy's windows, or its weights
    nperseg    length of a segment; noverlap of it, half by default, belong to the next one too
    nfft       length of the transform, with zeros behind the segment
    boundary   what lies around the signal: 'zeros', 'even', 'odd', 'constant', or None if nothing does
    """
    return _spectra(
        x,
        None,
        fs,
        window,
        nperseg,
        noverlap,
        nfft,
        detrend,
        return_onesided,
        "spectrum",
        axis,
        boundary,
        padded,
        power=False,
    )


def csd(
    x: Any,
    y: Any,
    fs: Any = 1.0,
    window: Any = "hann",
    nperseg: int | None = None,
    noverlap: int | None = None,
    nfft: int | None = None,
    detrend: Any = "constant",
    return_onesided: bool = True,
    scaling: str = "density",
    axis: int = -1,
    average: str = "mean",
) -> tuple[Array, Array]:
    """The cross power spectral density of two signals by Welch's method: (frequencies, spectrum).

    scaling   'density' (power per frequency) or 'spectrum' (power)
    average   'mean' or 'median' over the segments
    The other parameters are those of `stft`; without y it is `welch`.
    """
    frequencies, _, spectra = _spectra(
        x, y, fs, window, nperseg, noverlap, nfft, detrend, return_onesided, scaling, axis
    )
    if y is not None:
        spectra = spectra + 0j
    if spectra.ndim < 2 or spectra.size == 0:
        return frequencies, spectra
    if spectra.shape[-1] == 1:
        return frequencies, jnp.reshape(spectra, spectra.shape[:-1])
    if average == "mean":
        return frequencies, spectra.mean(axis=-1)
    if average != "median":
        raise ValueError(f"average must be 'median' or 'mean', got {average!r}.")
    middle = jnp.median(jnp.real(spectra), axis=-1)
    if jnp.iscomplexobj(spectra):
        middle = middle + 1j * jnp.median(jnp.imag(spectra), axis=-1)
    return frequencies, middle / _median_bias(spectra.shape[-1]).astype(spectra.dtype)


def _median_bias(n: int) -> Array:
    """What the median of n exponentially distributed powers is, in units of their mean."""
    even = jnp.arange(2.0, n, 2)
    return 1 + jnp.sum(1.0 / (even + 1) - 1.0 / even)


def welch(
    x: Any,
    fs: Any = 1.0,
    window: Any = "hann",
    nperseg: int | None = None,
    noverlap: int | None = None,
    nfft: int | None = None,
    detrend: Any = "constant",
    return_onesided: bool = True,
    scaling: str = "density",
    axis: int = -1,
    average: str = "mean",
) -> tuple[Array, Array]:
    """The power spectral density by Welch's method, an average over segments: (frequencies, spectrum). See `csd`."""
    frequencies, spectrum = csd(
        x, None, fs, window, nperseg, noverlap, nfft, detrend, return_onesided, scaling, axis, average
    )
    return frequencies, spectrum.real
