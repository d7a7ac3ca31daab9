"""Calls of jax.scipy.linalg's functions. Signs that are free in vectors are taken out by abs."""

from __future__ import annotations

__all__ = [
    "CLOSE",
    "DECOMPOSED",
    "EXACT",
    "MORE_CLOSE",
    "MORE_DECOMPOSED",
    "MORE_EXACT",
    "MORE_SMOOTH",
    "MORE_SUMS",
    "REFUSED",
    "SMOOTH",
    "SUMS",
]

EXACT = """
jax.scipy.linalg.block_diag(m, row, s, i), jax.scipy.linalg.block_diag(), jax.scipy.linalg.block_diag(b, i8)
jax.scipy.linalg.toeplitz(x), jax.scipy.linalg.toeplitz(x, y[:3]), jax.scipy.linalg.toeplitz(m, row)
jax.scipy.linalg.toeplitz(i, x)
jax.scipy.linalg.toeplitz(s), jax.scipy.linalg.toeplitz(empty[:, 0]), jax.scipy.linalg.hankel(x)
jax.scipy.linalg.hankel(m, row)
jax.scipy.linalg.hankel(i, j), jax.scipy.linalg.circulant(x), jax.scipy.linalg.circulant(m)
jax.scipy.linalg.circulant(s)
jax.scipy.linalg.convolution_matrix(x, 3), jax.scipy.linalg.convolution_matrix(row, 4, 'same')
jax.scipy.linalg.convolution_matrix(x, 3, mode='valid'), jax.scipy.linalg.convolution_matrix(m, 2)
jax.scipy.linalg.fiedler(x), jax.scipy.linalg.fiedler(i), jax.scipy.linalg.fiedler(m)
jax.scipy.linalg.leslie(row, row[1:])
jax.scipy.linalg.leslie(i[:3], row[1:]), jax.scipy.linalg.leslie(m, row[1:])
jax.scipy.linalg.hadamard(4), jax.scipy.linalg.hadamard(1, 'float32'), jax.scipy.linalg.hilbert(4)
jax.scipy.linalg.companion(i[2:] + 2), jax.scipy.linalg.fiedler_companion(row[:1])
jax.scipy.linalg.expm(jnp.zeros((3, 3))), jax.scipy.linalg.expm(jnp.full((2, 2), 1e9)), jax.scipy.linalg.cholesky(-spd)
jax.scipy.linalg.hessenberg(jnp.zeros((0, 0)), calc_q=True), jax.scipy.linalg.eigh_tridiagonal(row[:1], row[:0])
jax.scipy.linalg.solve_sylvester(sq, -sq, sq), type(jax.scipy.linalg.qr(sq)).__name__
type(jax.scipy.linalg.lu(sq)).__name__
""".strip().splitlines()

CLOSE = """
jax.scipy.linalg.companion(row), jax.scipy.linalg.companion(m + 3), jax.scipy.linalg.fiedler_companion(y)
jax.scipy.linalg.fiedler_companion(m + 3)
jax.scipy.linalg.helmert(4), jax.scipy.linalg.helmert(3, full=True), jax.scipy.linalg.helmert(1)
""".strip().splitlines()

SUMS = """
jax.scipy.linalg.cholesky(spd), jax.scipy.linalg.cholesky(spd, lower=True), jax.scipy.linalg.cho_factor(spd)
jax.scipy.linalg.det(sq)
""".strip().splitlines()

