"""The models that the commands know, each with what it is trained for and the settings that suit it."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from .batches import batch_count
from .data import Dataset
from .data.augmentation import augmented, chain, crop, flip
from .losses import softmax_cross_entropy
from .metrics import Metric, accuracy
from .models import Model, cnn, cnn_norm, gan, gpt, mlp, quarter_turns, resnet, rnn, transfer, vae
from .optimizers import OPTIMIZERS, Optimizer
from .schedules import SCHEDULES, Schedule
from .training import Experiment, Objective, supervised

__all__ = ["KINDS", "MODELS", "Settings", "Task", "check_known", "experiment", "settings"]


def _classifier(model: Model, dataset: Dataset) -> Objective:
    return supervised(model, softmax_cross_entropy)


def _accuracy(dataset: Dataset) -> dict[str, Metric]:
    return {"accuracy": accuracy()}


KINDS: dict[str, Callable[[Dataset], bool]] = {
    "images": lambda dataset: dataset.white is not None,
    "sentences": lambda dataset: bool(dataset.vocabulary) and dataset.y_train.ndim == 1,
    "characters": lambda dataset: bool(dataset.vocabulary) and dataset.y_train.ndim == 2,
    "numbers": lambda dataset: dataset.white is None and not dataset.vocabulary,
    "images or tables with classes": lambda dataset: not dataset.vocabulary and dataset.classes > 0,
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
    details: Mapping[str, float] = MappingProxyType({})
    """what else that optimiser is made with"""
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
    around: Callable[[Optimizer], Optimizer] = lambda optimizer: optimizer
    """what is made of the optimiser that is asked for, such as one for some of the parameters"""
    paints: Callable[[Dataset], Callable[..., Any]] | None = None
    """new images: (jax, params, model_state, key, count) -> f[count, h, w, c] between 0 and 1"""
    writes: Callable[[Dataset], Callable[..., Any]] | None = None
    """new text: (jax, params, prompt i32[1, time], key, length, temperature=, top_k=) -> i32[1, length]"""

    @property
    def classifies(self) -> bool:
        """Whether its outputs say which of the dataset's classes, or tokens, it is."""
        return self.metrics is _accuracy

    def optimizer_of(self, name: str, rate: float | Schedule) -> Optimizer:
        """The optimiser of that name as the model takes it."""
        details = self.details if name == self.optimizer else {}
        return self.around(OPTIMIZERS[name].make(rate, **details))

    def unsuitable(self, dataset: Dataset) -> str | None:
        """Why the model cannot be trained on `dataset`, as what would follow its name in a sentence; None if it can."""
        if KINDS[self.takes](dataset):
            alone = self.classifies and dataset.classes == 1
            return f"tells classes apart, and {dataset.name} has one only" if alone else None
        held = next((kind for kind, holds in KINDS.items() if holds(dataset)), "something else")
        return f"takes {self.takes}, and {dataset.name} holds {held}"


def _autoencoder(coder: Callable[[Dataset], vae.Coder]) -> Task:
    def paint(dataset: Dataset) -> Callable[..., Any]:
        made = coder(dataset)
        return lambda jax, params, state, key, count: vae.generate(jax, made, params, key, count)

    return Task(
        lambda dataset: vae.vae(coder(dataset)),
        objective=lambda model, dataset: vae.objective(model),
        metrics=lambda dataset: {},
        optimizer="adam",
        rate=0.001,
        epochs=15,
        paints=paint,
    )


def _gan_paints(dataset: Dataset) -> Callable[..., Any]:
    return lambda jax, params, state, key, count: gan.paint(jax, params, state, key, count, dataset.shape)


def _sentences(cell: str) -> Task:
    return Task(
        lambda dataset: rnn.rnn(cell, len(dataset.vocabulary), dataset.classes, units=(64, 64), rate=0.5),
        dataset="sentence-polarity",
        optimizer="adam",
        rate=0.001,
        batch_size=64,
        epochs=3,
        takes="sentences",
    )


def _pictures(model: Model, dataset: Dataset) -> Objective:
    """A classifier of pictures that may be looked at in a mirror, and moved a little."""
    return augmented(supervised(model, softmax_cross_entropy), chain(flip, crop))


NARROW = resnet.Layout(18, width=16, activation="swish")
"""a residual network that learns on a processor in minutes"""


def _resnet(layout: resnet.Layout) -> Task:
    return Task(
        lambda dataset: resnet.resnet(dataset.shape[-1], dataset.classes, layout),
        objective=_pictures,
        dataset="cifar10-cats-dogs",
        optimizer="adamw",
        rate=0.001,
        schedule="one-cycle",
        epochs=30,
    )


