"""Joining arrays along an axis, and splitting them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import lax
from minijax.array import Array
from minijax.numpy.axes import static_int
from minijax.numpy.creation import asarray
from minijax.numpy.manipulation import atleast_1d, atleast_2d, atleast_3d, expand_dims, ravel
from minijax.numpy.promotion import as_arrays, check_arraylike, ensure_arraylike, promote_dtypes, reject
from minijax.primitives.shaping import canonical_axis
from minijax.vmapping import vmap

__all__ = [
    "append",
    "array_split",
    "block",
    "column_stack",
    "concat",
    "concatenate",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "split",
    "stack",
    "unstack",
    "vsplit",
    "vstack",
]

# ----------------------------------------------------------------- joining


def concatenate(arrays: Any, axis: int | None = 0, dtype: Any = None) -> Array:
    """Arrays one after the other along an axis they have, in their promoted dtype; axis None flattens them.

    Raises ValueError for no arrays, scalars and an axis out of bounds, TypeError where the other axes differ.
    """
    if isinstance(arrays, Array | np.ndarray):
        return _concatenate_rows(asarray(arrays, dtype=dtype), axis)
    operands = as_arrays("concatenate", arrays)
    if not operands:
        raise ValueError("Need at least one array to concatenate: got an empty sequence.")
    if axis is None:
        return concatenate([ravel(a) for a in operands], 0, dtype)
    if not operands[0].ndim:
        raise ValueError("Zero-dimensional arrays cannot be concatenated: use jnp.stack, or jnp.atleast_1d first.")
    axis = canonical_axis(axis, operands[0].ndim)
    if dtype is None:
        return lax.concatenate(promote_dtypes(*operands), axis)
    return lax.concatenate([asarray(a, dtype=dtype) for a in operands], axis)


def _concatenate_rows(x: Array, axis: int | None) -> Array:
    """The arrays x[0], x[1] ... one after the other, which is a reshape."""
    if not x.ndim or not x.shape[0]:
        raise ValueError(f"Need at least one array to concatenate: got an array of shape {x.shape}.")
    if axis is None:
        return lax.reshape(x, (x.size,))
    if x.ndim == 1:
        raise ValueError("Zero-dimensional arrays cannot be concatenated: use jnp.stack, or jnp.atleast_1d first.")
    axis = canonical_axis(axis, x.ndim - 1)
    shape = (*x.shape[1 : axis + 1], x.shape[0] * x.shape[axis + 1], *x.shape[axis + 2 :])
    return lax.reshape(x, shape, (*range(1, axis + 1), 0, *range(axis + 1, x.ndim)))


def concat(arrays: Sequence[Any], /, *, axis: int | None = 0) -> Array:
    """Arrays one after the other along an axis they have. The array API's name for `concatenate`."""
    check_arraylike("concat", *arrays)
    return concatenate(arrays, axis)


def append(arr: Any, values: Any, axis: int | None = None) -> Array:
    """`values` behind `arr` along an axis; both are flattened without one."""
    if axis is None:
        return concatenate([ravel(arr), ravel(values)])
    return concatenate([arr, values], axis)


def stack(arrays: Any, axis: int = 0, out: None = None, dtype: Any = None) -> Array:
    """Arrays of one shape side by side along a new axis. ValueError for no arrays or unequal shapes."""
    if not len(arrays):
        raise ValueError("Need at least one array to stack: got an empty sequence.")
    reject("stack", out=out)
    if isinstance(arrays, Array | np.ndarray):
        axis = canonical_axis(axis, arrays.ndim)
        return concatenate(expand_dims(arrays, axis + 1), axis, dtype)
    operands = as_arrays("stack", arrays)
    operands = promote_dtypes(*operands) if dtype is None else [asarray(a, dtype=dtype) for a in operands]
    return lax.stack(operands, axis)


def vstack(tup: Any, dtype: Any = None) -> Array:
    """Rows, or matrices, one below the other: along axis 0, vectors becoming rows first."""
    return concatenate(_each("vstack", atleast_2d, tup), 0, dtype)


def hstack(tup: Any, dtype: Any = None) -> Array:
    """Arrays side by side: along axis 1, or 0 if they are vectors."""
    arrays = _each("hstack", atleast_1d, tup)
    rank = arrays.ndim - 1 if isinstance(arrays, Array) else arrays[0].ndim
    return concatenate(arrays, 0 if rank == 1 else 1, dtype)


