"""rng_bit_generator: XLA's own generators of random bits, a state at a time.

`jax.random` does without it; keys and their splitting are in prng.py. The state is a key of 64 bits and a counter of
64 bits; each value of the counter is hashed to a block of words, by Threefry-2x32 or Philox-4x32 in ten rounds.
Papers: Salmon et al., Parallel random numbers: as easy as 1, 2, 3 (2011).
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.core import NOT_LINEAR, Primitive, ShapedArray
from minijax.primitives.creation import canonical_shape
from minijax.primitives.dynamic_slicing import dynamic_update_index_in_dim
from minijax.primitives.families import def_not_differentiable
from minijax.primitives.prng import threefry2x32_into
from minijax.primitives.shaping import move_axis
from minijax.primitives.slicing import index_in_dim
from minijax.primitives.standard import check_one_device

__all__ = ["RandomAlgorithm", "rng_bit_generator", "rng_bit_generator_p"]

_U32, _U64 = np.dtype(np.uint32), np.dtype(np.uint64)
_OUTPUTS = frozenset(map(np.dtype, ("uint8", "uint16", "uint32", "uint64")))


class RandomAlgorithm(enum.IntEnum):
    """Which generator; the default one of the CPU is Philox."""

    RNG_DEFAULT = 0
    RNG_THREE_FRY = 1
    RNG_PHILOX = 2

    def __str__(self) -> str:
        return self.name


def rng_bit_generator(
    key: Any,
    shape: Sequence[int],
    dtype: Any = np.uint32,
    algorithm: RandomAlgorithm = RandomAlgorithm.RNG_DEFAULT,
    *,
    out_sharding: Any = None,
) -> tuple[Array, Array]:
    """The next state, and random bits of the given shape and unsigned dtype.

    key: the state, uint32[4] or uint64[2]. TypeError for a dtype that is no unsigned integer.
    """
    check_one_device("lax.rng_bit_generator", out_sharding)
    dtype = dtypes.check_and_canonicalize_user_dtype(dtype, "rng_bit_generator")
    if dtype not in _OUTPUTS:
        raise TypeError(f"rng_bit_generator: unsupported dtype {dtype}; bits come as uint8, uint16, uint32 or uint64.")
    shape = canonical_shape(shape)
    return tuple(rng_bit_generator_p.bind(key, shape=shape, dtype=dtype, algorithm=algorithm))


# ----------------------------------------------------------------- the two hashes


def _threefry(state: np.ndarray, count: int) -> list[np.ndarray]:
    """Two words for each of the next `count` values of the counter."""
    key, values = state[:1].view(_U32), state[1] + np.arange(count, dtype=_U64)
    x0, x1 = values.astype(_U32), (values >> np.uint64(32)).astype(_U32)
    threefry2x32_into(np.broadcast_to(key[0], x0.shape), np.broadcast_to(key[1], x0.shape), x0, x1)
    return [x0, x1]


def _philox(state: np.ndarray, count: int) -> list[np.ndarray]:
    """Four words for each of the next `count` values of a counter of 128 bits, whose upper half starts as the key."""
    mask, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    key, lower = state[:1].view(_U32), state[1] + np.arange(count, dtype=_U64)
    upper = state[0] + (lower < state[1]).astype(_U64)  # carried over where the lower half began anew
    counter = [lower & mask, lower >> half, upper & mask, upper >> half]
    k0, k1 = np.uint64(key[0]), np.uint64(key[1])
    for _ in range(10):
        first, second = counter[0] * np.uint64(0xD2511F53), counter[2] * np.uint64(0xCD9E8D57)
        counter = [second >> half ^ counter[1] ^ k0, second & mask, first >> half ^ counter[3] ^ k1, first & mask]
        k0, k1 = (k0 + np.uint64(0x9E3779B9)) & mask, (k1 + np.uint64(0xBB67AE85)) & mask
    return [c.astype(_U32) for c in counter]


# ----------------------------------------------------------------- rng_bit_generator_p


def _impl(key: np.ndarray, *, shape: tuple[int, ...], dtype: Any, algorithm: Any) -> list[np.ndarray]:
    assert (key.shape, key.dtype) in (((4,), _U32), ((2,), _U64)), (key.shape, key.dtype)
    state = np.ascontiguousarray(key).view(_U64)
    words = 2 if dtype == _U64 else 1  # of 32 bits, for each number
    if algorithm == RandomAlgorithm.RNG_THREE_FRY:
        split, (before, halved, after) = _halves(shape)
        count = before * halved * after if words == 1 else math.prod(shape)
        bits = np.stack(_threefry(state, count), -1)
        if words == 1:
            # The two words of a hash stand side by side along the axis that was halved.
            bits = bits.reshape(before, halved, after, 2).swapaxes(2, 3).reshape(before, 2 * halved, after)
            bits = bits[:, :split]
    else:
        count = -(-math.prod(shape) * words // 4)
        bits = np.stack(_philox(state, count), -1).reshape(-1)[: math.prod(shape) * words]
    if words == 2:
        bits = np.ascontiguousarray(bits).reshape(-1, 2).astype(_U64)
        bits = bits[:, 0] | bits[:, 1] << np.uint64(32)
    following = np.asarray([state[0], state[1] + np.uint64(count)], _U64)
    return [following.view(key.dtype), bits.reshape(shape).astype(dtype)]


def _halves(shape: tuple[int, ...]) -> tuple[int, tuple[int, int, int]]:
    """The axis that Threefry's pairs of words share: the first even one, else the longest.

    Returns its length, and (number of elements before it, half its length rounded up, number after it).
    """
    if not shape:
        return 1, (1, 1, 1)
    even = [d for d, n in enumerate(shape) if n % 2 == 0]
    axis = even[0] if even else shape.index(max(shape))
    return shape[axis], (math.prod(shape[:axis]), -(-shape[axis] // 2), math.prod(shape[axis + 1 :]))


def _shape_rule(key: ShapedArray, *, shape: tuple[int, ...], dtype: Any, algorithm: Any) -> list[ShapedArray]:
    return [key, ShapedArray(shape, dtype)]


def _batch(axis_size: int, args: Any, dims: Any, *, shape: tuple[int, ...], **params: Any) -> Any:
    """As in JAX the first state alone gives the bits of the whole batch, and is the only one that moves on."""
    keys = move_axis(args[0], dims[0], 0)
    key, bits = rng_bit_generator_p.bind(index_in_dim(keys, 0, 0, False), shape=(axis_size, *shape), **params)
    return [dynamic_update_index_in_dim(keys, key, 0, 0), bits], [0, 0]


rng_bit_generator_p = Primitive("rng_bit_generator", multiple_results=True)
rng_bit_generator_p.impl = _impl
rng_bit_generator_p.shape_rule = _shape_rule
rng_bit_generator_p.transpose = NOT_LINEAR
rng_bit_generator_p.batch = _batch
def_not_differentiable(rng_bit_generator_p)
