"""Learning to learn (MAML): the gradient of what gradient descent arrives at.

What it shows: `grad` through a `scan` whose body calls `grad`. The inner loop adapts weights to one task, a sine of
some phase; the outer gradient asks from which weights a few steps get furthest on all tasks. It follows Finn,
Abbeel and Levine, "Model-agnostic meta-learning for fast adaptation of deep networks", 2017.
"""

from __future__ import annotations

from typing import Any

import numpy as np

INNER_STEPS, RATE = 3, 0.1


def parameters() -> list[np.ndarray]:
    """A network of one hidden layer: f32[1, 8], f32[8], f32[8]."""
    rng = np.random.default_rng(1)
    return [rng.normal(0.0, 0.6, shape).astype(np.float32) for shape in ((1, 8), (8,), (8,))]


def tasks() -> tuple[np.ndarray, np.ndarray]:
    """Inputs f32[tasks, points, 1] and outputs f32[tasks, points]: sines of three phases."""
    x = np.linspace(-2.0, 2.0, 10, dtype=np.float32)
    phases = np.array([0.0, 0.7, 1.4], np.float32)
    return np.broadcast_to(x[:, None], (3, 10, 1)).copy(), np.sin(x + phases[:, None])


def loss(jax: Any, params: Any, x: Any, y: Any) -> Any:
    """Mean squared error."""
    w, b, out = params
    return jax.numpy.mean((jax.numpy.tanh(x @ w + b) @ out - y) ** 2)


def adapted(jax: Any, params: Any, x: Any, y: Any) -> Any:
    """The weights after some steps of gradient descent on one task."""

    def step(params: Any, _: None) -> Any:
        grads = jax.grad(lambda p: loss(jax, p, x, y))(params)
        return jax.tree_util.tree_map(lambda p, g: p - RATE * g, params, grads), None

    return jax.lax.scan(step, params, None, length=INNER_STEPS)[0]


def meta_loss(jax: Any, params: Any, xs: Any, ys: Any) -> Any:
    """How well the adapted weights do, on average over the tasks."""
    after = jax.vmap(lambda x, y: loss(jax, adapted(jax, params, x, y), x, y))(xs, ys)
    return jax.numpy.mean(after)
