"""What jit costs beside the work: the first call of a program, finding a program again, the size of programs."""

import importlib
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..engines import Engine, engine
from .measuring import Benchmark, Timed
from .work import Work

__all__ = ["cache_hit", "equations", "first_call"]


def first_call(name: str, work: Work, targets: dict[str, float]) -> Benchmark:
    """Trace, compile and run: a fresh function in each round. JAX's cache on disk is off."""
    engine("jax").config.update("jax_enable_compilation_cache", False)

    def contestant(jax: Engine) -> Callable[[], float]:
        arguments = jax.tree.map(jax.numpy.asarray, work.arguments)

        def seconds() -> float:
            start = time.perf_counter()
            jax.block_until_ready(jax.jit(work.function(jax))(*arguments))
            return time.perf_counter() - start

        return seconds

    contestants = {f"{side}.jit": contestant(engine(side)) for side in ("minijax", "jax")}
    return Benchmark(name, contestants, targets, ours="minijax.jit")


def cache_hit(leaves: int, turn: float) -> Benchmark:
    """A call of a compiled function of so many arrays, less the one small product that it computes."""
    allowed = f"10 us + {leaves} x 1 us"
    array = np.ones(1, np.float32)
    work = Timed(lambda: array * 2, turn)

    def contestant(jax: Engine) -> Callable[[], float]:
        # without arguments there is no work
        call = jax.jit(lambda arrays: arrays[0] * 2 if arrays else ())
        arguments = [jax.numpy.asarray(array) for _ in range(leaves)]
        seconds = Timed(lambda: jax.block_until_ready(call(arguments)), turn)
        return lambda: seconds() - (work() if leaves else 0.0)

    contestants = {f"{side}.jit": contestant(engine(side)) for side in ("minijax", "jax")}
    contestants[allowed] = lambda: (10 + leaves) * 1e-6
    return Benchmark(
        f"cache hit, {leaves} {'leaf' if leaves == 1 else 'leaves'}", contestants, {allowed: 1.0}, ours="minijax.jit"
    )


def equations(work: Work) -> int:
    """Equations of the program after minijax's passes, with those within other equations."""
    jax = engine("minijax")
    program = jax.make_jaxpr(work.function(jax))(*jax.tree.map(jax.numpy.asarray, work.arguments))
    return _count(importlib.import_module("minijax.compiler.passes").optimize(program))


def _count(program: Any) -> int:
    """Equations that are run: those of inner programs in the place of the one that holds them."""
    return sum(sum(map(_count, inner)) or 1 for inner in (list(_programs(eqn.params)) for eqn in program.eqns))


def _programs(params: dict[str, Any]) -> Iterable[Any]:
    for value in params.values():
        for part in value if isinstance(value, tuple | list) else (value,):
            if hasattr(part, "eqns"):
                yield part
