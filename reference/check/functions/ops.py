"""Calls of jax.ops."""

from __future__ import annotations

__all__ = ["EXACT", "MORE_EXACT", "MORE_SMOOTH", "REFUSED", "SMOOTH"]

EXACT = """
jax.ops.segment_sum(y, jnp.array([0, 1, 0, 2, 3, 1, 1, 0]))
jax.ops.segment_sum(i, jnp.array([0, 0, 1, 1, 2]), indices_are_sorted=True)
jax.ops.segment_sum(y, jnp.array([0, 1, 0, 2, 9, 1, -1, 0]), 4, bucket_size=4)
jax.ops.segment_prod(y, jnp.array([0, 1, 0, 2, 3, 1, 1, 0]), 6, bucket_size=2)
jax.ops.segment_min(x, jnp.array([0, 1, 0, 2, 3, 1, 1, 0]), 6), jax.ops.segment_min(i, jnp.array([0, 3, 0, 1, 1]), 5)
jax.ops.segment_max(h, jnp.array([0, 1, 0, 2, 3, 1]), 6, bucket_size=3)
jax.vmap(lambda d: jax.ops.segment_max(d, jnp.array([0, 1, 0]), 2))(m)
jax.ops.segment_sum(m[:, 0] * 1j, jnp.array([0, 0]), 2), jax.ops.segment_prod(m[:, 0] * 1j, jnp.array([0, 0]), 2)
""".strip().splitlines()

SMOOTH = """
jax.ops.segment_sum(v, jnp.array([0, 1, 0]), 3)
jax.ops.segment_max(v, jnp.array([0, 1, 0]), 3)[:2]
jax.ops.segment_min(v * v, jnp.array([0, 1, 0]), 2)
jax.ops.segment_prod(v, jnp.array([0, 1, 2]), 3, unique_indices=True)
""".strip().splitlines()

REFUSED = """
jax.ops.segment_sum(m, jnp.array([[0, 1, 0], [2, 1, 1]]), 3)
jax.ops.segment_sum(b, jnp.array([0, 1, 0]), 3)
jax.ops.segment_sum(x, 1)
jax.jit(lambda d, k: jax.ops.segment_sum(d, k))(y, jnp.array([0, 1, 0, 2, 3, 1, 1, 0]))
jax.jit(lambda d, k: jax.ops.segment_sum(d, jnp.arange(8), k))(y, 3)
jax.ops.segment_sum(y, jnp.arange(8), -1)
jax.ops.segment_sum(y, jnp.arange(8.), 8)
jax.ops.segment_sum(y, jnp.arange(5), 8)
jax.ops.segment_sum([1], jnp.arange(1))
jax.ops.segment_sum(y, [0] * 8)
jax.ops.segment_sum(y, jnp.arange(8), 2.5)
jax.ops.segment_sum(y, jnp.arange(8), mode='x')
jax.ops.segment_sum(y, i[:0])
jax.ops.segment_sum(m, b[:2], 2)
""".strip().splitlines()

MORE_EXACT = """
jax.ops.segment_sum(y, jnp.array([0, 1, 0, 2, 9, 1, -1, 0]), 4)
jax.ops.segment_sum(jnp.stack([x, y], 1), jnp.array([0, 1, 0, 2, 3, 1, 1, 0]), num_segments=5)
jax.ops.segment_sum(i8, jnp.array([0, 0, 1, 1, 0]))
jax.ops.segment_sum(y, jnp.array([0, 1, 0, 2, 3, 1, 1, 0]), bucket_size=3)
jax.ops.segment_sum(y, jnp.array([0, 1, 0, 2, 9, 1, -1, 0]), 4, mode='clip'), jax.ops.segment_sum(y[:0], i[:0], 3)
jax.ops.segment_prod(y, jnp.array([0, 1, 0, 2, 3, 1, 1, 0]), 6), jax.ops.segment_prod(u8, jnp.array([0, 1, 0, 1]))
jax.ops.segment_max(x, jnp.array([0, 1, 0, 2, 3, 1, 1, 0]), 6), jax.ops.segment_max(i, jnp.array([0, 3, 0, 1, 1]), 5)
jax.ops.segment_max(u8, jnp.array([0, 1, 0, 1]), 3), jax.ops.segment_max(b, jnp.array([0, 1, 0]), 3)
jax.ops.segment_min(u8, jnp.array([0, 1, 0, 1]), 3), jax.ops.segment_min(b, jnp.array([0, 1, 0]), 3)
jax.ops.segment_min(x, jnp.array([0, 1, 0, 2, 3, 1, 1, 0]), 6, bucket_size=3)
jax.ops.segment_max(b, jnp.array([0, 1, 0]), 3, bucket_size=2)
jax.jit(lambda d, k: jax.ops.segment_sum(d, k, 4))(y, jnp.array([0, 1, 0, 2, 3, 1, 1, 0]))
jax.ops.segment_sum(y, jnp.arange(8), np.int64(3)), jax.ops.segment_sum(y, jnp.arange(8), jnp.int32(3))
jax.ops.segment_sum(np.ones(3), np.arange(3))
jax.ops.segment_sum(w, 0, 2)
""".strip().splitlines()

MORE_SMOOTH = """
jax.ops.segment_sum(v, jnp.array([0, 1, 0]), 3, bucket_size=2)
""".strip().splitlines()
