"""Dtypes: canonical forms, the dtype of a value, and JAX's type promotion (the module `jax.dtypes`).

*Canonical* means that 64-bit types become 32-bit ones while jax_enable_x64 is off.
*Weak* is the type of a Python number, and of what is computed from Python numbers
alone: it gives way to the other operand's type, so that `x + 1.0` keeps the dtype of a
float16 array.
"""

import functools
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from minijax.config import enable_x64, explicit_x64_dtypes, numpy_dtype_promotion
from minijax.element_types import (
    ADDED_KINDS,
    DType,
    ExtendedDType,
    ScalarType,
    added_type,
    bool_,
    complex64,
    complex128,
    extended,
    finfo,
    float0,
    float16,
    float32,
    float64,
    iinfo,
    int8,
    int16,
    int32,
    int64,
    is_complex,
    is_float,
    is_inexact,
    is_integer,
    is_valid,
    isdtype,
    issubdtype,
    itemsize_bits,
    key_fry,
    kind,
    logical_dtype,
    physical_dtype,
    prng_key,
    python_scalar_dtypes,
    short_dtype_name,
    uint8,
    uint16,
    uint32,
    uint64,
)

__all__ = [
    "DType",
    "ExtendedDType",
    "ScalarType",
    "TypePromotionError",
    "bool_",
    "canonicalize_dtype",
    "check_and_canonicalize_user_dtype",
    "complex64",
    "complex128",
    "default_complex_dtype",
    "default_float_dtype",
    "default_int_dtype",
    "default_uint_dtype",
    "dtype",
    "extended",
    "finfo",
    "float0",
    "float16",
    "float32",
    "float64",
    "iinfo",
    "int8",
    "int16",
    "int32",
    "int64",
    "is_complex",
    "is_float",
    "is_inexact",
    "is_integer",
    "is_valid",
    "is_weakly_typed",
    "isdtype",
    "issubdtype",
    "itemsize_bits",
    "key_fry",
    "kind",
    "lattice_result_type",
    "logical_dtype",
    "physical_dtype",
    "prng_key",
    "promote_types",
    "python_scalar_dtype",
    "python_scalar_dtypes",
    "result_type",
    "scalar_type_of",
    "short_dtype_name",
    "to_complex_dtype",
    "to_floating_dtype",
    "to_inexact_dtype",
    "to_numeric_dtype",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]


class TypePromotionError(ValueError):
    """There is no dtype that the given ones may be promoted to implicitly."""


