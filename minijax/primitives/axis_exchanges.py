"""Collectives that pass values along named axes: all_gather, psum_scatter, all_to_all, ppermute and its variants.

As with psum (`axis_reductions.py`), the batch rules do the work: along an axis that is one of the array, passing
values from example to example is moving the axes and elements of one array.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from minijax.array import Array
from minijax.batching import place_batch_axis
from minijax.core import Primitive, ShapedArray
from minijax.named_axes import axes_tuple, axis_length, collectives, is_axis_in
from minijax.primitives.arithmetic import mul
from minijax.primitives.axis_reductions import Axes, Groups, canonical_groups, group_size, in_groups, taken
from minijax.primitives.families import like
from minijax.primitives.shaping import (
    broadcast,
    canonical_axis,
    expand_dims,
    move_axis,
    reshape,
    squeeze,
    transpose,
)
from minijax.primitives.standard import def_linear, never_weak, standard
from minijax.primitives.sums import reduce_sum
from minijax.tree_util import tree_map

__all__ = ["all_gather", "all_to_all", "ppermute", "pshuffle", "psum_scatter", "pswapaxes"]

# ----------------------------------------------------------------- shared


def exchange(name: str, shape: Any, weak: Any = None) -> Primitive:
    """A collective that passes values along the named axes in its parameter `axis_name`."""

    def impl(*buffers: np.ndarray, axis_name: Any, **params: Any) -> NoReturn:
        raise NameError(f"{name}: the value does not come from inside of what maps over the axis {axis_name!r}.")

    def checked_shape(x: ShapedArray, *, axis_name: Any, **params: Any) -> tuple[int, ...]:
        axis_length(axes_tuple(axis_name))
        return shape(x, axis_name=axis_name, **params)

    prim = standard(name, impl, checked_shape, **({"weak": weak} if weak else {}))
    collectives[prim] = "axis_name"
    return prim


def _require_one_axis(name: str, axis_name: Any) -> None:
    if len(axes_tuple(axis_name)) > 1:
        raise NotImplementedError(
            f"{name} over several mapped axes at once, {axis_name}, is not supported. Apply it to one axis after the "
            "other."
        )


def _split_axis(x: Any, axis: int, parts: int) -> Any:
    """`x` with an axis in two: which part, and where in the part."""
    shape = np.shape(x)
    return reshape(x, (*shape[:axis], parts, shape[axis] // parts, *shape[axis + 1 :]))


def _fold_axis(x: Any, axis: int) -> Any:
    """`x` with an axis and the next one as one: the reverse of `_split_axis`."""
    shape = np.shape(x)
    return reshape(x, (*shape[:axis], shape[axis] * shape[axis + 1], *shape[axis + 2 :]))


# ----------------------------------------------------------------- all_gather


def all_gather(
    x: Any,
    axis_name: Any,
    *,
    axis_index_groups: Sequence[Sequence[int]] | None = None,
    axis: int = 0,
    tiled: bool = False,
    to: str = "varying",
) -> Any:
    """The values of each leaf of `x` at all places along a named axis, stacked along a new axis `axis`.

    With `tiled` they are concatenated along an axis that is there. `to` says what a mesh's type system shall
    think of the result; there is none here, and 'varying' and 'invarying' are the same.
    Raises NameError for a name that is not in scope.
    """
    if to not in ("varying", "invarying", "reduced"):
        raise ValueError(f"all_gather: to={to!r} is none of 'varying', 'invarying' and 'reduced'.")
    if to == "reduced" or to == "invarying" and axis_index_groups is not None:
        raise NotImplementedError(
            f"all_gather: to={to!r} is about meshes of devices and their types. Leave it out for vmap and pmap."
        )
    axes, groups = axis_name if isinstance(axis_name, tuple) else (axis_name,), canonical_groups(axis_index_groups)
    if not axes:
        return x
    size = group_size(axes, groups)

    def gather(leaf: Any) -> Array:
        place = canonical_axis(axis, np.ndim(leaf) + (not tiled))
        return all_gather_p.bind(
            leaf, all_gather_dimension=place, axis_name=axes, axis_index_groups=groups, axis_size=size, tiled=tiled
        )

    return tree_map(gather, x)


def _gather_shape(x: ShapedArray, *, all_gather_dimension: int, axis_size: int, tiled: bool, **params: Any) -> Any:
    shape = list(x.shape)
    if tiled:
        shape[all_gather_dimension] *= axis_size
    else:
        shape.insert(all_gather_dimension, axis_size)
    return tuple(shape)


all_gather_p = exchange("all_gather", _gather_shape)


def _gather_transpose(
    ct: Any, x: ShapedArray, *, all_gather_dimension: int, axis_name: Axes, axis_index_groups: Groups, **params: Any
) -> Any:
    return psum_scatter(
        ct,
        axis_name,
        scatter_dimension=all_gather_dimension,
        axis_index_groups=axis_index_groups,
        tiled=params["tiled"],
    )


def_linear(all_gather_p, _gather_transpose)


def _gather_batch(size: int, args: Any, dims: Any, *, all_gather_dimension: int, **params: Any) -> Any:
    (x,), (dim,) = args, dims
    place, tiled = all_gather_dimension, params["tiled"]
    if not is_axis_in(size, params["axis_name"]):
        if dim is not None:
            place, dim = (place + 1, dim) if dim <= place else (place, dim + (not tiled))
        return all_gather_p.bind(x, all_gather_dimension=place, **params), dim
    _require_one_axis("all_gather", params["axis_name"])
    groups = params.pop("axis_index_groups")
    if groups is not None:
        return in_groups(all_gather_p, size, x, dim, groups, {"all_gather_dimension": place, **params})
    y = place_batch_axis(x, dim, place, size)
    return _fold_axis(y, place) if tiled else y, None


all_gather_p.batch = _gather_batch

# ----------------------------------------------------------------- psum_scatter


def psum_scatter(
    x: Any,
    axis_name: Any,
    *,
    scatter_dimension: int = 0,
    axis_index_groups: Sequence[Sequence[int]] | None = None,
    tiled: bool = False,
) -> Any:
    """The sum of each leaf of `x` over a named axis, of which each place keeps one slice along scatter_dimension.

    That axis is as long as the named one and disappears; with `tiled` it is a multiple of it and each place keeps
    one part. Raises NameError for a name that is not in scope, ValueError for lengths that do not fit.
    """
    axes, groups = axis_name if isinstance(axis_name, tuple) else (axis_name,), canonical_groups(axis_index_groups)
    if not axes:
        return x
    size = group_size(axes, groups)

    def scatter(leaf: Any) -> Array:
        _check_scatter(np.shape(leaf), scatter_dimension, size, tiled)
        return reduce_scatter_p.bind(
            leaf,
            axis_name=axes,
            scatter_dimension=scatter_dimension,
            axis_index_groups=groups,
            axis_size=size,
            tiled=tiled,
        )

    return tree_map(scatter, x)


def _check_scatter(shape: tuple[int, ...], dimension: int, size: int, tiled: bool) -> None:
    if not 0 <= dimension < len(shape):
        raise ValueError(
            f"psum_scatter: scatter_dimension {dimension} is out of bounds for an operand of shape {shape}. It must "
            f"lie between 0 and {len(shape) - 1}."
        )
    length = shape[dimension]
    if length % size if tiled else length != size:
        raise ValueError(
            f"psum_scatter: axis {dimension} of the operand of shape {shape} has length {length}, which must be "
            f"{'a multiple of' if tiled else 'equal to'} the length {size} of the named axis. Pad the operand, or "
            f"{'scatter another axis' if tiled else 'set tiled=True for longer axes'}."
        )


def _scatter_shape(x: ShapedArray, *, scatter_dimension: int, axis_size: int, tiled: bool, **params: Any) -> Any:
    _check_scatter(x.shape, scatter_dimension, axis_size, tiled)
    before, after = x.shape[:scatter_dimension], x.shape[scatter_dimension + 1 :]
    return (*before, *((x.shape[scatter_dimension] // axis_size,) if tiled else ()), *after)


reduce_scatter_p = exchange("reduce_scatter", _scatter_shape)


def _scatter_transpose(
    ct: Any, x: ShapedArray, *, scatter_dimension: int, axis_name: Axes, axis_index_groups: Groups, **params: Any
) -> Any:
    return all_gather(ct, axis_name, axis_index_groups=axis_index_groups, axis=scatter_dimension, tiled=params["tiled"])


def_linear(reduce_scatter_p, _scatter_transpose)


def _scatter_batch(size: int, args: Any, dims: Any, *, scatter_dimension: int, **params: Any) -> Any:
    (x,), (dim,) = args, dims
    place, tiled = scatter_dimension, params["tiled"]
    if not is_axis_in(size, params["axis_name"]):
        if dim is not None:
            place, dim = (place + 1, dim) if dim <= place else (place, dim - (not tiled))
        return reduce_scatter_p.bind(x, scatter_dimension=place, **params), dim
    _require_one_axis("psum_scatter", params["axis_name"])
    groups = params.pop("axis_index_groups")
    if groups is not None:
        return in_groups(reduce_scatter_p, size, x, dim, groups, {"scatter_dimension": place, **params})
    total = mul(x, like(x, int(size))) if dim is None else reduce_sum(x, (dim,))
    return _split_axis(total, place, size) if tiled else total, place


reduce_scatter_p.batch = _scatter_batch

# ----------------------------------------------------------------- all_to_all


def all_to_all(
    x: Any,
    axis_name: Any,
    split_axis: int,
    concat_axis: int,
    *,
    axis_index_groups: Sequence[Sequence[int]] | None = None,
    tiled: bool = False,
) -> Any:
    """Map each leaf of `x` along split_axis instead of the named axis, which becomes the axis concat_axis.

    The place j along the named axis gets the j-th slice of each of the others. split_axis is as long as the named
    axis and disappears; with `tiled` it is a multiple of it, its parts are sent, and those received are concatenated
    along concat_axis. Raises NameError for a name that is not in scope, ValueError for lengths that do not fit.
    """
    groups = canonical_groups(axis_index_groups)
    size = group_size(axis_name, groups)
    return tree_map(lambda leaf: _exchange_leaf(leaf, axis_name, split_axis, concat_axis, groups, size, tiled), x)


def _exchange_leaf(x: Any, axis_name: Any, split: int, concat: int, groups: Groups, size: int, tiled: bool) -> Array:
    shape = np.shape(x)
    for name, axis in (("split_axis", split), ("concat_axis", concat)):
        if not 0 <= axis < len(shape):
            raise ValueError(f"all_to_all: {name} {axis} is out of bounds for an operand of shape {shape}.")
    if shape[split] % size if tiled else shape[split] != size:
        raise ValueError(
            f"all_to_all: the axis {split} of the operand of shape {shape}, which is split, has length "
            f"{shape[split]}. It must {'be a multiple of' if tiled else 'equal'} the length {size} of the axis "
            f"{axis_name!r}."
        )
    moves = not tiled and split != concat
    if moves:
        # concat_axis counts in the result, where the axis that is split is gone.
        concat, split = (concat + 1, split) if split < concat else (concat, split + 1)
        x = expand_dims(x, (concat,))
    out = all_to_all_p.bind(
        x, split_axis=split, concat_axis=concat, axis_name=axis_name, axis_index_groups=groups, tiled=tiled
    )
    return squeeze(out, (split,)) if moves else out


def _exchange_shape(
    x: ShapedArray, *, axis_name: Any, split_axis: int, concat_axis: int, axis_index_groups: Groups, tiled: bool
) -> tuple[int, ...]:
    size, shape = group_size(axis_name, axis_index_groups), list(x.shape)
    shape[split_axis] //= size
    shape[concat_axis] *= size
    return tuple(shape)


all_to_all_p = exchange("all_to_all", _exchange_shape, never_weak)
def_linear(
    all_to_all_p,
    lambda ct, x, *, split_axis, concat_axis, **params: all_to_all_p.bind(
        ct, split_axis=concat_axis, concat_axis=split_axis, **params
    ),
)


def _exchange_batch(size: int, args: Any, dims: Any, *, split_axis: int, concat_axis: int, **params: Any) -> Any:
    (x,), (dim,) = args, dims
    axes = axes_tuple(params["axis_name"])
    if not is_axis_in(size, axes):
        if dim is not None:
            split_axis, concat_axis = split_axis + (dim <= split_axis), concat_axis + (dim <= concat_axis)
        return all_to_all_p.bind(x, split_axis=split_axis, concat_axis=concat_axis, **params), dim
    groups = params.pop("axis_index_groups")
    if groups is not None:
        _require_one_axis("all_to_all", axes)
        return in_groups(
            all_to_all_p, size, x, dim, groups, {"split_axis": split_axis, "concat_axis": concat_axis, **params}
        )
    if dim is None:
        x, dim = broadcast(x, (size,)), 0
    if len(axes) > 1:
        return _exchange_among_several(size, move_axis(x, dim, 0), split_axis, concat_axis, axes, params["tiled"])
    if split_axis == concat_axis:
        axis = split_axis + (dim <= split_axis)
        x, mine = _split_axis(x, axis, size), dim + (axis <= dim)
        return _fold_axis(_swapped(x, mine, axis), axis), dim
    return _split_axis(_fold_axis(move_axis(x, dim, concat_axis), concat_axis), split_axis, size), split_axis


def _swapped(x: Any, a: int, b: int) -> Any:
    order = list(range(np.ndim(x)))
    order[a], order[b] = b, a
    return transpose(x, order)


def _exchange_among_several(size: int, x: Any, split: int, concat: int, axes: Axes, tiled: bool) -> tuple[Any, int]:
    """One of several axes is batched, in front of `x`; those named before it are major ones, the others minor.

    What is received is gathered in three leading axes: from major, this one's and minor places.
    """
    mine = next(i for i, axis in enumerate(axes) if is_axis_in(size, (axis,)))
    major, minor = axes[:mine], axes[mine + 1 :]
    x, split, concat = expand_dims(x, (0, 2)), split + 3, concat + 3

    def exchanged(x: Any, names: Axes, split: int, place: int) -> Any:
        return all_to_all_p.bind(
            x, axis_name=names, split_axis=split, concat_axis=place, axis_index_groups=None, tiled=tiled
        )

    if major:
        x = exchanged(x, major, split, 0)
    x, batch = _split_axis(x, split, size), split
    split, concat = split + 1, concat + (split <= concat)
    if minor:
        x = exchanged(x, minor, split, 2)
    received = _fold_axis(_fold_axis(x, 0), 0)
    return _fold_axis(move_axis(received, 0, concat - 3), concat - 3), batch - 3


all_to_all_p.batch = _exchange_batch


def pswapaxes(x: Any, axis_name: Any, axis: int, *, axis_index_groups: Sequence[Sequence[int]] | None = None) -> Any:
    """Exchange the named axis with the axis `axis` of each leaf of `x`, which is as long."""
    return all_to_all(x, axis_name, axis, axis, axis_index_groups=axis_index_groups)


# ----------------------------------------------------------------- ppermute, pshuffle


def ppermute(x: Any, axis_name: Any, perm: Sequence[tuple[int, int]]) -> Any:
    """Send each leaf of `x` along a named axis by pairs (source, destination); who is sent nothing gets zeros.

    Raises NameError for a name that is not in scope, ValueError for a source or destination named twice.
    """
    axes, pairs = axes_tuple(axis_name), tuple([tuple(pair) for pair in perm])
    return tree_map(lambda leaf: ppermute_p.bind(leaf, axis_name=axes, perm=pairs), x)


ppermute_p = exchange("ppermute", lambda x, *, axis_name, perm: x.shape)
def_linear(ppermute_p, lambda ct, x, *, axis_name, perm: ppermute(ct, axis_name, [(end, start) for start, end in perm]))


def _permute_batch(size: int, args: Any, dims: Any, *, axis_name: Axes, perm: tuple[tuple[int, int], ...]) -> Any:
    (x,), (dim,) = args, dims
    others = tuple([axis for axis in axis_name if not is_axis_in(size, (axis,))])
    if others or not axis_name:
        return ppermute_p.bind(x, axis_name=others, perm=perm), dim
    sources = np.full(size, size)  # past the end: nobody sends anything
    _check_permutation(perm, size)
    for start, end in perm:
        sources[end] = start
    if dim is None:
        if len(perm) == size:
            return x, None
        x, dim = broadcast(x, (size,)), 0
    return taken(x, sources, dim), dim


def _check_permutation(perm: tuple[tuple[int, int], ...], size: int) -> None:
    for what, places in (("sources", [start for start, _ in perm]), ("destinations", [end for _, end in perm])):
        if len(set(places)) != len(places):
            raise ValueError(f"ppermute: sources and destinations must be unique, but the {what} are {places}.")
        if any(not 0 <= i < size for i in places):
            raise IndexError(f"ppermute: the {what} {places} must lie between 0 and {size - 1}.")


ppermute_p.batch = _permute_batch


def pshuffle(x: Any, axis_name: Any, perm: Sequence[int]) -> Any:
    """Permute each leaf of `x` along a named axis: the place i gets what was at perm[i].

    Raises ValueError unless `perm` holds each place once.
    """
    if set(perm) != set(range(len(perm))):
        raise ValueError(f"pshuffle: {perm} is not a permutation: it must hold each of 0..{len(perm) - 1} once.")
    return ppermute(x, axis_name, list(zip(perm, range(len(perm)))))
