"""The next batches are made, and brought to the device, while a step runs."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from threading import Condition, Thread
from typing import Any, Generic, TypeVar

__all__ = ["prefetch"]

Item = TypeVar("Item")

SECONDS_TO_END = 5.0
"""how long a source may still take over its last item when nobody wants it"""


class _Buffer(Generic[Item]):
    """At most `size` items on their way from one thread to another."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.items: deque[Item] = deque()
        self.changed = Condition()
        self.ended = False
        """nothing more is put in"""
        self.stopped = False
        """nothing more is taken out"""
        self.error: BaseException | None = None

    def put(self, item: Item) -> bool:
        """Wait for room; False when nobody wants the item any more."""
        with self.changed:
            self.changed.wait_for(lambda: self.stopped or len(self.items) < self.size)
            if not self.stopped:
                self.items.append(item)
                self.changed.notify_all()
            return not self.stopped

    def end(self, error: BaseException | None) -> None:
        """Say that there is no more, and why."""
        with self.changed:
            self.ended, self.error = True, error
            self.changed.notify_all()

    def take(self) -> tuple[Item] | None:
        """Wait for an item; None after the last. Raises the source's error, once all that came before are taken."""
        with self.changed:
            self.changed.wait_for(lambda: self.items or self.ended)
            if self.items:
                item = self.items.popleft()
                self.changed.notify_all()
                return (item,)
        if self.error is not None:
            raise self.error
        return None

    def stop(self) -> None:
        """Take nothing more."""
        with self.changed:
            self.stopped = True
            self.items.clear()
            self.changed.notify_all()


def prefetch(
    items: Iterable[Item], *, size: int = 2, place: Callable[[Item], Any] = lambda item: item
) -> Generator[Any, None, None]:
    """`place(item)` for each of `items`, up to `size` of them made ahead in a thread of their own.

    `place` brings a batch to the device: `jax.device_put`, or `lambda batch: jax.device_put(batch, sharding)`. An
    error in the thread is raised here, after the items before it. The thread starts with the first item that is asked
    for and ends with the last, or when this generator is closed: at the end of a `for`, a `break` included.
    """
    if size < 1:
        raise ValueError(f"at least one item is made ahead, not {size}")
    return _prefetch(items, _Buffer(size), place)


def _prefetch(items: Iterable, buffer: _Buffer, place: Callable) -> Generator[Any, None, None]:
    thread = Thread(target=_fill, args=(items, buffer, place), name="prefetch", daemon=True)
    thread.start()
    try:
        while (taken := buffer.take()) is not None:
            yield taken[0]
    finally:
        buffer.stop()
        thread.join(SECONDS_TO_END)


def _fill(items: Iterable, buffer: _Buffer, place: Callable) -> None:
    """The work of the thread. A source that is a generator is closed here, where it ran."""
    error = None
    try:
        source = iter(items)
        try:
            for item in source:
                if not buffer.put(place(item)):
                    break
        finally:
            if hasattr(source, "close"):
                source.close()
    except BaseException as raised:  # whatever it is, it belongs to the thread that waits
        error = raised
    buffer.end(error)
