"""Making arrays: from Python and NumPy values, filled with one value, or as copies of others."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from types import GeneratorType
from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array, ArrayImpl
from minijax.core import quiet_floating_point
from minijax.devices import Device
from minijax.element_types import ScalarType
from minijax.numpy.manipulation import broadcast_to
from minijax.numpy.promotion import array_of, check_arraylike, convert
from minijax.placement import device_put
from minijax.primitives.conversion import copy as copied
from minijax.primitives.creation import canonical_shape
from minijax.primitives.standard import check_one_device
from minijax.sharding import Sharding

__all__ = [
    "array",
    "asarray",
    "copy",
    "empty",
    "empty_like",
    "frombuffer",
    "full",
    "full_like",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
]


def check_placement(fun_name: str, device: Any = None, out_sharding: Any = None) -> None:
    """Raise ValueError or TypeError unless device and sharding, if given, are about the devices here."""
    if device is not None and not isinstance(device, Device | Sharding):
        raise ValueError(
            f"jnp.{fun_name}: device={device!r} is not a device of minijax. Leave the argument out, or pass one of "
            "jax.devices()."
        )
    if not isinstance(device, Device):
        check_one_device(f"jnp.{fun_name}", device)
    check_one_device(f"jnp.{fun_name}", out_sharding)


def put(x: Array, device: Any) -> Array:
    """The result of a function that was given a device, or a sharding, or None."""
    return x if device is None else device_put(x, device)


# --------------------------------------------------------------------------- from values


def array(
    object: Any,
    dtype: Any = None,
    *args: Any,
    copy: bool = True,
    order: str | None = "K",
    ndmin: int = 0,
    device: Any = None,
    out_sharding: Any = None,
) -> Array:
    """An Array from a number, an array, or nested lists and tuples of them.

    Python numbers stay weakly typed when they stand alone; in lists they become the default types. `ndmin` adds leading
    axes of length 1. Raises ValueError for None and for lists of unequal length, TypeError for what is no number.
    """
    if args:
        copy, order, ndmin = _positional(args, copy, order, ndmin)
    if order is not None and order != "K":
        raise NotImplementedError(f"jnp.array is only implemented for order='K', got {order!r}. Leave it out.")
    check_placement("array", device, out_sharding)
    if dtype is not None:
        dtype = dtypes.check_and_canonicalize_user_dtype(dtype, "array")
    out = _from_value(object, dtype, copy)
    return put(lax.expand_dims(out, range(ndmin - out.ndim)) if ndmin > out.ndim else out, device)


def _positional(args: tuple, *given: Any) -> tuple[Any, Any, Any]:
    """`copy`, `order` and `ndmin` where they are given by position, which JAX still accepts."""
    if len(args) > 3:
        raise TypeError(f"array() takes at most 5 positional arguments but {len(args) + 2} were given.")
    warnings.warn(
        "Passing copy, order and ndmin to jnp.array by position is deprecated: write jnp.array(x, dtype, copy=...).",
        DeprecationWarning,
        stacklevel=3,
    )
    return (*args, *given[len(args) :])


def asarray(
    a: Any,
    dtype: Any = None,
    order: str | None = None,
    *,
    copy: bool | None = None,
    device: Any = None,
    out_sharding: Any = None,
) -> Array:
    """As `array`, but an Array is returned as it is when its dtype fits, unless `copy` is true."""
    check_placement("asarray", device, out_sharding)
    return array(a, dtype, copy=bool(copy), order=order, device=device)


def _from_value(x: Any, dtype: Any, copy: bool) -> Array:
    if hasattr(x, "__jax_array__") and not isinstance(x, Array):
        x = x.__jax_array__()
    if isinstance(x, Array):
        return convert(copied(x) if copy else x, x.dtype if dtype is None else dtype, x.weak_type and dtype is None)
    if type(x) in dtypes.python_scalar_dtypes:
        return _from_number(x, dtype)
    if isinstance(x, (list, tuple)):
        return _from_list(x, dtype)
    if isinstance(x, str | bytes) and dtype is not None:
        return array_of(_numpy_array(x, dtype)[()])  # NumPy reads numbers: jnp.float32("1.5")
    return _from_numpy(_as_numpy(x), dtype)


def _from_number(x: bool | int | float, dtype: Any) -> Array:
    if dtype is None:
        dtypes.python_scalar_dtype(type(x), x)  # raises OverflowError for integers that are too large
        return array_of(x)
    return array_of(_numpy_array(x, dtype)[()])


def _from_numpy(x: np.ndarray, dtype: Any) -> Array:
    if dtype is None:
        dtype = dtypes.dtype(x)
    return array_of(convert(x, dtype) if x.ndim else convert(x[()], dtype))


def _as_numpy(x: Any) -> np.ndarray:
    """What is neither Array nor list, as NumPy reads it. Raises ValueError for None, TypeError for no numbers."""
    if x is None:
        raise ValueError("None is not a valid value for jnp.array: give an array, a number or a list of them.")
    if isinstance(x, memoryview | bytearray):
        return np.asarray(x)
    found = np.asarray(x)
    try:
        dtypes.dtype(found)
    except TypeError as error:
        raise TypeError(
            f"Value {x!r} with dtype {found.dtype} is not a valid JAX array type: only numbers and booleans are. "
            "Convert it first, for example with np.asarray(x, np.float32)."
        ) from error
    return found


def _numpy_array(x: Any, dtype: np.dtype) -> np.ndarray:
    with quiet_floating_point():
        return np.asarray(x, dtype)


def _from_list(x: Sequence[Any], dtype: Any) -> Array:
    leaves = [_leaf(leaf) for leaf in _leaves(x)]
    if dtype is None:
        types = list({type(leaf): leaf for leaf in leaves if type(leaf) in dtypes.python_scalar_dtypes}.values())
        others = [leaf for leaf in leaves if type(leaf) not in dtypes.python_scalar_dtypes]
        dtype = dtypes.lattice_result_type(*types, *others)[0] if leaves else dtypes.default_float_dtype()
    if not any(isinstance(leaf, Array) for leaf in leaves):
        return ArrayImpl(_numpy_array(x, dtype))
    # JAX joins element by element too: some of them are traced, or may be.
    parts = [lax.expand_dims(asarray(element, dtype), (0,)) for element in x]
    return lax.concatenate(_in_groups(parts), 0)


def _in_groups(parts: list[Array], k: int = 16) -> list[Array]:
    """At most k parts: concatenations of them, of concatenations ..., so that no equation has too many operands."""
    while len(parts) > k:
        parts = [lax.concatenate(parts[i : i + k], 0) for i in range(0, len(parts), k)]
    return parts


def _leaves(x: Any) -> list[Any]:
    """The elements of nested lists and tuples."""
    if not isinstance(x, (list, tuple)):
        return [x]
    leaves: list[Any] = []
    for element in x:
        leaves.extend(_leaves(element) if isinstance(element, (list, tuple)) else (element,))
    return leaves


def _leaf(x: Any) -> Any:
    if isinstance(x, Array) or type(x) in dtypes.python_scalar_dtypes:
        return x
    return x.__jax_array__() if hasattr(x, "__jax_array__") else _as_numpy(x)


def copy(a: Any, order: str | None = None) -> Array:
    """A copy of the array. TypeError for lists."""
    check_arraylike("copy", a)
    return array(a, copy=True, order=order)


def frombuffer(buffer: Any, dtype: Any = float, count: int = -1, offset: int = 0) -> Array:
    """A one-dimensional array from the bytes of an object with the buffer interface; see numpy.frombuffer."""
    return asarray(np.frombuffer(buffer, dtype, count, offset))


# --------------------------------------------------------------------------- filled with one value


def _shape(fun_name: str, shape: Any, dtype: Any = None) -> tuple[int, ...]:
    """A `shape` argument as a tuple: an integer is the length of one axis."""
    if isinstance(shape, GeneratorType):
        raise TypeError(f"jnp.{fun_name}: expected sequence object with len >= 0 or a single integer, got a generator.")
    if isinstance(shape, int) and isinstance(dtype, int) and not isinstance(dtype, bool):
        raise TypeError(
            f"Cannot interpret '{dtype}' as a data type. Did you write jnp.{fun_name}({shape}, {dtype}) where you "
            "meant "
            f"jnp.{fun_name}(({shape}, {dtype})), with one tuple for the shape?"
        )
    return canonical_shape(shape if isinstance(shape, (tuple, list)) or np.ndim(shape) else (shape,))


def _user_dtype(fun_name: str, dtype: Any) -> Any:
    return dtypes.check_and_canonicalize_user_dtype(float if dtype is None else dtype, fun_name)


def zeros(shape: Any, dtype: Any = None, *, device: Any = None, out_sharding: Any = None) -> Array:
    """Zeros, of the default float dtype unless told otherwise."""
    check_placement("zeros", device, out_sharding)
    return put(lax.full(_shape("zeros", shape, dtype), 0, _user_dtype("zeros", dtype)), device)


def ones(shape: Any, dtype: Any = None, *, device: Any = None, out_sharding: Any = None) -> Array:
    """Ones, of the default float dtype unless told otherwise."""
    check_placement("ones", device, out_sharding)
    return put(lax.full(_shape("ones", shape, dtype), 1, _user_dtype("ones", dtype)), device)


def empty(shape: Any, dtype: Any = None, *, device: Any = None, out_sharding: Any = None) -> Array:
    """An array whose elements nobody needs: zeros, as in JAX."""
    check_placement("empty", device, out_sharding)
    return put(lax.full(_shape("empty", shape, dtype), 0, _user_dtype("empty", dtype)), device)


def full(shape: Any, fill_value: Any, dtype: Any = None, *, device: Any = None, out_sharding: Any = None) -> Array:
    """An array with `fill_value` everywhere, or with this array broadcast to the shape."""
    check_placement("full", device, out_sharding)
    if dtype is not None:
        dtype = dtypes.check_and_canonicalize_user_dtype(dtype, "full")
    check_arraylike("full", fill_value)
    if np.ndim(fill_value) == 0:
        out = lax.full(_shape("full", shape), fill_value, dtype)
        # As in JAX: an array that was put on a device by name does not remember that it came from a Python number.
        return out if device is None else put(convert(out, out.dtype), device)
    return put(broadcast_to(asarray(fill_value, dtype), shape), device)


# --------------------------------------------------------------------------- like others


def _prototype(fun_name: str, a: Any) -> Any:
    """What tells shape and dtype: an array, a number, or anything that has both."""
    if hasattr(a, "shape") and hasattr(a, "dtype"):
        return a
    if hasattr(a, "__jax_array__"):
        return a.__jax_array__()
    check_arraylike(fun_name, a)
    return a


def _filled_like(fun_name: str, a: Any, value: Any, dtype: Any, shape: Any) -> Array:
    a = _prototype(fun_name, a)
    if dtype is not None:
        dtype = dtypes.check_and_canonicalize_user_dtype(dtype, fun_name)
    return lax.full_like(a, value, dtype, None if shape is None else _shape(fun_name, shape))


def zeros_like(a: Any, dtype: Any = None, shape: Any = None, *, device: Any = None, out_sharding: Any = None) -> Array:
    """Zeros with the shape and dtype of `a` where they are not given."""
    check_placement("zeros_like", device, out_sharding)
    return put(_filled_like("zeros_like", a, 0, dtype, shape), device)


def ones_like(a: Any, dtype: Any = None, shape: Any = None, *, device: Any = None, out_sharding: Any = None) -> Array:
    """Ones with the shape and dtype of `a` where they are not given."""
    check_placement("ones_like", device, out_sharding)
    return put(_filled_like("ones_like", a, 1, dtype, shape), device)


def empty_like(prototype: Any, dtype: Any = None, shape: Any = None, *, device: Any = None) -> Array:
    """An array whose elements nobody needs, with the shape and dtype of `prototype` where they are not given."""
    check_placement("empty_like", device)
    return put(_filled_like("empty_like", prototype, 0, dtype, shape), device)


def full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    shape: Any = None,
    *,
    device: Any = None,
    out_sharding: Any = None,
) -> Array:
    """`fill_value` with the shape and dtype of `a` where they are not given; an array is broadcast."""
    check_placement("full_like", device, out_sharding)
    check_arraylike("full_like", 0, fill_value)
    if np.ndim(fill_value) == 0:
        return put(_filled_like("full_like", a, fill_value, dtype, shape), device)
    a = _prototype("full_like", a)
    shape = np.shape(a) if shape is None else shape
    return put(broadcast_to(asarray(fill_value, dtypes.result_type(a) if dtype is None else dtype), shape), device)


# jnp.float32(3) and its kin make arrays; the module of element types knows none.
ScalarType.make_array = staticmethod(lambda x, dtype: asarray(x, dtype))
