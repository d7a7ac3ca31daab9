"""The face that Keras gave to training: a `Model` with `fit`, `evaluate`, `predict`, `summary`, `save` and `load`.

    import jax  # or: import minijax as jax
    from reference.highlevel import Model
    from reference.models import mlp

    model = Model(jax, mlp.mlp((64, 128, 10)), optimizer="adam", rate=0.002)
    model.fit(x, y, epochs=10, validation=(x_test, y_test), callbacks=[EarlyStopping(patience=2)])
    model.predict(x_test).argmax(axis=1)

Below it is what the other modules of this package say openly: a network (`reference.models.Model`), an objective,
an optimiser, and `reference.training.fit`.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .data import Dataset, split
from .data.streams import Stream
from .engines import Array, Engine
from .losses import softmax_cross_entropy
from .metrics import Metric, accuracy
from .models import Model as Network
from .optimizers import OPTIMIZERS, Optimizer
from .parallel.data_parallel import data_parallel
from .parallel.devices import choose_devices
from .parallel.sharding import sharded
from .schedules import Schedule
from .tasks import MODELS, settings
from .training import (
    ONE_DEVICE,
    Callback,
    Evaluation,
    Execution,
    Experiment,
    Feed,
    Folder,
    History,
    Objective,
    Trainer,
    arrays_feed,
    evaluation_batches,
    feed_of,
    fit,
    init_state,
    load_tree,
    save_tree,
    slices,
    supervised,
)
from .training.checkpoints import Mismatch, named_leaves
from .training.experiment import EVALUATION_BATCH

__all__ = ["Model"]

Pair = tuple[np.ndarray, np.ndarray]


class Model:
    """A network with its loss, its optimiser and its state on one engine.

    `network` is what a module of `reference.models` gives. `optimizer` is one, or a name in `OPTIMIZERS`, for which
    `rate` is a number or a schedule. `objective` takes the place of `loss` where the outputs are not simply compared
    with y. The default metric is the accuracy, with the default loss.
    """

    def __init__(
        self,
        jax: Engine,
        network: Network,
        *,
        loss: Callable[[Engine, Any, Array], Array] = softmax_cross_entropy,
        objective: Objective | None = None,
        optimizer: str | Optimizer = "adam",
        rate: float | Schedule | None = None,
        metrics: Mapping[str, Metric] | None = None,
        seed: int = 0,
    ) -> None:
        if metrics is None:
            metrics = {"accuracy": accuracy()} if objective is None and loss is softmax_cross_entropy else {}
        if isinstance(optimizer, str):
            if optimizer not in OPTIMIZERS:
                raise ValueError(f"there is no optimiser {optimizer!r}; there are: {', '.join(OPTIMIZERS)}")
            rate = OPTIMIZERS[optimizer].rate if rate is None else rate
            optimizer = OPTIMIZERS[optimizer].make(rate)
        elif rate is not None:
            raise ValueError("the rate belongs to an optimiser given by its name; this one has its own")
        self.jax = jax
        self.network = network
        self.objective = supervised(network, loss) if objective is None else objective
        self.optimizer = optimizer
        self.rate = rate
        self.metrics = dict(metrics)
        self.seed = seed
        self.state = init_state(jax, network, optimizer, seed)
        self.history = History()
        """of all calls of `fit`"""
        self.stopped: str | None = None
        """why the last call of `fit` ended before its last epoch"""
        self.execution: Execution = ONE_DEVICE
        self._apply = jax.jit(self._outputs)

    @classmethod
    def named(cls, jax: Engine, name: str, dataset: Dataset, **changes: Any) -> "Model":
        """One of MODELS, with the sizes that the dataset asks for; `changes` are arguments of `Model`."""
        if name not in MODELS:
            raise ValueError(f"there is no model {name!r}; there are: {', '.join(MODELS)}")
        task, network = MODELS[name], MODELS[name].model(dataset)
        arguments = {"objective": task.objective(network, dataset), "metrics": task.metrics(dataset)} | changes
        if isinstance(arguments.get("optimizer", ""), Optimizer):
            return cls(jax, network, **arguments)
        usual = settings(name, optimizer=arguments.pop("optimizer", None), rate=arguments.pop("rate", None))
        optimizer = task.optimizer_of(usual.optimizer, usual.rate)
        made = cls(jax, network, optimizer=optimizer, **arguments)
        made.rate = usual.rate
        return made

    def distributed(self, devices: int | None = None, *, how: str = "shard") -> "Model":
        """Train on so many devices (None: all) from now on; this model itself.

        Each gets a part of every batch: `how` is "shard" (a jitted step whose arrays are divided) or "pmap" (a step for
        each device, gradients averaged). Results are those of one device, up to rounding.
        """
        chosen = choose_devices(self.jax, devices)
        ways = {"shard": lambda: sharded(self.jax, chosen), "pmap": lambda: data_parallel(chosen)}
        if how not in ways:
            raise ValueError(f"there is no way {how!r} to distribute; there are: {', '.join(ways)}")
        self.execution = ways[how]()
        return self

    def fit(
        self,
        x: np.ndarray | Dataset | Feed | Iterable[Pair],
        y: np.ndarray | None = None,
        *,
        epochs: int = 1,
        batch_size: int = 32,
        validation: Pair | None = None,
        validation_split: float = 0.0,
        shuffle: bool = True,
        callbacks: Sequence[Callback] = (),
        resume: Path | str | Folder | None = None,
        progress: bool = True,
    ) -> History:
        """Train for `epochs` more, and give the history of these and all before.

        The data are arrays x and y (of which `validation_split` can be held back), a Dataset, or batches (x, y) that
        can be iterated again and again, such as a PyTorch DataLoader (see `data/streams.py`). With `resume`, a folder
        of a `ModelCheckpoint`, `epochs` are those of the whole training, which goes on where it stopped.
        """
        experiment = self._experiment(len(self.history) + epochs, batch_size, shuffle=shuffle)
        feed = self._feed(experiment, x, y, validation, validation_split)
        outcome = fit(
            self.jax,
            experiment,
            feed,
            callbacks=callbacks,
            resume=resume,
            execution=self.execution,
            progress=progress,
            start=(self.jax.tree.map(self.jax.numpy.array, self.state), self.history),
        )
        self.state, self.history, self.stopped = outcome
        return self.history

    def _experiment(self, epochs: int, batch_size: int, *, shuffle: bool = True) -> Experiment:
        return Experiment(
            self.network,
            self.objective,
            self.optimizer,
            batch_size,
            epochs,
            metrics=self.metrics,
            seed=self.seed,
            shuffle=shuffle,
            drop_last=False,
            rate=self.rate,
        )

    def _feed(
        self, experiment: Experiment, x: Any, y: np.ndarray | None, validation: Pair | None, share: float
    ) -> Feed:
        if y is not None:
            x, y = np.asarray(x), np.asarray(y)
            if share:
                train, held = split(len(x), share, seed=self.seed)
                validation, x, y = (x[held], y[held]), x[train], y[train]
            return arrays_feed(experiment, x, y, validation)
        if share:
            raise ValueError(
                "validation_split divides arrays x and y; give a Dataset or batches their own `validation`"
            )
        if isinstance(x, Feed):
            return x
        if isinstance(x, Dataset):
            return feed_of(experiment, x)
        if not hasattr(x, "__iter__") or isinstance(x, np.ndarray):
            raise TypeError("fit takes x and y, a Dataset, or something that yields batches (x, y)")
        batches = x if isinstance(x, Stream) else Stream(x)
        return Feed(
            lambda epoch, skip: itertools.islice(batches, skip, None),
            None if validation is None else lambda: slices(*validation, EVALUATION_BATCH),
        )

    def evaluate(
        self, x: np.ndarray | Dataset | Iterable[Pair], y: np.ndarray | None = None, *, batch_size: int = 1000
    ) -> Evaluation:
        """The mean loss and the metrics, over arrays, the test set of a Dataset, or batches (x, y)."""
        if y is not None:
            batches: Iterable[Pair] = slices(np.asarray(x), np.asarray(y), batch_size)
        else:
            batches = evaluation_batches(x, batch_size=batch_size) if isinstance(x, Dataset) else x
        trainer = Trainer(self.jax, self._experiment(1, batch_size), execution=self.execution, state=self.state)
        return trainer.evaluate_batches(batches)

    def predict(self, x: np.ndarray, *, batch_size: int = 1000) -> Any:
        """The outputs of the network for all of x, as NumPy arrays."""
        x = np.asarray(x)
        if not len(x):
            raise ValueError("predict needs at least one example")
        parts = [
            self._apply(self.state.params, self.state.model_state, x[start : start + batch_size])
            for start in range(0, len(x), batch_size)
        ]
        return self.jax.tree.map(lambda *leaves: np.concatenate([np.asarray(leaf) for leaf in leaves]), *parts)

    def _outputs(self, params: Any, model_state: Any, x: Array) -> Any:
        return self.network.apply(self.jax, params, model_state, x, key=None, train=False)[0]

    def summary(self) -> str:
        """A table of all parameters with their shapes, dtypes and sizes; `print` it."""
        rows = [(name, _form(leaf), leaf.size) for name, leaf in named_leaves(self.jax, self.state.params).items()]
        carried = self.jax.tree.leaves(self.state.model_state)
        width = max([len(row[0]) for row in rows] + [9])
        form = max([len(row[1]) for row in rows] + [5])
        lines = [self.network.name, f"{'parameter':<{width}}  {'array':<{form}}  {'numbers':>12}"]
        lines += [f"{name:<{width}}  {array:<{form}}  {size:>12,}" for name, array, size in rows]
        lines.append(f"{'all':<{width}}  {'':<{form}}  {sum(row[2] for row in rows):>12,}")
        if carried:
            lines.append(f"and {sum(leaf.size for leaf in carried):,} numbers that change without a gradient")
        return "\n".join(lines)

    def save(self, path: Path | str) -> None:
        """Write everything that training has changed, and the history; either engine reads it."""
        notes = {"model": self.network.name, "history": self.history.rows}
        save_tree(self.jax, Path(path), self.state, notes)

    def load(self, path: Path | str, *, partly: bool = False) -> Mismatch:
        """Take up what `save` wrote, or a checkpoint; what had to be converted or, with `partly`, did not fit."""
        self.state, notes, found = load_tree(self.jax, Path(path), self.state, partly=partly)
        self.history = History(notes.get("history"))
        return found


def _form(leaf: Array) -> str:
    return f"{leaf.dtype.name}[{', '.join(map(str, leaf.shape))}]"
