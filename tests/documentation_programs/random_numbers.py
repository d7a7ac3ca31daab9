"""After the page on pseudorandom numbers: keys are split and used once."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import random

key = random.key(42)
print(key.shape, jnp.issubdtype(key.dtype, jax.dtypes.prng_key), random.key_data(key), random.key_impl(key))
print(random.normal(key), random.normal(key))
for _ in range(3):
    new_key, subkey = random.split(key)
    del key
    val = random.normal(subkey)
    del subkey
    print(f"draw: {val}")
    key = new_key
key, subkey = random.split(key)
key, *forty_two_subkeys = random.split(key, num=43)
print(len(forty_two_subkeys), random.key_data(forty_two_subkeys[-1]))

# Not one stream: a vector at once differs from its entries one after the other.
key = random.key(42)
subkeys = random.split(key, 3)
sequence = np.stack([random.normal(k) for k in subkeys])
print("individually:", sequence, "all at once:", random.normal(key, (3,)))
print(jax.vmap(random.normal)(subkeys), bool((sequence == jax.vmap(random.normal)(subkeys)).all()))
print(random.uniform(key, (2, 3), minval=-1, maxval=1), random.randint(key, (5,), 0, 10))
print(random.permutation(key, 6), random.choice(key, jnp.arange(10), (3,), replace=False))
print(random.bernoulli(key, 0.3, (6,)), random.categorical(key, jnp.log(jnp.array([0.1, 0.2, 0.7])), shape=(5,)))
print(random.truncated_normal(key, -1, 1, (3,)), random.exponential(key, (2,)), random.gumbel(key, (2,)))
print(random.key_data(random.fold_in(key, 7)), random.PRNGKey(3), random.bits(key, (2,)))
print(random.key_data(random.wrap_key_data(jnp.array([0, 5], jnp.uint32))))


def pseudo_dropout(key, x, rate=0.5):
    return jnp.where(random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0.0)


print(jax.jit(pseudo_dropout)(key, jnp.ones(8)))
try:
    random.normal(0)
except TypeError:
    print("TypeError: a key is needed")
