"""Making classes nodes of pytrees, by the registration functions of `jax.tree_util`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

from minijax.key_paths import GetAttrKey
from minijax.pytree import tree_flatten, tree_flatten_with_path
from minijax.tree_nodes import NodeKind, children_with_keys, is_node_type, kind_of, register_kind

__all__ = [
    "Partial",
    "default_registry",
    "flatten_one_level",
    "flatten_one_level_with_keys",
    "is_tree_node",
    "register_dataclass",
    "register_pytree_node",
    "register_pytree_node_class",
    "register_pytree_with_keys",
    "register_pytree_with_keys_class",
    "register_static",
]

# --------------------------------------------------------------------------- classes with functions


def register_pytree_node(
    nodetype: type,
    flatten_func: Callable[[Any], tuple[Iterable[Any], Hashable]],
    unflatten_func: Callable[[Any, Any], Any],
    flatten_with_keys_func: Callable[[Any], tuple[Iterable[Any], Hashable]] | None = None,
) -> None:
    """Make a class a node: flatten_func(x) is (children, aux_data), unflatten_func(aux_data, children) is x.

    aux_data must be comparable, and hashable for jit. The instances that `unflatten_func` builds may hold
    tracers or placeholders for children, so it should not check or convert them. ValueError when the class
    is registered already.
    """
    for function in (flatten_func, unflatten_func):
        if not callable(function):
            raise TypeError(f"register_pytree_node({nodetype}): {function!r} is not a function")
    with_keys = flatten_with_keys_func
    register_kind(
        NodeKind(
            nodetype,
            _checked(flatten_func, nodetype),
            lambda data, children: unflatten_func(data, tuple(children)),
            flatten_with_keys=with_keys and _checked(with_keys, nodetype, pairs=True),
        )
    )


def register_pytree_with_keys(
    nodetype: type,
    flatten_with_keys: Callable[[Any], tuple[Iterable[Any], Hashable]],
    unflatten_func: Callable[[Any, Any], Any],
    flatten_func: Callable[[Any], tuple[Iterable[Any], Hashable]] | None = None,
) -> None:
    """Make a class a node with named children: flatten_with_keys(x) is (((key, child), ...), aux_data)."""

    def without_keys(x: Any) -> tuple[list[Any], Any]:
        pairs, data = flatten_with_keys(x)
        return [child for _, child in pairs], data

    register_pytree_node(nodetype, flatten_func or without_keys, unflatten_func, flatten_with_keys)


def _checked(flatten: Callable, nodetype: type, pairs: bool = False) -> Callable:
    """The user's function, with a clear error for a result of the wrong form."""
    wanted = "(((key, child), ...), aux_data)" if pairs else "(children, aux_data)"

    def flatten_node(x: Any) -> tuple[tuple, Any]:
        result = flatten(x)
        try:
            children, data = result
            children = tuple(children)
        except (TypeError, ValueError):
            children, data = None, None
        if children is None or pairs and not all(isinstance(p, tuple) and len(p) == 2 for p in children):
            raise ValueError(
                f"The function that takes the pytree node {nodetype.__name__} apart has to return {wanted},"
                f" it returned {result!r}"
            )
        return children, data

    return flatten_node


# --------------------------------------------------------------------------- classes with methods


def register_pytree_node_class(cls: type) -> type:
    """Class decorator: the methods tree_flatten(self) and classmethod tree_unflatten(aux_data, children)."""
    register_pytree_node(cls, lambda x: x.tree_flatten(), cls.tree_unflatten)
    return cls


def register_pytree_with_keys_class(cls: type) -> type:
    """Class decorator: the methods tree_flatten_with_keys, tree_unflatten and, optionally, tree_flatten."""
    flatten = (lambda x: x.tree_flatten()) if hasattr(cls, "tree_flatten") else None
    register_pytree_with_keys(cls, lambda x: x.tree_flatten_with_keys(), cls.tree_unflatten, flatten)
    return cls


def register_static(cls: type) -> type:
    """Class decorator: instances are structure, without leaves; they have to be hashable."""
    register_pytree_node(cls, lambda x: ((), x), lambda x, children: x)
    return cls


# --------------------------------------------------------------------------- dataclasses


def register_dataclass(
    nodetype: type,
    data_fields: Sequence[str] | None = None,
    meta_fields: Sequence[str] | None = None,
    drop_fields: Sequence[str] = (),
) -> type:
    """Class decorator: `data_fields` are the children, `meta_fields` belong to the structure.

    For a dataclass both can be left out: fields with metadata {"static": True} (`jax.tree.static()`) are
    then the meta fields. Rebuilding calls the class with all of them by keyword. TypeError or ValueError
    if the fields do not fit the class.
    """
    data_fields, meta_fields = _fields_of(nodetype, data_fields, meta_fields)
    _check_fields(nodetype, data_fields, meta_fields, drop_fields)

    def flatten(x: Any) -> tuple[list[Any], tuple]:
        return [getattr(x, f) for f in data_fields], tuple([getattr(x, f) for f in meta_fields])

    def unflatten(meta: tuple, data: list[Any]) -> Any:
        return nodetype(**dict(zip(meta_fields, meta)), **dict(zip(data_fields, data)))

    keys = [GetAttrKey(f) for f in data_fields]
    register_kind(NodeKind(nodetype, flatten, unflatten, lambda data, arity: keys))
    return nodetype


