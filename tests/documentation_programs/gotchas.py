"""After the page on sharp bits: purity, updates in place, out-of-range indices, NaNs, precision, promotion."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
from jax import grad, jit, lax, random

g = 0.0


def impure_uses_globals(x):
    return x + g


jitted = jit(impure_uses_globals)
print(jitted(4.0))
g = 10.0
print("the global was read once:", jitted(5.0), jitted(jnp.array([4.0])))


def impure_saves_global(x):
    global g
    g = x
    return x


jit(impure_saves_global)(4.0)
print("a tracer:", isinstance(g, jax.core.Tracer))
try:
    g + 1
except jax.errors.UnexpectedTracerError:
    print("UnexpectedTracerError")


def pure_uses_internal_state(x):
    state = {"even": 0, "odd": 0}
    for i in range(10):
        state["even" if i % 2 == 0 else "odd"] += x
    return state["even"] + state["odd"]


print(jit(pure_uses_internal_state)(5.0))

jax_array = jnp.zeros((3, 3), dtype=jnp.float32)
try:
    jax_array[1, :] = 1.0
except TypeError:
    print("TypeError: use .at")
print(jax_array.at[1, :].set(1.0), jax_array.at[::2, 1:].add(7.0))
print(jnp.arange(10)[11], jnp.arange(10.0).at[11].get(mode="fill", fill_value=jnp.nan), jnp.arange(3).at[5].set(9))
print(jnp.sum(jnp.array([1, 2, 3])))
for call in (lambda: jnp.sum([1, 2, 3]), lambda: jnp.zeros(3).at[0].set("a"), lambda: np.zeros(3) + jnp.zeros(2)):
    try:
        call()
    except (TypeError, ValueError) as error:
        print(type(error).__name__)


def permissive_sum(x):
    return jnp.sum(jnp.array(x))


print(len(jax.make_jaxpr(permissive_sum)(list(range(10))).jaxpr.eqns) > 10, permissive_sum(list(range(10))))

# Shapes may not depend on values.
x = jnp.array([1.0, jnp.nan, 3.0, jnp.nan])


def nansum(x):
    mask = ~jnp.isnan(x)
    return x[mask].sum()


print(nansum(x))
try:
    jit(nansum)(x)
except jax.errors.NonConcreteBooleanIndexError:
    print("NonConcreteBooleanIndexError")
print(jit(lambda x: jnp.where(~jnp.isnan(x), x, 0).sum())(x))

jax.config.update("jax_debug_nans", True)
try:
    jnp.divide(0.0, 0.0)
except FloatingPointError:
    print("FloatingPointError")
jax.config.update("jax_debug_nans", False)
print(jnp.divide(0.0, 0.0))

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    print(random.uniform(random.key(0), (3,), dtype=jnp.float64).dtype, len(caught) > 0)
with jax.enable_x64(True):
    print(jnp.arange(3.0).dtype, random.uniform(random.key(0), (3,), dtype=jnp.float64))

# Promotion, and what differs from NumPy.
print((jnp.arange(3, dtype=jnp.int8) + 1).dtype, (jnp.float16(1) + 1.0).dtype)
print((jnp.ones(2, jnp.uint8) + jnp.int8(1)).dtype)
print(jnp.arange(254.0, 258.0).astype("uint8").dtype, jnp.array([2.7, -2.7]).astype(int))
print(jnp.array(1) / 0, jnp.array(-1) // 2, jnp.array(5) % -3)
print(grad(lambda x: jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1.0)), 0.0))(-1.0), grad(lambda x: jnp.sqrt(x))(0.0))
try:
    jit(lambda x: float(x))(1.0)
except jax.errors.ConcretizationTypeError:
    print("ConcretizationTypeError")
try:
    jit(lambda x: np.sin(x))(1.0)
except jax.errors.TracerArrayConversionError:
    print("TracerArrayConversionError")
print(lax.add(1, 1.0) if False else jnp.add(1, 1.0))
try:
    lax.add(jnp.int32(1), jnp.float32(1.0))
except TypeError:
    print("TypeError: lax does not promote")
