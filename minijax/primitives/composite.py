"""composite: a call that keeps the name of a larger operation, beside what it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from minijax.primitives.calls import call_primitive


def _no_derivative(*args: Any, name: str, **params: Any) -> NoReturn:
    raise ValueError(
        f"lax.composite: the operation {name!r} is opaque, and nobody has said what its derivative is. Put a "
        "jax.custom_jvp or jax.custom_vjp function around it, whose rule does."
    )


def _no_batching(axis_size: int, args: Sequence[Any], dims: Sequence[Any], *, name: str, **params: Any) -> NoReturn:
    raise NotImplementedError(
        f"Batching rule for 'composite' not implemented: the operation {name!r} is opaque to jax.vmap. Call its "
        "decomposition instead, or put the composite inside of a function that takes the batch as a whole."
    )


composite_p = call_primitive("composite")
composite_p.jvp = _no_derivative
composite_p.transpose = _no_derivative
composite_p.batch = _no_batching
composite_p.dce = None  # its body is not looked into
