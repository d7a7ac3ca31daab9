"""Elementwise exponentials, logarithms, powers, trigonometric and hyperbolic functions, real and complex.

The numbers are NumPy's, which are mostly closer to the true value than XLA's; both stay within a few
units in the last place. float16 is computed in float32 and rounded once.

Like JAX, some functions take an `accuracy`. It is written into the jaxpr and otherwise without effect, as
NumPy has one accuracy only; but `AccuracyMode.HIGHEST` chooses slower formulas for some derivatives.
"""

from __future__ import annotations

import enum
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.core import ShapedArray
from minijax.primitives import complex_kernels
from minijax.primitives.arithmetic import (
    add,
    div,
    mul,
    neg,
    reciprocal,
    replace_zero,
    rsqrt,
    square,
    sub,
)
from minijax.primitives.comparison import eq
from minijax.primitives.conversion import convert
from minijax.primitives.families import (
    binary,
    def_jvp,
    evaluate_binary,
    filled_like,
    like,
    nary,
    real_or_complex,
    scalar_like,
    unary,
    widen,
)
from minijax.primitives.selection import select

__all__ = [
    "AccuracyMode",
    "Tolerance",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "logistic",
    "pow",
    "sin",
    "sinh",
    "tan",
    "tanh",
]


class AccuracyMode(enum.Enum):
    """How accurate a result should be: a value of the `accuracy` argument."""

    HIGHEST = 1
    DEFAULT = 2


class Tolerance:
    """How accurate a result should be, as an absolute or relative error or in units in the last place."""

    def __init__(self, atol: float = 0.0, rtol: float = 0.0, ulps: int = 0):
        if min(atol, rtol, ulps) < 0:
            raise ValueError(f"Tolerances must be non-negative, got atol={atol}, rtol={rtol}, ulps={ulps}.")
        if atol == rtol == ulps == 0:
            raise ValueError("Tolerance: at least one of atol, rtol and ulps must be given and positive.")
        self.atol, self.rtol, self.ulps = atol, rtol, ulps


# ----------------------------------------------------------------- exponentials and logarithms


def exp(x: Any, *, accuracy: Any = None) -> Array:
    """e**x."""
    return exp_p.bind(x) if accuracy is None else exp_p.bind(x, accuracy=accuracy)


exp_p = unary("exp", real_or_complex(np.exp, complex_kernels.exp), accepts="fc", accuracy=True)
def_jvp(exp_p, lambda t, out, x, **_: mul(t, out), with_out=True)


def exp2(x: Any, *, accuracy: Any = None) -> Array:
    """2**x."""
    return exp2_p.bind(x) if accuracy is None else exp2_p.bind(x, accuracy=accuracy)


exp2_p = unary("exp2", real_or_complex(np.exp2, complex_kernels.exp2), accepts="fc", accuracy=True)
def_jvp(exp2_p, lambda t, out, x, **_: mul(log(like(x, 2)), mul(t, out)), with_out=True)


def log(x: Any, *, accuracy: Any = None) -> Array:
    """The natural logarithm; -inf at 0, NaN below."""
    return log_p.bind(x) if accuracy is None else log_p.bind(x, accuracy=accuracy)


log_p = unary("log", real_or_complex(np.log, complex_kernels.log), accepts="fc", accuracy=True)
def_jvp(log_p, lambda t, x, **_: div(t, x))


def expm1(x: Any, *, accuracy: Any = None) -> Array:
    """e**x - 1, accurate for small x too."""
    return expm1_p.bind(x) if accuracy is None else expm1_p.bind(x, accuracy=accuracy)


def _expm1_tangent(t: Any, out: Any, x: Any, *, accuracy: Any = None) -> Any:
    if accuracy is AccuracyMode.HIGHEST:
        return mul(t, exp(x, accuracy=accuracy))
    return mul(t, add(out, scalar_like(out, 1)))


expm1_p = unary("expm1", real_or_complex(np.expm1, complex_kernels.expm1), accepts="fc", accuracy=True)
def_jvp(expm1_p, _expm1_tangent, with_out=True)


def log1p(x: Any, *, accuracy: Any = None) -> Array:
    """log(1 + x), accurate for small x too."""
    return log1p_p.bind(x) if accuracy is None else log1p_p.bind(x, accuracy=accuracy)


log1p_p = unary("log1p", real_or_complex(np.log1p, complex_kernels.log1p), accepts="fc", accuracy=True)
def_jvp(log1p_p, lambda t, x, **_: div(t, add(x, scalar_like(x, 1))))


