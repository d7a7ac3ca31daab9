"""Errors as values: which check failed first, and the numbers that its message shows.

An `Error` is a pytree. For each kind of error that its program can have it holds three things: whether there was one,
the number of the *site* where it was (a place in the program; numbers grow in the order of tracing), and the arrays
that the message of this kind shows. The first error of a kind stays. Of several kinds the one whose site comes first
in the program is shown, as in JAX.

The primitive `check` raises what an error holds. In a function under `checkify` it becomes a part of the
function's own error (see `rules.py`); in other programs it cannot run, as nothing can be raised there.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

import numpy as np

from minijax import lax
from minijax import numpy as jnp
from minijax.array import Array
from minijax.core import Primitive, ShapedArray, get_aval
from minijax.effects import Effect
from minijax.experimental.checkify.exceptions import (
    BatchedError,
    FailedCheckError,
    JaxException,
    Kind,
    Site,
)
from minijax.primitives.families import batch_axis_in_front
from minijax.source_info import user_source
from minijax.tree_util import register_pytree_node_class, tree_flatten, tree_unflatten


class State(NamedTuple):
    """Of one kind: whether there was an error, the number of its site, and what its message shows."""

    failed: Any
    number: Any
    payload: tuple[Any, ...]


_site_numbers = itertools.count(1)
_NO_SITE = np.int32(0)


def leaf_avals(kinds: Iterable[Kind]) -> list[ShapedArray]:
    """The avals of the leaves of an error that has these kinds."""
    flag, number = ShapedArray((), np.dtype(bool)), ShapedArray((), np.dtype(np.int32))
    return [aval for kind in kinds for aval in (flag, number, *kind.avals)]


# ----------------------------------------------------------------- the value


@register_pytree_node_class
class Error:
    """What went wrong in a program, if anything did: the first result of a function under `checkify`."""

    __slots__ = ("_sites", "_states")

    def __init__(self, states: Mapping[Kind, State], sites: Mapping[int, Site]):
        self._states = dict(states)
        self._sites = dict(sites)

    # ---- what users ask

    def get(self) -> str | None:
        """The message of the first error, None if there was none."""
        found = self.get_exception()
        return None if found is None else str(found)

    def get_exception(self) -> JaxException | None:
        """The first error as an exception that is not raised, None if there was none.

        Of an error that was made under vmap it has the errors of all examples.
        """
        shape = next((np.shape(state.failed) for state in self._states.values() if np.ndim(state.failed)), ())
        if not shape:
            return self._exception(())
        found = {i: self._exception(i) for i in np.ndindex(*shape)}
        found = {i: e for i, e in found.items() if e is not None}
        return BatchedError(found) if found else None

    def throw(self) -> None:
        """Raise JaxRuntimeError if there was an error. Inside of a function that is checkified it becomes its error."""
        raise_or_record(self)

    def __repr__(self) -> str:
        return f"Error({self.get()})"

    def _exception(self, index: tuple[int, ...]) -> JaxException | None:
        failed = [s for s in self._states.values() if np.asarray(s.failed)[index]]
        if not failed:
            return None
        first = min(failed, key=lambda s: int(np.asarray(s.number)[index]))
        site = self._sites[int(np.asarray(first.number)[index])]
        return site.exception([x[index] if index else x for x in first.payload])

    # ---- what the rules ask

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds that it has room for."""
        return tuple(self._states)

    @property
    def states(self) -> dict[Kind, State]:
        """What is known of each kind."""
        return self._states

    @property
    def sites(self) -> dict[int, Site]:
        """The sites by their numbers."""
        return self._sites

    def leaves(self) -> list[Any]:
        """Its arrays, as `leaf_avals` describes them."""
        return [x for state in self._states.values() for x in (state.failed, state.number, *state.payload)]

    def with_sites(self, sites: Mapping[int, Site]) -> Error:
        """The same error, which may be at these sites too."""
        return Error(self._states, {**self._sites, **sites})

    def with_kinds(self, kinds: Iterable[Kind]) -> Error:
        """The same error, with room for these kinds too."""
        states = {kind: self._states.get(kind) or _empty_state(kind) for kind in (*self._states, *kinds)}
        return Error(states, self._sites)

    def at_new_site(self, failed: Any, site: Site, payload: Sequence[Any]) -> Error:
        """With one more place in the program where something `failed`, unless it has an error of this kind."""
        number = next(_site_numbers)
        payload = tuple([jnp.asarray(x) for x in payload])
        kind = Kind(site.category, tuple([get_aval(x).strip_weak_type() for x in payload]))
        return self.joined(kind, State(failed, jnp.int32(number), payload)).with_sites({number: site})

    def joined(self, kind: Kind, new: State) -> Error:
        """With what is known of a kind from elsewhere; an error that is there already stays."""
        old = self._states.get(kind)
        if old is None:
            return Error({**self._states, kind: new}, self._sites)
        number = lax.select(old.failed, old.number, new.number)
        payload = [lax.select(old.failed, a, b) for a, b in zip(old.payload, new.payload, strict=True)]
        failed = lax.bitwise_or(old.failed, new.failed)
        return Error({**self._states, kind: State(failed, number, tuple(payload))}, self._sites)

    def tree_flatten(self) -> tuple[list[Any], Any]:
        """Its arrays, and everything else."""
        return self.leaves(), (self.kinds, tuple(self._sites.items()))

    @classmethod
    def tree_unflatten(cls, rest: Any, leaves: Iterable[Any]) -> Error:
        """The error of these arrays."""
        kinds, sites = rest
        return error_of_leaves(kinds, leaves).with_sites(dict(sites))


