"""Every row of the operation table against JAX: values, types, derivatives, batching, jit, jaxprs."""

from __future__ import annotations

from typing import Any

import pytest

from reference.check.operation_checks import CHEAP, check_operation
from reference.check.operation_row import KINDS, Row
from reference.check.operations import ROWS


def in_default_depth(r: Row, kind: str) -> bool:
    """Main rows in every kind of check, the others in the cheap ones."""
    return r.main or kind in CHEAP and not r.deep


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
