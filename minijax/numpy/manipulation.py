"""Other shapes for the same elements: reshaping, reordering axes, adding and dropping them, broadcasting."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.axes import axis_tuple, canonical_axis_tuple, static_int
from minijax.numpy.promotion import (
    array_of,
    as_arrays,
    check_arraylike,
    convert,
    ensure_arraylike,
    is_arraylike,
    like,
)
from minijax.primitives.conversion import convert as converted
from minijax.primitives.conversion import copy as copied
from minijax.primitives.creation import canonical_shape
from minijax.primitives.shaping import canonical_axes, canonical_axis
from minijax.primitives.standard import check_one_device

__all__ = [
    "astype",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "expand_dims",
    "matrix_transpose",
    "moveaxis",
    "ndim",
    "permute_dims",
    "ravel",
    "reshape",
    "rollaxis",
    "shape",
    "size",
    "squeeze",
    "swapaxes",
    "transpose",
]

# ----------------------------------------------------------------- asking


def ndim(a: Any) -> int:
    """Number of axes."""
    return a.ndim if hasattr(a, "ndim") else np.ndim(_with_warning("ndim", a))


def shape(a: Any) -> tuple[int, ...]:
    """Length of each axis."""
    return a.shape if hasattr(a, "shape") else np.shape(_with_warning("shape", a))


def size(a: Any, axis: int | Sequence[int] | None = None) -> int:
    """Number of elements, or of positions along one or several axes."""
    if axis is None and hasattr(a, "size"):
        return a.size
    lengths = shape(a)
    return math.prod([lengths[i] for i in canonical_axis_tuple(axis, len(lengths))])


def _with_warning(fun_name: str, a: Any) -> Any:
    """What is no array is measured by NumPy, with a DeprecationWarning as in JAX."""
    if hasattr(a, "__jax_array__"):
        return a.__jax_array__()
    if not is_arraylike(a):
        warnings.warn(
            f"{fun_name} requires ndarray or scalar arguments, got {type(a)}. In future this will be an error: "
            f"write jnp.{fun_name}(jnp.asarray(...)).",
            DeprecationWarning,
            stacklevel=3,
        )
    return a


def astype(x: Any, dtype: Any, /, *, copy: bool = False, device: Any = None) -> Array:
    """The same numbers in another dtype, strongly typed; None means the default float dtype.

    Floats are cut to integers towards zero, those out of range become the nearest integer, NaN 0. Real dtypes keep
    the real part of complex numbers, with a DeprecationWarning.
    """
    x = ensure_arraylike("astype", x)
    if dtype is None:
        dtype = dtypes.default_float_dtype()
    else:
        dtype = dtypes.check_and_canonicalize_user_dtype(dtype, "astype")
    if dtypes.is_complex(x.dtype) and not dtypes.is_complex(dtype):
        result = _made_real(x, dtype)
    else:
        result = convert(x, dtype)
    return copied(result) if copy else result


def _made_real(x: Array, dtype: Any) -> Array:
    if dtypes.kind(dtype) == "b":
        return lax.ne(x, like(x, 0))
    warnings.warn(
        f"astype: from complex numbers to {dtype} the imaginary part is lost. Take x.real or x.imag first.",
        DeprecationWarning,
        stacklevel=3,
    )
    return converted(x, dtype, warn=False)


# ----------------------------------------------------------------- reshape


def reshape(
    a: Any, shape: int | Sequence[int], order: str = "C", *, copy: bool | None = None, out_sharding: Any = None
) -> Array:
    """The same elements under another shape; one length may be -1, and is worked out.

    order: 'C' reads and writes with the last axis running fastest, 'F' with the first.
    Raises TypeError when the number of elements differs.
    """
    check_one_device("jnp.reshape", out_sharding)
    a = ensure_arraylike("reshape", a)
    new_shape = _new_shape(a.shape, shape)
    if order == "C":
        return lax.reshape(a, new_shape)
    if order == "F":
        backwards = lax.reshape(a, new_shape[::-1], range(a.ndim)[::-1])
        return lax.transpose(backwards, range(len(new_shape))[::-1])
    if order == "A":
        raise NotImplementedError(
            "jnp.reshape: order='A' is not implemented. Arrays have no memory order: say 'C' or 'F'."
        )
    raise ValueError(f"Unexpected value for 'order' argument of jnp.reshape: {order!r}. It must be 'C' or 'F'.")


def _new_shape(old: tuple[int, ...], new: int | Sequence[int]) -> tuple[int, ...]:
    """`new` as a tuple, with -1 worked out."""
    lengths = canonical_shape(new if np.iterable(new) else (new,))
    total = math.prod(old)
    if -1 not in lengths:
        if math.prod(lengths) != total:
            raise TypeError(
                f"cannot reshape array of shape {old} (size {total}) into shape {new} (size {math.prod(lengths)}): "
                "the number of elements must stay the same."
            )
        return lengths
    known = [n for n in lengths if n != -1]
    if len(known) != len(lengths) - 1:
        raise TypeError(f"reshape: can only specify one unknown axis size with a `-1` value, got {new}.")
    if not math.prod(known) or total % math.prod(known):
        raise TypeError(
            f"cannot reshape array of shape {old} (size {total}) into shape {new}: the product of the given lengths "
            f"({math.prod(known)}) does not evenly divide {total}."
        )
    return tuple([total // math.prod(known) if n == -1 else n for n in lengths])


def ravel(a: Any, order: str = "C", *, out_sharding: Any = None) -> Array:
    """All elements along one axis."""
    check_one_device("jnp.ravel", out_sharding)
    a = ensure_arraylike("ravel", a)
    if order == "K":
        raise NotImplementedError(
            "jnp.ravel: order='K' is not implemented. Arrays have no memory order: say 'C' or 'F'."
        )
    return reshape(a, (a.size,), order)


# ----------------------------------------------------------------- the order of axes


def transpose(a: Any, axes: Sequence[int] | None = None) -> Array:
    """Reorder axes: axis i of the result is axis axes[i] of the operand. Without `axes` they are reversed."""
    a = ensure_arraylike("transpose", a)
    if axes is None:
        return lax.transpose(a, range(a.ndim)[::-1])
    return lax.transpose(a, canonical_axes(axes, a.ndim))


def permute_dims(a: Any, /, axes: tuple[int, ...]) -> Array:
    """Reorder axes: axis i of the result is axis axes[i] of the operand. The array API's name for it."""
    return lax.transpose(ensure_arraylike("permute_dims", a), axes)


