"""After the page on stateful computations: state goes in as an argument and comes out as a result."""

from typing import NamedTuple

import jax
import jax.numpy as jnp


class Counter:
    """Keeps its state itself, which a jitted call reads once."""

    def __init__(self):
        self.n = 0

    def count(self):
        self.n += 1
        return self.n

    def reset(self):
        self.n = 0


counter = Counter()
print([counter.count() for _ in range(3)])
counter.reset()
fast_count = jax.jit(counter.count)
print([int(fast_count()) for _ in range(3)])


class CounterV2:
    """Gets its state and gives it back."""

    def count(self, n):
        return n + 1, n + 1

    def reset(self):
        return 0


counter = CounterV2()
state = counter.reset()
fast_count = jax.jit(counter.count)
for _ in range(3):
    value, state = fast_count(state)
    print(value)


class Params(NamedTuple):
    weight: jnp.ndarray
    bias: jnp.ndarray


def init(rng):
    weights_key, bias_key = jax.random.split(rng)
    return Params(jax.random.normal(weights_key, ()), jax.random.normal(bias_key, ()))


def loss(params, x, y):
    pred = params.weight * x + params.bias
    return jnp.mean((pred - y) ** 2)


@jax.jit
def update(params, x, y):
    return jax.tree.map(lambda param, g: param - 0.005 * g, params, jax.grad(loss)(params, x, y))


rng = jax.random.key(42)
true_w, true_b = 2, -1
x_rng, noise_rng = jax.random.split(rng)
xs = jax.random.normal(x_rng, (128, 1))
noise = jax.random.normal(noise_rng, (128, 1)) * 0.5
ys = xs * true_w + true_b + noise
params = init(rng)
for _ in range(300):
    params = update(params, xs, ys)
print(params, loss(params, xs, ys))
