"""`with` blocks around traced code: names for parts of a program, and evaluation while tracing."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from minijax.core import EVAL, Primitive, Trace, Tracer, current_trace, set_current_trace
from minijax.source_info import names_here, set_names
from minijax.tracebacks import api_boundary

__all__ = ["ensure_compile_time_eval", "named_scope"]


class _NamedScope:
    """A block, or a decorator that makes each call of a function one."""

    __slots__ = ("_name", "_outer")

    def __init__(self, name: str):
        self._name = name
        self._outer: list[tuple] = []  # a stack: the same object may be entered again inside its own block

    def __enter__(self) -> str:
        self._outer.append(names_here())
        set_names((*names_here(), self._name))
        return self._name

    def __exit__(self, *exc_info: object) -> None:
        set_names(self._outer.pop())

    def __call__(self, fun: Callable) -> Callable:
        @api_boundary
        @functools.wraps(fun)
        def named(*args: Any, **kwargs: Any) -> Any:
            with _NamedScope(self._name):
                return fun(*args, **kwargs)

        return named


def named_scope(name: str) -> _NamedScope:
    """A block, or a decorated function, that has a name: equations traced in it keep the names around them.

    `jaxpr.pretty_print(name_stack=True)` shows them, and `eqn.source_info.name_stack`. Raises TypeError unless it
    is a str.
    """
    if not isinstance(name, str):
        raise TypeError(f"named_scope name argument must be a string, got {name!r}.")
    return _NamedScope(name)


class _CompileTimeTrace(Trace):
    """Evaluates what is known; the rest is the business of the trace around it."""

    __slots__ = ("parent",)

    def __init__(self) -> None:
        self.parent = current_trace()

    def process(self, prim: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
        known = not any(isinstance(x, Tracer) for x in args)
        return (EVAL if known else self.parent).process(prim, args, params)


@contextlib.contextmanager
def ensure_compile_time_eval() -> Iterator[None]:
    """A block whose operations on concrete arrays are evaluated at once, although a transformation is looking on.

    Operations on traced values are what they are outside of the block.
    """
    with set_current_trace(_CompileTimeTrace()):
        yield
