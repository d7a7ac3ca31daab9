"""jnp.pad: elements put around an array, constants or continuations of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minijax import lax
from minijax.array import Array
from minijax.numpy.applying import apply_along_axis
from minijax.numpy.axes import require_known
from minijax.numpy.creation import array, asarray, empty_like
from minijax.numpy.manipulation import broadcast_to, squeeze
from minijax.numpy.promotion import convert, ensure_arraylike
from minijax.numpy.quantiles import median
from minijax.numpy.ranges import linspace
from minijax.numpy.rearranging import flip, repeat
from minijax.numpy.reductions import amax, amin
from minijax.numpy.rounding import round as rounded
from minijax.numpy.statistics import mean
from minijax.tree_util import tree_map

__all__ = ["pad"]

Pairs = tuple[tuple[Any, Any], ...]

_STATISTICS = {"maximum": amax, "minimum": amin, "mean": mean, "median": median}
_OPTIONS = {
    "constant": {"constant_values"},
    "edge": set(),
    "empty": set(),
    "linear_ramp": {"end_values"},
    "reflect": {"reflect_type"},
    "symmetric": {"reflect_type"},
    "wrap": set(),
} | dict.fromkeys(_STATISTICS, {"stat_length"})


def pad(array: Any, pad_width: Any, mode: str | Callable[..., Any] = "constant", **kwargs: Any) -> Array:
    """Put elements around the array: pad_width is n, (before, after), or a pair for each axis.

    mode: 'constant' (constant_values=0), 'edge' (the last element), 'linear_ramp' (towards end_values=0),
    'reflect' and 'symmetric' (mirrored at and behind the last element; reflect_type 'even' or 'odd'), 'wrap',
    'maximum', 'minimum', 'mean', 'median' (of stat_length elements at the edge, of all for None), 'empty', or a
    function func(row, (before, after), axis, kwargs) of a row that is padded with zeros.
    """
    array = ensure_arraylike("pad", array)
    widths = _pairs(pad_width, array.ndim, "pad_width")
    for width in widths:
        if not all(isinstance(w, int | np.integer) for w in width):
            raise TypeError(f"jnp.pad: `pad_width` must be of integral type, got {pad_width}.")
    if callable(mode):
        return _pad_by_function(array, widths, mode, kwargs)
    if mode not in _OPTIONS:
        raise NotImplementedError(f"Unimplemented padding mode {mode!r} for jnp.pad: it knows {list(_OPTIONS)}.")
    if set(kwargs) - _OPTIONS[mode]:
        raise ValueError(
            f"jnp.pad: unsupported keyword arguments for mode {mode!r}: {sorted(set(kwargs) - _OPTIONS[mode])}. "
            f"It takes {sorted(_OPTIONS[mode])}."
        )
    if any(w < 0 for width in widths for w in width):
        raise ValueError(f"jnp.pad: index can't contain negative values, got pad_width {pad_width}.")
    return _pad(array, widths, mode, **kwargs) if array.ndim else array


def _pad(
    x: Array,
    widths: Pairs,
    mode: str,
    constant_values: Any = 0,
    end_values: Any = 0,
    stat_length: Any = None,
    reflect_type: str = "even",
) -> Array:
    if mode == "constant":
        return _pad_constant(x, widths, constant_values)
    if mode in _STATISTICS:
        lengths = [None] * x.ndim if stat_length is None else _pairs(stat_length, x.ndim, "stat_length")
    ends = _pairs(end_values, x.ndim, "end_values") if mode == "linear_ramp" else ()
    for axis, (before, after) in enumerate(widths):
        if mode == "linear_ramp":
            x = _pad_ramp(x, axis, before, after, ends[axis])
        elif mode in _STATISTICS:
            x = _pad_statistic(x, axis, before, after, _STATISTICS[mode], lengths[axis])
        elif mode == "empty":
            x = _between(x, axis, _empty(x, axis, before), _empty(x, axis, after))
        elif not x.shape[axis]:
            if before or after:
                raise ValueError(f"jnp.pad: Cannot apply {mode!r} padding to empty axis {axis} of shape {x.shape}.")
        elif mode == "wrap":
            x = _pad_wrap(x, axis, before, after)
        elif mode == "edge":
            first = repeat(_part(x, axis, 0, 1), before, axis=axis)
            last = repeat(_part(x, axis, -1, None), after, axis=axis)
            x = _between(x, axis, first, last)
        elif before or after:
            length = x.shape[axis]
            x = _pad_mirrored(x, axis, length, before, mode, reflect_type, in_front=True)
            x = _pad_mirrored(x, axis, length, after, mode, reflect_type, in_front=False)
    return x


def _pairs(values: Any, rank: int, name: str) -> Pairs:
    """A (before, after) for each axis, of what the user gave in short."""
    known = tree_map(lambda v: require_known(v, f"the {name} argument of jnp.pad"), values)
    try:
        known = np.asarray(known)
    except ValueError as error:
        raise TypeError(f"jnp.pad: `{name}` entries must be the same shape: {values}.") from error
    if known.shape not in ((rank, 2), (1, 2), (2,), (1,), ()):
        raise ValueError(
            f"jnp.pad: {name} with nd={rank} has unsupported shape {known.shape}. "
            f"Valid shapes are ({rank}, 2), (1, 2), (2,), (1,), or ()."
        )
    return tuple([(before, after) for before, after in np.broadcast_to(known, (rank, 2))])


def _part(x: Array, axis: int, start: int | None, stop: int | None) -> Array:
    return lax.slice_in_dim(x, start, stop, axis=axis)


def _between(x: Array, axis: int, before: Array, after: Array) -> Array:
    return lax.concatenate([before, x, after], axis)


# ----------------------------------------------------------------- the modes


def _pad_constant(x: Array, widths: Pairs, values: Any) -> Array:
    """`values` is one number, or (before, after) for all axes or for each."""
    values = convert(asarray(values), x.dtype, x.weak_type)
    if values.ndim == 1 and values.shape[0] not in (1, 2):
        raise ValueError(
            f"jnp.pad: constant_values has unsupported shape {values.shape}. "
            "If the shape is 1D or 2D, the last dimension must be of size 1 or 2."
        )
    if values.ndim == 0 or values.shape == (1,):
        return lax.pad(x, squeeze(values), [(before, after, 0) for before, after in widths])
    values = broadcast_to(values, (x.ndim, 2))
    nothing = (0, 0, 0)
    for axis, (before, after) in enumerate(widths):
        if before:
            config = [(before, 0, 0) if d == axis else nothing for d in range(x.ndim)]
            x = lax.pad(x, values[axis, 0], config)
        if after:
            config = [(0, after, 0) if d == axis else nothing for d in range(x.ndim)]
            x = lax.pad(x, values[axis, 1], config)
    return x


def _pad_wrap(x: Array, axis: int, before: int, after: int) -> Array:
    length = x.shape[axis]
    whole_before, rest_before = divmod(before, length)
    whole_after, rest_after = divmod(after, length)
    parts = [x] * int(whole_before + whole_after + 1)
    if rest_before:
        parts.insert(0, _part(x, axis, length - rest_before, length))
    if rest_after:
        parts.append(_part(x, axis, 0, rest_after))
    return lax.concatenate(parts, axis)


def _pad_mirrored(x: Array, axis: int, length: int, width: int, mode: str, reflect_type: str, in_front: bool) -> Array:
    """Mirror images at one end, each no longer than the array was (`length`); then mirror images of these."""
    edge = _part(x, axis, 0, 1) if in_front else _part(x, axis, -1, None)
    skipped = 1 if mode == "reflect" and length > 1 else 0  # 'reflect' does not repeat the edge itself
    while width > 0:
        n = int(min(width, length - skipped))
        width -= n
        if in_front:
            image = _part(x, axis, skipped, skipped + n)
        else:
            image = _part(x, axis, -(n + skipped), None if mode == "symmetric" or length == 1 else -1)
        image = flip(image, axis)
        if reflect_type == "odd":
            image = 2 * edge - image
            if length > 1:
                edge = _part(image, axis, 0, 1) if in_front else _part(image, axis, -1, None)
        x = lax.concatenate([image, x] if in_front else [x, image], axis)
    return x


def _pad_ramp(x: Array, axis: int, before: int, after: int, ends: tuple[Any, Any]) -> Array:
    def ramp(end: Any, edge: Array, width: int) -> Array:
        stop = squeeze(edge, axis)
        steps = linspace(start=end, stop=stop, num=int(width), endpoint=False, dtype=x.dtype, axis=axis)
        return convert(steps, x.dtype, x.weak_type)

    first, last = _part(x, axis, 0, 1), _part(x, axis, -1, None)
    rising, falling = ramp(ends[0], first, before), ramp(ends[1], last, after)
    return _between(x, axis, rising, flip(falling, axis))


def _pad_statistic(
    x: Array, axis: int, before: int, after: int, statistic: Callable[..., Array], lengths: Any
) -> Array:
    if lengths is None:
        first = last = statistic(x, axis=axis, keepdims=True)
    else:
        if not all(lengths):
            raise ValueError("jnp.pad: stat_length of 0 yields no value for padding.")
        n_first, n_last = (int(min(n, x.shape[axis])) for n in lengths)
        parts = _part(x, axis, 0, n_first), _part(x, axis, -n_last, None)
        first, last = (statistic(part, axis=axis, keepdims=True) for part in parts)
    if x.dtype.kind in "iu":
        first, last = rounded(first), rounded(last)
    first, last = (convert(value, x.dtype, x.weak_type) for value in (first, last))
    return _between(x, axis, repeat(first, before, axis=axis), repeat(last, after, axis=axis))


def _empty(x: Array, axis: int, width: int) -> Array:
    return empty_like(x, shape=(*x.shape[:axis], int(width), *x.shape[axis + 1 :]))


def _pad_by_function(x: Array, widths: Pairs, func: Callable[..., Any], kwargs: dict[str, Any]) -> Array:
    padded = _pad_constant(x, widths, array(0))
    for axis in range(padded.ndim):
        padded = apply_along_axis(func, axis, padded, widths[axis], axis, kwargs)
    return padded
