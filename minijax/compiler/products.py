"""How products of matrices are written: np.matmul of views that BLAS reads as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minijax.jaxpr import Atom, Eqn, Var
from minijax.primitives.dot import for_blas, matmul_plan

__all__ = ["PRODUCTS"]


def _dot_general(emitter: Any, eqn: Eqn, dead: Sequence[Var]) -> bool:
    """The contraction as one product of stacks of matrices; of floats, in their own dtype."""
    (x, y), (v,) = eqn.invars, eqn.outvars
    kinds = {a.aval.dtype for a in (x, y, v)}
    if len(kinds) > 1 or kinds.pop().name not in ("float32", "float64"):
        return False
    x_plan, y_plan, *_ = matmul_plan(x.aval.shape, y.aval.shape, eqn.params["dimension_numbers"])
    text = f"np.matmul({_matrices(emitter, x, *x_plan)}, {_matrices(emitter, y, *y_plan)})"
    if _product_shape(x_plan, y_plan) == v.aval.shape:
        emitter.into(v, text)
    else:
        emitter.own(v, f"{text}.reshape({v.aval.shape})", ordered=True)
    return True


def _product_shape(x_plan: Any, y_plan: Any) -> tuple[int, ...]:
    """The shape that np.matmul gives."""
    (_, x_shape, x_swap), (_, y_shape, y_swap) = x_plan, y_plan
    return (*x_shape[:-2], x_shape[-1 if x_swap else -2], y_shape[-2 if y_swap else -1])


def _matrices(emitter: Any, v: Atom, axes: Sequence[int], shape: tuple[int, ...], swap: bool) -> str:
    """An operand as a stack of matrices."""
    text = emitter.whole(v)
    if tuple(axes) != tuple(range(len(axes))):
        text += f".transpose({tuple(axes)})"
    if shape != tuple(v.aval.shape[d] for d in axes):
        text += f".reshape({shape})"
    buffer = emitter.narrow(v).buffer
    if buffer is None or text != buffer.text or not buffer.ordered:
        emitter.names.table["for_blas"] = for_blas  # it may be of any layout
        text = f"for_blas({text})"
    return f"{text}.mT" if swap else text


PRODUCTS = {"dot_general": _dot_general}
