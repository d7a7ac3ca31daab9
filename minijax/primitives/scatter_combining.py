"""scatter_add, scatter_sub, scatter_mul, scatter_min, scatter_max: windows are combined with updates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minijax.array import Array
from minijax.core import ShapedArray, is_linear
from minijax.primitives import arithmetic
from minijax.primitives.arithmetic import add, div, mul, neg
from minijax.primitives.comparison import eq
from minijax.primitives.families import (
    def_joint_jvp,
    def_jointly_linear,
    def_jvp,
    filled_like,
    like,
    materialize,
    zeros,
)
from minijax.primitives.indexing import gather_p
from minijax.primitives.scattering import (
    ScatterDimensionNumbers,
    bind_scatter,
    combination,
    gather_back,
    scatter_primitive,
)
from minijax.primitives.selection import select
from minijax.primitives.windows import GatherScatterMode, Windows

__all__ = ["scatter_add", "scatter_max", "scatter_min", "scatter_mul", "scatter_sub"]


def _accumulate(ufunc: np.ufunc) -> Callable[..., None]:
    def write(out: np.ndarray, windows: Windows, updates: np.ndarray, **_: Any) -> None:
        # ufunc.at is fast on one axis with one index only, but there it is very fast.
        places = windows.flat_positions(windows.view(out))
        ufunc.at(out.reshape(-1), places.reshape(-1), updates.reshape(-1))

    return write


# ----------------------------------------------------------------- scatter_add


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
    return bind_scatter(
        scatter_add_p,
        (operand, scatter_indices, updates),
        dimension_numbers,
        (indices_are_sorted, unique_indices),
        mode,
        combination(arithmetic.add, operand),
    )


scatter_add_p = scatter_primitive("scatter-add", _accumulate(np.add), np.add.at)


def _added_transpose(
    ct: Any, x: Any, indices: Any, updates: Any, *, dimension_numbers: Any, mode: Any, **_: Any
) -> Any:
    ct_updates = None
    if is_linear(updates):
        ct_updates = gather_back(ct, indices, updates.aval.shape, dimension_numbers, mode=mode, fill_value=0)
    return (ct if is_linear(x) else None), None, ct_updates


def_jointly_linear(scatter_add_p, _added_transpose, operands=(0, 2))


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
    """What was gathered from one place is added up there."""
    flags = {"unique_indices": unique_indices, "indices_are_sorted": indices_are_sorted, "mode": mode}
    nothing = zeros(ShapedArray(x.aval.shape, ct.dtype))
    return scatter_add(nothing, indices, ct, ScatterDimensionNumbers(*dimension_numbers), **flags), None


gather_p.transpose = _gather_transpose


# ----------------------------------------------------------------- scatter_sub


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
    return bind_scatter(
        scatter_sub_p,
        (operand, scatter_indices, updates),
        dimension_numbers,
        (indices_are_sorted, unique_indices),
        mode,
        combination(arithmetic.sub, operand),
    )


scatter_sub_p = scatter_primitive("scatter-sub", _accumulate(np.subtract), np.subtract.at)


def _subtracted_transpose(ct: Any, x: Any, indices: Any, updates: Any, **params: Any) -> Any:
    ct_x, _, ct_updates = _added_transpose(ct, x, indices, updates, **params)
    return ct_x, None, None if ct_updates is None else neg(ct_updates)


def_jointly_linear(scatter_sub_p, _subtracted_transpose, operands=(0, 2))


# ----------------------------------------------------------------- scatter_mul


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
    """Multiply windows by updates; arguments as those of `scatter`. Derivatives need unique_indices."""
    return bind_scatter(
        scatter_mul_p,
        (operand, scatter_indices, updates),
        dimension_numbers,
        (indices_are_sorted, unique_indices),
        mode,
        combination(arithmetic.mul, operand),
    )


scatter_mul_p = scatter_primitive("scatter-mul", _accumulate(np.multiply), np.multiply.at)


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


def _multiplied_transpose(ct: Any, x: Any, indices: Any, updates: Any, **params: Any) -> tuple[Any, None, Any]:
    ct_x = ct_updates = None
    if is_linear(x):
        ct_x = scatter_mul_p.bind(ct, indices, updates, **params)
    if is_linear(updates):
        _require_unique(params["unique_indices"])
        numbers, mode = params["dimension_numbers"], params["mode"]
        ct_updates = gather_back(mul(ct, x), indices, updates.aval.shape, numbers, mode=mode, fill_value=0)
    return ct_x, None, ct_updates


scatter_mul_p.transpose = _multiplied_transpose


# ----------------------------------------------------------------- scatter_min, scatter_max


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
    return bind_scatter(
        scatter_min_p,
        (operand, scatter_indices, updates),
        dimension_numbers,
        (indices_are_sorted, unique_indices),
        mode,
        combination(arithmetic.min, operand),
    )


scatter_min_p = scatter_primitive("scatter-min", _accumulate(np.minimum), np.minimum.at)


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
    return bind_scatter(
        scatter_max_p,
        (operand, scatter_indices, updates),
        dimension_numbers,
        (indices_are_sorted, unique_indices),
        mode,
        combination(arithmetic.max, operand),
    )


scatter_max_p = scatter_primitive("scatter-max", _accumulate(np.maximum), np.maximum.at)


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
        return gather_back(x, indices, np.shape(updates), numbers)

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
