"""What compiled programs do beyond giving the right results: loops, memory, donation, threads, errors, reports."""

from __future__ import annotations

import functools
import re
import threading
import traceback
import tracemalloc
import warnings
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_compiler import assert_same_bits, names, staged, step_by_step

import minijax
import minijax.numpy as jnp
from minijax import config, lax, workers
from minijax.compiler import executable, passes
from minijax.compiler.executables import Executable
from minijax.compiler.grouping import GROUPED
from minijax.compiler.hoisting import hoist
from minijax.compiler.inline import inline
from minijax.compiler.passes import PASSES, everywhere
from minijax.core import quiet_floating_point
from minijax.errors import JaxRuntimeError
from minijax.jaxpr import ClosedJaxpr, check_jaxpr

RNG = np.random.default_rng(0)
LARGE = RNG.standard_normal((40, 60)).astype("float32")


def compiled_text(fun: Callable, *args: Any) -> str:
    return minijax.jit(fun).lower(*args).compile().as_text()


# ----------------------------------------------------------------- loops and branches


def accumulated(x):
    def turn(carry, row):
        total, last = carry
        return (total + jnp.outer(row, row), last * 0.5 + row), (last, row * total[0, 0])

    return lax.scan(turn, (jnp.zeros((60, 60)), x[0]), x)


LOOPS = {
    "adds up": accumulated,
    "backwards": lambda x: lax.scan(lambda c, r: (jnp.sin(c) + r, c), x[0], x, reverse=True),
    "exchanges": lambda x: (
        lax.scan(lambda c, r: ((c[1], c[0] + r), c[0]), (x, x * 2), None, length=3)
        if x.ndim == 1
        else lax.scan(lambda c, _: ((c[1], c[0] + 1), None), (x, x * 2), None, length=3)
    ),
    "keeps": lambda x: lax.scan(lambda c, r: ((c[0], r), c[1]), (x[1], x[0]), x),
    "no turn": lambda x: lax.scan(lambda c, r: (c + r, c), x[0], x[:0]),
    "nested": lambda x: lax.scan(lambda c, r: (lax.fori_loop(0, 3, lambda i, d: d * 0.5 + r[i], c), c), x, x),
    "numbers": lambda x: lax.while_loop(lambda c: c[0] < 5, lambda c: (c[0] + 1, c[1] * x[0, 0]), (0, 1.0)),
    "arrays": lambda x: lax.while_loop(lambda c: jnp.sum(c) < 1e3, lambda c: c * 1.5 + x, jnp.abs(x)),
    "batch": lambda x: minijax.vmap(lambda v: lax.while_loop(lambda c: c < 9, lambda c: c * 1.5, v))(jnp.abs(x[0]) + 1),
    "branch": lambda x: lax.scan(lambda c, r: (lax.cond(r[0] > 0, lambda: c + r, lambda: c), r * 1), x[0], x),
    "switch": lambda x: [lax.switch(i, [lambda: x, lambda: x * 2, lambda: x.T.reshape(x.shape)]) for i in range(4)],
    "keys": lambda x: lax.scan(lambda k, _: (minijax.random.split(k)[0], minijax.random.uniform(k)), KEY(), length=3)[
        1
    ],
    "checkpoint": lambda x: minijax.vjp(minijax.checkpoint(lambda v: jnp.sin(v @ x.T) @ x), x)[1](x),
}
KEY = lambda: minijax.random.key(0)  # noqa: E731, made when it is needed


@pytest.mark.parametrize("name", LOOPS)
def test_loops_and_branches(name: str):
    """Twice, as workspaces are used again; and the first result stays as it is."""
    closed, buffers = staged(LOOPS[name], LARGE)
    compiled = Executable(closed)
    wanted = step_by_step(closed, buffers)
    with quiet_floating_point():
        first = compiled(*buffers)
        copies = [np.array(x) for x in first]
        compiled(*[x * 2 for x in buffers])
        assert_same_bits(first, copies)
        assert_same_bits(compiled(*buffers), wanted, rounded=True)
    assert np.array_equal(buffers[0], LARGE)


