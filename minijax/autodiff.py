"""The derivatives that users call: grad, vjp, jvp and their relatives.

Each checks its arguments, flattens the pytrees in them, and lets the engine work on flat lists:
jvp.py for forward mode, linearize.py and transpose.py for reverse mode, batching.py for Jacobians.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.arguments import (
    FlatFunction,
    aval_of,
    check_callable,
    operands_of,
    require_float,
    split_argnums,
    with_arguments,
    wraps,
)
from minijax.array import Array
from minijax.batching import batch_flat, place_batch_axis
from minijax.core import Zero, as_operand, current_trace, get_aval, set_current_trace
from minijax.jvp import jvp_flat
from minijax.linear_functions import LinearizedFunction, VJPFunction, in_jacobian, zero_cotangent
from minijax.linearize import LinearTrace, linearize_flat
from minijax.primitives.arithmetic import add
from minijax.primitives.comparison import eq
from minijax.primitives.conversion import convert, convert_element_type_p
from minijax.primitives.creation import broadcasted_iota
from minijax.primitives.families import instantiate, scalar_like
from minijax.primitives.joining import split
from minijax.primitives.shaping import reshape
from minijax.source_info import in_transformation
from minijax.tracebacks import api_boundary
from minijax.transpose import backward_pass
from minijax.tree_util import tree_flatten, tree_unflatten


@api_boundary
def grad(
    fun: Callable,
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
    reduce_axes: Sequence[Any] = (),
) -> Callable:
    """The gradient of the scalar function `fun` with respect to the arguments at `argnums`, as a function.

    The gradient has the structure, shapes and dtypes of those arguments (float0 for integers under
    allow_int). With has_aux, `fun` returns (value, aux) and the result is (gradient, aux).
    Raises TypeError for results that are not scalar and for integer arguments.
    """
    differentiate = _gradient("grad", fun, argnums, has_aux, holomorphic, allow_int, reduce_axes)

    @wraps(fun, "", "Gradient of")
    def grad_fun(*args: Any, **kwargs: Any) -> Any:
        value, gradient = differentiate(args, kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return grad_fun


@api_boundary
def value_and_grad(
    fun: Callable,
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
    reduce_axes: Sequence[Any] = (),
) -> Callable[..., tuple[Any, Any]]:
    """Like `grad`, but gives (value, gradient), or ((value, aux), gradient) with has_aux."""
    differentiate = _gradient("value_and_grad", fun, argnums, has_aux, holomorphic, allow_int, reduce_axes)

    @wraps(fun, "", "Value and gradient of")
    def value_and_grad_fun(*args: Any, **kwargs: Any) -> Any:
        return differentiate(args, kwargs)

    return value_and_grad_fun


def _gradient(
    name: str,
    fun: Callable,
    argnums: Any,
    has_aux: bool,
    holomorphic: bool,
    allow_int: bool,
    reduce_axes: Any,
) -> Callable[[tuple, dict], tuple[Any, Any]]:
    if reduce_axes:
        raise NotImplementedError(f"reduce_axes argument to {name} is deprecated: leave it out.")
    check_callable(name, fun)

    def differentiate(args: tuple, kwargs: dict[str, Any]) -> tuple[Any, Any]:
        flat, operands = _differentiated(name, fun, argnums, args, kwargs, has_aux, holomorphic, allow_int)
        results, vjp_fun = _linearized(VJPFunction, flat, operands)
        _check_scalar(results, flat)
        require_float(name, "outputs", results[0], holomorphic)
        gradient = tree_unflatten(flat.in_tree, vjp_fun.pull([scalar_like(results[0], 1)]))
        return flat.result(results), gradient if isinstance(argnums, tuple | list) else gradient[0]

    return differentiate


def _differentiated(
    name: str,
    fun: Callable,
    argnums: Any,
    args: tuple,
    kwargs: dict[str, Any],
    has_aux: bool,
    holomorphic: bool,
    allow_int: bool = False,
) -> tuple[FlatFunction, list[Array]]:
    """`fun` as a function of the leaves of its arguments at `argnums`, and these leaves, checked."""
    numbers, chosen = split_argnums(argnums, args)
    leaves, in_tree = tree_flatten(tuple(chosen))
    operands = operands_of(name, leaves)
    for x in operands:
        require_float(name, "inputs", x, holomorphic, allow_int)
    return FlatFunction(with_arguments(fun, numbers, args, kwargs), in_tree, has_aux), operands


def _check_scalar(results: Sequence[Any], flat: FlatFunction) -> None:
    if flat.out_tree.num_nodes != 1 or flat.count != 1:
        raise TypeError(
            f"Gradient only defined for scalar-output functions. Output was a tree: {flat.out_tree}. "
            "Return one number; use has_aux=True to return more beside it, or jax.jacrev for many outputs."
        )
    if results[0].shape != ():
        raise TypeError(
            f"Gradient only defined for scalar-output functions. Output had shape: {results[0].shape}. "
            "Reduce it to one number, for example with jnp.sum, or use jax.jacrev."
        )


def _linearized(kind: type, flat: FlatFunction, primals: Sequence[Any]) -> tuple[list[Any], Any]:
    """Flat results, aux behind them, and the derivative as a LinearizedFunction or VJPFunction."""
    nonzero = [dtypes.is_inexact(x.dtype) for x in primals]
    results, program, nonzero_out = linearize_flat(in_transformation("jvp", flat), primals, nonzero)
    used_out = nonzero_out[: flat.count]
    program.outvars = program.outvars[: sum(used_out)]  # aux has no derivative
    in_avals = [get_aval(x) for x in primals]
    out_avals = [get_aval(x).to_tangent_aval() for x in results[: flat.count]]
    return results, kind(program, flat.in_tree, in_avals, nonzero, flat.out_tree, out_avals, used_out)


@api_boundary
def vjp(fun: Callable, *primals: Any, has_aux: bool = False, reduce_axes: Sequence[Any] = ()) -> Any:
    """(fun(*primals), f_vjp): f_vjp takes the cotangent of the result to a tuple of those of the primals.

    With has_aux, `fun` returns (result, aux) and the value is (result, f_vjp, aux).
    """
    return _value_and_linear(VJPFunction, "vjp", fun, primals, has_aux, reduce_axes)


@api_boundary
def linearize(fun: Callable, *primals: Any, has_aux: bool = False) -> Any:
    """(fun(*primals), f_jvp): f_jvp takes tangents of the primals to that of the result.

    With has_aux, `fun` returns (result, aux) and the value is (result, f_jvp, aux).
    """
    return _value_and_linear(LinearizedFunction, "linearize", fun, primals, has_aux, ())


def _value_and_linear(kind: type, name: str, fun: Callable, primals: tuple, has_aux: bool, reduce_axes: Any) -> Any:
    if reduce_axes:
        raise NotImplementedError(f"reduce_axes argument to {name} is deprecated: leave it out.")
    check_callable(name, fun)
    leaves, in_tree = tree_flatten(primals)
    flat = FlatFunction(fun, in_tree, has_aux)
    results, derivative = _linearized(kind, flat, operands_of(name, leaves))
    out = flat.result(results)
    return (out[0], derivative, out[1]) if has_aux else (out, derivative)


@api_boundary
def jvp(fun: Callable, primals: Any, tangents: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """(fun(*primals), its tangent), for tangents like the primals (float0 for integers).

    With has_aux, `fun` returns (result, aux) and the value is (result, tangent, aux).
    """
    check_callable("jvp", fun)
    if not isinstance(primals, tuple | list) or not isinstance(tangents, tuple | list):
        raise TypeError(
            "primal and tangent arguments to jax.jvp must be tuples or lists; "
            f"found {type(primals).__name__} and {type(tangents).__name__}. Write jax.jvp(f, (x,), (t,))."
        )
    leaves, in_tree = tree_flatten(tuple(primals))
    given, tangent_tree = tree_flatten(tuple(tangents))
    if in_tree != tangent_tree:
        raise TypeError(
            "primal and tangent arguments to jax.jvp must have the same tree structure; primals have tree structure "
            f"{in_tree} whereas tangents have tree structure {tangent_tree}. Give one tangent for each primal."
        )
    operands = operands_of("jvp", leaves)
    tangent_operands = [_checked_tangent(p, t) for p, t in zip(operands, given, strict=True)]
    flat = FlatFunction(fun, in_tree, has_aux)
    results, out_tangents = jvp_flat(in_transformation("jvp", flat), operands, tangent_operands)
    out = flat.result(results)
    visible = [_visible_tangent(t, x) for t, x in zip(out_tangents[: flat.count], results, strict=False)]
    tangent = tree_unflatten(flat.out_tree, visible)
    return (out[0], tangent, out[1]) if has_aux else (out, tangent)


def _checked_tangent(p: Array, t: Any) -> Any:
    want = get_aval(p).to_tangent_aval()
    got = get_aval(t)
    if got.dtype != want.dtype:
        raise TypeError(
            "primal and tangent arguments to jax.jvp do not match; dtypes must be equal, or in case of int/bool primal "
            f"dtype the tangent dtype must be float0. Got primal dtype {p.dtype.name} and so expected tangent dtype "
            f"{want.dtype.name}, but got tangent dtype {got.dtype.name} instead. Convert it with t.astype(x.dtype)."
        )
    if got.shape != p.shape:
        raise ValueError(
            f"jvp called with different primal and tangent shapes: got primal shape {p.shape} and tangent shape "
            f"{got.shape}. A tangent has the shape of its primal."
        )
    return Zero(want) if want.dtype == dtypes.float0 else as_operand(t)


def _visible_tangent(t: Any, primal: Any) -> Any:
    return zero_cotangent(get_aval(primal)) if type(t) is Zero else t


@api_boundary
def linear_transpose(fun: Callable, *primals: Any, reduce_axes: Sequence[Any] = ()) -> Callable:
    """The transpose of a linear function, from its own program: no derivative is taken.

    The primals give shapes and dtypes only and may be ShapeDtypeStructs.
    Raises TypeError unless all are floats or complex, or all integers.
    """
    if reduce_axes:
        raise NotImplementedError("reduce_axes argument to linear_transpose is deprecated: leave it out.")
    leaves, in_tree = tree_flatten(primals)
    avals = [aval_of(x) for x in leaves]
    flat = FlatFunction(fun, in_tree)
    trace = LinearTrace(current_trace())
    with set_current_trace(trace):
        program = trace.program(flat(*map(trace.new_arg, avals)))
    out_avals = [v.aval for v in program.outvars]
    # An integer made a float, as by x.astype(float), has no tangent to transpose.
    found = [aval.dtype for aval in (*avals, *out_avals)]
    if not (all(map(dtypes.is_inexact, found)) or all(map(dtypes.is_integer, found))):
        raise TypeError(
            "linear_transpose only supports [float or complex] -> [float or complex], and integer -> integer "
            f"functions, but got {found[: len(avals)]} -> {found[len(avals) :]}. Convert with .astype('float32')."
        )

    def transposed(ct: Any) -> Any:
        given, tree = tree_flatten(ct)
        got = [get_aval(x) for x in given]
        if tree != flat.out_tree or [(a.shape, a.dtype) for a in got] != [(a.shape, a.dtype) for a in out_avals]:
            raise TypeError(
                f"cotangent tree does not match function output, expected {flat.out_tree} with {out_avals} "
                f"but got {tree} with {got}. Give one cotangent like each result."
            )
        found = in_transformation("transpose", backward_pass)(program, operands_of("the transpose", given))
        return tree_unflatten(in_tree, [instantiate(x) for x in found])

    return transposed


@api_boundary
def jacfwd(
    fun: Callable, argnums: int | Sequence[int] = 0, has_aux: bool = False, holomorphic: bool = False
) -> Callable:
    """The Jacobian by forward mode, one column for each input element: fastest for tall Jacobians.

    A result of shape s and an argument of shape a give an array of shape s + a, in the trees of both.
    """
    check_callable("jacfwd", fun)

    @wraps(fun, "", "Jacobian of")
    def jacobian_fun(*args: Any, **kwargs: Any) -> Any:
        flat, operands = _differentiated("jacfwd", fun, argnums, args, kwargs, has_aux, holomorphic)

        def push(*basis: Any) -> list[Any]:
            results, tangents = jvp_flat(in_transformation("jvp", flat), operands, basis)
            return [*results, *map(in_jacobian, tangents[: flat.count], results)]

        size = sum(x.size for x in operands)
        outs, dims = batch_flat(push, size, _standard_basis(operands), [0] * len(operands))
        half = len(outs) - flat.count
        values = outs[:half]
        for x in values[: flat.count]:
            require_float("jacfwd", "outputs", x, holomorphic)
        columns = [
            place_batch_axis(t, d, np.ndim(x), size) for t, d, x in zip(outs[half:], dims[half:], values, strict=False)
        ]
        blocks = [_split_axis(c, np.ndim(c) - 1, operands) for c in columns]
        return _jacobian(flat, values, blocks, argnums)

    return jacobian_fun


@api_boundary
def jacrev(
    fun: Callable,
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable:
    """The Jacobian by reverse mode, one row for each output element: fastest for wide Jacobians.

    A result of shape s and an argument of shape a give an array of shape s + a, in the trees of both.
    """
    check_callable("jacrev", fun)

    @wraps(fun, "", "Jacobian of")
    def jacobian_fun(*args: Any, **kwargs: Any) -> Any:
        flat, operands = _differentiated("jacrev", fun, argnums, args, kwargs, has_aux, holomorphic, allow_int)
        values, vjp_fun = _linearized(VJPFunction, flat, operands)
        results = values[: flat.count]
        for x in results:
            require_float("jacrev", "outputs", x, holomorphic)
        size = sum(x.size for x in results)
        basis, in_front = _standard_basis(results), [0] * len(results)
        rows, dims = batch_flat(lambda *cts: [*map(in_jacobian, vjp_fun.pull(cts), operands)], size, basis, in_front)
        rows = [place_batch_axis(r, d, 0, size) for r, d in zip(rows, dims, strict=True)]
        by_operand = [_split_axis(r, 0, results) for r in rows]
        return _jacobian(flat, values, list(zip(*by_operand, strict=True)), argnums)

    return jacobian_fun


def _standard_basis(leaves: Sequence[Any]) -> list[Any]:
    """For leaves of n elements in all: n examples of such leaves, in each of which one element is 1."""
    size, dtype = sum(x.size for x in leaves), dtypes.result_type(*leaves)
    row, column = (broadcasted_iota(np.int32, (size, size), d) for d in (0, 1))
    identity = convert(eq(add(row, np.int32(0)), column), dtype)
    return [
        convert_element_type_p.bind(part, new_dtype=x.dtype, weak_type=x.weak_type)
        for part, x in zip(_split_axis(identity, 1, leaves), leaves, strict=True)
    ]


def _split_axis(x: Any, axis: int, leaves: Sequence[Any]) -> list[Any]:
    """Cut an axis over all elements of the leaves into one block for each leaf, with its shape."""
    parts = split(x, [leaf.size for leaf in leaves], axis)
    shape = np.shape(x)
    return [
        reshape(part, (*shape[:axis], *leaf.shape, *shape[axis + 1 :]))
        for part, leaf in zip(parts, leaves, strict=True)
    ]


def _jacobian(flat: FlatFunction, values: Sequence[Any], blocks: Sequence[Sequence[Any]], argnums: Any) -> Any:
    """blocks[i][j], the derivative of result i by operand leaf j, in the trees of results and arguments."""

    def of_result(row: Sequence[Any]) -> Any:
        tree = tree_unflatten(flat.in_tree, row)
        return tree if isinstance(argnums, tuple | list) else tree[0]

    jacobian_tree = tree_unflatten(flat.out_tree, [of_result(row) for row in blocks])
    return (jacobian_tree, flat.result(values)[1]) if flat.has_aux else jacobian_tree


jacobian = jacrev


def hessian(
    fun: Callable, argnums: int | Sequence[int] = 0, has_aux: bool = False, holomorphic: bool = False
) -> Callable:
    """The Hessian of a scalar function: forward mode over reverse mode."""
    options = {"has_aux": has_aux, "holomorphic": holomorphic}
    return jacfwd(jacrev(fun, argnums, **options), argnums, **options)
