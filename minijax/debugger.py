"""jax.debug.breakpoint: a small prompt, like pdb's, at which a transformed program stops with concrete values."""

from __future__ import annotations

import cmd
import functools
import inspect
import pprint
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import IO, Any, NamedTuple

from minijax.callbacks import pure_callback
from minijax.core import Tracer
from minijax.effects import debug_effect, ordered_debug_effect
from minijax.primitives.callbacks import debug_callback_p
from minijax.primitives.conversion import stop_gradient
from minijax.source_info import is_engine_file
from minijax.tree_util import tree_flatten, tree_map, tree_unflatten

__all__ = ["breakpoint"]

_one_at_a_time = threading.Lock()


def breakpoint(  # noqa: A001
    *,
    backend: str | None = None,
    filter_frames: bool = True,
    num_frames: int | None = None,
    ordered: bool = False,
    token: Any = None,
    **kwargs: Any,
) -> Any:
    """Stop here whenever the surrounding program runs, and read commands: `p x`, `up`, `list`, `c`; `help` has all.

    Traced values among the variables of the functions on the stack are there with their values. Frames of the
    library are left out with filter_frames; `num_frames` limits how many frames there are; stdin and stdout take
    the place of the terminal's. With `token`, arrays, the program stops once they are computed, and they are
    returned: if nobody uses what is returned, it does not stop.

    Whatever the `backend`, it is this prompt. Raises ValueError for both `ordered` and `token`.
    """
    if token is not None and ordered:
        raise ValueError("jax.debug.breakpoint: got both `ordered` and `token`; each says when to stop. Leave out one.")
    frames = _frames_above(sys._getframe(1), filter_frames)[:num_frames]
    tracers = [x for frame in frames for x in frame.tracers]
    stop = functools.partial(_stop, frames, kwargs)
    if token is None:
        effect = ordered_debug_effect if ordered else debug_effect
        debug_callback_p.bind(*tracers, callback=stop, effect=effect, partitioned=False)
        return None
    return _stop_with_token(stop, tracers, token)


def _stop_with_token(stop: Callable, tracers: Sequence[Any], token: Any) -> Any:
    def stop_and_return(token: Any, *values: Any) -> Any:
        stop(*values)
        return token

    token, tracers = tree_map(stop_gradient, (token, list(tracers)))
    return pure_callback(stop_and_return, token, token, *tracers)


def _stop(frames: Sequence[_Frame], options: dict[str, Any], *values: Any) -> None:
    """Open a prompt, the tracers of the frames replaced by these values, one after the other."""
    given = iter(values)
    shown = [frame.with_values([next(given) for _ in frame.tracers]) for frame in frames]
    with _one_at_a_time:
        Prompt(shown, **options).run()


# ----------------------------------------------------------------- frames


class _Frame(NamedTuple):
    """A function on the stack: where it is, its lines, and its variables in two parts, tracers and the rest."""

    file: str
    line: int
    first_line: int
    source: list[str]
    names: list[str]
    tree: Any
    leaves: list[Any]
    tracers: list[Any]

    def with_values(self, values: Sequence[Any]) -> _StoppedFrame:
        """The frame with concrete values in place of its tracers."""
        given = iter(values)
        leaves = [next(given) if x is _TRACER else x for x in self.leaves]
        variables = dict(zip(self.names, tree_unflatten(self.tree, leaves), strict=True))
        return _StoppedFrame(self.file, self.line, self.first_line, self.source, variables)


class _StoppedFrame(NamedTuple):
    """A frame whose variables are all known."""

    file: str
    line: int
    first_line: int
    source: list[str]
    variables: dict[str, Any]


# Stands in for tracers: the prompt may open long after the trace has ended, and they must not outlive it.
_TRACER = object()


def _frames_above(frame: FrameType | None, without_engine: bool) -> list[_Frame]:
    """The frames of the stack, innermost first."""
    frames = []
    while frame is not None:
        if not (without_engine and is_engine_file(frame.f_code.co_filename)):
            frames.append(_frame(frame))
        frame = frame.f_back
    return frames


