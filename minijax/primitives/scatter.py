"""scatter, scatter_add ...: windows of an array are replaced by, or combined with, updates."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.batching import batched
from minijax.core import EVAL, Primitive, ShapedArray, is_linear, set_current_trace
from minijax.jaxpr import ClosedJaxpr, Jaxpr, stage
from minijax.primitives import arithmetic
from minijax.primitives.arithmetic import add, div, mul, neg
from minijax.primitives.comparison import eq
from minijax.primitives.creation import full, iota
from minijax.primitives.families import (
    batch_axis_in_front,
    check_same_dtypes,
    def_joint_jvp,
    def_jointly_linear,
    def_jvp,
    filled_like,
    instantiate,
    like,
    materialize,
    zeros,
)
from minijax.primitives.indexing import (
    GatherDimensionNumbers,
    check_integer_indices,
    first_weak,
    gather,
    gather_p,
    shifted,
)
from minijax.primitives.selection import select
from minijax.primitives.shaping import move_axis, reshape
from minijax.primitives.standard import Shape, standard
from minijax.primitives.windows import GatherScatterMode, Windows, check_batching, check_dims, find_windows

__all__ = [
    "ScatterDimensionNumbers",
    "scatter",
    "scatter_add",
    "scatter_apply",
    "scatter_max",
    "scatter_min",
    "scatter_mul",
    "scatter_sub",
]

Axes = tuple[int, ...]


class ScatterDimensionNumbers(NamedTuple):
    """Which axis is which in a scatter. The updates are shaped like the result of the gather that undoes it.

    The last axis of the indices is the index vector; its entry i counts along operand axis
    scatter_dims_to_operand_dims[i]. The updates have the axes of the window at update_window_dims (without
    inserted_window_dims, operand axes on which the window has length 1) and elsewhere the other axes of
    the indices. The operand axes operand_batching_dims run along with the axes
    scatter_indices_batching_dims of the indices.
    Source: https://openxla.org/stablehlo/spec#scatter
    """

    update_window_dims: Axes
    inserted_window_dims: Axes
    scatter_dims_to_operand_dims: Axes
    operand_batching_dims: Axes = ()
    scatter_indices_batching_dims: Axes = ()


# ----------------------------------------------------------------- wrappers


def scatter(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Array:
    """Replace windows by updates; where windows overlap the last update stays.

    See `ScatterDimensionNumbers` and `GatherScatterMode`; updates that do not fit are dropped by default.
    With unique_indices the caller promises that windows do not overlap, and derivatives get simpler.
    """
    operands, flags = (operand, scatter_indices, updates), (indices_are_sorted, unique_indices)
    return _bind(scatter_p, operands, dimension_numbers, flags, mode, None)


def scatter_add(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Array:
    """Add updates to windows; arguments as those of `scatter`."""
    operands, flags = (operand, scatter_indices, updates), (indices_are_sorted, unique_indices)
    return _bind(
        scatter_add_p, operands, dimension_numbers, flags, mode, _combination(arithmetic.add, operand)
    )


def scatter_sub(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Array:
    """Subtract updates from windows; arguments as those of `scatter`."""
    operands, flags = (operand, scatter_indices, updates), (indices_are_sorted, unique_indices)
    return _bind(
        scatter_sub_p, operands, dimension_numbers, flags, mode, _combination(arithmetic.sub, operand)
    )


def scatter_mul(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Array:
    """Multiply windows by updates; arguments as those of `scatter`. Differentiable with unique_indices only."""
    operands, flags = (operand, scatter_indices, updates), (indices_are_sorted, unique_indices)
    return _bind(
        scatter_mul_p, operands, dimension_numbers, flags, mode, _combination(arithmetic.mul, operand)
    )


def scatter_min(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Array:
    """Take the smaller of window and update, element by element; arguments as those of `scatter`."""
    operands, flags = (operand, scatter_indices, updates), (indices_are_sorted, unique_indices)
    return _bind(
        scatter_min_p, operands, dimension_numbers, flags, mode, _combination(arithmetic.min, operand)
    )


def scatter_max(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Array:
    """Take the larger of window and update, element by element; arguments as those of `scatter`."""
    operands, flags = (operand, scatter_indices, updates), (indices_are_sorted, unique_indices)
    return _bind(
        scatter_max_p, operands, dimension_numbers, flags, mode, _combination(arithmetic.max, operand)
    )


def scatter_apply(
    operand: Any,
    scatter_indices: Any,
    func: Callable[[Any], Any],
    dimension_numbers: ScatterDimensionNumbers,
    *,
    update_shape: Sequence[int] = (),
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Array:
    """Replace the elements of windows by func(element), as often as they occur; not differentiable.

    update_shape is the shape that updates of `scatter` would have; otherwise arguments as there.
    """
    dtype = dtypes.dtype(operand)
    update = stage(lambda x, _: [func(x)], [ShapedArray((), dtype)] * 2)
    operands = (operand, scatter_indices, full(update_shape, 0, dtype))
    return _bind(scatter_p, operands, dimension_numbers, (indices_are_sorted, unique_indices), mode, update)


def _bind(
    prim: Primitive,
    operands: tuple[Any, Any, Any],
    dimension_numbers: ScatterDimensionNumbers,
    flags: tuple[bool, bool],
    mode: Any,
    update: ClosedJaxpr | None,
) -> Array:
    indices_are_sorted, unique_indices = flags
    return prim.bind(
        *operands,
        dimension_numbers=dimension_numbers,
        indices_are_sorted=bool(indices_are_sorted),
        unique_indices=bool(unique_indices),
        mode=GatherScatterMode.from_any(mode),
        update_jaxpr=None if update is None else update.jaxpr,
        update_consts=() if update is None else tuple(update.consts),
    )


def _combination(combine: Callable[..., Any], operand: Any) -> ClosedJaxpr:
    return _scalar_jaxpr(combine, dtypes.dtype(operand))


@functools.lru_cache(256)
def _scalar_jaxpr(combine: Callable[..., Any], dtype: Any) -> ClosedJaxpr:
    """How an element and its update are combined, as a jaxpr: it says so to a reader and to a compiler."""
    return stage(lambda x, y: [combine(x, y)], [ShapedArray((), dtype)] * 2)


# ----------------------------------------------------------------- evaluation


def _scatter_impl(write: Callable[..., None]) -> Callable[..., np.ndarray]:
    """The implementation that lets write(out, windows, updates, unique) change a copy of the operand."""

    def impl(
        x: np.ndarray,
        indices: np.ndarray,
        updates: np.ndarray,
        *,
        dimension_numbers: Any,
        mode: Any,
        **params: Any,
    ) -> np.ndarray:
        numbers = dimension_numbers
        removed = (*numbers.inserted_window_dims, *numbers.operand_batching_dims)
        windows = find_windows(
            x.shape,
            indices,
            _window_lengths(len(x.shape), updates.shape, numbers),
            numbers.scatter_dims_to_operand_dims,
            (numbers.operand_batching_dims, numbers.scatter_indices_batching_dims),
            removed,
            clip=mode is GatherScatterMode.CLIP,
        )
        kept = [d for d in range(x.ndim) if d not in removed]
        batch = [d for d in range(updates.ndim) if d not in numbers.update_window_dims]
        window = [numbers.update_window_dims[kept.index(d)] for d in windows.window_axes]
        windows, updates = windows.only_inside(updates.transpose((*batch, *window)))
        out = np.array(x, order="C")
        write(out, windows, updates, **params)
        return out

    return impl


def _window_lengths(rank: int, updates: Shape, numbers: ScatterDimensionNumbers) -> Shape:
    """The window's length along each operand axis, as the shape of the updates tells it."""
    removed = (*numbers.inserted_window_dims, *numbers.operand_batching_dims)
    lengths = iter([updates[d] for d in numbers.update_window_dims])
    return tuple([1 if d in removed else next(lengths) for d in range(rank)])


