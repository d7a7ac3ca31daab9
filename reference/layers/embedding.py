"""The embedding: a row of numbers for each token."""

from ..engines import Array, Engine, Params
from .initializers import Initializer, normal

__all__ = ["apply", "init"]

_small = normal(0.05)


def init(jax: Engine, key: Array, tokens: int, features: int, *, initializer: Initializer = _small) -> Params:
    """{"w": f[tokens, features]}, small normal numbers where nothing else is said."""
    return {"w": initializer(jax, key, (tokens, features))}


def apply(jax: Engine, params: Params, tokens: Array) -> Array:
    """f[..., features] from i32[...]."""
    return params["w"][tokens]
