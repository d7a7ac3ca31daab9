"""A compiled program, ready to be called."""

from __future__ import annotations

import linecache
from collections.abc import Sequence
from types import CodeType
from typing import Any

import numpy as np

from minijax.compiler.emit import Program, emit
from minijax.compiler.passes import optimize
from minijax.compiler.workspaces import Workspaces
from minijax.core import _FP_QUIET, _fp_state
from minijax.jaxpr import ClosedJaxpr
from minijax.tracebacks import seen_at

__all__ = ["Executable"]

FILE = "<minijax.jit>"


class Executable:
    """A compiled program: a Python function of ndarrays. `closed` is the jaxpr that it was made from."""

    def __init__(self, closed: ClosedJaxpr, donated: Sequence[int] = ()):
        self.closed = optimize(closed)
        self.program: Program = emit(self.closed, donated=donated)
        self._code: CodeType = compile(self.program.text, FILE, "exec")
        names = dict(self.program.names)
        exec(self._code, names)
        self._function = names["program"]
        self._workspaces = Workspaces(self.program.plan)

    def __call__(self, *buffers: np.ndarray) -> Sequence[np.ndarray]:
        token = _fp_state.set(_FP_QUIET)  # not by quiet_floating_point: the body of a loop comes here each turn
        spaces = self._workspaces.take()
        try:
            return self._function(spaces, *buffers)
        except Exception as error:
            raise seen_at(error, self._function.__code__, self._source)  # noqa: B904, it is the same error
        finally:
            self._workspaces.give_back(spaces)
            _fp_state.reset(token)

    def _source(self, line: int) -> Any:
        """The place in the user's program that a line of the text, counted from 1, comes from."""
        lines = self.program.text.splitlines()[:line]
        comments = (text.strip() for text in reversed(lines))
        return next((self.program.sources[c] for c in comments if c in self.program.sources), None)

    @property
    def text(self) -> str:
        """The source of the function; comments show the user's lines."""
        return "".join(f"{self._commented(line)}\n" for line in self.program.text.splitlines())

    def _commented(self, line: str) -> str:
        source = self.program.sources.get(line.strip())
        code = linecache.getline(source.file, source.line).strip() if source is not None else ""
        return f"{line}: {code}" if code else line
