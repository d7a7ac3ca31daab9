"""Optimisers whose step in each array of parameters is in proportion to the length of that array."""

from typing import Any

from ..engines import Array, Engine, Params
from ..schedules import Schedule
from .adaptive import scale_by_adam
from .base import Optimizer, chain, stateless, value_at
from .descent import trace
from .updates import add_decayed_weights, scale_by_learning_rate

__all__ = ["fromage", "lamb", "lars", "scale_by_trust_ratio"]


def scale_by_trust_ratio(shortest: float = 0.0, coefficient: float = 1.0) -> Optimizer:
    """update * coefficient * |parameter| / |update|, for each leaf; lengths are taken as at least `shortest`.

    A leaf of zeros, or with an update of zeros, has its update as it is.
    """

    def length(jax: Engine, x: Array) -> Array:
        return jax.numpy.maximum(jax.numpy.sqrt(jax.numpy.sum(jax.numpy.square(x))), shortest)

    def change(jax: Engine, updates: Params, params: Params) -> Params:
        def leaf(u, p):
            above, below = length(jax, p), length(jax, u)
            defined = (above != 0) & (below != 0)
            ratio = coefficient * above / jax.numpy.where(defined, below, jax.numpy.ones_like(below))
            return u * jax.numpy.where(defined, ratio, jax.numpy.ones_like(ratio))

        return jax.tree.map(leaf, updates, params)

    return stateless(change)


def lamb(
    rate: float | Schedule,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-6,
    weight_decay: float | Schedule = 0.0,
    mask: Any = None,
) -> Optimizer:
    """LAMB, Adam for large batches (You et al., 2020), with weight decay where `mask` (see `masked`) is True."""
    return chain(
        scale_by_adam(b1, b2, eps),
        add_decayed_weights(weight_decay, mask),
        scale_by_trust_ratio(),
        scale_by_learning_rate(rate),
    )


def lars(
    rate: float | Schedule,
    weight_decay: float | Schedule = 0.0,
    coefficient: float = 0.001,
    decay: float = 0.9,
    mask: Any = None,
) -> Optimizer:
    """LARS, momentum for large batches (You et al., 2017), with weight decay where `mask` is True."""
    return chain(
        add_decayed_weights(weight_decay, mask),
        scale_by_trust_ratio(coefficient=coefficient),
        scale_by_learning_rate(rate),
        trace(decay),
    )


def fromage(rate: float | Schedule, shortest: float = 1e-6) -> Optimizer:
    """Fromage (Bernstein et al., 2020): a step of `rate` times the length of the leaf, then all / sqrt(1 + rate ** 2).

    The division keeps the weights from growing, as steps across them do.
    """

    def shrink(jax: Engine, step: Array) -> Array | float:
        return (1 + value_at(jax, rate, step) ** 2) ** -0.5

    return chain(
        scale_by_trust_ratio(shortest),
        scale_by_learning_rate(lambda jax, step: shrink(jax, step) * value_at(jax, rate, step)),
        add_decayed_weights(lambda jax, step: shrink(jax, step) - 1),
    )
