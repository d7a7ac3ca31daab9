"""Calls of functions of jax.lax that stand by themselves."""

from __future__ import annotations

__all__ = ["EXACT", "MORE_EXACT", "REFUSED"]

EXACT = """
jax.lax.rng_bit_generator(jnp.arange(4, dtype='uint32'), (5,))
jax.lax.rng_bit_generator(jnp.uint32([9, 2**32 - 1, 1, 7]), ())
[jax.lax.rng_bit_generator(jnp.uint32([1, 2, 3, 4]), n, 'uint32', 1) for n in [(), (1,), (2, 0), (7, 1), (3, 5)]]
jax.jit(lambda k: jax.lax.rng_bit_generator(k, (5,)))(jnp.arange(4, dtype='uint32'))
jax.lax.approx_max_k(x, 3, aggregate_to_topk=False), jax.lax.approx_max_k(h, 2)
jax.lax.approx_max_k(jnp.arange(10000.) * 7 % 10007, 3, aggregate_to_topk=False)
jax.lax.approx_max_k(jnp.ones((1000, 2)), 20, 0, recall_target=0.99, aggregate_to_topk=False)[1].shape
jax.lax.approx_max_k(jnp.arange(2048.0), 3, -1, 0.95, 9999, False)[0].shape
jax.lax.approx_max_k(jnp.arange(1024.0), 3, -1, 0.95, 9999, False)[0].shape
jax.lax.mulhi(jnp.int32([2**30, -5, 7]), jnp.int32([2**30, 3, -2**31])), jax.lax.mulhi(u8, u8[::-1])
jax.lax.mulhi(jnp.int16([-2**15, 99]), jnp.int16([-2**15, -300])), jax.lax.mulhi(3, 4)
jax.lax.index_take(m, (jnp.array([0, -1, 5]), jnp.array([1, 2, 0])), (0, 1))
jax.lax.dtype(jnp.float32), jax.lax.dtype(True)
jax.lax.rng_uniform(2., 3., (50,)) < 3, jax.lax.rng_uniform(2, 3, (5,)), jax.lax.rng_uniform(2., 3., (50,)) >= 2
str(jax.lax.DotAlgorithm(1, 2, 3))
jax.lax.composite(lambda p, *, n: {'a': p[0] * n, 'b': p[1]}, 'checks.pair')((x, i), n=2)
jax.jit(jax.lax.composite(lambda p: p + 1, 'checks.one'))(m)
""".strip().splitlines()

REFUSED = """
jax.grad(jax.lax.composite(lambda p: p * p, 'checks.square'))(s)
jax.vmap(jax.lax.composite(lambda p: p * p, 'checks.square'))(x)
jax.linear_transpose(jax.lax.composite(lambda p: 2 * p, 'checks.twice'), x)(x)
jax.lax.composite(lambda p: p, 'checks.same')('a')
jax.jit(lambda q: jax.lax.composite(lambda p: p + q, 'checks.closed')(x))(s)
jax.lax.rng_bit_generator(jnp.arange(2, dtype='uint32'), (5,))
jax.lax.rng_bit_generator(jnp.arange(4, dtype='uint32'), (5,), 'int32')
jax.lax.rng_bit_generator(jnp.arange(4, dtype='int32'), (5,))
jax.lax.approx_max_k(i, 2)
jax.lax.approx_max_k(x, 0)
jax.lax.approx_max_k(x, 9)
jax.lax.approx_max_k(s, 1)
jax.lax.approx_max_k(m, 2, reduction_dimension=5)
jax.lax.mulhi(1., 2.)
jax.lax.mulhi(3, jnp.int8(2))
jax.lax.mulhi(True, True)
jax.lax.broadcast_like(m, row)
jax.lax.broadcast_like(x, m)
jax.lax.broadcast_like([1], m)
jax.lax.dtype('a')
jax.lax.dtype([1])
jax.lax.rng_uniform(0, 1., (2,))
jax.lax.rng_uniform(jnp.ones(2), jnp.ones(2), (2,))
jax.vmap(lambda a: jax.lax.rng_uniform(a, 1., (2,)))(row)
jax.jvp(lambda a: jax.lax.rng_uniform(a, 1., (2,)), (0.,), (1.,))
""".strip().splitlines()

