"""Rows of the special functions of two and three operands, and of Bessel's.

The bounds are JAX's own errors on these domains, which minijax computes in float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..operation_row import NO_DERIVATIVE, Operand, Row, between, exactly, row

INF, NAN = np.inf, np.nan


# What JAX compiles loops for; the derivatives are made of the loops of their functions.
SLOW = ("igamma_grad_a", "random_gamma_grad")


def public(name: str):
    """The call `engine.lax.<name>(*operands)`."""
    return lambda jax, *operands: getattr(jax.lax, name)(*operands)


def rows(
    name: str, domains: tuple[tuple[float, float], ...], ulp: float, primitive: str | None = None, **options: Any
) -> list[Row]:
    """One function over dtypes and shapes, operands drawn from their domains."""

    def one(*shape: int, dtype: str = "float32", bound: float = ulp, **more: Any) -> Row:
        drawn = [between(low, high, *shape, dtype=dtype) for low, high in domains]
        return row(primitive or name, public(name), *drawn, ulp=bound, **{**options, **more})

    return [
        one(2, 3, main=True),
        one(),
        one(1, weak=False),
        one(0, 3, weak=False),
        one(2, 3, dtype="float16", bound=2, weak=False, deep=True),
        one(2, 3, dtype="float64", weak=False, deep=name in SLOW),
    ]


def edges(name: str, *columns: list[float], primitive: str | None = None, ulp: float = 4) -> Row:
    """Operands at the borders of the domain, each combination of them."""
    grid = np.meshgrid(*columns, indexing="ij")
    drawn: list[Operand] = [exactly(values.ravel()) for values in grid]
    return row(primitive or name, public(name), *drawn, label="edges", only=("eval", "jit"), ulp=ulp)


BORDERS = [0.0, -0.0, -1.5, 1.0, 2.5, INF, -INF, NAN]
POINTS = [0.0, 1.0, 0.3, -0.5, 1.5, NAN]
ORDERS = [1.0, 1.5, 2.0, 3.0, 0.5, 0.0, -1.0, -2.0, 50.0, INF, -INF, NAN]
SHIFTS = [-3.0, -2.5, -0.5, 0.5, 30.0, *BORDERS]
ARGUMENTS = [*BORDERS, 8.0, -8.0, 12.0, -50.0, 1e-6, 1e30]
BETA = "regularized_incomplete_beta"
UNDIFFERENTIATED = {"smooth": (), "only": NO_DERIVATIVE}


def betainc_of_x(jax: Any, x: Any) -> Any:
    """betainc as a function of the operand that it can be differentiated by."""
    return jax.lax.betainc(x.dtype.type(2.5), x.dtype.type(0.6), x)


ROWS: list[Row] = [
    *rows("igamma", ((0.3, 6), (0.3, 6)), 32, smooth=(1,)),
    row(
        "igamma", public("igamma"), between(0.3, 6, 2, 1), between(0.3, 6, 2, 3), label="broadcast", ulp=32, smooth=(1,)
    ),
    edges("igamma", BORDERS, BORDERS, ulp=16),
    *rows("igammac", ((0.3, 6), (0.3, 6)), 32, smooth=(1,)),
    edges("igammac", BORDERS, BORDERS, ulp=16),
    *rows("igamma_grad_a", ((0.3, 6), (0.3, 6)), 32, derived_ulp=256, **UNDIFFERENTIATED),
    edges("igamma_grad_a", BORDERS, BORDERS, ulp=16),
    *rows("random_gamma_grad", ((0.3, 6), (0.3, 6)), 32, smooth=(), only=("eval", "vmap", "jit"), weak=False),
    *rows("betainc", ((0.3, 6), (0.3, 6), (0.1, 0.9)), 64, primitive=BETA, **UNDIFFERENTIATED),
    row(BETA, betainc_of_x, between(0.1, 0.9, 2, 3), label="x", ulp=64, main=True),
    row(BETA, betainc_of_x, between(0.1, 0.9, 2, 3, dtype="float64"), label="x", ulp=64),
    edges("betainc", BORDERS, BORDERS, POINTS, primitive=BETA, ulp=64),
    *rows("zeta", ((1.3, 9), (0.3, 6)), 4, **UNDIFFERENTIATED),
    edges("zeta", ORDERS, SHIFTS, ulp=16),
    *rows("bessel_i0e", ((-3, 3),), 4),
    edges("bessel_i0e", ARGUMENTS),
    *rows("bessel_i1e", ((-3, 3),), 10),
    edges("bessel_i1e", ARGUMENTS, ulp=10),
]
