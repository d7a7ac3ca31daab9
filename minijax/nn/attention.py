"""Scaled dot-product attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import dtypes, lax
from minijax.array import Array
from minijax.nn.functions import logsumexp, softmax
from minijax.vmapping import vmap

__all__ = ["dot_product_attention"]


def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    *,
    scale: float | None = None,
    is_causal: bool = False,
    query_seq_lengths: Any = None,
    key_value_seq_lengths: Any = None,
    local_window_size: int | tuple[int, int] | None = None,
    implementation: str | None = None,
    return_residual: bool = False,
) -> Any:
    """softmax(query @ key^T * scale + bias) @ value for every head (https://arxiv.org/abs/1706.03762).

    query                  f[B, T, N, H]: batch, places, heads, features (B may be left out everywhere)
    key, value             f[B, S, K, H]; each of the K heads serves N / K heads of the query
    bias, mask             [B or 1, N or 1, T or 1, S or 1]; the mask is true where a place may be looked at
    scale                  1 / sqrt(H) by default
    is_causal              no place looks at later ones
    *_seq_lengths          int32[B]: how many places of each example are real
    local_window_size      how many places before and behind may be looked at; a pair, or one number for both
    return_residual        also the log of the softmax's denominator, f[B, T, N]

    Raises ValueError for shapes and dtypes that do not fit.
    """
    output_shape = jnp.asarray(query).shape
    query, key, value = _with_four_axes(query), _with_four_axes(key), _with_four_axes(value)
    bias = None if bias is None else _with_four_axes(bias)
    mask = None if mask is None else _with_four_axes(mask)
    lengths = [None if n is None else jnp.asarray(n) for n in (query_seq_lengths, key_value_seq_lengths)]
    if isinstance(local_window_size, int):
        local_window_size = (local_window_size, local_window_size)
    batch, places, heads, features = key.shape
    _check("value", value, (batch, places, heads, features), key.dtype)
    _check("query", query, (batch, -1, -1, features), key.dtype)
    _check("mask", mask, (-1,) * 4, np.dtype(bool))
    _check("bias", bias, (-1,) * 4, None)
    for name, n in zip(("query_seq_lengths", "key_value_seq_lengths"), lengths):
        _check(name, n, (batch,), np.dtype(np.int32))
    if query.shape[2] % heads:
        raise ValueError(
            "dot_product_attention: the number of query heads must be a multiple of key/value heads, "
            f"but got {query.shape[2]} vs {heads}."
        )
    if implementation == "cudnn":
        raise RuntimeError(
            "dot_product_attention: implementation='cudnn' needs cuDNN and a GPU to run it. Use 'xla', or leave it out."
        )
    if implementation not in (None, "xla"):
        raise ValueError(f"dot_product_attention: unsupported implementation option {implementation!r}: use 'xla'.")
    scale = 1.0 / np.sqrt(features) if scale is None else scale
    out = _grouped_attention(
        query, key, value, bias, mask, is_causal, scale, *lengths, local_window_size, return_residual
    )
    if return_residual:
        return jnp.reshape(out[0], output_shape), jnp.reshape(out[1], output_shape[:-1])
    return jnp.reshape(out, output_shape)


def _with_four_axes(x: Any) -> Array:
    x = jnp.asarray(x)
    return jnp.expand_dims(x, tuple(range(4 - x.ndim))) if x.ndim < 4 else x


def _check(name: str, x: Array | None, shape: Sequence[int], dtype: Any) -> None:
    if x is None:
        return
    if x.ndim != len(shape):
        raise ValueError(f"dot_product_attention: {name} ndim should be {len(shape)}, but got {x.ndim}.")
    if dtype is not None and x.dtype != dtype:
        raise ValueError(f"dot_product_attention: {name} dtype should be {dtype}, but got {x.dtype}.")
    if any(n not in (-1, m) for n, m in zip(shape, x.shape)):
        raise ValueError(f"dot_product_attention: {name} shape should be {tuple(shape)}, but got {x.shape}.")


def _grouped_attention(
    query: Array,
    key: Array,
    value: Array,
    bias: Array | None,
    mask: Array | None,
    is_causal: bool,
    scale: Any,
    query_lengths: Array | None,
    key_lengths: Array | None,
    window: tuple[int, int] | None,
    return_residual: bool,
) -> Any:
    """Attention with the query's heads in groups, each of which shares the key's heads."""
    batch, places, heads, features = query.shape
    groups = heads // key.shape[2]
    query = jnp.reshape(query, (batch, places, key.shape[2], groups, features))

    def grouped(x: Array | None) -> Array | None:
        if x is None:
            return None
        b, n, t, s = x.shape
        if n == 1:
            return jnp.broadcast_to(x[:, :, None, :, :], (b, n, groups, t, s))
        return jnp.reshape(x, (b, key.shape[2], groups, t, s))

    def attend(query: Array, key: Array, value: Array, bias: Array | None, mask: Array | None) -> Any:
        logits = _logits(query, key, bias, scale)
        logits = _masked(logits, mask, is_causal, query_lengths, key_lengths, window)
        return _weighted(logits, key, value, query_lengths, return_residual)

    out = vmap(attend, in_axes=(3, None, None, 2, 2), out_axes=3)(query, key, value, grouped(bias), grouped(mask))
    if not return_residual:
        return jnp.reshape(out, (batch, places, heads, features))
    encoded, residual = out
    return jnp.reshape(encoded, (batch, places, heads, features)), jnp.reshape(residual, (batch, places, heads))


def _logits(query: Array, key: Array, bias: Array | None, scale: Any) -> Array:
    dtype = jnp.promote_types(query.dtype, np.float32)
    precision = lax.DotAlgorithmPreset.F16_F16_F32 if query.dtype == np.float16 else None
    logits = jnp.einsum("BTNH,BSNH->BNTS", query, key, precision=precision, preferred_element_type=dtype)
    logits = logits * jnp.array(scale, dtype=logits.dtype)
    return logits if bias is None else (logits + bias).astype(logits.dtype)


def _weighted(logits: Array, key: Array, value: Array, query_lengths: Array | None, return_residual: bool) -> Any:
    logits = logits.astype(np.float32)
    weights = softmax(logits, axis=-1).astype(key.dtype)
    encoded = jnp.einsum("BNTS,BSNH->BTNH", weights, value)
    if query_lengths is not None:
        real = (jnp.arange(0, encoded.shape[1])[None, :] < query_lengths[:, None])[:, :, None, None]
        encoded = encoded * real.astype(encoded.dtype)
    if not return_residual:
        return encoded
    residual = jnp.transpose(logsumexp(logits, axis=-1).astype(key.dtype), (0, 2, 1))
    return encoded, lax.stop_gradient(residual)


# ----------------------------------------------------------------- masks


def _masked(
    logits: Array,
    mask: Array | None,
    is_causal: bool,
    query_lengths: Array | None,
    key_lengths: Array | None,
    window: tuple[int, int] | None,
) -> Array:
    """The logits [B, N, T, S], a large negative number where a place must not be looked at."""
    by_length = query_lengths is not None or key_lengths is not None
    if mask is None and not is_causal and window is None and not by_length:
        return logits
    allowed, shape = jnp.ones_like(logits, dtype=bool), logits.shape[2:]
    if mask is not None:
        allowed = jnp.logical_and(allowed, mask)
    if is_causal:
        allowed = jnp.logical_and(allowed, jnp.tril(jnp.ones(shape, dtype=bool))[None, None, :, :])
    if window is not None:
        allowed = jnp.logical_and(allowed, _window_mask(*shape, *window))
    if by_length:
        allowed = jnp.logical_and(allowed, _length_mask(*shape, query_lengths, key_lengths))
    return jnp.where(allowed, logits, _large_negative(logits.dtype))


def _large_negative(dtype: Any) -> Array:
    """Not -inf, so that a row in which everything is masked does not become NaN."""
    largest = min(float(dtypes.finfo(dtype).max), float(dtypes.finfo(np.float32).max))
    return jnp.asarray(-0.7 * largest, dtype=dtype)


def _window_mask(queries: int, keys: int, before: int, behind: int) -> Array:
    query_places, key_places = jnp.array(range(queries)), jnp.array(range(keys))
    not_before = query_places[..., None] <= key_places[..., None, :] + before
    not_behind = query_places[..., None] >= key_places[..., None, :] - behind
    return jnp.logical_and(not_behind, not_before)[None, None, :, :]


def _length_mask(queries: int, keys: int, query_lengths: Array | None, key_lengths: Array | None) -> Array:
    of_query: Any = True
    of_key: Any = True
    if query_lengths is not None:
        of_query = jnp.arange(0, queries)[None, :, None] < query_lengths[:, None, None]
    if key_lengths is not None:
        of_key = jnp.arange(0, keys)[None, None, :] < key_lengths[:, None, None]
    return jnp.logical_and(of_query, of_key)[:, None, :, :]
