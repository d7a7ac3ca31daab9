"""jax.checkpoint keeps what its policy says: the same jaxprs, values and counts as JAX, and less memory."""

from __future__ import annotations

import collections
import gc
import itertools
import re
import tracemalloc
from collections.abc import Callable
from importlib import import_module
from typing import Any

import checkpoint_programs as programs
import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minijax
from minijax.compiler.workspaces import Workspaces
from reference.check import jaxpr_tools, oracle_facts
from reference.check.oracle import assert_same, assert_values, aval_text

V = np.linspace(0.2, 1.0, 3, dtype=np.float32)
ENGINES = (minijax, jax)

# ----------------------------------------------------------------- texts, values


def text(closed_jaxpr: Any) -> str:
    """As the checks compare it; of a policy that is a function, JAX shows the address."""
    printed = jaxpr_tools.text(closed_jaxpr)
    return re.sub(r"policy=.*", "policy=_", printed)


def evaluations(printed: str) -> collections.Counter[str]:
    """How often a program computes what is dear."""
    return collections.Counter(re.findall(r"= (sin|cos|dot_general)\b", printed))


CASES = [
    case
    for case in itertools.product(programs.PROGRAMS, programs.TRANSFORMATIONS, programs.POLICIES)
    if not (case[0] in programs.REVERSE_ONLY and case[1] in programs.FORWARD)
]
# Each program, each transformation and each policy, but few of their combinations.
QUICK = {
    case
    for case in CASES
    if case[1:] in {("grad", "none"), ("grad", "dots"), ("grad", "names")}
    or case[0] in ("layers", "scanning")
    and case[2] == "names"
    or case[:2] == ("layers", "grad")
}


def by_depth(cases: list[Any], quick: set[Any]) -> list[Any]:
    """Cases of the default depth; the others are marked."""
    return [case if case in quick else pytest.param(*case, marks=pytest.mark.full) for case in cases]


def transformed(engine: Any, program: str, transformation: str, policy: str) -> Callable[..., Any]:
    f = programs.checkpointed(engine, programs.PROGRAMS[program](engine), policy)
    return programs.TRANSFORMATIONS[transformation](engine, f)


def texts(*case: str) -> tuple[str, str]:
    """The jaxprs of both engines."""
    ours, theirs = (text(engine.make_jaxpr(transformed(engine, *case))(programs.W, programs.X)) for engine in ENGINES)
    return ours, theirs


@pytest.mark.parametrize("program, transformation, policy", by_depth(CASES, QUICK))
def test_jaxpr_and_counts(program: str, transformation: str, policy: str):
    """What is computed in the forward pass, what is kept, what is computed anew: letter by letter."""
    ours, theirs = texts(program, transformation, policy)
    if {(program, transformation), (program, policy)} & oracle_facts.CHECKPOINT_TEXT_DIFFERS.keys():
        assert evaluations(ours).total() <= evaluations(theirs).total() + 2
    else:
        assert ours == theirs


@pytest.mark.parametrize("program, other", oracle_facts.CHECKPOINT_TEXT_DIFFERS)
def test_texts_still_differ(program: str, other: str):
    """If not, take the entry off the list in oracle_facts.py."""
    cases = [case for case in CASES if case[0] == program and other in case]
    assert any(ours != theirs for ours, theirs in itertools.starmap(texts, cases))


def assert_unchanged(kept: Any, plain: Any, ulp: float = 0) -> None:
    """Two results of minijax are the same, to rounding."""
    leaves, tree = minijax.tree_util.tree_flatten(kept)
    others, other_tree = minijax.tree_util.tree_flatten(plain)
    assert tree == other_tree
    for x, y in zip(leaves, others, strict=True):
        assert aval_text(x) == aval_text(y)
        assert_values(np.asarray(x), np.asarray(y), ulp=ulp, leafwise=True)


