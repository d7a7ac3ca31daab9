"""Optimisers with a step size for every number, from the gradients that it has had so far."""

from collections.abc import Callable
from typing import Any, NamedTuple

from ..engines import Array, Engine, Params
from ..schedules import Schedule
from .base import Optimizer, bias_corrected, chain, moving_average, no_steps, zeros_like
from .descent import trace
from .updates import add_decayed_weights, scale_by_learning_rate

__all__ = [
    "adabelief",
    "adadelta",
    "adagrad",
    "adam",
    "adamw",
    "lion",
    "radam",
    "rmsprop",
    "scale_by_adadelta",
    "scale_by_adam",
    "scale_by_belief",
    "scale_by_lion",
    "scale_by_radam",
    "scale_by_rms",
    "scale_by_root_of_sum",
    "scale_by_yogi",
    "yogi",
]


class AdamState(NamedTuple):
    """Updates made so far, i32[], and the running means of g and g ** 2, in the shape of the parameters."""

    step: Array
    mean: Params
    square: Params


def _adam_init(jax: Engine, params: Params) -> AdamState:
    return AdamState(no_steps(jax), zeros_like(jax, params), zeros_like(jax, params))


def _squares(jax: Engine, grads: Params) -> Params:
    return jax.tree.map(jax.numpy.square, grads)


def _full_like(jax: Engine, params: Params, value: float) -> Params:
    return jax.tree.map(lambda p: jax.numpy.full_like(p, value), params)


# ----------------------------------------------------------------- Adam and its kin


