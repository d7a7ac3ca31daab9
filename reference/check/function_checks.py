"""What is compared for one call of a function table: the value, or the class of the exception."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import jax
import numpy as np

import minijax

from .functions.operands import namespace
from .oracle import assert_same

__all__ = ["CHECKS", "OURS", "THEIRS", "calls", "valued_calls"]

V = np.asarray([0.3, 0.7, 0.45], np.float32)
OURS, THEIRS = namespace(minijax), namespace(jax)


def calls(family: ModuleType, bound: str) -> list[str]:
    """The calls of one table under one bound."""
    return [call.strip() for call in getattr(family, bound, [])]


def outcome(call: str, names: dict[str, Any]) -> tuple[Any, Exception | None]:
    """What the expression gives, or what it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return eval(call, names), None
        except Exception as error:
            return None, error


# What a call raises that compares nothing: an exception of one class in both engines would pass.
_MISSPELT = (NameError, AttributeError, SyntaxError)


def check_value(call: str, **bound: Any) -> None:
    """Evaluate the call with both engines and compare."""
    (ours, our_error), (theirs, their_error) = outcome(call, OURS), outcome(call, THEIRS)
    assert type(our_error).__name__ == type(their_error).__name__, f"ours {our_error!r}, theirs {their_error!r}"
    assert not isinstance(their_error, _MISSPELT), f"JAX raises {their_error!r}: misspelt?"
    if their_error is None:
        assert_same(ours, theirs, **bound, what=call)


def within(**bound: Any) -> Callable[[str], None]:
    """A check of values under one bound."""
    return lambda call: check_value(call, **bound)


def check_refused(call: str) -> None:
    """Both engines raise, with exceptions of one class."""
    (_, ours), (_, theirs) = outcome(call, OURS), outcome(call, THEIRS)
    assert theirs is not None, "JAX accepts it: move it to another list"
    assert type(ours).__name__ == type(theirs).__name__, f"ours {ours!r}, theirs {theirs!r}"
    assert str(ours)


def check_smooth(call: str) -> None:
    """The gradient, the batched and the jitted function of the vector `v`; JAX compiles all three as one."""

    def results(engine: Any, names: dict[str, Any], v: Any) -> Any:
        def f(v: Any) -> Any:
            return eval(call, {**names, "v": v})

        gradient = engine.grad(lambda v: engine.numpy.sum(f(v).astype("float32")))(v)
        return gradient, engine.vmap(f, in_axes=-1)(engine.numpy.stack([v, v * v], -1)), engine.jit(f)(v)

    ours = results(minijax, OURS, minijax.numpy.asarray(V))
    try:
        assert_same(ours, jax.jit(lambda v: results(jax, THEIRS, v))(V), ulp=64, leafwise=True, what=call)
    except AssertionError:  # XLA fuses operations, after which another rest is left of what cancels
        assert_same(ours, results(jax, THEIRS, V), ulp=64, leafwise=True, what=call)


CHECKS: dict[str, Callable[[str], None]] = {
    "EXACT": within(),
    "CLOSE": within(ulp=32, floor=1e-2),
    "SUMS": within(ulp=16, leafwise=True),
    "ROUGH": within(ulp=256, floor=1e-2),
    "DECOMPOSED": within(ulp=256, leafwise=True),
    "SMOOTH": check_smooth,
    "REFUSED": check_refused,
}


def valued_calls(family: ModuleType) -> list[str]:
    """All calls of one table that give values, whatever their bound."""
    bounds = [bound for bound in CHECKS if bound not in ("SMOOTH", "REFUSED")]
    return [call for bound in bounds for call in [*calls(family, bound), *calls(family, f"MORE_{bound}")]]
