"""Many steps in one dispatch, on data that stay on the device.

A small step takes the device less time than it takes Python to ask for it. With the training set on the device, and
`lax.scan` over the examples of many batches, Python asks once for all of them.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from ..batches import epoch_batches
from ..data import Dataset
from ..engines import Array, Engine
from ..metrics import Metric
from ..optimizers import Optimizer
from ..training import Execution, Experiment, Feed, Objective, TrainState, feed_of, steps_in_epoch, train_step
from .devices import DeviceError, memory

__all__ = ["fits", "groups", "make_scanned_steps", "resident", "scanned"]


def resident(jax: Engine, dataset: Dataset) -> tuple[Array, Array]:
    """The training examples on the device, as they are stored: an image takes a byte for each pixel."""
    return jax.device_put(np.ascontiguousarray(dataset.x_train)), jax.device_put(np.ascontiguousarray(dataset.y_train))


def fits(dataset: Dataset, free: int) -> bool:
    """Whether the training examples take at most half of `free` bytes, so that the model has room beside them."""
    return 2 * (dataset.x_train.nbytes + dataset.y_train.nbytes) <= free


def make_scanned_steps(
    jax: Engine,
    objective: Objective,
    optimizer: Optimizer,
    dataset: Dataset,
    metrics: Mapping[str, Metric] | None = None,
    *,
    build: Callable = train_step,
    watch: bool = False,
) -> Callable[[TrainState, tuple[Array, Array], Array], tuple[TrainState, dict[str, Array]]]:
    """A jitted `run(state, examples, indices) -> (state, measures)`.

    `examples` are those of `resident`, `indices` i32[steps, batch] say which of them make up each batch, and each
    measure has a first axis that counts the steps. The state passed in is donated.
    """
    step = build(jax, objective, optimizer, metrics, watch=watch)

    def run(state: TrainState, examples: tuple[Array, Array], indices: Array) -> tuple[TrainState, dict[str, Array]]:
        x, y = examples

        def body(state: TrainState, chosen: Array) -> tuple[TrainState, dict[str, Array]]:
            return step(state, (dataset.inputs(x[chosen]), y[chosen]))

        return jax.lax.scan(body, state, indices)

    return jax.jit(run, donate_argnums=0)


def groups(experiment: Experiment, dataset: Dataset, epoch: int, steps: int, *, skip: int = 0) -> Iterator[np.ndarray]:
    """The batches of one epoch but for the first `skip`, i32[steps, batch] at a time; the last ones may have fewer.

    They are the batches of `training_batches`, as the numbers of their examples.
    """
    count = steps_in_epoch(experiment, dataset, epoch)
    seed = experiment.seed if experiment.shuffle else None
    size, drop_last = experiment.batch_size, experiment.drop_last
    batches = list(epoch_batches(len(dataset.x_train), size, seed=seed, epoch=epoch, drop_last=drop_last))
    waiting = [batch.astype(np.int32) for batch in batches[skip:count]]
    full = [batch for batch in waiting if len(batch) == size]
    for start in range(0, len(full), steps):
        yield np.stack(full[start : start + steps])
    for batch in waiting[len(full) :]:
        yield batch[None]


def scanned(
    jax: Engine, experiment: Experiment, dataset: Dataset, steps: int, *, build: Callable = train_step
) -> tuple[Execution, Feed]:
    """What `fit` takes to make `steps` steps in one dispatch: the same training, with fewer words to the device.

    Raises DeviceError when the device has no room for the training examples.
    """
    found = memory(jax.devices()[0])
    if found is not None and not fits(dataset, found.limit - found.used):
        raise DeviceError(
            f"the training examples of {dataset.name} take more than half of the device's memory ({found}); "
            "leave out --scan, so that batches are brought to it one by one"
        )
    examples = resident(jax, dataset)

    def make_train_step(
        jax: Engine,
        objective: Objective,
        optimizer: Optimizer,
        metrics: Mapping[str, Metric] | None = None,
        *,
        watch: bool = False,
    ) -> Callable[[TrainState, np.ndarray], tuple[TrainState, dict[str, Array]]]:
        run = make_scanned_steps(jax, objective, optimizer, dataset, metrics, build=build, watch=watch)
        return lambda state, indices: run(state, examples, indices)

    feed = feed_of(experiment, dataset)
    whole = experiment._replace(steps=None)  # the loop counts them
    training = feed._replace(training=lambda epoch, skip: groups(whole, dataset, epoch, steps, skip=skip))
    return Execution(make_train_step, many=True), training
