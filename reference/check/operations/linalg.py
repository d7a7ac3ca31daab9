"""Rows of decompositions and solutions of equations. Signs that are free in vectors are fixed in the call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..operation_row import NO_DERIVATIVE, Operand, Row, exactly, normal, row

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
UNBATCHED = ("eval", "weak", "jit", "jaxpr")


def gaussian(*shape: int, dtype: str = "complex64") -> Operand:
    """Standard normal; complex numbers have two such parts."""
    return Operand(shape, dtype, lambda rng, s: _turned(rng, rng.standard_normal(s), dtype))


def _turned(rng: np.random.Generator, x: np.ndarray, dtype: str) -> np.ndarray:
    """`x`, with an imaginary part as large if the dtype has one."""
    return x + 1j * rng.permuted(x) if dtype.startswith("complex") else x


def dominant(*shape: int, dtype: str = "float32") -> Operand:
    """Matrices that are far from singular: large numbers, all different, on the diagonal."""

    def draw(rng: np.random.Generator, s: tuple[int, ...]) -> np.ndarray:
        m, n = s[-2:]
        return _turned(rng, rng.uniform(-1, 1, s), dtype) + np.eye(m, n) * (3 + np.arange(n))

    return Operand(shape, dtype, draw)


def positive(*shape: int, dtype: str = "float32") -> Operand:
    """Hermitian positive definite matrices with eigenvalues that are far apart."""

    def draw(rng: np.random.Generator, s: tuple[int, ...]) -> np.ndarray:
        a = _turned(rng, rng.uniform(-1, 1, s), dtype)
        return (a + np.swapaxes(a, -1, -2).conj()) / 2 + np.eye(s[-1]) * (2.5 + 2 * np.arange(s[-1]))

    return Operand(shape, dtype, draw)


def matrix_rows(primitive: str, call: Callable[..., Any], draw: Any, shapes: Any, **options: Any) -> list[Row]:
    """A row for each shape, and one in double precision and of complex numbers. If `main`, the first one is."""
    main = options.pop("main", False)
    options = {"ulp": 16, "leafwise": True, "derived_ulp": 512} | options
    first = shapes[0]
    return [
        *(row(primitive, call, draw(*shape), main=main and shape == first, **options) for shape in shapes),
        row(primitive, call, draw(*first, dtype="float64"), **options),
        row(primitive, call, (gaussian if draw is normal else draw)(*first, dtype="complex64"), **options),
    ]


# ----------------------------------------------------------------- positive definite matrices

SQUARE = [(3, 3), (2, 2, 2), (1, 1), (0, 0), (0, 2, 2)]


def cholesky(jax: Any, x: Any) -> Any:
    """One is added: the squares of the factor alone add up to the trace, which has no second derivative."""
    return jax.lax.linalg.cholesky(x) + 1


CHOLESKY = [
    *matrix_rows("cholesky", cholesky, positive, SQUARE, main=True),
    row(
        "cholesky",
        lambda jax, x: jax.lax.linalg.cholesky(x, symmetrize_input=False),
        positive(3, 3),
        label="one-triangle",
        ulp=16,
        leafwise=True,
        derived_ulp=512,
    ),
    *(
        row("cholesky", cholesky, exactly(x), label=name, only=("eval", "jit"), ulp=16)
        for name, x in {
            "negative": [[1.0, 0.0], [0.0, -1.0]],
            "one-of-two": [[[1.0, 0.0], [0.0, -1.0]], [[4.0, 0.0], [0.0, 9.0]]],
        }.items()
    ),
    row(
        "cholesky_update",
        lambda jax, r, w: jax.lax.linalg.cholesky_update(r, w),
        positive(3, 3),
        normal(3),
        main=True,
        only=UNBATCHED,
        ulp=16,
        leafwise=True,
    ),
    row(
        "cholesky_update",
        lambda jax, r, w: jax.lax.linalg.cholesky_update(r, w * 0),
        positive(2, 2),
        normal(2),
        label="zero",
        only=UNBATCHED,
        ulp=16,
        leafwise=True,
    ),
    *(
        row(
            "symmetric_product",
            lambda jax, a, c, options=options: jax.lax.linalg.symmetric_product(a, c, **options),
            normal(2, 3),
            positive(2, 2),
            label=",".join(options) or "plain",
            main=len(options) == 3,
            only=NO_DERIVATIVE,
            ulp=16,
            leafwise=True,
        )
        for options in ({}, {"alpha": 2.0, "beta": 0.5, "symmetrize_output": True})
    ),
]

# ----------------------------------------------------------------- triangular and tridiagonal equations


def triangular(**options: Any) -> Callable[..., Any]:
    """triangular_solve with these options."""
    return lambda jax, a, b: jax.lax.linalg.triangular_solve(a, b, **options)


def triangular_row(a: Operand, b: Operand, main: bool = False, **options: Any) -> Row:
    """A row of triangular_solve, named by the options that are set."""
    label = ",".join(name for name, value in options.items() if value)
    call = triangular(**options)
    return row(
        "triangular_solve", call, a, b, label=label, main=main, ulp=16, leafwise=True, derived_ulp=256, batched_ulp=64
    )


TRIANGULAR = [
    triangular_row(dominant(3, 3), normal(2, 3), main=True),
    triangular_row(dominant(2, 2), normal(2, 3), left_side=True, lower=True),
    *(
        triangular_row(
            dominant(3, 3), normal(3, 3), left_side=left, lower=lower, transpose_a=transpose, unit_diagonal=unit
        )
        for left in (False, True)
        for lower in (False, True)
        for transpose in (False, True)
        for unit in (False, True)
    ),
    triangular_row(dominant(3, 3), normal(3)),
    triangular_row(dominant(2, 3, 3), normal(2, 3), left_side=True),
    triangular_row(dominant(2, 3, 3), normal(2, 3, 1), left_side=True),
    triangular_row(dominant(0, 0), normal(0, 2), left_side=True),
    triangular_row(dominant(1, 1), normal(0, 1)),
    triangular_row(dominant(3, 3, dtype="float64"), normal(2, 3, dtype="float64")),
    *(
        triangular_row(
            dominant(3, 3, dtype="complex64"), gaussian(2, 3), lower=lower, transpose_a=transpose, conjugate_a=True
        )
        for lower in (False, True)
        for transpose in (False, True)
    ),
    triangular_row(dominant(3, 3, dtype="complex64"), gaussian(3, 1), left_side=True),
    row(
        "triangular_solve",
        triangular(left_side=True),
        exactly([[1.0, 2.0], [0.0, 0.0]]),
        exactly([[1.0], [2.0]]),
        label="singular",
        only=("eval", "jit"),
    ),
]


def tridiagonal_solve(**options: Any) -> Callable[..., Any]:
    """tridiagonal_solve with these options."""
    return lambda jax, dl, d, du, b: jax.lax.linalg.tridiagonal_solve(dl, d, du, b, **options)


def tridiagonal_row(*shape: int, columns: int = 2, dtype: str = "float32", **options: Any) -> Row:
    """A row of tridiagonal_solve with diagonals of this shape."""
    operands = [gaussian(*lengths, dtype=dtype) for lengths in (shape, shape, shape, (*shape, columns))]
    options = {"ulp": 64, "leafwise": True, "derived_ulp": 4096} | options
    return row("tridiagonal_solve", tridiagonal_solve(), *operands, **options)


TRIDIAGONAL = [
    tridiagonal_row(4, main=True),
    tridiagonal_row(2, 3),
    tridiagonal_row(1),
    tridiagonal_row(4, dtype="float64"),
    tridiagonal_row(4, dtype="complex64"),
]

# ----------------------------------------------------------------- LU, QR, reflections


def lu(jax: Any, x: Any) -> Any:
    """LU decomposition."""
    return jax.lax.linalg.lu(x)


LU = [
    *matrix_rows(
        "lu", lu, normal, [(3, 3), (2, 3), (3, 2), (2, 2, 2), (1, 1), (0, 0), (0, 2)], derived_ulp=4096, main=True
    ),
    row("lu", lu, normal(3, 2), label="tall", ulp=16, leafwise=True, derived_ulp=4096),
    row("lu", lu, exactly([[1.0, 2.0], [2.0, 4.0]]), label="singular", only=("eval", "jit")),
    row("lu", lu, exactly([[0.0, 0.0], [0.0, 0.0]]), label="zero", only=("eval", "jit")),
    *(
        row(
            "lu_pivots_to_permutation",
            lambda jax, p, size=size: jax.lax.linalg.lu_pivots_to_permutation(p, size),
            exactly(pivots, "int32"),
            label=str(size),
            main=size == 3,
            weak=False,
        )
        for pivots, size in (([2, 2, 2], 3), ([1, 3, 2], 5), ([[1, 1], [0, 1]], 2))
    ),
]


def qr(**options: Any) -> Callable[..., Any]:
    """QR decomposition with these options."""
    return lambda jax, x: jax.lax.linalg.qr(x, **options)


REDUCED, PIVOTED = {"full_matrices": False}, {"pivoting": True}
QR = [
    *matrix_rows("qr", qr(), dominant, [(3, 3), (2, 3), (2, 2, 2), (1, 1)], smooth=(), derived_ulp=4096, main=True),
    *matrix_rows("qr", qr(**REDUCED), dominant, [(3, 2), (2, 3), (2, 3, 2)], label="reduced", derived_ulp=4096),
    row("qr", qr(), dominant(3, 2), label="complete", ulp=16, leafwise=True, derived_ulp=4096),
    row("qr", qr(), normal(0, 2), only=("eval", "jaxpr")),
    row("qr", qr(), normal(2, 0), only=("eval", "jaxpr")),
    *(
        row(
            "qr",
            qr(**PIVOTED),
            dominant(*shape),
            label="pivoting",
            ulp=16,
            leafwise=True,
            derived_ulp=4096,
            # JAX refuses to differentiate batches, and its derivative is wrong for m < n: see test_linalg.py.
            only=None if shape in ((3, 3), (4, 2)) else NO_DERIVATIVE,
        )
        for shape in ((3, 3), (2, 4), (4, 2), (2, 2, 2))
    ),
    row(
        "qr",
        qr(**PIVOTED, **REDUCED),
        dominant(4, 2),
        label="pivoting-reduced",
        ulp=16,
        leafwise=True,
        derived_ulp=4096,
    ),
]


def raw_qr(jax: Any, x: Any) -> Any:
    """The only way to geqrf."""
    return tuple(jax.numpy.linalg.qr(x, mode="raw"))


EXACT_ENOUGH = {"ulp": 16, "leafwise": True, "only": NO_DERIVATIVE}


def householder_product(jax: Any, a: Any, taus: Any) -> Any:
    """The product of reflections as it is."""
    return jax.lax.linalg.householder_product(a, taus)


def ormqr(**options: Any) -> Callable[..., Any]:
    """The product with reflections, from one side."""
    return lambda jax, a, taus, c: jax.lax.linalg.ormqr(a, taus, c, **options)


def hessenberg(jax: Any, x: Any) -> Any:
    """The Hessenberg form and its reflections."""
    return jax.lax.linalg.hessenberg(x)


def tridiagonal(lower: bool) -> Callable[..., Any]:
    """The tridiagonal form and its reflections, from one triangle."""
    return lambda jax, x: jax.lax.linalg.tridiagonal(x, lower=lower)


REFLECTIONS = [
    *(
        row("geqrf", raw_qr, dominant(*shape), main=shape == (3, 2), **EXACT_ENOUGH)
        for shape in ((3, 2), (2, 3), (2, 2, 2), (1, 1))
    ),
    row("householder_product", householder_product, normal(4, 3), normal(3), main=True, **EXACT_ENOUGH),
    row("householder_product", householder_product, normal(3, 3), normal(1), **EXACT_ENOUGH),
    row("householder_product", householder_product, gaussian(3, 2), gaussian(2), **EXACT_ENOUGH),
    row("householder_product", householder_product, normal(2, 3, 2), normal(2, 2), **EXACT_ENOUGH),
    *(
        row(
            "ormqr",
            ormqr(left=left, transpose=transpose),
            normal(3, 2),
            normal(2),
            normal(*shape),
            label=f"{'left' if left else 'right'}{'-transpose' if transpose else ''}",
            main=left and transpose,
            **EXACT_ENOUGH,
        )
        for left, shape in ((True, (3, 4)), (False, (4, 3)))
        for transpose in (False, True)
    ),
    *(
        row(
            "ormqr",
            ormqr(left=left, transpose=True),
            gaussian(3, 2),
            gaussian(2),
            gaussian(3, 3),
            label=f"left={left}",
            **EXACT_ENOUGH,
        )
        for left in (False, True)
    ),
    row("hessenberg", hessenberg, gaussian(4, 4), **EXACT_ENOUGH),
    row("geqrf", raw_qr, gaussian(3, 2), **EXACT_ENOUGH),
    row("tridiagonal", tridiagonal(True), positive(3, 3, dtype="complex64"), label="lower", **EXACT_ENOUGH),
    row("tridiagonal", tridiagonal(False), positive(3, 3, dtype="complex64"), label="upper", **EXACT_ENOUGH),
    *(
        row("hessenberg", hessenberg, normal(*shape), main=shape == (4, 4), **EXACT_ENOUGH)
        for shape in ((4, 4), (2, 3, 3), (2, 2), (1, 1))
    ),
    *(
        row("tridiagonal", tridiagonal(lower), positive(*shape), label=f"lower={lower}", main=main, **EXACT_ENOUGH)
        for lower, shape, main in (
            (True, (4, 4), True),
            (False, (4, 4), True),
            (True, (2, 3, 3), False),
            (True, (1, 1), 0),
        )
    ),
]

# ----------------------------------------------------------------- eigenvalues, singular values


def eigh(**options: Any) -> Callable[..., Any]:
    """The first component of each vector is made positive."""

    def call(jax: Any, x: Any) -> Any:
        v, w = jax.lax.linalg.eigh(x, **options)
        return v * jax.numpy.conj(jax.lax.sign(v[..., :1, :])), w

    return call


def eig(**options: Any) -> Callable[..., Any]:
    """Absolute values of the vectors' components, which have a free sign."""

    def call(jax: Any, x: Any) -> Any:
        w, *vectors = jax.lax.linalg.eig(x, **options)
        return [jax.lax.real(w), jax.lax.imag(w), *map(jax.lax.abs, vectors)]

    return call


