"""The options that say what is trained and how, which several commands have in common."""

import argparse
from collections.abc import Callable

from ..data import DATASETS, Dataset, load
from ..data.catalogue import PREFIXES
from ..engines import Engine
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
    "check_single_examples",
    "dataset_name",
    "settings_from",
    "settle",
    "usual_settings",
]

_OWN = ", ".join(f"{prefix}:PATH" for prefix in PREFIXES)


def add_model(add: Callable) -> None:
    """The model, as the first word."""
    add("model", choices=list(MODELS), metavar="MODEL", help="the model: %(choices)s")


def usual_settings() -> str:
    """A table of how each model is trained where the options say nothing else."""
    rows = [("model", "dataset", "optimiser", "rate", "schedule", "batch", "epochs")]
    for name, task in MODELS.items():
        usual = settings(name)
        cells = (f"{usual.rate:g}", usual.schedule, str(usual.batch_size), str(usual.epochs))
        rows.append((name, task.dataset, usual.optimizer, *cells))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "usual settings:\n  " + "\n  ".join(lines) + "\n\n"


def add_dataset_option(add: Callable) -> None:
    """`--dataset`."""
    add(
        "--dataset",
        type=dataset_name,
        metavar="NAME",
        help=f"auto (MNIST if it can be had, else the embedded digits), {', '.join(DATASETS)}; or one's own: {_OWN}",
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
    add("--optimizer", choices=list(OPTIMIZERS), metavar="NAME", help="%(choices)s")
    rates = ", ".join(f"{name} {choice.rate:g}" for name, choice in OPTIMIZERS.items())
    add("--lr", type=rate, metavar="RATE", help=f"learning rate; of an optimiser that is not the usual one: {rates}")
    add(
        "--schedule",
        choices=list(SCHEDULES),
        metavar="NAME",
        help="how the learning rate changes over the steps: %(choices)s",
    )
    add("--epochs", type=count, metavar="N", help="passes over the training set")
    add("--steps", type=count, metavar="N", help="stop after so many batches, if the epochs have more")
    add("--batch-size", type=count, metavar="N", help="examples in a batch")
    add("--seed", type=seed, metavar="N", help="draws the parameters and orders the batches (default: 0)")


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
    try:
        return dataset, experiment(options.model, dataset, chosen)
    except ValueError as error:  # such as of an optimiser that cannot be one for some of the parameters
        options.parser.error(f"{options.model} with {chosen.optimizer} ({chosen.schedule}): {error}")


def check_batch_size(options: argparse.Namespace, batch_size: int, dataset: Dataset) -> None:
    """Wrong use where not even one batch would be full."""
    if batch_size > len(dataset.x_train):
        options.parser.error(f"--batch-size {batch_size}: {dataset.name} has {len(dataset.x_train)} examples")


def check_single_examples(options: argparse.Namespace, jax: Engine, experiment: Experiment) -> None:
    """Wrong use where an optimiser needs the gradients of single examples, and the model takes batches as a whole."""
    if not experiment.optimizer.per_example:
        return
    if getattr(options, "parallel", None) == "pmap":
        options.parser.error(
            f"--optimizer {options.optimizer} clips the gradient of each example before they are averaged, which "
            "--parallel pmap does not allow; take --parallel shard"
        )
    _, model_state = jax.eval_shape(lambda key: experiment.model.init(jax, key), jax.random.key(0))
    if jax.tree.leaves(model_state):
        options.parser.error(
            f"--optimizer {options.optimizer} takes the gradient of each example apart, and {options.model} normalises "
            "whole batches; take a model without batch normalisation, or another optimiser"
        )
