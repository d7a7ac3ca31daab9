"""vmap as users call it: which axis of which argument counts the examples. batching.py does the work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minijax.arguments import check_callable, operands_of, wraps
from minijax.batching import batch_flat, place_batch_axis
from minijax.core import get_aval
from minijax.jitted import flat_function, fun_name
from minijax.named_axes import AxisSize
from minijax.primitives.sums import reduce_sum
from minijax.source_info import in_transformation
from minijax.tracebacks import api_boundary
from minijax.tree_util import flatten_axes, keystr, tree_flatten, tree_flatten_with_path, tree_unflatten


@api_boundary
def vmap(
    fun: Callable,
    in_axes: Any = 0,
    out_axes: Any = 0,
    axis_name: Any = None,
    axis_size: int | None = None,
    spmd_axis_name: Any = None,
    sum_match: bool = False,
) -> Callable:
    """`fun` for many examples at once; in_axes and out_axes say, for each subtree, which axis counts them.

    None stands for a value that all examples share. `axis_size` is needed only if no argument is mapped.
    axis_name: a hashable object, by which `fun` can speak of the axis, as in lax.psum(x, axis_name).
    spmd_axis_name is about meshes of devices and changes nothing. With sum_match, results that are batched although
    out_axes says None are summed. Raises ValueError for axes that do not exist and for sizes that differ.
    """
    check_callable("vmap", fun)
    hash(axis_name)  # raises TypeError for what cannot be a name
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)
    if not (in_axes is None or isinstance(in_axes, int | tuple | dict)):
        raise TypeError(
            "vmap in_axes must be an int, None, or a tuple of entries corresponding to the positional "
            "arguments passed to "
            f"the function, but got {in_axes!r}."
        )

    @wraps(fun, "", "Vectorized version of")
    def vmapped(*args: Any, **kwargs: Any) -> Any:
        if isinstance(in_axes, tuple) and len(in_axes) != len(args):
            raise ValueError(
                "vmap in_axes must be an int, None, or a tuple of entries corresponding to the positional "
                "arguments passed to "
                f"the function, but got len(in_axes)={len(in_axes)}, len(args)={len(args)}. Give one entry "
                "for each argument."
            )
        leaves, in_tree = tree_flatten((args, kwargs))
        dims = flatten_axes("vmap in_axes", in_tree, (in_axes, 0))
        operands = operands_of("vmap", leaves)
        dims = [_canonical_in_axis(x, d) for x, d in zip(operands, dims, strict=True)]
        size = int(_mapped_size(args, kwargs, operands, dims, axis_size))
        if axis_name is not None:
            size = AxisSize(size, axis_name)
        out_trees: list[Any] = []
        outs, out_dims = batch_flat(_mapped_function(fun, in_tree, out_trees), size, operands, dims)
        wanted = flatten_axes("vmap out_axes", out_trees[0], out_axes)
        results = [_place_result(*r, size, sum_match) for r in zip(outs, out_dims, wanted, strict=True)]
        return tree_unflatten(out_trees[0], results)

    return vmapped


def _mapped_function(fun: Callable, in_tree: Any, out_trees: list[Any]) -> Callable:
    flat = flat_function(fun, in_tree, out_trees)

    def checked(*leaves: Any) -> list[Any]:
        return operands_of("the result of a batched function", flat(*leaves))

    named = in_transformation("vmap", checked)
    named.__name__ = fun_name(fun)
    return named


def _canonical_in_axis(x: Any, axis: Any) -> int | None:
    if axis is None:
        return None
    if not isinstance(axis, int):
        raise TypeError(f"vmap in_axes must be made of ints and None, but one leaf is {axis!r}.")
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(
            f"vmap was requested to map its argument along axis {axis}, which implies that its rank should "
            "be at least "
            f"{axis + 1 if axis >= 0 else -axis}, but is only {x.ndim} (its shape is {x.shape}). "
            "Map another axis, or set this argument's in_axes to None to share it."
        )
    return axis + x.ndim if axis < 0 else axis


def _mapped_size(args: tuple, kwargs: dict, operands: Sequence[Any], dims: Sequence[Any], axis_size: int | None) -> int:
    sizes = dict.fromkeys(x.shape[d] for x, d in zip(operands, dims, strict=True) if d is not None)
    if axis_size is not None:
        sizes[axis_size] = None
    if not sizes:
        raise ValueError(
            "vmap must have at least one non-None value in in_axes or axis_size must be specified: no argument "
            "says how many examples there are."
        )
    if len(sizes) > 1:
        paths = [keystr(path) for path, _ in tree_flatten_with_path((args, kwargs))[0]]
        lines = [
            f"  * axis {d} of the argument at {path} of (args, kwargs), of type {get_aval(x).str_long()}, "
            f"has size {x.shape[d]}"
            for path, x, d in zip(paths, operands, dims, strict=True)
            if d is not None
        ]
        lines += [f"  * the axis_size argument was {axis_size}"] if axis_size is not None else []
        raise ValueError(
            "vmap got inconsistent sizes for array axes to be mapped:\n"
            + "\n".join(lines)
            + "\nAll mapped axes must have one size; use in_axes=None for what is shared."
        )
    return next(iter(sizes))


def _place_result(x: Any, dim: int | None, wanted: Any, size: int, sum_match: bool) -> Any:
    if wanted is None:
        if dim is not None and sum_match:
            return reduce_sum(x, (dim,))
        if dim is not None:
            raise ValueError(
                f"at vmap out_axes, got axis spec None but output was batched on axis {dim}: it differs "
                "from example to "
                "example. Give it an axis, or reduce it over the examples first."
            )
        return x
    rank = np.ndim(x) + (dim is None)
    if not -rank <= wanted < rank:
        raise ValueError(
            f"vmap out_axes: axis {wanted} is out of bounds for array of dimension {rank}. "
            f"It must lie between {-rank} and {rank - 1}."
        )
    return place_batch_axis(x, dim, wanted + rank if wanted < 0 else wanted, size)
