"""Products of matrices and vectors, diagonals and traces, of jax.numpy.linalg."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from minijax.array import Array
from minijax.numpy import contractions, diagonals
from minijax.numpy.einstein_sums import einsum
from minijax.numpy.manipulation import matrix_transpose as _matrix_transpose
from minijax.numpy.promotion import as_arrays, ensure_arraylike

__all__ = [
    "cross",
    "diagonal",
    "matmul",
    "matrix_transpose",
    "multi_dot",
    "outer",
    "tensordot",
    "trace",
    "vecdot",
]

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