@pytest.mark.parametrize("program, transformation, policy", by_depth(CASES, QUICK))
def test_values(program: str, transformation: str, policy: str):
    """Whatever is kept, the result is that of the function without a checkpoint."""
    f = transformed(minijax, program, transformation, policy)
    plain = programs.TRANSFORMATIONS[transformation](minijax, programs.PROGRAMS[program](minijax))
    assert_unchanged(f(programs.W, programs.X), plain(programs.W, programs.X), ulp=64)


@pytest.mark.parametrize(
    "program, transformation, policy",
    by_depth([case for case in CASES if case[2] == "names"], {("layers", "grad", "names")}),
)
def test_values_are_those_of_jax(program: str, transformation: str, policy: str):
    ours = transformed(minijax, program, transformation, policy)(programs.W, programs.X)
    with jax.disable_jit():
        theirs = transformed(jax, program, transformation, policy)(programs.W, programs.X)
    assert_same(ours, theirs, ulp=256, leafwise=True)


def test_counts_of_a_chain():
    """Forward and backward pass of sin(sin(sin(x))): 3 sines and 3 cosines, and what is computed anew."""

    def f(x):
        return minijax.lax.sin(minijax.lax.sin(minijax.lax.sin(x)))

    def counts(policy: str) -> dict[str, int]:
        g = minijax.grad(programs.checkpointed(minijax, f, policy))
        return evaluations(text(minijax.make_jaxpr(g)(1.0)))

    assert counts("everything") == {"sin": 3, "cos": 3}
    assert counts("nothing") == counts("none") == {"sin": 5, "cos": 3}


# ----------------------------------------------------------------- memory

LAYERS, BLOCK, BATCH, WIDTH = 25, 5, 128, 32
POLICIES_BY_NAME: dict[str, Callable[[Any], Any]] = {
    "no checkpoint": lambda f: f,
    "everything": lambda f: programs.checkpointed(minijax, f, "everything"),
    "dots": lambda f: programs.checkpointed(minijax, f, "dots"),
    "names": lambda f: programs.checkpointed(minijax, f, "names"),
    "nothing": lambda f: programs.checkpointed(minijax, f, "nothing"),
}


def peak_in_layers(policy: str, jitted: bool) -> float:
    """Peak memory of the gradient of a deep MLP in blocks of sqrt(n) layers, in activations of one layer."""
    jnp, name = minijax.numpy, programs.name(minijax)
    random = np.random.default_rng(0)
    weights = [jnp.asarray(random.normal(size=(WIDTH, WIDTH)).astype(np.float32) / 6) for _ in range(LAYERS)]
    x = jnp.asarray(random.normal(size=(BATCH, WIDTH)).astype(np.float32))

    def block(weights, x):
        for w in weights:
            x = name(jnp.tanh(jnp.sin(x @ w)), "b")
        return x

    def loss(weights, x):
        wrapped = POLICIES_BY_NAME[policy](block)
        for i in range(0, LAYERS, BLOCK):
            x = wrapped(weights[i : i + BLOCK], x)
        return jnp.sum(x**2)

    gradient = minijax.jit(minijax.grad(loss)) if jitted else minijax.grad(loss)
    return peak(gradient, weights, x) / x.nbytes


def peak(f: Callable[..., Any], *args: Any) -> int:
    """Peak memory of the second call, in bytes, what compiled programs work in included."""
    f(*args)
    gc.collect()
    for workspaces in [x for x in gc.get_objects() if type(x) is Workspaces]:
        workspaces._idle.clear()
    tracemalloc.start()
    try:
        f(*args)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("jitted", [False, True])
def test_a_checkpoint_saves_memory(jitted: bool):
    """Run with -s to see the numbers. Everything: 3 values of each layer; nothing: 2 sqrt(n) and one block."""
    peaks = {policy: peak_in_layers(policy, jitted) for policy in POLICIES_BY_NAME}
    print({policy: round(peak, 1) for policy, peak in peaks.items()})
    assert peaks["nothing"] < 0.45 * peaks["no checkpoint"]
    assert peaks["nothing"] < 0.75 * min(peaks["dots"], peaks["names"])
    assert max(peaks["dots"], peaks["names"]) < 0.75 * peaks["no checkpoint"]
    assert peaks["no checkpoint"] < 1.1 * peaks["everything"]


