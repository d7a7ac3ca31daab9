"""Calls of jax.numpy's elementwise functions, reductions and array makers.

A row is the text of an expression of the engine's `jnp` and of the operands in numpy_operands.py. Rows stand under the
bound on the difference from JAX's values that they have to keep.
"""

from __future__ import annotations

from itertools import chain

__all__ = ["CLOSE", "EXACT", "MORE_CLOSE", "MORE_EXACT", "MORE_SUMS", "REFUSED", "SMOOTH", "SUMS"]


def _names(text: str) -> list[str]:
    return text.split()


def _in_turn(names: list[str], first: str, others: tuple[str, ...], each: int) -> tuple[list[str], list[str]]:
    """Calls of every function with the first operands and with `each` of the others, by turns; and all further calls.

    So all kinds of operands meet functions of one kind in the default depth, though not every function meets them all.
    """
    default, more = [], []
    for i, name in enumerate(names):
        for k, operands in enumerate(others):
            lists = default if (k - i * each) % len(others) < each else more
            lists.append(f"jnp.{name}({operands})")
    return [*[f"jnp.{name}({first})" for name in names], *default], more


# What every kind of function is called with in the default depth, see _in_turn; MORE_ in the full depth alone.
UNARY_OPERANDS = ("special", "i", "b", "h", "w", "2")
MORE_UNARY_OPERANDS = ("m", "s", "empty", "u8", "i8", "0.5", "True", "[1.0]", "None", "'a'")
EXACT_UNARY = _names(
    """
    abs absolute around ceil conj conjugate fabs floor imag iscomplex isfinite isinf isnan isneginf isposinf
    isreal logical_not modf nan_to_num negative positive real rint round sign signbit spacing sqrt square trunc
    zeros_like ones_like empty_like array asarray copy
    """
)
CLOSE_UNARY = _names(
    """
    acos acosh arccos arccosh arcsin arcsinh arctan arctanh asin asinh atan atanh cbrt cos cosh
    deg2rad degrees exp exp2 expm1 frexp log log10 log1p log2 rad2deg radians reciprocal sin sinc
    sinh tan tanh
    """
)

BINARY_OPERANDS = (
    "m, row",
    "0.5, x",
    "i, j",
    "i, 2.5",
    "b, b",
    "h, 2.0",
    "2, 3",
    "w, x",
    "special, 1.5",
)
MORE_BINARY_OPERANDS = (
    *(
        "x, s",
        "x, 2",
        "i, x[:5]",
        "i, 0",
        "u8, u8",
        "u8, j[:4]",
        "i8, 300",
        "b, 2",
        "h, y[:6]",
        "2.0, True",
        "w, i",
    ),
    *("x, np.float64(2)", "m, x[:2]", "x, [1.0]", "None, x", "x, 'a'"),
)
EXACT_BINARY = _names(
    """
    add copysign equal fmax fmin fmod greater greater_equal heaviside isclose less less_equal logical_and
    logical_or logical_xor maximum minimum multiply nextafter not_equal subtract
    """
)
CLOSE_BINARY = _names(
    """
    allclose arctan2 array_equal atan2 divide divmod float_power floor_divide hypot logaddexp
    logaddexp2 mod pow power remainder true_divide
    """
)
# Functions of integers and booleans, which refuse floats: the quick check takes the first call.
BITWISE_UNARY = _names("bitwise_count bitwise_invert bitwise_not invert")
BITWISE_BINARY = _names(
    """
    bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor left_shift right_shift
    """
)
BITWISE_OPERANDS = ("b", "2", "x", "special", "h", "w")
BITWISE_PAIRS = ("b, b", "2, 3", "x, y", "m, row", "0.5, x", "i, 2.5", "h, 2.0", "w, x", "special, 1.5")

REDUCTION_ARGUMENTS = (
    *(
        "m, 0",
        "m, axis=-1, keepdims=True",
        "s",
        "i8",
        "b",
        "h",
        "w",
        "empty",
        "nans, axis=0",
        "m, axis=2",
    ),
)
MORE_REDUCTION_ARGUMENTS = (
    *(
        "m, axis=(0, 1)",
        "m, axis=()",
        "m, axis=(0, 0)",
        "2.5",
        "i",
        "u8",
        "empty, axis=1",
        "m, keepdims=True",
    ),
    *("m, where=m > 0", "m, where=m", "m, out=1", "None", "'a'"),
)
REDUCTIONS = _names(
    """
    all amax amin any argmax argmin count_nonzero max mean min nanargmax nanargmin nanmax nanmean
    nanmin nanprod nanstd nansum nanvar prod ptp std sum var cumprod cumsum nancumprod nancumsum
    median nanmedian average
    """
)

