"""Random integers, choices, orders and truth values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax import numpy as jnp
from minijax.array import Array
from minijax.errors import ConcretizationTypeError
from minijax.numpy.promotion import array_of, check_arraylike, promote_dtypes_inexact
from minijax.primitives.creation import canonical_shape
from minijax.primitives.families import like
from minijax.primitives.prng import random_bits
from minijax.primitives.shaping import canonical_axis
from minijax.random.continuous import Shape, check_shape, gumbel, parameter_shape, uniform_in
from minijax.random.keys import check_key, check_sharding, sample_dtype, split_in_two

# ----------------------------------------------------------------- integers


def randint(
    key: Any, shape: Sequence[int], minval: Any, maxval: Any, dtype: Any = None, *, out_sharding: Any = None
) -> Array:
    """Uniformly random integers in [minval, maxval), whose bounds broadcast to `shape`.

    Bounds outside the dtype's range count as the nearest integers in it; maxval one past its end is
    understood. minval where maxval <= minval. TypeError for a dtype that is no integer.
    """
    key, _ = check_key("randint", key)
    dtype = dtypes.check_and_canonicalize_user_dtype(int if dtype is None else dtype, "randint")
    if not dtypes.is_integer(dtype):
        raise TypeError(f"randint only accepts integer dtypes, got {dtype}. jax.random.uniform draws floats.")
    check_sharding("randint", out_sharding)
    shape = canonical_shape(shape)
    info = dtypes.iinfo(dtype)
    if info.bits >= 32:
        return _randint(key, shape, array_of(minval), array_of(maxval), dtype)
    # Narrow integers are drawn as wide ones: there is room for maxval one past the end then.
    lowest, highest = int(info.min), int(info.max)
    minval = jnp.asarray(minval).astype(np.int32).clip(lowest, highest)
    maxval = jnp.asarray(maxval).astype(np.int32).clip(lowest, highest + 1)
    return _randint(key, shape, minval, maxval, np.dtype(np.int32)).astype(dtype)


def _randint(key: Array, shape: Shape, minval: Array, maxval: Array, dtype: np.dtype) -> Array:
    check_shape("randint", shape, minval.shape, maxval.shape)
    minval, maxval = _integers(minval), _integers(maxval)
    end = array_of(dtype.type(dtypes.iinfo(dtype).max))
    past_the_end = lax.gt(maxval, _clipped(end, maxval.dtype))
    minval, maxval = _clipped(minval, dtype), _clipped(maxval, dtype)
    minval, maxval = lax.broadcast_to_rank(minval, len(shape)), lax.broadcast_to_rank(maxval, len(shape))

    word = np.dtype(f"uint{dtypes.iinfo(dtype).bits}")
    first, second = split_in_two(key)
    high, low = random_bits(first, 8 * word.itemsize, shape), random_bits(second, 8 * word.itemsize, shape)
    span = lax.convert_element_type(maxval - minval, word)
    span = lax.select(maxval <= minval, lax.full_like(span, 1), span)
    # Where the end is one past the largest integer, the difference was one short. 2**bits becomes 0 here.
    span = lax.select(past_the_end & (maxval > minval), lax.add(span, word.type(1)), span)
    # (high * 2**bits + low) modulo span, in words of that many bits; its bias is at most span / 2**(2 bits).
    multiplier = lax.rem(word.type(1 << 4 * word.itemsize), span)
    multiplier = lax.rem(lax.mul(multiplier, multiplier), span)
    offset = lax.add(lax.mul(lax.rem(high, span), multiplier), lax.rem(low, span))
    return lax.add(minval, lax.convert_element_type(lax.rem(offset, span), dtype))


def _integers(x: Array) -> Array:
    return x if dtypes.is_integer(x.dtype) else x.astype(int)


def _clipped(x: Array, dtype: np.dtype) -> Array:
    """Integers in another dtype; those outside its range become the nearest inside."""
    ours, theirs = dtypes.iinfo(x.dtype), dtypes.iinfo(dtype)
    lowest, highest = max(int(ours.min), int(theirs.min)), min(int(ours.max), int(theirs.max))
    return jnp.clip(x, like(x, lowest), like(x, highest)).astype(dtype)


def rademacher(key: Any, shape: Sequence[int] = (), dtype: Any = None, *, out_sharding: Any = None) -> Array:
    """-1 or 1 with equal probability, as integers or in any other dtype of numbers."""
    key, _ = check_key("rademacher", key)
    dtype = dtypes.check_and_canonicalize_user_dtype(int if dtype is None else dtype, "rademacher")
    check_sharding("rademacher", out_sharding)
    heads = bernoulli(key, 0.5, canonical_shape(shape)).astype(dtype)
    return (2 * heads - 1).astype(dtype)


def geometric(key: Any, p: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Array:
    """The number of the first success in trials that succeed with probability `p`; 1, 2, 3, ..."""
    key, _ = check_key("geometric", key)
    dtype = sample_dtype("geometric", dtype, int, "iu")
    shape = parameter_shape("geometric", shape, p)
    check_sharding("geometric", out_sharding)
    check_arraylike("geometric", p)
    (p,) = promote_dtypes_inexact(array_of(p))
    u = uniform_in(key, shape, p.dtype)
    log_u = lax.log(jnp.where(u == 0, 1, u))
    log_failure = jnp.broadcast_to(lax.log1p(-p), shape)
    return (lax.floor(lax.div(log_u, log_failure)) + 1).astype(dtype)


# ----------------------------------------------------------------- truth values and categories


def bernoulli(key: Any, p: Any = 0.5, shape: Any = None, mode: str = "low", *, out_sharding: Any = None) -> Array:
    """True with probability `p`, which broadcasts to `shape`.

    In mode 'high' twice the random bits are spent, so that probabilities far below 1e-7 come out right.
    TypeError for a `p` that is no float.
    """
    if mode not in ("high", "low"):
        raise ValueError(f"bernoulli: got mode={mode!r}, expected 'high' or 'low'.")
    key, _ = check_key("bernoulli", key)
    dtype = dtypes.dtype(p)
    if not dtypes.is_float(dtype):
        raise TypeError(f"bernoulli probability `p` must have a floating dtype, got {dtype}.")
    check_sharding("bernoulli", out_sharding)
    shape = parameter_shape("bernoulli", shape, p)
    p = lax.convert_element_type(p, dtype)
    if mode == "low":
        return uniform_in(key, shape, dtype) < p
    first, second = uniform_in(key, (2, *shape), dtype)
    return second * 2.0 ** -dtypes.finfo(dtype).nmant < p - first


def categorical(
    key: Any,
    logits: Any,
    axis: int = -1,
    shape: Any = None,
    replace: bool = True,
    mode: str | None = None,
    *,
    out_sharding: Any = None,
) -> Array:
    """Indices along `axis` of `logits`, drawn with probabilities softmax(logits, axis).

    The result has the shape of `logits` without `axis`, or `shape`, which must end with that one. Without
    `replace` the draws along the further axes of `shape` are all different. `mode` is that of `gumbel`.
    """
    key, _ = check_key("categorical", key)
    check_arraylike("categorical", logits)
    check_sharding("categorical", out_sharding)
    logits = jnp.asarray(logits)
    # The largest of logits + Gumbel noise is at index i with probability softmax(logits)[i].
    axis = canonical_axis(axis, logits.ndim)
    batch_shape = logits.shape[:axis] + logits.shape[axis + 1 :]
    shape = batch_shape if shape is None else canonical_shape(shape)
    check_shape("categorical", shape, batch_shape)
    prefix = shape[: len(shape) - len(batch_shape)]
    if not replace:
        return _categorical_without_replacement(key, logits, axis, prefix, mode)
    lengths = list(shape[len(prefix) :])
    lengths.insert(axis, logits.shape[axis])
    noise = gumbel(key, (*prefix, *lengths), logits.dtype, mode)
    if prefix:
        logits = lax.expand_dims(logits, range(len(prefix)))
    return jnp.argmax(noise + logits, axis=axis + len(prefix))


def _categorical_without_replacement(key: Array, logits: Array, axis: int, prefix: Shape, mode: Any) -> Array:
    draws = math.prod(prefix)
    if draws > logits.shape[axis]:
        raise ValueError(
            f"categorical: number of samples without replacement ({draws}) cannot exceed number of "
            f"categories ({logits.shape[axis]}). Ask for fewer, or write replace=True."
        )
    noisy = logits + gumbel(key, logits.shape, logits.dtype, mode)
    _, indices = lax.top_k(jnp.moveaxis(noisy, axis, -1), draws)
    last = indices.ndim - 1
    return lax.reshape(indices, (*prefix, *indices.shape[:-1]), (last, *range(last)))


# ----------------------------------------------------------------- order and choice


def permutation(key: Any, x: Any, axis: int = 0, independent: bool = False, *, out_sharding: Any = None) -> Array:
    """`x` with its slices along `axis` in random order; an integer x stands for arange(x).

    With `independent` each line along `axis` is shuffled by itself.
    """
    key, _ = check_key("permutation", key)
    check_arraylike("permutation", x)
    check_sharding("permutation", out_sharding)
    axis = canonical_axis(axis, np.ndim(x) or 1)
    if not np.ndim(x):
        if not dtypes.is_integer(dtypes.dtype(x)):
            raise TypeError(f"permutation: x must be an integer or at least 1-dimensional, got {x!r}.")
        return _shuffle(key, jnp.arange(_concrete_int("permutation", x)), axis)
    if independent or np.ndim(x) == 1:
        return _shuffle(key, array_of(x), axis)
    order = _shuffle(key, jnp.arange(np.shape(x)[axis]), 0)
    return jnp.take(x, order, axis, unique_indices=True)


def _concrete_int(name: str, x: Any) -> int:
    try:
        return int(x)
    except ConcretizationTypeError as error:
        raise ConcretizationTypeError(
            x, f"{name} needs its size while tracing: make it a static argument of jit."
        ) from error


def _shuffle(key: Array, x: Array, axis: int) -> Array:
    """Sort by random 32-bit words, often enough that no two elements had equal words every time."""
    rounds = math.ceil(3 * math.log(max(1, x.size)) / math.log(2**32 - 1))
    for _ in range(rounds):
        key, subkey = split_in_two(key)
        _, x = lax.sort_key_val(random_bits(subkey, 32, x.shape), x, axis)
    return x


def choice(
    key: Any,
    a: Any,
    shape: Sequence[int] = (),
    replace: bool = True,
    p: Any = None,
    axis: int = 0,
    mode: str | None = None,
) -> Array:
    """Slices of `a` along `axis`, drawn uniformly or with probabilities `p`; an integer means arange(a).

    The axis is replaced by the axes of `shape`. Without `replace` all draws are different. `mode` is that
    of `gumbel`, used for draws by `p` without replacement.
    Raises ValueError when `a` is empty, has too few slices, or `p` another length.
    """
    key, _ = check_key("choice", key)
    if not isinstance(shape, Sequence):
        raise TypeError(f"choice: the shape must be a sequence, got {shape!r}. Write shape=({shape!r},).")
    check_arraylike("choice", a)
    array = jnp.asarray(a)
    if array.ndim == 0:
        n, axis = _concrete_int("choice", a), 0
    else:
        axis = canonical_axis(axis, array.ndim)
        n = array.shape[axis]
    draws = math.prod(shape)
    out_shape = tuple(shape) if array.ndim == 0 else (*array.shape[:axis], *shape, *array.shape[axis + 1 :])
    if draws == 0:
        return jnp.zeros(shape, dtype=array.dtype)
    _check_choice(n, draws, replace)
    if p is None and not replace:
        shuffled = permutation(key, n if array.ndim == 0 else array, axis)
        chosen = shuffled[(slice(None),) * axis + (slice(draws),)]
    else:
        indices = randint(key, shape, 0, n) if p is None else _choose(key, p, n, shape, replace, mode)
        chosen = indices if array.ndim == 0 else jnp.take(array, indices, axis)
    return chosen.reshape(out_shape)


def _check_choice(n: int, draws: int, replace: bool) -> None:
    if n <= 0:
        raise ValueError("choice: a must be greater than 0 (or not be empty) unless no samples are taken.")
    if not replace and draws > n:
        raise ValueError(
            f"choice: cannot take a larger sample (size {draws}) than population (size {n}) when replace=False."
        )


def _choose(key: Array, p: Any, n: int, shape: Sequence[int], replace: bool, mode: str | None) -> Array:
    """Indices drawn with probabilities `p`."""
    check_arraylike("choice", p)
    (p,) = promote_dtypes_inexact(array_of(p))
    if p.shape != (n,):
        raise ValueError(f"choice: p must be None or of shape ({n},), got shape {p.shape}.")
    if replace:
        cumulative = jnp.cumsum(p)
        u = uniform_in(key, canonical_shape(shape), cumulative.dtype)
        return jnp.searchsorted(cumulative, cumulative[-1] * (1 - u)).astype(int)
    noisy = gumbel(key, (n,), p.dtype, mode) + jnp.log(p)
    return lax.top_k(noisy, math.prod(shape))[1].astype(int)
