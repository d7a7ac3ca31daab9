"""What jax.checking_leaks() asks for: an error where a traced value outlives the function that it was traced in."""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable
from contextvars import ContextVar
from types import CellType, FrameType, FunctionType, ModuleType
from typing import Any, NoReturn

from minijax.config import check_tracer_leaks, debugging
from minijax.core import Tracer

__all__ = ["finding_leaks", "origin"]

# Nested transformations are looked into together with the outermost one.
_looking: ContextVar[bool] = ContextVar("looking for leaks", default=False)


def finding_leaks(run: Callable) -> Callable:
    """A decorator for what runs a function of the user, its first argument, on tracers of a new trace.

    Raises Exception (the class is JAX's), which names tracer, function and holder, if one is alive afterwards.
    """

    @functools.wraps(run)
    def watched(fun: Callable, *args: Any, **kwargs: Any) -> Any:
        if not debugging or not check_tracer_leaks.value or _looking.get():
            return run(fun, *args, **kwargs)
        token = _looking.set(True)
        gc.freeze()  # what there is already is set aside: what is found afterwards was made here
        try:
            out = run(fun, *args, **kwargs)
            if _leaked_tracers():
                gc.collect()  # what nobody can reach any more has not leaked
            leaked = _leaked_tracers()
        finally:
            gc.unfreeze()
            _looking.reset(token)
        if leaked:
            _refuse(leaked, getattr(fun, "__name__", "a function"))
        return out

    return watched


def _leaked_tracers() -> list[Tracer]:
    """The tracers whose trace has ended. As JAX, this looks at jit and its kind and at vmap, not at derivatives."""
    tracers = [x for x in gc.get_objects() if issubclass(type(x), Tracer)]
    return [x for x in tracers if not x._trace.valid and type(x._trace).__name__ in ("JaxprTrace", "BatchTrace")]


def _refuse(leaked: list[Tracer], name: str) -> NoReturn:
    lines = [f"  * {x!r}, {origin(x, name)}{_held_by(x, leaked)}" for x in leaked]
    raise Exception(  # JAX's class
        f"Leaked tracer(s), found by jax.checking_leaks:\n{chr(10).join(lines)}\nA traced value stands for a number "
        "only while the function is traced. Return it, and keep what the transformed function returns."
    )


def origin(tracer: Any, mapped: str = "") -> str:
    """Where a tracer comes from: `the result of sin at file.py:7 (f), while the function f was traced`.

    `mapped` is the name of the function if it is one under vmap.
    """
    trace = tracer._trace
    if not hasattr(trace, "eqns"):
        return f"which stood for an array of examples while the function {mapped} was mapped"
    made_by = next((eqn for eqn in trace.eqns if tracer._var in eqn.outvars), None)
    if made_by is None:
        return f"which is argument {trace.invars.index(tracer._var)} of the traced function {trace.name}"
    return f"the result of {made_by.primitive} at {made_by.source}, while the function {trace.name} was traced"


def _held_by(x: Any, leaked: list[Tracer]) -> str:
    """Who holds a value, as far as that can be said in words: `; it is in a list, which is 'kept' of module m`."""
    words, seen = "", {id(leaked)}
    for _ in range(4):
        holders = [r for r in gc.get_referrers(x) if id(r) not in seen and not isinstance(r, FrameType)]
        if not holders:
            break
        holder = holders[0]
        seen.update([id(holders), id(holder)])
        words += f"{', which is' if words else '; it is'} {_place_in(holder, x)}"
        if isinstance(holder, ModuleType) or (isinstance(holder, dict) and "__name__" in holder):
            break
        x = holder
    return words


def _place_in(holder: Any, x: Any) -> str:
    if isinstance(holder, dict):
        key = next((k for k, v in holder.items() if v is x), None)
        if "__name__" in holder:
            return f"the global {key!r} of module {holder['__name__']}"
        return f"the item or attribute {key!r}"
    if isinstance(holder, CellType):
        return "a variable that a function closes over"
    if isinstance(holder, FunctionType):
        return f"of the function {holder.__qualname__}"
    names = [k for k, v in getattr(holder, "__dict__", {}).items() if v is x]
    return f"{f'the attribute {names[0]!r} of' if names else 'in'} an object of type {type(holder).__name__}"
