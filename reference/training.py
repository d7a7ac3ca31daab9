"""Training: one pytree that holds everything that changes, one jitted function that takes it a step further.

The functions that take an engine `jax` build programs for it; `fit` runs them.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from .batches import batch_count, epoch_batches
from .data import Dataset
from .engines import Array, Engine, Params
from .metrics import correct
from .models import Model
from .optimizers import Optimizer, apply_updates, value_and_gradients

__all__ = [
    "EpochResult",
    "Evaluation",
    "Experiment",
    "Loss",
    "TrainState",
    "Trainer",
    "fit",
    "init_state",
    "make_eval_step",
    "make_train_step",
    "training_batches",
]

Loss = Callable[[Engine, Array, Array], Array]

EVALUATION_BATCH = 1000


class Experiment(NamedTuple):
    """What is trained, how, and on which batches: all that the result depends on but data and engine."""

    model: Model
    loss: Loss
    optimizer: Optimizer
    batch_size: int
    epochs: int
    steps: int | None = None
    """stop after so many steps even if an epoch is not over"""
    seed: int = 0
    shuffle: bool = True
    drop_last: bool = True


class TrainState(NamedTuple):
    """All that a training step changes."""

    params: Params
    opt_state: Any
    step: Array
    """updates made so far, i32[]"""


class Evaluation(NamedTuple):
    """Means over a whole set of examples."""

    loss: float
    accuracy: float


class EpochResult(NamedTuple):
    """One row of a training history."""

    epoch: int
    train_loss: float
    """mean over the steps of the epoch, each taken before its update"""
    test: Evaluation


def init_state(jax: Engine, experiment: Experiment) -> TrainState:
    """The state before the first step; the parameters are drawn from the key of the experiment's seed."""
    params = experiment.model.init(jax, jax.random.key(experiment.seed))
    step = jax.numpy.zeros((), dtype=jax.numpy.int32)
    return TrainState(params, experiment.optimizer.init(jax, params), step)


def make_train_step(jax: Engine, model: Model, loss: Loss, optimizer: Optimizer) -> Callable:
    """A jitted `step(state, x, y) -> (state, loss before the step)`.

    The state passed in is donated: JAX writes the new one into its buffers, so it must not be used again.
    """

    def objective(params: Params, x: Array, y: Array) -> Array:
        return loss(jax, model.apply(jax, params, x), y)

    gradients = value_and_gradients(jax, objective, per_example=optimizer.per_example)

    def train_step(state: TrainState, x: Array, y: Array) -> tuple[TrainState, Array]:
        value, grads = gradients(state.params, x, y)
        updates, opt_state = optimizer.update(jax, grads, state.opt_state, state.params)
        params = apply_updates(jax, state.params, updates)
        return TrainState(params, opt_state, state.step + 1), value

    return jax.jit(train_step, donate_argnums=0)


def make_eval_step(jax: Engine, model: Model, loss: Loss) -> Callable:
    """A jitted `step(params, x, y) -> (loss, i32[] how many are right)`."""

    def eval_step(params: Params, x: Array, y: Array) -> tuple[Array, Array]:
        outputs = model.apply(jax, params, x)
        return loss(jax, outputs, y), correct(jax, outputs, y)

    return jax.jit(eval_step)


class Trainer:
    """One engine at work on an experiment: its two programs, and the state that they have reached."""

    def __init__(self, jax: Engine, experiment: Experiment) -> None:
        model, loss, optimizer = experiment.model, experiment.loss, experiment.optimizer
        self.state = init_state(jax, experiment)
        self._train_step = make_train_step(jax, model, loss, optimizer)
        self._eval_step = make_eval_step(jax, model, loss)

    def step(self, x: Array, y: Array) -> Array:
        """Update the state by one batch; the loss before the update, which JAX may still be computing."""
        self.state, loss = self._train_step(self.state, x, y)
        return loss

    def evaluate(self, dataset: Dataset, dtype: type = np.float32) -> Evaluation:
        """Loss and accuracy over the test set, with inputs of `dtype`."""
        examples = len(dataset.x_test)
        loss, right = 0.0, 0
        for start in range(0, examples, EVALUATION_BATCH):
            part = slice(start, start + EVALUATION_BATCH)
            x, y = dataset.flat(dataset.x_test[part], dtype), dataset.y_test[part]
            batch_loss, batch_right = self._eval_step(self.state.params, x, y)
            loss += float(batch_loss) * len(y)
            right += int(batch_right)
        return Evaluation(loss / examples, right / examples)


def training_batches(
    experiment: Experiment, dataset: Dataset, epoch: int, *, dtype: type = np.float32, progress: bool = True
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The batches (x, y) of one epoch, f[batch, features] and i32[batch], up to the experiment's last step.

    With `progress` a bar on the terminal counts them.
    """
    examples = len(dataset.x_train)
    count = batch_count(examples, experiment.batch_size, drop_last=experiment.drop_last)
    if experiment.steps is not None:
        count = min(count, max(experiment.steps - epoch * count, 0))
    chosen = epoch_batches(
        examples,
        experiment.batch_size,
        seed=experiment.seed if experiment.shuffle else None,
        epoch=epoch,
        drop_last=experiment.drop_last,
    )
    # disable=None: no bar where the output is not a terminal
    bar = tqdm(total=count, desc=f"epoch {epoch + 1}", leave=False, disable=None if progress else True)
    with bar:
        for _, indices in zip(range(count), chosen, strict=False):
            yield dataset.flat(dataset.x_train[indices], dtype), dataset.y_train[indices]
            bar.update()


def fit(
    jax: Engine, experiment: Experiment, dataset: Dataset, *, progress: bool = True
) -> tuple[TrainState, list[EpochResult]]:
    """Train on one engine, in float32; the last state and a row for each epoch."""
    trainer = Trainer(jax, experiment)
    history = []
    for epoch in range(experiment.epochs):
        batches = training_batches(experiment, dataset, epoch, progress=progress)
        losses = [trainer.step(x, y) for x, y in batches]
        if losses:
            mean = float(np.mean([float(loss) for loss in losses]))
            history.append(EpochResult(epoch, mean, trainer.evaluate(dataset)))
    return trainer.state, history
