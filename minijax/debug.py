"""jax.debug: printing and calling back from inside transformed functions."""

from __future__ import annotations

import functools
import string
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minijax.array import Array, ArrayImpl
from minijax.core import Primitive, as_array
from minijax.primitives.slicing import index_in_dim
from minijax.tree_util import tree_flatten, tree_unflatten

__all__ = ["callback", "print"]

debug_callback_p = Primitive("debug_callback", multiple_results=True)
debug_callback_p.has_effects = True


def _call(*buffers: np.ndarray, callback: Callable, **params: Any) -> list[Any]:
    callback(*(ArrayImpl(b) for b in buffers))
    return []


def _batch(axis_size: int, args: Sequence[Any], dims: Sequence[int | None], **params: Any) -> tuple[list, list]:
    """One call for each example, in order."""
    for i in range(axis_size):
        example = [x if d is None else index_in_dim(x, i, d, keepdims=False) for x, d in zip(args, dims, strict=True)]
        debug_callback_p.bind(*example, **params)
    return [], []


def _jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[list, list]:
    debug_callback_p.bind(*primals, **params)
    return [], []


debug_callback_p.impl = _call
debug_callback_p.evaluate = lambda *args, **params: _call(*(as_array(x)._data for x in args), **params)
debug_callback_p.shape_rule = lambda *avals, **params: []
debug_callback_p.jvp = _jvp
debug_callback_p.batch = _batch
# A callback has no results, so there is never a cotangent to send back.
debug_callback_p.transpose = lambda cts, *args, **params: [None] * len(args)


def callback(
    callback: Callable[..., Any] | None = None,
    *args: Any,
    ordered: bool = False,
    partitioned: bool = False,
    **kwargs: Any,
) -> Callable[..., None] | None:
    """Call `callback(*args, **kwargs)` with concrete values whenever the surrounding program runs.

    Once for each example under vmap, with the primal values under differentiation. Without a callback the
    result takes it with its arguments: `jax.debug.callback(ordered=True)(f, x)`.
    """

    def call_back(function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        if not callable(function):
            raise TypeError(f"first argument to jax.debug.callback must be callable, but got {function!r}.")
        _bind_callback(function, args, kwargs, ordered)

    return _in_one_call_or_two("callback", call_back, callback, args, kwargs)


def _in_one_call_or_two(name: str, function: Callable, first: Any, args: tuple, kwargs: dict) -> Any:
    """function(first, *args, **kwargs), or the function itself when there is no first argument."""
    if first is not None:
        return function(first, *args, **kwargs)
    if args or kwargs:
        raise TypeError(
            f"jax.debug.{name}: got arguments {args} {kwargs} but no {name}. Give options alone in a first call,"
            f" jax.debug.{name}(ordered=True), and everything else in the second"
        )
    return function


def _bind_callback(function: Callable, args: tuple, kwargs: dict, ordered: bool) -> None:
    """Bind the arrays among the arguments; strings and other objects wait for them here."""
    leaves, tree = tree_flatten((args, kwargs))
    arrays = [isinstance(x, Array | np.ndarray | np.generic | bool | int | float | complex) for x in leaves]

    def flat(*values: Any) -> None:
        given = iter(values)
        call_args, call_kwargs = tree_unflatten(tree, [next(given) if a else x for x, a in zip(leaves, arrays)])
        function(*call_args, **call_kwargs)

    operands = [x for x, a in zip(leaves, arrays) if a]
    # The leaves that are operands are dropped: a tracer must not outlive its trace in the callback.
    leaves = [None if a else x for x, a in zip(leaves, arrays)]
    debug_callback_p.bind(*operands, callback=flat, effect="OrderedDebug" if ordered else "Debug")


class _FieldChecker(string.Formatter):
    """Raises for fields that do not match the arguments, before anything runs."""

    def check_unused_args(self, used: Any, args: Sequence[Any], kwargs: Any) -> None:
        unused = [i for i in range(len(args)) if i not in used]
        if unused or set(kwargs) - set(used):
            raise ValueError(
                f"debug.print: unused arguments {unused + sorted(set(kwargs) - set(used))} for the format "
                "string. "
                'Give each a field, for example jax.debug.print("x = {x}", x=x); f-strings see tracers only.'
            )


def print(  # noqa: A001
    fmt: str | None = None,
    *args: Any,
    ordered: bool = False,
    partitioned: bool = False,
    skip_format_check: bool = False,
    _use_logging: bool = False,
    **kwargs: Any,
) -> Callable[..., None] | None:
    """Print `fmt.format(*args, **kwargs)` with concrete values whenever the surrounding program runs.

    Raises ValueError or KeyError if fields and arguments do not match. Without a format the result takes it
    with its arguments: `jax.debug.print(ordered=True)("x = {}", x)`.
    """

    def print_format(fmt: str, *args: Any, **kwargs: Any) -> None:
        if not skip_format_check:
            leaves, tree = tree_flatten((args, kwargs))
            dummy_args, dummy_kwargs = tree_unflatten(tree, ["" for _ in leaves])
            _FieldChecker().vformat(_without_specs(fmt), dummy_args, dummy_kwargs)
        _bind_callback(functools.partial(_show, fmt), args, kwargs, ordered)

    return _in_one_call_or_two("print", print_format, fmt, args, kwargs)


def _show(fmt: str, *values: Any, **named: Any) -> None:
    sys.stdout.write(fmt.format(*values, **named) + "\n")


def _without_specs(fmt: str) -> str:
    """The format string with its fields but without format specifications, which need real values."""
    parts = string.Formatter().parse(fmt)
    return "".join("" if name is None else "{" + name.split(".")[0].split("[")[0] + "}" for _, name, _, _ in parts)
