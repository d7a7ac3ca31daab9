"""Calls of ufunc objects and their methods."""

from __future__ import annotations

__all__ = ["CLOSE", "EXACT", "MORE_EXACT", "MORE_SMOOTH", "REFUSED", "SMOOTH"]

_UFUNCS = "add subtract multiply maximum minimum bitwise_and bitwise_or bitwise_xor logical_and logical_or logical_xor"

EXACT = f"""
[(u.nin, u.nout, u.nargs, u.identity, u.__name__, repr(u)) for u in map(jnp.__dict__.get, {_UFUNCS.split()})]
[u(i, j) for u in map(jnp.__dict__.get, {_UFUNCS.split()})]
jnp.negative.nin, jnp.negative.nout, jnp.negative.identity, jnp.negative(m), jnp.logaddexp.identity
jnp.add(1, 2.5), jnp.add(m, row), jnp.add(b, b), jnp.multiply(b, b), jnp.subtract(i8, 3)
jnp.add.reduce(m, initial=2.0, where=m > 0), jnp.multiply.reduce(m, where=m > 0), jnp.add.reduce(empty)
jnp.bitwise_and.reduce(i), jnp.bitwise_or.reduce(u8), jnp.bitwise_xor.reduce(i8, keepdims=True)
jnp.logical_and.reduce(m), jnp.logical_or.reduce(m, axis=1), jnp.logical_xor.reduce(m), jnp.logical_and.reduce(empty)
jnp.add.accumulate(i), jnp.add.accumulate(i8, dtype='int32'), jnp.add.accumulate(b), jnp.multiply.accumulate(i, axis=-1)
jnp.multiply.at(m, 0, 3.0, inplace=False), jnp.multiply.at(m, (jnp.array([0, 1]), 2), row[:2], inplace=False)
jnp.add.outer(x, row), jnp.subtract.outer(i, j), jnp.multiply.outer(m, row), jnp.maximum.outer(x, 0.5)
repr(jnp.frompyfunc(lambda p, q: p, 2, 1, identity=7)), jnp.frompyfunc(lambda p: p, nin=1, nout=1).nargs
jnp.subtract.reduce(i, dtype='float32'), jnp.subtract.reduce(m, initial=1.0)
jnp.subtract.accumulate(x), jnp.subtract.accumulate(m, axis=1), jnp.subtract.accumulate(i8)
jnp.maximum.at(x, jnp.array([0, 0, 3]), jnp.array([5., 1., -9.]), inplace=False)
jnp.maximum.at(m, (0, jnp.array([0, 2])), 1.0, inplace=False), jnp.minimum.at(m, jnp.array([1, 1]), m, inplace=False)
jnp.maximum.reduceat(x, jnp.array([4, 2, 6])), jnp.subtract.reduceat(i, jnp.array([0, 1, 3]))
jnp.frompyfunc(lambda p, q: p + q, 2, 1, identity=0).at(i, jnp.array([1, 1]), 10, inplace=False)
""".strip().splitlines()

CLOSE = """
jnp.logaddexp.reduce(x), jnp.logaddexp.reduce(m, axis=1, keepdims=True), jnp.logaddexp.reduce(m, axis=None)
jnp.logaddexp.reduce(m, where=m > 0), jnp.logaddexp.reduce(x, initial=2.0), jnp.logaddexp.reduce(empty)
jnp.logaddexp.reduce(i), jnp.logaddexp.reduce(special), jnp.logaddexp.reduce(x, dtype='float32')
jnp.logaddexp2.reduce(x), jnp.logaddexp2.reduce(m, axis=1), jnp.logaddexp2.reduce(x, initial=2.0)
jnp.logaddexp.outer(x, row), jnp.logaddexp.accumulate(x), jnp.logaddexp.reduceat(x, jnp.array([0, 3]))
""".strip().splitlines()

SMOOTH = """
jnp.add.reduce(jnp.sin(v))
jnp.multiply.reduce(v)
jnp.multiply.outer(v, v).sum(0)
jnp.logaddexp.reduce(v)
""".strip().splitlines()

REFUSED = """
jnp.negative.reduce(x)
jnp.negative.accumulate(x)
jnp.negative.outer(x, x)
jnp.negative.reduceat(x, i)
jnp.frompyfunc(lambda p, q: (p, q), 2, 2).reduce(x)
jnp.frompyfunc(lambda p, q: (p, q), 2, 2).outer(x, x)
jnp.add(x)
jnp.add(x, x, x)
jnp.add([1], x)
jnp.add(x, x, out=x)
jnp.add(x, x, where=x > 0)
jnp.add(x=x, y=x)
jnp.add.reduce(x, out='y')
jnp.add.reduce([1, 2])
jnp.add.reduce(x, axis=1)
jnp.add.reduce(x, where=x)
jnp.maximum.reduce(x, where=x > 0)
jnp.maximum.reduce(empty)
jnp.subtract.reduce(m, axis=(0, 1))
jnp.subtract.reduce(empty)
jnp.subtract.reduce(x, where=x > 0)
jnp.bitwise_and.reduce(x)
jnp.add.reduce(x, initial=row)
jnp.add.accumulate(x, out=x)
jnp.add.accumulate(x, axis=1)
jnp.subtract.accumulate(m, axis=None)
jnp.subtract.accumulate(m, axis=(0, 1))
jnp.add.at(x, 0, 1.0)
jnp.add.at(x, 0, 1.0, inplace=True)
jnp.minimum.at(m, jnp.array([1, 1]), row, inplace=False)
jnp.add.reduceat(x, m)
jnp.add.reduceat(s, i)
jnp.add.reduceat(m, i, axis=None)
jnp.add.reduceat(m, i, axis=(0, 1))
jnp.add.outer([1], x)
setattr(jnp.add, 'nin', 3)
""".strip().splitlines()

