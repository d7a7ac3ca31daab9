"""Transformations compose: random programs through every pair and triple of them, compared with JAX.

All of it in float64, so that a wrong term cannot hide in the tolerance. Random programs go through every
single transformation and every pair. One program that holds a custom rule, a gather and a product goes
through triples that have every pair in every two places; it and random ones go through every triple under
the `full` marker.
"""

from __future__ import annotations

import functools
import itertools
from typing import Any

import jax
import pytest
import random_programs
from hypothesis import given, settings
from random_programs import TRANSFORMATIONS, Program, programs, transformed

import minijax
from reference.check.oracle import assert_same

PAIRS = list(itertools.product(TRANSFORMATIONS, repeat=2))
FIXED = Program((("v", "custom"), ("v", "gather"), ("vm", "mul")))
ULP_OF_LARGEST_ENTRY = 2.0**16  # of float64: 1.5e-11 relative


def outcome(engine: Any, names: tuple[str, ...], program: Program) -> Any:
    """The result at POINT, or that there is none: custom_vjp functions have no forward mode."""
    point = engine.tree_util.tree_map(engine.numpy.asarray, random_programs.POINT)
    try:
        return transformed(engine, names, program)(point)
    except (TypeError, NotImplementedError) as error:
        if "custom_vjp" in names and any(name in str(error) for name in ("custom_vjp", "custom_lin")):
            return "no forward mode"
        raise


@functools.cache
def outcome_in_jax(names: tuple[str, ...], program: Program) -> Any:
    """JAX's result without jit, because compiling would take most of the time."""
    with jax.enable_x64(True), jax.disable_jit():
        return outcome(jax, names, program)


def compare(names: tuple[str, ...], program: Program) -> None:
    """Both engines."""
    with minijax.enable_x64(True):
        ours = outcome(minijax, names, program)
    theirs = outcome_in_jax(tuple(name for name in names if name != "jit"), program)
    assert_same(ours, theirs, ulp=ULP_OF_LARGEST_ENTRY, leafwise=True, what=" of ".join(reversed(names)))


@pytest.mark.parametrize("name", TRANSFORMATIONS)
@given(program=programs())
def test_single(name: str, program: Program):
    compare((name,), program)


@pytest.mark.parametrize("inner, outer", PAIRS)
@settings(max_examples=2)
@given(program=programs())
def test_pair(inner: str, outer: str, program: Program):
    compare((inner, outer), program)


@pytest.mark.parametrize("inner, middle", PAIRS)
def test_triple(inner: str, middle: str):
    names = list(TRANSFORMATIONS)
    compare((inner, middle, names[(names.index(inner) + names.index(middle)) % len(names)]), FIXED)


@pytest.mark.full
@pytest.mark.parametrize("inner, middle", PAIRS)
def test_every_triple(inner: str, middle: str):
    for outer in TRANSFORMATIONS:
        compare((inner, middle, outer), FIXED)


@pytest.mark.full
@pytest.mark.parametrize("inner, outer", PAIRS)
@settings(max_examples=20)
@given(program=programs())
def test_pair_in_depth(inner: str, outer: str, program: Program):
    compare((inner, outer), program)


@pytest.mark.full
@pytest.mark.parametrize("inner, middle", PAIRS)
@pytest.mark.parametrize("outer", TRANSFORMATIONS)
@settings(max_examples=2)
@given(program=programs())
def test_triple_in_depth(inner: str, middle: str, outer: str, program: Program):
    compare((inner, middle, outer), program)
