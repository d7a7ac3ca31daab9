"""Where in the user's program something happened: file, line and function, without the engine's frames."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

_ENGINE = os.path.dirname(os.path.abspath(__file__)) + os.sep


class Source(NamedTuple):
    """A place in a program."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} ({self.function})"


def is_engine_file(file: str) -> bool:
    """Whether a file is the engine's own."""
    return file.startswith(_ENGINE)


def at_source(source: Source | None, function: Callable, args: Sequence[Any], params: dict[str, Any], /) -> Any:
    """function(*args, **params), on behalf of a place in the user's program rather than of who calls this.

    So runs what is derived from an equation, which keeps the place that the equation comes from.
    """
    return function(*args, **params)


_AT_SOURCE = at_source.__code__


def user_source() -> Source | None:
    """The innermost frame on the stack that is not the engine's own, or the place on whose behalf it runs."""
    frame = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if code is _AT_SOURCE:
            source = frame.f_locals["source"]
            if source is not None:
                return source
        elif not code.co_filename.startswith(_ENGINE):
            return Source(code.co_filename, frame.f_lineno, code.co_name)
        frame = frame.f_back
    return None


def function_called() -> str | None:
    """The name of the engine's function that the innermost of the user's frames is in."""
    frame, name = sys._getframe(1), None
    while frame is not None and is_engine_file(frame.f_code.co_filename):
        frame, name = frame.f_back, frame.f_code.co_name
    return name
