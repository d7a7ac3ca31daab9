"""Callbacks with results, and those that only look on; test_effects.py compares what they see, and how often."""

from __future__ import annotations

EXACT = """
jax.pure_callback(np.sort, jax.ShapeDtypeStruct((8,), "float32"), x)
jax.jit(lambda t: jax.pure_callback(lambda a, *, k: {"up": a + k, "n": 3}, {"up": t, "n": i[0]}, t, k=2.0))(x)
jax.vmap(lambda r: jax.pure_callback(np.cumsum, r, r, vmap_method="sequential"))(m)
jax.lax.scan(lambda c, t: (c + jax.pure_callback(np.floor, t, t), c), 0.0, x)
(jax.debug.callback(lambda *a, **k: None, x, "word", None, k=[m]), jax.debug.log("{} {t.shape}", s, t=m))
""".strip().splitlines()

MORE_EXACT = """
jax.jit(lambda t: jax.pure_callback(lambda a: (a > 0, a.sum()), (t > 0, s), t))(x)
jax.vmap(lambda r: jax.pure_callback(lambda a, b: a + b, r, r, s, vmap_method="expand_dims"))(m)
jax.vmap(lambda r: jax.pure_callback(lambda a, b: a * b, r, r, row, vmap_method="broadcast_all"))(m)
jax.vmap(lambda r: jax.pure_callback(lambda a, b: a * b, r, r, row, vmap_method="legacy_vectorized"))(m)
jax.vmap(lambda r: jax.pure_callback(np.flip, r, r, vmap_method="sequential_unrolled"))(m)
jax.grad(lambda t: (t * jax.pure_callback(np.sign, t, jax.lax.stop_gradient(t))).sum())(x)
jax.pure_callback(lambda: 1, jax.ShapeDtypeStruct((), "int32"))
jax.pure_callback(lambda a: None, None, empty)
""".strip().splitlines()

REFUSED = """
jax.grad(lambda t: jax.pure_callback(np.sin, t, t))(s)
jax.vmap(lambda r: jax.pure_callback(np.cumsum, r, r))(m)
jax.pure_callback(np.cumsum, row, x)
jax.pure_callback(np.sin, s, "word")
jax.pure_callback(np.sin, jax.ShapeDtypeStruct((), "float64"), s)
jax.debug.print("{}", s, s)
""".strip().splitlines()
