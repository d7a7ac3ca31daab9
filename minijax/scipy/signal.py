"""jax.scipy.signal: convolution and correlation."""

from minijax.scipy.convolutions import convolve, convolve2d, correlate, correlate2d, fftconvolve

__all__ = ["convolve", "convolve2d", "correlate", "correlate2d", "fftconvolve"]
