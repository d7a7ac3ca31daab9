"""Elements in another order, or more than once: flip, rotate, roll, tile, repeat, resize."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import lax
from minijax.array import Array
from minijax.core import Tracer
from minijax.numpy.axes import axis_tuple, require_known, static_int
from minijax.numpy.creation import array, asarray, full, zeros, zeros_like
from minijax.numpy.cumulative import cumsum
from minijax.numpy.manipulation import broadcast_to, ravel, reshape, transpose
from minijax.numpy.promotion import check_arraylike, ensure_arraylike
from minijax.numpy.taking import take
from minijax.primitives.shaping import canonical_axes, canonical_axis
from minijax.primitives.standard import check_one_device

__all__ = ["flip", "fliplr", "flipud", "repeat", "resize", "roll", "rot90", "tile"]

# ----------------------------------------------------------------- flip, rot90


def flip(m: Any, axis: int | Sequence[int] | None = None) -> Array:
    """The elements in reverse order along one or several axes; along all of them for None."""
    m = ensure_arraylike("flip", m)
    return lax.rev(m, range(m.ndim) if axis is None else canonical_axes(axis_tuple(axis), m.ndim))


def fliplr(m: Any) -> Array:
    """The elements in reverse order along axis 1."""
    return flip(ensure_arraylike("fliplr", m), 1)


def flipud(m: Any) -> Array:
    """The elements in reverse order along axis 0."""
    return flip(ensure_arraylike("flipud", m), 0)


def rot90(m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Array:
    """Turn by k quarter turns in the plane of two axes, from the first towards the second."""
    m = ensure_arraylike("rot90", m)
    if m.ndim < 2:
        raise ValueError(f"rot90 requires its first argument to have ndim at least two, got shape {m.shape}.")
    first, second = canonical_axes(axes, m.ndim)
    if first == second:
        raise ValueError(f"rot90: axes must be different, got {axes} for shape {m.shape}.")
    order = list(range(m.ndim))
    order[first], order[second] = second, first
    turns = k % 4
    if turns == 0:
        return m
    if turns == 2:
        return flip(flip(m, first), second)
    return transpose(flip(m, second), order) if turns == 1 else flip(transpose(m, order), second)


# ----------------------------------------------------------------- roll


def roll(a: Any, shift: Any, axis: int | Sequence[int] | None = None) -> Array:
    """Move the elements along by `shift` places; those pushed off the end come in at the other one.

    Several shifts and axes go together pairwise. Without an axis the flattened array is rolled. `shift` may be traced.
    """
    a = ensure_arraylike("roll", a)
    if axis is None:
        return reshape(roll(ravel(a), shift, 0), a.shape)
    axes = canonical_axes(axis_tuple(axis), a.ndim)
    if any(isinstance(s, Tracer) for s in (shift if isinstance(shift, tuple | list) else (shift,))):
        return _roll_traced(a, asarray(shift), axes)
    for i, s in zip(*np.broadcast_arrays(axes, axis_tuple(shift))):
        a = _roll_one(a, int(s), int(i))
    return a


def _roll_one(a: Array, shift: int, axis: int) -> Array:
    length = a.shape[axis]
    if not length:
        return a
    first = -shift % length
    parts = [lax.slice_in_dim(a, first, length, axis=axis), lax.slice_in_dim(a, 0, first, axis=axis)]
    return lax.concatenate(parts, axis)


def _roll_traced(a: Array, shift: Array, axes: tuple[int, ...]) -> Array:
    count = lax.broadcast_shapes(shift.shape, (len(axes),))
    if len(count) != 1:
        raise ValueError(
            f"'shift' and 'axis' arguments to roll must be scalars or 1D arrays, got a shift of shape {shift.shape}."
        )
    for s, axis in zip(broadcast_to(shift, count), np.broadcast_to(axes, count)):
        length = np.int32(a.shape[axis])
        s = lax.convert_element_type(s, np.int32) % lax.max(length, np.int32(1))
        twice = lax.concatenate((a, a), int(axis))
        a = lax.dynamic_slice_in_dim(twice, length - s, a.shape[axis], axis=int(axis))
    return a


# ----------------------------------------------------------------- tile, repeat, resize


def tile(A: Any, reps: int | Sequence[int]) -> Array:
    """The whole array reps[i] times along axis i; it gets leading axes if it lacks them."""
    A = ensure_arraylike("tile", A)
    counts = tuple(
        [static_int(n, "in the reps argument of jnp.tile") for n in (reps if np.iterable(reps) else (reps,))]
    )
    counts = (1,) * (A.ndim - len(counts)) + counts
    if len(counts) > A.ndim:
        A = lax.expand_dims(A, range(len(counts) - A.ndim))
    return lax.tile(A, counts)


def repeat(
    a: Any, repeats: Any, axis: int | None = None, *, total_repeat_length: int | None = None, out_sharding: Any = None
) -> Array:
    """Each element `repeats` times in a row along an axis; the flattened array without one.

    `repeats` is one number or one for each position, and may be traced if total_repeat_length is given:
    the result is cut to that length, or filled up with the last element.
    """
    check_one_device("jnp.repeat", out_sharding)
    check_arraylike("repeat", a, repeats)
    a = asarray(a)
    a, axis = (ravel(a), 0) if axis is None else (a, static_int(axis, "the 'axis' argument of jnp.repeat"))
    if total_repeat_length is not None:
        repeats = broadcast_to(ravel(repeats), [a.shape[axis]]) if a.ndim else ravel(repeats)
        return _repeat_each(a, repeats, axis, total_repeat_length)
    require_known(repeats, "the 'repeats' argument of jnp.repeat; give total_repeat_length if it has to be traced")
    if not np.ndim(repeats) and a.ndim:
        return _repeat_equally(a, static_int(repeats, "repeats"), canonical_axis(axis, a.ndim))
    repeats = np.ravel(np.asarray(repeats))
    if a.ndim:
        repeats = np.broadcast_to(repeats, [a.shape[axis]])
    return _repeat_each(a, repeats, axis, int(repeats.sum()))


def _repeat_equally(a: Array, repeats: int, axis: int) -> Array:
    shape = list(a.shape)
    apart = (*shape[: axis + 1], repeats, *shape[axis + 1 :])
    shape[axis] *= repeats
    return reshape(lax.broadcast_in_dim(a, apart, [d for d in range(len(apart)) if d != axis + 1]), shape)


def _repeat_each(a: Array, repeats: Any, axis: int, total: int) -> Array:
    if not a.ndim:
        if np.shape(repeats) != (1,):
            raise ValueError(
                f"repeat of a scalar takes one number of repeats only, got repeats of shape {np.shape(repeats)}."
            )
        return full([total], a)
    if total == 0:
        shape = list(a.shape)
        shape[axis] = 0
        return reshape(array([], dtype=a.dtype), shape)
    if a.shape[axis] == 0:
        return a
    # A mark at the place where each element's copies begin: their running count is the element's index.
    starts = cumsum(roll(repeats, 1).at[0].set(0))
    marks = zeros([total], dtype=np.int32).at[starts].add(1)
    return take(a, cumsum(marks) - 1, axis=axis)


def resize(a: Any, new_shape: int | Sequence[int]) -> Array:
    """The elements in row-major order in another shape, repeated from the start as often as needed, or cut off."""
    a = ravel(a)
    new_shape = axis_tuple(new_shape)
    if any(n < 0 for n in new_shape):
        raise ValueError(f"resize: all elements of new_shape must be non-negative, got {new_shape}.")
    size = math.prod(new_shape)
    if not a.size or not size:
        return zeros_like(a, shape=new_shape)
    return reshape(tile(a, -(-size // a.size))[:size], new_shape)
