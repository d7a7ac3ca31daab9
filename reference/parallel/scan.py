"""Many steps in one dispatch, on data that stay on the device.

A small step takes the device less time than it takes Python to ask for it. With the training set on the device, and
`lax.scan` over the examples of many batches, Python asks once for all of them.
"""

from collections.abc import Callable, Mapping

import numpy as np

from ..data import Dataset
from ..engines import Array, Engine
from ..metrics import Metric
from ..optimizers import Optimizer
from ..training import Objective, TrainState, train_step

__all__ = ["fits", "make_scanned_steps", "resident"]


def resident(jax: Engine, dataset: Dataset) -> tuple[Array, Array]:
    """The training examples on the device, as they are stored: an image takes a byte for each pixel."""
    return jax.device_put(np.ascontiguousarray(dataset.x_train)), jax.device_put(np.ascontiguousarray(dataset.y_train))


def fits(dataset: Dataset, limit: int) -> bool:
    """Whether the training examples take at most half of `limit` bytes, so that the model has room beside them."""
    return 2 * (dataset.x_train.nbytes + dataset.y_train.nbytes) <= limit


def make_scanned_steps(
    jax: Engine,
    objective: Objective,
    optimizer: Optimizer,
    dataset: Dataset,
    metrics: Mapping[str, Metric] | None = None,
    *,
    build: Callable = train_step,
) -> Callable[[TrainState, tuple[Array, Array], Array], tuple[TrainState, dict[str, Array]]]:
    """A jitted `run(state, examples, indices) -> (state, measures)`.

    `examples` are those of `resident`, `indices` i32[steps, batch] say which of them make up each batch, and each
    measure has a first axis that counts the steps. The state passed in is donated.
    """
    step = build(jax, objective, optimizer, metrics)

    def run(state: TrainState, examples: tuple[Array, Array], indices: Array) -> tuple[TrainState, dict[str, Array]]:
        x, y = examples

        def body(state: TrainState, chosen: Array) -> tuple[TrainState, dict[str, Array]]:
            return step(state, (dataset.inputs(x[chosen]), y[chosen]))

        return jax.lax.scan(body, state, indices)

    return jax.jit(run, donate_argnums=0)