_EXACT, _MORE_EXACT = zip(
    _in_turn(EXACT_UNARY, "x", UNARY_OPERANDS, 2),
    _in_turn(BITWISE_UNARY, "i", BITWISE_OPERANDS, 3),
    _in_turn(BITWISE_BINARY, "i, j", BITWISE_PAIRS, 3),
    _in_turn(EXACT_BINARY, "x, y", BINARY_OPERANDS, 3),
    strict=True,
)
_CLOSE, _MORE_CLOSE = zip(
    _in_turn(CLOSE_UNARY, "x", UNARY_OPERANDS, 2),
    _in_turn(CLOSE_BINARY, "x, y", BINARY_OPERANDS, 3),
    _in_turn(["ldexp"], "i, j", BITWISE_PAIRS, 9),
    strict=True,
)
_SUMS, _MORE_SUMS = _in_turn(REDUCTIONS, "m", REDUCTION_ARGUMENTS, 3)

EXACT = [
    *chain(*_EXACT),
    *"""
    jnp.where(x > 0, x, 0)
    jnp.where(b, 1, 2.5)
    jnp.where(True, x, m[:, :1])
    jnp.select([x > 0, x < -1], [x, -x], 7)
    jnp.select([b, True], [i[:3], 0.5])
    jnp.clip(x, -1, 1)
    jnp.clip(i, 0.5, 2)
    jnp.clip(x, max=x[0])
    jnp.round(x, 1)
    jnp.round(h, 5)
    jnp.nan_to_num(special, nan=1.0, posinf=2.0)
    jnp.array_equiv(x, x[:1])
    jnp.array_equal(nans, nans, equal_nan=True)
    jnp.sum(i, dtype='int8')
    jnp.sum(i8, promote_integers=False)
    jnp.sum(b, dtype=bool)
    jnp.prod(i8, initial=2)
    jnp.max(m, initial=10)
    jnp.max(m, axis=1, where=m > 100, initial=-1)
    jnp.min(empty, axis=1, initial=0)
    jnp.argmax(m, 1, keepdims=True)
    jnp.cumsum(b, dtype=bool)
    jnp.cumulative_sum(i8, include_initial=True)
    jnp.cumulative_prod(m, axis=1)
    jnp.zeros(3)
    jnp.zeros((2, 0), int)
    jnp.ones((2, 3), 'int8')
    jnp.empty(2)
    jnp.full((2, 3), x[:3])
    jnp.full(2, 3)
    jnp.full_like(i, 2.7)
    jnp.zeros_like(m, shape=(2,))
    jnp.array([1, 2.5, True])
    jnp.array([[x[0], 1], [2, x[1]]])
    jnp.array([x, x], ndmin=4)
    jnp.array([])
    jnp.array(2.5, dtype=int)
    jnp.array([300, -1], 'float16')
    jnp.asarray(2)
    jnp.asarray(x, int)
    jnp.frombuffer(bytes([1, 2]), np.uint8)
    jnp.arange(5)
    jnp.arange(2, 9, 3)
    jnp.arange(5, 0, -1.5)
    jnp.arange(0, 1, 0.1)
    jnp.arange(3, dtype='int8')
    jnp.linspace(0, 1, 5)
    jnp.linspace(0, 10, 4, dtype=int)
    jnp.eye(3, 4, 1)
    jnp.eye(2, dtype=bool)
    jnp.identity(2, int)
    jnp.tri(3, 4, -1)
    jnp.tril(m)
    jnp.triu(m, 1)
    jnp.vander(i[:3])
    jnp.meshgrid(x[:2], i[:3])
    jnp.meshgrid(x[:2], i[:3], sparse=True, indexing='ij')
    jnp.indices((2, 3))
    jnp.indices((2, 3), sparse=True)
    jnp.fromfunction(lambda p, q: p + 2 * q, (2, 3))
    jnp.mgrid[0:2, 0:1:3j]
    jnp.ogrid[:2, 1:4]
    jnp.r_[x[:2], 0, 0:3]
    jnp.c_[x[:2], i[:2]]
    jnp.bartlett(5)
    jnp.isscalar(s), jnp.isscalar(x), jnp.isscalar(2), jnp.isscalar([2])
    jnp.iscomplexobj(x), jnp.isrealobj(x)
    jnp.array_repr(2 * i).replace('ArrayImpl', 'Array')[-40:], jnp.array_str(i)
    jnp.get_printoptions()['linewidth'], jnp.set_printoptions(), jnp.printoptions().__class__
    repr(x), str(m), repr(w), repr(h), repr(empty), f'{s:.2f} {b}', repr(jnp.arange(100))
    jnp.result_type(x, 1), jnp.result_type(1, 2.5), jnp.promote_types('int8', 'uint8'), jnp.can_cast('int8', 'int16')
    jnp.issubdtype(x.dtype, jnp.floating), jnp.isdtype(x.dtype, 'integral'), jnp.iterable(x), jnp.dtype('int8')
    (lambda f: (jnp.save(f, x), f.seek(0), jnp.load(f))[-1])(io.BytesIO())
    (lambda f: (jnp.savez(f, p=x, q=i), f.seek(0), dict(jnp.load(f)))[-1])(io.BytesIO())
    float(jnp.finfo(x.dtype).eps), jnp.iinfo('int8').max, jnp.pi, jnp.e, jnp.inf, jnp.euler_gamma, jnp.newaxis
    jnp.float32(2), jnp.int8(3.7), jnp.bool_(2), jnp.float16([1, 2]), jnp.uint8(2) + 1, jnp.int_(1), jnp.single(1)
    jnp.double(1), jnp.float64(1), jnp.float_(1), jnp.int64(1), jnp.uint(1), jnp.uint64(1)
    jnp.int16(1), jnp.int32(2), jnp.uint16(3), jnp.uint32(4), jnp.bool(0), jnp.s_[1:], jnp.index_exp[0]
    x + y, x - 1, 2 * x, x / i[:1], -x, +x, abs(x), x < y, x == x, x != 0.5, b & b, b | True, i ^ 1, ~i, i << 1, 9 >> i
    i // 2, i % 3, divmod(i, 2), x // 0.3, x % 0.3, 7 // i, 2.0 // x, round(s), round(s, 1), i // 0, i % 0
    np.float32(2) * x, np.ones(8) + x, x * np.arange(8), np.int32(2) - i
    len(x), bool(s), int(s), float(s), [10, 20, 30][jnp.int32(1)], list(x[:2]), 2 in i, x.item(0), m.tolist()
    x.shape, x.ndim, x.size, x.dtype, x.nbytes, x.itemsize, x.weak_type, w.weak_type, x.T, m.T, m.mT, x.real, x.imag
    x.astype(int), x.astype('float16'), x.reshape(2, -1), m.reshape(-1), m.transpose(1, 0), m.ravel(), m.flatten('F')
    x.view('int32'), i.view('uint8'), b.view('int8'), m.clip(0), m.copy(), m.squeeze(), m.swapaxes(0, 1), x.round(1)
    m.all(), m.any(0), m.argmax(), m.argmin(1), m.max(0), m.min(), m.ptp(), m.prod(dtype=int), m.conj()
    i.sort(), i.argsort(), i.searchsorted(2), m.diagonal(), m.trace(), m.repeat(2), m.take(0), m.nonzero(), i.cumsum()
    x.at[0].set(5.0), x.at[1:3].add(1.0), m[0], m[:, ::-1], x[-1], x[i[2:4]], m[m > 0], x.tobytes()
    """.strip().splitlines(),
]

