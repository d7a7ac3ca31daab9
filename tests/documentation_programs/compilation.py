"""After the page on just-in-time compilation: what is traced, what is cached, what has to be static."""

from functools import partial

import jax
import jax.numpy as jnp

global_list = []


def log2(x):
    global_list.append(x)
    return jnp.log(x) / jnp.log(2.0)


print(jax.make_jaxpr(log2)(3.0), len(global_list))


def log2_with_print(x):
    print("printed while tracing:", jnp.shape(x))
    return jnp.log(x) / jnp.log(2.0)


print(jax.make_jaxpr(log2_with_print)(3.0))


def log2_if_rank_2(x):
    if x.ndim == 2:
        return jnp.log(x) / jnp.log(2.0)
    return x


print(jax.make_jaxpr(log2_if_rank_2)(jnp.array([1, 2, 3])))


def f(x):
    return x if x > 0 else 2 * x


def g(x, n):
    i = 0
    while i < n:
        i += 1
    return x + i


for function, args in ((f, (10,)), (g, (10, 20))):
    try:
        print(jax.jit(function)(*args))
    except jax.errors.TracerBoolConversionError as error:
        print("TracerBoolConversionError", isinstance(error, jax.errors.ConcretizationTypeError))

print(jax.jit(f, static_argnums=0)(10), jax.jit(g, static_argnames=["n"])(10, n=20))


@partial(jax.jit, static_argnames=["n"])
def g_inner_jitted(x, n):
    print("tracing with n =", n)
    for _ in range(n):
        x = x * 2
    return x


print(g_inner_jitted(10, n=2), g_inner_jitted(11, n=2), g_inner_jitted(10, n=3))


@jax.jit
def loop_body(prev_i):
    return prev_i + 1


def g_inner(x, n):
    i = 0
    while i < n:
        i = loop_body(i)
    return x + i


print(g_inner(10, 20))
traces = []


def unjitted_loop_body(prev_i):
    traces.append(0)
    return prev_i + 1


def loop_with_the_same_function(x, n):
    i = 0
    while i < n:
        i = jax.jit(unjitted_loop_body)(i)
    return x + i


print(loop_with_the_same_function(10, 5), len(traces) <= 2)

lowered = jax.jit(lambda x, y: x * y + 1).lower(2.0, 3)
compiled = lowered.compile()
print(compiled(2.0, 3))


@jax.jit
def multiply_add(x, y):
    jax.debug.print("x is {x}, y is {y}", x=x, y=y)
    return x * y + 1


multiply_add(2.0, 3)
with jax.disable_jit():
    print(jax.jit(f)(-3.0))
try:
    jax.jit(g, static_argnums=1)(1, jnp.arange(2))
except ValueError:
    print("ValueError: a static argument must be hashable")
