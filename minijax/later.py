"""Parts of a package that are imported when they are first asked for, which keeps `import minijax` quick.

To its users and to type checkers such a package looks as if it imported everything: what it says under
`if TYPE_CHECKING:` is what `later` provides while the program runs, and a test holds the two against each other.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

from minijax.core import EVAL, set_current_trace

__all__ = ["later"]


def later(
    package: str, modules: str = "", names: Mapping[str, str] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package whose submodules `modules` are imported on demand.

    names: further attributes, as the names that each of these modules provides.
    """
    own = modules.split()
    places = {name: module for module, words in (names or {}).items() for name in words.split()}

    def __getattr__(name: str) -> Any:
        if name not in own and name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        # The first to ask may be a function that is being traced; what modules make of arrays is no part of it.
        with set_current_trace(EVAL):
            if name in own:
                return importlib.import_module(f"{package}.{name}")
            value = getattr(importlib.import_module(places[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    def __dir__() -> list[str]:
        return sorted({*vars(sys.modules[package]), *own, *places})

    return __getattr__, __dir__
