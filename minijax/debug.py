"""jax.debug: printing and calling back from inside transformed functions."""

from __future__ import annotations

import string
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minijax.array import ArrayImpl
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
    callback: Callable[..., Any], *args: Any, ordered: bool = False, partitioned: bool = False, **kwargs: Any
) -> None:
    """Call `callback(*args, **kwargs)` with concrete values whenever the surrounding program runs.

    Once for each example under vmap, with the primal values under differentiation.
    """
    if not callable(callback):
        raise TypeError(f"first argument to jax.debug.callback must be callable, but got {callback!r}.")
    leaves, tree = tree_flatten((args, kwargs))

    def flat(*values: Any) -> None:
        call_args, call_kwargs = tree_unflatten(tree, values)
        callback(*call_args, **call_kwargs)

    debug_callback_p.bind(*leaves, callback=flat, effect="OrderedDebug" if ordered else "Debug")


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
    fmt: str,
    *args: Any,
    ordered: bool = False,
    partitioned: bool = False,
    skip_format_check: bool = False,
    _use_logging: bool = False,
    **kwargs: Any,
) -> None:
    """Print `fmt.format(*args, **kwargs)` with concrete values whenever the surrounding program runs.

    Raises ValueError or KeyError if fields and arguments do not match.
    """
    if not skip_format_check:
        leaves, tree = tree_flatten((args, kwargs))
        dummy_args, dummy_kwargs = tree_unflatten(tree, ["" for _ in leaves])
        _FieldChecker().vformat(_without_specs(fmt), dummy_args, dummy_kwargs)

    def show(*values: Any, **named: Any) -> None:
        sys.stdout.write(fmt.format(*values, **named) + "\n")

    callback(show, *args, ordered=ordered, **kwargs)


def _without_specs(fmt: str) -> str:
    """The format string with its fields but without format specifications, which need real values."""
    parts = string.Formatter().parse(fmt)
    return "".join("" if name is None else "{" + name.split(".")[0].split("[")[0] + "}" for _, name, _, _ in parts)
