"""What happens beside a training: callbacks that the loop calls, and those that people know.

| callback | what it does |
|---|---|
| `ModelCheckpoint` | keeps the training in files, to go on with and to choose the best from |
| `EarlyStopping` | ends it when a measure no longer gets better |
| `CSVLogger` | writes the history as a table after each epoch |
| `LearningRateLogger` | puts the learning rate into the history |
| `Profile` | a trace of some steps by `jax.profiler` |

`TensorBoard` stands in a file of its own, as it needs a package of its own.
"""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .checkpoints import Folder
from .history import Row, higher_is_better

if TYPE_CHECKING:
    from .loop import Loop

__all__ = [
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "LearningRateLogger",
    "ModelCheckpoint",
    "Profile",
]


class Callback:
    """The moments at which a training calls; each of these does nothing until a subclass says what."""

    def on_begin(self, loop: "Loop") -> None:
        """Before the first step, with the state from which it starts or goes on."""

    def on_step(self, loop: "Loop") -> None:
        """After each update, which the device may still be computing; `loop.step` counts it."""

    def on_measures(self, loop: "Loop", step: int, measures: Row) -> None:
        """Once the measures of a step are known, some steps after it."""

    def on_epoch(self, loop: "Loop", row: Row) -> None:
        """After an epoch and its evaluation. What is put into the row here, stays in the history."""

    def on_interrupt(self, loop: "Loop") -> None:
        """When the training ends before its time, by Ctrl-C or SIGTERM: a last chance to keep it."""

    def on_end(self, loop: "Loop") -> None:
        """Once, however the training has ended."""

    def saved(self) -> Any:
        """What has to be kept in a checkpoint to go on as if nothing had been; as JSON can hold it."""
        return None

    def restore(self, saved: Any) -> None:
        """Take up again what `saved` gave."""


def _can_be_monitored(loop: "Loop", name: str, who: str) -> None:
    """ValueError for a measure of an evaluation where there is none: before the first epoch rather than after it."""
    if name.startswith("val_") and loop.feed.evaluation is None:
        raise ValueError(
            f"{who} watches {name!r}, and there is nothing to evaluate on: give fit validation data, or watch 'loss'"
        )


def monitored(row: Row, name: str, who: str) -> float:
    """A measure of an epoch. ValueError says which there are."""
    if name not in row:
        raise ValueError(f"{who} watches {name!r}, which is not among the measures: {', '.join(row)}")
    return row[name]


class ModelCheckpoint(Callback):
    """Keep the last `keep` states in `folder`, and the one of the epoch in which `monitor` was best.

    It writes after each epoch, after every `every_steps` updates if that is given, and at Ctrl-C. `fit(...,
    resume=folder)` goes on from the last one.
    """

    def __init__(
        self,
        folder: Path | str | Folder,
        *,
        keep: int = 3,
        monitor: str = "val_loss",
        every_steps: int | None = None,
    ) -> None:
        self.folder = folder if isinstance(folder, Folder) else Folder(folder, keep=keep)
        self.monitor = monitor
        self.every_steps = every_steps
        self._saved = -1
        """the step of the last checkpoint"""

    def on_begin(self, loop: "Loop") -> None:
        _can_be_monitored(loop, self.monitor, "ModelCheckpoint")
        # with files of later steps there, those of this training would be taken for old ones, and deleted
        if self.folder.files() if loop.step == 0 else self.folder.has_after(loop.step):
            raise ValueError(
                f"{self.folder.path} holds a training already, whose checkpoints would pass for those of this one: "
                "go on with it by fit(..., resume=folder), take another folder, or delete them by Folder(path).clear()"
            )

    def on_step(self, loop: "Loop") -> None:
        if self.every_steps is not None and loop.step % self.every_steps < loop.made:
            self._save(loop, None)

    def on_epoch(self, loop: "Loop", row: Row) -> None:
        value = monitored(row, self.monitor, "ModelCheckpoint")
        sign = 1 if higher_is_better(self.monitor) else -1
        self._save(loop, None if math.isnan(value) else sign * value)

    def on_interrupt(self, loop: "Loop") -> None:
        if self._saved != loop.step:  # after an epoch it stands there already, with its score
            self._save(loop, None)

    def _save(self, loop: "Loop", score: float | None) -> None:
        loop.settle()  # a state that is not finite must not take the place of a good one
        self._saved = loop.step
        state = loop.whole_state()  # all processes have to take part in this
        if loop.jax.process_index() == 0:
            self.folder.save(loop.jax, state, loop.step, loop.notes(), score=score)


