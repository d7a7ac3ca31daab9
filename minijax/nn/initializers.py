"""Initial values of parameters: functions init(key, shape, dtype) and what makes them (`jax.nn.initializers`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import minijax.numpy as jnp
from minijax import dtypes, random
from minijax.array import Array
from minijax.primitives.creation import canonical_shape
from minijax.primitives.standard import check_one_device

__all__ = [
    "Initializer",
    "constant",
    "delta_orthogonal",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "kaiming_normal",
    "kaiming_uniform",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "ones",
    "orthogonal",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]

Axes = int | Sequence[int]


class Initializer(Protocol):
    """A function that gives the initial value of a parameter."""

    def __call__(self, key: Array, shape: Sequence[int], dtype: Any = None, out_sharding: Any = None) -> Array:
        """A new array; `key` is a random key, and dtype None means the initializer's own, or the default float."""
        ...


def _dtype(dtype: Any) -> Any:
    return dtypes.default_float_dtype() if dtype is None else dtype


# ----------------------------------------------------------------- the same value everywhere


def zeros(key: Any, shape: Sequence[int], dtype: Any = None, out_sharding: Any = None) -> Array:
    """Zeros; the key is not used."""
    return jnp.zeros(shape, _dtype(dtype), out_sharding=out_sharding)


def ones(key: Any, shape: Sequence[int], dtype: Any = None, out_sharding: Any = None) -> Array:
    """Ones; the key is not used."""
    return jnp.ones(shape, _dtype(dtype), out_sharding=out_sharding)


def constant(value: Any, dtype: Any = None) -> Initializer:
    """An initializer that gives `value` everywhere, which is broadcast if it is an array."""

    def init(key: Any, shape: Sequence[int], dtype: Any = dtype, out_sharding: Any = None) -> Array:
        return jnp.full(shape, value, dtype=_dtype(dtype), out_sharding=out_sharding)

    return init


# ----------------------------------------------------------------- random values of a given size


def uniform(scale: Any = 0.01, dtype: Any = None) -> Initializer:
    """An initializer that draws uniformly from [0, scale)."""

    def init(key: Any, shape: Sequence[int], dtype: Any = dtype, out_sharding: Any = None) -> Array:
        dtype = _dtype(dtype)
        return random.uniform(key, shape, dtype, out_sharding=out_sharding) * jnp.array(scale, dtype)

    return init


def normal(stddev: Any = 0.01, dtype: Any = None) -> Initializer:
    """An initializer that draws from the normal distribution with mean 0 and this standard deviation."""

    def init(key: Any, shape: Sequence[int], dtype: Any = dtype, out_sharding: Any = None) -> Array:
        dtype = _dtype(dtype)
        return random.normal(key, shape, dtype, out_sharding=out_sharding) * jnp.array(stddev, dtype)

    return init


def truncated_normal(stddev: Any = 0.01, dtype: Any = None, lower: Any = -2.0, upper: Any = 2.0) -> Initializer:
    """An initializer that draws from the standard normal distribution cut off at `lower` and `upper`, times stddev."""

    def init(key: Any, shape: Sequence[int], dtype: Any = dtype, out_sharding: Any = None) -> Array:
        dtype = _dtype(dtype)
        return random.truncated_normal(key, lower, upper, shape, dtype, out_sharding=out_sharding) * jnp.array(
            stddev, dtype
        )

    return init


# ----------------------------------------------------------------- random values that keep the variance


