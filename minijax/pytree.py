"""Pytrees: nested containers taken apart into leaves and a structure, and put together again.

The structure, a `PyTreeDef`, is one flat tuple of nodes in *pre-order*: a node stands
right before its children. The tree `{"a": (x, y), "b": None}` becomes

    leaves  [x, y]
    nodes   (DICT, ("a", "b"), 2)   (TUPLE, None, 2)   LEAF   LEAF   (NONE, None, 0)

where each node is (kind, data, number of children). All work is a loop over that tuple,
forwards to take a tree apart and backwards to build one, so depth is limited by memory
alone, and comparing or hashing structures is comparing or hashing tuples.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from minijax.key_paths import KeyPath, keystr
from minijax.tree_nodes import (
    DICT,
    LEAF,
    NAMEDTUPLE,
    NONE,
    ORDERED_DICT,
    Node,
    NodeKind,
    children_with_keys,
    describe,
    end_of_subtree,
    kind_of,
    node_of_type,
    path_to,
    show,
)

__all__ = ["PyTreeDef", "broadcast_leaves", "make_treedef", "tree_flatten", "tree_flatten_with_path"]

# --------------------------------------------------------------------------- taking apart


def tree_flatten(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> tuple[list[Any], PyTreeDef]:
    """Leaves of a tree, left to right, and its structure.

    Nodes are None, lists, tuples, named tuples, dicts (in the order of their sorted keys), OrderedDicts,
    defaultdicts and registered classes; everything else is a leaf, and so is what `is_leaf` says is one.
    """
    leaves: list[Any] = []
    nodes: list[Node] = []
    stack = [tree]
    while stack:
        x = stack.pop()
        if is_leaf is None or not is_leaf(x):
            kind = kind_of(x)
            if kind is not None:
                children, data = kind.flatten(x)
                nodes.append((kind, data, len(children)))
                stack += children[::-1]
                continue
        nodes.append(LEAF)
        leaves.append(x)
    return leaves, PyTreeDef(tuple(nodes), len(leaves))


def tree_flatten_with_path(
    tree: Any, is_leaf: Callable[..., bool] | None = None, is_leaf_takes_path: bool = False
) -> tuple[list[tuple[KeyPath, Any]], PyTreeDef]:
    """([(key path, leaf), ...], structure); with is_leaf_takes_path, is_leaf is called with (path, x)."""
    leaves: list[tuple[KeyPath, Any]] = []
    nodes: list[Node] = []
    stack: list[tuple[KeyPath, Any]] = [((), tree)]
    while stack:
        path, x = stack.pop()
        stop = is_leaf is not None and (is_leaf(path, x) if is_leaf_takes_path else is_leaf(x))
        kind = None if stop else kind_of(x)
        if kind is None:
            nodes.append(LEAF)
            leaves.append((path, x))
        else:
            pairs, data = children_with_keys(kind, x)
            nodes.append((kind, data, len(pairs)))
            stack += [((*path, key), child) for key, child in reversed(pairs)]
    return leaves, PyTreeDef(tuple(nodes), len(leaves))


# --------------------------------------------------------------------------- structures


class PyTreeDef:
    """The structure of a tree, all but its leaves: hashable, comparable, picklable."""

    __slots__ = ("_nodes", "num_leaves", "_hash")

    def __init__(self, nodes: tuple[Node, ...], num_leaves: int):
        self._nodes = nodes
        self.num_leaves = num_leaves
        self._hash: int | None = None

    @property
    def num_nodes(self) -> int:
        """Number of nodes, leaves included."""
        return len(self._nodes)

    def unflatten(self, leaves: Iterable[Any], /) -> Any:
        """The tree of this structure with these leaves. ValueError if their number is wrong."""
        leaves = list(leaves)
        if len(leaves) != self.num_leaves:
            few = "Too few" if len(leaves) < self.num_leaves else "Too many"
            raise ValueError(f"{few} leaves: {self} has places for {self.num_leaves}, got {len(leaves)}")
        return self._fold(leaves, attrgetter("unflatten"))

    def _fold(self, leaves: list[Any], make: Callable[[NodeKind], Callable]) -> Any:
        """Bottom-up: replace each node by make(kind)(data, children). Uses up `leaves`."""
        # Backwards, a node comes right after its children, which then lie on top of the stack.
        stack: list[Any] = []
        for node in reversed(self._nodes):
            if node is LEAF:
                stack.append(leaves.pop())
            else:
                kind, data, arity = node
                children = stack[: -arity - 1 : -1]
                if arity:
                    del stack[-arity:]
                stack.append(make(kind)(data, children))
        return stack[0]

    def walk(self, f_node: Callable, f_leaf: Callable | None, leaves: Iterable[Any], /) -> Any:
        """Bottom-up: f_leaf(leaf) for leaves, f_node(children's results, node data) for nodes."""
        leaves = list(leaves) if f_leaf is None else [f_leaf(leaf) for leaf in leaves]
        return self._fold(leaves, lambda kind: lambda data, xs: f_node(tuple(xs), _shown_data(kind, data)))

    def flatten_up_to(self, tree: Any, /) -> list[Any]:
        """The subtrees of `tree` that stand where this structure has leaves.

        ValueError, naming the place, where `tree` is not of this structure above them.
        """
        return self._flatten_up_to(tree, "flatten_up_to: the tree")

    def _flatten_up_to(self, tree: Any, what: str) -> list[Any]:
        subtrees: list[Any] = []
        stack = [tree]
        for i, node in enumerate(self._nodes):
            x = stack.pop()
            if node is LEAF:
                subtrees.append(x)
                continue
            kind, data, arity = node
            if kind_of(x) is not kind:
                raise _mismatch(self, i, what, x)
            children, its_data = kind.flatten(x)
            if len(children) != arity or not (its_data is data or its_data == data):
                raise _mismatch(self, i, what, x)
            stack += children[::-1]
        return subtrees

    def compose(self, inner: PyTreeDef, /) -> PyTreeDef:
        """This structure with `inner` in the place of each leaf."""
        nodes: list[Node] = []
        for node in self._nodes:
            nodes += inner._nodes if node is LEAF else (node,)
        return PyTreeDef(tuple(nodes), self.num_leaves * inner.num_leaves)

    def children(self) -> list[PyTreeDef]:
        """The structures of the root's children."""
        children, start = [], 1
        for _ in range(self._nodes[0][2]):
            end = end_of_subtree(self._nodes, start)
            children.append(PyTreeDef(self._nodes[start:end], self._nodes[start:end].count(LEAF)))
            start = end
        return children

    def node_data(self) -> tuple[type, Any] | None:
        """Type of the root and what it needs besides its children; None for a leaf."""
        kind, data, _ = self._nodes[0]
        if kind is None:
            return None
        if kind is NAMEDTUPLE:
            return data, None
        return kind.type, _shown_data(kind, data)

    @staticmethod
    def from_node_data_and_children(
        registry: Any, node_data: tuple[type, Any] | None, children: Iterable[PyTreeDef], /
    ) -> PyTreeDef:
        """The structure with this root (see `node_data`) over these children."""
        children = list(children)
        root = LEAF if node_data is None else node_of_type(*node_data, len(children))
        return make_treedef(root, children)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PyTreeDef):
            return NotImplemented
        return self._nodes is other._nodes or self._nodes == other._nodes

    def __hash__(self) -> int:
        if self._hash is None:
            try:
                self._hash = hash(self._nodes)
            except TypeError:  # a registered class with unhashable data
                self._hash = hash(tuple([(kind, arity) for kind, _, arity in self._nodes]))
        return self._hash

    def __repr__(self) -> str:
        text = self._fold(["*"] * self.num_leaves, lambda kind: functools.partial(show, kind))
        return f"PyTreeDef({text})"

    def __reduce__(self):
        # LEAF is compared by identity, which pickling would not keep.
        return _from_pickle, (tuple([None if node is LEAF else node for node in self._nodes]),)


