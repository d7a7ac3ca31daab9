"""Reductions over axes: sums, products, extrema and their places, any and all.

One function does the work for most of them, in the order that JAX does it: small types are
widened, masked elements replaced by the neutral one, the axes reduced, `initial` brought in.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minijax import dtypes, errors, lax
from minijax.array import Array
from minijax.core import Tracer
from minijax.numpy.promotion import array_of, convert, ensure_arraylike, like, reject, strong_scalar
from minijax.numpy.selection import if_else
from minijax.primitives.shaping import canonical_axes, canonical_axis

__all__ = [
    "MAX",
    "MIN",
    "Axis",
    "Reduction",
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "max",
    "min",
    "prod",
    "ptp",
    "reduce_by",
    "reduced_axes",
    "sum",
]

Axis = int | Sequence[int] | None

# --------------------------------------------------------------------------- arguments


def static_axes(axis: Axis) -> tuple[int, ...] | int | None:
    """The `axis` argument as plain integers. ConcretizationTypeError when it is traced."""
    if axis is None or type(axis) is int:
        return axis
    if isinstance(axis, Tracer):
        raise errors.ConcretizationTypeError(axis, "The axis argument must be known statically.")
    try:
        return int(operator.index(axis))
    except TypeError:
        return tuple([operator.index(a) for a in axis])


def reduced_axes(axis: Axis, rank: int) -> tuple[int, ...]:
    """The axes to reduce, counted from the front: all of them for None.

    Raises ValueError for an axis out of bounds, or given twice.
    """
    axis = static_axes(axis)
    if axis is None:
        return tuple(range(rank))
    axes = canonical_axes((axis,) if type(axis) is int else axis, rank)
    if len(set(axes)) != len(axes):
        raise ValueError(f"duplicate value in 'axis': {axis}. Name each axis once.")
    return axes


def check_where(name: str, where: Any) -> Array | None:
    """The `where` argument as an Array. ValueError unless it is None or boolean."""
    if where is None:
        return None
    where = ensure_arraylike(name, where)
    if where.dtype != np.bool_:
        raise ValueError(
            f"jnp.{name}: where must be None or a boolean array; got where.dtype={where.dtype}. "
            "Write a comparison, for example where=(mask != 0)."
        )
    return where


def widened(dtype: Any) -> Any:
    """The dtype that sums and products of small integers and booleans have: the default width of their kind."""
    kind = dtypes.kind(dtype)
    if kind == "b":
        return dtypes.default_int_dtype()
    default = {"i": dtypes.default_int_dtype, "u": dtypes.default_uint_dtype}.get(kind)
    return default() if default is not None and dtype.itemsize < default().itemsize else dtype


def without_half(dtype: Any) -> Any:
    """float32 for 16-bit floats, in which sums would lose too much."""
    return np.dtype(np.float32) if dtype.itemsize == 2 and dtypes.is_float(dtype) else dtype


# --------------------------------------------------------------------------- the one reduction


class Reduction(NamedTuple):
    """How to reduce: the name in messages, what reduces axes, what combines two values, the neutral element."""

    name: str
    reduce: Callable[..., Array]
    combine: Callable[[Any, Any], Array]
    neutral: float
    # Extrema have no neutral element that one would want as a result.
    has_identity: bool = True
    # What booleans are reduced by when the caller asks for a boolean result.
    of_bools: tuple[Callable[..., Array], Callable[[Any, Any], Array]] | None = None


_SUM = Reduction("sum", lax.reduce_sum, lax.add, 0, of_bools=(lax.reduce_or, lax.bitwise_or))
_PROD = Reduction("prod", lax.reduce_prod, lax.mul, 1, of_bools=(lax.reduce_and, lax.bitwise_and))
MAX = Reduction("max", lax.reduce_max, lax.max, -math.inf, has_identity=False)
MIN = Reduction("min", lax.reduce_min, lax.min, math.inf, has_identity=False)
_ALL = Reduction("all", lax.reduce_and, lax.bitwise_and, 1)
_ANY = Reduction("any", lax.reduce_or, lax.bitwise_or, 0)


def reduce_by(
    how: Reduction,
    a: Array,
    dtype: Any,
    axis: Axis,
    keepdims: bool,
    initial: Any,
    where: Any,
    computation_dtype: Any = None,
) -> Array:
    """Reduce `a` over `axis`; the result has `dtype`, the work is done in `computation_dtype`."""
    where = check_where(how.name, where)
    axes = reduced_axes(axis, a.ndim)
    if initial is None and not how.has_identity:
        _check_identity(how.name, a, axes, where)
    working = dtype if computation_dtype is None else computation_dtype
    a = convert(a, working)
    reduce, combine = how.of_bools if how.of_bools and working == np.bool_ else (how.reduce, how.combine)
    if where is not None:
        a = if_else(where, a, neutral_element(how.neutral, working))
    out = reduce(a, axes)
    if initial is not None:
        out = combine(_initial(initial, working), out)
    if keepdims:
        out = lax.expand_dims(out, axes)
    return convert(out, dtype)


def _check_identity(name: str, a: Array, axes: tuple[int, ...], where: Array | None) -> None:
    if where is not None:
        raise ValueError(
            f"reduction operation {name} does not have an identity, so to use a where mask one has to specify "
            "'initial': the result where the mask leaves nothing."
        )
    if 0 in [a.shape[d] for d in axes]:
        raise ValueError(
            f"zero-size array to reduction operation {name} which has no identity: got shape {a.shape}, "
            f"axis {axes}. Pass 'initial', the result for no elements."
        )


def neutral_element(value: float, dtype: np.dtype) -> np.generic:
    """`value` as a scalar of the dtype, an infinity as the integer type's least or largest number."""
    if dtype.kind == "b":
        return np.bool_(value > 0 if math.isinf(value) else value)
    if math.isinf(value) and dtype.kind in "iu":
        info = np.iinfo(dtype)
        return dtype.type(info.min if value < 0 else info.max)
    return strong_scalar(value, dtype)


