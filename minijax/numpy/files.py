"""Arrays in NumPy's .npy and .npz files."""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax.numpy.creation import asarray

__all__ = ["load", "save", "savez"]


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
    return asarray(found) if isinstance(found, np.ndarray) else found
