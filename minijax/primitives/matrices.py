"""What primitives on matrices have in common: shapes with leading batch axes, and small pieces of their rules.

All of them work on the last axes of their operands; the axes in front are a batch, of which NumPy's kernels
do all entries together. The rules use the operators of arrays (`@`, indexing), so that their equations are
those that JAX's rules write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minijax import config, dtypes
from minijax.array import Array
from minijax.core import NOT_LINEAR, Primitive, Rule, ShapedArray
from minijax.primitives.comparison import eq, ge
from minijax.primitives.conversion import convert_element_type
from minijax.primitives.creation import broadcasted_iota, full_like
from minijax.primitives.dot import Precision, batch_matmul, dot
from minijax.primitives.families import batch_axis_in_front, check_same_dtypes
from minijax.primitives.selection import select
from minijax.primitives.shaping import broadcast, expand_dims, transpose
from minijax.primitives.standard import Shape

# The lengths of the last axes of an operand, those in front left out.
Core = tuple[int, ...]

# ----------------------------------------------------------------- the family


def matrix_primitive(
    name: str,
    impl: Rule,
    ranks: Sequence[int],
    shapes: Callable[..., Any],
    result_dtypes: Callable[..., Sequence[Any]] | None = None,
    accepts: str = "fc",
    half: bool = False,
    batches: bool = True,
) -> Primitive:
    """A primitive whose operand i is a batch of arrays of ranks[i] axes.

    shapes(*cores, **params) is the shape of the result for single arrays; if there are several results it is
    a list, and result_dtypes(dtype, **params) are theirs. Without `half`, half precision is refused at
    evaluation, as it is by JAX: LAPACK has none. Without `batches` there are no axes in front. It has no
    derivative and is not linear until told so.
    """
    prim = Primitive(name, multiple_results=result_dtypes is not None)

    def shape_rule(*avals: ShapedArray, **params: Any) -> Any:
        lead, cores = _split_shapes(name, avals, ranks)
        if lead and not batches:
            raise TypeError(f"{name} takes no batches: its inputs must have ranks {ranks}, got {len(lead)} axes more.")
        out = shapes(*cores, **params)
        _check_dtypes(name, avals, accepts)
        check_same_dtypes(name, avals)
        weak = all(aval.weak_type for aval in avals)
        if result_dtypes is None:
            return ShapedArray((*lead, *out), avals[0].dtype, weak)
        kinds = result_dtypes(avals[0].dtype, **params)
        return [ShapedArray((*lead, *core), dtype, weak) for core, dtype in zip(out, kinds, strict=True)]

    prim.shape_rule = shape_rule
    prim.impl = impl if half else _without_half(name, impl)
    prim.transpose = NOT_LINEAR
    prim.batch = lambda size, args, dims, **params: (_batch if batches else _no_batch)(prim, size, args, dims, params)
    return prim


def _check_dtypes(name: str, avals: Sequence[ShapedArray], accepts: str) -> None:
    for position, aval in enumerate(avals):
        if dtypes.kind(aval.dtype) not in accepts:
            raise TypeError(
                f"{name} does not accept dtype {aval.dtype.name} at position {position} (an operand of shape "
                f"{aval.shape}): it computes in floating point. Convert it first, for example with "
                "x.astype('float32')."
            )


def _split_shapes(name: str, avals: Sequence[ShapedArray], ranks: Sequence[int]) -> tuple[Shape, list[Core]]:
    """The batch axes that the operands share, and the lengths of the axes behind them."""
    for position, (aval, rank) in enumerate(zip(avals, ranks, strict=True)):
        if aval.ndim < rank:
            raise TypeError(f"Input {position} to {name} must have rank at least {rank}, but got shape={aval.shape}.")
    leads = [aval.shape[: aval.ndim - rank] for aval, rank in zip(avals, ranks)]
    if any(lead != leads[0] for lead in leads):
        raise TypeError(
            f"All inputs to {name} must have the same batch dimensions, but got {leads} in shapes "
            f"{[aval.shape for aval in avals]}. Broadcast them first."
        )
    return leads[0], [aval.shape[len(leads[0]) :] for aval in avals]


def _without_half(name: str, impl: Rule) -> Rule:
    def checked(*operands: np.ndarray, **params: Any) -> Any:
        dtype = operands[0].dtype
        if dtype.char not in "fdFD":
            raise NotImplementedError(
                f"{name}: unsupported dtype {dtype.name}. Convert with x.astype('float32') first."
            )
        return impl(*operands, **params)

    return checked


def _batch(prim: Primitive, size: int, args: Any, dims: Any, params: dict[str, Any]) -> Any:
    """All operands get the new batch axis in front."""
    out = prim.bind(*[batch_axis_in_front(x, d, size) for x, d in zip(args, dims, strict=True)], **params)
    return (out, [0] * len(out)) if prim.multiple_results else (out, 0)


def _no_batch(prim: Primitive, size: int, args: Any, dims: Any, params: dict[str, Any]) -> Any:
    raise NotImplementedError(
        f"Batching rule for '{prim.name}' not implemented, as in JAX. Call it for one array at a time."
    )


def same_dtype(count: int) -> Callable[..., list[Any]]:
    """The rule of dtypes for `count` results of the operand's dtype."""
    return lambda dtype, **params: [dtype] * count


