"""Arrays of other libraries that speak DLPack, the common memory layout of array libraries."""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax.array import Array
from minijax.numpy import files

__all__ = ["from_dlpack", "is_supported_dtype"]

_SUPPORTED = frozenset(map(np.dtype, ("?", "b", "h", "i", "q", "B", "H", "I", "Q", "e", "f", "d", "F", "D")))


def from_dlpack(external_array: Any, device: Any = None, copy: bool | None = None) -> Array:
    """An Array from the array of another library; see jnp.from_dlpack."""
    return files.from_dlpack(external_array, device=device, copy=copy)


def is_supported_dtype(dtype: Any) -> bool:
    """Whether arrays of this dtype can be handed over."""
    return np.dtype(dtype) in _SUPPORTED
