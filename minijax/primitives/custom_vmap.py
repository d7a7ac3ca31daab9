"""custom_vmap_call: the call of a function whose batching rule the user gives.

    custom_vmap_call[call rule in_tree out_tree] *operands  ->  *results

rule(axis_size, which operands are batched, operands) -> (results, which results are batched); batched ones carry the
axis in front.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from minijax import compiler, dtypes
from minijax.batching import place_batch_axis
from minijax.core import Primitive, ShapedArray
from minijax.jaxpr import ClosedJaxpr, Eqn
from minijax.jaxpr_transforms import batch_jaxpr, jvp_jaxpr
from minijax.jvp import jvp_flat
from minijax.named_axes import axis_name_of
from minijax.policy_split import Flags, Policy, SplitEqn, split_first_order
from minijax.primitives.calls import evaluate_jaxpr, merge_tangents
from minijax.primitives.families import instantiate
from minijax.primitives.shaping import move_axis
from minijax.primitives.standard import zero_like
from minijax.tree_util import treedef_tuple

custom_vmap_p = Primitive("custom_vmap_call", multiple_results=True)
Rule = Callable[[int, Sequence[bool], Sequence[Any]], tuple[list[Any], list[bool]]]


def _impl(*buffers: np.ndarray, call: ClosedJaxpr, **params: Any) -> list[np.ndarray]:
    return compiler.run(call, buffers)


def _shape(*avals: ShapedArray, call: ClosedJaxpr, **params: Any) -> list[ShapedArray]:
    return call.out_avals


def _batch(
    axis_size: int, args: Sequence[Any], dims: Sequence[int | None], *, call: ClosedJaxpr, rule: Rule, **params: Any
) -> tuple[list[Any], list[int | None]]:
    if (axis_name_of(axis_size) or (None, False))[1]:  # pmap has no batching rules: each device calls the function
        batched, out_dims = batch_jaxpr(call, axis_size, tuple(dims))
        return batched(*args), out_dims
    operands = [x if d is None else move_axis(x, d, 0) for x, d in zip(args, dims, strict=True)]
    outs, batched = rule(axis_size, [d is not None for d in dims], operands)
    return outs, [0 if b else None for b in batched]


# ----------------------------------------------------------------- derivatives


def _jvp(
    primals: Sequence[Any], tangents: Sequence[Any], *, call: ClosedJaxpr, rule: Rule, in_tree: Any, out_tree: Any
) -> tuple[list[Any], list[Any]]:
    """A call of the derivative, whose batching rule is the derivative of the rule."""
    inexact = tuple([dtypes.is_inexact(a.dtype) for a in call.in_avals])
    results_inexact = tuple([dtypes.is_inexact(a.dtype) for a in call.out_avals])
    derivative, nonzero_out = jvp_jaxpr(call, inexact, results_inexact)
    given = [instantiate(t) for t, keep in zip(tangents, inexact, strict=True) if keep]
    results = custom_vmap_p.bind(
        *primals,
        *given,
        call=derivative,
        rule=_jvp_of_rule(rule, inexact, results_inexact),
        in_tree=treedef_tuple([in_tree, in_tree]),
        out_tree=treedef_tuple([out_tree, out_tree]),
    )
    outs = results[: len(nonzero_out)]
    return outs, merge_tangents(outs, nonzero_out, results[len(nonzero_out) :])


def _jvp_of_rule(rule: Rule, inexact: Sequence[bool], results_inexact: Sequence[bool]) -> Rule:
    """The rule for primals and tangents together: what is batched in one of the two is made so in both."""
    positions = [i for i, keep in enumerate(inexact) if keep]

    @functools.wraps(rule)
    def jvp_rule(size: int, batched: Sequence[bool], operands: Sequence[Any]) -> tuple[list[Any], list[bool]]:
        n = len(inexact)
        both = list(batched[:n])
        for i, b in zip(positions, batched[n:], strict=True):
            both[i] = both[i] or b
        wanted = [*both, *[both[i] for i in positions]]
        operands = [
            place_batch_axis(x, None, 0, size) if w and not b else x
            for x, b, w in zip(operands, batched, wanted, strict=True)
        ]
        found: list[bool] = []

        def run(*primals: Any) -> list[Any]:
            outs, out_batched = rule(size, both, primals)
            found.extend(out_batched)
            return outs

        given = dict(zip(positions, operands[n:], strict=True))
        tangents = [given.get(i, zero_like(x)) for i, x in enumerate(operands[:n])]
        outs, out_tangents = jvp_flat(run, operands[:n], tangents)
        kept = [i for i, keep in enumerate(results_inexact) if keep]
        return [*outs, *[instantiate(out_tangents[i]) for i in kept]], [*found, *[found[i] for i in kept]]

    return jvp_rule


def _no_reverse_mode(*args: Any, **params: Any) -> NoReturn:
    raise ValueError(
        "Linearization failed to produce known values: a custom_vmap function has no derivative in reverse mode, since "
        "its batching rule says nothing about one. Wrap it in a custom_vjp function, f = jax.custom_vjp(f) with "
        "f.defvjp(fwd, bwd); forward mode works as it is."
    )


def _split(policy: Policy, eqn: Eqn, unknown: Flags, there: Flags) -> SplitEqn:
    return _no_reverse_mode() if any(unknown) else split_first_order(policy, eqn, unknown, there)


custom_vmap_p.impl = _impl
custom_vmap_p.evaluate = lambda *args, call, **params: evaluate_jaxpr(call, args)
custom_vmap_p.shape_rule = _shape
custom_vmap_p.jvp = _jvp
custom_vmap_p.partial_eval = _no_reverse_mode
custom_vmap_p.transpose = _no_reverse_mode
custom_vmap_p.batch = _batch
custom_vmap_p.split = _split
