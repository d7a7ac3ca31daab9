"""Models: each a module with plain functions `init` and `apply`, and one that gives a `Model` with its sizes."""

from collections.abc import Callable
from typing import Any, NamedTuple

from ..engines import Array, Engine, Params

__all__ = ["Model", "stateless"]


class Model(NamedTuple):
    """A model with its sizes filled in: what a training step needs to know of it."""

    name: str
    init: Callable[[Engine, Array], tuple[Params, Any]]
    """(jax, key) -> (params, state); the state is what changes without a gradient, () where nothing does"""
    apply: Callable[..., tuple[Any, Any]]
    """(jax, params, state, x, *, key, train) -> (outputs, state); `key` may be None when `train` is False"""


def stateless(
    name: str, init: Callable[[Engine, Array], Params], apply: Callable[[Engine, Params, Array], Any]
) -> Model:
    """The model of a plain `init(jax, key) -> params` and `apply(jax, params, x) -> outputs`."""

    def lifted(jax: Engine, params: Params, state: Any, x: Array, *, key: Array | None, train: bool) -> tuple[Any, Any]:
        return apply(jax, params, x), state

    return Model(name, lambda jax, key: (init(jax, key), ()), lifted)
