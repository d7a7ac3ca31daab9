"""jit, jaxprs: what users call to turn functions into programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from minijax import config
from minijax.arguments import aval_of, check_callable, operands_of, wraps
from minijax.contexts import named_scope
from minijax.core import ShapedArray, get_aval
from minijax.jaxpr import stage
from minijax.jitted import JitFunction, StaticArguments, flat_function, fun_name
from minijax.named_axes import extend_axis_env
from minijax.primitives.standard import check_one_device
from minijax.shape_struct import ShapeDtypeStruct
from minijax.sharded_jit import ShardedJitFunction
from minijax.tracebacks import api_boundary
from minijax.tree_util import tree_flatten, tree_leaves, tree_unflatten


class _NotSpecified:
    def __repr__(self) -> str:
        return "<not-specified>"


_NOT_SPECIFIED = _NotSpecified()


@api_boundary
def jit(
    fun: Any = _NOT_SPECIFIED,
    /,
    *,
    in_shardings: Any = None,
    out_shardings: Any = None,
    static_argnums: int | Sequence[int] | None = None,
    static_argnames: str | Iterable[str] | None = None,
    donate_argnums: int | Sequence[int] | None = None,
    donate_argnames: str | Iterable[str] | None = None,
    keep_unused: bool = False,
    device: Any = None,
    backend: str | None = None,
    inline: bool = False,
    compiler_options: dict[str, Any] | None = None,
) -> Any:
    """Trace `fun` once for each kind of arguments (tree, shapes, dtypes, weak types), then run its jaxpr.

    Static arguments are given to `fun` as they are and must be hashable; a new value means a new trace.
    Donated arguments may be overwritten. Results say that they lie as `out_shardings` tells them to, which changes
    nothing else. Without `fun`, a decorator.
    """
    if fun is _NOT_SPECIFIED:
        options = {k: v for k, v in locals().items() if k != "fun"}
        return lambda f: jit(f, **options)
    check_callable("jit", fun)
    static = StaticArguments(fun, static_argnums, static_argnames, donate_argnums, donate_argnames)
    shardings = tree_leaves((in_shardings, out_shardings))
    for sharding in shardings:
        check_one_device("jit", sharding)
    if shardings:
        return ShardedJitFunction(fun, static, keep_unused, inline, in_shardings, out_shardings)
    return JitFunction(fun, static, keep_unused, inline)


@api_boundary
def make_jaxpr(
    fun: Callable,
    static_argnums: int | Sequence[int] = (),
    axis_env: Sequence[tuple[Any, int]] | None = None,
    return_shape: bool = False,
) -> Callable:
    """A function that gives the jaxpr of `fun` for its arguments instead of running it.

    Arguments may be arrays, numbers or ShapeDtypeStructs. With return_shape the result is
    (jaxpr, tree of ShapeDtypeStructs). axis_env: pairs of name and length of axes that `fun` may speak of.
    """
    check_callable("make_jaxpr", fun)
    static = StaticArguments(fun, static_argnums, None)

    @wraps(fun, "make_jaxpr", "The jaxpr of")
    def make_jaxpr_fun(*args: Any, **kwargs: Any) -> Any:
        key, rest, keywords = static.split(args, kwargs)
        leaves, in_tree = tree_flatten((rest, keywords))
        out_trees: list[Any] = []
        flat, avals = flat_function(static.rejoin(fun, key), in_tree, out_trees), [_checked_aval(x) for x in leaves]
        with extend_axis_env(axis_env or ()):
            closed = stage(flat, avals, fun_name(fun))
        if not return_shape:
            return closed
        shapes = [ShapeDtypeStruct(a.shape, a.dtype, weak_type=a.weak_type) for a in closed.out_avals]
        return closed, tree_unflatten(out_trees[0], shapes)

    return make_jaxpr_fun


def _checked_aval(x: Any) -> ShapedArray:
    return aval_of(x) if isinstance(x, ShapeDtypeStruct) else get_aval(*operands_of("make_jaxpr", [x]))


def disable_jit(disable: bool = True) -> Any:
    """A context manager in which jitted functions run as plain Python, so that one can look inside them."""
    return config.disable_jit(disable)


def typeof(x: Any) -> ShapedArray:
    """The aval of an array, tracer or number: its shape, dtype and weak type."""
    return get_aval(x)


@api_boundary
def eval_shape(fun: Callable, *args: Any, **kwargs: Any) -> Any:
    """Shapes and dtypes of fun(*args, **kwargs) as a tree of ShapeDtypeStructs; nothing is computed."""
    check_callable("eval_shape", fun)
    if isinstance(fun, JitFunction):
        return fun.eval_shape(*args, **kwargs)
    return make_jaxpr(fun, return_shape=True)(*args, **kwargs)[1]


def named_call(fun: Callable, *, name: str | None = None) -> Callable:
    """`fun` in a `named_scope` of this name, by default its own."""
    check_callable("named_call", fun)
    return named_scope(name or fun_name(fun))(fun)
