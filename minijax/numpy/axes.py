"""Arguments that have to be known when tracing: axes, lengths, counts."""

from __future__ import annotations

import operator
from typing import Any

from minijax.core import Tracer
from minijax.errors import ConcretizationTypeError
from minijax.primitives.shaping import canonical_axes

__all__ = ["axis_tuple", "canonical_axis_tuple", "require_known", "static_int"]


def require_known(value: Any, where: str) -> Any:
    """`value` itself. ConcretizationTypeError if it is traced and nobody knows it; `where` says what it is."""
    return value.concrete(ConcretizationTypeError, f"It is {where}.") if isinstance(value, Tracer) else value


def static_int(value: Any, where: str) -> int:
    """`value` as a Python int. Raises TypeError for what is no integer, ConcretizationTypeError for a tracer."""
    return operator.index(require_known(value, where))


def axis_tuple(axis: Any) -> tuple[int, ...]:
    """One axis or several as a tuple; negative ones stay as they are. TypeError for what is no integer."""
    try:
        return (operator.index(axis),)
    except TypeError:
        return tuple([operator.index(a) for a in axis])


def canonical_axis_tuple(axis: Any, rank: int) -> tuple[int, ...]:
    """Axes counted from the front; all of them for None. ValueError for one out of bounds, or named twice."""
    if axis is None:
        return tuple(range(rank))
    axes = canonical_axes(axis_tuple(axis), rank)
    if len(set(axes)) < len(axes):
        raise ValueError(f"repeated axis: {axis}. Name each axis once.")
    return axes
