"""NumPy kernels of functions of complex numbers, where NumPy has none, or one that differs from XLA's.

They differ on branch cuts: C, whose functions NumPy takes over, tells a negative number with the imaginary
part -0.0 from one with 0.0, whereas XLA's roots and inverse functions take both for the latter. They differ at
infinities, too, beside which XLA has more NaNs (but fewer in quotients).
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
    "cos",
    "cosh",
    "divide",
    "exp",
    "exp2",
    "expm1",
    "larger",
    "log",
    "log1p",
    "logaddexp",
    "power",
    "sign",
    "sin",
    "sinh",
    "smaller",
    "sqrt",
    "square",
    "tan",
    "tanh",
]

# ----------------------------------------------------------------- where there is no value


def _undefined_where(condition: np.ndarray, out: np.ndarray) -> np.ndarray:
    """`out` with both parts NaN where the condition holds."""
    if not condition.any():
        return out
    return np.where(condition, out.dtype.type(complex(np.nan, np.nan)), out)


def _infinite_and_nan(x: np.ndarray) -> np.ndarray:
    return np.isinf(x) & np.isnan(x)


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
    return _undefined_where(_infinite_and_nan(x), np.sqrt(_from_above(x, lambda a: a < 0)))


def asin(x: np.ndarray) -> np.ndarray:
    """The inverse sine, continuous from above on both cuts."""
    return _undefined_where(_zero_and_nan(x), np.arcsin(_from_above(x, lambda a: np.abs(a) > 1)))


def acos(x: np.ndarray) -> np.ndarray:
    """The inverse cosine, continuous from above on both cuts."""
    return _undefined_where(_zero_and_nan(x), np.arccos(_from_above(x, lambda a: np.abs(a) > 1)))


def acosh(x: np.ndarray) -> np.ndarray:
    """The inverse hyperbolic cosine, continuous from above on its cut."""
    return _undefined_where(_zero_and_nan(x), np.arccosh(_from_above(x, lambda a: a < 1)))


def _zero_and_nan(x: np.ndarray) -> np.ndarray:
    return (x.real == 0) & np.isnan(x.imag)


def asinh(x: np.ndarray) -> np.ndarray:
    """The inverse hyperbolic sine, continuous from the right on both cuts."""
    on_cut = (x.real == 0) & (np.abs(x.imag) > 1)
    if on_cut.any():
        x = x.copy()
        x.real[on_cut] = 0.0
    return _undefined_where(np.isnan(x.real) & (x.imag == 0), np.arcsinh(x))


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


# ----------------------------------------------------------------- squares and quotients


def square(x: np.ndarray) -> np.ndarray:
    """x**2, its real part as a product: (a - b) (a + b)."""
    out, a, b = np.empty_like(x), x.real, x.imag
    out.real, out.imag = (a - b) * (a + b), a * b + a * b
    return out


def divide(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x / y; divided by zero, or NaN in both parts, it is what Annex G of the C standard makes of infinities."""
    out = np.divide(x, y)
    lost = (np.isnan(out.real) & np.isnan(out.imag)) | (y == 0)
    if not lost.any():
        return out
    out, x, y = np.array(out), np.broadcast_to(x, lost.shape)[lost], np.broadcast_to(y, lost.shape)[lost]
    number, found, zero = y.real.dtype.type, out[lost], y == 0
    over, under = np.isinf(x) & np.isfinite(y) & ~zero, np.isinf(y) & np.isfinite(x)
    for case, n, d, factor in (
        (over, _directions(x), y, number(np.inf)),
        (under, x, _directions(y), number(0)),
    ):
        found.real = np.where(case, factor * (n.real * d.real + n.imag * d.imag), found.real)
        found.imag = np.where(case, factor * (n.imag * d.real - n.real * d.imag), found.imag)
    infinity = np.copysign(number(np.inf), y.real)
    found.real, found.imag = (
        np.where(zero, infinity * x.real, found.real),
        np.where(zero, infinity * x.imag, found.imag),
    )
    out[lost] = found
    return out


def _directions(x: np.ndarray) -> np.ndarray:
    """1 and -1 in place of infinite parts, 0 in place of others, with their signs."""
    out = np.empty_like(x)
    for part, given in ((out.real, x.real), (out.imag, x.imag)):
        part[...] = np.copysign(np.isinf(given).astype(given.dtype), given)
    return out


# ----------------------------------------------------------------- exponentials and their kin


def exp(x: np.ndarray) -> np.ndarray:
    """e**x."""
    return _undefined_where(np.isinf(x.real) & ~np.isfinite(x.imag), np.exp(x))


def exp2(x: np.ndarray) -> np.ndarray:
    """2**x."""
    return exp(x.dtype.type(np.log(2)) * x)


def expm1(x: np.ndarray) -> np.ndarray:
    """e**x - 1; real for real numbers, infinite ones too."""
    out = np.array(np.expm1(x))
    out.imag = np.where(x.imag == 0, x.imag, out.imag)
    return out


def sin(x: np.ndarray) -> np.ndarray:
    """The sine."""
    return _undefined_where(~np.isfinite(x.real), np.sin(x))


def cos(x: np.ndarray) -> np.ndarray:
    """The cosine."""
    return _undefined_where(~np.isfinite(x.real), np.cos(x))


def tan(x: np.ndarray) -> np.ndarray:
    """The tangent."""
    return _undefined_where(~np.isfinite(x.real) & (x.imag == 0), np.tan(x))


def sinh(x: np.ndarray) -> np.ndarray:
    """The hyperbolic sine."""
    return _undefined_where(~np.isfinite(x.imag), np.sinh(x))


def cosh(x: np.ndarray) -> np.ndarray:
    """The hyperbolic cosine."""
    return _undefined_where(~np.isfinite(x.imag), np.cosh(x))


def tanh(x: np.ndarray) -> np.ndarray:
    """The hyperbolic tangent."""
    return _undefined_where((x.real == 0) & ~np.isfinite(x.imag), np.tanh(x))


# ----------------------------------------------------------------- logarithms and powers


def log(x: np.ndarray) -> np.ndarray:
    """The logarithm with imaginary part between -pi and pi."""
    return _undefined_where(_infinite_and_nan(x), np.log(x))


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
    return _undefined_where(_infinite_and_nan(x), out)


def power(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x**y; 0 to a power that is not real is NaN."""
    out = np.power(x, y)
    return _undefined_where((x == 0) & (y.imag != 0), out)


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
