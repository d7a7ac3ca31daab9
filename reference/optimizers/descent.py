"""Gradient descent and what is a small step from it: momentum, noise, a look back."""

from typing import NamedTuple

from ..engines import Array, Engine, Params
from ..schedules import Schedule
from .base import Optimizer, chain, no_steps, zeros_like
from .updates import add_noise, scale_by_learning_rate

__all__ = [
    "momentum",
    "nesterov",
    "noisy_sgd",
    "optimistic_gradient_descent",
    "scale_by_optimistic_gradient",
    "sgd",
    "trace",
]


def trace(decay: float, *, lookahead: bool = False) -> Optimizer:
    """Momentum: t = g + decay * t. With `lookahead` the update is g + decay * t, one step further on.

    The second is Nesterov's momentum as Sutskever et al. (2013) write it for updates of the same size.
    """

    def update(jax: Engine, grads: Params, traces: Params, params: Params) -> tuple[Params, Params]:
        def accumulate(g, t):
            return g + decay * t

        traces = jax.tree.map(accumulate, grads, traces)
        return (jax.tree.map(accumulate, grads, traces) if lookahead else traces), traces

    return Optimizer(zeros_like, update)


def sgd(rate: float | Schedule) -> Optimizer:
    """Gradient descent: -rate * g."""
    return scale_by_learning_rate(rate)


def momentum(rate: float | Schedule, decay: float = 0.9) -> Optimizer:
    """Gradient descent with momentum (Polyak, 1964)."""
    return chain(trace(decay), scale_by_learning_rate(rate))


def nesterov(rate: float | Schedule, decay: float = 0.9) -> Optimizer:
    """Gradient descent with Nesterov's momentum."""
    return chain(trace(decay, lookahead=True), scale_by_learning_rate(rate))


def noisy_sgd(rate: float | Schedule, eta: float = 0.01, gamma: float = 0.55, seed: int = 0) -> Optimizer:
    """Gradient descent with noise that fades, of variance eta / t ** gamma (Neelakantan et al., 2015)."""
    return chain(add_noise(eta, gamma, seed), scale_by_learning_rate(rate))


class OptimisticState(NamedTuple):
    """Updates made so far, i32[], and the gradient of the last one."""

    step: Array
    gradient: Params


def scale_by_optimistic_gradient(alpha: float = 1.0, beta: float = 1.0) -> Optimizer:
    """(alpha + beta) * g - beta * (the gradient before), which is g itself at the first update."""

    def init(jax: Engine, params: Params) -> OptimisticState:
        return OptimisticState(no_steps(jax), zeros_like(jax, params))

    def update(jax: Engine, grads: Params, state: OptimisticState, params: Params) -> tuple[Params, OptimisticState]:
        def extrapolate(g, before):
            return (alpha + beta) * g - beta * jax.numpy.where(state.step == 0, g, before)

        return jax.tree.map(extrapolate, grads, state.gradient), OptimisticState(state.step + 1, grads)

    return Optimizer(init, update)


def optimistic_gradient_descent(rate: float | Schedule, alpha: float = 1.0, beta: float = 1.0) -> Optimizer:
    """Optimistic gradient descent, which does not circle around the solution of a game (Mokhtari et al., 2020)."""
    return chain(scale_by_optimistic_gradient(alpha, beta), scale_by_learning_rate(rate))
