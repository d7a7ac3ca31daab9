"""Rows of all operations on complex numbers, whichever family they belong to."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..operation_row import Operand, Row, between, booleans, exactly, integers, parts, row

C64, C128 = "complex64", "complex128"

# name, how far the parts of the operand go from 0, bound in ULP of the magnitude. Where XLA loses digits (exp and
# its kin for small results, sinh and cosh near 0) the domain stays away.
FUNCTIONS = (
    ("neg", 3, 0),
    ("sign", 3, 2),
    ("square", 3, 2),
    ("sqrt", 4, 4),
    ("rsqrt", 4, 8),
    ("exp", 3, 4),
    ("exp2", 3, 4),
    ("expm1", 3, 8),
    ("log", 4, 4),
    ("log1p", 4, 4),
    ("logistic", 3, 8),
    ("sin", 3, 8),
    ("cos", 3, 8),
    ("tan", 1.4, 8),
    ("asin", 2, 8),
    ("acos", 2, 8),
    ("atan", 2, 8),
    ("sinh", 3, 8),
    ("cosh", 3, 8),
    ("tanh", 1.4, 8),
    ("asinh", 2, 8),
    ("acosh", 2, 8),
    ("atanh", 2, 8),
)
# Those with a derivative of their own for complex operands.
MAIN = ("exp",)
NOT_TWICE = ("sign",)
# Those with branch cuts along the axes.
CUT = ("sqrt", "log", "asin", "acosh", "asinh", "atanh")
# Those whose values at infinities, NaN and 1e30 are C's, or NaN, or a number that C has not thought of.
OTHER_SPECIAL_VALUES = ("asin", "acos", "atan", "asinh", "acosh", "atanh")

# Zeros of both signs, infinities and NaN, large numbers, and both sides of the branch cuts.
_PARTS = (0.0, -0.0, 1.0, -2.5, np.inf, -np.inf, np.nan, 1e30, -3.0)
_FINITE = (0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 4.0)


def pairs(values: tuple[float, ...]) -> np.ndarray:
    """All complex numbers with these parts; written part by part, since inf * 1j has a NaN in it."""
    out = np.empty(len(values) ** 2, np.complex64)
    out.real, out.imag = np.repeat(values, len(values)), np.tile(values, len(values))
    return out


SPECIAL, CUTS = pairs(_PARTS), pairs(_FINITE)
QUOTIENTS = [grid.ravel() for grid in np.meshgrid(*[pairs((0.0, -0.0, 1.0, -2.5, np.inf, -np.inf, np.nan))] * 2)]
SPECIAL_LEFT, SPECIAL_RIGHT = (grid.ravel() for grid in np.meshgrid(pairs(_FINITE), pairs(_FINITE)))


def fixed(values: np.ndarray) -> Operand:
    """These values in this order, for the second of two paired operands."""
    return Operand(values.shape, C64, lambda rng, s: values)


def lax_call(name: str, *args: Any, **params: Any) -> Any:
    """The call `engine.lax.<name>(*operands, *args, **params)`."""
    return lambda jax, *xs: getattr(jax.lax, name)(*xs, *args, **params)


def function_rows(name: str, reach: float, ulp: float) -> list[Row]:
    """One elementwise function of one operand."""
    shared = {"ulp": ulp, "smooth": () if name in NOT_TWICE else None}
    call, main = lax_call(name), name in MAIN
    return [
        row(name, call, parts(-reach, reach, 2, 3), main=main, **shared),
        row(
            name,
            call,
            parts(-reach, reach, 2, 3, dtype=C128),
            deep=not main,
            **shared | {"ulp": max(ulp, 16) if ulp else 0},
        ),
        row(
            name,
            call,
            fixed(CUTS),
            label="cuts",
            ulp=max(ulp, 1),
            floor=1.0,
            only=("eval", "jit"),
            deep=name not in CUT,
        ),
        *special_row(name),
        *(row(name, call, parts(-reach, reach, *shape), **shared) for shape in ((), (0, 3)) if main),
    ]


def special_row(name: str) -> list[Row]:
    """The function at infinities, NaN and large numbers, if its values there are XLA's."""
    if name in OTHER_SPECIAL_VALUES:
        return []
    options: dict[str, Any] = {"only": ("eval", "jit"), "deep": name not in ("exp", "log", "sin"), "smooth": ()}
    return [row(name, lax_call(name), fixed(SPECIAL), label="special", ulp=8, floor=1.0, **options)]


def part_rows(name: str, *others: Row) -> list[Row]:
    """One of the functions that take complex numbers apart or put them together, over every kind of value."""
    call = lax_call(name)
    return [
        row(name, call, parts(-3, 3, 2, 3), main=True, **EXACT),
        row(name, call, parts(-3, 3), **EXACT),
        row(name, call, parts(-3, 3, 0, 3), **EXACT),
        row(name, call, parts(-3, 3, 2, 3, dtype=C128), **EXACT),
        row(name, call, fixed(SPECIAL), label="special", only=("eval", "jit"), **EXACT),
        *others,
    ]


