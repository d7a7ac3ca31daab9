"""Derivatives of the calls in the function tables: of each call by every float array that it names."""

from __future__ import annotations

import re
import warnings
from typing import Any

import jax
import numpy as np

import minijax
from minijax.test_util import check_grads

from . import oracle_facts
from .function_checks import OURS, THEIRS
from .oracle import assert_same

__all__ = ["check_derivatives", "check_numerically"]

_WORD = re.compile(r"(?<![.\w'])[a-z]\w*")


def float_operands(call: str) -> list[str]:
    """The names in the call that stand for float arrays.

    The weakly typed one is left out: JAX's library functions are jitted, which weakens the types of their tangents.
    """
    arrays = {name: x for name, x in THEIRS.items() if isinstance(x, jax.Array)}
    # Keys have a dtype without a kind.
    floats = {name for name, x in arrays.items() if getattr(x.dtype, "kind", "") == "f" and not x.weak_type}
    return [w for w in dict.fromkeys(_WORD.findall(call)) if w in floats]


def check_derivatives(call: str) -> None:
    """The gradient of a weighted sum of the result, and its derivative in one direction: the same as JAX's.

    The operands lie at kinks and ties, and hold NaN and infinities, on purpose.
    """
    names = float_operands(call)
    if not names or call in oracle_facts.DERIVATIVES_DIFFER:
        return
    (ours, our_error), (theirs, their_error) = outcome(minijax, call, names), outcome(jax, call, names)
    raised = type(our_error).__name__, type(their_error).__name__
    assert raised[0] == raised[1], f"ours {our_error!r}, theirs {their_error!r}"
    if their_error is None:
        assert_same(
            ours, theirs, ulp=256, floor=1e-2, leafwise=True, what=f"derivatives of {call} by {', '.join(names)}"
        )


def outcome(engine: Any, call: str, names: list[str]) -> tuple[Any, Exception | None]:
    """(gradient, its derivative along weights) by the named operands, or what is raised."""
    space = OURS if engine is minijax else THEIRS

    def weighted(*arrays: Any) -> Any:
        return weighted_sum(engine, eval(call, {**space, **dict(zip(names, arrays, strict=True))}), "float32")

    arrays = tuple(space[name] for name in names)
    gradient = engine.grad(weighted, argnums=tuple(range(len(names))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return engine.jvp(gradient, arrays, tuple(weights(engine, x) for x in arrays)), None
        except Exception as error:
            return None, error


def weighted_sum(engine: Any, result: Any, dtype: str) -> Any:
    """A number that depends on every entry of every float array in a result, in a different way on each."""
    leaves = [x for x in engine.tree_util.tree_leaves(result) if isinstance(x, engine.Array)]
    floats = [x for x in leaves if engine.numpy.issubdtype(x.dtype, engine.numpy.inexact)]
    return sum((engine.numpy.sum(x * weights(engine, x)).real.astype(dtype) for x in floats), 0.0)


def weights(engine: Any, x: Any) -> Any:
    """Different numbers of the shape and dtype of `x`."""
    return engine.numpy.asarray(np.linspace(0.5, 1.5, x.size).reshape(x.shape).astype(x.dtype))


def check_numerically(call: str) -> None:
    """The first and second derivatives of a smooth call of `v` against differences of its values, in float64.

    A call that rounds to a narrower dtype has no differences to speak of.
    """
    with minijax.enable_x64(True):
        v = minijax.numpy.asarray([0.3141, 0.7182, 0.4567])

        def f(v: Any) -> Any:
            return weighted_sum(minijax, eval(call, {**OURS, "v": minijax.numpy.asarray(v)}), "float64")

        leaves = minijax.tree_util.tree_leaves(eval(call, {**OURS, "v": v}))
        if all(leaf.dtype in ("float64", "complex128") for leaf in leaves if isinstance(leaf, minijax.Array)):
            check_grads(f, (v,), order=2, atol=1e-4, rtol=1e-4)
