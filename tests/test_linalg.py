"""What decompositions have to be, whatever the matrix: products that give it back, structure, derivatives."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import minijax as jax
import minijax.numpy as jnp
from minijax.scipy import linalg as scipy_linalg
from minijax.test_util import check_grads

lax = jax.lax.linalg
full_depth = partial(pytest.param, marks=pytest.mark.full)
DTYPES = ("float32", "complex128", full_depth("float64"), full_depth("complex64"))
# Empty, tiny, around the sizes from which on the kernels work by blocks (8 and 32), and well above them.
SIZES = (0, 1, 3, 9, 33, *map(full_depth, (2, 8, 31, 32, 70)))
SHAPES = [
    (0, 0),
    (0, 3),
    (3, 0),
    (1, 1),
    (1, 5),
    (5, 1),
    (4, 4),
    (9, 7),
    (7, 9),
    (40, 33),
    (33, 70),
    (2, 3, 3),
    (0, 2, 2),
]
SHAPES += [(2, 3, 5, 4), (3, 35, 40)]


@pytest.fixture(autouse=True)
def double_precision():
    """Both precisions are tested, so that 64-bit types are on."""
    with jax.enable_x64(True):
        yield


def random(shape: tuple[int, ...], dtype: str = "float64", seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng([seed, *shape])
    x = rng.standard_normal(shape)
    if dtype.startswith("complex"):
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


def adjoint(x: Any) -> np.ndarray:
    return np.swapaxes(np.asarray(x), -1, -2).conj()


def hermitian(n: int, dtype: str) -> np.ndarray:
    a = random((n, n), dtype)
    return a + adjoint(a)


def assert_near(ours: Any, wanted: Any, factor: float = 20) -> None:
    """Equal up to rounding errors that grow with the size of the matrix."""
    ours, wanted = np.asarray(ours), np.asarray(wanted)
    assert ours.shape == wanted.shape
    if ours.size:
        scale = max(float(np.abs(wanted).max()), 1.0) * max(ours.shape[-2:])
        assert np.abs(ours - wanted).max() <= factor * scale * np.finfo(ours.dtype).eps


def assert_orthonormal(q: Any) -> None:
    q = np.asarray(q)
    n = q.shape[-1]
    assert_near(adjoint(q) @ q, np.broadcast_to(np.eye(n, dtype=q.dtype), (*q.shape[:-2], n, n)))


# ----------------------------------------------------------------- products that give the matrix back


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_lu(shape: tuple[int, ...], dtype: str):
    a = random(shape, dtype)
    factors, pivots, permutation = map(np.asarray, lax.lu(a))
    k = min(shape[-2:])
    lower = np.tril(factors[..., :k], -1) + np.eye(shape[-2], k, dtype=dtype)
    assert_near(lower @ np.triu(factors[..., :k, :]), np.take_along_axis(a, permutation[..., None], -2))
    # The pivot of complex columns is the largest by |real| + |imaginary|, as in LAPACK.
    assert np.abs(lower).max(initial=0) <= (2**0.5 if dtype.startswith("complex") else 1) + 1e-6
    np.testing.assert_array_equal(lax.lu_pivots_to_permutation(pivots, shape[-2]), permutation)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_qr(shape: tuple[int, ...], dtype: str):
    a = random(shape, dtype)
    for full in (True, False):
        q, r = lax.qr(a, full_matrices=full)
        assert_near(np.asarray(q) @ np.asarray(r), a)
        assert_orthonormal(q)
        assert not np.tril(r, -1).any()


@pytest.mark.parametrize("dtype", ("float32", "complex128"))
@pytest.mark.parametrize("shape", SHAPES)
def test_qr_with_pivoting(shape: tuple[int, ...], dtype: str):
    a = random(shape, dtype)
    q, r, p = map(np.asarray, lax.qr(a, pivoting=True))
    assert_near(q @ r, np.take_along_axis(a, p[..., None, :], -1))
    assert_orthonormal(q)
    diagonal = np.abs(np.diagonal(r, axis1=-2, axis2=-1))
    assert (diagonal[..., 1:] <= diagonal[..., :-1] * (1 + 1e-4)).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_svd(shape: tuple[int, ...], dtype: str):
    a, k = random(shape, dtype), min(shape[-2:])
    for full in (True, False):
        u, s, vh = map(np.asarray, lax.svd(a, full_matrices=full))
        assert_near((u[..., :k] * s[..., None, :]) @ vh[..., :k, :], a)
        assert_orthonormal(u)
        assert_orthonormal(adjoint(vh))
        assert (np.diff(s) <= 0).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", SIZES)
def test_hermitian_matrices(n: int, dtype: str):
    a = hermitian(n, dtype)
    vectors, values = map(np.asarray, lax.eigh(a))
    assert_near(a @ vectors, vectors * values)
    assert_orthonormal(vectors)
    positive = a @ a + np.eye(n, dtype=dtype)
    factor = np.asarray(lax.cholesky(positive))
    assert_near(factor @ adjoint(factor), positive, 50)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", SIZES[1:])
def test_eigenvectors_of_both_sides(n: int, dtype: str):
    a = random((n, n), dtype)
    values, left, right = map(np.asarray, lax.eig(a))
    assert_near(a @ right, right * values, 500)
    assert_near(adjoint(left) @ a, values[:, None] * adjoint(left), 500)
    np.testing.assert_allclose(np.linalg.norm(left, axis=0), 1, rtol=1e-5)


# ----------------------------------------------------------------- reflections


def product_of_reflections(packed: Any, taus: Any, rows: int) -> np.ndarray:
    """Q with ones in front, for reflections that leave the first rows alone."""
    packed, taus = np.asarray(packed), np.asarray(taus)
    n = packed.shape[-1]
    q = np.zeros_like(packed)
    q[..., range(n), range(n)] = 1
    if n > rows:
        q[..., rows:, rows:] = lax.householder_product(packed[..., rows:, : n - rows], taus)
    return q


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", SIZES[1:])
def test_hessenberg(n: int, dtype: str):
    a = random((2, n, n), dtype)
    packed, taus = lax.hessenberg(a)
    q = product_of_reflections(packed, taus, 1)
    assert_orthonormal(q)
    assert_near(q @ np.triu(packed, -1) @ adjoint(q), a)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", SIZES[1:])
@pytest.mark.parametrize("lower", (True, False))
def test_tridiagonal(n: int, dtype: str, lower: bool):
    a = hermitian(n, dtype)
    other = np.triu(a, 1) if lower else np.tril(a, -1)
    packed, d, e, taus = map(np.asarray, lax.tridiagonal(a - other, lower=lower))
    small = np.diag(d) + np.diag(e, 1) + np.diag(e, -1)
    assert_near(np.linalg.eigvalsh(small).astype(d.dtype), np.linalg.eigvalsh(a).astype(d.dtype))
    if lower:
        q = product_of_reflections(packed, taus, 1)
        assert_near(q @ small.astype(dtype) @ adjoint(q), a)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows, count", ((1, 1), (5, 2), (33, 33), (70, 40)))
def test_products_with_reflections(rows: int, count: int, dtype: str):
    reflections, taus = jnp.linalg.qr(random((rows, count), dtype), mode="raw")
    reflections = reflections.mT
    square = jnp.concatenate([reflections, jnp.zeros((rows, rows - count), reflections.dtype)], 1)
    q = np.asarray(lax.householder_product(square, taus))
    c = random((rows, 3), dtype)
    multiply = partial(lax.ormqr, reflections, taus)
    assert_near(multiply(c), q @ c)
    assert_near(multiply(c, transpose=True), adjoint(q) @ c)
    assert_near(multiply(c.T, left=False), c.T @ q)
    assert_near(multiply(c.T, left=False, transpose=True), c.T @ adjoint(q))


# ----------------------------------------------------------------- Schur form


def rotation_blocks() -> np.ndarray:
    """A matrix whose eigenvalues all have absolute value 1."""
    return np.linalg.qr(random((12, 12)))[0]


HARD = {
    "zero": np.zeros((4, 4)),
    "identity": np.eye(5),
    "one Jordan block": np.eye(8) + np.diag(np.ones(7), 1),
    "nilpotent": np.diag(np.ones(5), -1),
    "a cycle, whose shifts lead nowhere": np.roll(np.eye(6), 1, 0),
    "rotations": rotation_blocks(),
    "symmetric": hermitian(9, "float64"),
    "rank 1": np.ones((7, 7)),
    "equal eigenvalues": np.array([[1.0, 1e-9], [-1e-12, 1.0]]),
    "badly scaled": np.diag([1e8, 1.0, 1e-8]) @ random((3, 3)),
    "huge": random((4, 4)) * 1e250,
    "tiny": random((4, 4)) * 1e-250,
    "upper triangular": np.triu(random((6, 6))),
    "lower triangular": np.tril(random((6, 6))),
    "swap": np.array([[0.0, 1.0], [1.0, 0.0]]),
    "turn": np.array([[0.0, 1.0], [-1.0, 0.0]]),
}


@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("complex_form", (False, True))
def test_schur_form_of_hard_matrices(name: str, complex_form: bool):
    check_schur(HARD[name].astype("complex128" if complex_form else "float64"))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", (0, 1, 2, 3, 4, 10, 33))
def test_schur_form(n: int, dtype: str):
    for seed in range(3):
        check_schur(random((n, n), dtype, seed))


def check_schur(a: np.ndarray) -> None:
    t, z = map(np.asarray, lax.schur(a))
    scale = max(np.abs(a).max(initial=0), np.finfo(a.dtype).tiny)
    assert_near(z @ (t / scale) @ adjoint(z), a / scale)
    assert_orthonormal(z)
    if a.dtype.kind == "c":
        assert not np.tril(t, -1).any()
        return
    assert not np.tril(t, -2).any()
    below = np.nonzero(np.diagonal(t, -1))[0]
    assert (np.diff(below) > 1).all()
    for k in below:
        assert t[k, k] == t[k + 1, k + 1] and np.sign(t[k, k + 1]) == -np.sign(t[k + 1, k])


def test_complex_schur_form_from_the_real_one():
    a = random((9, 9))
    t, z = map(np.asarray, scipy_linalg.rsf2csf(*scipy_linalg.schur(a)))
    assert not np.tril(t, -1).any()
    assert_orthonormal(z)
    assert_near(z @ t @ adjoint(z), a.astype(complex))


# ----------------------------------------------------------------- equations


@pytest.mark.parametrize("dtype", ("float32", "complex128"))
@pytest.mark.parametrize("n", SIZES)
def test_triangular_solve(n: int, dtype: str):
    a = np.tril(random((n, n), dtype), -1) / max(n, 1) ** 0.5 + np.diag(2 + np.arange(n) % 3)
    a = a.astype(dtype)
    garbage = np.triu(np.full((n, n), np.nan), 1).astype(dtype)
    b = random((n, 3), dtype)
    for left in (True, False):
        for transpose in (True, False):
            for conjugate in (True, False):
                solve = partial(
                    lax.triangular_solve, left_side=left, lower=True, transpose_a=transpose, conjugate_a=conjugate
                )
                op = a.T if transpose else a
                op = op.conj() if conjugate else op
                x = np.asarray(solve(a + garbage, b if left else b.T))
                assert_near(op @ x if left else x @ op, b if left else b.T)


def test_triangular_solve_leaves_a_unit_diagonal_unseen():
    a = np.tril(random((40, 40)), -1) / 10 + np.diag(np.full(40, np.nan))
    b = random((40, 2))
    x = lax.triangular_solve(a, b, left_side=True, lower=True, unit_diagonal=True)
    assert_near((np.tril(a, -1) + np.eye(40)) @ np.asarray(x), b)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", SIZES)
def test_solve(n: int, dtype: str):
    a, b = random((n, n), dtype), random((n, 2), dtype)
    x = np.asarray(jnp.linalg.solve(a, b))
    # The residual of a stable method is small, however ill-conditioned the matrix.
    assert_near((a @ x - b) / max(np.abs(x).max(initial=1), 1), np.zeros_like(b), 100)
    assert_near(scipy_linalg.lu_solve(scipy_linalg.lu_factor(a), b), x)


def test_solve_of_an_ill_conditioned_matrix_has_a_small_residual():
    a, b = np.asarray(scipy_linalg.hilbert(12)), np.ones(12)
    x = np.asarray(jnp.linalg.solve(a, b))
    assert np.abs(a @ x - b).max() <= 1e-13 * np.abs(x).max()


def test_solve_of_batches_is_that_of_each():
    a, b = random((2, 1, 9, 9)), random((3, 9, 2))
    ours = jnp.linalg.solve(a, b)
    assert_near(ours, np.linalg.solve(a, b), 1e4)
    mapped = jax.vmap(jnp.linalg.solve, in_axes=(None, 2), out_axes=1)(a[0, 0], b.transpose(1, 2, 0))
    assert_near(mapped, np.linalg.solve(a[0, 0], b).transpose(1, 0, 2), 1e4)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", (1, 2, 3, 8, 40))
def test_tridiagonal_solve(n: int, dtype: str):
    dl, d, du = random((3, 2, n), dtype)
    b = random((2, n, 3), dtype)
    dense = np.zeros((2, n, n), dtype)
    i = np.arange(n)
    dense[:, i, i], dense[:, i[1:], i[:-1]], dense[:, i[:-1], i[1:]] = d, dl[:, 1:], du[:, :-1]
    for perturb in (False, True):
        x = np.asarray(lax.tridiagonal_solve(dl, d, du, b, perturb_singular=perturb))
        assert_near((dense @ x - b) / max(np.abs(x).max(), 1), np.zeros_like(b), 100)
    zero = np.zeros_like(d)
    assert np.isnan(np.asarray(lax.tridiagonal_solve(zero, zero, zero, b))).all()
    assert np.isfinite(np.asarray(lax.tridiagonal_solve(zero, zero, zero, b, perturb_singular=True))).all()


def test_least_squares_and_pseudo_inverse():
    a, b = random((9, 4)), random((9, 2))
    x, residuals, rank, s = jnp.linalg.lstsq(a, b)
    wanted = np.linalg.lstsq(a, b, rcond=None)
    assert_near(x, wanted[0], 100)
    assert_near(residuals, wanted[1], 100)
    assert int(rank) == 4
    p = np.asarray(jnp.linalg.pinv(a))
    assert_near(a @ p @ a, a, 100)
    assert_near(adjoint(a @ p), a @ p, 100)


# ----------------------------------------------------------------- functions of matrices


@pytest.mark.parametrize("dtype", DTYPES)
def test_exponential_and_root(dtype: str):
    a = random((6, 6), dtype)
    small = scipy_linalg.expm(a / 64)
    assert_near(scipy_linalg.expm(a), np.linalg.matrix_power(np.asarray(small), 64), 1000)
    root = np.asarray(scipy_linalg.sqrtm(a @ a + 20 * np.eye(6, dtype=dtype)))
    assert_near(root @ root, (a @ a + 20 * np.eye(6)).astype(root.dtype), 500)
    by_eigenvalues = np.asarray(scipy_linalg.funm(a, jnp.exp))
    assert_near(by_eigenvalues, np.asarray(scipy_linalg.expm(a)).astype(by_eigenvalues.dtype), 1e5)


@pytest.mark.parametrize("dtype", ("float64", "complex128"))
@pytest.mark.parametrize("method", ("qdwh", "svd"))
def test_polar(dtype: str, method: str):
    a = random((7, 4), dtype)
    u, p = map(np.asarray, scipy_linalg.polar(a, method=method))
    assert_near(u @ p, a)
    assert_orthonormal(u)
    assert_near(adjoint(p), p)
    assert np.linalg.eigvalsh(p).min() > 0


@pytest.mark.parametrize("method", ("schur", "eigen"))
def test_sylvester(method: str):
    a, b, c = random((5, 5)), random((3, 3)), random((5, 3))
    x = np.asarray(scipy_linalg.solve_sylvester(a, b, c, method=method))
    assert_near(a @ x + x @ b, c, 1000)


@pytest.mark.parametrize("dtype", DTYPES)
def test_eigenvalues_of_a_tridiagonal_matrix(dtype: str):
    d, e = random((8,), dtype).real.astype(dtype), random((7,), dtype)
    values, vectors = map(np.asarray, scipy_linalg.eigh_tridiagonal(d, e))
    dense = np.diag(d) + np.diag(e, 1) + np.diag(e.conj(), -1)
    assert_near(dense @ vectors, vectors * values)


# ----------------------------------------------------------------- what has no decomposition


def test_one_bad_matrix_of_a_batch_spoils_no_other():
    good = np.eye(3) * 4
    batch = np.stack([good, -good, good * np.nan, good])
    for function, wanted in (
        (jnp.linalg.cholesky, np.eye(3) * 2),
        (jnp.linalg.eigvalsh, np.full(3, 4.0)),
        (jnp.linalg.svdvals, np.full(3, 4.0)),
        (lambda a: jnp.linalg.eigvals(a).real, np.full(3, 4.0)),
        (lambda a: lax.schur(a)[0], good),
        (jnp.linalg.inv, good / 16),
    ):
        out = np.asarray(function(batch))
        np.testing.assert_allclose(out[0], wanted)
        np.testing.assert_allclose(out[3], wanted)
        assert np.isnan(out[2]).any()
    assert np.isnan(np.asarray(jnp.linalg.cholesky(batch))[1][np.tril_indices(3)]).all()


def test_singular_matrices_raise_nothing():
    zero = np.zeros((4, 4))
    assert not np.isfinite(np.asarray(jnp.linalg.inv(zero))).any()
    assert float(jnp.linalg.det(zero)) == 0
    assert tuple(map(float, jnp.linalg.slogdet(zero))) == (0, -np.inf)
    np.testing.assert_array_equal(jnp.linalg.pinv(zero), zero)


# ----------------------------------------------------------------- derivatives against differences

SMALL = random((4, 4)) + 4 * np.eye(4)
TALL = random((5, 3))


def fixed_sign(vectors: Any) -> Any:
    """Eigenvectors, each turned so that its largest entry is positive."""
    largest = jnp.take_along_axis(vectors, jnp.argmax(abs(vectors), axis=-2, keepdims=True), axis=-2)
    return vectors * jnp.sign(largest)


def symmetric(a: Any) -> Any:
    return a + a.T


DERIVATIVES: dict[str, tuple[Callable[..., Any], np.ndarray]] = {
    "cholesky": (lambda a: jnp.linalg.cholesky(a @ a.T), SMALL),
    "solve": (lambda a: jnp.linalg.solve(a, a[0]), SMALL),
    "inv": (jnp.linalg.inv, SMALL),
    "det": (jnp.linalg.det, SMALL),
    "slogdet": (lambda a: jnp.linalg.slogdet(a)[1], SMALL),
    "qr": (jnp.linalg.qr, TALL),
    "qr, complete": (lambda a: jnp.linalg.qr(a, "complete")[1], TALL),
    "qr of a wide matrix": (jnp.linalg.qr, TALL.T),
    "qr with pivoting": (lambda a: lax.qr(a, pivoting=True, full_matrices=False)[:2], TALL),
    "qr with pivoting of a wide matrix": (lambda a: lax.qr(a, pivoting=True)[:2], TALL.T),
    "qr with pivoting of a batch": (lambda a: lax.qr(a, pivoting=True)[:2], random((2, 3, 3))),
    "lu": (lambda a: lax.lu(a)[0], SMALL),
    "lu of a tall matrix": (lambda a: lax.lu(a)[0], TALL),
    "lu of a batch of wide ones": (lambda a: lax.lu(a)[0], random((2, 2, 3))),
    "eigh": (lambda a: (jnp.linalg.eigvalsh(a), fixed_sign(jnp.linalg.eigh(a)[1])), symmetric(random((4, 4)))),
    "svd": (lambda a: jnp.linalg.svd(a, full_matrices=False)[1], TALL),
    "svd of a wide matrix": (lambda a: fixed_sign(jnp.linalg.svd(a, full_matrices=False)[0]), TALL.T),
    "pinv": (jnp.linalg.pinv, TALL),
    "lstsq": (lambda a: jnp.linalg.lstsq(a, a[:, 0] ** 2)[0], TALL),
    "expm": (scipy_linalg.expm, SMALL / 4),
    "triangular_solve": (lambda a: lax.triangular_solve(a, a[:, :2], left_side=True, transpose_a=True), SMALL),
    "tridiagonal_solve": (lambda a: lax.tridiagonal_solve(a[0], a[1] + 5, a[2], a.T), SMALL),
    "solve, positive definite": (lambda a: scipy_linalg.solve(a @ a.T, a[0], assume_a="pos"), SMALL),
    "norms": (lambda a: jnp.linalg.norm(a, "nuc") + jnp.linalg.norm(a, 2) + jnp.linalg.cond(a), SMALL),
}
SLOW = ("expm", "norms", "qr with pivoting", "qr, complete", "lu of a tall matrix", "svd of a wide matrix", "lstsq")


@pytest.mark.parametrize("name", [full_depth(name) if name in SLOW else name for name in DERIVATIVES])
def test_derivatives_agree_with_differences(name: str):
    function, a = DERIVATIVES[name]
    check_grads(function, (jnp.asarray(a),), order=2, atol=2e-4, rtol=2e-4)


def test_derivative_of_the_determinant_at_singular_matrices():
    for zeros, wanted in ((1, None), (2, np.zeros((4, 4)))):
        a = jnp.asarray(SMALL * np.array([1.0] * (4 - zeros) + [0.0] * zeros))
        gradient = np.asarray(jax.grad(jnp.linalg.det)(a))
        if wanted is None:
            check_grads(jnp.linalg.det, (a,), order=1, atol=1e-4, rtol=1e-4)
            assert np.abs(gradient).max() > 1
        else:
            np.testing.assert_array_equal(gradient, wanted)


def test_derivative_of_eigenvalues_and_vectors_of_general_matrices():
    a, t = jnp.asarray(SMALL), jnp.asarray(random((4, 4), seed=1))
    step = 1e-6

    def f(a: Any) -> Any:
        return lax.eig(a, enable_eigvec_derivs=True)

    ours = jax.jvp(f, (a,), (t,))[1]
    for out, here, ahead, behind in zip(ours, f(a), f(a + step * t), f(a - step * t), strict=True):
        # The sign of a vector is free, and need not be that of its neighbour.
        ahead, behind = (x * np.sign(np.real(np.sum(np.conj(here) * x, 0))) for x in map(np.asarray, (ahead, behind)))
        if here.ndim == 1:
            ahead, behind = map(np.asarray, (f(a + step * t)[0], f(a - step * t)[0]))
        np.testing.assert_allclose(out, (ahead - behind) / (2 * step), atol=1e-6)
    with pytest.raises(NotImplementedError, match="enable_eigvec_derivs"):
        jax.jvp(lax.eig, (a,), (t,))


@pytest.mark.parametrize("name", ["lu", "qr", "cholesky", "eigh", "svd", "inv"])
def test_complex_derivatives_agree_with_differences(name: str):
    """Along a complex direction, of what does not depend on free phases."""
    functions = {
        "lu": lambda a: lax.lu(a)[0],
        "qr": lambda a: jnp.linalg.qr(a)[0] @ jnp.linalg.qr(a)[1] ** 2,
        "cholesky": lambda a: jnp.linalg.cholesky(a @ a.mT.conj()),
        "eigh": lambda a: abs(jnp.linalg.eigh(a + a.mT.conj())[1]),
        "svd": lambda a: abs(jnp.linalg.svd(a)[0]),
        "inv": jnp.linalg.inv,
    }
    f, step = functions[name], 1e-6
    a, t = random((4, 4), "complex128") + 4 * np.eye(4), random((4, 4), "complex128", seed=1)
    ours = jax.jvp(f, (jnp.asarray(a),), (jnp.asarray(t),))[1]
    difference = (np.asarray(f(a + step * t)) - np.asarray(f(a - step * t))) / (2 * step)
    np.testing.assert_allclose(ours, difference, atol=1e-6)


def test_jitted_and_batched_functions_agree_with_plain_ones():
    a = random((3, 4, 4)) + 4 * np.eye(4)
    for function in (jnp.linalg.inv, jnp.linalg.det, scipy_linalg.expm, jnp.linalg.qr, lambda a: lax.lu(a)[0]):
        plain = jax.tree_util.tree_leaves(function(jnp.asarray(a)))
        for how in (jax.jit(function), jax.vmap(function), jax.jit(jax.vmap(function))):
            for ours, wanted in zip(jax.tree_util.tree_leaves(how(jnp.asarray(a))), plain, strict=True):
                assert_near(ours, wanted, 100)
