"""Gradient checkpointing: less memory for more arithmetic (see `layers/repeated.py`).

Of a GPT with 4 blocks of 128 features, on 8 texts of 128 characters, JAX keeps 106 MB for the backward pass, 30 MB with
the products and 4 MB with the blocks alone; minijax without jit takes 110, 50 and 25 MB in all. XLA's compiler for the
CPU computes again as it is told, but needs as much memory as before: there it does not pay.
"""

from typing import Any

from ..engines import Array, Engine, Params
from ..layers.repeated import keeping
from ..training import Objective

__all__ = ["KEPT", "NoBlocks", "rematerialized"]

KEPT = {"everything": None, "products": "dots_saveable", "blocks": "nothing_saveable"}
"""what is kept for the backward pass: all of it, of each block the matrix products, or its inputs alone"""


class NoBlocks(ValueError):
    """A model without repeated blocks, of which less could be kept."""


def rematerialized(objective: Objective, kept: str) -> Objective:
    """The objective, of whose repeated blocks only `kept`, a name in KEPT, is kept in training.

    It raises NoBlocks in training where the model has none.
    """
    policy = KEPT[kept]
    if policy is None:
        return objective

    def lean(
        jax: Engine, params: Params, model_state: Any, batch: Any, key: Array, *, train: bool
    ) -> tuple[Array, tuple[Any, Any]]:
        if not train:
            return objective(jax, params, model_state, batch, key, train=False)
        with keeping(policy) as found:
            result = objective(jax, params, model_state, batch, key, train=True)
        if not found.blocks:
            raise NoBlocks("the model has no repeated blocks, of which less could be kept: keep everything")
        return result

    return lean