DECOMPOSED = """
jax.scipy.linalg.pascal(5), jax.scipy.linalg.pascal(4, 'lower'), jax.scipy.linalg.pascal(4, 'upper')
jax.scipy.linalg.invpascal(4)
jax.scipy.linalg.invpascal(4, 'lower'), jax.scipy.linalg.invpascal(4, 'upper'), jax.scipy.linalg.invhilbert(3)
(lambda q: [q.real, q.imag])(jax.scipy.linalg.dft(5))
abs(jax.scipy.linalg.dft(3, 'n'))
abs(jax.scipy.linalg.dft(3, 'sqrtn'))
jax.scipy.linalg.cho_solve(jax.scipy.linalg.cho_factor(spd), row), jax.scipy.linalg.cho_solve((spd, True), m.T)
jax.scipy.linalg.lu(sq), jax.scipy.linalg.lu(m), jax.scipy.linalg.lu(tall, permute_l=True)
jax.scipy.linalg.lu_factor(sq)
jax.scipy.linalg.lu_solve(jax.scipy.linalg.lu_factor(sq), row)
jax.scipy.linalg.lu_solve(jax.scipy.linalg.lu_factor(sq), m.T, trans=1)
jax.scipy.linalg.inv(sq), jax.scipy.linalg.solve(sq, row), jax.scipy.linalg.solve(spd, row, assume_a='pos')
jax.scipy.linalg.solve(spd, m.T, assume_a='pos', lower=True), jax.scipy.linalg.solve(spd, row, assume_a='her')
jax.scipy.linalg.solve_triangular(sq, row), jax.scipy.linalg.solve_triangular(sq, m.T, lower=True, trans='T')
jax.scipy.linalg.solve_triangular(sq, row, trans=2, unit_diagonal=True), jax.scipy.linalg.solve_triangular(stack, m.T)
[abs(q) for q in jax.scipy.linalg.eigh(spd)], jax.scipy.linalg.eigh(spd, eigvals_only=True)
jax.scipy.linalg.eigh(sq, lower=False)[0]
[abs(q) for q in jax.scipy.linalg.svd(m)], jax.scipy.linalg.svd(m, compute_uv=False)
[abs(q) for q in jax.scipy.linalg.qr(tall)][1:], [abs(q) for q in jax.scipy.linalg.qr(tall, mode='economic')]
[abs(q) for q in jax.scipy.linalg.qr(sq, mode='r')], [abs(q) for q in jax.scipy.linalg.qr(sq, pivoting=True)]
[abs(q) for q in jax.scipy.linalg.qr(sq, mode='r', pivoting=True)]
[abs(q) for q in jax.scipy.linalg.qr_multiply(tall, tall.T)]
[abs(q) for q in jax.scipy.linalg.qr_multiply(tall, row, 'left')]
jax.scipy.linalg.hessenberg(sq5), jax.scipy.linalg.hessenberg(sq5, calc_q=True), jax.scipy.linalg.hessenberg(stack)
jax.scipy.linalg.polar(tall), jax.scipy.linalg.polar(m, 'left'), jax.scipy.linalg.polar(sq, method='svd')
jax.scipy.linalg.expm(sq), jax.scipy.linalg.expm(sq / 9), jax.scipy.linalg.expm(3 * sq)
jax.scipy.linalg.expm(jnp.triu(sq), upper_triangular=True)
jax.scipy.linalg.expm(stack), jax.scipy.linalg.expm(jnp.array([[0, 1], [2, 3]])), jax.scipy.linalg.expm_frechet(sq, spd)
jax.scipy.linalg.eigh_tridiagonal(row, y[:2], eigvals_only=True)
jax.scipy.linalg.eigh_tridiagonal(row, y[:2], eigvals_only=True, select='i', select_range=(1, 2))
[abs(q) for q in jax.scipy.linalg.eigh_tridiagonal(y, x[:7])]
(lambda T, Z: [abs(jnp.diag(T)), Z @ T @ Z.T])(*jax.scipy.linalg.schur(sq))
(lambda T, Z: (Z @ T @ Z.conj().T).real)(*jax.scipy.linalg.schur(sq, 'complex'))
(lambda q: [q.real, abs(q.imag) < 1e-4])(jax.scipy.linalg.sqrtm(spd))
(lambda q: [q.real, abs(q.imag) < 1e-4])(jax.scipy.linalg.funm(sq, jnp.exp))
(lambda T, Z: [abs(T), (Z @ T @ Z.conj().T).real])(*jax.scipy.linalg.rsf2csf(*jax.scipy.linalg.schur(stack[1])))
jax.scipy.linalg.solve_sylvester(sq, spd, sq), jax.scipy.linalg.solve_sylvester(spd, sq[:2, :2] + 1, m.T)
""".strip().splitlines()