def scale_by_adam(b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> Optimizer:
    """mean(g) / (sqrt(mean(g ** 2)) + eps), both corrected for their start at zero (Kingma and Ba, 2015)."""

    def update(jax: Engine, grads: Params, state: AdamState, params: Params) -> tuple[Params, AdamState]:
        state = _adam_means(jax, grads, state, b1, b2)
        return _adam_direction(jax, state, b1, b2, eps), state

    return Optimizer(_adam_init, update)


def _adam_means(jax: Engine, grads: Params, state: AdamState, b1: float, b2: float) -> AdamState:
    mean = moving_average(jax, b1, state.mean, grads)
    square = moving_average(jax, b2, state.square, _squares(jax, grads))
    return AdamState(state.step + 1, mean, square)


def _adam_direction(jax: Engine, state: AdamState, b1: float, b2: float, eps: float) -> Params:
    mean = bias_corrected(jax, state.mean, b1, state.step)
    square = bias_corrected(jax, state.square, b2, state.step)
    return jax.tree.map(lambda m, s: m / (jax.numpy.sqrt(s) + eps), mean, square)


def adam(rate: float | Schedule, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> Optimizer:
    """Adam (Kingma and Ba, 2015)."""
    return chain(scale_by_adam(b1, b2, eps), scale_by_learning_rate(rate))


def adamw(
    rate: float | Schedule,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float | Schedule = 1e-4,
    mask: Any = None,
) -> Optimizer:
    """Adam with decoupled weight decay, where `mask` (see `masked`) is True (Loshchilov and Hutter, 2019)."""
    return chain(
        scale_by_adam(b1, b2, eps),
        add_decayed_weights(weight_decay, mask),
        scale_by_learning_rate(rate),
    )


def scale_by_radam(b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8, threshold: float = 5.0) -> Optimizer:
    """Adam's direction, rectified: as long as the squares are too few for a variance, the mean alone.

    `length` is the number of gradients that the average of squares stands for; `longest` its limit.
    """
    longest = 2 / (1 - b2) - 1

    def rectifier(jax: Engine, step: Array) -> tuple[Array, Array]:
        power = jax.numpy.power(b2, step)
        length = longest - 2 * step * power / (1 - power)
        share = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
        return length >= threshold, jax.numpy.sqrt(jax.numpy.maximum(share, 0))

    def update(jax: Engine, grads: Params, state: AdamState, params: Params) -> tuple[Params, AdamState]:
        state = _adam_means(jax, grads, state, b1, b2)
        enough, factor = rectifier(jax, state.step)
        mean = bias_corrected(jax, state.mean, b1, state.step)
        direction = _adam_direction(jax, state, b1, b2, eps)
        updates = jax.tree.map(lambda d, m: jax.numpy.where(enough, factor.astype(m.dtype) * d, m), direction, mean)
        return updates, state

    return Optimizer(_adam_init, update)


def radam(
    rate: float | Schedule, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8, threshold: float = 5.0
) -> Optimizer:
    """Rectified Adam (Liu et al., 2020)."""
    return chain(scale_by_radam(b1, b2, eps, threshold), scale_by_learning_rate(rate))


def scale_by_belief(b1: float = 0.9, b2: float = 0.999, eps: float = 1e-16, eps_root: float = 1e-16) -> Optimizer:
    """As Adam, but the squares are of g - mean(g): large where the gradient is not what was expected."""

    def update(jax: Engine, grads: Params, state: AdamState, params: Params) -> tuple[Params, AdamState]:
        mean = moving_average(jax, b1, state.mean, grads)
        surprise = jax.tree.map(lambda g, m: jax.numpy.square(g - m), grads, mean)
        square = moving_average(jax, b2, state.square, surprise)
        square = jax.tree.map(lambda s: s + eps_root, square)
        state = AdamState(state.step + 1, mean, square)
        return _adam_direction(jax, state, b1, b2, eps), state

    return Optimizer(_adam_init, update)


def adabelief(
    rate: float | Schedule, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-16, eps_root: float = 1e-16
) -> Optimizer:
    """AdaBelief (Zhuang et al., 2020)."""
    return chain(scale_by_belief(b1, b2, eps, eps_root), scale_by_learning_rate(rate))


def scale_by_yogi(b1: float = 0.9, b2: float = 0.999, eps: float = 1e-3, initial: float = 1e-6) -> Optimizer:
    """As Adam, but the square moves towards g ** 2 by (1 - b2) * g ** 2 whatever the distance: it grows slowly."""

    def init(jax: Engine, params: Params) -> AdamState:
        return AdamState(no_steps(jax), _full_like(jax, params, initial), _full_like(jax, params, initial))

    def update(jax: Engine, grads: Params, state: AdamState, params: Params) -> tuple[Params, AdamState]:
        def towards(s, square):
            return s - (1 - b2) * jax.numpy.sign(s - square) * square

        mean = moving_average(jax, b1, state.mean, grads)
        square = jax.tree.map(towards, state.square, _squares(jax, grads))
        state = AdamState(state.step + 1, mean, square)
        return _adam_direction(jax, state, b1, b2, eps), state

    return Optimizer(init, update)


def yogi(rate: float | Schedule, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-3) -> Optimizer:
    """Yogi (Zaheer et al., 2018)."""
    return chain(scale_by_yogi(b1, b2, eps), scale_by_learning_rate(rate))


# ----------------------------------------------------------------- by squares alone


def _by_squares(
    initial: float, step: Callable[[Engine, Params, Params], Params], direction: Callable[[Engine, Array, Array], Array]
) -> Optimizer:
    """`step` takes the state on by squared gradients; `direction` of g and its state is the update."""

    def update(jax: Engine, grads: Params, squares: Params, params: Params) -> tuple[Params, Params]:
        squares = step(jax, squares, _squares(jax, grads))
        return jax.tree.map(lambda g, s: direction(jax, g, s), grads, squares), squares

    return Optimizer(lambda jax, params: _full_like(jax, params, initial), update)


def scale_by_root_of_sum(initial: float = 0.1, eps: float = 1e-7) -> Optimizer:
    """g / sqrt(initial + sum of all g ** 2 so far + eps)."""

    def add(jax: Engine, sums: Params, squares: Params) -> Params:
        return jax.tree.map(lambda t, s: t + s, sums, squares)

    def direction(jax: Engine, g: Array, total: Array) -> Array:
        # a number that has had no gradient yet stays where it is, also with initial=0 and eps=0
        return jax.numpy.where(total > 0, g / jax.numpy.sqrt(total + eps), jax.numpy.zeros_like(g))

    return _by_squares(initial, add, direction)


def adagrad(rate: float | Schedule, initial: float = 0.1, eps: float = 1e-7) -> Optimizer:
    """AdaGrad (Duchi et al., 2011)."""
    return chain(scale_by_root_of_sum(initial, eps), scale_by_learning_rate(rate))


def scale_by_rms(decay: float = 0.9, eps: float = 1e-8) -> Optimizer:
    """g / sqrt(mean(g ** 2) + eps), the mean a moving one that starts at zero."""
    return _by_squares(
        0.0,
        lambda jax, averages, squares: moving_average(jax, decay, averages, squares),
        lambda jax, g, s: g / jax.numpy.sqrt(s + eps),
    )


def rmsprop(rate: float | Schedule, decay: float = 0.9, eps: float = 1e-8, momentum: float | None = None) -> Optimizer:
    """RMSProp (Tieleman and Hinton, 2012), with `momentum` on the steps when it is given."""
    parts = [scale_by_rms(decay, eps), scale_by_learning_rate(rate)]
    return chain(*parts, *([] if momentum is None else [trace(momentum)]))


class AdadeltaState(NamedTuple):
    """Moving averages of g ** 2 and of update ** 2."""

    gradient: Params
    update: Params


def scale_by_adadelta(decay: float = 0.9, eps: float = 1e-6) -> Optimizer:
    """sqrt(mean(update ** 2) + eps) / sqrt(mean(g ** 2) + eps) * g, which has the unit of the parameters."""

    def init(jax: Engine, params: Params) -> AdadeltaState:
        return AdadeltaState(zeros_like(jax, params), zeros_like(jax, params))

    def update(jax: Engine, grads: Params, state: AdadeltaState, params: Params) -> tuple[Params, AdadeltaState]:
        def direction(g, g_square, u_square):
            return jax.numpy.sqrt(u_square + eps) / jax.numpy.sqrt(g_square + eps) * g

        gradient = moving_average(jax, decay, state.gradient, _squares(jax, grads))
        updates = jax.tree.map(direction, grads, gradient, state.update)
        return updates, AdadeltaState(gradient, moving_average(jax, decay, state.update, _squares(jax, updates)))

    return Optimizer(init, update)


def adadelta(rate: float | Schedule = 1.0, decay: float = 0.9, eps: float = 1e-6) -> Optimizer:
    """AdaDelta (Zeiler, 2012)."""
    return chain(scale_by_adadelta(decay, eps), scale_by_learning_rate(rate))


# ----------------------------------------------------------------- by the sign


def scale_by_lion(b1: float = 0.9, b2: float = 0.99) -> Optimizer:
    """sign(b1 * mean + (1 - b1) * g), where the mean itself decays with b2."""

    def update(jax: Engine, grads: Params, mean: Params, params: Params) -> tuple[Params, Params]:
        updates = jax.tree.map(jax.numpy.sign, moving_average(jax, b1, mean, grads))
        return updates, moving_average(jax, b2, mean, grads)

    return Optimizer(zeros_like, update)


def lion(
    rate: float | Schedule,
    b1: float = 0.9,
    b2: float = 0.99,
    weight_decay: float | Schedule = 1e-3,
    mask: Any = None,
) -> Optimizer:
    """Lion (Chen et al., 2023), with weight decay where `mask` (see `masked`) is True."""
    return chain(
        scale_by_lion(b1, b2),
        add_decayed_weights(weight_decay, mask),
        scale_by_learning_rate(rate),
    )
