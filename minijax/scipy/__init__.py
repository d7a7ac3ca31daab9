"""jax.scipy: so far special functions."""

from minijax.scipy import special

__all__ = ["special"]
