"""Rows of the discrete Fourier transform."""

from __future__ import annotations

from typing import Any

from ..operation_row import Operand, Row, normal, parts, row

SUM: dict[str, Any] = {"ulp": 16, "leafwise": True}


def transform(kind: str, *lengths: int) -> Any:
    """The call `engine.lax.fft(x, kind, lengths)`."""
    return lambda jax, x: jax.lax.fft(x, jax.lax.FftType[kind], lengths)


def fft_row(kind: str, operand: Operand, *lengths: int, **options: Any) -> Row:
    """One transform."""
    return row("fft", transform(kind, *lengths), operand, label=f"{kind}-{'-'.join(map(str, lengths))}", **options)


def spectrum(*shape: int, dtype: str = "complex64") -> Operand:
    """Complex numbers with both parts between -2 and 2."""
    return parts(-2, 2, *shape, dtype=dtype)


ROWS: list[Row] = [
    fft_row("FFT", spectrum(2, 6), 6, main=True, **SUM),
    fft_row("IFFT", spectrum(2, 6), 6, **SUM),
    fft_row("RFFT", normal(2, 6), 6, main=True, **SUM),
    fft_row("IRFFT", spectrum(2, 4), 6, main=True, **SUM),
    fft_row("RFFT", normal(7), 7, **SUM),
    fft_row("IRFFT", spectrum(4), 7, **SUM),
    fft_row("FFT", spectrum(2, 3, 5), 3, 5, **SUM),
    fft_row("IFFT", spectrum(2, 3, 4), 2, 3, 4, **SUM),
    fft_row("RFFT", normal(2, 4, 6), 4, 6, **SUM),
    fft_row("IRFFT", spectrum(2, 4, 4), 4, 6, **SUM),
    fft_row("FFT", spectrum(1), 1, **SUM),
    fft_row("RFFT", normal(1), 1, **SUM),
    fft_row("FFT", spectrum(0, 4), 4),
    fft_row("FFT", spectrum(3, 8, dtype="complex128"), 8, **SUM),
    fft_row("RFFT", normal(3, 8, dtype="float64"), 8, **SUM),
    fft_row("IRFFT", spectrum(3, 5, dtype="complex128"), 8, **SUM),
]
