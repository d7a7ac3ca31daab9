"""Networks of stax, trained by each optimizer. The modules are arguments: JAX's own files, or minijax's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

KEY = jax.random.key(7)
# What the default depth runs.
USUAL_NETWORKS = ("mlp",)
USUAL_OPTIMIZERS = ("adam",)


def networks(stax: Any) -> dict[str, tuple[Any, tuple[int, ...]]]:
    """Layers and the shape of their inputs."""
    block = stax.serial(stax.Conv(4, (3, 3), padding="SAME"), stax.BatchNorm(), stax.Relu)
    residual = stax.serial(stax.FanOut(2), stax.parallel(block, stax.Identity), stax.FanInSum, stax.Relu)
    wide = stax.serial(stax.FanOut(2), stax.parallel(stax.Dense(3), stax.Dense(4)), stax.FanInConcat())
    return {
        "mlp": (stax.serial(stax.Dense(16), stax.Relu, stax.Dense(5), stax.LogSoftmax), (8, 6)),
        "dropout": (stax.serial(stax.Dense(16), stax.Dropout(0.8), stax.Tanh, stax.Dense(5)), (8, 6)),
        "concat": (stax.serial(wide, stax.Softplus, stax.Dense(2)), (8, 6)),
        "convolutions": (
            stax.serial(
                stax.Conv(4, (3, 3), strides=(2, 2)),
                stax.Relu,
                stax.MaxPool((2, 2), strides=(1, 1)),
                stax.Flatten,
                stax.Dense(3),
            ),
            (2, 9, 9, 2),
        ),
        "residual": (stax.serial(stax.Conv(4, (1, 1)), residual, stax.AvgPool((3, 3), padding="SAME")), (2, 5, 5, 3)),
        "transposed": (
            stax.serial(stax.ConvTranspose(3, (3, 3), strides=(2, 2)), stax.Sigmoid, stax.SumPool((2, 2))),
            (2, 4, 4, 2),
        ),
        "one-dimensional": (stax.serial(stax.Conv1DTranspose(3, (3,), (2,)), stax.Flatten), (2, 5, 2)),
        "shape": (stax.shape_dependent(lambda shape: stax.Dense(2 * shape[-1])), (3, 4)),
        "elementwise": (
            stax.serial(stax.Elu, stax.LeakyRelu, stax.Selu, stax.Gelu, stax.Exp, stax.Softmax),
            (3, 4),
        ),
    }


def run_networks(stax: Any, full: bool) -> dict[str, Any]:
    """Parameters, outputs, loss and gradients of each network."""
    results = {}
    for name, ((init, apply), shape) in networks(stax).items():
        if not full and name not in USUAL_NETWORKS:
            continue
        out_shape = init(KEY, shape)[0]
        params = jax.jit(lambda key, init=init, shape=shape: init(key, shape)[1])(KEY)
        x = jax.random.normal(jax.random.fold_in(KEY, 1), shape)
        rng = jax.random.fold_in(KEY, 2)

        def loss(params: Any, apply: Callable = apply, x: Any = x, rng: Any = rng) -> Any:
            y = apply(params, x, rng=rng)
            return jnp.sum(y**2), y

        (value, y), gradient = jax.jit(jax.value_and_grad(loss, has_aux=True))(params)
        assert y.shape == tuple(out_shape)
        results[name] = {"params": params, "loss": value, "y": y, "gradient": gradient}
    return results


def optimizers_of(optimizers: Any) -> dict[str, Any]:
    """Each optimizer, and each schedule with plain gradient descent."""
    schedules = {
        "exponential": optimizers.exponential_decay(0.1, 10, 0.5),
        "inverse": optimizers.inverse_time_decay(0.1, 10, 0.5),
        "staircase": optimizers.inverse_time_decay(0.1, 10, 0.5, staircase=True),
        "polynomial": optimizers.polynomial_decay(0.1, 10, 0.01, 2.0),
        "piecewise": optimizers.piecewise_constant([3, 7], [0.1, 0.05, 0.01]),
        "constant": optimizers.constant(0.1),
    }
    return {
        "momentum": optimizers.momentum(0.02, 0.9),
        "nesterov": optimizers.nesterov(0.02, 0.9),
        "adagrad": optimizers.adagrad(0.1),
        "rmsprop": optimizers.rmsprop(0.01),
        "rmsprop_momentum": optimizers.rmsprop_momentum(0.002),
        "adam": optimizers.adam(0.01),
        "adamax": optimizers.adamax(optimizers.exponential_decay(0.01, 10, 0.5)),
        "sm3": optimizers.sm3(0.1),
    } | {f"sgd-{name}": optimizers.sgd(schedule) for name, schedule in schedules.items()}


def train(stax: Any, optimizers: Any, full: bool) -> dict[str, Any]:
    """Losses and last states of 20 steps of a small network with each optimizer."""
    init, apply = stax.serial(stax.Dense(8), stax.Tanh, stax.Dense(2))
    params = jax.jit(lambda key: init(key, (16, 3))[1])(KEY)
    x = jax.random.normal(jax.random.fold_in(KEY, 3), (16, 3))
    y = jnp.stack([x[:, 0] * x[:, 1], x[:, 2] ** 2], 1)

    def loss(params: Any) -> Any:
        return jnp.mean((apply(params, x) - y) ** 2)

    results = {}
    for name, optimizer in optimizers_of(optimizers).items():
        if not full and name not in USUAL_OPTIMIZERS:
            continue
        state = optimizer.init_fn(params)

        def step(i: Any, state: Any, optimizer: Any = optimizer) -> Any:
            value, gradient = jax.value_and_grad(loss)(optimizer.params_fn(state))
            return value, optimizer.update_fn(i, optimizers.clip_grads(gradient, 1.0), state)

        # The state of sm3 holds shapes, which a traced function cannot take.
        step = step if name == "sm3" else jax.jit(step)
        losses = []
        for i in range(20):
            value, state = step(i, state)
            losses.append(value)
        marked = optimizers.unpack_optimizer_state(state)
        again = optimizers.pack_optimizer_state(marked)
        results[name] = {"losses": losses, "params": optimizer.params_fn(again), "l2": optimizers.l2_norm(params)}
    return results


def results(stax: Any, optimizers: Any, full: bool) -> dict[str, Any]:
    """Everything, in NumPy arrays."""
    everything = {"networks": run_networks(stax, full), "training": train(stax, optimizers, full)}
    return jax.tree.map(np.asarray, everything)
