"""Random floats. Each sampler turns uniform draws into its distribution, by JAX's formula.

Arguments that all of them have: `key`, a typed or raw key; `shape` of the result (None: that of the
parameters); `dtype`, a float dtype (default float32, or float64 with x64; ValueError for others).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import config, dtypes, lax
from minijax import numpy as jnp
from minijax.array import Array
from minijax.core import quiet_floating_point
from minijax.numpy.promotion import array_of
from minijax.primitives.creation import canonical_shape
from minijax.primitives.prng import random_bits, random_scale
from minijax.random.keys import sample_arguments, split_in_two

Shape = tuple[int, ...]

# ----------------------------------------------------------------- shapes and dtypes of parameters


def check_shape(name: str, shape: Shape, *parameters: Shape) -> None:
    """ValueError unless the shapes of the parameters broadcast to `shape`."""
    broadcast = lax.broadcast_shapes(shape, *parameters)
    if broadcast != shape:
        raise ValueError(
            f"{name}: parameters of shapes {', '.join(map(str, parameters))} do not broadcast to "
            f"shape={shape} but to {broadcast}. Give a shape that holds them all."
        )


def parameter_shape(name: str, shape: Any, *parameters: Any) -> Shape:
    """The shape of the samples: the one given, checked, or that to which the parameters broadcast."""
    shapes = [np.shape(p) for p in parameters]
    if shape is None:
        return lax.broadcast_shapes(*shapes)
    shape = canonical_shape(shape)
    check_shape(name, shape, *shapes)
    return shape


def check_safe_cast(name: str, dtype: np.dtype, *parameters: Any) -> None:
    """TypePromotionError for a parameter that would lose precision in the dtype of the samples."""
    for p in parameters:
        if dtypes.dtype(p) != dtype and dtypes.result_type(p, dtype) != dtype:
            raise dtypes.TypePromotionError(
                f"{name}: a parameter of dtype {dtypes.dtype(p)} cannot be cast to {dtype} safely. "
                f"Convert it first, or ask for samples of its dtype."
            )


def as_dtype(dtype: np.dtype, parameter: Any) -> Array:
    """A parameter in the dtype of the samples."""
    return lax.convert_element_type(array_of(parameter), dtype)


# ----------------------------------------------------------------- uniform


def uniform(
    key: Any,
    shape: Sequence[int] = (),
    dtype: Any = None,
    minval: Any = 0.0,
    maxval: Any = 1.0,
    *,
    out_sharding: Any = None,
) -> Array:
    """Floats from the uniform distribution on [minval, maxval), whose bounds broadcast to `shape`."""
    key, shape, dtype = sample_arguments("uniform", key, shape, dtype, out_sharding)
    return uniform_in(key, shape, dtype, minval, maxval)


def uniform_in(key: Array, shape: Shape, dtype: np.dtype, minval: Any = 0.0, maxval: Any = 1.0) -> Array:
    """`uniform` for arguments that were checked.

    The top bits of a random word become the mantissa of a float in [1, 2); 1 is subtracted.
    """
    exact = _scales_exactly(dtype, minval, maxval)
    minval = lax.broadcast_to_rank(as_dtype(dtype, minval), len(shape))
    maxval = lax.broadcast_to_rank(as_dtype(dtype, maxval), len(shape))
    info = dtypes.finfo(dtype)
    word = np.dtype(f"uint{info.bits}").type
    # bfloat16 has so few bits of mantissa that 8 random ones are enough.
    width = info.bits if info.nmant >= 8 else 8
    bits = lax.convert_element_type(random_bits(key, width, shape), word)
    one = np.ones((), dtype).view(word)[()]
    mantissa = lax.bitwise_or(lax.shift_right_logical(bits, word(width - info.nmant)), one)
    floats = lax.sub(lax.bitcast_convert_type(mantissa, dtype), dtype.type(1))
    span = lax.sub(maxval, minval)
    scaled = lax.add(lax.mul(floats, span), minval) if exact else random_scale(floats, span, minval)
    return lax.max(minval, lax.reshape(scaled, shape))


def _scales_exactly(dtype: np.dtype, minval: Any, maxval: Any) -> bool:
    """Whether it is known that multiplying by maxval - minval does not round: it is a power of two."""
    if not isinstance(minval, int | float | np.generic) or not isinstance(maxval, int | float | np.generic):
        return False
    with quiet_floating_point():
        return np.frexp(dtype.type(maxval) - dtype.type(minval))[0] == 0.5


# ----------------------------------------------------------------- normal and its relatives


def normal(key: Any, shape: Sequence[int] = (), dtype: Any = None, *, out_sharding: Any = None) -> Array:
    """Numbers from the standard normal distribution; complex ones for a complex dtype, with E |z|**2 = 1."""
    key, shape, dtype = sample_arguments("normal", key, shape, dtype, out_sharding, "fc")
    if not dtypes.is_complex(dtype):
        return _normal(key, shape, dtype)
    real, imag = (_normal(k, shape, dtypes.finfo(dtype).dtype).astype(dtype) for k in split_in_two(key))
    return (real + 1j * imag) / dtype.type(np.sqrt(2))


def _normal(key: Array, shape: Shape, dtype: np.dtype) -> Array:
    lowest = np.nextafter(dtype.type(-1), dtype.type(0), dtype=dtype)
    u = uniform_in(key, shape, dtype, lowest, dtype.type(1))
    return lax.mul(dtype.type(np.sqrt(2)), lax.erf_inv(u))


def truncated_normal(
    key: Any, lower: Any, upper: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None
) -> Array:
    """Floats from the standard normal distribution cut off at `lower` and `upper`, which broadcast."""
    shape = parameter_shape("truncated_normal", shape, lower, upper)
    key, shape, dtype = sample_arguments("truncated_normal", key, shape, dtype, out_sharding)
    lower = as_dtype(dtype, lower)
    upper = as_dtype(dtype, upper)
    sqrt2 = dtype.type(np.sqrt(2))
    a, b = lax.erf(jnp.divide(lower, sqrt2)), lax.erf(jnp.divide(upper, sqrt2))
    out = lax.mul(sqrt2, lax.erf_inv(uniform_in(key, shape, dtype, a, b)))
    # Rounding must not lead to the bounds or beyond.
    infinity = dtype.type(np.inf)
    first = lax.nextafter(lax.stop_gradient(lower), infinity)
    last = lax.nextafter(lax.stop_gradient(upper), -infinity)
    return jnp.clip(out, first, last)


_ONE = np.float32(1)


def lognormal(key: Any, sigma: Any = _ONE, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Array:
    """Floats whose logarithm is normally distributed with mean 0 and standard deviation `sigma`."""
    shape = parameter_shape("lognormal", shape, sigma)
    key, shape, dtype = sample_arguments("lognormal", key, shape, dtype, out_sharding)
    check_safe_cast("lognormal", dtype, sigma)
    return lax.exp(jnp.multiply(_normal(key, shape, dtype), as_dtype(dtype, sigma)))


def maxwell(key: Any, shape: Sequence[int] = (), dtype: Any = None, *, out_sharding: Any = None) -> Array:
    """Floats from the Maxwell distribution: lengths of vectors of three standard normal numbers."""
    key, shape, dtype = sample_arguments("maxwell", key, shape, dtype, out_sharding)
    return jnp.linalg.norm(_normal(key, (*shape, 3), dtype), axis=-1)


def double_sided_maxwell(key: Any, loc: Any, scale: Any, shape: Sequence[int] = (), dtype: Any = None) -> Array:
    """Floats from the Maxwell distribution with random signs, times `scale` plus `loc`.

    The result has the shape shape + p, or p + p for shape=(), where the parameters broadcast to p.
    """
    key, shape, dtype = sample_arguments("double_sided_maxwell", key, shape, dtype)
    parameters = lax.broadcast_shapes(np.shape(loc), np.shape(scale))
    shape = (shape or parameters) + parameters
    first, second = split_in_two(key)
    length = maxwell(first, shape, dtype)
    heads = uniform_in(second, shape, dtypes.default_float_dtype()) < 0.5
    sign = 2 * heads.astype(dtype) - 1
    return sign * length * scale + loc


def wald(key: Any, mean: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Array:
    """Floats from the Wald (inverse Gaussian) distribution with this mean and scale 1.

    Source: Michael, Schucany, Haas, "Generating random variates using transformations with multiple
    roots", The American Statistician 30 (1976).
    """
    shape = parameter_shape("wald", shape, mean)
    key, shape, dtype = sample_arguments("wald", key, shape, dtype, out_sharding)
    check_safe_cast("wald", dtype, mean)
    first, second = split_in_two(key)
    mean = jnp.broadcast_to(as_dtype(dtype, mean), shape)
    v = _normal(first, shape, dtype)
    u = uniform_in(second, shape, dtype)
    y = lax.integer_pow(v, 2)
    y_squared, mean_squared = lax.integer_pow(y, 2), lax.integer_pow(mean, 2)
    root = lax.sqrt(4 * mean * y + mean_squared * y_squared)
    x = mean + mean_squared * y / 2 - mean / 2 * root
    return lax.select(lax.le(u, mean / (mean + x)), x, mean_squared / x)


# ----------------------------------------------------------------- by inverting the distribution function


def exponential(key: Any, shape: Sequence[int] = (), dtype: Any = None, *, out_sharding: Any = None) -> Array:
    """Floats from the exponential distribution with rate 1."""
    return _exponential(*sample_arguments("exponential", key, shape, dtype, out_sharding))


def _exponential(key: Array, shape: Shape, dtype: np.dtype) -> Array:
    # 1 - u is never 0, so the logarithm stays finite.
    u = uniform_in(key, shape, dtype)
    return lax.neg(lax.log1p(lax.neg(u)))


def laplace(key: Any, shape: Sequence[int] = (), dtype: Any = None, *, out_sharding: Any = None) -> Array:
    """Floats from the Laplace distribution, of density exp(-|x|) / 2."""
    key, shape, dtype = sample_arguments("laplace", key, shape, dtype, out_sharding)
    u = uniform_in(key, shape, dtype, dtypes.finfo(dtype).epsneg - dtype.type(1))
    return lax.mul(lax.sign(u), lax.log1p(lax.neg(lax.abs(u))))


def logistic(key: Any, shape: Sequence[int] = (), dtype: Any = None, *, out_sharding: Any = None) -> Array:
    """Floats from the logistic distribution."""
    key, shape, dtype = sample_arguments("logistic", key, shape, dtype, out_sharding)
    u = uniform_in(key, shape, dtype, dtypes.finfo(dtype).tiny)
    return lax.sub(lax.log(u), lax.log1p(lax.neg(u)))


def cauchy(key: Any, shape: Sequence[int] = (), dtype: Any = None, *, out_sharding: Any = None) -> Array:
    """Floats from the Cauchy distribution, which has no mean."""
    key, shape, dtype = sample_arguments("cauchy", key, shape, dtype, out_sharding)
    u = uniform_in(key, shape, dtype, dtypes.finfo(dtype).eps)
    return lax.tan(lax.mul(dtype.type(np.pi), lax.sub(u, dtype.type(0.5))))


def gumbel(
    key: Any,
    shape: Sequence[int] = (),
    dtype: Any = None,
    mode: str | None = None,
    *,
    out_sharding: Any = None,
) -> Array:
    """Floats from the Gumbel distribution, -log(-log(u)).

    In float32 the probability of large values is cut off at about 1e-7 in mode 'low' (the default, unless
    jax_high_dynamic_range_gumbel is set), at 1e-14 in mode 'high', which spends twice as many random bits.
    """
    key, shape, dtype = sample_arguments("gumbel", key, shape, dtype, out_sharding)
    if mode is None:
        mode = "high" if config.high_dynamic_range_gumbel.value else "low"
    if mode not in ("high", "low"):
        raise ValueError(f"gumbel: mode must be 'high' or 'low', got {mode!r}.")
    info = dtypes.finfo(dtype)
    if mode == "low":
        return lax.neg(lax.log(lax.neg(lax.log(uniform_in(key, shape, dtype, info.tiny)))))
    high, low = uniform_in(key, (2, *shape), dtype)
    u = jnp.where(high >= 0.5, high, high + 2.0**-info.nmant * low + info.tiny)
    return lax.neg(lax.log(lax.neg(lax.log1p(lax.neg(u)))))


def pareto(key: Any, b: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Array:
    """Floats from the Pareto distribution on [1, inf) of density b / x**(b + 1)."""
    shape = parameter_shape("pareto", shape, b)
    key, shape, dtype = sample_arguments("pareto", key, shape, dtype, out_sharding)
    check_safe_cast("pareto", dtype, b)
    b = as_dtype(dtype, b)
    return lax.exp(jnp.divide(_exponential(key, shape, dtype), b))


def rayleigh(key: Any, scale: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Array:
    """Floats from the Rayleigh distribution with this scale."""
    shape = parameter_shape("rayleigh", shape, scale)
    key, shape, dtype = sample_arguments("rayleigh", key, shape, dtype, out_sharding)
    check_safe_cast("rayleigh", dtype, scale)
    u = uniform_in(key, shape, dtype)
    scale = jnp.broadcast_to(as_dtype(dtype, scale), shape)
    return lax.mul(scale, lax.sqrt(lax.mul(lax.log(u), dtype.type(-2))))


def weibull_min(key: Any, scale: Any, concentration: Any, shape: Sequence[int] = (), dtype: Any = None) -> Array:
    """Floats from the Weibull distribution on [0, inf) with this scale and concentration (its exponent)."""
    key, shape, dtype = sample_arguments("weibull_min", key, shape, dtype)
    u = uniform_in(key, shape, dtype, 0, 1)
    return jnp.power(lax.neg(lax.log1p(lax.neg(u))), jnp.divide(1.0, array_of(concentration))) * scale


def triangular(
    key: Any,
    left: Any,
    mode: Any,
    right: Any,
    shape: Any = None,
    dtype: Any = None,
    *,
    out_sharding: Any = None,
) -> Array:
    """Floats from the triangular distribution on [left, right] with its peak at `mode`."""
    shape = parameter_shape("triangular", shape, left, mode, right)
    key, shape, dtype = sample_arguments("triangular", key, shape, dtype, out_sharding)
    check_safe_cast("triangular", dtype, left, mode, right)
    left, right, mode = [jnp.broadcast_to(as_dtype(dtype, p), shape) for p in (left, right, mode)]
    peak = (mode - left) / (right - left)
    u = uniform_in(key, shape, dtype)
    rising = left + lax.sqrt(u * (right - left) * (mode - left))
    falling = right - lax.sqrt((1 - u) * (right - left) * (right - mode))
    return lax.select(u < peak, rising, falling)
