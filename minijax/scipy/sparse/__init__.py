"""jax.scipy.sparse."""

from minijax.scipy.sparse import linalg

__all__ = ["linalg"]