def _frame(frame: FrameType) -> _Frame:
    try:
        source, first_line = inspect.getsourcelines(frame)
    except (OSError, TypeError):  # code that was typed in, or made by exec
        source, first_line = [], 0
    variables = {name: _flattenable(x) for name, x in frame.f_locals.items()}
    leaves, tree = tree_flatten(list(variables.values()))
    tracers = [x for x in leaves if isinstance(x, Tracer)]
    leaves = [_TRACER if isinstance(x, Tracer) else x for x in leaves]
    lines = "".join(source).split("\n") if source else []
    return _Frame(
        frame.f_code.co_filename, frame.f_lineno, max(first_line, 1), lines, list(variables), tree, leaves, tracers
    )


def _flattenable(x: Any) -> Any:
    """`x`, or a text about it if it is a tree that cannot be taken apart."""
    try:
        tree_flatten(x)
    except (TypeError, ValueError, AttributeError) as error:
        return f"<not shown: {error}>"
    return x


# ----------------------------------------------------------------- the prompt


class Prompt(cmd.Cmd):
    """Reads commands and answers them, until one says to go on; their docstrings are what `help` shows."""

    intro, prompt = "Entering jdb:", "(jdb) "

    def __init__(self, frames: Sequence[_StoppedFrame], stdin: IO[str] | None = None, stdout: IO[str] | None = None):
        super().__init__(stdin=stdin, stdout=stdout)
        self.use_rawinput = stdin is None
        self._frames = frames
        self._index = 0

    def _say(self, text: str) -> None:
        print(text, file=self.stdout)

    def _answer(self, expression: str, show: Callable[[Any], str]) -> None:
        try:
            self._say(show(eval(expression, {}, dict(self._frames[self._index].variables))))
        except Exception as error:  # whatever the expression does, the prompt stays
            self._say(f"*** {type(error).__name__}: {error}")

    def _move(self, step: int, end: str) -> None:
        if 0 <= self._index + step < len(self._frames):
            self._index += step
        else:
            self._say(end)
        self._say(_lines_around(self._frames[self._index], 2))

    def default(self, line: str) -> None:
        """Any other line is an expression."""
        self._answer(line, repr)

    def do_p(self, arg: str) -> None:
        """p expression: print its value."""
        self._answer(arg, repr)

    def do_pp(self, arg: str) -> None:
        """pp expression: print its value, laid out in lines."""
        self._answer(arg, pprint.pformat)

    def do_up(self, arg: str) -> None:
        """u(p): go to the calling function."""
        self._move(1, "At topmost frame.")

    def do_down(self, arg: str) -> None:
        """d(own): go to the called function."""
        self._move(-1, "At bottommost frame.")

    def do_list(self, arg: str) -> None:
        """l(ist): show the lines around this one."""
        self._say(_lines_around(self._frames[self._index], 5))

    def do_where(self, arg: str) -> None:
        """w(here), bt: show the stack, the innermost function last."""
        self._say("\n".join(["Traceback:", *map(_place, reversed(self._frames))]))

    def do_continue(self, arg: str) -> bool:
        """c(ont(inue)): let the program go on."""
        return True

    def do_quit(self, arg: str) -> None:
        """q(uit), exit: end the program."""
        sys.exit(0)

    do_u, do_d, do_l, do_w, do_bt = do_up, do_down, do_list, do_where, do_where
    do_c = do_cont = do_continue
    do_q = do_exit = do_EOF = do_quit  # noqa: N815, cmd's name for the end of the input

    def run(self) -> None:
        """Read commands; an interrupt from the keyboard does not end that."""
        while True:
            try:
                return self.cmdloop()
            except KeyboardInterrupt:
                self._say("--KeyboardInterrupt--")


def _lines_around(frame: _StoppedFrame, count: int) -> str:
    """The line at which a frame stands, marked, with so many lines before and behind it."""
    lines = [f"> {frame.file}({frame.line})"]
    here = frame.line - frame.first_line
    for i, line in enumerate(frame.source):
        if here - 1 - count <= i <= here + count:
            lines.append(f"{'->' if i == here else '  '}  {line}")
    return "\n".join(lines)


def _place(frame: _StoppedFrame) -> str:
    here = frame.line - frame.first_line
    line = frame.source[here].strip() if here < len(frame.source) else "<no source>"
    return f'  File "{frame.file}", line {frame.line}\n    {line}'
