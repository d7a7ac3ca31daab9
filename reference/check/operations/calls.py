"""Rows of the primitives that call functions: jit, custom rules, checkpoint."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from ..operation_row import KINDS, Operand, Row, between, integers, normal, row


def jitted(jax: Any, x: Any, y: Any) -> Any:
    """A jitted function with a captured constant, an unused argument and two results."""
    table = jax.numpy.asarray(np.float32(1.5))

    @jax.jit
    def inner(x, y, unused):
        return {"s": jax.lax.sin(x) * y, "t": y * table}

    return inner(x, y, x)


def nested_jits(jax: Any, x: Any) -> Any:
    """A jit inside a jit, called twice."""
    inner = jax.jit(jax.lax.sin)
    return jax.jit(lambda v: inner(v) * inner(inner(v)))(x)


def forwarding_jit(jax: Any, x: Any, y: Any) -> Any:
    """A jitted function that returns an argument, a constant and one value twice."""

    def inner(x, y):
        z = x * 2.0
        return y, z, z, 3.0

    return jax.jit(inner)(x, y)


def named(jax: Any, x: Any) -> Any:
    """A value in the middle of a computation, and a tree of values, with names for checkpoints."""
    checkpoint_name = import_module(f"{jax.__name__}.ad_checkpoint").checkpoint_name
    return jax.lax.sin(checkpoint_name(x * 2.0, "middle")), checkpoint_name([x, {"y": x}], "leaves")


def custom_jvp(jax: Any, x: Any, y: Any) -> Any:
    """A custom rule that differs from the true derivative, so that its use shows."""

    @jax.custom_jvp
    def f(x, y):
        return jax.lax.sin(x) * y

    @f.defjvp
    def f_jvp(primals, tangents):
        x, y = primals
        dx, dy = tangents
        return f(x, y), 3.0 * dx * y + dy * jax.lax.cos(x)

    return f(x, y)


def custom_jvps(jax: Any, x: Any, y: Any) -> Any:
    """custom_jvp by defjvps, with a non-differentiable argument and a pytree result."""

    @partial(jax.custom_jvp, nondiff_argnums=(0,))
    def f(g, x, y):
        return {"v": g(x) * y}

    @f.defjvp
    def f_jvp(g, primals, tangents):
        x, y = primals
        return f(g, x, y), {"v": 2.0 * tangents[0] * y * y + tangents[1] * x}

    return f(jax.lax.cos, x, y)


def custom_vjp(jax: Any, x: Any, y: Any) -> Any:
    """A custom backward pass that differs from the true one."""

    @jax.custom_vjp
    def f(x, y):
        return jax.lax.sin(x) * y

    def forward(x, y):
        return jax.lax.sin(x) * y, (jax.lax.cos(x), y)

    def backward(residuals, g):
        c, y = residuals
        return 2.0 * c * y * g, g * y * y

    f.defvjp(forward, backward)
    return f(x, y)


def linear_called(jax: Any, x: Any) -> Any:
    """A division whose transpose is not quite its own, so that its use shows."""
    linear_call = import_module(f"{jax.__name__}.custom_derivatives").linear_call
    return linear_call(lambda r, x: x / r, lambda r, ct: 2.0 * ct / r, np.float32(3), jax.lax.sin(x))


def custom_vmap(jax: Any, x: Any, y: Any) -> Any:
    """A batching rule in other words than those of the function."""
    f = import_module(f"{jax.__name__}.custom_batching").custom_vmap(lambda x, y: jax.lax.sin(x) * y)
    f.def_vmap(lambda axis_size, in_batched, x, y: (y * jax.lax.sin(x), any(in_batched)))
    return f(x, y)


def checkpointed(jax: Any, x: Any, y: Any) -> Any:
    """A rematerialised function."""
    return jax.checkpoint(lambda x, y: jax.lax.sin(jax.lax.sin(x) * y))(x, y)


def custom_sine(jax: Any) -> Any:
    """A custom_jvp sine, to be called from inside other calls."""
    f = jax.custom_jvp(jax.lax.sin)
    f.defjvp(lambda primals, tangents: (f(*primals), 2.0 * jax.lax.cos(*primals) * tangents[0]))
    return f


def jit_of_custom(jax: Any, x: Any) -> Any:
    """A custom rule inside jit inside checkpoint."""
    return jax.checkpoint(jax.jit(custom_sine(jax)))(x)


def with_callback(jax: Any, x: Any) -> Any:
    """A callback that looks at a value in passing."""
    jax.debug.callback(lambda value: None, x)
    return jax.lax.sin(x)


def with_log(jax: Any, x: Any) -> Any:
    """A value that is logged in passing; print does the same and would be seen here."""
    jax.debug.log("{}", x)
    return jax.lax.sin(x)


def calling_back(jax: Any, x: Any) -> Any:
    """A sine by NumPy."""
    return jax.pure_callback(np.sin, jax.ShapeDtypeStruct(x.shape, x.dtype), x, vmap_method="expand_dims")


def calling_outside(jax: Any, x: Any) -> Any:
    """The same by what may do anything."""
    io_callback = import_module(f"{jax.__name__}.experimental").io_callback
    return io_callback(np.sin, jax.ShapeDtypeStruct(x.shape, x.dtype), x)


def composed(jax: Any, x: Any) -> Any:
    """One operation with a name, an attribute and a body."""
    return jax.lax.composite(lambda v, *, scale: jax.numpy.sin(v) * scale, "checks.sine", 2)(x, scale=3.0)


X, Y = between(-3, 3, 2, 3), between(0.5, 2, 2, 3)
SCALARS: tuple[Operand, Operand] = between(-3, 3), between(0.5, 2)
# A custom backward pass has no forward-mode derivative; JAX raises a TypeError, see test_misuse.py.
REVERSE_ONLY = tuple(kind for kind in KINDS if kind not in ("jvp",))
# The text of a callback's equation is the address of a function.
NO_TEXT = tuple(kind for kind in KINDS if kind not in ("jaxpr", "derived_jaxprs"))
FORWARD_ONLY = tuple(kind for kind in NO_TEXT if kind not in ("vjp", "second"))
UNBATCHED = tuple(kind for kind in NO_TEXT if kind != "vmap")
# What has neither a derivative nor a batching rule in either engine.
OPAQUE = ("eval", "jit", "jaxpr")
# What has no derivative in either engine.
CALLED = (*OPAQUE, "vmap")
SMOOTH = {"ulp": 8, "floor": 1}

# jit is allowed to fuse and reorder in either engine, so its values carry a bound.
ROWS: list[Row] = [
    row("jit", jitted, X, Y, main=True, **SMOOTH),
    row("jit", jitted, *SCALARS, **SMOOTH),
    row("jit", nested_jits, X, label="nested", main=True, **SMOOTH),
    row("jit", forwarding_jit, X, Y, label="forwarding", main=True, **SMOOTH),
    row("jit", lambda jax, x: jax.jit(lambda v: v + 1)(x), integers(0, 9, 3), label="integers"),
    row("jit", lambda jax, x: jax.jit(lambda v: v * 2.0)(x), normal(0, 3), label="empty"),
    row("custom_jvp_call", custom_jvp, X, Y, main=True, **SMOOTH),
    row("custom_jvp_call", custom_jvp, *SCALARS, **SMOOTH),
    row("custom_jvp_call", custom_jvps, X, Y, label="nondiff", main=True, **SMOOTH),
    row("custom_vjp_call", custom_vjp, X, Y, main=True, only=REVERSE_ONLY, **SMOOTH),
    row("custom_vjp_call", custom_vjp, *SCALARS, only=REVERSE_ONLY, **SMOOTH),
    row("linear_call", linear_called, X, main=True, only=UNBATCHED, **SMOOTH),
    row("linear_call", linear_called, SCALARS[0], only=UNBATCHED, **SMOOTH),
    row("custom_vmap_call", custom_vmap, X, Y, main=True, only=FORWARD_ONLY, **SMOOTH),
    row("custom_vmap_call", custom_vmap, *SCALARS, only=FORWARD_ONLY, **SMOOTH),
    row("remat2", checkpointed, X, Y, main=True, **SMOOTH),
    row("remat2", checkpointed, *SCALARS, **SMOOTH),
    row("remat2", jit_of_custom, X, label="of-jit-of-custom-jvp", main=True, **SMOOTH),
    row("name", named, X, main=True, **SMOOTH),
    row("name", named, SCALARS[0], **SMOOTH),
    row("composite", composed, X, main=True, only=OPAQUE, **SMOOTH),
    row("composite", composed, SCALARS[0], only=OPAQUE, **SMOOTH),
    row("debug_callback", with_callback, X, main=True, only=NO_TEXT, **SMOOTH),
    row("debug_callback", with_callback, SCALARS[0], only=NO_TEXT, **SMOOTH),
    row("debug_print", with_log, X, main=True, **SMOOTH),
    row("debug_print", with_log, SCALARS[0], **SMOOTH),
    row("pure_callback", calling_back, X, main=True, only=CALLED, **SMOOTH),
    row("pure_callback", calling_back, SCALARS[0], only=CALLED, **SMOOTH),
    row("io_callback", calling_outside, X, main=True, only=CALLED, **SMOOTH),
    row("io_callback", calling_outside, SCALARS[0], only=CALLED, **SMOOTH),
]
