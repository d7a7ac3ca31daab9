"""Jacobians of and by integers: zeros of the integers' own dtype, where `grad` and `jvp` give float0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import minijax
from reference.check.oracle import assert_same

X, N = np.array([1.5, 2.5], np.float32), np.array([3, -2], np.int32)

JACOBIANS: dict[str, Callable[[Any], Any]] = {
    "integers": lambda e: e.jacfwd(lambda x: (x * 2).astype("int32"))(X),
    "narrow integers": lambda e: e.jacfwd(lambda x: x.astype("uint8"))(X),
    "scalars": lambda e: e.jacfwd(lambda x: x.astype("int32"))(1.5),
    "integers beside floats": lambda e: e.jacfwd(lambda x: {"a": x.astype("int32"), "b": x * 2})(X),
    "integers that do not depend on x": lambda e: e.jacfwd(lambda x: e.numpy.arange(3))(X),
    "floats that do not depend on x": lambda e: e.jacfwd(lambda x: e.numpy.arange(3.0))(X),
    "a number of Python": lambda e: e.jacfwd(lambda x: 3)(X),
    "argmax": lambda e: e.jacfwd(lambda x: e.numpy.argmax(x))(X),
    "a matrix": lambda e: e.jacfwd(lambda x: e.numpy.outer(x, x).astype("int32"))(X),
    "two arguments": lambda e: e.jacfwd(lambda x, y: ((x + y).astype("int32"), x * y), (0, 1))(X, np.float32(2)),
    "aux": lambda e: e.jacfwd(lambda x: (x.astype("int32"), x * 2), has_aux=True)(X),
    "jit": lambda e: e.jit(e.jacfwd(lambda x: x.astype("int32")))(X),
    "vmap": lambda e: e.vmap(e.jacfwd(lambda x: x.astype("int32")))(X),
    "nothing": lambda e: e.jacfwd(lambda x: x.astype("int32"))(np.zeros(0, np.float32)),
    "by integers": lambda e: e.jacrev(lambda n: n * 2.0, allow_int=True)(N),
    "by a number of Python": lambda e: e.jacrev(lambda n: n * 2.0, allow_int=True)(3),
    "by integers and floats": lambda e: e.jacrev(lambda n, x: n * x, (0, 1), allow_int=True)(N, X),
    "trees": lambda e: e.jacrev(lambda d: {"o": d["n"] * d["x"], "p": d["x"].sum()}, allow_int=True)({"n": N, "x": X}),
    "jit, by integers": lambda e: e.jit(e.jacrev(lambda n: n * 2.0, allow_int=True))(N),
    "vmap, by integers": lambda e: e.vmap(e.jacrev(lambda n: n * 2.0, allow_int=True))(N),
    "forward over reverse": lambda e: e.jacfwd(
        e.jacrev(lambda x, n: (x**2 * n).sum(), (0, 1), allow_int=True),
    )(X, N),
}


IN_DEFAULT = ("integers beside floats", "a number of Python", "vmap", "by integers and floats", "jit, by integers")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in IN_DEFAULT else pytest.mark.full) for n in JACOBIANS]
)
def test_jacobians_of_integers(name: str):
    assert_same(JACOBIANS[name](minijax), JACOBIANS[name](jax))


def test_booleans():
    """JAX fails in making such zeros."""
    assert_same(minijax.jacfwd(lambda x: x > 2)(X), jax.numpy.zeros((2, 2), bool))
    assert_same(minijax.jacrev(lambda b: b * 2.0, allow_int=True)(X > 2), jax.numpy.zeros((2, 2), bool))


@pytest.mark.parametrize("e", [minijax, jax], ids=["minijax", "jax"])
def test_other_derivatives_are_float0(e: Any):
    assert e.grad(lambda n: (n * 2.0).sum(), allow_int=True)(N).dtype == e.float0
    assert e.jvp(lambda x: x.astype("int32"), (X,), (X,))[1].dtype == e.float0
    with pytest.raises(NotImplementedError):
        e.jacfwd(lambda x: e.random.key(0))(X)
