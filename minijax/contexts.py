"""`with` blocks around traced code: names for parts of a program, and evaluation while tracing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from minijax.core import EVAL, set_current_trace

__all__ = ["ensure_compile_time_eval", "named_scope"]


@contextlib.contextmanager
def _named(name: str) -> Iterator[str]:
    yield name


def named_scope(name: str) -> contextlib.AbstractContextManager[str]:
    """A block, or a decorated function, that has a name in profilers and compiled programs.

    There are none here to show it, and jaxprs do not show it in JAX either. Raises TypeError unless it is a str.
    """
    if not isinstance(name, str):
        raise TypeError(f"named_scope name argument must be a string, got {name!r}.")
    return _named(name)


@contextlib.contextmanager
def ensure_compile_time_eval() -> Iterator[None]:
    """A block whose operations are evaluated at once, although a transformation is looking on.

    Operands must be concrete: a tracer raises UnexpectedTracerError in it.
    """
    with set_current_trace(EVAL):
        yield
