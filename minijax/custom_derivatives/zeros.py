"""Zeros and marks that rules with `symbolic_zeros=True` get to see."""

from __future__ import annotations

from typing import Any

from minijax.core import ShapedArray, Zero, get_aval
from minijax.primitives.families import zeros as zeros_of_aval
from minijax.tree_util import tree_map


class SymbolicZero:
    """A tangent or cotangent that is zero. It has a shape and a dtype, and no values to compute with."""

    def __init__(self, aval: ShapedArray):
        self.aval = aval
        self.shape, self.dtype, self.weak_type = aval.shape, aval.dtype, aval.weak_type
        self.ndim, self.size = aval.ndim, aval.size

    def __repr__(self) -> str:
        return f"SymbolicZero({self.aval!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SymbolicZero) and self.aval == other.aval

    def __hash__(self) -> int:
        return hash((SymbolicZero, self.aval))


class CustomVJPPrimal:
    """An argument as fwd gets it: the value, and whether it is perturbed, that is, differentiated."""

    __slots__ = ("value", "perturbed")

    def __init__(self, value: Any, perturbed: bool):
        self.value, self.perturbed = value, perturbed

    def __repr__(self) -> str:
        return f"CustomVJPPrimal(value={self.value!r}, perturbed={self.perturbed})"


def custom_vjp_primal_tree_values(tree: Any) -> Any:
    """The values in a tree of `CustomVJPPrimal`s. Raises TypeError for other leaves."""

    def value(leaf: Any) -> Any:
        if not isinstance(leaf, CustomVJPPrimal):
            raise TypeError(f"custom_vjp_primal_tree_values: a leaf is {leaf!r}, not what fwd gets by symbolic_zeros.")
        return leaf.value

    return tree_map(value, tree)


def zero_from_primal(val: Any, symbolic_zeros: bool = False) -> Any:
    """The zero tangent of `val`, as an array or symbolically."""
    aval = get_aval(val).to_tangent_aval()
    return SymbolicZero(aval) if symbolic_zeros else zeros_of_aval(aval)


def visible_zero(t: Any) -> Any:
    """A tangent as a rule sees it."""
    return SymbolicZero(t.aval) if type(t) is Zero else t


def hidden_zero(t: Any) -> Any:
    """A tangent that a rule has returned, as the engine sees it."""
    return Zero(t.aval) if isinstance(t, SymbolicZero) else t
