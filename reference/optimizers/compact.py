"""Optimisers that remember less than a number for every parameter: sums over rows and columns of a matrix."""

import functools
from typing import NamedTuple

from ..engines import Array, Engine, Params
from ..schedules import Schedule
from .base import Optimizer, chain, map_several, moving_average, no_steps, stateless, zeros_like
from .updates import clip_by_rms, scale_by_learning_rate

__all__ = ["adafactor", "scale_by_factored_rms", "scale_by_parameter_rms", "scale_by_sm3", "sm3"]


# ----------------------------------------------------------------- Adafactor


class FactoredState(NamedTuple):
    """Updates made so far, i32[]; for each leaf a pair (rows, columns) of means of g ** 2, or one of all of it."""

    step: Array
    squares: Params


def scale_by_factored_rms(decay: float = 0.8, smallest: int = 128, eps: float = 1e-30) -> Optimizer:
    """g / sqrt(mean(g ** 2)), where the mean is kept by rows and by columns, and their product stands for it.

    So it is for leaves of two axes of at least `smallest`; others keep it whole. At the t-th update the
    mean decays by 1 - t ** -decay.
    """

    def init(jax: Engine, params: Params) -> FactoredState:
        def leaf(p):
            axes = _factored_axes(p.shape, smallest)
            shapes = [p.shape] if axes is None else [_without(p.shape, axis) for axis in axes]
            return tuple(jax.numpy.zeros(shape, p.dtype) for shape in shapes)

        return FactoredState(no_steps(jax), jax.tree.map(leaf, params))

    def update(jax: Engine, grads: Params, state: FactoredState, params: Params) -> tuple[Params, FactoredState]:
        step = state.step + 1
        keep = 1 - jax.numpy.power(step, -decay)

        def leaf(g, means):
            axes = _factored_axes(g.shape, smallest)
            squares = jax.numpy.square(g) + eps
            seen = (squares,) if axes is None else tuple(jax.numpy.mean(squares, axis) for axis in axes)
            kept = keep.astype(g.dtype)
            means = tuple(kept * m + (1 - kept) * s for m, s in zip(means, seen, strict=True))
            return g * _inverse_root(jax, means, axes), means

        updates, squares = map_several(jax, leaf, 2, grads, state.squares)
        return updates, FactoredState(step, squares)

    return Optimizer(init, update)


def _factored_axes(shape: tuple[int, ...], smallest: int) -> tuple[int, int] | None:
    """The longest axis and the next one, if both are long enough."""
    order = sorted(range(len(shape)), key=lambda axis: shape[axis])
    return None if len(shape) < 2 or shape[order[-2]] < smallest else (order[-1], order[-2])


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return shape[:axis] + shape[axis + 1 :]


def _inverse_root(jax: Engine, means: tuple, axes: tuple[int, int] | None) -> Array:
    """1 / sqrt(mean), put together from the mean over the longest axis and that over the next one."""
    if axes is None:
        return 1 / jax.numpy.sqrt(means[0])
    longest, second = axes
    over_longest, over_second = (jax.numpy.expand_dims(m, axis) for m, axis in zip(means, axes, strict=True))
    whole = jax.numpy.mean(over_longest, axis=second, keepdims=True)
    return 1 / jax.numpy.sqrt(over_longest / whole) / jax.numpy.sqrt(over_second)


def scale_by_parameter_rms(smallest: float = 1e-3) -> Optimizer:
    """update * sqrt(mean(parameter ** 2)), for each leaf, but at least `smallest`."""

    def change(jax: Engine, updates: Params, params: Params) -> Params:
        def leaf(u, p):
            return u * jax.numpy.maximum(jax.numpy.sqrt(jax.numpy.mean(jax.numpy.square(p))), smallest)

        return jax.tree.map(leaf, updates, params)

    return stateless(change)


def adafactor(
    rate: float | Schedule, decay: float = 0.8, smallest: int = 128, limit: float = 1.0, eps: float = 1e-30
) -> Optimizer:
    """Adafactor (Shazeer and Stern, 2018): steps relative to the parameters, clipped to a mean square of limit ** 2."""
    return chain(
        scale_by_factored_rms(decay, smallest, eps),
        clip_by_rms(limit),
        scale_by_learning_rate(rate),
        scale_by_parameter_rms(),
    )


# ----------------------------------------------------------------- SM3


class SM3State(NamedTuple):
    """For each leaf a tuple, for each of its axes a bound on the sums of g ** 2; and the momentum."""

    bounds: Params
    mean: Params


def scale_by_sm3(decay: float = 0.9, eps: float = 1e-8) -> Optimizer:
    """AdaGrad with the sum of a number bounded by the least of its row's and its column's, on top of momentum."""

    def init(jax: Engine, params: Params) -> SM3State:
        def leaf(p):
            return tuple(jax.numpy.zeros(size, p.dtype) for size in p.shape or (1,))

        return SM3State(jax.tree.map(leaf, params), zeros_like(jax, params))

    def update(jax: Engine, grads: Params, state: SM3State, params: Params) -> tuple[Params, SM3State]:
        def leaf(g, bounds):
            whole = g if g.ndim else g.reshape(1)
            sums = jax.numpy.square(whole) + _least(jax, bounds)
            # the second where: no division by zero in the branch that is not taken
            root = jax.numpy.sqrt(jax.numpy.where(sums > 0, sums + eps, jax.numpy.ones_like(sums)))
            direction = jax.numpy.where(sums > 0, whole / root, jax.numpy.zeros_like(whole))
            axes = range(sums.ndim)
            bounds = tuple(jax.numpy.max(sums, tuple(other for other in axes if other != axis)) for axis in axes)
            return direction.reshape(g.shape), bounds

        updates, bounds = map_several(jax, leaf, 2, grads, state.bounds)
        mean = moving_average(jax, decay, state.mean, updates)
        return mean, SM3State(bounds, mean)

    return Optimizer(init, update)


def _least(jax: Engine, bounds: tuple) -> Array:
    """The least of the bounds of all axes, for every number of the leaf."""
    ndim = len(bounds)
    apart = [b.reshape([-1 if i == axis else 1 for i in range(ndim)]) for axis, b in enumerate(bounds)]
    return functools.reduce(jax.numpy.minimum, apart)


def sm3(rate: float | Schedule, decay: float = 0.9, eps: float = 1e-8) -> Optimizer:
    """SM3 (Anil et al., 2019), with momentum."""
    return chain(scale_by_sm3(decay, eps), scale_by_learning_rate(rate))
