"""Calls back into Python from inside of a program, with concrete values, whenever it runs.

    debug_callback[callback effect partitioned] *operands                         nothing comes back
    pure_callback[callback result_avals sharding vmap_method] *operands -> *results   may run often, or never
    io_callback[callback ordered result_avals sharding] *operands -> *results         runs once, results read or not

The functions that users call are in `callbacks.py` and `debug.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array, ArrayImpl
from minijax.core import EVAL, Primitive, ShapedArray, as_array, get_aval, set_current_trace
from minijax.effects import io_effect, ordered_io_effect
from minijax.errors import JaxRuntimeError
from minijax.jaxpr import Eqn, stage
from minijax.policy_split import Policy, SplitEqn, read_but_not_there
from minijax.primitives.scan import scan_p
from minijax.primitives.shaping import broadcast, move_axis
from minijax.primitives.slicing import index_in_dim
from minijax.tree_util import tree_leaves, tree_unflatten

# ----------------------------------------------------------------- shared


class _FlatCallback:
    """A user's function as one of the leaves of its arguments: equal for equal functions and trees.

    It has JAX's name, which jaxprs show.
    """

    __slots__ = ("callback_func", "in_tree")

    def __init__(self, callback_func: Callable, in_tree: Any):
        self.callback_func = callback_func
        self.in_tree = in_tree

    def __call__(self, *leaves: Any) -> list[Any]:
        args, kwargs = tree_unflatten(self.in_tree, leaves)
        return tree_leaves(self.callback_func(*args, **kwargs))

    def __eq__(self, other: object) -> bool:
        return type(other) is _FlatCallback and (self.callback_func, self.in_tree) == (
            other.callback_func,
            other.in_tree,
        )

    def __hash__(self) -> int:
        return hash((self.callback_func, self.in_tree))

    def __repr__(self) -> str:
        return f"_FlatCallback(callback_func={self.callback_func!r}, in_tree={self.in_tree!r})"


def flat_callback(fun: Callable, in_tree: Any) -> Callable[..., list[Any]]:
    """`fun(*args, **kwargs)` as a function of the leaves of (args, kwargs), to the leaves of its result."""
    return _FlatCallback(fun, in_tree)


def call_back(callback: Callable, arrays: Sequence[Array]) -> Any:
    """Call a function of the user, as from outside of the program: no transformation, NumPy's usual warnings."""
    with set_current_trace(EVAL), np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"):
        return callback(*arrays)


def in_program(name: str, call: Callable, *args: Any) -> Any:
    """What `call(*args)` returns. Raises JaxRuntimeError, as programs do, from whatever it raises."""
    try:
        return call(*args)
    except Exception as error:
        raise JaxRuntimeError(f"the function given to {name} failed: {type(error).__name__}: {error}") from error


# ----------------------------------------------------------------- debug_callback


def debug_primitive(name: str, callback_of: Callable[[dict[str, Any]], Callable], effect: Callable) -> Primitive:
    """A primitive without results that calls callback_of(params) with its operands.

    Under vmap once for each example, under differentiation with the primal values.
    """
    prim = Primitive(name, multiple_results=True)

    def evaluate(*args: Any, **params: Any) -> list[Any]:
        call_back(callback_of(params), [as_array(x) for x in args])
        return []

    def impl(*buffers: np.ndarray, **params: Any) -> list[Any]:
        in_program(f"jax.{name.replace('_', '.')}", call_back, callback_of(params), [ArrayImpl(b) for b in buffers])
        return []

    def batch(axis_size: int, args: Sequence[Any], dims: Sequence[int | None], **params: Any) -> tuple[list, list]:
        for i in range(axis_size):
            prim.bind(
                *[x if d is None else index_in_dim(x, i, d, keepdims=False) for x, d in zip(args, dims)], **params
            )
        return [], []

    def jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[list, list]:
        prim.bind(*primals, **params)
        return [], []

    prim.impl, prim.evaluate, prim.batch, prim.jvp, prim.effects = impl, evaluate, batch, jvp, effect
    prim.split = _split_debug
    prim.shape_rule = lambda *avals, **params: []
    # There are no results, so nothing to send back.
    prim.transpose = lambda cts, *args, **params: [None] * len(args)
    return prim


def _split_debug(policy: Policy, eqn: Eqn, unknown: Sequence[bool], there: Sequence[bool]) -> SplitEqn:
    """In a checkpoint: where the operands are computed anew, they are shown anew, unless that takes a residual."""
    if any(unknown):
        return SplitEqn(None, eqn, [], [], read_but_not_there(eqn, there))
    return SplitEqn(eqn, eqn if all(there) else None, [], [], [])


debug_callback_p = debug_primitive(
    "debug_callback", lambda params: params["callback"], effect=lambda params: params["effect"]
)

# ----------------------------------------------------------------- pure_callback, io_callback


def _callback_with_results(name: str) -> Primitive:
    prim = Primitive(name, multiple_results=True)

    def call(callback: Callable, buffers: Sequence[np.ndarray], avals: Sequence[ShapedArray]) -> list[np.ndarray]:
        return _checked_results(call_back(callback, [ArrayImpl(b) for b in buffers]), avals)

    def impl(*buffers: np.ndarray, callback: Callable, result_avals: Sequence[ShapedArray], **params: Any) -> Any:
        return in_program(f"jax.{name}", call, callback, buffers, result_avals)

    prim.impl = impl
    prim.shape_rule = lambda *avals, result_avals, **params: list(result_avals)
    return prim


