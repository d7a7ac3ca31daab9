"""A training for the tests to kill: `python training_program.py ENGINE FOLDER SECONDS_A_STEP`.

It goes on from the last checkpoint in FOLDER, writes one after every step, and at the end the state alone to
FOLDER/final.safetensors.
"""

import sys
import time
from pathlib import Path

from reference.data import load
from reference.engines import engine
from reference.losses import softmax_cross_entropy
from reference.metrics import accuracy
from reference.models import mlp
from reference.optimizers import adam
from reference.training import Callback, EarlyStopping, Experiment, ModelCheckpoint, fit, save_tree, supervised


class Slow(Callback):
    """So that there is time to be killed in."""

    def __init__(self, seconds):
        self.seconds = seconds

    def on_step(self, loop):
        time.sleep(self.seconds)


def train(jax, folder, seconds=0.0, every_steps=1):
    """The outcome of the whole training, however often it was begun."""
    digits = load("digits")
    data = digits._replace(
        x_train=digits.x_train[:200], y_train=digits.y_train[:200], x_test=digits.x_test[:20], y_test=digits.y_test[:20]
    )
    model = mlp.mlp((64, 8, 10))
    experiment = Experiment(
        model,
        supervised(model, softmax_cross_entropy),
        adam(0.01),
        metrics={"accuracy": accuracy()},
        batch_size=16,
        epochs=5,
        seed=1,
        drop_last=False,
    )
    callbacks = [Slow(seconds), EarlyStopping(patience=9), ModelCheckpoint(folder, every_steps=every_steps)]
    outcome = fit(jax, experiment, data, callbacks=callbacks, resume=folder, progress=False)
    save_tree(jax, Path(folder) / "final.safetensors", outcome.state)
    return outcome


if __name__ == "__main__":
    train(engine(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
