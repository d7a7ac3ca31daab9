"""Random calls of the library on both engines: functions, shapes, dtypes and options by hypothesis, values by NumPy.

JAX compiles anew for every new combination of shapes and dtypes, so that one such combination, a *signature*, is
called with many values.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import hypothesis
import hypothesis.strategies as st
import jax
import numpy as np

import minijax

from . import oracle_facts
from .fuzz_values import DTYPES, DTYPES_X64, PROFILES, PYTHON_SCALARS, Operand, draw
from .oracle import assert_same

__all__ = ["FAMILIES", "VALUES", "fuzz"]

# Values that every signature is called with.
VALUES = 70

Call = Callable[..., Any]


class Signature(NamedTuple):
    """A call without its values: text for reports, a function of the engine and the operands, and its bound."""

    text: str
    call: Call
    operands: tuple[Operand, ...]
    bound: dict[str, Any]
    # Profiles that values are drawn by, and whether the bound is in terms of the sum of all magnitudes.
    profiles: tuple[str, ...] = PROFILES
    sums: bool = False


# Of complex numbers with infinite or overflowing parts every implementation makes something else.
TAME = ("ordinary", "small", "ties")
SMALL = ("small", "ties")
EXACT: dict[str, Any] = {}
# Transcendental functions: 4 ULP for ours and 4 for XLA's, and for half precision one rounding more.
CLOSE: dict[str, Any] = {"ulp": 8}
# Those of complex numbers are made of several of them.
CLOSE_COMPLEX: dict[str, Any] = {"ulp": 64}


def fuzz(family: str, signatures: int, seed: int, shrink: bool = True) -> int:
    """Draw so many signatures of a family, call both engines, and return the number of calls.

    Raises AssertionError with a disagreeing call, the smallest that was found if asked to `shrink` it (in minutes).
    """
    calls = 0

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=signatures,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=(hypothesis.Phase.generate, *([hypothesis.Phase.shrink] if shrink else [])),
        verbosity=hypothesis.Verbosity.quiet,
    )
    @hypothesis.given(
        st.booleans().flatmap(lambda x64: st.tuples(st.just(x64), FAMILIES[family](x64))), st.integers(0, 999)
    )
    def run(case: tuple[bool, Signature], values_seed: int) -> None:
        nonlocal calls
        x64, signature = case
        with minijax.enable_x64(x64), jax.enable_x64(x64):
            calls += check(signature, np.random.default_rng(values_seed))

    run()
    return calls


def check(signature: Signature, rng: np.random.Generator) -> int:
    """Compare VALUES calls of one signature; a signature that both engines refuse counts as one."""
    profiles = _profiles(signature)
    for count in range(VALUES):
        profile = profiles[int(rng.integers(len(profiles)))]
        values = [draw(operand, profile, rng) for operand in signature.operands]
        (ours, our_error), (theirs, their_error) = outcome(minijax, signature, values), outcome(jax, signature, values)
        what = f"{signature.text} of {', '.join(map(repr, values))}"
        raised = type(our_error).__name__, type(their_error).__name__
        assert raised[0] == raised[1], f"{what}: ours {our_error or ours!r}, theirs {their_error or theirs!r}"
        if their_error is not None:
            return count + 1
        assert_same(ours, theirs, **bound_for(signature, values), what=what)
    return VALUES


def _profiles(signature: Signature) -> tuple[str, ...]:
    """How the values of its operands are drawn."""
    if not _is_complex(signature):
        return signature.profiles
    return SMALL if signature.text in oracle_facts.COMPLEX_FUZZ_BOUNDS else TAME


def _is_complex(signature: Signature) -> bool:
    return any("complex" in operand.dtype for operand in signature.operands)


def bound_for(signature: Signature, values: list[Any]) -> dict[str, Any]:
    """The bound; for sums n ULP of the sum of the terms' magnitudes."""
    if not signature.sums:
        if not _is_complex(signature):
            return signature.bound
        close = CLOSE_COMPLEX if signature.bound is CLOSE else signature.bound
        return oracle_facts.COMPLEX_FUZZ_BOUNDS.get(signature.text, close)
    magnitudes = [np.abs(np.asarray(v)).astype(np.float64) for v in values]
    finite = [m[np.isfinite(m)] for m in magnitudes]
    largest = float(np.prod([max(f.sum(), f.max()) if f.size else 1.0 for f in finite]))
    return {"ulp": max(4, *(m.size for m in magnitudes)), "floor": largest}


