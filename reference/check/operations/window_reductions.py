"""Rows of reductions over sliding windows, and of what their derivatives are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..operation_row import Operand, Row, anything, booleans, distinct, exactly, integers, normal, parts, row

STARTS = {"add": 0.0, "max": -np.inf, "min": np.inf, "mul": 1.0}
NAMES = {"add": "reduce_window_sum", "max": "reduce_window_max", "min": "reduce_window_min"}


def pooling(op: str, label: str, x: Operand, window: tuple[int, ...], *geometry: Any, **options: Any) -> Row:
    """`engine.lax.reduce_window(x, start, engine.lax.<op>, window, *geometry)`."""
    start = options.pop("start", np.dtype(x.dtype).type(STARTS[op]) if x.is_float else None)

    def call(jax: Any, x: Any) -> Any:
        return jax.lax.reduce_window(x, start, getattr(jax.lax, op), window, *geometry)

    return row(NAMES.get(op, "reduce_window"), call, x, label=label, **options)


def pooling_rows(op: str, draw: Any, ulp: float) -> list[Row]:
    """Windows with strides, padding and dilation, over several dtypes."""
    sums = {"ulp": ulp, "leafwise": bool(ulp)}
    return [
        pooling(op, "plain", draw(5), (2,), main=op == "add", **sums),
        pooling(op, "strided", draw(2, 5, 4), (1, 2, 2), (1, 2, 2), "SAME", main=True, weak=False, **sums),
        pooling(op, "pairs", draw(4, 5), (3, 2), (2, 1), [(1, 0), (2, 1)], **sums),
        pooling(op, "base-dilation", draw(4, 3), (2, 3), (1, 2), [(1, 0), (0, 1)], (2, 1), **sums),
        pooling(op, "large", draw(40), (38,), **sums),
        pooling(op, "huge", draw(150), (75,), **{**sums, "ulp": 4 * ulp}, only=("eval", "jvp", "jit")),
        pooling(op, "all-padding", draw(3), (2,), (3,), [(3, 2)], **sums, only=("eval", "jit", "jaxpr")),
        pooling(op, "no-windows", draw(3), (5,), **sums),
        pooling(op, "empty", draw(2, 0), (2, 1), **sums, only=("eval", "weak", "jit", "jaxpr")),
        pooling(op, "0-d", draw(), (), **sums, only=("eval", "weak", "jvp", "jit", "jaxpr")),
        *(pooling(op, "dtype", draw(5, dtype=dtype), (2,), **sums) for dtype in ("float16", "float64")),
    ]


def dilated_windows(op: str, draw: Any, **options: Any) -> Row:
    """Windows with gaps; those of extrema have no derivative in reverse mode."""
    return pooling(op, "window-dilation", draw(7, 4), (2, 2), (2, 1), [(1, 1), (0, 2)], (1, 1), (3, 2), **options)


SPECIAL = exactly([1.0, np.nan, 2.0, 2.0, -0.0, 0.0, 0.0, -0.0, -np.inf, -np.inf, np.inf])
FORWARD = ("eval", "jvp", "jit", "jaxpr")

POOLING = [
    *pooling_rows("add", normal, 4),
    *pooling_rows("max", distinct, 0),
    *pooling_rows("min", distinct, 0),
    dilated_windows("add", normal, ulp=4, leafwise=True),
    dilated_windows("max", distinct, only=FORWARD),
    dilated_windows("min", distinct, only=FORWARD),
    *(pooling(op, "ties", integers(0, 2, 6, 6, dtype="float32"), (3, 2), smooth=()) for op in ("max", "min")),
    *(
        pooling(op, "special", SPECIAL, (3,), (1,), [(1, 1)], only=("eval", "jvp", "vjp", "jit"))
        for op in ("max", "min")
    ),
    pooling("add", "complex", parts(-2, 2, 5, 3), (2, 2), (2, 1), "SAME", start=0, ulp=4, leafwise=True),
    pooling("add", "integers", anything(5, dtype="int32"), (2,), start=0),
    pooling("add", "bytes", anything(5, dtype="uint8"), (2,), start=np.uint8(0)),
    pooling("max", "integers", anything(5, dtype="int32"), (2,), start=np.int32(np.iinfo(np.int32).min)),
    pooling("min", "bytes", anything(5, dtype="uint8"), (2,), start=np.uint8(255)),
    pooling("max", "booleans", booleans(5), (2,), start=False),
]


def places_of_extrema(primitive: str, select: str, geometry: dict[str, Any]) -> Any:
    """A bind of select_and_gather_add or select_and_scatter_add."""

    def call(jax: Any, values: Any, x: Any) -> Any:
        prim, compare = getattr(jax.lax, f"{primitive}_p"), getattr(jax.lax, f"{select}_p")
        return prim.bind(values, x, select_prim=compare, **geometry)

    return call


def geometry(window: Any, strides: Any, padding: Any, **more: Any) -> dict[str, Any]:
    """The parameters' names."""
    return {"window_dimensions": window, "window_strides": strides, "padding": padding, **more}


