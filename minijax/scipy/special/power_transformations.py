"""Box and Cox's power transformations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import minijax.numpy as jnp
from minijax.array import Array
from minijax.scipy.special.operands import float_arrays

__all__ = ["boxcox", "boxcox1p"]


def boxcox(x: Any, lmbda: Any) -> Array:
    """(x**lmbda - 1) / lmbda, and its limit log(x) for lmbda = 0."""
    x, lmbda = float_arrays("boxcox", x, lmbda)
    return _boxcox(jnp.log, x, lmbda)


def boxcox1p(x: Any, lmbda: Any) -> Array:
    """boxcox(1 + x, lmbda), accurate for small x."""
    x, lmbda = float_arrays("boxcox1p", x, lmbda)
    return _boxcox(jnp.log1p, x, lmbda)


def _boxcox(log: Callable[[Any], Array], x: Array, lmbda: Array) -> Array:
    is_zero = lmbda == 0
    safe = jnp.where(is_zero, jnp.ones_like(lmbda), lmbda)
    log_x = log(x)
    return jnp.where(is_zero, log_x, jnp.expm1(safe * log_x) / safe)
