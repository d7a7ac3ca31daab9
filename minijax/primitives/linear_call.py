"""linear_call: the call of a linear function whose transpose the user gives.

    linear_call[callee num_callee_consts num_res transpose_thunk] *consts *residuals *linear  ->  *results

transpose_thunk() is the transpose as a jaxpr (*consts, *residuals, *cotangents) -> *linear, and its consts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minijax import compiler
from minijax.core import Primitive, ShapedArray, Zero, get_aval
from minijax.jaxpr import ClosedJaxpr
from minijax.primitives.calls import evaluate_jaxpr, same_types, short_types, split_list
from minijax.primitives.families import instantiate

linear_call_p = Primitive("linear_call", multiple_results=True)


def _impl(*buffers: np.ndarray, callee: ClosedJaxpr, **params: Any) -> list[np.ndarray]:
    return compiler.run(callee, buffers)


def _shape(*avals: ShapedArray, callee: ClosedJaxpr, **params: Any) -> list[ShapedArray]:
    return callee.out_avals


def _jvp(
    primals: Sequence[Any], tangents: Sequence[Any], *, num_callee_consts: int, num_res: int, **params: Any
) -> tuple[list[Any], list[Any]]:
    """The function itself, applied to the tangents."""
    params.update(num_callee_consts=num_callee_consts, num_res=num_res)
    fixed, given = split_list(tangents, num_callee_consts + num_res)
    if any(type(t) is not Zero for t in fixed):
        raise NotImplementedError(
            "linear_call has no derivative by its residual arguments, or by what its function closes over: it only "
            "says what is linear in the linear arguments. Put what is differentiated there, or use custom_jvp."
        )
    outs = linear_call_p.bind(*primals, **params)
    tangents_out = linear_call_p.bind(*primals[: len(fixed)], *map(instantiate, given), **params)
    return outs, tangents_out


def _transpose(
    cts: Sequence[Any],
    *args: Any,
    callee: ClosedJaxpr,
    transpose_thunk: Callable[[], tuple[ClosedJaxpr, list[Any]]],
    num_callee_consts: int,
    num_res: int,
) -> list[Any]:
    """The user's transpose, whose own transpose is the function."""
    transposed, t_consts = transpose_thunk()
    consts, residuals, linear = split_list(args, num_callee_consts, num_res)
    outs = linear_call_p.bind(
        *t_consts,
        *residuals,
        *map(instantiate, cts),
        callee=transposed,
        transpose_thunk=lambda: (callee, consts),
        num_callee_consts=len(t_consts),
        num_res=num_res,
    )
    avals = [x.aval for x in linear]
    if not same_types([get_aval(x) for x in outs], avals):
        raise ValueError(
            f"linear_call: the transpose returned {short_types([get_aval(x) for x in outs])} for linear arguments of "
            f"the types {short_types(avals)}. A cotangent has the type of its argument."
        )
    return [*[None] * (num_callee_consts + num_res), *outs]


def _batch(axis_size: int, args: Any, dims: Any, **params: Any) -> Any:
    raise NotImplementedError(
        "linear_call has no batching rule, as in JAX: vmap does not know how to batch its transpose. Write the batched "
        "function and its transpose by hand, or use custom_vjp."
    )


linear_call_p.impl = _impl
linear_call_p.evaluate = lambda *args, callee, **params: evaluate_jaxpr(callee, args)
linear_call_p.shape_rule = _shape
linear_call_p.jvp = _jvp
linear_call_p.transpose = _transpose
linear_call_p.batch = _batch
