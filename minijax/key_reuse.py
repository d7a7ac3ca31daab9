"""What the flag jax_debug_key_reuse asks for: an error where a random key is used for the second time.

Every operation has a *signature*, which says what it does to keys:

    sinks      operands whose keys it uses up; of an array of keys perhaps only some, as a boolean mask says
    sources    results that are new keys, as those of `split` are
    forwards   results that are the keys of an operand

A program has one too, which follows from those of its equations. It is found when the program is called, and an
error is raised if the program itself uses a key twice: programs are checked without being run. The rules are those
of JAX's checker. `fold_in` uses nothing up, as one folds many numbers into one key; what `clone` returns is new.

Outside of programs every operation marks the arrays of keys that it uses up. Raw keys, which are arrays of
integers like others, are followed there as well (JAX does not), by their numbers: those of a key that was used may
not be used again, unless PRNGKey, split or fold_in has made them anew.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from minijax import dtypes
from minijax.array import ArrayImpl
from minijax.config import debug_key_reuse
from minijax.errors import KeyReuseError
from minijax.source_info import Source, user_source

__all__ = ["follow_keys", "handling_raw_keys", "signature_of"]

# Of an array of keys those that are meant: all (True), none (False), or an array of booleans.
Mask = Any


class Signature(NamedTuple):
    """What an operation or a program does to keys, by the numbers of its operands and results."""

    sinks: dict[int, Mask] = {}
    sources: frozenset[int] = frozenset()
    forwards: dict[int, int] = {}


def _is_key(x: Any) -> bool:
    return getattr(x, "dtype", None) is dtypes.key_fry


def _any(mask: Mask) -> bool:
    return bool(np.any(mask))


def _in_shape(mask: Mask, before: tuple[int, ...], after: tuple[int, ...]) -> Mask:
    """A mask for keys that have got another shape; if they are fewer or more, any of them stands for all."""
    if before == after or np.ndim(mask) == 0:
        return mask
    return np.reshape(mask, after) if np.size(mask) == math.prod(after) else _any(mask)


# ----------------------------------------------------------------- signatures of operations

_FIRST = frozenset([0])
_MAKES = Signature(sources=_FIRST)
_PASSES_ON = Signature(forwards={0: 0})
_FIXED = {
    **dict.fromkeys(["random_bits", "random_gamma"], Signature(sinks={0: True})),
    "random_split": Signature(sinks={0: True}, sources=_FIRST),
    **dict.fromkeys(["random_seed", "random_fold_in", "random_wrap", "random_clone"], _MAKES),
    **dict.fromkeys(["random_unwrap", "debug_callback", "eq", "ne"], Signature()),
    **dict.fromkeys(["broadcast_in_dim", "copy", "convert_element_type", "reshape", "squeeze"], _PASSES_ON),
    **dict.fromkeys(["dynamic_slice", "gather"], _PASSES_ON),
    **dict.fromkeys(["transpose", "rev"], Signature(sinks={0: True}, sources=_FIRST)),
    "dynamic_update_slice": Signature(sinks={1: True}, forwards={0: 0}),
    "scatter": Signature(sinks={2: True}, forwards={0: 0}),
}


def _slice(operands: Sequence[Any], params: dict[str, Any]) -> Signature:
    starts, limits = params["start_indices"], params["limit_indices"]
    used = np.zeros(operands[0].shape, bool)
    used[tuple(map(slice, starts, limits, params["strides"] or (None,) * len(starts)))] = True
    return Signature(sinks={0: used}, sources=_FIRST)


def _concatenate(operands: Sequence[Any], params: dict[str, Any]) -> Signature:
    return _PASSES_ON if len(operands) == 1 else Signature(dict.fromkeys(range(len(operands)), True), _FIRST)


def _select(operands: Sequence[Any], params: dict[str, Any]) -> Signature:
    """Whichever is chosen, all are used up: nobody can tell which are left."""
    return Signature(dict.fromkeys(range(1, len(operands)), True), _FIRST)


def _custom(operands: Sequence[Any], params: dict[str, Any]) -> Signature | None:
    """Outside of programs a function with rules of its own runs as it is: what it does is followed step by step."""
    closed = params["call_jaxpr"]
    return signature_of(closed) if hasattr(closed, "jaxpr") else None


def _remat(operands: Sequence[Any], params: dict[str, Any]) -> Signature:
    """A derivative computes anew what was computed before, with the same keys, rightly."""
    return Signature() if params["differentiated"] else signature_of(params["jaxpr"])


def _cond(operands: Sequence[Any], params: dict[str, Any]) -> Signature:
    """What any branch uses may have been used; what is new in one, and handed on by others, counts as new."""
    found = [signature_of(branch) for branch in params["branches"]]
    forwards = set.intersection(*[set(signature.forwards.items()) for signature in found])
    sources = frozenset.intersection(*[signature.sources.union(signature.forwards) for signature in found])
    sources -= {out for out, _ in forwards}
    sinks: dict[int, Mask] = {}
    for signature in found:
        handed_on = {i: True for out, i in signature.forwards.items() if out in sources}
        for i, mask in (*signature.sinks.items(), *handed_on.items()):
            sinks[i + 1] = np.logical_or(sinks.get(i + 1, False), mask)
    return Signature(sinks, sources, {out: i + 1 for out, i in forwards})


def _scan(operands: Sequence[Any], params: dict[str, Any]) -> Signature:
    num_consts, num_carry = params["num_consts"], params["num_carry"]
    body = signature_of(params["jaxpr"])
    _check_turns("scan", body, num_consts, num_carry, body.sources)
    return body


def _while(operands: Sequence[Any], params: dict[str, Any]) -> Signature:
    condition, body = signature_of(params["cond_jaxpr"]), signature_of(params["body_jaxpr"])
    cond_nconsts, body_nconsts = params["cond_nconsts"], params["body_nconsts"]
    num_carry = len(operands) - cond_nconsts - body_nconsts
    by_condition = _check_turns("while_loop, in its predicate,", condition, cond_nconsts, num_carry, body.sources)
    by_body = _check_turns("while_loop", body, body_nconsts, num_carry, body.sources)
    if by_condition & by_body:
        raise KeyReuseError("while_loop: its predicate and its body use one and the same key, which is in the carry.")
    consts = {i + cond_nconsts: mask for i, mask in body.sinks.items()}
    forwards = {out: operand + cond_nconsts for out, operand in body.forwards.items()}
    carried = {i + cond_nconsts + body_nconsts: True for i in by_condition}
    return Signature({**consts, **carried}, body.sources, forwards)


def _check_turns(what: str, body: Signature, num_consts: int, num_carry: int, sources: frozenset[int]) -> set[int]:
    """The parts of the carry that a turn uses. Raise KeyReuseError if the next turn would use the same keys."""
    if any(i < num_consts for i in body.sinks):
        raise KeyReuseError(
            f"{what} uses a key in every turn that comes from outside of the loop, so that all turns see the same "
            "random numbers."
        )
    used = {i - num_consts for i in body.sinks if i - num_consts < num_carry}
    if not used <= sources:
        raise KeyReuseError(
            f"{what} uses a key of its carry and hands it on to the next turn, instead of a new one, so that all turns "
            "see the same random numbers."
        )
    return used


_BY_OPERANDS: dict[str, Callable[[Sequence[Any], dict[str, Any]], Signature | None]] = {
    "slice": _slice,
    "concatenate": _concatenate,
    "stack": _concatenate,
    "select_n": _select,
    "jit": lambda operands, params: signature_of(params["jaxpr"]),
    "custom_jvp_call": _custom,
    "custom_vjp_call": _custom,
    "remat2": _remat,
    "cond": _cond,
    "scan": _scan,
    "while": _while,
}


def _known_signature(name: str, operands: Sequence[Any], params: dict[str, Any]) -> Signature | None:
    rule = _BY_OPERANDS.get(name)
    return _FIXED.get(name) if rule is None else rule(operands, params)


# ----------------------------------------------------------------- programs


def signature_of(closed: Any) -> Signature:
    """What a program does to keys; its constants count as operands behind the others. Raises KeyReuseError."""
    return closed.derived("key reuse", lambda: _Uses().of_program(closed.jaxpr))


class _Uses:
    """Which keys a program has used, equation by equation."""

    def __init__(self) -> None:
        self.used: dict[Any, Mask] = {}
        self.places: dict[Any, str] = {}
        self.same: dict[Any, Any] = {}

    def origin(self, v: Any) -> Any:
        """The variable whose keys `v` has."""
        while v in self.same:
            v = self.same[v]
        return v

    def of_program(self, jaxpr: Any) -> Signature:
        """The signature of all equations together."""
        for eqn in jaxpr.eqns:
            self.add(eqn)
        inputs = {v: i for i, v in enumerate([*jaxpr.invars, *jaxpr.constvars])}
        sinks = {i: self.used[v] for v, i in inputs.items() if _any(self.used.get(v, False))}
        keys = [(i, self.origin(v)) for i, v in enumerate(jaxpr.outvars) if _is_key(v.aval)]
        forwards = {i: inputs[v] for i, v in keys if v in inputs}
        return Signature(sinks, frozenset([i for i, v in keys if v not in inputs and not _any(self.used[v])]), forwards)

    def add(self, eqn: Any) -> None:
        """Note what one equation does."""
        operands = [v.aval for v in eqn.invars]
        if not any(map(_is_key, [*operands, *[v.aval for v in eqn.outvars]])):
            return
        signature = _known_signature(eqn.primitive.name, operands, eqn.params)
        if signature is None:  # nothing is known of it: it uses everything, and makes nothing to be used
            signature = Signature({i: True for i, x in enumerate(operands) if _is_key(x)})
        for i, mask in signature.sinks.items():
            if i < len(operands) and _is_key(operands[i]):  # the rest are constants of what it calls
                self.use(eqn, eqn.invars[i], mask)
        for i, v in enumerate(eqn.outvars):
            if i in signature.forwards:
                self.same[v] = eqn.invars[signature.forwards[i]]
            elif _is_key(v.aval):
                self.used[v] = i not in signature.sources

    def use(self, eqn: Any, v: Any, mask: Mask) -> None:
        """Mark keys as used. Raise KeyReuseError if some are already."""
        origin = self.origin(v)
        mask = _in_shape(mask, v.aval.shape, origin.aval.shape)
        place = f"{eqn.primitive.name}{f' at {eqn.source}' if eqn.source else ''}"
        before = self.used.get(origin, False)
        if _any(np.logical_and(before, mask)):
            first = self.places.get(origin, "the operation that made it")
            raise KeyReuseError(
                f"A random key is used twice in a program: {place} is given a key that {first} has used."
            )
        self.used[origin] = np.logical_or(before, mask)
        self.places.setdefault(origin, place)


# ----------------------------------------------------------------- arrays


class _State:
    """What is known of a concrete array of keys: which of them were used, and where first."""

    __slots__ = ("place", "reference", "used", "words")

    def __init__(self, x: ArrayImpl, used: Mask = False, place: Source | None = None, words: np.ndarray | None = None):
        self.used, self.place = used, place
        # The numbers of raw keys, by which these are followed.
        self.words = words
        number = id(x)
        self.reference = weakref.ref(x, lambda _: _states.pop(number, None))


_states: dict[int, _State] = {}
# Numbers of raw keys that were used or cloned: how often they may be used yet, and where they were used last.
# Others may be used once. There are no more of them than the last so many.
_words: dict[tuple[int, int], tuple[int, Source | None]] = {}
_WORDS_LIMIT = 100_000
_raw: ContextVar[bool] = ContextVar("handling_raw_keys", default=False)


@contextmanager
def handling_raw_keys() -> Iterator[None]:
    """While it lasts, keys that are wrapped or unwrapped are the user's raw keys in another form."""
    token = _raw.set(True)
    try:
        yield
    finally:
        _raw.reset(token)


