"""What may go wrong in single operations: a NaN, a division by zero, an index out of bounds.

Each rule gets an equation with its operands and results, and gives the error with what it found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax import numpy as jnp
from minijax.experimental.checkify.error_values import Error
from minijax.experimental.checkify.exceptions import DivisionByZeroError, ErrorCategory, NaNError, OOBError, Site
from minijax.jaxpr import Eqn

Enabled = frozenset[ErrorCategory]

# ----------------------------------------------------------------- NaN, and division by zero

# The operations that can make a NaN out of other numbers, as JAX lists them.
_NAN_NAMES = """
    acos acosh add asin asinh atan2 atan atanh bessel_i0e bessel_i1e cbrt conv_general_dilated cos cosh cumlogsumexp
    cummax cummin cumprod cumsum custom_linear_solve digamma div dot_general erf_inv erf erfc exp expm1 fft
    igamma_grad_a igamma igammac integer_pow lgamma log1p log logistic mul pad pow psum reduce reduce_prod reduce_sum
    reduce_window reduce_window_sum regularized_incomplete_beta rem rng_uniform rsqrt sin sinh sqrt sub tan tanh
"""
_NAN_PRIMITIVES = frozenset(_NAN_NAMES.split())


def check_operation(error: Error, enabled: Enabled, eqn: Eqn, operands: Sequence[Any], results: Sequence[Any]) -> Error:
    """The error, with what went wrong in one operation that calls no other program."""
    name = eqn.primitive.name
    index_rule = _INDEX_RULES.get(name)
    if index_rule is not None:
        if OOBError not in enabled:
            return error
        error = index_rule(error, eqn, operands)
    if name == "div" and DivisionByZeroError in enabled:
        error = error.at_new_site(jnp.any(operands[1] == 0), Site(DivisionByZeroError, eqn.source, ()), ())
    if NaNError in enabled and (name in _NAN_PRIMITIVES or name in _UPDATES):
        return _without_nans(error, eqn, results)
    return error


def _without_nans(error: Error, eqn: Eqn, results: Sequence[Any]) -> Error:
    found = [jnp.any(jnp.isnan(x)) for x in results if dtypes.is_inexact(x.dtype)]
    if not found:
        return error
    failed = found[0] if len(found) == 1 else jnp.any(jnp.stack(found))
    return error.at_new_site(failed, Site(NaNError, eqn.source, (eqn.primitive.name,)), ())


# ----------------------------------------------------------------- indices


def _checked_indices(
    error: Error, eqn: Eqn, shape: Sequence[int], indices: Any, last: Any, axes: Sequence[int]
) -> Error:
    """Each entry along the last axis of `indices` is a start along one of `axes`, from 0 to the entry of `last`."""
    if not indices.size:
        return error
    greatest = np.minimum(np.array(last, np.int64), np.iinfo(indices.dtype).max).astype(indices.dtype)
    outside = (indices < 0) | (indices > jnp.asarray(greatest))
    first = jnp.argmax(jnp.ravel(outside))
    axis = jnp.asarray(axes)[first % len(axes)]
    found = [jnp.ravel(indices)[first], axis, jnp.asarray(shape)[axis]]
    site = Site(OOBError, eqn.source, (eqn.primitive.name, tuple(shape)))
    return error.at_new_site(jnp.any(outside), site, [jnp.stack([x.astype(np.int32) for x in found])])


def _dynamic_slice(error: Error, eqn: Eqn, operands: Sequence[Any]) -> Error:
    operand, *starts = operands
    return _checked_starts(error, eqn, operand.shape, starts, eqn.params["slice_sizes"])


def _dynamic_update_slice(error: Error, eqn: Eqn, operands: Sequence[Any]) -> Error:
    operand, update, *starts = operands
    return _checked_starts(error, eqn, operand.shape, starts, update.shape)


def _checked_starts(error: Error, eqn: Eqn, shape: Sequence[int], starts: Sequence[Any], sizes: Sequence[int]) -> Error:
    if not starts:
        return error
    last = [n - size for n, size in zip(shape, sizes, strict=True)]
    return _checked_indices(error, eqn, shape, jnp.stack(starts), last, range(len(shape)))


def _gather(error: Error, eqn: Eqn, operands: Sequence[Any]) -> Error:
    operand, indices = operands
    axes, sizes = eqn.params["dimension_numbers"].start_index_map, eqn.params["slice_sizes"]
    last = [operand.shape[axis] - sizes[axis] for axis in axes]
    return _checked_indices(error, eqn, operand.shape, indices, last, axes)


def _scatter(error: Error, eqn: Eqn, operands: Sequence[Any]) -> Error:
    operand, indices, updates = operands
    numbers = eqn.params["dimension_numbers"]
    absent = (*numbers.inserted_window_dims, *numbers.operand_batching_dims)
    windows = iter(numbers.update_window_dims)
    sizes = [1 if axis in absent else updates.shape[next(windows)] for axis in range(operand.ndim)]
    axes = numbers.scatter_dims_to_operand_dims
    last = [operand.shape[axis] - sizes[axis] for axis in axes]
    return _checked_indices(error, eqn, operand.shape, indices, last, axes)


_UPDATES = dict.fromkeys(["scatter", "scatter-add", "scatter-mul", "scatter-min", "scatter-max"], _scatter)
_INDEX_RULES = {
    "dynamic_slice": _dynamic_slice,
    "dynamic_update_slice": _dynamic_update_slice,
    "gather": _gather,
    **_UPDATES,
}
