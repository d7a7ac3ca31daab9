"""Where in the user's program something happened: file, line and function, and the names that the user gave the part.

Names come from `jax.named_scope` and from the transformations on the way. They are a stack; an equation keeps what
was on it above the jaxpr that it stands in. `jaxpr.pretty_print(source_info=True, name_stack=True)` shows both.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple

_ENGINE = os.path.dirname(os.path.abspath(__file__)) + os.sep


# The names of where we are, outermost first: a string is a scope, a tuple of one a transformation.
_names: ContextVar[tuple[str | tuple[str], ...]] = ContextVar("minijax_names", default=())


class Source(NamedTuple):
    """A place in a program."""

    file: str
    line: int
    function: str
    names: tuple[str | tuple[str], ...] = ()

    def __str__(self) -> str:
        return f"{self.file}:{self.line} ({self.function})"

    @property
    def name_stack(self) -> str:
        """The names as one text, as JAX writes them: `jvp(outer)/inner`."""
        parts: list[str] = []
        for name in reversed(self.names):
            if isinstance(name, str):
                parts.append(name)
            else:  # a transformation goes around the scope within it
                parts.append(f"{name[0]}({parts.pop() if parts else ''})")
        return "/".join(reversed(parts))


def names_here() -> tuple[str | tuple[str], ...]:
    """The stack of names."""
    return _names.get()


def set_names(names: tuple[str | tuple[str], ...]) -> None:
    """Replace the stack of names; whoever does so puts the old one back."""
    _names.set(names)


def in_transformation(name: str, fun: Callable) -> Callable:
    """`fun`, which runs under the name of a transformation."""

    def named(*args: Any) -> Any:
        token = _names.set((*_names.get(), (name,)))
        try:
            return fun(*args)
        finally:
            _names.reset(token)

    return named


_engine_files: set[str] = set()  # those seen so far


def is_engine_file(file: str) -> bool:
    """Whether a file is the engine's own."""
    if file.startswith(_ENGINE):
        _engine_files.add(file)
        return True
    return False


def at_source(source: Source | None, function: Callable, args: Sequence[Any], params: dict[str, Any], /) -> Any:
    """function(*args, **params), on behalf of a place in the user's program rather than of who calls this.

    So runs what is derived from an equation, which keeps the place that the equation comes from, and its names.
    """
    if source is None or not source.names:
        return function(*args, **params)
    token = _names.set((*_names.get(), *source.names))
    try:
        return function(*args, **params)
    finally:
        _names.reset(token)


_AT_SOURCE = at_source.__code__


def user_source(outside: int = 0) -> Source | None:
    """The innermost frame on the stack that is not the engine's own, or the place on whose behalf it runs.

    `outside` is how many of the names, counted from the outermost, belong to what is around the jaxpr.
    """
    frame, names = sys._getframe(1), _names.get()[outside:]
    while frame is not None:
        code = frame.f_code
        file = code.co_filename
        if code is _AT_SOURCE:
            source = frame.f_locals["source"]
            if source is not None:
                return source if source.names == names else Source(source.file, source.line, source.function, names)
        elif not (file in _engine_files or is_engine_file(file)):
            return Source(file, frame.f_lineno, code.co_name, names)
        frame = frame.f_back
    return None


def function_called() -> str | None:
    """The name of the engine's function that the innermost of the user's frames is in."""
    frame, name = sys._getframe(1), None
    while frame is not None and is_engine_file(frame.f_code.co_filename):
        frame, name = frame.f_back, frame.f_code.co_name
    return name
