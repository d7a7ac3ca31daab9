"""Joining arrays and taking them apart, repeating and reversing: concatenate, split, stack, tile, rev."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax.array import Array
from minijax.core import Primitive, ShapedArray, Zero, as_operand
from minijax.primitives.families import (
    batch_axis_in_front,
    check_same_dtypes,
    def_jointly_linear,
    instantiate,
    operand_shape,
)
from minijax.primitives.shaping import canonical_axis, reshape
from minijax.primitives.standard import Shape, def_linear, standard, structural, zero_like
from minijax.primitives.sums import reduce_sum

__all__ = ["concatenate", "rev", "split", "stack", "tile", "unstack"]

# ----------------------------------------------------------------- split, concatenate


def split(operand: Any, sizes: Sequence[int], axis: int = 0) -> list[Array]:
    """Cut the operand along `axis` into pieces of the given sizes, which must add up to its length."""
    operand = as_operand(operand)
    return split_p.bind(operand, sizes=tuple(map(operator.index, sizes)), axis=canonical_axis(axis, operand.ndim))


def _split_impl(x: np.ndarray, *, sizes: tuple[int, ...], axis: int) -> list[np.ndarray]:
    before = (slice(None),) * axis
    pieces, start = [], 0
    for size in sizes:
        pieces.append(x[(*before, slice(start, start + size))])
        start += size
    return pieces


def _split_rule(x: ShapedArray, *, sizes: tuple[int, ...], axis: int) -> list[ShapedArray]:
    if any(size < 0 for size in sizes):
        raise ValueError(f"sizes passed to split must be nonnegative, got {list(sizes)}.")
    if sum(sizes) != x.shape[axis]:
        raise ValueError(
            f"the sizes passed to split, {list(sizes)}, add up to {sum(sizes)}; they must add up to "
            f"{x.shape[axis]}, the length of axis {axis} of the operand of shape {x.shape}."
        )
    return [x.update(shape=(*x.shape[:axis], size, *x.shape[axis + 1 :])) for size in sizes]


def _parting(name: str, impl: Any, shape_rule: Any, joined: Primitive, axis_param: str) -> Primitive:
    """A linear primitive that takes its operand apart; `joined` puts the cotangents together again."""
    prim = Primitive(name, multiple_results=True)
    prim.impl, prim.shape_rule = impl, shape_rule

    def jvp(primals: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
        out = prim.bind(*primals, **params)
        (t,) = tangents
        return out, [zero_like(o) for o in out] if type(t) is Zero else prim.bind(t, **params)

    def transpose(cts: Any, x: Any, *, axis: int, **params: Any) -> tuple[Any]:
        return (joined.bind(*map(instantiate, cts), **{axis_param: axis}),)

    prim.jvp, prim.transpose = jvp, transpose
    return prim


def concatenate(operands: Sequence[Any], dimension: int) -> Array:
    """Put arrays of one dtype one after the other along an axis, which must not be negative."""
    if not len(operands):
        raise ValueError("concatenate requires a non-empty sequence of arrays, got none.")
    if len(operands) == 1 and isinstance(operands[0], Array):
        return operands[0]
    return concatenate_p.bind(*operands, dimension=dimension)


def _concatenate_impl(*xs: np.ndarray, dimension: int) -> np.ndarray:
    return np.concatenate(xs, dimension)


def _concatenate_shape(*xs: ShapedArray, dimension: int) -> Shape:
    shapes = [x.shape for x in xs]
    if len({len(shape) for shape in shapes}) > 1:
        raise TypeError(
            f"Cannot concatenate arrays with different numbers of dimensions: got shapes {_listed(shapes)}. "
            "Add the missing axes with lax.expand_dims."
        )
    if not 0 <= operator.index(dimension) < len(shapes[0]):
        raise TypeError(f"concatenate dimension {dimension} is out of bounds for shapes {_listed(shapes)}.")
    if len({(shape[:dimension], shape[dimension + 1 :]) for shape in shapes}) > 1:
        raise TypeError(
            f"Cannot concatenate along dimension {dimension} arrays whose shapes differ in another one: "
            f"got shapes {_listed(shapes)}."
        )
    total = sum(shape[dimension] for shape in shapes)
    return (*shapes[0][:dimension], total, *shapes[0][dimension + 1 :])


def _listed(shapes: Sequence[Shape]) -> str:
    return ", ".join(map(str, shapes))


def _concatenate_dtype(*xs: ShapedArray, dimension: int) -> Any:
    check_same_dtypes("concatenate", xs)
    return xs[0].dtype


concatenate_p = standard("concatenate", _concatenate_impl, _concatenate_shape, _concatenate_dtype)


def _concatenate_transpose(ct: Any, *xs: Any, dimension: int) -> list[Any]:
    return split(ct, [operand_shape(x)[dimension] for x in xs], dimension)


def_jointly_linear(concatenate_p, _concatenate_transpose)


def _concatenate_batch(axis_size: int, args: Any, dims: Any, *, dimension: int) -> Any:
    fronted = [batch_axis_in_front(x, d, axis_size) for x, d in zip(args, dims)]
    return concatenate(fronted, dimension + 1), 0


concatenate_p.batch = _concatenate_batch

split_p = _parting("split", _split_impl, _split_rule, concatenate_p, "dimension")


def _split_batch(axis_size: int, args: Any, dims: Any, *, sizes: tuple[int, ...], axis: int) -> Any:
    (x,), (dim,) = args, dims
    return split(x, sizes, axis + (axis >= dim)), [dim] * len(sizes)


split_p.batch = _split_batch


# ----------------------------------------------------------------- stack, unstack


def stack(operands: Sequence[Any], axis: int = 0) -> Array:
    """Put arrays of one shape and dtype side by side along a new axis, which is `axis` of the result."""
    operands = [as_operand(x) for x in operands]
    if not operands:
        raise ValueError("stack requires at least one array, got none.")
    return stack_p.bind(*operands, axis=canonical_axis(axis, operands[0].ndim + 1))


def _stack_impl(*xs: np.ndarray, axis: int) -> np.ndarray:
    # The same as np.stack, which is slow to check once more what the shape rule has checked.
    new_axis = (*(slice(None),) * axis, None)
    return np.concatenate([x[new_axis] for x in xs], axis)


def _stack_shape(*xs: ShapedArray, axis: int) -> Shape:
    shape = xs[0].shape
    if any(x.shape != shape for x in xs):
        raise ValueError(
            f"Arrays passed to stack must have the same shape, got shapes {_listed([x.shape for x in xs])}."
        )
    return (*shape[:axis], len(xs), *shape[axis:])


def _stack_dtype(*xs: ShapedArray, axis: int) -> Any:
    check_same_dtypes("stack", xs)
    return xs[0].dtype


stack_p = standard("stack", _stack_impl, _stack_shape, _stack_dtype)
def_jointly_linear(stack_p, lambda ct, *xs, axis: unstack_p.bind(ct, axis=axis))


def _stack_batch(axis_size: int, args: Any, dims: Any, *, axis: int) -> Any:
    dim = dims[0]
    if dim is not None and all(d == dim for d in dims):
        return (stack(args, axis), dim + 1) if axis <= dim else (stack(args, axis + 1), dim)
    return stack([batch_axis_in_front(x, d, axis_size) for x, d in zip(args, dims)], axis + 1), 0


stack_p.batch = _stack_batch


def unstack(x: Any, axis: int = 0) -> tuple[Array, ...]:
    """The arrays that lie side by side along `axis`, without that axis."""
    x = as_operand(x)
    return tuple(unstack_p.bind(x, axis=canonical_axis(axis, x.ndim)))


def _unstack_impl(x: np.ndarray, *, axis: int) -> list[np.ndarray]:
    before = (slice(None),) * axis
    return [x[(*before, i)] for i in range(x.shape[axis])]


def _unstack_rule(x: ShapedArray, *, axis: int) -> list[ShapedArray]:
    return [x.update(shape=(*x.shape[:axis], *x.shape[axis + 1 :]))] * x.shape[axis]


unstack_p = _parting("unstack", _unstack_impl, _unstack_rule, stack_p, "axis")


def _unstack_batch(axis_size: int, args: Any, dims: Any, *, axis: int) -> Any:
    (x,), (dim,) = args, dims
    axis, dim = (axis, dim - 1) if axis < dim else (axis + 1, dim)
    out = unstack_p.bind(x, axis=axis)
    return out, [dim] * len(out)


unstack_p.batch = _unstack_batch


# ----------------------------------------------------------------- tile


def tile(operand: Any, reps: Sequence[int]) -> Array:
    """Repeat the whole operand reps[i] times along axis i."""
    return tile_p.bind(operand, reps=tuple(map(operator.index, reps)))


def _tile_impl(x: np.ndarray, *, reps: tuple[int, ...]) -> np.ndarray:
    return np.tile(x, reps)


def _tile_shape(x: ShapedArray, *, reps: tuple[int, ...]) -> Shape:
    if len(reps) != x.ndim or any(r < 0 for r in reps):
        raise TypeError(
            f"tile: reps must hold one nonnegative integer for each axis of the operand, got reps {reps} "
            f"for operand shape {x.shape}."
        )
    return tuple(map(operator.mul, x.shape, reps))


tile_p = structural("tile", _tile_impl, _tile_shape)


def _tile_transpose(ct: Any, x: ShapedArray, *, reps: tuple[int, ...]) -> Any:
    apart = reshape(ct, [n for pair in zip(reps, x.shape) for n in pair])
    return reduce_sum(apart, range(0, 2 * x.ndim, 2))


def_linear(tile_p, _tile_transpose)


def _tile_batch(axis_size: int, args: Any, dims: Any, *, reps: tuple[int, ...]) -> Any:
    (x,), (dim,) = args, dims
    return tile(x, (*reps[:dim], 1, *reps[dim:])), dim


tile_p.batch = _tile_batch


# ----------------------------------------------------------------- rev


def rev(operand: Any, dimensions: Sequence[int]) -> Array:
    """Reverse the order of the elements along `dimensions`, which must not be negative."""
    return rev_p.bind(operand, dimensions=tuple(map(operator.index, dimensions)))


def _rev_impl(x: np.ndarray, *, dimensions: tuple[int, ...]) -> np.ndarray:
    return x[tuple([slice(None, None, -1 if d in dimensions else None) for d in range(x.ndim)])]


def _rev_shape(x: ShapedArray, *, dimensions: tuple[int, ...]) -> Shape:
    if len(set(dimensions)) != len(dimensions) or not all(0 <= operator.index(d) < x.ndim for d in dimensions):
        raise TypeError(
            f"rev dimensions must be distinct and lie between 0 and {x.ndim - 1}, got {dimensions} "
            f"for operand shape {x.shape}."
        )
    return x.shape


rev_p = structural("rev", _rev_impl, _rev_shape)
def_linear(rev_p, lambda ct, x, *, dimensions: rev(ct, dimensions))


def _rev_batch(axis_size: int, args: Any, dims: Any, *, dimensions: tuple[int, ...]) -> Any:
    (x,), (dim,) = args, dims
    return rev(x, [d + (d >= dim) for d in dimensions]), dim


rev_p.batch = _rev_batch