def follow_keys(prim: Any, args: Sequence[Any], params: dict[str, Any], out: Any) -> None:
    """Note which keys an evaluated operation has used, and which it has made. Raises KeyReuseError."""
    outs = out if prim.multiple_results else [out]
    if _raw.get() and _follow_raw_keys(prim.name, args, outs):
        return
    if not debug_key_reuse.value:
        return
    if prim.name == "jit":
        args = [*args, *params["jaxpr"].consts]
    if not any(map(_is_key, args)) and not any(map(_is_key, outs)):
        return
    signature = _known_signature(prim.name, args, params)
    if signature is None:
        return
    states = {i: _state_of(x) for i, x in enumerate(args) if type(x) is ArrayImpl and _is_key(x)}
    for i, mask in signature.sinks.items():
        if i in states:
            _use(prim.name, args[i], states[i], mask)
    for i, x in enumerate(outs):
        if _is_key(x):
            origin = signature.forwards.get(i)
            if origin in states:
                _hand_on(states[origin], args[origin].shape, _state_of(x), x.shape)
            else:
                _state_of(x).used = i not in signature.sources
    if prim.name == "random_clone" and states[0].words is not None:
        _state_of(out).words = states[0].words
        _allow(_selected(states[0].words, out.shape, True), 1, None)


