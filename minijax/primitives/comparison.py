"""Elementwise comparisons; their results are booleans and have no derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax.array import Array
from minijax.core import Primitive, Rule
from minijax.primitives.families import binary
from minijax.primitives.standard import def_jvp_zero

__all__ = ["eq", "eq_to", "ge", "gt", "le", "le_to", "lt", "lt_to", "ne"]


def _comparison(name: str, impl: Rule, accepts: str = "biuf") -> Primitive:
    prim = binary(name, impl, accepts, dtype=np.bool_)
    def_jvp_zero(prim)
    return prim


def eq(x: Any, y: Any) -> Array:
    """Whether x == y; NaN equals nothing."""
    return eq_p.bind(x, y)


eq_p = _comparison("eq", np.equal, "biufc")


def ne(x: Any, y: Any) -> Array:
    """Whether x != y; NaN differs from everything."""
    return ne_p.bind(x, y)


ne_p = _comparison("ne", np.not_equal, "biufc")


def ge(x: Any, y: Any) -> Array:
    """Whether x >= y."""
    return ge_p.bind(x, y)


ge_p = _comparison("ge", np.greater_equal)


def gt(x: Any, y: Any) -> Array:
    """Whether x > y."""
    return gt_p.bind(x, y)


gt_p = _comparison("gt", np.greater)


def le(x: Any, y: Any) -> Array:
    """Whether x <= y."""
    return le_p.bind(x, y)


le_p = _comparison("le", np.less_equal)


def lt(x: Any, y: Any) -> Array:
    """Whether x < y."""
    return lt_p.bind(x, y)


lt_p = _comparison("lt", np.less)


# ----------------------------------------------------------------- the total order of floats

# -NaN < -inf < ... < -0 < +0 < ... < inf < NaN. Sorting needs it; `lt` is no order where NaNs occur.


def total_order_key(x: np.ndarray) -> np.ndarray:
    """Integers that compare as the floats do in the total order; other dtypes as they are."""
    if x.dtype.kind in "biu":
        return x
    bits = x.view(f"i{x.dtype.itemsize}")
    return np.where(bits < 0, bits ^ np.iinfo(bits.dtype).max, bits)


def _total(compare: np.ufunc) -> Rule:
    return lambda x, y: compare(total_order_key(x), total_order_key(y))


def eq_to(x: Any, y: Any) -> Array:
    """Whether x and y are the same in the total order: equal NaNs are, -0.0 and 0.0 are not."""
    return eq_to_p.bind(x, y)


eq_to_p = _comparison("eq_to", _total(np.equal))


def le_to(x: Any, y: Any) -> Array:
    """Whether x <= y in the total order of floats."""
    return le_to_p.bind(x, y)


le_to_p = _comparison("le_to", _total(np.less_equal))


def lt_to(x: Any, y: Any) -> Array:
    """Whether x < y in the total order of floats."""
    return lt_to_p.bind(x, y)


lt_to_p = _comparison("lt_to", _total(np.less))
