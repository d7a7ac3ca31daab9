"""Ctrl-C and SIGTERM between two steps rather than in the middle of one."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Caught", "catch"]


class Caught:
    """Which signal has come, if any."""

    number: int | None = None

    def raise_it(self) -> None:
        """What the signal would have raised: KeyboardInterrupt, or SystemExit with the status 143 for SIGTERM."""
        if self.number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + signal.SIGTERM)


@contextmanager
def catch() -> Iterator[Caught]:
    """Within the block the first signal is only noted: a state that was donated to a step is gone until it returns.

    The second Ctrl-C interrupts at once. In other threads than the main one, nothing is caught.
    """
    caught = Caught()

    def note(number: int, frame: FrameType | None) -> None:
        if caught.number is not None:
            raise KeyboardInterrupt
        caught.number = number

    if threading.current_thread() is not threading.main_thread():
        yield caught
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
