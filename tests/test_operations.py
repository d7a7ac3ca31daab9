"""Every row of the operation table against JAX: values, types, derivatives, batching, jit, jaxprs."""

from __future__ import annotations

from typing import Any

import pytest

from reference.check.operation_checks import CHEAP, check_operation
from reference.check.operation_row import KINDS, Row
from reference.check.operations import ROWS


def first_of_their_kind() -> set[str]:
    """Rows that have no other of the same primitive, dtypes and label before them: others differ in shape alone."""
    kinds: dict[Any, str] = {}
    for r in sorted(ROWS, key=lambda r: not r.main):
        kinds.setdefault((r.primitive, r.label, *(o.dtype for o in r.operands)), r.id)
    return set(kinds.values())


def first_mains(kind: str) -> set[str]:
    """The first main row of each primitive that goes through a kind of check."""
    firsts: dict[str, str] = {}
    for r in ROWS:
        if r.main and r.wants(kind):
            firsts.setdefault(r.primitive, r.id)
    return set(firsts.values())


FIRST = first_of_their_kind()
# Kinds of check that compile most: one row of each primitive goes through them.
COSTLY = {kind: first_mains(kind) for kind in ("weak", "second")}


def in_default_depth(r: Row, kind: str) -> bool:
    """Main rows in every kind of check; the others are printed, and the first of their kind evaluated."""
    if r.main:
        return kind not in COSTLY or r.id in COSTLY[kind]
    return not r.deep and kind in CHEAP and (kind == "jaxpr" or r.id in FIRST)


def cases() -> list[Any]:
    """All (row, kind) pairs; those beyond the default depth carry the `full` mark."""
    return [
        pytest.param(r, kind, id=f"{r.id}-{kind}", marks=[] if in_default_depth(r, kind) else pytest.mark.full)
        for r in ROWS
        for kind in KINDS
        if r.wants(kind)
    ]


@pytest.mark.parametrize("row, kind", cases())
def test_operation(row: Row, kind: str):
    check_operation(row, kind)
