"""What functions with a rule of their own share: arguments by position, and those that are not differentiated."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from minijax.batching import BatchTracer
from minijax.caches import KeepsItsTraces
from minijax.core import EVAL, ShapedArray, Tracer, current_trace, get_aval
from minijax.errors import UnexpectedTracerError
from minijax.jaxpr import JaxprTrace
from minijax.primitives.custom_rules import closed_over
from minijax.tree_util import tree_leaves, tree_unflatten


def positional(fun: Callable, kind: str, args: tuple, kwargs: dict[str, Any]) -> tuple:
    """All arguments by position, defaults filled in: rules know positions only.

    Raises TypeError if they do not fit the signature of `fun`, which is a `kind` function, or are keyword-only.
    """
    try:
        bound = inspect.signature(fun).bind(*args, **kwargs)
    except ValueError:  # a builtin without a signature
        return args
    except TypeError as error:
        raise TypeError(
            f"the arguments of the {kind} function {name_of(fun)} do not fit its signature: {error}."
        ) from error
    if bound.kwargs:
        raise TypeError(
            f"the {kind} function {name_of(fun)} got keyword-only arguments {sorted(bound.kwargs)}, and its rules can "
            "only be given positional arguments. Make them positional in its signature."
        )
    bound.apply_defaults()
    return bound.args


def arity_of(fun: Callable) -> int:
    """The number of parameters, if all of them may be given by position; else -1."""
    try:
        parameters = inspect.signature(fun).parameters.values()
    except ValueError:  # a builtin without a signature
        return -1
    plain = all(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
    return len(parameters) if plain else -1


def examples_in_closure(fun: Callable) -> list[Tracer]:
    """Examples of vmaps that `fun` closes over, as far as Python shows them.

    These vmaps must hear of the call, even if none of its arguments is their own. Staging finds out by itself.
    """
    if current_trace() is EVAL or isinstance(current_trace(), JaxprTrace):
        return []
    return [x for x in _tracers_in_closure(fun) if type(x) is BatchTracer]


def _tracers_in_closure(fun: Callable) -> list[Tracer]:
    found: dict[int, Tracer] = {}
    for cell in getattr(fun, "__closure__", None) or ():
        try:
            leaves = tree_leaves(cell.cell_contents)
        except ValueError:  # not yet bound
            continue
        found.update((id(x), x) for x in leaves if isinstance(x, Tracer))
    return [x for x in found.values() if x._trace.valid]


@contextmanager
def closures_explained(function: str, *funs: Callable) -> Iterator[None]:
    """Where a rule comes upon a tracer of the derivative that it is the rule of: it says nothing about that one."""
    try:
        yield
    except UnexpectedTracerError as error:
        if any(map(_tracers_in_closure, funs)):
            raise closed_over(function) from error
        raise


def without_first(fun: Callable, count: int) -> Callable:
    """`fun` with so many arguments more in front, which it does not see."""
    return (lambda *args: fun(*args[count:])) if count else fun


def name_of(fun: Callable) -> str:
    """How messages and jaxprs call a function."""
    return getattr(fun, "__name__", str(fun))


class FunctionWithRule(KeepsItsTraces):
    """A function with a rule, which stands in for the function: its name, documentation and attributes."""

    def __init__(self, fun: Callable):
        functools.update_wrapper(self, fun)
        self.fun = fun

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __getattr__(self, name: str) -> Any:
        # Of two rules around one function, each is defined by its method: @f.def_vmap where f is a custom_vjp.
        inner = self.__dict__.get("fun")
        if isinstance(inner, FunctionWithRule) and name.startswith("def"):
            return getattr(inner, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


class CustomFunction(FunctionWithRule):
    """A function with a derivative of its own, by some of its arguments."""

    kind: str
    _arity: int | None = None  # how many arguments need no second look; found at the first call

    def __init__(self, fun: Callable, nondiff_argnums: Sequence[int] = (), nondiff_argnames: Sequence[str] = ()):
        super().__init__(fun)
        named = set()
        if nondiff_argnames:
            parameters = inspect.signature(fun).parameters
            named = {i for i, name in enumerate(parameters) if name in nondiff_argnames}
        self.nondiff_argnums = tuple(sorted({*nondiff_argnums, *named}))

    @property
    def _name(self) -> str:
        return name_of(self.fun)

    def _positional(self, args: tuple, kwargs: dict[str, Any]) -> tuple:
        """As `positional`, which takes longer than all else where the arguments are as the signature has them."""
        if self._arity is None:
            self._arity = arity_of(self.fun)
        return args if not kwargs and len(args) == self._arity else positional(self.fun, self.kind, args, kwargs)

    def _split(self, args: tuple) -> tuple[list[Any], list[Any], Callable[[Sequence[Any]], list[Any]]]:
        """The non-differentiable arguments, the others, and how to put all back in their places."""
        numbers = [i if i >= 0 else i + len(args) for i in self.nondiff_argnums]
        if any(not 0 <= i < len(args) for i in numbers):
            raise IndexError(
                f"nondiff_argnums {self.nondiff_argnums} of {self._name} name positions outside its "
                f"{len(args)} arguments. Count them from 0."
            )
        nondiff = [args[i] for i in numbers]
        diff = [x for i, x in enumerate(args) if i not in numbers]

        def rebuild(dynamic: Sequence[Any]) -> list[Any]:
            rest = iter(dynamic)
            return [args[i] if i in numbers else next(rest) for i in range(len(args))]

        return nondiff, diff, rebuild


class ResultType:
    """Tree and avals of what the function itself returned, once it has run, to hold rules against it."""

    def __init__(self) -> None:
        self.tree: Any = None
        self.avals: list[ShapedArray] = []

    def note(self, leaves: Sequence[Any], tree: Any) -> None:
        """Remember a result of the function."""
        self.tree, self.avals = tree, [get_aval(x) for x in leaves]

    def check(self, leaves: Sequence[Any], tree: Any, rule: str, function: str) -> None:
        """Raise TypeError unless a rule's primal result is of the type of the function's, if it has run.

        Under jit the function has run: its result's type is part of the program around.
        """
        if self.tree is None:
            return
        got = [get_aval(x) for x in leaves]
        same = [(a.shape, a.dtype) for a in got] == [(a.shape, a.dtype) for a in self.avals]
        if tree == self.tree and same:
            return
        ours, theirs = (
            tree_unflatten(t, [a.str_short() for a in avals]) for t, avals in ((tree, got), (self.tree, self.avals))
        )
        raise TypeError(
            f"{rule} must produce a pair whose first element is like the result of {function}, which is {theirs}; "
            f"instead it is {ours}. Return what the function itself returns, in the same tree."
        )
