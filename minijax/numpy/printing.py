"""How arrays are written: `Array([1., 2.], dtype=float32)` for repr, NumPy's form for str."""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import ArrayImpl
from minijax.numpy.promotion import ensure_arraylike

__all__ = ["array_repr", "array_str", "get_printoptions", "printoptions", "set_printoptions"]


def get_printoptions() -> dict[str, Any]:
    """How arrays are printed: NumPy's settings, which hold for Arrays too."""
    return np.get_printoptions()


def set_printoptions(*args: Any, **kwargs: Any) -> None:
    """Change how arrays are printed; see numpy.set_printoptions."""
    np.set_printoptions(*args, **kwargs)


def printoptions(*args: Any, **kwargs: Any) -> Any:
    """Change how arrays are printed inside a `with` block; see numpy.printoptions."""
    return np.printoptions(*args, **kwargs)


def repr_array(x: ArrayImpl) -> str:
    """`Array([1., 2.], dtype=float32, weak_type=True)`; random keys with the bits they are made of."""
    if isinstance(x.dtype, dtypes.ExtendedDType):
        return f"Array({x.shape}, dtype={x.dtype}) overlaying:\n{_words(x)}"
    dtype = f"dtype={x.dtype.name}" + (", weak_type=True" if x.weak_type else "")
    width = np.get_printoptions()["linewidth"]
    if x.size == 0:
        text = f"[], shape={x.shape}"
    else:
        text = np.array2string(np.asarray(x), prefix="Array(", suffix=",", separator=", ", max_line_width=width)
    last_line = len(text) - text.rfind("\n") + 1
    gap = " " if last_line + len(dtype) + 2 <= width else " " * len("Array(")
    return f"Array({text},{gap}{dtype})"


def _words(x: ArrayImpl) -> np.ndarray:
    words = x._data.dtype.itemsize // 4
    return np.ascontiguousarray(x._data).reshape(-1).view(np.uint32).reshape(*x.shape, words)


def str_array(x: ArrayImpl) -> str:
    """As NumPy writes it."""
    return repr_array(x) if isinstance(x.dtype, dtypes.ExtendedDType) else str(np.asarray(x))


def format_array(x: ArrayImpl, format_spec: str) -> str:
    """f"{x:.2f}" for arrays of shape (), f"{x}" for all."""
    if isinstance(x.dtype, dtypes.ExtendedDType):
        return repr_array(x)
    value = np.asarray(x)
    return format(value if x.ndim else value[()], format_spec)


def array_repr(
    arr: Any,
    max_line_width: int | None = None,
    precision: int | None = None,
    suppress_small: bool | None = None,
) -> str:
    """The array as text with its dtype; the other arguments as in numpy.array_repr."""
    return np.array_repr(np.asarray(ensure_arraylike("array_repr", arr)), max_line_width, precision, suppress_small)


def array_str(
    a: Any,
    max_line_width: int | None = None,
    precision: int | None = None,
    suppress_small: bool | None = None,
) -> str:
    """The array as text without its dtype; the other arguments as in numpy.array_str."""
    return np.array_str(np.asarray(ensure_arraylike("array_str", a)), max_line_width, precision, suppress_small)
