"""Differential privacy: no single example can be told from what is learned."""

from collections.abc import Callable

from ..engines import Array, Engine, Params
from ..schedules import Schedule
from .base import Optimizer, chain, global_norm
from .descent import trace
from .updates import scale_by_learning_rate

__all__ = ["aggregate_privately", "dp_sgd", "value_and_gradients"]


def value_and_gradients(jax: Engine, objective: Callable, *, per_example: bool) -> Callable:
    """A function of (params, x, y): the value of `objective(params, x, y)` and its gradients by the parameters.

    With `per_example`, gradients f[batch, ...], one for each example as a batch of its own, and the mean value.
    """
    if not per_example:
        return jax.value_and_grad(objective)

    def of_one(params: Params, x: Array, y: Array) -> tuple[Array, Params]:
        return jax.value_and_grad(objective)(params, x[None], y[None])

    def of_all(params: Params, x: Array, y: Array) -> tuple[Array, Params]:
        values, grads = jax.vmap(of_one, (None, 0, 0))(params, x, y)
        return jax.numpy.mean(values), grads

    return of_all


def aggregate_privately(limit: float, noise: float, seed: int = 0) -> Optimizer:
    """The mean over the examples of gradients that are clipped to the length `limit`, with noise.

    The noise on their sum is normal, with a deviation of noise * limit. The state is the key of the noise to come.
    """

    def update(jax: Engine, grads: Params, key: Array, params: Params) -> tuple[Params, Array]:
        norms = jax.vmap(lambda tree: global_norm(jax, tree))(grads)
        factors = limit / jax.numpy.maximum(norms, limit)
        leaves, treedef = jax.tree.flatten(grads)
        following, *keys = jax.random.split(key, len(leaves) + 1)
        means = []
        for leaf, leaf_key in zip(leaves, keys, strict=True):
            total = jax.numpy.tensordot(factors.astype(leaf.dtype), leaf, axes=1)
            drawn = jax.random.normal(leaf_key, total.shape, total.dtype)
            means.append((total + noise * limit * drawn) / len(leaf))
        return treedef.unflatten(means), following

    return Optimizer(lambda jax, params: jax.random.key(seed), update, per_example=True)


def dp_sgd(
    rate: float | Schedule, limit: float = 1.0, noise: float = 0.1, decay: float | None = None, seed: int = 0
) -> Optimizer:
    """Differentially private gradient descent (Abadi et al., 2016), with momentum when `decay` is given.

    `update` takes gradients with a leading axis of examples (`value_and_gradients` makes them by vmap).
    How private the result is depends on `noise`, the number of steps and the share of the examples in a batch.
    """
    parts = [] if decay is None else [trace(decay)]
    return chain(aggregate_privately(limit, noise, seed), *parts, scale_by_learning_rate(rate))
