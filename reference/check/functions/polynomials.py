"""Calls of jax.numpy's functions of polynomials, and of the Bessel function and window that go with them."""

from __future__ import annotations

__all__ = ["CLOSE", "EXACT", "MORE_CLOSE", "MORE_EXACT", "MORE_SMOOTH", "REFUSED", "SMOOTH", "SUMS"]

EXACT = """
jnp.polymul(row[:0], row[:0])
jnp.roots(jnp.zeros(3), strip_zeros=False)
jnp.polyint(x), jnp.polyint(x,2), jnp.polyint(i), jnp.polyint(row,0), jnp.polyint(row,3,k=row), jnp.polyint(row,k=2)
jnp.polydiv(x,row), jnp.polydiv(row,x), jnp.polydiv(i,2*row), jnp.polydiv(x,row,trim_leading_zeros=True)
jnp.polydiv(h, h[4:]), jnp.polydiv(i,j)
jnp.polyder(x[:1])
jnp.polyval(row[:0], x)
""".strip().splitlines()

CLOSE = """
jnp.i0(x), jnp.i0(i), jnp.i0(special), jnp.i0(h), jnp.kaiser(5, 2.0), jnp.kaiser(1, 3), jnp.kaiser(0, 3)
jax.grad(jnp.i0)(0.), jax.grad(jnp.i0)(1.5), jax.grad(jax.grad(jnp.i0))(1.5), jax.vmap(jnp.i0)(x), jax.jit(jnp.i0)(x)
jnp.polymul(x*0, x*0, trim_leading_zeros=True)
jax.jit(lambda p: jnp.roots(p, strip_zeros=False))(row)
jnp.polyfit(x, y, 1, w=y), jnp.polyfit(x, jnp.stack([y, x*y], 1), 1, w=y)
jnp.polyfit(x, y, 1)
jnp.polyval(row, x, unroll=2)
""".strip().splitlines()

SUMS = """
jnp.polyfit(x, jnp.stack([y, x], 1), 2)
""".strip().splitlines()

SMOOTH = """
jnp.i0(v)
jnp.polymul(v, v)
jnp.polydiv(v, v[:2])[0]
jnp.polyint(v, 2)
""".strip().splitlines()

REFUSED = """
jnp.kaiser(-1, 3)
jnp.i0(1j)
jnp.i0([1])
jnp.polymul(s, x)
jnp.polymul(m, x)
jnp.poly(m)
jnp.poly(m[None])
jnp.poly([1])
jnp.roots(m)
jax.jit(jnp.roots)(row)
jnp.polyfit(i, j, 1)
jnp.polyfit(x, y, -1)
jnp.polyfit(m, y, 1)
jnp.polyfit(x[:0], y[:0], 1)
jnp.polyfit(x, y[:3], 1)
jnp.polyfit(x, s, 1)
jnp.polyfit(x, y, 1, w=m)
jnp.polyfit(x, y, 1, w=row)
jnp.polyfit(x[:2], y[:2], 1, cov=True)
jnp.polyder(x, -1)
jnp.polyder([1])
jnp.polyder(x, 1.5)
jnp.polyder(s)
jnp.polyint(x,-1)
jnp.polyint(x,2,k=row)
jnp.polyint(x,2,k=[1,2])
jnp.polyint(m)
jnp.polydiv([1],row)
jnp.polydiv(s,row)
jnp.polydiv(row,row[:0])
jax.jit(lambda p: jnp.polydiv(p,row,trim_leading_zeros=True))(x)
jnp.polyval(1.0, x)
jnp.polyval(s, x)
jnp.polyadd(x,m)
jnp.polyadd(s,s)
jnp.polyadd(row[:0],row)
jnp.polysub(b,b)
""".strip().splitlines()

MORE_EXACT = """
jnp.poly(row), jnp.poly(i), jnp.poly(m[:, :2]), jnp.poly(s), jnp.poly(row[:0]), jnp.poly(jnp.array([1j, -1j]))
jnp.roots(jnp.array([0., 0., 1., -3., 2.]), strip_zeros=False), jnp.roots(jnp.zeros(3))
jnp.polyder(x), jnp.polyder(x,2), jnp.polyder(i), jnp.polyder(row,0), jnp.polyder(row,3), jnp.polyder(row,5)
jnp.polyder(m,1)
jnp.polyint(row,2,k=jnp.ones(1)), jnp.polyint(b)
jnp.polyint(x[:0])
jnp.polydiv(x*0,row,trim_leading_zeros=True), jnp.polydiv(row,row,trim_leading_zeros=True)
jnp.polydiv(row[:0],row)
jax.jit(lambda p: jnp.polydiv(p,row))(x), jax.jit(jnp.polyint)(x), jax.jit(jnp.polyder)(x)
jnp.polysub(u8,u8), jnp.polysub(b,i)
jnp.polyval(m, x[:3])
jnp.polyval(i, 2)
""".strip().splitlines()

MORE_CLOSE = """
jnp.kaiser(8, 14), jnp.kaiser(4, s)
jnp.kaiser(2.5, 3)
jax.grad(jax.grad(jnp.i0))(0.)
jnp.polymul(x, row), jnp.polymul(i, j), jnp.polymul(row, x, trim_leading_zeros=True), jnp.polymul(row[:0], x)
jnp.roots(row), jnp.roots(jnp.array([0., 0., 1., -3., 2.])), jnp.roots(s), jnp.roots(i[:0])
jnp.roots(jnp.array([1., 0., 4.])), jnp.roots(jnp.array([2, 4])), jnp.roots(jnp.array([1., -3., 2., 0., 0.]))
jnp.polyfit(x, y, 1, full=True), jnp.polyfit(x, y, 1, cov=True)
jnp.polyfit(x, y, 1, cov='unscaled'), jnp.polyfit(x, jnp.stack([y, x * y], 1), 1, cov=True)
jnp.polyfit(x, y, 1, rcond=0.5), jnp.polyfit(x, y, 1, rcond=1e-3, full=True)
jnp.polyfit(x, y, 1.5)
jnp.polyfit(x, y, 2)
jnp.polyfit(x, y, 0)
""".strip().splitlines()

MORE_SMOOTH = """
jnp.polyder(v)
jnp.polyval(v, v)
jnp.poly(v)
jnp.polyfit(v, v * v, 1)
jnp.kaiser(5, v[0])
""".strip().splitlines()
