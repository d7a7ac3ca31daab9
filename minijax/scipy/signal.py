"""jax.scipy.signal: convolution and correlation, trends and spectra."""

from minijax.scipy.convolutions import convolve, convolve2d, correlate, correlate2d, fftconvolve
from minijax.scipy.overlap_add import istft
from minijax.scipy.spectra import csd, detrend, stft, welch

__all__ = [
    "convolve",
    "convolve2d",
    "correlate",
    "correlate2d",
    "csd",
    "detrend",
    "fftconvolve",
    "istft",
    "stft",
    "welch",
]
