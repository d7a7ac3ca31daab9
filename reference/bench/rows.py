"""The benchmarks by name: who takes part, and what is to be reached."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from .attention import attention
from .cnn import cnn
from .compiling import cache_hit, equations, first_call
from .derivatives import EQUATIONS, elementwise, hessian, per_example, scalar_chain
from .eager import addition, eager_chain, eager_mlp, import_time
from .floors import floors
from .lstm import lstm
from .measuring import Benchmark, Timed, peak_bytes
from .mlp import mlp
from .work import CONTESTANTS, Work, contestant

__all__ = ["PROFILED", "ROWS", "WORKS", "Settings"]

OURS = "minijax.jit"


class Settings(NamedTuple):
    """How long and how broadly to measure."""

    quick: bool
    """only the contestants that have a target, and short turns"""
    bytecode: Path
    """a folder for compiled Python files"""

    @property
    def turn(self) -> float:
        """Seconds that a turn should take."""
        return 0.002 if self.quick else 0.03


WORKS: dict[str, tuple[str, Callable[[], Work], dict[str, float]]] = {
    "mlp-32": ("MLP step, batch 32", lambda: mlp(32), {"jax.jit": 1.0, "numpy": 0.85}),
    "mlp-128": ("MLP step, batch 128", lambda: mlp(128), {"jax.jit": 1.0, "numpy": 0.85}),
    "cnn-32": ("CNN step, batch 32", lambda: cnn(32), {"jax.jit": 0.75, "torch": 1.5}),
    "cnn-128": ("CNN step, batch 128", lambda: cnn(128), {"jax.jit": 0.75, "torch": 1.5}),
    "lstm": ("LSTM step", lstm, {"jax.jit": 1.0}),
    "attention": ("attention block step", attention, {"jax.jit": 1.2}),
    "elementwise": ("elementwise gradient, 1M", elementwise, {"jax.jit": 2.0, "numpy": 0.6}),
    "per-example": ("per-example gradients", per_example, {"jax.jit": 1.2}),
    "hessian": ("Hessian, 40 dimensions", hessian, {"jax.jit": 3.0}),
}
"""Compiled work: its title, how it is made, and ours as a multiple of theirs at most."""

PROFILED: dict[str, tuple[str, Callable[[], Work]]] = {name: row[:2] for name, row in WORKS.items()}
PROFILED["scalar-chain"] = f"scalar chain, {EQUATIONS} equations", scalar_chain
"""What can be timed line by line."""


def _compiled(title: str, make: Callable[[], Work], targets: Mapping[str, float], settings: Settings) -> Benchmark:
    work = make()
    wanted = [OURS, *targets] if settings.quick else CONTESTANTS
    found = {name: contestant(name, work) for name in wanted if name != "jax" or work.eager}
    timed = {name: Timed(one.run, settings.turn) for name, one in found.items() if one is not None}
    least = {name: Timed(function, settings.turn) for name, function in floors(work).items()}
    return Benchmark(title, timed, targets, OURS, least)


def _scalar_chain(settings: Settings) -> Benchmark:
    """Against as many microseconds as the gradient's optimised program has equations."""
    title, make = PROFILED["scalar-chain"]
    count = equations(make())
    each = f"{count} x 1 us"
    benchmark = _compiled(title, make, {}, settings)
    contestants = {**benchmark.contestants, each: lambda: count * 1e-6}
    return benchmark._replace(contestants=contestants, targets={each: 0.7})


def _memory(row: str, settings: Settings) -> Benchmark:
    """Peak memory of a call, with the arrays that the program keeps between calls."""
    title, make, _ = WORKS[row]
    work = make()

    def peak(name: str) -> float:
        one = contestant(name, work)
        return peak_bytes(one.run)

    contestants = {name: partial(peak, name) for name in (OURS, "numpy")}
    return Benchmark(f"peak memory, {title}", contestants, {"numpy": 1.1}, OURS, unit="B", once=True)


ROWS: dict[str, Callable[[Settings], Benchmark]] = {
    **{name: partial(_compiled, *row) for name, row in WORKS.items()},
    "scalar-chain": _scalar_chain,
    "memory-mlp": partial(_memory, "mlp-128"),
    "memory-cnn": lambda settings: _memory("cnn-32" if settings.quick else "cnn-128", settings),
    "first-call": lambda settings: first_call("first call of the MLP step", mlp(128), {"jax.jit": 0.3}),
    **{
        f"cache-hit-{leaves}": lambda settings, leaves=leaves: cache_hit(leaves, settings.turn)
        for leaves in (0, 1, 10, 100)
    },
    "import": lambda settings: import_time(settings.bytecode),
    "eager-addition": lambda settings: addition(settings.turn),
    "eager-chain": lambda settings: eager_chain(settings.turn),
    "eager-mlp": lambda settings: eager_mlp(settings.turn),
}
"""All benchmarks, made when they are asked for."""
