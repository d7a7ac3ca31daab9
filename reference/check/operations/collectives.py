"""Rows of collectives, over axes of the array: named ones are gone where arrays are (see test_named_axes.py)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..operation_row import (
    NO_DERIVATIVE,
    Operand,
    Row,
    anything,
    booleans,
    distinct,
    exactly,
    integers,
    normal,
    parts,
    row,
)

AXES = ((0,), (1,), (0, 1), ())


def reducing(primitive: str, axes: Any, operand: Operand, **options: Any) -> Row:
    """`engine.lax.<primitive>(x, axes)`."""
    call = lambda jax, x: getattr(jax.lax, primitive)(x, axes)  # noqa: E731
    return row(primitive, call, operand, label=f"over-{axes}", **options)


def in_vmap(primitive: str, operand: Operand, **options: Any) -> Row:
    """`engine.lax.<primitive>(x, "i")` where a vmap has named the first axis."""
    call = lambda jax, x: jax.vmap(lambda v: getattr(jax.lax, primitive)(v, "i"), axis_name="i")(x)  # noqa: E731
    return row(primitive, call, operand, label="named", **options)


def extremum_rows(primitive: str) -> list[Row]:
    """pmax or pmin, which have no derivative."""
    options = {"only": NO_DERIVATIVE}
    return [
        *(
            reducing(primitive, axes, distinct(2, 3), main=axes == (1,), deep=len(axes) == 2, **options)
            for axes in AXES
            if axes
        ),
        *(reducing(primitive, (1,), anything(2, 3, dtype=dtype), deep=True, **options) for dtype in ("int32", "uint8")),
        reducing(primitive, (1,), booleans(2, 3), **options),
        reducing(primitive, (0,), exactly([1.0, np.nan, np.inf]), only=("eval", "jit")),
        reducing(primitive, (1,), normal(2, 3, dtype="float64"), deep=True, **options),
        in_vmap(primitive, distinct(4, 3), main=True, **options),
    ]


ROWS: list[Row] = [
    *(reducing("psum", axes, normal(2, 3), main=axes == (1,), ulp=3, leafwise=True) for axes in AXES if axes),
    reducing("psum", 0, normal(3), ulp=3, leafwise=True),
    reducing("psum", (0,), normal(0, 3)),
    reducing("psum", (1,), normal(2, 3, dtype="float64"), ulp=3, leafwise=True),
    reducing("psum", (1,), normal(2, 3, dtype="float16"), ulp=3, leafwise=True),
    reducing("psum", (0,), parts(-2, 2, 3), ulp=3, leafwise=True),
    *(reducing("psum", (1,), anything(2, 3, dtype=dtype)) for dtype in ("int32", "int8", "uint8")),
    reducing("psum", (1,), integers(-5, 5, 2, 3), main=True),
    in_vmap("psum", normal(4, 3), main=True, ulp=3, leafwise=True),
    in_vmap("psum", normal(2)),
    *extremum_rows("pmax"),
    *extremum_rows("pmin"),
]
