"""reduce: all elements along some axes combined by a function of one's own.

Neighbours are combined in pairs, then the results in pairs, and so on; the function has to be associative, as in
JAX. All of that is ordinary operations on arrays, which is how it is evaluated and how it is differentiated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minijax import compiler
from minijax.array import Array
from minijax.core import NOT_LINEAR, Primitive, ShapedArray, Tracer, Zero, as_array, get_aval
from minijax.dtypes import is_weakly_typed
from minijax.jaxpr import ClosedJaxpr, stage
from minijax.jaxpr_transforms import batch_jaxpr
from minijax.jvp import jvp_flat
from minijax.primitives.arithmetic import add, max, min, mul
from minijax.primitives.bitwise import bitwise_and, bitwise_or, bitwise_xor
from minijax.primitives.calls import split_list
from minijax.primitives.conversion import convert
from minijax.primitives.families import batch_axis_in_front
from minijax.primitives.joining import concatenate
from minijax.primitives.reduce_window import scalar_computation
from minijax.primitives.reductions import (
    highest,
    lowest,
    reduce_and,
    reduce_max,
    reduce_min,
    reduce_or,
    reduce_prod,
    reduce_xor,
)
from minijax.primitives.shaping import broadcast, canonical_axes, reshape, transpose
from minijax.primitives.slicing import slice_in_dim
from minijax.primitives.standard import check_one_device
from minijax.primitives.sums import reduce_sum
from minijax.tracebacks import api_boundary
from minijax.tree_util import tree_flatten, tree_unflatten

__all__ = ["reduce"]

reduce_p = Primitive("reduce", multiple_results=True)

# ----------------------------------------------------------------- wrapper


@api_boundary
def reduce(
    operands: Any,
    init_values: Any,
    computation: Callable[[Any, Any], Any],
    dimensions: Sequence[int],
    out_sharding: Any = None,
) -> Any:
    """The elements along `dimensions` combined by `computation`, which is associative, starting from init_values.

    `operands` and `init_values` are pytrees of one structure, of arrays of one shape and of scalars; computation(x,
    y) takes and returns such a tree of scalars, and init_values must be neutral to it. Sums, products, extrema and
    bitwise operations of lax are recognised by their neutral element and become reduce_sum and so on.
    Raises ValueError for structures that differ and initial values that are no scalars, TypeError for dtypes.
    """
    check_one_device("lax.reduce", out_sharding)
    leaves, tree = tree_flatten(operands)
    init_leaves, init_tree = tree_flatten(init_values)
    if tree != init_tree:
        raise ValueError(
            f"lax.reduce: operands must have the same tree structure as init_values, got {tree} and {init_tree}."
        )
    if not leaves:
        raise ValueError("lax.reduce: there is nothing to reduce, the operands have no leaves.")
    reducer = _recognised(computation, init_leaves)
    if reducer is not None:
        weak = is_weakly_typed(leaves[0]) and is_weakly_typed(init_leaves[0])
        return tree_unflatten(tree, [convert(reducer(leaves[0], tuple(dimensions)), weak_type=weak)])

    def on_lists(xs: list[Any], ys: list[Any]) -> list[Any]:
        results, out_tree = tree_flatten(computation(tree_unflatten(tree, xs), tree_unflatten(tree, ys)))
        if out_tree != tree:
            raise ValueError(
                f"lax.reduce: the computation must return a tree like the operands', {tree}, got {out_tree}."
            )
        return results

    closed = scalar_computation(on_lists, [get_aval(x) for x in init_leaves])
    outs = reduce_p.bind(*leaves, *init_leaves, computation=computation, jaxpr=closed, dimensions=tuple(dimensions))
    return tree_unflatten(tree, outs)


def _recognised(computation: Callable, init_values: Sequence[Any]) -> Callable[..., Array] | None:
    """The function that reduces in this way, if the initial value is its neutral element."""
    if len(init_values) != 1 or isinstance(init_values[0], Tracer) or np.ndim(init_values[0]):
        return None
    value = as_array(init_values[0])._data
    kind, dtype = value.dtype.kind, value.dtype
    neutral = [(add, reduce_sum, 0), (mul, reduce_prod, 1)]
    if kind in "biuf":
        neutral += [(max, reduce_max, lowest(dtype)), (min, reduce_min, highest(dtype))]
    if kind in "biu":
        all_bits = np.array(-1).astype(dtype)
        neutral += [(bitwise_or, reduce_or, 0), (bitwise_xor, reduce_xor, 0), (bitwise_and, reduce_and, all_bits)]
    return next((reducer for known, reducer, start in neutral if computation is known and value == start), None)


# ----------------------------------------------------------------- rules


def _combine(jaxpr: ClosedJaxpr, xs: Sequence[Any], ys: Sequence[Any]) -> list[Any]:
    """The function of scalars, element by element on arrays of one shape."""
    shape, size = np.shape(xs[0]), int(np.prod(np.shape(xs[0])))
    operands = [*xs, *ys]
    batched, _ = batch_jaxpr(jaxpr, size, (0,) * len(operands), (0,) * len(xs))
    return [reshape(out, shape) for out in batched(*[reshape(x, (size,)) for x in operands])]


def _pairwise(args: Sequence[Any], jaxpr: ClosedJaxpr, dimensions: Sequence[int]) -> list[Any]:
    """The reduction as operations on arrays."""
    operands, init_values = split_list(args, len(args) // 2)
    shape = np.shape(operands[0])
    reduced = canonical_axes(dimensions, len(shape))
    kept = [d for d in range(len(shape)) if d not in reduced]
    out_shape = [shape[d] for d in kept]
    count = int(np.prod([shape[d] for d in reduced], dtype=int))
    xs = [reshape(transpose(x, (*reduced, *kept)), (count, *out_shape)) for x in operands]
    while count > 1:
        even = [slice_in_dim(x, 0, count - count % 2, stride=2) for x in xs]
        odd = [slice_in_dim(x, 1, count, stride=2) for x in xs]
        pairs = _combine(jaxpr, even, odd)
        if count % 2:
            pairs = [concatenate([p, slice_in_dim(x, count - 1, count)], 0) for p, x in zip(pairs, xs, strict=True)]
        xs, count = pairs, (count + 1) // 2
    start = [broadcast(x, out_shape) for x in init_values]
    return _combine(jaxpr, start, [reshape(x, out_shape) for x in xs]) if count else start


def _impl(
    *buffers: np.ndarray, computation: Callable, jaxpr: ClosedJaxpr, dimensions: tuple[int, ...]
) -> list[np.ndarray]:
    avals = [ShapedArray(x.shape, get_aval(x).dtype) for x in buffers]

    def make() -> ClosedJaxpr:
        return stage(lambda *args: _pairwise(args, jaxpr, dimensions), avals, "reduce")

    return compiler.run(jaxpr.derived(("pairwise", tuple(avals), dimensions), make), buffers)


def _shape(
    *avals: ShapedArray, computation: Callable, jaxpr: ClosedJaxpr, dimensions: tuple[int, ...]
) -> list[ShapedArray]:
    operands, init_values = split_list(avals, len(avals) // 2)
    if any(a.shape for a in init_values):
        raise ValueError(f"reduce found non-scalar initial value: the shapes are {[a.shape for a in init_values]}.")
    if [a.dtype for a in operands] != [a.dtype for a in init_values]:
        raise TypeError(
            "reduce operand dtypes should match corresponding initial value dtypes, got "
            f"{[a.str_short() for a in operands]} and {[a.str_short() for a in init_values]}. Convert one of them."
        )
    if [(a.shape, a.dtype) for a in jaxpr.out_avals] != [((), a.dtype) for a in operands]:
        raise ValueError(
            "reduce: the computation must return scalars of the operands' dtypes, "
            f"{[a.dtype.name for a in operands]}, got {[a.str_short() for a in jaxpr.out_avals]}."
        )
    if any(a.shape != operands[0].shape for a in operands):
        raise ValueError(f"lax.reduce: the operands must have one shape, got {[a.shape for a in operands]}.")
    rank = operands[0].ndim
    if any(not -rank <= d < rank for d in dimensions):
        raise IndexError(
            f"lax.reduce: dimensions {dimensions} are out of bounds for operands of shape {operands[0].shape}."
        )
    reduced = canonical_axes(dimensions, rank)
    if len(set(reduced)) < len(reduced):
        raise ValueError(f"lax.reduce: dimensions {dimensions} name one more than once.")
    shape = tuple([n for d, n in enumerate(operands[0].shape) if d not in reduced])
    return [
        ShapedArray(shape, a.dtype, a.weak_type and b.weak_type) for a, b in zip(operands, init_values, strict=True)
    ]


def _jvp(
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    computation: Callable,
    jaxpr: ClosedJaxpr,
    dimensions: tuple[int, ...],
) -> tuple[list[Any], list[Any]]:
    if any(type(t) is not Zero for t in tangents[len(tangents) // 2 :]):
        raise NotImplementedError(
            "lax.reduce with a computation of one's own cannot be differentiated with respect to init_values. Start "
            "from a constant, and combine the result with the value."
        )
    return jvp_flat(lambda *args: _pairwise(args, jaxpr, dimensions), primals, tangents)


def _batch(
    axis_size: int, args: Sequence[Any], dims: Sequence[int | None], *, dimensions: tuple[int, ...], **params: Any
) -> tuple[list[Any], list[int]]:
    operands, init_values = split_list(args, len(args) // 2)
    if any(d is not None for d in dims[len(operands) :]):
        raise NotImplementedError(
            "lax.reduce cannot be batched over init_values. Start from a constant, and combine the result with them."
        )
    fronted = [batch_axis_in_front(x, d, axis_size) for x, d in zip(operands, dims)]
    reduced = canonical_axes(dimensions, np.ndim(fronted[0]) - 1)
    moved = tuple([d + 1 for d in reduced])
    return reduce_p.bind(*fronted, *init_values, dimensions=moved, **params), [0] * len(operands)


def _printed(params: dict[str, Any]) -> dict[str, Any]:
    """The function without its address."""
    address = f"{id(params['computation']):x}"
    return {**params, "computation": str(params["computation"]).replace(address, "X" * len(address))}


reduce_p.impl = _impl
reduce_p.shape_rule = _shape
reduce_p.jvp = _jvp
reduce_p.transpose = NOT_LINEAR
reduce_p.batch = _batch
reduce_p.printed = _printed
