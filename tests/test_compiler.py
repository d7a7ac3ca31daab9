"""The compiler: each pass, and the whole, change no result; and each does what it is for."""

from __future__ import annotations

import cProfile
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_programs import POINT, programs

import minijax
import minijax.numpy as jnp
from minijax import lax
from minijax.compiler import show
from minijax.compiler.algebra import simplify
from minijax.compiler.checked import CheckedExecutable
from minijax.compiler.common import merge_common
from minijax.compiler.constants import LIMIT, fold_constants
from minijax.compiler.dead_code import drop_dead_code
from minijax.compiler.executables import Executable
from minijax.compiler.grouping import GROUPED, group_elementwise
from minijax.compiler.hoisting import hoist
from minijax.compiler.inline import inline
from minijax.compiler.layouts import fold_layouts
from minijax.compiler.passes import PASSES
from minijax.core import quiet_floating_point
from minijax.jaxpr import ClosedJaxpr, check_jaxpr
from reference.check.operation_checks import operands
from reference.check.operation_row import Row
from reference.check.operations import ROWS

# Primitives whose sums NumPy adds up in an order that depends on the layout of their operands.
ROUNDED = ("conv_general_dilated", "dot_general", "reduce_sum", "cumsum")


def step_by_step(closed: ClosedJaxpr, buffers: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The program without a compiler: each equation's `impl` in turn. No flag is set that it would check."""
    return CheckedExecutable(closed)(*buffers)


def assert_same_bits(ours: Sequence[np.ndarray], wanted: Sequence[np.ndarray], rounded: bool = False) -> None:
    """Equal dtypes, shapes and bits; with `rounded`, numbers only up to the rounding of sums."""
    for a, b in zip(ours, wanted, strict=True):
        assert type(a) is np.ndarray and (a.dtype, a.shape) == (b.dtype, b.shape)
        if b.dtype.kind == "f" and b.dtype.isbuiltin != 1:  # narrow floats, of whose NaNs NumPy's tests know nothing
            a, b = a.astype("float32"), b.astype("float32")
        if rounded and b.dtype.kind in "fc":
            scale = np.max(np.abs(b[np.isfinite(b)]), initial=1e-30)
            np.testing.assert_allclose(a, b, rtol=0, atol=64 * np.finfo(b.dtype).eps * scale)
        elif b.dtype.kind in "fc":
            numbers = ~np.isnan(b.real)  # NaN has a sign bit that means nothing
            np.testing.assert_array_equal(np.signbit(a.real)[numbers], np.signbit(b.real)[numbers])
            np.testing.assert_array_equal(a, b)
        else:
            assert a.tobytes() == b.tobytes()


def staged(fun: Callable, *args: Any) -> tuple[ClosedJaxpr, list[np.ndarray]]:
    """The jaxpr of a call, and its arguments as buffers."""
    leaves = [jnp.asarray(x) for x in minijax.tree.leaves(args)]
    return minijax.make_jaxpr(fun)(*args), [x._data for x in leaves]


def names(closed: ClosedJaxpr) -> list[str]:
    """The primitives of a program."""
    return [eqn.primitive.name for eqn in closed.eqns]


# ----------------------------------------------------------------- nothing changes


def with_derivative(row: Row) -> Callable[..., Any]:
    """The row's call, and its cotangents where it has a derivative."""

    def both(*args: Any) -> Any:
        floats = [i for i, operand in enumerate(row.operands) if operand.is_float]
        if not floats or not row.wants("vjp"):
            return row.call(minijax, *args)

        def call(*xs: Any) -> Any:
            given = iter(xs)
            return row.call(minijax, *[next(given) if i in floats else x for i, x in enumerate(args)])

        out, vjp = minijax.vjp(call, *[args[i] for i in floats])
        return out, vjp(minijax.tree.map(cotangent, out))

    return both


def cotangent(out: Any) -> Any:
    """Ones, or nothing for what is no float."""
    inexact = jnp.issubdtype(out.dtype, jnp.inexact)
    return jnp.ones_like(out) if inexact else np.zeros(out.shape, minijax.dtypes.float0)


@pytest.mark.parametrize(
    "row", [pytest.param(r, id=r.id, marks=[] if r.main else pytest.mark.full) for r in ROWS if r.wants("jit")]
)
def test_operations(row: Row):
    with row.precision(minijax):
        args = operands(minijax, row)
        closed = minijax.make_jaxpr(with_derivative(row))(*args)
        buffers = [x._data for x in minijax.tree.leaves(args)]
        rounded = any(name in str(closed) for name in ROUNDED)
        with quiet_floating_point():
            assert_same_bits(Executable(closed)(*buffers), step_by_step(closed, buffers), rounded)


@settings(max_examples=25)
@given(programs())
def test_each_pass(program: Any):
    """The program's derivative after every pass: well typed, and the same result."""

    def gradient(point: Any) -> Any:
        out, vjp = minijax.vjp(lambda p: program(minijax, p), point)
        return out, vjp(out)

    point = minijax.tree.map(lambda x: jnp.asarray(x, "float32"), POINT)
    closed, buffers = staged(gradient, point)
    wanted = step_by_step(closed, buffers)
    for run in PASSES[: PASSES.index(group_elementwise)]:
        closed = run(closed)
        check_jaxpr(closed.jaxpr)
        assert_same_bits(step_by_step(closed, buffers), wanted, rounded=run in (fold_layouts, hoist))


SHAPES = {"one": (GROUPED,), "flat": (9 * GROUPED,), "rows": (1800, 64), "uneven": (1801, 67), "deep": (3, 80, 400)}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_blocks(shape: tuple[int, ...]):
    """Groups with operands that are repeated along axes, results from the middle, choices and conversions."""

    def f(x, y, row, column, number):
        a = jnp.sin(x) * row + column
        b = jnp.where(a > number, a, jnp.exp(-y) * 2.0)
        c = jnp.maximum(b, 0.0).astype("float16").astype("float32") ** 3
        return a, jax_like(b), c / (1 + jnp.square(row)), (a > b), jnp.tanh(row * number) * column

    def jax_like(b):
        return minijax.nn.sigmoid(b) - lax.rsqrt(jnp.abs(b) + 1)

    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, *shape)).astype("float32")
    row, column = x[:1] if len(shape) > 1 else x, x[..., :1] if len(shape) > 1 else x
    closed, buffers = staged(f, x, y, row, column, np.float32(0.25))
    executable = Executable(closed)
    assert ("for start in range" in executable.text) == (shape != SHAPES["one"])
    with quiet_floating_point():
        assert_same_bits(executable(*buffers), step_by_step(closed, buffers))


