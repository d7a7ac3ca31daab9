"""Methods and attributes of arrays, and everything that becomes an array."""

from __future__ import annotations

__all__ = ["CLOSE", "EXACT", "MORE_CLOSE", "MORE_EXACT", "REFUSED"]

EXACT = """
jnp.array(5, 'uint8'), jnp.array(2.7, int), jnp.array('3', float), jnp.array(m, ndmin=4), jnp.array(1, ndmin=2)
x.clone(), w.clone(), x.is_deleted(), x.committed, x.is_fully_addressable, x.is_fully_replicated, x.nbytes, x.itemsize
m.ndim
[(k, str(d)) for k, d in jnp.__array_namespace_info__().default_dtypes().items()]
len(jnp.__array_namespace_info__().devices())
m.transpose(), m.transpose(1, 0), m.transpose((1, 0)), m.swapaxes(0, 1), m[None].squeeze(), m[None].squeeze(0)
m.copy(), m.clip(0, 1)
m.item((0, 1)), m.item(0, 1), m.item(4), s.item(), m.tolist(), s.tolist(), i.tobytes(), m.tobytes('F'), float(s)
m.argsort(0)
m.to_device(jax.devices()[0]), m.to_device(None), len(m.devices()), m.addressable_data(0), format(s, '.3f')
x.view('complex128')
m.T.view('int64')
jnp.array([s, 1]), jnp.array([[s, 2], [3, s]]), jnp.array([x, x]), jnp.array([np.float64(1), 2])
jax.grad(lambda v: jnp.array([v, v * v]).sum())(3.0)
jnp.array(m, copy=False), jnp.array(m, copy=True), jnp.asarray(m, copy=True), jnp.asarray(np.ones(2), copy=False)
jnp.array(np.asfortranarray(np.ones((2, 3))))
""".strip().splitlines()

CLOSE = """
jax.jit(lambda x: x.byteswap())(x), jax.jit(lambda x: x.var())(x), jax.jit(lambda x: (x.std(), x.mean(), x.ptp()))(x)
x.compress(x > 0, size=3), m.conj(), m.conjugate(), m.round(1), x.sum(where=x > 0), x.max(initial=9.0)
""".strip().splitlines()

REFUSED = """
m.__array_namespace__(api_version='2021')
jnp.__array_namespace_info__().dtypes(kind='x')
x.__index__()
m.to_device('cpu')
m.item()
m.item(7)
m.item(0, 9)
x.view('int8', type=np.ndarray)
hash(x)
x.flat
x.foo
x.__cuda_array_interface__
x.device_buffer
x.fill(1)
x.resize(3)
x.data
x.strides
m.reshape(4, 2)
m.transpose(0)
m.squeeze(0)
m.nonzero(1)
float(m)
int(x[:2])
bool(x)
bool(empty)
len(s)
iter(s)
m in m
x[0].__setitem__(0, 1)
m.tobytes('Q')
jax.jit(lambda x: x.item())(s)
jax.jit(lambda x: x.tolist())(s)
jax.jit(lambda x: x.is_deleted())(s)
jax.jit(lambda x: x.delete())(s)
jax.jit(lambda x: x.committed)(s)
jax.jit(lambda x: x.devices())(s)
jax.jit(lambda x: x.addressable_data(0))(s)
jax.jit(lambda x: x.unsafe_buffer_pointer())(s)
jax.jit(lambda x: x.block_until_ready())(s)
jax.jit(lambda x: x.foo)(s)
jnp.array(-1, 'uint8')
jnp.array(300, 'int8')
jnp.array(None)
jnp.array([None])
jnp.array('a')
jnp.array(['a'])
jnp.array({1})
jnp.array({1: 2})
jnp.array(object())
jnp.array([[1], [1, 2]])
jnp.array([x, row])
jnp.array(m, order='F')
jnp.asarray(m, order='C')
jnp.array(2**40)
jnp.array([2**40])
jnp.array(1, 'S1')
jnp.array(np.array(['a']))
jnp.array(np.array([object()]))
jnp.array(np.datetime64('2020-01-01'))
jnp.array(1, device='cpu')
jnp.array(lambda: 1)
jnp.array(np.zeros(2, dtype=[('a', 'i4')]))
jnp.sin(type('B', (), {'__array__': lambda self, dtype=None, copy=None: np.ones(2)})())
""".strip().splitlines()

