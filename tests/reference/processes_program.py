"""One process of a training in several: test_processes.py starts them.

Arguments: the coordinator's port, how many processes there are, the number of this one, a folder for checkpoints,
the number of steps, and the step before which this process kills itself (0: never). Prints the losses as JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import warnings
from pathlib import Path

from reference.data import Dataset, load
from reference.engines import engine
from reference.losses import softmax_cross_entropy
from reference.metrics import accuracy
from reference.models import mlp
from reference.optimizers import adam
from reference.parallel.devices import choose_platform
from reference.parallel.processes import Processes, is_first, join
from reference.parallel.sharding import sharded
from reference.training import Experiment, Trainer, init_state, supervised, training_batches
from reference.training.checkpoints import Folder, restore_tree

BATCH = 40
SECONDS_TO_NOTICE = 10


def experiment(steps: int) -> Experiment:
    """A small model whose 98 examples make two batches of 40 and one of 18, which 4 devices cannot divide."""
    model = mlp.mlp((64, 16, 10), activation="tanh")
    objective = supervised(model, softmax_cross_entropy)
    return Experiment(
        model, objective, adam(0.01), BATCH, epochs=9, steps=steps, metrics={"accuracy": accuracy()}, drop_last=False
    )


def dataset() -> Dataset:
    """The first digits."""
    whole = load("digits")
    x, y = whole.x_train[:98], whole.y_train[:98]
    return whole._replace(x_train=x, y_train=y, x_test=whole.x_test[:50], y_test=whole.y_test[:50])


def main(port: str, count: str, number: str, folder: str, steps: str, last: str) -> None:
    """Train, write a checkpoint after each step, and go on from the last one there is."""
    warnings.simplefilter("error")
    jax = engine("jax")
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_num_cpu_devices", 2)
    processes = Processes(f"127.0.0.1:{port}", int(count), int(number))
    join(jax, processes, seconds_to_start=60, seconds_to_notice=SECONDS_TO_NOTICE)
    choose_platform(jax, None)
    assert len(jax.devices()) == 2 * int(count)
    chosen = experiment(int(steps))
    checkpoints = Folder(Path(folder))
    state = init_state(jax, chosen.model, chosen.optimizer, chosen.seed)
    losses = []
    if (found := checkpoints.read()) is not None:
        state, _ = restore_tree(jax, state, found.arrays)
        losses = found.notes["losses"]
    trainer = Trainer(jax, chosen, execution=sharded(jax, jax.devices(), fully=True), state=state)
    batches = (batch for epoch in range(chosen.epochs) for batch in training_batches(chosen, dataset(), epoch))
    for step, batch in enumerate(batches, 1):
        if step <= len(losses) or step > int(steps):
            continue
        if step == int(last):
            os.kill(os.getpid(), signal.SIGKILL)
        losses.append(float(trainer.train(trainer.execution.place_batch(jax, batch))["loss"]))
        state = trainer.execution.whole_state(jax, trainer.state)
        if is_first(jax):
            checkpoints.save(jax, state, step, {"losses": losses})
    print(json.dumps({"losses": losses, "evaluation": trainer.evaluate(dataset())}))


if __name__ == "__main__":
    main(*sys.argv[1:])