def _hand_on(before: _State, shape: tuple[int, ...], after: _State, new_shape: tuple[int, ...]) -> None:
    after.used = _in_shape(before.used, shape, new_shape)
    after.place = before.place
    after.words = before.words if shape == new_shape else None


def _state_of(x: ArrayImpl) -> _State:
    state = _states.get(id(x))
    if state is None or state.reference() is not x:
        state = _states[id(x)] = _State(x)
    return state


def _use(name: str, x: ArrayImpl, state: _State, mask: Mask) -> None:
    place = user_source()
    words = [] if state.words is None else _selected(state.words, x.shape, mask)
    reused = next((w for w in words if _words.get(w, (1, None))[0] < 1), None)
    if reused is not None or _any(np.logical_and(state.used, mask)):
        before = state.place if reused is None else _words[reused][1]
        raise KeyReuseError(
            f"A random key is used twice: {name}{f' at {place}' if place else ''} is given a key that has been used"
            f"{f' at {before}' if before else ' before'}."
        )
    state.used = np.logical_or(state.used, mask)
    state.place = state.place or place
    _allow(words, -1, place)


def _selected(words: np.ndarray, shape: tuple[int, ...], mask: Mask) -> list[tuple[int, int]]:
    return [(int(a), int(b)) for a, b in words[np.broadcast_to(mask, shape)]]


def _allow(words: Sequence[tuple[int, int]], more: int, place: Source | None) -> None:
    """Raw keys of these numbers may be used so often more."""
    for w in words:
        _words[w] = _words.get(w, (1, None))[0] + more, place
    if len(_words) > _WORDS_LIMIT:
        for old in list(_words)[:-_WORDS_LIMIT]:
            _words.pop(old, None)


def _follow_raw_keys(name: str, args: Sequence[Any], outs: Sequence[Any]) -> bool:
    """Raw keys that get a type, or keys that have been made and lose theirs. Whether it was one of these."""
    if name == "random_wrap":
        _states[id(outs[0])] = _State(outs[0], words=np.asarray(args[0]))
    elif name == "random_unwrap":
        if _words and _state_of(args[0]).words is None:  # else it is a clone, and not a new key
            for w in _selected(outs[0]._data, outs[0].shape[:-1], True):
                _words.pop(w, None)
    else:
        return False
    return True


def raw_keys_matter() -> bool:
    """Whether anybody follows raw keys, or has done so."""
    return bool(_words) or debug_key_reuse.value
