"""The names in the text of a compiled program: those that the jaxpr prints for variables, and others beside them."""

from __future__ import annotations

import builtins
import collections
import keyword
import os
from typing import Any

import numpy as np

from minijax.jaxpr import Var
from minijax.jaxpr_text import letters
from minijax.primitives.masks import choose

__all__ = ["Lines", "Names"]


class Lines(list[str]):
    """Lines of text; `said` is the last comment."""

    said = ""


class Names:
    """Names in order of appearance. `table` has what those stand for that are not computed in the text.

    `sources` has the places in the user's program that comments stand for.
    """

    def __init__(self) -> None:
        self.table: dict[str, Any] = {"np": np, "choose": choose}
        self.sources: dict[str, Any] = {}
        self._letters: dict[Var, str] = {}
        self._count = 0
        self._counts: collections.Counter[str] = collections.Counter()

    def of(self, v: Var) -> str:
        """The name of a variable: JAX's letters, unless Python or NumPy has the word."""
        name = self._letters.get(v)
        if name is None:
            name = letters(self._count)
            self._count += 1
            if keyword.iskeyword(name) or hasattr(builtins, name) or name in self.table:
                name += "_"
            self._letters[v] = name
        return name

    def temporary(self, prefix: str) -> str:
        """A name that no other thing has."""
        self._counts[prefix] += 1
        return f"{prefix}_{self._counts[prefix] - 1}"

    def constant(self, value: Any, prefix: str) -> str:
        """A name for a value that the text cannot spell."""
        name = self.temporary(prefix)
        self.table[name] = value
        return name

    def comment(self, lines: Lines, source: Any) -> None:
        """Say in `lines` where in the user's program those to come are from, unless the last comment has said so."""
        if source is None:
            return
        text = f"# {os.path.basename(source.file)}:{source.line}"
        self.sources[text] = source
        if lines and lines[-1] == lines.said:
            lines.pop()
            lines.append(text)
        elif lines.said != text:
            lines.append(text)
        lines.said = text
