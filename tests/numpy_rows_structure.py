"""Calls of jax.numpy's functions that arrange, index, join, sort and contract arrays, for test_numpy_functions.py."""

from __future__ import annotations

__all__ = ["EXACT", "SUMS", "REFUSED"]

EXACT: list[str] = []
SUMS: list[str] = []
REFUSED: list[str] = []
