"""Two engines train the same model in lockstep: same key, same batches, and how far apart they get."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from .batches import batch_count
from .data import Dataset
from .engines import Engine, Params, precision
from .recipes import Recipe, Results
from .training import Evaluation, Experiment, Trainer, TrainState, steps_in_epoch, training_batches

__all__ = [
    "Comparison",
    "Difference",
    "EpochRow",
    "ParameterDifference",
    "Tolerance",
    "compare",
    "parameter_difference",
    "tolerance_for",
]


class Tolerance(NamedTuple):
    """How far apart is still agreement; None: not looked at."""

    loss: float | None = None
    """relative, at every step"""
    parameters: float | None = None
    """largest difference over largest entry, for each leaf"""
    epoch_loss: float | None = None
    """absolute, of the mean over an epoch"""
    accuracy: float | None = None
    """absolute, of the share that is right"""


def tolerance_for(*, x64: bool, recipe: Recipe | None = None) -> Tolerance:
    """A recipe's own; else 1e-4 for losses and 1e-3 for parameters, or 1e-9 for both in float64."""
    if recipe is not None:
        return Tolerance(epoch_loss=recipe.loss_tolerance, accuracy=recipe.accuracy_tolerance)
    return Tolerance(loss=1e-9, parameters=1e-9) if x64 else Tolerance(loss=1e-4, parameters=1e-3)


class Difference(NamedTuple):
    """Absolute and relative; `inf` stands for NaN, so that no comparison overlooks it."""

    absolute: float = 0.0
    relative: float = 0.0

    def larger(self, other: "Difference") -> "Difference":
        """The larger of each of the two."""
        return Difference(max(self.absolute, other.absolute), max(self.relative, other.relative))


class ParameterDifference(NamedTuple):
    """The parameters after `step` updates; `leaf` has the largest relative difference."""

    step: int
    leaf: str
    difference: Difference


class EpochRow(NamedTuple):
    """One row of the table; lists are in the order of the engines, differences the largest so far."""

    epoch: int
    steps: int
    train_loss: list[float]
    test: list[Evaluation]
    loss_difference: Difference
    parameter_difference: Difference
    seconds: list[float]


@dataclass
class Comparison:
    """What was seen. The second of the two engines is the one that the first is measured by."""

    engines: list[str]
    tolerance: Tolerance
    headline: str = "accuracy"
    """the measure that the table shows after each epoch"""
    losses: list[list[float]] = field(default_factory=lambda: [[], []])
    """for each engine the loss of every step"""
    examples: list[int] = field(default_factory=list)
    """in the batch of every step"""
    parameters: list[ParameterDifference] = field(default_factory=list)
    epochs: list[EpochRow] = field(default_factory=list)
    first_step_seconds: list[float] = field(default_factory=list)
    """tracing and compilation included"""
    failures: dict[str, str] = field(default_factory=dict)
    """for each kind of disagreement a sentence about its first occurrence"""

    @property
    def agree(self) -> bool:
        """Whether nothing was beyond tolerance."""
        return not self.failures

    def fail(self, kind: str, sentence: str) -> None:
        """Keep the first sentence of each kind."""
        self.failures.setdefault(kind, sentence)

    def loss_differences(self) -> list[Difference]:
        """At every step."""
        return [_scalar_difference(ours, theirs) for ours, theirs in zip(*self.losses, strict=True)]

    def largest_loss_difference(self) -> Difference:
        """Over all steps so far."""
        return _largest(self.loss_differences())

    def largest_parameter_difference(self) -> Difference:
        """Over all steps at which parameters were compared."""
        return _largest([p.difference for p in self.parameters])


def _largest(differences: list[Difference]) -> Difference:
    largest = Difference()
    for difference in differences:
        largest = largest.larger(difference)
    return largest


def _nan_is_inf(value: float) -> float:
    return math.inf if math.isnan(value) else float(value)


def _scalar_difference(ours: float, theirs: float) -> Difference:
    absolute = _nan_is_inf(abs(ours - theirs))
    return Difference(absolute, _ratio(absolute, abs(theirs)))


def _ratio(absolute: float, scale: float) -> float:
    if absolute == 0:
        return 0.0
    return _nan_is_inf(absolute / scale) if scale else math.inf


