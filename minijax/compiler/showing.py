"""What the compiler makes of a program, step by step, to be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minijax.api import make_jaxpr
from minijax.compiler.emit import emit
from minijax.compiler.passes import enabled_passes, everywhere

__all__ = ["show"]


def show(fun: Callable, *args: Any, **kwargs: Any) -> None:
    """Print the jaxpr of `fun(*args, **kwargs)`, what each pass makes of it, and the NumPy source.

    The arguments are as for `jax.make_jaxpr`; nothing is run. Passes that change nothing are named only.
    """
    closed = make_jaxpr(fun)(*args, **kwargs)
    print(f"# the program: {len(closed.eqns)} equations\n{closed}\n")
    for run in enabled_passes():
        before, count = str(closed), len(closed.eqns)
        closed = everywhere(run, closed)
        if str(closed) == before:
            print(f"# {run.__name__}: nothing to do\n")
        else:
            print(f"# {run.__name__}: from {count} to {len(closed.eqns)} equations\n{closed}\n")
    print(f"# the source\n{emit(closed).text}", end="")
