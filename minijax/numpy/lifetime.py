"""Where the buffer of an array lives, and its end: methods of values that a traced array cannot have."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from minijax.array import ArrayImpl
from minijax.core import Tracer
from minijax.errors import ConcretizationTypeError

__all__ = ["clone", "delete", "is_deleted", "refused", "unsafe_buffer_pointer"]


class DeletedBuffer:
    """Stands in the place of an array's buffer after x.delete(): it knows its shape and dtype, and raises otherwise."""

    def __init__(self, buffer: np.ndarray):
        self.shape, self.dtype, self.ndim, self.size = buffer.shape, buffer.dtype, buffer.ndim, buffer.size

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(
            f"Array has been deleted with shape={self.dtype.name}[{','.join(map(str, self.shape))}]. It was freed by "
            "its delete() method: compute it again, or delete it later."
        )

    # Whatever way NumPy takes to the elements.
    __array__ = __array_ufunc__ = __array_function__ = __getitem__ = __reduce__ = _refuse

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        self._refuse()


def delete(self: ArrayImpl) -> None:
    """Free the buffer at once; using the array afterwards raises RuntimeError."""
    if not is_deleted(self):
        self._data = DeletedBuffer(self._data)


def is_deleted(self: ArrayImpl) -> bool:
    """Whether the buffer has been freed."""
    return type(self._data) is DeletedBuffer


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