def _transfer(*, frozen: bool) -> Task:
    return _resnet(NARROW)._replace(
        model=lambda dataset: transfer.transfer(dataset.shape[-1], dataset.classes, NARROW, frozen=frozen),
        around=transfer.trained_head if frozen else lambda optimizer: optimizer,
        rate=0.02 if frozen else 0.001,  # one layer alone
    )


def _gpt_layout(dataset: Dataset) -> gpt.Layout:
    return gpt.Layout(len(dataset.vocabulary), context=dataset.shape[0])


def _gpt_writes(dataset: Dataset) -> Callable[..., Any]:
    layout = _gpt_layout(dataset)
    return lambda jax, params, prompt, key, length, **how: gpt.generate(jax, params, prompt, layout, key, length, **how)


# Smooth activations where two engines are compared: the kink of relu turns a rounding error in an
# input near zero into a whole gradient, and within an epoch the two runs are different ones. So does
# a maximum over numbers that are nearly the same, where normalisation makes gradients small: hence the means there.
MODELS: dict[str, Task] = {
    "mlp": Task(
        lambda dataset: mlp.mlp((dataset.features, 512, dataset.classes), activation="swish"),
        takes="images or tables with classes",
    ),
    "cnn": Task(
        lambda dataset: cnn.cnn(dataset.shape, dataset.classes, activation="swish"),
        optimizer="adam",
        rate=0.001,
        schedule="one-cycle",
        epochs=4,
    ),
    "cnn-norm": Task(
        lambda dataset: cnn_norm.cnn_norm(dataset.shape, dataset.classes, activation="swish", pool="avg_pool"),
        optimizer="adam",
        rate=0.002,
        schedule="one-cycle",
        epochs=6,
    ),
    "lstm": _sentences("lstm"),
    "gru": _sentences("gru"),
    "rnn": _sentences("simple"),
    "vae": _autoencoder(lambda dataset: vae.dense_coder(dataset.shape)),
    "conv-vae": _autoencoder(lambda dataset: vae.conv_coder(dataset.shape)),
    "gan": Task(
        lambda dataset: gan.gan(dataset.shape),
        objective=lambda model, dataset: gan.objective(model),
        metrics=lambda dataset: {"judged right": gan.judged_right()},
        optimizer="adam",
        rate=0.001,
        details={"b1": 0.5},  # a player that remembers for long runs after what the other no longer does
        schedule="one-cycle",
        batch_size=32,
        epochs=8,
        paints=_gan_paints,
    ),
    "resnet-18": _resnet(resnet.Layout(18, activation="swish")),
    "resnet-34": _resnet(resnet.Layout(34, activation="swish")),
    "resnet-50": _resnet(resnet.Layout(50, activation="swish")),
    "resnet-18-narrow": _resnet(NARROW),
    "quarter-turns": _resnet(NARROW)._replace(
        model=lambda dataset: resnet.resnet(dataset.shape[-1], quarter_turns.TURNS, NARROW),
        objective=lambda model, dataset: augmented(quarter_turns.objective(model), chain(flip, crop)),
        metrics=lambda dataset: {"accuracy": quarter_turns.guessed_right()},
    ),
    "new-head": _transfer(frozen=True),
    "fine-tune": _transfer(frozen=False),
    "gpt": Task(
        lambda dataset: gpt.gpt(_gpt_layout(dataset)),
        dataset="tiny-shakespeare",
        optimizer="adamw",
        rate=0.002,
        schedule="one-cycle",
        batch_size=16,
        epochs=2,
        takes="characters",
        writes=_gpt_writes,
    ),
}


def check_known(what: str, name: str, table: Mapping[str, Any]) -> None:
    """ValueError, with all that there are, for a name that is not in the table."""
    if name not in table:
        raise ValueError(f"there is no {what} {name!r}; there are: {', '.join(table)}")


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
    """What is given, and in place of None what the model's task says; another optimiser brings its own rate.

    Raises ValueError for a name that is in none of the tables.
    """
    check_known("model", model, MODELS)
    task = MODELS[model]
    usual = task.rate if optimizer in (None, task.optimizer) else None
    optimizer = optimizer or task.optimizer
    check_known("optimiser", optimizer, OPTIMIZERS)
    check_known("schedule", schedule or task.schedule, SCHEDULES)
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
        optimizer=task.optimizer_of(chosen.optimizer, rate),
        batch_size=chosen.batch_size,
        epochs=chosen.epochs,
        metrics=task.metrics(dataset),
        steps=chosen.steps,
        seed=chosen.seed,
        drop_last=task.drop_last,
        rate=rate,
        exempt=task.exempt,
    )
