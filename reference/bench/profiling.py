"""Where the time of a compiled program goes: its NumPy source, timed line by line."""

import linecache
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, NamedTuple

from ..engines import engine
from .measuring import Timed
from .work import Work

__all__ = ["Line", "Profile", "profile", "report"]

CALLS = 30
PROGRAM = "<minijax"  # how the file names of compiled programs begin


class Line(NamedTuple):
    """One line of a compiled program: median seconds and how often it runs, in one call."""

    text: str
    seconds: float
    times: int


class Profile(NamedTuple):
    """The lines of a program; median seconds of a call without and with the clock between lines."""

    lines: list[Line]
    seconds: float
    traced: float


class _Clock:
    """A trace function that charges time to the line of a compiled program that is being run.

    The time within programs that a line calls is theirs. Worker threads count for the line that waits for them.
    """

    def __init__(self) -> None:
        self.seconds: Counter[tuple[CodeType, int]] = Counter()
        self.times: Counter[tuple[CodeType, int]] = Counter()
        self.texts: dict[CodeType, list[str] | None] = {}
        self._running: list[tuple[CodeType, int]] = []
        self._since = 0.0

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Callable | None:
        if not frame.f_code.co_filename.startswith(PROGRAM):
            return None
        self._charge()
        if frame.f_code not in self.texts:
            self.texts[frame.f_code] = _source(frame)
        self._running.append((frame.f_code, frame.f_lineno))
        self._since = time.perf_counter()
        return self._within

    def _within(self, frame: FrameType, event: str, argument: Any) -> Callable:
        self._charge()
        if event == "line":
            self._running[-1] = frame.f_code, frame.f_lineno
            self.times[self._running[-1]] += 1
        elif event == "return":
            self._running.pop()
        self._since = time.perf_counter()
        return self._within

    def _charge(self) -> None:
        if self._running:
            self.seconds[self._running[-1]] += time.perf_counter() - self._since


def _source(frame: FrameType) -> list[str] | None:
    """The lines of the text that a compiled program was made from, which its caller holds."""
    lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)
    caller = frame.f_back.f_locals.get("self") if frame.f_back else None
    text = getattr(caller, "text", None)
    return lines or (text.splitlines() if isinstance(text, str) else None)


def profile(work: Work, calls: int = CALLS) -> Profile:
    """Time the lines of the program that minijax.jit makes of a piece of work."""
    jax = engine("minijax")
    function = jax.jit(work.function(jax))
    arguments = jax.tree.map(jax.numpy.asarray, work.arguments)
    seconds = statistics.median(Timed(lambda: function(*arguments), 0.0)() for _ in range(calls))
    clocks, traced = [], []
    before = sys.gettrace()
    for _ in range(calls):
        clocks.append(_Clock())
        start = time.perf_counter()
        sys.settrace(clocks[-1])
        try:
            function(*arguments)
        finally:
            sys.settrace(before)
        traced.append(time.perf_counter() - start)
    return Profile(_lines(clocks), seconds, statistics.median(traced))


def _lines(clocks: list[_Clock]) -> list[Line]:
    """Medians over the calls, the slowest line first."""
    lines = []
    for place in clocks[0].times:
        code, number = place
        texts = clocks[0].texts[code]
        text = texts[number - 1].strip() if texts and number <= len(texts) else f"{code.co_name}, line {number}"
        lines.append(Line(text, statistics.median(clock.seconds[place] for clock in clocks), clocks[0].times[place]))
    return sorted(lines, key=lambda line: -line.seconds)


def report(title: str, found: Profile, *, most: int = 50, width: int = 110) -> str:
    """The `most` slowest lines as text, of `width` characters each."""
    total = sum(line.seconds for line in found.lines)
    heading = (
        f"{title}: {found.seconds * 1e6:.0f} us a call; with a clock between the lines {found.traced * 1e6:.0f} us, "
        f"{total * 1e6:.0f} us of them in {len(found.lines)} lines\n"
    )
    shown, others = found.lines[:most], found.lines[most:]
    if others:
        rest = f"{len(others)} more lines"
        shown = [*shown, Line(rest, sum(line.seconds for line in others), sum(line.times for line in others))]
    rows = [
        f"{line.seconds * 1e6:9.1f} us {line.seconds / total:6.1%} {line.times:5}x  {line.text[:width]}"
        for line in shown
    ]
    return "\n".join([heading, *rows])
