"""What the flags jax_debug_nans and jax_debug_infs ask for: an error at the operation that made the bad number.

Operations are checked one by one as they are evaluated. Of a program, such as a jitted function or a loop, only the
results count, as in JAX: what `jnp.where` threw away in it does no harm. If there is something wrong with them, the
program runs once more, with a check after each equation, to find the one to blame.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from minijax.config import debug_infs, debug_nans
from minijax.element_types import short_dtype_name
from minijax.key_reuse import follow_keys
from minijax.source_info import Source, function_called, user_source

__all__ = ["Culprit", "check_equation", "check_values", "locating"]

# Whether programs run with a check after each equation; see `compiler.executable`.
locating: ContextVar[bool] = ContextVar("locating", default=False)
# What is not an operation of its own: errors name what is within, as JAX's do.
_TRANSPARENT = ("jit", "custom_jvp_call", "custom_vjp_call", "remat2")


class Culprit(Exception):
    """The equation that made a bad number was found."""

    def __init__(self, name: str, source: Source | None):
        super().__init__(name)
        self.name = name
        self.source = source

    def __str__(self) -> str:
        return f"{self.name} at {self.source}" if self.source else self.name


def check_equation(eqn: Any, operands: Sequence[np.ndarray], results: Sequence[np.ndarray]) -> None:
    """Raise Culprit if the equation has made a forbidden number, which was not among its operands."""
    if any(map(_forbidden, results)) and not any(map(_forbidden, operands)):
        raise Culprit(eqn.primitive.name, eqn.source)


def check_values(
    prim: Any, args: Sequence[Any], params: dict[str, Any], out: Any, again: Callable[[], Any] | None = None
) -> Any:
    """`out`, which the primitive gave for these arguments. Raises FloatingPointError for what the flags forbid.

    `again()` evaluates the same one operation after the other, as far as that can be done.
    """
    follow_keys(prim, args, params, out)
    for x in out if prim.multiple_results else [out]:
        data = np.asarray(getattr(x, "_data", x))  # functions with their own rules may give Python's numbers
        bad = _forbidden(data)
        if bad is not None and not _within_a_function(prim, args):
            if again is not None:
                again()  # raises the error itself, with the user's function on the stack
            raise FloatingPointError(_text(prim, args, params, data, bad))
    return out


# Functions that are about such numbers, and those whose argument is the number itself.
_ASKING = ("allclose", "array_equal", "array_equiv", "bitwise_count", "isclose", "isinf", "isneginf", "isposinf")
_CREATING = ("array", "asarray", "full", "full_like", "__call__", "__new__")


def _within_a_function(prim: Any, args: Sequence[Any]) -> bool:
    """Whether this is an inner step of a library function, which is allowed to have such numbers on the way.

    Library functions are programs too: in JAX they are jitted, so that a constant NaN, which `jnp.where` chooses
    where there is no result (as `jnp.var` does for too few elements), does no harm.
    """
    called = function_called()
    constant = prim.name in ("broadcast_in_dim", "convert_element_type", "reshape") and np.ndim(args[0]) == 0
    return called in _ASKING or (constant and called not in _CREATING)


def _text(prim: Any, args: Sequence[Any], params: dict[str, Any], result: np.ndarray, bad: str) -> str:
    name, place, within = prim.name, user_source(), ""
    kind = f"{short_dtype_name(result.dtype)}[{','.join(map(str, result.shape))}]"
    culprit = _culprit(prim, args, params)
    if culprit is not None and name in _TRANSPARENT:
        name, place = culprit.name, culprit.source or place
    elif culprit is not None:
        within = f" The first one within it was made by {culprit}."
    return (
        f"invalid value ({bad}) encountered in {name}{f' at {place}' if place else ''}: a result of type "
        f"{kind} has a {bad} somewhere, and jax_debug_{bad}s is on.{within} For example 0 / 0 and "
        "log(-1) are NaN, 1 / 0 and log(0) infinite. Keep such operands away, say by jnp.where(x > 0, x, 1) in front "
        f"of the operation, or switch the check off by jax.config.update('jax_debug_{bad}s', False)."
    )


def _culprit(prim: Any, args: Sequence[Any], params: dict[str, Any]) -> Culprit | None:
    """The first equation that makes a bad number in what the primitive calls, if it calls anything."""
    called = [p for value in params.values() for p in (value if type(value) is tuple else (value,))]
    if not any(hasattr(p, "eqns") for p in called):
        return None
    token = locating.set(True)
    try:
        prim.evaluate(*args, **params)
    except Culprit as culprit:
        return culprit
    finally:
        locating.reset(token)
    return None


def _forbidden(data: np.ndarray) -> str | None:
    """ "nan" or "inf" if there is one and the flags forbid it."""
    if data.dtype.kind not in "fcV" or not (debug_nans.value or debug_infs.value):
        return None
    if data.dtype.kind == "V" and data.dtype.names is not None:
        return None  # float0 and keys
    if debug_nans.value and np.isnan(data).any():
        return "nan"
    return "inf" if debug_infs.value and np.isinf(data).any() else None
