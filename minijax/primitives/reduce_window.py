"""reduce_window and select_and_scatter: windows reduced, and elements chosen, by functions that the user writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from minijax import compiler
from minijax.core import Primitive, ShapedArray, Tracer, Zero, as_array, get_aval
from minijax.jaxpr import ClosedJaxpr, stage
from minijax.jaxpr_transforms import batch_jaxpr, fixed_point, jvp_jaxpr, partial_eval_jaxpr, rearranged
from minijax.linearize import LinearTrace
from minijax.primitives.arithmetic import add, max, min
from minijax.primitives.calls import split_list
from minijax.primitives.convolution_dimensions import dilated_shape, padtype_to_pads
from minijax.primitives.families import batch_axis_in_front, def_not_differentiable, instantiate
from minijax.primitives.reductions import highest, lowest
from minijax.primitives.sliding import pad_and_dilate
from minijax.primitives.standard import Shape, standard
from minijax.primitives.window_reductions import (
    check_windows,
    elements,
    inside_windows,
    reduce_window_max_p,
    reduce_window_min_p,
    reduce_window_shape_tuple,
    reduce_window_sum_p,
    window_places,
    with_batch_axis,
)
from minijax.pytree import tree_flatten
from minijax.tree_util import tree_unflatten

__all__ = ["reduce_window"]

# ----------------------------------------------------------------- functions of two scalars


def scalar_computation(function: Callable[..., Sequence[Any]], avals: Sequence[ShapedArray]) -> ClosedJaxpr:
    """The jaxpr of a function of two lists of scalars, for reductions. It may not use traced values around it."""
    n = len(avals)
    closed = stage(lambda *xs: function(list(xs[:n]), list(xs[n:])), [*avals, *avals], "reduction")
    if any(isinstance(c, Tracer) for c in closed.consts):
        raise NotImplementedError(
            "The function that a reduction is made of must not use traced values from outside of it: it gets two "
            "elements and returns one. Compute with the traced value before or after the reduction."
        )
    return closed


def on_arrays(closed: ClosedJaxpr, *operands: np.ndarray) -> list[np.ndarray]:
    """A jaxpr of scalars, element by element on arrays of one shape."""
    shape, size = operands[0].shape, operands[0].size
    if not size:
        return [np.zeros(shape, aval.dtype) for aval in closed.out_avals]
    batched, _ = batch_jaxpr(closed, size, (0,) * len(operands), (0,) * len(closed.out_avals))
    return [out.reshape(shape) for out in compiler.run(batched, [x.reshape(size) for x in operands])]


# ----------------------------------------------------------------- wrapper


def reduce_window(
    operand: Any,
    init_value: Any,
    computation: Callable[..., Any],
    window_dimensions: Sequence[int],
    window_strides: Sequence[int] | None = None,
    padding: str | Sequence[tuple[int, int]] = "VALID",
    base_dilation: Sequence[int] | None = None,
    window_dilation: Sequence[int] | None = None,
) -> Any:
    """Reduce every window that slides over the operand: computation(computation(init_value, first), second) ...

    operand, init_value   an array and a scalar of its dtype, or pytrees of them
    computation           of two scalars (or pytrees of them) to one; sums and extrema are recognised: lax.add with 0,
                          lax.max with the lowest value and lax.min with the highest
    window_dimensions     the lengths of a window along each axis
    padding               'VALID', 'SAME', 'SAME_LOWER' or pairs (low, high); what is padded does not take part
    window_strides, base_dilation, window_dilation   1 by default, as in conv_general_dilated

    Raises ValueError for pytrees that do not match, TypeError for dtypes and lengths that do not fit.
    Source: https://openxla.org/stablehlo/spec#reduce_window
    """
    operands, tree = tree_flatten(operand)
    init_values, init_tree = tree_flatten(init_value)
    if tree != init_tree:
        raise ValueError(
            f"reduce_window: operand and init_value must have the same tree structure, got {tree} and {init_tree}."
        )
    if not operands:
        raise ValueError("reduce_window needs at least one operand, got none.")
    geometry = _geometry(operands[0].shape, window_dimensions, window_strides, padding, base_dilation, window_dilation)
    prim = _recognised(computation, init_values)
    if prim is not None:
        return prim.bind(*operands, **geometry)
    avals = [get_aval(x) for x in init_values]

    def on_lists(xs: list[Any], ys: list[Any]) -> list[Any]:
        results, out_tree = tree_flatten(computation(tree_unflatten(tree, xs), tree_unflatten(tree, ys)))
        if out_tree != tree:
            raise ValueError(
                f"reduce_window: the computation must return a tree like the operand's, {tree}, got {out_tree}."
            )
        return results

    return tree_unflatten(tree, _bind(operands, init_values, scalar_computation(on_lists, avals), geometry))


def _geometry(
    shape: Shape, window: Sequence[int], strides: Any, padding: Any, base_dilation: Any, window_dilation: Any
) -> dict[str, Any]:
    """The parameters that say where the windows lie: tuples with an entry for each axis."""
    ones = (1,) * len(window)
    geometry: dict[str, Any] = {
        "window_dimensions": tuple(window),
        "window_strides": ones if strides is None else tuple(strides),
        "base_dilation": ones if base_dilation is None else tuple(base_dilation),
        "window_dilation": ones if window_dilation is None else tuple(window_dilation),
    }
    if isinstance(padding, str):
        reach = dilated_shape(geometry["window_dimensions"], geometry["window_dilation"])
        padding = padtype_to_pads(shape, reach, geometry["window_strides"], padding)
    return geometry | {"padding": tuple([(low, high) for low, high in padding])}


def _recognised(computation: Callable[..., Any], init_values: Sequence[Any]) -> Primitive | None:
    """The primitive that reduces in this way, starting from its neutral element."""
    if len(init_values) != 1 or isinstance(init_values[0], Tracer) or np.ndim(init_values[0]):
        return None
    value = as_array(init_values[0])._data
    if computation is add and value == 0:
        return reduce_window_sum_p
    if computation is max and value == lowest(value.dtype):
        return reduce_window_max_p
    if computation is min and value == highest(value.dtype):
        return reduce_window_min_p
    return None


def _bind(operands: Sequence[Any], init_values: Sequence[Any], closed: ClosedJaxpr, geometry: dict[str, Any]) -> Any:
    consts = tuple(closed.consts)
    return reduce_window_p.bind(*operands, *init_values, jaxpr=closed, consts=consts, **geometry)


# ----------------------------------------------------------------- reduce_window

reduce_window_p = Primitive("reduce_window", multiple_results=True)


def _impl(*buffers: np.ndarray, jaxpr: ClosedJaxpr, consts: Any, **geometry: Any) -> list[np.ndarray]:
    operands, init_values = split_list(buffers, len(buffers) // 2)
    shape = reduce_window_shape_tuple(operands[0].shape, **geometry)
    # From one element of the windows to the next, for all windows at once.
    sums = [np.broadcast_to(value, shape) for value in init_values]
    inside = inside_windows(operands[0].shape, **geometry)
    for counts, *current in zip(inside, *[elements(x, 0, **geometry) for x in operands], strict=True):
        new = on_arrays(jaxpr, *sums, *current)
        sums = new if counts is None else [np.where(counts, a, b) for a, b in zip(new, sums, strict=True)]
    return sums


def _shape(*avals: ShapedArray, jaxpr: ClosedJaxpr, consts: Any, **geometry: Any) -> list[ShapedArray]:
    operands, init_values = split_list(avals, len(avals) // 2)
    if any(a.dtype != b.dtype for a, b in zip(operands, init_values, strict=True)):
        raise TypeError(
            "reduce_window: operands and init_values must have the same dtypes, got "
            f"{[a.dtype.name for a in operands]} and {[a.dtype.name for a in init_values]}."
        )
    if any(a.shape for a in init_values):
        raise TypeError(f"reduce_window: init_values must be scalars, got shapes {[a.shape for a in init_values]}.")
    results = [(a.shape, a.dtype) for a in jaxpr.out_avals]
    if results != [((), a.dtype) for a in operands]:
        raise ValueError(
            "reduce_window: the computation must return scalars of the operands' dtypes, "
            f"{[a.dtype.name for a in operands]}, got {[a.str_short() for a in jaxpr.out_avals]}."
        )
    shape = check_windows(operands[0], **geometry)
    return [ShapedArray(shape, a.dtype) for a in operands]


def _jvp(
    primals: Sequence[Any], tangents: Sequence[Any], *, jaxpr: ClosedJaxpr, consts: Any, **geometry: Any
) -> tuple[list[Any], list[Any]]:
    """Values and tangents are reduced together."""
    n = len(primals) // 2
    if any(type(t) is not Zero for t in tangents[n:]):
        raise TypeError(
            "reduce_window cannot be differentiated with respect to init_value. Start from a constant, and combine the "
            "result with the value."
        )
    derivative, _ = jvp_jaxpr(jaxpr, (True,) * (2 * n), (True,) * n)
    given = [instantiate(t) for t in tangents]

    def on_pairs(left: list[Any], right: list[Any]) -> list[Any]:
        (x, t), (y, s) = split_list(left, n), split_list(right, n)
        return derivative(*x, *y, *t, *s)

    avals = [get_aval(x) for x in (*primals[n:], *given[n:])]
    outs = _bind([*primals[:n], *given[:n]], [*primals[n:], *given[n:]], scalar_computation(on_pairs, avals), geometry)
    return outs[:n], outs[n:]


def _partial_eval(
    trace: LinearTrace, args: Sequence[Any], *, jaxpr: ClosedJaxpr, consts: Any, **geometry: Any
) -> list[Any]:
    """Results that depend on known operands alone are computed; the whole equation is recorded in any case."""
    n = len(args) // 2
    unknown = [trace.owns(x) or trace.owns(y) for x, y in zip(args[:n], args[n:], strict=True)]

    def one_turn(flags: Sequence[bool]) -> Any:
        made = partial_eval_jaxpr(jaxpr, (*flags, *flags), tuple(flags))
        return made, made[2]

    flags, (known_jaxpr, _, _) = fixed_point(unknown, one_turn)
    atoms = [trace.atom(x) for x in args]
    avals = _shape(*[a.aval for a in atoms], jaxpr=jaxpr, consts=consts, **geometry)
    whole = trace.record(reduce_window_p, atoms, avals, {"jaxpr": jaxpr, "consts": consts, **geometry})
    if all(flags):
        return whole
    known = [x for x, u in zip(args, (*flags, *flags), strict=True) if not u]
    closed = rearranged(known_jaxpr, results=range(len(known) // 2))
    params = {"jaxpr": closed, "consts": tuple(closed.consts), **geometry}
    known_outs = iter(trace.parent.process(reduce_window_p, known, params))
    return [w if u else next(known_outs) for w, u in zip(whole, flags, strict=True)]


def _no_transpose(*args: Any, **params: Any) -> NoReturn:
    raise ValueError(
        "Reverse-mode differentiation does not work for reduce_window with a computation of one's own. Forward mode "
        "does, jax.jvp or jax.jacfwd; so do sums and extrema: lax.add with the init_value 0, lax.max with -inf."
    )


def _batch(axis_size: int, args: Any, dims: Any, **params: Any) -> Any:
    operands, init_values = split_list(args, len(args) // 2)
    if any(d is not None for d in dims[len(operands) :]):
        raise NotImplementedError(
            "reduce_window cannot be batched over init_value. Start from a constant, and combine the result with it."
        )
    fronted = [batch_axis_in_front(x, d, axis_size) for x, d in zip(operands, dims)]
    return reduce_window_p.bind(*fronted, *init_values, **with_batch_axis(0, params)), [0] * len(operands)


reduce_window_p.impl = _impl
reduce_window_p.shape_rule = _shape
reduce_window_p.jvp = _jvp
reduce_window_p.partial_eval = _partial_eval
reduce_window_p.transpose = _no_transpose
reduce_window_p.batch = _batch

# ----------------------------------------------------------------- select_and_scatter


def _scatter_impl(
    x: np.ndarray,
    source: np.ndarray,
    init_value: np.ndarray,
    *,
    select_jaxpr: ClosedJaxpr,
    scatter_jaxpr: ClosedJaxpr,
    window_dimensions: Shape,
    window_strides: Shape,
    padding: Sequence[tuple[int, int]],
    **consts: Any,
) -> np.ndarray:
    ones = (1,) * x.ndim
    inside = pad_and_dilate(np.ones(x.shape, bool), padding, ones, False)
    x = pad_and_dilate(x, padding, ones, 0)
    out = np.full(x.shape, init_value, x.dtype)
    places = window_places(x.shape, window_dimensions, window_strides, ones)
    found, chosen = np.zeros(source.shape, x.dtype), np.full(source.shape, -1)
    for i, place in enumerate(places):
        (kept,) = on_arrays(select_jaxpr, found, x[place])
        replaced = inside[place] & ((chosen < 0) | ~kept)
        found, chosen = np.where(replaced, x[place], found), np.where(replaced, i, chosen)
    for i, place in enumerate(places):
        (new,) = on_arrays(scatter_jaxpr, out[place], source)
        out[place] = np.where(chosen == i, new, out[place])
    return pad_and_dilate(out, [(-low, -high) for low, high in padding], ones, 0)


def _scatter_shape(
    x: ShapedArray,
    source: ShapedArray,
    init_value: ShapedArray,
    *,
    window_dimensions: Shape,
    window_strides: Shape,
    padding: Sequence[tuple[int, int]],
    **params: Any,
) -> Shape:
    ones = (1,) * x.ndim
    check_windows(
        x,
        window_dimensions=window_dimensions,
        window_strides=window_strides,
        padding=padding,
        base_dilation=ones,
        window_dilation=ones,
    )
    return x.shape


# In each window select(x, y) says whether x is kept or y taken; its element of `source` is combined by scatter with
# what is at that place. Nothing binds it but users: the derivative of max pooling has a primitive of its own.
select_and_scatter_p = standard("select_and_scatter", _scatter_impl, _scatter_shape)
def_not_differentiable(select_and_scatter_p)


def _scatter_batch(axis_size: int, args: Any, dims: Any, **params: Any) -> Any:
    raise NotImplementedError(
        "Batching rule for 'select_and_scatter' not implemented. Add an axis to the operand and the source, with "
        "windows of length 1 along it."
    )


select_and_scatter_p.batch = _scatter_batch
