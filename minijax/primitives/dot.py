"""dot_general: every product of matrices, vectors and stacks of them."""

from __future__ import annotations

import enum
import functools
import math
import operator
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Union

import numpy as np

from minijax import config, dtypes
from minijax.array import Array, ArrayImpl
from minijax.core import _FP_QUIET, ShapedArray, _fp_state
from minijax.primitives.complex_parts import real_dtype
from minijax.primitives.conversion import convert
from minijax.primitives.families import def_bilinear
from minijax.primitives.shaping import transpose
from minijax.primitives.standard import Shape, check_one_device, standard

__all__ = [
    "DotAlgorithm",
    "DotAlgorithmPreset",
    "DotDimensionNumbers",
    "Precision",
    "PrecisionLike",
    "batch_matmul",
    "dot",
    "dot_general",
]

# ((lhs contracting, rhs contracting), (lhs batch, rhs batch)), each a sequence of axes
DotDimensionNumbers = tuple[tuple[Sequence[int], Sequence[int]], tuple[Sequence[int], Sequence[int]]]
Axes = tuple[int, ...]

# ----------------------------------------------------------------- precision


class Precision(enum.Enum):
    """How exact an accelerator's product has to be. Recorded only: NumPy computes in full precision."""

    DEFAULT = 0
    HIGH = 1
    HIGHEST = 2

    @classmethod
    def _missing_(cls, value: object) -> Precision | None:
        return _PRECISION_NAMES.get(value)

    def __repr__(self) -> str:
        return f"Precision.{self.name}"

    def __str__(self) -> str:
        return self.name


_PRECISION_NAMES = {
    "highest": Precision.HIGHEST,
    "float32": Precision.HIGHEST,
    "high": Precision.HIGH,
    "bfloat16_3x": Precision.HIGH,
    "tensorfloat32": Precision.HIGH,
    "default": Precision.DEFAULT,
    "bfloat16": Precision.DEFAULT,
    "fastest": Precision.DEFAULT,
    None: Precision.DEFAULT,
}


class DotAlgorithmPreset(enum.Enum):
    """Element types of operands and accumulator on an accelerator. Recorded only, like `Precision`."""

    DEFAULT = enum.auto()
    ANY_F8_ANY_F8_F32 = enum.auto()
    ANY_F8_ANY_F8_F32_FAST_ACCUM = enum.auto()
    ANY_F8_ANY_F8_ANY = enum.auto()
    ANY_F8_ANY_F8_ANY_FAST_ACCUM = enum.auto()
    F16_F16_F16 = enum.auto()
    F16_F16_F32 = enum.auto()
    BF16_BF16_BF16 = enum.auto()
    BF16_BF16_F32 = enum.auto()
    BF16_BF16_F32_X3 = enum.auto()
    BF16_BF16_F32_X6 = enum.auto()
    BF16_BF16_F32_X9 = enum.auto()
    TF32_TF32_F32 = enum.auto()
    TF32_TF32_F32_X3 = enum.auto()
    F32_F32_F32 = enum.auto()
    F64_F64_F64 = enum.auto()

    def __repr__(self) -> str:
        return f"DotAlgorithmPreset.{self.name}"

    def __str__(self) -> str:
        return self.name


class DotAlgorithm(NamedTuple):
    """How an accelerator is to compute a product, in more detail than `DotAlgorithmPreset`. Recorded only.

    The CPU of JAX refuses these; here they change nothing, as full precision meets any demand.
    """

    lhs_precision_type: Any
    rhs_precision_type: Any
    accumulation_type: Any
    lhs_component_count: int = 1
    rhs_component_count: int = 1
    num_primitive_operations: int = 1
    allow_imprecise_accumulation: bool = False


# What `precision=` arguments may be; a typing.Union, as in JAX.
PrecisionLike = Union[  # noqa: UP007
    None, str, Precision, tuple[str, str], tuple[Precision, Precision], DotAlgorithm, DotAlgorithmPreset
]


