"""From short-time Fourier transforms back to the signal (part of `jax.scipy.signal`)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array
from minijax.numpy.promotion import ensure_arraylike
from minijax.primitives.shaping import canonical_axis
from minijax.scipy.spectra import concrete, window_weights

__all__ = ["istft"]


def istft(
    Zxx: Any,
    fs: Any = 1.0,
    window: Any = "hann",
    nperseg: int | None = None,
    noverlap: int | None = None,
    nfft: int | None = None,
    input_onesided: bool = True,
    boundary: bool = True,
    time_axis: int = -1,
    freq_axis: int = -2,
) -> tuple[Array, Array]:
    """The signal that `stft` transformed, from overlapping segments: (times, signal). Parameters as there."""
    Zxx = ensure_arraylike("istft", Zxx)
    if Zxx.ndim < 2:
        raise ValueError(f"istft: the transforms must have axes of frequencies and of times, got shape {Zxx.shape}.")
    freq_axis, time_axis = canonical_axis(freq_axis, Zxx.ndim), canonical_axis(time_axis, Zxx.ndim)
    if freq_axis == time_axis:
        raise ValueError(f"istft: time_axis and freq_axis must differ, both are axis {time_axis}.")
    Zxx = jnp.asarray(Zxx, dtype=jnp.promote_types(Zxx.dtype, np.complex64))
    length, overlap = _segments_of(Zxx.shape[freq_axis], nperseg, noverlap, nfft, input_onesided)
    last_two = (freq_axis, time_axis)
    moved = jnp.transpose(Zxx, [d for d in range(Zxx.ndim) if d not in last_two] + [*last_two])
    segments = (jnp.fft.irfft if input_onesided else jnp.fft.ifft)(moved, axis=-2, n=nfft)[..., :length, :]
    if isinstance(window, str | tuple):
        weights = window_weights(window, length, segments.dtype)
    else:
        weights = jnp.asarray(window)
        if weights.shape != (length,):
            raise ValueError(f"istft: the window must have the shape ({length},), got {weights.shape}.")
    segments = segments * weights.sum()
    weights = lax.expand_dims(weights, (*range(segments.ndim - 2), -1))
    signal = _overlapped((segments * weights).swapaxes(-2, -1), length - overlap)
    squares = jnp.repeat(weights * weights, segments.shape[-1], axis=-1)
    norm = _overlapped(squares.swapaxes(-2, -1), length - overlap)
    if boundary:
        half = length // 2
        signal, norm = signal[..., half:-half], norm[..., half:-half]
    signal = signal / jnp.where(norm > 1e-10, norm, 1.0)
    if signal.ndim > 1 and time_axis != Zxx.ndim - 1:
        signal = jnp.moveaxis(signal, -1, time_axis - (freq_axis < time_axis))
    times = jnp.arange(signal.shape[0], dtype=np.finfo(signal.dtype).dtype) / fs
    return times, signal


def _segments_of(frequencies: int, nperseg: Any, noverlap: Any, nfft: Any, onesided: bool) -> tuple[int, int]:
    """Length and overlap of segments whose transforms have so many frequencies."""
    usual = 2 * (frequencies - 1) if onesided else frequencies
    length = concrete(nperseg or usual, "nperseg")
    if length < 1:
        raise ValueError(f"istft: nperseg must be a positive integer, got {length}.")
    size = usual + (onesided and length == usual + 1) if nfft is None else concrete(nfft, "nfft")
    overlap = concrete(noverlap or length // 2, "noverlap")
    if size < length or overlap >= length:
        raise ValueError(
            f"istft: nfft must be at least nperseg and noverlap less than nperseg; got nfft {size}, nperseg {length} "
            f"and noverlap {overlap}."
        )
    return length, overlap


def _overlapped(segments: Array, step: int) -> Array:
    """The sum of the segments [..., segments, elements], each `step` behind the one before it."""
    *outer, count, length = segments.shape
    # Cut each segment in parts of length `step`. The k-th parts of all segments follow one another: one row for
    # each k, shifted by k parts against the first.
    parts = -(-length // step)
    x = segments.reshape(math.prod(outer), count, length)
    x = jnp.pad(x, ((0, 0), (0, 0), (0, parts * step - length))).reshape(-1, count, parts, step)
    rows = jnp.pad(x.transpose(0, 2, 1, 3), ((0, 0), (0, 0), (0, count), (0, 0)))
    width = rows.shape[2] - 1
    rows = rows.reshape(rows.shape[0], -1)[:, : parts * width * step].reshape(-1, parts, width * step)
    return rows.sum(axis=1)[:, : step * (count - 1) + length].reshape((*outer, -1))
