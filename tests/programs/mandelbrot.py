"""The Mandelbrot set by `lax.while_loop` under two `vmap`s.

What it shows: a loop whose predicate differs from point to point runs until the last of them has escaped, and the
others keep what they had.
"""

from __future__ import annotations

from typing import Any

LIMIT = 40


def escape_time(jax: Any, re: Any, im: Any) -> Any:
    """After how many turns z -> z**2 + c leaves the circle of radius 2; LIMIT for points that do not."""

    def stays(state: Any) -> Any:
        x, y, n = state
        return (x * x + y * y < 4.0) & (n < LIMIT)

    def step(state: Any) -> Any:
        x, y, n = state
        return x * x - y * y + re, 2.0 * x * y + im, n + 1

    return jax.lax.while_loop(stays, step, (0.0, 0.0, 0))[2]


def picture(jax: Any, re: Any, im: Any) -> Any:
    """i32[rows, columns] for re f32[columns] and im f32[rows]."""
    row = jax.vmap(lambda x, y: escape_time(jax, x, y), (0, None))
    return jax.vmap(row, (None, 0))(re, im)