def _initial(initial: Any, dtype: Any) -> Any:
    if np.ndim(initial):
        raise ValueError(f"initial value must be a scalar. Got array of shape {np.shape(initial)}.")
    # An infinity is the largest integer.
    return convert(initial, dtype) if dtypes.is_inexact(dtype) else convert(array_of(initial), dtype)


# --------------------------------------------------------------------------- sums and products


def sum(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
    promote_integers: bool = True,
) -> Array:
    """The sum over `axis` (all axes for None).

    Booleans and small integers are widened to the default width unless promote_integers is False; 16-bit floats are
    added up in float32. Elements where `where` is False are left out; `initial` is added.
    """
    return _accumulate(_SUM, a, axis, dtype, out, keepdims, initial, where, promote_integers)


def prod(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
    promote_integers: bool = True,
) -> Array:
    """The product over `axis` (all axes for None); dtypes as in `sum`."""
    return _accumulate(_PROD, a, axis, dtype, out, keepdims, initial, where, promote_integers)


def _accumulate(
    how: Reduction,
    a: Any,
    axis: Axis,
    dtype: Any,
    out: None,
    keepdims: bool,
    initial: Any,
    where: Any,
    promote_integers: bool,
) -> Array:
    reject(how.name, out=out)
    a = ensure_arraylike(how.name, a)
    if dtypes.kind(a.dtype) == "b":
        a = convert(a, dtypes.to_numeric_dtype(a.dtype))
    if dtype is not None:
        dtype = dtypes.check_and_canonicalize_user_dtype(dtype, how.name)
        return reduce_by(how, a, dtype, axis, keepdims, initial, where)
    dtype = widened(a.dtype) if promote_integers else a.dtype
    return reduce_by(how, a, dtype, axis, keepdims, initial, where, without_half(dtype))


