"""The loop over epochs and batches."""

from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from ..data import Dataset
from ..engines import Engine
from .experiment import Experiment, steps_in_epoch, training_batches
from .state import TrainState
from .trainer import Evaluation, Trainer

__all__ = ["EpochResult", "fit"]


class EpochResult(NamedTuple):
    """One row of a training history."""

    epoch: int
    train_loss: float
    """mean over the steps of the epoch, each taken before its update"""
    test: Evaluation


def fit(
    jax: Engine, experiment: Experiment, dataset: Dataset, *, progress: bool = True
) -> tuple[TrainState, list[EpochResult]]:
    """Train on one engine, in float32; the last state and a row for each epoch."""
    trainer = Trainer(jax, experiment)
    history = []
    for epoch in range(experiment.epochs):
        batches = tqdm(
            training_batches(experiment, dataset, epoch),
            total=steps_in_epoch(experiment, dataset, epoch),
            desc=f"epoch {epoch + 1}",
            leave=False,
            disable=None if progress else True,  # None: no bar where the output is not a terminal
        )
        losses = [trainer.step(x, y) for x, y in batches]
        if losses:
            mean = float(np.mean([float(loss) for loss in losses]))
            history.append(EpochResult(epoch, mean, trainer.evaluate(dataset)))
    return trainer.state, history
