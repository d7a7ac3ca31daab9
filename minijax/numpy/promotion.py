"""What jax.numpy does to its arguments before it hands them to lax: checks, dtypes, ranks.

lax functions want operands of one dtype and rank. The functions of jax.numpy take anything
that is like an array, and bring it there:

    x, y = promote_args("add", x, y)

Python numbers stay constants on the way: `x + 1` binds `add x 1.0:f32[]`, with nothing to convert
when the program runs. All of it is on the path of every operator, so the plain cases come first.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import config, dtypes, lax
from minijax.array import Array, ArrayImpl
from minijax.core import as_array, quiet_floating_point
from minijax.primitives.conversion import check_imaginary_parts

__all__ = [
    "array_of",
    "as_arrays",
    "broadcast_to_common_shape",
    "check_arraylike",
    "convert",
    "ensure_arraylike",
    "like",
    "promote_args",
    "promote_args_inexact",
    "promote_args_numeric",
    "promote_dtypes",
    "promote_dtypes_inexact",
    "promote_dtypes_numeric",
    "promote_shapes",
    "reject",
    "strong_scalar",
]

_ARRAYLIKE = (Array, np.ndarray, np.generic, int, float, complex)

# --------------------------------------------------------------------------- checks


def is_arraylike(x: Any) -> bool:
    """Whether `x` is an array of any kind or a number: what jax.numpy functions accept as an array."""
    return isinstance(x, _ARRAYLIKE) or hasattr(x, "__jax_array__")


def check_arraylike(fun_name: str, *args: Any) -> None:
    """Raise TypeError unless all are arrays or numbers: lists and tuples are refused, as in JAX."""
    for position, x in enumerate(args):
        if not is_arraylike(x):
            raise _not_arraylike(fun_name, x, position)


def _not_arraylike(fun_name: str, x: Any, position: int) -> TypeError:
    what = f"{fun_name} requires ndarray or scalar arguments, got {type(x)} at position {position}."
    if isinstance(x, (list, tuple)):
        return TypeError(f"{what} Convert it first: jnp.{fun_name}(jnp.asarray(...)).")
    return TypeError(what)


def reject(fun_name: str, **unsupported: Any) -> None:
    """Raise NotImplementedError for the first argument that is not None, such as `out`."""
    for name, value in unsupported.items():
        if value is not None:
            raise NotImplementedError(
                f"The '{name}' argument to jnp.{fun_name} is not supported: leave it out. "
                "Arrays never change; the result is returned."
            )


# --------------------------------------------------------------------------- operands


def _operand(fun_name: str, x: Any, position: int) -> Any:
    """`x` as an Array, or as a scalar (of Python or NumPy) when it is one."""
    if isinstance(x, Array):
        return x
    if hasattr(x, "__jax_array__"):
        return _operand(fun_name, x.__jax_array__(), position)
    if not isinstance(x, _ARRAYLIKE):
        raise _not_arraylike(fun_name, x, position)
    if isinstance(x, (np.ndarray, np.generic)):
        dtypes.dtype(x)  # raises TypeError for strings and the like
        return as_array(x) if np.ndim(x) else np.asarray(x)[()]
    return _plain_number(x)


def _plain_number(x: complex) -> bool | int | float | complex:
    """A Python number without the subclass it may have (an IntEnum's member is its integer)."""
    for python_type in (bool, int, float, complex):
        if isinstance(x, python_type):
            dtypes.python_scalar_dtype(python_type, x)  # raises OverflowError for integers that are too large
            return python_type(x)
    raise TypeError(f"{x!r} is not a number")


def _operands(fun_name: str, args: Sequence[Any]) -> list[Any]:
    operands = [_operand(fun_name, x, i) for i, x in enumerate(args)]
    kinds = {dtypes.kind(x.dtype): x.dtype for x in operands if isinstance(x, Array)}
    if "V" in kinds and (kinds["V"] == dtypes.float0 or len({dtypes.dtype(x) for x in operands}) > 1):
        raise TypeError(
            f"{fun_name} does not accept operands of dtype {', '.join(str(dtypes.dtype(x)) for x in operands)}: "
            "float0 tangents (of integers) and random keys are no numbers. Write np.zeros(x.shape) for a float0 "
            "tangent, jax.random.key_data(key) for a key."
        )
    return operands


def ensure_arraylike(fun_name: str, *args: Any) -> Any:
    """The arguments as Arrays: one for a single argument, else a list. TypeError for lists, None and strings."""
    return as_arrays(fun_name, args)[0] if len(args) == 1 else as_arrays(fun_name, args)


def as_arrays(fun_name: str, args: Sequence[Any]) -> list[Array]:
    """The arguments as a list of Arrays, however many there are."""
    return [x if isinstance(x, Array) else array_of(_operand(fun_name, x, i)) for i, x in enumerate(args)]


def array_of(x: Any) -> Array:
    """An operand as an Array. While a jaxpr is being written a scalar becomes a literal of it, not a constant."""
    if isinstance(x, Array):
        return x
    return as_array(x) if np.ndim(x) else lax.broadcast_in_dim_p.bind(x, shape=(), broadcast_dimensions=())


# --------------------------------------------------------------------------- conversion


def convert(x: Any, dtype: Any, weak_type: bool = False) -> Any:
    """`x` in the given dtype and weak type; scalars are converted here and now, arrays by the engine."""
    if not isinstance(x, Array):
        if isinstance(x, np.ndarray):
            return convert(as_array(x), dtype, weak_type)
        return _scalar(x, dtype, weak_type)
    if x.dtype == dtype and x.weak_type == weak_type:
        return x
    check_imaginary_parts(x, x.dtype, dtype)
    return lax.convert_element_type_p.bind(x, new_dtype=dtype, weak_type=weak_type)


def _scalar(x: Any, dtype: Any, weak_type: bool) -> Any:
    """A Python or NumPy scalar as a constant: a NumPy scalar, or a Python number when it shall stay weak."""
    if isinstance(x, complex):  # NumPy's complex128 too
        check_imaginary_parts(x, np.dtype(np.complex128), dtype)
    if not weak_type:
        return strong_scalar(x, dtype)
    if dtype == dtypes.default_float_dtype():
        return float(x)
    if dtype == dtypes.default_int_dtype():
        return int(x)
    if dtype == dtypes.default_complex_dtype():
        return complex(x)
    return ArrayImpl(np.asarray(strong_scalar(x, dtype)), True)


def strong_scalar(x: Any, dtype: np.dtype) -> np.generic:
    """The number `x` as a NumPy scalar of `dtype`. Overflow gives inf for floats and wraps for integers."""
    # Small numbers fit any dtype, if not an unsigned one when negative: no overflow to think of.
    if type(x) is float and -1e4 < x < 1e4 and dtype.kind == "f" or type(x) is int and 0 <= x < 128:
        return dtype.type(x)
    canonical = as_array(x)._data
    with quiet_floating_point():
        return canonical.astype(dtype)[()]


def like(x: Array, value: Any) -> Any:
    """The constant `value` in x's dtype, weakly typed only if x is a weakly typed scalar."""
    return _scalar(value, x.dtype, x.weak_type and not x.ndim)


# --------------------------------------------------------------------------- dtype promotion


def promote_dtypes(*args: Any) -> list[Any]:
    """Operands (Arrays or scalars) in the dtype that promotion gives them."""
    dtype, weak_type = dtypes.lattice_result_type(*args)
    return [convert(x, dtype, weak_type) for x in args]


def promote_dtypes_inexact(*args: Any) -> list[Any]:
    """As `promote_dtypes`, and integers and booleans become floats."""
    dtype, weak_type = dtypes.lattice_result_type(*args)
    dtype = dtypes.to_inexact_dtype(dtype)
    return [convert(x, dtype, weak_type) for x in args]


def promote_dtypes_numeric(*args: Any) -> list[Any]:
    """As `promote_dtypes`, and booleans become integers."""
    dtype, weak_type = dtypes.lattice_result_type(*args)
    dtype = dtypes.to_numeric_dtype(dtype)
    return [convert(x, dtype, weak_type) for x in args]


# --------------------------------------------------------------------------- rank promotion


def promote_shapes(fun_name: str, *args: Any) -> list[Any]:
    """Give operands of lower rank leading axes of length 1; scalars may stay as they are.

    Raises ValueError for shapes that do not broadcast, or when jax_numpy_rank_promotion is 'raise'.
    """
    shapes = [getattr(x, "shape", ()) for x in args]
    if len({len(shape) for shape in shapes if shape}) < 2:
        return list(args)
    if config.numpy_rank_promotion.value != "allow":
        _report_rank_promotion(fun_name, shapes)
    rank = len(lax.broadcast_shapes(*shapes))
    # As in JAX scalars too get the common rank once any operand needs it.
    return [x if len(shape) == rank else _at_rank(x, shape, rank) for x, shape in zip(args, shapes)]


def _at_rank(x: Any, shape: tuple[int, ...], rank: int) -> Array:
    missing = rank - len(shape)
    new_shape, kept = (1,) * missing + shape, tuple(range(missing, rank))
    return lax.broadcast_in_dim_p.bind(x, shape=new_shape, broadcast_dimensions=kept)


def _report_rank_promotion(fun_name: str, shapes: Sequence[tuple[int, ...]]) -> None:
    text = " ".join(map(str, shapes))
    if config.numpy_rank_promotion.value == "raise":
        raise ValueError(
            f"Operands could not be broadcast together for {fun_name} on shapes {text} while "
            "jax_numpy_rank_promotion is 'raise'. Give the smaller one its axes of length 1, for example x[None, :]."
        )
    warnings.warn(
        f"Following NumPy automatic rank promotion for {fun_name} on shapes {text}. Give the smaller operand its axes "
        "of length 1, for example x[None, :], or set jax_numpy_rank_promotion to 'allow'.",
        stacklevel=5,
    )


def broadcast_to_common_shape(*args: Any) -> list[Any]:
    """Operands broadcast together by NumPy's rules. Raises ValueError for shapes that do not fit."""
    shapes = [getattr(x, "shape", ()) for x in args]
    wide = {shape for shape in shapes if shape}
    shape = lax.broadcast_shapes(*shapes) if len(wide) > 1 else wide.pop() if wide else ()
    return [x if own == shape else _broadcast(x, own, shape) for x, own in zip(args, shapes)]


def _broadcast(x: Any, own: tuple[int, ...], shape: tuple[int, ...]) -> Array:
    dims = tuple(range(len(shape) - len(own), len(shape)))
    return lax.broadcast_in_dim_p.bind(x, shape=shape, broadcast_dimensions=dims)


# --------------------------------------------------------------------------- both, for whole argument lists


def promote_args(fun_name: str, *args: Any) -> Sequence[Any]:
    """Check the arguments of the function `fun_name`; bring them to one dtype and to ranks that lax accepts."""
    plain = plain_operands(args, "biufc")
    if plain is not None:
        return plain
    if _of_one_dtype(args, "biufc"):
        return promote_shapes(fun_name, *args)
    return promote_shapes(fun_name, *promote_dtypes(*_operands(fun_name, args)))


def promote_args_inexact(fun_name: str, *args: Any) -> Sequence[Any]:
    """As `promote_args`, and integers and booleans become floats."""
    plain = plain_operands(args, "fc")
    if plain is not None:
        return plain
    if _of_one_dtype(args, "fc"):
        return promote_shapes(fun_name, *args)
    return promote_shapes(fun_name, *promote_dtypes_inexact(*_operands(fun_name, args)))


def promote_args_numeric(fun_name: str, *args: Any) -> Sequence[Any]:
    """As `promote_args`, and booleans become integers."""
    plain = plain_operands(args, "iufc")
    if plain is not None:
        return plain
    if _of_one_dtype(args, "iufc"):
        return promote_shapes(fun_name, *args)
    return promote_shapes(fun_name, *promote_dtypes_numeric(*_operands(fun_name, args)))


# The Python numbers that take on the dtype of an array.
_NUMBERS = dict.fromkeys(map(np.dtype, ("int8", "int16", "int32", "int64")), (int,))
_NUMBERS |= dict.fromkeys(map(np.dtype, ("uint8", "uint16", "uint32", "uint64")), (int,))
_NUMBERS |= dict.fromkeys(map(np.dtype, ("float16", "float32", "float64")), (float, int))
_NUMBERS |= dict.fromkeys(map(np.dtype, ("complex64", "complex128")), (complex, float, int))


def plain_operands(args: Sequence[Any], kinds: str) -> Sequence[Any] | None:
    """The promoted arguments where it is obvious what they are; dtypes outside `kinds` never are.

    Obvious are one array, two of equal dtype and rank, an array and a Python number.
    """
    if len(args) != 2:
        return args if len(args) == 1 and isinstance(args[0], Array) and _kind(args[0]) in kinds else None
    x, y = args
    if type(x) is ArrayImpl and type(y) is ArrayImpl:
        a, b = x._data, y._data
        fits = a.dtype is b.dtype and a.dtype.kind in kinds and (a.ndim == b.ndim or not a.ndim or not b.ndim)
        return args if fits and x.weak_type is y.weak_type and _stays_weak(x) else None
    if isinstance(x, Array) and isinstance(y, Array):
        fits = x.dtype == y.dtype and x.weak_type == y.weak_type and x.ndim == y.ndim and _kind(x) in kinds
        return args if fits and _stays_weak(x) else None
    if isinstance(x, Array):
        number = _number_beside(x, y, kinds)
        return None if number is None else (x, number)
    if isinstance(y, Array):
        number = _number_beside(y, x, kinds)
        return None if number is None else (number, y)
    return None


def _number_beside(x: Array, number: Any, kinds: str) -> Any:
    """A Python number as the constant that it becomes beside `x`, None where that takes more thought."""
    dtype = x.dtype
    if type(number) not in _NUMBERS.get(dtype, ()) or dtype.kind not in kinds:
        return None
    if not x.weak_type:
        return strong_scalar(number, dtype)
    return number if dtype == dtypes.canonicalize_dtype(type(number)) and dtype.kind in "fc" else None


def _of_one_dtype(args: Sequence[Any], kinds: str) -> bool:
    """Whether these are strongly typed arrays of one dtype, whose kind is among `kinds`: ranks are all that differs."""
    if not all(isinstance(x, Array) and not x.weak_type for x in args):
        return False
    dtype = args[0].dtype
    return _kind(args[0]) in kinds and all(x.dtype == dtype for x in args)


def _stays_weak(x: Array) -> bool:
    # Comparisons of Python numbers give weakly typed booleans, which promotion makes strong ones.
    return not x.weak_type or _kind(x) != "b"


def _kind(x: Array) -> str:
    return x._data.dtype.kind if type(x) is ArrayImpl else dtypes.kind(x.dtype)
