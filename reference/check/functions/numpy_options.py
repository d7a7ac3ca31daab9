"""Options of jax.numpy's functions, integers and bits, other libraries' arrays, and what is refused."""

from __future__ import annotations

__all__ = ["CLOSE", "EXACT", "MORE_EXACT", "REFUSED"]

EXACT = """
jnp.fromfile.__name__, jnp.fromiter.__name__
jnp.packbits(b), jnp.packbits(i), jnp.packbits(m>0, axis=0), jnp.packbits(m>0, axis=1, bitorder='little')
jnp.packbits(jnp.zeros((0,3),bool),axis=1), jnp.packbits(jnp.ones((),int))
jnp.unpackbits(u8[:0])
jnp.linspace(0, 1, 5, axis=-1)
jnp.linspace(0, row, 5, axis=-2)
jnp.sum(i8, promote_integers=False, initial=jnp.inf)
jnp.sum(b, initial=2.5), jnp.max(i8, initial=-1000)
jnp.matmul(i, i, preferred_element_type='float32')
jnp.gcd(i[:, None], j), jnp.lcm(i[:, None], j), jnp.gcd(0, 0), jnp.gcd(i, 0), jnp.lcm(i, 0), jnp.gcd(i[:0], 2)
jnp.gcd(2**31-1, 2**31-2), jnp.lcm(100000,99999)
jnp.power(x, 10**12)
jnp.array([1.0, 10**12])
jnp.piecewise(2.5, [x < 0, x > 1], [-1, 1, 0])
jnp.piecewise(x, jnp.array([False,True]), [-1, lambda v: v])
""".strip().splitlines()

CLOSE = """
jnp.cov(m, m), jnp.cov(x), jnp.cov(x, y), jnp.cov(m, rowvar=False), jnp.corrcoef(x, y)
""".strip().splitlines()

REFUSED = """
jnp.from_dlpack([1])
jnp.from_dlpack(3)
jnp.from_dlpack(np.arange(3,dtype='float32'),device='cpu')
jax.jit(lambda x:x.__dlpack__())(1.)
jnp.arange(3).__dlpack__(dl_device=(2,0))
jnp.fromstring('a', sep=' ')
jnp.fromfile(3)
jnp.fromiter([1],float)
jnp.packbits(x)
jnp.packbits(b, bitorder='x')
jnp.packbits(b, axis=1)
jnp.packbits([1])
jnp.unpackbits(i)
jnp.unpackbits(u8,bitorder=2)
jnp.unpackbits(u8,axis=2)
jnp.size(m, axis=(0,0))
jnp.flip(m, axis=(0,0))
jnp.trim_zeros(i[2:4], axis=(0,0))
jax.nn.logsumexp(m, axis=(0,0))
jax.nn.logsumexp(m, axis=(0,-2))
jnp.linspace(0, 1, 5, axis=1)
jnp.gcd(x, 2)
jnp.gcd(b, b)
jnp.lcm(x, 2)
jnp.lcm(b, b)
jnp.gcd([1], 2)
x + 10**12
jnp.maximum(x, 10**12)
jnp.where(b, 10**12, row)
jnp.add(2.5, 10**12)
jnp.sum(10**12)
jnp.clip(x, 0, 10**12)
10**12 * x
x.at[0].set(10**12)
x == 10**12
i < 10**12
jnp.isclose(x, 10**12)
jnp.sqrt(10**12)
jnp.abs(10**12)
jnp.isnan(10**12)
jnp.mean(10**12)
jax.nn.relu(10**12)
jax.lax.sin(10**12)
jax.lax.add(x, 10**12)
jax.grad(lambda x: x*10**12)(2.0)
jax.jit(lambda x: x*10**12)(2.0)
jnp.linspace(0, 10**12, 3)
jnp.logaddexp(x, 10**12),
jnp.broadcast_to(np.array(['a']), (2, 3))
jnp.broadcast_to('a', (2, 3))
jnp.piecewise(i, [x < 0, x > 1], [-1, 1, 0])
jnp.piecewise(m, [x < 0, x > 1], [-1, 1, 0])
jnp.histogramdd(x, bins=2)
jnp.uint32(1) + 4000000000
jnp.asarray([1],'uint32') * 4000000000
""".strip().splitlines()

MORE_EXACT = """
jnp.from_dlpack(np.arange(3.)), jnp.from_dlpack(np.array([True]))
jnp.from_dlpack(x), np.from_dlpack(m).flags.writeable
jnp.fromstring('1 2 3', sep=' '), jnp.fromstring('1,2,3', dtype=int, count=2, sep=','), jnp.fromstring('', sep=' ')
jnp.packbits(jnp.ones(19,bool),bitorder='little')
jnp.packbits(u8), jnp.packbits(jnp.zeros(0,int)), jnp.packbits(jnp.zeros((0,3),bool),axis=0)
jnp.unpackbits(u8), jnp.unpackbits(u8,bitorder='little'), jnp.unpackbits(u8.reshape(2,2),axis=0)
jnp.unpackbits(u8.reshape(2,2),axis=-1,count=5), jnp.unpackbits(u8,count=-3), jnp.unpackbits(u8,count=40)
jnp.unpackbits(u8[0]), jnp.unpackbits(u8, count=0)
jax.jit(jnp.packbits)(b), jax.vmap(jnp.unpackbits)(u8)
jnp.linspace(0, 1, 5, axis=-2)
jnp.linspace(0, row, 5, axis=1)
jnp.linspace(0, row, 1, axis=2)
jnp.full(2, 3, device=jax.devices()[0])
jnp.sum(i, dtype='int8', initial=jnp.inf)
jnp.prod(i, initial=-jnp.inf), jnp.max(i,initial=-jnp.inf), jnp.max(i8, initial=1e9), jnp.min(u8, initial=-5.)
jnp.dot(x, y, preferred_element_type='int32')
jnp.matmul(m, m.T, preferred_element_type='int32')
jnp.gcd(i, j), jnp.lcm(i, j), jnp.gcd(i8[1:], 6), jnp.lcm(i8[1:], i8[1:]), jnp.gcd(u8, 12), jnp.lcm(u8, u8)
jnp.gcd(12, 18), jnp.lcm(4, 6)
jax.jit(jnp.gcd)(i, j), jax.vmap(jnp.gcd)(i, j), jax.vmap(jnp.gcd, (0, None))(i, 6), jax.jit(jnp.lcm)(i, 3)
jnp.gcd(i, u8[:1]), jnp.gcd(i8[1:2],u8)
jnp.float32(10**12)
x ** (10**12)
jnp.full(3, 10**12, float)
jnp.full_like(x, 10**12)
jnp.arange(0., 10**12, 5*10**11)
jnp.cov(2.5), jnp.corrcoef(2.5), jnp.cov(s)
jnp.piecewise(x, [x[:1] < 0, x[:1] > 1], [-1, lambda v: v, 0])
jnp.piecewise(m, [row < 0, row > 1], [-1, lambda v: v, 0])
jnp.arange(0, 2.5), jnp.arange(3., dtype=int), jnp.arange(0, 1, 0.1, 'float16')
jnp.histogramdd(m, bins=2)[0], jnp.histogramdd(m, bins=(2,3,row))[0], jnp.histogramdd(i[:,None], bins=2)[0]
""".strip().splitlines()
