"""The transformations that users call. Each checks its arguments, flattens the pytrees in them, and lets
the engine work on flat lists: jvp.py, linearize.py and transpose.py, batching.py, jaxpr.py.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.batching import batch_flat, place_batch_axis
from minijax.core import ShapedArray, Tracer, Zero, as_operand, current_trace, get_aval, set_current_trace
from minijax.jaxpr import stage
from minijax.jitted import JitFunction, StaticArguments, flat_function, fun_name
from minijax.jvp import jvp_flat
from minijax.linear_functions import LinearizedFunction, VJPFunction, zero_cotangent
from minijax.linearize import LinearTrace, linearize_flat
from minijax.primitives.calls import hoist_tracers
from minijax.primitives.checkpoint import remat_p
from minijax.primitives.families import instantiate
from minijax.primitives.shaping import reshape
from minijax.primitives.slicing import slice_in_dim
from minijax.shape_struct import ShapeDtypeStruct
from minijax.transpose import backward_pass
from minijax.tree_util import flatten_axes, keystr, tree_flatten, tree_flatten_with_path, tree_unflatten

# ----------------------------------------------------------------- checking arguments


def _check_callable(fun: Any, what: str = "Expected a callable value") -> None:
    if not callable(fun):
        raise TypeError(f"{what}, got {fun!r} of type {type(fun).__name__}. Pass a function, without calling it.")


def _operands(name: str, leaves: Sequence[Any]) -> list[Array]:
    """Leaves of the user's arguments as Arrays. Raises TypeError for what is no array or number."""
    out = []
    for x in leaves:
        try:
            out.append(as_operand(x))
        except TypeError:
            raise TypeError(
                f"Argument {x!r} of type {type(x)} is not a valid JAX type: {name} takes arrays, numbers and pytrees of them. "
                "Close over other values, or bind them with functools.partial."
            ) from None
    return out


def _require_float(name: str, role: str, x: Any, holomorphic: bool, allow_int: bool = False) -> None:
    """The dtype checks of grad, jacrev and jacfwd. There are no complex dtypes yet, so holomorphic always fails."""
    dtype = dtypes.dtype(x)
    if holomorphic:
        raise TypeError(
            f"{name} with holomorphic=True requires {role} with complex dtype, but got {dtype.name}. "
            "Leave holomorphic out for real functions."
        )
    if not dtypes.is_float(dtype) and not allow_int:
        remedy = {
            "inputs": "Convert it to a float, for example x.astype('float32'), or set allow_int=True (grad, jacrev) or use vjp.",
            "outputs": "For functions with integer outputs, use jax.vjp or jax.jvp directly.",
        }[role]
        raise TypeError(f"{name} requires real-valued {role} ({role[:-1]} dtype that is a sub-dtype of np.floating), "
                        f"but got {dtype.name}. {remedy}")


def _split_argnums(argnums: Any, args: tuple) -> tuple[tuple[int, ...], list[Any]]:
    """The positions that `argnums` names, counted from the front, and the arguments there."""
    numbers = tuple(map(operator.index, argnums)) if isinstance(argnums, tuple | list) else (operator.index(argnums),)
    for i in numbers:
        if not -len(args) <= i < len(args):
            raise TypeError(
                f"differentiating with respect to argnums={argnums} requires at least {max(i + 1, -i)} positional arguments "
                f"to be passed by the caller, but got only {len(args)} positional arguments. Positions count from 0."
            )
    numbers = tuple(i + len(args) if i < 0 else i for i in numbers)
    return numbers, [args[i] for i in numbers]


def _with_arguments(fun: Callable, numbers: Sequence[int], args: tuple, kwargs: dict) -> Callable:
    """`fun` as a function of the arguments at `numbers`; the others stay as they are."""

    def partial(*chosen: Any) -> Any:
        full = list(args)
        for i, x in zip(numbers, chosen, strict=True):
            full[i] = x
        return fun(*full, **kwargs)

    return partial