EXACT: dict[str, Any] = {"ulp": 0}

PARTS = [
    *part_rows("real"),
    *part_rows("imag"),
    *part_rows("conj", row("conj", lax_call("conj"), between(-3, 3, 2, 3), label="of-real", **EXACT)),
    *(
        row("complex", lax_call("complex"), between(-3, 3, *a), between(-3, 3, *b), main=a == b == (2, 3), **EXACT)
        for a, b in (((2, 3), (2, 3)), ((), ()), ((0, 3), (0, 3)), ((2, 3), ()), ((2, 1), (2, 3)))
    ),
    row(
        "complex", lax_call("complex"), between(-3, 3, 2, dtype="float64"), between(-3, 3, 2, dtype="float64"), **EXACT
    ),
    row("abs", lax_call("abs"), parts(-3, 3, 2, 3), main=True, ulp=2),
    row("abs", lax_call("abs"), parts(-3, 3), ulp=2),
    row("abs", lax_call("abs"), parts(-3, 3, 0, 3), ulp=2),
    row("abs", lax_call("abs"), parts(-3, 3, 2, 3, dtype=C128), ulp=2),
    row("abs", lax_call("abs"), fixed(SPECIAL), label="special", ulp=2, only=("eval", "jit")),
]


def binary_rows(name: str, ulp: float, **options: Any) -> list[Row]:
    """One function of two operands."""
    call, main = lax_call(name), name in ("mul", "div")
    options["ulp"] = ulp
    rows = [
        row(name, call, parts(-3, 3, 2, 3), parts(-3, 3, 2, 3), main=main, **options),
        row(name, call, parts(-3, 3, 2, 3, dtype=C128), parts(-3, 3, 2, 3, dtype=C128), deep=True, **options),
    ]
    shapes = (((), ()), ((0, 3), (0, 3)), ((2, 3), ()), ((2, 1), (2, 3)))
    return rows + [row(name, call, parts(-3, 3, *a), parts(-3, 3, *b), **options) for a, b in shapes if main]


def paired_row(name: str, left: np.ndarray, right: np.ndarray, **options: Any) -> Row:
    """All pairs of special values."""
    return row(name, lax_call(name), fixed(left), fixed(right), label="special", only=("eval", "jit"), **options)


BINARY = [
    *binary_rows("add", 0),
    *binary_rows("sub", 0),
    *binary_rows("mul", 4),
    *binary_rows("div", 8),
    *binary_rows("pow", 32),
    *binary_rows("atan2", 32),
    *binary_rows("max", 0, smooth=()),
    *binary_rows("min", 0, smooth=()),
    *binary_rows("eq", 0, smooth=()),
    *binary_rows("ne", 0, smooth=()),
    *(paired_row(name, SPECIAL_LEFT, SPECIAL_RIGHT) for name in ("add", "sub", "max", "min", "eq", "ne")),
    paired_row("mul", SPECIAL_LEFT, SPECIAL_RIGHT, ulp=2),
    paired_row("div", *QUOTIENTS, ulp=8),
    row("pow", lax_call("pow"), parts(-3, 3, 2, 3), integers(-3, 3, 2, 3), label="whole-exponent", ulp=32, smooth=(0,)),
    *(
        row("integer_pow", lax_call("integer_pow", y), parts(-3, 3, 2, 3), label=f"y={y}", ulp=8)
        for y in (-3, -1, 0, 1, 2, 5)
    ),
]


def conversion(operand: Operand, dtype: str, **options: Any) -> Row:
    """A conversion to `dtype`; the loss of imaginary parts is what it is about, so nobody needs the warning."""

    def call(jax: Any, x: Any) -> Any:
        return jax.lax.convert_element_type_p.bind(x, new_dtype=np.dtype(dtype), weak_type=False, **_layout(jax))

    return row("convert_element_type", call, operand, label=f"to-{dtype}", **options)


def _layout(jax: Any) -> dict[str, None]:
    return {"sharding": None} if jax.__name__ == "jax" else {}


CONVERSIONS = [
    conversion(between(-3, 3, 2, 3), C64, main=True),
    conversion(integers(-3, 3, 2, 3), C64),
    conversion(booleans(2, 3), C64),
    conversion(parts(-3, 3, 2, 3), "float32"),
    conversion(parts(-3, 3, 2, 3), "float16"),
    conversion(parts(-3, 3, 2, 3), "int32", smooth=()),
    conversion(parts(-3, 3, 2, 3), "bool", smooth=()),
    conversion(parts(-3, 3, 2, 3), C128, x64=True),
    conversion(parts(-3, 3, 2, 3, dtype=C128), C64),
    row("iota", lambda jax: jax.lax.iota(np.complex64, 5), label=C64, only=("eval", "jit", "jaxpr")),
]

