"""The short names of `jax.tree`: `tree.map`, `tree.leaves` ... stand for `tree_util.tree_map` ..."""

from __future__ import annotations

from typing import Any

from minijax.tree_util import tree_all as all
from minijax.tree_util import tree_broadcast as broadcast
from minijax.tree_util import tree_flatten as flatten
from minijax.tree_util import tree_flatten_with_path as flatten_with_path
from minijax.tree_util import tree_leaves as leaves
from minijax.tree_util import tree_leaves_with_path as leaves_with_path
from minijax.tree_util import tree_map as map
from minijax.tree_util import tree_map_with_path as map_with_path
from minijax.tree_util import tree_reduce as reduce
from minijax.tree_util import tree_reduce_associative as reduce_associative
from minijax.tree_util import tree_structure as structure
from minijax.tree_util import tree_transpose as transpose
from minijax.tree_util import tree_unflatten as unflatten

__all__ = [
    "all",
    "broadcast",
    "flatten",
    "flatten_with_path",
    "leaves",
    "leaves_with_path",
    "map",
    "map_with_path",
    "reduce",
    "reduce_associative",
    "static",
    "structure",
    "transpose",
    "unflatten",
]


def static(**kwargs: Any) -> Any:
    """`dataclasses.field` for a field that `register_dataclass` makes part of the structure, not a child."""
    import dataclasses  # as slow to import as half of minijax, and rarely needed

    metadata = {"static": True} | dict(kwargs.pop("metadata", None) or {})
    return dataclasses.field(metadata=metadata, **kwargs)
