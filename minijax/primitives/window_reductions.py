"""Sums and extrema of the windows that slide over an array (pooling), and what the derivative of an extremum takes.

The tangent of a window's largest element is the tangent at its place, `select_and_gather_add`; the transpose adds
the cotangent of each window to the place of its largest element, `select_and_scatter_add`. Of equal elements the
first counts. So max pooling differs from reduce_max, whose tangent is the mean over the largest elements.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.core import Primitive, Rule, ShapedArray
from minijax.primitives.comparison import ge_p, le_p
from minijax.primitives.convolution import lhs_cotangent_padding
from minijax.primitives.convolution_dimensions import dilated_shape, window_count
from minijax.primitives.families import batch_axis_in_front, def_jvp, like
from minijax.primitives.masks import choose, has_bits
from minijax.primitives.reductions import accumulator_dtype, highest, lowest, settle_zeros
from minijax.primitives.slicing import pad, slice
from minijax.primitives.sliding import pad_and_dilate, sliding_windows
from minijax.primitives.standard import Shape, def_linear, require_dtype, standard
from minijax.workers import share

__all__ = ["reduce_window_shape_tuple"]

Pads = Sequence[tuple[int, int]]

# ----------------------------------------------------------------- shapes


def reduce_window_shape_tuple(
    operand_shape: Sequence[int],
    window_dimensions: Sequence[int],
    window_strides: Sequence[int],
    padding: Pads,
    base_dilation: Sequence[int] | None = None,
    window_dilation: Sequence[int] | None = None,
) -> Shape:
    """How many windows there are along each axis. TypeError for dilations below 1."""
    if base_dilation is not None:
        operand_shape = dilated_shape(operand_shape, base_dilation)
    if window_dilation is not None:
        window_dimensions = dilated_shape(window_dimensions, window_dilation)
    padded = [n + low + high for n, (low, high) in zip(operand_shape, padding, strict=True)]
    return tuple(map(window_count, padded, window_dimensions, window_strides))


def check_windows(
    x: ShapedArray,
    *,
    window_dimensions: Shape,
    window_strides: Shape,
    padding: Pads,
    base_dilation: Shape,
    window_dilation: Shape,
) -> Shape:
    """The shape rule of window reductions. Raises TypeError for lengths, strides and dilations that do not fit."""
    given = {
        "window_dimensions": window_dimensions,
        "window_strides": window_strides,
        "base_dilation": base_dilation,
        "window_dilation": window_dilation,
    }
    for name, values in given.items():
        if len(values) != x.ndim or not all(isinstance(n, int | np.integer) and n > 0 for n in values):
            raise TypeError(
                f"reduce_window: {name} must hold a positive integer for each axis of the operand, got {values} for an "
                f"operand of shape {x.shape}."
            )
    if len(padding) != x.ndim:
        raise ValueError(
            f"reduce_window: padding must hold a pair (low, high) for each axis of the operand, got {padding} for an "
            f"operand of shape {x.shape}."
        )
    return reduce_window_shape_tuple(x.shape, padding=padding, **given)


def with_batch_axis(dim: int, params: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a window reduction, with windows of length 1 along a new axis."""
    entries = {name: (0, 0) if name == "padding" else 1 for name in _GEOMETRY if name in params}
    return params | {name: (*params[name][:dim], entry, *params[name][dim:]) for name, entry in entries.items()}


_GEOMETRY = ("window_dimensions", "window_strides", "padding", "base_dilation", "window_dilation")

# ----------------------------------------------------------------- reduce_window_sum, _max, _min

# Elements of the examples that are worked on together.
BLOCK = 1 << 17