@pytest.mark.parametrize("name", ["adds up", "nested", "branch"])
def test_derivatives_of_loops(name: str):
    def gradient(x):
        out, vjp = minijax.vjp(LOOPS[name], x)
        return vjp(minijax.tree.map(jnp.ones_like, out))

    closed, buffers = staged(gradient, LARGE * 0.1)
    assert_same_bits(Executable(closed)(*buffers), step_by_step(closed, buffers), rounded=True)


def test_deep_nests_are_called():
    def nest(depth, x):
        return lax.fori_loop(0, 2, lambda i, c: nest(depth - 1, c), x) if depth else x * 1.01 + 1

    closed, buffers = staged(lambda x: nest(11, x), np.float32(1))
    assert_same_bits(Executable(closed)(*buffers), step_by_step(closed, buffers), rounded=True)


def test_a_sum_through_a_loop_is_added_up_in_place():
    closed, _ = staged(lambda x: lax.fori_loop(0, 9, lambda i, c: c + jnp.sin(x * i), x), LARGE)
    assert re.search(r"\w+ = np\.add\((\w+), \w+, out=\1\)", Executable(closed).text)


# ----------------------------------------------------------------- hoisting


def test_hoist():
    def f(w, x):
        return lax.scan(lambda c, r: (c + jnp.sin(w) @ r, None), jnp.zeros(60), x)[0]

    closed, buffers = staged(f, RNG.standard_normal((60, 60)).astype("float32"), LARGE)
    hoisted = hoist(inline(closed))
    check_jaxpr(hoisted.jaxpr)
    assert "sin" in names(hoisted) and "sin" not in names(hoisted.eqns[-1].params["jaxpr"])
    assert_same_bits(step_by_step(hoisted, buffers), step_by_step(closed, buffers), rounded=True)


def test_products_that_a_loop_adds_up_become_one_product():
    def loss(w, x):
        return jnp.sum(lax.scan(lambda c, r: (jnp.tanh(c + r @ w), None), jnp.zeros((4, 60)), x)[0])

    w, x = RNG.standard_normal((60, 60)).astype("float32") * 0.1, RNG.standard_normal((7, 4, 60)).astype("float32")
    closed, buffers = staged(minijax.grad(loss), w, x)
    hoisted = closed
    for run in PASSES[: PASSES.index(hoist) + 1]:
        hoisted = everywhere(run, hoisted)
    check_jaxpr(hoisted.jaxpr)
    backward = [eqn for eqn in hoisted.eqns if eqn.primitive.name == "scan"][-1]
    assert all(v.aval.shape != w.shape for v in backward.outvars) and "dot_general" in names(hoisted)
    assert_same_bits(step_by_step(hoisted, buffers), step_by_step(closed, buffers), rounded=True)


def test_nothing_leaves_a_loop_that_may_have_no_turn():
    closed, _ = staged(
        lambda n, x: lax.while_loop(lambda c: c[0] < n, lambda c: (c[0] + 1, c[1] @ jnp.linalg.inv(x)), (0, x)),
        3,
        np.eye(60, dtype="float32"),
    )
    assert "lu" not in names(hoist(inline(closed)))


# ----------------------------------------------------------------- groups and threads

SUMS = {
    "all": lambda x, r: (jnp.sum(jnp.sin(x) * r), jnp.exp(x)),
    "rows": lambda x, r: jnp.sum(jnp.sin(x) * r, axis=-1),
    "repeated": lambda x, r: (jnp.sum(jnp.broadcast_to(r * 2, x.shape) + 0, axis=-1), jnp.sum(r * x + 1)),
}


