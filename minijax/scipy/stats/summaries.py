"""Statistics of samples: the mode, ranks, and the standard error of the mean."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import minijax.numpy as jnp
from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.promotion import check_arraylike
from minijax.primitives.shaping import canonical_axis
from minijax.scipy.special.operands import float_array
from minijax.vmapping import vmap

__all__ = ["mode", "rankdata", "sem"]


def _check_nan_policy(name: str, nan_policy: str) -> None:
    if nan_policy not in ("propagate", "omit", "raise"):
        raise ValueError(f"{name}: nan_policy must be 'propagate', 'omit' or 'raise', got {nan_policy!r}.")
    if nan_policy != "propagate":
        raise NotImplementedError(
            f"{name}: nan_policy={nan_policy!r} is not supported: shapes and errors cannot depend on values under "
            "jit. Look for NaN before, with jnp.isnan(a).any()."
        )


class ModeResult(NamedTuple):
    """The most frequent values, and how often they occur."""

    mode: Array
    count: Array


def mode(a: Any, axis: int | None = 0, nan_policy: str = "propagate", keepdims: bool = False) -> ModeResult:
    """The most frequent values along an axis (None: of all), the smallest of them where several are."""
    check_arraylike("mode", a)
    _check_nan_policy("mode", nan_policy)
    x = jnp.atleast_1d(a)
    shape = x.shape
    if axis is None:
        kept, x = (1,) * len(shape), x.ravel()[:, None]
        dropped: tuple[int, ...] = ()
    else:
        axis = canonical_axis(axis, x.ndim)
        dropped = shape[:axis] + shape[axis + 1 :]
        kept = (*shape[:axis], 1, *shape[axis + 1 :])
        x = jnp.moveaxis(x, axis, 0)
        x = x.reshape(x.shape[0], int(np.prod(x.shape[1:], dtype=np.int64)))
    values, counts = vmap(_mode_of_vector, in_axes=1)(x)
    out_shape = kept if keepdims else dropped
    return ModeResult(values.reshape(out_shape), counts.reshape(out_shape))


def _mode_of_vector(x: Array) -> tuple[Array, Array]:
    if not x.size:
        number = dtypes.default_float_dtype()
        return jnp.array(np.nan, number), jnp.array(0, number)
    values, counts = jnp.unique(x, return_counts=True, size=x.size)
    return values[jnp.argmax(counts)], counts.max()


_METHODS = ("average", "min", "max", "dense", "ordinal")


def rankdata(a: Any, method: str = "average", *, axis: int | None = None, nan_policy: str = "propagate") -> Array:
    """Ranks from 1 on along an axis (None: of all, as a vector), floats; NaN for all if there is one.

    method: what equal values get: the 'average', 'min' or 'max' of their ranks; 'dense' for ranks without gaps;
    'ordinal' for different ranks in the order in which they stand.
    """
    check_arraylike("rankdata", a)
    _check_nan_policy("rankdata", nan_policy)
    if method not in _METHODS:
        raise ValueError(f"rankdata: unknown method {method!r}; it is one of {', '.join(_METHODS)}.")
    if axis is not None:
        return jnp.apply_along_axis(rankdata, axis, a, method)
    a = jnp.ravel(a)
    number = dtypes.default_float_dtype()
    return lax.cond(
        jnp.any(jnp.isnan(a)),
        lambda a: jnp.full_like(a, np.nan, number),
        lambda a: _ranks(a, method).astype(number),
        a,
    )


def _ranks(a: Array, method: str) -> Array:
    ordered, order = lax.sort_key_val(a, jnp.arange(a.size))
    place = jnp.empty_like(order).at[order].set(jnp.arange(a.size, dtype=order.dtype))
    if method == "ordinal":
        return place + 1
    first = jnp.concatenate([jnp.array([True]), ordered[1:] != ordered[:-1]])
    dense = first.cumsum()[place]
    if method == "dense":
        return dense
    # Where each run of equal values starts, and behind them all the end.
    starts = jnp.nonzero(first, size=a.size + 1, fill_value=a.size)[0].astype(dtypes.default_float_dtype())
    if method == "max":
        return starts[dense]
    if method == "min":
        return starts[dense - 1] + 1
    return 0.5 * (starts[dense] + starts[dense - 1] + 1)


def sem(a: Any, axis: int | None = 0, ddof: int = 1, nan_policy: str = "propagate", *, keepdims: bool = False) -> Array:
    """The standard error of the mean along an axis (None: of all); nan_policy 'omit' leaves NaN out."""
    x = float_array("sem", a)
    if nan_policy == "propagate":
        size = x.size if axis is None else x.shape[axis]
        return x.std(axis, ddof=ddof, keepdims=keepdims) / jnp.sqrt(size).astype(x.dtype)
    if nan_policy == "omit":
        count = (~jnp.isnan(x)).sum(axis, keepdims=keepdims)
        return jnp.nanstd(x, axis, ddof=ddof, keepdims=keepdims) / jnp.sqrt(count).astype(x.dtype)
    raise ValueError(f"sem: nan_policy must be 'propagate' or 'omit', got {nan_policy!r}.")
