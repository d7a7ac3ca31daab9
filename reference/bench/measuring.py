"""Measuring side by side: contestants in turn, round after round, and ratios taken within each round.

The contestants of a benchmark run one after the other within a round, so that whatever else slows the machine down
hits them alike; a ratio is taken within a round, and its median over the rounds counts.
"""

import gc
import math
import statistics
import time
import tracemalloc
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Benchmark", "Ratio", "Timed", "measure", "peak_bytes", "ratio"]


class Benchmark(NamedTuple):
    """Contestants and floors by name, each giving what one turn measures: seconds of one run, or bytes."""

    name: str
    contestants: Mapping[str, Callable[[], float]]
    targets: Mapping[str, float]
    """ours as a multiple of these contestants' at most; the others are for comparison"""
    ours: str = "minijax"
    floors: Mapping[str, Callable[[], float]] = {}
    """what nobody can be quicker than"""
    unit: str = "s"
    """of the measurements: "s" or "B" """
    once: bool = False
    """whether one round tells all"""


class Ratio(NamedTuple):
    """Medians of two contestants; median and quartiles of their ratio over the rounds; its target, if there is one."""

    benchmark: str
    ours: str
    theirs: str
    our_median: float
    their_median: float
    median: float
    lower: float
    upper: float
    target: float | None
    unit: str = "s"

    @property
    def passed(self) -> bool:
        """Whether the median is at most the target; without a target it is."""
        return self.target is None or self.median <= self.target


def ratio(benchmark: Benchmark, theirs: str, found: Mapping[str, list[float]]) -> Ratio:
    """The ratio of our measurements to those of `theirs`, round by round."""
    ours = benchmark.ours
    rounds = [a / b for a, b in zip(found[ours], found[theirs], strict=True)]
    lower, upper = np.quantile(rounds, (0.25, 0.75)).tolist()
    medians = (statistics.median(found[side]) for side in (ours, theirs))
    target = benchmark.targets.get(theirs)
    return Ratio(
        benchmark.name, ours, theirs, *medians, statistics.median(rounds), lower, upper, target, benchmark.unit
    )


def measure(
    benchmark: Benchmark, rounds: int, pause: float = 0.0, patience: float = math.inf
) -> dict[str, list[float]]:
    """What every contestant and floor measured in every round, after one round that does not count.

    Each round begins with another one, because the one after a garbage-heavy neighbour pays for it. Before each turn
    there are `pause` seconds in which the neighbour's idle threads stop spinning. After `patience` seconds of counted
    rounds no further one begins.
    """
    takers = {**benchmark.contestants, **benchmark.floors}
    found: dict[str, list[float]] = {name: [] for name in takers}

    def round_from(first: int) -> dict[str, float]:
        names = list(takers)
        first %= len(names)
        measured = {}
        for name in names[first:] + names[:first]:
            time.sleep(pause)
            measured[name] = takers[name]()
        return measured

    if not benchmark.once:
        round_from(-1)
    start = time.perf_counter()
    gc.collect()
    gc.freeze()  # what is there already is not looked through again at somebody's expense
    try:
        for i in range(1 if benchmark.once else rounds):
            if i > 0 and time.perf_counter() - start > patience:
                break
            for name, measured in round_from(i).items():
                found[name].append(measured)
    finally:
        gc.unfreeze()
    return found


class Timed:
    """Seconds of one call of `function`, as the mean of as many in a row as take about `turn` seconds.

    How many there are is settled in the first turn, which compiles as well and does not count. If they are several, one
    more call before them brings their data into the caches again. `function` must wait for its own results.
    """

    def __init__(self, function: Callable[[], Any], turn: float):
        self._function = function
        self._turn = turn
        self._repeats: int | None = None

    def __call__(self) -> float:
        if self._repeats is None:
            self._function()
            once = _seconds(self._function, 1)
            self._repeats = max(1, math.ceil(self._turn / max(once, 1e-9)))
            return once
        if self._repeats > 1:
            self._function()
        return _seconds(self._function, self._repeats)


def _seconds(function: Callable[[], Any], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        function()
    return (time.perf_counter() - start) / repeats


def peak_bytes(function: Callable[[], Any]) -> float:
    """The most memory of Python and NumPy that one call needs beyond its arguments, with what it keeps for later calls.

    The first call, which may compile, does not count but for the arrays that are still there after it.
    """
    tracemalloc.start()
    try:
        function()
        gc.collect()
        arrays = tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)
        kept = sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces([arrays]).traces)
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        function()
        return float(tracemalloc.get_traced_memory()[1] - before + kept)
    finally:
        tracemalloc.stop()
