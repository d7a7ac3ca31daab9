"""Sums and the like over segments: over all entries that carry the same number."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.axes import static_int
from minijax.numpy.creation import asarray, full
from minijax.numpy.index_update import scatter_update
from minijax.numpy.promotion import check_arraylike
from minijax.numpy.ranges import arange
from minijax.numpy.reductions import max, min, neutral_element, prod, sum
from minijax.primitives.standard import check_one_device

__all__ = ["segment_max", "segment_min", "segment_prod", "segment_sum"]


class _How(NamedTuple):
    """What a segment starts with, how entries are brought in, and how to bring buckets together."""

    name: str
    neutral: float
    scatter: Callable[..., Array]
    reduce: Callable[..., Array]


def segment_sum(
    data: Any,
    segment_ids: Any,
    num_segments: int | None = None,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    bucket_size: int | None = None,
    mode: Any = None,
    out_sharding: Any = None,
) -> Array:
    """The sum of data[i] over all i with segment_ids[i] == k, for each k; 0 for none.

    segment_ids    integers along the first axis of `data`; those that are negative or too large are dropped
    num_segments   how many k there are, by default max(segment_ids) + 1, for which the ids must be known
    bucket_size    sum this many entries at a time, and then the partial sums, which loses fewer digits
    mode, indices_are_sorted, unique_indices   as those of x.at[...]
    """
    how = _How("segment_sum", 0, lax.scatter_add, sum)
    flags = indices_are_sorted, unique_indices, mode
    return _by_segment(how, data, segment_ids, num_segments, bucket_size, flags, out_sharding)


def segment_prod(
    data: Any,
    segment_ids: Any,
    num_segments: int | None = None,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    bucket_size: int | None = None,
    mode: Any = None,
    out_sharding: Any = None,
) -> Array:
    """The product of each segment, 1 for an empty one. Arguments as those of `segment_sum`."""
    how = _How("segment_prod", 1, lax.scatter_mul, prod)
    flags = indices_are_sorted, unique_indices, mode
    return _by_segment(how, data, segment_ids, num_segments, bucket_size, flags, out_sharding)


def segment_max(
    data: Any,
    segment_ids: Any,
    num_segments: int | None = None,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    bucket_size: int | None = None,
    mode: Any = None,
    out_sharding: Any = None,
) -> Array:
    """The largest entry of each segment, the least number there is for an empty one. See `segment_sum`."""
    how = _How("segment_max", -math.inf, lax.scatter_max, max)
    flags = indices_are_sorted, unique_indices, mode
    return _by_segment(how, data, segment_ids, num_segments, bucket_size, flags, out_sharding)


def segment_min(
    data: Any,
    segment_ids: Any,
    num_segments: int | None = None,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    bucket_size: int | None = None,
    mode: Any = None,
    out_sharding: Any = None,
) -> Array:
    """The smallest entry of each segment, the largest number there is for an empty one. See `segment_sum`."""
    how = _How("segment_min", math.inf, lax.scatter_min, min)
    flags = indices_are_sorted, unique_indices, mode
    return _by_segment(how, data, segment_ids, num_segments, bucket_size, flags, out_sharding)


def _by_segment(
    how: _How, data: Any, ids: Any, count: int | None, bucket_size: int | None, flags: tuple, out_sharding: Any
) -> Array:
    check_one_device(how.name, out_sharding)
    check_arraylike(how.name, data, ids)
    data, ids = asarray(data), asarray(ids)
    count = static_int(np.max(ids) + 1 if count is None else count, f"the num_segments argument of {how.name}")
    if count < 0:
        raise ValueError(f"{how.name}: num_segments must be non-negative, got {count}.")
    start = neutral_element(how.neutral, data.dtype) if dtypes.kind(data.dtype) != "V" else how.neutral
    if bucket_size is None:
        empty = full((count, *data.shape[1:]), start, data.dtype)
        return scatter_update(empty, ids, data, how.scatter, *flags, wrap=False)
    buckets = -(-ids.size // bucket_size)
    empty = full((buckets, count, *data.shape[1:]), start, data.dtype)
    places = arange(ids.shape[0]) // bucket_size, ids[None, :]
    filled = scatter_update(empty, places, data, how.scatter, *flags, wrap=False)
    return how.reduce(filled, axis=0).astype(data.dtype)
