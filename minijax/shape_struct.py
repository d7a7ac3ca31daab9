"""ShapeDtypeStruct: shape and dtype of an array that need not exist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.core import ShapedArray
from minijax.primitives.standard import check_one_device

__all__ = ["ShapeDtypeStruct"]


class ShapeDtypeStruct:
    """Stands for an array in `eval_shape`, `jit(f).lower` and `make_jaxpr`.

    Raises ValueError if dtype is None.
    """

    __slots__ = ("shape", "dtype", "sharding", "weak_type")

    def __init__(
        self,
        shape: Sequence[int],
        dtype: Any,
        *,
        sharding: Any = None,
        weak_type: bool = False,
        manual_axis_type: Any = None,
        is_ref: bool = False,
    ):
        if dtype is None:
            raise ValueError("ShapeDtypeStruct: dtype must be specified, for example jnp.float32.")
        check_one_device("ShapeDtypeStruct", sharding)
        if manual_axis_type is not None or is_ref:
            raise NotImplementedError("ShapeDtypeStruct: there are no manual axes and no refs here; leave them out.")
        self.sharding = sharding
        self.shape = tuple(shape)
        # Kept as given, also with 64 bits: what takes it says whether there are so many.
        self.dtype = dtype if isinstance(dtype, dtypes.ExtendedDType) else np.dtype(dtype)
        self.weak_type = weak_type

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

    @property
    def aval(self) -> ShapedArray:
        """The aval of such an array, in which numbers have 32 bits unless jax_enable_x64 is on."""
        return ShapedArray(self.shape, dtypes.canonicalize_dtype(self.dtype, True), self.weak_type)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ShapeDtypeStruct):
            return False
        return (self.shape, self.dtype, self.weak_type) == (other.shape, other.dtype, other.weak_type)

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype, self.weak_type))

    def __repr__(self) -> str:
        weak = ", weak_type=True" if self.weak_type else ""
        return f"ShapeDtypeStruct(shape={self.shape}, dtype={self.dtype.name}{weak})"