def canonicalize_precision(precision: Any) -> Any:
    """A `precision=` argument as None, a pair of `Precision` (for lhs and rhs), `DotAlgorithm` or its preset.

    None means what jax_default_matmul_precision says. Raises ValueError for anything else.
    """
    if precision is None:
        precision = config.default_matmul_precision.value
        if precision is None:
            return None
    if isinstance(precision, DotAlgorithmPreset | DotAlgorithm):
        return precision
    if isinstance(precision, str) and precision in DotAlgorithmPreset.__members__:
        return DotAlgorithmPreset[precision]
    pair = tuple(precision) if isinstance(precision, list | tuple) else (precision, precision)
    try:
        lhs, rhs = map(Precision, pair)
    except ValueError:
        names = ", ".join(repr(name) for name in _PRECISION_NAMES)
        raise ValueError(
            f"precision must be one of {names}, a lax.Precision, a pair of these for lhs and rhs, or a "
            f"lax.DotAlgorithmPreset or its name; got {precision!r}."
        ) from None
    return lhs, rhs


# ----------------------------------------------------------------- wrappers


def dot(
    lhs: Any,
    rhs: Any,
    *,
    dimension_numbers: DotDimensionNumbers | None = None,
    precision: Any = None,
    preferred_element_type: Any = None,
    out_sharding: Any = None,
) -> Array:
    """The product of two matrices or vectors; with `dimension_numbers` whatever dot_general computes.

    Raises ValueError, without them, unless the last axis of lhs is as long as the first of rhs.
    """
    check_one_device("lax.dot", out_sharding)
    if dimension_numbers is None:
        lhs_shape, rhs_shape = np.shape(lhs), np.shape(rhs)
        if not (1 <= len(lhs_shape) <= 2 and 1 <= len(rhs_shape) <= 2 and lhs_shape[-1] == rhs_shape[0]):
            raise ValueError(
                "lax.dot multiplies vectors and matrices whose inner axes are equally long, got shapes "
                f"{lhs_shape} and {rhs_shape}. Pass dimension_numbers for other products, or use jnp.matmul."
            )
        dimension_numbers = (((len(lhs_shape) - 1,), (0,)), ((), ()))
    else:
        (lhs_contract, rhs_contract), (lhs_batch, rhs_batch) = dimension_numbers
        dimension_numbers = (
            (_axes(lhs_contract), _axes(rhs_contract)),
            (_axes(lhs_batch), _axes(rhs_batch)),
        )
    if preferred_element_type is not None:
        preferred_element_type = dtypes.check_and_canonicalize_user_dtype(preferred_element_type, "dot")
    return dot_general_p.bind(
        lhs,
        rhs,
        dimension_numbers=dimension_numbers,
        precision=canonicalize_precision(precision),
        preferred_element_type=preferred_element_type,
    )


def _axes(axes: int | Iterable[int]) -> Axes:
    return (operator.index(axes),) if isinstance(axes, int | np.integer) else tuple(map(operator.index, axes))


