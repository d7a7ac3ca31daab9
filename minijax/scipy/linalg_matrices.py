"""Matrices of a special form, of jax.scipy.linalg."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax import numpy as jnp
from minijax.array import Array
from minijax.numpy.promotion import ensure_arraylike, promote_args_inexact, promote_dtypes
from minijax.scipy.special import comb, gammaln

__all__ = [
    "block_diag",
    "circulant",
    "companion",
    "convolution_matrix",
    "dft",
    "fiedler",
    "fiedler_companion",
    "hadamard",
    "hankel",
    "helmert",
    "hilbert",
    "invhilbert",
    "invpascal",
    "leslie",
    "pascal",
    "toeplitz",
]


def _vectors(fun_name: str, *args: Any) -> Any:
    """The arguments with at least one axis; the last one is that of vectors, those in front are a batch."""
    arrays = [jnp.atleast_1d(ensure_arraylike(fun_name, x)) for x in args]
    return arrays[0] if len(arrays) == 1 else arrays


def _matched(c: Array, r: Array) -> tuple[Array, Array]:
    """Both with the same batch axes and dtype."""
    c, r = promote_dtypes(c, r)
    lead = np.broadcast_shapes(c.shape[:-1], r.shape[:-1])
    return jnp.broadcast_to(c, (*lead, c.shape[-1])), jnp.broadcast_to(r, (*lead, r.shape[-1]))


def block_diag(*arrs: Any) -> Array:
    """The matrices one behind the other along the diagonal, zeros elsewhere; vectors count as rows.

    Raises ValueError for arrays of more than two dimensions.
    """
    arrays = [jnp.asarray(a) for a in promote_dtypes(*(arrs or (jnp.zeros((1, 0)),)))]
    for position, a in enumerate(arrays):
        if a.ndim > 2:
            raise ValueError(f"block_diag: argument {position} has more than 2 dimensions: its shape is {a.shape}.")
    arrays = [jnp.atleast_2d(a) for a in arrays]
    width, column, rows = sum(a.shape[1] for a in arrays), 0, []
    for a in arrays:
        rows.append(lax.pad(a, a.dtype.type(0), ((0, 0, 0), (column, width - column - a.shape[1], 0))))
        column += a.shape[1]
    return jnp.concatenate(rows, axis=0)


# ----------------------------------------------------------------- constant along diagonals


def _strong(x: Array) -> Array:
    """`x`, not weakly typed."""
    return lax.convert_element_type(x, x.dtype)


def toeplitz(c: Any, r: Any = None) -> Array:
    """The matrices with first column `c` and first row `r` (the conjugate of c), constant along diagonals.

    Batches of vectors give batches of matrices. The first element of r is not used.
    """
    c, r = _vectors("toeplitz", c, jnp.conj(ensure_arraylike("toeplitz", c)) if r is None else r)
    c, r = _matched(c, r)
    line = jnp.concatenate((c[..., ::-1], r[..., 1:]), axis=-1)
    rows, columns = np.ogrid[: c.shape[-1], : r.shape[-1]]
    return _strong(line[..., c.shape[-1] - 1 - rows + columns])


def hankel(c: Any, r: Any = None) -> Array:
    """The matrices with first column `c` and last row `r` (zeros), constant along rising diagonals.

    Batches of vectors give batches of matrices. The first element of r is not used. ValueError for numbers.
    """
    c = ensure_arraylike("hankel", c)
    r = jnp.zeros_like(c) if r is None else ensure_arraylike("hankel", r)
    if not c.ndim or not r.ndim:
        raise ValueError(f"hankel: c and r must be at least 1-dimensional, got shapes {c.shape} and {r.shape}.")
    c, r = _matched(c, r)
    rows, columns = np.ogrid[: c.shape[-1], : r.shape[-1]]
    return _strong(jnp.concatenate((c, r[..., 1:]), axis=-1)[..., rows + columns])


def circulant(c: Any) -> Array:
    """The matrices with first column `c`, each further column being the one before rotated down."""
    c = _vectors("circulant", c)
    rows, columns = np.ogrid[: c.shape[-1], : c.shape[-1]]
    return c[..., (rows - columns) % max(c.shape[-1], 1)]


def convolution_matrix(a: Any, n: int, mode: str = "full") -> Array:
    """The matrix A for which A @ v is jnp.convolve(a, v, mode), for vectors v of length n.

    Raises ValueError for n < 1, an empty or 0-d `a`, and another mode than 'full', 'valid' and 'same'.
    """
    n = operator.index(n)
    a = ensure_arraylike("convolution_matrix", a)
    if n <= 0:
        raise ValueError(f"convolution_matrix: n must be a positive integer; got {n}.")
    if not a.ndim or not a.shape[-1]:
        raise ValueError(f"convolution_matrix: a must have at least one element and axis; got shape {a.shape}.")
    if mode not in ("full", "valid", "same"):
        raise ValueError(f"convolution_matrix: mode must be one of 'full', 'valid', 'same'; got {mode!r}.")
    m = a.shape[-1]
    less = 0 if mode == "full" else min(n, m) - 1
    first, last = (less // 2, less - less // 2) if mode == "same" else (less, less)
    zeros = jnp.zeros((*a.shape[:-1], n - 1), a.dtype)
    column = jnp.concatenate((a, zeros), axis=-1)
    row = jnp.concatenate((a[..., ::-1], zeros), axis=-1)
    length = m + n - 1
    return toeplitz(column[..., first : length - last], row[..., length - n - first : length - first])


# ----------------------------------------------------------------- of polynomials and populations


def companion(a: Any) -> Array:
    """The matrices whose characteristic polynomials have the coefficients `a`, highest power first.

    Raises ValueError for fewer than two.
    """
    a = _vectors("companion", *promote_args_inexact("companion", a))
    n = a.shape[-1] - 1
    if n < 1:
        raise ValueError(f"companion: a must have at least two coefficients in its last axis; got shape {a.shape}.")
    row = -a[..., 1:] / a[..., :1]
    below = jnp.broadcast_to(jnp.eye(n, k=-1, dtype=row.dtype), (*row.shape, n))
    return below.at[..., 0, :].set(row)


def fiedler(a: Any) -> Array:
    """The matrices of the absolute differences of any two elements of `a`."""
    a = _vectors("fiedler", a)
    return jnp.abs(a[..., None] - a[..., None, :])


def fiedler_companion(a: Any) -> Array:
    """Five-diagonal matrices whose characteristic polynomials have the coefficients `a`, highest power first.

    Raises ValueError for no coefficients.
    """
    a = _vectors("fiedler_companion", *promote_args_inexact("fiedler_companion", a))
    n = a.shape[-1] - 1
    if n < 0:
        raise ValueError(f"fiedler_companion: the last axis of a must not be empty; got shape {a.shape}.")
    a = -a / a[..., :1]
    out = jnp.zeros((*a.shape[:-1], n, n), a.dtype)
    if n == 0:
        return jnp.empty_like(a, shape=(*a.shape[:-1], 0, 0))
    out = out.at[..., 0, 0].set(a[..., 1])
    above, below = np.arange(0, n - 1, 2), np.arange(2, n, 2)
    out = out.at[..., above, above + 1].set(a[..., above + 2]).at[..., below, below - 1].set(a[..., below + 1])
    right, left = np.arange(0, n - 2, 2), np.arange(3, n, 2)
    out = out.at[..., right, right + 2].set(1).at[..., left, left - 2].set(1)
    return out if n == 1 else out.at[..., 1, 0].set(1)


def leslie(f: Any, s: Any) -> Array:
    """The matrices of a population's growth: fecundities `f` in the first row, survival `s` below the diagonal.

    Raises ValueError unless f has at least two elements and s one less.
    """
    f, s = _vectors("leslie", f, s)
    if f.shape[-1] < 2 or s.shape[-1] != f.shape[-1] - 1:
        raise ValueError(
            "leslie: f must have at least two elements in its last axis and s one less; got shapes "
            f"{f.shape} and {s.shape}."
        )
    f, s = _matched(f, s)
    place = np.arange(s.shape[-1])
    out = jnp.zeros((*f.shape, f.shape[-1]), f.dtype).at[..., 0, :].set(f)
    return out.at[..., place + 1, place].set(s)


# ----------------------------------------------------------------- of one number


def hilbert(n: int) -> Array:
    """The n x n matrix with 1 / (i + j + 1) in row i and column j."""
    a = lax.broadcasted_iota(float, (n, 1), 0)
    return 1 / (a + a.T + 1)


def invhilbert(n: int) -> Array:
    """The inverse of the n x n Hilbert matrix; its entries are integers, exact while they fit the float."""
    a = jnp.arange(n, dtype=dtypes.default_float_dtype())
    i, j = a[:, None], a[None, :]
    total = i + j
    signs = (-1.0) ** total * (total + 1.0)
    return signs * comb(n + i, n - j - 1) * comb(n + j, n - i - 1) * comb(total, i) ** 2


def _kind(fun_name: str, kind: str | None) -> str:
    kinds = ("symmetric", "lower", "upper")
    if kind is not None and kind not in kinds:
        raise ValueError(f"{fun_name}: kind must be one of {kinds}; got {kind!r}.")
    return kind or "symmetric"


def _binomials(a: Array) -> Array:
    """Pascal's triangle for the numbers `a`, as a lower triangular matrix."""
    n, k = a[:, None], a[None, :]
    return lax.exp(gammaln(n + 1.0) - gammaln(n - k + 1.0) - gammaln(k + 1.0))