def _replace(
    out: np.ndarray, windows: Windows, updates: np.ndarray, *, update_jaxpr: Any, update_consts: Any, **_: Any
) -> None:
    if update_jaxpr is None:
        windows.view(out)[windows.index] = updates
    else:
        _apply(
            out.reshape(-1),
            windows.flat_positions(windows.view(out)).reshape(-1),
            update_jaxpr,
            update_consts,
        )


def _apply(flat: np.ndarray, places: np.ndarray, update_jaxpr: Jaxpr, update_consts: Any) -> None:
    """Apply the jaxpr to the elements at `places`; to those that occur k times, k times."""
    distinct, counts = np.unique(places, return_counts=True)
    for k in range(counts.max(initial=0)):
        chosen = distinct[counts > k]
        apply = batched(ClosedJaxpr(update_jaxpr, update_consts), len(chosen), (0, 0))
        with set_current_trace(EVAL):
            (new,) = apply(flat[chosen], flat[chosen])
        flat[chosen] = new._data


def _accumulate(ufunc: np.ufunc) -> Callable[..., None]:
    def write(out: np.ndarray, windows: Windows, updates: np.ndarray, **_: Any) -> None:
        # ufunc.at is fast on one axis with one index only, but there it is very fast.
        places = windows.flat_positions(windows.view(out))
        ufunc.at(out.reshape(-1), places.reshape(-1), updates.reshape(-1))

    return write


