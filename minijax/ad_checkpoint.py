"""jax.checkpoint: functions whose gradient computes intermediate values anew instead of keeping them.

How a derivative is cut in two by a policy is in `policy_split.py`, the primitive in `primitives/checkpoint.py`, the
policies in `saving_policies.py`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import minijax.primitives.loops_under_policies  # noqa: F401  scan, cond and while learn what a policy is
from minijax import config
from minijax.api import make_jaxpr
from minijax.arguments import check_callable, is_tracer, operands_of
from minijax.autodiff import vjp
from minijax.caches import cache_of
from minijax.core import ShapedArray, get_aval
from minijax.errors import ConcretizationTypeError
from minijax.jaxpr import ClosedJaxpr, Eqn, Literal, stage
from minijax.jitted import flat_function, fun_name
from minijax.policy_split import Offloadable as Offloadable
from minijax.policy_split import Policy
from minijax.policy_split import Recompute as Recompute
from minijax.policy_split import Saveable as Saveable
from minijax.primitives.calls import hoist_constants
from minijax.primitives.checkpoint import remat_p
from minijax.primitives.conversion import reduce_precision_p
from minijax.primitives.naming import checkpoint_name as checkpoint_name
from minijax.primitives.naming import name_p
from minijax.saving_policies import checkpoint_policies as checkpoint_policies
from minijax.tracebacks import api_boundary
from minijax.tree_util import broadcast_prefix, keystr, tree_flatten, tree_flatten_with_path, tree_unflatten

__all__ = [
    "Offloadable",
    "Recompute",
    "Saveable",
    "checkpoint_name",
    "checkpoint_policies",
    "print_saved_residuals",
]


class _Deprecated:
    def __repr__(self) -> str:
        return "Deprecated"


_DEPRECATED = _Deprecated()


@api_boundary
def checkpoint(
    fun: Callable,
    *,
    prevent_cse: bool | Sequence[bool] = True,
    policy: Policy | None = None,
    static_argnums: int | tuple[int, ...] = (),
    static_argnames: str | Iterable[str] = (),
    concrete: Any = _DEPRECATED,
) -> Callable:
    """`fun`, whose intermediate values reverse mode computes anew instead of keeping, but for what `policy` keeps.

    The gradient of a chain of n equal steps keeps n values; with a checkpoint around every sqrt(n) of them it
    keeps 2 sqrt(n), for one more forward pass. Static arguments are given to `fun` as they are. prevent_cse (a
    bool, or a tree prefix of the arguments) changes nothing here. Also called remat.
    Source: https://docs.jax.dev/en/latest/gradient-checkpointing.html
    """
    check_callable("checkpoint", fun)
    _check_options(prevent_cse, concrete)
    numbers = (static_argnums,) if isinstance(static_argnums, int) else static_argnums
    names = (static_argnames,) if isinstance(static_argnames, str) else tuple(static_argnames)

    @api_boundary
    @functools.wraps(fun)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        static, rest, keywords = _static_arguments(numbers, names, args, kwargs)
        leaves, in_tree = tree_flatten((rest, keywords))
        operands = operands_of("checkpoint", leaves)
        avals = tuple([get_aval(x) for x in operands])
        consts, closed, out_tree = _traced(fun, static, in_tree, avals)
        barriers = prevent_cse
        if not isinstance(prevent_cse, bool):
            arguments = (rest, keywords) if keywords else rest
            barriers = (*[False] * len(consts), *broadcast_prefix(tuple(prevent_cse), arguments))
        outs = remat_p.bind(*consts, *operands, jaxpr=closed, differentiated=False, policy=policy, prevent_cse=barriers)
        return tree_unflatten(out_tree, outs)

    return checkpointed


def remat(
    fun: Callable,
    *,
    prevent_cse: bool = True,
    policy: Policy | None = None,
    static_argnums: int | tuple[int, ...] = (),
    concrete: Any = _DEPRECATED,
) -> Callable:
    """Another name of `checkpoint`."""
    return checkpoint(fun, prevent_cse=prevent_cse, policy=policy, static_argnums=static_argnums, concrete=concrete)


def _check_options(prevent_cse: Any, concrete: Any) -> None:
    if concrete is not _DEPRECATED:
        raise NotImplementedError("checkpoint: JAX has no `concrete` any more. Use static_argnums instead.")
    if not isinstance(prevent_cse, bool | Sequence):
        raise TypeError(f"checkpoint: prevent_cse must be a bool or a tuple of bools, got {prevent_cse!r}.")


# ----------------------------------------------------------------- static arguments, traces


class _Static:
    """A static argument in a cache key: compared by value, or by identity if it cannot be hashed."""

    __slots__ = ("value", "key")

    def __init__(self, value: Any):
        self.value = value
        try:
            self.key = hash(value)
        except TypeError:
            self.key = None

    def __hash__(self) -> int:
        return id(self.value) if self.key is None else self.key

    def __eq__(self, other: object) -> bool:
        if type(other) is not _Static or type(other.value) is not type(self.value):
            return False
        return self.value is other.value if self.key is None else self.key == other.key and self.value == other.value


def _static_arguments(
    numbers: Any, names: tuple[str, ...], args: tuple, kwargs: dict[str, Any]
) -> tuple[tuple, tuple, dict[str, Any]]:
    """Static arguments with their places, the other positional ones, the other keywords."""
    if not isinstance(numbers, tuple) or not all(isinstance(i, int) for i in numbers):
        raise TypeError(f"checkpoint: static_argnums must be an int or a tuple of ints, got {numbers!r}.")
    if not all(-len(args) <= i < len(args) for i in numbers):
        raise ValueError(
            f"checkpoint: static_argnums={numbers} names positions outside of the {len(args)} positional arguments. "
            "Count them from 0, or from the end with -1."
        )
    places = sorted({i % len(args) for i in numbers})
    rest = tuple([x for i, x in enumerate(args) if i not in places])
    static = tuple([(i, _Static(args[i])) for i in places])
    static += tuple([(name, _Static(kwargs[name])) for name in names if name in kwargs])
    return static, rest, {k: x for k, x in kwargs.items() if k not in names}


def _traced(
    fun: Callable, static: tuple, in_tree: Any, avals: tuple[ShapedArray, ...]
) -> tuple[list[Any], ClosedJaxpr, Any]:
    """Values that `fun` closes over, its jaxpr with them as leading arguments, and the tree of its result."""
    cache = cache_of(fun)
    key = ("checkpoint", static, in_tree, avals, config.trace_context())
    traced = cache.get(key)
    if traced is None:
        out_trees: list[Any] = []
        try:
            program = stage(flat_function(_with_static(fun, static), in_tree, out_trees), avals, fun_name(fun))
        except ConcretizationTypeError as error:
            error.args = (f"{error}\nIn jax.checkpoint such an argument can be static: static_argnums.",)
            raise
        consts, closed = hoist_constants(program)
        traced = consts, closed, out_trees[-1]
        if not any(map(is_tracer, [*consts, *[s.value for _, s in static]])):  # they must not outlive their trace
            traced = cache.keep(key, traced)
    return traced


def _with_static(fun: Callable, static: tuple) -> Callable:
    """`fun` as a function of its other arguments."""
    if not static:
        return fun

    def partial(*args: Any, **kwargs: Any) -> Any:
        full = list(args)
        for place, argument in static:
            if isinstance(place, int):
                full.insert(place, argument.value)
            else:
                kwargs[place] = argument.value
        return fun(*full, **kwargs)

    return partial


# ----------------------------------------------------------------- what is kept


def saved_residuals(f: Callable, *args: Any, **kwargs: Any) -> list[tuple[ShapedArray, str]]:
    """What reverse mode of f(*args, **kwargs) keeps from the forward pass: avals, and where they come from."""
    paths, in_tree = tree_flatten_with_path((args, kwargs))
    leaves = [x for _, x in paths]

    def of_leaves(*leaves: Any) -> Any:
        args, kwargs = tree_unflatten(in_tree, leaves)
        return f(*args, **kwargs)

    closed = make_jaxpr(lambda *leaves: tree_flatten(vjp(of_leaves, *leaves)[1])[0])(*leaves)
    jaxpr, names = closed.jaxpr, _argument_names(f, args, [path for path, _ in paths])
    # Rounding to the precision that a value has is no computation: what was rounded is looked for.
    rounded = {e.outvars[0]: e.invars[0] for e in jaxpr.eqns if e.primitive is reduce_precision_p}
    kept = {rounded.get(v, v) for v in jaxpr.outvars if type(v) is not Literal}
    found = [(v.aval, "from a literal") for v in jaxpr.outvars if type(v) is Literal]
    found += [(v.aval, "from a constant") for v in jaxpr.constvars if v in kept]
    found += [(v.aval, f"from the argument {n}") for v, n in zip(jaxpr.invars, names, strict=True) if v in kept]
    return found + [(v.aval, _origin(eqn)) for eqn in jaxpr.eqns for v in eqn.outvars if v in kept]


def _argument_names(f: Callable, args: tuple, paths: Sequence[Any]) -> list[str]:
    """Names of the leaves of (args, kwargs) as the signature of `f` gives them, such as `params['w'][0]`."""
    positional = _positional_names(f, len(args))
    out = []
    for which, part, *rest in paths:
        out.append((positional[part.idx] if which.idx == 0 else part.key) + keystr(tuple(rest)))
    return out


def _positional_names(f: Callable, count: int) -> list[str]:
    names: list[str] = []
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (ValueError, TypeError):  # a builtin
        parameters = []
    for p in parameters:
        if p.kind is p.VAR_POSITIONAL:
            names += [f"{p.name}[{i}]" for i in range(count - len(names))]
        elif p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD):
            names.append(p.name)
    return names if len(names) >= count else [f"args[{i}]" for i in range(count)]


def _origin(eqn: Eqn) -> str:
    where = "" if eqn.source is None else str(eqn.source)
    if eqn.primitive is name_p:
        return f"named '{eqn.params['name']}' from {where}"
    if eqn.primitive.name == "jit":
        return f"output of jitted function '{eqn.params['name']}' from {where}"
    return f"output of {eqn.primitive.name} from {where}"


def print_saved_residuals(f: Callable, *args: Any, **kwargs: Any) -> None:
    """Print what reverse mode of f(*args, **kwargs) keeps from the forward pass, a line for each array."""
    for aval, source in saved_residuals(f, *args, **kwargs):
        print(f"{aval.str_short()} {source}")