def parameter_difference(
    jax: Engine, ours: Params, theirs: Params, step: int, *, exempt: Sequence[str] = ()
) -> ParameterDifference:
    """The largest difference in any leaf; relative means over the largest entry of that leaf of `theirs`.

    Leaves whose names contain one of `exempt` are left out. Raises ValueError when the two are
    not even of the same structure, shapes and dtypes.
    """
    ours, theirs = _named_leaves(jax, ours), _named_leaves(jax, theirs)
    forms = [{name: (a.shape, a.dtype.name) for name, a in side.items()} for side in (ours, theirs)]
    if forms[0] != forms[1]:
        raise ValueError(f"the parameters differ in form: {forms[0]} against {forms[1]}")
    largest, worst = Difference(), next(iter(ours), "")
    for name, b in theirs.items():
        if any(part in name for part in exempt):
            continue
        with np.errstate(invalid="ignore"):  # inf - inf
            absolute = _nan_is_inf(np.abs(ours[name] - b).max(initial=0.0))
        difference = Difference(absolute, _ratio(absolute, float(np.abs(b).max(initial=0.0))))
        if difference.relative > largest.relative:
            worst = name
        largest = largest.larger(difference)
    return ParameterDifference(step, worst, largest)


def _named_leaves(jax: Engine, params: Params) -> dict[str, np.ndarray]:
    leaves = jax.tree_util.tree_leaves_with_path(params)
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}


class _Side:
    """One engine's half of the comparison, with its clock."""

    def __init__(self, name: str, jax: Engine, experiment: Experiment) -> None:
        self.name = name
        self.jax = jax
        self.trainer = Trainer(jax, experiment)
        self.seconds: list[float] = []

    def step(self, x: np.ndarray, y: np.ndarray) -> float:
        """One update, timed until all of its results are there; the loss before it."""
        start = time.perf_counter()
        loss = self.trainer.step(x, y)
        self.jax.block_until_ready(self.trainer.state)
        self.seconds.append(time.perf_counter() - start)
        return float(loss)


@contextmanager
def _all_in(engines: Mapping[str, Engine], *, x64: bool) -> Iterator[None]:
    with ExitStack() as stack:
        for jax in engines.values():
            stack.enter_context(precision(jax, x64=x64))
            # a GPU would round what it multiplies to 10 bits otherwise
            stack.enter_context(jax.default_matmul_precision("highest"))
        yield


def compare(
    engines: Mapping[str, Engine],
    experiment: Experiment,
    dataset: Dataset,
    *,
    tolerance: Tolerance,
    x64: bool = False,
    check_every: int = 10,
    measured: Results | None = None,
    on_epoch: Callable[[EpochRow], None] = lambda row: None,
    progress: bool = False,
) -> Comparison:
    """Train `experiment` on both engines in lockstep and compare losses at every step.

    Parameters are compared before the first step, at each `check_every`-th, and at the end of an epoch.
    Both engines are also held to `measured`, a recipe's results, as far as the training gets. A loss
    that is not finite ends the training; disagreement does not, so that the picture shows it grow.
    """
    dtype = np.float64 if x64 else np.float32
    with _all_in(engines, x64=x64):
        sides = [_Side(name, jax, experiment) for name, jax in engines.items()]
        seen = Comparison(list(engines), tolerance, experiment.headline)
        _compare_parameters(seen, sides, 0)
        for epoch in range(experiment.epochs):
            before = len(seen.losses[0])
            for x, y in _batches(experiment, dataset, epoch, dtype, progress=progress):
                step = _compare_step(seen, sides, x, y)
                if step % check_every == 0:
                    _compare_parameters(seen, sides, step)
                if "finite" in seen.failures:
                    return seen
            if len(seen.losses[0]) == before:
                break
            _end_epoch(seen, sides, epoch, before, dataset, dtype)
            on_epoch(seen.epochs[-1])
        if measured is not None:
            _compare_results(seen, experiment, dataset, measured)
    return seen


def _compare_step(seen: Comparison, sides: list[_Side], x: np.ndarray, y: np.ndarray) -> int:
    """One batch on both engines; how many there have been."""
    losses = [side.step(x, y) for side in sides]
    seen.examples.append(len(y))
    for history, loss in zip(seen.losses, losses, strict=True):
        history.append(loss)
    step = len(seen.losses[0])
    if step == 1:
        seen.first_step_seconds = [side.seconds[0] for side in sides]
    texts = " and ".join(f"{loss!r} with {side.name}" for loss, side in zip(losses, sides, strict=True))
    if not all(map(math.isfinite, losses)):
        seen.fail("finite", f"the training diverged: at step {step} the loss is {texts}")
    relative, allowed = _scalar_difference(*losses).relative, seen.tolerance.loss
    if allowed is not None and relative > allowed:
        seen.fail("loss", f"at step {step} the loss is {texts}: {relative:.1e} relative; {allowed:.0e} is allowed")
    return step