# ----------------------------------------------------------------- the primitives


def _scatter_shape(
    x: ShapedArray, indices: ShapedArray, updates: ShapedArray, *, dimension_numbers: Any, **_: Any
) -> Shape:
    if not indices.ndim:
        raise TypeError("scatter: the indices need an axis for the index vector, got indices of shape ().")
    numbers = dimension_numbers
    batching = (numbers.operand_batching_dims, numbers.scatter_indices_batching_dims)
    window_dims, to_operand = numbers.update_window_dims, numbers.scatter_dims_to_operand_dims
    if updates.ndim != indices.ndim - 1 + len(window_dims):
        raise TypeError(
            f"scatter: updates of shape {updates.shape} must have an axis for each one of the indices of shape "
            f"{indices.shape} but the last, and for each of the update_window_dims {window_dims}."
        )
    check_dims("scatter", "update_window_dims", window_dims, updates.ndim)
    check_dims("scatter", "inserted_window_dims", numbers.inserted_window_dims, x.ndim)
    check_dims("scatter", "scatter_dims_to_operand_dims", to_operand, x.ndim, ascending=False)
    check_batching("scatter", x.shape, indices.shape, batching, (*numbers.inserted_window_dims, *to_operand))
    if len(to_operand) != indices.shape[-1]:
        raise TypeError(
            f"scatter: the index vectors, along the last axis of the indices of shape {indices.shape}, must "
            f"have one entry for each dimension in scatter_dims_to_operand_dims {to_operand}."
        )
    _check_updates(x, indices, updates, numbers)
    return x.shape


def _check_updates(x: ShapedArray, indices: ShapedArray, updates: ShapedArray, numbers: Any) -> None:
    removed = (*numbers.inserted_window_dims, *numbers.operand_batching_dims)
    if x.ndim != len(numbers.update_window_dims) + len(removed):
        raise TypeError(
            f"scatter: each axis of the operand of shape {x.shape} must be either in the window of the updates "
            f"{numbers.update_window_dims} or inserted {numbers.inserted_window_dims} or a batching one "
            f"{numbers.operand_batching_dims}."
        )
    batch = tuple([n for d, n in enumerate(updates.shape) if d not in numbers.update_window_dims])
    if batch != indices.shape[:-1]:
        raise TypeError(
            f"scatter: outside of update_window_dims {numbers.update_window_dims} the updates of shape "
            f"{updates.shape} must have the shape of the indices, {indices.shape}, without the last axis."
        )
    if any(
        n > length for n, length in zip(_window_lengths(x.ndim, updates.shape, numbers), x.shape) if length
    ):
        raise TypeError(
            f"scatter: windows of updates of shape {updates.shape}, at the axes {numbers.update_window_dims}, "
            f"must not be longer than the operand of shape {x.shape}."
        )


def _scatter_dtype(x: ShapedArray, indices: ShapedArray, updates: ShapedArray, **_: Any) -> Any:
    check_integer_indices("scatter", indices)
    check_same_dtypes("scatter", (x, updates))
    return x.dtype


def _scatter_primitive(name: str, write: Callable[..., None]) -> Primitive:
    prim = standard(name, _scatter_impl(write), _scatter_shape, _scatter_dtype, first_weak)

    def batch(axis_size: int, args: Any, dims: Any, *, dimension_numbers: Any, **params: Any) -> Any:
        (x, indices, updates), (x_dim, indices_dim, updates_dim) = args, dims
        x = batch_axis_in_front(x, x_dim, axis_size)
        updates = batch_axis_in_front(updates, updates_dim, axis_size)
        numbers = ScatterDimensionNumbers(*map(shifted, dimension_numbers[:4]), dimension_numbers[4])
        if indices_dim is None:
            # The windows get one more axis, which reaches through the whole batch.
            numbers = numbers._replace(update_window_dims=(0, *numbers.update_window_dims))
        else:
            indices = move_axis(indices, indices_dim, 0)
            numbers = numbers._replace(
                operand_batching_dims=(0, *numbers.operand_batching_dims),
                scatter_indices_batching_dims=(0, *shifted(numbers.scatter_indices_batching_dims)),
            )
        return prim.bind(x, indices, updates, dimension_numbers=numbers, **params), 0

    prim.batch = batch
    return prim


