"""Linear algebra that needs no decomposition: norms, products, traces (the module `jax.numpy.linalg`)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.numpy import contractions, diagonals
from minijax.numpy.arithmetic import absolute, power
from minijax.numpy.axes import axis_tuple
from minijax.numpy.einsum import einsum
from minijax.numpy.exponential import sqrt
from minijax.numpy.manipulation import matrix_transpose as _matrix_transpose
from minijax.numpy.promotion import as_arrays, ensure_arraylike, like, promote_dtypes_inexact
from minijax.numpy.reductions import amax, amin
from minijax.numpy.reductions import sum as sum_of
from minijax.primitives.shaping import canonical_axes

__all__ = [
    "cross",
    "diagonal",
    "matmul",
    "matrix_norm",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]

# ----------------------------------------------------------------- norms


def norm(x: Any, ord: int | float | str | None = None, axis: Any = None, keepdims: bool = False) -> Array:
    """The norm of the vectors along one axis, or of the matrices in two; of all elements without an axis.

    ord: for vectors see `vector_norm`; for matrices 'fro' (None), 1, -1, inf, -inf. The orders 2, -2 and
    'nuc' of matrices need singular values, which are not there yet.
    """
    (x,) = promote_dtypes_inexact(ensure_arraylike("norm", x))
    if axis is None:
        if ord is None:
            return sqrt(sum_of(x * x, keepdims=keepdims))
        axes = tuple(range(x.ndim))
    else:
        axes = canonical_axes(axis_tuple(axis), x.ndim)
    if len(axes) == 1:
        return vector_norm(x, ord=2 if ord is None else ord, axis=axes, keepdims=keepdims)
    if len(axes) != 2:
        raise ValueError(
            f"Improper number of axes for norm: axis={axes} of shape {x.shape}. Pass one axis to compute a "
            "vector-norm, "
            "or two axes to compute a matrix-norm."
        )
    return _matrix_norm(x, ord, axes, keepdims)


def _matrix_norm(x: Array, ord: Any, axes: tuple[int, int], keepdims: bool) -> Array:
    if ord is None or ord in ("f", "fro"):
        return sqrt(sum_of(x * x, axis=axes, keepdims=keepdims))
    if ord in (2, -2, "nuc"):
        raise NotImplementedError(
            f"jnp.linalg.norm: ord={ord!r} of a matrix needs its singular values, which minijax cannot compute yet. "
            "Use ord='fro', 1, -1, inf or -inf."
        )
    if ord not in (1, -1, np.inf, -np.inf):
        raise ValueError(f"Invalid order {ord!r} for matrix norm: it must be 'fro', 'nuc', 1, -1, 2, -2, inf or -inf.")
    # The largest or smallest sum over a column (1, -1) or a row (inf, -inf).
    summed, other = axes if abs(ord) == 1 else axes[::-1]
    if not keepdims and other > summed:
        other -= 1
    sums = sum_of(absolute(x), axis=summed, keepdims=keepdims)
    if ord > 0:
        return amax(sums, axis=other, keepdims=keepdims, initial=0)
    return amin(sums, axis=other, keepdims=keepdims)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: str | int = "fro") -> Array:
    """The norms of the matrices in the last two axes."""
    return norm(ensure_arraylike("matrix_norm", x), ord=ord, keepdims=keepdims, axis=(-2, -1))


def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: int | float | str = 2) -> Array:
    """The norms of the vectors along one or several axes, or of all elements.

    ord: p for (sum of |x|**p)**(1/p), inf and -inf for the largest and smallest |x|, 0 to count
    what is not zero.
    """
    x = ensure_arraylike("vector_norm", x)
    if ord is None or ord == 2:
        return sqrt(sum_of(x * x, axis=axis, keepdims=keepdims))
    if isinstance(ord, str):
        raise ValueError(f"Invalid order {ord!r} for vector norm: it must be a number; jnp.inf is one.")
    if ord == np.inf:
        return amax(absolute(x), axis=axis, keepdims=keepdims, initial=0)
    if ord == -np.inf:
        return amin(absolute(x), axis=axis, keepdims=keepdims)
    if ord == 0:
        return sum_of(x != 0, dtype=dtypes.finfo(x.dtype).dtype, axis=axis, keepdims=keepdims)
    size = absolute(x)
    if ord == 1:
        return sum_of(size, axis=axis, keepdims=keepdims)
    exponent = like(size, ord)
    total = sum_of(power(size, exponent), axis=axis, keepdims=keepdims)
    return power(total, like(size, 1.0 / exponent))


# ----------------------------------------------------------------- products


def matmul(x1: Any, x2: Any, /, *, precision: Any = None, preferred_element_type: Any = None) -> Array:
    """x1 @ x2, see jnp.matmul."""
    return contractions.matmul(x1, x2, precision=precision, preferred_element_type=preferred_element_type)


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1, precision: Any = None, preferred_element_type: Any = None) -> Array:
    """The inner products of vectors along an axis, see jnp.vecdot."""
    return contractions.vecdot(x1, x2, axis=axis, precision=precision, preferred_element_type=preferred_element_type)


def tensordot(
    x1: Any,
    x2: Any,
    /,
    *,
    axes: int | tuple[Sequence[int], Sequence[int]] = 2,
    precision: Any = None,
    preferred_element_type: Any = None,
    out_sharding: Any = None,
) -> Array:
    """Contract several axes of two arrays, see jnp.tensordot."""
    return contractions.tensordot(
        x1,
        x2,
        axes=axes,
        precision=precision,
        preferred_element_type=preferred_element_type,
        out_sharding=out_sharding,
    )


def outer(x1: Any, x2: Any, /) -> Array:
    """All products of elements of two vectors. ValueError for anything but vectors."""
    x1, x2 = ensure_arraylike("outer", x1, x2)
    if x1.ndim != 1 or x2.ndim != 1:
        raise ValueError(f"linalg.outer: input arrays must be one-dimensional, got shapes {x1.shape} and {x2.shape}.")
    return x1[:, None] * x2[None, :]


def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Array:
    """The cross product of vectors of length 3 along an axis. ValueError for another length."""
    x1, x2 = ensure_arraylike("cross", x1, x2)
    if x1.shape[axis] != 3 or x2.shape[axis] != 3:
        raise ValueError(
            "linalg.cross: both input arrays must be (arrays of) 3-dimensional vectors, "
            f"got shapes {x1.shape} and {x2.shape} with axis={axis}."
        )
    return contractions.cross(x1, x2, axis=axis)


def multi_dot(arrays: Sequence[Any], *, precision: Any = None) -> Array:
    """The product of several matrices, in the cheapest order; the first and the last may be vectors."""
    operands = as_arrays("multi_dot", arrays)
    shapes = [x.shape for x in operands]
    if len(operands) < 2:
        raise ValueError(f"multi_dot requires at least two arrays; got {len(operands)}.")
    ends, middle = (operands[0], operands[-1]), operands[1:-1]
    if any(x.ndim not in (1, 2) for x in ends) or any(x.ndim != 2 for x in middle):
        raise ValueError(
            "multi_dot: input arrays must all be two-dimensional, except for the first and last array which may be "
            f"1 or 2 dimensional. Got array shapes {shapes}."
        )
    if any(a[-1] != b[0] for a, b in zip(shapes, shapes[1:])):
        raise ValueError(
            "multi_dot: last dimension of each array must match first dimension of following array. "
            f"Got array shapes {shapes}."
        )
    names = [(i, i + 1) for i in range(len(operands))]
    if operands[0].ndim == 1:
        names[0] = names[0][1:]
    if operands[-1].ndim == 1:
        names[-1] = names[-1][:1]
    return einsum(*itertools.chain(*zip(operands, names)), optimize="auto", precision=precision)


# ----------------------------------------------------------------- diagonals, transposition


def diagonal(x: Any, /, *, offset: int = 0) -> Array:
    """The diagonals of the matrices in the last two axes."""
    return diagonals.diagonal(x, offset=offset, axis1=-2, axis2=-1)


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Array:
    """The sums of the diagonals of the matrices in the last two axes."""
    return diagonals.trace(x, offset=offset, axis1=-2, axis2=-1, dtype=dtype)


def matrix_transpose(x: Any, /) -> Array:
    """Swap the last two axes. ValueError when there are fewer."""
    return _matrix_transpose(x)
