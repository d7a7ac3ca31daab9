"""Primitives that choose between values: select_n and clamp."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array, ArrayImpl
from minijax.core import ShapedArray, is_linear, quiet_floating_point
from minijax.primitives.bitwise import bitwise_and
from minijax.primitives.comparison import eq, gt, lt
from minijax.primitives.families import (
    batch_axis_in_front,
    check_same_dtypes,
    def_joint_jvp,
    def_jvp,
    filled_like,
    is_zero,
    like,
    widen,
)
from minijax.primitives.masks import choose, has_bits
from minijax.primitives.shaping import broadcast_in_dim, move_axis
from minijax.primitives.standard import Shape, require_dtype, standard, zero_like

__all__ = ["clamp", "select", "select_n"]

# Elements from which it pays to choose by bits.
LARGE = 1 << 10

# ----------------------------------------------------------------- select_n


def select(pred: Any, on_true: Any, on_false: Any) -> Array:
    """Elements of `on_true` where the booleans `pred` are true, of `on_false` elsewhere.

    The cases have one shape and dtype; `pred` has their shape, or none. jnp.where broadcasts and promotes.
    """
    # The primitive takes its cases in the order of the integers 0 (False) and 1 (True).
    return select_n_p.bind(pred, on_false, on_true)


def select_n(which: Any, *cases: Any) -> Array:
    """Elements of cases[which], `which` being booleans (at most two cases) or integers.

    The cases have one shape and dtype; `which` has their shape, or none. Numbers outside the cases choose
    the nearest one.
    """
    if not cases:
        raise ValueError("select_n() must have at least one case: select_n(which, case0, case1, ...).")
    return select_n_p.bind(which, *cases)


def _select_impl(which: np.ndarray, *cases: np.ndarray) -> np.ndarray:
    if len(cases) == 1:
        return cases[0]
    if not which.ndim:
        return cases[min(max(int(which), 0), len(cases) - 1)]
    if which.dtype.kind == "b":
        quick = which.size >= LARGE and has_bits(cases[0].dtype)
        return choose(which, cases[1], cases[0]) if quick else np.where(which, cases[1], cases[0])
    out = cases[-1]
    for i in reversed(range(len(cases) - 1)):
        out = np.where(which <= which.dtype.type(i), cases[i], out)
    return out


def _select_shape(which: ShapedArray, *cases: ShapedArray) -> Shape:
    if not cases:
        raise TypeError("select_n must have at least one case.")
    if any(case.shape != cases[0].shape for case in cases):
        raise TypeError(
            f"select cases must have the same shapes, got {', '.join(str(case.shape) for case in cases)}. "
            "Broadcast them first, or use jnp.where, which broadcasts."
        )
    if which.shape and which.shape != cases[0].shape:
        raise TypeError(
            f"select `which` must be a scalar or have the shape of the cases, got {which.shape} for cases of "
            f"shape {cases[0].shape}. Broadcast it first, or use jnp.where, which broadcasts."
        )
    return cases[0].shape


def _select_dtype(which: ShapedArray, *cases: ShapedArray) -> Any:
    check_same_dtypes("select", cases)
    require_dtype("select `which`", which, "biu")
    if len(cases) > 2 and dtypes.kind(which.dtype) == "b":
        raise TypeError(f"select with boolean `which` cannot have more than 2 cases, got {len(cases)}.")
    return cases[0].dtype


select_n_p = standard(
    "select_n",
    _select_impl,
    _select_shape,
    _select_dtype,
    weak=lambda which, *cases: all(case.weak_type for case in cases),
)


def _evaluate_select(which: Any, *cases: Any) -> ArrayImpl:
    """Eager evaluation without abstract values: the common case of three arrays that plainly fit."""
    if len(cases) == 2 and type(which) is type(cases[0]) is type(cases[1]) is ArrayImpl:
        p, x, y = which._data, cases[0]._data, cases[1]._data
        if p.dtype.kind == "b" and x.dtype is y.dtype and x.shape == y.shape == p.shape:
            return ArrayImpl(np.where(p, y, x), cases[0].weak_type and cases[1].weak_type)
    return select_n_p._evaluate(which, *cases)


select_n_p.evaluate = _evaluate_select


def _select_tangent(out: Any, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    known = [t for t in tangents[1:] if not is_zero(t)]
    if not known:
        return zero_like(out)
    # Made even where nothing needs them: JAX's jaxprs show them.
    zeros = filled_like(known[0], 0)
    return select_n(primals[0], *[zeros if is_zero(t) else t for t in tangents[1:]])


def _select_transpose(ct: Any, which: Any, *cases: Any) -> tuple[Any, ...]:
    """Where a case was chosen its cotangent is ct, elsewhere 0."""
    zeros = filled_like(ct, 0)
    if dtypes.kind(dtypes.dtype(which)) == "b":
        choices = [lambda: select(which, zeros, ct), lambda: select(which, ct, zeros)]
    else:
        choices = [lambda i=i: select(eq(which, like(which, i)), ct, zeros) for i in range(len(cases))]
    return None, *[choice() if is_linear(case) else None for choice, case in zip(choices, cases)]


def_joint_jvp(select_n_p, _select_tangent)
select_n_p.transpose = _select_transpose


def _select_batch(axis_size: int, args: Sequence[Any], dims: Sequence[int | None]) -> tuple[Any, int]:
    (which, *cases), (which_dim, *case_dims) = args, dims
    one_dim = None not in case_dims and len(set(case_dims)) == 1
    if one_dim and (which_dim == case_dims[0] or not np.ndim(which)):
        if np.ndim(which) and np.shape(which) != np.shape(cases[0]):
            which = broadcast_in_dim(which, np.shape(cases[0]), (which_dim,))
        return select_n(which, *cases), case_dims[0]
    if not np.ndim(which) and None not in case_dims and len({np.shape(case) for case in cases}) == 1:
        dim = case_dims[0]
        return select_n(which, *[move_axis(case, d, dim) for case, d in zip(cases, case_dims)]), dim
    if np.ndim(which):
        which = batch_axis_in_front(which, which_dim, axis_size)
    if any(np.ndim(case) for case in cases):
        cases = [batch_axis_in_front(case, d, axis_size) for case, d in zip(cases, case_dims)]
        if 0 < np.ndim(which) < np.ndim(cases[0]):
            which = broadcast_in_dim(which, np.shape(cases[0]), (0,))
    else:
        cases = [broadcast_in_dim(case, np.shape(which), ()) for case in cases]
    return select_n(which, *cases), 0


select_n_p.batch = _select_batch

# ----------------------------------------------------------------- clamp


def clamp(min: Any, x: Any, max: Any) -> Array:
    """x, but no less than `min` and no more than `max`, which are scalars or have x's shape.

    All three have one dtype; jnp.clip promotes and broadcasts.
    """
    return clamp_p.bind(min, x, max)


def _clamp_shape(min: ShapedArray, x: ShapedArray, max: ShapedArray) -> Shape:
    for name, bound in ("min", min), ("max", max):
        if bound.shape and bound.shape != x.shape:
            raise TypeError(
                f"clamp requires {name} to be a scalar or to have the operand's shape {x.shape}, got shape "
                f"{bound.shape}. Broadcast it first, or use jnp.clip, which broadcasts."
            )
    return x.shape


def _clamp_dtype(*avals: ShapedArray) -> Any:
    for aval in avals:
        require_dtype("clamp", aval, "biuf")
    check_same_dtypes("clamp", avals)
    return avals[1].dtype


clamp_p = standard("clamp", lambda low, x, high: np.minimum(np.maximum(low, x), high), _clamp_shape, _clamp_dtype)


def _bound_tangent(t: Any, active: Any, x: Any) -> Any:
    return select(active, widen(t, np.shape(x)), filled_like(x, 0))


def _evaluate_clamp(low: Any, x: Any, high: Any) -> ArrayImpl:
    """Eager evaluation without abstract values: an array between scalars, or arrays that plainly fit."""
    if type(x) is ArrayImpl:
        data = x._data
        bounds = [b._data if type(b) is ArrayImpl else b for b in (low, high)]
        if all(
            isinstance(b, np.ndarray | np.generic) and b.dtype is data.dtype and b.shape in ((), data.shape)
            for b in bounds
        ):
            weak = x.weak_type and all(type(b) is ArrayImpl and b.weak_type for b in (low, high))
            with quiet_floating_point():
                return ArrayImpl(np.minimum(np.maximum(bounds[0], data), bounds[1]), weak)
    return clamp_p._evaluate(low, x, high)


clamp_p.evaluate = _evaluate_clamp


# On the boundary itself the operand gets no tangent, as in JAX.
def_jvp(
    clamp_p,
    lambda t, low, x, high: _bound_tangent(t, bitwise_and(gt(low, x), lt(low, high)), x),
    lambda t, low, x, high: select(bitwise_and(gt(x, low), lt(x, high)), t, filled_like(x, 0)),
    lambda t, low, x, high: _bound_tangent(t, lt(high, x), x),
)


def _clamp_batch(axis_size: int, args: Sequence[Any], dims: Sequence[int | None]) -> tuple[Any, int]:
    (low, x, high), (low_dim, dim, high_dim) = args, dims
    if dim is not None and not np.ndim(low) and not np.ndim(high):
        return clamp_p.bind(low, x, high), dim
    if low_dim == dim == high_dim:
        if np.ndim(low) == np.ndim(high) == 1:
            low, high = (broadcast_in_dim(bound, np.shape(x), (dim,)) for bound in (low, high))
        if np.shape(low) == np.shape(x) == np.shape(high):
            return clamp_p.bind(low, x, high), dim
    low, high, x = (
        batch_axis_in_front(v, d, axis_size) if np.ndim(v) else v
        for v, d in zip((low, high, x), (low_dim, high_dim, dim))
    )
    if not np.ndim(x):
        return clamp_p.bind(low, broadcast_in_dim(x, (axis_size,), ()), high), 0
    # Scalars first, then bounds that are one number for each example: JAX's order.
    for rank in range(min(2, np.ndim(x))):
        low, high = (
            broadcast_in_dim(bound, np.shape(x), range(rank)) if np.ndim(bound) == rank else bound
            for bound in (low, high)
        )
    return clamp_p.bind(low, x, high), 0


clamp_p.batch = _clamp_batch
