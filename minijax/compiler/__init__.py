"""From a jaxpr to something that runs: passes from jaxpr to jaxpr, then the text of a Python function over NumPy.

`executable(closed)` is the one entry: what it returns takes and gives ndarrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax.compiler.checked import CheckedExecutable, ComparedExecutable
from minijax.config import check_compiled, trace_context
from minijax.jaxpr import ClosedJaxpr
from minijax.later import later
from minijax.nan_checks import locating

__all__ = ["cost_analysis", "executable", "memory_analysis", "show"]

_LATER = {"minijax.compiler.showing": "show", "minijax.compiler.analysis": "cost_analysis memory_analysis"}
__getattr__, __dir__ = later("minijax.compiler", names=_LATER)


def executable(closed: ClosedJaxpr, donated: tuple[int, ...] = ()) -> Any:
    """The executable of a jaxpr, made once and kept with it; one that checks its numbers if they are looked into.

    It may write into the arguments whose numbers are `donated`.
    """
    if locating.get():
        return closed.derived("checked executable", lambda: CheckedExecutable(closed))
    return closed.derived(("executable", donated), lambda: _compile(closed, donated))


def _compile(closed: ClosedJaxpr, donated: tuple[int, ...]) -> Any:
    # Imported with the first program, so that `import minijax` stays quick.
    from minijax.compiler.executables import Executable

    compiled = Executable(closed, donated)
    return compiled if not check_compiled.value or closed.effects else ComparedExecutable(compiled, closed)


def is_compiled(closed: ClosedJaxpr, donated: tuple[int, ...] = ()) -> bool:
    """Whether the executable of a jaxpr has been made."""
    return closed.cache.get((("executable", donated), trace_context())) is not None


def run(closed: ClosedJaxpr, buffers: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Evaluate a jaxpr on buffers: the `impl` of every primitive that calls a jaxpr."""
    return executable(closed)(*buffers)