def reduced_windows(x: np.ndarray, ufunc: np.ufunc, fill: Any, **geometry: Any) -> np.ndarray:
    """Each window reduced by `ufunc`, whose neutral element is `fill`; examples in blocks, which threads share."""
    length = max(1, BLOCK * x.shape[0] // x.size) if x.ndim and x.size else 0
    apart = x.ndim > 0 and all(geometry[name][0] in (1, (0, 0)) for name in _GEOMETRY)
    if not (apart and 0 < length < x.shape[0]):
        return _reduced(x, ufunc, fill, **geometry)
    first = _reduced(x[:length], ufunc, fill, **geometry)
    out = np.empty((x.shape[0], *first.shape[1:]), first.dtype)
    out[:length] = first

    def block(start: int) -> None:
        out[start : start + length] = _reduced(x[start : start + length], ufunc, fill, **geometry)

    share([partial(block, start) for start in range(length, x.shape[0], length)], x.size)
    return out


def _reduced(
    x: np.ndarray,
    ufunc: np.ufunc,
    fill: Any,
    *,
    window_dimensions: Shape,
    window_strides: Shape,
    padding: Pads,
    base_dilation: Shape,
    window_dilation: Shape,
) -> np.ndarray:
    """One axis after the other."""
    x = pad_and_dilate(x, padding, base_dilation, fill)
    for axis, (window, stride, dilation) in enumerate(zip(window_dimensions, window_strides, window_dilation)):
        if window == 1:
            x = x[(np.s_[:],) * axis + (np.s_[::stride],)]
            continue
        if stride == 1 and window > 64:
            x = _by_doubling(x.swapaxes(axis, -1), ufunc, window, dilation).swapaxes(axis, -1)
            continue
        along, (count,) = sliding_windows(x.swapaxes(axis, -1), (window,), (stride,), (dilation,))
        windows = along.swapaxes(axis, -2)
        if window > max(count, 16):
            x = ufunc.reduce(windows, -1, x.dtype)
            continue
        # The first elements of all windows, then the second ones, and so on.
        x = windows[..., 0]
        for i in range(1, window):
            x = ufunc(x, windows[..., i], out=x if i > 1 else None)
    return x


def _by_doubling(x: np.ndarray, ufunc: np.ufunc, window: int, dilation: int) -> np.ndarray:
    """All windows along the last axis with steps of 1, from windows of 1, 2, 4, 8 ... elements."""
    count = max(x.shape[-1] - (window - 1) * dilation, 0)
    out, done, size = None, 0, 1
    while True:
        if window & size:
            part = x[..., done * dilation : done * dilation + count]
            out, done = part if out is None else ufunc(out, part), done + size
        if done == window:
            return out
        reach = size * dilation
        x = ufunc(x[..., :-reach], x[..., reach:]) if count else x
        size *= 2


def _sum_impl(x: np.ndarray, **params: Any) -> np.ndarray:
    sums = reduced_windows(x.astype(accumulator_dtype(x.dtype), copy=False), np.add, 0, **params)
    return sums.astype(x.dtype, copy=False)


def _sum_dtype(x: ShapedArray, **params: Any) -> Any:
    require_dtype("reduce_window_sum", x, "iufc")
    return x.dtype


reduce_window_sum_p = standard("reduce_window_sum", _sum_impl, check_windows, _sum_dtype)


def _sum_transpose(ct: Any, x: ShapedArray, **params: Any) -> Any:
    """Every element gets the cotangents of the windows that it lies in: a sum of windows again."""
    window, strides = params["window_dimensions"], params["window_strides"]
    pads = lhs_cotangent_padding(
        x.shape,
        window,
        np.shape(ct),
        window_strides=strides,
        padding=params["padding"],
        lhs_dilation=params["base_dilation"],
        rhs_dilation=params["window_dilation"],
    )
    padded = pad(ct, like(ct, 0), [(low, high, stride - 1) for (low, high), stride in zip(pads, strides)])
    return reduce_window_sum_p.bind(
        padded,
        window_dimensions=window,
        window_strides=params["base_dilation"],
        padding=((0, 0),) * x.ndim,
        base_dilation=(1,) * x.ndim,
        window_dilation=params["window_dilation"],
    )


def_linear(reduce_window_sum_p, _sum_transpose)


def _def_batch(prim: Primitive) -> None:
    def batch(axis_size: int, args: Any, dims: Any, **params: Any) -> Any:
        return prim.bind(*args, **with_batch_axis(dims[0], params)), dims[0]

    prim.batch = batch


_def_batch(reduce_window_sum_p)


def _extremum(name: str, ufunc: np.ufunc, neutral: Callable[[np.dtype], Any], negative: bool, select: Any) -> Primitive:
    """reduce_window_max or _min; of equal zeros the one whose sign bit is `negative` counts as further out."""

    def impl(x: np.ndarray, **params: Any) -> np.ndarray:
        out = reduced_windows(x, ufunc, neutral(x.dtype), **params)
        if x.dtype.kind in "biu":
            return out
        return settle_zeros(out, x, negative, lambda found: reduced_windows(found, np.logical_or, False, **params))

    def dtype(x: ShapedArray, **params: Any) -> Any:
        require_dtype(name, x, "biuf")
        return x.dtype

    prim = standard(name, impl, check_windows, dtype)
    _def_batch(prim)
    def_jvp(prim, lambda t, x, **params: select_and_gather_add_p.bind(t, x, select_prim=select, **params))
    return prim


reduce_window_max_p = _extremum("reduce_window_max", np.maximum, lowest, False, ge_p)
reduce_window_min_p = _extremum("reduce_window_min", np.minimum, highest, True, le_p)

# ----------------------------------------------------------------- elements of all windows at once


def elements(
    x: np.ndarray,
    fill: Any,
    *,
    window_dimensions: Shape,
    window_strides: Shape,
    padding: Pads,
    base_dilation: Shape,
    window_dilation: Shape,
) -> list[np.ndarray]:
    """Views of the first elements of all windows, of the second ones and so on, in row-major order."""
    x = pad_and_dilate(x, padding, base_dilation, fill)
    return [x[place] for place in window_places(x.shape, window_dimensions, window_strides, window_dilation)]


def window_places(shape: Shape, window: Shape, strides: Shape, dilation: Shape) -> list[tuple[Any, ...]]:
    """For each element of a window the slices of an array in which those of all windows lie."""
    counts = list(map(window_count, shape, dilated_shape(window, dilation), strides))
    return [
        tuple(
            [
                np.s_[i * d : i * d + (count - 1) * stride + 1 : stride] if count else np.s_[:0]
                for i, d, count, stride in zip(index, dilation, counts, strides)
            ]
        )
        for index in np.ndindex(*window)
    ]


def inside_windows(shape: Shape, **params: Any) -> list[np.ndarray] | list[None]:
    """Which elements of the windows are elements of the array: booleans as in `elements`, None if all of them are."""
    if not any(low or high for low, high in params["padding"]) and set(params["base_dilation"]) <= {1}:
        return [None] * int(np.prod(params["window_dimensions"], dtype=np.int64))
    return elements(np.ones(shape, bool), False, **params)


def _compare(select_prim: Primitive) -> tuple[np.ufunc, Callable[[np.dtype], Any]]:
    """The comparison of `ge` or `le`, and the value that loses it."""
    return (np.greater_equal, lowest) if select_prim is ge_p else (np.less_equal, highest)


# ----------------------------------------------------------------- select_and_gather_add


def _gather_impl(t: np.ndarray, x: np.ndarray, *, select_prim: Primitive, **params: Any) -> np.ndarray:
    keep, worst = _compare(select_prim)
    inside = inside_windows(x.shape, **params)
    shape = reduce_window_shape_tuple(x.shape, **params)
    found, out = np.full(shape, worst(x.dtype), x.dtype), np.zeros(shape, t.dtype)
    # One after the other, because NaN loses against what comes behind it.
    for element, tangent, counts in zip(elements(x, 0, **params), elements(t, 0, **params), inside):
        kept = keep(found, element)
        if counts is not None:
            kept |= ~counts
        found, out = np.where(kept, found, element), np.where(kept, out, tangent)
    return out


def _gather_shape(t: ShapedArray, x: ShapedArray, *, select_prim: Primitive, **params: Any) -> Shape:
    if t.shape != x.shape:
        raise TypeError(
            f"select_and_gather_add: tangents and operand must have one shape, got {t.shape} and {x.shape}."
        )
    return check_windows(x, **params)


select_and_gather_add_p = standard("select_and_gather_add", _gather_impl, _gather_shape)


def _gather_transpose(ct: Any, t: Any, x: Any, *, select_prim: Primitive, **params: Any) -> tuple[Any, None]:
    dilation = params.pop("base_dilation")
    if any(d != 1 for d in params.pop("window_dilation")):
        raise NotImplementedError(
            "max and min over dilated windows (reduce_window with window_dilation) have no derivative in reverse mode. "
            "Use forward mode, or take the maximum of shifted slices."
        )
    if all(d == 1 for d in dilation):
        return select_and_scatter_add_p.bind(ct, x, select_prim=select_prim, **params), None
    _, worst = _compare(select_prim)
    spread = pad(x, like(x, worst(dtypes.dtype(x))), [(0, 0, d - 1) for d in dilation])
    out = select_and_scatter_add_p.bind(ct, spread, select_prim=select_prim, **params)
    return slice(out, [0] * np.ndim(out), np.shape(out), dilation), None


def _def_linear_in_first(prim: Primitive, transpose: Rule) -> None:
    """`prim` is linear in its first operand and chooses by its second one, which has no derivative."""
    def_jvp(prim, lambda t, source, x, **params: prim.bind(t, x, **params), None)
    prim.transpose = transpose

    def batch(axis_size: int, args: Any, dims: Any, **params: Any) -> Any:
        fronted = [batch_axis_in_front(x, d, axis_size) for x, d in zip(args, dims)]
        return prim.bind(*fronted, **with_batch_axis(0, params)), 0

    prim.batch = batch


_def_linear_in_first(select_and_gather_add_p, _gather_transpose)

# ----------------------------------------------------------------- select_and_scatter_add


def _scatter_impl(
    source: np.ndarray, x: np.ndarray, *, select_prim: Primitive, padding: Pads, **params: Any
) -> np.ndarray:
    keep, worst = _compare(select_prim)
    x = pad_and_dilate(x, padding, (1,) * x.ndim, worst(x.dtype))
    out = np.zeros(x.shape, accumulator_dtype(source.dtype))
    window, strides = params["window_dimensions"], params["window_strides"]
    places = window_places(x.shape, window, strides, (1,) * x.ndim)
    length = x.shape[0]
    if window[0] == strides[0] == 1 and x.size:  # examples one after the other, as many as fit into the cache
        places = [(np.s_[:], *place[1:]) for place in places]
        length = max(1, BLOCK * x.shape[0] // x.size)
    blocks = [np.s_[first : first + length] for first in range(0, x.shape[0], max(length, 1))]
    share([partial(_scatter_block, source[b], x[b], out[b], places, keep) for b in blocks], x.size)
    back = [(-low, -high) for low, high in padding]
    return pad_and_dilate(out, back, (1,) * x.ndim, 0).astype(source.dtype, copy=False)


def _scatter_block(
    source: np.ndarray, x: np.ndarray, out: np.ndarray, places: list[tuple[Any, ...]], keep: np.ufunc
) -> None:
    """Add each element of `source` to that place of `out` where its window of `x` has the element kept."""
    pick = choose if has_bits(x.dtype) else np.where  # x and the source are of one dtype
    found, chosen = x[places[0]], np.zeros(source.shape, np.min_scalar_type(len(places)))
    for i, place in enumerate(places[1:], 1):
        stays = keep(found, x[place])
        if i < len(places) - 1:
            found = pick(stays, found, x[place])
        # Numbers of places grow: what has been chosen before is smaller.
        np.maximum(chosen, np.multiply(~stays, chosen.dtype.type(i)), out=chosen)
    for i, place in enumerate(places):
        out[place] += pick(chosen == i, source, source.dtype.type(0))


def _scatter_shape(source: ShapedArray, x: ShapedArray, *, select_prim: Primitive, **params: Any) -> Shape:
    ones = (1,) * x.ndim
    windows = check_windows(x, base_dilation=ones, window_dilation=ones, **params)
    if source.shape != windows:
        raise TypeError(
            f"select_and_scatter_add: the source must have an element for each window of the operand of shape "
            f"{x.shape}, that is the shape {windows}; got {source.shape}."
        )
    return x.shape


select_and_scatter_add_p = standard("select_and_scatter_add", _scatter_impl, _scatter_shape)


def _scatter_transpose(ct: Any, source: Any, x: Any, **params: Any) -> tuple[Any, None]:
    ones = (1,) * np.ndim(x)
    return select_and_gather_add_p.bind(ct, x, base_dilation=ones, window_dilation=ones, **params), None


_def_linear_in_first(select_and_scatter_add_p, _scatter_transpose)
