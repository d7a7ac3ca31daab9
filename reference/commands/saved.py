"""A trained model, found again by the files of its checkpoints: for the commands that use one."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ..data import Dataset, load
from ..engines import ENGINES, Engine, engine
from ..tasks import MODELS, Settings, Task, experiment
from ..training import (
    Checkpoint,
    CheckpointError,
    Experiment,
    Folder,
    Trainer,
    init_state,
    read_checkpoint,
    restore_tree,
)
from .experiment_options import dataset_name

__all__ = ["Saved", "add_checkpoint", "find", "is_classifier"]


class Saved(NamedTuple):
    """A model that was trained, with everything around it."""

    jax: Engine
    name: str
    """in MODELS"""
    task: Task
    dataset: Dataset
    experiment: Experiment
    trainer: Trainer
    """with the parameters and the model state of the checkpoint"""
    checkpoint: Checkpoint


def add_checkpoint(add: Callable) -> None:
    """The checkpoint as the first word, and the options that go with it."""
    add("checkpoint", type=Path, metavar="CHECKPOINT", help="a folder that `train --checkpoint-dir` wrote, or one file")
    add("--which", choices=["best", "last"], default="best", metavar="WHICH", help="of a folder: %(choices)s")
    add("--engine", choices=list(ENGINES), default="jax", metavar="NAME", help="%(choices)s (default: jax)")
    add("--dataset", type=dataset_name, metavar="NAME", help="another one than the model was trained on")


def is_classifier(saved: Saved) -> bool:
    """Whether it says for each example which of the dataset's classes it is of."""
    return saved.task.classifies and saved.dataset.y_test.ndim == 1


def find(options: argparse.Namespace) -> Saved:
    """The model in the checkpoint, on the engine that is asked for. CheckpointError where there is none."""
    checkpoint = _read(options)
    run = checkpoint.notes.get("run")
    if run is None or run["model"] not in MODELS:
        raise CheckpointError(f"{checkpoint.path} does not say which model it is of; `train` writes ones that do")
    jax, task = engine(options.engine), MODELS[run["model"]]
    dataset = load(options.dataset or run["dataset"], length=task.length)
    unsuitable = task.unsuitable(dataset)
    if unsuitable:
        options.parser.error(f"--dataset {dataset.name}: {run['model']} {unsuitable}")
    if options.dataset not in (None, run["dataset"]) and dataset.vocabulary:
        _refuse_another_vocabulary(options, run, dataset, task)
    made = experiment(run["model"], dataset, Settings(**run["settings"]))
    state = init_state(jax, made.model, made.optimizer, made.seed)
    like = {"params": state.params, "model_state": state.model_state}
    found, mismatch = restore_tree(jax, like, checkpoint.part(*like).arrays)
    if not mismatch.fits:
        raise CheckpointError(f"{checkpoint.path} does not fit {made.model.name} for {dataset.name}: {mismatch}")
    trainer = Trainer(jax, made, state=state._replace(**found))
    return Saved(jax, run["model"], task, dataset, made, trainer, checkpoint)


def _refuse_another_vocabulary(options: argparse.Namespace, run: dict[str, Any], dataset: Dataset, task: Task) -> None:
    """Wrong use where a token is another word than in training: shapes would fit, and the figures be nonsense."""
    learnt = load(run["dataset"], length=task.length)
    if tuple(dataset.vocabulary) != tuple(learnt.vocabulary):
        options.parser.error(f"--dataset {dataset.name} has a vocabulary of its own, not that of {learnt.name}")


def _read(options: argparse.Namespace) -> Checkpoint:
    path = options.checkpoint
    if not path.is_dir():
        return read_checkpoint(path)
    checkpoint = Folder(path).read(options.which)
    if checkpoint is None:
        raise CheckpointError(f"{path} holds no checkpoint; `train --checkpoint-dir {path}` writes some")
    return checkpoint
