"""Threads that share the blocks of a loop. NumPy lets go of the interpreter's lock while it computes.

The same blocks are computed in the same way whoever does it, so results do not depend on the number of threads. There
are none where the system starts none (as in WebAssembly), and none beside the first where the environment grants
BLAS one thread only (OPENBLAS_NUM_THREADS or OMP_NUM_THREADS); the flag minijax_num_threads says otherwise.
"""

from __future__ import annotations

import contextvars
import functools
import os
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from minijax import config

if TYPE_CHECKING:
    from queue import SimpleQueue

__all__ = ["in_parallel", "share", "thread_count"]

# More than this many threads are no help to blocks that wait for memory.
MOST = 4

# Work, in elements, from which threads pay: about a hundred microseconds.
SHARED = 1 << 19

Job = Callable[[], None]


def thread_count() -> int:
    """How many threads share a loop, the caller's among them."""
    return min(config.num_threads.value or _default_count(), MOST)


@functools.cache
def _default_count() -> int:
    granted = [os.environ.get(name, "") for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min([cores, *(int(text) for text in granted if text.isdigit() and int(text) > 0)])


def _new_queue() -> SimpleQueue[Any]:
    from queue import SimpleQueue  # with the first loop that is shared, so that `import minijax` stays quick

    return SimpleQueue()


class _Helpers:
    """Threads that wait for jobs; those of a process that has been forked are gone, and are started again."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Job] | None = None
        self._started, self._process = 0, os.getpid()
        self._lock = threading.Lock()

    def submit(self, job: Job, wanted: int) -> bool:
        """Have some helper do the job; False if there is none."""
        if self._started < wanted or self._process != os.getpid():
            self._start(wanted)
        if self._jobs is None or not self._started:
            return False
        self._jobs.put(job)
        return True

    def _start(self, wanted: int) -> None:
        with self._lock:
            if self._jobs is None or self._process != os.getpid():
                self._jobs, self._started, self._process = _new_queue(), 0, os.getpid()
            try:
                while self._started < wanted:
                    threading.Thread(target=_work, args=(self._jobs,), daemon=True, name="minijax").start()
                    self._started += 1
            except RuntimeError:  # the system starts no threads, or no more of them
                pass


def _work(jobs: SimpleQueue[Job]) -> None:
    while True:
        jobs.get()()


_helpers = _Helpers()


def in_parallel(body: Callable[..., None], length: int, step: int, *workspaces: tuple[Any, ...]) -> None:
    """body(first, last, *workspace) for the parts of range(length), cut at multiples of `step`: one for each thread."""
    blocks = -(-length // step)
    threads = min(thread_count(), len(workspaces), blocks)
    bounds = [min(length, step * (blocks * i // threads)) for i in range(threads)] + [length]
    outcomes: SimpleQueue[BaseException | None] = _new_queue()
    parts = [functools.partial(body, bounds[i], bounds[i + 1], *workspaces[i]) for i in range(threads)]
    waiting = 0
    for part in parts[1:]:
        # NumPy's floating-point state is in the context.
        if _helpers.submit(functools.partial(_run, contextvars.copy_context(), part, outcomes.put), threads - 1):
            waiting += 1
        else:
            part()
    try:
        parts[0]()
    finally:
        errors = [error for _ in range(waiting) if (error := outcomes.get()) is not None]
    if errors:
        raise errors[0]


def share(jobs: Sequence[Job], work: int) -> None:
    """Do all the jobs, which must not depend on one another: by several threads if there is much `work` (elements)."""
    if work < SHARED or len(jobs) < 2 or thread_count() == 1:
        for job in jobs:
            job()
        return

    def some(first: int, last: int) -> None:
        for job in jobs[first:last]:
            job()

    in_parallel(some, len(jobs), 1, *[()] * MOST)


def _run(context: contextvars.Context, part: Job, report: Callable[[BaseException | None], None]) -> None:
    """What a helper does with a part, in the context of the one who waits for it: the error goes back there."""
    try:
        context.run(part)
    except BaseException as error:
        report(error)
    else:
        report(None)
