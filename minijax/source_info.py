"""Where in the user's program something happened: file, line and function, without the engine's frames."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

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


def user_source() -> Source | None:
    """The innermost frame on the stack that is not the engine's own."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_ENGINE):
        frame = frame.f_back
    if frame is None:
        return None
    return Source(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)
