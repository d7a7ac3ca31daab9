"""A jaxpr cut in two by what is known and by a policy that says which known values may be kept.

`jax.checkpoint` is about memory. Of a program whose arguments are partly unknown (tangents, say), the first half
computes what is known and runs now; the second half runs later. What it needs of the first, the *residuals*, has
to be kept until then. Cutting at what is unknown alone keeps much: of sin(sin(x)) with its tangent

    known   y = sin x;  c = cos x;  d = cos y          later   t c d

the residuals are c and d. A policy that saves nothing makes the second half compute them anew:

    known   y = sin x                                  later   y = sin x;  c = cos x;  d = cos y;  t c d

and now the only residual is x. So each value has two flags, not one: whether it is unknown, and whether it is
*there* in the second half without being kept. An equation of known operands always goes into the first half; if
the policy does not save it, it goes into the second as well. What is in vain in either is dropped afterwards.

JAX calls this partial evaluation with a policy (`partial_eval_jaxpr_custom`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from minijax.jaxpr import ClosedJaxpr, Eqn, Jaxpr, Literal, Var

Flags = Sequence[bool]
Policy = Callable[..., Any]


class Recomputed:
    """What a policy says of a value to compute anew."""

    def __repr__(self) -> str:
        return "Recompute"


class Saved:
    """What a policy says of a value to keep."""

    def __repr__(self) -> str:
        return "Saveable"


class Offloadable(NamedTuple):
    """What a policy says of a value to keep in another memory. There is one here: it is kept."""

    src: str
    dst: str


Recompute, Saveable = Recomputed(), Saved()


def nothing_saveable(*_: Any, **__: Any) -> bool:
    """Keep no value: what `jax.checkpoint` does without a policy."""
    return False


class Split(NamedTuple):
    """The halves of a jaxpr, and what they say about its results.

    known: known args -> (*known results, *residuals)
    later: (*residuals, *args that are there) -> results that are there
    """

    known: ClosedJaxpr
    later: ClosedJaxpr
    unknown_out: list[bool]
    there_out: list[bool]
    num_residuals: int


class SplitEqn(NamedTuple):
    """The halves of one equation: what a primitive's `split` rule makes of it. Either may be None."""

    known: Eqn | None
    later: Eqn | None
    unknown_out: Flags
    there_out: Flags
    residuals: list[Var]


def split_jaxpr(
    closed: ClosedJaxpr,
    unknown: Flags,
    there: Flags,
    policy: Policy,
    make_unknown: Flags = (),
    make_there: Flags = (),
) -> Split:
    """Cut a jaxpr, given which arguments are unknown and which are there in the second half.

    Results that are to be made unknown, or there, are so in any case. Raises TypeError if the policy returns what
    is no answer.
    """
    none = (False,) * len(closed.jaxpr.outvars)
    key = ("split", tuple(unknown), tuple(there), policy, tuple(make_unknown), tuple(make_there))
    return closed.derived(
        key, lambda: _Splitter(policy).cut(closed, unknown, there, make_unknown or none, make_there or none)
    )


class _Splitter:
    def __init__(self, policy: Policy):
        self.policy = policy
        self.unknown: dict[Var, bool] = {}
        self.there: dict[Var, bool] = {}
        self.residuals: dict[Var, None] = {}  # an ordered set
        self.known_eqns: list[Eqn] = []
        self.later_eqns: list[Eqn] = []

    def write(self, variables: Sequence[Var], unknown: Flags, there: Flags) -> None:
        self.unknown.update(zip(variables, unknown, strict=True))
        self.there.update(zip(variables, there, strict=True))

    def flags(self, atoms: Sequence[Any]) -> tuple[list[bool], list[bool]]:
        """Which of the operands are unknown, and which are there; literals are known and there."""
        return [self.unknown.get(v, False) for v in atoms], [self.there.get(v, True) for v in atoms]

    def keep(self, atoms: Sequence[Any]) -> None:
        """The second half reads these: those that are not there become residuals."""
        self.residuals.update((v, None) for v in atoms if type(v) is Var and not self.there[v])

    def cut(self, closed: ClosedJaxpr, unknown: Flags, there: Flags, make_unknown: Flags, make_there: Flags) -> Split:
        jaxpr = closed.jaxpr
        for v in jaxpr.constvars:
            self.write([v], [False], [True])
        self.write(jaxpr.invars, unknown, there)
        for eqn in jaxpr.eqns:
            self.equation(eqn)
        unknown_out, there_out = self.flags(jaxpr.outvars)
        self.keep([v for v, make in zip(jaxpr.outvars, make_there, strict=True) if make])
        unknown_out = [u or make for u, make in zip(unknown_out, make_unknown, strict=True)]
        there_out = [t or make for t, make in zip(there_out, make_there, strict=True)]
        residuals = list(self.residuals)
        known = Jaxpr(
            jaxpr.constvars,
            picked(jaxpr.invars, unknown, False),
            self.known_eqns,
            [*picked(jaxpr.outvars, unknown_out, False), *residuals],
        )
        later = Jaxpr(
            jaxpr.constvars,
            [*residuals, *picked(jaxpr.invars, there)],
            self.later_eqns,
            picked(jaxpr.outvars, there_out),
        )
        return Split(closed.replace(jaxpr=known), closed.replace(jaxpr=later), unknown_out, there_out, len(residuals))

    def equation(self, eqn: Eqn) -> None:
        rule = eqn.primitive.split or split_first_order
        parts = rule(self.policy, eqn, *self.flags(eqn.invars))
        if parts.known is not None:
            self.known_eqns.append(parts.known)
        if parts.later is not None:
            self.later_eqns.append(parts.later)
        self.residuals.update((v, None) for v in parts.residuals)
        self.write(eqn.outvars, parts.unknown_out, parts.there_out)


def split_first_order(policy: Policy, eqn: Eqn, unknown: Flags, there: Flags) -> SplitEqn:
    """The halves of an equation that calls no jaxpr: it goes into one, or as it is into both."""
    count = len(eqn.outvars)
    yes, no = [True] * count, [False] * count
    if any(unknown):
        return SplitEqn(None, eqn, yes, yes, read_but_not_there(eqn, there))
    # What has effects runs once.
    if eqn.effects or is_saved(policy, eqn):
        return SplitEqn(eqn, None, no, no, [])
    return SplitEqn(eqn, eqn, no, yes, read_but_not_there(eqn, there))


def is_saved(policy: Policy, eqn: Eqn) -> bool:
    """Whether the policy keeps the results of an equation. Raises TypeError for another answer than it may give."""
    answer = policy(eqn.primitive, *[v.aval for v in eqn.invars], **eqn.params)
    if not isinstance(answer, bool | Recomputed | Saved | Offloadable):
        raise TypeError(
            f"the policy of a checkpoint returned {answer!r} of type {type(answer).__name__} for the primitive "
            f"{eqn.primitive}. Return a bool, or Saveable, Recompute or Offloadable(src, dst) of jax.ad_checkpoint."
        )
    return answer if isinstance(answer, bool) else not isinstance(answer, Recomputed)


def picked(xs: Sequence[Any], flags: Flags, wanted: bool = True) -> list[Any]:
    """Those whose flag is as wanted."""
    return [x for x, flag in zip(xs, flags, strict=True) if flag == wanted]


def read_but_not_there(eqn: Eqn, there: Flags) -> list[Var]:
    """Operands of an equation that the second half has to be given."""
    return [v for v, t in zip(eqn.invars, there, strict=True) if type(v) is not Literal and not t]
