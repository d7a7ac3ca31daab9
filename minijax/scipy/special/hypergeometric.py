"""The confluent hypergeometric function 1F1 and the hypergeometric function 2F1, of real numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import dtypes, lax
from minijax.array import Array
from minijax.custom_derivatives import custom_jvp
from minijax.scipy.special.gamma_functions import gamma
from minijax.scipy.special.operands import real_arrays

__all__ = ["hyp1f1", "hyp2f1"]

_MOST_TERMS = 250


def _real(fun_name: str, *args: Any) -> list[Array]:
    """The arguments as real arrays of one dtype and shape."""
    return jnp.broadcast_arrays(*real_arrays(fun_name, *args))


def _sum(total: Any, term: Array, ratio: Callable[[Any], Any], weight: Callable[[Any], Any] | None = None) -> Array:
    """total + term_1 + term_2 + ..., where term_1 is given and term_(k+1) = term_k ratio(k).

    With weight it is the sum of weight(k) term_k. Each element ends when a term does not count any more.
    """
    eps = dtypes.finfo(term.dtype).eps

    def active(total: Array, term: Array) -> Array:
        return lax.abs(term) > eps * lax.abs(total)

    def body(state: Any) -> Any:
        k, total, term = state
        more = term if weight is None else term * weight(k)
        on = active(total, term)
        return k + 1, jnp.where(on, total + more, total), jnp.where(on, term * ratio(k), term)

    def going_on(state: Any) -> Array:
        k, total, term = state
        return (k < _MOST_TERMS) & jnp.any(active(total, term))

    one = term.dtype.type(1)
    return lax.while_loop(going_on, body, (one, jnp.full_like(term, total), term))[1]


# ----------------------------------------------------------------- hyp1f1


@custom_jvp
def hyp1f1(a: Any, b: Any, x: Any) -> Array:
    """The confluent hypergeometric function 1F1(a; b; x): the sum of (a)_k / (b)_k x**k / k! over k >= 0.

    By this series for |x| < 100, by an asymptotic one above.
    """
    a, b, x = _real("hyp1f1", a, b, x)
    near = lax.abs(x) < 100
    x_near, x_far = jnp.where(near, x, 1.0), jnp.where(near, 100.0, x)
    series = _sum(1, a / b * x_near, lambda k: (a + k) / (b + k) * x_near / (k + 1))
    far = _sum(1, (b - a) * (1 - a) / x_far, lambda k: (b - a + k) * (1 - a + k) / (k + 1) / x_far)
    far = gamma(b) / gamma(a) * lax.exp(x_far) * x_far ** (a - b) * far
    value = jnp.where(near, series, far)
    value = jnp.where((b == 0) & (a != 0), np.inf, jnp.where(a == b, jnp.exp(x), value))
    return jnp.where(a == 0, 1.0, value)


def _hyp1f1_slope(a: Any, b: Any, x: Any, weight: Callable[[Any], Any]) -> Array:
    a, b, x = _real("hyp1f1", a, b, x)
    return _sum(0, a / b * x, lambda k: (a + k) / (b + k) * x / (k + 1), weight)


hyp1f1.defjvps(
    lambda t, ans, a, b, x: _hyp1f1_slope(a, b, x, lambda k: lax.digamma(a + k) - lax.digamma(a)) * t,
    lambda t, ans, a, b, x: _hyp1f1_slope(a, b, x, lambda k: lax.digamma(b) - lax.digamma(b + k)) * t,
    lambda t, ans, a, b, x: a / b * hyp1f1(a + 1, b + 1, x) * t,
)

# ----------------------------------------------------------------- hyp2f1


@custom_jvp
def hyp2f1(a: Any, b: Any, c: Any, x: Any) -> Array:
    """The hypergeometric function 2F1(a, b; c; x): the sum of (a)_k (b)_k / (c)_k x**k / k! over k >= 0.

    Infinite where that diverges. Near x = 1 a transformation to 1 - x is used (Cephes).
    """
    a, b, c, x = _real("hyp2f1", a, b, c, x)
    eps = dtypes.finfo(x.dtype).eps * 50
    d, s = c - a - b, 1 - x
    whole_d = jnp.abs(d - jnp.round(d)) < eps
    at_one = gamma(c) * gamma(d) / (gamma(c - a) * gamma(c - b))
    transformed = s**d * _by_series(c - a, c - b, c, x)
    # The first case that applies.
    return jnp.select(
        [
            (x == 0) | ((a == 0) | (b == 0)) & (c != 0),
            (c == 0) | (c < 0) & (c % 1 == 0),
            (d <= -1) & (whole_d | (s >= 0)),
            (d <= 0) & (x == 1),
            (x < 1) & (b == c),
            (x < 1) & (a == c),
            x > 1,
            x == 1,
        ],
        [
            jnp.ones_like(x),
            jnp.full_like(x, np.inf),
            transformed,
            jnp.full_like(x, np.inf),
            s ** (-a),
            s ** (-b),
            jnp.full_like(x, np.inf),
            at_one,
        ],
        _by_series(a, b, c, x),
    )


def _by_series(a: Array, b: Array, c: Array, x: Array) -> Array:
    eps = dtypes.finfo(x.dtype).eps * 50
    d = c - a - b
    ends_a = (a <= 0) & (jnp.abs(a - jnp.round(a)) < eps)
    ends_b = (b <= 0) & (jnp.abs(b - jnp.round(b)) < eps)
    ends = ends_a | ends_b
    whole_d = jnp.abs(d - jnp.round(d)) < eps
    series = _sum(1, a * b / c * x, lambda k: (a + k) * (b + k) / (c + k) / (k + 1) * x)
    near_one = (x > 0.9) & ~ends & whole_d
    return jnp.where(ends, _polynomial(a, b, c, x), jnp.where(near_one, _near_one(a, b, c, x), series))


def _polynomial(a: Array, b: Array, c: Array, x: Array) -> Array:
    """The series where it ends, because a or b is a negative whole number."""
    eps = dtypes.finfo(x.dtype).eps * 50
    pole = (c % 1 == 0) & (c <= 0) & (c > b)
    swap = (b < a) & (jnp.abs(b - jnp.round(b)) < eps) & ~pole
    a, b = jnp.where(swap, b, a), jnp.where(swap, a, b)
    degree = jnp.abs(a)

    def body(state: Any) -> Any:
        i, total, term = state
        on = i < degree + 1
        factor = -(degree - i + 1) / (c + i - 1) * (b + i - 1) / i * x
        term = jnp.where(on, term * factor, term)
        return i + 1, jnp.where(on, total + term, total), term

    # Degrees without a bound come from elements that do not end; they are not asked for.
    degree = jnp.where(degree <= 1e4, degree, 0.0)
    start = (x.dtype.type(1), jnp.ones_like(x), jnp.ones_like(x))
    return lax.while_loop(lambda state: jnp.any(state[0] < degree + 1), body, start)[1]


def _near_one(a: Array, b: Array, c: Array, x: Array) -> Array:
    """By a series in 1 - x with digamma functions, for whole c - a - b."""
    d, s = c - a - b, 1 - x
    whole = jnp.round(d)
    e = jnp.where(whole >= 0, d, -d)
    d1, d2 = jnp.where(whole >= 0, d, 0.0), jnp.where(whole >= 0, 0.0, d)
    log_s = jnp.log(s)
    psi = lax.digamma

    def weight(t: Any) -> Array:
        return psi(1.0 + t) + psi(1.0 + t + e) - psi(a + t + d1) - psi(b + t + d1) - log_s

    first = (psi(jnp.ones_like(x)) + psi(1.0 + e) - psi(a + d1) - psi(b + d1) - log_s) / gamma(e + 1.0)
    p = (a + d1) * (b + d1) * s / gamma(e + 2.0)
    y = _digamma_series(first, p, weight, lambda t: s * (a + t + d1) / (t + 1.0) * (b + t + d1) / (t + 1.0 + e))
    plain = y * gamma(c) / (gamma(a) * gamma(b))

    y1 = _finite_sum(a + d2, b + d2, e, s, jnp.abs(whole))
    y1 = y1 * gamma(e) * gamma(c) / (gamma(a + d1) * gamma(b + d1))
    y = y * gamma(c) / (gamma(a + d2) * gamma(b + d2))
    y = jnp.where(jnp.abs(whole) % 2 != 0, -y, y)
    power = s**whole
    return jnp.where(whole == 0, plain, jnp.where(whole > 0, y * power + y1, y + y1 * power))


def _digamma_series(total: Array, p: Array, weight: Callable[[Any], Array], ratio: Callable[[Any], Array]) -> Array:
    eps = dtypes.finfo(p.dtype).eps

    def active(last: Array, total: Array) -> Array:
        return jnp.abs(last) >= eps * jnp.abs(total)

    def body(state: Any) -> Any:
        t, total, last, p = state
        on = active(last, total)
        q = p * weight(t)
        return t + 1, jnp.where(on, total + q, total), jnp.where(on, q, last), jnp.where(on, p * ratio(t), p)

    def going_on(state: Any) -> Array:
        t, total, last, _ = state
        return (t < _MOST_TERMS) & jnp.any(active(last, total))

    return lax.while_loop(going_on, body, (p.dtype.type(1), total, total, p))[1]


def _finite_sum(a: Array, b: Array, e: Array, s: Array, count: Array) -> Array:
    """1 + ... of `count` terms in all."""
    count = jnp.where(count <= 1e4, count, 0.0)

    def body(state: Any) -> Any:
        t, total, p = state
        on = t < count
        p = jnp.where(on, p * s * (a + t - 1) * (b + t - 1) / (t - e) / t, p)
        return t + 1, jnp.where(on, total + p, total), p

    start = (s.dtype.type(1), jnp.ones_like(s), jnp.ones_like(s))
    return lax.while_loop(lambda state: jnp.any(state[0] < count), body, start)[1]


def _hyp2f1_slope(a: Any, b: Any, c: Any, x: Any, weight: Callable[[Any], Any]) -> Array:
    a, b, c, x = _real("hyp2f1", a, b, c, x)
    return _sum(0, a * b / c * x, lambda k: (a + k) * (b + k) / (c + k) / (k + 1) * x, weight)


hyp2f1.defjvps(
    lambda t, ans, a, b, c, x: _hyp2f1_slope(a, b, c, x, lambda k: lax.digamma(a + k) - lax.digamma(a)) * t,
    lambda t, ans, a, b, c, x: _hyp2f1_slope(a, b, c, x, lambda k: lax.digamma(b + k) - lax.digamma(b)) * t,
    lambda t, ans, a, b, c, x: _hyp2f1_slope(a, b, c, x, lambda k: lax.digamma(c) - lax.digamma(c + k)) * t,
    lambda t, ans, a, b, c, x: a * b / c * hyp2f1(a + 1, b + 1, c + 1, x) * t,
)
