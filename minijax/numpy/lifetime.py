"""Where the buffer of an array lives, and its end: methods of values that a traced array cannot have."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from minijax.array import ArrayImpl
from minijax.core import Tracer
from minijax.donation import delete as delete
from minijax.donation import is_deleted as is_deleted
from minijax.errors import ConcretizationTypeError

__all__ = ["clone", "delete", "is_deleted", "refused", "unsafe_buffer_pointer"]


def clone(self: ArrayImpl) -> ArrayImpl:
    """A copy with a buffer of its own."""
    return ArrayImpl(np.array(self._data), self.weak_type)


def unsafe_buffer_pointer(self: ArrayImpl) -> int:
    """The address of the first element. Nothing keeps the buffer alive for who holds only this."""
    return self._data.ctypes.data


def refused(name: str) -> Any:
    """The method of a tracer in place of one that only values have; it raises ConcretizationTypeError."""

    def refuse(self: Tracer, *args: Any) -> NoReturn:
        raise ConcretizationTypeError(self, f"The {name} of an array was asked for, which only a value has.")

    refuse.__name__ = name
    return refuse
