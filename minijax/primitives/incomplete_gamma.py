"""The regularised incomplete gamma functions, and their derivatives with respect to a.

P(a, x) is the probability that a variable with the gamma distribution of shape a is below x, and Q = 1 - P.
Below x = max(1, a) a power series for P converges quickly, above it a continued fraction for Q (the algorithms
are those of Cephes; S. Moshier, 1984). Both can be differentiated term by term. Everything is computed in
float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minijax.array import Array
from minijax.primitives.arithmetic import neg, sub
from minijax.primitives.families import binary, def_jvp, def_not_differentiable, filled_like, in_float64
from minijax.primitives.gamma_functions import digamma_kernel, lgamma, lgamma_kernel
from minijax.primitives.transcendental import exp, log

__all__ = ["igamma", "igamma_grad_a", "igammac", "random_gamma_grad"]

State = Sequence[np.ndarray]

# ----------------------------------------------------------------- iterations


def iterate(step: Callable[..., tuple[State, np.ndarray]], state: State, most: int) -> list[np.ndarray]:
    """Repeat state, going_on = step(count, *state) for each entry by itself until it does not go on.

    Entries that have stopped are left out of the following steps, of which there are `most`.
    """
    final = [np.array(s) for s in state]
    places = np.arange(final[0].size)
    for count in range(1, most + 1):
        if not places.size:
            return final
        state, going_on = step(count, *state)
        if not going_on.all():
            for out, s in zip(final, state, strict=True):
                out[places[~going_on]] = s[~going_on]
            state, places = [s[going_on] for s in state], places[going_on]
    for out, s in zip(final, state, strict=True):
        out[places] = s
    return final


# The series is over long before; the limit is there for operands that are out of all proportion.
_MOST_TERMS, _MOST_FRACTIONS = 200000, 2000
_EPS = 2.0**-52
_LARGEST_LOGARITHM = 709.0


def _series(a: np.ndarray, x: np.ndarray, slopes: bool) -> tuple[np.ndarray, np.ndarray]:
    """1 + x / (a + 1) + x**2 / ((a + 1) (a + 2)) + ..., and its derivative with respect to a if asked for."""
    one = np.ones_like(a)

    def step(count: int, r: Any, x: Any, term: Any, total: Any, dterm: Any, dtotal: Any) -> Any:
        r = r + 1.0
        if slopes:
            dterm = dterm * (x / r) - term * x / (r * r)
            dtotal = dtotal + dterm
        term = term * (x / r)
        total = total + term
        last = np.abs(dterm / dtotal) if slopes else term / total
        return (r, x, term, total, dterm, dtotal), last > _EPS

    *_, total, _, dtotal = iterate(step, (a, x, one, one, 0 * one, 0 * one), _MOST_TERMS)
    return total, dtotal


def _fraction(a: np.ndarray, x: np.ndarray, slopes: bool) -> tuple[np.ndarray, np.ndarray]:
    """The continued fraction 1 / (x + (1 - a) / (1 + 1 / (x + ...))), and its derivative if asked for.

    p / q are its convergents (Wallis' recurrence), scaled down when they threaten to overflow.
    """
    one = np.ones_like(a)

    def step(count: int, y: Any, z: Any, out: Any, dout: Any, p1: Any, q1: Any, p2: Any, q2: Any, *d: Any) -> Any:
        y, z = y + 1.0, z + 2.0
        yc = y * count
        p, q = p1 * z - p2 * yc, q1 * z - q2 * yc
        old, old_slope, fine = out, dout, q != 0
        out = np.where(fine, p / q, out)
        change = np.where(fine, np.abs((old - out) / out), 1.0)
        rows = [p, q, p1, q1]
        if slopes:
            dp1, dq1, dp2, dq2 = d
            dp = dp1 * z - p1 - dp2 * yc + p2 * count
            dq = dq1 * z - q1 - dq2 * yc + q2 * count
            dout = np.where(fine, (dp - out * dq) / q, dout)
            change = np.where(fine, np.abs(dout - old_slope), 1.0)
            rows += [dp, dq, dp1, dq1]
        scale = np.where(np.abs(p) > 1.0 / _EPS, _EPS, 1.0)
        return (y, z, out, dout, *(scale * row for row in rows)), change > _EPS

    y = 1.0 - a
    z = x + y + 1.0
    p1, q1 = x + 1.0, z * x
    derivatives = (0 * one, -x, 0 * one, 0 * one) if slopes else ()
    start = p1 / q1
    state = (y, z, start, start * x / q1, p1, q1, one, x, *derivatives)
    _, _, out, dout, *_ = iterate(step, state, _MOST_FRACTIONS)
    return out, dout


def _either(
    a: np.ndarray, x: np.ndarray, above: np.ndarray, enabled: np.ndarray, slopes: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The series' value and derivative, and above those of the fraction; 1 and 0 where not enabled."""
    value, slope = np.ones_like(a), np.zeros_like(a)
    for expansion, chosen in ((_series, enabled & ~above), (_fraction, enabled & above)):
        if chosen.any():
            value[chosen], slope[chosen] = expansion(a[chosen], x[chosen], slopes)
    return value, slope


def _prepared(a: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The operands in one shape, x**a exp(-x) / gamma(a), and where that is not next to nothing."""
    a, x = np.broadcast_arrays(a, x)
    log_factor = a * np.log(x) - x - lgamma_kernel(a)
    underflow = log_factor < -_LARGEST_LOGARITHM
    return a, x, np.exp(log_factor), ~underflow


def _outside(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    return (x < 0) | (a < 0) | ((a == 0) & (x == 0)) | np.isnan(a) | np.isnan(x)


# ----------------------------------------------------------------- igamma


def igamma(a: Any, x: Any) -> Array:
    """The regularised lower incomplete gamma function P(a, x); NaN for negative operands and P(0, 0)."""
    return igamma_p.bind(a, x)


def _igamma_kernel(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    a, x, factor, relevant = _prepared(a, x)
    outside, above = _outside(a, x), (x >= 1) & (x > a)
    value, _ = _either(a, x, above, relevant & ~outside & (x != 0) & (x != np.inf), False)
    out = np.where(above, 1.0 - value * factor, value * factor / a)
    out = np.where(x == 0, 0.0, np.where(x == np.inf, 1.0, out))
    return np.where(outside, np.nan, out)


def _igamma_tangent_x(t: Any, a: Any, x: Any) -> Any:
    log_density = neg(x) + sub(a, filled_like(a, 1)) * log(x) - lgamma(a)
    return t * exp(log_density)


igamma_p = binary("igamma", in_float64(_igamma_kernel), accepts="f")
def_jvp(igamma_p, lambda t, a, x: t * igamma_grad_a(a, x), _igamma_tangent_x)


# ----------------------------------------------------------------- igammac


def igammac(a: Any, x: Any) -> Array:
    """The regularised upper incomplete gamma function Q(a, x) = 1 - P(a, x), accurate where it is small."""
    return igammac_p.bind(a, x)


def _igammac_kernel(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    a, x, factor, relevant = _prepared(a, x)
    outside, above = _outside(a, x), ~((x < 1) | (x < a))
    value, _ = _either(a, x, above, relevant & ~outside & (x != np.inf) & (a != 0), False)
    out = np.where(above, value * factor, 1.0 - value * factor / a)
    out = np.where((x == np.inf) | (a == 0), 0.0, out)
    return np.where(outside, np.nan, out)


igammac_p = binary("igammac", in_float64(_igammac_kernel), accepts="f")
def_jvp(
    igammac_p,
    lambda t, a, x: neg(t * igamma_grad_a(a, x)),
    lambda t, a, x: neg(_igamma_tangent_x(t, a, x)),
)


# ----------------------------------------------------------------- igamma_grad_a


def igamma_grad_a(a: Any, x: Any) -> Array:
    """The derivative of P(a, x) with respect to a; NaN for x < 0 or a <= 0. It has no derivative itself."""
    return igamma_grad_a_p.bind(a, x)


def _slopes(a: np.ndarray, x: np.ndarray, combine: Callable[..., np.ndarray]) -> np.ndarray:
    """combine(a, x, factor, above, value, slope), slope being the logarithmic derivative with the factor's."""
    a, x, factor, relevant = _prepared(a, x)
    outside = (x < 0) | (a <= 0) | np.isnan(a) | np.isnan(x)
    above = (x > 1) & (x > a)
    value, slope = _either(a, x, above, relevant & ~outside & (x != 0), True)
    log_slope = np.log(x) - digamma_kernel(np.where(above, a, a + 1.0))
    out = combine(a, x, factor, above, value * log_slope + slope)
    return np.where(outside, np.nan, np.where(x == 0, 0.0, out))


def _grad_a_kernel(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    return _slopes(a, x, lambda a, x, factor, above, slope: factor * slope * np.where(above, -1, 1 / a))


igamma_grad_a_p = binary("igamma_grad_a", in_float64(_grad_a_kernel), accepts="f")
def_not_differentiable(igamma_grad_a_p)


# ----------------------------------------------------------------- random_gamma_grad


def random_gamma_grad(a: Any, x: Any) -> Array:
    """dx / da for a sample x of the gamma distribution of shape a, at a constant value of P(a, x).

    JAX writes its loops out in the jaxpr; here it is one primitive. It has no derivative.
    """
    return random_gamma_grad_p.bind(a, x)


def _random_gamma_grad_kernel(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    return _slopes(a, x, lambda a, x, factor, above, slope: slope * x * np.where(above, 1, -1 / a))


random_gamma_grad_p = binary("random_gamma_grad", in_float64(_random_gamma_grad_kernel), accepts="f")
def_not_differentiable(random_gamma_grad_p)
