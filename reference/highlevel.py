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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from .tasks import MODELS, check_known, settings
from .training import (
    ONE_DEVICE,
    Callback,
    CheckpointError,
    Evaluation,
    Execution,
    Experiment,
    Feed,
    Folder,
    History,
    Loop,
    Objective,
    Trainer,
    TrainingDiverged,
    TrainState,
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

_RATE_OF_ITS_OWN = "the rate belongs to an optimiser given by its name; this one has its own"


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
        if not callable(loss):
            raise TypeError(f"loss is a function such as reference.losses.mse, not {loss!r}")
        if metrics is not None and not isinstance(metrics, Mapping):
            raise TypeError("metrics are a dict of them by name, such as {'accuracy': reference.metrics.accuracy()}")
        if metrics is None:
            metrics = {"accuracy": accuracy()} if objective is None and loss is softmax_cross_entropy else {}
        if isinstance(optimizer, str):
            check_known("optimiser", optimizer, OPTIMIZERS)
            rate = OPTIMIZERS[optimizer].rate if rate is None else rate
            optimizer = OPTIMIZERS[optimizer].make(rate)
        elif rate is not None:
            raise ValueError(_RATE_OF_ITS_OWN)
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
        # also with its labels smoothed, by functools.partial
        self._classifies = objective is None and getattr(loss, "func", loss) is softmax_cross_entropy
        self._apply = jax.jit(self._outputs)
        self._forms: dict[Any, Any] = {}
        """the forms of outputs, by those of examples"""

    @classmethod
    def named(cls, jax: Engine, name: str, dataset: Dataset, **changes: Any) -> "Model":
        """One of MODELS, with the sizes that the dataset asks for; `changes` are arguments of `Model`."""
        check_known("model", name, MODELS)
        task = MODELS[name]
        if unsuitable := task.unsuitable(dataset):
            raise ValueError(f"{name} {unsuitable}")
        network = task.model(dataset)
        arguments = {"metrics": task.metrics(dataset)} | changes
        optimizer, rate = arguments.pop("optimizer", None), arguments.pop("rate", None)
        if not isinstance(optimizer, Optimizer):
            usual = settings(name, optimizer=optimizer, rate=rate)
            optimizer, rate = task.optimizer_of(usual.optimizer, usual.rate), usual.rate
        elif rate is not None:
            raise ValueError(_RATE_OF_ITS_OWN)
        else:
            optimizer = task.around(optimizer)
        its_own = "loss" not in changes and "objective" not in changes
        if its_own:
            arguments["objective"] = task.objective(network, dataset)
        made = cls(jax, network, optimizer=optimizer, **arguments)
        made.rate = rate
        made._classifies = task.classifies if its_own else made._classifies
        return made

    def distributed(self, devices: int | None = None, *, how: str = "shard") -> "Model":
        """Train on so many devices (None: all) from now on; this model itself.

        Each gets a part of every batch: `how` is "shard" (a jitted step whose arrays are divided) or "pmap" (a step for
        each device, gradients averaged). Results are those of one device, up to rounding; but with "pmap" batch
        normalisation goes by each device's own examples, and each device drops units of its own.
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

        After Ctrl-C, or an error of a callback or of the data, the model is as far as it has come; the history has
        the whole epochs. When the training diverges, it is as it was before.
        """
        _check_count("epochs", epochs, least=0)
        _check_count("batch_size", batch_size)
        before = 0 if resume is not None else len(self.history)
        experiment = self._experiment(before + epochs, batch_size, shuffle=shuffle)
        feed = self._feed(experiment, x, y, validation, validation_split)
        reached = _Reached()
        try:
            outcome = fit(
                self.jax,
                experiment,
                feed,
                callbacks=[reached, *callbacks],
                resume=resume,
                execution=self.execution,
                progress=progress,
                start=(self.jax.tree.map(self.jax.numpy.array, self.state), History(list(self.history))),
            )
        except TrainingDiverged:
            raise
        except BaseException:
            if reached.state is not None:
                self.state, self.history, self.stopped = reached.state, reached.history, None
            raise
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
        if share and (y is None or validation is not None):
            raise ValueError(
                "validation_split divides arrays x and y; give a Dataset or batches their own `validation`, "
                "and leave one of the two out"
            )
        if validation is not None:
            if not isinstance(validation, tuple | list) or len(validation) != 2:
                raise TypeError("validation is a pair (x, y) of arrays")
            validation = self._pair(*validation)
        if y is not None:
            x, y = self._pair(x, y)
            if share:
                train, held = split(len(x), share, seed=self.seed)
                validation, x, y = (x[held], y[held]), x[train], y[train]
            return arrays_feed(experiment, x, y, validation)
        if isinstance(x, Feed):
            return x
        if isinstance(x, Dataset):
            feed = feed_of(experiment, x)
            self._check_dataset(x)
            return feed if validation is None else feed._replace(evaluation=lambda: _slices(validation))
        batches = _stream("fit", x)
        return Feed(
            lambda epoch, skip: itertools.islice(map(self._checked, batches), skip, None),
            None if validation is None else lambda: _slices(validation),
        )

    def _check_dataset(self, dataset: Dataset) -> None:
        for x, y in ((dataset.x_train, dataset.y_train), (dataset.x_test, dataset.y_test)):
            self._checked((dataset.inputs(x[:1]), y))

    def _pair(self, x: Any, y: Any) -> Pair:
        """Arrays with one y for each x, and at least one."""
        x, y = np.asarray(x), np.asarray(y)
        if x.ndim == 0 or y.ndim == 0 or len(x) != len(y):
            raise ValueError(f"x of shape {x.shape} and y of shape {y.shape}: one y is needed for each x")
        if not len(x):
            raise ValueError("x and y hold no examples")
        return self._checked((x, y))

    def _checked(self, batch: Pair) -> Pair:
        """The same batch; ValueError where the network cannot take x, or y are no classes of its outputs.

        With a number that is no class, its example would add nothing to the loss, and nobody would notice.
        """
        if len(batch) != 2:
            raise ValueError(f"a batch is a pair (x, y); this one has {len(batch)} arrays")
        x, y = batch
        if not self._classifies or not len(x):
            return batch
        outputs = self._form_of_outputs(x)
        if y.ndim < outputs.ndim:
            _check_classes(y, outputs.shape[-1])
        return batch

    def _form_of_outputs(self, x: np.ndarray) -> Any:
        """Shapes and dtypes of what one example leads to; ValueError where the network cannot take it."""
        form = (x.shape[1:], x.dtype)
        if form not in self._forms:
            try:
                found = self.jax.eval_shape(self._outputs, self.state.params, self.state.model_state, x[:1])
            except (TypeError, ValueError, LookupError) as error:
                raise ValueError(
                    f"{self.network.name} cannot take x of shape {x.shape} and dtype {x.dtype}, whose first axis "
                    f"counts the examples (one example alone is x[None]): {error}"
                ) from error
            self._forms[form] = found
        return self._forms[form]

    def evaluate(
        self, x: np.ndarray | Dataset | Iterable[Pair], y: np.ndarray | None = None, *, batch_size: int = 1000
    ) -> Evaluation:
        """The mean loss and the metrics, over arrays, the test set of a Dataset, or batches (x, y)."""
        _check_count("batch_size", batch_size)
        if y is not None:
            batches: Iterable[Pair] = _slices(self._pair(x, y), batch_size)
        elif isinstance(x, Dataset):
            self._check_dataset(x)
            batches = evaluation_batches(x, batch_size=batch_size)
        else:
            batches = map(self._checked, _stream("evaluate", x))
        trainer = Trainer(self.jax, self._experiment(1, batch_size), execution=self.execution, state=self.state)
        return trainer.evaluate_batches(batches)

    def predict(self, x: np.ndarray, *, batch_size: int = 1000) -> Any:
        """The outputs of the network for all of x, as NumPy arrays."""
        _check_count("batch_size", batch_size)
        if isinstance(x, Dataset):
            raise TypeError("predict takes an array of examples; those of a dataset are data.inputs(data.x_test)")
        x = np.asarray(x)
        if not x.ndim or not len(x):
            raise ValueError("predict needs at least one example")
        self._form_of_outputs(x)
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
        if Path(path).is_dir():
            raise CheckpointError(f"{path} is a folder; load one of its files: Folder({str(path)!r}).best()")
        self.state, notes, found = load_tree(self.jax, Path(path), self.state, partly=partly)
        self.history = History(notes.get("history"))
        return found


class _Reached(Callback):
    """How far a training has come when it ends, unless its state is gone: given to a step that was broken off."""

    state: TrainState | None = None
    history: History

    def on_end(self, loop: Loop) -> None:
        if not any(leaf.is_deleted() for leaf in loop.jax.tree.leaves(loop.trainer.state)):
            self.state, self.history = loop.whole_state(), loop.history


def _stream(who: str, x: Any) -> Stream:
    """What yields batches; TypeError where it is something else."""
    if isinstance(x, Stream):
        return x
    if hasattr(x, "shape") or isinstance(x, str | Mapping) or not (callable(x) or isinstance(x, Iterable)):
        raise TypeError(f"{who} takes x and y, a Dataset, or something that yields batches (x, y)")
    return Stream((lambda: x) if who == "evaluate" and isinstance(x, Iterator) else x)


def _slices(pair: Pair, size: int = EVALUATION_BATCH) -> Iterator[Pair]:
    return slices(*pair, size)


def _check_count(name: str, value: int, *, least: int = 1) -> None:
    if not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} is a whole number of at least {least}, not {value!r}")


def _check_classes(y: np.ndarray, classes: int) -> None:
    if y.dtype.kind not in "iu":
        raise ValueError(f"y holds {y.dtype}, and classes are whole numbers from 0 on, such as int32")
    wrong = y[(y < 0) | (y >= classes)]
    if len(wrong):
        raise ValueError(f"y holds the class {wrong.flat[0]}, and the outputs are of {classes} classes from 0 on")


def _form(leaf: Array) -> str:
    return f"{leaf.dtype.name}[{', '.join(map(str, leaf.shape))}]"
