"""Pass: transposes become part of the matrix products and sums around them, which read any order equally well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minijax.compiler.rewriting import Rewriter, rewrite
from minijax.jaxpr import Atom, ClosedJaxpr, Eqn
from minijax.primitives.dot import dot_general_p
from minijax.primitives.shaping import transpose_p
from minijax.primitives.sums import reduce_sum_p

__all__ = ["fold_layouts"]


def fold_layouts(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The program without transposes next to `dot_general` and `reduce_sum`, where these can do without."""
    return rewrite(closed, _folded)


def _folded(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    if eqn.primitive is transpose_p:
        return _transposed_product(program, eqn)
    if eqn.primitive is dot_general_p:
        return _product_of_transposed(program, eqn)
    return _sum_of_transposed(program, eqn) if eqn.primitive is reduce_sum_p else None


def _transposed_product(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    """transpose(x @ y) is the product of the operands in the other order, if just these change places."""
    product = program.maker(eqn.invars[0])
    if product is None or product.primitive is not dot_general_p:
        return None
    (x, y), ((xc, yc), (xb, yb)) = product.invars, product.params["dimension_numbers"]
    batch, rows = len(xb), x.aval.ndim - len(xb) - len(xc)
    rank = len(eqn.params["permutation"])
    exchanged = (*range(batch), *range(batch + rows, rank), *range(batch, batch + rows))
    if tuple(eqn.params["permutation"]) != exchanged:
        return None
    return [program.emit(dot_general_p, [y, x], eqn, **{**product.params, "dimension_numbers": ((yc, xc), (yb, xb))})]


def _product_of_transposed(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    """A product of transposed operands contracts other axes of the operands themselves."""
    (xc, yc), (xb, yb) = eqn.params["dimension_numbers"]
    (x, xc, xb), (y, yc, yb) = (
        _without_transpose(program, v, contracted, batch)
        for v, contracted, batch in zip(eqn.invars, (xc, yc), (xb, yb), strict=True)
    )
    if [x, y] == eqn.invars:
        return None
    return [program.emit(dot_general_p, [x, y], eqn, **{**eqn.params, "dimension_numbers": ((xc, yc), (xb, yb))})]


def _without_transpose(program: Rewriter, v: Atom, contracted: Any, batch: Any) -> tuple[Atom, Any, Any]:
    maker = program.maker(v)
    if maker is None or maker.primitive is not transpose_p:
        return v, contracted, batch
    permutation = maker.params["permutation"]
    free = [permutation[d] for d in range(len(permutation)) if d not in contracted and d not in batch]
    if free != sorted(free):  # the result's axes would come in another order
        return v, contracted, batch
    return maker.invars[0], tuple(permutation[d] for d in contracted), tuple(permutation[d] for d in batch)


def _sum_of_transposed(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    maker, axes = program.maker(eqn.invars[0]), eqn.params["axes"]
    if maker is None or maker.primitive is not transpose_p:
        return None
    permutation = maker.params["permutation"]
    left = [axis for d, axis in enumerate(permutation) if d not in axes]
    if left != sorted(left):
        return None
    return [program.emit(reduce_sum_p, maker.invars, eqn, axes=tuple(sorted(permutation[d] for d in axes)))]
