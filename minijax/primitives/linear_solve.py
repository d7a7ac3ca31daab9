"""custom_linear_solve: the solution x of A x = b, where functions say how to solve, and the derivative is implicit.

    custom_linear_solve[const_lengths jaxprs] *matvec consts *vecmat consts *solve consts *transpose_solve consts *b

`matvec` is A, `solve` gives x for b; `vecmat` and `transpose_solve` are the same for the transpose of A. Nobody
differentiates `solve`: from dA x + A dx = db follows that dx solves A dx = db - dA x, and the cotangent of b
solves the transposed equation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minijax import compiler
from minijax.batching import place_batch_axis
from minijax.core import Primitive, ShapedArray, Zero
from minijax.jaxpr import ClosedJaxpr
from minijax.jaxpr_transforms import batch_in_front, fixed_point
from minijax.jvp import jvp_flat
from minijax.primitives.arithmetic import neg
from minijax.primitives.calls import split_list
from minijax.primitives.families import add_any_p, instantiate
from minijax.primitives.standard import zero_like

linear_solve_p = Primitive("custom_linear_solve", multiple_results=True)


# The name is seen in jaxprs, and it is JAX's.
class _LinearSolveTuple(NamedTuple):
    matvec: Any
    vecmat: Any
    solve: Any
    transpose_solve: Any

    def transpose(self) -> LinearSolveParts:
        """The same for the transposed equation."""
        return LinearSolveParts(self.vecmat, self.matvec, self.transpose_solve, self.solve)


LinearSolveParts = _LinearSolveTuple


def _split(args: Sequence[Any], const_lengths: LinearSolveParts) -> tuple[LinearSolveParts, list[Any]]:
    """The operands that belong to each function, and b."""
    *consts, b = split_list(args, *const_lengths)
    return LinearSolveParts(*consts), b


def _joined(consts: LinearSolveParts) -> list[Any]:
    return [x for part in consts for x in part]


def _impl(*buffers: np.ndarray, const_lengths: LinearSolveParts, jaxprs: LinearSolveParts) -> list[np.ndarray]:
    consts, b = _split(buffers, const_lengths)
    return compiler.run(jaxprs.solve, [*consts.solve, *b])


def _shape(*avals: ShapedArray, const_lengths: LinearSolveParts, jaxprs: LinearSolveParts) -> list[ShapedArray]:
    return [*avals[sum(const_lengths) :], *jaxprs.solve.out_avals[len(jaxprs.matvec.out_avals) :]]


def _jvp(
    primals: Sequence[Any], tangents: Sequence[Any], *, const_lengths: LinearSolveParts, jaxprs: LinearSolveParts
) -> tuple[list[Any], list[Any]]:
    outs = linear_solve_p.bind(*primals, const_lengths=const_lengths, jaxprs=jaxprs)
    consts, _ = _split(primals, const_lengths)
    const_tangents, rhs = _split(tangents, const_lengths)
    x = outs[: len(rhs)]
    if any(type(t) is not Zero for t in const_tangents.matvec):
        given = [*const_tangents.matvec, *map(zero_like, x)]
        _, change = jvp_flat(jaxprs.matvec, [*consts.matvec, *x], given)
        rhs = [_difference(db, dax) for db, dax in zip(rhs, change, strict=True)]
    if all(type(t) is Zero for t in rhs):
        return outs, list(map(zero_like, outs))
    found = linear_solve_p.bind(*_joined(consts), *map(instantiate, rhs), const_lengths=const_lengths, jaxprs=jaxprs)
    return outs, [*found[: len(x)], *map(zero_like, outs[len(x) :])]


def _difference(a: Any, b: Any) -> Any:
    """a - b, where either may be a symbolic zero."""
    if type(b) is Zero:
        return a
    return neg(b) if type(a) is Zero else add_any_p.bind(a, neg(b))


def _transpose(cts: Sequence[Any], *args: Any, const_lengths: LinearSolveParts, jaxprs: LinearSolveParts) -> list[Any]:
    if jaxprs.transpose_solve is None:
        raise TypeError(
            "custom_linear_solve: transpose_solve is required for reverse-mode differentiation. Say how to solve the "
            "transposed equation, or symmetric=True if the matrix is symmetric."
        )
    consts, b = _split(args, const_lengths)
    if any(type(ct) is not Zero for ct in cts[len(b) :]):
        raise NotImplementedError("custom_linear_solve: the auxiliary results have no derivative.")
    found = linear_solve_p.bind(
        *_joined(consts.transpose()),
        *map(instantiate, cts[: len(b)]),
        const_lengths=const_lengths.transpose(),
        jaxprs=jaxprs.transpose(),
    )
    return [None] * sum(const_lengths) + found[: len(b)]


def _batch(
    axis_size: int,
    args: Sequence[Any],
    dims: Sequence[int | None],
    *,
    const_lengths: LinearSolveParts,
    jaxprs: LinearSolveParts,
) -> tuple[list[Any], list[int | None]]:
    """x and b each carry the batch axis in all four functions, or in none."""
    const_dims, b_dims = _split(dims, const_lengths)
    num_b, num_aux = len(b_dims), len(jaxprs.solve.out_avals) - len(b_dims)

    def batched(closed: ClosedJaxpr | None, own: Sequence[Any], args: Any, outs: Any) -> tuple[Any, list[bool]]:
        """One function for a batch: the jaxpr, and which of its results are batched."""
        if closed is None:
            return None, [False] * len(outs)
        return batch_in_front(closed, axis_size, [*(d is not None for d in own), *args], outs)

    def one_turn(flags: Sequence[bool]) -> Any:
        b, x, aux = split_list(flags, num_b, num_b)
        solve, solved = batched(jaxprs.solve, const_dims.solve, b, [*x, *aux])
        vecmat, from_vecmat = batched(jaxprs.vecmat, const_dims.vecmat, b, x)
        matvec, from_matvec = batched(jaxprs.matvec, const_dims.matvec, x, b)
        solve_t, from_solve_t = batched(jaxprs.transpose_solve, const_dims.transpose_solve, x, [*b, *aux])
        after = [
            *[p or q for p, q in zip(from_matvec, from_solve_t[:num_b], strict=True)],
            *[p or q for p, q in zip(from_vecmat, solved[:num_b], strict=True)],
            *[p or q for p, q in zip(solved[num_b:], from_solve_t[num_b:], strict=True)],
        ]
        return LinearSolveParts(matvec, vecmat, solve, solve_t), after

    # Auxiliary results are batched wherever there is a transposed equation: that is how JAX has it.
    start = [d is not None for d in b_dims] + [False] * num_b + [jaxprs.vecmat is not None] * num_aux
    flags, made = fixed_point(start, one_turn)
    consts, b = _split(args, const_lengths)
    moved = [
        x if d is None else place_batch_axis(x, d, 0, axis_size)
        for x, d in zip(_joined(consts), _joined(const_dims), strict=True)
    ]
    moved += [
        place_batch_axis(x, d, 0, axis_size) if now else x for x, d, now in zip(b, b_dims, flags[:num_b], strict=True)
    ]
    outs = linear_solve_p.bind(*moved, const_lengths=const_lengths, jaxprs=made)
    return outs, [0 if flag else None for flag in flags[num_b:]]


linear_solve_p.impl = _impl
linear_solve_p.shape_rule = _shape
linear_solve_p.jvp = _jvp
linear_solve_p.transpose = _transpose
linear_solve_p.batch = _batch
