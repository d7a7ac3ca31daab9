"""Threads: each has its own traces and its own `with` blocks of flags, and all share the caches.

Every thread takes the same steps on the same functions, newly made for each round, so that first calls meet in
the caches; each result is held against that of one thread alone. The interpreter switches threads as
often as it can.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jax as real_jax
import numpy as np
import pytest

import minijax as jax
import minijax.numpy as jnp
from minijax import lax
from minijax.experimental import checkify

THREADS = 8
DEFAULT_SECONDS = 2.0
FULL_SECONDS = 10.0

X = jnp.linspace(-1.0, 1.0, 12).reshape(4, 3)
W = jnp.linspace(0.5, 2.0, 6).reshape(3, 2)


@pytest.fixture(autouse=True)
def switching_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def in_threads(work: Callable[[int], Any]) -> list[Any]:
    """What `work` returns in each of the threads, all of which begin at once."""
    barrier = threading.Barrier(THREADS)

    def begin(i: int) -> Any:
        barrier.wait()
        return work(i)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(begin, range(THREADS)))


# ----------------------------------------------------------------- the same and different functions


def _loss(w: Any, x: Any) -> Any:
    return jnp.sum(jnp.tanh(x @ w) ** 2)


def _turn(c: Any, x: Any) -> Any:
    return jnp.sin(c * x), c


@jax.custom_jvp
def _cube(x: Any) -> Any:
    return x**3


_cube.defjvp(lambda primals, tangents: (_cube(primals[0]), 3 * primals[0] ** 2 * tangents[0]))


def _checked(x: Any) -> Any:
    checkify.check(jnp.all(x > 0), "{} is not positive", x)
    return jnp.log(x)


# Each entry makes a function anew, and its arguments from the number n of its caller, 0 or 1.
MAKERS: dict[str, Callable[[], tuple[Callable, Callable[[int], tuple]]]] = {
    "jit": lambda: (jax.jit(lambda x: jnp.exp(x).sum(0)), lambda n: (X[: 3 + n],)),
    "grad": lambda: (jax.grad(_loss), lambda n: (W, X + n)),
    "jit of grad": lambda: (jax.jit(jax.grad(lambda w, x: _loss(w, x))), lambda n: (W, X[n:])),
    "grad of jit": lambda: (jax.grad(jax.jit(lambda w, x: _loss(w, x))), lambda n: (W, X[n:])),
    "hessian": lambda: (jax.jit(jax.hessian(lambda v: jnp.prod(v) ** 2)), lambda n: (W[n],)),
    "vmap": lambda: (jax.jit(jax.vmap(jax.grad(_loss), (None, 0))), lambda n: (W, X[n:])),
    "vmap of jit": lambda: (jax.vmap(jax.jit(lambda x: x @ W)), lambda n: (X[n:],)),
    "scan": lambda: (jax.jit(jax.grad(lambda c, x: lax.scan(_turn, c, x)[0])), lambda n: (0.3, X[n])),
    "while": lambda: (lambda x: lax.while_loop(lambda c: c < 10.0, lambda c: c * 1.5, x), lambda n: (1.0 + n,)),
    "cond": lambda: (jax.vmap(lambda x: lax.cond(x > 0, jnp.sin, jnp.cos, x)), lambda n: (X[n],)),
    "custom rule": lambda: (jax.jit(jax.grad(_cube)), lambda n: (2.0 + n,)),
    "checkpoint": lambda: (jax.grad(jax.checkpoint(_loss)), lambda n: (W, X * n)),
    "static": lambda: (jax.jit(lambda x, k: x**k, static_argnums=1), lambda n: (X, n + 2)),
    "random": lambda: (jax.jit(lambda k: jax.random.normal(k, (5,))), lambda n: (jax.random.key(n),)),
    "linear": lambda: (jax.vjp(lambda w: X @ w, W)[1], lambda n: (jnp.full((4, 2), float(n)),)),
    "named axis": lambda: (jax.jit(jax.vmap(lambda x: x - lax.pmean(x, "i"), axis_name="i")), lambda n: (X[n:],)),
    "checkify": lambda: (jax.jit(lambda x: checkify.checkify(_checked)(x)[1]), lambda n: (X[n:],)),
    "jaxpr": lambda: (lambda x: _characters(jax.make_jaxpr(jax.grad(_loss))(W, x)), lambda n: (X[n:],)),
}


def _characters(jaxpr: Any) -> np.ndarray:
    return np.frombuffer(str(jaxpr).encode(), np.uint8)


def _called(maker: tuple[Callable, Callable[[int], tuple]], n: int) -> np.ndarray:
    function, arguments = maker
    (result,) = jax.tree.leaves(function(*arguments(n)))
    return np.asarray(result)


def _rounds(expected: dict[tuple[str, int], Any], seconds: float) -> int:
    """Rounds until the time is over. In each all threads call each function, made anew, in one order."""
    end = time.monotonic() + seconds
    count = 0
    while count == 0 or time.monotonic() < end:
        functions = {name: make() for name, make in MAKERS.items()}

        def work(i: int, functions: dict[str, Any] = functions) -> None:
            for name, function in functions.items():
                np.testing.assert_array_equal(_called(function, i % 2), expected[name, i % 2], err_msg=name)

        in_threads(work)
        count += 1
    return count


def _check_threads(seconds: float) -> int:
    expected = {(name, n): _called(make(), n) for name, make in MAKERS.items() for n in (0, 1)}
    return _rounds(expected, seconds)


def test_eight_threads_differentiate_at_once():
    assert _check_threads(DEFAULT_SECONDS) >= 1


@pytest.mark.full
def test_eight_threads_differentiate_at_once_for_long():
    assert _check_threads(FULL_SECONDS) >= 10


def test_a_thread_inside_of_a_trace_has_no_part_in_it():
    """Other threads evaluate, whatever the one that started them is tracing."""
    found: list[Any] = []

    def f(x: Any) -> Any:
        found.extend(in_threads(lambda i: float(jax.jit(jnp.sin)(1.0 + i))))
        return x * 2

    assert jax.jit(f)(1.0) == 2.0
    assert jax.vmap(jax.grad(f))(jnp.ones(2)).tolist() == [2.0, 2.0]
    assert found[:THREADS] == [float(jnp.sin(1.0 + i)) for i in range(THREADS)]


@pytest.mark.parametrize("engine", [jax, real_jax], ids=["minijax", "jax"])
def test_a_tracer_is_of_no_use_to_another_thread(engine: Any):
    def f(x: Any) -> Any:
        with ThreadPoolExecutor(1) as pool, pytest.raises(engine.errors.UnexpectedTracerError):
            pool.submit(lambda: x + 1).result()
        return x

    assert engine.jit(f)(1.0) == 1.0


def test_clearing_the_caches_meanwhile():
    f = jax.jit(lambda x: jnp.cos(x) * 2)
    expected = [f(X[:n]) for n in range(5)]

    def work(i: int) -> None:
        for turn in range(30):
            if i == 0:
                jax.clear_caches()
            n = (i + turn) % 5
            np.testing.assert_array_equal(f(X[:n]), expected[n])
            assert jax.jit(lambda x: x + i)(turn) == turn + i

    in_threads(work)


# ----------------------------------------------------------------- flags


@pytest.mark.parametrize("engine", [jax, real_jax], ids=["minijax", "jax"])
def test_blocks_of_flags_hold_in_their_own_thread_only(engine: Any):
    inside, outside = threading.Event(), threading.Event()

    def with_x64() -> str:
        with engine.enable_x64(True):
            inside.set()
            assert outside.wait(60)
            return str(engine.numpy.arange(3.0).dtype)

    with ThreadPoolExecutor(1) as pool:
        wide = pool.submit(with_x64)
        assert inside.wait(60)
        narrow = str(engine.jit(engine.numpy.arange, static_argnums=0)(3.0).dtype)
        outside.set()
        assert (narrow, wide.result()) == ("float32", "float64")


@pytest.mark.parametrize("engine", [jax, real_jax], ids=["minijax", "jax"])
def test_updates_of_flags_hold_in_all_threads(engine: Any):
    engine.config.update("jax_numpy_rank_promotion", "raise")
    try:
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(lambda: engine.config.jax_numpy_rank_promotion).result() == "raise"
            pool.submit(engine.config.update, "jax_numpy_rank_promotion", "warn").result()
        assert engine.config.jax_numpy_rank_promotion == "warn"
    finally:
        engine.config.update("jax_numpy_rank_promotion", "allow")


def test_one_block_of_flags_entered_by_many_threads():
    block = jax.numpy_dtype_promotion("strict")

    def work(i: int) -> set[str]:
        with jax.numpy_dtype_promotion("strict" if i % 2 else "standard"):
            for _ in range(200):
                with block:
                    assert jax.config.jax_numpy_dtype_promotion == "strict"
                assert jax.config.jax_numpy_dtype_promotion == ("strict" if i % 2 else "standard")
        return jax.config.jax_numpy_dtype_promotion

    assert in_threads(work) == ["standard"] * THREADS


# ----------------------------------------------------------------- parts that are imported on demand

ON_DEMAND = """
import sys, threading
import minijax as jax
sys.setswitchinterval(1e-6)
parts = {
    "normal": lambda: jax.random.normal(jax.random.key(0), (2,)).shape,
    "softmax": lambda: jax.nn.softmax(jax.numpy.ones(2)).shape,
    "norm": lambda: jax.scipy.stats.norm.pdf(jax.numpy.ones(2)).shape,
    "gammaln": lambda: jax.scipy.special.gammaln(jax.numpy.ones(2)).shape,
    "expm": lambda: jax.scipy.linalg.expm(jax.numpy.eye(2)).shape,
    "fft": lambda: jax.numpy.fft.fft(jax.numpy.ones(2)).shape,
    "det": lambda: jax.jit(jax.numpy.linalg.det)(jax.numpy.eye(2)).shape,
    "resize": lambda: jax.image.resize(jax.numpy.ones((2, 2)), (4, 4), "nearest").shape,
    "segments": lambda: jax.ops.segment_sum(jax.numpy.ones(2), jax.numpy.arange(2), 2).shape,
    "tree": lambda: len(jax.tree.leaves((1, 2))),
    "print": lambda: jax.debug.callback(lambda x: None, 1),
    "names": lambda: [getattr(jax, name) for name in dir(jax) if not name.startswith("_")],
}
barrier = threading.Barrier(8)
failures = []


