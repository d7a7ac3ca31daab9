"""Floors of a piece of work: what its matrix products and its memory traffic alone take, measured beside it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .work import Product, Work, traffic

__all__ = ["BLAS", "MEMORY", "floors"]

BLAS = "BLAS"
MEMORY = "memory"


def floors(work: Work) -> dict[str, Callable[[], Any]]:
    """Functions that do nothing but the work's products, and nothing but move as many bytes as it has to."""
    found: dict[str, Callable[[], Any]] = {MEMORY: _copy(traffic(work))}
    if work.products:
        found[BLAS] = _products(work.products)
    return found


def _products(products: Sequence[Product]) -> Callable[[], None]:
    """np.matmul into arrays that are there already."""
    rng = np.random.default_rng(0)
    prepared = []
    for product in products:
        left, right = (rng.uniform(size=shape).astype(np.float32) for shape in (product.left, product.right))
        prepared.append((left, right, np.matmul(left, right), product.times))

    def run() -> None:
        for left, right, out, times in prepared:
            for _ in range(times):
                np.matmul(left, right, out=out)

    return run


def _copy(size: int) -> Callable[[], None]:
    """A copy that reads one half of `size` bytes and writes the other."""
    source = np.ones(max(size // 8, 1), np.float32)
    target = np.empty_like(source)
    return lambda: np.copyto(target, source)