class EarlyStopping(Callback):
    """End the training when `monitor` has not got better by more than `min_delta` for `patience` epochs."""

    def __init__(self, monitor: str = "val_loss", *, patience: int = 3, min_delta: float = 0.0) -> None:
        self.monitor = monitor
        self.patience = patience
        self.min_delta = min_delta
        self.best: float | None = None
        """the best value so far"""
        self.waited = 0
        """epochs since then"""

    def on_begin(self, loop: "Loop") -> None:
        _can_be_monitored(loop, self.monitor, "EarlyStopping")
        if self.waited < self.patience and loop.stopped == self._reason():
            loop.stopped = None  # with less patience it was ended, with more it goes on

    def on_epoch(self, loop: "Loop", row: Row) -> None:
        value = monitored(row, self.monitor, "EarlyStopping")
        if self._better(value):
            self.best, self.waited = value, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            loop.stop(self._reason())

    def _better(self, value: float) -> bool:
        """NaN is never better than anything, and anything else better than it."""
        if math.isnan(value) or self.best is None:
            return not math.isnan(value)
        gain = value - self.best if higher_is_better(self.monitor) else self.best - value
        return gain > self.min_delta

    def _reason(self) -> str:
        than = "NaN" if self.best is None else f"{self.best:.6g}"
        return f"{self.monitor} has not got better than {than} for {self.waited} epochs"

    def saved(self) -> Any:
        return {"best": self.best, "waited": self.waited}

    def restore(self, saved: Any) -> None:
        self.best, self.waited = saved["best"], saved["waited"]


class CSVLogger(Callback):
    """Write the whole history to `path` after each epoch; a resumed training has all of its epochs in it."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def on_epoch(self, loop: "Loop", row: Row) -> None:
        loop.history.write_csv(self.path)


class LearningRateLogger(Callback):
    """Put the learning rate after each epoch into its row, as "learning_rate"."""

    def on_begin(self, loop: "Loop") -> None:
        if loop.learning_rate() is None:
            raise ValueError("LearningRateLogger: the experiment does not say what its rate is; give it `rate`")

    def on_epoch(self, loop: "Loop", row: Row) -> None:
        row["learning_rate"] = loop.learning_rate()


class Profile(Callback):
    """A trace of `steps` updates after the first `skip`, which compile, for `tensorboard` or ui.perfetto.dev."""

    def __init__(self, folder: Path | str, *, skip: int = 3, steps: int = 10) -> None:
        self.folder = Path(folder)
        self.skip = skip
        self.steps = steps
        self._seen = 0
        self._running = False

    def on_begin(self, loop: "Loop") -> None:
        if not hasattr(loop.jax, "profiler"):
            raise ValueError(f"{loop.jax.__name__} has no profiler; traces are made with the engine jax")

    def on_step(self, loop: "Loop") -> None:
        self._seen += 1
        if self._seen == self.skip:
            loop.jax.block_until_ready(loop.trainer.state)
            loop.jax.profiler.start_trace(str(self.folder))
            self._running = True
        elif self._seen == self.skip + self.steps:
            self.on_end(loop)

    def on_end(self, loop: "Loop") -> None:
        if self._running:
            loop.jax.block_until_ready(loop.trainer.state)
            loop.jax.profiler.stop_trace()
            self._running = False
