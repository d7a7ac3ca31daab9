"""Optimisers made of others: for some of the parameters, every so many steps, with averages kept."""

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

from ..engines import Array, Engine, Params
from .base import (
    Optimizer,
    apply_updates,
    bias_corrected,
    identity,
    moving_average,
    no_steps,
    stateless,
    zeros_like,
)

__all__ = [
    "AverageState",
    "accumulate_gradients",
    "ema",
    "freeze",
    "keep_average",
    "masked",
    "multi_transform",
]

Labels = Any  # a pytree like the parameters or the top of one, or a function (jax, params) that gives it


def freeze() -> Optimizer:
    """Updates of zero: the parameters stay as they are."""
    return stateless(lambda jax, updates, params: zeros_like(jax, updates))


def _refuse_per_example(name: str, *parts: Optimizer) -> None:
    if any(part.per_example for part in parts):
        raise ValueError(f"{name}: not for a part that wants a gradient for each example; chain it before {name}")


# ----------------------------------------------------------------- for some of the parameters


def multi_transform(parts: Mapping[Hashable, Optimizer], labels: Labels) -> Optimizer:
    """For each leaf the part that its label names.

    `labels` is a tree of labels in the structure of the parameters, of the top of it (one label for a
    whole layer), or a function `labels(jax, params)` that gives one. The state has one entry for each part.
    Raises ValueError for a label without a part.
    """
    _refuse_per_example("multi_transform", *parts.values())

    def init(jax: Engine, params: Params) -> dict:
        named = _label_leaves(jax, labels, params, parts)
        return {label: part.init(jax, _only(jax, label, named, params)) for label, part in parts.items()}

    def update(jax: Engine, updates: Params, states: dict, params: Params) -> tuple[Params, dict]:
        named = _label_leaves(jax, labels, params, parts)
        results, following = {}, {}
        for label, part in parts.items():
            mine = _only(jax, label, named, updates)
            results[label], following[label] = part.update(jax, mine, states[label], _only(jax, label, named, params))
        order = list(results)

        def pick(label, *choices):
            return choices[order.index(label)]

        return jax.tree.map(pick, named, *results.values()), following

    return Optimizer(init, update)


def _label_leaves(jax: Engine, labels: Labels, params: Params, parts: Mapping) -> Params:
    """A label for every leaf of the parameters."""
    labels = labels(jax, params) if callable(labels) else labels
    named = jax.tree.map(lambda label, below: jax.tree.map(lambda _: label, below), labels, params)
    unknown = sorted({str(label) for label in jax.tree.leaves(named) if label not in parts})
    if unknown:
        possible = ", ".join(map(str, parts))
        raise ValueError(f"multi_transform: no part for the labels {', '.join(unknown)}; there are: {possible}")
    return named


def _only(jax: Engine, label: Hashable, named: Params, tree: Params) -> Params:
    """The tree with None, which has no leaves, in place of all leaves with other labels."""
    return jax.tree.map(lambda name, leaf: leaf if name == label else None, named, tree)


def masked(inner: Optimizer, mask: Labels) -> Optimizer:
    """`inner` for the leaves where `mask` is True; the updates of the others as they are.

    `mask` is a tree of True and False, or a function `mask(jax, params)`, as the labels of `multi_transform`.
    """
    return multi_transform({True: inner, False: identity()}, mask)


# ----------------------------------------------------------------- every so many steps


class AccumulationState(NamedTuple):
    """Gradients since the last step, i32[], their mean, and the state of the inner optimiser."""

    count: Array
    mean: Params
    inner: Any


def accumulate_gradients(inner: Optimizer, every: int) -> Optimizer:
    """One step of `inner` with the mean of each `every` gradients; updates of zero in between.

    A batch that does not fit into memory is so taken in pieces of one size.
    """
    if every < 1:
        raise ValueError(f"accumulate_gradients: every is {every}; write 1 or more")
    _refuse_per_example("accumulate_gradients", inner)

    def init(jax: Engine, params: Params) -> AccumulationState:
        return AccumulationState(no_steps(jax), zeros_like(jax, params), inner.init(jax, params))

    def update(
        jax: Engine, grads: Params, state: AccumulationState, params: Params
    ) -> tuple[Params, AccumulationState]:
        count = state.count + 1
        mean = jax.tree.map(lambda m, g: m + (g - m) / count.astype(m.dtype), state.mean, grads)

        def step(mean: Params, inner_state: Any) -> tuple[Params, AccumulationState]:
            updates, inner_state = inner.update(jax, mean, inner_state, params)
            return updates, AccumulationState(no_steps(jax), zeros_like(jax, mean), inner_state)

        def wait(mean: Params, inner_state: Any) -> tuple[Params, AccumulationState]:
            return zeros_like(jax, mean), AccumulationState(count, mean, inner_state)

        return jax.lax.cond(count == every, step, wait, mean, state.inner)

    return Optimizer(init, update)


# ----------------------------------------------------------------- averages


class EmaState(NamedTuple):
    """Updates made so far, i32[], and their moving average."""

    step: Array
    average: Params


def ema(decay: float, *, debias: bool = True) -> Optimizer:
    """The moving average of the updates in place of them, corrected for its start at zero with `debias`."""

    def init(jax: Engine, params: Params) -> EmaState:
        return EmaState(no_steps(jax), zeros_like(jax, params))

    def update(jax: Engine, updates: Params, state: EmaState, params: Params) -> tuple[Params, EmaState]:
        step = state.step + 1
        average = moving_average(jax, decay, state.average, updates)
        return (bias_corrected(jax, average, decay, step) if debias else average), EmaState(step, average)

    return Optimizer(init, update)


class AverageState(NamedTuple):
    """The moving average of the parameters, and the state of the inner optimiser."""

    average: Params
    inner: Any


def keep_average(inner: Optimizer, decay: float) -> Optimizer:
    """`inner`, with the moving average of the parameters, from the first ones on, in `state.average`.

    The average often does better on new examples than the parameters themselves (Polyak and Juditsky, 1992).
    """

    def init(jax: Engine, params: Params) -> AverageState:
        # new arrays: a training step that donates its state may not find one buffer in it twice
        return AverageState(jax.tree.map(lambda p: p * 1, params), inner.init(jax, params))

    def update(jax: Engine, grads: Params, state: AverageState, params: Params) -> tuple[Params, AverageState]:
        updates, inner_state = inner.update(jax, grads, state.inner, params)
        average = moving_average(jax, decay, state.average, apply_updates(jax, params, updates))
        return updates, AverageState(average, inner_state)

    return Optimizer(init, update, per_example=inner.per_example)