MORE_DECOMPOSED = """
jax.scipy.linalg.expm(sq * (1 + 1j)), jax.scipy.linalg.polar(tall + 1j * tall[::-1])
jax.scipy.linalg.polar(m * 1j + 1, 'left')
jax.scipy.linalg.cholesky(spd + 0.5j * (sq - sq.T))
jax.scipy.linalg.cho_solve(jax.scipy.linalg.cho_factor(spd + 0.5j * (sq - sq.T)), row)
jax.scipy.linalg.solve_triangular(sq + 1j * stack[0], row, trans='C')
jax.scipy.linalg.solve_triangular(sq + 1j, row, trans='T', lower=True)
jax.scipy.linalg.lu(sq + 1j * stack[0])
jax.scipy.linalg.lu_solve(jax.scipy.linalg.lu_factor(sq + 1j * stack[0]), row, trans=2)
jax.scipy.linalg.solve(spd + 0.5j * (sq - sq.T), row, assume_a='pos')
jax.scipy.linalg.hessenberg(sq + 1j * stack[0], calc_q=True)
jax.scipy.linalg.toeplitz(row + 1j * m[0]), jax.scipy.linalg.toeplitz(row * 1j, row)
jax.scipy.linalg.block_diag(row * 1j, m)
jax.scipy.linalg.eigh_tridiagonal(row * (1 + 0j), row[:2] * 1j, eigvals_only=True)
jax.scipy.linalg.solve_sylvester(sq * 1j, spd, sq)
jax.scipy.linalg.polar(tall.T, side='left', method='svd')
jax.scipy.linalg.polar(stack)
jax.scipy.linalg.expm_frechet(sq, spd, compute_expm=False), jax.scipy.linalg.expm(100 * sq, max_squarings=3)
jax.scipy.linalg.cho_solve((jnp.stack([spd, spd]), False), m.T)
jax.scipy.linalg.lu_solve(jax.scipy.linalg.lu_factor(stack), row)
jax.scipy.linalg.lu_solve(jax.scipy.linalg.lu_factor(sq), row, trans=2), jax.scipy.linalg.solve(stack, m.T)
jax.scipy.linalg.solve(stack, row)
jax.scipy.linalg.solve_sylvester(sq, spd, sq, method='eigen'), jax.scipy.linalg.solve_sylvester(stack, spd, sq)
(lambda q, e: [q.real, abs(q.imag) < 1e-4])(*jax.scipy.linalg.funm(sq, jnp.sin, disp=False))
abs(jax.scipy.linalg.sqrtm(sq))
[abs(q) for q in jax.scipy.linalg.qr_multiply(tall, row, 'left', pivoting=True)]
[abs(q) for q in jax.scipy.linalg.qr_multiply(sq, sq, conjugate=True)]
[abs(q) for q in jax.scipy.linalg.qr_multiply(m, m[:, :2])], jax.scipy.linalg.hessenberg(stack, calc_q=True)
""".strip().splitlines()

SMOOTH = """
jax.scipy.linalg.expm(sq * v)
jax.scipy.linalg.solve(spd + jnp.diag(v), row, assume_a='pos')
jax.scipy.linalg.toeplitz(v, 2 * v)
""".strip().splitlines()

MORE_SMOOTH = """
jax.scipy.linalg.solve_triangular(sq * v, row, lower=True)
jax.scipy.linalg.lu_solve(jax.scipy.linalg.lu_factor(sq * v), row, trans=1)
jax.scipy.linalg.cho_solve(jax.scipy.linalg.cho_factor(spd + jnp.diag(v)), row)
jax.scipy.linalg.polar(sq * v, method='svd')[0]
jax.scipy.linalg.companion(v), jax.scipy.linalg.fiedler(v), jax.scipy.linalg.circulant(v)
jax.scipy.linalg.block_diag(v, 2 * v), jax.scipy.linalg.hankel(v)
jax.scipy.linalg.expm_frechet(sq * v, spd)[1]
jax.scipy.linalg.lu(sq * v)[2]
""".strip().splitlines()
SMOOTH = [f"jnp.concatenate([jnp.ravel(q) for q in [{call}]])" for call in SMOOTH]
MORE_SMOOTH = [f"jnp.concatenate([jnp.ravel(q) for q in [{call}]])" for call in MORE_SMOOTH]

