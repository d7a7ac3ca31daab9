"""Seconds of one epoch: the same training op by op, jitted, and with many steps in one dispatch.

The training is that of the recipe "jax-in-action": the MLP 784-512-10 of the book on batches of 32. What takes
minutes for an epoch runs a few steps of it, and the epoch is worked out from them.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ..data import Dataset, load
from ..engines import Engine, Params, engine
from ..files import write_json
from ..parallel.scan import groups, make_scanned_steps, resident
from ..recipes import jax_in_action
from ..training import Experiment, init_state, make_train_step, steps_in_epoch, train_step, training_batches
from . import table
from .measuring import Benchmark, measure, ratio

__all__ = ["DATASETS", "EPOCHS", "WAYS", "Epoch", "epochs_of", "lines", "run"]

DATASETS = ("auto", "mnist", "digits")
EPOCHS = 3
SAMPLE = 60  # steps of what goes op by op
AGAINST = "JAX jit"

Advance = Callable[[int], Params]
"""trains for so many steps from the beginning of the epoch on, and waits for the parameters"""


class Way(NamedTuple):
    """How an engine runs the training."""

    engine: str
    make: Callable[[Engine, Experiment, Dataset], Advance]
    sampled: bool = False
    """whether it is too slow for a whole epoch"""
    at_once: bool = False
    """whether an epoch is one dispatch, rather than one for each step"""


def _by_step(*, compiled: bool) -> Callable[[Engine, Experiment, Dataset], Advance]:
    def make(jax: Engine, experiment: Experiment, dataset: Dataset) -> Advance:
        build = make_train_step if compiled else train_step
        step = build(jax, experiment.objective, experiment.optimizer)
        state = init_state(jax, experiment.model, experiment.optimizer)

        def advance(steps: int) -> Params:
            nonlocal state
            for batch in training_batches(experiment._replace(steps=steps), dataset, 0):
                state, _ = step(state, batch)
            return jax.block_until_ready(state.params)

        return advance

    return make


def _scanned(jax: Engine, experiment: Experiment, dataset: Dataset) -> Advance:
    run = make_scanned_steps(jax, experiment.objective, experiment.optimizer, dataset)
    examples = resident(jax, dataset)
    state = init_state(jax, experiment.model, experiment.optimizer)

    def advance(steps: int) -> Params:
        nonlocal state
        for indices in groups(experiment._replace(steps=steps), dataset, 0, steps):
            state, _ = run(state, examples, indices)
        return jax.block_until_ready(state.params)

    return advance


WAYS: Mapping[str, Way] = {
    "minijax op by op": Way("minijax", _by_step(compiled=False), sampled=True),
    "minijax.jit": Way("minijax", _by_step(compiled=True)),
    "JAX op by op": Way("jax", _by_step(compiled=False), sampled=True),
    AGAINST: Way("jax", _by_step(compiled=True)),
    "JAX jit with scan": Way("jax", _scanned, at_once=True),
}


class _Contestant:
    """Seconds of an epoch, measured in one turn after the other; the first turn is one dispatch and compiles."""

    def __init__(self, way: Way, experiment: Experiment, dataset: Dataset, sample: int):
        self.epoch = steps_in_epoch(experiment, dataset)
        self.steps = min(sample, self.epoch) if way.sampled else self.epoch
        self.dispatch = self.epoch if way.at_once else 1
        self.first: float | None = None
        jax = engine(way.engine)
        device = jax.devices()[0]
        self.device = device.platform if device.platform == device.device_kind else device.device_kind
        self._advance = way.make(jax, experiment, dataset)

    def __call__(self) -> float:
        if self.first is None:
            self.first = self._seconds(self.dispatch)
            return self.first
        return self._seconds(self.steps) / self.steps * self.epoch

    def _seconds(self, steps: int) -> float:
        start = time.perf_counter()
        self._advance(steps)
        return time.perf_counter() - start


class Epoch(NamedTuple):
    """What one way of training was found to take; medians over the rounds, with quartiles of the ratio."""

    way: str
    device: str
    seconds: float
    """of one epoch, without compiling"""
    steps: int
    """in one epoch"""
    measured_steps: int
    """in one round; where there are fewer than in an epoch, `seconds` is worked out from them"""
    steps_per_second: float
    examples_per_second: float
    ratio: float
    """seconds over those of `jax.jit` in the same round"""
    lower: float
    upper: float
    compiling: float
    """seconds of the first dispatch, less what a later one takes"""


def epochs_of(dataset: Dataset, rounds: int, *, sample: int = SAMPLE, pause: float = 0.0) -> list[Epoch]:
    """Each way's seconds for an epoch on `dataset`, all in turn in each of the rounds, after a first dispatch.

    `sample` is the number of steps of what goes op by op; `pause` is that of `measure`.
    """
    experiment = jax_in_action(dataset)._replace(drop_last=True)  # all steps have the same shapes
    ways = {name: _Contestant(way, experiment, dataset, sample) for name, way in WAYS.items()}
    benchmark = Benchmark("an epoch", ways, {})
    found = measure(benchmark, rounds, pause)
    return [_epoch(benchmark._replace(ours=name), way, experiment.batch_size, found) for name, way in ways.items()]


def _epoch(benchmark: Benchmark, way: _Contestant, batch: int, found: Mapping[str, list[float]]) -> Epoch:
    seconds = statistics.median(found[benchmark.ours])
    rate = way.epoch / seconds
    against = ratio(benchmark, AGAINST, found)
    return Epoch(
        benchmark.ours,
        way.device,
        seconds,
        way.epoch,
        way.steps,
        rate,
        rate * batch,
        against.median,
        against.lower,
        against.upper,
        max(0.0, way.first - seconds * way.dispatch / way.epoch),
    )


def lines(epochs: Sequence[Epoch]) -> str:
    """The table, with a line on what is in an epoch."""
    width = max(len("device"), *(len(one.device) for one in epochs))
    row = f"{{:18}} {{:{width}}} {{:>9}} {{:>9}} {{:>11}}  {{:23}} {{:>9}}  {{}}"
    head = ("way", "device", "epoch", "steps/s", "examples/s", f"of {AGAINST} [quartiles]", "compiling", "")
    cells = [head] + [
        (
            one.way,
            one.device,
            table.quantity(one.seconds, "s"),
            f"{one.steps_per_second:,.0f}",
            f"{one.examples_per_second:,.0f}",
            f"{one.ratio:.3f} [{one.lower:.3f}, {one.upper:.3f}]",
            table.quantity(one.compiling, "s"),
            f"extrapolated from {one.measured_steps} steps" if one.measured_steps < one.steps else "",
        )
        for one in epochs
    ]
    return "\n".join(row.format(*line).rstrip() for line in cells)


NOTES = """
An epoch is making its batches, its steps, and waiting for the parameters; with scan the examples are on the
device, and an epoch is one dispatch. Compiling is the first dispatch less what a later one takes, and no part of it."""


def run(name: str, rounds: int, json_file: Path | None, threads: int, versions: Mapping[str, str | None]) -> int:
    """Measure on the dataset called `name`, print the table and write the file; the exit status.

    DataError where the dataset is not to be had.
    """
    dataset = load(name)
    experiment = jax_in_action(dataset)
    print(table.conditions(threads, rounds, False, versions))
    print(f"{experiment.model.name} on {dataset.name}, batches of {experiment.batch_size}", end="\n\n", flush=True)
    epochs = epochs_of(dataset, rounds)
    print(lines(epochs), NOTES, sep="\n")
    if json_file is not None:
        how = {"dataset": dataset.name, "model": experiment.model.name, "batch_size": experiment.batch_size}
        how |= {"rounds": rounds, "threads": threads, "versions": versions}
        write_json(json_file, how | {"epochs": [one._asdict() for one in epochs]})
        print(f"wrote {json_file}")
    return 0
