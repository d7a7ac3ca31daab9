"""The arrays that the calls name, made anew for each engine."""

from __future__ import annotations

import importlib
import io
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

_X = np.asarray([-2.5, -1.0, -0.5, 0.0, 0.3, 1.0, 2.0, 3.7], np.float32)
_ARRAYS = {
    "x": _X,
    "y": np.asarray([1.5, 0.25, 2.0, 3.0, 0.5, 1.0, 4.0, 0.75], np.float32),
    "m": np.asarray([[0.5, -1.25, 3.0], [2.0, 0.0, -0.75]], np.float32),
    "row": np.asarray([1.0, -2.0, 0.5], np.float32),
    "s": np.asarray(1.5, np.float32),
    "empty": np.zeros((0, 3), np.float32),
    "nans": np.asarray([[np.nan, 2.0, 1.0], [np.nan, np.nan, 5.0]], np.float32),
    "special": np.asarray([np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-3, 3e38, -2.0], np.float32),
    "i": np.asarray([-7, -1, 0, 2, 5], np.int32),
    "j": np.asarray([2, -3, 0, 7, -1], np.int32),
    "i8": np.asarray([-128, -3, 0, 5, 127], np.int8),
    "u8": np.asarray([0, 1, 7, 255], np.uint8),
    "b": np.asarray([True, False, True]),
    "sq": np.asarray([[2.0, -1.0, 0.5], [0.25, 3.0, 1.0], [-0.75, 0.5, -1.5]], np.float32),
    "spd": np.asarray([[4.0, 1.0, -0.5], [1.0, 3.0, 0.25], [-0.5, 0.25, 1.5]], np.float32),
    "sq5": np.asarray([[(3 * i + 5 * j) % 7 - 2.5 + 4 * (i == j) for j in range(5)] for i in range(5)], np.float32),
    "stack": np.asarray(
        [[[1.0, 2.0, 0.5], [0.0, -1.0, 1.0], [2.0, 0.25, 3.0]], [[2.0, 0.0, 1.0], [1.0, 1.5, 0.0], [0.5, -1.0, 4.0]]],
        np.float32,
    ),
    "tall": np.asarray([[(7 * i + 3 * j * j + 5) % 11 / 4 - 0.9 for j in range(3)] for i in range(5)], np.float32),
    "z": _X + 1j * np.roll(_X, 3),
    "zm": np.asarray([[0.5 - 1j, -1.25, 3j], [2 + 2j, 0.0, -0.75 - 0.5j]], np.complex64),
    "zs": np.asarray([complex(np.nan, 1), complex(np.inf, -2), complex(1, -np.inf), -0.0, -1, 1e30j], np.complex64),
    "h": np.asarray([-2.5, -0.5, 0.0, 0.3, 1.0, 4.0], np.float16),
}


def numerics(engine: Any) -> SimpleNamespace:
    """The smaller modules of `engine.scipy`, and the one function of `engine.scipy.cluster.vq`."""

    def module(name: str) -> Any:
        return importlib.import_module(f"{engine.__name__}.scipy.{name}")

    names = ("fft", "integrate", "interpolate", "optimize", "sparse")
    module("sparse.linalg")
    return SimpleNamespace(vq=module("cluster.vq").vq, **{name: module(name) for name in names})


def namespace(engine: Any) -> dict[str, Any]:
    """What an expression may name: the engine, its `jnp`, NumPy, the module io and the operands."""
    jnp = engine.numpy
    arrays = {name: jnp.asarray(value) for name, value in _ARRAYS.items()}
    sp = importlib.import_module(f"{engine.__name__}.scipy.special")
    st = importlib.import_module(f"{engine.__name__}.scipy.stats")
    tf = importlib.import_module(f"{engine.__name__}.scipy.spatial.transform")
    return {
        "jax": engine,
        "over_i": partial(engine.vmap, axis_name="i"),
        "sp": sp,
        "st": st,
        "tf": tf,
        "numerics": numerics(engine),
        "key": engine.random.key(0),
        "jnp": jnp,
        "np": np,
        "io": io,
        "w": jnp.asarray(1.5),
        **arrays,
    }