def variance_scaling(
    scale: Any,
    mode: str,
    distribution: str,
    in_axis: Axes = -2,
    out_axis: Axes = -1,
    batch_axis: Axes = (),
    dtype: Any = None,
) -> Initializer:
    """An initializer with variance scale / n, where n is the number of inputs or outputs of a unit.

    mode: what n is. 'fan_in' inputs, 'fan_out' outputs, 'fan_avg' their mean, 'fan_geo_avg' their geometric mean.
    distribution: 'truncated_normal' (at two standard deviations), 'normal' or 'uniform'.
    in_axis, out_axis: the axes of the weights along which inputs and outputs lie; batch_axis: to be ignored.
    Axes that are none of these (of a convolution's kernel) count for inputs and outputs alike.
    """

    def init(key: Any, shape: Sequence[int], dtype: Any = dtype, out_sharding: Any = None) -> Array:
        shape, dtype = canonical_shape(shape), _dtype(dtype)
        fan_in, fan_out = _fans(shape, in_axis, out_axis, batch_axis)
        variance = jnp.array(scale / _denominator(mode, fan_in, fan_out), dtype=dtype)
        if dtypes.is_complex(dtypes.dtype(dtype)) and distribution in _COMPLEX:
            return _COMPLEX[distribution](key, shape, dtype) * jnp.sqrt(variance)
        if distribution == "truncated_normal":
            # What cutting off at two standard deviations leaves of the standard deviation.
            stddev = jnp.sqrt(variance) / jnp.array(0.87962566103423978, dtype)
            return random.truncated_normal(key, -2, 2, shape, dtype, out_sharding=out_sharding) * stddev
        if distribution == "normal":
            return random.normal(key, shape, dtype, out_sharding=out_sharding) * jnp.sqrt(variance)
        if distribution == "uniform":
            return random.uniform(key, shape, dtype, -1, out_sharding=out_sharding) * jnp.sqrt(3 * variance)
        raise ValueError(
            f"invalid distribution for variance scaling initializer: {distribution!r}. "
            "It must be 'truncated_normal', 'normal' or 'uniform'."
        )

    return init


