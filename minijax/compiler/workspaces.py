"""Workspaces: memory for what a program computes on its way, laid out at compile time and used again by every call.

New memory is slow at its first touch, when the operating system has to find it. So large arrays that never leave the
program lie in slabs: a slab holds one array after the other, each from the equation that makes it to the last one that
reads it. Each call that is running has slabs of its own (see `Workspaces.take`); results never lie in them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Plan", "Workspaces"]

Shape = tuple[int, ...]

# Bytes from which an array gets a place in a slab; smaller ones come quickly from Python's allocator.
LARGE = 1 << 15
# Bytes up to which the workspaces of a program are kept for its next call.
KEPT = 1 << 28


class _Space(NamedTuple):
    """An array in a slab."""

    slab: int
    shape: Shape
    dtype: Any


class Plan:
    """Which arrays lie in which slab. `spaces` are the arrays by the names that the text has for them."""

    def __init__(self) -> None:
        self.spaces: dict[_Space, str] = {}
        self.sizes: list[int] = []
        self._free: set[int] = set()
        # Bytes of arrays outside of slabs: now, and at most.
        self.live = 0
        self.peak = 0

    def take(self, shape: Shape, dtype: Any) -> tuple[str, int]:
        """The name of an uninitialised array, and its slab."""
        needed = math.prod(shape) * dtype.itemsize
        fitting = [slab for slab in self._free if self.sizes[slab] >= needed]
        if fitting:
            slab = min(fitting, key=self.sizes.__getitem__)
        elif self._free:
            slab = max(self._free, key=self.sizes.__getitem__)
            self.sizes[slab] = needed
        else:
            slab = len(self.sizes)
            self.sizes.append(needed)
        self._free.discard(slab)
        space = _Space(slab, shape, dtype)
        return self.spaces.setdefault(space, f"space_{len(self.spaces)}"), slab

    def give_back(self, slab: int) -> None:
        """Nobody reads the array in this slab any more."""
        self._free.add(slab)

    def allocate(self, count: int) -> None:
        """So many bytes outside of slabs are needed; or, if negative, no longer."""
        self.live += count
        self.peak = max(self.peak, self.live)

    def pass_by(self, count: int) -> None:
        """So many bytes outside of slabs are needed for a moment."""
        self.peak = max(self.peak, self.live + count)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """What is taken in the block is free after it: the body of a loop, whose turns all use the same slabs."""
        taken, live = set(range(len(self.sizes))) - self._free, self.live
        yield
        self._free = set(range(len(self.sizes))) - taken
        self.live = live


class Workspaces:
    """The slabs of one compiled program."""

    def __init__(self, plan: Plan):
        self._spaces = list(plan.spaces)
        self._sizes = list(plan.sizes)
        self._idle: list[list[np.ndarray]] = []

    @property
    def size(self) -> int:
        """Bytes that a call works in."""
        return sum(self._sizes)

    def take(self) -> list[np.ndarray]:
        """The arrays for one call: those of a call that has ended, or new ones."""
        try:
            return self._idle.pop()  # one operation of the interpreter, so threads cannot take the same
        except IndexError:
            return self._made()

    def give_back(self, spaces: list[np.ndarray]) -> None:
        """The call has ended."""
        if self.size <= KEPT:
            self._idle.append(spaces)

    def _made(self) -> list[np.ndarray]:
        slabs = [np.empty(size, np.uint8) for size in self._sizes]
        return [
            slabs[slab][: math.prod(shape) * dtype.itemsize].view(dtype).reshape(shape)
            for slab, shape, dtype in self._spaces
        ]