def test_a_checkpoint_in_a_scan_saves_memory():
    """Of each turn its carry is kept, instead of all that the turn computes."""
    w, x = (minijax.numpy.ones(shape) / WIDTH for shape in ((WIDTH, WIDTH), (BATCH, WIDTH)))

    def turn(c, _):
        for _ in range(4):
            c = minijax.numpy.tanh(minijax.numpy.sin(c @ w))
        return c, None

    def gradient(turn):
        return minijax.jit(minijax.grad(lambda x: minijax.lax.scan(turn, x, None, length=20)[0].sum()))

    peaks = {policy: peak(gradient(wrap(turn)), x) / x.nbytes for policy, wrap in POLICIES_BY_NAME.items()}
    print({policy: round(peak, 1) for policy, peak in peaks.items()})
    assert peaks["nothing"] < 0.2 * peaks["no checkpoint"]
    assert peaks["dots"] < 0.5 * peaks["no checkpoint"]


# ----------------------------------------------------------------- residuals


def residual_lines(engine: Any, f: Callable[..., Any], args: tuple, capsys: Any) -> list[str]:
    """What print_saved_residuals prints, without columns and qualified names, which JAX adds to lines and names.

    Nor literals: JAX lists numbers, which take no memory.
    """
    import_module(f"{engine.__name__}.ad_checkpoint").print_saved_residuals(f, *args)
    lines = capsys.readouterr().out.splitlines()
    return [re.sub(r":(\d+)(:\d+)? \(.*", r":\1", line) for line in lines if "from a literal" not in line]


def two_sines(engine: Any, policy: str) -> Callable[..., Any]:
    """With arguments in trees, one of them by a default."""

    def f(x, y, scale=2.0):
        a = engine.lax.sin(x["k"]) * y[0]
        b = programs.name(engine)(engine.lax.cos(a), "b")
        return engine.lax.sin(b) * scale

    return f if policy == "plain" else programs.checkpointed(engine, f, policy)


@pytest.mark.parametrize("policy", ["plain", *programs.POLICIES])
def test_saved_residuals_are_printed_as_by_jax(policy: str, capsys: Any):
    arguments = {"k": V}, [V, 1.0]
    ours, theirs = (residual_lines(engine, two_sines(engine, policy), arguments, capsys) for engine in ENGINES)
    assert ours == theirs and ours


def test_saved_residuals_name_arguments_as_the_signature_does(capsys: Any):
    for f in (lambda *many: many[0] * many[1], lambda first, *rest: first * rest[0], lambda x, y: x * y):
        ours, theirs = (residual_lines(engine, f, (V, V), capsys) for engine in ENGINES)
        assert ours == theirs and len(ours) == 2


# ----------------------------------------------------------------- options and misuse


def outcome(program: Callable[[Any], Any], engine: Any) -> Any:
    """The result, or the class of the exception."""
    try:
        return program(engine)
    except Exception as error:
        return next(c.__name__ for c in type(error).__mro__ if c.__module__ == "builtins")


def plus(x: Any, y: Any, *, twice: bool = False) -> Any:
    """With arguments that may be static."""
    return x + len(y) if isinstance(y, list) else x * y * (2 if twice else 1)


def returning(answer: Any) -> Callable[[Any], Any]:
    """The gradient under a policy with this one answer."""
    return lambda j: j.grad(j.checkpoint(lambda x: j.lax.sin(x) * x, policy=lambda *args, **params: answer))(1.0)


