"""After the quickstart: arrays, jit, grad, vmap."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import grad, jacfwd, jacrev, jit, vmap


def selu(x, alpha=1.67, lmbda=1.05):
    return lmbda * jnp.where(x > 0, x, alpha * jnp.exp(x) - alpha)


x = jnp.arange(5.0)
print(selu(x))
key = jax.random.key(1701)
samples = jax.random.normal(key, (1_000_000,))
selu_jit = jax.jit(selu)
_ = selu_jit(samples)  # compiles on the first call
fast = selu_jit(samples).block_until_ready()
print(fast.shape, fast.dtype, bool(jnp.allclose(fast, selu(samples), atol=1e-6)))


def sum_logistic(x):
    return jnp.sum(1.0 / (1.0 + jnp.exp(-x)))


x_small = jnp.arange(3.0)
derivative_fn = grad(sum_logistic)
print(derivative_fn(x_small))


def first_finite_differences(f, x, eps=1e-2):
    return jnp.array([(f(x + eps * v) - f(x - eps * v)) / (2 * eps) for v in jnp.eye(len(x))])


print(jnp.round(first_finite_differences(sum_logistic, x_small), 3))
print(grad(jit(grad(jit(grad(sum_logistic)))))(1.0))


def hessian(fun):
    return jit(jacfwd(jacrev(fun)))


print(hessian(sum_logistic)(x_small))

key1, key2 = jax.random.split(key)
mat = jax.random.normal(key1, (15, 10))
batched_x = jax.random.normal(key2, (5, 10))


def apply_matrix(x):
    return jnp.dot(mat, x)


def naively_batched_apply_matrix(v_batched):
    return jnp.stack([apply_matrix(v) for v in v_batched])


@jit
def batched_apply_matrix(batched_x):
    return jnp.dot(batched_x, mat.T)


@jit
def vmap_batched_apply_matrix(batched_x):
    return vmap(apply_matrix)(batched_x)


expected = naively_batched_apply_matrix(batched_x)
for batched in (batched_apply_matrix, vmap_batched_apply_matrix):
    np.testing.assert_allclose(expected, batched(batched_x), atol=1e-4, rtol=1e-4)
print(expected[0, :4], expected.shape)
