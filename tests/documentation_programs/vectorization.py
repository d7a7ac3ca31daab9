"""After the page on automatic vectorization: a convolution for one signal, then for many."""

import jax
import jax.numpy as jnp

x = jnp.arange(5)
w = jnp.array([2.0, 3.0, 4.0])


def convolve(x, w):
    output = []
    for i in range(1, len(x) - 1):
        output.append(jnp.dot(x[i - 1 : i + 2], w))
    return jnp.array(output)


print(convolve(x, w))
xs, ws = jnp.stack([x, x + 1]), jnp.stack([w, 2 * w])


def manually_batched_convolve(xs, ws):
    return jnp.stack([convolve(xs[i], ws[i]) for i in range(xs.shape[0])])


def manually_vectorized_convolve(xs, ws):
    output = []
    for i in range(1, xs.shape[-1] - 1):
        output.append(jnp.sum(xs[:, i - 1 : i + 2] * ws, axis=1))
    return jnp.stack(output, axis=1)


auto_batch_convolve = jax.vmap(convolve)
print(manually_batched_convolve(xs, ws), manually_vectorized_convolve(xs, ws), auto_batch_convolve(xs, ws))
auto_batch_convolve_v2 = jax.vmap(convolve, in_axes=1, out_axes=1)
print(auto_batch_convolve_v2(jnp.transpose(xs), jnp.transpose(ws)))
batch_convolve_v3 = jax.vmap(convolve, in_axes=[0, None])
print(batch_convolve_v3(xs, w))
jitted_batch_convolve = jax.jit(auto_batch_convolve)
print(jitted_batch_convolve(xs, ws))

# Over parts of a pytree, with results that are not mapped, and inside one another.
tree = {"a": jnp.arange(6.0).reshape(2, 3), "b": (jnp.ones(3), 2.0)}
print(jax.vmap(lambda t: t["a"].sum() * t["b"][0] + t["b"][1], in_axes=({"a": 1, "b": (0, None)},))(tree))
outer = jax.vmap(jax.vmap(lambda a, b: a * b, in_axes=(None, 0)), in_axes=(0, None))
print(outer(jnp.arange(3), jnp.arange(4)))
print(jax.vmap(lambda x: (x**2, jnp.float32(7)), out_axes=(0, None))(jnp.arange(3.0)))
try:
    jax.vmap(convolve)(xs, jnp.ones((3, 3)))
except ValueError:
    print("ValueError: lengths 2 and 3 of the mapped axes")


# Gradients of each example.
def loss(w, x, y):
    return (jnp.dot(x, w) - y) ** 2


w, x, y = jnp.array([1.0, -1.0]), jnp.arange(6.0).reshape(3, 2), jnp.array([0.0, 1.0, 2.0])
print(jax.jit(jax.vmap(jax.grad(loss), in_axes=(None, 0, 0)))(w, x, y))
print(jax.make_jaxpr(jax.vmap(lambda x, w: jnp.sin(x) @ w, in_axes=(0, None)))(x, w))
