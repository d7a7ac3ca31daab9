"""After the page on parallel evaluation: pmap over the devices there are, collectives, data-parallel training."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

x, w = np.arange(5), np.array([2.0, 3.0, 4.0])


def convolve(w, x):
    return jnp.array([jnp.dot(x[i - 1 : i + 2], w) for i in range(1, len(x) - 1)])


print(convolve(w, x))

n_devices = jax.local_device_count()
xs = np.arange(5 * n_devices).reshape(-1, 5)
ws = np.stack([w] * n_devices)
print(jax.vmap(convolve)(ws, xs))
print(jax.pmap(convolve)(ws, xs))
print(jax.pmap(convolve, in_axes=(None, 0))(w, jax.pmap(convolve)(ws, xs)).shape)


def normalized_convolution(w, x):
    output = convolve(w, x)
    return output / jax.lax.psum(output, axis_name="p")


print(jax.pmap(normalized_convolution, axis_name="p")(ws, xs))
print(jax.vmap(normalized_convolution, axis_name="p")(np.stack([w, w + 1]), np.stack([x, x + 2])))

# Two named axes: along each, and along both.
grid = jnp.arange(6.0).reshape(2, 3)


def shares(value):
    row, both = jax.lax.psum(value, "columns"), jax.lax.psum(value, ("rows", "columns"))
    return row, both, jax.lax.axis_index("rows") * jax.lax.axis_size("columns") + jax.lax.axis_index("columns")


print(jax.vmap(jax.vmap(shares, axis_name="columns"), axis_name="rows")(grid))
print(jax.make_jaxpr(lambda v: v / jax.lax.pmean(v, "i"), axis_env=[("i", 4)])(grid))


class Params(NamedTuple):
    weight: jnp.ndarray
    bias: jnp.ndarray


def init(rng):
    weights_key, bias_key = jax.random.split(rng)
    return Params(jax.random.normal(weights_key, ()), jax.random.normal(bias_key, ()))


def loss_fn(params, xs, ys):
    return jnp.mean((params.weight * xs + params.bias - ys) ** 2)


@functools.partial(jax.pmap, axis_name="num_devices")
def update(params, xs, ys):
    loss, grads = jax.value_and_grad(loss_fn)(params, xs, ys)
    grads = jax.lax.pmean(grads, axis_name="num_devices")
    loss = jax.lax.pmean(loss, axis_name="num_devices")
    return jax.tree.map(lambda p, g: p - 0.005 * g, params, grads), loss


xs = np.linspace(-2.0, 2.0, 128).reshape(128, 1).astype(np.float32)
ys = (xs * 2.0 - 1.0 + 0.1 * np.cos(40 * xs)).astype(np.float32)


def split(arr):
    return arr.reshape(n_devices, arr.shape[0] // n_devices, *arr.shape[1:])


params = init(jax.random.key(123))
replicated = jax.tree.map(lambda p: jnp.array([p] * n_devices), params)
print(type(replicated.weight).__name__, replicated.weight.shape)
for step in range(401):
    replicated, loss = update(replicated, split(xs), split(ys))
    if step % 100 == 0:
        print(f"step {step:3d}, loss: {loss[0]:.4f}")
params = jax.device_get(jax.tree.map(lambda p: p[0], replicated))
print(params)

try:
    jax.lax.psum(xs, "rows")
except NameError as error:
    print(type(error).__name__)
