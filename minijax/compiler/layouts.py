"""Pass: transposes, reshapes and broadcasts become part of the matrix products and reductions around them.

These read any order of axes equally well, and what is repeated need not be there to be added up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax.compiler.rewriting import Rewriter, rewrite
from minijax.jaxpr import Atom, ClosedJaxpr, Eqn
from minijax.primitives.arithmetic import mul_p
from minijax.primitives.dot import dot_general_p
from minijax.primitives.shaping import broadcast_in_dim_p, reshape_p, transpose_p
from minijax.primitives.sums import reduce_sum_p

__all__ = ["fold_layouts"]


def fold_layouts(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The program without transposes, reshapes and broadcasts next to `dot_general` and reductions, where they can be
    left out. The order of sums may change."""
    return rewrite(closed, _folded)


def _folded(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    if eqn.primitive is transpose_p:
        return _transposed_product(program, eqn)
    if eqn.primitive is dot_general_p:
        return _product_of_transposed(program, eqn)
    if eqn.primitive.name not in _REDUCTIONS:
        return None
    found = _reduction_of_repeated(program, eqn) or _reduction_of_everything(program, eqn)
    return found or (_sum_of_transposed(program, eqn) if eqn.primitive is reduce_sum_p else None)


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


_REDUCTIONS = ("reduce_sum", "reduce_max", "reduce_min", "reduce_and", "reduce_or")


def _reduction_of_repeated(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    """Along an axis on which all is the same the extremum is what is there, and the sum so many times as much."""
    maker = program.maker(eqn.invars[0])
    if maker is None or maker.primitive is not broadcast_in_dim_p or not maker.invars[0].aval.shape:
        return None
    x, places = maker.invars[0], maker.params["broadcast_dimensions"]
    axes, shape = eqn.params["axes"], eqn.invars[0].aval.shape
    lengths = dict(zip(places, x.aval.shape, strict=True))
    repeated = [d for d in axes if lengths.get(d, 1) != shape[d]]
    if 0 in shape or not repeated:
        return None
    kept = [d for d in range(len(shape)) if d not in axes]
    inner = tuple(i for i, d in enumerate(places) if d in axes)
    (aval,) = (v.aval for v in eqn.outvars)
    if eqn.primitive is reduce_sum_p:
        count = program.constant(np.asarray(math.prod(shape[d] for d in repeated)).astype(aval.dtype))
        x = program.emit(mul_p, [program.emit(reduce_sum_p, [x], eqn, axes=inner) if inner else x, count], eqn)
    elif inner:
        x = program.emit(eqn.primitive, [x], eqn, **{**eqn.params, "axes": inner})
    left = tuple(kept.index(d) for d in places if d not in axes)
    if x.aval.shape == aval.shape:
        return [x]
    params = {**maker.params, "shape": aval.shape, "broadcast_dimensions": left}
    return [program.emit(broadcast_in_dim_p, [x], eqn, **params)]


def _reduction_of_everything(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    """Where all axes are reduced, it does not matter what they were."""
    maker = program.maker(eqn.invars[0])
    if maker is None or maker.primitive is not reshape_p or len(eqn.params["axes"]) != eqn.invars[0].aval.ndim:
        return None
    (x,) = maker.invars
    return [program.emit(eqn.primitive, [x], eqn, **{**eqn.params, "axes": tuple(range(x.aval.ndim))})]


def _sum_of_transposed(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    maker, axes = program.maker(eqn.invars[0]), eqn.params["axes"]
    if maker is None or maker.primitive is not transpose_p:
        return None
    permutation = maker.params["permutation"]
    left = [axis for d, axis in enumerate(permutation) if d not in axes]
    if left != sorted(left):
        return None
    return [program.emit(reduce_sum_p, maker.invars, eqn, axes=tuple(sorted(permutation[d] for d in axes)))]
