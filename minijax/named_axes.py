"""Axes with names: `vmap(axis_name="i")` and `pmap` give an axis a name, collectives as `lax.psum(x, "i")` speak of it.

Two sides have to know a name. While a function is traced, shapes and lengths depend on the names that are in scope:
they stand in `config.axis_env`, which is part of every cache key. And the batch rule of whatever contains a collective
must know which axis it is batching: its first argument, the number of examples, is an `AxisSize`, an int that says so.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from minijax import config
from minijax.core import Primitive, get_aval
from minijax.errors import ConcretizationTypeError
from minijax.jaxpr import ClosedJaxpr, stage

__all__ = [
    "AxisSize",
    "axes_tuple",
    "axis_length",
    "axis_name_of",
    "collectives",
    "concerns",
    "extend_axis_env",
    "in_scope",
    "is_axis_in",
]

# The primitives that speak of named axes, and which of their parameters holds the names.
collectives: dict[Primitive, str] = {}


class AxisSize(int):
    """The number of examples along an axis that has a name.

    To most batch rules it is a number like any other; rules that batch a function hand it on, and with it the name.
    `on_devices` says that the axis is one of pmap, whose collectives can do more than those of vmap.
    """

    name: Hashable
    on_devices: bool

    def __new__(cls, size: int, name: Hashable, on_devices: bool = False) -> AxisSize:
        self = super().__new__(cls, size)
        self.name, self.on_devices = name, on_devices
        return self

    def resized(self, size: int) -> AxisSize:
        """An axis of another length, of the same name and kind."""
        return AxisSize(size, self.name, self.on_devices)


def axis_name_of(size: int) -> Any:
    """The axis's name and whether it lies on devices, None for an axis without name: what cache keys need."""
    return (size.name, size.on_devices) if type(size) is AxisSize else None


def is_axis_in(size: int, axes: Sequence[Any]) -> bool:
    """Whether the axis whose number of examples this is has one of the names."""
    return type(size) is AxisSize and size.name in axes


# ----------------------------------------------------------------- names in scope


@contextmanager
def extend_axis_env(pairs: Iterable[tuple[Hashable, int]]) -> Iterator[None]:
    """Bring axes, pairs of name and length, into scope; the innermost of one name counts."""
    token = config.axis_env.set((*config.axis_env.get(), *pairs))
    try:
        yield
    finally:
        config.axis_env.reset(token)


def in_scope(size: int) -> Any:
    """A context in which the axis's name, if it has one, is in scope."""
    return extend_axis_env([(size.name, int(size))]) if type(size) is AxisSize else nullcontext()


def axis_length(axes: Sequence[Any]) -> int:
    """The product of the lengths of named axes. Raises NameError for a name that is not in scope."""
    lengths = dict(config.axis_env.get())
    for name in axes:
        if name not in lengths:
            known = f"in scope are {list(lengths)}" if lengths else "no axis has a name here"
            raise NameError(
                f"unbound axis name: {name!r}; {known}. Collectives work inside of a function that is mapped over an "
                f"axis of this name, for example jax.vmap(fun, axis_name={name!r})."
            )
    return math.prod([lengths[name] for name in axes])


def axes_tuple(axes: Any) -> tuple[Any, ...]:
    """One name, or several, as a tuple."""
    return tuple(axes) if isinstance(axes, tuple | list) else (axes,)


# ----------------------------------------------------------------- who speaks of an axis


def concerns(size: int, prim: Primitive, args: Sequence[Any], params: dict[str, Any]) -> bool:
    """Whether an operation speaks of this axis, though no operand carries it: `axis_index`, or a call that has one."""
    if type(size) is not AxisSize:
        return False
    parameter = collectives.get(prim)
    if parameter is not None:
        return size.name in axes_tuple(params[parameter])
    if not prim.multiple_results:
        return False
    parts = [p for value in params.values() for p in (value if isinstance(value, tuple) else (value,))]
    if any(size.name in _names_in(p) for p in parts if type(p) is ClosedJaxpr):
        return True
    call = params.get("call_jaxpr")
    return callable(call) and type(call) is not ClosedJaxpr and size.name in _names_in_call(call, args)


def _names_in(closed: ClosedJaxpr) -> dict[Any, None]:
    """The names that collectives in a jaxpr speak of, however deeply nested."""
    if "axis names" not in closed.cache:
        names: dict[Any, None] = {}
        for eqn in closed.jaxpr.eqns:
            if eqn.primitive in collectives:
                names.update(dict.fromkeys(axes_tuple(eqn.params[collectives[eqn.primitive]])))
            for value in eqn.params.values():
                for p in value if isinstance(value, tuple) else (value,):
                    names.update(_names_in(p) if type(p) is ClosedJaxpr else {})
        closed.cache["axis names"] = names
    return closed.cache["axis names"]


def _names_in_call(call: Any, args: Sequence[Any]) -> dict[Any, None]:
    """The same of a function with a custom rule that is still Python. One that looks at values names no axis."""
    try:
        return _names_in(stage(call, [get_aval(x) for x in args]))
    except ConcretizationTypeError:
        return {}
