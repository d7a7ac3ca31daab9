"""Rows of slicing, gathering and scattering."""

from __future__ import annotations

from typing import Any

from ..operation_row import Operand, Row, booleans, distinct, exactly, integers, normal, row


def static(start: tuple[int, ...], limit: tuple[int, ...], strides: tuple[int, ...] | None = None):
    """lax.slice."""
    return lambda jax, x: jax.lax.slice(x, start, limit, strides)


SLICE = [
    row("slice", static((0, 1), (2, 3)), normal(2, 3), label="block", main=True),
    row("slice", static((0, 1), (3, 5), (2, 3)), normal(3, 5), label="strides", main=True),
    row("slice", static((1, 1), (1, 3)), normal(2, 3), label="empty"),
    row("slice", static((0,), (0,)), normal(0), label="of-empty"),
    row("slice", static((), ()), normal(), label="0d"),
    row("slice", static((1,), (4,), (2,)), integers(0, 9, 5), label="integers"),
    row("slice", static((1,), (4,)), booleans(5), label="booleans"),
    row("slice", static((1,), (4,), (2,)), normal(5, dtype="float16"), label="half"),
    row("slice", static((1,), (4,), (2,)), normal(5, dtype="float64"), label="double"),
]


def dynamic_slice(*sizes: int):
    """lax.dynamic_slice; start indices past the end are moved back."""
    return lambda jax, x, *starts: jax.lax.dynamic_slice(x, starts, sizes)


def dynamic_update_slice(jax: Any, x: Any, update: Any, *starts: Any) -> Any:
    """lax.dynamic_update_slice."""
    return jax.lax.dynamic_update_slice(x, update, starts)


def at(*values: int, dtype: str = "int32") -> list[Operand]:
    """Scalar start indices; a batch of them varies by one."""
    return [Operand((), dtype, lambda rng, s, v=v: v + rng.integers(-1, 2, s)) for v in values]


DYNAMIC = [
    row("dynamic_slice", dynamic_slice(2, 2), normal(3, 4), *at(1, 2), label="inside", main=True, weak=False),
    row("dynamic_slice", dynamic_slice(2, 2), normal(3, 4), *at(7, -9), label="outside", main=True, weak=False),
    row("dynamic_slice", dynamic_slice(2), normal(5), *at(-2), label="from-the-end", weak=False),
    row("dynamic_slice", dynamic_slice(0), normal(5), *at(2), label="empty", weak=False),
    row("dynamic_slice", dynamic_slice(), normal(), label="0d", weak=False),
    row(
        "dynamic_slice",
        dynamic_slice(2),
        integers(0, 9, 5),
        *at(1, dtype="uint8"),
        label="integers",
        weak=False,
    ),
    row(
        "dynamic_update_slice",
        dynamic_update_slice,
        normal(3, 4),
        normal(2, 2),
        *at(1, 2),
        main=True,
        weak=False,
    ),
    row(
        "dynamic_update_slice",
        dynamic_update_slice,
        normal(3, 4),
        normal(2, 2),
        *at(9, -9),
        label="outside",
        weak=False,
    ),
    row("dynamic_update_slice", dynamic_update_slice, normal(5), normal(0), *at(1), label="empty", weak=False),
    row("dynamic_update_slice", dynamic_update_slice, normal(), normal(), label="0d", weak=False),
    row("dynamic_update_slice", dynamic_update_slice, integers(0, 9, 5), integers(0, 9, 2), *at(1), weak=False),
    row("dynamic_update_slice", dynamic_update_slice, booleans(5), booleans(2), *at(2), weak=False),
]


def gather(sizes: tuple[int, ...], dims: dict[str, tuple[int, ...]], **options: Any):
    """lax.gather."""

    def call(jax: Any, x: Any, indices: Any) -> Any:
        numbers = jax.lax.GatherDimensionNumbers(**dims)
        return jax.lax.gather(x, indices, numbers, sizes, **options)

    return call


