"""jax.scipy.integrate: the trapezoidal rule."""

from __future__ import annotations

from typing import Any

import minijax.numpy as jnp
from minijax.array import Array

__all__ = ["trapezoid"]


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Array:
    """The integral along an axis of y, given at places x (or dx apart), by the trapezoidal rule."""
    return jnp.trapezoid(y, x, dx, axis)
