"""conv_general_dilated: convolutions of any rank, with strides, padding, dilation and groups.

Leaving the spatial axes aside a convolution is a product of matrices, [n, c] x [c, o] -> [n, o], and so are its
transposes: [n, o] x [o, c] -> [n, c] for lhs and [c, n] x [n, o] -> [c, o] for rhs. Where features come in groups,
[n, gc] x [c, go] -> [n, go], the transpose for rhs, [gc, n] x [n, go] -> [c, go], has its batch in groups,
and the other way round.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.core import ShapedArray, Zero
from minijax.primitives.conversion import convert_element_type
from minijax.primitives.convolution_dimensions import (
    ConvDimensionNumbers,
    conv_dimension_numbers,
    conv_shape_tuple,
    dilated_shape,
    padtype_to_pads,
    placed,
    take,
)
from minijax.primitives.convolution_kernel import convolve
from minijax.primitives.creation import full
from minijax.primitives.dot import canonicalize_precision
from minijax.primitives.families import check_same_dtypes, def_bilinear
from minijax.primitives.joining import rev
from minijax.primitives.shaping import reshape
from minijax.primitives.standard import Shape, check_one_device, standard

__all__ = ["conv_general_dilated"]

Pads = Sequence[tuple[int, int]]

# ----------------------------------------------------------------- wrapper


def conv_general_dilated(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: str | Pads,
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    feature_group_count: int = 1,
    batch_group_count: int = 1,
    precision: Any = None,
    preferred_element_type: Any = None,
    out_sharding: Any = None,
) -> Array:
    """Slide the windows `rhs` over `lhs`, and sum the products over window and input features.

    lhs, rhs              arrays of rank n + 2 and of one dtype; by default [batch, features, *spatial] and
                          [output features, input features, *window]
    window_strides        n steps from one window to the next
    padding               'SAME', 'SAME_LOWER', 'VALID' or n pairs (low, high), which may be negative
    lhs_dilation          n numbers: how far apart the elements of lhs are to be moved (a transposed convolution)
    rhs_dilation          the same for the elements of a window (an atrous convolution)
    dimension_numbers     which axis is which, see `conv_dimension_numbers`
    feature_group_count   in how many groups input and output features are divided; rhs has the input features of one
    batch_group_count     in how many groups the batch and the output features are divided
    precision             recorded only
    preferred_element_type  dtype of the sums and of the result

    Raises TypeError and ValueError for dtypes, shapes and parameters that do not fit.
    Source: https://openxla.org/stablehlo/spec#convolution
    """
    check_one_device("lax.conv_general_dilated", out_sharding)
    numbers = conv_dimension_numbers(lhs.shape, rhs.shape, dimension_numbers)
    if lhs_dilation is None:
        lhs_dilation = (1,) * (lhs.ndim - 2)
    elif isinstance(padding, str) and any(d != 1 for d in lhs_dilation):
        raise ValueError(
            f"conv_general_dilated: padding {padding!r} means nothing where lhs is dilated by {tuple(lhs_dilation)}. "
            "Pass pairs (low, high), or use conv_transpose."
        )
    if rhs_dilation is None:
        rhs_dilation = (1,) * (rhs.ndim - 2)
    if preferred_element_type is not None:
        preferred_element_type = dtypes.check_and_canonicalize_user_dtype(
            preferred_element_type, "conv_general_dilated"
        )
    return conv_general_dilated_p.bind(
        lhs,
        rhs,
        window_strides=tuple(window_strides),
        padding=_pads(lhs.shape, rhs.shape, window_strides, padding, rhs_dilation, numbers),
        lhs_dilation=tuple(lhs_dilation),
        rhs_dilation=tuple(rhs_dilation),
        dimension_numbers=numbers,
        feature_group_count=feature_group_count,
        batch_group_count=batch_group_count,
        precision=canonicalize_precision(precision),
        preferred_element_type=preferred_element_type,
    )


def _pads(
    lhs: Shape, rhs: Shape, strides: Sequence[int], padding: Any, dilation: Sequence[int], numbers: ConvDimensionNumbers
) -> tuple[tuple[int, int], ...]:
    """The padding as pairs."""
    if isinstance(padding, str):
        window = [max(1 + d * (k - 1), 0) for k, d in zip(take(rhs, numbers.rhs_spec)[2:], dilation)]
        return tuple(padtype_to_pads(take(lhs, numbers.lhs_spec)[2:], window, strides, padding))
    try:
        return tuple([(operator.index(low), operator.index(high)) for low, high in padding])
    except (ValueError, TypeError) as error:
        raise ValueError(
            "padding of conv_general_dilated must be 'SAME', 'SAME_LOWER', 'VALID' or a pair (low, high) of integers "
            f"for each spatial axis, got {padding!r}."
        ) from error


# ----------------------------------------------------------------- evaluation


def _conv_impl(
    x: np.ndarray,
    w: np.ndarray,
    *,
    window_strides: Shape,
    padding: Pads,
    lhs_dilation: Shape,
    rhs_dilation: Shape,
    dimension_numbers: ConvDimensionNumbers,
    feature_group_count: int,
    batch_group_count: int,
    precision: Any,
    preferred_element_type: Any,
) -> np.ndarray:
    dtype = x.dtype if preferred_element_type is None else preferred_element_type
    # Half precision is summed in single precision and rounded once.
    sums = np.dtype(np.float32) if dtype.itemsize < 4 and dtypes.kind(dtype) == "f" else dtype
    out = convolve(
        x.astype(sums, copy=False),
        w.astype(sums, copy=False),
        window_strides,
        padding,
        lhs_dilation,
        rhs_dilation,
        dimension_numbers,
        feature_group_count,
        batch_group_count,
    )
    return out.astype(dtype, copy=False)


# ----------------------------------------------------------------- shape and dtype


def _conv_shape(
    x: ShapedArray,
    w: ShapedArray,
    *,
    window_strides: Shape,
    padding: Pads,
    lhs_dilation: Shape,
    rhs_dilation: Shape,
    dimension_numbers: ConvDimensionNumbers,
    feature_group_count: int,
    batch_group_count: int,
    **params: Any,
) -> Shape:
    lhs_spec, rhs_spec, out_spec = dimension_numbers
    if x.ndim != w.ndim:
        raise ValueError(f"conv_general_dilated: lhs and rhs must have one rank, got shapes {x.shape} and {w.shape}.")
    lhs, rhs = take(x.shape, lhs_spec), take(w.shape, rhs_spec)
    _check_groups(lhs, rhs, feature_group_count, batch_group_count)
    rank = len(lhs) - 2
    for name, values in (("window_strides", window_strides), ("rhs_dilation", rhs_dilation)):
        if len(values) != rank or any(n < 1 for n in values):
            what = ValueError if name == "window_strides" or len(values) != rank else TypeError
            raise what(
                f"conv_general_dilated: {name} must hold a positive integer for each of the {rank} spatial axes, "
                f"got {values} for shapes {x.shape} and {w.shape}."
            )
    if 0 in rhs[2:]:
        raise ValueError(f"conv_general_dilated: the windows are empty, rhs has the shape {w.shape}.")
    lengths = conv_shape_tuple(
        dilated_shape(lhs, lhs_dilation), dilated_shape(rhs, rhs_dilation), window_strides, padding, batch_group_count
    )
    return placed(lengths, out_spec)


def _check_groups(lhs: Shape, rhs: Shape, feature_groups: int, batch_groups: int) -> None:
    """Raise ValueError unless batch and features can be divided in so many groups."""
    given = f"lhs has a batch of {lhs[0]} with {lhs[1]} features, rhs {rhs[0]} output and {rhs[1]} input features."
    for name, count in (("feature_group_count", feature_groups), ("batch_group_count", batch_groups)):
        if count <= 0:
            raise ValueError(f"conv_general_dilated: {name} must be a positive integer, got {count}.")
        if rhs[0] % count:
            raise ValueError(
                f"conv_general_dilated: {name} {count} does not divide the number of output features. Here {given}"
            )
    if lhs[1] % feature_groups or lhs[1] // feature_groups != rhs[1]:
        raise ValueError(
            f"conv_general_dilated: rhs must have 1/{feature_groups} (feature_group_count) of the features of lhs as "
            f"input features. Here {given}"
        )
    if lhs[0] % batch_groups:
        raise ValueError(f"conv_general_dilated: batch_group_count {batch_groups} does not divide the batch. {given}")
    if batch_groups > 1 and feature_groups > 1:
        raise ValueError(
            "conv_general_dilated: features or the batch can be divided in groups, not both; got feature_group_count "
            f"{feature_groups} and batch_group_count {batch_groups}."
        )


def _conv_dtype(x: ShapedArray, w: ShapedArray, *, preferred_element_type: Any, **params: Any) -> Any:
    check_same_dtypes("conv_general_dilated", (x, w))
    if preferred_element_type is None:
        return x.dtype
    given, wanted = dtypes.kind(x.dtype), dtypes.kind(preferred_element_type)
    fits = wanted in _WIDENING.get(given, "") or given == "b"
    if not fits or preferred_element_type.itemsize < x.dtype.itemsize:
        raise TypeError(
            "conv_general_dilated: preferred_element_type must not be narrower than the operands' type, and of the "
            f"same kind unless it is a float for integers; got {preferred_element_type} for {x.dtype}."
        )
    return preferred_element_type


_WIDENING = {"i": "if", "u": "iuf", "f": "f", "c": "c"}

conv_general_dilated_p = standard("conv_general_dilated", _conv_impl, _conv_shape, _conv_dtype)


# ----------------------------------------------------------------- transposes


def _conv_transpose_lhs(ct: Any, x: ShapedArray, w: Any, **params: Any) -> Any:
    """The cotangent of lhs: that of the result, dilated by the strides, convolved with the reversed windows."""
    numbers = params["dimension_numbers"]
    lhs_spec, rhs_spec, out_spec = numbers
    batch_groups = params["batch_group_count"]
    groups = max(params["feature_group_count"], batch_groups)
    pads = lhs_cotangent_padding(
        take(x.shape, lhs_spec)[2:], take(np.shape(w), rhs_spec)[2:], take(np.shape(ct), out_spec)[2:], **params
    )
    if groups > 1:
        w = _join_axis(rhs_spec[0], rhs_spec[1], _split_axis(rhs_spec[0], groups, w))
    reversed_windows = _as_dtype(rev(w, rhs_spec[2:]), ct.dtype)
    out = conv_general_dilated(
        ct,
        reversed_windows,
        window_strides=params["lhs_dilation"],
        padding=pads,
        lhs_dilation=params["window_strides"],
        rhs_dilation=params["rhs_dilation"],
        dimension_numbers=ConvDimensionNumbers(out_spec, _swapped(rhs_spec), lhs_spec),
        feature_group_count=groups,
        precision=params["precision"],
        preferred_element_type=params["preferred_element_type"],
    )
    out = _as_dtype(out, x.dtype)
    if batch_groups > 1:
        out = _join_axis(lhs_spec[1], lhs_spec[0], _split_axis(lhs_spec[1], batch_groups, out))
    return out


def _conv_transpose_rhs(ct: Any, x: Any, w: ShapedArray, **params: Any) -> Any:
    """The cotangent of rhs: lhs convolved with the cotangent of the result, the batch taking the part of features."""
    if not np.size(ct):
        return Zero(w)
    numbers = params["dimension_numbers"]
    lhs_spec, rhs_spec, out_spec = numbers
    pads = _rhs_cotangent_padding(
        take(np.shape(x), lhs_spec)[2:], take(w.shape, rhs_spec)[2:], take(np.shape(ct), out_spec)[2:], **params
    )
    out = conv_general_dilated(
        _as_dtype(x, ct.dtype),
        ct,
        window_strides=params["rhs_dilation"],
        padding=pads,
        lhs_dilation=params["lhs_dilation"],
        rhs_dilation=params["window_strides"],
        dimension_numbers=ConvDimensionNumbers(_swapped(lhs_spec), _swapped(out_spec), _swapped(rhs_spec)),
        feature_group_count=params["batch_group_count"],
        batch_group_count=params["feature_group_count"],
        precision=params["precision"],
        preferred_element_type=params["preferred_element_type"],
    )
    return _as_dtype(out, w.dtype)


def _swapped(spec: Sequence[int]) -> tuple[int, ...]:
    return (spec[1], spec[0], *spec[2:])


def _as_dtype(x: Any, dtype: Any) -> Any:
    return x if x.dtype == dtype else convert_element_type(x, dtype)


def lhs_cotangent_padding(
    lengths: Shape,
    window: Shape,
    out: Shape,
    *,
    window_strides: Shape,
    padding: Pads,
    lhs_dilation: Shape,
    rhs_dilation: Shape,
    **params: Any,
) -> list[tuple[int, int]]:
    """Padding of the result's cotangent, so that windows over it are those that an element took part in."""
    lengths, window = dilated_shape(lengths, lhs_dilation), dilated_shape(window, rhs_dilation)
    out = dilated_shape(out, window_strides)
    lows = [k - low - 1 for k, (low, _) in zip(window, padding)]
    return [(low, n + k - 1 - m - low) for n, k, m, low in zip(lengths, window, out, lows)]


