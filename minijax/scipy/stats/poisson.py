"""Poisson's distribution of mean `mu`, moved by `loc`."""

from __future__ import annotations

from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array
from minijax.numpy.promotion import like
from minijax.scipy import special
from minijax.scipy.special.operands import float_arrays

__all__ = ["cdf", "entropy", "logpmf", "pmf"]


def logpmf(k: Any, mu: Any, loc: Any = 0) -> Array:
    """The logarithm of the probability of k."""
    k, mu, loc = float_arrays("poisson.logpmf", k, mu, loc)
    x = k - loc
    log_probability = special.xlogy(x, mu) - special.gammaln(x + 1) - mu
    return jnp.where((x < 0) | (jnp.round(k) != k), -np.inf, log_probability)


def pmf(k: Any, mu: Any, loc: Any = 0) -> Array:
    """The probability of k."""
    return lax.exp(logpmf(k, mu, loc))


def cdf(k: Any, mu: Any, loc: Any = 0) -> Array:
    """The probability of values up to k."""
    k, mu, loc = float_arrays("poisson.cdf", k, mu, loc)
    x = k - loc
    return jnp.where(x < 0, like(k, 0), special.gammaincc(jnp.floor(1 + x), mu))


def entropy(mu: Any, loc: Any = 0) -> Array:
    """The entropy of the distribution, -sum of p log(p), in nats."""
    mu, loc = float_arrays("poisson.entropy", mu, loc)
    flat = jnp.ravel(mu)
    # Exact sums over as many k as have any weight, for large means an asymptotic formula.
    small, medium = _summed_entropy(flat, 35, 0), _summed_entropy(flat, 250, 10)
    large = 0.5 * jnp.log(2 * np.pi * np.e * flat) - 1.0 / (12 * flat)
    value = jnp.where(flat < 10, small, jnp.where(flat < 100, medium, large))
    value = jnp.where(flat == 0, jnp.zeros_like(flat), value)
    return jnp.broadcast_to(value.reshape(mu.shape), jnp.broadcast_shapes(mu.shape, loc.shape))


def _summed_entropy(mu: Array, most: int, deviations: int) -> Array:
    k = jnp.arange(most, dtype=mu.dtype)[:, None]
    end = jnp.ceil(mu + deviations * jnp.sqrt(mu) + 20)
    return jnp.sum(special.entr(jnp.where(k < end, pmf(k, mu), 0.0)), axis=0)
