"""Meshes, partition specs and shardings over one device say what JAX's say, and change nothing."""

from __future__ import annotations

import pickle
from typing import Any

import jax
import numpy as np
import pytest

import minijax

EXPRESSIONS = """
P('a', 'b')  P()  P(None)  P('a', ('b', 'c'))  P(('a',))  P(1)  str(P('a', None))  P.UNCONSTRAINED
P('a') == P('a', None)  P('a', 'b') == ('a', 'b')  hash(P('a')) == hash(P('a'))  len(P('a', None))
P('a', ('b', 'c'))[1]  tuple(P('a'))  P('a') + P('b')  P('a') + ('b',)  P('a', unreduced={'b'})
P('a', 'b').index('b')  P('a', 'a').count('a')  pickle.loads(pickle.dumps(P('a'))) == P('a')
js.AxisType.Auto  str(js.AxisType.Auto)  list(js.AxisType)  jax.tree.leaves(P('a'))
m  str(m)  m.devices  m.devices.shape  m.axis_names  m.axis_sizes  m.size  m.empty  m.shape  m.shape_tuple
m.axis_types  m.are_all_axes_explicit  m.are_all_axes_auto  m.manual_axes  m.local_devices  m.is_multi_process
m.device_ids  m == jax.make_mesh((1,), ('x',))  hash(m) == hash(jax.make_mesh((1,), ('x',)))
js.Mesh(jax.devices(), ('x',))  js.Mesh(jax.devices(), 'x')  js.Mesh([[jax.devices()[0]]], ('x', 'y'))
js.Mesh(jax.devices(), ('x', 'y'))  jax.make_mesh((2,), ('x',))  jax.make_mesh((1, 1), ('x',))
jax.make_mesh((1, 1), ('x', 'y'), axis_types=(js.AxisType.Auto, js.AxisType.Explicit))
js.AbstractMesh((), ())  js.AbstractMesh((2,), ('x',))  str(js.AbstractMesh((2,), ('x',)))  js.AbstractMesh((), ()).size
js.get_abstract_mesh()  js.get_mesh()  js.AbstractMesh((), ()).are_all_axes_explicit
s  s.mesh  s.spec  s.device_set  s.shard_shape((4, 2))  s.is_fully_replicated  s.is_fully_addressable  s.num_devices
s.addressable_devices  s.memory_kind  s.devices_indices_map((4,))  s.addressable_devices_indices_map((4,))
s.is_equivalent_to(one, 1)  s.with_memory_kind('device')  s == js.NamedSharding(m, P('x'))
hash(s) == hash(js.NamedSharding(m, P('x')))  js.NamedSharding(m, P('y'))
one  one.device_set  one.shard_shape((4, 2))  one.is_fully_replicated  one.memory_kind  one.devices_indices_map((4,))
one == js.SingleDeviceSharding(jax.devices()[0])  one.num_devices  one.is_equivalent_to(s, 1)
js.make_single_device_sharding(jax.devices()[0])  jax.P is js.PartitionSpec  jax.NamedSharding is js.NamedSharding
x.sharding  x.device  x.devices()  x.committed  x.is_fully_addressable  x.is_fully_replicated  x.platform()
x.addressable_data(0)  x.addressable_shards[0].index  x.addressable_shards[0].data  x.addressable_shards[0].replica_id
len(x.global_shards)  x.on_device_size_in_bytes()  x.is_ready()  x.is_deleted()  jax.process_indices()
jax.typeof(x).sharding  jax.typeof(x).sharding.mesh.empty  jax.jit(lambda x: jax.typeof(x).sharding.mesh.size)(x)
jax.eval_shape(lambda x: x, x).sharding  jax.ShapeDtypeStruct((2,), 'float32').sharding
jax.device_put(x, s)  jax.device_put(x, one)  jax.device_put({'a': x}, {'a': one})  jax.device_put(x, P())
jnp.zeros(3, device=one)  jnp.zeros(3, device=s)  jnp.zeros(3, out_sharding=P())
jnp.zeros((3,), out_sharding=jax.typeof(x).sharding)  jnp.tensordot(x, x, 2, out_sharding=js.NamedSharding(m, P()))
jax.random.normal(jax.random.key(0), (2, 3), out_sharding=jax.typeof(x).sharding)
jax.jit(lambda x: x + 1, in_shardings=one, out_shardings=one)(x)
jax.jit(lambda x: x + 1, in_shardings=(s,), out_shardings=s)(x)  jax.lax.with_sharding_constraint(x, one)
"""
# Two blanks stand between expressions of a line.
ALL = [e for line in EXPRESSIONS.strip().splitlines() for e in line.split("  ")]


def value(engine: Any, expression: str) -> Any:
    """The value of an expression on an engine, or the exception in place of it."""
    mesh = engine.make_mesh((1,), ("x",))
    names = {"jax": engine, "jnp": engine.numpy, "js": engine.sharding, "P": engine.P, "m": mesh, "pickle": pickle}
    names["one"] = engine.sharding.SingleDeviceSharding(engine.devices()[0])
    names["s"] = engine.sharding.NamedSharding(mesh, engine.P("x"))
    names["x"] = engine.numpy.ones((2, 3))
    try:
        return eval(expression, names)
    except Exception as error:
        return error


@pytest.mark.parametrize("expression", ALL)
def test_same_as_jax(expression: str):
    ours, theirs = value(minijax, expression), value(jax, expression)
    if isinstance(theirs, Exception):
        assert isinstance(ours, ValueError) and isinstance(theirs, ValueError), (ours, theirs)
    else:
        assert repr(ours) == repr(theirs)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: minijax.numpy.zeros(3, out_sharding="x"),
        lambda: minijax.jit(lambda x: x, in_shardings="x"),
        lambda: minijax.sharding.NamedSharding("x", minijax.P()),
        lambda: minijax.random.normal(minijax.random.key(0), out_sharding=3),
    ],
)
def test_what_is_no_sharding_is_refused(wrong: Any):
    with pytest.raises(TypeError, match="sharding|NamedSharding"):
        wrong()


def test_several_devices_are_refused():
    mesh = minijax.sharding.AbstractMesh((2,), ("x",))
    with pytest.raises(ValueError, match="2 devices that are not among those here"):
        minijax.numpy.zeros(4, out_sharding=minijax.NamedSharding(mesh, minijax.P("x")))


def test_one_axis_of_a_mesh_splits_one_axis_of_an_array():
    """JAX's exception for it is private, and a subclass of Exception alone."""
    with pytest.raises(ValueError, match="names the axis 'x' twice"):
        minijax.NamedSharding(minijax.make_mesh((1,), ("x",)), minijax.P("x", "x"))


def test_shards_hold_the_array_itself():
    x = minijax.numpy.arange(6).reshape(2, 3)
    (shard,) = x.addressable_shards
    assert shard.data is x and shard.device is minijax.devices()[0]
    np.testing.assert_array_equal(x.addressable_data(0), np.arange(6).reshape(2, 3))
