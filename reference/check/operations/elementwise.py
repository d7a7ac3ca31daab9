"""Rows of the elementwise operations of one operand."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..operation_row import (
    SPECIAL_FLOATS,
    Operand,
    Row,
    anything,
    between,
    booleans,
    exactly,
    integers,
    row,
)

# name, domain, bound in ULP, and the floor of the bound where the function has a zero inside or near the
# domain (there the difference is an absolute one). What must be equal bit by bit has bound 0.
FLOAT_FUNCTIONS = (
    ("neg", -3, 3, 0, 0),
    ("sign", -3, 3, 0, 0),
    ("floor", -3, 3, 0, 0),
    ("ceil", -3, 3, 0, 0),
    ("is_finite", -3, 3, 0, 0),
    ("abs", -3, 3, 0, 0),
    ("square", -3, 3, 0, 0),
    ("sqrt", 0.1, 4, 0, 0),
    ("rsqrt", 0.1, 4, 2, 0),
    ("cbrt", -3, 3, 4, 0),
    ("exp", -3, 3, 4, 0),
    ("exp2", -3, 3, 4, 0),
    ("expm1", -3, 3, 4, 0),
    ("log", 0.1, 4, 4, 0),
    ("log1p", -0.9, 4, 4, 0),
    ("logistic", -3, 3, 4, 0),
    ("sin", -9, 9, 4, 1),
    ("cos", -9, 9, 4, 1),
    ("tan", -1.4, 1.4, 4, 0),
    ("asin", -0.95, 0.95, 4, 0),
    ("acos", -0.95, 0.95, 4, 0),
    ("atan", -3, 3, 4, 0),
    ("sinh", -3, 3, 4, 0),
    ("cosh", -3, 3, 4, 0),
    ("tanh", -3, 3, 4, 0),
    ("asinh", -3, 3, 4, 0),
    ("acosh", 1.1, 4, 4, 0),
    ("atanh", -0.95, 0.95, 4, 0),
    ("erf", -2, 2, 4, 0),
    ("erfc", -2, 2, 4, 0),
    ("erf_inv", -0.95, 0.95, 4, 0),
    ("lgamma", 0.3, 6, 4, 1),
    ("digamma", 0.3, 6, 4, 1),
)
LOW_BOUND_IN_F16 = 2
NOT_TWICE = {"sign", "floor", "ceil", "is_finite", "round"}


def public(name: str, *args: Any, **params: Any):
    """The call `engine.lax.<name>(x, *args, **params)`."""
    return lambda jax, x: getattr(jax.lax, name)(x, *args, **params)


def unary_rows(name: str, low: float, high: float, ulp: float, floor: float) -> list[Row]:
    """One function over dtypes, ranks, the empty array and special values."""
    smooth = () if name in NOT_TWICE else None
    shared = {"ulp": ulp, "floor": floor, "smooth": smooth}
    half = shared | {"ulp": min(ulp, LOW_BOUND_IN_F16)}
    return [
        row(name, public(name), between(low, high, 2, 3), main=True, **shared),
        row(name, public(name), between(low, high), **shared),
        row(name, public(name), between(low, high, 1), **shared),
        row(name, public(name), between(low, high, 0, 3), **shared),
        row(name, public(name), between(low, high, 2, 3, dtype="float16"), **half),
        row(name, public(name), between(low, high, 2, 3, dtype="float64"), **shared),
        row(name, public(name), exactly(SPECIAL_FLOATS), label="special", only=("eval", "jit"), **shared),
    ]


def integer_rows(name: str, dtypes: tuple[str, ...], public_name: str | None = None) -> list[Row]:
    """One function over integer dtypes, whole range."""
    return [
        row(name, public(public_name or name), anything(2, 3, dtype=dtype), main=dtype == dtypes[0]) for dtype in dtypes
    ]


def converting(operand: Operand, dtype: str, label: str = "", **options: Any) -> Row:
    """A conversion to `dtype`."""
    call = public("convert_element_type", np.dtype(dtype))
    return row("convert_element_type", call, operand, label=f"to-{dtype}{label}", **options)


def bitcasting(operand: Operand, dtype: str, **options: Any) -> Row:
    """A reinterpretation of the bits as `dtype`."""
    call = public("bitcast_convert_type", np.dtype(dtype))
    return row("bitcast_convert_type", call, operand, label=f"to-{dtype}", **options)


HALVES = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49999997, 8388609.0, -0.0, np.inf, np.nan, 1e10]
TO_INTEGERS = [-1e20, -300.7, -129.0, -1.5, -0.9, 0.9, 1.5, 127.9, 255.5, 3e9, 1e20, np.nan, np.inf, -np.inf]

ROUNDING = [
    row("round", public("round"), between(-3, 3, 2, 3), main=True, smooth=()),
    row("round", public("round"), exactly(HALVES), label="away-from-zero", only=("eval", "jit", "jaxpr")),
    row(
        "round",
        lambda jax, x: jax.lax.round(x, jax.lax.RoundingMethod.TO_NEAREST_EVEN),
        exactly(HALVES),
        label="to-nearest-even",
        only=("eval", "jit", "jaxpr"),
    ),
    row("round", public("round"), between(-3, 3, 2, 3, dtype="float16"), smooth=()),
    row("round", public("round"), between(-3, 3, 2, 3, dtype="float64"), smooth=()),
]

POWERS = [
    *(
        row("integer_pow", public("integer_pow", y), between(-3, 3, 2, 3), label=f"y={y}", main=y == 3, ulp=2)
        for y in (-3, -1, 0, 1, 2, 3, 10)
    ),
    row("integer_pow", public("integer_pow", 3), between(-3, 3), label="y=3", ulp=2),
    row("integer_pow", public("integer_pow", 3), between(-3, 3, 0, 3), label="y=3"),
    row("integer_pow", public("integer_pow", 3), between(-3, 3, 2, 3, dtype="float16"), label="y=3", ulp=2),
    row("integer_pow", public("integer_pow", 3), between(-3, 3, 2, 3, dtype="float64"), label="y=3", ulp=2),
    row("integer_pow", public("integer_pow", 5), integers(-300, 300, 2, 3), label="y=5-wraps"),
    row(
        "integer_pow",
        public("integer_pow", -1),
        exactly(SPECIAL_FLOATS),
        label="y=-1-special",
        only=("eval",),
    ),
]

CONVERSIONS = [
    converting(between(-3, 3, 2, 3), "float16", main=True),
    converting(between(-3, 3, 2, 3, dtype="float16"), "float32"),
    converting(between(-3, 3, 2, 3), "float64", x64=True),
    converting(between(-3, 3, 2, 3, dtype="float64"), "float32"),
    converting(between(-3, 3, 2, 3), "int32", smooth=()),
    converting(between(-3, 3), "bool", smooth=()),
    converting(between(-3, 3, 0, 3), "float16"),
    converting(anything(2, 3, dtype="int32"), "float32"),
    converting(anything(2, 3, dtype="int32"), "int8"),
    converting(anything(2, 3, dtype="int32"), "uint32"),
    converting(anything(2, 3, dtype="int8"), "uint16"),
    converting(anything(2, 3, dtype="uint32"), "int16"),
    converting(booleans(2, 3), "float32"),
    converting(booleans(2, 3), "int32"),
    *(
        converting(exactly(TO_INTEGERS), dtype, "-saturates", only=("eval", "jit"))
        for dtype in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "bool", "float16")
    ),
]

BITCASTS = [
    bitcasting(between(-3, 3, 2, 3), "int32", main=True, smooth=()),
    bitcasting(anything(2, 3, dtype="uint32"), "int32"),
    bitcasting(integers(0, 2**30, 2, 3), "float32"),
    bitcasting(between(-3, 3, 2, 3, dtype="float16"), "uint16", smooth=()),
    bitcasting(between(-3, 3, 2), "uint8", smooth=()),
    # JAX cannot batch it along the last axis.
    bitcasting(anything(2, 4, dtype="uint8"), "uint32", only=("eval", "weak", "jvp", "vjp", "jit", "jaxpr")),
    bitcasting(between(-3, 3, 0, 3), "int32", smooth=()),
]

PRECISION = [
    row("reduce_precision", public("reduce_precision", 5, 10), between(-3, 3, 2, 3), label="5-10", main=True),
    row("reduce_precision", public("reduce_precision", 8, 7), between(-3, 3, 2, 3), label="8-7"),
    row("reduce_precision", public("reduce_precision", 8, 23), between(-3, 3), label="8-23"),
    row("reduce_precision", public("reduce_precision", 4, 3), between(-400, 400, 2, 3), label="4-3"),
    row(
        "reduce_precision",
        public("reduce_precision", 5, 2),
        exactly(SPECIAL_FLOATS),
        label="5-2",
        only=("eval",),
    ),
    row(
        "reduce_precision",
        public("reduce_precision", 3, 4),
        between(-3, 3, 2, 3, dtype="float16"),
        label="3-4",
    ),
    row(
        "reduce_precision",
        public("reduce_precision", 8, 23),
        between(-3, 3, 2, 3, dtype="float64"),
        label="8-23",
    ),
]

# The order is given as a number: there is no derivative with respect to it. JAX's own error grows with it.
POLYGAMMAS = [
    row(
        "polygamma",
        lambda jax, x, m=m: jax.lax.polygamma(m, x),
        between(0.3, 6, 2, 3),
        label=f"m={m:g}",
        main=m == 1,
        ulp=12,
    )
    for m in (1.0, 2.0, 4.0)
]

ROWS: list[Row] = [
    *(r for name, low, high, ulp, floor in FLOAT_FUNCTIONS for r in unary_rows(name, low, high, ulp, floor)),
    *integer_rows("not", ("int32", "uint8", "int16"), "bitwise_not"),
    *integer_rows("population_count", ("uint32", "int32", "uint8")),
    *integer_rows("clz", ("uint32", "int32", "uint8", "int16")),
    *(r for name in ("neg", "sign", "abs") for r in integer_rows(name, ("int32", "int8"))[:2]),
    row("sign", public("sign"), anything(2, 3, dtype="uint8"), label="unsigned"),
    row("square", public("square"), anything(2, 3, dtype="int32")),
    row("not", public("bitwise_not"), booleans(2, 3)),
    *ROUNDING,
    *POWERS,
    *CONVERSIONS,
    *BITCASTS,
    *PRECISION,
    *POLYGAMMAS,
    row("stop_gradient", public("stop_gradient"), between(-3, 3, 2, 3), main=True, smooth=()),
    row("stop_gradient", public("stop_gradient"), integers(-3, 3, 2)),
]