class _Flat:
    """A function of pytrees as a function of leaves; afterwards it knows the tree of the result and the aux."""

    def __init__(self, fun: Callable, in_tree: Any, has_aux: bool = False):
        self.fun, self.in_tree, self.has_aux = fun, in_tree, has_aux

    def __call__(self, *leaves: Any) -> list[Any]:
        out, aux = self.fun(*tree_unflatten(self.in_tree, leaves)), None
        if self.has_aux:
            if not isinstance(out, tuple | list) or len(out) != 2:
                raise TypeError(
                    f"expected function with aux output to return a two-element tuple, but got type {type(out)} with value "
                    f"{out}. With has_aux=True return (result, aux)."
                )
            out, aux = out
        outs, self.out_tree = tree_flatten(out)
        self.count = len(outs)
        self.aux_leaves, self.aux_tree = tree_flatten(aux)
        # Tracers in aux travel with the results, so that the trace takes itself off them too.
        return [*_operands(f"the result of {fun_name(self.fun)}", outs), *filter(_is_tracer, self.aux_leaves)]

    def result(self, results: Sequence[Any]) -> Any:
        """The function's result, given all flat results; with has_aux the pair (result, aux)."""
        out = tree_unflatten(self.out_tree, results[: self.count])
        if not self.has_aux:
            return out
        lowered = iter(results[self.count :])
        return out, tree_unflatten(self.aux_tree, [next(lowered) if _is_tracer(x) else x for x in self.aux_leaves])


def _is_tracer(x: Any) -> bool:
    return isinstance(x, Tracer)


def _wraps(fun: Callable, name: str, what: str) -> Callable[[Callable], Callable]:
    """Give a transformed function the name, signature and documentation of `fun`."""

    def decorate(wrapper: Callable) -> Callable:
        functools.update_wrapper(wrapper, fun)
        doc = getattr(fun, "__doc__", None)
        wrapper.__name__ = f"{name}({fun_name(fun)})" if name else fun_name(fun)
        wrapper.__doc__ = f"{what} {fun_name(fun)}.\n\n{doc}" if doc else f"{what} {fun_name(fun)}."
        return wrapper

    return decorate


# ----------------------------------------------------------------- derivatives