ROWS_OF = {"offset_dims": (1,), "collapsed_slice_dims": (0,), "start_index_map": (0,)}
COLUMNS_OF = {"offset_dims": (0,), "collapsed_slice_dims": (1,), "start_index_map": (1,)}
POINTS_OF = {"offset_dims": (), "collapsed_slice_dims": (0, 1), "start_index_map": (0, 1)}
ENTRIES_OF = {"offset_dims": (), "collapsed_slice_dims": (0,), "start_index_map": (0,)}
BLOCKS_OF = {"offset_dims": (1, 2), "collapsed_slice_dims": (), "start_index_map": (1, 0)}
BATCHED = {
    "offset_dims": (),
    "collapsed_slice_dims": (1,),
    "start_index_map": (1,),
    "operand_batching_dims": (0,),
    "start_indices_batching_dims": (0,),
}

GATHER = [
    row(
        "gather",
        gather((1, 3), ROWS_OF),
        normal(4, 3),
        integers(0, 3, 2, 1),
        label="rows",
        main=True,
        weak=False,
    ),
    row("gather", gather((4, 1), COLUMNS_OF), normal(4, 3), integers(0, 2, 2, 1), label="columns", weak=False),
    row("gather", gather((1, 1), POINTS_OF), normal(4, 3), integers(0, 2, 2, 5, 2), label="points", weak=False),
    row(
        "gather",
        gather((2, 2), BLOCKS_OF),
        normal(4, 3),
        integers(0, 1, 5, 2),
        label="blocks",
        main=True,
        weak=False,
    ),
    row(
        "gather",
        gather((1, 1), BATCHED),
        normal(4, 3),
        integers(0, 2, 4, 1),
        label="batched",
        main=True,
        weak=False,
    ),
    row("gather", gather((1, 3), ROWS_OF), normal(4, 3), integers(0, 3, 0, 1), label="none", weak=False),
    row("gather", gather((1,), ENTRIES_OF), normal(4), integers(0, 3, 1), label="0d", weak=False),
    *(
        row(
            "gather",
            gather((1, 3), ROWS_OF, mode=mode),
            normal(4, 3),
            integers(-6, 6, 5, 1),
            label=mode,
            weak=False,
        )
        for mode in ("clip", "fill")
    ),
    row(
        "gather",
        gather((1, 3), ROWS_OF, mode="fill", fill_value=7),
        normal(4, 3),
        integers(-6, 6, 5, 1),
        label="fill-7",
        main=True,
        weak=False,
    ),
    row(
        "gather",
        gather((1, 3), ROWS_OF, mode="fill"),
        integers(0, 9, 4, 3),
        integers(-6, 6, 5, 1),
        label="fill-integers",
        weak=False,
    ),
    row(
        "gather",
        gather((1, 3), ROWS_OF, mode="fill"),
        normal(4, 3, dtype="float16"),
        integers(-6, 6, 5, 1, dtype="uint8"),
        label="fill-half",
        weak=False,
    ),
    row(
        "gather",
        gather((2, 2), BLOCKS_OF, mode="clip"),
        normal(4, 3),
        integers(-3, 5, 6, 2),
        label="clip-blocks",
        weak=False,
    ),
    row(
        "gather",
        gather((1, 3), ROWS_OF, unique_indices=True, indices_are_sorted=True),
        normal(4, 3),
        exactly([[0], [2]], "int32"),
        label="promises",
        weak=False,
    ),
]


def scatter(kind: str, dims: dict[str, tuple[int, ...]], **options: Any):
    """lax.scatter and its arithmetic siblings."""

    def call(jax: Any, x: Any, indices: Any, updates: Any) -> Any:
        numbers = jax.lax.ScatterDimensionNumbers(**dims)
        name = kind.replace("-", "_")
        return getattr(jax.lax, name)(x, indices, updates, numbers, **options)

    return call


