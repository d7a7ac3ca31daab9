"""Arguments of the transformations: checking them, and functions of pytrees as functions of leaves."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

from minijax import dtypes
from minijax.array import Array
from minijax.core import ShapedArray, Tracer, as_operand, get_aval
from minijax.jitted import fun_name
from minijax.shape_struct import ShapeDtypeStruct
from minijax.tracebacks import api_boundary
from minijax.tree_util import tree_flatten, tree_unflatten


def check_callable(name: str, fun: Any) -> None:
    """Raise TypeError unless `fun`, the first argument of the function `name`, can be called."""
    if not callable(fun):
        raise TypeError(
            f"Expected a callable value as first argument of {name}, got {fun!r} of type {type(fun).__name__}. "
            "Pass the function itself, without calling it."
        )


def operands_of(name: str, leaves: Sequence[Any]) -> list[Array]:
    """Leaves of the user's arguments as Arrays. Raises TypeError for what is no array or number."""
    out = []
    for x in leaves:
        try:
            out.append(as_operand(x))
        except TypeError:
            raise TypeError(
                f"Argument {x!r} of type {type(x)} is not a valid JAX type: {name} takes arrays, numbers "
                "and pytrees of them. "
                "Close over other values, or bind them with functools.partial."
            ) from None
    return out


def require_float(name: str, role: str, x: Any, holomorphic: bool, allow_int: bool = False) -> None:
    """The dtype checks of grad, jacrev and jacfwd on an argument ("inputs") or a result ("outputs").

    A complex function has a gradient only if it is holomorphic, a real one of complex numbers always; forward
    mode asks for real arguments instead. Raises TypeError.
    """
    dtype = dtypes.dtype(x)
    if holomorphic:
        if not dtypes.is_complex(dtype):
            raise TypeError(
                f"{name} with holomorphic=True requires {role} with complex dtype, but got {dtype.name}. "
                "Leave holomorphic out for real functions."
            )
        return
    if name == "jacfwd" and role == "outputs" or name != "jacfwd" and role == "inputs" and dtypes.is_complex(dtype):
        return
    if not dtypes.is_float(dtype) and not (allow_int and role == "inputs"):
        remedy = _REMEDIES["complex" if dtypes.is_complex(dtype) else role]
        raise TypeError(
            f"{name} requires real-valued {role} ({role[:-1]} dtype that is a sub-dtype of np.floating), "
            f"but got {dtype.name}. {remedy}"
        )


_REMEDIES = {
    "inputs": "Convert it to a float, for example x.astype('float32'), or set allow_int=True.",
    "outputs": "For functions with integer outputs, use jax.vjp or jax.jvp directly.",
    "complex": "For holomorphic functions, pass holomorphic=True; for others, use jax.vjp or jax.jvp directly.",
}


def split_argnums(argnums: Any, args: tuple) -> tuple[tuple[int, ...], list[Any]]:
    """The positions that `argnums` names, counted from the front, and the arguments there."""
    try:
        numbers = tuple(map(operator.index, argnums if isinstance(argnums, tuple | list) else [argnums]))
    except TypeError:
        raise TypeError(
            f"argnums must be an int or a sequence of ints, got {argnums!r}. Count positions from 0."
        ) from None
    for i in numbers:
        if not -len(args) <= i < len(args):
            raise TypeError(
                f"differentiating with respect to argnums={argnums} requires at least {max(i + 1, -i)} "
                "positional arguments "
                f"to be passed by the caller, but got only {len(args)} positional arguments. Positions "
                "count from 0."
            )
    numbers = tuple(i + len(args) if i < 0 else i for i in numbers)
    return numbers, [args[i] for i in numbers]


def with_arguments(fun: Callable, numbers: Sequence[int], args: tuple, kwargs: dict) -> Callable:
    """`fun` as a function of the arguments at `numbers`; the others stay as they are."""

    def partial(*chosen: Any) -> Any:
        full = list(args)
        for i, x in zip(numbers, chosen, strict=True):
            full[i] = x
        return fun(*full, **kwargs)

    return partial


class FlatFunction:
    """A function of pytrees as a function of leaves; once called, it knows the trees of result and aux."""

    def __init__(self, fun: Callable, in_tree: Any, has_aux: bool = False):
        self.fun, self.in_tree, self.has_aux = fun, in_tree, has_aux

    def __call__(self, *leaves: Any) -> list[Any]:
        out, aux = self.fun(*tree_unflatten(self.in_tree, leaves)), None
        if self.has_aux:
            if not isinstance(out, tuple | list) or len(out) != 2:
                raise TypeError(
                    "expected function with aux output to return a two-element tuple, but got type "
                    f"{type(out)} with value "
                    f"{out}. With has_aux=True return (result, aux)."
                )
            out, aux = out
        outs, self.out_tree = tree_flatten(out)
        self.count = len(outs)
        self.aux_leaves, self.aux_tree = tree_flatten(aux)
        # Tracers in aux travel with the results, so that the trace takes itself off them too.
        return [
            *operands_of(f"the result of {fun_name(self.fun)}", outs),
            *filter(is_tracer, self.aux_leaves),
        ]

    def result(self, results: Sequence[Any]) -> Any:
        """The function's result, given all flat results; with has_aux the pair (result, aux)."""
        out = tree_unflatten(self.out_tree, results[: self.count])
        if not self.has_aux:
            return out
        lowered = iter(results[self.count :])
        return out, tree_unflatten(self.aux_tree, [next(lowered) if is_tracer(x) else x for x in self.aux_leaves])


def is_tracer(x: Any) -> bool:
    """Whether `x` stands for a value under some transformation."""
    return isinstance(x, Tracer)


def wraps(fun: Callable, name: str, what: str) -> Callable[[Callable], Callable]:
    """Give a transformed function the name, signature and documentation of `fun`."""

    def decorate(wrapper: Callable) -> Callable:
        functools.update_wrapper(wrapper, fun)
        doc = getattr(fun, "__doc__", None)
        wrapper.__name__ = wrapper.__qualname__ = f"{name}({fun_name(fun)})" if name else fun_name(fun)
        wrapper.__doc__ = f"{what} {fun_name(fun)}.\n\n{doc}" if doc else f"{what} {fun_name(fun)}."
        return api_boundary(wrapper)

    return decorate


def aval_of(x: Any) -> ShapedArray:
    """The aval of an array, a number or a ShapeDtypeStruct."""
    return x.aval if isinstance(x, ShapeDtypeStruct) else get_aval(x)
