"""Collectives that combine the values along named axes: psum, pmax, pmin; and an example's place, axis_index.

Outside of differentiation and batching they only stand in jaxprs. Their batch rules do the work: where the batch axis
is the one that is named, psum over a name becomes a sum over that axis of the array.

    vmap(lambda x: psum(x, "i"), axis_name="i")    is    x -> psum(x, axes=(0,))

An axis that is an int is one of the array itself, and a psum over such axes alone is evaluated like reduce_sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.batching import batched, place_batch_axis
from minijax.core import NOT_LINEAR, Primitive, ShapedArray, Tracer, as_operand
from minijax.named_axes import axes_tuple, axis_length, collectives, is_axis_in
from minijax.primitives.arithmetic import mul
from minijax.primitives.conversion import convert_element_type
from minijax.primitives.creation import iota
from minijax.primitives.families import def_not_differentiable, like
from minijax.primitives.joining import concatenate
from minijax.primitives.reductions import reduce_max_p, reduce_min_p
from minijax.primitives.shaping import broadcast_in_dim, canonical_axis, move_axis
from minijax.primitives.standard import def_linear, never_weak, standard
from minijax.primitives.sums import reduce_sum, reduce_sum_p, reduced_shape
from minijax.tree_util import tree_map

__all__ = ["axis_index", "axis_size", "pmax", "pmean", "pmin", "psum"]

Axes = tuple[Any, ...]
Groups = tuple[tuple[int, ...], ...] | None

# ----------------------------------------------------------------- groups of places along an axis


def canonical_groups(groups: Sequence[Sequence[int]] | None) -> Groups:
    """The groups as tuples. Raises ValueError unless each place along the axis is in exactly one."""
    if groups is None:
        return None
    groups = tuple([tuple(group) for group in groups])
    places = [i for group in groups for i in group]
    if sorted(places) != list(range(len(places))):
        raise ValueError(
            f"axis_index_groups must cover all indices exactly once, got {groups}. For an axis of length 4 write, "
            "for example, [[0, 1], [2, 3]]."
        )
    return groups


def group_size(axes: Any, groups: Groups) -> int:
    """How many values are combined: those of a group, or all along the named axes. NameError for unknown names."""
    return axis_length(axes_tuple(axes)) if groups is None else len(groups[0])


def in_groups(prim: Primitive, axis_size: int, x: Any, dim: int | None, groups: Groups, params: dict) -> Any:
    """`prim` within each group of places along an axis of pmap, one group after the other.

    Raises NotImplementedError for an axis of vmap, as JAX does.
    """
    if not axis_size.on_devices:
        raise NotImplementedError(
            f"axis_index_groups are not supported in vmap collectives, here {prim.name} over the axis "
            f"{axis_size.name!r}. Use jax.pmap, or a vmap for each part: reshape the axis into (groups, members)."
        )
    order = [i for group in groups for i in group]
    if len(order) != axis_size:
        raise ValueError(
            f"{prim.name}: axis_index_groups {groups} are about {len(order)} places, but the axis "
            f"{axis_size.name!r} has length {axis_size}."
        )
    if collectives[prim] == "axis_name" and len({len(group) for group in groups}) > 1:
        raise ValueError(f"{prim.name}: the groups {groups} must have one size, since results have one shape.")
    x = place_batch_axis(x, dim, 0, axis_size)
    parts = []
    for group in groups:
        call = batched(lambda v: [prim.bind(v, axis_index_groups=None, **params)], axis_size.resized(len(group)), [0])
        parts += call(taken(x, group, 0))
    return taken(concatenate(parts, 0), np.argsort(order), 0), 0


def taken(x: Any, places: Sequence[int], axis: int) -> Array:
    """The slices of `x` at these places along an axis. A place past the end gives zeros."""
    places, operand = np.asarray(places, np.int32), as_operand(x)
    if places.size and places.max() >= operand.shape[axis]:
        return operand.take(places, axis, mode="fill", fill_value=0)
    return operand.take(places, axis)


# ----------------------------------------------------------------- psum, pmean


def psum(x: Any, axis_name: Any, *, axis_index_groups: Sequence[Sequence[int]] | None = None) -> Any:
    """The sum of each leaf of `x` over the named axes (one name or several); booleans are counted.

    A constant, the same everywhere, is multiplied by the axis's length: psum(1, name) is that length, an int. An
    int among the names is an axis of the array. With groups of places along the axis, each has its own sum.
    Raises NameError for a name that is not in scope.
    """
    axes = axes_tuple(axis_name)
    groups = _checked_groups(axes, axis_index_groups)
    return tree_map(lambda leaf: _psum_leaf(leaf, axes, groups), x) if axes else x


def _checked_groups(axes: Axes, groups: Sequence[Sequence[int]] | None) -> Groups:
    if groups is not None and any(isinstance(axis, int) for axis in axes):
        raise ValueError(
            f"axis_index_groups are for named axes only, but the axes are {axes}. Reduce over the axes of the array "
            "by a call of its own."
        )
    return canonical_groups(groups)


def _psum_leaf(x: Any, axes: Axes, groups: Groups) -> Any:
    if dtypes.dtype(x) == np.bool_:
        x = convert_element_type(x, np.dtype(np.int32))
    if isinstance(x, Tracer):
        return psum_p.bind(x, axes=axes, axis_index_groups=groups)
    size = group_size(_names(axes), groups)
    positions = [canonical_axis(axis, np.ndim(x)) for axis in axes if isinstance(axis, int)]
    if positions:
        x = reduce_sum(x, positions)
    return _constant(x, size) * x


def _constant(x: Any, value: int) -> Any:
    """`value` beside a constant `x`: numbers of Python and arrays of NumPy stay what they are."""
    return type(x)(value) if type(x) in (int, float, complex) else dtypes.dtype(x).type(value)


def _names(axes: Axes) -> Axes:
    return tuple([axis for axis in axes if not isinstance(axis, int)])


def _positions(axes: Axes) -> tuple[int, ...]:
    return tuple([axis for axis in axes if isinstance(axis, int)])


def _reduction(name: str, reducer: Primitive) -> Primitive:
    """psum, pmax or pmin, which over axes of the array alone are the `reducer`."""

    def shape(x: ShapedArray, *, axes: Axes, axis_index_groups: Groups) -> tuple[int, ...]:
        axis_length(_names(axes))
        return reduced_shape(x, axes=_positions(axes))

    def impl(x: np.ndarray, *, axes: Axes, axis_index_groups: Groups) -> np.ndarray:
        _require_positions(name, axes)
        return reducer.impl(x, axes=axes)

    def evaluate(x: Any, *, axes: Axes, axis_index_groups: Groups) -> Array:
        _require_positions(name, axes)
        return reducer.evaluate(x, axes=axes)

    def dtype(x: ShapedArray, **params: Any) -> Any:
        return reducer.rule("shape_rule")(x, axes=()).dtype

    prim = standard(name, impl, shape, dtype, never_weak)
    prim.evaluate = evaluate
    prim.batch = lambda axis_size, args, dims, **params: _batch_reduction(prim, axis_size, *args, *dims, **params)
    collectives[prim] = "axes"
    return prim


def _require_positions(name: str, axes: Axes) -> None:
    """Values are combined by whatever maps over the axis; none of these is around where arrays are evaluated."""
    names = _names(axes)
    if names:
        axis_length(names)
        raise NameError(f"{name} over {names}: the value does not come from inside of what maps over this axis.")


def _batch_reduction(
    prim: Primitive, axis_size: int, x: Any, dim: int | None, *, axes: Axes, axis_index_groups: Groups
) -> Any:
    mine = is_axis_in(axis_size, axes)
    if mine and axis_index_groups is not None:
        return in_groups(prim, axis_size, x, dim, axis_index_groups, {"axes": axes})
    if not mine and not _positions(axes):
        return prim.bind(x, axes=axes, axis_index_groups=axis_index_groups), dim
    if dim is None:
        return _reduce_shared(prim, axis_size, x, axes), None
    x = move_axis(x, dim, 0)
    axes = tuple([_axis_behind_batch(axis) if not is_axis_in(axis_size, [axis]) else 0 for axis in axes])
    return prim.bind(x, axes=axes, axis_index_groups=None), None if mine else 0


def _axis_behind_batch(axis: Any) -> Any:
    return axis + 1 if isinstance(axis, int) and axis >= 0 else axis


def _reduce_shared(prim: Primitive, axis_size: int, x: Any, axes: Axes) -> Any:
    """A value that all examples share, over this axis and others: its own extremum, and `axis_size` times in a sum."""
    others = tuple([axis for axis in axes if not is_axis_in(axis_size, [axis])])
    if others:
        x = prim.bind(x, axes=others, axis_index_groups=None)
    return mul(like(x, int(axis_size)), x) if prim is psum_p else x


psum_p = _reduction("psum", reduce_sum_p)


def _psum_transpose(ct: Any, x: ShapedArray, *, axes: Axes, axis_index_groups: Groups) -> Any:
    """Every place gets the sum, so that the cotangents of all places come back to each of them."""
    positions = _positions(axes)
    if positions:
        ct = broadcast_in_dim(ct, x.shape, [d for d in range(x.ndim) if d not in positions])
    return psum_p.bind(ct, axes=_names(axes), axis_index_groups=axis_index_groups)


def_linear(psum_p, _psum_transpose)


def pmean(x: Any, axis_name: Any, *, axis_index_groups: Sequence[Sequence[int]] | None = None) -> Any:
    """The mean of each leaf of `x` over the named axes, or within groups of places along them."""
    total = psum(x, axis_name, axis_index_groups=axis_index_groups)
    size = group_size(axis_name, canonical_groups(axis_index_groups))
    return tree_map(lambda leaf: leaf / size, total)


# ----------------------------------------------------------------- pmax, pmin


def pmax(x: Any, axis_name: Any, *, axis_index_groups: Sequence[Sequence[int]] | None = None) -> Any:
    """The largest value of each leaf of `x` along the named axes, element by element. It has no derivative."""
    return _extremum(pmax_p, x, axis_name, axis_index_groups)


def pmin(x: Any, axis_name: Any, *, axis_index_groups: Sequence[Sequence[int]] | None = None) -> Any:
    """The smallest value of each leaf of `x` along the named axes, element by element. It has no derivative."""
    return _extremum(pmin_p, x, axis_name, axis_index_groups)


def _extremum(prim: Primitive, x: Any, axis_name: Any, groups: Sequence[Sequence[int]] | None) -> Any:
    axes = axes_tuple(axis_name)
    groups = _checked_groups(axes, groups)
    return tree_map(lambda leaf: prim.bind(leaf, axes=axes, axis_index_groups=groups), x)


pmax_p = _reduction("pmax", reduce_max_p)
pmin_p = _reduction("pmin", reduce_min_p)
pmax_p.transpose = pmin_p.transpose = NOT_LINEAR
def_not_differentiable(pmax_p, pmin_p)

# ----------------------------------------------------------------- axis_index, axis_size


def axis_index(axis_name: Any) -> Array:
    """The place of this example along a named axis, int32; along several, counted like digits, the last one fastest.

    Raises NameError for a name that is not in scope.
    """
    if not isinstance(axis_name, tuple | list):
        return axis_index_p.bind(axis_name=axis_name)
    index, inner = 0, 1
    for name in reversed(axis_name):
        index = index + axis_index(name) * inner
        inner *= axis_size(name)
    return as_operand(index)


def axis_size(axis_name: Any) -> int:
    """The length of a named axis, or the product of several. Raises NameError for a name that is not in scope."""
    return axis_length(axes_tuple(axis_name))


def _index_shape(*, axis_name: Any) -> tuple[int, ...]:
    axis_length((axis_name,))
    return ()


def _index_impl(*, axis_name: Any) -> np.ndarray:
    raise NameError(f"axis_index: what maps over the axis {axis_name!r} is not around here.")


axis_index_p = standard("axis_index", _index_impl, _index_shape, lambda *, axis_name: np.dtype(np.int32), never_weak)
# It has no operands, so that nothing can be differentiated.
axis_index_p.jvp = lambda primals, tangents, *, axis_name: axis_index_p.bind(axis_name=axis_name)
collectives[axis_index_p] = "axis_name"


def _index_batch(axis_size: int, args: Any, dims: Any, *, axis_name: Any) -> Any:
    if is_axis_in(axis_size, (axis_name,)):
        return iota(np.int32, int(axis_size)), 0
    return axis_index_p.bind(axis_name=axis_name), None


axis_index_p.batch = _index_batch
