"""Gradients of each example by themselves, clipped and averaged, as in differentially private training.

What it shows: `vmap` of `grad`, where the weights are the same for all (in_axes None) and the examples are not, and
a scan within, so that the batch axis runs through the loop and its derivative. After Abadi et al., "Deep learning
with differential privacy", 2016, without the noise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from programs import lstm


def sequences() -> np.ndarray:
    """Waves of different speeds, f32[3, steps + 1, 1]."""
    times = np.linspace(0.0, 3.0, 9, dtype=np.float32)
    return np.sin(times * np.array([[1.0], [1.5], [2.0]], np.float32))[..., None]


def gradients(jax: Any, params: Any, batch: Any) -> Any:
    """One gradient for each sequence: a tree like the weights, with one more axis in front."""
    return jax.vmap(jax.grad(lambda p, xs: lstm.loss(jax, p, xs)), (None, 0))(params, batch)


def clipped_mean(jax: Any, params: Any, batch: Any) -> Any:
    """Their mean, each of them scaled down to length 0.5 or less."""
    per_example = gradients(jax, params, batch)

    def norm(tree: Any) -> Any:
        return jax.numpy.sqrt(sum(jax.numpy.sum(g * g) for g in jax.tree_util.tree_leaves(tree)))

    scales = jax.numpy.minimum(1.0, 0.5 / jax.vmap(norm)(per_example))
    return jax.tree_util.tree_map(lambda g: jax.numpy.tensordot(scales, g, 1) / len(scales), per_example)