def count_nonzero(a: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    """The number of elements that are not zero."""
    a = ensure_arraylike("count_nonzero", a)
    return sum(lax.ne(a, like(a, 0)), axis, dtypes.default_int_dtype(), keepdims=keepdims)


# --------------------------------------------------------------------------- extrema


def max(
    a: Any,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Array:
    """The largest element over `axis` (all axes for None); NaN if there is one.

    Raises ValueError for no elements, or for `where`, without `initial`.
    """
    reject("max", out=out)
    a = ensure_arraylike("max", a)
    return reduce_by(MAX, a, a.dtype, axis, keepdims, initial, where)


def min(
    a: Any,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Array:
    """The smallest element over `axis` (all axes for None); NaN if there is one.

    Raises ValueError for no elements, or for `where`, without `initial`.
    """
    reject("min", out=out)
    a = ensure_arraylike("min", a)
    return reduce_by(MIN, a, a.dtype, axis, keepdims, initial, where)


def amax(
    a: Any,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Array:
    """The largest element over `axis`; see `max`."""
    return max(a, axis, out, keepdims, initial, where)


def amin(
    a: Any,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Array:
    """The smallest element over `axis`; see `min`."""
    return min(a, axis, out, keepdims, initial, where)


def ptp(a: Any, axis: Axis = None, out: None = None, keepdims: bool = False) -> Array:
    """The difference of the largest and the smallest element over `axis`."""
    reject("ptp", out=out)
    a = ensure_arraylike("ptp", a)
    return lax.sub(max(a, axis, keepdims=keepdims), min(a, axis, keepdims=keepdims))


# --------------------------------------------------------------------------- any and all


def all(a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, *, where: Any = None) -> Array:
    """Whether every element over `axis` is nonzero; True for no elements."""
    reject("all", out=out)
    a = convert(ensure_arraylike("all", a), np.dtype(np.bool_))
    return reduce_by(_ALL, a, a.dtype, axis, keepdims, None, where)


def any(a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, *, where: Any = None) -> Array:
    """Whether some element over `axis` is nonzero; False for no elements."""
    reject("any", out=out)
    a = convert(ensure_arraylike("any", a), np.dtype(np.bool_))
    return reduce_by(_ANY, a, a.dtype, axis, keepdims, None, where)


# --------------------------------------------------------------------------- places of extrema


def argmax(a: Any, axis: int | None = None, out: None = None, keepdims: bool | None = None) -> Array:
    """The index of the first largest element along `axis`, in the flattened array for None.

    Raises ValueError when there are no elements.
    """
    return _arg("argmax", lax.argmax, a, axis, out, keepdims)


def argmin(a: Any, axis: int | None = None, out: None = None, keepdims: bool | None = None) -> Array:
    """The index of the first smallest element along `axis`, in the flattened array for None.

    Raises ValueError when there are no elements.
    """
    return _arg("argmin", lax.argmin, a, axis, out, keepdims)


def _arg(name: str, find: Callable[..., Array], a: Any, axis: int | None, out: None, keepdims: bool | None) -> Array:
    reject(name, out=out)
    a = ensure_arraylike(name, a)
    if axis is None:
        dims: Sequence[int] = range(a.ndim)
        a, axis = lax.reshape(a, (a.size,)), 0
    else:
        axis = int(operator.index(axis))
        dims = (axis,)
    if not -a.ndim <= axis < a.ndim:
        raise IndexError(f"{name}: axis {axis} is out of bounds for an array of shape {a.shape}.")
    if not a.shape[axis]:
        raise ValueError(f"attempt to get {name} of an empty sequence: axis {axis} of shape {a.shape} has no elements.")
    found = find(a, canonical_axis(axis, a.ndim), dtypes.default_int_dtype())
    return lax.expand_dims(found, dims) if keepdims else found
