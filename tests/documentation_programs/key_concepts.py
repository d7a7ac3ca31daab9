"""After the key concepts: arrays, tracing, jaxprs, pytrees, random numbers."""

import jax
import jax.numpy as jnp

x = jnp.arange(5)
print(isinstance(x, jax.Array), x.devices() == {jax.devices()[0]}, x.sharding.is_fully_replicated)


@jax.jit
def sum_of_squares(x):
    print(isinstance(x, jax.Array), isinstance(x, jax.core.Tracer), x.shape, x.dtype)
    return (x * x).sum()


print(sum_of_squares(x), sum_of_squares(x))


def selu(x, alpha=1.67, lambda_=1.05):
    return lambda_ * jnp.where(x > 0, x, alpha * jnp.exp(x) - alpha)


@jax.jit
def f(x, y):
    print("tracing", x.shape, y.shape)
    return jnp.dot(x + 1, y + 1)


a, b = jnp.ones((3, 4)), jnp.ones(4)
print(f(a, b), f(a + 1, b), f(a[:2], b))
print(jax.make_jaxpr(lambda x: jnp.sin(x) * 2.0 + x)(jnp.float32(1.0)))

params = [{"weight": jnp.ones((2, 3)), "bias": jnp.zeros(3)}, (jnp.arange(2.0), None, 7)]
print(jax.tree.structure(params))
print(jax.tree.leaves(jax.tree.map(lambda p: p * 2, params))[-1])

key = jax.random.key(43)
print(key.dtype == jax.random.key(0).dtype, key.shape, jax.random.key_data(key))
print(jax.random.normal(key), jax.random.normal(key))
for _ in range(3):
    new_key, subkey = jax.random.split(key)
    print(jax.random.normal(subkey))
    key = new_key
