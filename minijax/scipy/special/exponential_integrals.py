"""The exponential integrals Ei and E_n."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import dtypes, lax
from minijax.array import Array
from minijax.custom_derivatives import custom_jvp
from minijax.numpy.promotion import like
from minijax.scipy.special.operands import horner, real_arrays

__all__ = ["exp1", "expi", "expn"]

# ----------------------------------------------------------------- expi

# Numerators and denominators of Cephes: in x for 0 < x <= 2; in 1 / x up to 4, 8, 16, 32, 64 and above.
_N1 = (
    -5.350447357812543, 218.50491688166133, -4176.572384826693, 55411.76756393557, -331338.13311781443,
    1592627.1633849454,
)  # fmt: skip
_D1 = (
    1.0, -52.505479591128626, 1259.6161867867906, -17565.495819735348, 149306.2117002726, -729494.9239640528,
    1592627.1633849454,
)  # fmt: skip
_N2 = (
    0.019818085032596897, -1.2716456259849176, -2.0881603356812284, 2.7555445091879367, -0.44095070487016,
    0.046656238059358916, -0.0015450426796734852, 7.059980605299618e-05,
)  # fmt: skip
_D2 = (
    1.0, 1.4764986709149215, 0.5629177174822436, 0.16990178978793072, 0.02291647179034212, 0.0044501504397287525,
    0.00017274396122065214, 3.953167195549672e-05,
)  # fmt: skip
_N3 = (
    -1.3732153758712087, -0.7084559133740839, 1.580806855547941, -0.2601500427425623, 0.029946746941137137,
    -0.001038086040188744, 4.371064420753005e-05, 2.141783679522603e-06,
)  # fmt: skip
_D3 = (
    1.0, 0.8585231423622028, 0.4483285822873995, 0.07687932158124476, 0.024498682410218877, 0.0008832165941927797,
    0.00045909522995113536, -4.729848351866523e-06, 2.66519553739071e-06,
)  # fmt: skip
_N4 = (
    -2.1069346016919166, 1.7327338696646881, -0.2423619178935842, 0.02322724180937566, 0.00023728804404931798,
    -8.343219561192553e-05, 1.3634087956052505e-05, -3.655412321999254e-07, 1.4649417339759612e-08,
    6.17640786371036e-10,
)  # fmt: skip
_D4 = (
    1.0, -0.2298062239901678, 0.11050770414740378, -0.015665429666307924, 0.002761106850817353,
    -0.00020891480122840484, 1.7085289388076754e-05, -4.4593117963566865e-07, 1.3946349303538475e-08,
    6.150865933977338e-10,
)  # fmt: skip
_N5 = (
    -0.24581193676740204, -0.14833822533220778, 0.07248291795735552, -0.013483156873809405, 0.001342775069788637,
    -7.942465637159712e-05, 2.644179518984236e-06, -4.239473659313765e-08,
)  # fmt: skip
_D5 = (
    1.0, -0.10442259084438711, -0.26764531281014026, 0.09695000254621984, -0.01601745692712991,
    0.001496414899205908, -8.462452563778485e-05, 2.7289384034767266e-06, -4.239462431819542e-08,
)  # fmt: skip
_N6 = (
    0.12125611181054567, -0.5823133179043894, 0.2348887314557017, -0.030400343181132484, 0.0015100821468651906,
    -2.5231370954995714e-05,
)  # fmt: skip
_D6 = (
    1.0, -1.002252150365854, 0.2928709694872224, -0.03337004338674008, 0.0015605448811273888,
    -2.5231370936032347e-05,
)  # fmt: skip
_N7 = (
    -0.7657847078286127, 0.6886192415566705, -0.2132598113545206, 0.033461075523841935, -0.003076541477344756,
    0.00017471193164549074, -6.1037116822741705e-06, 1.218032765428652e-07, -1.0860761027932903e-09,
)  # fmt: skip
_D7 = (
    1.0, -1.8888028686623086, 1.066691687211409, -0.27519159823063805, 0.039308526882338234, -0.003414684558602365,
    0.00018668443707035555, -6.345146083130515e-06, 1.239754287483207e-07, -1.0860761027931265e-09,
)  # fmt: skip
_FAR = ((4, _N2, _D2), (8, _N3, _D3), (16, _N4, _D4), (32, _N5, _D5), (64, _N6, _D6), (None, _N7, _D7))


@custom_jvp
def expi(x: Any) -> Array:
    """The exponential integral Ei: the principal value of the integral of exp(t) / t from -inf to x."""
    (x,) = real_arrays("expi", x)
    return jnp.where(x < 0, -exp1(-x), _expi_right(x))


def _expi_right(x: Array) -> Array:
    near = x * (horner(x, _N1) / horner(x, _D1)) + np.euler_gamma + jnp.log(x)
    w = like(x, 1.0) / x
    ratio = horner(w, _N7) / horner(w, _D7)
    for end, numerator, denominator in reversed(_FAR[:-1]):
        ratio = jnp.where(x <= end, horner(w, numerator) / horner(w, denominator), ratio)
    far = jnp.exp(x) * w * (w * ratio + like(x, 1.0))
    value = jnp.where(x <= 2, near, far)
    return jnp.where(x == 0, np.nan, value)


@expi.defjvp
def _expi_jvp(primals: tuple[Any], tangents: tuple[Any]) -> tuple[Array, Array]:
    (x,), (t,) = primals, tangents
    return expi(x), jnp.exp(x) / x * t


# ----------------------------------------------------------------- expn


def exp1(x: Any) -> Array:
    """The exponential integral E_1."""
    (x,) = real_arrays("exp1", x)
    return expn(1, x)


@partial(custom_jvp, nondiff_argnums=(0,))
def expn(n: Any, x: Any) -> Array:
    """The exponential integral E_n: the integral of exp(-x t) / t**n from t = 1 to infinity, for whole n >= 0.

    By a power series up to x = 1, by a continued fraction above, by an asymptotic series for n >= 5000 (Cephes).
    """
    n, x = jnp.broadcast_arrays(*real_arrays("expn", n, x))
    by_fraction = x > 1
    by_series = (x > 0) & ~by_fraction & (n > 0) & (n < 5000)
    fraction = _fraction(jnp.where(by_fraction, x, 2.0), jnp.where(by_fraction, n, 1.0))
    series = _series(jnp.where(by_series, x, 1.0), jnp.where(by_series, n, 1.0))
    at_zero = jnp.where(n < 2, np.inf, 1 / jnp.where(n == 1, 2, n))
    # The first case that applies.
    return jnp.select(
        [by_fraction, n >= 5000, n == 0, (x == 0) & (n >= 0), by_series],
        [fraction, _for_large_n(x, n), jnp.exp(-x) / x, at_zero, series],
        np.nan,
    )


@expn.defjvp
def _expn_jvp(n: Any, primals: tuple[Any], tangents: tuple[Any]) -> tuple[Array, Array]:
    (x,), (t,) = primals, tangents
    return expn(n, x), lax.mul(lax.neg(t), expn(lax.sub(n, like(jnp.asarray(n), 1)), x))


def _series(x: Array, n: Array) -> Array:
    """(-x)**(n-1) (digamma(n) - log(x)) / (n-1)! less the sum of (-x)**k / ((k - n + 1) k!) over k != n - 1."""
    eps = dtypes.finfo(x.dtype).eps
    first = jnp.where(n == 1, 0.0, 1.0 / jnp.where(n == 1, 1.0, 1.0 - n))

    def going_on(state: Any) -> Array:
        _, _, _, change = state
        return jnp.any(change > eps)

    def body(state: Any) -> Any:
        k, power, total, change = state
        k = k + 1.0
        power = power * -x / k
        order = k + 1.0 - n
        more = jnp.where(order != 0, power / jnp.where(order != 0, order, 1.0), 0.0)
        total = jnp.where(change > eps, total + more, total)
        changed = jnp.where(total != 0, jnp.abs(power / total), 1.0)
        return k, power, total, jnp.where(change > eps, changed, change)

    start = (x.dtype.type(0), jnp.ones_like(x), first, jnp.full_like(x, np.inf))
    _, _, total, _ = lax.while_loop(going_on, body, start)
    log_term = lax.digamma(n) - jnp.log(x)
    return (-x) ** (n - 1) * log_term / jnp.exp(lax.lgamma(n)) - total


def _fraction(x: Array, n: Array) -> Array:
    """exp(-x) times the continued fraction 1 / (x + n / (1 + 1 / (x + (n + 1) / (1 + ...))))."""
    eps = dtypes.finfo(x.dtype).eps
    big = x.dtype.type(1.44115188075855872e17)

    def going_on(state: Any) -> Array:
        return jnp.any(state[-1] > eps)

    def body(state: Any) -> Any:
        k, p1, q1, p2, q2, value, change = state
        k = k + 1
        odd = k % 2 == 1
        half = k / 2
        y = jnp.where(odd, 1.0, x)
        z = jnp.where(odd, n + (k - 1) / 2, half)
        p, q = p1 * y + p2 * z, q1 * y + q2 * z
        ratio = jnp.where(q != 0, p / q, value)
        changed = jnp.abs((value - ratio) / ratio)
        value = jnp.where(change > eps, ratio, value)
        scale = jnp.where(jnp.abs(p) > big, 1 / big, 1.0)
        return k, p * scale, q * scale, p1 * scale, q1 * scale, value, jnp.where(change > eps, changed, change)

    start = (x.dtype.type(1), jnp.ones_like(x), x + n, jnp.ones_like(x), x, 1 / (x + n), jnp.full_like(x, np.inf))
    *_, value, _ = lax.while_loop(going_on, body, start)
    return value * jnp.exp(-x)


def _for_large_n(x: Array, n: Array) -> Array:
    sum_, t = x + n, n
    y = 1.0 / (sum_ * sum_)
    value = y * t * (6 * x * x - 8 * t * x + t * t)
    value = y * (value + t * (t - 2 * x))
    value = y * (value + t)
    return (value + 1.0) * jnp.exp(-x) / sum_