def logistic(x: Any, *, accuracy: Any = None) -> Array:
    """1 / (1 + e**-x), the sigmoid function."""
    return logistic_p.bind(x) if accuracy is None else logistic_p.bind(x, accuracy=accuracy)


def _logistic_impl(x: np.ndarray) -> np.ndarray:
    if x.dtype.kind == "c":
        return complex_kernels.divide(np.ones_like(x), complex_kernels.exp(-x) + x.dtype.type(1))
    one = x.dtype.type(1)
    return one / (one + np.exp(-x))


def _logistic_tangent(t: Any, out: Any, x: Any, *, accuracy: Any = None) -> Any:
    if accuracy is AccuracyMode.HIGHEST:
        return mul(t, mul(out, logistic(neg(x))))
    return mul(t, mul(out, sub(scalar_like(out, 1), out)))


logistic_p = unary("logistic", _logistic_impl, accepts="fc", accuracy=True)
def_jvp(logistic_p, _logistic_tangent, with_out=True)

# ----------------------------------------------------------------- powers


def pow(x: Any, y: Any) -> Array:
    """x**y for floats x, and y of the same dtype or integers; NaN for x < 0 and a y that is not whole."""
    return pow_p.bind(x, y)


def _pow_impl(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return _power(x, y.astype(x.dtype, copy=False))


def _real_power(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """C's pow. For a repeated exponent of 1/2 NumPy takes the square root, another function at -inf and -0.0."""
    out = np.power(x, y)
    if (y.size == 1 or 0 in y.strides) and (y == 0.5).any():
        return np.where((y == 0.5) & ((x == 0) | np.isneginf(x)), np.abs(x), out)
    return out


_power = real_or_complex(_real_power, complex_kernels.power)


def _check_exponent(x: ShapedArray, y: ShapedArray) -> None:
    if dtypes.is_inexact(y.dtype) and x.dtype != y.dtype:
        raise TypeError(
            "the arguments of pow must be a float or complex number and an exponent of the same or of an integer "
            f"dtype, got {x.str_short()} and {y.str_short()}. Convert one of them, or use jnp.power, which promotes."
        )


pow_p = nary("pow", _pow_impl, ("fc", "iufc"), check=_check_exponent, one_dtype=False)
pow_p.evaluate = evaluate_binary(pow_p, _power, "fc")


def _pow_tangent_base(t: Any, out: Any, x: Any, y: Any) -> Any:
    dtype, exponent_dtype = dtypes.result_type(x, y), dtypes.dtype(y)
    x, y = convert(x, dtype), convert(y, dtype)
    if dtypes.is_inexact(exponent_dtype):
        return mul(t, mul(y, pow(x, sub(y, filled_like(y, 1)))))
    shape = np.shape(out)
    x, y = widen(x, shape), widen(y, shape)
    # x**0 has derivative 0 even at x = 0, where the formula says 0 * inf.
    is_constant = eq(y, like(y, 0))
    zero = filled_like(y, 0)
    slope = mul(replace_zero(y), pow(x, sub(y, filled_like(y, 1))))
    return mul(t, select(is_constant, zero, slope))


def _pow_tangent_exponent(t: Any, out: Any, x: Any, y: Any) -> Any:
    return convert(mul(t, mul(log(replace_zero(x)), out)), dtypes.dtype(y))


def_jvp(pow_p, _pow_tangent_base, _pow_tangent_exponent, with_out=True)

# ----------------------------------------------------------------- trigonometric functions


def sin(x: Any, *, accuracy: Any = None) -> Array:
    """The sine of x in radians."""
    return sin_p.bind(x) if accuracy is None else sin_p.bind(x, accuracy=accuracy)


sin_p = unary("sin", real_or_complex(np.sin, complex_kernels.sin), accepts="fc", accuracy=True)
def_jvp(sin_p, lambda t, x, **params: mul(t, cos(x, **params)))


def cos(x: Any, *, accuracy: Any = None) -> Array:
    """The cosine of x in radians."""
    return cos_p.bind(x) if accuracy is None else cos_p.bind(x, accuracy=accuracy)


cos_p = unary("cos", real_or_complex(np.cos, complex_kernels.cos), accepts="fc", accuracy=True)
def_jvp(cos_p, lambda t, x, **params: neg(mul(t, sin(x, **params))))


def tan(x: Any, *, accuracy: Any = None) -> Array:
    """The tangent of x in radians."""
    return tan_p.bind(x) if accuracy is None else tan_p.bind(x, accuracy=accuracy)


tan_p = unary("tan", real_or_complex(np.tan, complex_kernels.tan), accepts="fc", accuracy=True)
def_jvp(tan_p, lambda t, out, x, **_: mul(t, add(like(x, 1), square(out))), with_out=True)


def asin(x: Any) -> Array:
    """The angle in -pi/2..pi/2 whose sine is x; NaN outside -1..1."""
    return asin_p.bind(x)


asin_p = unary("asin", real_or_complex(np.arcsin, complex_kernels.asin), accepts="fc")
def_jvp(asin_p, lambda t, x: mul(t, rsqrt(sub(like(x, 1), square(x)))))


def acos(x: Any) -> Array:
    """The angle in 0..pi whose cosine is x; NaN outside -1..1."""
    return acos_p.bind(x)


acos_p = unary("acos", real_or_complex(np.arccos, complex_kernels.acos), accepts="fc")
def_jvp(acos_p, lambda t, x: mul(t, neg(rsqrt(sub(like(x, 1), square(x))))))


def atan(x: Any) -> Array:
    """The angle in -pi/2..pi/2 whose tangent is x."""
    return atan_p.bind(x)


atan_p = unary("atan", np.arctan, accepts="fc")
def_jvp(atan_p, lambda t, x: div(t, add(like(x, 1), square(x))))


def atan2(x: Any, y: Any) -> Array:
    """The angle in -pi..pi of the point whose ordinate is x and whose abscissa is y (the names are JAX's)."""
    return atan2_p.bind(x, y)


atan2_p = binary("atan2", real_or_complex(np.arctan2, complex_kernels.atan2), accepts="fc")
def_jvp(
    atan2_p,
    lambda t, x, y: mul(t, div(y, add(square(x), square(y)))),
    lambda t, x, y: mul(t, div(neg(x), add(square(x), square(y)))),
)

# ----------------------------------------------------------------- hyperbolic functions


def sinh(x: Any) -> Array:
    """The hyperbolic sine."""
    return sinh_p.bind(x)


sinh_p = unary("sinh", real_or_complex(np.sinh, complex_kernels.sinh), accepts="fc")
def_jvp(sinh_p, lambda t, x: mul(t, cosh(x)))


def cosh(x: Any) -> Array:
    """The hyperbolic cosine."""
    return cosh_p.bind(x)


cosh_p = unary("cosh", real_or_complex(np.cosh, complex_kernels.cosh), accepts="fc")
def_jvp(cosh_p, lambda t, x: mul(t, sinh(x)))


def tanh(x: Any, *, accuracy: Any = None) -> Array:
    """The hyperbolic tangent."""
    return tanh_p.bind(x) if accuracy is None else tanh_p.bind(x, accuracy=accuracy)


def _tanh_tangent(t: Any, out: Any, x: Any, *, accuracy: Any = None) -> Any:
    if accuracy is AccuracyMode.HIGHEST:
        both = [logistic(mul(like(x, factor), x), accuracy=accuracy) for factor in (2, -2)]
        return mul(t, mul(like(x, 4), mul(*both)))
    # t (1 - out**2), in a form that keeps its digits where out is close to 1.
    return mul(add(t, mul(t, out)), sub(scalar_like(x, 1), out))


tanh_p = unary("tanh", real_or_complex(np.tanh, complex_kernels.tanh), accepts="fc", accuracy=True)
def_jvp(tanh_p, _tanh_tangent, with_out=True)


def asinh(x: Any) -> Array:
    """The inverse of sinh."""
    return asinh_p.bind(x)


asinh_p = unary("asinh", real_or_complex(np.arcsinh, complex_kernels.asinh), accepts="fc")
def_jvp(asinh_p, lambda t, x: mul(t, rsqrt(add(square(x), scalar_like(x, 1)))))


def acosh(x: Any) -> Array:
    """The inverse of cosh, not negative; NaN below 1."""
    return acosh_p.bind(x)


acosh_p = unary("acosh", real_or_complex(np.arccosh, complex_kernels.acosh), accepts="fc")
def_jvp(acosh_p, lambda t, x: mul(t, rsqrt(sub(square(x), scalar_like(x, 1)))))


def atanh(x: Any) -> Array:
    """The inverse of tanh; infinite at -1 and 1, NaN outside."""
    return atanh_p.bind(x)


atanh_p = unary("atanh", np.arctanh, accepts="fc")
def_jvp(
    atanh_p,
    lambda t, x: mul(reciprocal(add(scalar_like(x, 1), x)), div(t, sub(scalar_like(x, 1), x))),
)
