"""Running the cases side by side in several processes, and adding up what was seen."""

from __future__ import annotations

import multiprocessing
import os
import platform
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import jax
import numpy as np

import minijax

from .cases import Case, all_cases, quick_cases
from .oracle import observed

__all__ = ["Outcome", "Report", "Total", "run"]

# Cases that are handed to a worker at once: enough that handing over costs nothing, few enough to end together.
CHUNK = 20
# Chunks after which a worker lets go of what JAX has compiled: it keeps megabytes for every shape and dtype.
CHUNKS_BETWEEN_CLEARING = 20


class Outcome(NamedTuple):
    """What one case gave; `failure` is empty when the engines agree."""

    family: str
    functions: tuple[str, ...]
    name: str
    calls: int
    arrays: int
    identical: int
    worst_ulp: float
    failure: str


class Total(NamedTuple):
    """The outcomes of one family or function added up."""

    functions: int
    cases: int
    arrays: int
    identical: int
    worst_ulp: float
    failures: int


class Report(NamedTuple):
    """A whole run."""

    outcomes: list[Outcome]
    seconds: float
    versions: dict[str, str]
    depth: str

    @property
    def failures(self) -> list[Outcome]:
        """The cases in which the engines disagree."""
        return [outcome for outcome in self.outcomes if outcome.failure]

    @property
    def families(self) -> dict[str, Total]:
        """What was seen in each family, in the order of the tables."""
        return {family: total(self.of(family)) for family in dict.fromkeys(o.family for o in self.outcomes)}

    def of(self, family: str) -> list[Outcome]:
        """The outcomes of one family."""
        return [outcome for outcome in self.outcomes if outcome.family == family]


def total(outcomes: Sequence[Outcome]) -> Total:
    """The sum of some outcomes."""
    return Total(
        functions=len({(o.family, f) for o in outcomes for f in o.functions}),
        cases=sum(o.calls for o in outcomes),
        arrays=sum(o.arrays for o in outcomes),
        identical=sum(o.identical for o in outcomes),
        worst_ulp=max((o.worst_ulp for o in outcomes), default=0.0),
        failures=sum(bool(o.failure) for o in outcomes),
    )


def run(
    *,
    quick: bool,
    families: Sequence[str] = (),
    jobs: int | None = None,
    on_outcomes: Callable[[int, int], None] = lambda done, of: None,
) -> Report:
    """Run the cases of the families whose names contain one of `families`, or of all; in `jobs` processes."""
    start = time.perf_counter()
    chosen = [i for i, case in enumerate(_cases(quick)) if not families or any(f in case.family for f in families)]
    chunks = [chosen[i : i + CHUNK] for i in range(0, len(chosen), CHUNK)]
    outcomes: list[Outcome] = []
    for found in _run_chunks(chunks, quick, jobs or os.cpu_count() or 1):
        outcomes += found
        on_outcomes(len(outcomes), len(chosen))
    versions = {"minijax": minijax.__version__, "jax": jax.__version__, "numpy": np.__version__}
    versions |= {"Python": platform.python_version(), "machine": platform.machine()}
    return Report(outcomes, time.perf_counter() - start, versions, "quick" if quick else "full")


def _cases(quick: bool) -> list[Case]:
    return quick_cases() if quick else all_cases()


def _run_chunks(chunks: list[list[int]], quick: bool, jobs: int) -> Iterator[list[Outcome]]:
    if jobs == 1 or len(chunks) == 1:
        _start_worker(quick)
        yield from map(_run_chunk, chunks)
        return
    # Started afresh rather than forked: JAX has threads, and a fork copies none of them.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(chunks)), context, _start_worker, (quick,)) as pool:
        yield from pool.map(_run_chunk, chunks)


# The cases of a worker: functions do not travel between processes, so that each makes the list anew.
_worker_cases: list[Case] = []


def _start_worker(quick: bool) -> None:
    _worker_cases[:] = _cases(quick)


def _run_chunk(indices: list[int]) -> list[Outcome]:
    if indices[0] // CHUNK % CHUNKS_BETWEEN_CLEARING == 0:
        jax.clear_caches()
    return [_run_case(_worker_cases[i]) for i in indices]


def _run_case(case: Case) -> Outcome:
    """Run one case; whatever it raises is a failure of the case, not of the run."""
    failure, calls = "", 1
    with observed() as seen, warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            calls = case.run() or 1
        except AssertionError as error:
            failure = str(error) or "an assertion failed"
        except Exception:
            failure = traceback.format_exc(limit=-4)
    return Outcome(case.family, case.functions, case.name, calls, seen.arrays, seen.identical, seen.worst_ulp, failure)
