"""Schur decomposition: x = Z T Z^H, by Hessenberg reduction and QR iterations with shifts.

See Golub and Van Loan, "Matrix Computations", chapter 7. NumPy has eigenvalues but no Schur form. How many
iterations there are depends on the matrix, so that a batch is done one by one; within a matrix each step is
a product with a few rows or columns. All of it is computed in double precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minijax.array import Array
from minijax.primitives.families import def_not_differentiable
from minijax.primitives.householder import apply_reflections, hessenberg_p
from minijax.primitives.matrices import Core, flatten_batch, matrix_primitive, square_only

__all__ = ["schur"]

EPS = float(np.finfo(np.float64).eps)
MOST_SWEEPS = 60  # for one eigenvalue; two or three are usual


def schur(
    x: Any,
    *,
    compute_schur_vectors: bool = True,
    sort_eig_vals: bool = False,
    select_callable: Callable[..., Any] | None = None,
) -> list[Array]:
    """x = Z T Z^H with unitary Z, as [T, Z], or [T] without vectors, for matrices [..., n, n].

    T is upper triangular for complex matrices. For real ones pairs of complex eigenvalues keep a block of
    2 x 2 on the diagonal, with equal diagonal entries. Sorted eigenvalues raise NotImplementedError.
    """
    return schur_p.bind(
        x, compute_schur_vectors=compute_schur_vectors, sort_eig_vals=sort_eig_vals, select_callable=select_callable
    )


def _schur_impl(
    x: np.ndarray, *, compute_schur_vectors: bool, sort_eig_vals: bool, select_callable: Any
) -> list[np.ndarray]:
    if sort_eig_vals:
        raise NotImplementedError("schur: sorting the eigenvalues is not supported. Leave sort_eig_vals out.")
    iterate = _complex_iterations if x.dtype.kind == "c" else _real_iterations
    wide = flatten_batch(x).astype(np.complex128 if x.dtype.kind == "c" else np.float64)
    t, z = np.full_like(wide, np.nan), np.full_like(wide, np.nan)
    for i, a in enumerate(wide):
        if np.isfinite(a).all():
            # Products of entries must not overflow; powers of two leave the digits alone.
            unit = 2.0 ** (math.frexp(np.abs(a).max(initial=0))[1] - 1)
            form, vectors = _to_hessenberg(a / unit)
            if iterate(form, vectors):
                t[i], z[i] = form * unit, vectors
    parts = [t, z] if compute_schur_vectors else [t]
    return [part.astype(x.dtype).reshape(x.shape) for part in parts]


def _to_hessenberg(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The Hessenberg form of a matrix and the unitary matrix that leads to it."""
    z = np.eye(len(a), dtype=a.dtype)
    if len(a) < 3:
        return a.copy(), z
    packed, taus = hessenberg_p.impl(a)
    apply_reflections(packed[1:, :-1], taus, z[1:, 1:], adjoint=False)
    return np.triu(packed, -1), z


def _active_part(h: np.ndarray, last: int) -> int:
    """The first row of the block that ends at row `last` and falls apart no further.

    A subdiagonal entry that is lost beside its neighbours on the diagonal is made zero.
    """
    diagonal = np.abs(np.diagonal(h)[: last + 1])
    beside = diagonal[:-1] + diagonal[1:]
    below = np.abs(np.diagonal(h, -1)[:last])
    lost = np.nonzero(below <= EPS * np.where(beside == 0, np.abs(h).max(), beside))[0]
    if not lost.size:
        return 0
    first = int(lost[-1]) + 1
    h[first, first - 1] = 0
    return first


def _turn(h: np.ndarray, z: np.ndarray, start: int, q: np.ndarray, first_column: int, last_row: int) -> None:
    """h = Q^H h Q and z = z Q in place, for a small unitary q in the rows and columns from `start` on."""
    place = slice(start, start + len(q))
    h[place, first_column:] = q.conj().T @ h[place, first_column:]
    h[:last_row, place] = h[:last_row, place] @ q
    z[:, place] = z[:, place] @ q


# ----------------------------------------------------------------- complex matrices


def _complex_iterations(h: np.ndarray, z: np.ndarray) -> bool:
    """QR iterations with one shift, in place, until h is triangular; whether that came about."""
    last, sweeps = len(h) - 1, 0
    while last > 0:
        first = _active_part(h, last)
        if first == last:
            last, sweeps = last - 1, 0
            continue
        if sweeps > MOST_SWEEPS:
            return False
        sweeps += 1
        _complex_sweep(h, z, first, last, _shift(h, last, sweeps))
    return True


def _shift(h: np.ndarray, last: int, sweeps: int) -> complex:
    """The eigenvalue of the last 2 x 2 block that is nearer to its corner; now and then another number."""
    (a, b), (c, d) = h[last - 1 : last + 1, last - 1 : last + 1].tolist()
    if sweeps % 10 == 0:
        return d + 0.75 * abs(c)
    half = (a - d) / 2
    root = np.sqrt(complex(half * half + b * c))
    larger = half + root if abs(half + root) > abs(half - root) else half - root
    return d - b * c / larger if larger != 0 else d