def _checked_results(results: Sequence[Any], avals: Sequence[ShapedArray]) -> list[np.ndarray]:
    if len(results) != len(avals):
        raise RuntimeError(
            f"it returned {len(results)} arrays, but {len(avals)} are announced by result_shape_dtypes. Let both have "
            "the same structure"
        )
    return [_checked_result(i, x, aval) for i, (x, aval) in enumerate(zip(results, avals, strict=True))]


def _checked_result(index: int, x: Any, aval: ShapedArray) -> np.ndarray:
    found = np.asarray(x)
    dtype = dtypes.canonicalize_dtype(found.dtype)
    if (found.shape, dtype) != (aval.shape, aval.dtype):
        raise RuntimeError(
            f"its result {index} is an array of dtype {dtype.name} and shape {found.shape}, but result_shape_dtypes "
            f"announces {aval.dtype.name} and {aval.shape}. Convert what it returns, or announce something else"
        )
    # The user may go on writing into an array of NumPy.
    return np.array(found, dtype, copy=not isinstance(x, Array) or None)


def _one_after_another(
    prim: Primitive, axis_size: int, args: Sequence[Any], dims: Sequence[int | None], unroll: int, params: dict
) -> tuple[list[Any], list[int]]:
    """The batch rule that calls once for each example: a scan over them."""
    shared = [x for x, d in zip(args, dims, strict=True) if d is None]
    mapped = [move_axis(x, d, 0) for x, d in zip(args, dims, strict=True) if d is not None]

    def one_example(*operands: Any) -> list[Any]:
        same, own = iter(operands[: len(shared)]), iter(operands[len(shared) :])
        return prim.bind(*[next(same if d is None else own) for d in dims], **params)

    mapped_avals = [get_aval(x) for x in mapped]
    body = stage(one_example, [*map(get_aval, shared), *[a.update(shape=a.shape[1:]) for a in mapped_avals]])
    loop = {"length": axis_size, "num_consts": len(shared), "num_carry": 0, "reverse": False, "unroll": unroll}
    outs = scan_p.bind(*shared, *mapped, jaxpr=body, **loop)
    return outs, [0] * len(outs)


pure_callback_p = _callback_with_results("pure_callback")
VMAP_METHODS = ("sequential", "sequential_unrolled", "expand_dims", "broadcast_all", "legacy_vectorized")


def _no_jvp_of_pure(*args: Any, **params: Any) -> Any:
    raise ValueError(
        "pure_callback has no derivative: nothing is known of what the function does. Give it one with jax.custom_jvp "
        "around the function that calls back."
    )


def _no_transpose_of_pure(*args: Any, **params: Any) -> Any:
    raise ValueError(
        "pure_callback cannot be transposed: nothing is known of what the function does. Give it a derivative with "
        "jax.custom_vjp around the function that calls back."
    )


def _batch_pure(
    axis_size: int,
    args: Sequence[Any],
    dims: Sequence[int | None],
    *,
    vmap_method: str | None,
    result_avals: Sequence[ShapedArray],
    **params: Any,
) -> tuple[list[Any], list[int]]:
    params["vmap_method"] = vmap_method
    if vmap_method is None:
        raise NotImplementedError(
            "vmap of pure_callback: say how the function can be called for many examples at once, by its argument "
            f"vmap_method. It is one of {', '.join(map(repr, VMAP_METHODS))}; 'sequential' calls once for each."
        )
    if vmap_method.startswith("sequential"):
        unroll = axis_size if vmap_method == "sequential_unrolled" else 1
        params["result_avals"] = result_avals
        return _one_after_another(pure_callback_p, axis_size, args, dims, unroll, params)
    args = [x if d is None else move_axis(x, d, 0) for x, d in zip(args, dims, strict=True)]
    if vmap_method != "legacy_vectorized":
        size = axis_size if vmap_method == "broadcast_all" else 1
        args = [broadcast(x, (size,)) if d is None else x for x, d in zip(args, dims, strict=True)]
    avals = tuple([a.update(shape=(axis_size, *a.shape)) for a in result_avals])
    outs = pure_callback_p.bind(*args, result_avals=avals, **params)
    return outs, [0] * len(outs)


pure_callback_p.jvp = _no_jvp_of_pure
pure_callback_p.transpose = _no_transpose_of_pure
pure_callback_p.batch = _batch_pure

io_callback_p = _callback_with_results("io_callback")


def _no_derivative_of_io(*args: Any, **params: Any) -> Any:
    raise ValueError(
        "io_callback has no derivative and cannot be transposed: it is about what happens outside of the program. "
        "Give it operands behind jax.lax.stop_gradient, or a derivative with jax.custom_jvp or jax.custom_vjp."
    )


def _batch_io(axis_size: int, args: Any, dims: Any, *, ordered: bool, **params: Any) -> tuple[list[Any], list[int]]:
    if ordered:
        raise ValueError(
            "vmap of io_callback with ordered=True: examples that are computed together have no order. Leave "
            "`ordered` out, or loop over them with lax.map."
        )
    return _one_after_another(io_callback_p, axis_size, args, dims, 1, {"ordered": ordered, **params})


io_callback_p.effects = lambda params: ordered_io_effect if params["ordered"] else io_effect
io_callback_p.jvp = _no_derivative_of_io
io_callback_p.transpose = _no_derivative_of_io
io_callback_p.batch = _batch_io
