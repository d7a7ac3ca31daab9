"""Random programs over matrices with loops and branches, and their gradients: compiled against step by step.

Each is called three times, as the memory it works in is used again: the first results have to stay as they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import minijax
import minijax.numpy as jnp
from minijax import config, lax

# From two matrices of one shape, and a square one, to a matrix of that shape.
OPERATIONS = {
    "add": lambda a, b, w: a + b,
    "multiply": lambda a, b, w: a * b * 0.25,
    "sin": lambda a, b, w: jnp.sin(a),
    "relu": lambda a, b, w: minijax.nn.relu(a - 0.1),
    "where": lambda a, b, w: jnp.where(a > b, a, b * 0.5),
    "product": lambda a, b, w: jnp.tanh(a @ w) * 0.5,
    "sums of rows": lambda a, b, w: a + a.sum(1, keepdims=True) * 0.01,
    "means of columns": lambda a, b, w: b - a.mean(0),
    "largest": lambda a, b, w: a - a.max(1, keepdims=True) * 0.5,
    "first row": lambda a, b, w: a * jnp.broadcast_to(b[:1], a.shape),
    "transposed": lambda a, b, w: (a.T * b.T + 1).T,
    "halves": lambda a, b, w: jnp.concatenate([a[: len(a) // 2], b[len(a) // 2 :]]),
    "turned": lambda a, b, w: a[::-1, ::-1] - b,
    "flat": lambda a, b, w: (a.reshape(-1) * 0.9).reshape(a.shape),
    "picked": lambda a, b, w: a[jnp.arange(len(a))[::-1]] + b,
    "written": lambda a, b, w: lax.dynamic_update_slice(a, b[:2, :2], (1, 2)),
    "softmax": lambda a, b, w: minijax.nn.softmax(a) * b,
    "scan": lambda a, b, w: lax.scan(lambda c, r: (jnp.sin(c) * 0.5 + r, c * r), a[0], b)[1],
    "scan backwards": lambda a, b, w: lax.scan(lambda c, r: (c * 0.9 + r, c), b[0], a, reverse=True)[1],
    "added up": lambda a, b, w: a @ lax.scan(_outer, jnp.zeros_like(w), (a, b))[0] * 0.1,
    "turns": lambda a, b, w: lax.fori_loop(0, 3, lambda i, c: c * 0.7 + a * i * 0.1, b),
    "branch": lambda a, b, w: lax.cond(a[0, 0] > 0, lambda a, b: a * 2, lambda a, b: b, a, b),
}


def _outer(total: Any, rows: Any) -> Any:
    a, b = rows
    return total + a[:, None] * b[None, :] * 0.01, None


STEPS = st.lists(
    st.tuples(st.sampled_from(sorted(OPERATIONS)), st.integers(0, 20), st.integers(0, 20)), min_size=2, max_size=12
)
SHAPES = st.sampled_from([(4, 6), (30, 40), (300, 120), (150, 150)])


@given(
    STEPS,
    st.sets(st.integers(0, 30), min_size=1, max_size=3),
    SHAPES,
    st.integers(1, 3),
    st.booleans(),
    st.integers(0, 99),
)
def test_compiled_is_what_it_says(steps, wanted, shape, threads, donated, seed):
    def program(x, w):
        values = [x, x * 0.5 - 1, jnp.tanh(x)]
        for name, i, j in steps:
            result = OPERATIONS[name](values[i % len(values)], values[j % len(values)], w)
            values.append(jnp.clip(result, -5, 5))
        return [values[i % len(values)] for i in sorted(wanted)]

    def both(x, w):
        gradient = minijax.value_and_grad(lambda x: sum(jnp.sum(jnp.sin(out)) for out in program(x, w)))
        return program(x, w), gradient(x)

    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape).astype("float32")
    w = (rng.standard_normal((shape[1], shape[1])) / shape[1] ** 0.5).astype("float32")
    with config.num_threads(threads):
        compiled = minijax.jit(both, donate_argnums=(0,) if donated else ())
        first = minijax.tree.leaves(compiled(jnp.asarray(x) + 0, w))
        copies = [np.array(out) for out in first]
        compiled(jnp.asarray(x * 0.3), w)
        again = minijax.tree.leaves(compiled(jnp.asarray(x) * 1, w))
    for out, copy, same, plain in zip(first, copies, again, minijax.tree.leaves(both(x, w)), strict=True):
        assert np.array_equal(out, copy) and np.array_equal(out, same)
        scale = np.max(np.abs(plain), initial=1e-3)
        np.testing.assert_allclose(out, plain, rtol=0, atol=2e-3 * scale)
