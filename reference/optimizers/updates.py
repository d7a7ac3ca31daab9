"""Transformations of updates that need no past ones: the learning rate, clipping, weight decay, noise."""

from typing import Any, NamedTuple

from ..engines import Array, Engine, Params
from ..schedules import Schedule
from .base import Optimizer, global_norm, no_steps, noise_key, stateless, value_at
from .combining import masked

__all__ = [
    "add_decayed_weights",
    "add_noise",
    "clip_by_global_norm",
    "clip_by_rms",
    "clip_by_value",
    "random_normal_like",
    "scale_by_learning_rate",
]


def scale_by_learning_rate(rate: float | Schedule) -> Optimizer:
    """-rate * update: the step downhill. A schedule needs the number of updates made so far, its state."""

    def init(jax: Engine, params: Params) -> Array:
        return no_steps(jax)

    def update(jax: Engine, updates: Params, step: Array, params: Params) -> tuple[Params, Array]:
        minus = -value_at(jax, rate, step)
        return jax.tree.map(lambda u: jax.numpy.asarray(minus, dtype=u.dtype) * u, updates), step + 1

    return Optimizer(init, update)


# ----------------------------------------------------------------- clipping


def clip_by_value(limit: float) -> Optimizer:
    """Every number of the updates between -limit and limit."""
    return stateless(
        lambda jax, updates, params: jax.tree.map(lambda u: jax.numpy.clip(u, -limit, limit), updates),
    )


def clip_by_global_norm(limit: float) -> Optimizer:
    """All updates times one factor, so that together they are no longer than `limit` (Pascanu et al., 2013)."""

    def clip(jax: Engine, updates: Params, params: Params) -> Params:
        norm = global_norm(jax, updates)
        factor = limit / jax.numpy.maximum(norm, limit)
        return jax.tree.map(lambda u: u * factor.astype(u.dtype), updates)

    return stateless(clip)


def clip_by_rms(limit: float) -> Optimizer:
    """Each leaf times a factor of its own, so that the root of the mean of its squares is at most `limit`."""

    def clip(jax: Engine, updates: Params, params: Params) -> Params:
        def leaf(u):
            root = jax.numpy.sqrt(jax.numpy.mean(jax.numpy.square(u)))
            return u / jax.numpy.maximum(1, root / limit)

        return jax.tree.map(leaf, updates)

    return stateless(clip)


# ----------------------------------------------------------------- weight decay and noise


def add_decayed_weights(decay: float | Schedule, mask: Any = None) -> Optimizer:
    """update + decay * parameter, for all leaves, or for those where `mask` (see `masked`) is True.

    Before an adaptive optimiser this is an L2 penalty; after it, decoupled weight decay (Loshchilov and Hutter, 2019).
    """

    def init(jax: Engine, params: Params) -> Array:
        return no_steps(jax)

    def update(jax: Engine, updates: Params, step: Array, params: Params) -> tuple[Params, Array]:
        factor = value_at(jax, decay, step)
        decayed = jax.tree.map(lambda u, p: u + jax.numpy.asarray(factor, dtype=u.dtype) * p, updates, params)
        return decayed, step + 1

    part = Optimizer(init, update)
    return part if mask is None else masked(part, mask)


class NoiseState(NamedTuple):
    """Updates made so far, i32[], and the key of the noise to come."""

    step: Array
    key: Array


def add_noise(eta: float, gamma: float, seed: int = 0) -> Optimizer:
    """update + normal noise of variance eta / t ** gamma at the t-th update (Neelakantan et al., 2015)."""

    def init(jax: Engine, params: Params) -> NoiseState:
        return NoiseState(no_steps(jax), noise_key(jax, seed))

    def update(jax: Engine, updates: Params, state: NoiseState, params: Params) -> tuple[Params, NoiseState]:
        step = state.step + 1
        deviation = jax.numpy.sqrt(eta / jax.numpy.power(step, gamma))
        following, key = jax.random.split(state.key)
        noise = random_normal_like(jax, key, updates)
        noisy = jax.tree.map(lambda u, n: u + deviation.astype(u.dtype) * n, updates, noise)
        return noisy, NoiseState(step, following)

    return Optimizer(init, update)


def random_normal_like(jax: Engine, key: Array, tree: Params) -> Params:
    """Standard normal numbers in the shapes and dtypes of the leaves, each leaf from a key of its own."""
    leaves, treedef = jax.tree.flatten(tree)
    keys = jax.random.split(key, len(leaves))
    return treedef.unflatten([jax.random.normal(k, x.shape, x.dtype) for k, x in zip(keys, leaves, strict=True)])