MORE_EXACT = """
jax.lax.rng_bit_generator(jnp.arange(4, dtype='uint32'), (2, 3), 'uint8')
jax.lax.rng_bit_generator(jnp.uint32([9, 8, 2**32 - 2, 2**32 - 1]), (4, 4))
jax.lax.rng_bit_generator(jnp.uint32([9, 8, 2**32 - 2, 2**32 - 1]), (3, 3), 'uint16', 1)
jax.lax.rng_bit_generator(jnp.uint32([1, 2, 3, 4]), (2, 3), 'uint32', jax.lax.RandomAlgorithm.RNG_THREE_FRY)
[jax.lax.rng_bit_generator(jnp.uint32([1, 2, 3, 4]), n, 'uint16', 2) for n in [(), (1,), (2, 0), (7, 1), (3, 5)]]
jax.vmap(lambda k: jax.lax.rng_bit_generator(k, (5,)))(jnp.arange(12, dtype='uint32').reshape(3, 4))
list(map(str, jax.lax.RandomAlgorithm)), int(jax.lax.RandomAlgorithm.RNG_PHILOX)
jax.lax.approx_max_k(m, 2), jax.lax.approx_min_k(m, 2, reduction_dimension=0)
jax.lax.approx_max_k(jnp.array([0., -0., 1., -0., 0.]), 5), jax.lax.approx_min_k(jnp.array([0., -0., 1., -0., 0.]), 5)
jax.lax.approx_max_k(w[None], 1)
jax.lax.approx_min_k(jnp.arange(3000.) * 7 % 3001, 3, recall_target=0.5, aggregate_to_topk=False)
jax.lax.approx_max_k(jnp.arange(2000.).reshape(2, 1000) % 137, 3, aggregate_to_topk=False)[1].shape
jax.lax.approx_max_k(jnp.arange(5000.0), 3, -1, 0.95, 50000, False)[0].shape
jax.lax.approx_max_k(jnp.arange(1025.0), 3, -1, 0.95, -1, False)[0].shape
jax.lax.approx_max_k(jnp.arange(4097.0), 200, -1, 0.95, -1, False)[0].shape
jax.lax.approx_max_k(jnp.arange(9000.0), 60, -1, 0.95, 9000, False)[0].shape
jax.vmap(lambda x: jax.lax.approx_max_k(x, 2))(m), jax.vmap(lambda x: jax.lax.approx_max_k(x, 2), in_axes=1)(m)
jax.jit(lambda x: jax.lax.approx_min_k(x, 2))(m)
jax.lax.mulhi(i8, i8[::-1]), jax.lax.mulhi(i8, i8[0])
jax.lax.mulhi(jnp.uint32([2**32 - 1, 5, 0]), jnp.uint32([2**32 - 1, 2**31, 7]))
jax.lax.broadcast_like(jnp.arange(3), m), jax.lax.broadcast_like(1, m), jax.lax.broadcast_like(m, m)
jax.lax.broadcast_like(m[:, :1], m), jax.lax.broadcast_like(row, np.ones((2, 3)))
jax.lax.index_take(m, (jnp.array([0, -1]),), (1,)), jax.lax.index_take(m, (jnp.array([3]),), (0,))
jax.lax.shape_as_value((2, 3)), jax.lax.shape_as_value(()), jax.lax.dtype(1.0), jax.lax.dtype(x)
jax.lax.stage(3), jax.lax.stage(np.ones(2)), jax.lax.stage(x), jax.lax.dce_sink((x, {'a': 1})), jax.lax.stage(2.5)
jax.lax.rng_uniform(0., 1., (2, 3)).shape, jax.lax.rng_uniform(0, 10, (2, 3)).dtype
jax.lax.rng_uniform(0., 1., ()).shape
jax.lax.DotAlgorithm(np.float32, np.float32, np.float32)._fields, jax.lax.DotAlgorithm(1, 2, 3)[:]
jax.lax.dot(m, m.T, precision=jax.lax.DotAlgorithmPreset.F32_F32_F32)
jax.jit(lambda x: (jax.lax.dce_sink(x * 2), x)[1])(x), jax.vmap(lambda x: (jax.lax.dce_sink(x), x)[1])(x)
""".strip().splitlines()