TO_ROWS = {"update_window_dims": (1,), "inserted_window_dims": (0,), "scatter_dims_to_operand_dims": (0,)}
TO_POINTS = {"update_window_dims": (), "inserted_window_dims": (0, 1), "scatter_dims_to_operand_dims": (0, 1)}
TO_BLOCKS = {"update_window_dims": (1, 2), "inserted_window_dims": (), "scatter_dims_to_operand_dims": (1, 0)}
TO_BATCHED = {
    "update_window_dims": (),
    "inserted_window_dims": (1,),
    "scatter_dims_to_operand_dims": (1,),
    "operand_batching_dims": (0,),
    "scatter_indices_batching_dims": (0,),
}


def scatter_rows(kind: str) -> list[Row]:
    """One scatter: into rows, points, blocks, a batch; past the end; repeated indices; dtypes."""
    # Only indices without repetitions have an order-independent result, and products only then a derivative.
    apart = exactly([[0], [2]], "int32")
    pick = distinct if kind in ("scatter-min", "scatter-max") else normal
    unique = {"unique_indices": True} if kind == "scatter-mul" else {}
    rows = [
        row(
            kind,
            scatter(kind, TO_ROWS, **unique),
            pick(4, 3),
            apart,
            pick(2, 3),
            label="rows",
            main=True,
            weak=False,
        ),
        row(
            kind,
            scatter(kind, TO_POINTS, **unique),
            pick(4, 3),
            exactly([[3, 0], [1, 2]], "int32"),
            pick(2),
            label="points",
            weak=False,
        ),
        row(
            kind,
            scatter(kind, TO_BATCHED, **unique),
            pick(4, 3),
            integers(0, 2, 4, 1),
            pick(4),
            label="batched",
            main=kind in ("scatter", "scatter-add"),
            weak=False,
        ),
        row(
            kind,
            scatter(kind, TO_ROWS, **unique),
            pick(4, 3),
            exactly([[1], [9], [-1]], "int32"),
            pick(3, 3),
            label="outside",
            weak=False,
        ),
        row(
            kind,
            scatter(kind, TO_ROWS, mode="clip"),
            integers(0, 9, 4, 3),
            exactly([[1], [9], [-5]], "int32"),
            integers(0, 9, 3, 3),
            label="clip",
            weak=False,
        ),
        row(
            kind,
            scatter(kind, TO_ROWS, **unique),
            pick(4, 3),
            integers(0, 3, 0, 1),
            pick(0, 3),
            label="none",
            weak=False,
        ),
        row(
            kind,
            scatter(kind, TO_ROWS, **unique),
            pick(4, 3, dtype="float16"),
            apart,
            pick(2, 3, dtype="float16"),
            label="half",
            weak=False,
        ),
        row(
            kind,
            scatter(kind, TO_ROWS, **unique),
            integers(0, 9, 4, 3),
            apart,
            integers(0, 9, 2, 3),
            label="integers",
            weak=False,
        ),
    ]
    if kind in ("scatter-add", "scatter-sub"):
        rows += [
            row(
                kind,
                scatter(kind, TO_ROWS),
                normal(4, 3),
                integers(0, 3, 7, 1),
                normal(7, 3),
                label="repeated",
                main=True,
                ulp=8,
                leafwise=True,
                weak=False,
            ),
            row(
                kind,
                scatter(kind, TO_BLOCKS),
                normal(4, 3),
                integers(0, 1, 5, 2),
                normal(5, 2, 2),
                label="blocks",
                main=True,
                ulp=8,
                leafwise=True,
                weak=False,
            ),
        ]
    return rows


ROWS: list[Row] = [
    *SLICE,
    *DYNAMIC,
    *GATHER,
    *(
        r
        for kind in ("scatter", "scatter-add", "scatter-sub", "scatter-mul", "scatter-min", "scatter-max")
        for r in scatter_rows(kind)
    ),
]