def dstack(tup: Any, dtype: Any = None) -> Array:
    """Arrays one behind the other along axis 2, which they get first if they lack it."""
    return concatenate(_each("dstack", atleast_3d, tup), 2, dtype)


def column_stack(tup: Any) -> Array:
    """Vectors as the columns of a matrix; matrices side by side."""
    return concatenate(_each("column_stack", _as_columns, tup), 1)


def _as_columns(x: Any) -> Array:
    return lax.transpose(atleast_2d(x), (1, 0)) if np.ndim(x) < 2 else x


def _each(fun_name: str, convert: Any, arrays: Any) -> Array | list[Array]:
    """`convert` applied to each array of a sequence, or to each row of an array."""
    if isinstance(arrays, Array | np.ndarray):
        return vmap(convert)(arrays)
    return [convert(x) for x in as_arrays(fun_name, arrays)]


def block(arrays: Any) -> Array:
    """An array from nested lists of blocks: the innermost lists join along the last axis, the next along the one
    before.

    Raises ValueError for tuples, empty lists and lists nested to different depths.
    """
    return _block(arrays)[0]


def _block(blocks: Any) -> tuple[Array, int]:
    """The joined blocks, and how deep their lists are nested, plus 1."""
    if isinstance(blocks, tuple):
        raise ValueError(f"jax.numpy.block does not allow tuples, got {blocks}. Use lists.")
    if not isinstance(blocks, list):
        return asarray(blocks), 1
    if not blocks:
        raise ValueError("jax.numpy.block does not allow empty list arguments: leave the list out.")
    parts, depths = zip(*[_block(b) for b in blocks])
    depth = depths[0]
    if any(d != depth for d in depths):
        raise ValueError(
            f"Mismatched list depths in jax.numpy.block: {[d - 1 for d in depths]}. Nest all blocks equally."
        )
    rank = max(depth, *[part.ndim for part in parts])
    parts = [lax.broadcast(part, (1,) * (rank - part.ndim)) for part in parts]
    return concatenate(parts, -depth), depth + 1


# ----------------------------------------------------------------- splitting


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Array, ...]:
    """The arrays that lie side by side along an axis, as a tuple."""
    return lax.unstack(ensure_arraylike("unstack", x), axis=axis)


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """Cut along an axis: into n equal sections, or before each of the given indices.

    Raises ValueError when n does not divide the length; `array_split` does not mind.
    """
    return _split("split", ary, indices_or_sections, axis)


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """As `split`, and of n sections the first may be longer by one than the last."""
    return _split("array_split", ary, indices_or_sections, axis)


def vsplit(ary: Any, indices_or_sections: Any) -> list[Array]:
    """`split` along axis 0."""
    return _split("vsplit", ary, indices_or_sections, 0)


def hsplit(ary: Any, indices_or_sections: Any) -> list[Array]:
    """`split` along axis 1, or 0 for a vector."""
    ary = ensure_arraylike("hsplit", ary)
    return _split("hsplit", ary, indices_or_sections, 0 if ary.ndim == 1 else 1)


def dsplit(ary: Any, indices_or_sections: Any) -> list[Array]:
    """`split` along axis 2."""
    return _split("dsplit", ary, indices_or_sections, 2)


def _split(fun_name: str, ary: Any, indices_or_sections: Any, axis: int) -> list[Array]:
    ary = ensure_arraylike(fun_name, ary)
    axis = static_int(axis, f"the axis argument of jax.numpy.{fun_name}")
    length = ary.shape[axis]
    where = f"argument 1 of jax.numpy.{fun_name}"
    if isinstance(indices_or_sections, tuple | list) or np.ndim(indices_or_sections):
        cuts = [0, *[static_int(i, where) for i in indices_or_sections], length]
        return list(lax.split(ary, [b - a for a, b in zip(cuts, cuts[1:])], axis))
    sections = static_int(indices_or_sections, where)
    size, rest = divmod(length, sections)
    if rest and fun_name != "array_split":
        raise ValueError(
            f"{fun_name}: {sections} sections do not divide axis {axis} of an array of shape {ary.shape} evenly: "
            f"the rest is {rest}. Use jnp.array_split, or give the indices to split at."
        )
    return list(lax.split(ary, [size + 1] * rest + [size] * (sections - rest), axis))