@settings(max_examples=40)
@given(st.data())
def test_random_groups(data: st.DataObject):
    """Large elementwise programs with reductions in between, which groups must not reach around."""
    choices = st.sampled_from(["add", "mul", "max", "sin", "sum", "broadcast", "reverse", "scale"])
    steps = data.draw(st.lists(st.tuples(choices, st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=14))
    kept = data.draw(st.sets(st.integers(0, 15), min_size=1, max_size=3))

    def f(x):
        values = [x, x * 0.5]
        for name, i, j in steps:
            a, b = values[i % len(values)], values[j % len(values)]
            values.append(
                {
                    "add": lambda a, b: a + b,
                    "mul": lambda a, b: a * b * 0.25,
                    "max": lambda a, b: jnp.maximum(a, b + 0.125),
                    "sin": lambda a, b: jnp.sin(a),
                    "sum": lambda a, b: a - jnp.max(b),
                    "broadcast": lambda a, b: a + jnp.max(b, axis=0),
                    "reverse": lambda a, b: b[::-1] + a,
                    "scale": lambda a, b: a / 3,
                }[name](a, b)
            )
        return [values[k % len(values)] for k in kept]

    x = np.linspace(-2, 2, 260 * 64, dtype="float32").reshape(260, 64)
    closed, buffers = staged(f, x)
    assert_same_bits(Executable(closed)(*buffers), step_by_step(closed, buffers))


# ----------------------------------------------------------------- memory


def test_arguments_and_earlier_results_stay_as_they_are():
    """From several threads, through views and results that are arguments."""

    @minijax.jit
    def f(x, y):
        a = x * 2 + y
        b = jnp.sin(a) - a
        return a, b.T, b.reshape(-1), x, lax.cond(y[0, 0] > 0, lambda: a, lambda: b), (b - b) * 1.5

    rng = np.random.default_rng(0)
    x, y = (jnp.asarray(rng.standard_normal((200, 130)).astype("float32")) for _ in range(2))
    copies = np.array(x), np.array(y)
    first = f(x, y)
    wanted = [np.array(r) for r in first]
    failures: list[Any] = []

    def work(seed: int) -> None:
        other = jnp.asarray(np.random.default_rng(seed).standard_normal((200, 130)).astype("float32"))
        for _ in range(20):
            f(other, y)
            if not all(np.array_equal(a, b) for a, b in zip(f(x, y), wanted, strict=True)):
                failures.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert all(np.array_equal(a, b) for a, b in zip(first, wanted, strict=True))
    assert np.array_equal(x, copies[0]) and np.array_equal(y, copies[1])


def test_a_callback_may_keep_what_it_gets():
    kept = []

    @minijax.jit
    def f(x):
        a = x * 2
        minijax.debug.callback(kept.append, a)
        return jnp.sin(a + 1) * 3

    f(jnp.ones((2000,)))
    assert np.all(np.asarray(kept[0]) == 2)


def test_what_is_repeated_is_not_written_to():
    closed, buffers = staged(lambda: jnp.sum(lax.broadcasted_iota("int32", (200, 200), 1) * 2))
    assert_same_bits(Executable(closed)(*buffers), step_by_step(closed, buffers))


def test_buffers_are_used_again():
    closed, _ = staged(lambda x: jnp.tanh(jnp.exp(jnp.sin(x) + 1)), np.ones(2000, "float32"))
    assert Executable(closed).text.count("out=") == 3


# ----------------------------------------------------------------- what each pass is for


def test_inline():
    f = minijax.jit(lambda x: minijax.jit(jnp.sin)(minijax.nn.relu(x)))
    closed, _ = staged(lambda x: f(x) + f(x), 1.0)
    assert names(inline(closed)) == ["max", "sin", "max", "sin", "add"]


def test_checkpoint_is_not_inlined():
    closed, _ = staged(minijax.checkpoint(jnp.sin), 1.0)
    assert "remat2" in str(inline(closed)) or "checkpoint" in str(inline(closed))


def test_fold_constants():
    closed, _ = staged(lambda x: x + lax.iota("float32", 4).sum() * lax.sin(2.0), np.ones(4, "float32"))
    assert names(drop_dead_code(fold_constants(closed))) == ["add"]


def test_large_constants_are_not_folded():
    closed, _ = staged(lambda x: x + lax.iota("float32", LIMIT), 1.0)
    assert "iota" in names(fold_constants(closed))


SIMPLER = {
    "x + -0.0": (lambda x: x + -0.0, []),
    "x * 1": (lambda x: x * 1, []),
    "x - 0": (lambda x: x - 0.0, []),
    "x / 8": (lambda x: x / 8, ["mul"]),
    "x ** 1": (lambda x: lax.integer_pow(x, 1), []),
    "-(-x)": (lambda x: lax.neg(lax.neg(x)), []),
    "x.T.T": (lambda x: x.T.T, []),
    "reshapes": (lambda x: x.reshape(6).reshape(3, 2).reshape(2, 3), []),
    "there and back": (lambda x: x.astype("float32").astype("float16"), []),
    "same": (lambda x: jnp.where(x > 0, x, x), []),
    "known": (lambda x: lax.select(jnp.full((2, 3), True), x, x + 1), []),
    "max with -inf": (lambda x: jnp.maximum(x, -jnp.inf), []),
    "largest of one": (lambda x: lax.reduce_max(x.reshape(2, 1, 3), (1,)), []),
    "x + -y": (lambda x: x + -jnp.sin(x), ["sin", "sub"]),
    "-y + x": (lambda x: -jnp.sin(x) + x, ["sin", "sub"]),
    "x - -y": (lambda x: x - -jnp.sin(x), ["sin", "add"]),
    "sum over one": (lambda x: lax.reduce_sum(x.reshape(2, 1, 3), (1,)), ["add"]),
}


@pytest.mark.parametrize("name", SIMPLER)
def test_simplify(name: str):
    fun, left = SIMPLER[name]
    closed, buffers = staged(fun, np.array([[0.0, -0.0, np.nan], [np.inf, -np.inf, 1.5]], "float16"))
    simple = simplify(inline(closed))
    assert names(drop_dead_code(simple)) == left
    assert_same_bits(step_by_step(simple, buffers), step_by_step(closed, buffers))


NOT_THE_SAME = {
    "x + 0.0": lambda x: x + 0.0,
    "x * 0": lambda x: x * 0.0,
    "x - x": lambda x: x - x,
    "x / 3": lambda x: x / 3,
    "0.0 - x": lambda x: 0.0 - x,
    "x + complex -0.0": lambda x: lax.complex(x, -x) + np.complex64(complex(-0.0, 0.0)),
}


@pytest.mark.parametrize("name", NOT_THE_SAME)
def test_what_would_change_a_sign_or_nan_stays(name: str):
    closed, _ = staged(NOT_THE_SAME[name], np.ones(3, "float32"))
    assert names(simplify(closed)) == names(closed)


def test_operands_that_may_change_places():
    closed, _ = staged(
        lambda x, y: (x * y - y * x, (x < y) & (y < x), x - y, y - x), np.ones(3, "float32"), np.ones(3, "float32")
    )
    assert sorted(names(merge_common(closed))) == ["and", "lt", "lt", "mul", "sub", "sub", "sub"]


def test_merge_common():
    closed, _ = staged(lambda x: jnp.sin(x) * jnp.sin(x) + (x + 0.0) + (x + -0.0), 1.0)
    assert names(merge_common(closed)) == ["sin", "mul", "add", "add", "add", "add"]


def test_random_numbers_of_one_key_are_merged_and_effects_are_not():
    def f(x):
        minijax.debug.callback(print, x)
        minijax.debug.callback(print, x)
        return x

    closed, _ = staged(f, 1.0)
    assert names(merge_common(closed)) == ["debug_callback", "debug_callback"]


def test_drop_dead_code():
    def f(x):
        jnp.exp(x)
        minijax.debug.callback(print, x)
        return jnp.sin(x)

    closed, _ = staged(f, 1.0)
    assert names(drop_dead_code(closed)) == ["debug_callback", "sin"]


def test_fold_layouts():
    closed, _ = staged(lambda x, y: ((x.T @ y.T).T, x.T.sum(0)), np.ones((3, 2), "float32"), np.ones((4, 3), "float32"))
    assert names(drop_dead_code(fold_layouts(closed))) == ["dot_general", "reduce_sum"]


FOLDED = {
    "sum of repeated": (
        lambda x: jnp.broadcast_to(x[:, None], (3, 5, 2)).sum((0, 1)),
        ["reshape", "reduce_sum", "mul"],
    ),
    "sum of rows": (lambda x: jnp.broadcast_to(x, (4, 3, 2)).sum(0), ["mul"]),
    "kept beside": (
        lambda x: lax.reduce_sum(lax.broadcast_in_dim(x, (3, 4, 2, 5), (0, 2)), (1,)),
        ["mul", "broadcast_in_dim"],
    ),
    "largest of repeated": (
        lambda x: lax.reduce_max(lax.broadcast_in_dim(x, (4, 3, 2), (1, 2)), (0, 2)),
        ["reduce_max"],
    ),
    "of everything": (lambda x: lax.reduce_max(x.reshape(6), (0,)), ["reduce_max"]),
    "stretched": (
        lambda x: lax.reduce_sum(lax.broadcast_in_dim(x[:1], (4, 2), (0, 1)), (0,)),
        ["slice", "reduce_sum", "mul"],
    ),
}


@pytest.mark.parametrize("name", FOLDED)
def test_reductions_do_without_copies(name: str):
    fun, wanted = FOLDED[name]
    closed, buffers = staged(fun, np.array([[1.0, -2.0], [0.5, 3.0], [2.0, 0.25]], "float32"))
    simple = drop_dead_code(fold_layouts(simplify(inline(closed))))
    check_jaxpr(simple.jaxpr)
    assert names(simple) == wanted
    assert_same_bits(step_by_step(simple, buffers), step_by_step(closed, buffers), rounded=True)


def test_group_elementwise():
    closed, _ = staged(lambda x: jnp.sin(x) * 2 + jnp.exp(x), np.ones(GROUPED, "float32"))
    (eqn,) = group_elementwise(simplify(closed)).eqns
    assert names(eqn.params["jaxpr"]) == ["sin", "mul", "exp", "add"]


def test_groups_stay_in_order():
    """A sum between two elementwise parts keeps them apart."""
    closed, _ = staged(lambda x: (y := jnp.sin(x) * 2) - jnp.max(y) + jnp.exp(x), np.ones(GROUPED, "float32"))
    assert names(group_elementwise(closed))[:2] == ["elementwise", "reduce_max"]


# ----------------------------------------------------------------- to be read


def test_show(capsys: pytest.CaptureFixture):
    show(lambda x: minijax.jit(jnp.sin)(x) * 1.0 + 2, jnp.ones(3))
    text = capsys.readouterr().out
    assert "# inline: from 3 to 3 equations" in text and "# group_elementwise: nothing to do" in text
    assert text.endswith("    b = np.sin(a)\n    c = np.add(b, 2.0)\n    return (c,)\n")


def test_source_of_a_compiled_function():
    compiled = minijax.jit(lambda x: jnp.sin(x)).lower(1.0).compile()
    assert "np.sin(a)" in compiled.as_text()


@pytest.mark.parametrize("shape", [(), (2000,), (3 * GROUPED,)], ids=str)
def test_large_programs_compile_in_linear_time(shape: tuple[int, ...]):
    """Twice the equations take twice the calls of functions."""

    def calls(count: int) -> int:
        def chain(x):
            for _ in range(count):
                x = jnp.sin(x) * 0.5
            return x

        closed, buffers = staged(chain, np.ones(shape, "float32"))
        profile = cProfile.Profile()
        profile.enable()
        try:
            compiled = Executable(closed)
        finally:
            profile.disable()
        assert np.all(np.isfinite(compiled(*buffers)[0]))
        return sum(entry.callcount for entry in profile.getstats())

    calls(10)  # what is imported and remembered at first
    assert calls(600) < 2.1 * calls(300)