def _dataclass_fields(nodetype: type) -> tuple | None:
    """The fields of a dataclass; None for any other class."""
    import dataclasses  # costs more than all of this module, and only those who use one need it

    return dataclasses.fields(nodetype) if dataclasses.is_dataclass(nodetype) else None


def _fields_of(
    nodetype: type, data_fields: Sequence[str] | None, meta_fields: Sequence[str] | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if data_fields is not None and meta_fields is not None:
        return tuple(data_fields), tuple(meta_fields)
    if data_fields is not None or meta_fields is not None:
        raise TypeError(
            f"register_dataclass({nodetype}): only one of data_fields={data_fields} and"
            f" meta_fields={meta_fields} was given. Give both, or neither for a dataclass"
        )
    fields = _dataclass_fields(nodetype)
    if fields is None:
        raise TypeError(
            f"register_dataclass: {nodetype} is not a dataclass. Decorate it with @dataclasses.dataclass"
            " first, or give data_fields and meta_fields"
        )
    static = {f.name: f.metadata.get("static", False) for f in fields}
    return tuple([f for f in static if not static[f]]), tuple([f for f in static if static[f]])


def _check_fields(nodetype: type, data: tuple[str, ...], meta: tuple[str, ...], drop: Sequence[str]) -> None:
    given = (*data, *meta)
    fields = _dataclass_fields(nodetype)
    wanted = given if fields is None else [f.name for f in fields if f.init and f.name not in drop]
    missing = [name for name in wanted if name not in given]
    surplus = [name for name in given if name not in wanted]
    if missing or surplus:
        raise ValueError(
            f"register_dataclass({nodetype.__name__}): data_fields and meta_fields have to be the fields that"
            f" its __init__ takes; missing {missing}, surplus {surplus}. drop_fields names those to leave out"
        )
    twice = [name for name in data if name in meta]
    if twice:
        raise ValueError(f"register_dataclass({nodetype.__name__}): {twice} cannot be both data_fields and meta_fields")


# --------------------------------------------------------------------------- Partial


class Partial(functools.partial):
    """`functools.partial` as a pytree: the bound arguments are its children, the function its structure."""

    def __new__(cls, func: Callable, *args: Any, **kw: Any) -> Partial:
        # functools.partial takes the arguments of an inner partial over into the outer one, where
        # they would become children too. The cover keeps the inner one whole.
        if isinstance(func, functools.partial):
            func = _Covered(func)
        return super().__new__(cls, func, *args, **kw)


class _Covered:
    """A callable equal to the one it covers."""

    def __init__(self, function: Callable):
        self.function = function

    def __call__(self, *args: Any, **kw: Any) -> Any:
        return self.function(*args, **kw)

    def __eq__(self, other: object) -> bool:
        return self.function == (other.function if isinstance(other, _Covered) else other)

    def __hash__(self) -> int:
        return hash(self.function)

    def __repr__(self) -> str:
        return repr(self.function)


register_pytree_node(
    Partial,
    lambda partial: ((partial.args, partial.keywords), partial.func),
    lambda function, children: Partial(function, *children[0], **children[1]),
)

# --------------------------------------------------------------------------- one level


def is_tree_node(typ: type) -> bool:
    """Whether instances of this type are nodes rather than leaves."""
    return is_node_type(typ)


def flatten_one_level(tree: Any) -> tuple[Iterable[Any], Hashable]:
    """(children, aux_data) of the root. ValueError for a leaf."""
    return _node_kind(tree).flatten(tree)


def flatten_one_level_with_keys(tree: Any) -> tuple[Iterable[tuple[Any, Any]], Hashable]:
    """(((key, child), ...), aux_data) of the root. ValueError for a leaf."""
    return children_with_keys(_node_kind(tree), tree)


def _node_kind(tree: Any) -> NodeKind:
    kind = kind_of(tree)
    if kind is None:
        raise ValueError(
            f"A value of type {type(tree)} is a leaf and cannot be flattened. Register its class first, for"
            " example with jax.tree_util.register_pytree_node"
        )
    return kind


class PyTreeRegistry:
    """The registered classes, with the methods that libraries call on JAX's `default_registry`."""

    flatten = staticmethod(tree_flatten)
    flatten_with_path = staticmethod(tree_flatten_with_path)
    register_node = staticmethod(register_pytree_node)
    is_node = staticmethod(is_node_type)

    def flatten_one_level(self, tree: Any) -> tuple[Iterable[Any], Hashable] | None:
        """(children, aux_data) of the root; None for a leaf."""
        return None if kind_of(tree) is None else flatten_one_level(tree)

    def flatten_one_level_with_keys(self, tree: Any) -> tuple[Iterable[Any], Hashable] | None:
        """(((key, child), ...), aux_data) of the root; None for a leaf."""
        return None if kind_of(tree) is None else flatten_one_level_with_keys(tree)


default_registry = PyTreeRegistry()
