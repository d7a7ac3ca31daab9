"""From a jaxpr to something that runs: passes from jaxpr to jaxpr, then the text of a Python function over NumPy.

`executable(closed)` is the one entry: what it returns takes and gives ndarrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax.compiler.checked import CheckedExecutable
from minijax.config import trace_context
from minijax.jaxpr import ClosedJaxpr
from minijax.later import later
from minijax.nan_checks import locating

__all__ = ["executable", "show"]

__getattr__, __dir__ = later("minijax.compiler", names={"minijax.compiler.showing": "show"})


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

    return Executable(closed, donated)


def is_compiled(closed: ClosedJaxpr, donated: tuple[int, ...] = ()) -> bool:
    """Whether the executable of a jaxpr has been made."""
    return closed.cache.get((("executable", donated), trace_context())) is not None


def run(closed: ClosedJaxpr, buffers: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Evaluate a jaxpr on buffers: the `impl` of every primitive that calls a jaxpr."""
    return executable(closed)(*buffers)
