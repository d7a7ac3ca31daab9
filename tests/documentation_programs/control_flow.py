"""After the page on control flow: Python's under tracing, and the structured primitives."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import grad, jit, lax

print(grad(lambda x: 3.0 * x**2 if x < 3 else -4 * x)(2.0), grad(lambda x: 3.0 * x**2 if x < 3 else -4 * x)(4.0))


@jit
def f(x):
    for i in range(3):
        x = 2 * x + i
    return x


@jit
def g(x):
    y = 0.0
    for i in range(x.shape[0]):
        y = y + x[i]
    return y


print(f(3), g(jnp.array([1.0, 2.0, 3.0])))


def h(x):
    if x < 3:
        return 3.0 * x**2
    return -4 * x


try:
    jit(h)(2)
except jax.errors.TracerBoolConversionError:
    print("TracerBoolConversionError")
print(jit(h, static_argnames="x")(2.0))


def example_fun(length, val):
    return jnp.ones((length,)) * val


try:
    jit(example_fun)(10, 4)
except TypeError:
    print("TypeError: shapes must be concrete")
print(jit(example_fun, static_argnames="length")(5, 4))

operand = jnp.array([0.0])
for predicate in (True, False):
    print(lax.cond(predicate, lambda x: x + 1, lambda x: x - 1, operand))
print(jit(lambda i, x: lax.switch(i, [lambda x: x, lambda x: 10 * x, jnp.sin], x))(1, 3.0))
print(lax.while_loop(lambda x: x < 10, lambda x: x + 1, 0), lax.fori_loop(0, 10, lambda i, x: x + i, 0))


def cumsum_scan(xs):
    return lax.scan(lambda carry, x: (carry + x, carry), 0.0, xs)


print(cumsum_scan(jnp.arange(5.0)), jit(cumsum_scan)(jnp.arange(3.0)))
print(grad(lambda xs: lax.scan(lambda c, x: (c * x, c), 1.0, xs)[0])(jnp.array([2.0, 3.0, 4.0])))
print(grad(lambda x: lax.cond(x > 0, jnp.sin, jnp.cos, x))(1.0))
print(jax.vmap(lambda x: lax.cond(x > 1, lambda y: y * 2, lambda y: y - 5, x))(jnp.arange(3.0)))


def python_check_positive_even(x):
    is_even = x % 2 == 0
    return is_even and (x > 0)


@jit
def jax_check_positive_even(x):
    return jnp.logical_and(x % 2 == 0, x > 0)


print(python_check_positive_even(24), jax_check_positive_even(24), jax_check_positive_even(jnp.array([-1, 2, 5])))
print(jnp.where(jnp.arange(5) > 2, jnp.arange(5), 0), lax.select(jnp.array([True, False]), jnp.ones(2), jnp.zeros(2)))
print(np.asarray(lax.map(lambda x: x**2, jnp.arange(4))))
