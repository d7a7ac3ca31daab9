"""The two engines: the only place that imports them, and only when they are asked for.

(`check`, which knows both engines from the inside, imports them as well; nothing imports it before it is asked for.)
Everything else in this package gets its engine as an argument, named `jax`: a function that calls
`jax.numpy.exp` is the same text on both.
"""

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

__all__ = ["ENGINES", "Array", "Engine", "Params", "engine", "precision", "set_deterministic"]

ENGINES = ("minijax", "jax")

Engine = Any  # a module with JAX's names
Array = Any  # an array or tracer of that engine, or a NumPy array
Params = Any  # a pytree of arrays


def engine(name: str) -> ModuleType:
    """The engine called `name`: minijax, or the real JAX.

    Raises ValueError for any other name, ModuleNotFoundError when it is not installed.
    """
    if name not in ENGINES:
        raise ValueError(f"there is no engine {name!r}; there are: {', '.join(ENGINES)}")
    return importlib.import_module(name)


@contextmanager
def precision(jax: Engine, *, x64: bool) -> Iterator[None]:
    """Within the block `jax` computes in float64 (`x64`) or float32; afterwards as before."""
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", x64)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", before)


def set_deterministic() -> None:
    """Ask XLA for the same order of sums in every run on a GPU; it has to come before JAX looks for its devices."""
    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_gpu_deterministic_ops" not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} --xla_gpu_deterministic_ops=true".strip()