def pascal(n: int, kind: str | None = None) -> Array:
    """Pascal's triangle as an n x n matrix: 'symmetric' (None), 'lower' or 'upper'. ValueError for another kind."""
    kind = _kind("pascal", kind)
    lower = _binomials(jnp.arange(n, dtype=np.float32))
    if kind == "symmetric":
        return jnp.dot(lower, lower.T)
    return lower if kind == "lower" else lower.T


def invpascal(n: int, kind: str | None = None) -> Array:
    """The inverse of `pascal(n, kind)`."""
    kind = _kind("invpascal", kind)
    a = jnp.arange(n, dtype=dtypes.default_float_dtype())
    lower = (-1.0) ** (a[:, None] - a[None, :]) * _binomials(a)
    if kind == "symmetric":
        return jnp.dot(lower.T, lower)
    return lower if kind == "lower" else lower.T


def helmert(n: int, full: bool = False) -> Array:
    """The n - 1 rows (n if `full`) of an orthogonal matrix whose first row is constant. ValueError for n < 1."""
    if n < 1:
        raise ValueError(f"helmert: n must be a positive integer; got {n}.")
    rows, columns = np.ogrid[1:n, :n]
    k = jnp.asarray(rows, dtypes.default_float_dtype())
    scale = jnp.sqrt(k * (k + 1))
    out = jnp.where(columns < rows, 1.0 / scale, jnp.where(columns == rows, -k / scale, jnp.zeros_like(scale)))
    if not full:
        return out
    return jnp.concatenate([jnp.full((1, n), 1.0 / jnp.sqrt(n), dtype=out.dtype), out], axis=0)