CLOSE = [
    *chain(*_CLOSE),
    *"""
    x ** 2
    x ** 3
    y ** x
    y ** -1
    2 ** i
    2.5 ** x
    i ** 2
    i ** 2.0
    jnp.linspace(x[:3], 2, 4, axis=-1)
    jnp.linspace(0, 1, 5, endpoint=False, retstep=True)
    jnp.logspace(0, 2, 5)
    jnp.geomspace(1, 100, 3)
    jnp.blackman(6)
    jnp.hamming(5)
    jnp.hanning(5)
    """.strip().splitlines(),
]

SUMS = [
    *_SUMS,
    *"""
    jnp.sum(m, initial=2.5)
    jnp.mean(m, dtype=int)
    jnp.mean(h * 100)
    jnp.var(m, axis=0, ddof=1)
    jnp.var(m, correction=0.5, mean=m.mean(1, keepdims=True), axis=1)
    jnp.std(m, ddof=10)
    jnp.std(i)
    jnp.average(m, weights=m * m)
    jnp.average(m, axis=0, weights=x[:2], returned=True)
    jnp.quantile(m, 0.3)
    jnp.quantile(m, jnp.array([0.1, 0.9]), axis=1, keepdims=True)
    jnp.quantile(m, 0.3, axis=0, method='nearest')
    jnp.quantile(m, 0.4, method='inverted_cdf')
    jnp.percentile(m, 30, axis=(0, 1))
    jnp.nanquantile(nans, 0.4, axis=0)
    jnp.nanpercentile(nans, 40)
    m.sum(1), m.mean(), m.std(0), m.var(ddof=1), m.dot(m.T), m @ m.T, x @ x
    """.strip().splitlines(),
]

