"""Nodes of pytrees: which containers there are, how they are taken apart and put together.

A node is (kind, data, number of children): the kind is shared by all containers of a type,
data is what a container needs besides its children (a dict's keys). `LEAF` stands for leaves.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Sequence
from typing import Any

from minijax.key_paths import DictKey, FlattenedIndexKey, GetAttrKey, KeyPath, SequenceKey

__all__ = [
    "LEAF",
    "NONE",
    "DICT",
    "ORDERED_DICT",
    "NAMEDTUPLE",
    "Node",
    "NodeKind",
    "children_with_keys",
    "describe",
    "end_of_subtree",
    "is_node_type",
    "kind_of",
    "node_of_type",
    "path_to",
    "register_kind",
    "show",
]

# --------------------------------------------------------------------------- kinds of nodes


class NodeKind:
    """How containers of one type are taken apart and put together."""

    __slots__ = ("type", "flatten", "unflatten", "keys", "flatten_with_keys")

    def __init__(
        self,
        node_type: type,
        flatten: Callable[[Any], tuple[Sequence, Any]],
        unflatten: Callable[[Any, list], Any],
        keys: Callable[[Any, int], Sequence] | None = None,
        flatten_with_keys: Callable[[Any], tuple[Sequence, Any]] | None = None,
    ):
        self.type = node_type
        self.flatten = flatten  # container -> (children, data)
        self.unflatten = unflatten  # (data, list of children) -> container
        self.keys = keys or _flat_indices  # (data, number of children) -> entries of key paths
        self.flatten_with_keys = flatten_with_keys  # for classes where only the instance can tell

    def __reduce__(self):
        return _find_kind, (None if self is NAMEDTUPLE else self.type,)


def _flat_indices(data: Any, arity: int) -> list:
    return [FlattenedIndexKey(i) for i in range(arity)]


def _sequence_keys(data: Any, arity: int) -> list:
    return [SequenceKey(i) for i in range(arity)]


def _dict_keys(keys: tuple, arity: int) -> list:
    return [DictKey(key) for key in keys]


def _sorted_keys(d: dict) -> tuple:
    try:
        return tuple(sorted(d))
    except TypeError as error:
        raise ValueError(
            f"A dict with the keys {list(d)} cannot be a pytree: its keys have to be sorted, and {error}."
            " Use keys of one type, or an OrderedDict, which keeps its own order"
        ) from error


def _flatten_dict(d: dict) -> tuple[list, tuple]:
    keys = _sorted_keys(d)
    return [d[key] for key in keys], keys


def _flatten_defaultdict(d: collections.defaultdict) -> tuple[list, tuple]:
    keys = _sorted_keys(d)
    return [d[key] for key in keys], (d.default_factory, keys)


NONE = NodeKind(type(None), lambda x: ((), None), lambda data, xs: None)
LIST = NodeKind(list, lambda x: (x, None), lambda data, xs: xs, _sequence_keys)
TUPLE = NodeKind(tuple, lambda x: (x, None), lambda data, xs: tuple(xs), _sequence_keys)
DICT = NodeKind(dict, _flatten_dict, lambda keys, xs: dict(zip(keys, xs)), _dict_keys)
ORDERED_DICT = NodeKind(
    collections.OrderedDict,
    lambda d: (list(d.values()), tuple(d)),
    lambda keys, xs: collections.OrderedDict(zip(keys, xs)),
    _dict_keys,
)
DEFAULT_DICT = NodeKind(
    collections.defaultdict,
    _flatten_defaultdict,
    lambda data, xs: collections.defaultdict(data[0], zip(data[1], xs)),
    lambda data, arity: _dict_keys(data[1], arity),
)
# One kind for all named tuples: the node's data is their class.
NAMEDTUPLE = NodeKind(
    tuple,
    lambda x: (list(tuple.__iter__(x)), type(x)),  # a class may have another len(), as Rotation has
    lambda cls, xs: cls(*xs),
    lambda cls, arity: [GetAttrKey(name) for name in cls._fields],
)

_kinds = {kind.type: kind for kind in (NONE, LIST, TUPLE, DICT, ORDERED_DICT, DEFAULT_DICT)}
Node = tuple  # (kind, data, number of children)
LEAF: Node = (None, None, 0)  # compared by identity


def register_kind(kind: NodeKind) -> None:
    """Make instances of a type nodes of trees. ValueError if they are already."""
    if not isinstance(kind.type, type):
        raise TypeError(f"Only classes can be registered as pytree nodes, got {kind.type!r}")
    if kind.type in _kinds:
        raise ValueError(
            f"{kind.type} is registered as a pytree node already (duplicate registration). Remove one of the"
            " two, or register a subclass"
        )
    _kinds[kind.type] = kind


def kind_of(x: Any) -> NodeKind | None:
    """The kind of node that `x` is; None for leaves."""
    kind = _kinds.get(type(x))
    return NAMEDTUPLE if kind is None and isinstance(x, tuple) and hasattr(x, "_fields") else kind


def node_of_type(node_type: type | None, data: Any, arity: int) -> tuple:
    """The node that `PyTreeDef.node_data()` describes as (node_type, data)."""
    if not is_node_type(node_type):
        raise ValueError(f"{node_type} is not registered as a pytree node")
    kind = _kinds.get(node_type)
    if kind is None:
        return NAMEDTUPLE, node_type, arity
    return kind, tuple(data) if kind is DICT else data, arity


def is_node_type(node_type: Any) -> bool:
    """Whether instances of this type are nodes rather than leaves."""
    if not isinstance(node_type, type):
        return False
    return node_type in _kinds or issubclass(node_type, tuple) and hasattr(node_type, "_fields")


def _find_kind(node_type: type | None) -> NodeKind:
    return NAMEDTUPLE if node_type is None else _kinds[node_type]


def children_with_keys(kind: NodeKind, x: Any) -> tuple[list[tuple[Any, Any]], Any]:
    """[(key, child), ...] and data of the node `x`."""
    if kind.flatten_with_keys is not None:
        return kind.flatten_with_keys(x)
    children, data = kind.flatten(x)
    return list(zip(kind.keys(data, len(children)), children)), data


# --------------------------------------------------------------------------- nodes as text


def show(kind: NodeKind, data: Any, children: list[str]) -> str:
    """A node as `repr(treedef)` prints it, given its children's texts."""
    inside = ", ".join(children)
    if kind is NONE:
        return "None"
    if kind is LIST:
        return f"[{inside}]"
    if kind is TUPLE:
        return f"({inside},)" if len(children) == 1 else f"({inside})"
    if kind is DICT:
        return "{" + ", ".join([f"{key!r}: {child}" for key, child in zip(data, children)]) + "}"
    if kind is NAMEDTUPLE:
        return f"CustomNode(namedtuple[{data.__name__}], [{inside}])"
    return f"CustomNode({kind.type.__name__}[{data}], [{inside}])"


