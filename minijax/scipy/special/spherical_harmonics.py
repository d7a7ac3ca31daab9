"""Spherical harmonics."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array
from minijax.numpy.axes import require_known

__all__ = ["sph_harm_y"]


def sph_harm_y(n: Any, m: Any, theta: Any, phi: Any, diff_n: int | None = None, n_max: int | None = None) -> Array:
    """The spherical harmonic of degree n and order m at polar angle theta and azimuth phi, complex.

    All are vectors of one length. n_max, the largest degree, must be given where n is traced. Derivatives
    (diff_n) are not supported.
    """
    if diff_n is not None:
        raise NotImplementedError("sph_harm_y: diff_n is not supported; use jax.jvp for derivatives.")
    if jnp.isscalar(theta):
        theta = jnp.array([theta])
    if n_max is None:
        n_max = np.max(np.asarray(require_known(n, "the argument n of sph_harm_y; give n_max to trace it")))
    largest = int(require_known(n_max, "the argument n_max of sph_harm_y"))

    legendre = _normalised_legendre(largest, jnp.cos(theta))
    size = jnp.abs(m)
    values = legendre.at[size, n, jnp.arange(len(n))].get(mode="clip")
    angle = size * phi
    harmonics = lax.complex(values * jnp.cos(angle), values * jnp.sin(angle))
    return jnp.where(m < 0, (-1.0) ** size * jnp.conjugate(harmonics), harmonics)


def _normalised_legendre(largest: int, x: Array) -> Array:
    """The associated Legendre functions of all orders and degrees up to `largest`, normalised on the sphere.

    Axes: order, degree, place. From the diagonal (order = degree) upwards by the recurrence in the degree
    (Numerical Recipes, 3rd edition, 6.7).
    """
    sine = jnp.sqrt(1.0 - x * x)
    rows, diagonal = [], jnp.full_like(x, 0.5 / math.sqrt(math.pi))
    for m in range(largest + 1):
        if m:
            diagonal = diagonal * sine * -math.sqrt(1.0 + 0.5 / m)
        row, below, here = [jnp.zeros_like(x)] * m, jnp.zeros_like(x), diagonal
        for degree in range(m, largest + 1):
            if degree > m:
                below, here = here, _next_degree(m, degree, x, here, below)
            row.append(here)
        rows.append(jnp.stack(row))
    return jnp.stack(rows)


def _next_degree(m: int, degree: int, x: Array, here: Array, below: Array) -> Array:
    square = degree * degree - m * m
    first = math.sqrt((4.0 * degree * degree - 1.0) / square)
    if degree == m + 1:
        return first * x * here
    second = math.sqrt((2.0 * degree + 1.0) * ((degree - 1.0) ** 2 - m * m) / ((2.0 * degree - 3.0) * square))
    return first * x * here - second * below
