"""Calls of jax.numpy.linalg's functions. Signs that are free in vectors are taken out by abs."""

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
jnp.linalg.diagonal(m, offset=1), jnp.linalg.matrix_transpose(m), jnp.linalg.outer(i, j)
jnp.linalg.vector_norm(m, ord=0)
jnp.linalg.matrix_power(sq, 0), jnp.linalg.matrix_power(sq, 1), jnp.linalg.matrix_power(jnp.ones((2, 2), int), 5)
jnp.linalg.matrix_rank(sq), jnp.linalg.matrix_rank(jnp.ones((2, 3, 3))), jnp.linalg.matrix_rank(row)
jnp.linalg.matrix_rank(0.0)
jnp.linalg.matrix_rank(spd, rtol=2.5), jnp.linalg.matrix_rank(spd, tol=jnp.array([0.1, 3.0])[:1])
jnp.linalg.matrix_rank(spd, hermitian=True)
jnp.linalg.matrix_rank(i), jnp.linalg.matrix_rank(jnp.zeros((2, 2)))
jnp.linalg.slogdet(jnp.zeros((4, 4))), jnp.linalg.slogdet(jnp.ones((3, 3))), jnp.linalg.det(jnp.ones((4, 4)))
jnp.linalg.slogdet(jnp.zeros((0, 0))), jnp.linalg.det(jnp.zeros((0, 0))), jnp.linalg.slogdet(jnp.eye(1))
jnp.linalg.cholesky(-spd), jnp.linalg.cholesky(jnp.stack([spd, -spd]))[1], jnp.linalg.cholesky(jnp.zeros((0, 0)))
jnp.linalg.eigvalsh(spd * np.nan), jnp.linalg.svd(sq * np.nan), jnp.linalg.eigh(spd * np.nan)
jnp.linalg.pinv(sq * np.nan)
jnp.linalg.inv(jnp.zeros((2, 2))), jnp.linalg.inv(jnp.zeros((0, 0)))
jnp.linalg.inv(jnp.array([[1.0, 2.0], [2.0, 4.0]]))
jnp.linalg.solve(jnp.zeros((2, 2)), jnp.ones(2)), jnp.linalg.pinv(jnp.zeros((0, 3))), jnp.linalg.pinv(jnp.zeros((3, 2)))
jnp.linalg.cond(jnp.ones((2, 2)), 1), jnp.linalg.cond(jnp.zeros((2, 2))), jnp.linalg.cond(jnp.zeros((2, 2)), -2)
jnp.linalg.lstsq(jnp.zeros((0, 2)), jnp.zeros((0, 3))), jnp.linalg.lstsq(jnp.zeros((2, 0)), jnp.zeros(2))
""".strip().splitlines()

CLOSE = """
jnp.linalg.norm(x), jnp.linalg.norm(m), jnp.linalg.norm(x, 3), jnp.linalg.norm(x, np.inf), jnp.linalg.norm(x, -np.inf)
jnp.linalg.norm(m, 1), jnp.linalg.norm(m, -1), jnp.linalg.norm(m, np.inf), jnp.linalg.norm(m, -np.inf)
jnp.linalg.norm(m, axis=0), jnp.linalg.norm(m, axis=1, keepdims=True), jnp.linalg.norm(m, 'fro', keepdims=True)
jnp.linalg.norm(stack, axis=(0, 2)), jnp.linalg.norm(stack, 1, axis=(2, 0), keepdims=True), jnp.linalg.norm(i)
jnp.linalg.norm(i, 1)
jnp.linalg.matrix_norm(stack), jnp.linalg.matrix_norm(m, ord=1, keepdims=True), jnp.linalg.vector_norm(m, ord=3, axis=0)
jnp.linalg.vector_norm(m), jnp.linalg.vector_norm(m, axis=1, ord=1), jnp.linalg.norm(nans), jnp.linalg.norm(special, 1)
""".strip().splitlines()

SUMS = """
jnp.linalg.cross(row, 2 * row + 1), jnp.linalg.matmul(m, m.T), jnp.linalg.tensordot(m, m), jnp.linalg.vecdot(m, m)
jnp.linalg.trace(stack), jnp.linalg.trace(m, offset=1), jnp.linalg.multi_dot([m, m.T, m])
jnp.linalg.multi_dot([row, m.T, m, row])
jnp.linalg.matrix_power(sq, 2), jnp.linalg.matrix_power(sq, 3), jnp.linalg.matrix_power(sq, 7)
jnp.linalg.matrix_power(stack, 4)
jnp.linalg.det(sq), jnp.linalg.det(sq[:2, :2]), jnp.linalg.det(sq[:1, :1]), jnp.linalg.det(stack)
jnp.linalg.cholesky(spd), jnp.linalg.cholesky(spd, upper=True)
jnp.linalg.cholesky(jnp.tril(spd), symmetrize_input=False)
jnp.linalg.cholesky(jnp.stack([spd, -spd]))[0], jnp.linalg.cholesky(jnp.array([[4, 2], [2, 3]]))
""".strip().splitlines()

# A few hundred ULP of the largest entry: the condition numbers are up to a hundred.
DECOMPOSED = """
jnp.linalg.det(sq5), jnp.linalg.slogdet(sq5), jnp.linalg.slogdet(sq), jnp.linalg.slogdet(sq, method='qr')
jnp.linalg.slogdet(-sq5)
jnp.linalg.slogdet(sq[:2, :2]), jnp.linalg.slogdet(jnp.stack([sq5, -sq5])), jnp.linalg.det(jnp.stack([sq5, -sq5]))
jnp.linalg.solve(sq, row), jnp.linalg.solve(sq, m.T), jnp.linalg.solve(stack, m.T), jnp.linalg.solve(sq, stack)
jnp.linalg.solve(stack, row)
jnp.linalg.solve(sq5, jnp.eye(5)), jnp.linalg.solve(jnp.array([[2, 1], [1, 3]]), jnp.array([1, 2]))
jnp.linalg.solve(stack[None], stack[:, None])
jnp.linalg.inv(sq), jnp.linalg.inv(stack), jnp.linalg.inv(jnp.array([[2, 1], [1, 3]])), jnp.linalg.inv(sq[:1, :1])
jnp.linalg.matrix_power(sq, -1), jnp.linalg.matrix_power(sq, -3)
jnp.linalg.pinv(tall), jnp.linalg.pinv(tall.T), jnp.linalg.pinv(spd, hermitian=True), jnp.linalg.pinv(stack)
jnp.linalg.pinv(jnp.ones((3, 2)))
jnp.linalg.pinv(tall, rtol=0.5), jnp.linalg.pinv(tall, rcond=0.1), jnp.linalg.pinv(jnp.array([[1, 2], [3, 4]]))
jnp.linalg.lstsq(tall, y[:5]), jnp.linalg.lstsq(tall, tall[:, :2])[2:], jnp.linalg.lstsq(sq, row)[0]
jnp.linalg.lstsq(m, y[:2])[0], jnp.linalg.lstsq(jnp.ones((3, 2)), row)
jnp.linalg.lstsq(tall, y[:5], rcond=0.3), jnp.linalg.lstsq(tall, y[:5], rcond=-1)
jnp.linalg.lstsq(m, y[:2], numpy_resid=True)
[abs(q) for q in jnp.linalg.qr(sq)], [abs(q) for q in jnp.linalg.qr(tall)]
[abs(q) for q in jnp.linalg.qr(tall, 'complete')][1:]
abs(jnp.linalg.qr(tall, 'r')), jnp.linalg.qr(tall, 'raw'), [abs(q) for q in jnp.linalg.qr(stack)]
type(jnp.linalg.qr(sq)).__name__
jnp.linalg.eigvalsh(spd), jnp.linalg.eigvalsh(sq), jnp.linalg.eigvalsh(sq, 'U', symmetrize_input=False)
[abs(q) for q in jnp.linalg.eigh(spd)]
[abs(q) for q in jnp.linalg.eigh(sq, 'L', symmetrize_input=False)], type(jnp.linalg.eigh(spd)).__name__
jnp.linalg.eigvalsh(stack)
[abs(q) for q in jnp.linalg.svd(sq)], [abs(q) for q in jnp.linalg.svd(tall, full_matrices=False)]
jnp.linalg.svd(m, compute_uv=False)
[abs(q) for q in jnp.linalg.svd(spd, hermitian=True)], jnp.linalg.svd(sq, compute_uv=False, hermitian=True)
jnp.linalg.svdvals(stack)
[abs(q) for q in jnp.linalg.svd(-spd, hermitian=True)], type(jnp.linalg.svd(sq)).__name__, jnp.linalg.svdvals(empty)
(lambda u, s, vh: u[:, :2] * s @ vh[:2])(*jnp.linalg.svd(m))
(lambda u, s, vh: (u * s @ vh) ** 2)(*jnp.linalg.svd(spd - 3 * jnp.eye(3), hermitian=True))
jnp.linalg.norm(sq, 2), jnp.linalg.norm(sq, -2), jnp.linalg.norm(stack, 'nuc', axis=(1, 2), keepdims=True)
jnp.linalg.matrix_norm(m, ord='nuc')
jnp.linalg.cond(sq), jnp.linalg.cond(m), jnp.linalg.cond(sq, -2), jnp.linalg.cond(sq, 1), jnp.linalg.cond(stack, 'fro')
jnp.linalg.tensorinv(jnp.arange(16.0).reshape(4, 2, 2) % 5 + jnp.eye(4).reshape(4, 2, 2), ind=1)
jnp.linalg.tensorinv(sq, 1)
jnp.linalg.tensorsolve(sq.reshape(3, 3, 1), row), jnp.linalg.tensorsolve(sq5[:4, :4].reshape(2, 2, 4), jnp.eye(2))
jnp.linalg.tensorsolve(sq[None], row[None], axes=(1,))
(lambda w: [jnp.sort(w.real), jnp.sort(abs(w.imag))])(jnp.linalg.eigvals(sq))
(lambda w, v: [jnp.sort(w.real), abs(sq @ v - v * w) < 1e-4])(*jnp.linalg.eig(sq))
""".strip().splitlines()

MORE_SUMS = """
jnp.linalg.det(stack.astype(int)), jnp.linalg.matrix_power(i8[:4].reshape(2, 2), 2)
jnp.linalg.matrix_norm(stack, ord=-1)
""".strip().splitlines()

MORE_DECOMPOSED = """
jnp.linalg.solve(sq + 1j * stack[0], row), jnp.linalg.inv(sq + 1j * stack[0]), jnp.linalg.pinv(tall + 1j * tall[::-1])
jnp.linalg.det(sq + 1j * stack[0]), jnp.linalg.det(sq5 * (1 + 2j)), jnp.linalg.slogdet(sq5 * (1 + 2j))
jnp.linalg.slogdet(sq[:2, :2] * 1j)
jnp.linalg.slogdet(sq5 - 1j * sq5.T), jnp.linalg.cholesky(spd + 0.5j * (sq - sq.T))
jnp.linalg.cholesky(spd + 0.5j * (sq - sq.T), upper=True)
jnp.linalg.eigvalsh(spd + 0.5j * (sq - sq.T)), [abs(q) for q in jnp.linalg.eigh(spd + 0.5j * (sq - sq.T))]
[abs(q) for q in jnp.linalg.svd(sq + 1j * stack[0])], [abs(q) for q in jnp.linalg.qr(tall + 1j * tall[::-1])]
jnp.linalg.lstsq(tall + 1j * tall[::-1], y[:5]), jnp.linalg.norm(sq * 1j + 1), jnp.linalg.norm(sq * 1j + 1, 'nuc')
jnp.linalg.norm(sq[0] * 1j + 1, 3)
jnp.linalg.matrix_power(sq * (1 + 1j), 3), jnp.linalg.cond(sq + 1j * stack[0]), jnp.linalg.vector_norm(sq * 1j + 1)
jnp.linalg.multi_dot([m * 1j, sq, m.T])
jnp.linalg.inv(jnp.broadcast_to(sq, (2, 2, 3, 3)))
jnp.linalg.pinv(jnp.stack([tall, 2 * tall]), rtol=jnp.array([0.1, 0.2]))
jnp.linalg.slogdet(jnp.broadcast_to(sq5, (2, 2, 5, 5)), method='qr'), jnp.linalg.cond(stack)
jnp.linalg.cond(sq, np.inf)
(lambda w, v: [w, type(w).__name__, abs(v)])(*jnp.linalg.eigh(stack + stack.mT))
[abs(q) for q in jnp.linalg.qr(jnp.zeros((3, 0)))], [q.shape for q in jnp.linalg.svd(empty)]
[q.shape for q in jnp.linalg.eigh(jnp.zeros((0, 0)))]
""".strip().splitlines()

SMOOTH = """
jnp.linalg.solve(sq + jnp.diag(v), row)
jnp.linalg.inv(sq * v)
jnp.linalg.det(sq * v), jnp.linalg.slogdet(jnp.kron(jnp.eye(2), sq * v))[1]
jnp.linalg.norm(sq * v), jnp.linalg.norm(v, 3), jnp.linalg.norm(sq * v, 'nuc')
jnp.linalg.pinv(tall * v)
jnp.linalg.cholesky(spd + jnp.diag(v))
jnp.linalg.eigvalsh(spd * v)
jnp.linalg.lstsq(tall * v, y[:5])[0]
jnp.linalg.matrix_power(sq * v, 3)
jnp.abs(jnp.linalg.svd(sq * v)[2])
""".strip().splitlines()
SMOOTH = [f"jnp.concatenate([jnp.ravel(q) for q in [{call}]])" for call in SMOOTH]

MORE_SMOOTH = """
jnp.linalg.det(jnp.outer(v, v)), jnp.linalg.det(jnp.kron(jnp.eye(2), jnp.outer(v, v)[:2, :2] + sq[:2, :2]))
jnp.linalg.det(jnp.ones((4, 4)) * v[0] + jnp.diag(jnp.array([1.0, 2.0, 3.0, 0.0])))
jnp.linalg.slogdet(sq[:2, :2] * v[:2])[1], jnp.linalg.slogdet(sq * v, method='qr')[1]
jnp.linalg.qr(sq * v)[1] ** 2
jnp.linalg.pinv(m * v), jnp.linalg.pinv(spd * v, hermitian=True)
jnp.linalg.cond(sq * v), jnp.linalg.cond(sq * v, 1)
jnp.linalg.solve(stack * v, row), jnp.linalg.solve(sq * v, stack)
jnp.abs(jnp.linalg.eigh(spd * v)[1])
jnp.linalg.eigvals(spd * v).real
""".strip().splitlines()
MORE_SMOOTH = [f"jnp.concatenate([jnp.ravel(q) for q in [{call}]])" for call in MORE_SMOOTH]

REFUSED = """
jnp.linalg.solve(sq, y)
jnp.linalg.solve(m, row)
jnp.linalg.solve(row, row)
jnp.linalg.solve(stack, m)
jnp.linalg.solve([[1.0]], row)
jnp.linalg.inv(m)
jnp.linalg.inv(row)
jnp.linalg.det(m)
jnp.linalg.slogdet(m)
jnp.linalg.slogdet(sq, method='svd')
jnp.linalg.cholesky(m)
jnp.linalg.cholesky(row)
jnp.linalg.cholesky(spd.astype('float16'))
jnp.linalg.eig(m)
jnp.linalg.eigh(m)
jnp.linalg.eigh(sq, 'X')
jnp.linalg.svd(row)
jnp.linalg.svd(sq, subset_by_index=(0, 1))
jnp.linalg.qr(row)
jnp.linalg.qr(sq, 'economic')
jnp.linalg.matrix_power(m, 2)
jnp.linalg.matrix_power(sq, 1.5)
jnp.linalg.matrix_rank(sq, rtol=0.1, tol=0.1)
jnp.linalg.pinv(sq, rtol=0.1, rcond=0.1)
jnp.linalg.lstsq(sq, y)
jnp.linalg.lstsq(row, row)
jnp.linalg.lstsq(stack, m)
jnp.linalg.norm(stack, 2)
jnp.linalg.norm(m, 3)
jnp.linalg.norm(x, 'fro')
jnp.linalg.cond(row)
jnp.linalg.cond(m, 1)
jnp.linalg.cond(empty)
jnp.linalg.tensorinv(m)
jnp.linalg.tensorinv(sq, 0)
jnp.linalg.tensorsolve(sq, m)
jnp.linalg.cross(m, m[:, :2])
jnp.linalg.outer(m, row)
jnp.linalg.multi_dot([m, m])
jnp.linalg.matrix_transpose(row)
jax.grad(lambda v: jnp.linalg.eig(sq * v)[1].real.sum())(row)
jax.grad(lambda v: jnp.linalg.svd(tall * v)[0].sum())(row)
""".strip().splitlines()

# Most calls cost JAX a compilation or several: the default depth has one in five.
MORE_EXACT = [call for i, call in enumerate(EXACT) if i % 5]
MORE_CLOSE = [call for i, call in enumerate(CLOSE) if i % 5]
MORE_SUMS += [call for i, call in enumerate(SUMS) if i % 5]
MORE_DECOMPOSED += [call for i, call in enumerate(DECOMPOSED) if i % 5]
MORE_SMOOTH += [call for i, call in enumerate(SMOOTH) if i % 5]
EXACT = EXACT[::5]
CLOSE = CLOSE[::5]
SUMS = SUMS[::5]
DECOMPOSED = DECOMPOSED[::5]
SMOOTH = SMOOTH[::5]
