"""NumPy kernels of functions of complex numbers, where NumPy has none, or one that differs from XLA's.

They differ on branch cuts: C, whose functions NumPy takes over, tells a negative number with the imaginary
part -0.0 from one with 0.0, whereas XLA's roots and inverse functions take both for the latter.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = [
    "absolute",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan2",
    "larger",
    "log1p",
    "logaddexp",
    "power",
    "sign",
    "smaller",
    "sqrt",
]

# ----------------------------------------------------------------- branch cuts


def _from_above(x: np.ndarray, cut: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """`x` with 0.0 for imaginary parts of -0.0, where the real part lies on the cut."""
    on_cut = (x.imag == 0) & cut(x.real)
    if not on_cut.any():
        return x
    out = x.copy()
    out.imag[on_cut] = 0.0
    return out


def sqrt(x: np.ndarray) -> np.ndarray:
    """The square root with real part >= 0; of negative numbers that with imaginary part > 0."""
    return np.sqrt(_from_above(x, lambda a: a < 0))


def asin(x: np.ndarray) -> np.ndarray:
    """The inverse sine, continuous from above on both cuts."""
    return np.arcsin(_from_above(x, lambda a: np.abs(a) > 1))


def acos(x: np.ndarray) -> np.ndarray:
    """The inverse cosine, continuous from above on both cuts."""
    return np.arccos(_from_above(x, lambda a: np.abs(a) > 1))


def acosh(x: np.ndarray) -> np.ndarray:
    """The inverse hyperbolic cosine, continuous from above on its cut."""
    return np.arccosh(_from_above(x, lambda a: a < 1))


def asinh(x: np.ndarray) -> np.ndarray:
    """The inverse hyperbolic sine, continuous from the right on both cuts."""
    on_cut = (x.real == 0) & (np.abs(x.imag) > 1)
    if on_cut.any():
        x = x.copy()
        x.real[on_cut] = 0.0
    return np.arcsinh(x)


# ----------------------------------------------------------------- magnitude and order


def absolute(x: np.ndarray) -> np.ndarray:
    """The length; NaN if a part is NaN, even beside an infinite one."""
    out = np.abs(x)
    return np.where(np.isnan(x), out.dtype.type(np.nan), out) if np.isinf(out).any() else out


def sign(x: np.ndarray) -> np.ndarray:
    """x / |x|, and 0 for 0."""
    length = absolute(x)
    length = np.where(length == 0, length.dtype.type(1), length)
    out = np.empty_like(x)
    out.real, out.imag = x.real / length, x.imag / length
    return out


def _chosen(x: np.ndarray, y: np.ndarray, compare: np.ufunc) -> np.ndarray:
    """x where it compares as wanted, the real parts first and the imaginary ones where those are equal."""
    return np.where(np.where(x.real == y.real, compare(x.imag, y.imag), compare(x.real, y.real)), x, y)


def larger(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The larger one in lexicographic order; y where NaNs leave that open."""
    return _chosen(x, y, np.greater)


def smaller(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The smaller one in lexicographic order; y where NaNs leave that open."""
    return _chosen(x, y, np.less)


# ----------------------------------------------------------------- logarithms and powers


def log1p(x: np.ndarray) -> np.ndarray:
    """log(1 + x), with all digits for small x; NumPy loses them."""
    one, half = x.real.dtype.type(1), x.real.dtype.type(0.5)
    # To add the number 1 to x would turn imaginary parts of -0.0 into 0.0.
    shifted = np.array(x)
    shifted.real += one
    out = np.log(shifted)
    # log|1 + x| is half the logarithm of |1 + x|**2, which is 1 + a (2 + a) + b**2.
    a, b = x.real, x.imag
    excess = a * (a + one + one) + b * b
    out = np.array(out)
    out.real = np.where(np.abs(excess) < half, half * np.log1p(excess), out.real)
    return out


def power(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x**y; 0 to a power that is not real is NaN."""
    out = np.power(x, y)
    undefined = (x == 0) & (y.imag != 0)
    return np.where(undefined, out.dtype.type(complex(np.nan, np.nan)), out) if undefined.any() else out


def atan2(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """-i log((x + iy) / sqrt(x**2 + y**2))."""
    i = x.dtype.type(1j)
    return -i * np.log((x + i * y) / np.sqrt(x * x + y * y))


def logaddexp(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """log(exp(x) + exp(y)) without overflow, its imaginary part between -pi and pi."""
    largest = larger(x, y)
    out = np.array(largest + log1p(np.exp(x + y - largest - largest)))
    turn = out.real.dtype.type(2 * np.pi)
    out.imag = np.mod(out.imag + turn / 2, turn) - turn / 2
    return out
