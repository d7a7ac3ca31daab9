"""Gradient checkpointing: less memory for more arithmetic.

The backward pass needs what the forward pass computed. Here it is computed a second time instead of being kept.
"""

from typing import Any

from ..engines import Array, Engine, Params
from ..training import Objective

__all__ = ["KEPT", "rematerialized"]

KEPT = {"everything": None, "products": "dots_saveable", "nothing": "nothing_saveable"}
"""what is kept for the backward pass: all of it, the results of matrix products, or the parameters alone"""


def rematerialized(objective: Objective, kept: str) -> Objective:
    """The objective, of whose forward pass in training only `kept`, a name in KEPT, is kept."""
    policy = KEPT[kept]
    if policy is None:
        return objective

    def lean(
        jax: Engine, params: Params, model_state: Any, batch: Any, key: Array, *, train: bool
    ) -> tuple[Array, tuple[Any, Any]]:
        if not train:
            return objective(jax, params, model_state, batch, key, train=False)

        def forward(params: Params, model_state: Any, batch: Any, key: Array) -> tuple[Array, tuple[Any, Any]]:
            return objective(jax, params, model_state, batch, key, train=True)

        keep = getattr(jax.checkpoint_policies, policy)
        return jax.checkpoint(forward, policy=keep)(params, model_state, batch, key)

    return lean