def _rhs_cotangent_padding(
    lengths: Shape,
    window: Shape,
    out: Shape,
    *,
    window_strides: Shape,
    padding: Pads,
    lhs_dilation: Shape,
    rhs_dilation: Shape,
    **params: Any,
) -> list[tuple[int, int]]:
    lengths, window = dilated_shape(lengths, lhs_dilation), dilated_shape(window, rhs_dilation)
    out = dilated_shape(out, window_strides)
    return [(low, m - n + k - low - 1) for n, k, m, (low, _) in zip(lengths, window, out, padding)]


def_bilinear(conv_general_dilated_p, _conv_transpose_lhs, _conv_transpose_rhs)


# ----------------------------------------------------------------- batching


def _join_axis(source: int, target: int, x: Any) -> Any:
    """`x` with axis `source` joined, as the slower one, with the axis that is `target` when `source` is away."""
    shape = np.shape(x)
    order = [d for d in range(len(shape)) if d != source]
    lengths = [shape[d] for d in order]
    lengths[target] *= shape[source]
    order.insert(target, source)
    return reshape(x, lengths, order)


def _split_axis(axis: int, first: int, x: Any) -> Any:
    """`x` with one axis split in two, of which the slower one has the length `first`."""
    shape = np.shape(x)
    return reshape(x, (*shape[:axis], first, shape[axis] // first, *shape[axis + 1 :]))


def _conv_batch(axis_size: int, args: Any, dims: Any, **params: Any) -> Any:
    """A batch axis becomes part of an axis that is there already: of the batch, of features or of groups."""
    (x, w), (x_dim, w_dim) = args, dims
    if axis_size == 0:
        return _empty_batch(x, w, x_dim, w_dim, params), 0
    lhs_spec, rhs_spec, out_spec = params["dimension_numbers"]
    feature_groups, batch_groups = params["feature_group_count"], params["batch_group_count"]
    if x_dim is not None and w_dim is not None:
        # Every example has weights of its own: one group of features each.
        if batch_groups > 1:
            x = _join_axis(x_dim, lhs_spec[0], x)
            params["batch_group_count"] = batch_groups * axis_size
        else:
            x = _join_axis(x_dim, lhs_spec[1], x)
            params["feature_group_count"] = feature_groups * axis_size
        w = _join_axis(w_dim, rhs_spec[0], w)
        out = conv_general_dilated(x, w, **params)
        return _split_axis(out_spec[1], axis_size, out), out_spec[1]
    if x_dim is not None:
        x = (
            _join_axis(x_dim, lhs_spec[0], x)
            if batch_groups == 1
            else _join_inside(x, x_dim, lhs_spec[0], batch_groups)
        )
        out = conv_general_dilated(x, w, **params)
        return _split_axis(out_spec[0], axis_size, out), out_spec[0]
    groups = max(feature_groups, batch_groups)
    if groups == 1:
        out = conv_general_dilated(x, _join_axis(w_dim, rhs_spec[0], w), **params)
        return _split_axis(out_spec[1], axis_size, out), out_spec[1]
    out = conv_general_dilated(x, _join_inside(w, w_dim, rhs_spec[0], groups), **params)
    out = _split_axis(out_spec[1] + 1, axis_size, _split_axis(out_spec[1], groups, out))
    return _join_axis(out_spec[1], out_spec[1] + 1, out), out_spec[1]


def _join_inside(x: Any, dim: int, axis: int, groups: int) -> Any:
    """`x` with the batch axis `dim` joined with `axis` (counted without it) so that the groups stay outermost."""
    x = _split_axis(axis + (dim <= axis), groups, x)
    x = _join_axis(dim + (axis < dim), axis + 1, x)
    return _join_axis(axis, axis, x)


def _empty_batch(x: Any, w: Any, x_dim: int | None, w_dim: int | None, params: dict[str, Any]) -> Any:
    def example(a: Any, dim: int | None) -> ShapedArray:
        return ShapedArray(tuple([n for d, n in enumerate(np.shape(a)) if d != dim]), a.dtype)

    aval = conv_general_dilated_p.rule("shape_rule")(example(x, x_dim), example(w, w_dim), **params)
    return full((0, *aval.shape), 0, aval.dtype)


conv_general_dilated_p.batch = _conv_batch
