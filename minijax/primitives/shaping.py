"""Primitives that move elements about without computing: transpose, broadcast, reshape, squeeze."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from minijax.array import Array
from minijax.core import ShapedArray, as_operand
from minijax.jaxpr import JaxprTrace, JaxprTracer
from minijax.primitives.standard import Shape, check_one_device, def_linear, structural

__all__ = [
    "as_value",
    "broadcast",
    "broadcast_in_dim",
    "canonical_axes",
    "canonical_axis",
    "expand_dims",
    "move_axis",
    "reshape",
    "squeeze",
    "transpose",
]


def canonical_axis(axis: int, rank: int, name: str = "axis") -> int:
    """`axis` counted from the front. Raises ValueError when it lies outside -rank..rank-1."""
    axis = operator.index(axis)
    if not -rank <= axis < rank:
        raise ValueError(
            f"{name} {axis} is out of bounds for an array of {rank} dimension(s): "
            f"it must lie between {-rank} and {rank - 1}."
        )
    return axis + rank if axis < 0 else axis


def canonical_axes(axes: Iterable[int], rank: int, name: str = "axis") -> tuple[int, ...]:
    """Several axes counted from the front, in the order given."""
    return tuple([canonical_axis(axis, rank, name) for axis in axes])


def canonical_shape(shape: Any) -> Shape:
    """A shape, or the length of a single axis, as a tuple of Python ints.

    Raises TypeError for anything but concrete integers.
    """
    if isinstance(shape, int | np.integer):
        shape = (shape,)
    try:
        return tuple([operator.index(n) for n in shape])
    except TypeError as error:
        raise TypeError(
            f"Shapes must be 1D sequences of concrete values of integer type, got {shape!r}. "
            "A shape cannot depend on traced values: name such arguments in static_argnums of jit."
        ) from error


# ----------------------------------------------------------------- transpose


def transpose(operand: Any, permutation: Sequence[int]) -> Array:
    """Reorder axes: axis i of the result is axis permutation[i] of the operand."""
    permutation = tuple(map(operator.index, permutation))
    if isinstance(operand, Array) and permutation == tuple(range(operand.ndim)):
        return operand
    return transpose_p.bind(operand, permutation=permutation)


def _transpose_impl(x: np.ndarray, *, permutation: tuple[int, ...]) -> np.ndarray:
    return x.transpose(permutation)


def _transpose_shape(x: ShapedArray, *, permutation: tuple[int, ...]) -> Shape:
    if sorted(permutation) != list(range(x.ndim)):
        raise TypeError(
            f"transpose permutation isn't a permutation of operand dimensions, got permutation {permutation} "
            f"for operand shape {x.shape}. It must hold each of {tuple(range(x.ndim))} once."
        )
    shape = x.shape
    return tuple([shape[p] for p in permutation])


transpose_p = structural("transpose", _transpose_impl, _transpose_shape)
def_linear(transpose_p, lambda ct, x, *, permutation: transpose(ct, _inverse(permutation)))


def _inverse(permutation: Sequence[int]) -> list[int]:
    return sorted(range(len(permutation)), key=permutation.__getitem__)


def _transpose_batch(axis_size: int, args: Any, dims: Any, *, permutation: tuple[int, ...]) -> Any:
    (x,), (d,) = args, dims
    return transpose(x, (d, *[p + (p >= d) for p in permutation])), 0


transpose_p.batch = _transpose_batch


def move_axis(x: Any, source: int, destination: int) -> Any:
    """Move one axis of `x` (both counted from the front); the others keep their order."""
    if source == destination:
        return x
    order = [i for i in range(np.ndim(x)) if i != source]
    order.insert(destination, source)
    return transpose(x, order)


# ----------------------------------------------------------------- broadcast_in_dim


def broadcast_in_dim(
    operand: Any, shape: Sequence[int], broadcast_dimensions: Sequence[int], *, out_sharding: Any = None
) -> Array:
    """Broadcast to `shape`; axis i of the operand becomes axis broadcast_dimensions[i] of the result.

    The axes may change their order on the way.
    Source: https://openxla.org/stablehlo/spec#broadcast_in_dim
    """
    check_one_device("lax.broadcast_in_dim", out_sharding)
    shape, dims = tuple(map(operator.index, shape)), tuple(broadcast_dimensions)
    if isinstance(operand, Array) and operand.shape == shape and dims == tuple(range(len(shape))):
        return operand
    return broadcast_in_dim_p.bind(operand, shape=shape, broadcast_dimensions=dims)


def broadcast(operand: Any, sizes: Sequence[int], *, out_sharding: Any = None) -> Array:
    """Repeat the operand along new leading axes of the given lengths."""
    check_one_device("lax.broadcast", out_sharding)
    if not len(sizes) and np.ndim(operand):
        return as_operand(operand)
    dims = range(len(sizes), len(sizes) + np.ndim(operand))
    return broadcast_in_dim(operand, (*sizes, *np.shape(operand)), dims)


def as_value(x: Any) -> Array:
    """An operand as the value that a transformed function sees or returns; a number is a literal in a jaxpr."""
    return x if isinstance(x, Array) else broadcast_in_dim(x, np.shape(x), range(np.ndim(x)))


def expand_dims(array: Any, dimensions: Iterable[int]) -> Array:
    """Insert axes of length 1, which are at `dimensions` of the result (negative ones count from its end)."""
    dimensions = tuple(dimensions)
    shape = list(np.shape(array))
    rank = len(shape) + len(dimensions)
    new = canonical_axes(dimensions, rank)
    if len(set(new)) != len(new):
        raise ValueError(f"repeated axis in lax.expand_dims: {dimensions}, array of shape {np.shape(array)}.")
    for d in sorted(new):
        shape.insert(d, 1)
    return broadcast_in_dim(array, shape, [d for d in range(rank) if d not in new])


def _broadcast_impl(x: np.ndarray, *, shape: Shape, broadcast_dimensions: tuple[int, ...]) -> np.ndarray:
    strides = [0] * len(shape)
    for length, stride, d in zip(x.shape, x.strides, broadcast_dimensions):
        if length == shape[d]:
            strides[d] = stride
    if x.flags.c_contiguous:
        # A view with strides of zero; np.broadcast_to takes ten times as long to make the same.
        return np.ndarray(shape, x.dtype, x, 0, strides)
    return np.lib.stride_tricks.as_strided(x, shape, strides, writeable=False)


def _broadcast_shape(x: ShapedArray, *, shape: Shape, broadcast_dimensions: tuple[int, ...]) -> Shape:
    rank, used = len(shape), []
    fits = len(broadcast_dimensions) == x.ndim
    for length, d in zip(x.shape, broadcast_dimensions):
        fits = fits and 0 <= d < rank and d not in used and (length == 1 or length == shape[d])
        used.append(d)
    if not fits or min(shape, default=0) < 0:
        raise TypeError(
            "broadcast_in_dim needs a shape without negative lengths, and broadcast_dimensions that name for "
            "each axis of the operand an axis of that shape, none twice, of the same length unless the "
            f"operand's is 1: got operand shape {x.shape}, shape {shape}, "
            f"broadcast_dimensions {broadcast_dimensions}."
        )
    return shape


# Its derivative is in sums.py: a broadcast's transpose is a sum, and a sum's transpose is a broadcast.
broadcast_in_dim_p = structural("broadcast_in_dim", _broadcast_impl, _broadcast_shape)


def _broadcast_stage(trace: JaxprTrace, args: Any, params: dict[str, Any]) -> JaxprTracer | None:
    """Where there is nothing to broadcast, a jaxpr has the operand itself instead of an equation."""
    atom, shape = trace.atom(args[0]), params["shape"]
    if atom.aval.shape == shape and params["broadcast_dimensions"] == tuple(range(len(shape))):
        return JaxprTracer(trace, atom)
    return None


broadcast_in_dim_p.stage = _broadcast_stage


def _broadcast_printed(params: dict[str, Any]) -> dict[str, Any]:
    """The shape stands at the result; of a scalar there is no more to say."""
    dims = params["broadcast_dimensions"]
    return {"broadcast_dimensions": dims} if dims else {}


broadcast_in_dim_p.printed = _broadcast_printed


def _broadcast_batch(axis_size: int, args: Any, dims: Any, *, shape: Any, broadcast_dimensions: Any) -> Any:
    x = move_axis(args[0], dims[0], 0)
    batched_dims = (0, *[d + 1 for d in broadcast_dimensions])
    return broadcast_in_dim(x, (np.shape(x)[0], *shape), batched_dims), 0


broadcast_in_dim_p.batch = _broadcast_batch


# ----------------------------------------------------------------- reshape


def reshape(
    operand: Any, new_sizes: Sequence[int], dimensions: Sequence[int] | None = None, *, out_sharding: Any = None
) -> Array:
    """The same elements in row-major order under another shape; -1 is not understood here.

    With `dimensions`, a permutation of the operand's axes, they are read in this order of axes.
    """
    check_one_device("lax.reshape", out_sharding)
    new_sizes = canonical_shape(new_sizes)
    if dimensions is not None:
        dimensions = tuple([operator.index(d) for d in dimensions])
        if dimensions == tuple(range(np.ndim(operand))):
            dimensions = None
    if dimensions is None and new_sizes and isinstance(operand, Array) and operand.shape == new_sizes:
        return operand
    return reshape_p.bind(operand, new_sizes=new_sizes, dimensions=dimensions)


def _reshape_impl(x: np.ndarray, *, new_sizes: Shape, dimensions: tuple[int, ...] | None) -> np.ndarray:
    return x.reshape(new_sizes) if dimensions is None else x.transpose(dimensions).reshape(new_sizes)


def _reshape_shape(x: ShapedArray, *, new_sizes: Shape, dimensions: tuple[int, ...] | None) -> Shape:
    if new_sizes and min(new_sizes) < 0:
        raise TypeError(
            f"reshape new_sizes must all be nonnegative, got {new_sizes} for an operand of shape {x.shape}. "
            "jnp.reshape works out an axis given as -1."
        )
    if dimensions is not None and sorted(dimensions) != list(range(x.ndim)):
        raise TypeError(
            f"reshape dimensions must be a permutation of operand dimensions, got dimensions {dimensions} "
            f"for shape {x.shape}."
        )
    if math.prod(new_sizes) != x.size:
        raise ValueError(
            f"cannot reshape an array of shape {x.shape} (size {x.size}) into shape {new_sizes} "
            f"(size {math.prod(new_sizes)}): the number of elements must stay the same."
        )
    return new_sizes


reshape_p = structural("reshape", _reshape_impl, _reshape_shape)


def _reshape_transpose(ct: Any, x: ShapedArray, *, new_sizes: Any, dimensions: tuple[int, ...] | None) -> Any:
    if dimensions is None:
        return reshape(ct, x.shape)
    return transpose(reshape(ct, [x.shape[d] for d in dimensions]), _inverse(dimensions))


def_linear(reshape_p, _reshape_transpose)


def _reshape_batch(axis_size: int, args: Any, dims: Any, *, new_sizes: Any, dimensions: Any) -> Any:
    x = move_axis(args[0], dims[0], 0)
    if dimensions is not None:
        dimensions = (0, *[d + 1 for d in dimensions])
    return reshape(x, (np.shape(x)[0], *new_sizes), dimensions), 0


reshape_p.batch = _reshape_batch


# ----------------------------------------------------------------- squeeze


def squeeze(array: Any, dimensions: Iterable[int]) -> Array:
    """Remove axes of length 1. Raises ValueError when one of them is longer, or given twice."""
    dimensions = tuple(sorted(canonical_axes(dimensions, np.ndim(array))))
    if not dimensions and isinstance(array, Array):
        return array
    return squeeze_p.bind(array, dimensions=dimensions)


def _squeeze_impl(x: np.ndarray, *, dimensions: tuple[int, ...]) -> np.ndarray:
    return x.squeeze(dimensions)


def _squeeze_shape(x: ShapedArray, *, dimensions: tuple[int, ...]) -> Shape:
    if len(set(dimensions)) != len(dimensions):
        raise ValueError(f"squeeze dimensions are not unique: {dimensions}, operand of shape {x.shape}.")
    if any(not 0 <= d < x.ndim or x.shape[d] != 1 for d in dimensions):
        raise ValueError(
            f"cannot select an axis to squeeze out which has size not equal to one, "
            f"got shape={x.shape} and dimensions={dimensions}."
        )
    return tuple([n for d, n in enumerate(x.shape) if d not in dimensions])


squeeze_p = structural("squeeze", _squeeze_impl, _squeeze_shape)
def_linear(squeeze_p, lambda ct, x, *, dimensions: expand_dims(ct, dimensions))


def _squeeze_batch(axis_size: int, args: Any, dims: Any, *, dimensions: tuple[int, ...]) -> Any:
    x = move_axis(args[0], dims[0], 0)
    return squeeze(x, [d + 1 for d in dimensions]), 0


squeeze_p.batch = _squeeze_batch