def _complex_sweep(h: np.ndarray, z: np.ndarray, first: int, last: int, shift: complex) -> None:
    """A bulge is made in the first rows and chased down the diagonal."""
    x, y = h[first, first] - shift, h[first + 1, first]
    for k in range(first, last):
        length = math.hypot(abs(x), abs(y))
        if length:
            c, s = x / length, y / length
            q = np.array([[c, -np.conj(s)], [s, np.conj(c)]])
            _turn(h, z, k, q, max(k - 1, 0), min(k + 3, last + 1))
        if k > first:
            h[k + 1, k - 1] = 0
        if k < last - 1:
            x, y = h[k + 1, k], h[k + 2, k]


# ----------------------------------------------------------------- real matrices


def _real_iterations(h: np.ndarray, z: np.ndarray) -> bool:
    """QR iterations with two conjugate shifts at once, in place, until blocks of 1 and 2 rows remain; if they do."""
    last, sweeps = len(h) - 1, 0
    while last > 0:
        first = _active_part(h, last)
        if first >= last - 1:
            if first == last - 1:
                _standardize(h, z, first)
            last, sweeps = first - 1, 0
            continue
        if sweeps > MOST_SWEEPS:
            return False
        sweeps += 1
        _real_sweep(h, z, first, last, *_two_shifts(h, last, sweeps))
    return True


def _two_shifts(h: np.ndarray, last: int, sweeps: int) -> tuple[float, float]:
    """Sum and product of the shifts: the eigenvalues of the last 2 x 2 block; now and then others.

    Of two real eigenvalues the one nearer to the corner is taken twice.
    """
    (a, b), (c, d) = h[last - 1 : last + 1, last - 1 : last + 1].tolist()
    if sweeps % 10 == 0:
        size = abs(c) + abs(h[last - 1, last - 2])
        a = d = d + 0.75 * size
        b, c = -0.4375 * size, size
    half = (a - d) / 2
    discriminant = half * half + b * c
    if discriminant < 0:
        return a + d, a * d - b * c
    root = math.sqrt(discriminant)
    shift = d + half + (-root if half > 0 else root)
    return 2 * shift, shift * shift


def _real_sweep(h: np.ndarray, z: np.ndarray, first: int, last: int, total: float, product: float) -> None:
    """Francis' step: the bulge of both shifts is chased down by reflections of three rows."""
    (a, b), (c, d) = h[first : first + 2, first : first + 2].tolist()
    # A common factor of the column is of no account.
    column = [(a * a + b * c - total * a + product) / c, a + d - total, float(h[first + 2, first + 1])]
    for k in range(first, last):
        q = _reflector(column)
        if q is not None:
            _turn(h, z, k, q, max(k - 1, 0), min(k + 4, last + 1))
        if k > first:
            h[k + 1 : k + 3, k - 1] = 0
        column = h[k + 1 : min(k + 4, last + 1), k].tolist()


def _reflector(column: list[float]) -> np.ndarray | None:
    """The reflection that turns the column into a multiple of the first axis; None if it is one."""
    unit = max(map(abs, column))
    if not unit or not any(column[1:]):
        return None
    v = np.array(column) / unit
    v[0] += math.copysign(math.sqrt(float(v @ v)), v[0])
    return np.eye(len(v)) - np.multiply.outer(v * (2.0 / float(v @ v)), v)


def _standardize(h: np.ndarray, z: np.ndarray, k: int) -> None:
    """Make the 2 x 2 block at row k triangular if its eigenvalues are real, else its diagonal entries equal."""
    for _ in range(2):  # rounding may leave a block of two equal eigenvalues for a second turn
        (a, b), (c, d) = h[k : k + 2, k : k + 2].tolist()
        if c == 0 or (a == d and (b < 0) != (c < 0) and b != 0):
            return
        real, cosine, sine = _rotation(a, b, c, d)
        _turn(h, z, k, np.array([[cosine, -sine], [sine, cosine]]), k, k + 2)
        if real:
            h[k + 1, k] = 0
        else:
            h[k, k] = h[k + 1, k + 1] = (h[k, k] + h[k + 1, k + 1]) / 2


def _rotation(a: float, b: float, c: float, d: float) -> tuple[bool, float, float]:
    """Whether the eigenvalues of ((a, b), (c, d)) are real, and the cosine and sine of the turn that shows them."""
    unit = max(abs(a), abs(b), abs(c), abs(d))
    half, product = (a - d) / 2 / unit, b / unit * (c / unit)
    discriminant = half * half + product
    if discriminant >= 0:
        # (z, c) is an eigenvector, for the eigenvalue d + z.
        z = half + math.copysign(math.sqrt(discriminant), half)
        length = math.hypot(z, c / unit)
        return True, z / length, c / unit / length
    total = (b + c) / unit
    length = math.hypot(total, 2 * half)
    if length == 0:
        return False, 1.0, 0.0
    cosine = math.sqrt((1 + abs(total) / length) / 2)
    return False, cosine, -half / (length * cosine) * math.copysign(1, total)


# ----------------------------------------------------------------- the primitive


def _schur_shape(x: Core, *, compute_schur_vectors: bool, **params: Any) -> list[Core]:
    square_only("schur", x)
    return [x, x] if compute_schur_vectors else [x]


schur_p = matrix_primitive(
    "schur",
    _schur_impl,
    (2,),
    _schur_shape,
    lambda dtype, *, compute_schur_vectors, **params: [dtype] * (1 + compute_schur_vectors),
)
def_not_differentiable(schur_p)