REDUCTIONS = [
    *(
        row(
            name,
            lax_call(name, axes),
            parts(-2, 2, 2, 3),
            label=f"axes={axes}",
            ulp=16,
            leafwise=True,
            smooth=smooth,
            deep=len(axes) != 1,
        )
        for name, smooth in (("reduce_sum", None), ("reduce_prod", None), ("reduce_max", ()), ("reduce_min", ()))
        for axes in ((0,), (0, 1), ())
    ),
    row("reduce_sum", lax_call("reduce_sum", (1,)), parts(-2, 2, 2, 3, dtype=C128), ulp=16, leafwise=True),
    row("reduce_sum", lax_call("reduce_sum", (0,)), parts(-2, 2, 0, 3)),
    *(
        row(
            name,
            lax_call(name, axis, reverse),
            parts(-2, 2, 2, 3),
            label=f"{axis}{reverse}",
            ulp=32,
            leafwise=True,
            deep=reverse,
        )
        for name in ("cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp")
        for axis, reverse in ((0, False), (1, True))
    ),
]


def product(dims: Any, **params: Any) -> Any:
    """The call `engine.lax.dot_general(x, y, dims)`."""
    return lambda jax, x, y: jax.lax.dot_general(x, y, dims, **params)


MATMUL, BATCHED, MATVEC = (((1,), (0,)), ((), ())), (((2,), (1,)), ((0,), (0,))), (((1,), (0,)), ((), ()))
SUM: dict[str, Any] = {"ulp": 16, "leafwise": True}

PRODUCTS = [
    row("dot_general", product(MATMUL), parts(-2, 2, 2, 3), parts(-2, 2, 3, 4), main=True, **SUM),
    row("dot_general", product(BATCHED), parts(-2, 2, 2, 2, 3), parts(-2, 2, 2, 3, 4), label="batched", **SUM),
    row("dot_general", product(MATVEC), parts(-2, 2, 2, 3), parts(-2, 2, 3), **SUM),
    row("dot_general", product(MATMUL), parts(-2, 2, 2, 3), between(-2, 2, 3, 4), label="complex-real", **SUM),
    row("dot_general", product(MATMUL), between(-2, 2, 2, 3), parts(-2, 2, 3, 4), label="real-complex", **SUM),
    row("dot_general", product(MATMUL), parts(-2, 2, 2, 3, dtype=C128), parts(-2, 2, 3, 4, dtype=C128), **SUM),
    row(
        "dot_general",
        product(MATMUL, preferred_element_type=np.complex64),
        between(-2, 2, 2, 3),
        between(-2, 2, 3, 4),
        label="preferred",
        **SUM,
    ),
]

_LATTICE = Operand((6,), C64, lambda rng, s: rng.integers(0, 2, s) + 1j * rng.integers(0, 2, s))
STRUCTURE = [
    row("sort", lax_call("sort"), parts(-2, 2, 5), smooth=()),
    row("sort", lax_call("sort", 0), parts(-2, 2, 3, 2), label="axis-0"),
    row("sort", lax_call("sort"), fixed(SPECIAL), label="special", only=("eval", "jit")),
    row("sort", lambda jax, x, y: jax.lax.sort((x, y), num_keys=2), _LATTICE, parts(-2, 2, 6), label="two-keys"),
    row("select_n", lax_call("select_n"), booleans(2, 3), parts(-2, 2, 2, 3), parts(-2, 2, 2, 3)),
    row("transpose", lax_call("transpose", (1, 0)), parts(-2, 2, 2, 3)),
    row("pad", lambda jax, x, y: jax.lax.pad(x, y, [(1, 2, 1)]), parts(-2, 2, 3), parts(-2, 2)),
    row("gather", lambda jax, x: jax.numpy.take(x, np.array([2, 0, 7]), mode="fill"), parts(-2, 2, 3), label="fill"),
    row("scatter-add", lambda jax, x, y: x.at[np.array([1, 1])].add(y), parts(-2, 2, 3), parts(-2, 2, 2)),
    row("clamp", lax_call("clamp"), exactly(-1 - 1j, C64), parts(-3, 3, 4), exactly(1 + 1j, C64), only=("eval",)),
]

ROWS: list[Row] = [
    *(r for name, reach, ulp in FUNCTIONS for r in function_rows(name, reach, ulp)),
    *PARTS,
    *BINARY,
    *CONVERSIONS,
    *REDUCTIONS,
    *PRODUCTS,
    *STRUCTURE,
]