def _compare_parameters(seen: Comparison, sides: list[_Side], step: int) -> None:
    if seen.parameters and seen.parameters[-1].step == step:
        return
    ours, theirs = (_compared(side.trainer.state) for side in sides)
    exempt = sides[0].trainer.experiment.exempt
    found = parameter_difference(sides[1].jax, ours, theirs, step, exempt=exempt)
    seen.parameters.append(found)
    relative, allowed = found.difference.relative, seen.tolerance.parameters
    if allowed is not None and relative > allowed:
        seen.fail(
            "parameters",
            f"after step {step} the parameters {found.leaf} differ by {relative:.1e} of their largest "
            f"entry; {allowed:.0e} is allowed",
        )


def _compared(state: TrainState) -> Params:
    """The parameters; where the model has a state of its own, that as well."""
    return (state.params, state.model_state) if state.model_state != () else state.params


def _batches(
    experiment: Experiment, dataset: Dataset, epoch: int, dtype: type, *, progress: bool
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The batches of an epoch, which a bar on the terminal counts when there is `progress`."""
    # disable=None: no bar where the output is not a terminal
    return tqdm(
        training_batches(experiment, dataset, epoch, dtype=dtype),
        total=steps_in_epoch(experiment, dataset, epoch),
        desc=f"epoch {epoch + 1}",
        leave=False,
        disable=None if progress else True,
    )


def _end_epoch(
    seen: Comparison,
    sides: list[_Side],
    epoch: int,
    before: int,
    dataset: Dataset,
    dtype: type,
) -> None:
    """Evaluate on the test set and add the row of the table; its steps are those from `before` on."""
    steps = len(seen.losses[0])
    _compare_parameters(seen, sides, steps)
    row = EpochRow(
        epoch,
        steps,
        # a last batch that is not full counts for less
        train_loss=[float(np.average(losses[before:], weights=seen.examples[before:])) for losses in seen.losses],
        test=[side.trainer.evaluate(dataset, dtype) for side in sides],
        loss_difference=seen.largest_loss_difference(),
        parameter_difference=seen.largest_parameter_difference(),
        seconds=[sum(side.seconds[before:]) for side in sides],
    )
    seen.epochs.append(row)
    limit = seen.tolerance
    _compare_scalars(seen, "epoch loss", f"mean loss of epoch {epoch + 1}", row.train_loss, limit.epoch_loss)
    if limit.accuracy is not None:
        accuracies = [evaluation["accuracy"] for evaluation in row.test]
        _compare_scalars(seen, "accuracy", f"accuracy after epoch {epoch + 1}", accuracies, limit.accuracy)


def _compare_scalars(seen: Comparison, kind: str, what: str, values: list[float], allowed: float | None) -> None:
    if allowed is not None and not abs(values[0] - values[1]) <= allowed:
        sides = " and ".join(f"{value:.5f} with {name}" for value, name in zip(values, seen.engines))
        seen.fail(kind, f"the {what} is {sides}; a difference of {allowed} is allowed")


def _compare_results(seen: Comparison, experiment: Experiment, dataset: Dataset, measured: Results) -> None:
    """Hold each engine to a recipe's results: the first epoch once it is whole, the last once all are."""
    per_epoch = batch_count(len(dataset.x_train), experiment.batch_size, drop_last=experiment.drop_last)
    whole, limit = len(seen.losses[0]) // per_epoch, seen.tolerance
    for i, name in enumerate(seen.engines):
        expected = []
        if whole >= 1:
            first = seen.epochs[0].train_loss[i]
            expected.append(("loss of the first epoch", first, measured.first_loss, limit.epoch_loss))
        if whole == measured.epochs:
            loss, accuracy = seen.epochs[-1].train_loss[i], seen.epochs[-1].test[i]["accuracy"]
            expected.append(("loss of the last epoch", loss, measured.last_loss, limit.epoch_loss))
            expected.append(("final accuracy", accuracy, measured.accuracy, limit.accuracy))
        for what, value, wanted, allowed in expected:
            if allowed is not None and not abs(value - wanted) <= allowed:
                seen.fail(
                    f"{what} {name}",
                    f"the {what} with {name} is {value:.5f}; the recipe gives {wanted}, within {allowed}",
                )
