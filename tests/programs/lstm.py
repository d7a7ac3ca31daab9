"""A long short-term memory cell, unrolled over 50 steps by `lax.scan`.

What it shows: the carry of a scan is a pytree, weights are closed over, and the gradient goes back through all of
the steps. The task is a sine wave whose next value is to be predicted.
"""

from __future__ import annotations

from typing import Any

import numpy as np

STEPS, HIDDEN = 50, 4


def parameters() -> dict[str, np.ndarray]:
    """Weights of the four gates side by side, f32[..., 4 * HIDDEN], and of the prediction, f32[HIDDEN]."""
    rng = np.random.default_rng(0)
    shapes = {"x": (1, 4 * HIDDEN), "h": (HIDDEN, 4 * HIDDEN), "b": (4 * HIDDEN,), "out": (HIDDEN,)}
    return {name: rng.normal(0.0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}


def wave() -> np.ndarray:
    """f32[STEPS + 1, 1]."""
    return np.sin(np.linspace(0.0, 12.0, STEPS + 1, dtype=np.float32))[:, None]


def cell(jax: Any, params: Any, carry: Any, x: Any) -> Any:
    """One step: forget some of the memory, write into it, and let some of it out."""
    hidden, memory = carry
    gates = x @ params["x"] + hidden @ params["h"] + params["b"]
    write, forget, read, new = jax.numpy.split(gates, 4)
    memory = jax.nn.sigmoid(forget) * memory + jax.nn.sigmoid(write) * jax.numpy.tanh(new)
    hidden = jax.nn.sigmoid(read) * jax.numpy.tanh(memory)
    return (hidden, memory), hidden @ params["out"]


def loss(jax: Any, params: Any, xs: Any) -> Any:
    """Mean squared error of each next value."""
    start = jax.numpy.zeros(HIDDEN), jax.numpy.zeros(HIDDEN)
    _, predicted = jax.lax.scan(lambda carry, x: cell(jax, params, carry, x), start, xs[:-1])
    return jax.numpy.mean((predicted - xs[1:, 0]) ** 2)


def train(jax: Any, params: Any, xs: Any) -> Any:
    """Ten steps of gradient descent, in a scan around the scan; the losses, f32[10]."""

    def step(params: Any, _: None) -> Any:
        value, grads = jax.value_and_grad(lambda p: loss(jax, p, xs))(params)
        return jax.tree_util.tree_map(lambda p, g: p - 0.5 * g, params, grads), value

    return jax.lax.scan(step, params, None, length=10)[1]
