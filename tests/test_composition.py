"""Transformations compose: random programs through pairs and triples of them, and the hard cases by name."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import jax
import minijax
import numpy as np
import pytest
import random_programs
from hypothesis import given, settings
from oracle import assert_same
from random_programs import TRANSFORMATIONS, Program, programs, transformed

PAIRS = list(itertools.product(TRANSFORMATIONS, repeat=2))
ULP_OF_LARGEST_ENTRY = 2.0**16  # of float64: 1.5e-11 relative


def outcome(engine: Any, names: tuple[str, ...], program: Program) -> Any:
    """The result at POINT, or the class of the exception (a custom_vjp function has no forward mode)."""
    point = engine.tree_util.tree_map(engine.numpy.asarray, random_programs.POINT)
    try:
        return transformed(engine, names, program)(point)
    except TypeError as error:
        if "custom_vjp" in str(error) and "custom_vjp" in names:
            return "no forward mode"
        raise


def compare(names: tuple[str, ...], program: Program) -> None:
    """Both engines, in float64, so that a wrong term cannot hide in the tolerance."""
    with minijax.enable_x64(True), jax.enable_x64(True):
        with jax.disable_jit():
            theirs = outcome(jax, names, program)
        ours = outcome(minijax, names, program)
        assert_same(ours, theirs, ulp=ULP_OF_LARGEST_ENTRY, leafwise=True, what=f"{' of '.join(reversed(names))}")


@pytest.mark.parametrize("name", TRANSFORMATIONS)
@given(program=programs())
def test_single(name: str, program: Program):
    compare((name,), program)


@pytest.mark.parametrize("inner, outer", PAIRS)
@given(program=programs())
def test_pair(inner: str, outer: str, program: Program):
    compare((inner, outer), program)


@pytest.mark.parametrize("inner, middle", PAIRS)
@given(program=programs())
def test_triple(inner: str, middle: str, program: Program):
    for outer in TRANSFORMATIONS:
        compare((inner, middle, outer), program)
