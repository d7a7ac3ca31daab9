"""The operation table: for every primitive, the calls that go through both engines.

A row (see operation_row.py) is one call: the primitive it is about, a function of the engine and the
operands, and how to draw the operands. Rows of one family stand together in one file; ROWS is all of them.

Each primitive has at least one *main* row, which goes through every kind of check in the default depth. The
other rows (more dtypes, 0-d, empty, size one, broadcasting, special values) are printed in the default depth,
those that differ from all rows before them in more than shapes evaluated too; in the full one they go through
every kind.
"""

from __future__ import annotations

from itertools import chain

from ..operation_row import KINDS, Row
from . import (
    approximate,
    arithmetic,
    calls,
    collectives,
    complex,
    control_flow,
    convolution,
    elementwise,
    fft,
    indexing,
    linalg,
    narrow,
    random,
    reductions,
    shaping,
    special,
    window_reductions,
)

__all__ = ["FAMILIES", "KINDS", "ROWS"]

FAMILIES: dict[str, list[Row]] = {
    "elementwise": elementwise.ROWS,
    "arithmetic": arithmetic.ROWS,
    "collectives": collectives.ROWS,
    "complex numbers": complex.ROWS,
    "bfloat16 and narrower": narrow.ROWS,
    "reductions": reductions.ROWS,
    "shaping": shaping.ROWS,
    "indexing": indexing.ROWS,
    "convolution": convolution.ROWS,
    "window reductions": window_reductions.ROWS,
    "Fourier transforms": fft.ROWS,
    "linalg": linalg.ROWS,
    "random": random.ROWS,
    "special functions": special.ROWS,
    "approximate selection and the like": approximate.ROWS,
    "calls": calls.ROWS,
    "loops and branches": control_flow.ROWS,
}

ROWS: list[Row] = list(chain.from_iterable(FAMILIES.values()))
