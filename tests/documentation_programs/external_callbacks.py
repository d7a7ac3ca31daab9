"""After the page on external callbacks: pure_callback, io_callback, debug.callback, what transforms them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import io_callback


def host_side(x, scale=1.0):
    """NumPy code, which sees concrete arrays only."""
    return np.cumsum(np.asarray(x) * np.asarray(scale)).astype(np.float32)


def cumulative(x, scale=1.0):
    result = jax.ShapeDtypeStruct(x.shape, np.float32)
    return jax.pure_callback(host_side, result, x, scale=scale, vmap_method="sequential")


x = jnp.arange(4.0)
print(cumulative(x), jax.jit(cumulative)(x, 2.0))
print(jax.vmap(cumulative)(jnp.stack([x, x + 1])), jax.vmap(cumulative, (None, 0))(x, jnp.arange(2.0)))
print(jax.lax.scan(lambda c, row: (c + cumulative(row), row.sum()), jnp.zeros(2), jnp.ones((3, 2))))


def shapes(x, y):
    print("called with", np.shape(x), np.shape(y))
    return np.asarray(x) + np.asarray(y)


for method in ("sequential", "expand_dims", "broadcast_all"):
    add = functools.partial(jax.pure_callback, shapes, jax.ShapeDtypeStruct((), np.float32), vmap_method=method)
    print(method, jax.vmap(add, in_axes=(0, None))(x[:2], 1.0))
try:
    jax.vmap(functools.partial(jax.pure_callback, shapes, jax.ShapeDtypeStruct((), np.float32)))(x, x)
except NotImplementedError:
    print("NotImplementedError: no vmap_method")
try:
    jax.grad(lambda x: cumulative(x).sum())(x)
except ValueError:
    print("ValueError: no derivative")


@jax.custom_jvp
def sine(x):
    return jax.pure_callback(
        lambda x: np.sin(x).astype(np.float32),
        jax.ShapeDtypeStruct(jnp.shape(x), jnp.float32),
        x,
        vmap_method="expand_dims",
    )


@sine.defjvp
def sine_jvp(primals, tangents):
    return sine(primals[0]), cosine(primals[0]) * tangents[0]


def cosine(x):
    return sine(x + np.float32(np.pi / 2))


print(jax.grad(sine)(0.5), jax.jit(jax.grad(jax.grad(sine)))(0.5), jax.vmap(jax.grad(sine))(x))


def unused(x):
    jax.pure_callback(lambda x: print("pure: called") or x, jax.ShapeDtypeStruct((), np.float32), x)
    io_callback(lambda x: print("io: called", x), None, x)
    return x


print(jax.jit(unused)(1.0))

log = []
steps = jax.jit(lambda x: jax.lax.fori_loop(0, 3, lambda i, c: io_callback(record, c, c, i, ordered=True), x))


def record(value, step):
    log.append((int(step), float(value)))
    return np.float32(value + 1)


print(steps(1.0), log)
try:
    jax.vmap(lambda x: io_callback(record, x, x, 0, ordered=True))(x)
except ValueError:
    print("ValueError: ordered")
print(jax.vmap(lambda x: io_callback(lambda v: np.float32(v * 2), x, x))(x))


def looks_on(x):
    jax.debug.callback(lambda value, name: print(name, "is", value), x, name="x", ordered=True)
    return x * x


print(looks_on(3.0), jax.jit(looks_on)(3.0), jax.grad(looks_on)(3.0), jax.grad(jax.grad(looks_on))(3.0))
jax.vmap(looks_on)(jnp.arange(2.0))
print(jax.make_jaxpr(lambda x: jax.pure_callback(np.sin, x, x))(1.0))
