"""Loops, branches, implicit solutions and general reductions."""

from __future__ import annotations

EXACT = """
jax.lax.scan(lambda c, x: (c + x, c * x), jnp.int32(1), i)
jax.lax.scan(lambda c, x: (c + x, {"a": c, "b": (x,)}), 1, i, reverse=True, unroll=2)
jax.lax.scan(lambda c, x: (c, x), {"k": i}, {"p": i, "q": j}, unroll=True)
jax.lax.while_loop(lambda c: c[0] < 50, lambda c: (c[0] * 3, c[1] + 1), (2, 0))
jax.vmap(lambda n: jax.lax.while_loop(lambda c: c < 9, lambda c: 2 * c + 1, n))(jnp.abs(i))
jax.lax.fori_loop(0, 4, lambda k, c: c * 2 + k, i)
jax.lax.fori_loop(i[3], i[4], lambda k, c: c + k, 1)
jax.lax.cond(i[3] > 1, lambda k: k + 1, lambda k: k - 1, i)
jax.vmap(lambda p, k: jax.lax.cond(p, lambda k: k + 1, lambda k: -k, k))(i > 0, j)
jax.lax.switch(i[4], [lambda k: k, lambda k: k * 2, lambda k: k * 3], j)
jax.lax.map(lambda k: k * k, i)
jax.lax.map(lambda k: {"a": k, "b": -k}, i, batch_size=2)
jax.lax.associative_scan(jnp.add, i)
jax.lax.platform_dependent(i, cpu=lambda k: k + 1, default=lambda k: k)
jax.lax.reduce(i, 0, jax.lax.add, (0,))
jax.lax.reduce((i, j), (0, 0), lambda p, q: (p[0] + q[0], jnp.maximum(p[1], q[1])), [0])
""".strip().splitlines()

MORE_EXACT = """
jax.lax.scan(lambda c, _: (c * 2, None), 1, None, length=5)
jax.lax.fori_loop(5, 2, lambda k, c: c + 1, i)
jax.lax.fori_loop(0, 3, lambda k, c: c + k, 0, unroll=3)
jax.lax.cond(False, lambda: (1, 2.0), lambda: (i[0], s))
jax.lax.cond(2, i, lambda k: k + 1, j, lambda k: k - 1)
jax.vmap(lambda n, k: jax.lax.switch(n, [lambda k: k, lambda k: k * 2, lambda k: k * 3], k))(i, j)
jax.lax.map(lambda k: k + 1, i, batch_size=0)
jax.lax.associative_scan(jnp.maximum, j, reverse=True)
jax.lax.reduce(i, np.int32(7), jax.lax.add, (0,))
jax.lax.reduce(b, False, jax.lax.bitwise_xor, (0,))
""".strip().splitlines()

SUMS = """
jax.lax.scan(lambda c, x: (jnp.sin(c) * x, c + x), s, x)
jax.lax.custom_root(lambda t: t * t - s, 1.0, lambda f, t: jnp.sqrt(s), lambda g, t: t / g(1.0))
jax.lax.custom_linear_solve(lambda t: spd @ t, row, lambda mv, b: jnp.linalg.solve(spd, b), symmetric=True)
jax.lax.reduce(m, np.float32(0), lambda p, q: p + q + p * q, (0,))
jax.lax.associative_scan(lambda p, q: (p[0] * q[0], p[1] * q[0] + q[1]), (m, m), axis=1)
""".strip().splitlines()

SMOOTH = """
jax.lax.scan(lambda c, x: (jnp.sin(c) * x, c * c), v[0], v)[1]
jax.lax.fori_loop(0, 3, lambda k, c: jnp.cos(c) * v + k, v)
jax.lax.cond(v[0] > 0.2, lambda t: jnp.exp(t) * v, lambda t: t, v)
jax.lax.custom_root(lambda t: t**3 - v[0], 0.9, lambda f, t: jnp.cbrt(v[0]), lambda g, t: t / g(1.0))
""".strip().splitlines()

MORE_SMOOTH = """
jax.lax.switch(1, [jnp.sin, jnp.exp, jnp.cos], v)
jax.lax.map(jnp.tanh, v, batch_size=2)
jax.lax.associative_scan(jnp.multiply, v)
""".strip().splitlines()

REFUSED = """
jax.lax.scan(lambda c, x: (c[:2], x), x, x)
jax.lax.scan(lambda c, x: c, s, x)
jax.lax.while_loop(lambda c: c, lambda c: c, s)
jax.lax.fori_loop(0, s, lambda k, c: c, s)
jax.lax.cond(x, lambda: 1, lambda: 2)
jax.lax.cond(True, lambda: x, lambda: s)
jax.lax.switch(s, [lambda: 1, lambda: 2])
jax.lax.switch(0, [])
jax.lax.map(3, x)
jax.lax.associative_scan(jnp.add, (x, row))
jax.lax.reduce(x, x, lambda p, q: p * q, (0,))
jax.grad(lambda t: jax.lax.while_loop(lambda c: c < 3, lambda c: c * 2, t))(1.0)
""".strip().splitlines()