MORE_EXACT = """
x.byteswap(), i.byteswap(), h.byteswap(), i8.byteswap(), b.byteswap(), (m * 1j).byteswap(), s.byteswap()
empty.byteswap(), w.byteswap()
x.size
x.is_ready(), x.block_until_ready(), x.copy_to_host_async(), x.on_device_size_in_bytes(), x.weak_type, w.weak_type
m.__array_namespace__() is jnp, m.__array_namespace__(api_version='2024.12') is jnp, jnp.__array_api_version__
jnp.__array_namespace_info__().capabilities(), jnp.__array_namespace_info__().default_device()
sorted(jnp.__array_namespace_info__().dtypes())
sorted(jnp.__array_namespace_info__().dtypes(kind=('integral', 'bool')))
m.T, m.mT, m.at[0].get(), m.real, m.imag, m.flatten(), m.ravel('F'), m.reshape(3, 2), m.reshape((6,))
m.reshape(-1, order='F')
m.repeat(2, axis=1)
m.astype(int), m.astype('bfloat16').astype(float), m.astype(bool), m.astype(None), m.astype('float16', copy=True)
m.view('int32'), m.view('uint8'), i8[:4].view('int32'), x.view('float16'), b.view('uint8'), u8.view(bool)
s.view('int32'), m.view()
int(i[1]), bool(s)
m.cumsum(), m.cumprod(1), m.trace(), m.diagonal(1), m.dot(row), m.nonzero(), m.sort(), m.sort(axis=0, descending=True)
m.argpartition(1), x.searchsorted(0.2), m.take(jnp.array([0, 1]), axis=1)
abs(i[1:4]).choose([row, row, row], mode='clip')
f'{x[0]:.2f}', str(m), repr(w)
len(m), list(m), round(s), round(s, 1), divmod(x, 2), 1.0 in x, abs(m), -m, +m, ~i, hex(i[2]), [1, 2, 3][i[3] - 1]
h.view('float32')
row.view('float64')
jnp.asarray([1, 2.0]), jnp.array([[1, 2], [3, 4]]), jnp.array((1, (2,)[0])), jnp.array([]), jnp.array([[], []])
jnp.array([True, 2])
jnp.array([np.int8(1), 2]), jnp.array([w, 1])
jax.jit(lambda v: jnp.array([v, 1, v * 2]))(s), jax.jit(lambda v: jnp.array([[v, 1], [v, v]]))(2)
jnp.array(memoryview(b'abc')), jnp.array(bytearray(b'abc')), jnp.asarray(range(3)), jnp.array(np.arange(3)[::-1])
jnp.array(memoryview(np.arange(3.)))
jnp.asarray(w), jnp.array(w), jnp.array(w, float)
jnp.asarray(m, order='K'), jnp.array(m, order=None), jnp.array(m, device=jax.devices()[0])
jnp.array(type('A', (), {'__jax_array__': lambda self: jnp.ones(2)})())
jnp.array(type('B', (), {'__array__': lambda self, dtype=None, copy=None: np.ones(2)})())
""".strip().splitlines()

MORE_CLOSE = """
m.sum(), m.prod(0), m.mean(1), m.var(ddof=1), m.std(0, keepdims=True), m.max(), m.min(1), m.argmax(), m.argmin(0)
m.ptp(), m.any(), m.all(0)
m.mean(dtype='float16')
""".strip().splitlines()
