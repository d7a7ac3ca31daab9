"""jax.typing: types for annotations."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import numpy as np

from minijax.array import Array

__all__ = ["ArrayLike", "DTypeLike"]


class SupportsDType(Protocol):
    """Anything with a `dtype`."""

    @property
    def dtype(self) -> np.dtype:
        """The element type."""


ArrayLike: TypeAlias = Array | np.ndarray | np.bool_ | np.number | bool | int | float | complex
DTypeLike: TypeAlias = str | type[Any] | np.dtype | SupportsDType
