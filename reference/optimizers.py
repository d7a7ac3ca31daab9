"""Optimisers, in the shape optax gave them: a pair of functions over pytrees.

`init(jax, params)` makes the optimiser's state; `update(jax, grads, state, params)` turns gradients into
updates, which `apply_updates` adds to the parameters, and gives the next state. Small transformations
chained one after the other make the optimisers that people know by name.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from .engines import Array, Engine, Params
from .schedules import Schedule

__all__ = [
    "OPTIMIZERS",
    "Optimizer",
    "adam",
    "apply_updates",
    "chain",
    "momentum",
    "nesterov",
    "scale_by_adam",
    "scale_by_learning_rate",
    "sgd",
    "trace",
]


class Optimizer(NamedTuple):
    """`init(jax, params) -> state` and `update(jax, grads, state, params) -> (updates, state)`."""

    init: Callable[[Engine, Params], Any]
    update: Callable[[Engine, Params, Any, Params], tuple[Params, Any]]


def apply_updates(jax: Engine, params: Params, updates: Params) -> Params:
    """params + updates, leaf by leaf."""
    return jax.tree.map(lambda p, u: p + u, params, updates)


def chain(*parts: Optimizer) -> Optimizer:
    """The parts one after the other, each working on the updates of the one before."""

    def init(jax: Engine, params: Params) -> tuple:
        return tuple(part.init(jax, params) for part in parts)

    def update(jax: Engine, updates: Params, states: tuple, params: Params) -> tuple[Params, tuple]:
        following = []
        for part, state in zip(parts, states, strict=True):
            updates, state = part.update(jax, updates, state, params)
            following.append(state)
        return updates, tuple(following)

    return Optimizer(init, update)


def scale_by_learning_rate(rate: float | Schedule) -> Optimizer:
    """-rate * update: the step downhill. A schedule needs the number of updates made so far, its state."""
    schedule = rate if callable(rate) else lambda jax, step: rate

    def init(jax: Engine, params: Params) -> Array:
        return _no_steps(jax)

    def update(jax: Engine, updates: Params, step: Array, params: Params) -> tuple[Params, Array]:
        minus = -schedule(jax, step)
        return jax.tree.map(lambda u: jax.numpy.asarray(minus, dtype=u.dtype) * u, updates), step + 1

    return Optimizer(init, update)


def trace(decay: float, *, lookahead: bool = False) -> Optimizer:
    """Momentum: t = g + decay * t. With `lookahead` the update is g + decay * t, one step further on.

    The second is Nesterov's momentum as Sutskever et al. (2013) write it for updates of the same size.
    """

    def init(jax: Engine, params: Params) -> Params:
        return jax.tree.map(jax.numpy.zeros_like, params)

    def update(jax: Engine, grads: Params, traces: Params, params: Params) -> tuple[Params, Params]:
        def accumulate(g, t):
            return g + decay * t

        traces = jax.tree.map(accumulate, grads, traces)
        return (jax.tree.map(accumulate, grads, traces) if lookahead else traces), traces

    return Optimizer(init, update)


class AdamState(NamedTuple):
    """Updates made so far, i32[], and the running means of g and g ** 2, in the shape of the parameters."""

    step: Array
    mean: Params
    square: Params


def scale_by_adam(b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> Optimizer:
    """mean(g) / (sqrt(mean(g ** 2)) + eps), both corrected for their start at zero (Kingma and Ba, 2015)."""

    def init(jax: Engine, params: Params) -> AdamState:
        zeros = jax.numpy.zeros_like
        return AdamState(_no_steps(jax), jax.tree.map(zeros, params), jax.tree.map(zeros, params))

    def update(jax: Engine, grads: Params, state: AdamState, params: Params) -> tuple[Params, AdamState]:
        step = state.step + 1
        mean = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, state.mean, grads)
        square = jax.tree.map(lambda s, g: b2 * s + (1 - b2) * g * g, state.square, grads)
        correct_mean = 1 - jax.numpy.power(b1, step)
        correct_square = 1 - jax.numpy.power(b2, step)

        def direction(m, s):
            root = jax.numpy.sqrt(s / correct_square.astype(s.dtype))
            return m / correct_mean.astype(m.dtype) / (root + eps)

        return jax.tree.map(direction, mean, square), AdamState(step, mean, square)

    return Optimizer(init, update)


def sgd(rate: float | Schedule) -> Optimizer:
    """Gradient descent: -rate * g."""
    return scale_by_learning_rate(rate)


def momentum(rate: float | Schedule, decay: float = 0.9) -> Optimizer:
    """Gradient descent with momentum (Polyak, 1964)."""
    return chain(trace(decay), scale_by_learning_rate(rate))


def nesterov(rate: float | Schedule, decay: float = 0.9) -> Optimizer:
    """Gradient descent with Nesterov's momentum."""
    return chain(trace(decay, lookahead=True), scale_by_learning_rate(rate))


def adam(rate: float | Schedule, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> Optimizer:
    """Adam (Kingma and Ba, 2015)."""
    return chain(scale_by_adam(b1, b2, eps), scale_by_learning_rate(rate))


def _no_steps(jax: Engine) -> Array:
    return jax.numpy.zeros((), dtype=jax.numpy.int32)


class Choice(NamedTuple):
    """An optimiser by name: how to make it from a learning rate, and a rate that suits a small network.

    Much higher rates train faster at first, but on the edge of divergence, where rounding errors grow.
    """

    make: Callable[[float | Schedule], Optimizer]
    rate: float


OPTIMIZERS = {
    "sgd": Choice(sgd, 0.2),
    "momentum": Choice(momentum, 0.05),
    "nesterov": Choice(nesterov, 0.05),
    "adam": Choice(adam, 0.001),
}
