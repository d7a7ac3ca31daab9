"""Rows of the elementwise operations of two and three operands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..operation_row import (
    NO_BATCHES,
    NO_DERIVATIVE,
    SPECIAL_FLOATS,
    Operand,
    Row,
    anything,
    between,
    booleans,
    distinct,
    exactly,
    integers,
    normal,
    row,
)

INTEGERS = ("int32", "int8", "uint8", "uint32")


def public(name: str):
    """The call `engine.lax.<name>(x, y)`."""
    return lambda jax, x, y: getattr(jax.lax, name)(x, y)


# Every pair of special values, and of the integers at which arithmetic overflows or divides by zero.
PAIRS_A, PAIRS_B = (grid.ravel() for grid in np.meshgrid(SPECIAL_FLOATS, SPECIAL_FLOATS))
EDGES = [-(2**31), -(2**31) + 1, -7, -1, 0, 1, 7, 2**31 - 1]
EDGES_A, EDGES_B = (grid.ravel() for grid in np.meshgrid(EDGES, EDGES))


def fixed(values: np.ndarray, dtype: str = "float32") -> Operand:
    """These values in this order, for the second of two paired operands."""
    return Operand(values.shape, dtype, lambda rng, s: values)


def float_rows(name: str, x: tuple[float, float], y: tuple[float, float], ulp: float, **options: Any) -> list[Row]:
    """One function of two floats over dtypes, ranks, the empty array, broadcasting and special values."""
    call = public(name)
    options["ulp"] = ulp
    return [
        row(name, call, between(*x, 2, 3), between(*y, 2, 3), main=True, **options),
        row(name, call, between(*x), between(*y), **options),
        row(name, call, between(*x, 1), between(*y, 1), **options),
        row(name, call, between(*x, 0, 3), between(*y, 0, 3), **options),
        row(name, call, between(*x, 2, 3), between(*y), label="scalar", **options),
        row(name, call, between(*x, 2, 1), between(*y, 2, 3), label="size-1", **options),
        *(
            row(name, call, between(*x, 2, 3, dtype=d), between(*y, 2, 3, dtype=d), **options)
            for d in ("float16", "float64")
        ),
        row(name, call, fixed(PAIRS_A), fixed(PAIRS_B), label="special", only=("eval", "jit"), **options),
    ]


def nextafter_rows() -> list[Row]:
    """JAX has no derivative of nextafter: it raises NotImplementedError."""
    rows = float_rows("nextafter", (-3, 3), (-3, 3), 0)
    return [replace(r, only=r.only or NO_DERIVATIVE) for r in rows]


def integer_rows(name: str, dtypes: tuple[str, ...] = INTEGERS, main: bool = False) -> list[Row]:
    """One function of two integers: the whole range of each dtype, and the edges of int32."""
    call = public(name)
    return [
        *(
            row(name, call, anything(2, 3, dtype=d), anything(2, 3, dtype=d), main=main and d == "int32")
            for d in dtypes
        ),
        row(name, call, anything(2, 3, dtype="int32"), anything(dtype="int32"), label="scalar"),
        row(name, call, fixed(EDGES_A, "int32"), fixed(EDGES_B, "int32"), label="edges", only=("eval", "jit")),
        row(name, call, anything(2, 3, dtype="int64"), anything(2, 3, dtype="int64")),
    ]


def boolean_row(name: str, public_name: str | None = None) -> Row:
    """One function of two truth values."""
    return row(name, public(public_name or name), booleans(2, 3), booleans(2, 3))


def comparison_rows(name: str) -> list[Row]:
    """One comparison of floats (ties and NaN included), integers and truth values."""
    call = public(name)
    return [
        row(
            name,
            call,
            integers(0, 1, 2, 3, dtype="float32"),
            integers(0, 1, 2, 3, dtype="float32"),
            main=True,
            smooth=(),
        ),
        row(name, call, normal(), normal(), smooth=()),
        row(name, call, normal(0, 3), normal(0, 3), smooth=()),
        row(name, call, normal(2, 3), normal(), label="scalar", smooth=()),
        *(row(name, call, normal(2, 3, dtype=d), normal(2, 3, dtype=d), smooth=()) for d in ("float16", "float64")),
        *(row(name, call, integers(0, 2, 2, 3, dtype=d), integers(0, 2, 2, 3, dtype=d)) for d in INTEGERS),
        row(name, call, fixed(PAIRS_A), fixed(PAIRS_B), label="special", only=("eval", "jit")),
        boolean_row(name),
    ]


def total_order_rows(name: str) -> list[Row]:
    """A comparison in the total order of floats (NaN last, -0 before 0), which has no public function."""

    def call(jax: Any, x: Any, y: Any) -> Any:
        return getattr(jax.lax, f"{name}_p").bind(x, y)

    return [
        row(name, call, normal(2, 3), normal(2, 3), main=True, smooth=(), weak=False),
        row(name, call, fixed(PAIRS_A), fixed(PAIRS_B), label="special", only=("eval", "jit")),
        row(name, call, integers(0, 2, 2, 3), integers(0, 2, 2, 3), weak=False),
    ]


def bitwise_rows(name: str) -> list[Row]:
    """One bit by bit function of integers and truth values."""
    public_name = f"bitwise_{name}"
    call = public(public_name)
    return [
        *(row(name, call, anything(2, 3, dtype=d), anything(2, 3, dtype=d), main=d == "int32") for d in INTEGERS),
        row(name, call, anything(2, 3, dtype="uint32"), anything(dtype="uint32"), label="scalar"),
        row(name, call, anything(0, 3, dtype="int32"), anything(0, 3, dtype="int32")),
        boolean_row(name, public_name),
    ]


def shift_rows(name: str) -> list[Row]:
    """One shift, by amounts inside and past the width, and by negative ones."""
    call = public(name)
    return [
        *(row(name, call, anything(2, 3, dtype=d), integers(0, 6, 2, 3, dtype=d), main=d == "int32") for d in INTEGERS),
        row(
            name,
            call,
            anything(3, 3, dtype="int32"),
            fixed(np.arange(-2, 7).reshape(3, 3) * 9, "int32"),
            label="past",
        ),
        row(
            name,
            call,
            anything(2, 3, dtype="int8"),
            fixed(np.arange(6).reshape(2, 3) * 3, "int8"),
            label="past",
        ),
        row(name, call, anything(2, 3, dtype="uint32"), integers(0, 31, dtype="uint32"), label="scalar"),
    ]


def select(jax: Any, which: Any, *cases: Any) -> Any:
    """lax.select_n."""
    return jax.lax.select_n(which, *cases)


def clamp(jax: Any, low: Any, x: Any, high: Any) -> Any:
    """lax.clamp."""
    return jax.lax.clamp(low, x, high)


SELECTIONS = [
    row("select_n", select, booleans(2, 3), normal(2, 3), normal(2, 3), main=True, weak=False),
    row("select_n", select, booleans(), normal(2, 3), normal(2, 3), label="scalar", weak=False),
    row("select_n", select, booleans(), normal(), normal(), weak=False),
    row("select_n", select, integers(0, 2, 2, 3), normal(2, 3), normal(2, 3), normal(2, 3), weak=False),
    row("select_n", select, booleans(0, 3), normal(0, 3), normal(0, 3), weak=False),
    row("select_n", select, booleans(2, 3), integers(-9, 9, 2, 3), integers(-9, 9, 2, 3), weak=False),
    row("select_n", select, booleans(2, 3), booleans(2, 3), booleans(2, 3), weak=False),
    *(
        row("select_n", select, booleans(2, 3), normal(2, 3, dtype=d), normal(2, 3, dtype=d), weak=False)
        for d in ("float16", "float64")
    ),
]

CLAMPS = [
    row("clamp", clamp, between(-2, -1, 2, 3), between(-3, 3, 2, 3), between(1, 2, 2, 3), main=True),
    row(
        "clamp",
        lambda jax, x: jax.lax.clamp(-1.5, x, 1.0),
        between(-3, 3, 2, 3),
        label="constant-bounds",
        main=True,
    ),
    row(
        "clamp",
        clamp,
        between(-2, -1),
        between(-3, 3, 2, 3),
        between(1, 2),
        label="scalar-bounds",
        only=NO_DERIVATIVE,
    ),
    # JAX cannot batch the bounds of a scalar alone.
    row("clamp", clamp, between(-2, -1), between(-3, 3), between(1, 2), only=NO_BATCHES),
    row("clamp", clamp, between(1, 2, 5), between(-3, 3, 5), between(-2, -1, 5), label="bounds-crossed"),
    row("clamp", clamp, between(-2, -1), between(-3, 3, 0, 3), between(1, 2), only=NO_DERIVATIVE),
    row("clamp", clamp, integers(-2, -1), integers(-5, 5, 2, 3), integers(1, 2)),
    row(
        "clamp",
        clamp,
        between(-2, -1),
        exactly(SPECIAL_FLOATS),
        between(1, 2),
        label="special",
        only=("eval", "jit"),
    ),
    *(
        row(
            "clamp",
            clamp,
            between(-2, -1, 2, 3, dtype=d),
            between(-3, 3, 2, 3, dtype=d),
            between(1, 2, 2, 3, dtype=d),
        )
        for d in ("float16", "float64")
    ),
]

POWERS = [
    *float_rows("pow", (0.1, 3), (-2, 3), 4)[:-1],
    row("pow", public("pow"), fixed(PAIRS_A), fixed(PAIRS_B), label="special", only=("eval", "jit"), ulp=4),
    row(
        "pow",
        public("pow"),
        between(-3, 3, 2, 3),
        integers(-3, 3, 2, 3),
        label="integer-exponent",
        ulp=4,
        weak=False,
    ),
]


def sum_of_cotangents(jax: Any, x: Any) -> Any:
    """x * sin(x) backwards: two cotangents meet, which is what add_any is for."""
    return jax.vjp(lambda y: jax.lax.mul(y, jax.lax.sin(y)), x)[1](jax.lax.full_like(x, 1.0))[0]


SUMS_OF_COTANGENTS = [
    row("add_any", sum_of_cotangents, between(-3, 3, 2, 3), main=True, ulp=8, floor=1, weak=False),
    row("add_any", sum_of_cotangents, between(-3, 3), ulp=8, floor=1, weak=False),
]

ROWS: list[Row] = [
    *float_rows("add", (-3, 3), (-3, 3), 0),
    *float_rows("sub", (-3, 3), (-3, 3), 0),
    *float_rows("mul", (-3, 3), (-3, 3), 0),
    # XLA divides by what it has to broadcast, such as an operand without a batch axis, by way of its reciprocal.
    *float_rows("div", (-3, 3), (0.5, 3), 0, batched_ulp=2),
    *float_rows("rem", (-9, 9), (0.5, 3), 0),
    *float_rows("max", (-3, 3), (-3, 3), 0),
    *float_rows("min", (-3, 3), (-3, 3), 0),
    *float_rows("atan2", (-3, 3), (0.3, 3), 4),
    *nextafter_rows(),
    *(r for name in ("add", "sub", "mul", "div", "rem", "max", "min") for r in integer_rows(name)),
    *(boolean_row(name) for name in ("max", "min")),
    *(r for name in ("eq", "ne", "lt", "le", "gt", "ge") for r in comparison_rows(name)),
    *(r for name in ("eq_to", "lt_to", "le_to") for r in total_order_rows(name)),
    *(r for name in ("and", "or", "xor") for r in bitwise_rows(name)),
    *(r for name in ("shift_left", "shift_right_arithmetic", "shift_right_logical") for r in shift_rows(name)),
    row("max", public("max"), distinct(2, 3), distinct(2, 3), label="ties"),
    row(
        "min",
        public("min"),
        integers(0, 1, 2, 3, dtype="float32"),
        integers(0, 1, 2, 3, dtype="float32"),
        label="ties",
    ),
    *POWERS,
    *SELECTIONS,
    *CLAMPS,
    *SUMS_OF_COTANGENTS,
]
