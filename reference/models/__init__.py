"""Models: each a module with `init(jax, key, ...)`, which draws parameters, and `apply(jax, params, x)`."""

from collections.abc import Callable
from typing import NamedTuple

from ..engines import Array, Engine, Params

__all__ = ["Model"]


class Model(NamedTuple):
    """A model with its sizes filled in: what a training step needs to know of it."""

    name: str
    init: Callable[[Engine, Array], Params]
    """(jax, key) -> params"""
    apply: Callable[[Engine, Params, Array], Array]
    """(jax, params, x) -> outputs"""