def error_of_leaves(kinds: Iterable[Kind], leaves: Iterable[Any]) -> Error:
    """The error that has these kinds and these arrays; what is at its sites is not known here."""
    values = iter(leaves)
    states = {}
    for kind in kinds:
        failed, number = next(values), next(values)
        states[kind] = State(failed, number, tuple([next(values) for _ in kind.avals]))
    return Error(states, {})


def _empty_state(kind: Kind) -> State:
    payload = tuple([jnp.zeros(aval.shape, aval.dtype) for aval in kind.avals])
    return State(jnp.asarray(False), jnp.asarray(_NO_SITE), payload)


init_error = Error({}, {})

# ----------------------------------------------------------------- the primitive


class JaxRuntimeError(ValueError):
    """A check failed: what `Error.throw`, `check` and `check_error` raise."""


class ErrorEffect(Effect):
    """Raises an exception."""

    def __str__(self) -> str:
        return "Error"


check_p = Primitive("check", multiple_results=True)
_error_effect = ErrorEffect()


def raise_or_record(error: Error, debug: bool = False) -> None:
    """Raise JaxRuntimeError if there is an error; in a program, bind the equation that stands for doing so."""
    if any(np.ndim(state.failed) for state in error.states.values()):
        error = _last_of_batch(error)
    leaves, tree = tree_flatten(error)
    check_p.bind(*leaves, err_tree=tree, debug=debug)


def _last_of_batch(error: Error) -> Error:
    """The error of the last example that has one, for each kind."""
    states = {}
    for kind, state in error.states.items():
        failed = jnp.ravel(state.failed)
        last = failed.size - 1 - jnp.argmax(failed[::-1])
        examples = [jnp.reshape(x, (-1, *aval.shape)) for x, aval in zip(state.payload, kind.avals, strict=True)]
        states[kind] = State(failed[last], jnp.ravel(state.number)[last], tuple([x[last] for x in examples]))
    return Error(states, error.sites)


def _evaluate(*leaves: Any, err_tree: Any, debug: bool) -> list[Any]:
    found = None if debug else tree_unflatten(err_tree, leaves).get_exception()
    if found is not None:
        raise JaxRuntimeError(str(found)) from found
    return []


