"""From a jaxpr to something that runs: here, its equations one after the other on NumPy buffers.

`executable(closed)` is the one entry: what it returns takes and gives ndarrays. Passes, a
memory plan and generated source will stand behind the same entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minijax.compiler.checked import CheckedExecutable
from minijax.config import trace_context
from minijax.core import _FP_QUIET, _fp_state, as_array
from minijax.jaxpr import ClosedJaxpr, Literal, dce_jaxpr, last_uses
from minijax.nan_checks import locating

__all__ = ["Executable", "executable"]


class _Step(NamedTuple):
    impl: Any
    params: dict[str, Any]
    operands: list[int]
    results: list[int]
    several: bool
    dead: list[int]


class Executable:
    """A jaxpr with its variables numbered: slot i of a list holds the buffer of variable i."""

    def __init__(self, closed: ClosedJaxpr):
        slots: dict[Any, int] = {}
        self._initial: list[Any] = []
        # What nobody needs is not computed. The arguments stay what they are.
        live, _ = dce_jaxpr(closed.jaxpr, [True] * len(closed.jaxpr.outvars))
        jaxpr = closed.jaxpr.replace(eqns=live.eqns)

        def slot(v: Any, value: Any = None) -> int:
            if type(v) is Literal:
                v, value = object(), as_array(v.val)._data
            if v not in slots:
                slots[v] = len(slots)
                self._initial.append(value)
            return slots[v]

        for v, const in zip(jaxpr.constvars, closed.consts, strict=True):
            slot(v, as_array(const)._data)
        self._arguments = [slot(v) for v in jaxpr.invars]
        self._steps = []
        for eqn, dead in zip(jaxpr.eqns, last_uses(jaxpr), strict=True):
            prim = eqn.primitive
            operands = [slot(v) for v in eqn.invars]
            results = [slot(v) for v in eqn.outvars]
            dead_slots = [slots[v] for v in dead]
            self._steps.append(
                _Step(prim.rule("impl"), eqn.params, operands, results, prim.multiple_results, dead_slots)
            )
        self._results = [slot(v) for v in jaxpr.outvars]
        self._weak = [v.aval.weak_type for v in jaxpr.outvars]

    def __call__(self, *buffers: np.ndarray) -> list[np.ndarray]:
        env = self._initial.copy()
        for i, buffer in zip(self._arguments, buffers, strict=True):
            env[i] = buffer
        token = _fp_state.set(_FP_QUIET)  # not by quiet_floating_point: the body of a loop comes here each turn
        try:
            for impl, params, operands, results, several, dead in self._steps:
                out = impl(*[env[i] for i in operands], **params)
                if several:
                    for i, o in zip(results, out, strict=True):
                        env[i] = o
                else:
                    # NumPy gives scalars for 0-d results; rules expect arrays.
                    env[results[0]] = out if type(out) is np.ndarray else np.asarray(out)
                for i in dead:
                    env[i] = None
        finally:
            _fp_state.reset(token)
        return [env[i] for i in self._results]


def executable(closed: ClosedJaxpr) -> Any:
    """The executable of a jaxpr, made once and kept with it; one that checks its numbers if they are looked into."""
    if locating.get():
        return closed.derived("checked executable", lambda: CheckedExecutable(closed))
    return closed.derived("executable", lambda: Executable(closed))


def is_compiled(closed: ClosedJaxpr) -> bool:
    """Whether the executable of a jaxpr has been made."""
    return closed.cache.get(("executable", trace_context())) is not None


def run(closed: ClosedJaxpr, buffers: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Evaluate a jaxpr on buffers: the `impl` of every primitive that calls a jaxpr."""
    return executable(closed)(*buffers)
