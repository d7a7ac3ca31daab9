"""Random counts: the Poisson, binomial and multinomial distributions.

Few expected events are counted one by one; for many a rejection method draws the count at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax import numpy as jnp
from minijax.array import Array
from minijax.numpy.promotion import array_of, check_arraylike, promote_dtypes_inexact
from minijax.primitives.creation import canonical_shape
from minijax.primitives.prng import random_split
from minijax.random.continuous import Shape, as_dtype, parameter_shape, uniform_in
from minijax.random.keys import check_key, check_sharding, sample_dtype, split_in_two, used_once_more

_SINGLE = np.dtype(np.float32)


def _reject(key: Array, shape: Shape, dtype: np.dtype, most: Any, draw: Callable[..., tuple[Array, Array]]) -> Array:
    """k of the first accepted draw for each element: k, accept = draw(key, key) of two fresh keys at a time.

    -1 where none of `most` draws was accepted.
    """

    def body(state: Any) -> Any:
        i, out, accepted, key = state
        key, first, second = random_split(key, (3,))
        k, accept = draw(uniform_in(first, shape, dtype), uniform_in(second, shape, dtype))
        return i + 1, lax.select(accept, k, out), accepted | accept, key

    def going_on(state: Any) -> Array:
        i, _, accepted, _ = state
        return jnp.any(~accepted) & (i < most)

    start = (0, jnp.full(shape, -1, dtype), jnp.full(shape, False, bool), key)
    return lax.while_loop(going_on, body, start)[1]


# ----------------------------------------------------------------- poisson


def poisson(key: Any, lam: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Array:
    """Integers from the Poisson distribution of mean `lam`, which broadcasts to `shape`. Computed in float32."""
    key, _ = check_key("poisson", key)
    dtype = dtypes.check_and_canonicalize_user_dtype(int if dtype is None else dtype, "poisson")
    check_sharding("poisson", out_sharding)
    shape = np.shape(lam) if shape is None else canonical_shape(shape)
    lam = as_dtype(_SINGLE, jnp.broadcast_to(lam, shape))
    few = jnp.isnan(lam) | (lam < 10)
    most = int(dtypes.iinfo(dtype).max)
    counted = _poisson_by_counting(key, lax.select(few, lam, jnp.zeros_like(lam)), dtype, most)
    drawn = _poisson_by_rejection(used_once_more(key), lax.select(few, jnp.full_like(lam, 1e5), lam), dtype, most)
    result = lax.select(few, counted, drawn)
    return lax.select(lam == 0, jnp.zeros_like(result), result)


def _poisson_by_counting(key: Array, lam: Array, dtype: np.dtype, most: int) -> Array:
    """How many exponential waiting times fit into `lam` (Knuth, The Art of Computer Programming, 3.4.1)."""

    def body(state: Any) -> Any:
        i, k, key, log_product = state
        key, subkey = split_in_two(key)
        k = lax.select(log_product > -lam, k + 1, k)
        return i + 1, k, key, log_product + jnp.log(uniform_in(subkey, lam.shape, _SINGLE))

    def going_on(state: Any) -> Array:
        i, _, _, log_product = state
        return jnp.any(log_product > -lam) & (i < most)

    start = (0, jnp.zeros(lam.shape, dtype), key, jnp.zeros(lam.shape, _SINGLE))
    return (lax.while_loop(going_on, body, start)[1] - 1).astype(dtype)


def _poisson_by_rejection(key: Array, lam: Array, dtype: np.dtype, most: int) -> Array:
    """Hoermann, "The transformed rejection method for generating Poisson random variables" (1993)."""
    log_lam = lax.log(lam)
    b = 0.931 + 2.53 * lax.sqrt(lam)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    quick = 0.9277 - 3.6224 / (b - 2)

    def draw(u: Array, v: Array) -> tuple[Array, Array]:
        u = u - 0.5
        edge = 0.5 - abs(u)
        k = lax.floor((2 * a / edge + b) * u + lam + 0.43)
        log_height = lax.log(v * inverse_alpha / (a / (edge * edge) + b))
        log_probability = -lam + k * log_lam - lax.lgamma(k + 1)
        impossible = (k < 0) | (edge < 0.013) & (v > edge)
        return k, (edge >= 0.07) & (v <= quick) | ~impossible & (log_height <= log_probability)

    return _reject(key, lam.shape, lam.dtype, most, draw).astype(dtype)


# ----------------------------------------------------------------- binomial


def binomial(key: Any, n: Any, p: Any, shape: Any = None, dtype: Any = None) -> Array:
    """How many of `n` trials succeed, each with probability `p`; floats. NaN for negative n and p, and for NaN."""
    key, _ = check_key("binomial", key)
    check_arraylike("binomial", n, p)
    dtype = sample_dtype("binomial", dtype, float, "f")
    shape = parameter_shape("binomial", shape, n, p)
    (p,) = promote_dtypes_inexact(array_of(p))
    n, p = jnp.broadcast_to(as_dtype(p.dtype, n), shape), jnp.broadcast_to(p, shape)

    # The rarer outcome is counted.
    rare = p < 0.5
    q = lax.select(rare, p, 1.0 - p)
    bad_n, endless, nan_q, negative_q = jnp.isnan(n) | (n < 0.0), jnp.isinf(n), jnp.isnan(q), q < 0.0
    q = lax.select(nan_q | negative_q, lax.full_like(q, 0.01), q)
    few = bad_n | (n * q <= 10.0)
    n = jnp.floor(n)
    most = dtype.type(dtypes.finfo(dtype).max)
    counted = _binomial_by_counting(key, lax.select(few, n, lax.full_like(n, 0.0)), q, dtype, most)
    many, half = lax.select(few, lax.full_like(n, 1e4), n), lax.select(few, lax.full_like(q, 0.5), q)
    out = lax.select(few, counted, _binomial_by_rejection(used_once_more(key), many, half, dtype, most))

    invalid = negative_q | nan_q | bad_n
    out = lax.select(invalid, jnp.full_like(out, np.nan), out)
    out = lax.select(endless & ~invalid, jnp.full_like(out, np.inf), out)
    return lax.select(rare | bad_n | nan_q | endless, out, n.astype(dtype) - out)


def _binomial_by_counting(key: Array, n: Array, p: Array, dtype: np.dtype, most: Any) -> Array:
    """How many waiting times, geometrically distributed, fit into n (Devroye, 1986, X.4.3)."""
    log_failure = jnp.log1p(-p)

    def body(state: Any) -> Any:
        i, count, total, key = state
        subkey, key = split_in_two(key)
        count = lax.select(total <= n, count + 1, count)
        waiting = jnp.ceil(jnp.log(uniform_in(subkey, p.shape, p.dtype)) / log_failure)
        return i + 1, count, total + waiting, key

    def going_on(state: Any) -> Array:
        i, _, total, _ = state
        return jnp.any(total <= n) & (i < most)

    start = (0, jnp.zeros_like(p), jnp.zeros_like(p), key)
    return (lax.while_loop(going_on, body, start)[1] - 1).astype(dtype)


def _binomial_by_rejection(key: Array, n: Array, p: Array, dtype: np.dtype, most: Any) -> Array:
    """Hoermann, "The generation of binomial random variates" (1993), algorithm BTRS."""
    deviation = jnp.sqrt(n * p * (1 - p))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * p
    c = n * p + 0.5
    quick = 0.92 - 4.2 / b
    r = p / (1 - p)
    alpha = (2.83 + 5.1 / b) * deviation
    mode = jnp.floor((n + 1) * p)

    def draw(u: Array, v: Array) -> tuple[Array, Array]:
        u = u - 0.5
        edge = 0.5 - jnp.abs(u)
        k = jnp.floor((2 * a / edge + b) * u + c)
        height = jnp.log(v * alpha / (a / (edge * edge) + b))
        bound = (
            (mode + 0.5) * jnp.log((mode + 1) / (r * (n - mode + 1)))
            + (n + 1) * jnp.log((n - mode + 1) / (n - k + 1))
            + (k + 0.5) * jnp.log(r * (n - k + 1) / (k + 1))
            + _stirling_tail(mode)
            + _stirling_tail(n - mode)
            - _stirling_tail(k)
            - _stirling_tail(n - k)
        )
        possible = ~((k < 0) | (k > n))
        return k, (edge >= 0.07) & (v <= quick) | possible & (height <= bound)

    return _reject(key, p.shape, p.dtype, most, draw).astype(dtype)


# log(k!) less Stirling's approximation of it, for k = 0, 1, ..., 9.
_TAILS = (
    0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.02079067210376509, 0.0166446911898211,
    0.0138761288230707, 0.0118967099458917, 0.010411265261972, 0.00925546218271273, 0.00833056343336287,
)  # fmt: skip


def _stirling_tail(k: Array) -> Array:
    small = k <= 9
    k = jnp.clip(k, 0.0, 9.0)
    square = (k + 1) * (k + 1)
    series = (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1)
    return lax.select(small, jnp.asarray(_TAILS, k.dtype)[jnp.floor(k).astype("int32")], series)


# ----------------------------------------------------------------- multinomial


def multinomial(key: Any, n: Any, p: Any, *, shape: Any = None, dtype: Any = None, unroll: int | bool = 1) -> Array:
    """How often each of the categories occurs in `n` draws; p[..., :] are their probabilities, n[...] the counts.

    The categories are drawn one after the other, each from the draws that remain (a scan, with its `unroll`).
    """
    key, _ = check_key("multinomial", key)
    check_arraylike("multinomial", n, p)
    n, p = promote_dtypes_inexact(array_of(n), array_of(p))
    shape = p.shape if shape is None else canonical_shape(shape)
    n, p = jnp.broadcast_to(n, shape[:-1]), jnp.broadcast_to(p, shape)
    p = jnp.moveaxis(p, -1, 0)
    remaining = lax.cumsum(p, 0, reverse=True)
    ratios = p / jnp.where(remaining == 0, 1, remaining)

    def step(left: Array, category: Any) -> tuple[Array, Array]:
        ratio, key = category
        count = binomial(key, left, jnp.clip(ratio, 0, 1), dtype=left.dtype)
        return left - count, count

    _, counts = lax.scan(step, n, (ratios, random_split(key, (ratios.shape[0],))), unroll=unroll)
    return jnp.moveaxis(counts, 0, -1).astype(dtype)
