"""Strict forms of zip and map, under the names by which example libraries import them."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["safe_map", "safe_zip", "unzip2"]


def safe_zip(*sequences: Iterable[Any]) -> list[tuple]:
    """A list of tuples like zip's. Raises ValueError unless all sequences have one length."""
    return list(builtins.zip(*sequences, strict=True))


def safe_map(f: Callable[..., Any], *sequences: Iterable[Any]) -> list[Any]:
    """A list of results like map's. Raises ValueError unless all sequences have one length."""
    return [f(*items) for items in builtins.zip(*sequences, strict=True)]


def unzip2(pairs: Iterable[tuple[Any, Any]]) -> tuple[tuple, tuple]:
    """The first members of the pairs, and the second ones; two empty tuples for no pairs."""
    pairs = list(pairs)
    return tuple([first for first, _ in pairs]), tuple([second for _, second in pairs])
