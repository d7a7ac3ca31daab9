"""Rows of approximate selection, upper halves of products, sinks, and numbers from outside."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..operation_row import Row, distinct, exactly, integers, normal, row


def approx_max_k(k: int, axis: int = -1, **options: Any):
    """lax.approx_max_k."""
    return lambda jax, x: jax.lax.approx_max_k(x, k, axis, **options)


def approx_min_k(k: int, axis: int = -1, **options: Any):
    """lax.approx_min_k."""
    return lambda jax, x: jax.lax.approx_min_k(x, k, axis, **options)


def mulhi(jax: Any, x: Any, y: Any) -> Any:
    """lax.mulhi."""
    return jax.lax.mulhi(x, y)


def sink(jax: Any, x: Any) -> Any:
    """lax.dce_sink, and a result of its own."""
    jax.lax.dce_sink(x)
    return x + 1.0


def shape_of_uniform(shape: tuple[int, ...]):
    """lax.rng_uniform, of which only the type is defined."""
    return lambda jax, a, b: jax.lax.rng_uniform(a, b, shape) >= a


def random_bits(shape: tuple[int, ...], dtype: str, algorithm: int):
    """lax.rng_bit_generator."""
    return lambda jax, key: jax.lax.rng_bit_generator(key, shape, dtype, jax.lax.RandomAlgorithm(algorithm))


# A state whose counter is about to begin anew.
STATE = exactly(np.uint32([7, 2**32 - 1, 2**32 - 2, 2**32 - 1]), "uint32")
WIDE_STATE = exactly(np.uint64([2**63 + 5, 2**64 - 2]), "uint64")
BITS = ("eval", "jit", "jaxpr")

# What means something for numbers that are never the same.
TYPED = ("eval", "jit", "jaxpr", "weak")
# An integer of the full width, from two small ones.
_EDGES = [-(2**31), 2**31 - 1, -1, 65536, 12345, -98765]

ROWS: list[Row] = [
    row("approx_top_k", approx_max_k(2), distinct(2, 5), label="max", main=True),
    row("approx_top_k", approx_min_k(3, 0), distinct(4, 2), label="min-axis-0", main=True),
    row("approx_top_k", approx_max_k(2, aggregate_to_topk=False), distinct(7), label="not-aggregated"),
    row("approx_top_k", approx_max_k(2, aggregate_to_topk=False), distinct(2600), label="long", only=("eval", "jit")),
    row("approx_top_k", approx_max_k(1), distinct(5, dtype="float16"), label="half"),
    row("approx_top_k", approx_max_k(1), distinct(3, dtype="float64"), label="double"),
    row("mulhi", mulhi, exactly(_EDGES, "int32"), exactly(_EDGES[::-1], "int32"), label="edges", main=True),
    row("mulhi", mulhi, integers(-128, 127, 3, 5, dtype="int8"), integers(-128, 127, 3, 5, dtype="int8")),
    row("mulhi", mulhi, integers(0, 255, 9, dtype="uint8"), integers(0, 255, dtype="uint8"), label="scalar"),
    row("mulhi", mulhi, integers(0, 65535, 9, dtype="uint16"), integers(0, 65535, 9, dtype="uint16")),
    row(
        "mulhi",
        mulhi,
        integers(-(2**63), 2**63 - 1, 99, dtype="int64"),
        integers(-(2**63), 2**63 - 1, 99, dtype="int64"),
    ),
    row(
        "mulhi",
        mulhi,
        exactly(np.uint64([2**64 - 1, 2**63, 3]), "uint64"),
        exactly(np.uint64([2**64 - 1, 2**62, 2**63]), "uint64"),
    ),
    row("dce_sink", sink, normal(3), main=True),
    row("dce_sink", sink, normal(2, 2), label="matrix"),
    row("rng_uniform", shape_of_uniform((2, 3)), exactly(0.0), exactly(1.0), main=True, only=TYPED),
    row("rng_uniform", shape_of_uniform(()), exactly(2, "int32"), exactly(9, "int32"), label="integers", only=TYPED),
    row("rng_bit_generator", random_bits((2, 3), "uint32", 0), STATE, label="default", main=True, only=BITS),
    row("rng_bit_generator", random_bits((3, 3), "uint32", 1), STATE, label="threefry-odd", main=True, only=BITS),
    row("rng_bit_generator", random_bits((3, 4, 5), "uint8", 1), STATE, label="threefry-bytes", only=BITS),
    row("rng_bit_generator", random_bits((), "uint16", 2), STATE, label="philox-scalar", only=BITS),
    row("rng_bit_generator", random_bits((0, 3), "uint32", 1), STATE, label="none", only=BITS),
    row("rng_bit_generator", random_bits((5,), "uint64", 1), WIDE_STATE, label="threefry-wide", only=BITS),
    row("rng_bit_generator", random_bits((5,), "uint64", 2), WIDE_STATE, label="philox-wide", only=BITS),
]
