"""The end of a training whose numbers are no longer finite, told so that one knows where to look."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engines import Engine
from .checkpoints import named_leaves
from .state import TrainState

__all__ = ["TrainingDiverged", "diverged"]

ADVICE = """\
What usually helps: a lower learning rate or a warm-up (--schedule warmup-cosine), gradients clipped by their norm
(reference.optimizers.clip_by_global_norm), inputs between -1 and 1. Where the first NaN comes from is found
with jax.config.update("jax_debug_nans", True), which stops at the operation that makes it. A loss of NaN with finite
gradients may be one of labels that are none of the classes, which count from 0."""


class TrainingDiverged(RuntimeError):
    """The loss or a gradient is NaN or infinite."""

    def __init__(self, message: str, step: int, loss: float, gradients: list[str], parameters: list[str]) -> None:
        super().__init__(message)
        self.step = step
        """the update that must not have been made, from 1 on"""
        self.loss = loss
        self.gradients = gradients
        """paths of the parameters whose gradients in that step are not finite"""
        self.parameters = parameters
        """paths of the parameters that are not finite now"""


def diverged(
    jax: Engine, state: TrainState, batch: Any, *, step: int, epoch: int, loss: float, finite: Sequence[bool]
) -> TrainingDiverged:
    """The error for a step that gave this loss and these flags, one for each gradient; `batch` is what it was given."""
    leaves = named_leaves(jax, state.params)
    gradients = [name for name, good in zip(leaves, finite, strict=True) if not good]
    parameters = [name for name, leaf in leaves.items() if not np.isfinite(np.asarray(leaf)).all()]
    lines = [f"the training diverged at step {step} (epoch {epoch + 1}): the loss is {loss}."]
    lines.append(_sentence("gradients of that step", gradients))
    lines.append(_sentence("parameters after it", parameters))
    if not all(_is_finite(part) for part in jax.tree.leaves(batch)):
        lines.append("The batch itself holds NaN or infinity: look at the data.")
    return TrainingDiverged("\n".join([*lines, ADVICE]), step, loss, gradients, parameters)


def _sentence(what: str, names: list[str]) -> str:
    return f"Not finite among the {what}: {', '.join(names)}." if names else f"All {what} are finite."


def _is_finite(array: Any) -> bool:
    array = np.asarray(array)
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())