def _from_pickle(nodes: tuple) -> PyTreeDef:
    return PyTreeDef(tuple([LEAF if node is None else node for node in nodes]), nodes.count(None))


def _shown_data(kind: NodeKind, data: Any) -> Any:
    return list(data) if kind is DICT else data  # as JAX has it; inside, data has to be hashable


def make_treedef(root: Node, children: Sequence[PyTreeDef]) -> PyTreeDef:
    """The structure with the node `root` over the structures of its children."""
    nodes = [root]
    for child in children:
        nodes += child._nodes
    if root is LEAF:
        return PyTreeDef((LEAF,), 1)
    return PyTreeDef(tuple(nodes), sum([child.num_leaves for child in children]))


# --------------------------------------------------------------------------- prefixes

# A tree is a *prefix* of another if it can be had by replacing some of the other's subtrees by leaves:
# vmap's in_axes=(0, None) is a prefix of the arguments ({"w": w, "b": b}, x).


def broadcast_leaves(prefix_leaves: Sequence[Any], prefix: PyTreeDef, full: PyTreeDef, what: str) -> list[Any]:
    """Each leaf of the prefix, repeated for all leaves of the full tree that it stands for.

    ValueError, beginning with `what` and naming the place, if it is not a prefix.
    """
    result: list[Any] = []
    remaining = iter(prefix_leaves)
    at = 0
    for i, node in enumerate(prefix._nodes):
        if node is LEAF:
            end = end_of_subtree(full._nodes, at)
            result += [next(remaining)] * full._nodes[at:end].count(LEAF)
            at = end
        elif node == full._nodes[at]:
            at += 1
        else:
            raise _mismatch_error(prefix, i, what, full._nodes[at])
    return result


def _mismatch(treedef: PyTreeDef, index: int, what: str, x: Any) -> ValueError:
    kind = kind_of(x)
    if kind is None:
        return _mismatch_error(treedef, index, what, LEAF, f"a leaf of type {type(x).__name__}")
    children, data = kind.flatten(x)
    return _mismatch_error(treedef, index, what, (kind, data, len(children)))


def _mismatch_error(treedef: PyTreeDef, index: int, what: str, found: Node, found_text: str = "") -> ValueError:
    wanted = treedef._nodes[index]
    path = keystr(path_to(treedef._nodes, index))
    return ValueError(
        f"{what} does not have the required tree structure{path and ' at key path ' + path}: expected"
        f" {describe(wanted)}, got {found_text or describe(found)}{_remedy(wanted, found)}"
    )


def _remedy(wanted: Node, found: Node) -> str:
    if wanted[0] is NONE:
        return ". None is a node without leaves; pass is_leaf=lambda x: x is None to make it a leaf"
    if wanted[0] is not found[0] or wanted[0] not in (DICT, ORDERED_DICT):
        return ""
    missing = [key for key in wanted[1] if key not in found[1]]
    surplus = [key for key in found[1] if key not in wanted[1]]
    if missing or surplus:
        return f"; missing {missing}, surplus {surplus}"
    return "; the order of an OrderedDict's keys counts"
