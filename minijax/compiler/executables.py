"""A compiled program, ready to be called."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minijax.compiler.emit import emit
from minijax.compiler.passes import optimize
from minijax.compiler.workspaces import Workspaces
from minijax.core import _FP_QUIET, _fp_state
from minijax.jaxpr import ClosedJaxpr

__all__ = ["Executable"]


class Executable:
    """A compiled program: a Python function of ndarrays. `text` is its source, `closed` what it was made from."""

    def __init__(self, closed: ClosedJaxpr):
        self.closed = optimize(closed)
        program = emit(self.closed)
        self.text = program.text
        names = dict(program.names)
        exec(compile(program.text, "<minijax.jit>", "exec"), names)
        self._function = names["program"]
        self._workspaces = Workspaces(program.plan)

    def __call__(self, *buffers: np.ndarray) -> Sequence[np.ndarray]:
        token = _fp_state.set(_FP_QUIET)  # not by quiet_floating_point: the body of a loop comes here each turn
        try:
            spaces = self._workspaces.take()
            try:
                return self._function(spaces, *buffers)
            finally:
                self._workspaces.give_back(spaces)
        finally:
            _fp_state.reset(token)
