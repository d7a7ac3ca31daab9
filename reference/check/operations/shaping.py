"""Rows of shaping operations and dot_general."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..operation_row import Operand, Row, anything, booleans, integers, normal, row

FLOATS = ("float16", "float64")


def shaping(primitive: str, *args: Any, name: str | None = None):
    """Rows of `engine.lax.<primitive>(x, *args)`."""

    def call(jax: Any, x: Any) -> Any:
        return getattr(jax.lax, name or primitive)(x, *args)

    def rows(*operands: Operand, label: str, main: bool = False) -> list[Row]:
        return [row(primitive, call, o, label=label, main=main and i == 0) for i, o in enumerate(operands)]

    return rows


def concatenate(axis: int):
    """lax.concatenate."""
    return lambda jax, *xs: jax.lax.concatenate(xs, axis)


def stack(axis: int):
    """lax.stack."""
    return lambda jax, *xs: jax.lax.stack(xs, axis)


def pad(*config: tuple[int, int, int]):
    """lax.pad."""
    return lambda jax, x, value: jax.lax.pad(x, value, config)


def iota(dtype: str, shape: tuple[int, ...], dimension: int, **options: Any) -> Row:
    """lax.broadcasted_iota; it has no operands, so only its value and text count."""

    def call(jax: Any) -> Any:
        return jax.lax.broadcasted_iota(np.dtype(dtype), shape, dimension)

    label = f"{dtype}[{','.join(map(str, shape))}]-{dimension}"
    return row("iota", call, label=label, only=("eval", "jit", "jaxpr"), **options)


CONCATENATE = [
    row("concatenate", concatenate(0), normal(2, 3), normal(1, 3), label="axis-0"),
    row("concatenate", concatenate(1), normal(2, 3), normal(2, 1), normal(2, 2), label="axis-1", main=True),
    row("concatenate", concatenate(0), normal(0, 3), normal(2, 3), label="empty"),
    row("concatenate", concatenate(0), integers(0, 9, 2), integers(0, 9, 3)),
    row("concatenate", concatenate(0), normal(2, dtype="float16"), normal(3, dtype="float16")),
]

STACK = [
    row("stack", stack(0), normal(2, 3), normal(2, 3), main=True),
    row("stack", stack(2), normal(2, 3), normal(2, 3), normal(2, 3), label="last"),
    row("stack", stack(0), normal(), normal()),
    row("unstack", lambda jax, x: jax.lax.unstack(x, 0), normal(2, 3), main=True),
    row("unstack", lambda jax, x: jax.lax.unstack(x, 1), integers(0, 9, 2, 3), label="axis-1"),
]

PAD = [
    row("pad", pad((1, 2, 0), (0, 1, 0)), normal(2, 3), normal(), label="edges", main=True),
    row("pad", pad((0, 0, 1), (2, 0, 2)), normal(2, 3), normal(), label="interior", main=True),
    row("pad", pad((-1, 2, 0), (0, -2, 0)), normal(2, 3), normal(), label="negative"),
    row("pad", pad((-1, 1, 2), (1, -3, 1)), normal(3, 3), normal(), label="negative-interior", main=True),
    row("pad", pad((1, 0, 3)), normal(0), normal(), label="empty"),
    row("pad", pad(), normal(), normal(), label="0d"),
    row("pad", pad((1, 1, 0)), integers(0, 9, 3), integers(0, 9), label="integers"),
    row("pad", pad((1, 1, 0)), booleans(3), booleans(), label="booleans"),
    row("pad", pad((1, 1, 1)), normal(3, dtype="float16"), normal(dtype="float16")),
]


def split(sizes: tuple[int, ...], axis: int):
    """lax.split."""
    return lambda jax, x: jax.lax.split(x, sizes, axis)


SPLIT = [
    row("split", split((1, 2), 1), normal(2, 3), label="1-2", main=True),
    row("split", split((2, 0, 1), 0), normal(3, 2), label="2-0-1"),
    row("split", split((3,), 0), integers(0, 9, 3), label="whole"),
]

Axes = tuple[int, ...]


def dot(contracting: tuple[Axes, Axes], batch: tuple[Axes, Axes] = ((), ()), prefer: str | None = None):
    """lax.dot_general."""

    def call(jax: Any, x: Any, y: Any) -> Any:
        preferred = None if prefer is None else np.dtype(prefer)
        return jax.lax.dot_general(x, y, (contracting, batch), preferred_element_type=preferred)

    return call


def dots(x: Operand, y: Operand, contracting: Any, batch: Any = ((), ()), label: str = "", **options: Any) -> Row:
    """A row of dot_general."""
    prefer = options.pop("prefer", None)
    if x.is_float:
        options = {"ulp": 4, "leafwise": True} | options
    return row("dot_general", dot(contracting, batch, prefer), x, y, label=label, **options)


DOT = [
    dots(normal(2, 3), normal(3, 4), ((1,), (0,)), label="matmul", main=True),
    dots(normal(2, 3), normal(3), ((1,), (0,)), label="matvec"),
    dots(normal(3), normal(3), ((0,), (0,)), label="inner"),
    dots(normal(2), normal(3), ((), ()), label="outer", main=True),
    dots(normal(), normal(), ((), ()), label="0d"),
    dots(normal(3, 2), normal(4, 3), ((0,), (1,)), label="both-transposed"),
    dots(normal(5, 2, 3), normal(5, 3, 4), ((2,), (1,)), ((0,), (0,)), label="batch", main=True),
    dots(normal(2, 5, 3), normal(3, 4, 5), ((2,), (0,)), ((1,), (2,)), label="batch-inside", main=True),
    dots(normal(2, 3, 4), normal(4, 5, 3), ((1, 2), (2, 0)), label="two-contracted", main=True),
    dots(normal(2, 3, 4, 2), normal(3, 2, 2, 4), ((3,), (2,)), ((1, 0), (0, 1)), label="two-batch", main=True),
    dots(normal(2, 3, 4), normal(4, 3, 2), ((0, 2, 1), (2, 0, 1)), label="all-contracted"),
    dots(normal(2, 3), normal(2, 4), ((), ()), ((0,), (0,)), label="batch-outer"),
    dots(normal(2, 0), normal(0, 3), ((1,), (0,)), label="empty-contraction"),
    dots(normal(0, 3), normal(3, 2), ((1,), (0,)), label="empty-result"),
    dots(normal(1, 3), normal(3, 1), ((1,), (0,)), label="size-1"),
    dots(normal(2, 3, dtype="float16"), normal(3, 4, dtype="float16"), ((1,), (0,))),
    dots(
        normal(2, 3, dtype="float16"),
        normal(3, 4, dtype="float16"),
        ((1,), (0,)),
        label="prefer-f32",
        prefer="float32",
    ),
    dots(normal(2, 3, dtype="float64"), normal(3, 4, dtype="float64"), ((1,), (0,))),
    dots(integers(-9, 9, 2, 3), integers(-9, 9, 3, 4), ((1,), (0,))),
    dots(anything(2, 3, dtype="int8"), anything(3, 4, dtype="int8"), ((1,), (0,)), label="wraps"),
    dots(
        anything(2, 3, dtype="int8"),
        anything(3, 4, dtype="int8"),
        ((1,), (0,)),
        label="prefer-i32",
        prefer="int32",
    ),
    dots(booleans(2, 3), booleans(3, 4), ((1,), (0,))),
]

broadcast_to_last = shaping("broadcast_in_dim", (2, 3), (1,))
broadcast_inside = shaping("broadcast_in_dim", (4, 2, 5, 3), (1, 3))
reshape = shaping("reshape", (3, 2))
permute = shaping("transpose", (2, 0, 1))

ROWS: list[Row] = [
    *broadcast_to_last(normal(3), integers(0, 9, 3), booleans(3), normal(3, dtype="float16"), label="last", main=True),
    *broadcast_inside(normal(2, 3), label="inside"),
    *broadcast_inside(normal(1, 3), normal(2, 1), label="size-1", main=True),
    *shaping("broadcast_in_dim", (2, 3), ())(normal(), integers(0, 9), label="0d", main=True),
    *shaping("broadcast_in_dim", (0, 3), (1,))(normal(3), label="to-empty"),
    *reshape(normal(2, 3), normal(6), integers(0, 9, 2, 3), normal(2, 3, dtype="float64"), label="3x2", main=True),
    *shaping("reshape", ())(normal(1, 1), label="to-0d"),
    *shaping("reshape", (1, 1))(normal(), label="from-0d"),
    *shaping("reshape", (0, 7))(normal(3, 0), label="empty"),
    row("reshape", lambda jax, x: jax.lax.reshape(x, (6,), (1, 0)), normal(2, 3), label="dimensions"),
    *permute(normal(2, 3, 4), integers(0, 9, 2, 3, 4), normal(0, 3, 1), label="201", main=True),
    *shaping("transpose", (1, 0))(normal(2, 3), booleans(2, 3), normal(2, 3, dtype="float16"), label="10", main=True),
    *shaping("squeeze", (0, 2))(normal(1, 3, 1), integers(0, 9, 1, 3, 1), label="02", main=True),
    *shaping("squeeze", (-1,))(normal(2, 1), normal(1), normal(0, 1), label="last"),
    *shaping("broadcast_in_dim", (0, 3), name="expand_dims")(normal(2, 3), label="expand", main=True),
    *shaping("rev", (0, 1))(normal(2, 3), integers(0, 9, 2, 3), normal(0, 3), label="01", main=True),
    *shaping("rev", (1,))(normal(2, 3), normal(1, 1), label="1"),
    *shaping("tile", (2, 1))(normal(2, 3), integers(0, 9, 2, 3), normal(1, 3), label="21", main=True),
    *shaping("tile", (2, 3))(normal(2, 3), normal(0, 3), label="23"),
    *CONCATENATE,
    *STACK,
    *PAD,
    *SPLIT,
    iota("int32", (3,), 0, main=True),
    iota("float32", (2, 3), 1),
    iota("uint8", (2, 300), 1),
    iota("float16", (2, 3), 0),
    iota("int32", (0, 3), 1),
    iota("int32", (1,), 0),
    row("copy", lambda jax, x: jax.numpy.copy(x), normal(2, 3), main=True),
    row("copy", lambda jax, x: jax.numpy.copy(x), integers(0, 9)),
    row("optimization_barrier", lambda jax, x: jax.lax.optimization_barrier(x), integers(0, 9, 3)),
    row("empty", lambda jax: jax.lax.empty((2, 3), np.dtype("float32")), main=True, only=("jit", "jaxpr", "eval")),
    row("empty", lambda jax: jax.lax.empty((0,), np.dtype("int8")), label="0", only=("jit", "jaxpr", "eval")),
    row(
        "optimization_barrier",
        lambda jax, x, y: jax.lax.optimization_barrier((x, y)),
        normal(2, 3),
        normal(),
        main=True,
    ),
    *DOT,
]
