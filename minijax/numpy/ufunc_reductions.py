"""The `reduce` methods of ufuncs that jax.numpy has no function for, such as jnp.bitwise_or.reduce."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.exponential import logaddexp
from minijax.numpy.promotion import ensure_arraylike, promote_dtypes_inexact
from minijax.numpy.reductions import (
    MAX,
    MIN,
    Axis,
    Reduction,
    check_where,
    max,
    reduce_by,
    reduced_axes,
    sum,
)

__all__ = [
    "reduce_bitwise_and",
    "reduce_bitwise_or",
    "reduce_bitwise_xor",
    "reduce_logaddexp",
    "reduce_logaddexp2",
    "reduce_logical_and",
    "reduce_logical_or",
    "reduce_logical_xor",
    "reduce_maximum",
    "reduce_minimum",
]

_BITWISE_AND = Reduction("reduce_bitwise_and", lax.reduce_and, lax.bitwise_and, -1)
_BITWISE_OR = Reduction("reduce_bitwise_or", lax.reduce_or, lax.bitwise_or, 0)
_BITWISE_XOR = Reduction("reduce_bitwise_xor", lax.reduce_xor, lax.bitwise_xor, 0)
_LOGICAL_AND = Reduction("reduce_logical_and", lax.reduce_and, lax.bitwise_and, 1)
_LOGICAL_OR = Reduction("reduce_logical_or", lax.reduce_or, lax.bitwise_or, 0)
_LOGICAL_XOR = Reduction("reduce_logical_xor", lax.reduce_xor, lax.bitwise_xor, 0)


def _reduced(how: Reduction, a: Array, dtype: Any, options: dict[str, Any]) -> Array:
    return reduce_by(how, a, a.dtype if dtype is None else np.dtype(dtype), **options)


def reduce_maximum(a: Any, dtype: Any, **options: Any) -> Array:
    """maximum.reduce; options: axis, keepdims, initial, where, as those of jnp.max."""
    return _reduced(MAX, ensure_arraylike("max", a), dtype, options)


def reduce_minimum(a: Any, dtype: Any, **options: Any) -> Array:
    """minimum.reduce."""
    return _reduced(MIN, ensure_arraylike("min", a), dtype, options)


def _bits(how: Reduction, a: Any, dtype: Any, options: dict[str, Any]) -> Array:
    a = ensure_arraylike(how.name, a)
    if not dtypes.is_integer(a.dtype) and a.dtype != np.bool_:
        raise ValueError(f"{how.name}: expected an array of integers or booleans, got {a.dtype} of shape {a.shape}.")
    return _reduced(how, a, dtype, options)


def reduce_bitwise_and(a: Any, dtype: Any, **options: Any) -> Array:
    """bitwise_and.reduce: the bits that all have. TypeError for floats."""
    return _bits(_BITWISE_AND, a, dtype, options)


def reduce_bitwise_or(a: Any, dtype: Any, **options: Any) -> Array:
    """bitwise_or.reduce: the bits that any has. TypeError for floats."""
    return _bits(_BITWISE_OR, a, dtype, options)


def reduce_bitwise_xor(a: Any, dtype: Any, **options: Any) -> Array:
    """bitwise_xor.reduce: the bits that an odd number of elements have. TypeError for floats."""
    return _bits(_BITWISE_XOR, a, dtype, options)


def _truths(how: Reduction, a: Any, dtype: Any, options: dict[str, Any]) -> Array:
    return _reduced(how, ensure_arraylike(how.name, a).astype(np.bool_), dtype, options)


def reduce_logical_and(a: Any, dtype: Any, **options: Any) -> Array:
    """logical_and.reduce: whether all are nonzero."""
    return _truths(_LOGICAL_AND, a, dtype, options)


def reduce_logical_or(a: Any, dtype: Any, **options: Any) -> Array:
    """logical_or.reduce: whether any is nonzero."""
    return _truths(_LOGICAL_OR, a, dtype, options)


def reduce_logical_xor(a: Any, dtype: Any, **options: Any) -> Array:
    """logical_xor.reduce: whether an odd number of elements are nonzero."""
    return _truths(_LOGICAL_XOR, a, dtype, options)


def reduce_logaddexp(a: Any, axis: Axis, dtype: Any, keepdims: bool, initial: Any, where: Any) -> Array:
    """logaddexp.reduce: log(sum(exp(a))), the largest element taken out first. `dtype` does nothing, as in JAX."""
    if dtype is not None:
        dtypes.check_and_canonicalize_user_dtype(dtype, "logaddexp.reduce")
    (a,) = promote_dtypes_inexact(ensure_arraylike("logaddexp.reduce", a))
    where = check_where("logaddexp.reduce", where)
    axes = reduced_axes(axis, a.ndim)
    largest = max(a, axes, keepdims=True, where=where, initial=-math.inf)
    largest = lax.stop_gradient(lax.select(lax.is_finite(largest), largest, lax.full_like(largest, 0)))
    total = sum(lax.exp(lax.sub(a, lax.broadcast_in_dim(largest, a.shape, range(a.ndim)))), axes, where=where)
    out = lax.add(lax.log(total), lax.squeeze(largest, axes))
    out = lax.expand_dims(out, axes) if keepdims else out
    return out if initial is None else logaddexp(initial, out)


def reduce_logaddexp2(a: Any, axis: Axis, dtype: Any, keepdims: bool, initial: Any, where: Any) -> Array:
    """logaddexp2.reduce: log2(sum(2**a))."""
    ln2 = math.log(2)
    a = ensure_arraylike("logaddexp2.reduce", a) * ln2
    initial = None if initial is None else initial * ln2
    return reduce_logaddexp(a, axis, dtype, keepdims, initial, where) / ln2