def real_dtype(dtype: np.dtype) -> np.dtype:
    """The dtype of the real and imaginary parts; of real numbers the same."""
    return np.dtype(dtype.char.lower()) if dtype.kind == "c" else dtype


def complex_dtype(dtype: np.dtype) -> np.dtype:
    """The complex dtype of the same precision."""
    return np.dtype(np.complex128 if dtype.itemsize // (1 + (dtype.kind == "c")) == 8 else np.complex64)


def square_only(name: str, core: Core) -> None:
    """Raise ValueError unless the matrices are square."""
    if core[0] != core[1]:
        raise ValueError(f"The input to {name} must be a square matrix. Got shape {core} in the last two axes.")


# ----------------------------------------------------------------- pieces of rules


def matrix_transpose(x: Any) -> Array:
    """The matrices transposed."""
    rank = np.ndim(x)
    return transpose(x, (*range(rank - 2), rank - 1, rank - 2))


def conjugate(x: Any) -> Any:
    """The complex conjugate; of real numbers nothing needs to be computed."""
    return x.conj() if dtypes.kind(x.dtype) == "c" else x


def adjoint(x: Any) -> Array:
    """The matrices transposed and conjugated."""
    return conjugate(matrix_transpose(x))


def symmetrize(x: Any) -> Array:
    """(x + adjoint(x)) / 2."""
    return (x + adjoint(x)) / 2


def _below(shape: Shape, k: int) -> Array:
    """Whether an element stands on or below the k-th diagonal."""
    integer = dtypes.default_int_dtype()
    row = broadcasted_iota(integer, shape, 0) + integer.type(k)
    return ge(row, broadcasted_iota(integer, shape, 1))


def tril(x: Any, k: int = 0) -> Array:
    """The matrices with zeros above the k-th diagonal."""
    mask = broadcast(_below(x.shape[-2:], k), x.shape[:-2])
    return select(mask, x, full_like(x, 0))


def triu(x: Any, k: int = 0) -> Array:
    """The matrices with zeros below the k-th diagonal."""
    mask = broadcast(_below(x.shape[-2:], k - 1), x.shape[:-2])
    return select(mask, full_like(x, 0), x)


def identity(dtype: Any, rows: int, columns: int | None = None) -> Array:
    """Ones on the diagonal, zeros elsewhere."""
    shape = rows, rows if columns is None else columns
    row = broadcasted_iota(np.int32, shape, 0) + np.int32(0)
    return convert_element_type(eq(row, broadcasted_iota(np.int32, shape, 1)), dtype)


def with_batch_axes(x: Any, rank: int) -> Any:
    """`x` with axes of length 1 in front, up to the given rank."""
    return expand_dims(x, range(rank - np.ndim(x)))


def exact_product(rank: int) -> Callable[..., Any]:
    """The product of matrices, or of batches of them if `rank` is more than 2, in full precision."""
    product = dot if rank == 2 else batch_matmul
    return lambda x, y: product(x, y, precision=Precision.HIGHEST)


def diagonal_of(x: Any) -> Array:
    """The diagonals of the matrices."""
    i = broadcasted_iota(np.int32, (min(x.shape[-2:]),), 0)
    return x[..., i, i]


def stretched(operation: Callable[..., Any]) -> Callable[..., Any]:
    """The operation, with operands of different ranks allowed whatever the user asked for in his own code."""

    def allowed(*args: Any) -> Any:
        with config.numpy_rank_promotion("allow"):
            return operation(*args)

    return allowed


# ----------------------------------------------------------------- pieces of kernels


def flatten_batch(x: np.ndarray, rank: int = 2) -> np.ndarray:
    """`x` with all batch axes made one."""
    lead, core = x.shape[: x.ndim - rank], x.shape[x.ndim - rank :]
    size = int(np.prod(lead, dtype=np.int64))
    return x.reshape(size, *core)


def transposed(x: np.ndarray) -> np.ndarray:
    """A view of the matrices transposed."""
    return x.swapaxes(-1, -2)


def nan_where_it_fails(kernel: Callable[[np.ndarray], Sequence[np.ndarray]], x: np.ndarray) -> list[np.ndarray]:
    """kernel(x), a list of arrays; NaN throughout for the matrices of a batch with which it fails.

    NumPy raises LinAlgError when one matrix of a batch has no decomposition, or none was found. XLA never
    raises, and the others have their results.
    """
    try:
        return [*kernel(x)]
    except np.linalg.LinAlgError:
        pass
    empty = kernel(np.zeros((0, *x.shape[-2:]), x.dtype))
    outs = [np.full((*x.shape[:-2], *e.shape[1:]), np.nan, e.dtype) for e in empty]
    for place in np.ndindex(*x.shape[:-2]):
        try:
            found = kernel(x[place])
        except np.linalg.LinAlgError:
            continue
        for out, value in zip(outs, found, strict=True):
            out[place] = value
    return outs