def outcome(engine: Any, signature: Signature, values: list[Any]) -> tuple[Any, Exception | None]:
    """What the call gives, or what it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        operands = [engine.numpy.asarray(v) if isinstance(v, np.ndarray) else v for v in values]
        try:
            return signature.call(engine, *operands), None
        except Exception as error:
            return None, error


# ----------------------------------------------------------------- shapes and dtypes

SHAPES = st.sampled_from([(), (1,), (5,), (0,), (2, 3), (3, 1), (1, 4), (0, 3), (2, 3, 4), (1, 1, 1)])
# Shapes that broadcast with each other, and one pair that does not.
PAIRS = st.sampled_from(
    [
        *(((), ()), ((5,), ()), ((), (5,)), ((5,), (5,)), ((1,), (5,)), ((2, 3), (3,)), ((2, 1), (1, 3))),
        *(((0,), (1,)), ((0, 3), (3,)), ((2, 1, 4), (3, 1)), ((2, 3), (2, 3)), ((3,), (4,))),
    ]
)


def dtypes(x64: bool) -> st.SearchStrategy[str]:
    """Any dtype that arrays have while x64 is switched as it is."""
    return st.sampled_from(DTYPES_X64 if x64 else DTYPES)


def arrays(x64: bool, shapes: st.SearchStrategy[tuple[int, ...]] = SHAPES) -> st.SearchStrategy[Operand]:
    """One array operand."""
    return st.builds(Operand, shapes, dtypes(x64))


@st.composite
def two_operands(pick: Any, x64: bool) -> tuple[Operand, Operand]:
    """Two arrays that mostly broadcast, or an array and a Python number, in either order."""
    shapes, first = pick(PAIRS), pick(dtypes(x64))
    second = pick(st.one_of(dtypes(x64), st.sampled_from(PYTHON_SCALARS)))
    if second not in PYTHON_SCALARS:
        return Operand(shapes[0], first), Operand(shapes[1], second)
    pair = Operand(shapes[0], first), Operand((), second)
    return pair if pick(st.booleans()) else pair[::-1]


def named(name: str, **options: Any) -> Call:
    """The call `jnp.<name>(*operands, **options)`."""
    return lambda engine, *operands: getattr(engine.numpy, name)(*operands, **options)


def options_text(options: dict[str, Any]) -> str:
    """`, axis=1` for {"axis": 1}."""
    return "".join(f", {name}={value!r}" for name, value in options.items())


# ----------------------------------------------------------------- the families


def names(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


UNARY_EXACT = names("""
    abs absolute ceil conj fabs fix floor imag isfinite isinf isnan isneginf isposinf isreal iscomplex logical_not
    negative positive real rint round sign signbit sqrt square trunc bitwise_not invert bitwise_count nan_to_num
    zeros_like ones_like spacing modf atleast_1d atleast_2d ravel
""")
UNARY_CLOSE = names("""
    acos acosh asin asinh atan atanh cbrt cos cosh deg2rad exp exp2 expm1 log log10 log1p log2 rad2deg reciprocal
    sin sinc sinh tan tanh i0 frexp
""")
BINARY_EXACT = names("""
    add subtract multiply maximum minimum fmax fmin equal not_equal less less_equal greater greater_equal logical_and
    logical_or logical_xor bitwise_and bitwise_or bitwise_xor left_shift right_shift floor_divide divide true_divide
    remainder mod fmod divmod copysign nextafter heaviside gcd lcm ldexp isclose array_equal
