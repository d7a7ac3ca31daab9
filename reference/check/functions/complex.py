"""Calls with complex numbers: what is about them alone, and the other functions of jax.numpy that take them."""

from __future__ import annotations

# Functions of one argument that take complex numbers, and whose results have their bits by definition.
PLAIN = """
conjugate conj real imag iscomplex isreal isfinite isinf isnan rint round sort sort_complex nan_to_num max
"""
MORE_PLAIN = """
negative positive logical_not around copy zeros_like ones_like full_like-1j argsort ravel flip transpose
iscomplexobj isrealobj cumsum diff count_nonzero all any min atleast_2d
"""
# Transcendental ones.
FUNCTIONS = """
abs absolute sign square sqrt reciprocal exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh
cosh tanh arcsinh arccosh arctanh asin acos atan asinh acosh atanh sinc angle
"""
# Those among them that are more than one primitive.
OWN_FORMULAS = "log2 log10 arccosh acosh sinc angle reciprocal"
# Of one argument, where sums of terms cancel.
SUMMED = """
sum nansum prod mean var std nanmean nanvar nanstd nanprod cumprod cov corrcoef trapezoid average ptp
"""
BINARY = "multiply equal less greater_equal maximum"
MORE_BINARY = "add subtract not_equal less_equal greater minimum"
ROUNDED = "divide power arctan2 logaddexp isclose"
MORE_ROUNDED = "true_divide pow float_power logaddexp2"
PRODUCTS = "dot vdot inner outer matmul kron tensordot"
NOT_DEFINED = """
floor ceil trunc fabs cbrt isposinf isneginf signbit floor_divide hypot spacing partition argpartition median
nanmedian unwrap argmax argmin frexp modf divmod
"""


def unary(name: str, operand: str) -> str:
    """The call of a function; what stands behind a dash is a second argument."""
    name, _, argument = name.partition("-")
    return f"jnp.{name}({operand}{', ' + argument if argument else ''})"