def work(i):
    barrier.wait()
    names = list(parts)
    for name in names[i:] + names[:i]:
        try:
            parts[name]()
        except BaseException as e:
            failures.append((name, repr(e)))


threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
for t in threads:
    t.start()
for t in threads:
    t.join()
assert not failures, failures
"""


@pytest.mark.parametrize("attempt", [0, *(pytest.param(i, marks=pytest.mark.full) for i in range(1, 10))])
def test_parts_are_imported_by_eight_threads_at_once(attempt: int):
    done = subprocess.run([sys.executable, "-c", ON_DEMAND], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


# ----------------------------------------------------------------- no cycles of imports

PACKAGE = Path(jax.__file__).parent


def _modules() -> dict[str, Path]:
    paths = {path.relative_to(PACKAGE.parent).with_suffix(""): path for path in PACKAGE.rglob("*.py")}
    return {".".join(p.parts).removesuffix(".__init__"): path for p, path in paths.items()}


def _imported_at_once(body: Sequence[ast.stmt]) -> Iterator[str]:
    """What a module imports when it is imported itself: not in its functions, not for type checkers only."""
    for statement in body:
        if isinstance(statement, ast.Import):
            yield from [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom):
            yield from [f"{statement.module}.{alias.name}" for alias in statement.names]
        elif isinstance(statement, ast.Try | ast.With) or (
            isinstance(statement, ast.If) and "TYPE_CHECKING" not in ast.unparse(statement.test)
        ):
            yield from _imported_at_once(statement.body)


def _with_packages(name: str, modules: dict[str, Path]) -> list[str]:
    """The module that `name` is, or is in, and the packages around it, which are imported first."""
    parts = name.split(".")
    return [m for m in (".".join(parts[:i]) for i in range(2, len(parts) + 1)) if m in modules]


def test_two_threads_cannot_wait_for_each_others_imports():
    """A cycle of imports would let them: each holds the lock of the module that it imports."""
    modules = _modules()
    waiting: dict[str, set[str]] = {}
    for name, path in modules.items():
        found = {m for n in _imported_at_once(ast.parse(path.read_text()).body) for m in _with_packages(n, modules)}
        waiting[name] = {m for m in found if not f"{name}.".startswith(f"{m}.")}
    del waiting["minijax"]
    while waiting:
        free = [name for name, found in waiting.items() if not any(m in waiting for m in found)]
        assert free, f"imports in a cycle, or waiting for one: {sorted(waiting)}"
        waiting = {name: found for name, found in waiting.items() if name not in free}