MORE_EXACT = [
    *chain(*_MORE_EXACT),
    *[f"jnp.{name}({operand})" for name in EXACT_UNARY + BITWISE_UNARY for operand in MORE_UNARY_OPERANDS],
    *[f"jnp.{name}({operands})" for name in EXACT_BINARY + BITWISE_BINARY for operands in MORE_BINARY_OPERANDS],
]
MORE_CLOSE = [
    *chain(*_MORE_CLOSE),
    *[f"jnp.{name}({operand})" for name in CLOSE_UNARY for operand in MORE_UNARY_OPERANDS],
    *[f"jnp.{name}({operands})" for name in [*CLOSE_BINARY, "ldexp"] for operands in MORE_BINARY_OPERANDS],
]
MORE_SUMS = [
    *_MORE_SUMS,
    *[f"jnp.{name}({arguments})" for name in REDUCTIONS for arguments in MORE_REDUCTION_ARGUMENTS],
]

# Functions of one float array v[3], which are differentiated, batched and jitted.
SMOOTH = """
jnp.sin(v) * jnp.cos(v)
jnp.exp(-v) + jnp.log(v)
jnp.tanh(v) / v
jnp.sqrt(v) ** 3
v ** v
2.5 ** v
v // 0.3 + v % 0.3
jnp.sinc(v)
jnp.hypot(v, 2)
jnp.logaddexp(v, 1)
jnp.arctan2(v, 0.5)
jnp.frexp(v)[0]
jnp.maximum(v, 0.5)
jnp.clip(v, 0.4, 0.6)
jnp.where(v > 0.4, jnp.sin(v), v * v)
jnp.select([v > 0.5, v > 0.4], [v, v * v], 0)
jnp.sum(v, keepdims=True) * v
jnp.prod(v)
jnp.max(v, initial=0.2)
jnp.mean(v) + jnp.var(v, ddof=1)
jnp.std(v)
jnp.cumsum(v)
jnp.cumprod(v)
jnp.average(v, weights=v)
jnp.median(v)
jnp.quantile(v, 0.3)
jnp.nanmean(v)
jnp.linspace(v, 1, 3)
jnp.array([v[0], 1.0, v[2]])
jnp.tril(v * jnp.ones((3, 3)))
jnp.vander(v)
jnp.full((2,), v[1])
v.at[0].multiply(3.0)
v[::-1] @ v
v.astype('float16')
""".strip().splitlines()

# Calls that raise, in both engines, exceptions of one class.
REFUSED = """
jnp.array(None)
jnp.array('a')
jnp.array([[1], [2, 3]])
jnp.array([300], 'int8')
jnp.array(2 ** 40)
jnp.asarray(x, order='F')
jnp.zeros(2, 3)
jnp.zeros(2.5)
jnp.zeros(-1)
jnp.full(2, None)
jnp.zeros_like([1])
jnp.arange(x)
jnp.linspace(0, 1, -1)
jnp.eye(3, k=1.5)
jnp.eye(-1)
jnp.tril(x)
jnp.vander(m)
jnp.meshgrid(m)
jnp.meshgrid(x, indexing='ab')
jnp.where(b, x[:3], None)
jnp.select([], [])
jnp.clip()
jnp.round(i, -1)
jnp.sum(m, 1.5)
jnp.sum(m, initial=x)
jnp.sum(m, dtype='S')
jnp.std(m, dtype=int)
jnp.var(m, ddof=1, correction=1)
jnp.max(m, where=m > 0)
jnp.argmax(m, 2)
jnp.average(m, weights=x)
jnp.cumulative_sum(m)
jnp.quantile(m, 0.5, method='x')
jnp.quantile(m, m)
jnp.ldexp(x, 0.5)
jnp.left_shift(x, 1)
jnp.power(i, -1)
jnp.logical_and([1], x)
jnp.float32('a')
jnp.r_['a', x]
x + [1]
[1] * x
x + None
x + 'a'
x < 'a'
x == [1]
-b
b - b
~x
x @ 3
x + y[:3]
m + y[:4]
bool(x)
int(x)
float(m)
[1, 2][s]
[1, 2][i[:1]]
len(s)
iter(s)
hash(x)
f'{x:.2f}'
None in x
x in x
x.item()
x.reshape(3)
x.reshape(-1, -1)
x.view('float64x')
x.astype('S')
x.flat
x.mT
x.unknown
x.__setitem__(0, 1)
""".strip().splitlines()
