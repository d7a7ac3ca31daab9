"""Samples of the gamma distribution, by Marsaglia and Tsang's rejection method, each with a key of its own.

Source: "A simple method for generating gamma variables", ACM Transactions on Mathematical Software 26 (2000).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.core import ShapedArray
from minijax.primitives.arithmetic import div
from minijax.primitives.comparison import eq
from minijax.primitives.error_functions import erf_inv_p
from minijax.primitives.families import batch_axis_in_front, def_jvp, filled_like, like
from minijax.primitives.incomplete_gamma import random_gamma_grad
from minijax.primitives.prng import random_bits_p, random_split_p, require_keys
from minijax.primitives.selection import select
from minijax.primitives.standard import standard
from minijax.primitives.transcendental import exp


def random_gamma(keys: Any, a: Any, log_space: bool) -> Array:
    """Samples of shape parameters `a`, or their logarithms with log_space. a.shape starts with keys.shape.

    Differentiable with respect to `a`: the sample moves so that its cumulative probability stays.
    """
    return random_gamma_p.bind(keys, a, log_space=log_space)


# ----------------------------------------------------------------- one draw for each key, on NumPy arrays


def _split(keys: np.ndarray, count: int) -> np.ndarray:
    """`count` new keys from each, along a new first axis."""
    return random_split_p.impl(keys, shape=(count,)).T


def _uniform(keys: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """A float in [0, 1) for each key; its random bits are those of jax.random.uniform."""
    info = dtypes.finfo(dtype)
    word = np.dtype(f"uint{info.bits}")
    bits = random_bits_p.impl(keys, bit_width=info.bits if info.nmant >= 8 else 8, shape=()).astype(word)
    width = info.bits if info.nmant >= 8 else 8
    one = np.ones((), dtype).view(word)
    return ((bits >> word.type(width - info.nmant)) | one).view(dtype) - dtype.type(1)


def _normal(keys: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """A standard normal number for each key."""
    number = dtype.type
    lowest = np.nextafter(number(-1), number(0), dtype=dtype)
    u = np.maximum(lowest, _uniform(keys, dtype) * (number(1) - lowest) + lowest)
    return number(math.sqrt(2)) * erf_inv_p.impl(u)


def _positive_cube_root(keys: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Normal x and v = 1 + c x for each key, drawn again until v is positive."""
    one = c.dtype.type(1)
    x, v = np.zeros_like(c), np.full_like(c, -1)
    places = np.arange(c.size)
    while places.size:
        keys, subkeys = _split(keys, 2)
        x[places] = _normal(subkeys, c.dtype)
        v[places] = one + x[places] * c[places]
        again = v[places] <= 0
        keys, places = keys[again], places[again]
    return x, v


def _accepted(keys: np.ndarray, d: np.ndarray, c: np.ndarray) -> np.ndarray:
    """The first V that is accepted for each key; the sample is d V."""
    number = d.dtype.type
    out = np.ones_like(d)
    # NaN and infinity stay as they are.
    places = np.nonzero(np.isfinite(d))[0]
    keys = keys[places]
    while places.size:
        keys, x_keys, u_keys = _split(keys, 3)
        x, v = _positive_cube_root(x_keys, c[places])
        square, cube = x * x, v * v * v
        u = _uniform(u_keys, d.dtype)
        out[places] = cube
        log_ratio = square * number(0.5) + d[places] * (number(1) - cube + np.log(cube))
        again = (u >= number(1) - number(0.0331) * (square * square)) & (np.log(u) >= log_ratio)
        keys, places = keys[again], places[again]
    return out


def _sample(keys: np.ndarray, a: np.ndarray, log_space: bool) -> np.ndarray:
    number = a.dtype.type
    third = number(1 / 3)
    large = a >= 1
    d = np.where(large, a, a + number(1)) - third
    keys, boost_keys = _split(keys, 2)
    cube = _accepted(keys, d, third / np.sqrt(d))
    # A sample for a + 1 times u**(1 / a) is one for a.
    u = number(1) - _uniform(boost_keys, a.dtype)
    if not log_space:
        return d * cube * np.where(large, number(1), np.power(u, number(1) / a))
    log_u = np.log1p(u - number(1))
    boost = np.where(large | (log_u == 0), number(0), log_u * (number(1) / a))
    return np.log(d) + np.log(cube) + boost


def _impl(keys: np.ndarray, a: np.ndarray, *, log_space: bool) -> np.ndarray:
    per_key = math.prod(a.shape[keys.ndim :])
    own_keys = random_split_p.impl(keys.reshape(-1), shape=(per_key,)).reshape(-1)
    return _sample(own_keys, a.reshape(-1), log_space).reshape(a.shape)


# ----------------------------------------------------------------- random_gamma


def _shape(keys: ShapedArray, a: ShapedArray, *, log_space: bool) -> tuple[int, ...]:
    require_keys("random_gamma", keys)
    if a.shape[: keys.ndim] != keys.shape:
        raise ValueError(
            f"random_gamma: the shape {a.shape} of the parameter must start with that of the keys, {keys.shape}."
        )
    return a.shape


random_gamma_p = standard(
    "random_gamma",
    _impl,
    _shape,
    dtype=lambda keys, a, **params: a.dtype,
    weak=lambda keys, a, **params: a.weak_type,
)


def _tangent(t: Any, out: Any, keys: Any, a: Any, *, log_space: bool) -> Any:
    if not log_space:
        return t * random_gamma_grad(a, out)
    sample = exp(out)
    tiny = dtypes.finfo(sample.dtype).tiny
    sample = select(eq(sample, like(sample, 0)), filled_like(sample, tiny), sample)
    return t * div(random_gamma_grad(a, sample), sample)


def_jvp(random_gamma_p, None, _tangent, with_out=True)


def _batch(axis_size: int, args: Sequence[Any], dims: Sequence[int | None], *, log_space: bool) -> Any:
    keys, a = [batch_axis_in_front(x, d, axis_size) for x, d in zip(args, dims, strict=True)]
    return random_gamma(keys, a, log_space), 0


random_gamma_p.batch = _batch
