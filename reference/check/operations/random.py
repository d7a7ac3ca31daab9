"""Rows of the random primitives. Keys are given as raw data, so that they can be batched like any array."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..operation_row import KINDS, NO_DERIVATIVE, Row, anything, between, integers, row

# JAX writes a multiplication and an addition, which its compiler fuses; NumPy needs an operation of its own.
NO_TEXT = tuple(kind for kind in KINDS if kind not in ("weak", "jaxpr", "derived_jaxprs"))
KEY = anything(2, dtype="uint32")


def with_key(draw: Any):
    """A call whose first operand is wrapped into a typed key."""
    return lambda jax, data, *rest: draw(jax, jax.random.wrap_key_data(data), *rest)


def bits(shape: tuple[int, ...], dtype: str):
    """Random bits."""
    return with_key(lambda jax, key: jax.random.bits(key, shape, np.dtype(dtype)))


def uniform(jax: Any, data: Any, low: Any, high: Any) -> Any:
    """Uniform draws between bounds that are arrays; the last step is a fused multiply-add."""
    key = jax.random.wrap_key_data(data)
    return jax.random.uniform(key, (2, 3), low.dtype, low, high)


def integer_call(primitive: str, draw: Any, *operands: Any, label: str = "", main: bool = False) -> Row:
    """A row whose call has no floats in it; weak types do not matter to it."""
    return row(primitive, draw, *operands, label=label, main=main, weak=False)


def gamma(jax: Any, key: Any, a: Any) -> Any:
    """Gamma variables of the dtype of their parameter."""
    return jax.random.gamma(key, a, dtype=a.dtype)


def loggamma(jax: Any, key: Any, a: Any) -> Any:
    """Their logarithms."""
    return jax.random.loggamma(key, a, dtype=a.dtype)


ROWS: list[Row] = [
    integer_call("random_wrap", with_key(lambda jax, key: key), KEY, main=True),
    integer_call("random_wrap", with_key(lambda jax, key: key), anything(3, 2, dtype="uint32")),
    integer_call("random_unwrap", with_key(lambda jax, key: jax.random.key_data(key)), KEY, main=True),
    integer_call("random_unwrap", with_key(lambda jax, key: jax.random.key_data(key)), anything(3, 2, dtype="uint32")),
    integer_call("random_seed", lambda jax, seed: jax.random.key(seed), integers(0, 9), main=True),
    integer_call("random_seed", lambda jax, seed: jax.random.key(seed), integers(-9, -1), label="negative"),
    integer_call("random_seed", lambda jax, seed: jax.random.PRNGKey(seed), anything(dtype="uint32"), label="raw"),
    integer_call("random_split", with_key(lambda jax, key: jax.random.split(key)), KEY, main=True),
    integer_call("random_split", with_key(lambda jax, key: jax.random.split(key, (2, 3))), KEY, label="2x3"),
    integer_call("random_split", lambda jax, key: jax.random.split(key, 3), KEY, label="raw"),
    integer_call(
        "random_fold_in",
        with_key(lambda jax, key, data: jax.random.fold_in(key, data)),
        KEY,
        anything(dtype="uint32"),
        main=True,
    ),
    integer_call(
        "random_fold_in",
        lambda jax, key, data: jax.random.fold_in(key, data),
        KEY,
        integers(0, 9),
        label="raw",
    ),
    integer_call("random_clone", with_key(lambda jax, key: jax.random.clone(key)), KEY, main=True),
    integer_call("random_clone", with_key(lambda jax, key: jax.random.clone(key)), anything(3, 2, dtype="uint32")),
    integer_call("random_bits", bits((2, 3), "uint32"), KEY, label="2x3", main=True),
    integer_call("random_bits", bits((), "uint32"), KEY, label="0d"),
    integer_call("random_bits", bits((0, 3), "uint32"), KEY, label="empty"),
    integer_call("random_bits", bits((5,), "uint8"), KEY, label="8"),
    integer_call("random_bits", bits((5,), "uint16"), KEY, label="16"),
    row("random_bits", bits((5,), "uint64"), KEY, label="64", weak=False, x64=True),
    row("random_scale", uniform, KEY, between(-3, 0), between(1, 2), main=True, weak=False, only=NO_TEXT),
    row("random_scale", uniform, KEY, between(-3, 0, 3), between(1, 2, 2, 1), label="arrays", only=NO_TEXT),
    row(
        "random_scale",
        uniform,
        KEY,
        between(-3, 0, dtype="float64"),
        between(1, 2, dtype="float64"),
        weak=False,
        only=NO_TEXT,
    ),
    row("random_gamma", with_key(gamma), KEY, between(0.5, 4, 2, 3), main=True, ulp=32, smooth=()),
    row("random_gamma", with_key(gamma), KEY, between(0.5, 4), ulp=32, smooth=()),
    row("random_gamma", with_key(gamma), KEY, between(0.5, 4, 0, 3), smooth=()),
    row(
        "random_gamma",
        with_key(gamma),
        KEY,
        between(0.5, 4, 2, 3, dtype="float64"),
        ulp=32,
        smooth=(),
        derived_ulp=1024,
        deep=True,
    ),
    row(
        "random_gamma",
        with_key(gamma),
        KEY,
        between(0.5, 4, 2, 3, dtype="float16"),
        ulp=4,
        only=NO_DERIVATIVE,
        deep=True,
    ),
    row("random_gamma", with_key(loggamma), KEY, between(0.05, 4, 2, 3), label="log", ulp=64, floor=0.1, smooth=()),
]
