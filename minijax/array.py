"""The array that users hold: one read-only NumPy buffer and a weak-type bit.

`Array` is the public type. It has two kinds of instances: `ArrayImpl`, a concrete
value, and `core.Tracer`, which stands in for a value while a transformation looks on.
Operators, methods and `.at` are attached to `Array` once, by `numpy/operators.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax import dtypes

__all__ = ["Array", "ArrayImpl"]


class Array:
    """An immutable n-dimensional array; `isinstance(x, Array)` also holds for tracers."""

    __slots__ = ()
    # NumPy's binary operators give way to ours: `ndarray * Array` is an Array.
    __array_priority__ = 100

    shape: tuple[int, ...]
    dtype: np.dtype
    weak_type: bool

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        size = 1
        for n in self.shape:
            size *= n
        return size

    # The elements can compare equal without the arrays being one object, so
    # hashing by value would need the value and hashing by identity would lie.
    __hash__ = None  # type: ignore[assignment]


class ArrayImpl(Array):
    """A concrete array: `_data` is the NumPy buffer, never written to again."""

    __slots__ = ("_data", "weak_type", "__weakref__")

    def __init__(self, data: np.ndarray, weak_type: bool = False):
        # NumPy's ufuncs return scalars for 0-d operands; keep an ndarray always.
        self._data = data if type(data) is np.ndarray else np.asarray(data)
        self.weak_type = weak_type

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Length of each axis."""
        return self._data.shape

    @property
    def dtype(self) -> Any:  # type: ignore[override]
        """The element type: a NumPy dtype, or an extended dtype such as `key<fry>`."""
        dtype = self._data.dtype
        return dtype if dtype.kind != "V" else dtypes.logical_dtype(dtype)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._data.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._data.size

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """A read-only view of the buffer (or a fresh array, if dtype or copy ask for one)."""
        if self._data.dtype.kind == "V" and isinstance(self.dtype, dtypes.ExtendedDType):
            raise TypeError(
                f"JAX array with PRNG key dtype {self.dtype} cannot be converted to a NumPy array. "
                "Write jax.random.key_data(key) to get its bits as uint32."
            )
        if (dtype is not None and np.dtype(dtype) != self._data.dtype) or copy:
            return np.array(self._data, dtype=dtype)
        # The buffer itself is locked too: a view of a writeable array can be made writeable again.
        self._data.flags.writeable = False
        return self._data.view()

    def __reduce__(self):
        return ArrayImpl, (self._data, self.weak_type)

    def __copy__(self) -> ArrayImpl:
        return ArrayImpl(self._data, self.weak_type)

    def __deepcopy__(self, memo: dict) -> ArrayImpl:
        return ArrayImpl(self._data.copy(), self.weak_type)
