"""Arrays in files and texts: NumPy's .npy and .npz files, numbers in a string, what other libraries hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.numpy.creation import asarray, check_placement

__all__ = ["from_dlpack", "fromfile", "fromiter", "fromstring", "load", "save", "savez"]


def save(file: Any, arr: Any, allow_pickle: bool = True) -> None:
    """Write one array to a file, or an open file, in the .npy format; see numpy.save."""
    np.save(file, arr, allow_pickle=allow_pickle)


def savez(file: Any, *args: Any, allow_pickle: bool = True, **kwds: Any) -> None:
    """Write several arrays under their names to one file in the .npz format; see numpy.savez.

    Nothing is pickled in either case: Arrays hold numbers only.
    """
    np.savez(file, *args, **kwds)


def load(file: Any, *args: Any, **kwargs: Any) -> Any:
    """Read a file that `save` wrote, as an Array; of a .npz file what numpy.load gives.

    The other arguments are those of numpy.load.
    """
    found = np.load(file, *args, **kwargs)
    if isinstance(found, np.ndarray) and found.dtype == "V2":
        found = found.view(dtypes.bfloat16)  # which NumPy's files do not know
    return asarray(found) if isinstance(found, np.ndarray) else found


def fromstring(string: str, dtype: Any = float, count: int = -1, *, sep: str) -> Array:
    """The numbers in a text, with `sep` between them; see numpy.fromstring."""
    return asarray(np.fromstring(string, dtype, count, sep=sep))


def fromfile(*args: Any, **kwargs: Any) -> Any:
    """Not there, as in JAX: reading moves the file on, which a transformed function must not."""
    raise NotImplementedError(
        "jnp.fromfile() is not there, because reading a file is a side effect and a traced function runs only once. "
        "Read it outside: jnp.asarray(np.fromfile(...))."
    )


def fromiter(*args: Any, **kwargs: Any) -> Any:
    """Not there, as in JAX: it would use up the iterator, which a transformed function must not."""
    raise NotImplementedError(
        "jnp.fromiter() is not there, because using up an iterator is a side effect and a traced function runs only "
        "once. Read it outside: jnp.asarray(np.fromiter(...))."
    )


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Array:
    """An Array from the array of another library that speaks DLPack. The data is always copied.

    Raises ValueError for copy=False: Arrays own their buffers, so that nobody can write into them.
    """
    check_placement("from_dlpack", device)
    if not (hasattr(x, "__dlpack__") and hasattr(x, "__dlpack_device__")):
        raise TypeError(
            f"The array passed to from_dlpack must have __dlpack__ and __dlpack_device__ methods, got {type(x)}. "
            "For numbers and lists write jnp.asarray(x)."
        )
    if copy is False and not isinstance(x, Array):
        raise ValueError("from_dlpack: copy=False is not possible, because arrays never share memory. Leave it out.")
    return asarray(np.array(np.from_dlpack(x)), device=device)
