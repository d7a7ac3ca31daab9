"""The Dirichlet distribution of probability vectors, with the concentrations `alpha`."""

from __future__ import annotations

from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array
from minijax.numpy.promotion import ensure_arraylike, like, promote_dtypes_inexact
from minijax.scipy import special

__all__ = ["logpdf", "pdf"]


def logpdf(x: Any, alpha: Any) -> Array:
    """The logarithm of the density at x[:, ...], whose last entry may be left out. -inf unless they add up to 1."""
    x, alpha = promote_dtypes_inexact(*ensure_arraylike("dirichlet.logpdf", x, alpha))
    if alpha.ndim != 1 or x.shape[0] not in (alpha.shape[0], alpha.shape[0] - 1):
        raise ValueError(
            f"dirichlet: alpha must be a vector and x have as many entries along its first axis, or one fewer; got "
            f"alpha of shape {alpha.shape} and x of shape {x.shape}."
        )
    if x.shape[0] != alpha.shape[0]:
        x = jnp.concatenate([x, like(x, 1) - x.sum(0, keepdims=True)], axis=0)
    log_normalizer = jnp.sum(special.gammaln(alpha)) - special.gammaln(jnp.sum(alpha))
    alpha = jnp.expand_dims(alpha, range(1, x.ndim))
    log_density = jnp.sum(special.xlogy(alpha - like(x, 1), x), axis=0) - log_normalizer
    is_distribution = jnp.all(x > 0, axis=0) & (abs(jnp.sum(x, axis=0) - 1) < 1e-6)
    return jnp.where(is_distribution, log_density, -np.inf)


def pdf(x: Any, alpha: Any) -> Array:
    """The density at x."""
    return lax.exp(logpdf(x, alpha))
