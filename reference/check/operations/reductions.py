"""Rows of reductions, cumulative operations, arg-extrema and sorting."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..operation_row import Operand, Row, anything, between, booleans, distinct, exactly, integers, normal, row

FLOATS = ("float16", "float64")
AXES = ((0,), (1,), (0, 1), ())


def reducing(primitive: str, axes: tuple[int, ...], operand: Operand, **options: Any) -> Row:
    """`engine.lax.<primitive>(x, axes)`."""
    label = f"over-{','.join(map(str, axes))}" if axes else "over-none"
    return row(primitive, lambda jax, x: getattr(jax.lax, primitive)(x, axes), operand, label=label, **options)


def arithmetic_rows(primitive: str, draw: Any, ulp: float, integer: str = "int32") -> list[Row]:
    """A sum, product or extremum over axes, dtypes and empty arrays."""
    options = {"ulp": ulp, "leafwise": bool(ulp)}
    return [
        *(reducing(primitive, axes, draw(2, 3), main=axes == (1,), **options) for axes in AXES),
        reducing(primitive, (0, 2), draw(2, 3, 2), **options),
        reducing(primitive, (), draw(), **options),
        reducing(primitive, (0,), draw(1, 3), **options),
        reducing(primitive, (0,), draw(0, 3), **options),
        *(reducing(primitive, (1,), draw(2, 3, dtype=dtype), **options) for dtype in FLOATS),
        *(reducing(primitive, (1,), anything(2, 3, dtype=dtype)) for dtype in (integer, "int8", "uint8")),
    ]


def logical_rows(primitive: str) -> list[Row]:
    """A bit by bit reduction of truth values and integers."""
    return [
        *(reducing(primitive, axes, booleans(2, 3), main=axes == (1,)) for axes in AXES),
        *(
            reducing(primitive, (0,), anything(2, 3, dtype=dtype), main=dtype == "int32")
            for dtype in ("int32", "uint8")
        ),
        reducing(primitive, (0,), booleans(0, 3)),
    ]


def arg_rows(primitive: str) -> list[Row]:
    """The index of an extremum: the first of equals, NaN before everything."""

    def call(axis: int, dtype: str = "int32"):
        return lambda jax, x: getattr(jax.lax, primitive)(x, axis, np.dtype(dtype))

    ties = exactly(
        [
            [1.0, 3.0, 3.0, 0.0],
            [0.0, 0.0, -0.0, 2.0],
            [1.0, np.nan, np.nan, 5.0],
            [np.inf, -np.inf, np.inf, 0],
        ]
    )
    return [
        row(primitive, call(0), distinct(2, 3), label="axis-0", smooth=()),
        row(primitive, call(1), distinct(2, 3), label="axis-1", main=True, smooth=()),
        row(primitive, call(1, "uint8"), distinct(2, 3), label="uint8", smooth=()),
        row(primitive, call(1), ties, label="ties", only=("eval", "jit")),
        row(primitive, call(1), integers(0, 2, 2, 3)),
        row(primitive, call(1), booleans(2, 3)),
        *(row(primitive, call(1), distinct(2, 3, dtype=dtype), smooth=()) for dtype in FLOATS),
    ]


def cumulative_rows(primitive: str, draw: Any, ulp: float) -> list[Row]:
    """A running reduction, forwards and backwards."""

    def call(axis: int, reverse: bool = False):
        return lambda jax, x: getattr(jax.lax, primitive)(x, axis=axis, reverse=reverse)

    options = {"ulp": ulp, "leafwise": bool(ulp)}
    rows = [
        row(primitive, call(0), draw(2, 3), label="axis-0", **options),
        row(primitive, call(1), draw(2, 3), label="axis-1", main=True, **options),
        row(primitive, call(1, True), draw(2, 3), label="reverse", main=True, **options),
        row(primitive, call(0), draw(1), **options),
        row(primitive, call(0), draw(0, 3), **options),
        *(row(primitive, call(1), draw(2, 3, dtype=dtype), **options) for dtype in FLOATS),
    ]
    if primitive != "cumlogsumexp":
        rows += [row(primitive, call(1), anything(2, 3, dtype=dtype)) for dtype in ("int32", "uint8")]
    return rows


def sort(dimension: int, num_keys: int = 1, is_stable: bool = True):
    """lax.sort of one operand, or of several by their first `num_keys`."""

    def call(jax: Any, *operands: Any) -> Any:
        operand = operands[0] if len(operands) == 1 else operands
        return jax.lax.sort(operand, dimension=dimension, num_keys=num_keys, is_stable=is_stable)

    return call


UNSORTED = [3.0, -0.0, 0.0, np.nan, -1.0, np.inf, -np.inf, 0.0, -0.0, np.nan, 2.0]
SORTS = [
    row("sort", sort(1), distinct(2, 3), label="axis-1", main=True),
    row("sort", sort(0), distinct(2, 3), label="axis-0"),
    row("sort", sort(0), distinct(1), label="size-1"),
    row("sort", sort(1), distinct(2, 0), label="empty"),
    row("sort", sort(0), exactly(UNSORTED), label="special", only=("eval", "jit")),
    row(
        "sort",
        sort(0),
        exactly(UNSORTED),
        integers(0, 99, 11),
        label="special-pairs",
        only=("eval", "jit"),
        weak=False,
    ),
    row("sort", sort(1), integers(0, 2, 2, 5), normal(2, 5), label="pairs", main=True, weak=False),
    row("sort", sort(0, 2), integers(0, 1, 6), distinct(6), normal(6), label="two-keys", weak=False),
    row("sort", sort(0, 1, False), distinct(5), label="unstable"),
    row("sort", sort(1), anything(2, 3, dtype="uint8")),
    row("sort", sort(0), booleans(7)),
    *(row("sort", sort(1), distinct(2, 3, dtype=dtype)) for dtype in FLOATS),
]


def top_k(k: int, axis: int = -1):
    """lax.top_k."""
    return lambda jax, x: jax.lax.top_k(x, k, axis=axis)


TOP_K = [
    row("top_k", top_k(2), distinct(2, 3), label="2", main=True),
    row("top_k", top_k(2, 0), distinct(3, 2), label="axis-0"),
    row("top_k", top_k(3), integers(0, 2, 2, 5), label="ties"),
    row(
        "top_k",
        top_k(4),
        exactly([1.0, np.nan, 3.0, -0.0, 0.0, np.inf]),
        label="special",
        only=("eval", "jit"),
    ),
]

ROWS: list[Row] = [
    *arithmetic_rows("reduce_sum", normal, 3),
    *arithmetic_rows("reduce_prod", normal, 3),
    *arithmetic_rows("reduce_max", distinct, 0),
    *arithmetic_rows("reduce_min", distinct, 0),
    reducing("reduce_max", (1,), integers(0, 1, 2, 5, dtype="float32"), smooth=()),
    reducing("reduce_max", (0,), exactly([1.0, np.nan, np.inf]), only=("eval", "jit")),
    reducing("reduce_min", (0,), exactly([-0.0, 0.0, np.nan, -np.inf]), only=("eval", "jit")),
    reducing("reduce_max", (0,), booleans(2, 3)),
    reducing("reduce_min", (0,), booleans(2, 3)),
    reducing("reduce_sum", (0,), between(0.9, 1.1, 3000), ulp=64, only=("eval", "jit")),
    reducing("reduce_sum", (0,), between(0.9, 1.1, 3000, dtype="float16"), ulp=4, only=("eval", "jit")),
    *(r for name in ("reduce_and", "reduce_or", "reduce_xor") for r in logical_rows(name)),
    *(r for name in ("argmax", "argmin") for r in arg_rows(name)),
    *cumulative_rows("cumsum", normal, 3),
    *cumulative_rows("cumprod", normal, 3),
    *cumulative_rows("cummax", distinct, 0),
    *cumulative_rows("cummin", distinct, 0),
    *cumulative_rows("cumlogsumexp", normal, 8),
    *SORTS,
    *TOP_K,
]
