"""The normal distribution of vectors with means `mean` and covariances `cov`."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array
from minijax.numpy.promotion import ensure_arraylike, promote_dtypes_inexact

__all__ = ["logpdf", "pdf"]


def logpdf(x: Any, mean: Any, cov: Any, allow_singular: None = None) -> Array:
    """The logarithm of the density at x[..., :]; cov[..., :, :], or a number for independent entries.

    Numbers all three are one variable with its variance. ValueError for shapes that do not fit.
    """
    if allow_singular is not None:
        raise NotImplementedError("multivariate_normal: allow_singular is not supported; cov must be regular.")
    x, mean, cov = promote_dtypes_inexact(*ensure_arraylike("multivariate_normal.logpdf", x, mean, cov))
    if not mean.shape:
        return -1 / 2 * jnp.square(x - mean) / cov - 1 / 2 * (jnp.log(2 * np.pi) + jnp.log(cov))
    n = mean.shape[-1]
    y = x - mean
    if not cov.shape:
        return -1 / 2 * jnp.sum(y * y, -1) / cov - n / 2 * (jnp.log(2 * np.pi) + jnp.log(cov))
    if cov.ndim < 2 or cov.shape[-2:] != (n, n):
        raise ValueError(
            f"multivariate_normal: cov must have the shape (..., {n}, {n}) for a mean of shape {mean.shape}, "
            f"got {cov.shape}."
        )
    factor = lax.linalg.cholesky(cov)
    solve = partial(lax.linalg.triangular_solve, lower=True, transpose_a=True)
    z = jnp.vectorize(solve, signature="(n,n),(n)->(n)")(factor, y)
    log_volume = jnp.log(factor.diagonal(axis1=-1, axis2=-2)).sum(-1)
    return -1 / 2 * jnp.sum(z * z, -1) - n / 2 * jnp.log(2 * np.pi) - log_volume


def pdf(x: Any, mean: Any, cov: Any) -> Array:
    """The density at x[..., :]."""
    return lax.exp(logpdf(x, mean, cov))