@pytest.mark.parametrize("name", SUMS)
@pytest.mark.parametrize("shape", [(GROUPED // 64, 64), (700, 150), (3, 90, 400)], ids=str)
def test_sums_end_groups(name: str, shape: tuple[int, ...]):
    x = RNG.standard_normal(shape).astype("float32")
    closed, buffers = staged(SUMS[name], x, x[..., :1])
    assert_same_bits(Executable(closed)(*buffers), step_by_step(closed, buffers), rounded=True)
    assert "reduce_sum" not in names(passes.optimize(closed))


def heavy(x):
    return jnp.exp(jnp.sin(x) * 2) / (1 + jnp.square(x)), jnp.tanh(x * 0.5), jnp.sum(jnp.cos(x))


def test_threads_change_no_bit():
    x = RNG.standard_normal((900, 500)).astype("float32")
    results = []
    for count in (1, 2, 3):
        with config.num_threads(count):
            closed, buffers = staged(heavy, x)
            compiled = Executable(closed)
            assert ("in_parallel" in compiled.text) == (count > 1)
            results.append(compiled(*buffers))
    assert_same_bits(results[1], results[0])
    assert_same_bits(results[2], results[0])


def test_an_error_in_a_thread_arrives():
    def body(first: int, last: int) -> None:
        if first:
            raise ValueError("late")

    with config.num_threads(2), pytest.raises(ValueError, match="late"):
        workers.in_parallel(body, 10, 1, (), ())


def test_blocks_are_shared_where_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch):
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(workers, "_helpers", workers._Helpers())
    monkeypatch.setattr(threading, "Thread", refuse)
    done: list[tuple[int, int]] = []
    with config.num_threads(3):
        workers.in_parallel(lambda first, last: done.append((first, last)), 10, 2, (), (), ())
    assert sorted(done) == [(0, 2), (2, 6), (6, 10)]


# ----------------------------------------------------------------- workspaces


def test_a_program_may_call_itself():
    """Through a callback, while its own workspaces are in use."""
    x = RNG.standard_normal((200, 200)).astype("float32")

    def host(v):
        return np.asarray(inner(jnp.asarray(v), False)) if v[0, 0] > 0 else np.asarray(v)

    def f(v, again):
        a = jnp.sin(v) @ v
        b = minijax.pure_callback(host, minijax.ShapeDtypeStruct(v.shape, v.dtype), v) if again else v
        return jnp.cos(a) @ a + b

    inner = minijax.jit(f, static_argnums=1)
    x[0, 0] = 1
    a = np.sin(x) @ x
    plain = np.cos(a) @ a + x
    np.testing.assert_allclose(inner(x, True), np.cos(a) @ a + plain, rtol=2e-3, atol=2e-3)


def test_workspaces_are_kept_unless_they_are_huge(monkeypatch: pytest.MonkeyPatch):
    closed, buffers = staged(lambda x: jnp.sum(jnp.cos(jnp.sin(x) @ x.T) @ x), floats(150, 150))
    compiled = Executable(closed)
    compiled(*buffers)
    (kept,) = compiled._workspaces._idle
    compiled(*buffers)
    assert compiled._workspaces._idle == [kept] and compiled._workspaces.size > 0
    monkeypatch.setattr("minijax.compiler.workspaces.KEPT", 0)
    compiled(*buffers)
    assert compiled._workspaces._idle == []


def test_results_do_not_lie_in_workspaces():
    f = minijax.jit(lambda x: (y := jnp.sin(x) @ x, y.T, y[3:5], jnp.cos(y) @ y, y.reshape(-1)))
    x = jnp.asarray(RNG.standard_normal((150, 150)).astype("float32"))
    first = f(x)
    copies = [np.array(r) for r in first]
    f(x * 3)
    assert all(np.array_equal(a, b) for a, b in zip(first, copies, strict=True))


# ----------------------------------------------------------------- donation


def test_donation_writes_over_the_argument():
    f = minijax.jit(lambda x, y: jnp.sin(x) * y, donate_argnums=0)
    x, y = jnp.asarray(LARGE) + 0, jnp.asarray(LARGE)
    address = x.unsafe_buffer_pointer()
    out = f(x, y)
    assert x.is_deleted() and not y.is_deleted() and out.unsafe_buffer_pointer() == address
    np.testing.assert_array_equal(out, np.sin(LARGE) * LARGE)
    assert (x.shape, x.dtype) == (LARGE.shape, "float32")


def test_a_result_takes_the_place_of_what_is_donated_rather_than_of_an_intermediate():
    """So the gradient lies in a workspace, and a step makes no array."""
    step = minijax.jit(lambda w, x, g: w - 0.1 * (x.T @ g), donate_argnums=0)
    w, x, g = jnp.zeros((300, 200)) + 1, jnp.ones((8, 300)), jnp.ones((8, 200))
    address = w.unsafe_buffer_pointer()
    w = step(w, x, g)
    assert w.unsafe_buffer_pointer() == address
    assert "out=space" in next(
        line for line in step.lower(w, x, g).compile().as_text().splitlines() if "matmul" in line
    )
    np.testing.assert_allclose(w, 1 - 0.8, rtol=1e-5)


def outcome(module: Any, case: str) -> Any:
    """What happens to a donated array in one engine: exception's class, or whether it is deleted."""
    numpy, jit = module.numpy, module.jit
    x = numpy.asarray(LARGE) + 0
    plus = jit(lambda v: v + 1, donate_argnums=0)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            if case == "used after":
                plus(x)
                np.asarray(x)
            elif case == "donated again":
                plus(x)
                plus(x)
            elif case == "twice":
                jit(lambda a, b: (a + 1, b + 1), donate_argnums=(0, 1))(x, x)
            elif case == "and read":
                jit(lambda a, b: (a + 1, b + 1), donate_argnums=0)(x, x)
            elif case == "no result":
                jit(lambda v: v.sum(), donate_argnums=0)(x)
            elif case == "by name":
                jit(lambda v, w: v + w, donate_argnames="w")(1.0, w=x)
            elif case == "in a tree":
                jit(lambda a, t: (a, t["w"] * 2), donate_argnums=1)(1.0, {"v": x[0] + 0, "w": x})
            elif case == "in jit":
                jit(lambda v: plus(v))(x)
            elif case == "compiled":
                plus.lower(x).compile()(x)
            elif case == "lowered":
                plus.lower(x)
            elif case == "a view":
                kept = np.asarray(x)
                plus(x)
                assert np.array_equal(kept, LARGE)
        except (RuntimeError, ValueError) as error:
            return type(error).__name__
    return x.is_deleted(), [str(w.message).split(".")[0] for w in seen]


CASES = ["used after", "donated again", "twice", "and read", "no result", "by name", "in a tree", "in jit"]
CASES += ["compiled", "lowered", "a view"]


@pytest.mark.parametrize("case", CASES)
def test_donation_is_as_in_jax(case: str):
    assert outcome(minijax, case) == outcome(jax, case)


RESULTS = {
    "the same twice": lambda x: (x + 1, x + 1, x + 2),
    "one array twice": lambda x: (lambda y: (y, y, y * 2))(x + 1),
    "an argument twice": lambda x: (x, x, x + 1),
    "a constant twice": lambda x: (LARGE, LARGE, x),
    "two shapes of one": lambda x: (x, x.reshape(-1), x.T),
    "copies": lambda x: (x.copy(), jnp.array(x), x),
}


@pytest.mark.parametrize(
    "case, eager", [*((case, False) for case in RESULTS), ("the same twice", True), ("copies", True)]
)
def test_results_can_be_donated_one_by_one(case: str, eager: bool):
    """As in JAX: of a jitted function no two results are one array, nor is one an argument."""
    x = jnp.asarray(LARGE) + 0
    results = (RESULTS[case] if eager else minijax.jit(RESULTS[case]))(x)
    expected = [np.array(r) + 1 for r in results]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about shapes that do not come back
        out = minijax.jit(lambda *r: [a + 1 for a in r], donate_argnums=(0, 1, 2))(*results)
        for ours, theirs in zip(out, expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    if not eager:
        np.testing.assert_array_equal(x, LARGE)


# ----------------------------------------------------------------- errors and reports


def failing(x):
    return minijax.pure_callback(lambda v: 1 / 0, minijax.ShapeDtypeStruct((), "float32"), x)  # the user's line


@pytest.mark.parametrize("call", [lambda x: failing(x), lambda x: lax.fori_loop(0, 2, lambda i, c: failing(c), x)])
def test_errors_point_to_the_users_line(call: Callable):
    with pytest.raises(JaxRuntimeError) as caught:
        minijax.jit(call)(1.0)
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert last.filename == __file__ and last.line.endswith("# the user's line") and last.name == "failing"


def test_the_text_has_the_letters_and_lines_of_the_program():
    def f(x):
        y = jnp.sin(x)
        return y * 2 + jnp.cos(x)

    text = compiled_text(f, jnp.ones(3))
    assert f"# {__file__.rsplit('/')[-1]}" in text and ": y = jnp.sin(x)\n" in text
    printed = str(passes.optimize(minijax.make_jaxpr(f)(jnp.ones(3))))
    assert "b:f32[3] = sin a" in printed and "b = np.sin(a)" in text
    assert "d:f32[3] = cos a" in printed and "d = np.cos(a)" in text


@settings(max_examples=5)
@given(st.sets(st.sampled_from([run.__name__ for run in PASSES])))
def test_every_pass_can_be_switched_off(off: set[str]):
    def f(x):
        return minijax.jit(jnp.sin)(x.T).T * 1.0 + jnp.exp(jnp.full(3, 2.0)[0]) + accumulated(x)[0][0].sum()

    def calls_of(name: str) -> int:
        return sum(run.__name__ == name for run in passes.enabled_passes())

    closed, buffers = staged(f, LARGE)
    with config.disabled_passes(",".join(off)):
        assert not any(calls_of(name) for name in off)
        assert_same_bits(Executable(closed)(*buffers), step_by_step(closed, buffers), rounded=True)


def test_passes_in_the_configuration_are_those_of_the_compiler():
    assert set(config.COMPILER_PASSES) == {run.__name__ for run in PASSES}
    with pytest.raises(ValueError, match="no pass 'unroll'; its passes are inline"):
        config.update("minijax_disabled_passes", "unroll")


def test_a_wrong_program_is_found(monkeypatch: pytest.MonkeyPatch):
    def wrong(closed: ClosedJaxpr) -> ClosedJaxpr:
        eqns = [e.replace(invars=e.invars[::-1]) if e.primitive.name == "sub" else e for e in closed.eqns]
        return closed.replace(jaxpr=closed.jaxpr.replace(eqns=eqns))

    with config.check_compiled(True):
        assert minijax.jit(lambda x: x - 3)(5.0) == 2
        monkeypatch.setattr(passes, "PASSES", (wrong,))
        with pytest.raises(JaxRuntimeError, match="result 0 of the compiled program differs"):
            minijax.jit(lambda x: x - 4)(5.0)


def test_cost_analysis():
    def f(x, y):
        return jnp.sum(jnp.tanh(x @ y))

    args = jnp.ones((8, 16)), jnp.ones((16, 4))
    ours = minijax.jit(f).lower(*args).compile().cost_analysis()
    theirs = jax.jit(f_of_jax := lambda x, y: jax.numpy.sum(jax.numpy.tanh(x @ y))).lower(*map(np.asarray, args))
    theirs = theirs.compile().cost_analysis()
    assert f_of_jax and ours["transcendentals"] == theirs["transcendentals"] == 32
    assert ours["flops"] == 2 * 8 * 16 * 4 + 32 and abs(ours["flops"] - theirs["flops"]) <= 1
    assert ours["bytes accessed"] == 4 * (8 * 16 + 16 * 4 + 32 + 32 + 32 + 32 + 1)
    scan = minijax.jit(lambda x: lax.fori_loop(0, 10, lambda i, c: c @ c, x)).lower(jnp.ones((5, 5)))
    assert scan.cost_analysis()["flops"] == 10 * (2 * 125 + 1)


def mlp_step(params, x, y):
    def loss(params):
        (w, b), (v, c) = params
        logits = minijax.nn.relu(x @ w + b) @ v + c
        return -jnp.mean(jnp.take_along_axis(minijax.nn.log_softmax(logits), y[:, None], 1))

    return minijax.tree.map(lambda p, g: p - 0.1 * g, params, minijax.grad(loss)(params))


def pooled(x, w):
    y = lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    y = lax.reduce_window(minijax.nn.relu(y), -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    return jnp.sum(jnp.square(y))


def floats(*shape: int) -> Any:
    return jnp.asarray(RNG.standard_normal(shape).astype("float32"))


MEASURED = {
    "mlp": (
        mlp_step,
        ([(floats(200, 300), floats(300)), (floats(300, 10), floats(10))], floats(64, 200), jnp.arange(64) % 10),
    ),
    "convolution": (minijax.grad(pooled, (0, 1)), (floats(8, 28, 28, 4), floats(3, 3, 4, 16))),
    "elementwise": (lambda x: jnp.sin(jnp.exp(x) + 1) * x, (floats(400, 500),)),
}


@pytest.mark.parametrize("name", MEASURED)
def test_memory_analysis_is_what_a_call_needs(name: str):
    fun, args = MEASURED[name]
    compiled = minijax.jit(fun).lower(*args).compile()
    compiled(*args)
    run = executable(compiled._program.closed)
    run._workspaces._idle.clear()
    tracemalloc.start()
    try:
        out = compiled(*args)
        measured = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    stats = compiled.memory_analysis()
    assert abs(stats.peak_memory_in_bytes / measured - 1) < 0.1, (stats, measured)
    assert stats.output_size_in_bytes == sum(x.nbytes for x in minijax.tree.leaves(out))
    assert stats.argument_size_in_bytes == sum(x.nbytes for x in minijax.tree.leaves(args))


def test_donation_and_workspaces_from_many_threads():
    """Every thread trains a state of its own through one program; what others hold stays as it is."""

    @functools.partial(minijax.jit, donate_argnums=0)
    def step(state, x):
        w, total = state
        grads = minijax.grad(lambda w: jnp.sum(jnp.tanh(x @ w) ** 2))(w)
        return (w - 0.01 * grads, total + jnp.sum(grads)), w[:2], x.T

    x = jnp.asarray(RNG.standard_normal((120, 90)).astype("float32"))
    kept = np.array(x)

    def train(seed: int) -> np.ndarray:
        state = minijax.random.normal(minijax.random.key(seed), (90, 80)), jnp.zeros(())
        views, firsts = [], []
        for _ in range(6):
            views.append(np.asarray(state[0])[5])  # a view that the program must not write through
            firsts.append(np.array(views[-1]))
            state, top, turned = step(state, x)
            assert np.array_equal(turned, kept.T) and top.shape == (2, 80)
        assert all(np.array_equal(view, first) for view, first in zip(views, firsts, strict=True))
        return np.array(state[0])

    alone = [train(seed) for seed in range(4)]
    together: dict[int, np.ndarray] = {}
    threads = [threading.Thread(target=lambda s=s: together.update({s: train(s)})) for s in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(together[seed], alone[seed]) for seed in range(4))
    assert np.array_equal(x, kept)


@pytest.mark.parametrize("strides, padding", [((1, 1), "SAME"), ((2, 2), "VALID")])
def test_threads_change_no_bit_of_convolutions(strides: tuple[int, int], padding: str):
    x, w = floats(40, 28, 28, 8), floats(3, 3, 8, 16)

    def f(x, w):
        y = lax.conv_general_dilated(x, w, strides, padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))
        y = lax.reduce_window(y, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        return jnp.sum(jnp.square(y))

    def gradients(count: int) -> Any:
        with config.num_threads(count):
            return minijax.tree.leaves(minijax.value_and_grad(f, (0, 1))(x, w))

    alone = gradients(1)
    assert all(np.array_equal(a, b) for a, b in zip(gradients(3), alone, strict=True))
