"""What the Python array API standard asks for: which namespace an array belongs to, and what that can do.

Source: https://data-apis.org/array-api/2024.12/
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from minijax import devices, dtypes
from minijax import numpy as jnp
from minijax.array import Array

__all__ = ["__array_api_version__", "__array_namespace_info__", "array_namespace"]

__array_api_version__ = "2024.12"

_SIGNED = ("int8", "int16", "int32", "int64")
_UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
_REAL = ("float32", "float64")
_COMPLEX = ("complex64", "complex128")
_NAMES: dict[str, tuple[str, ...]] = {
    "bool": ("bool",),
    "signed integer": _SIGNED,
    "unsigned integer": _UNSIGNED,
    "integral": _SIGNED + _UNSIGNED,
    "real floating": _REAL,
    "complex floating": _COMPLEX,
    "numeric": _SIGNED + _UNSIGNED + _REAL + _COMPLEX,
}


def array_namespace(self: Array, *, api_version: str | None = None) -> ModuleType:
    """The module whose functions take this array: jax.numpy. ValueError for another version of the standard."""
    if api_version not in (None, __array_api_version__):
        raise ValueError(f"{api_version=} is not available; there is {__array_api_version__!r} only.")
    return jnp


def __array_namespace_info__() -> ArrayNamespaceInfo:
    """What jax.numpy says about itself."""
    return ArrayNamespaceInfo()


class ArrayNamespaceInfo:
    """Capabilities, devices and dtypes; the latter are the same on every device."""

    def capabilities(self) -> dict[str, Any]:
        """What holds inside of transformations, too: no masks as indices, no shapes that depend on values."""
        return {"boolean indexing": False, "data-dependent shapes": False, "max dimensions": 64}

    def default_device(self) -> None:
        """None: an array is not bound to a device until somebody asks for it."""
        return

    def devices(self) -> list[Any]:
        """All devices, and None for the default."""
        return [None, *devices.devices()]

    def default_dtypes(self, *, device: Any = None) -> dict[str, np.dtype]:
        """The dtype that each kind of Python number becomes."""
        return {
            "real floating": dtypes.default_float_dtype(),
            "complex floating": dtypes.canonicalize_dtype(np.complex128),
            "integral": dtypes.default_int_dtype(),
            "indexing": dtypes.default_int_dtype(),
        }

    def dtypes(self, *, device: Any = None, kind: str | tuple[str, ...] | None = None) -> dict[str, np.dtype]:
        """The dtypes of one kind or of several, by name. KeyError for an unknown kind."""
        kinds = ("numeric", "bool") if kind is None else kind if isinstance(kind, tuple) else (kind,)
        found = [np.dtype(name) for each in kinds for name in _NAMES[each]]
        return {dtype.name: dtype for dtype in found if dtypes.canonicalize_dtype(dtype) == dtype}