def _complex_uniform(key: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    """Uniform in a disk around 0, with variance 1."""
    key_r, key_theta = random.split(key)
    real_dtype = dtypes.finfo(dtype).dtype
    r = jnp.sqrt(2 * random.uniform(key_r, shape, real_dtype)).astype(dtype)
    theta = 2 * math.pi * random.uniform(key_theta, shape, real_dtype).astype(dtype)
    return r * jnp.exp(1j * theta)


def _complex_truncated_normal(key: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    """Normal with magnitudes of at most 2, with variance 1."""
    key_r, key_theta = random.split(key)
    real_dtype = dtypes.finfo(dtype).dtype
    inside = 1 - jnp.exp(jnp.array(-(2**2), dtype))
    t = inside * random.uniform(key_r, shape, real_dtype).astype(dtype)
    theta = 2 * math.pi * random.uniform(key_theta, shape, real_dtype).astype(dtype)
    z = jnp.sqrt(-jnp.log(1 - t)) * jnp.exp(1j * theta)
    # What cutting off at 2 leaves of the standard deviation.
    return z / jnp.array(0.95311164380491208, dtype)


_COMPLEX = {"uniform": _complex_uniform, "truncated_normal": _complex_truncated_normal}


def _denominator(mode: str, fan_in: float, fan_out: float) -> float:
    if mode == "fan_in":
        return fan_in
    if mode == "fan_out":
        return fan_out
    if mode == "fan_avg":
        return (fan_in + fan_out) / 2
    if mode == "fan_geo_avg":
        return (fan_in * fan_out) ** 0.5
    raise ValueError(
        f"invalid mode for variance scaling initializer: {mode!r}. "
        "It must be 'fan_in', 'fan_out', 'fan_avg' or 'fan_geo_avg'."
    )


def _fans(shape: tuple[int, ...], in_axis: Axes, out_axis: Axes, batch_axis: Axes) -> tuple[float, float]:
    """Number of inputs and of outputs of a unit."""
    if in_axis == -2 and len(shape) < 2:
        raise ValueError(
            f"Can't compute input and output sizes of a {len(shape)}-dimensional weights tensor with default in_axis. "
            "Must be at least 2D or specify in_axis explicitly."
        )

    def size(axes: Axes) -> int:
        return shape[axes] if isinstance(axes, int) else math.prod([shape[i] for i in axes])

    n_in, n_out = size(in_axis), size(out_axis)
    receptive_field = math.prod(shape) / n_in / n_out / size(batch_axis)
    return n_in * receptive_field, n_out * receptive_field


def glorot_uniform(in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None) -> Initializer:
    """Variance 2 / (inputs + outputs), uniform (https://proceedings.mlr.press/v9/glorot10a.html)."""
    return variance_scaling(1.0, "fan_avg", "uniform", in_axis, out_axis, batch_axis, dtype)


def glorot_normal(in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None) -> Initializer:
    """Variance 2 / (inputs + outputs), truncated normal (https://proceedings.mlr.press/v9/glorot10a.html)."""
    return variance_scaling(1.0, "fan_avg", "truncated_normal", in_axis, out_axis, batch_axis, dtype)


def lecun_uniform(in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None) -> Initializer:
    """Variance 1 / inputs, uniform (http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf)."""
    return variance_scaling(1.0, "fan_in", "uniform", in_axis, out_axis, batch_axis, dtype)


def lecun_normal(in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None) -> Initializer:
    """Variance 1 / inputs, truncated normal (http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf)."""
    return variance_scaling(1.0, "fan_in", "truncated_normal", in_axis, out_axis, batch_axis, dtype)


def he_uniform(in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None) -> Initializer:
    """Variance 2 / inputs, uniform: for relu (https://arxiv.org/abs/1502.01852)."""
    return variance_scaling(2.0, "fan_in", "uniform", in_axis, out_axis, batch_axis, dtype)


def he_normal(in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None) -> Initializer:
    """Variance 2 / inputs, truncated normal: for relu (https://arxiv.org/abs/1502.01852)."""
    return variance_scaling(2.0, "fan_in", "truncated_normal", in_axis, out_axis, batch_axis, dtype)


xavier_uniform = glorot_uniform
xavier_normal = glorot_normal
kaiming_uniform = he_uniform
kaiming_normal = he_normal


# ----------------------------------------------------------------- random rotations


def orthogonal(scale: Any = 1.0, column_axis: int = -1, dtype: Any = None) -> Initializer:
    """An initializer that draws weights with orthonormal columns (or rows, if there are fewer), times `scale`.

    The columns lie along column_axis, all other axes together are the rows (https://arxiv.org/abs/1312.6120).
    """

    def init(key: Any, shape: Sequence[int], dtype: Any = dtype, out_sharding: Any = None) -> Array:
        check_one_device("jax.nn.initializers.orthogonal", out_sharding)
        dtype = _dtype(dtype)
        if len(shape) < 2:
            raise ValueError(f"orthogonal: the shape of the weights must have at least two axes, got {tuple(shape)}.")
        if any(n == 0 for n in shape):
            return jnp.zeros(shape, dtype)
        columns = shape[column_axis]
        matrix = random.orthogonal(key, math.prod(shape) // columns, (), dtype, columns)
        others = [n for d, n in enumerate(shape) if d != column_axis % len(shape)]
        matrix = jnp.moveaxis(jnp.reshape(matrix, (*others, columns)), -1, column_axis)
        return jnp.array(scale, dtype) * matrix

    return init


def delta_orthogonal(scale: Any = 1.0, column_axis: int = -1, dtype: Any = None) -> Initializer:
    """An initializer of a kernel [*window, inputs, outputs]: an orthogonal matrix in the middle, zeros around it.

    There may not be more inputs than outputs (https://arxiv.org/abs/1806.05393).
    """

    def init(key: Any, shape: Sequence[int], dtype: Any = dtype, out_sharding: Any = None) -> Array:
        check_one_device("jax.nn.initializers.delta_orthogonal", out_sharding)
        dtype = _dtype(dtype)
        if len(shape) not in (3, 4, 5):
            raise ValueError(f"delta_orthogonal: a kernel with 3, 4 or 5 axes is needed, got the shape {tuple(shape)}.")
        if shape[-1] < shape[-2]:
            raise ValueError(
                f"delta_orthogonal: there may not be more inputs than outputs, got {shape[-2]} and {shape[-1]} in the "
                f"shape {tuple(shape)}."
            )
        matrix = orthogonal(scale, column_axis, dtype)(key, shape[-2:])
        middle = tuple([(n - 1) // 2 for n in shape[:-2]])
        return jnp.zeros(shape, dtype).at[middle].set(matrix)

    return init
