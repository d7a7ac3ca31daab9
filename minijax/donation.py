"""Donated arguments: arrays that the caller gives up, so that the program may write its results into their memory.

As in JAX an array can be donated where a result has its shape and dtype. Afterwards it is deleted: only shape and dtype
can be asked for. An array that somebody else can still see, through a NumPy view for instance, is left alone.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from minijax.array import ArrayImpl
from minijax.errors import JaxRuntimeError
from minijax.jaxpr import Jaxpr

__all__ = ["delete", "is_deleted", "take_over", "usable"]


class DeletedBuffer:
    """Stands in the place of an array's buffer once it is gone: it knows its shape and dtype, and raises otherwise."""

    def __init__(self, buffer: np.ndarray):
        self.shape, self.dtype, self.ndim, self.size = buffer.shape, buffer.dtype, buffer.ndim, buffer.size

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(
            f"Array has been deleted with shape={self.dtype.name}[{','.join(map(str, self.shape))}]. It was donated to "
            "a jitted function (donate_argnums), or freed by its delete() method: go on with the function's result, or "
            "do not donate or delete it."
        )

    # Whatever way NumPy takes to the elements.
    __array__ = __array_ufunc__ = __array_function__ = __getitem__ = __reduce__ = _refuse

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        self._refuse()


def delete(x: ArrayImpl) -> None:
    """Free the buffer at once; using the array afterwards raises RuntimeError."""
    if not is_deleted(x):
        x._data = DeletedBuffer(x._data)


def is_deleted(x: ArrayImpl) -> bool:
    """Whether the buffer has been freed or donated."""
    return type(x._data) is DeletedBuffer


def usable(donated: Sequence[int], jaxpr: Jaxpr) -> tuple[int, ...]:
    """The numbers of donated arguments for which there is a result of their kind; a warning names the others.

    What the program does not read is not spoken of.
    """
    left = [(v.aval.shape, v.aval.dtype) for v in jaxpr.outvars]
    read = {v for eqn in jaxpr.eqns for v in eqn.invars} | set(jaxpr.outvars)
    found, useless = [], []
    for i in donated:
        v = jaxpr.invars[i]
        kind = v.aval.shape, v.aval.dtype
        if kind in left:
            left.remove(kind)
            found.append(i)
        elif v in read:
            useless.append(f"{v.aval.dtype.name}[{','.join(map(str, v.aval.shape))}]")
    if useless:
        warnings.warn(
            f"Some donated buffers were not usable: {', '.join(useless)}. There is no result of the same shape and "
            "dtype for each of them that could be written there. Leave them out of donate_argnums.",
            stacklevel=2,
        )
    return tuple(found)


def take_over(leaves: Sequence[Any], donated: Sequence[int]) -> list[np.ndarray]:
    """The buffers of all leaves; those donated may be written to, and their arrays are deleted."""
    buffers = [x._data for x in leaves]
    ids = [id(buffer) for buffer in buffers]
    for i in donated:
        if type(buffers[i]) is DeletedBuffer:
            raise ValueError(
                f"argument {i} of a jitted function has been deleted or donated before: {buffers[i].dtype}"
                f"{list(buffers[i].shape)}. Pass the result of the call that it was donated to."
            )
        if ids.count(ids[i]) > 1:
            raise JaxRuntimeError(
                f"argument {i} of a jitted function is donated, and the same array is an argument a second time, as in "
                "f(donate(a), a). Pass a copy (jnp.array(a)) in one of the places, or do not donate it."
            )
    del ids
    for i in donated:
        x, buffers[i] = leaves[i], None
        seen = sys.getrefcount(x._data) > 2  # by more than the array itself, and this call
        buffer = x._data
        if not seen:
            delete(x)
        if seen or not (buffer.flags.owndata and buffer.flags.c_contiguous):
            buffer = np.array(buffer, order="C")
        buffer.flags.writeable = True
        buffers[i] = buffer
    return buffers
