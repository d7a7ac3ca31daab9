"""No primitive without rows, no primitive with an empty rule slot."""

from __future__ import annotations

import jaxpr_tools
import minijax
import pytest
from operation_row import KINDS
from operation_table import ROWS

PRIMITIVES = minijax.core.primitives()
SLOTS = ("impl", "shape_rule", "jvp", "transpose", "batch")

# Names that batching over a named axis, or differentiation, resolves before an equation is written down: the
# table's rows reach them, no jaxpr shows them.


@pytest.mark.parametrize("name", sorted(PRIMITIVES))
def test_primitive_has_rows(name: str):
    rows = [r for r in ROWS if r.primitive == name]
    assert rows, f"the primitive '{name}' has no row in the operation table"
    assert any(r.main for r in rows), f"no row of '{name}' is a main row, which goes through every kind of check"
    assert len(rows) > 1 or name in SINGLE, f"'{name}' has only one row: add other shapes or dtypes"


@pytest.mark.parametrize("name", sorted(PRIMITIVES))
def test_rules_are_there(name: str):
    """A slot holds a rule, or a marker that says why there is none; an empty slot is a mistake."""
    empty = [slot for slot in SLOTS if getattr(PRIMITIVES[name], slot) is None]
    assert not empty, f"the primitive '{name}' has empty rule slots: {empty}"


def test_every_kind_of_check_has_a_row_of_each_primitive():
    """In the default depth, that is; a row may exclude kinds, but not all rows of a primitive the same one."""
    for name in PRIMITIVES:
        main = [r for r in ROWS if r.primitive == name and r.main]
        missing = {kind for kind in KINDS if not any(r.wants(kind) for r in main)}
        assert missing <= NOT_APPLICABLE.get(name, OPTIONAL), (name, missing)


def test_table_has_no_stale_rows():
    stale = {r.primitive for r in ROWS} - set(PRIMITIVES)
    assert not stale, f"rows for primitives that do not exist: {sorted(stale)}"
