"""One engine at work on an experiment."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..data import Dataset
from ..engines import Array, Engine
from .experiment import Experiment, evaluation_batches
from .state import init_state
from .step import Batch, empty_totals, make_eval_step, make_train_step, results

__all__ = ["Evaluation", "Trainer"]

Evaluation = dict[str, Any]  # "loss" and the metrics by name: numbers as float, everything else as NumPy arrays


class Trainer:
    """Its two programs, and the state that they have reached."""

    def __init__(self, jax: Engine, experiment: Experiment) -> None:
        self.jax = jax
        self.experiment = experiment
        self.state = init_state(jax, experiment.model, experiment.optimizer, experiment.seed)
        self._train_step = make_train_step(jax, experiment.objective, experiment.optimizer)
        self._eval_step = make_eval_step(jax, experiment.objective, experiment.metrics)

    def step(self, x: Array, y: Array) -> Array:
        """Update the state by one batch; the loss before the update, which JAX may still be computing."""
        self.state, measures = self._train_step(self.state, (x, y))
        return measures["loss"]

    def evaluate(self, dataset: Dataset, dtype: type = np.float32) -> Evaluation:
        """Loss and metrics over the test set, with inputs of `dtype`."""
        return self.evaluate_batches(evaluation_batches(dataset, dtype=dtype))

    def evaluate_batches(self, batches: Iterable[Batch]) -> Evaluation:
        """Loss and metrics over all of the batches."""
        metrics = self.experiment.metrics
        totals = empty_totals(self.jax, metrics)
        for batch in batches:
            totals = self._eval_step(self.state, totals, batch)
        found = results(self.jax, metrics, totals)
        return {name: self.jax.tree.map(_plain, value) for name, value in found.items()}


def _plain(value: Array) -> float | np.ndarray:
    return float(value) if value.ndim == 0 else np.asarray(value)