MORE_EXACT = """
isinstance(jnp.add, jnp.ufunc), isinstance(jnp.sin, jnp.ufunc), hash(jnp.add) == hash(jnp.add), jnp.add == jnp.subtract
jax.jit(lambda f, x: f(x, x), static_argnums=0)(jnp.add, x)
jnp.add.reduce(m), jnp.add.reduce(m, axis=1, keepdims=True), jnp.add.reduce(i8), jnp.add.reduce(m, axis=None)
jnp.add.reduce(m, axis=(0, 1)), jnp.add.reduce(m, dtype='int32'), jnp.add.reduce(b), jnp.multiply.reduce(u8[1:])
jnp.maximum.reduce(m), jnp.minimum.reduce(m, axis=-1), jnp.maximum.reduce(nans), jnp.maximum.reduce(empty, initial=1.0)
jnp.maximum.reduce(m, where=m < 1, initial=-9), jnp.minimum.reduce(i, dtype='float32'), jnp.maximum.reduce(b)
jnp.bitwise_and.reduce(b)
jnp.bitwise_and.reduce(i, where=i > 0), jnp.bitwise_or.reduce(i[:0]), jnp.bitwise_xor.reduce(i, initial=3, axis=None)
jnp.logical_or.reduce(m, where=m < 0), jnp.logical_xor.reduce(i, dtype='int32')
jnp.logical_and.reduce(b, initial=False)
jnp.add.accumulate(jnp.stack([i, j]), axis=1), jnp.add.accumulate(jnp.stack([i, j]))
jnp.add.at(x, i[2:], 10.0, inplace=False), jnp.add.at(x, jnp.array([1, 1]), jnp.array([2., 3.]), inplace=False)
jnp.subtract.at(x, (jnp.array([0, 3]),), 1.0, inplace=False), jnp.add.at(b, jnp.array([1, 1]), True, inplace=False)
jnp.multiply.at(b, 0, False, inplace=False), jnp.subtract.at(i, 1, 5, inplace=False)
jnp.logical_and.outer(i, b), jnp.bitwise_or.outer(i, j), jnp.add.outer(s, s)
jnp.frompyfunc(lambda p, q: p * q + 1, 2, 1)(m, row), jnp.frompyfunc(lambda p: (p, -p), 1, 2)(x)
jnp.frompyfunc(lambda p, q: p - q, 2, 1).outer(x, row), jnp.frompyfunc(lambda p: p > 0, 1, 1)(m)
jnp.subtract.reduce(x), jnp.subtract.reduce(m, axis=1), jnp.subtract.reduce(m, axis=None, keepdims=True)
jnp.subtract.reduce(m, axis=-1, keepdims=True)
jnp.subtract.reduce(m, initial=0.0, where=m > 0), jnp.subtract.reduce(empty, initial=2.0), jnp.subtract.reduce(s[None])
jnp.subtract.accumulate(empty)
jnp.maximum.accumulate(m), jnp.minimum.accumulate(m, axis=-1, dtype='float16'), jnp.bitwise_or.accumulate(i)
jnp.negative.at(x, i[2:], inplace=False)
jnp.negative.at(m, (0, jnp.array([2, 0])), inplace=False), jnp.negative.at(x, 2, inplace=False)
jnp.add.reduceat(x, jnp.array([0, 3, 5])), jnp.add.reduceat(m, jnp.array([0, 2]), axis=1)
jnp.multiply.reduceat(m, i[2:3])
jnp.frompyfunc(lambda p, q: p * q + 1, 2, 1, identity=1).reduce(m)
jnp.frompyfunc(lambda p, q: p - 2 * q, 2, 1).accumulate(i)
""".strip().splitlines()

MORE_SMOOTH = """
jnp.multiply.at(v, 0, v[1], inplace=False)
jnp.frompyfunc(lambda p: p * p, 1, 1)(v)
jnp.maximum.reduce(v)
jnp.subtract.reduce(v * v)
jnp.maximum.accumulate(v * v)
jnp.frompyfunc(lambda p, q: p * q, 2, 1).reduce(v)
""".strip().splitlines()
