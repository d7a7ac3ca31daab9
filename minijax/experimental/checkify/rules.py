"""checkify: from a function that checks to one that returns its error.

The function is traced, and its program run once more, one equation after the other, with the error as one more value
that goes from equation to equation. What calls a program (jit, loops, branches, custom rules) is given the same
program with the error's arrays in front of its arguments and results.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from minijax.core import Primitive, ShapedArray, as_operand
from minijax.experimental.checkify.error_values import (
    Error,
    Site,
    check_p,
    error_of_leaves,
    init_error,
    leaf_avals,
)
from minijax.experimental.checkify.exceptions import ErrorCategory, Kind, user_checks
from minijax.experimental.checkify.operation_rules import Enabled, check_operation
from minijax.jaxpr import ClosedJaxpr, Eqn, Jaxpr, Var, last_uses, stage
from minijax.jaxpr_transforms import rearranged
from minijax.primitives.calls import split_list
from minijax.primitives.checkpoint import remat_p
from minijax.primitives.composite import composite_p
from minijax.primitives.cond import cond_p
from minijax.primitives.custom_rules import custom_jvp_call_p, custom_vjp_call_p
from minijax.primitives.jit import jit_p
from minijax.primitives.scan import scan_p
from minijax.primitives.while_loop import while_p
from minijax.tree_util import tree_flatten, tree_unflatten

Rule = Callable[[Error, Enabled, Eqn, list[Any]], tuple[Error, Sequence[Any]]]


def checkify(f: Callable, errors: frozenset[ErrorCategory] = user_checks) -> Callable[..., tuple[Error, Any]]:
    """`f` as a function that returns (error, f(...)): the first of the `errors` that happened while it ran.

    `user_checks` are its own calls of `check`; `nan_checks`, `div_checks` and `index_checks` (with the unions
    `float_checks`, `automatic_checks`, `all_checks`) are put at each operation. It may be jitted, batched and
    differentiated. Raises ValueError for a loop whose predicate has been batched: batch the checkified function.
    Source: https://docs.jax.dev/en/latest/debugging/checkify_guide.html
    """
    enabled = frozenset(errors)

    def checked_fun(*args: Any, **kwargs: Any) -> tuple[Error, Any]:
        trees: list[Any] = []

        def closed_over() -> list[Any]:
            outs, tree = tree_flatten(f(*args, **kwargs))
            trees.append(tree)
            return outs

        closed = stage(closed_over, [], "checkify")
        error, outs = _run(closed.jaxpr, closed.consts, enabled, init_error, [])
        return error, tree_unflatten(trees[0], map(as_operand, outs))

    return checked_fun


def _run(
    jaxpr: Jaxpr, consts: Sequence[Any], enabled: Enabled, error: Error, args: Sequence[Any]
) -> tuple[Error, list[Any]]:
    """Run a program: the error after it, and its results."""
    env: dict[Any, Any] = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*consts, *args], strict=True))
    for eqn, dead in zip(jaxpr.eqns, last_uses(jaxpr), strict=True):
        operands = [env[v] if type(v) is Var else v.val for v in eqn.invars]
        error, outs = _RULES.get(eqn.primitive, _operation)(error, enabled, eqn, operands)
        env.update(zip(eqn.outvars, outs, strict=True))
        for v in dead:
            env.pop(v, None)
    return error, [env[v] if type(v) is Var else v.val for v in jaxpr.outvars]


def _operation(error: Error, enabled: Enabled, eqn: Eqn, operands: list[Any]) -> tuple[Error, Sequence[Any]]:
    out = eqn.primitive.bind(*operands, **eqn.params)
    results = out if eqn.primitive.multiple_results else [out]
    return check_operation(error, enabled, eqn, operands, results), results


def _check(error: Error, enabled: Enabled, eqn: Eqn, operands: list[Any]) -> tuple[Error, list[Any]]:
    """What `check` would raise joins the error, if it is of those that are looked for; else it is dropped."""
    new = tree_unflatten(eqn.params["err_tree"], operands)
    for kind, state in new.states.items():
        if kind.category in enabled:
            error = error.joined(kind, state)
    return error.with_sites(new.sites), []


# ----------------------------------------------------------------- programs inside of programs


class Checked(NamedTuple):
    """A program with the error in front: (*error, *arguments) -> (*error, *results).

    Its arguments have the kinds of error that it was made for, its results those and what it added.
    """

    closed: ClosedJaxpr
    kinds: tuple[Kind, ...]
    sites: dict[int, Site]

    def error_and_rest(self, before: Error, results: Sequence[Any]) -> tuple[Error, Sequence[Any]]:
        """The error and the results proper out of what it returned, given the error before it ran."""
        count = len(leaf_avals(self.kinds))
        error = error_of_leaves(self.kinds, results[:count])
        return error.with_sites({**before.sites, **self.sites}), results[count:]


def _checked(closed: ClosedJaxpr, enabled: Enabled, kinds: tuple[Kind, ...]) -> Checked:
    """A program for an error of these kinds."""

    def run(error: Error, args: Sequence[Any]) -> tuple[Error, list[Any]]:
        return _run(closed.jaxpr, closed.consts, enabled, error, args)

    return closed.derived(("checkify", enabled, kinds), lambda: _staged(run, kinds, closed.in_avals))


def _staged(run: Callable, kinds: tuple[Kind, ...], in_avals: Sequence[ShapedArray]) -> Checked:
    """run(error, arguments) -> (error, results), as a program."""
    found: list[Error] = []
    avals = leaf_avals(kinds)

    def fun(*flat: Any) -> list[Any]:
        error, outs = run(error_of_leaves(kinds, flat[: len(avals)]), flat[len(avals) :])
        found.append(error)
        return [*error.leaves(), *outs]

    program = stage(fun, [*avals, *in_avals], "checkify")
    return Checked(program, found[0].kinds, found[0].sites)


def _behind_consts(checked: Checked, num_error: int, num_consts: int) -> ClosedJaxpr:
    """The program with its constants in front of the error, which is then a part of a carry."""
    consts = range(num_error, num_error + num_consts)
    rest = range(num_error + num_consts, len(checked.closed.in_avals))
    return rearranged(checked.closed, [*consts, *range(num_error), *rest])


def _call(param: str, error: Error, enabled: Enabled, eqn: Eqn, operands: list[Any]) -> tuple[Error, Sequence[Any]]:
    """A primitive that calls the program in its parameter `param`, and does nothing else."""
    checked = _checked(eqn.params[param], enabled, error.kinds)
    results = eqn.primitive.bind(*error.leaves(), *operands, **{**eqn.params, param: checked.closed})
    return checked.error_and_rest(error, results)


def _cond(error: Error, enabled: Enabled, eqn: Eqn, operands: list[Any]) -> tuple[Error, Sequence[Any]]:
    """All branches return the same kinds of error: those that any of them may have."""
    branches = eqn.params["branches"]
    error = error.with_kinds([kind for b in branches for kind in _checked(b, enabled, error.kinds).kinds])
    checked = [_checked(b, enabled, error.kinds) for b in branches]
    index, *rest = operands
    results = cond_p.bind(
        index, *error.leaves(), *rest, **{**eqn.params, "branches": tuple([c.closed for c in checked])}
    )
    sites = {number: site for c in checked for number, site in c.sites.items()}
    return checked[0].error_and_rest(error.with_sites(sites), results)


def _scan(error: Error, enabled: Enabled, eqn: Eqn, operands: list[Any]) -> tuple[Error, Sequence[Any]]:
    """The error is a part of the carry."""
    body, num_consts, num_carry = (eqn.params[name] for name in ("jaxpr", "num_consts", "num_carry"))
    error = error.with_kinds(_checked(body, enabled, error.kinds).kinds)
    checked = _checked(body, enabled, error.kinds)
    leaves = error.leaves()
    program = _behind_consts(checked, len(leaves), num_consts)
    consts, others = split_list(operands, num_consts)
    params = {**eqn.params, "jaxpr": program, "num_carry": num_carry + len(leaves)}
    return checked.error_and_rest(error, scan_p.bind(*consts, *leaves, *others, **params))


def _while(error: Error, enabled: Enabled, eqn: Eqn, operands: list[Any]) -> tuple[Error, Sequence[Any]]:
    """The error is a part of the carry. The predicate is checked for each carry, by the turn that made it."""
    condition, body = eqn.params["cond_jaxpr"], eqn.params["body_jaxpr"]
    if condition.out_avals[0].shape:
        raise ValueError(
            "checkify does not support a while_loop whose predicate has been batched, which goes on for examples that "
            "have ended. Batch the checkified function instead: jax.vmap(checkify.checkify(f)), not "
            "checkify.checkify(jax.vmap(f))."
        )
    cond_consts, body_consts, carry = split_list(operands, eqn.params["cond_nconsts"], eqn.params["body_nconsts"])
    error, _ = _run(condition.jaxpr, condition.consts, enabled, error, [*cond_consts, *carry])
    error = error.with_kinds(_turn(condition, body, len(cond_consts), enabled, error.kinds).kinds)
    checked = _turn(condition, body, len(cond_consts), enabled, error.kinds)
    leaves, num_consts = error.leaves(), len(cond_consts) + len(body_consts)
    results = while_p.bind(
        *[*cond_consts, *cond_consts, *body_consts, *leaves, *carry],
        cond_jaxpr=_ignoring_error(condition, enabled, error.kinds, len(cond_consts)),
        cond_nconsts=len(cond_consts),
        body_jaxpr=_behind_consts(checked, len(leaves), num_consts),
        body_nconsts=num_consts,
    )
    return checked.error_and_rest(error, results)


def _turn(
    condition: ClosedJaxpr, body: ClosedJaxpr, num_cond: int, enabled: Enabled, kinds: tuple[Kind, ...]
) -> Checked:
    """(*error, *cond consts, *body consts, *carry) -> (*error, *carry): one turn, and the predicate after it."""

    def run(error: Error, args: Sequence[Any]) -> tuple[Error, list[Any]]:
        cond_consts, rest = split_list(args, num_cond)
        error, after = _run(body.jaxpr, body.consts, enabled, error, rest)
        error, _ = _run(condition.jaxpr, condition.consts, enabled, error, [*cond_consts, *after])
        return error, after

    avals = [*condition.in_avals[:num_cond], *body.in_avals]
    return body.derived(("checkify", condition, num_cond, enabled, kinds), lambda: _staged(run, kinds, avals))


def _ignoring_error(condition: ClosedJaxpr, enabled: Enabled, kinds: tuple[Kind, ...], num_consts: int) -> ClosedJaxpr:
    """(*cond consts, *error, *carry) -> predicate, whose own checks are dropped."""
    avals = leaf_avals(kinds)

    def fun(*args: Any) -> list[Any]:
        consts, _, carry = split_list(args, num_consts, len(avals))
        return _run(condition.jaxpr, condition.consts, enabled, init_error, [*consts, *carry])[1]

    def make() -> ClosedJaxpr:
        in_avals = condition.in_avals
        return stage(fun, [*in_avals[:num_consts], *avals, *in_avals[num_consts:]], "checkify")

    return condition.derived(("without error", enabled, kinds, num_consts), make)


# ----------------------------------------------------------------- custom rules

# The function itself is checked. The user's rules are what they are: when the checkified function is
# differentiated, their own checks raise or are refused; the error passes by them.


def _custom_jvp(error: Error, enabled: Enabled, eqn: Eqn, operands: list[Any]) -> tuple[Error, Sequence[Any]]:
    error = _with_room(error, enabled, eqn)
    leaves, jvp = error.leaves(), eqn.params["jvp"]

    @functools.wraps(jvp)
    def passing_by(*flat: Any) -> list[Any]:
        primals, tangents = flat[: len(flat) // 2], flat[len(flat) // 2 :]
        results = jvp(*primals[len(leaves) :], *tangents[len(leaves) :])
        outs, out_tangents = results[: len(results) // 2], results[len(results) // 2 :]
        return [*primals[: len(leaves)], *outs, *tangents[: len(leaves)], *out_tangents]

    return _custom_call(error, enabled, eqn, operands, jvp=passing_by)


def _custom_vjp(error: Error, enabled: Enabled, eqn: Eqn, operands: list[Any]) -> tuple[Error, Sequence[Any]]:
    error = _with_room(error, enabled, eqn)
    fwd, bwd = eqn.params["fwd"], eqn.params["bwd"]
    count, num_outs = len(error.leaves()), len(eqn.outvars)

    @functools.wraps(fwd)
    def forward(*flat: Any, nonzero: Sequence[bool] | None = None) -> tuple[list[Any], list[Any]]:
        outs, residuals = fwd(*flat[count:], **({} if nonzero is None else {"nonzero": nonzero[count:]}))
        return [*flat[:count], *outs], residuals

    @functools.wraps(bwd)
    def backward(*flat: Any) -> list[Any]:
        residuals, cts = flat[: len(flat) - num_outs - count], flat[len(flat) - num_outs :]
        return [None] * count + list(bwd(*residuals, *cts))

    return _custom_call(error, enabled, eqn, operands, fwd=forward, bwd=backward)


def _with_room(error: Error, enabled: Enabled, eqn: Eqn) -> Error:
    """The error with all kinds that the function may add: its rules, which add none, return those that they take."""
    return error.with_kinds(_checked(eqn.params["call_jaxpr"], enabled, error.kinds).kinds)


def _custom_call(
    error: Error, enabled: Enabled, eqn: Eqn, operands: list[Any], **rules: Callable
) -> tuple[Error, Sequence[Any]]:
    num_consts = eqn.params["num_consts"]
    checked = _checked(eqn.params["call_jaxpr"], enabled, error.kinds)
    leaves = error.leaves()
    consts, rest = split_list(operands, num_consts)
    params = {**eqn.params, **rules, "call_jaxpr": _behind_consts(checked, len(leaves), num_consts)}
    return checked.error_and_rest(error, eqn.primitive.bind(*consts, *leaves, *rest, **params))


_RULES: dict[Primitive, Rule] = {
    check_p: _check,
    jit_p: functools.partial(_call, "jaxpr"),
    remat_p: functools.partial(_call, "jaxpr"),
    composite_p: functools.partial(_call, "jaxpr"),
    cond_p: _cond,
    scan_p: _scan,
    while_p: _while,
    custom_jvp_call_p: _custom_jvp,
    custom_vjp_call_p: _custom_vjp,
}
