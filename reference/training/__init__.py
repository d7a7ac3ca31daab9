"""Training: one pytree that holds everything that changes, one jitted function that takes it a step further.

| file | what is in it |
|---|---|
| `state.py` | the pytree, and the keys that each step draws from |
| `step.py` | objectives; the step of training and the step of evaluation |
| `experiment.py` | what is trained, how, and on which batches |
| `trainer.py` | one engine at work on an experiment |
| `loop.py` | the loop over epochs and batches |
"""

from .experiment import Experiment, evaluation_batches, steps_in_epoch, training_batches
from .loop import EpochResult, fit
from .state import TrainState, init_state
from .step import (
    Objective,
    empty_totals,
    make_eval_step,
    make_train_step,
    results,
    supervised,
    train_step,
)
from .trainer import Evaluation, Trainer

__all__ = [
    "EpochResult",
    "Evaluation",
    "Experiment",
    "Objective",
    "TrainState",
    "Trainer",
    "empty_totals",
    "evaluation_batches",
    "fit",
    "init_state",
    "make_eval_step",
    "make_train_step",
    "results",
    "steps_in_epoch",
    "supervised",
    "train_step",
    "training_batches",
]