def describe(node: Node) -> str:
    """A node in the words of error messages."""
    kind, data, arity = node
    if kind is None:
        return "a leaf"
    if kind is NONE:
        return "None"
    if kind in (LIST, TUPLE):
        return f"a {kind.type.__name__} of length {arity}"
    if kind in (DICT, ORDERED_DICT):
        return f"a {kind.type.__name__} with keys {list(data)}"
    if kind is NAMEDTUPLE:
        return f"a named tuple {data.__name__}"
    return f"a {kind.type.__name__} with {arity} children and metadata {data}"


# --------------------------------------------------------------------------- nodes in pre-order


def end_of_subtree(nodes: tuple[Node, ...], start: int) -> int:
    """The index behind the last node of the subtree whose root is at `start`."""
    open_places = 1
    while open_places:
        open_places += nodes[start][2] - 1
        start += 1
    return start


def path_to(nodes: tuple[Node, ...], index: int) -> KeyPath:
    """The key path from the root to the node at `index`."""
    path: list[Any] = []
    at = 0
    while at < index:
        kind, data, arity = nodes[at]
        child, end = at + 1, end_of_subtree(nodes, at + 1)
        position = 0
        while end <= index:
            child, end = end, end_of_subtree(nodes, end)
            position += 1
        path.append(kind.keys(data, arity)[position])
        at = child
    return tuple(path)
