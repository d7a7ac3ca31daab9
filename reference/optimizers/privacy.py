"""Differential privacy: no single example can be told from what is learned."""

from collections.abc import Callable
from typing import Any

from ..engines import Array, Engine, Params
from ..schedules import Schedule
from .base import Optimizer, chain, global_norm, noise_key
from .descent import trace
from .updates import scale_by_learning_rate

__all__ = ["aggregate_privately", "dp_sgd", "value_and_gradients"]


def value_and_gradients(jax: Engine, objective: Callable, *, per_example: bool, has_aux: bool = False) -> Callable:
    """A function of (params, *batch): the value of `objective(params, *batch)` and its gradients by the parameters.

    With `per_example`, gradients f[batch, ...], one for each example as a batch of its own, and the mean value.
    With `has_aux`, the objective gives (value, aux) as for `jax.value_and_grad`; then each example has its own aux.
    """
    gradient = jax.value_and_grad(objective, has_aux=has_aux)
    if not per_example:
        return gradient

    def of_one(params: Params, batch: Any) -> tuple[Any, Params]:
        return gradient(params, *jax.tree.map(lambda a: a[None], batch))

    def of_all(params: Params, *batch: Any) -> tuple[Any, Params]:
        values, grads = jax.vmap(of_one, (None, 0))(params, batch)
        if has_aux:
            return (jax.numpy.mean(values[0]), values[1]), grads
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

    return Optimizer(lambda jax, params: noise_key(jax, seed), update, per_example=True)


def dp_sgd(
    rate: float | Schedule, limit: float = 1.0, noise: float = 0.1, decay: float | None = None, seed: int = 0
) -> Optimizer:
    """Differentially private gradient descent (Abadi et al., 2016), with momentum when `decay` is given.

    `update` takes gradients with a leading axis of examples (`value_and_gradients` makes them by vmap).
    How private the result is depends on `noise`, the number of steps and the share of the examples in a batch.
    """
    parts = [] if decay is None else [trace(decay)]
    return chain(aggregate_privately(limit, noise, seed), *parts, scale_by_learning_rate(rate))
