"""jit with shardings: it computes what jit computes, and its results say that they lie as they were told to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minijax.jitted import JitFunction, StaticArguments
from minijax.placement import device_put
from minijax.tree_util import flatten_axes, tree_flatten, tree_leaves

__all__ = ["ShardedJitFunction"]


class ShardedJitFunction(JitFunction):
    """A jitted function with shardings for arguments and results: one for all, or a tree; None leaves it open."""

    def __init__(
        self, fun: Callable, static: StaticArguments, keep_unused: bool, inline: bool, in_shardings: Any, out: Any
    ):
        super().__init__(fun, static, keep_unused, inline)
        self._in_shardings, self._out_shardings = in_shardings, out

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._check_arguments(args, kwargs)
        out = super().__call__(*args, **kwargs)
        return device_put(out, self._out_shardings) if tree_leaves(self._out_shardings) else out

    def _check_arguments(self, args: tuple, kwargs: dict[str, Any]) -> None:
        """Raise ValueError where an argument cannot be split as its sharding says."""
        _, positional, _ = self._static.split(args, kwargs)
        leaves, tree = tree_flatten(positional)
        for x, sharding in zip(leaves, flatten_axes("jit in_shardings", tree, self._in_shardings), strict=True):
            if sharding is not None:
                sharding.shard_shape(np.shape(x))