EXACT = [
    *(unary(name, "z") for name in PLAIN.split()),
    *(f"jnp.{name}(z, z[::-1]), jnp.{name}(2j, x)" for name in BINARY.split()),
    "z.real, z.imag, z.conj(), z.conjugate(), z.T, z.dtype, z.nbytes, x.real, x.imag, i.imag, jnp.asarray(1j)",
    "complex(z[0]), z[1].item(), z.tolist(), zm.ravel().tolist(), jnp.complex64(2), jnp.complex_(3), jnp.cdouble(1)",
    "z + 1, z - 2j, 1j - x, 2 * z, z == z, z != 1, z < z[::-1], z >= 0, +z, -z, i + 1j, b * 1j, h + 1j, u8 * 2j",
    "jnp.array([1, 2j]), jnp.asarray(3, 'complex64'), jnp.zeros(2, complex), jnp.full(2, 1j), jnp.eye(2)",
    "x.astype(complex), z.astype(bool), z.astype('float32'), z.astype(int), z.view('float32'), x.view('complex64')",
    "jnp.where(b, zm, 0), jnp.concatenate([z, x]), jnp.stack([zm, zm]), jnp.pad(z, 2), jnp.tile(z, 2), jnp.roll(z, 1)",
    "z[::2], z[jnp.array([0, 9])], z.at[1].set(2j), z.at[:2].add(1), jnp.take(z, jnp.array([1, 12]))",
    "jnp.array_equal(z, z), jnp.allclose(z, z + 1e-9j), jnp.array_equiv(zm, zm), jnp.isclose(zs, zs, equal_nan=True)",
    "jnp.linspace(0, 1 + 2j, 3), jnp.unique(jnp.array([1j, 1, 1j])), jnp.nonzero(zm), jnp.searchsorted(jnp.sort(z), z)",
    "jnp.sort_complex(i), jnp.iscomplexobj(1j), jnp.isrealobj(x), jnp.iscomplexobj([1, 2j]), jnp.isscalar(1j)",
    "jnp.nan_to_num(zs), jnp.isfinite(zs), jnp.isinf(zs), jnp.isnan(zs), jnp.sort(zs), jnp.sign(zs[:0])",
    "jnp.result_type(z, 'float64'), jnp.promote_types('complex64', float), jnp.finfo('complex64').bits",
    "jnp.issubdtype(z.dtype, jnp.inexact), jnp.isdtype(z.dtype, 'complex floating'), jnp.iscomplexobj(z)",
    "jnp.csingle(1j), jnp.complex128(1j), jnp.ComplexWarning, repr(zm), str(z[:3])",
    "jax.lax.complex(x, y), jax.lax.conj(z), jax.lax.real(z), jax.lax.imag(z), jax.lax.conj(x)",
]
CLOSE = [
    *(unary(name, "z") for name in OWN_FORMULAS.split()),
    *(f"jnp.{name}(z[:5], z[3:] + 0.25)" for name in ROUNDED.split()),
    "jnp.angle(x), jnp.angle(zm, deg=True), jnp.angle(i), jnp.angle(-1.0), jnp.angle(2j), jnp.angle(zs[3:])",
    "z**2, z**-1, z**0.5, z ** (1 + 1j), z ** i[3], 2**z, z / 3, z / z[1], 1 / z[:3], abs(z)",
]
SUMS = [
    *(unary(name, "zm") for name in SUMMED.split()),
    *(f"jnp.{name}(zm[0], zm[1])" if name != "tensordot" else "jnp.tensordot(zm, zm, 2)" for name in PRODUCTS.split()),
    "jnp.vdot(x, z), jnp.vecdot(zm, zm), jnp.vecmat(zm[0], zm.T), jnp.matvec(zm, zm[0]), zm @ x[:3], x[:3] @ zm.T",
    "jnp.einsum('ij,kj->ik', zm, zm), jnp.einsum('ij,j', zm, x[:3]), jnp.cross(zm[0], zm[1]), jnp.trace(zm)",
    "jnp.var(zm, axis=0, ddof=1), jnp.std(zm, 1), jnp.mean(zm, axis=1, keepdims=True), jnp.average(z, weights=y)",
    "jnp.interp(y, jnp.sort(x), z), jnp.gradient(z), jnp.ediff1d(z), jnp.polyval(z[:3], z), jnp.trapezoid(z, x)",
    "jnp.sum(z, where=x > 0), jnp.prod(zm, axis=1), jnp.cumprod(z[:4]), jnp.sum(zm, axis=(0, 1), dtype='complex64')",
]
MORE_EXACT = [
    *(unary(name, "z") for name in MORE_PLAIN.split()),
    *(unary(name, "zm") for name in (PLAIN + MORE_PLAIN).split()),
    *(f"jnp.{name}(zm, 1.5), jnp.{name}(z, z[::-1])" for name in f"{BINARY} {MORE_BINARY}".split()),
]
MORE_CLOSE = [
    *(unary(name, operand) for name in FUNCTIONS.split() for operand in ("z", "zm[0] / 8")),
    *(f"jnp.{name}(zm[:, :1], 1.5), jnp.{name}(2j, y)" for name in f"{ROUNDED} {MORE_ROUNDED}".split()),
    *(f"jnp.{name}(z[:5], z[3:] + 0.25)" for name in MORE_ROUNDED.split()),
]
MORE_SUMS = [
    "jax.random.normal(jax.random.key(0), (5,), 'complex64'), jax.random.normal(jax.random.key(1), dtype=complex)",
    "jax.random.orthogonal(jax.random.key(0), 3, dtype=complex), jax.nn.sigmoid(z), jax.nn.softmax(z), jax.nn.silu(z)",
    *(
        f"jax.nn.initializers.variance_scaling(1.0, 'fan_in', '{name}', dtype='complex64')(jax.random.key(0), (3, 4))"
        for name in ("normal", "truncated_normal", "uniform")
    ),
    "jax.nn.logsumexp(z), jax.nn.logsumexp(z, b=z, return_sign=True), jax.nn.logsumexp(zm, axis=1, b=zm)",
    *(unary(name, "z") for name in SUMMED.split()),
]
SMOOTH = [
    "jnp.abs(v * (1 + 2j)) ** 2",
    "(jnp.exp(1j * v) * jnp.sin(v + 0.5j)).real",
]
MORE_SMOOTH = [
    *(f"jnp.{name}(v * (0.3 + 0.5j) + 0.2).real" for name in FUNCTIONS.split()),
    *(f"jnp.{name}(v * (0.3 + 0.5j) + 0.2, v - 2j).real" for name in ROUNDED.split() if name != "isclose"),
    "jnp.var(v * (1 + 2j) + v**2)",
    "jnp.vdot(v * 1j, v * (2 + 1j)).real * v",
    "jnp.cumprod(v + 1j).imag",
    "jnp.sort(v + 1j * v[::-1]).imag",
]
REFUSED = [
    *(f"jnp.{name}(z)" for name in NOT_DEFINED.split() if name not in ("hypot", "floor_divide", "divmod")),
    *(
        f"jnp.{name}(z, z)"
        for name in ("hypot", "floor_divide", "divmod", "remainder", "fmod", "copysign", "nextafter")
    ),
    "jnp.clip(z, 0, 1)",
    "jnp.clip(x, 0, 1j)",
    "jnp.quantile(z, 0.5)",
    "jnp.interp(z, z, z)",
    "jnp.ldexp(z, 2)",
    "jnp.partition(z, 2)",
    "jnp.std(x, dtype=int)",
    "jnp.var(z, dtype='float32')",
    "float(z[0])",
    "int(z[0])",
    "[1][z[0]]",
    "z & z",
    "z % 2",
    "z // 2",
    "jax.lax.complex(x, h)",
    "jax.lax.complex(z, z)",
    "jax.lax.real(x)",
    "jax.lax.conj(i)",
    "jax.lax.lt(z, z)",
    "jax.lax.top_k(z, 2)",
    "jax.lax.argmax(z, 0, 'int32')",
    "jax.lax.bitcast_convert_type(z, 'float32')",
    "jnp.arange(2j)",
]
