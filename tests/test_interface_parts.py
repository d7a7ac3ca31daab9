"""Smaller parts of JAX's interface: halves of reverse mode, blocks around tracing, checkpoint policies, stages."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import jax
import numpy as np
import pytest

import minijax

ENGINES = pytest.mark.parametrize("engine", [minijax, jax], ids=["minijax", "jax"])


@ENGINES
@pytest.mark.parametrize("argnums", [0, (0,), (1, 0), -1])
@pytest.mark.parametrize("jitted", [True, False])
def test_fwd_and_bwd(engine: Any, argnums: Any, jitted: bool):
    fwd, bwd = engine.fwd_and_bwd(lambda x, y: (x * y * y, {"x": x * 1}), argnums, has_aux=True, jitted=jitted)
    value, residuals, aux = fwd(2.0, 3.0)
    expected = {0: 9.0, -1: 12.0, (0,): (9.0,), (1, 0): (12.0, 9.0)}[argnums]
    assert (float(value), float(aux["x"])) == (18.0, 2.0)
    assert jax.tree.map(float, bwd(residuals, 1.0)) == expected


@ENGINES
def test_ensure_compile_time_eval(engine: Any):
    seen = []

    @engine.jit
    def f(x):
        with engine.ensure_compile_time_eval():
            total = engine.numpy.arange(3).sum()
        seen.append(int(total))
        return x * total

    assert float(f(2.0)) == 6.0 and seen == [3]


@ENGINES
def test_named_scope(engine: Any):
    @engine.named_scope("whole")
    def f(x):
        with engine.named_scope("part"):
            return x * 2.0

    assert str(engine.make_jaxpr(f)(1.0)) == "{ lambda ; a:f32[]. let b:f32[] = mul a 2.0:f32[] in (b,) }"
    with pytest.raises(TypeError, match="must be a string"):
        engine.named_scope(3)


POLICIES = {
    "everything_saveable": None,
    "nothing_saveable": None,
    "dots_saveable": None,
    "checkpoint_dots": None,
    "dots_with_no_batch_dims_saveable": None,
    "checkpoint_dots_with_no_batch_dims": None,
    "save_only_these_names": ("a", "b"),
    "save_any_names_but_these": ("a", "b"),
    "save_anything_except_these_names": ("a", "b"),
}


def decisions(engine: Any) -> dict[str, list[bool]]:
    """What each policy says about a few primitives."""

    def named(jaxpr: Any) -> Any:
        return jaxpr.eqns[0].primitive, jaxpr.eqns[0].params

    checkpoint_name = import_module(f"{engine.__name__}.ad_checkpoint").checkpoint_name
    matrices, stacks = np.ones((2, 2), np.float32), np.ones((2, 2, 2), np.float32)
    equations = [
        named(engine.make_jaxpr(engine.lax.sin)(1.0)),
        named(engine.make_jaxpr(engine.lax.dot)(matrices, matrices)),
        named(engine.make_jaxpr(engine.lax.batch_matmul)(stacks, stacks)),
        named(engine.make_jaxpr(lambda x: checkpoint_name(x, "a"))(1.0)),
        named(engine.make_jaxpr(lambda x: checkpoint_name(x, "c"))(1.0)),
    ]
    found = {}
    for name, arguments in POLICIES.items():
        policy = getattr(engine.checkpoint_policies, name)
        policy = policy if arguments is None else policy(*arguments)
        found[name] = [bool(policy(primitive, **params)) for primitive, params in equations]
    either = engine.checkpoint_policies.save_from_both_policies(
        engine.checkpoint_policies.dots_saveable, engine.checkpoint_policies.save_only_these_names("c")
    )
    return found | {"either": [bool(either(primitive, **params)) for primitive, params in equations]}


def test_checkpoint_policies_decide_as_jax_does():
    ours, theirs = decisions(minijax), decisions(jax)
    assert ours == theirs
    assert ours["either"] == [False, True, True, False, True]


@ENGINES
def test_a_policy_changes_no_gradient(engine: Any):
    def f(x):
        return engine.numpy.sin(engine.numpy.sin(x) @ x)

    policy = engine.checkpoint_policies.dots_saveable
    x = np.arange(3, dtype=np.float32)
    kept = engine.grad(engine.checkpoint(f, policy=policy))(x)
    np.testing.assert_allclose(kept, engine.grad(f)(x), rtol=1e-6)


@ENGINES
def test_stages(engine: Any):
    function = engine.jit(lambda x: x + 1)
    assert isinstance(function, engine.stages.Wrapped)
    assert isinstance(function.trace(1.0), engine.stages.Traced)
    assert isinstance(function.lower(1.0), engine.stages.Lowered)
    assert isinstance(function.lower(1.0).compile(), engine.stages.Compiled)


@ENGINES
def test_environment_and_devices(engine: Any, capsys: pytest.CaptureFixture):
    text = engine.print_environment_info(return_string=True)
    assert all(word in text for word in ("jax", "numpy", "python", "1 local devices", "process_count: 1", "platform"))
    assert engine.print_environment_info() is None and "numpy" in capsys.readouterr().out
    assert engine.effects_barrier() is None
    mesh_utils = import_module(f"{engine.__name__}.experimental.mesh_utils")
    assert mesh_utils.create_device_mesh((1, 1)).shape == (1, 1)
    with pytest.raises(ValueError, match="must equal the product of mesh_shape"):
        mesh_utils.create_device_mesh((2,))
    with engine.default_device(engine.devices()[0]):
        assert float(engine.numpy.float32(1) + 1) == 2.0


@ENGINES
def test_primal_values_of_custom_vjp(engine: Any):
    rules = import_module(f"{engine.__name__}.custom_derivatives")
    tree = {"a": rules.CustomVJPPrimal(1.0, True), "b": [rules.CustomVJPPrimal(2.0, False)]}
    assert rules.custom_vjp_primal_tree_values(tree) == {"a": 1.0, "b": [2.0]}
    with pytest.raises(TypeError):
        rules.custom_vjp_primal_tree_values({"a": 1.0})