REFUSED = """
jax.scipy.linalg.block_diag(stack)
jax.scipy.linalg.hankel(s)
jax.scipy.linalg.convolution_matrix(x, 0)
jax.scipy.linalg.convolution_matrix(x, 2, 'wrap')
jax.scipy.linalg.convolution_matrix(s, 2)
jax.scipy.linalg.leslie(row, row)
jax.scipy.linalg.companion(row[:1])
jax.scipy.linalg.fiedler_companion(row[:0])
jax.scipy.linalg.toeplitz([1.0, 2.0])
jax.scipy.linalg.hadamard(3)
jax.scipy.linalg.helmert(0)
jax.scipy.linalg.pascal(3, 'diagonal')
jax.scipy.linalg.invpascal(3, 'diagonal')
jax.scipy.linalg.dft(3, 'sqrt')
jax.scipy.linalg.dft(3, dtype='float32')
jax.scipy.linalg.expm(m)
jax.scipy.linalg.expm(sq.astype('float16'))
jax.scipy.linalg.expm_frechet(sq, stack)
jax.scipy.linalg.funm(m, jnp.exp)
jax.scipy.linalg.sqrtm(sq, 2)
jax.scipy.linalg.schur(sq, 'imaginary')
jax.scipy.linalg.schur(m)
jax.scipy.linalg.rsf2csf(m, sq)
jax.scipy.linalg.rsf2csf(sq, sq5)
jax.scipy.linalg.solve(sq, row, assume_a='upper')
jax.scipy.linalg.solve(sq, y, assume_a='pos')
jax.scipy.linalg.solve_triangular(sq, row, trans='X')
jax.scipy.linalg.solve_triangular(m, row)
jax.scipy.linalg.eigh(spd, spd)
jax.scipy.linalg.eigh(spd, type=2)
jax.scipy.linalg.eigh_tridiagonal(row, row[:2], select='v')
jax.scipy.linalg.eigh_tridiagonal(row, row[:2], select='i')
jax.scipy.linalg.eigh_tridiagonal(row, i[:2])
jax.scipy.linalg.polar(row)
jax.scipy.linalg.polar(sq, 'top')
jax.scipy.linalg.polar(m)
jax.scipy.linalg.polar(tall, method='newton')
jax.scipy.linalg.qr(sq, mode='raw')
jax.scipy.linalg.qr_multiply(tall, row)
jax.scipy.linalg.qr_multiply(tall, row, 'both')
jax.scipy.linalg.lu_solve(jax.scipy.linalg.lu_factor(sq), row, trans=3)
jax.scipy.linalg.solve_sylvester(sq, spd, m)
jax.scipy.linalg.solve_sylvester(sq, spd, sq, method='direct')
""".strip().splitlines()

# Most calls cost JAX a compilation or several: the default depth has one in eight.
MORE_EXACT = [call for i, call in enumerate(EXACT) if i % 8]
MORE_CLOSE = [call for i, call in enumerate(CLOSE) if i % 8]
MORE_SUMS = [call for i, call in enumerate(SUMS) if i % 8]
MORE_DECOMPOSED += [call for i, call in enumerate(DECOMPOSED) if i % 8]
MORE_SMOOTH += [call for i, call in enumerate(SMOOTH) if i % 8]
EXACT = EXACT[::8]
CLOSE = CLOSE[::8]
SUMS = SUMS[::8]
DECOMPOSED = DECOMPOSED[::8]
SMOOTH = SMOOTH[::8]
