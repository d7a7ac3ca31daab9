"""Transfer learning: what a network has learnt to see on one task, with a new classifier for another one.

The parameters are {"features", "head"}; LABELS says which of them are trained, and `trained_head` makes an
optimiser of that: the backbone stays what it was.
"""

from typing import Any

from ..engines import Array, Engine, Params
from ..layers import dense
from ..optimizers import Optimizer, freeze, multi_transform
from . import Model, resnet

__all__ = ["LABELS", "trained_head", "transfer"]

LABELS = {"features": "frozen", "head": "trained"}


def trained_head(optimizer: Optimizer) -> Optimizer:
    """`optimizer` for the new head, and no change of the backbone, which is "features"."""
    return multi_transform({"frozen": freeze(), "trained": optimizer}, LABELS)


def transfer(
    channels: int,
    classes: int,
    layout: resnet.Layout,
    *,
    pretrained: tuple[Params, Any] | None = None,
    frozen: bool = True,
) -> Model:
    """A residual network with a new head for so many classes.

    `pretrained` are parameters and state of a trained `resnet.resnet` of that layout; where they are None the
    backbone is drawn at random, to be overwritten by a checkpoint. A `frozen` one goes by its running averages in
    training too; otherwise the whole is fine-tuned.
    """

    def init(jax: Engine, key: Array) -> tuple[Params, Any]:
        backbone_key, head_key = jax.random.split(key)
        if pretrained is None:
            backbone, state = resnet.init_features(jax, backbone_key, channels, layout)
        else:
            # copies: a training step that donates its state may not take away what is shared
            backbone, state = jax.tree.map(jax.numpy.array, (pretrained[0]["features"], pretrained[1]))
        return {"features": backbone, "head": dense.init(jax, head_key, layout.outputs, classes)}, state

    def apply(
        jax: Engine, params: Params, state: Any, x: Array, *, key: Array | None, train: bool
    ) -> tuple[Array, Any]:
        seen, following = resnet.features(jax, params["features"], state, x, layout, train=train and not frozen)
        return dense.apply(jax, params["head"], seen), state if frozen else following

    kind = "new head on" if frozen else "fine-tuned"
    return Model(f"{kind} resnet-{layout.depth} of width {layout.width}", init, apply)
