"""The functions that `linearize` and `vjp` return: a recorded linear program, run forwards or backwards.

Both are pytrees whose leaves are the residuals, so that they can be returned from jitted
functions, mapped over, and saved.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.core import ShapedArray, Zero, as_operand, get_aval
from minijax.jaxpr import Jaxpr, Literal, eval_jaxpr
from minijax.linearize import close_program, residuals_of, without_dead_equations
from minijax.primitives.families import instantiate
from minijax.primitives.shaping import as_value, broadcast_in_dim
from minijax.source_info import in_transformation
from minijax.tracebacks import api_boundary
from minijax.transpose import backward_pass
from minijax.tree_util import register_pytree_node, tree_flatten, tree_unflatten


class _LinearFunction:
    """A linear program with the trees and avals of what goes in and comes out.

    `used_in` and `used_out` say which leaves the program knows; derivatives along the others are zero.
    """

    def __init__(
        self,
        program: Jaxpr,
        in_tree: Any,
        in_avals: Sequence[ShapedArray],
        used_in: Sequence[bool],
        out_tree: Any,
        out_avals: Sequence[ShapedArray],
        used_out: Sequence[bool],
    ):
        self.program = program
        self.in_tree, self.in_avals, self.used_in = in_tree, in_avals, used_in
        self.out_tree, self.out_avals, self.used_out = out_tree, out_avals, used_out

    @property
    def jaxpr(self) -> Jaxpr:
        """The linear program, its residuals as leading arguments: for looking at."""
        return close_program(self.program, residuals_of(self.program)).jaxpr

    def _flatten(self) -> tuple[list[Any], Any]:
        residuals = residuals_of(self.program)
        rest = (self.in_tree, self.in_avals, self.used_in, self.out_tree, self.out_avals, self.used_out)
        return residuals, (close_program(self.program, residuals), rest)

    @classmethod
    def _unflatten(cls, aux: Any, residuals: Sequence[Any]) -> Any:
        closed, rest = aux
        values = dict(zip(closed.jaxpr.invars, (Literal(r) for r in residuals), strict=False))
        eqns = [eqn.replace(invars=[values.get(v, v) for v in eqn.invars]) for eqn in closed.eqns]
        invars = closed.jaxpr.invars[len(residuals) :]
        return cls(Jaxpr([], invars, eqns, [values.get(v, v) for v in closed.jaxpr.outvars]), *rest)


class LinearizedFunction(_LinearFunction):
    """f_jvp of `linearize`: tangents of the arguments to the tangent of the result."""

    def __init__(self, program: Jaxpr, *trees_and_avals: Any):
        super().__init__(without_dead_equations(program), *trees_and_avals)

    @api_boundary
    def __call__(self, *tangents: Any) -> Any:
        leaves, tree = tree_flatten(tangents)
        if tree != self.in_tree:
            raise TypeError(
                f"the linearized function expected {self.in_tree}, got {tree}: give one tangent for each "
                "primal, "
                "in the structure of the arguments that were passed to jax.linearize."
            )
        for t, aval in zip(leaves, self.in_avals, strict=True):
            got, want = get_aval(t), aval.to_tangent_aval()
            if (got.shape, got.dtype) != (want.shape, want.dtype):
                raise ValueError(
                    "linearized function called on tangent values inconsistent with the original primal "
                    "values: "
                    f"got tangent aval {got.str_short()} for primal aval {aval.str_short()}, expected "
                    f"{want.str_short()}. "
                    "Convert the tangent, for example with jnp.asarray(t, x.dtype).reshape(x.shape)."
                )
        given = [as_value(t) for t, used in zip(leaves, self.used_in, strict=True) if used]
        results = iter(eval_jaxpr(self.program, [], *given))
        outs = [
            next(results) if u else instantiate(Zero(a)) for a, u in zip(self.out_avals, self.used_out, strict=True)
        ]
        return tree_unflatten(self.out_tree, outs)


class VJPFunction(_LinearFunction):
    """f_vjp of `vjp`: the cotangent of the result to a tuple of cotangents of the arguments."""

    @api_boundary
    def __call__(self, ct: Any) -> Any:
        leaves, tree = tree_flatten(ct)
        if tree != self.out_tree:
            raise ValueError(
                "unexpected tree structure: the argument to a VJP function returned by jax.vjp must match "
                "the pytree "
                f"structure of the function's result, {self.out_tree}, but it has {tree}. "
                "Give one cotangent for each array that the function returned."
            )
        for x, want in zip(leaves, self.out_avals, strict=True):
            got = get_aval(x)
            if (got.shape, got.dtype) != (want.shape, want.dtype):
                raise ValueError(
                    f"unexpected JAX type (e.g. shape/dtype) for argument to VJP function: got {got}, but "
                    f"expected {want}, "
                    "the type of the function's result. Convert it, for example with ct.astype(y.dtype)."
                )
        return tree_unflatten(self.in_tree, self.pull([as_operand(x) for x in leaves]))

    def pull(self, cotangents: Sequence[Any]) -> list[Any]:
        """Cotangents of all argument leaves for those of all result leaves, without checks."""
        given = [ct for ct, used in zip(cotangents, self.used_out, strict=True) if used]
        found = iter(in_transformation("transpose", backward_pass)(self.program, given))
        return [
            # The 1 that `grad` starts from is a number, and comes back if the function is linear.
            as_value(instantiate(next(found))) if used else zero_cotangent(aval)
            for aval, used in zip(self.in_avals, self.used_in, strict=True)
        ]


def zero_cotangent(aval: ShapedArray) -> Any:
    """Zeros in the cotangent space of an aval: a float0 NumPy array for integers, as in JAX."""
    tangent = aval.to_tangent_aval()
    return np.zeros(aval.shape, dtypes.float0) if tangent.dtype == dtypes.float0 else instantiate(Zero(tangent))


def in_jacobian(derivative: Any, x: Any) -> Any:
    """A tangent or cotangent of `x` as an entry of a Jacobian: for integers it is a zero of their own dtype."""
    aval = get_aval(x)
    if dtypes.is_inexact(aval.dtype):
        return instantiate(derivative)
    if aval.dtype is dtypes.key_fry:
        raise NotImplementedError("Random keys have no Jacobian: no key is zero. Return them as aux, by has_aux=True.")
    zero = dtypes.scalar_type_of(aval)(0) if aval.weak_type else np.zeros((), aval.dtype)[()]
    return broadcast_in_dim(zero, aval.shape, ())


for _cls in (LinearizedFunction, VJPFunction):
    register_pytree_node(_cls, _cls._flatten, _cls._unflatten)