scatter_p = _scatter_primitive("scatter", _replace)
scatter_add_p = _scatter_primitive("scatter-add", _accumulate(np.add))
scatter_sub_p = _scatter_primitive("scatter-sub", _accumulate(np.subtract))
scatter_mul_p = _scatter_primitive("scatter-mul", _accumulate(np.multiply))
scatter_min_p = _scatter_primitive("scatter-min", _accumulate(np.minimum))
scatter_max_p = _scatter_primitive("scatter-max", _accumulate(np.maximum))

# ----------------------------------------------------------------- gather and scatter are transposes


def _undo(x: Any, indices: Any, updates: Shape, numbers: ScatterDimensionNumbers, **options: Any) -> Array:
    """The gather from `x` of what a scatter with updates of this shape would write."""
    lengths = _window_lengths(np.ndim(x), updates, numbers)
    return gather(x, indices, GatherDimensionNumbers(*numbers), lengths, **options)


def _gather_transpose(
    ct: Any,
    x: Any,
    indices: Any,
    *,
    dimension_numbers: Any,
    unique_indices: bool,
    indices_are_sorted: bool,
    mode: Any,
    **_: Any,
) -> tuple[Any, None]:
    flags = {"unique_indices": unique_indices, "indices_are_sorted": indices_are_sorted}
    nothing = zeros(ShapedArray(x.aval.shape, ct.dtype))
    return scatter_add(
        nothing, indices, ct, ScatterDimensionNumbers(*dimension_numbers), **flags, mode=mode
    ), None


gather_p.transpose = _gather_transpose


def _shape_of(x: Any) -> Shape:
    """The shape of an argument of a transpose rule, linear or not."""
    return x.aval.shape if is_linear(x) else np.shape(x)


def _added_transpose(
    ct: Any, x: Any, indices: Any, updates: Any, *, dimension_numbers: Any, mode: Any, **_: Any
) -> Any:
    ct_updates = None
    if is_linear(updates):
        ct_updates = _undo(ct, indices, updates.aval.shape, dimension_numbers, mode=mode, fill_value=0)
    return (ct if is_linear(x) else None), None, ct_updates


def _subtracted_transpose(ct: Any, x: Any, indices: Any, updates: Any, **params: Any) -> Any:
    ct_x, _, ct_updates = _added_transpose(ct, x, indices, updates, **params)
    return ct_x, None, None if ct_updates is None else neg(ct_updates)


def_jointly_linear(scatter_add_p, _added_transpose, operands=(0, 2))
def_jointly_linear(scatter_sub_p, _subtracted_transpose, operands=(0, 2))

# ----------------------------------------------------------------- derivative of scatter


def _replaced_jvp(primals: Any, tangents: Any, **params: Any) -> tuple[Any, Any]:
    if params["update_jaxpr"] is not None:
        raise NotImplementedError(
            "scatter_apply has no derivative. Gather the elements, compute, and scatter them."
        )
    x, indices, updates = primals
    t, _, t_updates = map(instantiate, tangents)
    if params["unique_indices"]:
        return scatter_p.bind(x, indices, updates, **params), scatter_p.bind(t, indices, t_updates, **params)
    # Of overlapping updates one stays, and it alone may pass its tangent on. To find out which one it is
    # give each update a number, scatter the numbers, and look which of them can be gathered again.
    numbers = params["dimension_numbers"]
    ids_shape = [1 if d in numbers.update_window_dims else n for d, n in enumerate(np.shape(updates))]
    ids = add(
        reshape(iota(np.uint32, math.prod(ids_shape)), ids_shape), full(np.shape(updates), 1, np.uint32)
    )
    winners = scatter_p.bind(full(np.shape(x), 0, np.uint32), indices, ids, **params)
    survivors = _undo(winners, indices, np.shape(updates), numbers)

    def masked(x: Any, updates: Any) -> tuple[Any, Any]:
        kept = select(eq(winners, filled_like(winners, 0)), x, filled_like(x, 0))
        return kept, select(eq(ids, survivors), updates, filled_like(updates, 0))

    x, updates = masked(x, updates)
    t, t_updates = masked(t, t_updates)
    flags = {name: params[name] for name in ("indices_are_sorted", "unique_indices", "mode")}
    out = scatter_add(x, indices, updates, numbers, **flags)
    return out, scatter_add(t, indices, t_updates, numbers, **flags)


