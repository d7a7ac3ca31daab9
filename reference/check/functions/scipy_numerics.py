"""Calls of the functions of jax.scipy's smaller modules: transforms, interpolation, integration, iterative solvers."""

from __future__ import annotations

__all__ = ["EXACT", "MORE_EXACT", "MORE_ROUGH", "MORE_SMOOTH", "REFUSED", "ROUGH"]

EXACT = """
numerics.optimize.OptimizeResults._fields
""".strip().splitlines()

MORE_EXACT = """
list(numerics.optimize.minimize(lambda p: jnp.cosh(p - 1).sum(), 0 * row, method='BFGS', options={'gtol': 1e-3})[1:3])
list(numerics.optimize.minimize(lambda p: jnp.cosh(p - 1).sum(), 0 * row, method='BFGS', options={'gtol': 1e-3})[6:])
""".strip().splitlines()

ROUGH = """
numerics.integrate.trapezoid(x), numerics.integrate.trapezoid(m, axis=0, dx=0.5)
numerics.integrate.trapezoid(x, jnp.sort(y))
numerics.vq(m, m[::-1] + 0.3), numerics.vq(i, j[:3]), numerics.fft.dct(x), numerics.fft.idct(x)
numerics.interpolate.RegularGridInterpolator((jnp.arange(8.0),), x)(y)
""".strip().splitlines()

MORE_ROUGH = """
numerics.optimize.minimize(lambda p: (p[0]**2 + p[1] - 11)**2 + (p[0] + p[1]**2 - 7)**2, jnp.ones(2), method='BFGS').x
numerics.optimize.minimize(lambda p: jnp.cosh(p - 1).sum(), 0 * row, method='BFGS', options={'maxiter': 2})[3:6]
numerics.fft.dct(m, axis=0, norm='ortho'), numerics.fft.dct(x, n=11), numerics.fft.dct(i), numerics.fft.dct(row[:1])
numerics.fft.idct(m, axis=0, norm='ortho'), numerics.fft.idct(x, n=11), numerics.fft.idct(i)
numerics.fft.dct(x + 1j * y)
numerics.fft.dctn(m), numerics.fft.dctn(stack, norm='ortho'), numerics.fft.dctn(m, s=(3, 4))
numerics.fft.dctn(stack, axes=(0, 2))
numerics.fft.idctn(m), numerics.fft.idctn(stack, norm='ortho'), numerics.fft.idctn(m, s=(3, 4))
numerics.fft.idctn(stack, axes=(2,))
numerics.interpolate.RegularGridInterpolator((jnp.arange(8.0),), x, 'nearest')(y - 1)
numerics.interpolate.RegularGridInterpolator((jnp.arange(8.0),), x, fill_value=None)(special)
numerics.interpolate.RegularGridInterpolator((row[1:], row[[1, 2, 0]]), m)(jnp.array([[0.3, 0.2], [-1.5, 0.9], [5, 0]]))
numerics.interpolate.RegularGridInterpolator((jnp.arange(2.0), jnp.arange(3.0)), stack, fill_value=7.0)((y, 0.5))
numerics.sparse.linalg.cg(spd, row)[0]
numerics.sparse.linalg.cg(lambda v: spd @ v, row, x0=row, M=jnp.diag(1 / jnp.diag(spd)))[0]
numerics.sparse.linalg.cg(lambda t: {'a': 2 * t['a'], 'b': 3 * t['b']}, {'a': row, 'b': s})
numerics.sparse.linalg.cg(spd, row, maxiter=1)[0], numerics.sparse.linalg.cg(spd, row, tol=0.3)[0]
numerics.sparse.linalg.bicgstab(sq, row)[0], numerics.sparse.linalg.bicgstab(spd, row, M=jnp.eye(3) / 3)[0]
numerics.sparse.linalg.gmres(sq, row), numerics.sparse.linalg.gmres(sq5, x[:5])
numerics.sparse.linalg.gmres(sq, row, restart=2)
numerics.sparse.linalg.gmres(sq5, x[:5], solve_method='incremental')
numerics.sparse.linalg.gmres(sq, row, M=jnp.eye(3) / 3)
""".strip().splitlines()

MORE_SMOOTH = """
numerics.fft.dct(v)
numerics.fft.idct(v, norm='ortho')
numerics.interpolate.RegularGridInterpolator((jnp.arange(3.0),), row * row)(2 * v)
numerics.sparse.linalg.cg(spd, v, tol=1e-7)[0]
numerics.sparse.linalg.bicgstab(sq, v, tol=1e-7)[0]
numerics.sparse.linalg.gmres(sq, v, tol=1e-7)[0]
""".strip().splitlines()

REFUSED = """
numerics.optimize.minimize(lambda p: p @ p, row, method='Nelder-Mead')
numerics.optimize.minimize(lambda p, a: a * p @ p, row, 2.0, method='BFGS')
numerics.fft.dct(x, type=3)
numerics.fft.dct(x, norm='forward')
numerics.fft.dct([1.0])
numerics.fft.dctn(m, s=(1, 2, 3))
numerics.vq(m, row)
numerics.vq([1], row)
numerics.vq(stack, stack)
numerics.interpolate.RegularGridInterpolator((row, row), row)
numerics.interpolate.RegularGridInterpolator((row,), row, 'cubic')
numerics.interpolate.RegularGridInterpolator((row,), row, bounds_error=True)
numerics.interpolate.RegularGridInterpolator((row,), row, fill_value=1j)
numerics.interpolate.RegularGridInterpolator((row,), row)((x, x))
numerics.sparse.linalg.cg(m, row)
numerics.sparse.linalg.cg(3.0, row)
numerics.sparse.linalg.cg(spd, row, x0={'a': row})
numerics.sparse.linalg.gmres(spd, row, solve_method='no such')
""".strip().splitlines()
