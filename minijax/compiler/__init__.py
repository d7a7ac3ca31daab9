"""From a jaxpr to something that runs: passes from jaxpr to jaxpr, then the text of a Python function over NumPy.

`executable(closed)` is the one entry: what it returns takes and gives ndarrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax.compiler.checked import CheckedExecutable
from minijax.compiler.emit import emit
from minijax.compiler.passes import optimize
from minijax.config import trace_context
from minijax.core import _FP_QUIET, _fp_state
from minijax.jaxpr import ClosedJaxpr
from minijax.later import later
from minijax.nan_checks import locating

__all__ = ["Executable", "executable", "show"]

__getattr__, __dir__ = later("minijax.compiler", names={"minijax.compiler.showing": "show"})


class Executable:
    """A compiled program: a Python function of ndarrays. `text` is its source, `closed` what it was made from."""

    def __init__(self, closed: ClosedJaxpr):
        self.closed = optimize(closed)
        program = emit(self.closed)
        self.text = program.text
        names = dict(program.names)
        exec(compile(program.text, "<minijax.jit>", "exec"), names)
        self._function = names["program"]

    def __call__(self, *buffers: np.ndarray) -> Sequence[np.ndarray]:
        token = _fp_state.set(_FP_QUIET)  # not by quiet_floating_point: the body of a loop comes here each turn
        try:
            return self._function(*buffers)
        finally:
            _fp_state.reset(token)


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
