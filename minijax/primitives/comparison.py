"""Elementwise comparisons; their results are booleans and have no derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.core import Primitive, Rule, ShapedArray
from minijax.primitives.families import binary, broadcast_operands
from minijax.primitives.standard import def_jvp_zero

__all__ = ["eq", "eq_to", "ge", "gt", "le", "le_to", "lt", "lt_to", "ne"]


def _comparison(name: str, impl: Rule, accepts: str = "biuf") -> Primitive:
    prim = binary(name, impl, accepts, dtype=np.bool_)
    def_jvp_zero(prim)
    return prim


def _of_keys_too(prim: Primitive, whole: Rule) -> Primitive:
    """An equality that random keys have as well: `whole` of what holds for their words."""
    rule, impl = prim.shape_rule, prim.impl

    def shape_rule(x: ShapedArray, y: ShapedArray) -> ShapedArray:
        if x.dtype is y.dtype is dtypes.key_fry:
            return ShapedArray(broadcast_operands(prim.name, (x, y)), np.dtype(bool))
        return rule(x, y)

    def impl_of_words(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        if x.dtype == dtypes.key_fry.physical:
            return whole(impl(x["k0"], y["k0"]), impl(x["k1"], y["k1"]))
        return impl(x, y)

    prim.shape_rule, prim.impl = shape_rule, impl_of_words
    return prim


def eq(x: Any, y: Any) -> Array:
    """Whether x == y; NaN equals nothing. Random keys can be compared too."""
    return eq_p.bind(x, y)


eq_p = _of_keys_too(_comparison("eq", np.equal, "biufc"), np.logical_and)


def ne(x: Any, y: Any) -> Array:
    """Whether x != y; NaN differs from everything. Random keys can be compared too."""
    return ne_p.bind(x, y)


ne_p = _of_keys_too(_comparison("ne", np.not_equal, "biufc"), np.logical_or)


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