def grad(
    fun: Callable,
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
    reduce_axes: Sequence[Any] = (),
) -> Callable:
    """A function that gives the gradient of the scalar function `fun` with respect to the arguments at `argnums`.

    The gradient has the structure, shapes and dtypes of those arguments (float0 for integers under
    allow_int). With has_aux, `fun` returns (value, aux) and the result is (gradient, aux).
    Raises TypeError for results that are not scalar and for integer arguments.
    """
    differentiate = _gradient("grad", fun, argnums, has_aux, holomorphic, allow_int, reduce_axes)

    @_wraps(fun, "grad", "Gradient of")
    def grad_fun(*args: Any, **kwargs: Any) -> Any:
        value, gradient = differentiate(args, kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return grad_fun


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

    @_wraps(fun, "value_and_grad", "Value and gradient of")
    def value_and_grad_fun(*args: Any, **kwargs: Any) -> Any:
        return differentiate(args, kwargs)

    return value_and_grad_fun


def _gradient(
    name: str, fun: Callable, argnums: Any, has_aux: bool, holomorphic: bool, allow_int: bool, reduce_axes: Any
) -> Callable[[tuple, dict], tuple[Any, Any]]:
    if reduce_axes:
        raise NotImplementedError(f"reduce_axes argument to {name} is deprecated: leave it out.")
    _check_callable(fun)

    def differentiate(args: tuple, kwargs: dict[str, Any]) -> tuple[Any, Any]:
        numbers, chosen = _split_argnums(argnums, args)
        leaves, in_tree = tree_flatten(tuple(chosen))
        primals = _operands(name, leaves)
        for x in primals:
            _require_float(name, "inputs", x, holomorphic, allow_int)
        flat = _Flat(_with_arguments(fun, numbers, args, kwargs), in_tree, has_aux)
        results, vjp_fun = _linearized(VJPFunction, flat, primals)
        _check_scalar(results, flat)
        _require_float(name, "outputs", results[0], holomorphic)
        gradient = tree_unflatten(in_tree, vjp_fun.pull([results[0].dtype.type(1)]))
        return flat.result(results), gradient if isinstance(argnums, tuple | list) else gradient[0]

    return differentiate


def _check_scalar(results: Sequence[Any], flat: _Flat) -> None:
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


def _linearized(kind: type, flat: _Flat, primals: Sequence[Any]) -> tuple[list[Any], Any]:
    """Flat results, aux behind them, and the derivative as a LinearizedFunction or VJPFunction."""
    nonzero = [dtypes.is_float(x.dtype) for x in primals]
    results, program, nonzero_out = linearize_flat(flat, primals, nonzero)
    used_out = nonzero_out[: flat.count]
    program.outvars = program.outvars[: sum(used_out)]  # aux has no derivative
    in_avals = [get_aval(x) for x in primals]
    out_avals = [get_aval(x).to_tangent_aval() for x in results[: flat.count]]
    return results, kind(program, flat.in_tree, in_avals, nonzero, flat.out_tree, out_avals, used_out)


def vjp(fun: Callable, *primals: Any, has_aux: bool = False, reduce_axes: Sequence[Any] = ()) -> Any:
    """(fun(*primals), f_vjp): f_vjp takes the cotangent of the result to a tuple of those of the primals.

    With has_aux, `fun` returns (result, aux) and the value is (result, f_vjp, aux).
    """
    return _value_and_linear(VJPFunction, "vjp", fun, primals, has_aux, reduce_axes)


def linearize(fun: Callable, *primals: Any, has_aux: bool = False) -> Any:
    """(fun(*primals), f_jvp): f_jvp takes tangents of the primals to the tangent of the result, without running fun again.

    With has_aux, `fun` returns (result, aux) and the value is (result, f_jvp, aux).
    """
    return _value_and_linear(LinearizedFunction, "linearize", fun, primals, has_aux, ())


def _value_and_linear(kind: type, name: str, fun: Callable, primals: tuple, has_aux: bool, reduce_axes: Any) -> Any:
    if reduce_axes:
        raise NotImplementedError(f"reduce_axes argument to {name} is deprecated: leave it out.")
    _check_callable(fun)
    leaves, in_tree = tree_flatten(primals)
    flat = _Flat(fun, in_tree, has_aux)
    results, derivative = _linearized(kind, flat, _operands(name, leaves))
    out = flat.result(results)
    return (out[0], derivative, out[1]) if has_aux else (out, derivative)


def jvp(fun: Callable, primals: Any, tangents: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """(fun(*primals), its tangent) for tangents of the primals' structure, shapes and dtypes (float0 for integers).

    With has_aux, `fun` returns (result, aux) and the value is (result, tangent, aux).
    """
    _check_callable(fun)
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
    operands = _operands("jvp", leaves)
    tangent_operands = [_checked_tangent(p, t) for p, t in zip(operands, given, strict=True)]
    flat = _Flat(fun, in_tree, has_aux)
    results, out_tangents = jvp_flat(flat, operands, tangent_operands)
    out = flat.result(results)
    tangent = tree_unflatten(flat.out_tree, [_visible_tangent(t, x) for t, x in zip(out_tangents[: flat.count], results, strict=False)])
    return (out[0], tangent, out[1]) if has_aux else (out, tangent)


def _checked_tangent(p: Array, t: Any) -> Any:
    want = get_aval(p).to_tangent_aval()
    got = get_aval(t)
    if got.dtype != want.dtype:
        raise TypeError(
            "primal and tangent arguments to jax.jvp do not match; dtypes must be equal, or in case of int/bool primal dtype "
            f"the tangent dtype must be float0. Got primal dtype {p.dtype.name} and so expected tangent dtype "
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


def linear_transpose(fun: Callable, *primals: Any, reduce_axes: Sequence[Any] = ()) -> Callable:
    """The transpose of a linear function, from its own program: no derivative is taken.

    The primals give shapes and dtypes only and may be ShapeDtypeStructs. Raises TypeError for non-float arguments.
    """
    if reduce_axes:
        raise NotImplementedError("reduce_axes argument to linear_transpose is deprecated: leave it out.")
    leaves, in_tree = tree_flatten(primals)
    avals = [_aval_of(x) for x in leaves]
    for aval in avals:
        if not dtypes.is_float(aval.dtype):
            raise TypeError(
                "linear_transpose only supports [float or complex -> float or complex], and integer -> integer functions, "
                f"but got inputs of dtype {aval.dtype.name}. Convert them with .astype('float32')."
            )
    flat = _Flat(fun, in_tree)
    trace = LinearTrace(current_trace())
    with set_current_trace(trace):
        program = trace.program(flat(*map(trace.new_arg, avals)))
    out_avals = [v.aval for v in program.outvars]

    def transposed(ct: Any) -> Any:
        given, tree = tree_flatten(ct)
        got = [get_aval(x) for x in given]
        if tree != flat.out_tree or [(a.shape, a.dtype) for a in got] != [(a.shape, a.dtype) for a in out_avals]:
            raise TypeError(
                f"cotangent tree does not match function output, expected {flat.out_tree} with {out_avals} but got {tree} "
                f"with {got}. Give one cotangent like each result."
            )
        return tree_unflatten(in_tree, [instantiate(x) for x in backward_pass(program, _operands("the transpose", given))])

    return transposed


def _aval_of(x: Any) -> ShapedArray:
    return ShapedArray(x.shape, x.dtype, x.weak_type) if isinstance(x, ShapeDtypeStruct) else get_aval(x)


def jacfwd(fun: Callable, argnums: int | Sequence[int] = 0, has_aux: bool = False, holomorphic: bool = False) -> Callable:
    """The Jacobian by forward mode, one column for each input element: fastest for tall Jacobians.

    A result of shape s and an argument of shape a give an array of shape s + a, in the trees of both.
    """
    _check_callable(fun)

    @_wraps(fun, "jacfwd", "Jacobian of")
    def jacobian_fun(*args: Any, **kwargs: Any) -> Any:
        numbers, chosen = _split_argnums(argnums, args)
        leaves, in_tree = tree_flatten(tuple(chosen))
        for x in (operands := _operands("jacfwd", leaves)):
            _require_float("jacfwd", "inputs", x, holomorphic)
        flat = _Flat(_with_arguments(fun, numbers, args, kwargs), in_tree, has_aux)

        def push(*basis: Any) -> list[Any]:
            results, tangents = jvp_flat(flat, operands, basis)
            tangents = [_visible_tangent(t, x) for t, x in zip(tangents[: flat.count], results, strict=False)]
            return [*results, *tangents]

        size = sum(x.size for x in operands)
        outs, dims = batch_flat(push, size, _standard_basis(operands), [0] * len(operands))
        half = len(outs) - flat.count
        values = outs[:half]
        for x in values[: flat.count]:
            _require_float("jacfwd", "outputs", x, holomorphic)
        columns = [place_batch_axis(t, d, np.ndim(x), size) for t, d, x in zip(outs[half:], dims[half:], values, strict=False)]
        blocks = [_split_axis(c, np.ndim(c) - 1, operands) for c in columns]
        return _jacobian(flat, values, blocks, argnums, in_tree)

    return jacobian_fun


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
    _check_callable(fun)

    @_wraps(fun, "jacrev", "Jacobian of")
    def jacobian_fun(*args: Any, **kwargs: Any) -> Any:
        numbers, chosen = _split_argnums(argnums, args)
        leaves, in_tree = tree_flatten(tuple(chosen))
        for x in (operands := _operands("jacrev", leaves)):
            _require_float("jacrev", "inputs", x, holomorphic, allow_int)
        flat = _Flat(_with_arguments(fun, numbers, args, kwargs), in_tree, has_aux)
        values, vjp_fun = _linearized(VJPFunction, flat, operands)
        results = values[: flat.count]
        for x in results:
            _require_float("jacrev", "outputs", x, holomorphic)
        size = sum(x.size for x in results)
        rows, dims = batch_flat(lambda *cts: vjp_fun.pull(cts), size, _standard_basis(results), [0] * len(results))
        rows = [place_batch_axis(r, d, 0, size) for r, d in zip(rows, dims, strict=True)]
        by_operand = [_split_axis(r, 0, results) for r in rows]
        return _jacobian(flat, values, list(zip(*by_operand, strict=True)), argnums, in_tree)

    return jacobian_fun


def _standard_basis(leaves: Sequence[Any]) -> list[Any]:
    """For leaves of n elements in all: n examples of such leaves, in each of which one element is 1."""
    size, out, start = sum(x.size for x in leaves), [], 0
    for x in leaves:
        part = np.eye(size, x.size, -start, dtype=x.dtype)
        out.append(as_operand(part.reshape(size, *x.shape)))
        start += x.size
    return out


def _split_axis(x: Any, axis: int, leaves: Sequence[Any]) -> list[Any]:
    """Cut an axis over all elements of the leaves into one block for each leaf, with its shape."""
    blocks, start = [], 0
    for leaf in leaves:
        block = slice_in_dim(x, start, start + leaf.size, axis=axis)
        blocks.append(reshape(block, (*x.shape[:axis], *leaf.shape, *x.shape[axis + 1 :])))
        start += leaf.size
    return blocks


def _jacobian(flat: _Flat, values: Sequence[Any], blocks: Sequence[Sequence[Any]], argnums: Any, in_tree: Any) -> Any:
    """blocks[i][j], the derivative of result i by operand leaf j, in the tree of the result over that of the arguments."""

    def of_result(row: Sequence[Any]) -> Any:
        tree = tree_unflatten(in_tree, row)
        return tree if isinstance(argnums, tuple | list) else tree[0]

    jacobian_tree = tree_unflatten(flat.out_tree, [of_result(row) for row in blocks])
    return (jacobian_tree, flat.result(values)[1]) if flat.has_aux else jacobian_tree


jacobian = jacrev


def hessian(fun: Callable, argnums: int | Sequence[int] = 0, has_aux: bool = False, holomorphic: bool = False) -> Callable:
    """The Hessian of a scalar function: forward mode over reverse mode."""
    return jacfwd(jacrev(fun, argnums, has_aux=has_aux, holomorphic=holomorphic), argnums, has_aux=has_aux, holomorphic=holomorphic)


# ----------------------------------------------------------------- vmap


def vmap(
    fun: Callable,
    in_axes: Any = 0,
    out_axes: Any = 0,
    axis_name: Any = None,
    axis_size: int | None = None,
    spmd_axis_name: Any = None,
    sum_match: bool = False,
) -> Callable:
    """`fun` for many examples at once. in_axes and out_axes say, for each argument or subtree, which axis counts them.

    None stands for a value that all examples share. `axis_size` is needed only if no argument is mapped.
    Raises ValueError for axes that do not exist and for sizes that differ.
    """
    _check_callable(fun)
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)
    if not (in_axes is None or isinstance(in_axes, int | tuple | dict)):
        raise TypeError(
            "vmap in_axes must be an int, None, or a tuple of entries corresponding to the positional arguments passed to "
            f"the function, but got {in_axes!r}."
        )

    @_wraps(fun, "", "Vectorized version of")
    def vmapped(*args: Any, **kwargs: Any) -> Any:
        if isinstance(in_axes, tuple) and len(in_axes) != len(args):
            raise ValueError(
                "vmap in_axes must be an int, None, or a tuple of entries corresponding to the positional arguments passed to "
                f"the function, but got len(in_axes)={len(in_axes)}, len(args)={len(args)}. Give one entry for each argument."
            )
        leaves, in_tree = tree_flatten((args, kwargs))
        dims = flatten_axes("vmap in_axes", in_tree, (in_axes, 0))
        operands = _operands("vmap", leaves)
        dims = [_canonical_in_axis(x, d) for x, d in zip(operands, dims, strict=True)]
        size = _mapped_size(args, kwargs, operands, dims, axis_size)
        out_trees: list[Any] = []
        outs, out_dims = batch_flat(_mapped_function(fun, in_tree, out_trees), size, operands, dims, axis_name)
        wanted = flatten_axes("vmap out_axes", out_trees[0], out_axes)
        return tree_unflatten(out_trees[0], [_place_result(*r, size) for r in zip(outs, out_dims, wanted, strict=True)])

    return vmapped


def _mapped_function(fun: Callable, in_tree: Any, out_trees: list[Any]) -> Callable:
    flat = flat_function(fun, in_tree, out_trees)

    def checked(*leaves: Any) -> list[Any]:
        return _operands("the result of a batched function", flat(*leaves))

    return checked


def _canonical_in_axis(x: Any, axis: Any) -> int | None:
    if axis is None:
        return None
    if not isinstance(axis, int):
        raise TypeError(f"vmap in_axes must be made of ints and None, but one leaf is {axis!r}.")
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(
            f"vmap was requested to map its argument along axis {axis}, which implies that its rank should be at least "
            f"{axis + 1 if axis >= 0 else -axis}, but is only {x.ndim} (its shape is {x.shape}). "
            "Map another axis, or set this argument's in_axes to None to share it."
        )
    return axis + x.ndim if axis < 0 else axis


def _mapped_size(args: tuple, kwargs: dict, operands: Sequence[Any], dims: Sequence[Any], axis_size: int | None) -> int:
    sizes = dict.fromkeys(x.shape[d] for x, d in zip(operands, dims, strict=True) if d is not None)
    if axis_size is not None:
        sizes[axis_size] = None
    if not sizes:
        raise ValueError(
            "vmap must have at least one non-None value in in_axes or axis_size must be specified: nothing says how many "
            "examples there are."
        )
    if len(sizes) > 1:
        paths = [keystr(path) for path, _ in tree_flatten_with_path((args, kwargs))[0]]
        lines = [
            f"  * axis {d} of the argument at {path} of (args, kwargs), of type {get_aval(x).str_long()}, has size {x.shape[d]}"
            for path, x, d in zip(paths, operands, dims, strict=True)
            if d is not None
        ]
        lines += [f"  * the axis_size argument was {axis_size}"] if axis_size is not None else []
        raise ValueError(
            "vmap got inconsistent sizes for array axes to be mapped:\n" + "\n".join(lines)
            + "\nAll mapped axes must have one size; use in_axes=None for what is shared."
        )
    return next(iter(sizes))


def _place_result(x: Any, dim: int | None, wanted: Any, size: int) -> Any:
    if wanted is None:
        if dim is not None:
            raise ValueError(
                f"at vmap out_axes, got axis spec None but output was batched on axis {dim}: it differs from example to "
                "example. Give it an axis, or reduce it over the examples first."
            )
        return x
    rank = np.ndim(x) + (dim is None)
    if not -rank <= wanted < rank:
        raise ValueError(
            f"vmap out_axes: axis {wanted} is out of bounds for array of dimension {rank}. "
            f"It must lie between {-rank} and {rank - 1}."
        )
    return place_batch_axis(x, dim, wanted + rank if wanted < 0 else wanted, size)


# ----------------------------------------------------------------- jit and jaxprs


class _NotSpecified:
    def __repr__(self) -> str:
        return "<not-specified>"


def jit(
    fun: Any = _NotSpecified(),
    /,
    *,
    in_shardings: Any = None,
    out_shardings: Any = None,
    static_argnums: int | Sequence[int] | None = None,
    static_argnames: str | Iterable[str] | None = None,
    donate_argnums: int | Sequence[int] | None = None,
    donate_argnames: str | Iterable[str] | None = None,
    keep_unused: bool = False,
    device: Any = None,
    backend: str | None = None,
    inline: bool = False,
    compiler_options: dict[str, Any] | None = None,
) -> Any:
    """Trace `fun` once for each kind of arguments (tree, shapes, dtypes, weak types) and run its jaxpr from then on.

    Static arguments are given to `fun` as they are and traced for anew when they change; they must be hashable.
    Donated arguments may be overwritten. Without `fun`, a decorator.
    """
    if isinstance(fun, _NotSpecified):
        options = {k: v for k, v in locals().items() if k != "fun"}
        return lambda f: jit(f, **options)
    _check_callable(fun)
    if in_shardings is not None or out_shardings is not None:
        raise NotImplementedError("jit: there is one device, so in_shardings and out_shardings have no meaning here; leave them out.")
    static = StaticArguments(fun, static_argnums, static_argnames, donate_argnums, donate_argnames)
    return JitFunction(fun, static, keep_unused, inline)


def make_jaxpr(
    fun: Callable,
    static_argnums: int | Sequence[int] = (),
    axis_env: Sequence[tuple[Any, int]] | None = None,
    return_shape: bool = False,
) -> Callable:
    """A function that gives the jaxpr of `fun` for its arguments instead of running it.

    Arguments may be arrays, numbers or ShapeDtypeStructs. With return_shape the result is (jaxpr, tree of ShapeDtypeStructs).
    """
    _check_callable(fun, "the first argument must be callable")
    if axis_env:
        raise NotImplementedError("make_jaxpr: axis_env waits for named axes; wrap the function in vmap(axis_name=...).")
    static = StaticArguments(fun, static_argnums, None)

    @_wraps(fun, "make_jaxpr", "The jaxpr of")
    def make_jaxpr_fun(*args: Any, **kwargs: Any) -> Any:
        key, rest, keywords = static.split(args, kwargs)
        leaves, in_tree = tree_flatten((rest, keywords))
        out_trees: list[Any] = []
        closed = stage(flat_function(static.rejoin(fun, key), in_tree, out_trees), [_checked_aval(x) for x in leaves], fun_name(fun))
        if not return_shape:
            return closed
        shapes = [ShapeDtypeStruct(a.shape, a.dtype, weak_type=a.weak_type) for a in closed.out_avals]
        return closed, tree_unflatten(out_trees[0], shapes)

    return make_jaxpr_fun


def _checked_aval(x: Any) -> ShapedArray:
    return _aval_of(x) if isinstance(x, ShapeDtypeStruct) else get_aval(*_operands("make_jaxpr", [x]))


def eval_shape(fun: Callable, *args: Any, **kwargs: Any) -> Any:
    """Shapes and dtypes of fun(*args, **kwargs) as a tree of ShapeDtypeStructs, without computing anything."""
    _check_callable(fun)
    if isinstance(fun, JitFunction):
        return fun.eval_shape(*args, **kwargs)
    return make_jaxpr(fun, return_shape=True)(*args, **kwargs)[1]


def checkpoint(
    fun: Callable,
    *,
    prevent_cse: bool | Sequence[bool] = True,
    policy: Callable[..., bool] | None = None,
    static_argnums: int | tuple[int, ...] = (),
    static_argnames: str | Iterable[str] = (),
    concrete: bool = False,
) -> Callable:
    """`fun`, whose intermediate values reverse mode computes anew instead of keeping (also called remat)."""
    _check_callable(fun)
    static = StaticArguments(fun, static_argnums or None, static_argnames or None)

    @_wraps(fun, "checkpoint", "Rematerialized version of")
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        key, rest, keywords = static.split(args, kwargs)
        leaves, in_tree = tree_flatten((rest, keywords))
        operands = _operands("checkpoint", leaves)
        out_trees: list[Any] = []
        flat = flat_function(static.rejoin(fun, key), in_tree, out_trees)
        consts, closed = hoist_tracers(stage(flat, [get_aval(x) for x in operands], fun_name(fun)))
        outs = remat_p.bind(
            *consts, *operands, jaxpr=closed, differentiated=False, policy=policy, prevent_cse=prevent_cse
        )
        return tree_unflatten(out_trees[0], outs)

    return checkpointed


remat = checkpoint


def named_call(fun: Callable, *, name: str | None = None) -> Callable:
    """`fun` under another name."""
    _check_callable(fun)

    @functools.wraps(fun)
    def named(*args: Any, **kwargs: Any) -> Any:
        return fun(*args, **kwargs)

    named.__name__ = name or fun_name(fun)
    return named


def closure_convert(fun: Callable, *example_args: Any) -> tuple[Callable, list[Any]]:
    """(converted, consts): a function that takes the differentiable values which `fun` closes over as further arguments.

    fun(*args) equals converted(*args, *consts); the example arguments give shapes and dtypes.
    """
    leaves, in_tree = tree_flatten((example_args, {}))
    out_trees: list[Any] = []
    closed = stage(flat_function(fun, in_tree, out_trees), [get_aval(x) for x in _operands("closure_convert", leaves)])
    consts, converted_jaxpr = hoist_tracers(closed)

    def converted(*args_and_consts: Any) -> Any:
        split = len(args_and_consts) - len(consts)
        leaves, tree = tree_flatten((args_and_consts[:split], {}))
        if tree != in_tree:
            raise TypeError(f"the converted function expected arguments like {in_tree} before its consts, but got {tree}.")
        return tree_unflatten(out_trees[0], converted_jaxpr(*args_and_consts[split:], *leaves))

    return converted, consts
