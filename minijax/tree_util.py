"""Functions on pytrees under the names of `jax.tree_util`. What a pytree is: `pytree.py`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from minijax.key_paths import (
    DictKey,
    FlattenedIndexKey,
    GetAttrKey,
    KeyEntry,
    KeyPath,
    SequenceKey,
    keystr,
)
from minijax.pytree import PyTreeDef, broadcast_leaves, make_treedef, tree_flatten, tree_flatten_with_path
from minijax.tree_nodes import LEAF, node_of_type
from minijax.tree_registry import (
    Partial,
    default_registry,
    flatten_one_level,
    flatten_one_level_with_keys,
    is_tree_node,
    register_dataclass,
    register_pytree_node,
    register_pytree_node_class,
    register_pytree_with_keys,
    register_pytree_with_keys_class,
    register_static,
)

__all__ = [
    "DictKey",
    "FlattenedIndexKey",
    "GetAttrKey",
    "KeyEntry",
    "KeyPath",
    "Partial",
    "PyTreeDef",
    "SequenceKey",
    "all_leaves",
    "default_registry",
    "flatten_one_level",
    "flatten_one_level_with_keys",
    "is_tree_node",
    "keystr",
    "register_dataclass",
    "register_pytree_node",
    "register_pytree_node_class",
    "register_pytree_with_keys",
    "register_pytree_with_keys_class",
    "register_static",
    "tree_all",
    "tree_broadcast",
    "tree_flatten",
    "tree_flatten_with_path",
    "tree_leaves",
    "tree_leaves_with_path",
    "tree_map",
    "tree_map_with_path",
    "tree_reduce",
    "tree_reduce_associative",
    "tree_structure",
    "tree_transpose",
    "tree_unflatten",
    "treedef_children",
    "treedef_is_leaf",
    "treedef_tuple",
]

IsLeaf = Callable[[Any], bool] | None
_MISSING = object()

# --------------------------------------------------------------------------- leaves and structures


def tree_unflatten(treedef: PyTreeDef, leaves: Iterable[Any]) -> Any:
    """The tree of the given structure with the given leaves: the inverse of `tree_flatten`."""
    return treedef.unflatten(leaves)


def tree_leaves(tree: Any, is_leaf: IsLeaf = None) -> list[Any]:
    """The leaves of a tree, left to right."""
    return tree_flatten(tree, is_leaf)[0]


def tree_structure(tree: Any, is_leaf: IsLeaf = None) -> PyTreeDef:
    """The structure of a tree."""
    return tree_flatten(tree, is_leaf)[1]


def treedef_tuple(treedefs: Iterable[PyTreeDef]) -> PyTreeDef:
    """The structure of a tuple of trees with these structures."""
    treedefs = tuple(treedefs)
    return make_treedef(node_of_type(tuple, None, len(treedefs)), treedefs)


def treedef_children(treedef: PyTreeDef) -> list[PyTreeDef]:
    """The structures of the root's children."""
    return treedef.children()


def treedef_is_leaf(treedef: PyTreeDef) -> bool:
    """Whether the structure is a single node: a leaf or an empty container."""
    return treedef.num_nodes == 1


def all_leaves(iterable: Iterable[Any], is_leaf: IsLeaf = None) -> bool:
    """Whether all elements are leaves."""
    return all(tree_structure(x, is_leaf)._nodes[0] is LEAF for x in iterable)


# --------------------------------------------------------------------------- map and reduce


def tree_map(f: Callable[..., Any], tree: Any, *rest: Any, is_leaf: IsLeaf = None) -> Any:
    """The tree of f(leaf, ...) over the leaves of `tree` and what stands in their places in `rest`.

    ValueError, naming the key path, where a tree of `rest` differs in structure above these places.
    """
    leaves, treedef = tree_flatten(tree, is_leaf)
    if not rest:
        return treedef.unflatten([f(leaf) for leaf in leaves])
    others = [treedef._flatten_up_to(r, f"tree_map: tree {i}") for i, r in enumerate(rest, start=2)]
    return treedef.unflatten([f(*xs) for xs in zip(leaves, *others)])


def tree_reduce(
    function: Callable[[Any, Any], Any], tree: Any, initializer: Any = _MISSING, is_leaf: IsLeaf = None
) -> Any:
    """`functools.reduce` over the leaves, left to right."""
    leaves = tree_leaves(tree, is_leaf)
    if initializer is _MISSING:
        return functools.reduce(function, leaves)
    return functools.reduce(function, leaves, initializer)


