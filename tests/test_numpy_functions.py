"""Each function of jax.numpy gives what JAX gives: values, shapes, dtypes, weak types, or an exception of its class.

The calls stand in numpy_rows_*.py as texts, which are evaluated with either engine.
"""

from __future__ import annotations

import re
import warnings
from typing import Any

import jax
import numpy as np
import numpy_rows_elementwise
import numpy_rows_structure
import pytest
from numpy_operands import namespace
from oracle import assert_same

import minijax

TABLES = (numpy_rows_elementwise, numpy_rows_structure)
V = np.asarray([0.3, 0.7, 0.45], np.float32)
OURS, THEIRS = namespace(minijax), namespace(jax)


def rows(name: str) -> list[str]:
    """The rows of all tables that keep one bound."""
    return [row.strip() for table in TABLES for row in getattr(table, name, [])]


def cases(name: str) -> list[Any]:
    """The rows of one bound as test parameters; those of the table MORE_<name> belong to the full depth."""
    return rows(name) + [pytest.param(row, marks=pytest.mark.full) for row in rows(f"MORE_{name}")]


def outcome(row: str, names: dict[str, Any]) -> tuple[Any, Exception | None]:
    """What the expression gives, or what it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return eval(row, names), None
        except Exception as error:
            return None, error


def check(row: str, **bound: Any) -> None:
    """Evaluate the row with both engines and compare."""
    (ours, our_error), (theirs, their_error) = outcome(row, OURS), outcome(row, THEIRS)
    assert type(our_error).__name__ == type(their_error).__name__, f"ours {our_error!r}, theirs {their_error!r}"
    if their_error is None:
        assert_same(ours, theirs, **bound, what=row)


@pytest.mark.parametrize("row", cases("EXACT"))
def test_same_values(row: str):
    check(row)


@pytest.mark.parametrize("row", cases("CLOSE"))
def test_close_values(row: str):
    check(row, ulp=32, floor=1e-2)


@pytest.mark.parametrize("row", cases("SUMS"))
def test_close_sums(row: str):
    check(row, ulp=16, leafwise=True)


@pytest.mark.parametrize("row", rows("REFUSED"))
def test_refused_as_jax_does(row: str):
    (_, ours), (_, theirs) = outcome(row, OURS), outcome(row, THEIRS)
    assert theirs is not None, "JAX accepts it: move it to another list"
    assert type(ours).__name__ == type(theirs).__name__, f"ours {ours!r}, theirs {theirs!r}"
    assert str(ours)


@pytest.mark.parametrize("row", rows("SMOOTH"))
def test_under_transformations(row: str):
    def results(engine: Any, names: dict[str, Any]) -> Any:
        def f(v: Any) -> Any:
            return eval(row, {**names, "v": v})

        v = engine.numpy.asarray(V)
        gradient = engine.grad(lambda v: engine.numpy.sum(f(v).astype("float32")))(v)
        return gradient, engine.vmap(f, in_axes=-1)(engine.numpy.stack([v, v * v], -1)), engine.jit(f)(v)

    assert_same(results(minijax, OURS), results(jax, THEIRS), ulp=64, leafwise=True, what=row)


def test_every_function_has_a_row():
    text = "\n".join(row for bound in ("EXACT", "CLOSE", "SUMS") for row in rows(bound))
    called = set(re.findall(r"jnp\.(\w+)", text))
    functions = {n for n in minijax.numpy.__all__ if callable(getattr(minijax.numpy, n))}
    numpys_own = {n for n in functions if getattr(getattr(minijax.numpy, n), "__module__", "") == "numpy"}
    missing = sorted(functions - numpys_own - called - {"ndarray"})
    assert not missing, f"no row calls {missing}"
