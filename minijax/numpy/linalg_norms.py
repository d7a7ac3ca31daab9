"""Norms of vectors and matrices, and condition numbers, of jax.numpy.linalg."""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.numpy.arithmetic import absolute, conj, power
from minijax.numpy.axes import axis_tuple
from minijax.numpy.exponential import sqrt
from minijax.numpy.linalg_decompositions import svdvals
from minijax.numpy.linalg_equations import inv
from minijax.numpy.logic import isnan, real
from minijax.numpy.manipulation import expand_dims, moveaxis
from minijax.numpy.places import where
from minijax.numpy.promotion import ensure_arraylike, like, promote_dtypes_inexact
from minijax.numpy.reductions import amax, amin
from minijax.numpy.reductions import sum as sum_of
from minijax.primitives.shaping import canonical_axes

__all__ = ["cond", "matrix_norm", "norm", "vector_norm"]

# ----------------------------------------------------------------- norms


def norm(x: Any, ord: int | float | str | None = None, axis: Any = None, keepdims: bool = False) -> Array:
    """The norm of the vectors along one axis, or of the matrices in two; of all elements without an axis.

    ord: for vectors see `vector_norm`; for matrices 'fro' (None), 1, -1, inf, -inf, and of the singular values
    the largest (2), the smallest (-2) or the sum ('nuc').
    """
    (x,) = promote_dtypes_inexact(ensure_arraylike("norm", x))
    if axis is None:
        if ord is None:
            return sqrt(sum_of(_squares(x), keepdims=keepdims))
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


def _squares(x: Array) -> Array:
    """The squares of the absolute values."""
    return real(x * conj(x))


def _matrix_norm(x: Array, ord: Any, axes: tuple[int, int], keepdims: bool) -> Array:
    if ord is None or ord in ("f", "fro"):
        return sqrt(sum_of(_squares(x), axis=axes, keepdims=keepdims))
    if ord in (2, -2, "nuc"):
        return _singular_norm(x, ord, axes, keepdims)
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


def _singular_norm(x: Array, ord: Any, axes: tuple[int, int], keepdims: bool) -> Array:
    s = svdvals(moveaxis(x, axes, (-2, -1)))
    if ord == "nuc":
        out = sum_of(s, axis=-1)
    else:
        out = amax(s, axis=-1, initial=0) if ord == 2 else amin(s, axis=-1)
    return expand_dims(out, axes) if keepdims else out


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
        return sqrt(sum_of(_squares(x), axis=axis, keepdims=keepdims))
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


# ----------------------------------------------------------------- condition number


def cond(x: Any, p: Any = None) -> Array:
    """The condition numbers of the matrices in the last two axes: norm(x, p) * norm(inv(x), p).

    For p 2 (None) and -2 that is a ratio of singular values, also of matrices that are not square.
    Raises ValueError for empty matrices, and for other p unless they are square.
    """
    x = ensure_arraylike("cond", x)
    if x.ndim < 2 or 0 in x.shape[-2:]:
        raise ValueError(f"jnp.linalg.cond: the input must be at least 2D and not empty; got shape {x.shape}.")
    if p in (None, 2):
        s = svdvals(x)
        return s[..., 0] / s[..., -1]
    if p == -2:
        s = svdvals(x)
        ratio = s[..., -1] / s[..., 0]
    elif x.shape[-2] != x.shape[-1]:
        raise ValueError(f"jnp.linalg.cond: for p={p!r} the array must be square; got shape {x.shape}. Use p=2.")
    else:
        ratio = norm(x, ord=p, axis=(-2, -1)) * norm(inv(x), ord=p, axis=(-2, -1))
    # NaN that does not come from a NaN in x: the matrix is singular.
    return where(isnan(ratio) & ~isnan(x).any(axis=(-2, -1)), np.inf, ratio)
