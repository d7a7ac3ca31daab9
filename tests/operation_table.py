"""The operation table: for every primitive, the calls that test_operations.py sends through both engines.

A row (see operation_row.py) is one call: the primitive it is about, a function of the engine and the
operands, and how to draw the operands. Rows of one family stand together in `rows_*.py`; ROWS is all of them.

Each primitive has at least one *main* row, which goes through every kind of check in the default depth. The
other rows (more dtypes, 0-d, empty, size one, broadcasting, special values) are evaluated and printed in the
default depth and go through every kind under the `full` marker.
"""

from __future__ import annotations

from itertools import chain

import rows_arithmetic
import rows_calls
import rows_elementwise
import rows_indexing
import rows_random
import rows_reductions
import rows_shaping
from operation_row import Row

__all__ = ["ROWS"]

FAMILIES = (
    rows_elementwise,
    rows_arithmetic,
    rows_reductions,
    rows_shaping,
    rows_indexing,
    rows_random,
    rows_calls,
)

ROWS: list[Row] = list(chain.from_iterable(family.ROWS for family in FAMILIES))