def matrix_transpose(x: Any, /) -> Array:
    """Swap the last two axes. ValueError when there are fewer."""
    x = ensure_arraylike("matrix_transpose", x)
    if x.ndim < 2:
        raise ValueError(f"x must be at least two-dimensional for matrix_transpose; got shape {x.shape}.")
    return lax.transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def swapaxes(a: Any, axis1: int, axis2: int) -> Array:
    """Exchange two axes. IndexError for one out of bounds."""
    a = ensure_arraylike("swapaxes", a)
    order = list(range(a.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return lax.transpose(a, order)


def moveaxis(a: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Array:
    """Move axes from their places in `source` to those in `destination`; the others keep their order."""
    a = ensure_arraylike("moveaxis", a)
    source = canonical_axes(axis_tuple(source), a.ndim)
    destination = canonical_axes(axis_tuple(destination), a.ndim)
    if len(source) != len(destination):
        raise ValueError(
            f"moveaxis: source and destination must have the same number of axes, got {len(source)} and "
            f"{len(destination)}."
        )
    order = [axis for axis in range(a.ndim) if axis not in source]
    for to, axis in sorted(zip(destination, source)):
        order.insert(to, axis)
    return lax.transpose(a, order)


def rollaxis(a: Any, axis: int, start: int = 0) -> Array:
    """Move `axis` back until it stands before axis `start`. `moveaxis` is easier to read."""
    a = ensure_arraylike("rollaxis", a)
    start = static_int(start, "the 'start' argument of jnp.rollaxis")
    axis = canonical_axis(axis, a.ndim)
    if not -a.ndim <= start <= a.ndim:
        raise ValueError(f"rollaxis: start={start} must satisfy {-a.ndim} <= start <= {a.ndim}.")
    start += a.ndim if start < 0 else 0
    return moveaxis(a, axis, start - 1 if start > axis else start)


# ----------------------------------------------------------------- axes of length 1


def squeeze(a: Any, axis: int | Sequence[int] | None = None) -> Array:
    """Drop axes of length 1: those given, or all. ValueError for one that is longer."""
    a = ensure_arraylike("squeeze", a)
    if axis is None:
        return lax.squeeze(a, [i for i, n in enumerate(a.shape) if n == 1])
    return lax.squeeze(a, axis_tuple(axis))


def expand_dims(a: Any, axis: int | Sequence[int]) -> Array:
    """Insert axes of length 1, which are at `axis` of the result (negative ones count from its end)."""
    return lax.expand_dims(ensure_arraylike("expand_dims", a), axis_tuple(axis))


def atleast_1d(*arys: Any) -> Array | list[Array]:
    """Scalars get an axis. A list for several arguments."""
    return _one_or_list([_with_leading_axes(x, 1) for x in as_arrays("atleast_1d", arys)])


def atleast_2d(*arys: Any) -> Array | list[Array]:
    """Arrays with fewer than two axes get leading ones of length 1. A list for several arguments."""
    return _one_or_list([_with_leading_axes(x, 2) for x in as_arrays("atleast_2d", arys)])


def atleast_3d(*arys: Any) -> Array | list[Array]:
    """Arrays with fewer than three axes get some of length 1: (n,) becomes (1, n, 1), (m, n) becomes (m, n, 1)."""
    new_axes = ((0, 1, 2), (0, 2), (2,))
    arrays = as_arrays("atleast_3d", arys)
    return _one_or_list([lax.expand_dims(x, new_axes[x.ndim]) if x.ndim < 3 else x for x in arrays])


def _with_leading_axes(x: Array, rank: int) -> Array:
    return lax.expand_dims(x, range(rank - x.ndim)) if x.ndim < rank else x


def _one_or_list(arrays: list[Array]) -> Array | list[Array]:
    return arrays[0] if len(arrays) == 1 else arrays


# ----------------------------------------------------------------- broadcasting


def broadcast_shapes(*shapes: int | Sequence[int]) -> tuple[int, ...]:
    """The shape that arrays of these shapes broadcast to. ValueError when they do not fit."""
    return lax.broadcast_shapes(*[tuple(s) if np.ndim(s) else (s,) for s in shapes]) if shapes else ()


def broadcast_to(array: Any, shape: int | Sequence[int], *, out_sharding: Any = None) -> Array:
    """Repeat the array along axes of length 1 and new leading axes until it has `shape`."""
    check_one_device("jnp.broadcast_to", out_sharding)
    check_arraylike("broadcast_to", array)
    dtypes.dtype(array)  # raises TypeError for NumPy's strings and the like
    new_shape = canonical_shape(shape if np.iterable(shape) else (shape,))
    old_shape = np.shape(array)
    if old_shape == new_shape:
        return array_of(array)
    if len(new_shape) < len(old_shape):
        raise ValueError(
            f"Cannot broadcast to shape with fewer dimensions: array of shape {old_shape}, shape {new_shape}."
        )
    first = len(new_shape) - len(old_shape)
    if any(n not in (1, m) for n, m in zip(old_shape, new_shape[first:])):
        raise ValueError(
            f"Incompatible shapes for broadcasting: an array of shape {old_shape} cannot get shape {new_shape}. "
            "Lengths must agree from the last axis on, or be 1."
        )
    return lax.broadcast_in_dim(array, new_shape, range(first, len(new_shape)))


def broadcast_arrays(*args: Any) -> list[Array]:
    """The arrays, repeated until all have one shape."""
    arrays = as_arrays("broadcast_arrays", args)
    common = broadcast_shapes(*[x.shape for x in arrays])
    return [broadcast_to(x, common) for x in arrays]
