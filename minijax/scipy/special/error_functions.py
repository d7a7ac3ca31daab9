"""The error function and its relatives: scaled, complex (Faddeeva's), and Dawson's integral."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import dtypes, lax
from minijax.array import Array
from minijax.custom_derivatives import custom_jvp
from minijax.numpy.promotion import like
from minijax.scipy.special.operands import float_array, horner, real_arrays

__all__ = ["dawsn", "erf", "erfc", "erfcx", "erfinv", "wofz"]


def erf(x: Any) -> Array:
    """The error function."""
    x = float_array("erf", x)
    return lax.erf(x)


def erfc(x: Any) -> Array:
    """1 - erf(x), accurate for large x too."""
    x = float_array("erfc", x)
    return lax.erfc(x)


def erfinv(x: Any) -> Array:
    """The inverse of the error function."""
    x = float_array("erfinv", x)
    return lax.erf_inv(x)


# ----------------------------------------------------------------- wofz

# Weideman, "Computation of the complex error function" (1994), with 32 terms: w(z) for Im(z) >= 0 is a
# polynomial in Z = (L + iz) / (L - iz).
_L = 4.7568284600108841
_WEIDEMAN = (
    -1.3034426067909105e-12, 3.741183837373847e-12, 8.030427700497756e-12, -2.154359355749088e-11,
    -5.544244996323793e-11, 1.165824698850374e-10, 4.1537441121999766e-10, -5.231020211492061e-10,
    -3.2080151339721323e-09, 8.124886421653591e-10, 2.3797556530014025e-08, 2.2930438438915445e-08,
    -1.4813078929137642e-07, -4.1840763750512053e-07, 4.2558331397138446e-07, 4.401531731283225e-06,
    6.821031944357515e-06, -2.1409619201999998e-05, -0.0001307544925457942, -0.00024532980270038237,
    0.00039259136070109705, 0.004519541105349309, 0.0190061557848455, 0.05730440352983728, 0.14060716226893755,
    0.2954445107150874, 0.5460139720639338, 0.9019254893648001, 1.345544169234545, 1.8256696296324815,
    2.2635372999002676, 2.5722534081245696,
)  # fmt: skip


def wofz(z: Any) -> Array:
    """Faddeeva's function exp(-z**2) erfc(-iz) of complex z."""
    z = float_array("wofz", z)
    if dtypes.kind(z.dtype) != "c":
        z = lax.convert_element_type(z, dtypes.result_type(z.dtype, np.complex64))
    return _wofz(z)


@custom_jvp
def _wofz(z: Array) -> Array:
    upper = lax.ge(lax.imag(z), like(lax.real(z), 0.0))
    value = _wofz_upper(lax.select(upper, z, lax.neg(z)))
    return lax.select(upper, value, 2 * lax.exp(lax.neg(z * z)) - value)


def _wofz_upper(z: Array) -> Array:
    iz = lax.complex(lax.neg(lax.imag(z)), lax.real(z))
    denominator = _L - iz
    value = horner((_L + iz) / denominator, _WEIDEMAN)
    return 2 * value / (denominator * denominator) + 1 / math.sqrt(math.pi) / denominator


_wofz.defjvps(lambda g, ans, z: g * (lax.neg(2 * z * ans) + z.dtype.type(complex(0, 2 / math.sqrt(math.pi)))))

# ----------------------------------------------------------------- erfcx


def erfcx(x: Any) -> Array:
    """exp(x**2) erfc(x), which does not underflow for large x."""
    x = float_array("erfcx", x)
    if dtypes.kind(x.dtype) == "c":
        return _wofz(lax.complex(lax.neg(lax.imag(x)), lax.real(x)))
    return _erfcx(x)


@custom_jvp
def _erfcx(x: Array) -> Array:
    return _at_least_single(_erfcx_value, x)


_erfcx.defjvps(lambda g, ans, x: g * (2 * x * ans - like(x, 2 / math.sqrt(math.pi))))


def _at_least_single(function: Any, x: Array) -> Array:
    """The function computed in float32 for narrower floats."""
    if x.dtype in (np.float32, np.float64):
        return function(x)
    return function(x.astype(np.float32)).astype(x.dtype)


