"""Tracebacks that show the user's frames and leave out the engine's, as the flag jax_traceback_filtering says.

What users call is a *boundary*: an exception that passes the outermost boundary on the stack loses the engine's
frames below it. There is no cost while nothing is raised; Python keeps its exception handlers in tables.

    off                  all frames
    tracebackhide        all frames; those of the engine are marked for IPython and pytest, which hide them
    remove_frames        the engine's frames are gone; the exception's cause is the whole stack
    quiet_remove_frames  the engine's frames are gone; a note says so
    auto                 tracebackhide within IPython, else quiet_remove_frames

Frames between the user's and a boundary stay: those of `jnp.dot` around the operation that it binds, say.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import CodeType, FrameType, TracebackType
from typing import Any, TypeVar

from minijax.config import traceback_filtering
from minijax.source_info import is_engine_file

__all__ = ["UnfilteredStackTrace", "api_boundary", "boundary", "hide_frames", "seen_at"]

F = TypeVar("F", bound=Callable[..., Any])

_NOTE = (
    "--------------------\n"
    "minijax has left its own frames out of this traceback. Set JAX_TRACEBACK_FILTERING=off to see them."
)
# The code of all boundaries.
_boundaries: set[CodeType] = set()


class UnfilteredStackTrace(Exception):
    """The cause of an exception whose traceback is filtered: it carries the whole stack."""


def boundary(fun: F) -> F:
    """Mark a function that calls `hide_frames` for what it raises as a boundary."""
    _boundaries.add(fun.__code__)
    return fun


def api_boundary(fun: F) -> F:
    """A decorator: exceptions that leave `fun` show no frames of the engine, unless the flag wants them."""

    @functools.wraps(fun)
    def within_boundary(*args: Any, **kwargs: Any) -> Any:
        try:
            return fun(*args, **kwargs)
        except Exception as error:
            hide_frames(error)
            raise

    _boundaries.add(within_boundary.__code__)
    return within_boundary


def hide_frames(error: BaseException) -> None:
    """Filter the traceback of an exception that is on its way out of a boundary, if it is the outermost one.

    The handler that calls this must raise the exception again.
    """
    mode = _mode()
    if mode == "off" or _has_boundary(sys._getframe(1).f_back):
        return
    if mode == "tracebackhide":
        _mark_hidden(error.__traceback__)
        return
    whole = error.__traceback__
    error.__traceback__ = _without_engine(whole)
    if mode == "quiet_remove_frames":
        cause = error.__cause__
        while cause is not None:
            cause.__traceback__, cause = _without_engine(cause.__traceback__), cause.__cause__
        if _NOTE not in getattr(error, "__notes__", ()):
            error.add_note(_NOTE)
    else:
        error.__cause__ = _whole_stack(error, whole)
        error.__context__ = None


def _mode() -> str:
    mode = traceback_filtering.value
    if mode != "auto":
        return mode
    # IPython puts this function into the builtins while it runs; it hides marked frames since 7.17.
    return "tracebackhide" if "get_ipython" in vars(sys.modules["builtins"]) else "quiet_remove_frames"


def _has_boundary(frame: FrameType | None) -> bool:
    """Whether there is a boundary further out, which will see the exception too."""
    while frame is not None:
        if frame.f_code in _boundaries:
            return True
        frame = frame.f_back
    return False


def _entries(traceback: TracebackType | None) -> list[TracebackType]:
    entries = []
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    return entries


def _without_engine(traceback: TracebackType | None) -> TracebackType | None:
    """The traceback without the engine's frames."""
    out = None
    for entry in reversed(_entries(traceback)):
        if not is_engine_file(entry.tb_frame.f_code.co_filename):
            out = TracebackType(out, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return out


def _mark_hidden(traceback: TracebackType | None) -> None:
    for entry in _entries(traceback):
        if is_engine_file(entry.tb_frame.f_code.co_filename):
            entry.tb_frame.f_locals["__tracebackhide__"] = True


def _whole_stack(error: BaseException, traceback: TracebackType | None) -> UnfilteredStackTrace:
    """An exception that shows all frames, from the module that runs down to where `error` was raised."""
    frame = traceback.tb_frame.f_back if traceback is not None else None
    while frame is not None:
        traceback = TracebackType(traceback, frame, frame.f_lasti, frame.f_lineno)
        # What called the module, such as a prompt or a test runner, is of no interest.
        frame = None if frame.f_code.co_name == "<module>" else frame.f_back
    whole = UnfilteredStackTrace(
        f"{type(error).__name__}: {error}\n\nThe stack trace below leaves out the engine's frames. What stands above "
        "is the same exception with all of them.\n\n--------------------"
    ).with_traceback(traceback)
    whole.__cause__, whole.__context__ = error.__cause__, error.__context__
    whole.__suppress_context__ = error.__suppress_context__
    return whole


# ----------------------------------------------------------------- lines of compiled programs


def seen_at(error: Exception, code: CodeType, source_of: Callable[[int], Any]) -> Exception:
    """The error with the user's line in its traceback in place of the line of a compiled program, whose `code` this is.

    source_of(line) is the place in the user's program that a line stands for, None if it is not known.
    """
    out = None
    for entry in reversed(_entries(error.__traceback__)):
        frame, at, line = entry.tb_frame, entry.tb_lasti, entry.tb_lineno
        source = source_of(line) if frame.f_code is code else None
        if source is not None:
            frame, line = _frame_at(source), source.line
            at = frame.f_lasti
        out = TracebackType(out, frame, at, line)
    return error.with_traceback(out)


def _frame_at(source: Any) -> FrameType:
    """A frame that looks as if it ran at a place in the user's program: of code of its name that raises there."""
    code = compile("\n" * (source.line - 1) + "raise LookupError", source.file, "exec")
    try:
        exec(code.replace(co_name=source.function), {})
    except LookupError as raised:
        traceback = raised.__traceback__
        assert traceback is not None and traceback.tb_next is not None
        return traceback.tb_next.tb_frame
    raise AssertionError("the code raises")
