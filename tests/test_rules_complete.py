"""No primitive without rows in the operation table, no primitive with an empty rule slot."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import minijax
from reference.check import oracle_facts
from reference.check.operation_row import KINDS
from reference.check.operations import ROWS

# Primitives that most programs do without are imported on demand.
for found in pkgutil.iter_modules(minijax.primitives.__path__, "minijax.primitives."):
    importlib.import_module(found.name)
importlib.import_module("minijax.debug")
importlib.import_module("minijax.experimental.checkify")
PRIMITIVES = minijax.core.primitives()
SLOTS = ("impl", "shape_rule", "jvp", "transpose", "batch")
# Kinds that a primitive may do without: weak types and second derivatives mean nothing to integers and keys.
DISPENSABLE = {"weak", "second"}


@pytest.mark.parametrize("name", sorted(PRIMITIVES))
def test_primitive_has_rows(name: str):
    """Several rows, and for every kind of check one that runs in the default depth."""
    if name in oracle_facts.NOT_CALLED_DIRECTLY:
        return
    rows = [r for r in ROWS if r.primitive == name]
    assert len(rows) > 1, f"the primitive '{name}' has {len(rows)} rows in the operation table: add shapes and dtypes"
    missing = {kind for kind in KINDS if not any(r.main and r.wants(kind) for r in rows)}
    excused = oracle_facts.KINDS_WITHOUT_MEANING.get(name, set())
    assert missing <= DISPENSABLE | excused, f"no main row of '{name}' goes through {sorted(missing)}"


@pytest.mark.parametrize("name", sorted(PRIMITIVES))
def test_rules_are_there(name: str):
    """A slot holds a rule, or a marker that says why there is none; an empty slot is a mistake."""
    empty = [slot for slot in SLOTS if getattr(PRIMITIVES[name], slot) is None]
    assert not empty, f"the primitive '{name}' has empty rule slots: {empty}"


def test_nothing_is_stale():
    """Rows and exceptions for primitives that do not exist."""
    listed = {*oracle_facts.NOT_CALLED_DIRECTLY, *oracle_facts.KINDS_WITHOUT_MEANING}
    assert not ({r.primitive for r in ROWS} | listed) - set(PRIMITIVES)
