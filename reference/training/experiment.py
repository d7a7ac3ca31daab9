"""What is trained, how, and on which batches: all that the result depends on but data and engine."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from ..batches import batch_count, epoch_batches
from ..data import Dataset
from ..metrics import Metric
from ..models import Model
from ..optimizers import Optimizer
from ..schedules import Schedule
from .step import Objective

__all__ = [
    "EVALUATION_BATCH",
    "Experiment",
    "Feed",
    "evaluation_batches",
    "feed_of",
    "steps_in_epoch",
    "training_batches",
]

EVALUATION_BATCH = 1000

NumPyBatch = tuple[np.ndarray, np.ndarray]


class Experiment(NamedTuple):
    """A model, what is minimised and how, and the order of the batches."""

    model: Model
    objective: Objective
    optimizer: Optimizer
    batch_size: int
    epochs: int
    metrics: Mapping[str, Metric] = MappingProxyType({})
    """what is measured beside the loss; the first one is what people want to know"""
    steps: int | None = None
    """stop after so many steps even if an epoch is not over"""
    seed: int = 0
    shuffle: bool = True
    drop_last: bool = True
    rate: float | Schedule | None = None
    """the learning rate of the optimiser, to be shown; None: not known"""
    exempt: tuple[str, ...] = ()
    """parts of names of parameters whose true gradient is zero, so that what moves them is rounding alone"""

    @property
    def headline(self) -> str:
        """The name of the measure that stands for all: the first metric, or the loss."""
        return next(iter(self.metrics), "loss")


def steps_in_epoch(experiment: Experiment, dataset: Dataset, epoch: int = 0) -> int:
    """How many batches this epoch has, up to the experiment's last step."""
    count = batch_count(len(dataset.x_train), experiment.batch_size, drop_last=experiment.drop_last)
    if experiment.steps is not None:
        count = min(count, max(experiment.steps - epoch * count, 0))
    return count


def training_batches(
    experiment: Experiment, dataset: Dataset, epoch: int, *, dtype: type = np.float32, skip: int = 0
) -> Iterator[NumPyBatch]:
    """The batches (x, y) of one epoch, but for the first `skip`: inputs as models take them, floats of `dtype`.

    Which examples they hold depends on the seed and the number of the epoch alone.
    """
    chosen = epoch_batches(
        len(dataset.x_train),
        experiment.batch_size,
        seed=experiment.seed if experiment.shuffle else None,
        epoch=epoch,
        drop_last=experiment.drop_last,
    )
    for i, indices in zip(range(steps_in_epoch(experiment, dataset, epoch)), chosen, strict=False):
        if i >= skip:
            yield dataset.inputs(dataset.x_train[indices], dtype), dataset.y_train[indices]


def evaluation_batches(
    dataset: Dataset, *, dtype: type = np.float32, batch_size: int = EVALUATION_BATCH
) -> Iterator[NumPyBatch]:
    """The batches (x, y) of the test set, in its order; the last one may be smaller."""
    for x, y in slices(dataset.x_test, dataset.y_test, batch_size):
        yield dataset.inputs(x, dtype), y


class Feed(NamedTuple):
    """Where the batches of a training come from."""

    training: Callable[[int, int], Iterable[NumPyBatch]]
    """(epoch, skip) -> the batches of that epoch but for the first `skip`"""
    evaluation: Callable[[], Iterable[NumPyBatch]] | None = None
    """the batches of an evaluation; None: there is none"""
    steps: int | None = None
    """batches in an epoch, where that is known, however many of them the experiment's last step leaves"""
    order: dict[str, Any] | None = None
    """what the order of the batches depends on, so that a resumed training can tell whether it is the same one"""


def feed_of(experiment: Experiment, dataset: Dataset, *, dtype: type = np.float32) -> Feed:
    """The batches of a dataset, evaluated on its test set."""
    experiment = experiment._replace(steps=None)  # the loop counts them: epochs may have been shorter before
    order = {"dataset": dataset.name, "examples": len(dataset.x_train)}
    order |= {name: getattr(experiment, name) for name in ("batch_size", "seed", "shuffle", "drop_last")}
    return Feed(
        lambda epoch, skip: training_batches(experiment, dataset, epoch, dtype=dtype, skip=skip),
        lambda: evaluation_batches(dataset, dtype=dtype),
        steps_in_epoch(experiment, dataset),
        order,
    )


def arrays_feed(
    experiment: Experiment, x: np.ndarray, y: np.ndarray, validation: tuple[np.ndarray, np.ndarray] | None = None
) -> Feed:
    """The batches of arrays as they are, evaluated on those of `validation`."""
    if len(x) != len(y):
        raise ValueError(f"x has {len(x)} examples and y has {len(y)}")
    if experiment.drop_last and experiment.batch_size > len(x):
        raise ValueError(f"a batch of {experiment.batch_size} is more than all of the {len(x)} examples")
    seed = experiment.seed if experiment.shuffle else None

    def training(epoch: int, skip: int) -> Iterator[NumPyBatch]:
        chosen = epoch_batches(len(x), experiment.batch_size, seed=seed, epoch=epoch, drop_last=experiment.drop_last)
        for indices in islice(chosen, skip, None):
            yield x[indices], y[indices]

    return Feed(
        training,
        None if validation is None else lambda: slices(*validation, EVALUATION_BATCH),
        batch_count(len(x), experiment.batch_size, drop_last=experiment.drop_last),
        {"examples": len(x), "batch_size": experiment.batch_size, "seed": seed, "drop_last": experiment.drop_last},
    )


def slices(x: np.ndarray, y: np.ndarray, size: int) -> Iterator[NumPyBatch]:
    """Pairs of `size` examples in their order; the last one may be smaller."""
    for start in range(0, len(x), size):
        yield x[start : start + size], y[start : start + size]
