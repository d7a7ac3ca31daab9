"""The loop over epochs and batches: what `fit` runs."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from ..data import Dataset
from ..data.prefetch import prefetch
from ..engines import Array, Engine
from ..optimizers.base import value_at
from .callbacks import Callback, ModelCheckpoint
from .checkpoints import Checkpoint, CheckpointError, Folder, restore_tree
from .clock import Clock
from .divergence import diverged
from .execution import ONE_DEVICE, Execution
from .experiment import Experiment, Feed, feed_of
from .history import History
from .signals import Caught, catch
from .state import TrainState, init_state
from .step import Batch
from .trainer import Trainer

__all__ = ["Loop", "Outcome", "fit"]

LOOK_EVERY = 20  # steps between two looks at measures: each look waits for the device


class Outcome(NamedTuple):
    """What a training has led to."""

    state: TrainState
    history: History
    stopped: str | None
    """why it ended before its last epoch; None when it did not"""


class _Placed(NamedTuple):
    """A batch, and what has become of it for the step."""

    batch: Batch
    placed: Any


class _Pending(NamedTuple):
    """A step whose measures have not been looked at; its batch is kept until they have."""

    step: int
    batch: Batch
    measures: dict[str, Array]


class Loop:
    """A training in progress: what callbacks are given."""

    def __init__(
        self,
        jax: Engine,
        experiment: Experiment,
        feed: Feed,
        *,
        callbacks: Sequence[Callback] = (),
        execution: Execution = ONE_DEVICE,
        ahead: int = 0,
        progress: bool = True,
        notes: dict[str, Any] | None = None,
        resume: Checkpoint | None = None,
        start: tuple[TrainState, History] | None = None,
    ) -> None:
        if wrong := [callback for callback in callbacks if not isinstance(callback, Callback)]:
            raise TypeError(f"callbacks are objects of classes derived from Callback, not {wrong[0]!r}")
        self.jax = jax
        self.experiment = experiment
        self.feed = feed
        # the files come last: they hold what the other callbacks have made of an epoch
        self.callbacks = sorted(callbacks, key=lambda callback: isinstance(callback, ModelCheckpoint))
        state, self.history = start or (None, History())
        self.clock = Clock()
        self.epoch = len(self.history)
        """epochs that are over"""
        self.batch = 0
        """batches of the epoch that have been trained on"""
        self.made = 0
        """updates made by the last call of the step"""
        self.stopped: str | None = None
        self._ahead = ahead
        self._progress = progress
        self._notes = notes or {}
        self._sums: dict[str, float] = {}
        self._examples = 0
        self._pending: list[_Pending] = []
        self._shapes: set = set()
        if state is None:
            state = init_state(jax, experiment.model, experiment.optimizer, experiment.seed)
        if resume is not None:
            state = self._resume(state, resume)
        self.step = int(state.step)
        """updates made so far"""
        self.trainer = Trainer(jax, experiment, measure=True, watch=True, execution=execution, state=state)

    # ------------------------------------------------------------- what callbacks use

    def stop(self, reason: str) -> None:
        """End the training after this step or epoch."""
        self.stopped = self.stopped or reason

    def whole_state(self) -> TrainState:
        """The state as one device would have it."""
        return self.trainer.execution.whole_state(self.jax, self.trainer.state)

    def learning_rate(self) -> float | None:
        """Of the next step, where the experiment says it."""
        rate = self.experiment.rate
        return None if rate is None else float(value_at(self.jax, rate, self.whole_state().step))

    def notes(self) -> dict[str, Any]:
        """What a checkpoint holds beside the state: enough to go on exactly from here."""
        return {
            **self._notes,
            "epoch": self.epoch,
            "batch": self.batch,
            "order": self.feed.order,
            "sums": self._sums,
            "examples": self._examples,
            "history": self.history.rows,
            "stopped": self.stopped,
            "callbacks": [[type(callback).__name__, callback.saved()] for callback in self.callbacks],
        }

    def settle(self) -> None:
        """Look at the measures of all steps so far. Raises TrainingDiverged when one of them is not finite."""
        pending, self._pending = self._pending, []
        for last, batch, measures in pending:
            steps, count = self._size(batch)
            if not self.trainer.execution.many:
                self._look(last, batch, measures, count)
                continue
            measures = {name: np.asarray(values) for name, values in measures.items()}
            for i in range(steps):
                self._look(last - steps + 1 + i, batch, {name: values[i] for name, values in measures.items()}, count)

    def _look(self, step: int, batch: Batch, measures: dict[str, Array], count: int) -> None:
        """At the measures of one step with `count` examples."""
        finite = measures.pop("finite", np.ones(()))
        numbers = {"loss": float(measures.pop("loss"))}  # first, as JAX sorts the names
        numbers |= {name: float(value) for name, value in measures.items() if value.ndim == 0}
        if not (np.isfinite(numbers["loss"]) and np.asarray(finite).all()):
            state = self.whole_state()
            raise diverged(self.jax, state, batch, step=step, epoch=self.epoch, loss=numbers["loss"], finite=finite)
        self._examples += count
        for name, number in numbers.items():
            self._sums[name] = self._sums.get(name, 0.0) + number * count
        for callback in self.callbacks:
            callback.on_measures(self, step, numbers)

    def _size(self, batch: Batch) -> tuple[int, int]:
        """How many steps one call makes of a batch, and the examples in each."""
        return batch.shape if self.trainer.execution.many else (1, len(batch[1]))

    # ------------------------------------------------------------- running

    def run(self) -> Outcome:
        """Train to the end."""
        with catch() as caught:
            try:
                for callback in self.callbacks:
                    callback.on_begin(self)
                while self.stopped is None and not self.finished:
                    self._run_epoch(caught)
            finally:
                for callback in self.callbacks:
                    callback.on_end(self)
        return Outcome(self.whole_state(), self.history, self.stopped)

    @property
    def finished(self) -> bool:
        """Whether there is no epoch left, or no step."""
        return self.epoch >= self.experiment.epochs or not self._more()

    def _more(self) -> bool:
        return self.experiment.steps is None or self.step < self.experiment.steps

    def _run_epoch(self, caught: Caught) -> None:
        del self.history.rows[self.epoch :]  # an epoch that was cut short by its last step goes on
        self.clock.begin()
        with closing(self._batches()) as batches:
            for placed in batches:
                self._train_on(placed)
                if caught.number is not None:
                    self._interrupt(caught)
                if self.stopped is not None or not self._more():
                    break
        self.settle()
        self.jax.block_until_ready(self.trainer.state)
        if self.batch:
            self._end_epoch(caught)
        else:
            self.stop("there are no batches")

    def _batches(self) -> Iterator[_Placed]:
        """The rest of the epoch's batches, placed for the step, with a bar on the terminal."""
        place_batch = self.trainer.execution.place_batch

        def place(batch: Batch) -> _Placed:
            return _Placed(batch, place_batch(self.jax, batch))

        rest = self._up_to_the_last_step(self.feed.training(self.epoch, self.batch))
        every: Iterable[_Placed] = prefetch(rest, size=self._ahead, place=place) if self._ahead else map(place, rest)
        total = self.feed.steps
        if total is not None and self.experiment.steps is not None:
            total = min(total, self.batch + self.experiment.steps - self.step)
        # disable=None: no bar where the output is not a terminal
        with tqdm(
            total=total,
            initial=self.batch,
            desc=f"epoch {self.epoch + 1}/{self.experiment.epochs}",
            leave=False,
            disable=None if self._progress else True,
        ) as bar:
            for placed in every:
                yield placed
                bar.update(self._size(placed.batch)[0])
                if self._examples and not self._pending:
                    bar.set_postfix(loss=f"{self._sums['loss'] / self._examples:.4f}", refresh=False)

    def _up_to_the_last_step(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """As many batches as there are steps to be made; of many in one call the first ones."""
        left = np.inf if self.experiment.steps is None else self.experiment.steps - self.step
        for batch in batches:
            steps = self._size(batch)[0]
            if left <= 0:
                return
            yield batch if steps <= left else batch[:left]
            left -= steps

    def _train_on(self, item: _Placed) -> None:
        batch, placed = item
        self.made, examples = self._size(batch)
        shapes = tuple((leaf.shape, leaf.dtype) for leaf in self.jax.tree.leaves(batch))
        if shapes in self._shapes:
            measures = self.trainer.train(placed)
            self.clock.count(self.made * examples, self.made)
        else:
            self._shapes.add(shapes)
            self.jax.block_until_ready(self.trainer.state)
            with self.clock.compiling():
                measures = self.trainer.train(placed)
                self.jax.block_until_ready(self.trainer.state)
        self.step += self.made
        self.batch += self.made
        self._pending.append(_Pending(self.step, batch, dict(measures)))
        if len(self._pending) >= LOOK_EVERY:
            self.settle()
        with self.clock.outside():
            for callback in self.callbacks:
                callback.on_step(self)

    def _end_epoch(self, caught: Caught) -> None:
        """Evaluate, and add the row. From here on the position is the beginning of the next epoch.

        But for an epoch that the last step has cut short: a training with more steps goes on in the middle of it.
        """
        row = {"epoch": self.epoch + 1, "step": self.step}
        row |= {name: total / self._examples for name, total in self._sums.items()}
        row |= self.clock.row()
        if self.feed.evaluation is not None:
            found = self.trainer.evaluate_batches(self.feed.evaluation())
            row |= {f"val_{name}": value for name, value in found.items() if isinstance(value, float)}
        self.history.rows.append(row)
        if self._more() or self.feed.steps is None or self.batch >= self.feed.steps:
            self.epoch += 1
            self.batch, self._sums, self._examples = 0, {}, 0
        for callback in self.callbacks:
            callback.on_epoch(self, row)
            row |= {name: _number(name, value) for name, value in row.items()}
        if caught.number is not None:
            self._interrupt(caught)

    def _interrupt(self, caught: Caught) -> None:
        for callback in self.callbacks:
            callback.on_interrupt(self)
        caught.raise_it()

    # ------------------------------------------------------------- going on

    def _resume(self, like: TrainState, checkpoint: Checkpoint) -> TrainState:
        state, found = restore_tree(self.jax, like, checkpoint.arrays)
        if not found.fits:
            raise CheckpointError(f"{checkpoint.path} holds another model or optimiser: {found}")
        if found.dtypes:
            print(f"{checkpoint.path}: {found}", file=sys.stderr)
        notes = checkpoint.notes
        if "batch" not in notes:
            raise CheckpointError(
                f"{checkpoint.path} holds a state but no place in a training; it can be loaded, and trained anew"
            )
        if notes["batch"] and notes["order"] != self.feed.order:
            raise CheckpointError(
                f"{checkpoint.path} was written in the middle of an epoch, and its batches were others: "
                f"{notes['order']} then, {self.feed.order} now"
            )
        self.epoch, self.batch = notes["epoch"], notes["batch"]
        self._sums, self._examples = notes["sums"], notes["examples"]
        self.history = History(notes["history"])
        self.stopped = notes["stopped"]
        self._restore_callbacks(notes["callbacks"])
        return state

    def _restore_callbacks(self, saved: list[list]) -> None:
        """Each takes up what the one of its name left; of several the first what the first left."""
        left = list(saved)
        for callback in self.callbacks:
            of_its_name = [pair for pair in left if pair[0] == type(callback).__name__]
            if of_its_name:
                left.remove(of_its_name[0])
                if of_its_name[0][1] is not None:
                    callback.restore(of_its_name[0][1])


def _number(name: str, value: Any) -> float:
    """An entry of a row, as files can hold it."""
    if isinstance(value, int | float):
        return value
    if getattr(value, "ndim", None) == 0:
        return float(value)
    raise TypeError(f"the row of an epoch holds numbers, and a callback has put {value!r} there as {name!r}")


def fit(
    jax: Engine,
    experiment: Experiment,
    data: Dataset | Feed,
    *,
    callbacks: Sequence[Callback] = (),
    resume: Path | str | Folder | Checkpoint | None = None,
    dtype: type = np.float32,
    execution: Execution = ONE_DEVICE,
    ahead: int = 0,
    progress: bool = True,
    notes: dict[str, Any] | None = None,
    start: tuple[TrainState, History] | None = None,
) -> Outcome:
    """Train, and give the last state, the history, and why it ended early if it did.

    `resume` is a folder of checkpoints, from the last of which the training goes on as if it had never stopped; with
    none in it, it starts from the beginning. `ahead` batches are made in a thread while a step runs. `notes`, as JSON
    can hold them, go into every checkpoint. `start` is a state, which is used up, and the epochs that led to it.

    Raises TrainingDiverged when the loss or a gradient is no longer finite, and KeyboardInterrupt after Ctrl-C, once
    the step that runs is over and a `ModelCheckpoint` among the callbacks has written it.
    """
    if isinstance(resume, (str, Path)):
        resume = Folder(resume)
    feed = data if isinstance(data, Feed) else feed_of(experiment, data, dtype=dtype)
    loop = Loop(
        jax,
        experiment,
        feed,
        callbacks=callbacks,
        execution=execution,
        ahead=ahead,
        progress=progress,
        notes=notes,
        start=start,
        resume=resume.read() if isinstance(resume, Folder) else resume,
    )
    return loop.run()
