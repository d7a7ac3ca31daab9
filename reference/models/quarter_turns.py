"""Learning to see without labels: which way up is an image? (Gidaris et al., 2018)

Who can tell by how many quarter turns a photograph was turned has learnt what things look like. A network
trained so is a backbone for `transfer`.
"""

from collections.abc import Callable
from typing import Any

from ..engines import Array, Engine, Params
from ..losses import softmax_cross_entropy
from ..metrics import Metric, accuracy
from . import Model

__all__ = ["TURNS", "guessed_right", "objective", "turned"]

TURNS = 4


def turned(jax: Engine, images: Array, turns: Array) -> Array:
    """Each image of f[batch, size, size, c] turned by so many quarter turns, i32[batch], against the clock."""
    views = jax.numpy.stack([jax.numpy.rot90(images, k, axes=(1, 2)) for k in range(TURNS)])
    return views[turns, jax.numpy.arange(len(images))]


def objective(model: Model) -> Callable:
    """The cross entropy of the turns of a classifier with four classes; batches (square images, anything).

    Outputs are {"logits": f[batch, 4], "turns": i32[batch]}.
    """

    def loss(
        jax: Engine, params: Params, model_state: Any, batch: Any, key: Array, *, train: bool
    ) -> tuple[Array, tuple[Any, dict[str, Array]]]:
        turns_key, key = jax.random.split(key)
        turns = jax.random.randint(turns_key, (len(batch[0]),), 0, TURNS)
        x = turned(jax, jax.numpy.asarray(batch[0]), turns)
        logits, model_state = model.apply(jax, params, model_state, x, key=key, train=train)
        return softmax_cross_entropy(jax, logits, turns), (model_state, {"logits": logits, "turns": turns})

    return loss


def guessed_right() -> Metric:
    """The share of turns that were guessed, whatever the labels; 1/4 is chance."""
    inner = accuracy()

    def update(jax: Engine, state: Any, outputs: dict[str, Array], labels: Array) -> Any:
        return inner.update(jax, state, outputs["logits"], outputs["turns"])

    return inner._replace(update=update)
