"""Random floats of the gamma distribution and of those that are made of it.

Arguments that all of them have: see `minijax.random.continuous`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import lax, nn
from minijax import numpy as jnp
from minijax.array import Array
from minijax.numpy.axes import static_int
from minijax.numpy.promotion import array_of, check_arraylike
from minijax.primitives.creation import canonical_shape
from minijax.primitives.random_gamma import random_gamma
from minijax.random.continuous import (
    Shape,
    as_dtype,
    check_safe_cast,
    check_shape,
    exponential,
    normal,
    parameter_shape,
)
from minijax.random.discrete import rademacher
from minijax.random.keys import sample_arguments, split_in_two

# ----------------------------------------------------------------- gamma


def gamma(key: Any, a: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Array:
    """Floats from the gamma distribution of shape `a` and scale 1.

    Differentiable with respect to `a`. The same as JAX's but for 1 in 1,000 at most: where an error of rounding
    decides about a rejection the draws differ.
    """
    return _gamma("gamma", key, a, shape, dtype, out_sharding, log_space=False)


def loggamma(key: Any, a: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Array:
    """Logarithms of floats from the gamma distribution, which for small `a` would be 0 themselves."""
    return _gamma("loggamma", key, a, shape, dtype, out_sharding, log_space=True)


def _gamma(name: str, key: Any, a: Any, shape: Any, dtype: Any, sharding: Any, log_space: bool) -> Array:
    check_arraylike(name, a)
    shape = np.shape(a) if shape is None else parameter_shape(name, shape, a)
    key, shape, dtype = sample_arguments(name, key, shape, dtype, sharding)
    return _gamma_of(key, as_dtype(dtype, a), shape, log_space)


def _gamma_of(key: Array, a: Array, shape: Shape, log_space: bool) -> Array:
    """The samples, for arguments that were checked and a parameter of the samples' dtype."""
    return random_gamma(key, a if a.shape == shape else jnp.broadcast_to(a, shape), log_space)


# ----------------------------------------------------------------- ratios of gamma variables


def beta(key: Any, a: Any, b: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Array:
    """Floats from the beta distribution of shapes `a` and `b`."""
    key, shape, dtype = _arguments("beta", key, shape, dtype, out_sharding, a, b)
    first, second = split_in_two(key)
    log_a = _gamma_of(first, as_dtype(dtype, a), shape, True)
    log_b = _gamma_of(second, as_dtype(dtype, b), shape, True)
    largest = lax.max(log_a, log_b)
    scaled_a, scaled_b = jnp.exp(log_a - largest), jnp.exp(log_b - largest)
    return scaled_a / (scaled_a + scaled_b)


def _arguments(
    name: str, key: Any, shape: Any, dtype: Any, sharding: Any, *parameters: Any
) -> tuple[Array, Shape, np.dtype]:
    """Typed key, shape and dtype, checked together with the parameters."""
    check_arraylike(name, *parameters)
    key, _, dtype = sample_arguments(name, key, (), dtype, sharding)
    shape = parameter_shape(name, shape, *parameters)
    check_safe_cast(name, dtype, *parameters)
    return key, shape, dtype


def dirichlet(key: Any, alpha: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Array:
    """Probability vectors from the Dirichlet distribution with the concentrations alpha[..., :].

    `shape` is that of the batch of vectors. ValueError for a scalar alpha.
    """
    check_arraylike("dirichlet", alpha)
    if np.ndim(alpha) < 1:
        raise ValueError(f"dirichlet: alpha must have at least one axis, got shape {np.shape(alpha)}.")
    *batch, length = np.shape(alpha)
    key, _, dtype = sample_arguments("dirichlet", key, (), dtype, out_sharding)
    if shape is None:
        shape = tuple(batch)
    shape = canonical_shape(shape)
    check_shape("dirichlet", shape, tuple(batch))
    return nn.softmax(_gamma_of(key, as_dtype(dtype, alpha), (*shape, length), True), -1)


def chisquare(key: Any, df: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Array:
    """Floats from the chi-square distribution with `df` degrees of freedom."""
    key, shape, dtype = _arguments("chisquare", key, shape, dtype, out_sharding, df)
    return _chisquare(key, as_dtype(dtype, df), shape)


def _chisquare(key: Array, df: Array, shape: Shape) -> Array:
    two = df.dtype.type(2)
    return lax.mul(jnp.exp(_gamma_of(key, lax.div(df, two), shape, True)), two)


def f(
    key: Any,
    dfnum: Any,
    dfden: Any,
    shape: Any = None,
    dtype: Any = None,
    *,
    out_sharding: Any = None,
) -> Array:
    """Floats from the F distribution with dfnum and dfden degrees of freedom."""
    key, shape, dtype = _arguments("f", key, shape, dtype, out_sharding, dfnum, dfden)
    below, above = split_in_two(key)
    dfnum, dfden = as_dtype(dtype, dfnum), as_dtype(dtype, dfden)
    return jnp.divide(_chisquare(above, dfnum, shape) / dfnum, _chisquare(below, dfden, shape) / dfden)


def t(key: Any, df: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Array:
    """Floats from Student's t distribution with `df` degrees of freedom."""
    key, shape, dtype = _arguments("t", key, shape, dtype, out_sharding, df)
    first, second = split_in_two(key)
    n = normal(first, shape, dtype)
    half_df = lax.div(as_dtype(dtype, df), dtype.type(2))
    return n * jnp.sqrt(half_df / _gamma_of(second, half_df, shape, False))


# ----------------------------------------------------------------- generalized_normal, ball


def generalized_normal(
    key: Any, p: float, shape: Sequence[int] = (), dtype: Any = None, *, out_sharding: Any = None
) -> Array:
    """Floats from the generalised normal distribution, of density proportional to exp(-|x|**p)."""
    key, shape, dtype = sample_arguments("generalized_normal", key, shape, dtype, out_sharding)
    check_arraylike("generalized_normal", p)
    return _generalized_normal(key, p, shape, dtype)


def _generalized_normal(key: Array, p: Any, shape: Shape, dtype: np.dtype) -> Array:
    first, second = split_in_two(key)
    p = array_of(p)
    size = gamma(first, 1 / p, shape, dtype)
    return rademacher(second, shape, dtype) * size ** (1 / p)


def ball(
    key: Any,
    d: int,
    p: float = 2,
    shape: Sequence[int] = (),
    dtype: Any = None,
    *,
    out_sharding: Any = None,
) -> Array:
    """Points of the unit ball of the p-norm in d dimensions, uniformly distributed; shape is that of the batch."""
    key, shape, dtype = sample_arguments("ball", key, shape, dtype, out_sharding)
    d = static_int(d, "the argument d of jax.random.ball")
    check_arraylike("ball", p)
    first, second = split_in_two(key)
    p = array_of(p)
    directions = _generalized_normal(first, p, (*shape, d), dtype)
    e = exponential(second, shape, dtype)
    return directions / ((jnp.sum(jnp.abs(directions) ** p, -1) + e) ** (1 / p))[..., None]
