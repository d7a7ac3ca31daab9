"""Random keys: making, splitting and unwrapping them, and what all samplers check about theirs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minijax import config, dtypes
from minijax import numpy as jnp
from minijax.array import Array
from minijax.key_reuse import handling_raw_keys, raw_keys_matter
from minijax.primitives.creation import canonical_shape
from minijax.primitives.prng import (
    random_bits,
    random_clone,
    random_fold_in,
    random_seed,
    random_split,
    random_unwrap,
    random_wrap,
)
from minijax.primitives.standard import check_one_device

_IMPL = "threefry2x32"

# ----------------------------------------------------------------- making keys


def key(seed: Any, *, impl: Any = None, dtype: Any = None) -> Array:
    """A typed random key (shape (), dtype key<fry>) from an integer seed of up to 64 bits.

    Without x64 only the low 32 bits of the seed count. `impl` and `dtype` may name the implementation,
    'threefry2x32'. Raises TypeError for a seed that is no integer scalar, OverflowError beyond 64 bits.
    """
    if impl is not None and dtype is not None:
        raise ValueError("key: impl and dtype both name the implementation; give one of them.")
    return _key("key", seed, dtype if impl is None else impl)


def PRNGKey(seed: Any, *, impl: Any = None) -> Array:
    """A raw random key, uint32[2], from an integer seed of up to 64 bits; `key` makes the typed kind.

    Raises TypeError for a seed that is no integer scalar, OverflowError beyond 64 bits.
    """
    return as_given(_key("PRNGKey", seed, impl), True)


def _key(name: str, seed: Any, impl: Any) -> Array:
    _check_impl(impl)
    if _is_typed(seed):
        raise TypeError(f"{name} accepts a scalar seed, but was given a PRNG key. Use it as it is.")
    if np.ndim(seed):
        raise TypeError(
            f"{name} accepts a scalar seed, but was given an array of shape {np.shape(seed)} != (). "
            f"Use jax.vmap(jax.random.{name}) for many seeds."
        )
    if offset := config.random_seed_offset.value:
        seed = seed + offset
    return random_seed(seed if isinstance(seed, int) else jnp.asarray(seed))


def _check_impl(impl: Any) -> None:
    if impl is None:
        impl = config.default_prng_impl.value
    if impl not in (_IMPL, dtypes.key_fry):
        kind = ValueError if isinstance(impl, str) else TypeError
        raise kind(f'unrecognized PRNG implementation {impl!r}. There is one only: "{_IMPL}".')


def key_dtype(impl_spec: Any = None) -> dtypes.ExtendedDType:
    """The dtype of typed keys of an implementation (there is one, 'threefry2x32')."""
    _check_impl(impl_spec)
    return dtypes.key_fry


def wrap_key_data(key_bits_array: Any, *, impl: Any = None, dtype: Any = None) -> Array:
    """Typed keys of shape data.shape[:-1] from their words, a uint32 array whose last axis has length 2."""
    if impl is not None and dtype is not None:
        raise ValueError("wrap_key_data: impl and dtype both name the implementation; give one of them.")
    _check_impl(dtype if impl is None else impl)
    return random_wrap(key_bits_array)


# ----------------------------------------------------------------- what a key is


def _is_typed(x: Any) -> bool:
    return isinstance(x, Array) and x.dtype is dtypes.key_fry


def check_key(name: str, keys: Any, allow_batched: bool = False) -> tuple[Array, bool]:
    """`keys` as typed ones, and whether they were raw (uint32[..., 2]).

    Raises TypeError for what is no key, ValueError for an array of keys where one is needed.
    """
    if not config.threefry_partitionable.value:
        raise NotImplementedError(
            f"{name}: with jax_threefry_partitionable off JAX lays out random bits in an older way, which "
            "is not supported. Leave the flag on."
        )
    raw = not _is_typed(keys)
    if raw:
        if not isinstance(keys, Array | np.ndarray | np.generic):
            raise TypeError(f"{name}: unexpected PRNG key {keys!r} of type {type(keys)}. Make one: jax.random.key(0).")
        keys = _in_other_form(random_wrap, keys)
        _report_raw_key(name)
    if keys.ndim and not allow_batched:
        raise ValueError(
            f"{name} accepts a single key, but was given a key array of shape {keys.shape} != (). "
            f"Use jax.vmap(jax.random.{name}) for many keys."
        )
    return keys, raw


def _report_raw_key(name: str) -> None:
    what = f"{name} was given a raw uint32 key. Use jax.random.key(seed), or set jax_legacy_prng_key='allow'."
    if config.legacy_prng_key.value == "error":
        raise ValueError(what)
    if config.legacy_prng_key.value == "warn":
        warnings.warn(what, UserWarning, stacklevel=4)
    elif config.enable_custom_prng.value:
        warnings.warn(what, FutureWarning, stacklevel=4)


def as_given(keys: Array, raw: bool) -> Array:
    """Typed keys in the form in which the user gave theirs."""
    return _in_other_form(random_unwrap, keys) if raw and not config.enable_custom_prng.value else keys


def _in_other_form(change: Callable[[Any], Array], keys: Any) -> Array:
    """The user's raw keys as typed ones, or the other way round; the check for reuse has to know."""
    if not raw_keys_matter():
        return change(keys)
    with handling_raw_keys():
        return change(keys)


