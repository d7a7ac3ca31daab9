"""Rows of bfloat16 and of the 8-bit floats and 4-bit integers of ml_dtypes, through a choice of operations."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..operation_row import Operand, Row, between, distinct, integers, row

BF16, E4M3, E5M2, INT4 = "bfloat16", "float8_e4m3fn", "float8_e5m2", "int4"
# In units of bfloat16's last place, of which float32 has many thousands.
ROUNDED: dict[str, Any] = {"ulp": 1, "derived_ulp": 8}
FUNCTIONS = ("exp", "log", "sin", "tanh", "logistic", "sqrt", "rsqrt", "erf", "neg", "abs", "floor", "sign")
BINARY = ("add", "sub", "mul", "div", "max", "min", "pow", "atan2", "eq", "lt", "rem")
VALUES = [0.0, -0.0, 0.3, -1.7, 447.9, 464.5, 500.0, -1e5, 0.001, 1e-6, np.inf, -np.inf, np.nan]


def lax_call(name: str, *args: Any) -> Any:
    """The call `engine.lax.<name>(*operands, *args)`."""
    return lambda jax, *xs: getattr(jax.lax, name)(*xs, *args)


def conversion(values: Any, source: str, target: str) -> Row:
    """A conversion of these values, with the rounding, saturation and NaNs of the narrower type."""
    operand = Operand(np.shape(values), source, lambda rng, s: np.asarray(values))
    call = lax_call("convert_element_type", target)
    return row("convert_element_type", call, operand, label=f"to-{target}", only=("eval", "jit", "jaxpr"))


ROWS: list[Row] = [
    *(row(name, lax_call(name), between(0.2, 3, 2, 3, dtype=BF16), smooth=(), **ROUNDED) for name in FUNCTIONS),
    *(
        row(
            name,
            lax_call(name),
            between(0.2, 3, 2, 3, dtype=BF16),
            between(1, 4, 2, 3, dtype=BF16),
            smooth=(),
            **ROUNDED,
        )
        for name in BINARY
    ),
    row("reduce_sum", lax_call("reduce_sum", (0,)), between(-3, 3, 3, 4, dtype=BF16), **ROUNDED),
    row("reduce_max", lax_call("reduce_max", (1,)), distinct(3, 4, dtype=BF16), smooth=()),
    row("cumsum", lax_call("cumsum"), between(-3, 3, 5, dtype=BF16), ulp=2, derived_ulp=8),
    row("sort", lax_call("sort"), distinct(6, dtype=BF16), smooth=()),
    row("dot_general", lax_call("dot"), between(-2, 2, 2, 3, dtype=BF16), between(-2, 2, 3, 4, dtype=BF16), **ROUNDED),
    conversion(VALUES, "float32", BF16),
    conversion([0.0, 0.3, 1.003, -2.5, 60000.0], "float16", BF16),
    conversion([0, -7, 257, 2**31 - 1], "int32", BF16),
    *(conversion(VALUES, "float32", target) for target in (E4M3, E5M2)),
    *(conversion(VALUES, source, "float32") for source in (BF16, E4M3, E5M2)),
    *(conversion([0.0, 1.6, -2.5, 300.0], source, "int8") for source in (BF16, E4M3)),
    conversion([-9, -8, -1, 0, 7, 8, 100], "int32", INT4),
    conversion([-8, -1, 0, 7], INT4, "int32"),
    *(
        row(
            name, lax_call(name), between(-3, 3, 4, dtype=dtype), between(-3, 3, 4, dtype=dtype), only=("eval", "jaxpr")
        )
        for name in ("add", "mul", "lt")
        for dtype in (E4M3, E5M2)
    ),
    row("add", lax_call("add"), integers(-8, 7, 6, dtype=INT4), integers(-8, 7, 6, dtype=INT4), only=("eval", "jaxpr")),
    row("mul", lax_call("mul"), integers(-8, 7, 6, dtype=INT4), integers(-8, 7, 6, dtype=INT4), only=("eval", "jaxpr")),
]
