"""Values for the random calls: ordinary ones, and those at which implementations part ways."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

__all__ = ["DTYPES", "DTYPES_X64", "PROFILES", "PYTHON_SCALARS", "Operand", "draw"]

DTYPES = ("bool", "int8", "int16", "int32", "uint8", "uint16", "uint32", "float16", "float32", "complex64")
DTYPES_X64 = (*DTYPES, "int64", "uint64", "float64", "complex128")
PYTHON_SCALARS = ("python bool", "python int", "python float", "python complex")

# How the values of one operand are drawn.
PROFILES = ("ordinary", "small", "special", "extreme", "ties")


class Operand(NamedTuple):
    """An array's shape and dtype; or a Python number, whose dtype is one of PYTHON_SCALARS."""

    shape: tuple[int, ...]
    dtype: str


def draw(operand: Operand, profile: str, rng: np.random.Generator) -> Any:
    """One value of an operand: a NumPy array, or a Python number."""
    if operand.dtype in PYTHON_SCALARS:
        return _python_number(operand.dtype, profile, rng)
    dtype = np.dtype(operand.dtype)
    # An array even without axes, where NumPy's arithmetic gives scalars.
    return np.asarray(_numbers(operand.shape, dtype, profile, rng), dtype)


def _numbers(shape: tuple[int, ...], dtype: np.dtype, profile: str, rng: np.random.Generator) -> Any:
    if dtype.kind == "b":
        return rng.integers(0, 2, shape)
    if dtype.kind == "c":
        real, imaginary = (_floats(shape, _parts(dtype), profile, rng) for _ in range(2))
        return real + 1j * imaginary
    return (_floats if dtype.kind == "f" else _integers)(shape, dtype, profile, rng)


def _parts(dtype: np.dtype) -> np.dtype:
    return np.empty(0, dtype).real.dtype


def _python_number(kind: str, profile: str, rng: np.random.Generator) -> Any:
    if kind == "python bool":
        return bool(rng.integers(2))
    if kind == "python int":
        return int(rng.integers(-3, 4) if profile != "extreme" else rng.choice([-(2**31), 2**31 - 1, 127, 255, -128]))
    real, imaginary = (float(_floats((), np.dtype("float32"), profile, rng)) for _ in range(2))
    return real if kind == "python float" else complex(real, imaginary)


def _integers(shape: tuple[int, ...], dtype: np.dtype, profile: str, rng: np.random.Generator) -> np.ndarray:
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    if profile in ("small", "ties"):
        return rng.integers(max(low, -3), 4, shape, dtype)
    if profile == "ordinary":
        return rng.integers(max(low, -100), 100, shape, dtype)
    anywhere = rng.integers(low, high, shape, dtype, endpoint=True)
    if profile == "extreme":
        return anywhere
    edges = np.array([low, low + 1, high - 1, high, 0, 1, max(low, -1), 2, 7, 8, 31, 32, 63, 64], dtype)
    return np.where(rng.random(shape) < 0.7, rng.choice(edges, shape), anywhere)


def _floats(shape: tuple[int, ...], dtype: np.dtype, profile: str, rng: np.random.Generator) -> np.ndarray:
    info = np.finfo(dtype)
    if profile == "ties":
        return rng.integers(-2, 3, shape).astype(dtype) * dtype.type(0.5)
    if profile == "small":
        return (rng.standard_normal(shape) * 0.1).astype(dtype)
    ordinary = (rng.standard_normal(shape) * 3).astype(dtype)
    if profile == "ordinary":
        return ordinary
    if profile == "extreme":
        # The largest have reciprocals that are normal numbers: XLA multiplies by those of constants.
        exponents = rng.uniform(info.minexp + 2, info.maxexp - 3, shape)
        return np.asarray(np.sign(ordinary) * np.exp2(exponents.astype(np.float64)), dtype)
    edges = [
        0,
        -0.0,
        1,
        -1,
        np.inf,
        -np.inf,
        np.nan,
        info.max / 8,  # its reciprocal is a normal number too
        -info.max / 8,
        4 * info.tiny,
        0.5,
        -0.5,
        1.5,
        2.5,
        2**31,
        -3e9,
        255,
    ]
    with np.errstate(over="ignore"):
        return np.where(rng.random(shape) < 0.7, rng.choice(np.array(edges).astype(dtype), shape), ordinary)