def tree_reduce_associative(
    operation: Callable[[Any, Any], Any], tree: Any, *, identity: Any = _MISSING, is_leaf: IsLeaf = None
) -> Any:
    """Reduce the leaves pairwise, as a balanced tree of operations. TypeError without leaves or identity."""
    leaves = tree_leaves(tree, is_leaf)
    if leaves:
        return _reduce_halves(operation, leaves)
    if identity is _MISSING:
        raise TypeError("tree_reduce_associative: the tree has no leaves; pass identity= to say the result then")
    return identity


def _reduce_halves(operation: Callable, xs: list[Any]) -> Any:
    if len(xs) == 1:
        return xs[0]
    half = len(xs) // 2
    return operation(_reduce_halves(operation, xs[:half]), _reduce_halves(operation, xs[half:]))


def tree_all(tree: Any, *, is_leaf: IsLeaf = None) -> bool:
    """Whether all leaves are true."""
    return all(tree_leaves(tree, is_leaf))


def tree_transpose(outer_treedef: PyTreeDef, inner_treedef: PyTreeDef | None, pytree_to_transpose: Any) -> Any:
    """Turn an outer tree of inner trees inside out; inner_treedef=None means that of the first inner tree."""
    leaves, treedef = tree_flatten(pytree_to_transpose)
    if inner_treedef is None:
        inner_treedef = tree_structure(outer_treedef.flatten_up_to(pytree_to_transpose)[0])
    size = inner_treedef.num_leaves
    if len(leaves) != outer_treedef.num_leaves * size:
        raise TypeError(
            f"tree_transpose: the tree has the structure\n{treedef}\nwhere outer and inner structure ask for"
            f"\n{outer_treedef.compose(inner_treedef)}"
        )
    return inner_treedef.unflatten([outer_treedef.unflatten(leaves[i::size]) for i in range(size)])


# --------------------------------------------------------------------------- prefixes


def broadcast_prefix(prefix_tree: Any, full_tree: Any, is_leaf: IsLeaf = None) -> list[Any]:
    """The leaves of `prefix_tree`, each repeated for the leaves of `full_tree` that it stands for."""
    leaves, prefix = tree_flatten(prefix_tree, is_leaf)
    return broadcast_leaves(leaves, prefix, tree_structure(full_tree), "broadcast_prefix: the full tree")


def tree_broadcast(prefix_tree: Any, full_tree: Any, is_leaf: IsLeaf = None) -> Any:
    """A tree like `full_tree` whose leaves are those of `prefix_tree`, repeated."""
    leaves, prefix = tree_flatten(prefix_tree, is_leaf)
    full = tree_structure(full_tree)
    return full.unflatten(broadcast_leaves(leaves, prefix, full, "tree_broadcast: full_tree"))


def flatten_axes(name: str, treedef: PyTreeDef, axis_tree: Any) -> list[Any]:
    """One entry of `axis_tree` (in_axes, out_axes ...) for each leaf of `treedef`; None is an entry too.

    ValueError if `axis_tree` is not a prefix of the structure; `name` says whose it is ("vmap in_axes").
    """
    leaves, prefix = tree_flatten(axis_tree, lambda x: x is None)
    try:
        return broadcast_leaves(leaves, prefix, treedef, f"the value that {name} belongs to")
    except ValueError as error:
        raise ValueError(
            f"{name} must be a tree prefix of the value it belongs to. It is {axis_tree!r}, and the value has"
            f" the structure {treedef}. {error}"
        ) from None


# --------------------------------------------------------------------------- key paths


def tree_leaves_with_path(
    tree: Any, is_leaf: Callable[..., bool] | None = None, is_leaf_takes_path: bool = False
) -> list[tuple[KeyPath, Any]]:
    """[(key path, leaf), ...]."""
    return tree_flatten_with_path(tree, is_leaf, is_leaf_takes_path)[0]


def tree_map_with_path(
    f: Callable[..., Any],
    tree: Any,
    *rest: Any,
    is_leaf: Callable[..., bool] | None = None,
    is_leaf_takes_path: bool = False,
) -> Any:
    """As `tree_map`, with f(key path, leaf, ...)."""
    leaves, treedef = tree_flatten_with_path(tree, is_leaf, is_leaf_takes_path)
    others = [treedef._flatten_up_to(r, f"tree_map_with_path: tree {i}") for i, r in enumerate(rest, start=2)]
    return treedef.unflatten([f(path, x, *xs) for (path, x), *xs in zip(leaves, *others)])
