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
    if _is_outer(x.aval.shape, y.aval.shape, eqn.params["dimension_numbers"]):
        return _outer(emitter, eqn)
    x_plan, y_plan, *_ = matmul_plan(x.aval.shape, y.aval.shape, eqn.params["dimension_numbers"])
    text = f"np.matmul({_matrices(emitter, x, *x_plan)}, {_matrices(emitter, y, *y_plan)})"
    if _product_shape(x_plan, y_plan) == v.aval.shape:
        emitter.into(v, text)
    else:
        emitter.own(v, f"{text}.reshape({v.aval.shape})", ordered=True)
    return True


def _is_outer(x: Sequence[int], y: Sequence[int], numbers: Any) -> bool:
    """Whether nothing is summed up, and the operands are stacks of several."""
    (xc, yc), (xb, _) = numbers
    return all(x[d] == 1 for d in xc) and len(xb) > 0


def _outer(emitter: Any, eqn: Eqn) -> bool:
    """Products of all pairs, by broadcasting."""
    (x, y), (v,), ((xc, yc), (xb, yb)) = eqn.invars, eqn.outvars, eqn.params["dimension_numbers"]
    x_free = [d for d in range(x.aval.ndim) if d not in (*xc, *xb)]
    y_free = [d for d in range(y.aval.ndim) if d not in (*yc, *yb)]
    batch = [x.aval.shape[d] for d in xb]
    left = (*batch, *(x.aval.shape[d] for d in x_free), *(1 for _ in y_free))
    right = (*batch, *(1 for _ in x_free), *(y.aval.shape[d] for d in y_free))
    texts = []
    for a, axes, shape in ((x, (*xb, *x_free, *xc), left), (y, (*yb, *y_free, *yc), right)):
        ordered = "" if axes == tuple(range(a.aval.ndim)) else f".transpose({axes})"
        texts.append(f"{emitter.whole(a)}{ordered}.reshape({shape})")
    emitter.into(v, f"np.multiply({', '.join(texts)})")
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
    if v in emitter.unchanging:  # once, before the loop, in the order in which BLAS is quickest
        name = emitter.names.temporary("matrices")
        emitter.preamble.append(f"{name} = np.ascontiguousarray({text}{'.mT' if swap else ''})")
        return name
    buffer = emitter.narrow(v).buffer
    if buffer is None or text != buffer.text or not buffer.ordered:
        emitter.names.table["for_blas"] = for_blas  # it may be of any layout
        text = f"for_blas({text})"
    return f"{text}.mT" if swap else text


PRODUCTS = {"dot_general": _dot_general}
