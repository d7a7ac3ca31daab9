"""The options that say what is trained and how, which several commands have in common."""

import argparse
from collections.abc import Callable

from ..data import DATASETS, Dataset, load
from ..data.catalogue import PREFIXES
from ..optimizers import OPTIMIZERS
from ..schedules import SCHEDULES
from ..tasks import MODELS, Settings, experiment, settings
from ..training import Experiment
from .parsing import count, rate, seed

__all__ = [
    "add_dataset_option",
    "add_experiment_options",
    "add_model",
    "check_batch_size",
    "dataset_name",
    "settings_from",
    "settle",
]

_OWN = ", ".join(f"{prefix}:PATH" for prefix in PREFIXES)


def add_model(add: Callable) -> None:
    """The model, as the first word."""
    add("model", choices=list(MODELS), metavar="MODEL", help="the model: %(choices)s")


def add_dataset_option(add: Callable) -> None:
    """`--dataset`."""
    usual = ", ".join(f"{name} {task.dataset}" for name, task in MODELS.items())
    add(
        "--dataset",
        type=dataset_name,
        metavar="NAME",
        help=f"auto (MNIST if it can be had, else the embedded digits), {', '.join(DATASETS)}; "
        f"or one's own: {_OWN} (default: {usual})",
    )


def dataset_name(name: str) -> str:
    """The name of a dataset, or one's own files; ArgumentTypeError for anything else."""
    prefix, colon, place = name.partition(":")
    if name not in ("auto", *DATASETS) and not (colon and place and prefix in PREFIXES):
        raise argparse.ArgumentTypeError(f"{name!r} is no dataset (choose from auto, {', '.join(DATASETS)}, {_OWN})")
    return name


def add_experiment_options(add: Callable) -> None:
    """Dataset, optimiser, learning rate, schedule, epochs, steps, batch size and seed."""
    add_dataset_option(add)
    usual = {name: ", ".join(f"{model} {getattr(task, name)}" for model, task in MODELS.items()) for name in _SHOWN}
    add("--optimizer", choices=list(OPTIMIZERS), metavar="NAME", help=f"%(choices)s (default: {usual['optimizer']})")
    rates = ", ".join(f"{name} {choice.rate:g}" for name, choice in OPTIMIZERS.items())
    own = "".join(f"; {name} with {task.optimizer} {task.rate:g}" for name, task in MODELS.items() if task.rate)
    add("--lr", type=rate, metavar="RATE", help=f"learning rate (default: {rates}{own})")
    add(
        "--schedule",
        choices=list(SCHEDULES),
        metavar="NAME",
        help=f"how the learning rate changes over the steps: %(choices)s (default: {usual['schedule']})",
    )
    add("--epochs", type=count, metavar="N", help=f"passes over the training set (default: {usual['epochs']})")
    add("--steps", type=count, metavar="N", help="stop after so many batches, if the epochs have more")
    add("--batch-size", type=count, metavar="N", help=f"examples in a batch (default: {usual['batch_size']})")
    add("--seed", type=seed, metavar="N", help="draws the parameters and orders the batches (default: 0)")


_SHOWN = ("optimizer", "schedule", "epochs", "batch_size")


def settings_from(options: argparse.Namespace) -> Settings:
    """What the options say, filled up with what suits the model."""
    return settings(
        options.model,
        optimizer=options.optimizer,
        rate=options.lr,
        schedule=options.schedule,
        epochs=options.epochs,
        batch_size=options.batch_size,
        steps=options.steps,
        seed=options.seed,
    )


def settle(options: argparse.Namespace, chosen: Settings) -> tuple[Dataset, Experiment]:
    """The dataset and the experiment that the options ask for; wrong use where the two do not go together."""
    task = MODELS[options.model]
    dataset = load(options.dataset or task.dataset, length=task.length)
    unsuitable = task.unsuitable(dataset)
    if unsuitable:
        options.parser.error(f"--dataset {dataset.name}: {options.model} {unsuitable}")
    check_batch_size(options, chosen.batch_size, dataset)
    return dataset, experiment(options.model, dataset, chosen)


def check_batch_size(options: argparse.Namespace, batch_size: int, dataset: Dataset) -> None:
    """Wrong use where not even one batch would be full."""
    if batch_size > len(dataset.x_train):
        options.parser.error(f"--batch-size {batch_size}: {dataset.name} has {len(dataset.x_train)} examples")