OPTIONS: dict[str, Callable[[Any], Any]] = {
    "static": lambda j: j.checkpoint(plus, static_argnums=1)(1.0, [1, 2]),
    "static from the end": lambda j: j.checkpoint(plus, static_argnums=(-1,))(1.0, [1, 2]),
    "static outside": lambda j: j.checkpoint(plus, static_argnums=5)(1.0, 2.0),
    "static list": lambda j: j.checkpoint(plus, static_argnums=[1])(1.0, 2.0),
    "static name": lambda j: j.checkpoint(plus, static_argnums="y")(1.0, 2.0),
    "static tracer": lambda j: j.jit(lambda y: j.checkpoint(plus, static_argnums=1)(1.0, y))(2.0),
    "concrete": lambda j: j.checkpoint(plus, concrete=True),
    "not concrete": lambda j: j.remat(plus, concrete=False),
    "prevent_cse=0": lambda j: j.checkpoint(plus, prevent_cse=0),
    "prevent_cse by argument": lambda j: j.grad(j.checkpoint(plus, prevent_cse=[True, False]), (0, 1))(1.0, 2.0),
    "prevent_cse of other length": lambda j: j.checkpoint(plus, prevent_cse=(True,))(1.0, 2.0),
    "not an array": lambda j: j.checkpoint(plus)("a", 1.0),
    "a truth value": lambda j: j.checkpoint(lambda x: x if x > 0 else -x)(1.0),
    "no answer": returning(3),
    "None": returning(None),
    "a truth of NumPy": returning(np.bool_(True)),
    "both policies": lambda j: j.checkpoint_policies.save_from_both_policies(lambda p: 3, lambda p: True)(None),
    "twice on a list": lambda j: j.checkpoint_policies.save_and_offload_only_these_names(
        names_which_can_be_saved=["a"], names_which_can_be_offloaded=["a"], offload_src="x", offload_dst="y"
    ),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_options(name: str):
    """The same result, or the same class of exception."""
    ours, theirs = (outcome(OPTIONS[name], engine) for engine in ENGINES)
    if isinstance(theirs, str):
        assert ours == theirs
    else:
        assert_same(ours, theirs, ulp=8)


def test_advice_to_make_an_argument_static():
    with pytest.raises(minijax.errors.TracerBoolConversionError, match="static_argnums"):
        minijax.checkpoint(lambda x: x if x > 0 else -x)(1.0)


@pytest.mark.parametrize("kind", ["Saveable", "Recompute", "Offloadable"])
def test_answers_of_a_policy(kind: str):
    """There is one memory, in which what is offloaded stays."""
    answer = getattr(import_module("minijax.ad_checkpoint"), kind)
    if kind == "Offloadable":
        answer = answer("device", "pinned_host")
    kept, expected = (returning(a)(minijax) for a in (answer, kind != "Recompute"))
    assert_unchanged(kept, expected)


def test_policies_for_two_memories():
    """They keep what they would offload."""
    policies = minijax.checkpoint_policies
    offloading = policies.save_and_offload_only_these_names(
        names_which_can_be_saved=["a"],
        names_which_can_be_offloaded=["b"],
        offload_src="device",
        offload_dst="pinned_host",
    )
    for policy, like in ((offloading, "names"), (policies.offload_dot_with_no_batch_dims("x", "y"), "dots")):
        f = minijax.checkpoint(programs.layers(minijax), policy=policy)
        ours = text(minijax.make_jaxpr(minijax.grad(f))(programs.W, programs.X))
        same = programs.checkpointed(minijax, programs.layers(minijax), like)
        assert ours == text(minijax.make_jaxpr(minijax.grad(same))(programs.W, programs.X))


def test_a_function_is_traced_once_for_each_kind_of_arguments():
    traces = []

    def f(x):
        traces.append(x)
        return x * 2.0

    g = minijax.checkpoint(f)
    for x in (V, V + 1, V[:2], V, 1.0):
        minijax.grad(lambda x: minijax.numpy.sum(g(x)))(x)
    assert len(traces) == 3


@pytest.mark.parametrize("policy", ["nothing", "everything"])
def test_prints_come_as_often_as_in_jax(policy: str, capsys: Any):
    def prints(j: Any) -> list[str]:
        def f(x):
            j.debug.print("seen {}", x)
            return j.lax.sin(j.lax.sin(x))

        j.grad(programs.checkpointed(j, f, policy))(1.0)
        j.effects_barrier()
        return capsys.readouterr().out.splitlines()

    assert prints(minijax) == prints(jax)


@pytest.mark.parametrize("dtype", ["complex64", "float16", "bfloat16"])
def test_other_dtypes(dtype: str):
    x = minijax.numpy.asarray(V).astype(dtype)

    def f(x):
        y = minijax.numpy.sin(x * x) * x
        return minijax.numpy.sum(minijax.numpy.real(y))

    for policy in programs.POLICIES:
        assert_unchanged(minijax.grad(programs.checkpointed(minijax, f, policy))(x), minijax.grad(f)(x), ulp=4)


# ----------------------------------------------------------------- random programs

STEPS: dict[str, Callable[[Any], Callable[[Any, Any], Any]]] = {
    "sin": lambda j: lambda w, x: j.lax.sin(x),
    "dot": lambda j: lambda w, x: j.lax.dot(x, w),
    "name": lambda j: lambda w, x: programs.name(j)(x, "b"),
    "jit": lambda j: j.jit(lambda w, x: j.lax.cos(j.lax.dot(j.lax.sin(x), w))),
    "scan": lambda j: lambda w, x: j.lax.scan(lambda c, t: (j.lax.sin(c * t), c), x, w)[0],
    "cond": lambda j: lambda w, x: j.lax.cond(x[0] > 0.3, lambda x: j.lax.sin(x) * x, lambda x: j.lax.dot(w, x), x),
    "checkpoint": lambda j: j.checkpoint(lambda w, x: j.lax.sin(j.lax.dot(j.lax.sin(x), w))),
    "custom": lambda j: lambda w, x: custom_sine(j)(x) * w[0],
    "vmap": lambda j: lambda w, x: j.vmap(lambda r, e: j.lax.sin(r * e).sum())(w, x),
}


def custom_sine(j: Any) -> Callable[[Any], Any]:
    """With a custom rule, not that of the sine."""
    f = j.custom_jvp(lambda x: j.lax.sin(x))
    f.defjvp(lambda primals, tangents: (f(*primals), 2.0 * j.lax.cos(primals[0]) * tangents[0]))
    return f


def run(engine: Any, steps: list[str], policy: str | None, transformation: str) -> Any:
    """A chain of steps, every two of them in a checkpoint under the policy, transformed."""

    def of(chosen: list[str]) -> Callable[..., Any]:
        def f(w, x):
            for step in chosen:
                x = STEPS[step](engine)(w, x)
            return x

        return f if policy is None else programs.checkpointed(engine, f, policy)

    def whole(w, x):
        for i in range(0, len(steps), 2):
            x = of(steps[i : i + 2])(w, x)
        return x.sum()

    return programs.TRANSFORMATIONS[transformation](engine, whole)(programs.W * 3, programs.X)


CHAINS = st.lists(st.sampled_from(list(STEPS)), min_size=2, max_size=6)
POLICY, TRANSFORMATION = st.sampled_from(list(programs.POLICIES)), st.sampled_from(list(programs.TRANSFORMATIONS))


@given(steps=CHAINS, policy=POLICY, transformation=TRANSFORMATION)
def test_random_chains(steps: list[str], policy: str, transformation: str):
    """A checkpoint changes no value, whatever its policy."""
    ours = run(minijax, steps, policy, transformation)
    assert_unchanged(ours, run(minijax, steps, None, transformation), ulp=2**10)


@pytest.mark.full
@settings(deadline=None, max_examples=60)
@given(steps=CHAINS, policy=POLICY, transformation=TRANSFORMATION)
def test_random_chains_against_jax(steps: list[str], policy: str, transformation: str):
    ours = run(minijax, steps, policy, transformation)
    with jax.disable_jit():
        theirs = run(jax, steps, policy, transformation)
    assert_same(ours, theirs, ulp=2**12, leafwise=True)
