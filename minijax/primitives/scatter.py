"""scatter: windows of an array replaced by updates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.batching import batched
from minijax.core import EVAL, ShapedArray, is_linear, set_current_trace
from minijax.jaxpr import ClosedJaxpr, Jaxpr, stage
from minijax.primitives.arithmetic import add
from minijax.primitives.comparison import eq
from minijax.primitives.creation import full, iota
from minijax.primitives.families import filled_like, instantiate, operand_shape
from minijax.primitives.scatter_combining import scatter_add
from minijax.primitives.scattering import (
    ScatterDimensionNumbers,
    bind_scatter,
    gather_back,
    scatter_primitive,
)
from minijax.primitives.selection import select
from minijax.primitives.shaping import reshape
from minijax.primitives.windows import GatherScatterMode, Windows

__all__ = ["scatter", "scatter_apply"]


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
    return bind_scatter(
        scatter_p,
        (operand, scatter_indices, updates),
        dimension_numbers,
        (indices_are_sorted, unique_indices),
        mode,
        None,
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
    update = stage(lambda x, _: [_new_element(func(x), dtype)], [ShapedArray((), dtype)] * 2)
    operands = (operand, scatter_indices, full(update_shape, 0, dtype))
    flags = (indices_are_sorted, unique_indices)
    return bind_scatter(scatter_p, operands, dimension_numbers, flags, mode, update)


def _new_element(value: Any, dtype: Any) -> Any:
    """What `func` of scatter_apply gave for one element. ValueError unless it can take the element's place."""
    if value is None or isinstance(value, list | tuple | dict) or np.shape(value) or dtypes.dtype(value) != dtype:
        raise ValueError(
            f"scatter_apply: func must give one {dtype} number for one, got {value!r}. "
            "Convert its result, for example with .astype(x.dtype)."
        )
    return value


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


scatter_p = scatter_primitive("scatter", _replace)


def _replaced_jvp(primals: Any, tangents: Any, **params: Any) -> tuple[Any, Any]:
    if params["update_jaxpr"] is not None:
        raise NotImplementedError("scatter_apply has no derivative. Gather the elements, compute, and scatter them.")
    x, indices, updates = primals
    t, t_updates = instantiate(tangents[0]), instantiate(tangents[2])
    if params["unique_indices"]:
        return scatter_p.bind(x, indices, updates, **params), scatter_p.bind(t, indices, t_updates, **params)
    # Of overlapping updates one stays, and it alone may pass its tangent on. To find out which one it is
    # give each update a number, scatter the numbers, and look which of them can be gathered again.
    numbers = params["dimension_numbers"]
    ids_shape = [1 if d in numbers.update_window_dims else n for d, n in enumerate(np.shape(updates))]
    ids = add(reshape(iota(np.uint32, math.prod(ids_shape)), ids_shape), full(np.shape(updates), 1, np.uint32))
    winners = scatter_p.bind(full(np.shape(x), 0, np.uint32), indices, ids, **params)
    survivors = gather_back(winners, indices, np.shape(updates), numbers)

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
    shape, ct_x, ct_updates = operand_shape(updates), None, None
    if is_linear(x):
        params |= {"dimension_numbers": dimension_numbers, "mode": mode, "unique_indices": unique_indices}
        ct_x = scatter_p.bind(ct, indices, full(shape, 0, ct.dtype), **params)
    if is_linear(updates):
        ct_updates = gather_back(ct, indices, shape, dimension_numbers, mode=mode, fill_value=0)
    return ct_x, None, ct_updates


scatter_p.transpose = _replaced_transpose