""")
BINARY_CLOSE = names("power float_power arctan2 hypot logaddexp logaddexp2")
OPERATORS = {
    "+": lambda engine, x, y: x + y,
    "-": lambda engine, x, y: x - y,
    "*": lambda engine, x, y: x * y,
    "/": lambda engine, x, y: x / y,
    "//": lambda engine, x, y: x // y,
    "%": lambda engine, x, y: x % y,
    "<": lambda engine, x, y: x < y,
    ">=": lambda engine, x, y: x >= y,
    "==": lambda engine, x, y: x == y,
    "!=": lambda engine, x, y: x != y,
    "&": lambda engine, x, y: x & y,
    "|": lambda engine, x, y: x | y,
    "^": lambda engine, x, y: x ^ y,
    "<<": lambda engine, x, y: x << y,
    ">>": lambda engine, x, y: x >> y,
    "**": lambda engine, x, y: x**y,
}
REDUCTIONS = {
    **dict.fromkeys(names("all any max min argmax argmin count_nonzero nanmax nanmin nanargmax nanargmin"), False),
    **dict.fromkeys(names("sum mean nansum nanmean var std"), True),
}
CUMULATIVE_SUMS = {"cumsum", "nancumsum"}


@st.composite
def unary(pick: Any, x64: bool) -> Signature:
    """Elementwise functions of one array."""
    operand, exact = pick(arrays(x64)), pick(st.booleans())
    name = pick(st.sampled_from(UNARY_EXACT if exact else UNARY_CLOSE))
    bound = oracle_facts.FUZZ_BOUNDS.get(name, EXACT if exact else CLOSE)
    # XLA flushes what is smaller than normal numbers, as the spacing of small ones is.
    profiles = ("ordinary", "ties") if name == "spacing" else PROFILES
    return Signature(f"jnp.{name}", named(name), (operand,), bound, profiles)


@st.composite
def binary(pick: Any, x64: bool) -> Signature:
    """Elementwise functions and operators of two operands: all pairs of dtypes, Python numbers, broadcasting."""
    operands, kind = pick(two_operands(x64)), pick(st.sampled_from(["exact", "exact", "close", "operator"]))
    if kind == "operator":
        name = pick(st.sampled_from(list(OPERATORS)))
        hypothesis.assume(not oracle_facts.left_out(name, tuple(operand.dtype for operand in operands)))
        bound = {"**": CLOSE, "//": oracle_facts.FUZZ_BOUNDS["floor_divide"]}.get(name, EXACT)
        return Signature(f"x {name} y", OPERATORS[name], operands, bound)
    name = pick(st.sampled_from(BINARY_EXACT if kind == "exact" else BINARY_CLOSE))
    hypothesis.assume(not oracle_facts.left_out(name, tuple(operand.dtype for operand in operands)))
    bound = oracle_facts.FUZZ_BOUNDS.get(name, EXACT if kind == "exact" else CLOSE)
    return Signature(f"jnp.{name}", named(name), operands, bound)


@st.composite
def choosing(pick: Any, x64: bool) -> Signature:
    """where and clip of three operands."""
    first, second = pick(two_operands(x64))
    third = Operand(pick(st.sampled_from([(), (1,), first.shape])), pick(dtypes(x64)))
    if pick(st.booleans()):
        return Signature("jnp.where", named("where"), (third, first, second), EXACT)
    return Signature("jnp.clip", named("clip"), (third, first, second), EXACT)


@st.composite
def reductions(pick: Any, x64: bool) -> Signature:
    """Reductions over any axes, with keepdims, where and initial."""
    operand, name = pick(arrays(x64)), pick(st.sampled_from(list(REDUCTIONS)))
    rank = len(operand.shape)
    axes = [None, *range(-rank, rank + 1)] + ([] if name.removeprefix("nan").startswith("arg") else [(0, -1), ()])
    options: dict[str, Any] = {"axis": pick(st.sampled_from(axes)), "keepdims": pick(st.booleans())}
    if name in ("sum", "max", "min") and pick(st.booleans()):
        options["initial"] = pick(st.sampled_from([0, 1, 2.5]))
    if name in ("sum", "max", "min", "mean", "all", "any", "var") and pick(st.booleans()):
        options["where"] = pick(st.sampled_from([True, False]))
    sums = REDUCTIONS[name]
    profiles = TAME if sums else PROFILES
    return Signature(f"jnp.{name}{options_text(options)}", named(name, **options), (operand,), EXACT, profiles, sums)


@st.composite
def cumulative(pick: Any, x64: bool) -> Signature:
    """Running sums, and sorting."""
    operand = pick(arrays(x64))
    options: dict[str, Any] = {"axis": pick(st.sampled_from([None, 0, -1, 1]))}
    name = pick(st.sampled_from(["cumsum", "nancumsum", "sort", "argsort", "unique", "diff", "flip"]))
    if name in ("sort", "argsort") and pick(st.booleans()):
        options["descending"] = True
    if name == "unique":
        options = {"size": 4, "fill_value": pick(st.sampled_from([None, 0]))}
    if name == "diff":
        options = {"n": pick(st.integers(0, 2)), "axis": pick(st.sampled_from([0, -1]))}
    sums = name in CUMULATIVE_SUMS
    profiles = TAME if sums else PROFILES
    return Signature(f"jnp.{name}{options_text(options)}", named(name, **options), (operand,), EXACT, profiles, sums)


@st.composite
def indexing(pick: Any, x64: bool) -> Signature:
    """Gathering and scattering with indices out of range, in every mode."""
    shape = pick(st.sampled_from([(5,), (1,), (2, 3), (3, 1), (2, 3, 4)]))
    operand = Operand(shape, pick(dtypes(x64)))
    signed = st.sampled_from(["int8", "int16", "int32", *(["int64"] if x64 else [])])
    where = Operand(pick(st.sampled_from([(), (1,), (4,), (2, 2), (0,)])), pick(signed))
    mode = pick(st.sampled_from([None, "fill", "clip", "drop", "wrap", "promise_in_bounds"]))
    if mode == "promise_in_bounds":  # a promise is kept: the index zero
        return Signature("x.at[0].get(mode='promise_in_bounds')", _get(0, mode), (operand,), EXACT)
    kind = pick(st.sampled_from(["take", "getitem", "get", "set", "add", "multiply", "min", "max"]))
    if kind == "take":
        options = {"axis": pick(st.sampled_from([None, 0, -1])), "mode": None if mode == "drop" else mode}
        return Signature(f"jnp.take{options_text(options)}", named("take", **options), (operand, where), EXACT)
    if kind == "getitem":
        return Signature("x[i]", lambda engine, x, i: x[i], (operand, where), EXACT)
    if kind == "get":
        hypothesis.assume(mode != "wrap" or 0 not in where.shape)  # JAX looks at the mode only if there are indices
        call = lambda engine, x, i: x.at[i].get(mode=mode)  # noqa: E731
        return Signature(f"x.at[i].get(mode={mode!r})", call, (operand, where), EXACT)
    value = Operand(pick(st.sampled_from([(), operand.shape[1:]])), operand.dtype)
    call = lambda engine, x, i, v: getattr(x.at[i], kind)(v, mode=mode)  # noqa: E731
    sums = kind in ("add", "multiply")
    profiles = ("small", "ties") if sums else PROFILES
    text, bound = f"x.at[i].{kind}(v, mode={mode!r})", oracle_facts.FUZZ_BOUNDS.get(f"at.{kind}", EXACT)
    return Signature(text, call, (operand, where, value), bound, profiles, sums)


def _get(index: int, mode: str) -> Call:
    return lambda engine, x: x.at[index].get(mode=mode)


@st.composite
def shaping(pick: Any, x64: bool) -> Signature:
    """Rearranging, joining, padding, conversion."""
    operand = pick(arrays(x64))
    choices: list[tuple[str, Call]] = [
        ("jnp.reshape(x, -1)", lambda e, x: e.numpy.reshape(x, -1)),
        ("jnp.transpose", named("transpose")),
        ("jnp.stack([x, x], -1)", lambda e, x: e.numpy.stack([x, x], -1)),
        ("jnp.concatenate([x, 1 * x], -1)", lambda e, x: e.numpy.concatenate([x, 1 * x], -1)),
        ("jnp.roll(x, 2, -1)", lambda e, x: e.numpy.roll(x, 2, -1)),
        ("jnp.repeat(x, 2, 0)", lambda e, x: e.numpy.repeat(x, 2, 0)),
        ("jnp.tile(x, (2, 1))", lambda e, x: e.numpy.tile(x, (2, 1))),
        ("jnp.squeeze", named("squeeze")),
        ("jnp.flip", named("flip")),
        ("jnp.tril", named("tril")),
        ("jnp.broadcast_to(x, (2, *x.shape))", lambda e, x: e.numpy.broadcast_to(x, (2, *x.shape))),
        *[(f"jnp.pad(x, 1, {m!r})", _pad(m)) for m in ("constant", "edge", "reflect", "symmetric", "wrap", "maximum")],
        *[(f"x.astype({d!r})", _astype(d)) for d in DTYPES_X64],
        *[(f"x.view({d!r})", _view(d)) for d in ("int32", "uint8", "float16")],
    ]
    text, call = pick(st.sampled_from(choices))
    return Signature(text, call, (operand,), EXACT)


def _pad(mode: str) -> Call:
    return lambda engine, x: engine.numpy.pad(x, 1, mode)


def _astype(dtype: str) -> Call:
    return lambda engine, x: x.astype(dtype)


def _view(dtype: str) -> Call:
    return lambda engine, x: x.view(dtype)


@st.composite
def products(pick: Any, x64: bool) -> Signature:
    """Dot products of arrays of any dtypes."""
    name, left, right = pick(
        st.sampled_from(
            [
                *(("dot", (3,), (3,)), ("dot", (2, 3), (3,)), ("dot", (2, 3), (3, 4)), ("dot", (), (2, 3))),
                *(("matmul", (2, 3), (3, 1)), ("matmul", (4, 2, 3), (3, 2)), ("matmul", (3,), (2, 3, 4))),
                *(("matmul", (0, 3), (3, 2)), ("matmul", (2, 0), (0, 3)), ("matmul", (), (3,)), ("dot", (3,), (4,))),
                *(("inner", (2, 3), (4, 3)), ("outer", (2,), (3,)), ("vdot", (2, 3), (6,)), ("kron", (2, 2), (3,))),
                *(("tensordot", (2, 3, 4), (3, 4, 2)), ("vecdot", (2, 3), (3,)), ("cross", (2, 3), (3,))),
            ]
        )
    )
    operands = Operand(left, pick(dtypes(x64))), Operand(right, pick(dtypes(x64)))
    return Signature(f"jnp.{name}", named(name), operands, EXACT, TAME, True)


FAMILIES: dict[str, Callable[[bool], st.SearchStrategy[Signature]]] = {
    "unary": unary,
    "binary": binary,
    "choosing": choosing,
    "reductions": reductions,
    "cumulative": cumulative,
    "indexing": indexing,
    "shaping": shaping,
    "products": products,
}
