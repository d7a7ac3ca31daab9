"""One engine at work on an experiment."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..data import Dataset
from ..engines import Array, Engine
from .execution import ONE_DEVICE, Execution
from .experiment import Experiment, evaluation_batches
from .state import TrainState, init_state
from .step import Batch, empty_totals, results

__all__ = ["Evaluation", "Trainer"]

Evaluation = dict[str, Any]  # "loss" and the metrics by name: numbers as float, everything else as NumPy arrays


class Trainer:
    """Its two programs, and the state that they have reached."""

    def __init__(
        self,
        jax: Engine,
        experiment: Experiment,
        *,
        measure: bool = False,
        watch: bool = False,
        execution: Execution = ONE_DEVICE,
        state: TrainState | None = None,
    ) -> None:
        """With `measure` a training step gives the metrics of its batch too, with `watch` also "finite"."""
        self.jax = jax
        self.experiment = experiment
        self.execution = execution
        if state is None:
            state = init_state(jax, experiment.model, experiment.optimizer, experiment.seed)
        self.state = execution.place_state(jax, state)
        metrics = experiment.metrics if measure else {}
        objective, optimizer = experiment.objective, experiment.optimizer
        self._train_step = execution.make_train_step(jax, objective, optimizer, metrics, watch=watch)
        self._eval_step = execution.make_eval_step(jax, objective, experiment.metrics)

    def train(self, batch: Batch) -> dict[str, Array]:
        """Update the state by one batch; the measures before the update, which JAX may still be computing."""
        self.state, measures = self._train_step(self.state, batch)
        return measures

    def step(self, x: Array, y: Array) -> Array:
        """The same; the loss alone."""
        return self.train((x, y))["loss"]

    def evaluate(self, dataset: Dataset, dtype: type = np.float32) -> Evaluation:
        """Loss and metrics over the test set, with inputs of `dtype`."""
        return self.evaluate_batches(evaluation_batches(dataset, dtype=dtype))

    def evaluate_batches(self, batches: Iterable[Batch]) -> Evaluation:
        """Loss and metrics over all of the batches."""
        metrics = self.experiment.metrics
        totals = empty_totals(self.jax, metrics)
        for batch in batches:
            totals = self._eval_step(self.state, totals, self.execution.place_batch(self.jax, batch))
        found = results(self.jax, metrics, totals)
        return {name: self.jax.tree.map(_plain, value) for name, value in found.items()}


def _plain(value: Array) -> float | np.ndarray:
    return float(value) if value.ndim == 0 else np.asarray(value)
