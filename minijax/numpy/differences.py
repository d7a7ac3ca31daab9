"""Differences and what is made of them: gradients, integrals, interpolation, unwrapping."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.arithmetic import absolute, clip, mod
from minijax.numpy.axes import axis_tuple, static_int
from minijax.numpy.creation import asarray
from minijax.numpy.cumulative import cumsum
from minijax.numpy.joining import concatenate
from minijax.numpy.manipulation import broadcast_to, moveaxis, ravel, reshape
from minijax.numpy.promotion import ensure_arraylike, promote_dtypes, promote_dtypes_inexact
from minijax.numpy.selection import if_else
from minijax.numpy.sorting import searchsorted
from minijax.primitives.shaping import canonical_axes, canonical_axis

__all__ = ["diff", "ediff1d", "gradient", "interp", "trapezoid", "unwrap"]

# ----------------------------------------------------------------- differences


def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Array:
    """The n-th differences of neighbours along an axis; for booleans, whether they differ.

    prepend, append: values to put before and behind first; scalars stand for one position.
    """
    a = ensure_arraylike("diff", a)
    n = static_int(n, "the 'n' argument of jnp.diff")
    axis = static_int(axis, "the 'axis' argument of jnp.diff")
    if n == 0:
        return a
    if n < 0:
        raise ValueError(f"diff: order must be non-negative but got {n}.")
    if not a.ndim:
        raise ValueError("diff requires input that is at least one dimensional; got a scalar.")
    axis = canonical_axis(axis, a.ndim)
    parts = [_edge(prepend, a, axis), a, _edge(append, a, axis)]
    parts = [part for part in parts if part is not None]
    if len(parts) > 1:
        a = concatenate(parts, axis)
    before = (slice(None),) * axis
    for _ in range(n):
        later, earlier = a[(*before, slice(1, None))], a[(*before, slice(None, -1))]
        a = later != earlier if dtypes.kind(a.dtype) == "b" else later - earlier
    return a


def _edge(value: Any, a: Array, axis: int) -> Array | None:
    if value is None:
        return None
    value = ensure_arraylike("diff", value)
    return value if value.ndim else broadcast_to(value, (*a.shape[:axis], 1, *a.shape[axis + 1 :]))


def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Array:
    """The differences of neighbours in the flattened array, between to_begin and to_end."""
    ary = ravel(ensure_arraylike("ediff1d", ary))
    result = lax.sub(ary[1:], ary[:-1])
    if to_begin is not None:
        result = concatenate((ravel(ensure_arraylike("ediff1d", to_begin).astype(ary.dtype)), result))
    if to_end is not None:
        result = concatenate((result, ravel(ensure_arraylike("ediff1d", to_end).astype(ary.dtype))))
    return result


def gradient(
    f: Any, *varargs: Any, axis: int | Sequence[int] | None = None, edge_order: int | None = None
) -> Array | list[Array]:
    """The numerical derivative along one or all axes: central differences, one-sided ones at the edges.

    varargs: spacings, one for all axes or one for each; a scalar, or the vector of the coordinates.
    Returns a list for several axes. ValueError for axes shorter than 2.
    """
    if edge_order is not None:
        raise NotImplementedError("The 'edge_order' argument to jnp.gradient is not supported: leave it out.")
    a, *spacings = promote_dtypes_inexact(*[ensure_arraylike("gradient", x) for x in (f, *varargs)])
    axes = tuple(range(a.ndim)) if axis is None else canonical_axes(axis_tuple(axis), a.ndim)
    if not axes:
        return []
    if min(a.shape[i] for i in axes) < 2:
        raise ValueError(
            "Shape of array too small to calculate a numerical gradient, at least 2 elements are required: "
            f"got shape {a.shape}."
        )
    if len(spacings) < 2:
        spacings = (spacings or [1.0]) * len(axes)
    if len(spacings) != len(axes):
        raise TypeError(f"gradient: invalid number of spacing arguments {len(spacings)} for axis={axis}.")
    results = [_gradient_along(a, h, i) for i, h in zip(axes, spacings)]
    return results[0] if len(results) == 1 else results


def _gradient_along(a: Array, h: Any, axis: int) -> Array:
    def part(x: Array, start: int | None, stop: int | None) -> Array:
        return lax.slice_in_dim(x, start, stop, axis=axis)

    first = part(a, 1, 2) - part(a, 0, 1)
    last = part(a, -1, None) - part(a, -2, -1)
    if not np.ndim(h):
        inner = (part(a, 2, None) - part(a, None, -2)) * 0.5 / h
        last, first = last / h, first / h
        return concatenate((first, inner, last), axis)
    if np.ndim(h) > 1:
        raise ValueError(f"gradient: spacing arrays must be 1D arrays or scalars, got shape {np.shape(h)}.")
    if len(h) != a.shape[axis]:
        raise ValueError(
            f"gradient: spacing arrays must have the same length as the dimension along which the gradient is "
            f"calculated, got {len(h)} and {a.shape[axis]}."
        )
    h = reshape(h, [len(h) if d == axis else 1 for d in range(a.ndim)])
    first = first / (part(h, 1, 2) - part(h, 0, 1))
    last = last / (part(h, -1, None) - part(h, -2, -1))
    # The parabola through three points with distances d1 and d2.
    d1 = part(h, 1, -1) - part(h, 0, -2)
    d2 = part(h, 2, None) - part(h, 1, -1)
    before = -d2 / (d1 * (d1 + d2))
    middle = (d2 - d1) / (d1 * d2)
    behind = d1 / (d2 * (d1 + d2))
    inner = before * part(a, 0, -2) + middle * part(a, 1, -1) + behind * part(a, 2, None)
    return concatenate((first, inner, last), axis)


# ----------------------------------------------------------------- integrals


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Array:
    """The integral of y along an axis by the trapezoidal rule; x are the coordinates, dx their distance without
    them."""
    if x is None:
        (y,) = promote_dtypes_inexact(ensure_arraylike("trapezoid", y))
        widths = asarray(dx)
        if widths.ndim:
            widths = moveaxis(lax.expand_dims(widths, range(y.ndim - widths.ndim)), axis, -1)
    else:
        y, x = promote_dtypes_inexact(*ensure_arraylike("trapezoid", y, x))
        widths = diff(x) if x.ndim == 1 else moveaxis(diff(x, axis=axis), axis, -1)
    y = moveaxis(y, axis, -1)
    if not widths.ndim or widths.shape[-1] == 1:
        width = widths[..., 0] if widths.ndim else widths
        return width * (y.sum(-1) - 0.5 * (y[..., 0] + y[..., -1]))
    return 0.5 * (widths * (y[..., 1:] + y[..., :-1])).sum(-1)


# ----------------------------------------------------------------- interpolation


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Array:
    """The function that is fp at the ascending places xp, and linear between them, at the places x.

    left, right: its value outside, by default that at the nearest end, or 'extrapolate'.
    period: that of the function, whose xp need not be sorted then.
    """
    x, xp, fp = ensure_arraylike("interp", x, xp, fp)
    if xp.shape != fp.shape or xp.ndim != 1:
        raise ValueError(
            f"interp: xp and fp must be one-dimensional arrays of equal size, got {xp.shape} and {fp.shape}."
        )
    for name, value in ("left", left), ("right", right):
        if isinstance(value, str) and value != "extrapolate":
            raise ValueError(f"interp: the only valid string value of `{name}` is 'extrapolate', but got: {value!r}.")
    x, xp = promote_dtypes_inexact(x, xp)
    (fp,) = promote_dtypes_inexact(fp)
    if dtypes.is_complex(x.dtype):
        raise ValueError(f"interp: x and xp must be real, got {x.dtype}. The values fp may be complex.")
    if period is not None:
        if np.ndim(period):
            raise ValueError(f"interp: period must be a scalar; got shape {np.shape(period)}.")
        x, xp, fp = _periodic(x, xp, fp, absolute(period))
    result = _interpolated(x, xp, fp)
    if period is not None:
        return result
    if not isinstance(left, str):
        result = if_else(x < xp[0], fp[0] if left is None else left, result)
    if not isinstance(right, str):
        result = if_else(x > xp[-1], fp[-1] if right is None else right, result)
    return result


def _periodic(x: Array, xp: Array, fp: Array, period: Array) -> tuple[Array, Array, Array]:
    """The points of one period, and one more on each side."""
    x, xp = x % period, xp % period
    xp, fp = lax.sort_key_val(xp, fp)
    xp = concatenate([xp[-1:] - period, xp, xp[:1] + period])
    return x, xp, concatenate([fp[-1:], fp, fp[:1]])


def _interpolated(x: Array, xp: Array, fp: Array) -> Array:
    i = clip(searchsorted(xp, x, side="right"), 1, len(xp) - 1)
    df = fp[i] - fp[i - 1]
    dx = xp[i] - xp[i - 1]
    delta = x - xp[i - 1]
    epsilon = np.spacing(np.finfo(xp.dtype).eps)
    same_place = lax.abs(dx) <= epsilon
    return if_else(same_place, fp[i - 1], fp[i - 1] + delta / if_else(same_place, 1, dx) * df)


def unwrap(p: Any, discont: Any = None, axis: int = -1, period: Any = 2 * math.pi) -> Array:
    """Add multiples of the period so that neighbours along an axis never differ by more than half of it."""
    p, period = promote_dtypes(ensure_arraylike("unwrap", p), ensure_arraylike("unwrap", period))
    if dtypes.is_complex(p.dtype):
        raise ValueError(f"unwrap does not support complex numbers, got {p.dtype}. Pass their angles, jnp.angle(x).")
    if not p.shape[axis]:
        return p
    if discont is None:
        discont = period / 2
    interval = period // 2 if dtypes.kind(p.dtype) in "iu" else period / 2
    steps = diff(p, axis=axis)
    reduced = mod(steps + interval, period) - interval
    reduced = if_else((reduced == -interval) & (steps > 0), interval, reduced)
    correction = if_else(absolute(steps) < discont, 0, reduced - steps)
    first = lax.slice_in_dim(p, 0, 1, axis=axis)
    rest = lax.slice_in_dim(p, 1, None, axis=axis) + cumsum(correction, axis=axis)
    return concatenate((first, rest), axis)
