"""Random keys and bits: the Threefry-2x32 hash and the primitives of `minijax.random`.

Threefry-2x32 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) maps a key
and a counter, each of two 32-bit words, to two words that look random. There is no state: the
n-th random number of a key is the hash of n, so that all of them can be computed at once and in
any order, and that the same key gives the same numbers always. Everything below is that hash:

    bits       hash the counters 0, 1, 2, ... with the key
    split      the same, and each pair of words is a new key
    fold_in    hash one counter, the data; the pair of words is the new key
    scale      bring floats from [0, 1) into an interval, rounding once as compiled code does

A key is one element of the structured dtype `key_fry.physical`, so key arrays have their logical shape.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.core import NOT_LINEAR, Primitive, ShapedArray, get_aval
from minijax.primitives.arithmetic import mul
from minijax.primitives.families import (
    batch_nary,
    batch_unary,
    broadcast_operands,
    def_jvp,
    line_up_batch_axes,
    nary,
    widen,
)
from minijax.primitives.shaping import move_axis
from minijax.primitives.standard import def_jvp_zero, never_weak, standard

Shape = tuple[int, ...]

_U32 = np.dtype(np.uint32)
_KEY = dtypes.key_fry.physical

# ----------------------------------------------------------------- the hash, on NumPy arrays

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = np.uint32(0x1BD11BDA)
_BLOCK = 1 << 15  # counters hashed at a time: two words and a scratch word of each fit the L2 cache


def threefry2x32_into(k0: np.ndarray, k1: np.ndarray, x0: np.ndarray, x1: np.ndarray) -> None:
    """Replace the counters (x0, x1) by their hash, in place; the key words broadcast against them."""
    schedule = (k0, k1, k0 ^ k1 ^ _PARITY)
    scratch = np.empty_like(x1)
    x0 += k0
    x1 += k1
    for i in range(5):
        for r in _ROTATIONS[i % 2]:
            x0 += x1
            np.left_shift(x1, np.uint32(r), out=scratch)
            np.right_shift(x1, np.uint32(32 - r), out=x1)
            x1 |= scratch
            x1 ^= x0
        x0 += schedule[(i + 1) % 3]
        x1 += schedule[(i + 2) % 3] + np.uint32(i + 1)


def _hash_counters(keys: np.ndarray, size: int) -> Iterator[tuple[slice, slice, np.ndarray, np.ndarray]]:
    """Hash the counters 0 ... size-1 with each of `keys` (of shape (n, 1)), one cache-sized block at a time.

    Yields (keys' slice, counters' slice, words 0, words 1).
    """
    rows = max(1, _BLOCK // max(size, 1))
    for row in range(0, len(keys), rows):
        block = keys[row : row + rows]
        for col in range(0, size, _BLOCK):
            end = min(col + _BLOCK, size)
            counters = np.arange(col, end, dtype=np.uint64)
            x0 = np.empty((len(block), end - col), _U32)
            x1 = np.empty_like(x0)
            x0[:] = counters >> np.uint64(32)
            x1[:] = counters.astype(_U32)
            threefry2x32_into(block["k0"], block["k1"], x0, x1)
            yield slice(row, row + rows), slice(col, end), x0, x1


def _per_key(keys: np.ndarray, shape: Shape, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """The keys as a column, and an uninitialised result with a row for each."""
    return keys.reshape(-1, 1), np.empty((keys.size, math.prod(shape)), dtype)


def _bits_impl(keys: np.ndarray, *, bit_width: int, shape: Shape) -> np.ndarray:
    column, out = _per_key(keys, shape, _uint_dtype(bit_width))
    for row, col, x0, x1 in _hash_counters(column, out.shape[1]):
        if bit_width == 64:
            out[row, col] = x0
            out[row, col] <<= np.uint64(32)
            out[row, col] |= x1
        else:
            np.bitwise_xor(x0, x1, out=out[row, col], casting="unsafe")
    return out.reshape(keys.shape + shape)


def _split_impl(keys: np.ndarray, *, shape: Shape) -> np.ndarray:
    column, out = _per_key(keys, shape, _KEY)
    for row, col, x0, x1 in _hash_counters(column, out.shape[1]):
        out["k0"][row, col] = x0
        out["k1"][row, col] = x1
    return out.reshape(keys.shape + shape)


def _fold_in_impl(keys: np.ndarray, data: np.ndarray) -> np.ndarray:
    out = np.empty(np.broadcast_shapes(keys.shape, data.shape), _KEY)
    x0, x1 = np.zeros(out.shape, _U32), np.empty(out.shape, _U32)
    x1[...] = data
    threefry2x32_into(keys["k0"], keys["k1"], x0, x1)
    out["k0"], out["k1"] = x0, x1
    return out


def _seed_impl(seeds: np.ndarray, *, impl: str) -> np.ndarray:
    out = np.zeros(seeds.shape, _KEY)
    if seeds.dtype.itemsize == 8:
        out["k0"] = seeds.astype(np.uint64) >> np.uint64(32)
    out["k1"] = seeds.astype(_U32)
    return out


# ----------------------------------------------------------------- random_seed

# The name of the only implementation, as jaxprs print it; JAX has others.
_IMPL = "fry"


def random_seed(seeds: Any) -> Any:
    """Keys from integer seeds, of any shape. A Python int may have 64 bits; without x64 the low 32 count.

    Raises OverflowError for a Python int beyond 64 bits, TypeError for a dtype that is no integer.
    """
    if isinstance(seeds, int):
        seeds = np.int64(seeds).astype(dtypes.default_int_dtype())
    return random_seed_p.bind(seeds, impl=_IMPL)


def _seed_shape(seeds: ShapedArray, *, impl: str) -> Shape:
    if not dtypes.is_integer(seeds.dtype):
        raise TypeError(
            f"PRNG key seed must be an integer, got dtype {seeds.dtype.name} with shape {seeds.shape}. "
            "Convert it first, for example jax.random.key(int(seed))."
        )
    return seeds.shape


def key_dtype(*avals: ShapedArray, **params: Any) -> Any:
    """The result is an array of keys."""
    return dtypes.key_fry


random_seed_p = standard("random_seed", _seed_impl, _seed_shape, key_dtype, never_weak)
def_jvp_zero(random_seed_p)
random_seed_p.batch = batch_unary(random_seed_p)


# ----------------------------------------------------------------- random_split, random_bits


def random_split(keys: Any, shape: Shape) -> Any:
    """New keys of shape keys.shape + shape."""
    return random_split_p.bind(keys, shape=shape)


def require_keys(name: str, keys: ShapedArray) -> None:
    """Raise TypeError unless the dtype is that of typed random keys."""
    if keys.dtype is not dtypes.key_fry:
        raise TypeError(
            f"{name} takes an array of random keys, got dtype {keys.dtype.name} with shape {keys.shape}. "
            "Make one with jax.random.key(seed), or with jax.random.wrap_key_data(data) from uint32 data."
        )


def _split_shape(keys: ShapedArray, *, shape: Shape) -> Shape:
    require_keys("random_split", keys)
    return keys.shape + shape


random_split_p = standard("random_split", _split_impl, _split_shape)
def_jvp_zero(random_split_p)
random_split_p.batch = batch_unary(random_split_p)


def random_bits(keys: Any, bit_width: int, shape: Shape) -> Any:
    """Uniform random unsigned integers of 8, 16, 32 or 64 bits, of shape keys.shape + shape."""
    return random_bits_p.bind(keys, bit_width=bit_width, shape=shape)


def _uint_dtype(bit_width: int) -> np.dtype:
    return np.dtype(f"uint{bit_width}")


def _bits_shape(keys: ShapedArray, *, bit_width: int, shape: Shape) -> Shape:
    require_keys("random_bits", keys)
    if bit_width not in (8, 16, 32, 64):
        raise TypeError(f"random_bits: bit_width must be 8, 16, 32 or 64, got {bit_width}.")
    return keys.shape + shape


random_bits_p = standard(
    "random_bits", _bits_impl, _bits_shape, lambda keys, *, bit_width, shape: _uint_dtype(bit_width)
)
def_jvp_zero(random_bits_p)
random_bits_p.batch = batch_unary(random_bits_p)


# ----------------------------------------------------------------- random_fold_in


def random_fold_in(keys: Any, data: Any) -> Any:
    """Keys that depend on uint32 data as well; both have one shape, or one of them is a scalar."""
    return random_fold_in_p.bind(keys, data)


def _fold_in_shape(keys: ShapedArray, data: ShapedArray) -> Shape:
    require_keys("random_fold_in", keys)
    if data.dtype != _U32:
        raise TypeError(f"random_fold_in takes uint32 data, got {data.dtype.name}. Write data.astype('uint32').")
    return broadcast_operands("random_fold_in", (keys, data))


random_fold_in_p = standard("random_fold_in", _fold_in_impl, _fold_in_shape)
def_jvp_zero(random_fold_in_p)
random_fold_in_p.batch = batch_nary(random_fold_in_p)


# ----------------------------------------------------------------- random_scale


def random_scale(floats: Any, span: Any, low: Any) -> Any:
    """floats * span + low, rounded once.

    XLA compiles the `mul` and `add` that end JAX's `uniform` to one fused multiply-add, which NumPy has
    not. So that all bits agree, they are a primitive of our own, where the product is not exact anyway.
    """
    return random_scale_p.bind(floats, span, low)


def _scale_impl(x: np.ndarray, span: np.ndarray, low: np.ndarray) -> np.ndarray:
    if x.dtype == np.float32:
        return _fused_float32(x, span, low)
    if x.dtype == np.float64:
        return _fused_float64(x, span, low)
    return x * span + low  # XLA rounds half-precision floats after each operation


def _fused_float32(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    product = x.astype(np.float64) * y  # exact
    total = np.asarray(product + z)
    # The sum was rounded once, and is rounded again to float32. That goes wrong where the first rounding
    # led to the middle between two float32 numbers; its error tells on which side of it the sum lies.
    middle = (total.view(np.int64) & 0x1FFFFFFF) == 0x10000000
    if middle.any():
        error = _sum_error(product, z, total)
        nudged = np.nextafter(total, np.copysign(np.inf, error))
        total = np.where(middle & (error != 0), nudged, total)
    return total.astype(np.float32)


def _sum_error(x: np.ndarray, y: np.ndarray, total: np.ndarray) -> np.ndarray:
    """x + y - total exactly, where total is x + y rounded (Knuth's TwoSum)."""
    part = total - x
    return (x - (total - part)) + (y - part)


def _fused_float64(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    product = x * y
    (x0, x1), (y0, y1) = _halves(x), _halves(y)
    error = ((x0 * y0 - product) + x0 * y1 + x1 * y0) + x1 * y1  # x * y - product, exactly (Dekker)
    total = product + z
    fused = total + (_sum_error(product, z, total) + error)
    return np.where(np.isfinite(fused), fused, total)


def _halves(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two numbers of 26 bits that add up to `x`, so that products of such numbers are exact (Veltkamp)."""
    shifted = x * np.float64((1 << 27) + 1)
    upper = shifted - (shifted - x)
    return upper, x - upper


random_scale_p = nary("random_scale", _scale_impl, ("f", "f", "f"))
def_jvp(
    random_scale_p,
    None,  # random bits have no tangent
    lambda t, x, span, low: mul(x, t),
    lambda t, x, span, low: widen(t, broadcast_operands("random_scale", [get_aval(x), get_aval(t)])),
)


# ----------------------------------------------------------------- random_wrap, random_unwrap, random_clone


def random_wrap(data: Any) -> Any:
    """An array of keys from their uint32 words, which stand along a last axis of length 2."""
    _check_key_data(get_aval(data))
    return random_wrap_p.bind(data, impl=_IMPL)


def _check_key_data(data: ShapedArray) -> None:
    if data.ndim < 1 or data.shape[-1] != 2 or data.dtype != _U32:
        raise TypeError(
            "invalid PRNG key data: keys are uint32 arrays whose last axis has length 2, got "
            f"dtype {data.dtype.name} and shape {data.shape}. Make a key with jax.random.key(seed)."
        )


def _wrap_impl(data: np.ndarray, *, impl: str) -> np.ndarray:
    return np.ascontiguousarray(data).view(_KEY).reshape(data.shape[:-1])


def _wrap_shape(data: ShapedArray, *, impl: str) -> Shape:
    _check_key_data(data)
    return data.shape[:-1]


random_wrap_p = standard("random_wrap", _wrap_impl, _wrap_shape, key_dtype, never_weak)
def_jvp_zero(random_wrap_p)
random_wrap_p.batch = lambda axis_size, args, dims, *, impl: (random_wrap(move_axis(args[0], dims[0], 0)), 0)


def random_unwrap(keys: Any) -> Any:
    """The uint32 words of keys, along a new last axis of length 2."""
    return random_unwrap_p.bind(keys)


def _unwrap_shape(keys: ShapedArray) -> Shape:
    require_keys("random_unwrap", keys)
    return (*keys.shape, 2)


random_unwrap_p = standard(
    "random_unwrap", lambda keys: keys.reshape((*keys.shape, 1)).view(_U32), _unwrap_shape, lambda keys: _U32
)
def_jvp_zero(random_unwrap_p)
random_unwrap_p.batch = batch_unary(random_unwrap_p)


def random_clone(keys: Any) -> Any:
    """The same keys again, as a value of its own."""
    return random_clone_p.bind(keys)


random_clone_p = standard("random_clone", lambda keys: keys, lambda keys: keys.shape)
def_jvp_zero(random_clone_p)
random_clone_p.batch = batch_unary(random_clone_p)


# ----------------------------------------------------------------- threefry2x32


def threefry2x32(k0: Any, k1: Any, x0: Any, x1: Any) -> Sequence[Any]:
    """The bare hash of the counter words (x0, x1) with the key words (k0, k1), uint32 each."""
    return threefry2x32_p.bind(k0, k1, x0, x1)


def _threefry_impl(k0: np.ndarray, k1: np.ndarray, x0: np.ndarray, x1: np.ndarray) -> Sequence[np.ndarray]:
    shape = np.broadcast_shapes(k0.shape, k1.shape, x0.shape, x1.shape)
    out0, out1 = np.empty(shape, _U32), np.empty(shape, _U32)
    out0[...], out1[...] = x0, x1
    threefry2x32_into(k0, k1, out0, out1)
    return out0, out1


def _threefry_shape(*avals: ShapedArray) -> list[ShapedArray]:
    if any(aval.dtype != _U32 for aval in avals):
        got = ", ".join(aval.dtype.name for aval in avals)
        raise TypeError(f"Arguments to threefry2x32 must have uint32 type, got {got}. Write x.astype('uint32').")
    return [ShapedArray(broadcast_operands("threefry2x32", avals), _U32)] * 2


threefry2x32_p = Primitive("threefry2x32", multiple_results=True)
threefry2x32_p.impl = _threefry_impl
threefry2x32_p.shape_rule = _threefry_shape
def_jvp_zero(threefry2x32_p)
threefry2x32_p.transpose = NOT_LINEAR


def _threefry_batch(axis_size: int, args: Sequence[Any], dims: Sequence[int | None]) -> Any:
    lined_up, dim = line_up_batch_axes(args, dims)
    return threefry2x32_p.bind(*lined_up), [dim, dim]


threefry2x32_p.batch = _threefry_batch
