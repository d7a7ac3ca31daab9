"""Real processes over loopback train as one process does; when one is lost the others end, and all go on later."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import processes_program
import pytest

from reference.engines import engine
from reference.parallel.devices import DeviceError
from reference.parallel.processes import Processes, join
from reference.training import Trainer, training_batches

ROOT = Path(__file__).parents[2]
STEPS = 4
SECONDS = 240
"""more than any of it takes, on a machine that is busy with other things"""


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(folder: Path, *, lost_before: int = 0) -> list[subprocess.Popen]:
    """Two processes, of which the second kills itself before this step."""
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    return [
        subprocess.Popen(
            [sys.executable, processes_program.__file__, str(port), "2", str(number), str(folder), str(STEPS), last],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for number, last in enumerate(("0", str(lost_before)))
    ]


def results(started: list[subprocess.Popen]) -> list[dict]:
    """What each printed in its last line."""
    found = []
    for process in started:
        out, errors = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, errors
        found.append(json.loads(out.splitlines()[-1]))
    return found


@pytest.fixture(scope="module")
def of_one_process() -> dict:
    """Losses and evaluation of the same training on one device: by minijax, as JAX would compile for seconds."""
    jax = engine("minijax")
    chosen = processes_program.experiment(STEPS)
    dataset = processes_program.dataset()
    trainer = Trainer(jax, chosen)
    batches = [batch for epoch in range(chosen.epochs) for batch in training_batches(chosen, dataset, epoch)]
    losses = [float(trainer.step(*batch)) for batch in batches[:STEPS]]
    return {"losses": losses, "evaluation": trainer.evaluate(dataset)}


def assert_same(found: dict, expected: dict) -> None:
    """To 1e-5."""
    assert len(found["losses"]) == STEPS
    assert np.allclose(found["losses"], expected["losses"], rtol=0, atol=1e-5)
    for name, value in expected["evaluation"].items():
        assert abs(found["evaluation"][name] - value) < 1e-5


def test_two_processes_train_as_one(tmp_path, of_one_process):
    for found in results(start(tmp_path)):
        assert_same(found, of_one_process)


@pytest.mark.full
def test_a_lost_process_ends_the_other_and_all_resume(tmp_path, of_one_process):
    survivor, lost = start(tmp_path, lost_before=3)
    lost.communicate(timeout=SECONDS)
    assert lost.returncode == -9
    before = time.monotonic()
    _, errors = survivor.communicate(timeout=SECONDS)
    assert survivor.returncode != 0
    assert time.monotonic() - before < 6 * processes_program.SECONDS_TO_NOTICE
    assert "Task 1" in errors or "Gloo" in errors or "peer" in errors, errors
    written = sorted(file.name for file in tmp_path.glob("step-*"))
    assert written and "step-00000004" not in written[-1]
    for found in results(start(tmp_path)):
        assert_same(found, of_one_process)


def test_processes_that_cannot_meet():
    with pytest.raises(DeviceError, match="minijax runs in one process; take --engine jax"):
        join(engine("minijax"), Processes())
    with pytest.raises(DeviceError, match="belong together"):
        join(engine("jax"), Processes("127.0.0.1:1", 2))