scatter_p.jvp = _replaced_jvp


def _replaced_transpose(
    ct: Any,
    x: Any,
    indices: Any,
    updates: Any,
    *,
    dimension_numbers: Any,
    mode: Any,
    unique_indices: bool,
    **params: Any,
) -> tuple[Any, None, Any]:
    if not unique_indices:
        raise NotImplementedError("scatter is linear, and can be transposed, with unique_indices=True only")
    shape, ct_x, ct_updates = _shape_of(updates), None, None
    if is_linear(x):
        params |= {"dimension_numbers": dimension_numbers, "mode": mode, "unique_indices": unique_indices}
        ct_x = scatter_p.bind(ct, indices, full(shape, 0, ct.dtype), **params)
    if is_linear(updates):
        ct_updates = _undo(ct, indices, shape, dimension_numbers, mode=mode, fill_value=0)
    return ct_x, None, ct_updates


scatter_p.transpose = _replaced_transpose


# ----------------------------------------------------------------- derivative of scatter_mul


def _multiplied_tangent(t: Any, x: Any, indices: Any, updates: Any, **params: Any) -> Any:
    """The tangent due to the updates."""
    _require_unique(params["unique_indices"])
    flags = {name: params[name] for name in ("indices_are_sorted", "unique_indices", "mode")}
    return mul(x, scatter_add(filled_like(x, 0), indices, t, params["dimension_numbers"], **flags))


def _require_unique(unique_indices: bool) -> None:
    if not unique_indices:
        raise NotImplementedError(
            "the derivative of scatter_mul with respect to its updates needs unique_indices=True: "
            "with indices that repeat it would depend on the other updates of the same element."
        )


def_jvp(
    scatter_mul_p,
    lambda t, x, i, u, **params: scatter_mul_p.bind(t, i, u, **params),
    None,
    _multiplied_tangent,
)


def _multiplied_transpose(
    ct: Any, x: Any, indices: Any, updates: Any, **params: Any
) -> tuple[Any, None, Any]:
    ct_x = ct_updates = None
    if is_linear(x):
        ct_x = scatter_mul_p.bind(ct, indices, updates, **params)
    if is_linear(updates):
        _require_unique(params["unique_indices"])
        numbers, mode = params["dimension_numbers"], params["mode"]
        ct_updates = _undo(mul(ct, x), indices, updates.aval.shape, numbers, mode=mode, fill_value=0)
    return ct_x, None, ct_updates


scatter_mul_p.transpose = _multiplied_transpose


# ----------------------------------------------------------------- derivative of scatter_min, scatter_max


def _extremal_tangent(
    out: Any,
    primals: Any,
    tangents: Any,
    *,
    dimension_numbers: Any,
    indices_are_sorted: bool,
    unique_indices: bool,
    mode: Any,
    **_: Any,
) -> Any:
    """Updates that reach the extremum share the tangent evenly, with the operand if it reaches it, too."""
    x, indices, updates = primals
    t, t_updates = materialize(tangents[0], x), materialize(tangents[2], updates)
    numbers = dimension_numbers

    def undo(x: Any) -> Any:
        return _undo(x, indices, np.shape(updates), numbers)

    before, after = undo(x), undo(out)
    reached, stayed = eq(updates, after), eq(before, after)
    nothing = filled_like(x, 0)
    winners = select(reached, filled_like(updates, 1), filled_like(updates, 0))
    n_winners = undo(scatter_add(nothing, indices, winners, numbers))
    n_updates = undo(scatter_add(filled_like(x, 0), indices, filled_like(updates, 1), numbers))
    one = like(n_winners, 1)
    share = select(stayed, div(one, add(n_winners, one)), div(one, n_winners))
    share_of_update = select(reached, share, filled_like(updates, 0))
    share_of_operand = select(stayed, div(one, add(n_winners, one)), filled_like(n_winners, 0))
    # The sum below starts with the operand's tangent and meets n_updates updates on the way.
    change = div(add(like(one, -1), share_of_operand), n_updates)
    terms = add(mul(undo(t), change), mul(t_updates, share_of_update))
    flags = {"indices_are_sorted": indices_are_sorted, "unique_indices": unique_indices, "mode": mode}
    return scatter_add(t, indices, terms, numbers, **flags)


def_joint_jvp(scatter_min_p, _extremal_tangent)
def_joint_jvp(scatter_max_p, _extremal_tangent)