def hadamard(n: int, dtype: Any = int) -> Array:
    """A matrix of 1 and -1 with orthogonal rows. ValueError unless n is a power of 2."""
    if n < 1 or not math.log2(n).is_integer():
        raise ValueError(f"hadamard: n must be a positive power of 2; got {n}.")
    out = jnp.ones((1, 1), dtype=dtype)
    while len(out) < n:
        out = jnp.block([[out, out], [out, -out]])
    return out


def dft(n: int, scale: str | None = None, *, dtype: Any = None) -> Array:
    """The complex matrix of the discrete Fourier transform of n numbers, divided by n or its root if `scale` says so.

    scale: None, 'n' or 'sqrtn'. Raises ValueError for another one, and for a dtype that is not complex.
    """
    if scale not in (None, "sqrtn", "n"):
        raise ValueError(f"dft: scale must be None, 'sqrtn', or 'n'; got {scale!r}.")
    dtype = dtypes.check_and_canonicalize_user_dtype(complex if dtype is None else dtype, "dft")
    if dtypes.kind(dtype) != "c":
        raise ValueError(f"dft: dtype must be complex, such as complex64; got {dtype}.")
    a = jnp.arange(n, dtype=dtype)
    out = jnp.exp(-2j * np.pi * a[:, None] * a[None, :] / n)
    if scale is None:
        return out
    return out / (jnp.sqrt(n) if scale == "sqrtn" else n)