GATHER = geometry((2, 3), (1, 2), ((1, 0), (0, 1)), base_dilation=(1, 1), window_dilation=(1, 1))
SCATTER = geometry((2, 3), (1, 2), ((1, 0), (0, 1)))
ONCE = {"weak": False, "smooth": (0,)}

EXTREMA = [
    *(
        row(
            "select_and_gather_add",
            places_of_extrema("select_and_gather_add", select, GATHER),
            normal(3, 4),
            distinct(3, 4),
            label=select,
            main=select == "ge",
            **ONCE,
        )
        for select in ("ge", "le")
    ),
    *(
        row(
            "select_and_scatter_add",
            places_of_extrema("select_and_scatter_add", select, SCATTER),
            normal(3, 2),
            distinct(3, 4),
            label=select,
            main=select == "ge",
            ulp=2,
            leafwise=True,
            **ONCE,
        )
        for select in ("ge", "le")
    ),
]


def general(label: str, computation: Any, start: float, *operands: Operand, window: Any = (2,), **options: Any) -> Row:
    """`reduce_window` with a function of one's own; geometry is passed as `geometry`."""
    geometry = options.pop("geometry", ())

    def call(jax: Any, *xs: Any) -> Any:
        tree, starts = (xs[0], np.float32(start)) if len(xs) == 1 else (xs, (np.float32(start),) * len(xs))
        return jax.lax.reduce_window(tree, starts, lambda a, b: computation(jax, a, b), window, *geometry)

    kinds = options.pop("only", ("eval", "weak", "jvp", "vmap", "jit", "jaxpr"))
    return row("reduce_window", call, *operands, label=label, only=kinds, **options)


def not_commutative(jax: Any, a: Any, b: Any) -> Any:
    """The order of the elements shows in the result, and so does padding."""
    return a * 0.5 + jax.numpy.sin(b)


def largest_with_value(jax: Any, a: Any, b: Any) -> Any:
    """The pair with the larger first entry."""
    keep = a[0] >= b[0]
    return jax.lax.select(keep, a[0], b[0]), jax.lax.select(keep, a[1], b[1])


PADDED = ((1, 2), [(1, 1), (0, 2)], (2, 1), (1, 2))
GENERAL = [
    pooling("mul", "product", normal(5), (2,), main=True, only=("eval", "weak", "jvp", "vmap", "jit", "jaxpr"), ulp=1),
    general("order", not_commutative, 1.0, normal(3, 4), window=(2, 3), geometry=PADDED, ulp=8, leafwise=True),
    general("pairs", largest_with_value, -5.0, distinct(6), normal(6), window=(3,), weak=False),
    general("constant", lambda jax, a, b: jax.numpy.float32(3), 1.0, normal(4), only=("eval", "jit", "jaxpr")),
    general("empty", lambda jax, a, b: a * b, 1.0, normal(0), only=("eval", "jit", "jaxpr")),
    pooling("add", "another-start", normal(5), (2,), start=np.float32(2), only=("eval", "jit"), ulp=2),
]


def chosen(select: Any, scatter: Any) -> Any:
    """A bind of select_and_scatter: windows of 2 by 2, with padding."""

    def call(jax: Any, x: Any, source: Any) -> Any:
        scalar = np.zeros((), x.dtype)[()]
        functions = [jax.make_jaxpr(lambda a, b, f=f: f(jax.lax, a, b))(scalar, scalar) for f in (select, scatter)]
        return jax.lax.select_and_scatter_p.bind(
            x,
            source,
            scalar,
            select_jaxpr=functions[0].jaxpr if jax.__name__ == "jax" else functions[0],
            select_consts=(),
            scatter_jaxpr=functions[1].jaxpr if jax.__name__ == "jax" else functions[1],
            scatter_consts=(),
            **geometry((2, 2), (1, 2), ((0, 0), (0, 0))),
        )

    return call


CHOSEN = [
    row(
        "select_and_scatter",
        chosen(lambda lax, a, b: lax.ge(a, b), lambda lax, a, b: lax.add(a, b)),
        distinct(3, 4),
        normal(2, 2),
        label="max-add",
        main=True,
        ulp=2,
        leafwise=True,
        only=("eval", "jit", "jaxpr"),
    ),
    row(
        "select_and_scatter",
        chosen(lambda lax, a, b: lax.lt(a, b), lambda lax, a, b: lax.max(a, b)),
        distinct(3, 4),
        normal(2, 2),
        label="min-max",
        only=("eval", "jit", "jaxpr"),
    ),
]

ROWS: list[Row] = [*POOLING, *EXTREMA, *GENERAL, *CHOSEN]
