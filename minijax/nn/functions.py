"""Functions of whole axes: softmax and its relatives, normalisation, one-hot vectors."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import config, dtypes, lax
from minijax.array import Array
from minijax.custom_derivatives import custom_jvp
from minijax.numpy.axes import canonical_axis_tuple, static_int
from minijax.numpy.promotion import (
    array_of,
    check_arraylike,
    ensure_arraylike,
    promote_args_inexact,
    promote_dtypes_inexact,
)
from minijax.primitives.shaping import canonical_axis

__all__ = ["log_softmax", "logmeanexp", "logsumexp", "one_hot", "softmax", "standardize"]

Axis = int | Sequence[int] | None

# ----------------------------------------------------------------- exponentials of a sum


def logsumexp(
    a: Any,
    axis: Axis = None,
    b: Any = None,
    keepdims: bool = False,
    return_sign: bool = False,
    where: Any = None,
) -> Array | tuple[Array, Array]:
    """log(sum(b * exp(a))) over axes, without overflow. With return_sign (log of the absolute value, sign).

    where: which elements count. A negative sum without return_sign gives NaN.
    """
    if where is not None:
        a = jnp.where(where, a, 0)
    if b is None:
        (a,) = promote_dtypes_inexact(ensure_arraylike("logsumexp", a))
    else:
        a, b = promote_args_inexact("logsumexp", *ensure_arraylike("logsumexp", a, b))
        a = jnp.where(b != 0, a, -np.inf)
    axes = canonical_axis_tuple(axis, a.ndim)
    largest = jnp.max(a.real, axis=axes, keepdims=keepdims, where=where, initial=-np.inf)
    largest = lax.stop_gradient(lax.select(jnp.isfinite(largest), largest, lax.full_like(largest, 0)))
    subtracted = largest if keepdims else lax.expand_dims(largest, axes)
    exponentials = lax.exp(lax.sub(a, subtracted.astype(a.dtype)))
    if b is not None:
        exponentials = lax.mul(exponentials, b)
    total = jnp.sum(exponentials, axis=axes, keepdims=keepdims, where=where)
    sign = lax.sign(total)
    if return_sign or not dtypes.is_complex(a.dtype):
        total = jnp.abs(total)
    out = lax.add(lax.log(total), largest.astype(total.dtype))
    if return_sign:
        return out, sign
    if b is None or dtypes.is_complex(out.dtype):
        return out
    return jnp.where(sign < 0, jnp.array(np.nan, dtype=out.dtype), out)


def logmeanexp(x: Any, axis: Axis = None, where: Any = None, keepdims: bool = False) -> Array:
    """log(mean(exp(x))) over axes, without overflow."""
    total = logsumexp(x, axis=axis, where=where, keepdims=keepdims)
    return total - jnp.log(_count(np.shape(x), axis, where, keepdims, total.dtype))


def _count(shape: tuple[int, ...], axis: Axis, where: Any, keepdims: bool, dtype: Any) -> Any:
    """How many elements a reduction over axes takes together."""
    if where is not None:
        return jnp.sum(jnp.broadcast_to(where, shape), axis, dtype, keepdims=keepdims)
    return dtype.type(math.prod([shape[d] for d in canonical_axis_tuple(axis, len(shape))]))


# ----------------------------------------------------------------- softmax


def softmax(x: Any, axis: Axis = -1, where: Any = None) -> Array:
    """exp(x) / sum(exp(x)) over axes, without overflow; 0 where `where` is false."""
    if config.softmax_custom_jvp.value:
        return _softmax(x, axis, where, -np.inf)
    return _softmax_of(x, axis, where, -np.inf, lax.stop_gradient)


def _softmax_of(x: Any, axis: Axis, where: Any, initial: Any, constant: Any) -> Array:
    largest = jnp.max(x, axis, where=where, initial=initial, keepdims=True)
    x = x if where is None else jnp.where(where, x, initial)
    exponentials = jnp.exp(x - constant(largest))
    result = exponentials / jnp.sum(exponentials, axis, where=where, keepdims=True)
    return result if where is None else jnp.where(where, result, 0)


@partial(custom_jvp, nondiff_argnums=(1,))
def _softmax(x: Any, axis: Axis, where: Any, initial: Any) -> Array:
    """softmax, whose derivative under jax_softmax_custom_jvp is made of its result."""
    return _softmax_of(x, axis, where, initial, lambda largest: largest)


@_softmax.defjvp
def _softmax_jvp(axis: Axis, primals: Any, tangents: Any) -> tuple[Array, Array]:
    (x, where, initial), (t, _, _) = primals, tangents
    y = _softmax(x, axis, where, initial)
    return y, y * (t - jnp.sum(y * t, axis, where=where, keepdims=True))


def log_softmax(x: Any, axis: Axis = -1, where: Any = None) -> Array:
    """x - logsumexp(x) over axes; -inf where `where` is false."""
    x = ensure_arraylike("log_softmax", x)
    largest = jnp.max(x, axis, where=where, initial=-np.inf, keepdims=True)
    x = x if where is None else jnp.where(where, x, -np.inf)
    shifted = x - lax.stop_gradient(largest)
    result = shifted - jnp.log(jnp.sum(jnp.exp(shifted), axis, where=where, keepdims=True))
    return result if where is None else jnp.where(where, result, -np.inf)


# ----------------------------------------------------------------- normalisation, one-hot vectors


def standardize(
    x: Any,
    axis: Axis = -1,
    mean: Any = None,
    variance: Any = None,
    epsilon: Any = 1e-05,
    where: Any = None,
    *,
    algorithm: str = "fast",
) -> Array:
    """(x - mean) / sqrt(variance + epsilon), mean and variance being those over axes unless they are given.

    algorithm: the variance as the mean of squares minus the square of the mean ('fast'), or in two passes ('stable').
    """
    check_arraylike("standardize", *[v for v in (x, mean, variance, where) if v is not None])
    if mean is None:
        mean = jnp.mean(x, axis, keepdims=True, where=where)
    if variance is None:
        variance = _variance(x, axis, mean, where, algorithm)
    return jnp.subtract(x, mean) * lax.rsqrt(array_of(variance) + epsilon)


def _variance(x: Any, axis: Axis, mean: Any, where: Any, algorithm: str) -> Array:
    if algorithm == "stable":
        return jnp.mean(jnp.square(jnp.subtract(x, mean)), axis, keepdims=True, where=where)
    if algorithm == "fast":
        mean_square = jnp.mean(jnp.square(x), axis, keepdims=True, where=where)
        return jnp.clip(mean_square - jnp.square(mean), 0)
    raise ValueError(f"standardize: unknown algorithm {algorithm!r}. Expected 'fast' or 'stable'.")


def one_hot(x: Any, num_classes: int, *, dtype: Any = None, axis: Any = -1) -> Array:
    """Vectors along a new axis with a 1 at the place that x says, zeros elsewhere; all zeros if it is out of bounds."""
    num_classes = static_int(num_classes, "the argument `num_classes` of jax.nn.one_hot")
    x = jnp.asarray(x)
    dtype = dtypes.default_float_dtype() if dtype is None else dtype
    if isinstance(axis, str):
        return jnp.asarray(x == _index_along(axis, num_classes), dtype=dtype)
    place = canonical_axis(axis, x.ndim + 1)
    x, shape = lax.expand_dims(x, (operator.index(axis),)), [1] * x.ndim
    shape.insert(place, num_classes)
    return (x == lax.broadcasted_iota(x.dtype, shape, place)).astype(dtype)


def _index_along(axis_name: str, num_classes: int) -> Array:
    """The place along a named axis of vmap, over which the classes are spread."""
    size = lax.axis_size(axis_name)
    if size != num_classes:
        raise ValueError(
            f"one_hot: expected num_classes to match the size of axis {axis_name}, but {num_classes} != {size}."
        )
    return lax.axis_index(axis_name)
