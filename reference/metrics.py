"""What is reported beside the loss: measures that add up over the batches of an evaluation.

A metric is three functions: `init(jax)` gives a state, `update(jax, state, outputs, labels)` takes a batch
in, `result(jax, state)` says what has come together. States are pytrees, so `update` may be jitted. Batches
may have any sizes: every example counts the same.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from .engines import Array, Engine

__all__ = [
    "MeanState",
    "Metric",
    "PrecisionRecall",
    "accuracy",
    "add_to_mean",
    "confusion_matrix",
    "correct",
    "mean_loss",
    "no_mean",
    "precision_recall",
    "precision_recall_of",
]


class Metric(NamedTuple):
    """`init(jax) -> state`, `update(jax, state, outputs, labels) -> state` and `result(jax, state)`."""

    init: Callable[[Engine], Any]
    update: Callable[[Engine, Any, Array, Array], Any]
    result: Callable[[Engine, Any], Any]


def correct(jax: Engine, logits: Array, labels: Array) -> Array:
    """How many rows of `logits`, f[..., classes], have their largest entry at `labels`, i[...]; i32[].

    Labels may be probabilities, f[..., classes], of which the largest counts; other shapes raise ValueError. A count,
    not a mean, so that batches of different sizes add up to the exact accuracy.
    """
    hits = jax.numpy.argmax(logits, axis=-1) == _classes(jax, logits, labels)
    return jax.numpy.sum(hits, dtype=jax.numpy.int32)


def _classes(jax: Engine, outputs: Array, labels: Array) -> Array:
    """The numbers of the right classes, i[...]."""
    if outputs.shape[-1] == 1:
        raise ValueError(
            f"outputs of shape {outputs.shape} have one entry for each example, which is always the largest; "
            "for two classes take two outputs, or a metric of your own"
        )
    if labels.shape == outputs.shape:
        return jax.numpy.argmax(labels, axis=-1)
    if labels.shape != outputs.shape[:-1]:
        raise ValueError(
            f"outputs of shape {outputs.shape} and labels of shape {labels.shape}; labels are class numbers of shape "
            f"{outputs.shape[:-1]}, or probabilities in the shape of the outputs"
        )
    return labels


class MeanState(NamedTuple):
    """Examples so far, i32[], and the mean over them, f[]."""

    count: Array
    mean: Array


def no_mean(jax: Engine) -> MeanState:
    """Before the first example."""
    return MeanState(jax.numpy.zeros((), jax.numpy.int32), jax.numpy.zeros(()))


def add_to_mean(state: MeanState, value: Array, examples: int) -> MeanState:
    """The mean with `examples` more, over which `value`, f[], is the mean."""
    count = state.count + examples
    # a mean that moves keeps its digits over many batches, where a sum would outgrow what is added to it
    share = examples / count.astype(state.mean.dtype)
    return MeanState(count, state.mean + (value - state.mean).astype(state.mean.dtype) * share)


def mean_loss(loss: Callable[[Engine, Any, Array], Array]) -> Metric:
    """The mean over all examples of `loss`, which is itself the mean over a batch; NaN before the first one."""

    def update(jax: Engine, state: MeanState, outputs: Any, labels: Array) -> MeanState:
        return add_to_mean(state, loss(jax, outputs, labels), len(labels))

    def result(jax: Engine, state: MeanState) -> Array:
        return jax.numpy.where(state.count == 0, jax.numpy.nan, state.mean)

    return Metric(no_mean, update, result)


class CountState(NamedTuple):
    """Labels so far, and how many of them were guessed right; both i32[]."""

    count: Array
    right: Array


def accuracy() -> Metric:
    """The share of labels (see `correct`) at which `outputs`, f[..., classes], are largest; NaN before the first."""

    def init(jax: Engine) -> CountState:
        return CountState(jax.numpy.zeros((), jax.numpy.int32), jax.numpy.zeros((), jax.numpy.int32))

    def update(jax: Engine, state: CountState, outputs: Array, labels: Array) -> CountState:
        count = math.prod(outputs.shape[:-1])
        return CountState(state.count + count, state.right + correct(jax, outputs, labels))

    def result(jax: Engine, state: CountState) -> Array:
        return jax.numpy.where(state.count == 0, jax.numpy.nan, state.right / jax.numpy.maximum(state.count, 1))

    return Metric(init, update, result)


def confusion_matrix(classes: int) -> Metric:
    """i32[classes, classes]: how many examples of the class of the row were taken for that of the column.

    Of outputs f[batch, classes] the largest is the guess. The state is the matrix itself.
    """

    def init(jax: Engine) -> Array:
        return jax.numpy.zeros((classes, classes), jax.numpy.int32)

    def update(jax: Engine, matrix: Array, outputs: Array, labels: Array) -> Array:
        return matrix.at[_classes(jax, outputs, labels), jax.numpy.argmax(outputs, axis=-1)].add(1)

    return Metric(init, update, lambda jax, matrix: matrix)


class PrecisionRecall(NamedTuple):
    """For each class, f[classes]; 0 where there is nothing to divide by."""

    precision: Array
    """of the examples taken for the class, the share that is of it"""
    recall: Array
    """of the examples of the class, the share that was taken for it"""
    f1: Array
    """their harmonic mean"""


def precision_recall_of(jax: Engine, matrix: Array) -> PrecisionRecall:
    """Precision, recall and F1 from a confusion matrix, rows for the true classes."""
    hits, guessed, there = jax.numpy.diagonal(matrix), jax.numpy.sum(matrix, axis=0), jax.numpy.sum(matrix, axis=1)

    def share(part: Array, whole: Array) -> Array:
        return part / jax.numpy.maximum(whole, 1)

    return PrecisionRecall(share(hits, guessed), share(hits, there), share(2 * hits, guessed + there))


def precision_recall(classes: int) -> Metric:
    """`PrecisionRecall` of all examples so far; the state is their confusion matrix."""
    return confusion_matrix(classes)._replace(result=precision_recall_of)
