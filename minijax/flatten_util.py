"""jax.flatten_util: a pytree of arrays as one vector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minijax import dtypes
from minijax import numpy as jnp
from minijax.tree_util import tree_flatten, tree_unflatten

__all__ = ["ravel_pytree"]


def ravel_pytree(pytree: Any) -> tuple[Any, Callable[[Any], Any]]:
    """(vector, unravel): all leaves in one vector of the promoted dtype, and the way back.

    unravel raises ValueError for a vector of another length, TypeError for one of another dtype.
    """
    leaves, tree = tree_flatten(pytree)
    if not leaves:
        vector = jnp.zeros(0, "float32")
        return vector, lambda v: tree_unflatten(tree, [])
    shapes, found = [np.shape(x) for x in leaves], [dtypes.dtype(x) for x in leaves]
    common = dtypes.result_type(*found)
    vector = jnp.concatenate([jnp.ravel(jnp.asarray(x)).astype(common) for x in leaves])
    ends = np.cumsum([int(np.prod(s)) for s in shapes])

    def unravel(v: Any) -> Any:
        if np.shape(v) != vector.shape:
            raise ValueError(f"unravel function given array of shape {np.shape(v)}, but expected shape {vector.shape}.")
        if dtypes.dtype(v) != common:
            raise TypeError(
                f"unravel function given array of dtype {dtypes.dtype(v).name}, but expected dtype "
                f"{common.name}: "
                "convert it with .astype."
            )
        parts = jnp.split(v, ends[:-1])
        return tree_unflatten(tree, [p.reshape(s).astype(d) for p, s, d in zip(parts, shapes, found, strict=True)])

    return vector, unravel
