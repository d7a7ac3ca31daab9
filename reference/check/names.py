"""The public names of JAX, module by module, and which of them minijax has."""

from __future__ import annotations

import importlib
import inspect
from types import ModuleType
from typing import Any, NamedTuple

from . import missing_names

__all__ = ["MODULES", "Names", "count", "public_names", "words"]

# Modules of JAX that minijax follows name by name; "" is the module itself.
MODULES = tuple(missing_names.NAMES)


class Names(NamedTuple):
    """One module's public names in JAX: those that minijax has, and those that it lacks, by reason."""

    module: str
    present: list[str]
    missing: dict[str, list[str]]

    @property
    def known(self) -> int:
        """How many names JAX's module has."""
        return len(self.present) + sum(map(len, self.missing.values()))


def words(blocks: dict[str, str]) -> set[str]:
    """The words of all blocks of text."""
    return {word for block in blocks.values() for word in block.split()}


def public_names(module: Any) -> set[str]:
    """What a module offers: names without an underscore, apart from modules."""
    return {n for n in dir(module) if not n.startswith("_") and not inspect.ismodule(getattr(module, n))}


def count(module: str) -> Names:
    """Hold one module against JAX's. What is missing without being listed has the reason "not listed"."""
    full = f"jax.{module}".rstrip(".")
    theirs = public_names(importlib.import_module(full))
    ours = _module(full.replace("jax", "minijax", 1))
    present = {name for name in theirs if hasattr(ours, name)}
    reasons = {name: reason for reason, block in missing_names.NAMES[module].items() for name in block.split()}
    missing: dict[str, list[str]] = {}
    for name in sorted(theirs - present):
        missing.setdefault(reasons.get(name, "not listed"), []).append(name)
    return Names(full, sorted(present), missing)


def _module(path: str) -> ModuleType | None:
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        return None