def key_data(keys: Any) -> Array:
    """The words of keys, uint32[..., 2]."""
    return random_unwrap(check_key("key_data", keys, allow_batched=True)[0])


def key_impl(keys: Any) -> str:
    """The name of the implementation that the keys belong to."""
    check_key("key_impl", keys, allow_batched=True)
    return _IMPL


def clone(key: Any) -> Array:
    """The same keys, as ones that may be used again under key-reuse checks."""
    keys, raw = check_key("clone", key, allow_batched=True)
    return as_given(random_clone(keys), raw)


# ----------------------------------------------------------------- keys from keys


def split(key: Any, num: int | tuple[int, ...] = 2) -> Array:
    """`num` new keys (an int, or the shape of an array of keys) that share no random numbers with each other.

    The given key must not be used again. ValueError for an array of keys: use vmap.
    """
    keys, raw = check_key("split", key)
    return as_given(random_split(keys, _split_shape(num)), raw)


def _split_shape(num: Any) -> tuple[int, ...]:
    return canonical_shape(num if isinstance(num, Sequence) else (num,))


def split_in_two(key: Array) -> tuple[Array, Array]:
    """Two new keys from a typed one, for samplers that draw twice."""
    first, second = random_split(key, (2,))
    return first, second


def used_once_more(key: Array) -> Array:
    """A typed key that has been used, for samplers that take one of two draws for each element: as JAX's do."""
    return random_clone(key) if config.debug_key_reuse.value else key


def fold_in(key: Any, data: Any) -> Array:
    """A new key that depends on a 32-bit integer as well: one key for each step of a loop.

    Raises TypeError for an array of integers, OverflowError for a Python int outside 0 ... 2**32 - 1.
    """
    keys, raw = check_key("fold_in", key)
    if np.ndim(data):
        raise TypeError(
            f"fold_in accepts a scalar, but was given an array of shape {np.shape(data)} != (). "
            "Use jax.vmap for batching."
        )
    # np.uint32 raises OverflowError for a Python int that does not fit.
    word = np.uint32(data) if isinstance(data, int) else jnp.asarray(data, np.uint32)
    return as_given(random_fold_in(keys, word), raw)


# ----------------------------------------------------------------- bits, and the arguments of samplers


def bits(key: Any, shape: Sequence[int] = (), dtype: Any = None, *, out_sharding: Any = None) -> Array:
    """Uniformly random bits: unsigned integers of all values alike, of any unsigned dtype."""
    key, _ = check_key("bits", key)
    if dtype is None:
        dtype = dtypes.default_uint_dtype()
    dtype = sample_dtype("bits", dtype, None, "u")
    check_sharding("bits", out_sharding)
    return random_bits(key, dtypes.itemsize_bits(dtype), canonical_shape(shape))


_KINDS = {"u": "an unsigned integer", "iu": "an integer", "f": "a float", "fc": "a float or complex"}


def sample_dtype(name: str, dtype: Any, default: type | None, kinds: str) -> np.dtype:
    """The canonical dtype of the samples. ValueError unless it is of one of the `kinds` (NumPy's letters)."""
    dtype = dtypes.check_and_canonicalize_user_dtype(default if dtype is None else dtype, name)
    if dtypes.kind(dtype) not in kinds:
        raise ValueError(f"the dtype argument of {name} must be {_KINDS[kinds]} dtype, got {dtype}.")
    return dtype


def sample_arguments(
    name: str, key: Any, shape: Any, dtype: Any, out_sharding: Any = None, kinds: str = "f"
) -> tuple[Array, tuple[int, ...], np.dtype]:
    """Typed key, shape and dtype of a sampler, checked; the dtype is a float one, or of one of these kinds."""
    key, _ = check_key(name, key)
    dtype = sample_dtype(name, dtype, float, kinds)
    check_sharding(name, out_sharding)
    return key, canonical_shape(shape), dtype


def check_sharding(name: str, out_sharding: Any) -> None:
    """Raise ValueError or TypeError unless `out_sharding` says that the one device holds the result."""
    check_one_device(f"jax.random.{name}", out_sharding)
