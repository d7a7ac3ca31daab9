"""Von Mises' distribution of an angle, concentrated about 0. NaN unless kappa > 0."""

from __future__ import annotations

from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array
from minijax.scipy.special.operands import float_arrays

__all__ = ["logpdf", "pdf"]


def logpdf(x: Any, kappa: Any) -> Array:
    """The logarithm of the density at x."""
    x, kappa = float_arrays("vonmises.logpdf", x, kappa)
    log_density = kappa * (jnp.cos(x) - 1) - jnp.log(2 * np.pi * lax.bessel_i0e(kappa))
    return jnp.where(kappa > 0, log_density, np.nan)


def pdf(x: Any, kappa: Any) -> Array:
    """The density at x."""
    return lax.exp(logpdf(x, kappa))
