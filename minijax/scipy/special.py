"""Special functions (the module `jax.scipy.special`). Integers become floats; everything is elementwise."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import dtypes, lax, nn
from minijax.array import Array
from minijax.custom_derivatives import custom_jvp
from minijax.nn import logsumexp
from minijax.numpy.axes import require_known
from minijax.numpy.promotion import array_of, like, promote_args_inexact

__all__ = [
    "boxcox",
    "boxcox1p",
    "comb",
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfinv",
    "expit",
    "factorial",
    "gamma",
    "gammaln",
    "gammasgn",
    "kl_div",
    "log_ndtr",
    "log_softmax",
    "loggamma",
    "logit",
    "logsumexp",
    "multigammaln",
    "ndtr",
    "rel_entr",
    "softmax",
    "xlog1py",
    "xlogy",
]


def _float_arrays(fun_name: str, *args: Any) -> list[Array]:
    """The arguments as arrays of one floating point dtype and of ranks that broadcast."""
    return [array_of(x) for x in promote_args_inexact(fun_name, *args)]


def _float_array(fun_name: str, x: Any) -> Array:
    return _float_arrays(fun_name, x)[0]


# ----------------------------------------------------------------- the logistic function, softmax


def expit(x: Any) -> Array:
    """1 / (1 + exp(-x)), the logistic function."""
    x = _float_array("expit", x)
    return lax.logistic(x)


@custom_jvp
def logit(x: Any) -> Array:
    """log(x / (1 - x)), the inverse of the logistic function."""
    x = _float_array("logit", x)
    return lax.log(lax.div(x, lax.sub(like(x, 1), x)))


logit.defjvps(lambda g, ans, x: lax.div(g, lax.mul(x, lax.sub(like(x, 1), x))))


def softmax(x: Any, /, *, axis: Any = None) -> Array:
    """exp(x) / sum(exp(x)) over axes, over all of them for None."""
    return nn.softmax(x, axis=axis)


def log_softmax(x: Any, /, *, axis: Any = None) -> Array:
    """The logarithm of softmax over axes, over all of them for None."""
    return nn.log_softmax(x, axis=axis)


# ----------------------------------------------------------------- entropies


@custom_jvp
def xlogy(x: Any, y: Any) -> Array:
    """x * log(y), which is 0 for x = 0."""
    x, y = _float_arrays("xlogy", x, y)
    return jnp.where((x != 0.0) | jnp.isnan(y), lax.mul(x, lax.log(y)), jnp.zeros_like(x))


@xlogy.defjvp
def _xlogy_jvp(primals: tuple[Any, Any], tangents: tuple[Any, Any]) -> tuple[Array, Array]:
    (x, y), (dx, dy) = primals, tangents
    result = xlogy(x, y)
    return result, (dx * lax.log(y) + dy * x / y).astype(result.dtype)


@custom_jvp
def xlog1py(x: Any, y: Any) -> Array:
    """x * log(1 + y), which is 0 for x = 0."""
    x, y = _float_arrays("xlog1py", x, y)
    return jnp.where((x != 0.0) | jnp.isnan(y), lax.mul(x, lax.log1p(y)), jnp.zeros_like(x))


@xlog1py.defjvp
def _xlog1py_jvp(primals: tuple[Any, Any], tangents: tuple[Any, Any]) -> tuple[Array, Array]:
    (x, y), (dx, dy) = primals, tangents
    result = xlog1py(x, y)
    return result, (dx * lax.log1p(y) + dy * x / (1 + y)).astype(result.dtype)


@custom_jvp
def _xlogx(x: Any) -> Array:
    return xlogy(x, x)


# The derivative by way of xlogy would be the sum of two terms, both infinite at 0.
@_xlogx.defjvp
def _xlogx_jvp(primals: tuple[Any], tangents: tuple[Any]) -> tuple[Array, Array]:
    (x,), (dx,) = primals, tangents
    return _xlogx(x), dx * (lax.log(x) + 1)


def entr(x: Any) -> Array:
    """-x * log(x), 0 at 0, and -inf below."""
    x = _float_array("entr", x)
    return lax.select(lax.lt(x, like(x, 0)), lax.full_like(x, -np.inf), lax.neg(_xlogx(x)))


def rel_entr(p: Any, q: Any) -> Array:
    """p * log(p / q), 0 for p = 0 and q >= 0, and inf elsewhere."""
    p, q = _float_arrays("rel_entr", p, q)
    zero = like(p, 0.0)
    both_positive = lax.bitwise_and(lax.gt(p, zero), lax.gt(q, zero))
    only_p_zero = lax.bitwise_and(lax.eq(p, zero), lax.ge(q, zero))
    safe_p, safe_q = jnp.where(both_positive, p, 1), jnp.where(both_positive, q, 1)
    value = lax.sub(_xlogx(safe_p), xlogy(safe_p, safe_q))
    return jnp.where(both_positive, value, jnp.where(only_p_zero, zero, np.inf))


def kl_div(p: Any, q: Any) -> Array:
    """p * log(p / q) - p + q."""
    p, q = _float_arrays("kl_div", p, q)
    return rel_entr(p, q) - p + q


# ----------------------------------------------------------------- the error function


def erf(x: Any) -> Array:
    """The error function."""
    x = _float_array("erf", x)
    return lax.erf(x)


def erfc(x: Any) -> Array:
    """1 - erf(x), accurate for large x too."""
    x = _float_array("erfc", x)
    return lax.erfc(x)


def erfinv(x: Any) -> Array:
    """The inverse of the error function."""
    x = _float_array("erfinv", x)
    return lax.erf_inv(x)


def ndtr(x: Any) -> Array:
    """The probability that a standard normal variable is below x. TypeError for anything but float32 and float64."""
    x = jnp.asarray(x)
    if x.dtype not in (np.float32, np.float64):
        raise TypeError(f"ndtr: x has dtype {x.dtype}, which is not supported: convert it to float32.")
    return _ndtr(x)


def _ndtr(x: Array) -> Array:
    number = x.dtype.type
    half_root_2 = number(0.5) * np.sqrt(number(2.0))
    w = x * half_root_2
    z = lax.abs(w)
    is_small, small = lax.lt(z, half_root_2), number(1.0) + lax.erf(w)
    large = lax.select(lax.gt(w, number(0.0)), number(2.0) - lax.erfc(z), lax.erfc(z))
    return number(0.5) * lax.select(is_small, small, large)


@partial(custom_jvp, nondiff_argnums=(1,))
def log_ndtr(x: Any, series_order: int = 3) -> Array:
    """log(ndtr(x)), by an asymptotic series with series_order terms (at most 30) for very negative x."""
    if not isinstance(series_order, int):
        raise TypeError(f"log_ndtr: series_order must be a Python integer, got {series_order!r}.")
    if not 0 <= series_order <= 30:
        raise ValueError(f"log_ndtr: series_order must lie between 0 and 30, got {series_order}.")
    x = jnp.asarray(x)
    # Below `lower` the series is used, above `upper` log(1 - y) is -y.
    bounds = {np.dtype(np.float64): (-20, 8), np.dtype(np.float32): (-10, 5)}.get(x.dtype)
    if bounds is None:
        raise TypeError(f"log_ndtr: x has dtype {x.dtype}, which is not supported: convert it to float32.")
    lower, upper = map(x.dtype.type, bounds)
    large = lax.gt(x, upper)
    probability = _ndtr(jnp.where(large, -x, lax.max(x, lower)))
    negative = -probability
    middle = jnp.where(lax.gt(x, lower), lax.log(probability), _log_ndtr_lower(lax.min(x, lower), series_order))
    return jnp.where(large, negative, middle)


def _log_ndtr_lower(x: Array, series_order: int) -> Array:
    number = x.dtype.type
    log_scale = -number(0.5) * lax.square(x) - lax.log(-x) - number(0.5 * np.log(2.0 * np.pi))
    return log_scale + lax.log(_mills_series(x, series_order))


def _mills_series(x: Array, series_order: int) -> Any:
    """1 - 1/x**2 + 3/x**4 - 15/x**6 ..., of which the positive and the negative terms are summed by themselves."""
    number = x.dtype.type
    if not series_order:
        return number(1)
    square = lax.square(x)
    even, odd, power = jnp.zeros_like(x), jnp.zeros_like(x), square
    for n in range(1, series_order + 1):
        term = number(math.prod(range(1, 2 * n, 2))) / power
        if n % 2:
            odd = odd + term
        else:
            even = even + term
        power = power * square
    return number(1.0) + even - odd


@log_ndtr.defjvp
def _log_ndtr_jvp(series_order: int, primals: tuple[Any], tangents: tuple[Any]) -> tuple[Array, Array]:
    (x,), (t,) = primals, tangents
    ans = log_ndtr(x, series_order=series_order)
    log_density = lax.sub(lax.mul(like(x, -0.5), lax.square(x)), like(x, np.log(np.sqrt(2 * np.pi))))
    return ans, lax.mul(t, lax.exp(lax.sub(log_density, ans)))


# ----------------------------------------------------------------- the gamma function


def gammaln(x: Any) -> Array:
    """log|gamma(x)|."""
    x = _float_array("gammaln", x)
    return lax.lgamma(x)


def loggamma(x: Any) -> Array:
    """log(gamma(x)); NaN for x <= 0, where it is not real."""
    x = _float_array("loggamma", x)
    value = lax.lgamma(x)
    return jnp.where(x > 0, value, jnp.nan)


def digamma(x: Any) -> Array:
    """The derivative of log(gamma(x))."""
    x = _float_array("digamma", x)
    return lax.digamma(x)


def gammasgn(x: Any) -> Array:
    """The sign of gamma(x); NaN at negative integers."""
    x = _float_array("gammasgn", x)
    number = x.dtype.type
    floor = lax.floor(x)
    negative = x < 0
    return jnp.select(
        [negative & (x == floor) | jnp.isnan(x), negative & (floor % 2 != 0) | (x == 0) & jnp.signbit(x)],
        [number(np.nan), number(-1.0)],
        number(1.0),
    )


def gamma(x: Any) -> Array:
    """The gamma function."""
    x = _float_array("gamma", x)
    return gammasgn(x) * lax.exp(lax.lgamma(x))


def factorial(n: Any, exact: bool = False) -> Array:
    """gamma(n + 1), 0 for negative n. exact=True is not supported."""
    if exact:
        raise NotImplementedError("factorial with exact=True is not supported: arrays hold no large integers.")
    n = _float_array("factorial", n)
    return jnp.where(n < 0, 0, lax.exp(lax.lgamma(n + 1)))


def comb(N: Any, k: Any, *, repetition: bool = False) -> Array:
    """In how many ways k of N things can be chosen, each once or, with `repetition`, several times."""
    N, k = _float_arrays("comb", N, k)
    if repetition:
        return jnp.where((k == 0) & (N >= 0), 1.0, comb(N + k - 1, k))
    possible = (k <= N) & (N >= 0) & (k >= 0)
    N, k = jnp.where(possible, N, 0.0), jnp.where(possible, k, 0.0)
    ways = lax.exp(gammaln(N + 1) - gammaln(k + 1) - gammaln(N + 1 - k))
    return jnp.where(possible, ways, 0.0)


def multigammaln(a: Any, d: Any) -> Array:
    """The logarithm of the multivariate gamma function of dimension d, an integer."""
    d = operator.index(require_known(d, "the d argument of multigammaln"))
    a, dimension = _float_arrays("multigammaln", a, d)
    constant = lax.mul(
        lax.mul(lax.mul(like(a, 0.25), dimension), lax.sub(dimension, like(a, 1))), lax.log(like(a, np.pi))
    )
    halves = lax.div(jnp.arange(d, dtype=dtypes.dtype(dimension)), like(a, 2))
    terms = jnp.expand_dims(a, axis=-1) - jnp.expand_dims(halves, axis=tuple(range(np.ndim(a))))
    return jnp.sum(gammaln(terms), axis=-1) + constant


# ----------------------------------------------------------------- power transformations


def boxcox(x: Any, lmbda: Any) -> Array:
    """(x**lmbda - 1) / lmbda, and its limit log(x) for lmbda = 0."""
    x, lmbda = _float_arrays("boxcox", x, lmbda)
    return _boxcox(jnp.log, x, lmbda)


def boxcox1p(x: Any, lmbda: Any) -> Array:
    """boxcox(1 + x, lmbda), accurate for small x."""
    x, lmbda = _float_arrays("boxcox1p", x, lmbda)
    return _boxcox(jnp.log1p, x, lmbda)


def _boxcox(log: Callable[[Any], Array], x: Array, lmbda: Array) -> Array:
    is_zero = lmbda == 0
    safe = jnp.where(is_zero, jnp.ones_like(lmbda), lmbda)
    log_x = log(x)
    return jnp.where(is_zero, log_x, jnp.expm1(safe * log_x) / safe)