def dot_general(
    lhs: Any,
    rhs: Any,
    dimension_numbers: DotDimensionNumbers,
    precision: Any = None,
    preferred_element_type: Any = None,
    *,
    out_sharding: Any = None,
) -> Array:
    """Multiply and sum over the contracting axes, separately for each index of the batch axes.

    dimension_numbers is ((lhs contracting, rhs contracting), (lhs batch, rhs batch)). The result has the
    batch axes first, then the other axes of lhs, then those of rhs. preferred_element_type is the dtype of
    the result and of the sums; by default that of the operands (float16 is summed in float32).
    Source: https://openxla.org/stablehlo/spec#dot_general
    """
    check_one_device("lax.dot_general", out_sharding)
    return dot(
        lhs,
        rhs,
        dimension_numbers=dimension_numbers,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def batch_matmul(lhs: Any, rhs: Any, precision: Any = None) -> Array:
    """Products of matrices in the last two axes; all other axes are batch axes of both operands."""
    rank = np.ndim(lhs)
    if rank < 2 or rank != np.ndim(rhs):
        raise ValueError(
            f"batch_matmul needs two operands of the same rank, at least 2, got shapes {np.shape(lhs)} and "
            f"{np.shape(rhs)}. jnp.matmul broadcasts the batch axes."
        )
    batch = tuple(range(rank - 2))
    return dot_general(lhs, rhs, (((rank - 1,), (rank - 2,)), (batch, batch)), precision)


# ----------------------------------------------------------------- evaluation


def _dot_impl(
    x: np.ndarray, y: np.ndarray, *, dimension_numbers: Any, precision: Any, preferred_element_type: Any
) -> np.ndarray:
    out_dtype = _result_dtype(x, y, preferred_element_type)
    if x.dtype == y.dtype == out_dtype and out_dtype.itemsize > 2:
        return _product(x, y, dimension_numbers)
    # Integers may be asked for as the sum of products of floats, which are rounded towards zero at the end.
    inexact = [dtype for dtype in (x.dtype, y.dtype, out_dtype) if dtypes.is_inexact(dtype)]
    accumulator = np.result_type(*inexact, np.float32) if inexact else out_dtype
    x, y = x.astype(accumulator, copy=False), y.astype(accumulator, copy=False)
    out = _product(x, y, dimension_numbers)
    return (out if dtypes.is_complex(out_dtype) else out.real).astype(out_dtype, copy=False)


def _product(x: np.ndarray, y: np.ndarray, dimension_numbers: Any) -> np.ndarray:
    """The contraction as one np.matmul of two stacks of matrices, which are views where that is possible."""
    x_plan, y_plan, swapped, shape, order = matmul_plan(x.shape, y.shape, dimension_numbers)
    a, b = _matrices(x, *x_plan), _matrices(y, *y_plan)
    if swapped:
        return np.matmul(b.swapaxes(-1, -2), a.swapaxes(-1, -2)).reshape(shape).transpose(order)
    return np.matmul(a, b).reshape(shape)


@functools.lru_cache(1024)
def matmul_plan(x_shape: Shape, y_shape: Shape, dimension_numbers: Any) -> tuple[Any, Any, bool, Shape, Shape]:
    """How to make stacks of matrices of both operands and the result of their product."""
    (x_contract, y_contract), (x_batch, y_batch) = dimension_numbers
    if len(x_contract) > 1:
        # The order of the pairs is free: take one in which the axes of x need no shuffling.
        x_contract, y_contract = zip(*sorted(zip(x_contract, y_contract)))
    x_free, y_free = _free_axes(x_shape, x_contract, x_batch), _free_axes(y_shape, y_contract, y_batch)
    x_plan = _matrix_plan(x_shape, x_batch, x_free, x_contract)
    y_plan = _matrix_plan(y_shape, y_batch, y_contract, y_free)
    batch, rows, columns = _lengths(x_shape, x_batch), _lengths(x_shape, x_free), _lengths(y_shape, y_free)
    if not (_leads(x_contract, x_free) and _leads(y_contract, y_free)):
        return x_plan, y_plan, False, (*batch, *rows, *columns), ()
    # Derivatives with respect to weights look like this, and the next step is to transpose them (see
    # _dot_transpose_rhs). So compute them in the order in memory that they will have then.
    rank, first = len(batch) + len(rows) + len(columns), len(batch) + len(columns)
    order = (*range(len(batch)), *range(first, rank), *range(len(batch), first))
    return x_plan, y_plan, True, (*batch, *columns, *rows), order


def _matrix_plan(shape: Shape, batch: Axes, rows: Axes, columns: Axes) -> tuple[Axes, Shape, bool]:
    """Axes, new shape and whether to swap, to merge the axes `rows` into one and `columns` into another."""
    if _leads(columns, rows):
        return *_matrix_plan(shape, batch, columns, rows)[:2], True
    merged = (*_lengths(shape, batch), math.prod(_lengths(shape, rows)), math.prod(_lengths(shape, columns)))
    return (*batch, *rows, *columns), merged, False


def _matrices(x: np.ndarray, axes: Axes, shape: Shape, swap: bool) -> np.ndarray:
    matrices = for_blas(x.transpose(axes).reshape(shape))
    return matrices.swapaxes(-1, -2) if swap else matrices


def _free_axes(shape: Shape, contract: Axes, batch: Axes) -> Axes:
    return tuple([d for d in range(len(shape)) if d not in contract and d not in batch])


def _lengths(shape: Shape, axes: Axes) -> Shape:
    return tuple([shape[d] for d in axes])


def _leads(axes: Axes, others: Axes) -> bool:
    return len(axes) > 0 and len(others) > 0 and axes[0] < others[0]


def for_blas(x: np.ndarray) -> np.ndarray:
    """A contiguous copy of what NumPy could not hand to BLAS, without which it would be far slower."""
    strides, size = x.strides, x.itemsize
    column = strides[-1]
    if x.ndim > 1:
        row, (rows, columns) = strides[-2], x.shape[-2:]
        fits = (column == size and row >= columns * size) or (row == size and column >= rows * size)
    else:
        fits = column == size
    return x if fits else np.ascontiguousarray(x)


def _result_dtype(x: Any, y: Any, preferred_element_type: Any) -> np.dtype:
    """The operands' common dtype or the preferred one. Raises TypeError if that is too narrow an integer."""
    if x.dtype == y.dtype:
        common = x.dtype
    else:
        common = max(x.dtype, y.dtype, key=_rank)
    if preferred_element_type is None or preferred_element_type == common:
        return common
    if dtypes.kind(common) != "f" and _bits(preferred_element_type) < _bits(common):
        raise TypeError(
            f"dot_general: preferred_element_type must not be narrower than the operands' type, got "
            f"{preferred_element_type} for operands of dtypes {x.dtype} and {y.dtype}."
        )
    return preferred_element_type


def _rank(dtype: Any) -> tuple[bool, int, int, bool]:
    """XLA's order of element types: integers by width, signed above unsigned; floats by range; complex ones."""
    if not dtypes.is_inexact(dtype):
        return False, -1, 1 if dtypes.kind(dtype) == "b" else dtypes.itemsize_bits(dtype), dtypes.kind(dtype) != "u"
    info = dtypes.finfo(dtype)
    return dtypes.is_complex(dtype), int(info.maxexp), int(info.nmant), True


def _bits(dtype: Any) -> int:
    """Bits of a number, or of each part of a complex one."""
    return dtypes.itemsize_bits(real_dtype(dtype))


# ----------------------------------------------------------------- dot_general


def _dot_shape(x: ShapedArray, y: ShapedArray, *, dimension_numbers: Any, **params: Any) -> Shape:
    return _shape_of_product(x.shape, y.shape, dimension_numbers)


@functools.lru_cache(1024)
def _shape_of_product(x: Shape, y: Shape, dimension_numbers: Any) -> Shape:
    (x_contract, y_contract), (x_batch, y_batch) = dimension_numbers
    _check_axes("lhs", x, x_contract, x_batch)
    _check_axes("rhs", y, y_contract, y_batch)
    for what, x_axes, y_axes in (("contracting", x_contract, y_contract), ("batch", x_batch, y_batch)):
        if _lengths(x, x_axes) != _lengths(y, y_axes):
            raise TypeError(
                f"dot_general requires {what} dimensions to have the same shape, got {_lengths(x, x_axes)} "
                f"and {_lengths(y, y_axes)}: axes {x_axes} of lhs {x} and axes {y_axes} of rhs {y}."
            )
    x_free, y_free = _free_axes(x, x_contract, x_batch), _free_axes(y, y_contract, y_batch)
    return (*_lengths(x, x_batch), *_lengths(x, x_free), *_lengths(y, y_free))


def _check_axes(side: str, shape: Shape, contract: Axes, batch: Axes) -> None:
    axes = (*contract, *batch)
    if len(set(axes)) != len(axes) or not all(0 <= d < len(shape) for d in axes):
        raise TypeError(
            f"dot_general requires {side} dimension numbers to be distinct, nonnegative and less than the "
            f"number of axes of the {side} value, got contracting dimensions {contract} and batch dimensions "
            f"{batch} for {side} of shape {shape}."
        )


def _dot_dtype(x: ShapedArray, y: ShapedArray, *, preferred_element_type: Any, **params: Any) -> Any:
    return _result_dtype(x, y, preferred_element_type)


dot_general_p = standard("dot_general", _dot_impl, _dot_shape, _dot_dtype)


def _evaluate_dot(x: Any, y: Any, *, dimension_numbers: Any, precision: Any, preferred_element_type: Any) -> ArrayImpl:
    """Eager evaluation of plain products of matrices and vectors without abstract values."""
    axes = _PLAIN_PRODUCTS.get(dimension_numbers)
    plain = axes is not None and type(x) is ArrayImpl and type(y) is ArrayImpl
    if plain and (preferred_element_type is None or preferred_element_type == x._data.dtype):
        out = _plain_product(x._data, y._data, *axes)
        if out is not None:
            return ArrayImpl(out, x.weak_type and y.weak_type)
    return dot_general_p._evaluate(
        x,
        y,
        dimension_numbers=dimension_numbers,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


# The contracting axes of the products of matrices and vectors.
_PLAIN_PRODUCTS = {(((i,), (j,)), ((), ())): (i, j) for i in (0, 1) for j in (0, 1)}


def _plain_product(a: np.ndarray, b: np.ndarray, a_axis: int, b_axis: int) -> np.ndarray | None:
    """The product summed over these axes; None for anything but fitting inexact matrices and vectors."""
    if not (a_axis < a.ndim <= 2 and b_axis < b.ndim <= 2 and a.shape[a_axis] == b.shape[b_axis]):
        return None
    if a.dtype.char not in "fdFD" or a.dtype != b.dtype:
        return None
    a, b = for_blas(a), for_blas(b)
    token = _fp_state.set(_FP_QUIET)
    try:
        if a_axis == b_axis == 0 and a.ndim == b.ndim == 2:
            return np.matmul(b.T, a).T  # as in _plan
        return np.matmul(a if a_axis == a.ndim - 1 else a.T, b.T if b_axis else b)
    finally:
        _fp_state.reset(token)


dot_general_p.evaluate = _evaluate_dot


def _dot_printed(params: dict[str, Any]) -> dict[str, Any]:
    (x_contract, y_contract), (x_batch, y_batch) = params["dimension_numbers"]
    shown = {k: v for k, v in params.items() if v is not None}
    lists = ([*x_contract], [*y_contract]), ([*x_batch], [*y_batch])
    return shown | {"dimension_numbers": lists}


dot_general_p.printed = _dot_printed


def _dot_transpose_lhs(
    ct: Any, x: ShapedArray, y: Any, *, dimension_numbers: Any, swapped: bool = False, **params: Any
) -> Any:
    """The cotangent of x: that of the result times y, summed over the axes that only y has."""
    (x_contract, y_contract), (x_batch, y_batch) = dimension_numbers
    x_free, y_free = _free_axes(x.shape, x_contract, x_batch), _free_axes(np.shape(y), y_contract, y_batch)
    ct_batch = tuple(range(len(x_batch)))
    first = len(x_batch) + (0 if swapped else len(x_free))
    ct_y = tuple(range(first, first + len(y_free)))
    product = dot_general_p.bind(ct, y, dimension_numbers=((ct_y, y_free), (ct_batch, y_batch)), **params)
    # It has x's axes in this order: batch, free, and those contracted with y in y's order.
    by_y = [xd for _, xd in sorted(zip(y_contract, x_contract))]
    order = [*x_batch, *x_free, *by_y]
    return convert(transpose(product, [order.index(d) for d in range(x.ndim)]), x.dtype, x.weak_type, warn=False)


def _dot_transpose_rhs(ct: Any, x: Any, y: ShapedArray, *, dimension_numbers: Any, **params: Any) -> Any:
    """The cotangent of y: the same with the sides exchanged, but for the order of the result's axes."""
    (x_contract, y_contract), (x_batch, y_batch) = dimension_numbers
    exchanged = ((y_contract, x_contract), (y_batch, x_batch))
    return _dot_transpose_lhs(ct, y, x, dimension_numbers=exchanged, swapped=True, **params)


def_bilinear(dot_general_p, _dot_transpose_lhs, _dot_transpose_rhs)


def _dot_batch(axis_size: int, args: Any, dims: Any, *, dimension_numbers: Any, **params: Any) -> Any:
    """A batch axis of both operands is one more batch axis of the product; of one, it is a free axis."""
    (x, y), (x_dim, y_dim) = args, dims
    (x_contract, y_contract), (x_batch, y_batch) = dimension_numbers
    if x_dim is not None:
        x_contract, x_batch = _shifted(x_contract, x_dim), _shifted(x_batch, x_dim)
    if y_dim is not None:
        y_contract, y_batch = _shifted(y_contract, y_dim), _shifted(y_batch, y_dim)
    if x_dim is not None and y_dim is not None:
        out_dim = 0
        x_batch, y_batch = (x_dim, *x_batch), (y_dim, *y_batch)
    elif x_dim is not None:
        out_dim = len(x_batch) + sum(d not in x_contract and d not in x_batch for d in range(x_dim))
    else:
        out_dim = np.ndim(x) - len(x_contract)
        out_dim += sum(d not in y_contract and d not in y_batch for d in range(y_dim))
    numbers = ((x_contract, y_contract), (x_batch, y_batch))
    return dot_general_p.bind(x, y, dimension_numbers=numbers, **params), out_dim


def _shifted(axes: Axes, new_axis: int) -> Axes:
    """`axes` of one example as axes of the batch."""
    return tuple([d + (d >= new_axis) for d in axes])


dot_general_p.batch = _dot_batch
