"""The public names of JAX, module by module, and which of them minijax has."""

from __future__ import annotations

import importlib
import inspect
from typing import Any, NamedTuple

__all__ = ["MODULES", "Names", "count", "public_names"]

# Modules of JAX that minijax follows name by name; "" is the module itself.
MODULES = (
    "",
    "numpy",
    "numpy.linalg",
    "numpy.fft",
    "lax",
    "lax.linalg",
    "nn",
    "nn.initializers",
    "random",
    "scipy.special",
    "scipy.stats",
    "scipy.linalg",
    "scipy.signal",
    "image",
    "ops",
    "tree",
    "tree_util",
    "flatten_util",
    "dtypes",
    "typing",
    "errors",
    "test_util",
    "example_libraries.optimizers",
    "example_libraries.stax",
)


class Names(NamedTuple):
    """One module's public names in JAX: those that minijax has, and those that it lacks."""

    module: str
    present: list[str]
    missing: list[str]


def public_names(module: Any) -> set[str]:
    """What a module offers: names without an underscore, apart from modules."""
    return {n for n in dir(module) if not n.startswith("_") and not inspect.ismodule(getattr(module, n))}


def count(module: str) -> Names:
    """Hold one module against JAX's."""
    theirs = public_names(importlib.import_module(f"jax.{module}".rstrip(".")))
    ours = _names_of(f"minijax.{module}".rstrip("."))
    return Names(f"jax.{module}".rstrip("."), sorted(theirs & ours), sorted(theirs - ours))


def _names_of(path: str) -> set[str]:
    try:
        return set(dir(importlib.import_module(path)))
    except ModuleNotFoundError:
        return set()
