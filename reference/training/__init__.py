"""Training: one pytree that holds everything that changes, one jitted function that takes it a step further.

| file | what is in it |
|---|---|
| `state.py` | the pytree, and the keys that each step draws from |
| `step.py` | objectives; the step of training and the step of evaluation |
| `experiment.py` | what is trained, how, and on which batches |
| `execution.py` | where steps run: the place of data-parallel forms |
| `trainer.py` | one engine at work on an experiment |
| `loop.py` | the loop over epochs and batches: `fit` |
| `history.py`, `clock.py` | what it has come to, and how long that took |
| `callbacks.py`, `tensorboard.py` | checkpoints, early stopping, tables, traces, TensorBoard |
| `checkpoints.py`, `tensor_file.py` | a training in files, and the format of the files |
| `divergence.py`, `signals.py` | its end before its time: NaN, Ctrl-C |
"""

from .callbacks import Callback, CSVLogger, EarlyStopping, LearningRateLogger, ModelCheckpoint, Profile
from .checkpoints import Checkpoint, CheckpointError, Folder, load_tree, read_checkpoint, restore_tree, save_tree
from .divergence import TrainingDiverged
from .execution import ONE_DEVICE, Execution
from .experiment import (
    Experiment,
    Feed,
    arrays_feed,
    evaluation_batches,
    feed_of,
    slices,
    steps_in_epoch,
    training_batches,
)
from .history import History
from .loop import Loop, Outcome, fit
from .state import TrainState, init_state
from .step import Objective, empty_totals, make_eval_step, make_train_step, results, supervised, train_step
from .trainer import Evaluation, Trainer

__all__ = [
    "ONE_DEVICE",
    "CSVLogger",
    "Callback",
    "Checkpoint",
    "CheckpointError",
    "EarlyStopping",
    "Evaluation",
    "Execution",
    "Experiment",
    "Feed",
    "Folder",
    "History",
    "LearningRateLogger",
    "Loop",
    "ModelCheckpoint",
    "Objective",
    "Outcome",
    "Profile",
    "TrainState",
    "Trainer",
    "TrainingDiverged",
    "arrays_feed",
    "empty_totals",
    "evaluation_batches",
    "feed_of",
    "fit",
    "init_state",
    "load_tree",
    "make_eval_step",
    "make_train_step",
    "read_checkpoint",
    "restore_tree",
    "results",
    "save_tree",
    "slices",
    "steps_in_epoch",
    "supervised",
    "train_step",
    "training_batches",
]
