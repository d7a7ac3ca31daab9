"""Random vectors and matrices: correlated normal vectors, orthogonal matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minijax import lax
from minijax import numpy as jnp
from minijax.array import Array
from minijax.numpy.axes import static_int
from minijax.numpy.promotion import array_of, promote_dtypes_inexact
from minijax.primitives.creation import canonical_shape
from minijax.random.continuous import check_shape, normal
from minijax.random.keys import check_key, check_sharding, sample_arguments, sample_dtype


def multivariate_normal(
    key: Any,
    mean: Any,
    cov: Any,
    shape: Any = None,
    dtype: Any = None,
    method: str = "cholesky",
    *,
    out_sharding: Any = None,
) -> Array:
    """Vectors from the normal distribution with means mean[..., :] and covariances cov[..., :, :].

    `shape` is that of the batch of vectors. method: how the covariance is factored, 'cholesky', 'eigh' or 'svd',
    of which the first is the quickest and the others take singular matrices too.
    """
    key, _ = check_key("multivariate_normal", key)
    mean, cov = promote_dtypes_inexact(array_of(mean), array_of(cov))
    if method not in ("svd", "eigh", "cholesky"):
        raise ValueError(f"multivariate_normal: method must be 'svd', 'eigh' or 'cholesky', got {method!r}.")
    dtype = sample_dtype("multivariate_normal", mean.dtype if dtype is None else dtype, None, "f")
    check_sharding("multivariate_normal", out_sharding)
    if mean.ndim < 1 or cov.ndim < 2 or cov.shape[-2:] != (mean.shape[-1],) * 2:
        raise ValueError(
            f"multivariate_normal: mean must have a shape (..., n) and cov (..., n, n), got {mean.shape} and "
            f"{cov.shape}."
        )
    if shape is None:
        shape = lax.broadcast_shapes(mean.shape[:-1], cov.shape[:-2])
    shape = canonical_shape(shape)
    check_shape("multivariate_normal", shape, mean.shape[:-1], cov.shape[:-2])
    samples = normal(key, (*shape, mean.shape[-1]), dtype)
    return mean + jnp.einsum("...ij,...j->...i", _factor(cov, method), samples)


def _factor(cov: Array, method: str) -> Array:
    """A matrix whose product with its transpose is `cov`."""
    if method == "cholesky":
        return jnp.linalg.cholesky(cov)
    if method == "eigh":
        values, vectors = jnp.linalg.eigh(cov)
    else:
        vectors, values, _ = jnp.linalg.svd(cov)
    return vectors * jnp.sqrt(values[..., None, :])


def orthogonal(
    key: Any,
    n: int,
    shape: Sequence[int] = (),
    dtype: Any = None,
    m: int | None = None,
    *,
    out_sharding: Any = None,
) -> Array:
    """Orthogonal matrices, n by n, or n by m with orthonormal rows or columns; shape is that of the batch.

    Uniformly distributed: the factor Q of a normal matrix, whose signs make R's diagonal positive (Mezzadri, 2007).
    """
    key, shape, dtype = sample_arguments("orthogonal", key, shape, dtype, out_sharding, "fc")
    n = static_int(n, "the argument n of jax.random.orthogonal")
    m = n if m is None else static_int(m, "the argument m of jax.random.orthogonal")
    q, r = jnp.linalg.qr(normal(key, (*shape, max(n, m), min(n, m)), dtype))
    q = q * jnp.expand_dims(jnp.sign(jnp.linalg.diagonal(r)), -2)
    return jnp.matrix_transpose(q) if n < m else q