# 1 - 1/2 t + 3/4 t**2 - 15/8 t**3 + ..., the asymptotic series in t = 1 / x**2.
_SERIES = (7918.06640625, -1055.7421875, 162.421875, -29.53125, 6.5625, -1.875, 0.75, -0.5, 1.0)


def _erfcx_value(x: Array) -> Array:
    large = x > like(x, math.sqrt(math.log(dtypes.finfo(x.dtype).max)))
    near = lax.select(large, lax.full_like(x, 1.0), x)
    terms = _SERIES if x.dtype == np.float64 else _SERIES[-5:]
    far = horner(like(x, 1.0) / lax.square(x), terms) / (x * like(x, math.sqrt(math.pi)))
    return lax.select(large, far, lax.exp(lax.square(near)) * lax.erfc(near))


# ----------------------------------------------------------------- dawsn

# Numerators and denominators of Cephes: in x**2 below 3.25, in 1 / x**2 up to 6.25 and above.
_DAWSON_N1 = (
    1.1368149897175597e-11, 8.492622676674738e-10, 1.9443420417555306e-08, 9.531517412544844e-07,
    3.078283098749132e-06, 0.00035251336852028877, -0.0008501498467244109, 0.04226182230055466,
    -0.09174803717734524, 1.0,
)  # fmt: skip
_DAWSON_D1 = (
    2.403720730667626e-11, 1.488646813684934e-09, 5.212652810105416e-08, 1.2725847827318697e-06,
    2.324902498207895e-05, 0.00032552474182605793, 0.003488058146571626, 0.027944853119882897, 0.15887424196012057,
    0.5749186294893204, 1.0,
)  # fmt: skip
_DAWSON_N2 = (
    0.5089551564179009, -0.24475441814269785, 0.09415123353035344, -0.021871125514203903, 0.003662076123295692,
    -0.0004232091144603888, 3.5964130479389666e-05, -2.1464035171996896e-06, 9.100107800763914e-08,
    -2.4027452082825098e-09, 3.592333854409284e-11,
)  # fmt: skip
_DAWSON_D2 = (
    1.0, -0.6318398698733682, 0.2367067882282487, -0.053180636700322324, 0.008480417185862954,
    -0.0009479967684866654, 7.810255929445524e-05, -4.558751532524426e-06, 1.8910035811142186e-07,
    -4.913246913319206e-09, 7.184664032357345e-11,
)  # fmt: skip
_DAWSON_N3 = (
    -0.5905928605347732, 0.6292352427243688, -0.17285897538038814, 0.016483704782518965, -0.0004868276130204627,
)  # fmt: skip
_DAWSON_D3 = (
    1.0, -2.698200571975449, 1.7327079904594784, -0.3937085822819395, 0.03442789240412334, -0.0009736552260409412,
)  # fmt: skip


def dawsn(x: Any) -> Array:
    """Dawson's integral: exp(-x**2) times the integral of exp(t**2) from 0 to x."""
    (x,) = real_arrays("dawsn", x)
    return _dawsn(x)


@custom_jvp
def _dawsn(x: Array) -> Array:
    return _at_least_single(_dawsn_value, x)


_dawsn.defjvps(lambda g, ans, x: g * (like(x, 1.0) - like(x, 2.0) * x * ans))


def _dawsn_value(x: Array) -> Array:
    size = lax.abs(x)
    near, far = size < 3.25, size >= 6.25
    a = jnp.where(near, size, 1)
    first = a * _ratio(lax.square(a), _DAWSON_N1, _DAWSON_D1)
    b = jnp.where(near, 1, size)
    t = 1 / lax.square(b)
    correction = jnp.where(far, _ratio(t, _DAWSON_N3, _DAWSON_D3), _ratio(t, _DAWSON_N2, _DAWSON_D2))
    return jnp.sign(x) * jnp.where(near, first, 0.5 / b * (1 + t * correction))


def _ratio(x: Array, numerator: tuple[float, ...], denominator: tuple[float, ...]) -> Array:
    return horner(x, numerator) / horner(x, denominator)
