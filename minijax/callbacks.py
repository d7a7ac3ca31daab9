"""pure_callback and io_callback: parts of a program that are Python functions over concrete arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.core import ShapedArray, as_operand
from minijax.primitives.callbacks import VMAP_METHODS, flat_callback, io_callback_p, pure_callback_p
from minijax.primitives.standard import check_one_device
from minijax.tracebacks import api_boundary
from minijax.tree_util import tree_flatten, tree_unflatten

__all__ = ["io_callback", "pure_callback"]


@api_boundary
def pure_callback(
    callback: Callable[..., Any],
    result_shape_dtypes: Any,
    *args: Any,
    sharding: Any = None,
    vmap_method: str | None = None,
    **kwargs: Any,
) -> Any:
    """callback(*args, **kwargs), called with concrete arrays whenever the program around it needs its results.

    They are announced by `result_shape_dtypes`, a tree of things that have a shape and a dtype. The function must
    depend on its arguments alone: it may be called more or less often than it looks. Under vmap, `vmap_method` says
    how: "sequential" and "sequential_unrolled" for one example after the other, "expand_dims", "broadcast_all" and
    "legacy_vectorized" for all at once, where shared arguments get a first axis of length 1, of full length, or none.

    Raises ValueError when it is differentiated (use jax.custom_jvp), JaxRuntimeError when the function fails or
    returns something else.
    """
    if vmap_method is not None and vmap_method not in VMAP_METHODS:
        raise ValueError(
            f"pure_callback: vmap_method is {vmap_method!r}, but must be None or one of "
            f"{', '.join(map(repr, VMAP_METHODS))}."
        )
    params = {"sharding": sharding, "vmap_method": vmap_method}
    return _bind("pure_callback", pure_callback_p, callback, result_shape_dtypes, args, kwargs, params)


@api_boundary
def io_callback(
    callback: Callable[..., Any],
    result_shape_dtypes: Any,
    *args: Any,
    sharding: Any = None,
    ordered: bool = False,
    **kwargs: Any,
) -> Any:
    """callback(*args, **kwargs), called with concrete arrays exactly once each time when the program around it runs.

    So it may read and change things outside. Its results are announced by `result_shape_dtypes`, a tree of things
    that have a shape and a dtype, or None. Calls happen in the order of the program, `ordered` or not; but ordered
    ones refuse to be batched.

    Raises ValueError when it is differentiated, JaxRuntimeError when the function fails or returns something else.
    """
    params = {"sharding": sharding, "ordered": ordered}
    return _bind("io_callback", io_callback_p, callback, result_shape_dtypes, args, kwargs, params)


def _bind(
    name: str, prim: Any, callback: Callable, announced: Any, args: tuple, kwargs: dict, params: dict[str, Any]
) -> Any:
    check_one_device(name, params["sharding"])
    leaves, in_tree = tree_flatten((args, kwargs))
    operands = [_operand(name, i, x) for i, x in enumerate(leaves)]
    results, out_tree = tree_flatten(announced)
    avals = tuple([_announced_aval(name, x) for x in results])
    outs = prim.bind(*operands, callback=flat_callback(callback, in_tree), result_avals=avals, **params)
    return tree_unflatten(out_tree, outs)


def _operand(name: str, position: int, x: Any) -> Any:
    try:
        return as_operand(x)
    except TypeError:
        raise TypeError(
            f"{name}: argument {position} of the callback is {x!r} of type {type(x)}, which is no array or number. "
            "Give it to the function in another way, for example with functools.partial."
        ) from None


def _announced_aval(name: str, x: Any) -> ShapedArray:
    dtype = x.dtype if isinstance(x.dtype, dtypes.ExtendedDType) else np.dtype(x.dtype)
    if dtypes.canonicalize_dtype(dtype) != dtype:
        raise ValueError(
            f"{name}: result_shape_dtypes announces {dtype.name}, which there is only with jax_enable_x64. Write "
            f"{dtypes.canonicalize_dtype(dtype).name}, or switch 64-bit types on."
        )
    return ShapedArray(tuple(x.shape), dtype)
