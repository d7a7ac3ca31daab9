"""jax.scipy.spatial.transform: methods have JAX's parameters, and rotations are pytrees like any other."""

from __future__ import annotations

import inspect
from typing import Any

import jax
import numpy as np
import pytest
from jax.scipy.spatial import transform as theirs

import minijax
from minijax.scipy.spatial import transform as ours
from reference.check.oracle import assert_same

QUATS = np.array([[1, 2, 3, 4], [0, 0, 1, 1], [-1, 0.5, 0, 2]], np.float32)


@pytest.mark.parametrize("name", ["Rotation", "Slerp"])
def test_methods_have_jaxs_parameters(name: str):
    ours_class, theirs_class = getattr(ours, name), getattr(theirs, name)
    assert ours_class._fields == theirs_class._fields
    methods = {n for n in dir(theirs_class) if not n.startswith("_")} - {"count", "index"}
    assert methods <= set(dir(ours_class))
    for method in sorted(methods - set(ours_class._fields) - {"single"}):
        parameters = [
            [(p.name, p.default) for p in inspect.signature(getattr(c, method)).parameters.values()]
            for c in (ours_class, theirs_class)
        ]
        assert parameters[0] == parameters[1], method


def test_rotations_are_pytrees():
    """Their length is the number of rotations, not of their arrays."""

    def results(engine: Any, transform: Any) -> Any:
        rotations = transform.Rotation.from_quat(engine.numpy.asarray(QUATS))
        slerp = transform.Slerp.init([0.0, 1.0, 2.0], rotations)
        each = engine.jit(engine.vmap(lambda r: r.inv()))(rotations)
        total = engine.jit(engine.grad(lambda r: r.magnitude().sum()))(rotations)
        return total, each, engine.jit(lambda s, t: s(t))(slerp, 0.3), len(each), engine.tree.leaves(slerp)

    mine, jaxs = results(minijax, ours), results(jax, theirs)
    assert_same(minijax.tree.leaves(mine), jax.tree.leaves(jaxs), ulp=64, leafwise=True)
    assert isinstance(mine[1], ours.Rotation)


def test_rotations_of_one_kind_make_others():
    """Every form leads back to the same rotation."""
    rotation = ours.Rotation.from_quat(QUATS)
    again = [
        ours.Rotation.from_matrix(rotation.as_matrix()),
        ours.Rotation.from_rotvec(rotation.as_rotvec()),
        ours.Rotation.from_rotvec(rotation.as_rotvec(degrees=True), degrees=True),
        ours.Rotation.from_mrp(rotation.as_mrp()),
        *[ours.Rotation.from_euler(s, rotation.as_euler(s)) for s in ("xyz", "ZYX", "zxz", "YXY")],
        rotation * rotation.inv() * rotation,
    ]
    for other in again:
        np.testing.assert_allclose(other.as_matrix(), rotation.as_matrix(), atol=3e-6)
    vectors = np.ones((3, 3), np.float32)
    np.testing.assert_allclose(rotation.apply(rotation.apply(vectors), inverse=True), vectors, atol=1e-6)