def __getattr__(name: str) -> Any:
    if name in ADDED_KINDS:  # not in __all__: a star import shall not need ml_dtypes
        return added_type(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# --------------------------------------------------------------------------- canonical dtypes

_BOOL = python_scalar_dtypes[bool]
_NARROW = {
    np.dtype("int64"): np.dtype("int32"),
    np.dtype("uint64"): np.dtype("uint32"),
    np.dtype("float64"): np.dtype("float32"),
    np.dtype("complex128"): np.dtype("complex64"),
}


def canonicalize_dtype(dtype: Any, allow_extended_dtype: bool = False) -> DType:
    """The dtype, its numbers narrowed to 32 bits if they have 64 and jax_enable_x64 is off."""
    if isinstance(dtype, ExtendedDType):
        if not allow_extended_dtype:
            raise ValueError(f"canonicalize_dtype: {dtype} is not a NumPy dtype. Pass allow_extended_dtype=True")
        return dtype
    if isinstance(dtype, type):
        dtype = python_scalar_dtypes.get(dtype, dtype)
    dtype = np.dtype(dtype)
    return dtype if enable_x64.value else _NARROW.get(dtype, dtype)


def default_int_dtype() -> np.dtype:
    """The dtype of a Python int: int32, or int64 with jax_enable_x64."""
    return canonicalize_dtype(python_scalar_dtypes[int])


def default_uint_dtype() -> np.dtype:
    """The unsigned integer type of the default width."""
    return canonicalize_dtype(np.dtype("uint64"))


def default_float_dtype() -> np.dtype:
    """The dtype of a Python float: float32, or float64 with jax_enable_x64."""
    return canonicalize_dtype(python_scalar_dtypes[float])


def default_complex_dtype() -> np.dtype:
    """The dtype of a Python complex: complex64, or complex128 with jax_enable_x64."""
    return canonicalize_dtype(python_scalar_dtypes[complex])


def python_scalar_dtype(scalar_type: type, value: Any = None) -> np.dtype:
    """The canonical dtype of a Python scalar type; OverflowError if `value` is an int that it cannot hold."""
    dtype = canonicalize_dtype(python_scalar_dtypes[scalar_type])
    if scalar_type is int and value is not None:
        bits = 8 * dtype.itemsize - 1
        if not -(1 << bits) <= value < 1 << bits:
            raise OverflowError(
                f"Python int {value} does not fit into {dtype}. Give a dtype that holds it, for example"
                f" jnp.asarray({value}, jnp.float32), or switch to 64 bits with"
                " jax.config.update('jax_enable_x64', True)"
            )
    return dtype


def to_inexact_dtype(dtype: Any) -> np.dtype:
    """Floats and complex types stay, 64-bit integers become float64, everything else float32 (uncanonicalised)."""
    dtype = np.dtype(dtype)
    # JAX has no float for integers of one or two bits, and returns them as they are.
    if kind(dtype) in "fc" or dtype.name in ("int1", "int2", "uint1", "uint2"):
        return dtype
    return np.dtype("float64") if dtype.itemsize == 8 else np.dtype("float32")


def to_floating_dtype(dtype: Any) -> np.dtype:
    """As `to_inexact_dtype`, and of complex types that of their parts."""
    return np.dtype(finfo(to_inexact_dtype(dtype)).dtype)


def to_complex_dtype(dtype: Any) -> np.dtype:
    """The complex type that holds all values of a dtype: complex128 for those of 64 bits, else complex64."""
    wide = to_inexact_dtype(dtype) in (np.dtype("float64"), np.dtype("complex128"))
    return np.dtype("complex128") if wide else np.dtype("complex64")


def to_numeric_dtype(dtype: Any) -> np.dtype:
    """The dtype itself, int32 for bool."""
    dtype = np.dtype(dtype)
    return np.dtype("int32") if dtype == _BOOL else dtype


def check_and_canonicalize_user_dtype(dtype: Any, fun_name: str | None = None) -> DType:
    """The canonical form of a `dtype=` argument of the function `fun_name`.

    complex, float, int and bool mean the default types. An explicit 64-bit type warns (UserWarning) while
    jax_enable_x64 is off, or obeys jax_explicit_x64_dtypes. TypeError for what no Array can hold.
    """
    where = f" in {fun_name}" if fun_name else ""
    if dtype is None:
        raise ValueError(f"dtype{where} is None; give one, for example jnp.float32")
    if hasattr(dtype, "weak_type"):
        raise ValueError(f"An array was passed as dtype{where}. Write dtype=x.dtype instead of dtype=x")
    if isinstance(dtype, ExtendedDType):
        return dtype
    if isinstance(dtype, type) and dtype in python_scalar_dtypes:
        return canonicalize_dtype(python_scalar_dtypes[dtype])
    np_dtype = np.dtype(dtype)
    if not is_valid(np_dtype):
        raise TypeError(
            f"dtype {dtype!r}{where}: an Array holds booleans and numbers only. Keep other values in"
            " Python lists or NumPy arrays"
        )
    return _canonicalize_explicit(np_dtype, where)


def _canonicalize_explicit(dtype: np.dtype, where: str = "") -> np.dtype:
    """Narrow a dtype that the user wrote out, telling them so."""
    narrow = _NARROW.get(dtype)
    if narrow is None or enable_x64.value or explicit_x64_dtypes.value == "allow":
        return dtype
    what = f"Explicitly requested dtype {dtype}{where} is not available while jax_enable_x64 is off"
    remedy = f"Ask for {narrow}, or run jax.config.update('jax_enable_x64', True) first"
    if explicit_x64_dtypes.value == "error":
        raise ValueError(f"{what}. {remedy}")
    warnings.warn(f"{what}: the result has dtype {narrow}. {remedy}", UserWarning, stacklevel=4)
    return narrow


# --------------------------------------------------------------------------- dtype of a value


def scalar_type_of(x: Any) -> type:
    """The Python type (bool, int, float, complex) that corresponds to the dtype of a value."""
    found = {"b": bool, "i": int, "u": int, "f": float, "c": complex}.get(kind(dtype(x)))
    if found is None:
        raise TypeError(f"scalar_type_of: {x!r} is not a number, so no Python type corresponds to it")
    return found


def dtype(x: Any) -> DType:
    """The canonical dtype of a value, a dtype, its name or a scalar type.

    Unlike `jnp.dtype`, which is `np.dtype`. TypeError for values that no Array can hold.
    """
    return _dtype_and_weak_type(x)[0]


def is_weakly_typed(x: Any) -> bool:
    """Whether the value's dtype gives way in promotion: Python numbers and weakly typed arrays."""
    return type(x) in (int, float, complex) or bool(getattr(x, "weak_type", False))


def _dtype_and_weak_type(x: Any) -> tuple[DType, bool]:
    of_scalar = python_scalar_dtypes.get(type(x))
    if of_scalar is not None:
        return canonicalize_dtype(of_scalar), of_scalar is not _BOOL
    weak_type = getattr(x, "weak_type", None)
    if weak_type is not None:  # an Array, tracer or aval: its dtype is what it is, in either x64 mode
        return x.dtype, weak_type
    if isinstance(x, type):
        if x in python_scalar_dtypes:
            return canonicalize_dtype(python_scalar_dtypes[x]), x is not bool
        if issubclass(x, np.generic):
            return _canonicalize_explicit(np.dtype(x)), False
    if isinstance(x, (str, np.dtype)):
        return _canonicalize_explicit(_checked(np.dtype(x), x)), False
    return canonicalize_dtype(_checked(_dtype_attribute(x), x), allow_extended_dtype=True), False


def _dtype_attribute(x: Any) -> DType:
    if x is None:
        raise ValueError("None has no dtype; give a value, or a dtype such as jnp.float32")
    found = getattr(x, "dtype", None)
    if isinstance(found, (np.dtype, ExtendedDType)):
        return found
    try:
        return np.result_type(x)
    except TypeError as error:
        raise TypeError(
            f"The dtype of {x!r} (a {type(x).__name__}) cannot be told: it is neither an array nor a number."
            " Lists and tuples become arrays by jnp.asarray"
        ) from error


def _checked(dtype: DType, x: Any) -> DType:
    if not is_valid(dtype):
        raise TypeError(
            f"{x!r} has dtype {dtype}, which no Array can hold. Convert it to numbers first, for example"
            " with np.asarray(x, np.float32)"
        )
    return dtype


# --------------------------------------------------------------------------- promotion

# JAX's promotion lattice (https://docs.jax.dev/en/latest/type_promotion.html): every type points to
# those right above it, "int*", "float*" and "complex*" are the weak types, and the result of an operation is the
# least type above all operands. The types of fewer than eight bits and the 8-bit floats are above weak types
# alone: nothing is promoted to them or from them by accident.
_TINY_INTEGERS = tuple([name for name, kind_ in ADDED_KINDS.items() if kind_ != "f"])
_TINY_FLOATS = tuple([name for name, kind_ in ADDED_KINDS.items() if kind_ == "f" and name != "bfloat16"])
_ABOVE = dict.fromkeys((*_TINY_INTEGERS, *_TINY_FLOATS), ()) | {
    "bool": ("int*",),
    "int*": ("uint8", "int8", *_TINY_INTEGERS),
    "uint8": ("int16", "uint16"),
    "uint16": ("int32", "uint32"),
    "uint32": ("int64", "uint64"),
    "uint64": ("float*",),
    "int8": ("int16",),
    "int16": ("int32",),
    "int32": ("int64",),
    "int64": ("float*",),
    "float*": ("bfloat16", "float16", "complex*", *_TINY_FLOATS),
    "bfloat16": ("float32",),
    "float16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
    "complex*": ("complex64",),
    "complex64": ("complex128",),
    "complex128": (),
}
# With x64 off nothing narrow may become wide: uint32 with int32 then stays int32.
_ABOVE_X32 = {**_ABOVE, "uint32": ("int32", "uint64")}
# Strict: weak types adapt to any type of their own or a higher kind, and that is all.
_ABOVE_STRICT = dict.fromkeys(_ABOVE, ()) | {
    "int*": ("float*", *[name for name in _ABOVE if name.rstrip("0123456789") in ("int", "uint")]),
    "float*": ("complex*", "bfloat16", "float16", "float32", "float64", *_TINY_FLOATS),
    "complex*": ("complex64", "complex128"),
}
_PYTHON_TYPES = {"int*": int, "float*": float, "complex*": complex}


def _upper_bounds(above: dict, node: str) -> dict[str, None]:
    """A type and everything above it."""
    bounds = {node: None}
    for upper in above[node]:
        bounds.update(_upper_bounds(above, upper))
    return bounds


def _least_upper_bound(above: dict, nodes: Iterable[str]) -> str | None:
    bounds = [_upper_bounds(above, node) for node in nodes]
    common = [node for node in bounds[0] if all(node in other for other in bounds)]
    for node in common:
        if all(other in _upper_bounds(above, node) for other in common):
            return node
    return None


@functools.lru_cache(4096)
def _join(mode: str, x64: bool, operands: tuple[tuple[DType, bool], ...]) -> tuple[DType, bool]:
    """Dtype and weak type of the result for the operands' (dtype, weak_type)."""
    dtypes = tuple({dtype: None for dtype, _ in operands})
    all_weak = all(weak for _, weak in operands)
    if len(dtypes) == 1 and (len(operands) == 1 or not all_weak):
        # Also how extended dtypes pass, which are outside the lattice.
        return dtypes[0], all_weak and dtypes[0] != _BOOL
    # Weak with weak: the strong types are joined, and the result is weak again.
    as_strong = all_weak and mode != "strict"
    nodes = {_node(dtype, weak and not as_strong): None for dtype, weak in operands}
    above = _ABOVE_STRICT if mode == "strict" else _ABOVE if x64 else _ABOVE_X32
    found = _least_upper_bound(above, nodes)
    if found is None:
        raise _no_promotion(nodes, mode)
    if found.endswith("*"):
        wide = python_scalar_dtypes[_PYTHON_TYPES[found]]
        return (wide if x64 else _NARROW[wide]), True
    return np.dtype(added_type(found) if found in ADDED_KINDS else found), as_strong and found != "bool"


def _node(dtype: DType, weak: bool) -> str:
    if kind(dtype) == "V":
        raise ValueError(
            f"Values of dtype {dtype} take no part in type promotion: float0 tangents and random keys cannot"
            " be combined with numbers. Convert them first (jax.random.key_data for keys)"
        )
    if weak and kind(dtype) != "b":
        return {"f": "float*", "c": "complex*"}.get(kind(dtype), "int*")
    return dtype.name


def _no_promotion(nodes: Iterable[str], mode: str) -> TypePromotionError:
    names = " and ".join(f"Python {name[:-1]}" if name.endswith("*") else name for name in nodes)
    why = " while jax_numpy_dtype_promotion is 'strict'" if mode == "strict" else ""
    return TypePromotionError(
        f"There is no implicit promotion between {names}{why}. Convert one side, for example x.astype('float32')"
    )


def lattice_result_type(*args: Any) -> tuple[DType, bool]:
    """(dtype, weak_type) of an operation on these arrays, scalars or dtypes."""
    operands = tuple([_dtype_and_weak_type(arg) for arg in args])
    dtype, weak_type = _join(numpy_dtype_promotion.value, enable_x64.value, operands)
    # Wide arrays that outlived their x64 mode keep their dtype among themselves; promotion ends it.
    if dtype in _NARROW and len(args) > 1 and (weak_type or any(d != dtype for d, _ in operands)):
        dtype = _canonicalize_explicit(dtype)
    return dtype, weak_type


def result_type(*args: Any, return_weak_type_flag: bool = False) -> DType | tuple[DType, bool]:
    """The dtype of an operation on these arrays, scalars or dtypes; None means the default float.

    With return_weak_type_flag, (dtype, weak_type). Weak results have the default width.
    """
    if not args:
        raise ValueError("result_type needs at least one array or dtype")
    args = tuple([default_float_dtype() if arg is None else arg for arg in args])
    dtype, weak_type = lattice_result_type(*args)
    if weak_type:
        dtype = canonicalize_dtype(_WIDE_OF_KIND[kind(dtype)])
    return (dtype, weak_type) if return_weak_type_flag else dtype


_WIDE_OF_KIND = {
    "i": np.dtype("int64"),
    "u": np.dtype("uint64"),
    "f": np.dtype("float64"),
    "c": np.dtype("complex128"),
}


def promote_types(a: Any, b: Any) -> np.dtype:
    """The dtype of a binary operation on values of these dtypes; `int`, `float` and `complex` are weak.

    As in JAX the result is not canonicalised: two weak types give int64, float64 or complex128.
    """
    operands = tuple([_named_type(x) for x in (a, b)])
    dtype, weak_type = _join(numpy_dtype_promotion.value, enable_x64.value, operands)
    return _WIDE_OF_KIND[kind(dtype)] if weak_type else dtype


def _named_type(x: Any) -> tuple[np.dtype, bool]:
    if x is int or x is float or x is complex:
        return python_scalar_dtypes[x], True
    return np.dtype(x), False
