"""rng_uniform: random numbers from outside of the program, different ones each time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.core import NOT_LINEAR, Primitive, ShapedArray
from minijax.primitives.families import def_not_differentiable

__all__ = ["rng_uniform", "rng_uniform_p"]


def rng_uniform(a: Any, b: Any, shape: Sequence[int]) -> Array:
    """Uniform numbers from a (inclusive) to b (exclusive), both scalars of one dtype.

    Not reproducible, and without derivative and batching: `jax.random.uniform` has all of these.
    """
    return rng_uniform_p.bind(a, b, shape=tuple(shape))


def _impl(a: np.ndarray, b: np.ndarray, *, shape: tuple[int, ...]) -> np.ndarray:
    generator = np.random.default_rng()
    if a.dtype.kind in "iub":
        return generator.integers(int(a), max(int(b), int(a) + 1), shape).astype(a.dtype)
    low, high = np.float64(a), np.float64(b)
    drawn = (low + generator.random(shape) * (high - low)).astype(a.dtype)
    # Rounding to the dtype may reach the upper end, which is excluded.
    return np.where(drawn < b, drawn, np.nextafter(b, a)) if low < high else drawn


def _shape(a: ShapedArray, b: ShapedArray, *, shape: tuple[int, ...]) -> ShapedArray:
    if a.dtype != b.dtype:
        raise ValueError(f"Arguments to rng_uniform must have identical dtypes, got {a.dtype} and {b.dtype}.")
    if a.shape or b.shape:
        raise ValueError(f"Arguments to rng_uniform must be scalars; got shapes {a.shape} and {b.shape}.")
    if dtypes.kind(a.dtype) not in "iubf":
        raise ValueError(f"rng_uniform: numbers of dtype {a.dtype} cannot be drawn.")
    return ShapedArray(shape, a.dtype, a.weak_type and b.weak_type)


def _batch(axis_size: int, args: Any, dims: Any, **params: Any) -> Any:
    raise NotImplementedError(
        "Batching rule for 'rng_uniform' not implemented: its numbers come from outside. Use jax.random.uniform."
    )


rng_uniform_p = Primitive("rng_uniform")
rng_uniform_p.impl = _impl
rng_uniform_p.shape_rule = _shape
rng_uniform_p.transpose = NOT_LINEAR
rng_uniform_p.batch = _batch
def_not_differentiable(rng_uniform_p)
