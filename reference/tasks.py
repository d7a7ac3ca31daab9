"""The models that the commands know, each with what it is trained for and the settings that suit it."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .batches import batch_count
from .data import Dataset
from .losses import softmax_cross_entropy
from .metrics import Metric, accuracy
from .models import Model, mlp
from .optimizers import OPTIMIZERS
from .schedules import SCHEDULES, Schedule
from .training import Experiment, Objective, supervised

__all__ = ["KINDS", "MODELS", "Settings", "Task", "experiment", "settings"]


def _classifier(model: Model, dataset: Dataset) -> Objective:
    return supervised(model, softmax_cross_entropy)


def _accuracy(dataset: Dataset) -> dict[str, Metric]:
    return {"accuracy": accuracy()}


KINDS: dict[str, Callable[[Dataset], bool]] = {
    "images": lambda dataset: dataset.white is not None,
    "sentences": lambda dataset: bool(dataset.vocabulary) and dataset.y_train.ndim == 1,
    "characters": lambda dataset: bool(dataset.vocabulary) and dataset.y_train.ndim == 2,
    "numbers": lambda dataset: dataset.white is None and not dataset.vocabulary,
}


class Task(NamedTuple):
    """A model, what it is trained for, and the settings with which it trains well; by default a classifier."""

    model: Callable[[Dataset], Model]
    """with the sizes that the dataset asks for"""
    objective: Callable[[Model, Dataset], Objective] = _classifier
    metrics: Callable[[Dataset], Mapping[str, Metric]] = _accuracy
    """what is measured beside the loss; the first is shown in tables"""
    dataset: str = "auto"
    optimizer: str = "momentum"
    rate: float | None = None
    """None: the rate of that optimiser in OPTIMIZERS"""
    schedule: str = "constant"
    batch_size: int = 128
    epochs: int = 3
    drop_last: bool = True
    """leave out a last batch that is not full"""
    exempt: tuple[str, ...] = ()
    """parts of names of parameters whose true gradient is zero: two engines move them by rounding alone"""
    takes: str = "images"
    """what a dataset has to hold, a name in KINDS"""
    length: int | None = None
    """how many tokens of text are one example; None: as the dataset has it"""

    def unsuitable(self, dataset: Dataset) -> str | None:
        """Why the model cannot be trained on `dataset`, as what would follow its name in a sentence; None if it can."""
        if KINDS[self.takes](dataset):
            return None
        held = next((kind for kind, holds in KINDS.items() if holds(dataset)), "something else")
        return f"takes {self.takes}, and {dataset.name} holds {held}"


# Smooth activations where two engines are compared: the kink of relu turns a rounding error in an
# input near zero into a whole gradient, and within an epoch the two runs are different ones.
MODELS: dict[str, Task] = {
    "mlp": Task(lambda dataset: mlp.mlp((dataset.features, 512, dataset.classes), activation="swish")),
}


class Settings(NamedTuple):
    """How a model from MODELS is trained."""

    optimizer: str
    rate: float
    schedule: str
    epochs: int
    batch_size: int
    steps: int | None = None
    seed: int = 0


def settings(
    model: str,
    *,
    optimizer: str | None = None,
    rate: float | None = None,
    schedule: str | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    steps: int | None = None,
    seed: int | None = None,
) -> Settings:
    """What is given, and in place of None what the model's task says; another optimiser brings its own rate."""
    task = MODELS[model]
    usual = task.rate if optimizer in (None, task.optimizer) else None
    optimizer = optimizer or task.optimizer
    if rate is None:
        rate = OPTIMIZERS[optimizer].rate if usual is None else usual
    return Settings(
        optimizer,
        rate,
        schedule or task.schedule,
        epochs or task.epochs,
        batch_size or task.batch_size,
        steps,
        seed or 0,
    )


def experiment(model: str, dataset: Dataset, chosen: Settings | None = None, **settings_of_it: Any) -> Experiment:
    """A model from MODELS trained on `dataset` as `chosen` says, or else as `settings(model, **settings_of_it)`.

    The schedule, from SCHEDULES, changes the rate over all the steps there will be.
    """
    task, chosen = MODELS[model], chosen or settings(model, **settings_of_it)
    made = task.model(dataset)
    rate: float | Schedule = chosen.rate
    if chosen.schedule != "constant":
        total = chosen.epochs * batch_count(len(dataset.x_train), chosen.batch_size, drop_last=task.drop_last)
        rate = SCHEDULES[chosen.schedule](rate, max(1, total if chosen.steps is None else min(chosen.steps, total)))
    return Experiment(
        model=made,
        objective=task.objective(made, dataset),
        optimizer=OPTIMIZERS[chosen.optimizer].make(rate),
        batch_size=chosen.batch_size,
        epochs=chosen.epochs,
        metrics=task.metrics(dataset),
        steps=chosen.steps,
        seed=chosen.seed,
        drop_last=task.drop_last,
        rate=rate,
        exempt=task.exempt,
    )