def _impl(*buffers: Any, err_tree: Any, debug: bool) -> list[Any]:
    return [] if debug else _refuse(err_tree)


def _refuse(err_tree: Any) -> NoReturn:
    site = next(iter(tree_unflatten(err_tree, [None] * err_tree.num_leaves).sites.values()), None)
    where = f" at {site.source}" if site and site.source else ""
    raise ValueError(
        f"Cannot run a checkify.check{where} in a compiled program or in the body of a loop or branch, which cannot "
        "raise exceptions. Make the error a result of the function: checkify it around the transformation, "
        "`error, out = jax.jit(checkify.checkify(f))(x)`, and look at it afterwards, `error.throw()`. Or "
        "write checkify.debug_check, which is skipped unless the function is checkified."
    )


def _batch(
    axis_size: int, args: Sequence[Any], dims: Sequence[int | None], *, err_tree: Any, debug: bool
) -> tuple[list[Any], list[Any]]:
    leaves = [batch_axis_in_front(x, d, axis_size) for x, d in zip(args, dims, strict=True)]
    raise_or_record(tree_unflatten(err_tree, leaves), debug)
    return [], []


def _jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[list[Any], list[Any]]:
    return check_p.bind(*primals, **params), []


check_p.evaluate = _evaluate
check_p.impl = _impl
check_p.shape_rule = lambda *avals, **params: []
check_p.jvp = _jvp
check_p.transpose = lambda cts, *args, **params: [None] * len(args)
check_p.batch = _batch
check_p.effects = lambda params: _error_effect
check_p.printed = lambda params: {"debug": params["debug"]}

# ----------------------------------------------------------------- what users call


def check(pred: Any, msg: str, *fmt_args: Any, debug: bool = False, **fmt_kwargs: Any) -> None:
    """Raise JaxRuntimeError with the message `msg.format(*fmt_args, **fmt_kwargs)` unless the scalar `pred` is true.

    Under `checkify` it is the function's error instead. The arguments of the message are pytrees of arrays. With
    `debug` it does nothing outside of checkify. Raises TypeError for a `pred` that is no boolean scalar, ValueError
    in a compiled program that is not checkified.
    """
    name = "debug_check" if debug else "check"
    if not (isinstance(pred, bool) or (isinstance(pred, Array) and pred.shape == () and pred.dtype == np.bool_)):
        raise TypeError(
            f"{name} takes a scalar pred, a bool or a boolean array of shape (), but got {pred!r}. Write jnp.all(...)"
            " around what holds for each element."
        )
    payload, tree = tree_flatten((fmt_args, fmt_kwargs))
    for x in payload:
        if not isinstance(x, Array | np.ndarray):
            raise TypeError(
                f"{name}: the formatting arguments of its message must be arrays, or pytrees of them, but one is {x!r} "
                f"of type {type(x)}. What is known while tracing goes into the message itself: f'... {x!r} ...'."
            )
    site = Site(FailedCheckError, user_source(), (msg, tree))
    raise_or_record(init_error.at_new_site(jnp.logical_not(pred), site, payload), debug)


def debug_check(pred: Any, msg: str, *fmt_args: Any, **fmt_kwargs: Any) -> None:
    """A `check` that is done under `checkify` only, and left out in all other runs."""
    check(pred, msg, *fmt_args, debug=True, **fmt_kwargs)


def check_error(error: Error) -> None:
    """Raise JaxRuntimeError if the `error` of a function under checkify is one; under checkify, make it its error.

    Raises TypeError for what is no Error, ValueError in a compiled program that is not checkified.
    """
    if not isinstance(error, Error):
        raise TypeError(
            f"check_error takes an Error as argument, got type {type(error)} instead. It is the first result of a "
            "function that checkify made: error, out = checkify.checkify(f)(x)."
        )
    raise_or_record(error)
