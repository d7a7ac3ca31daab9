"""Misuse: minijax raises the class that JAX raises, and its text names the argument and the remedy.

The cases stand in misuse_transformations.py and misuse_arrays.py: a program that is wrong, as a function of
the engine, and the words that minijax's message must contain, in any case and order. What stands in
parentheses is one word.
"""

from __future__ import annotations

import re
from typing import Any

import jax
import misuse_arrays
import misuse_transformations
import pytest
from misuse_transformations import Program

import minijax

CASES = [
    pytest.param(program, words, id=f"{module.__name__.removeprefix('misuse_')}: {name}")
    for module in (misuse_transformations, misuse_arrays)
    for name, program, words in module.CASES
]


def raised(program: Program, engine: Any) -> Exception | None:
    """What the program raises, if anything."""
    try:
        program(engine)
    except Exception as error:
        return error
    return None


def counterpart(kind: type[BaseException]) -> type[BaseException]:
    """The class that minijax is to raise: its own of the same public name, or JAX's nearest builtin base."""
    for base in kind.__mro__:
        if base.__module__ == "builtins":
            return base
        if getattr(jax.errors, base.__name__, None) is base:
            return getattr(minijax.errors, base.__name__)
    raise AssertionError(kind)


@pytest.mark.parametrize("program, words", CASES)
def test_class_and_text(program: Program, words: str):
    theirs, ours = raised(program, jax), raised(program, minijax)
    assert theirs is not None, "JAX accepts this; it is no misuse"
    assert ours is not None, f"minijax accepts what JAX refuses with {type(theirs).__name__}: {theirs}"
    assert type(ours) is counterpart(type(theirs)), f"{ours!r}\n\nJAX raises {theirs!r}"
    missing = [word for word in re.findall(r"\(.*?\)|\S+", words) if word.lower() not in str(ours).lower()]
    assert not missing, f"the text lacks {missing}:\n{ours}"


def test_there_are_enough_cases():
    assert len(CASES) >= 50
    assert len({case.id for case in CASES}) == len(CASES)