def svd(**options: Any) -> Callable[..., Any]:
    """The first component of each left vector is made positive, and the right one turned along."""

    def call(jax: Any, x: Any) -> Any:
        if not options.get("compute_uv", True):
            return jax.lax.linalg.svd(x, **options)
        u, s, vh = jax.lax.linalg.svd(x, **options)
        if 0 in x.shape:
            return u, s, vh
        k = s.shape[-1]
        u, vh = u[..., :k], vh[..., :k, :]
        sign = jax.lax.sign(u[..., :1, :])
        return u * jax.numpy.conj(sign), s, vh * jax.lax.reshape(sign, (*s.shape, 1))

    return call


def schur(**options: Any) -> Callable[..., Any]:
    """The signs of the vectors are free, and with them those of entries beside the diagonal."""

    def call(jax: Any, x: Any) -> Any:
        return [jax.lax.abs(part) for part in jax.lax.linalg.schur(x, **options)]

    return call


NO_VECTORS = {"compute_left_eigenvectors": False, "compute_right_eigenvectors": False}
REAL_EIGENVALUES = [[2.0, 0.5, 0.25], [0.125, -1.0, 0.5], [0.25, -0.125, 5.0]]
COMPLEX_EIGENVALUES = [[0.5, 2.0, 0.75], [-1.5, 0.75, 0.5], [0.625, -0.125, 5.0]]
SPECTRA = [
    *matrix_rows("eigh", eigh(), positive, SQUARE, ulp=32, main=True),
    *matrix_rows("eigh", eigh(lower=False, symmetrize_input=False), positive, [(2, 2)], label="upper", ulp=32),
    row("eigh", eigh(), exactly([[1.0, np.nan], [np.nan, 1.0]]), label="nan", only=("eval", "jit")),
    *matrix_rows("svd", svd(), dominant, [(3, 3), (2, 2, 2), (1, 1)], ulp=32),
    *matrix_rows(
        "svd", svd(full_matrices=False), dominant, [(3, 2), (2, 3), (2, 3, 2)], label="thin", ulp=32, main=True
    ),
    *matrix_rows("svd", svd(compute_uv=False), dominant, [(3, 2), (2, 3)], label="values", ulp=32),
    row(
        "eig",
        eig(**NO_VECTORS),
        exactly(REAL_EIGENVALUES),
        label="values",
        main=True,
        ulp=64,
        leafwise=True,
        derived_ulp=4096,
        smooth=(),
    ),
    *(
        row(
            "eig",
            eig(enable_eigvec_derivs=True),
            exactly(x, dtype),
            label=f"vectors-{name}",
            ulp=128,
            leafwise=True,
            derived_ulp=1 << 14,
        )
        for name, x in (("real", REAL_EIGENVALUES), ("complex", COMPLEX_EIGENVALUES))
        for dtype in ("float32", "float64")
    ),
    row("eig", eig(**NO_VECTORS), gaussian(3, 3), label="values", ulp=64, leafwise=True, derived_ulp=4096, smooth=()),
    row("schur", schur(), gaussian(2, 2), ulp=256, leafwise=True, only=UNBATCHED),
    row("svd", svd(), normal(0, 2), only=("eval", "jaxpr")),
    row("svd", svd(), exactly([[1.0, np.nan], [0.0, 1.0]]), label="nan", only=("eval", "jit")),
    *(
        row(
            "schur",
            schur(),
            exactly(x, dtype),
            label=f"{label}-{dtype}",
            main=label == "real" and dtype == "float32",
            ulp=128,
            leafwise=True,
            batched_ulp=512,
            # Of some matrices other eigenvalues come first than in LAPACK.
            only=NO_DERIVATIVE if label == "real" else UNBATCHED,
        )
        for label, x in (
            ("real", REAL_EIGENVALUES),
            ("complex", COMPLEX_EIGENVALUES),
            ("triangular", np.triu(np.ones((2, 2)))),
        )
        for dtype in ("float32", "float64")
    ),
    row(
        "schur",
        schur(compute_schur_vectors=False),
        exactly(REAL_EIGENVALUES),
        label="no-vectors",
        ulp=128,
        leafwise=True,
        only=NO_DERIVATIVE,
    ),
]

TABLE = [*CHOLESKY, *TRIANGULAR, *TRIDIAGONAL, *LU, *QR, *REFLECTIONS, *SPECTRA]

# Each shape costs JAX a compilation. The default depth has the main rows without second derivatives and weak types;
# test_linalg.py holds these and many shapes against what decompositions have to be.
ROWS: list[Row] = [
    *(replace(r, smooth=(), weak=False) for r in TABLE if r.main),
    *(replace(r, main=False, deep=True, label=f"{r.label}-deep".strip("-") if r.main else r.label) for r in TABLE),
]
