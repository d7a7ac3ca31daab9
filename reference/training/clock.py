"""How long an epoch takes: its steps apart from compilation, and from what callbacks do."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Clock"]


class Clock:
    """Started with each epoch, read at its end."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """A new epoch."""
        self._start = time.perf_counter()
        self._outside = 0.0
        self._compiling = 0.0
        self.steps = 0
        self.examples = 0

    def count(self, examples: int, steps: int = 1) -> None:
        """So many steps more, and the examples in all of them."""
        self.steps += steps
        self.examples += examples

    @contextmanager
    def outside(self) -> Iterator[None]:
        """What happens here is not part of the steps."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._outside += time.perf_counter() - start

    @contextmanager
    def compiling(self) -> Iterator[None]:
        """The first step with a new shape of batch: nearly all of its time is compilation."""
        start = time.perf_counter()
        try:
            with self.outside():
                yield
        finally:
            self._compiling += time.perf_counter() - start

    def row(self) -> dict[str, float]:
        """Seconds of the steps, of compilation where there was any, and steps and examples a second."""
        seconds = time.perf_counter() - self._start - self._outside
        row = {"seconds": seconds}
        if self._compiling:
            row["compile_seconds"] = self._compiling
        if self.steps and seconds > 0:
            row |= {"steps_per_second": self.steps / seconds, "examples_per_second": self.examples / seconds}
        return row
