"""What arrays offer beyond calls with values: every name of JAX's arrays, deletion, other libraries' views."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

import minijax
import minijax.numpy as jnp

# Public names of JAX's concrete arrays that ours do not have, and why.
ABSENT = {
    "format": "the layout of a buffer in device memory",
    "traceback": "where the computation was started that is still under way: here it has finished",
    "device_buffer": "raises AttributeError in JAX, too",
    "device_buffers": "raises AttributeError in JAX, too",
}
# And of its tracers: the inside of its tracing machinery.
ABSENT_OF_TRACERS = {
    *("aval_mutable_qdd", "cur_qdd", "dimension_as_value", "full_lower", "get_const", "get_referent", "mutable_qdd"),
    *("parent", "to_concrete_value", "traceback", "val", "device", "sharding"),
}


def public(x: Any) -> set[str]:
    """The public names of an object."""
    return {name for name in dir(x) if not name.startswith("_")}


def traced(engine: Any) -> set[str]:
    """The public names of a traced array."""
    names: set[str] = set()

    def f(x: Any) -> Any:
        names.update(public(x))
        return x

    engine.jit(f)(1.0)
    return names


def test_names_of_values():
    assert public(jax.numpy.zeros(3)) - public(jnp.zeros(3)) == set(ABSENT)


def test_names_of_tracers():
    assert traced(jax) - traced(minijax) == ABSENT_OF_TRACERS


USES = {
    "operator": lambda x: x + 1,
    "function": lambda x: jnp.sin(x),
    "structural": lambda x: x.reshape(3, 1),
    "index": lambda x: x[0],
    "copy": lambda x: x.copy(),
    "numpy": lambda x: np.asarray(x),
    "item": lambda x: x[1].item(),
    "iteration": lambda x: list(x),
    "jit": lambda x: minijax.jit(lambda x: x * 2)(x),
    "grad": lambda x: minijax.grad(lambda x: (x * x).sum())(x),
    "pickle": lambda x: __import__("pickle").dumps(x),
}


@pytest.mark.parametrize("use", USES)
def test_deleted_array_is_refused(use: str):
    x = jnp.arange(3.0)
    x.delete()
    with pytest.raises(RuntimeError, match=r"deleted with shape=float32\[3\]"):
        USES[use](x)


def test_deleted_array_knows_its_type():
    x = jnp.ones((2, 3))
    y = x.reshape(6)
    x.delete()
    x.delete()
    assert x.is_deleted() and not y.is_deleted()
    assert (x.shape, x.dtype, x.ndim, x.size) == ((2, 3), np.dtype(np.float32), 2, 6)
    assert y.sum() == 6


def test_other_libraries_cannot_write():
    x = jnp.arange(3.0)
    for view in np.from_dlpack(x), np.asarray(x):
        assert not view.flags.writeable
    source = np.arange(3.0, dtype=np.float32)
    copy = jnp.from_dlpack(source)
    source[0] = 9
    assert copy[0] == 0


def test_pointer_is_that_of_the_buffer():
    x = jnp.arange(3.0)
    assert x.unsafe_buffer_pointer() == np.asarray(x).ctypes.data
    assert x.clone().unsafe_buffer_pointer() != x.unsafe_buffer_pointer()
