"""jax.scipy.cluster.vq: vector quantisation."""

from __future__ import annotations

from typing import Any

import minijax.numpy as jnp
from minijax.array import Array
from minijax.numpy.promotion import array_of, check_arraylike, promote_dtypes_inexact

__all__ = ["vq"]


def vq(obs: Any, code_book: Any, check_finite: bool = True) -> tuple[Array, Array]:
    """For each observation obs[n, :] the number of the nearest code_book[k, :], and the distance to it.

    Vectors are observations of one number. ValueError for other ranks. check_finite has no effect, as in JAX.
    """
    check_arraylike("vq", obs, code_book)
    obs, code_book = promote_dtypes_inexact(array_of(obs), array_of(code_book))
    if obs.ndim != code_book.ndim or obs.ndim not in (1, 2):
        raise ValueError(
            f"vq: obs and code_book must both be vectors or both be matrices, got shapes {obs.shape} and "
            f"{code_book.shape}."
        )
    if obs.ndim == 1:
        obs, code_book = obs[:, None], code_book[:, None]
    distances = jnp.linalg.norm(obs[:, None] - code_book, axis=-1)
    codes = jnp.argmin(distances, axis=-1)
    return codes, jnp.take_along_axis(distances, codes[:, None], axis=-1)[:, 0]
