"""The shape that all optimisers have, the one that optax gave them: a pair of functions over pytrees.

`init(jax, params)` makes the optimiser's state; `update(jax, grads, state, params)` turns gradients into
updates, which `apply_updates` adds to the parameters, and gives the next state. Small transformations
chained one after the other make the optimisers that people know by name.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..engines import Array, Engine, Params
from ..schedules import Schedule

__all__ = [
    "Optimizer",
    "apply_updates",
    "bias_corrected",
    "chain",
    "global_norm",
    "identity",
    "map_several",
    "moving_average",
    "no_steps",
    "noise_key",
    "stateless",
    "value_at",
    "zeros_like",
]

# A number that no `split` reaches, as in `training/state.py`: without it the noise would be the initial weights.
_NOISE = 2**32 - 3


class Optimizer(NamedTuple):
    """`init(jax, params) -> state` and `update(jax, grads, state, params) -> (updates, state)`."""

    init: Callable[[Engine, Params], Any]
    update: Callable[[Engine, Params, Any, Params], tuple[Params, Any]]
    per_example: bool = False
    """whether `update` wants one gradient for each example, f[batch, ...] where the parameter is f[...]"""


def apply_updates(jax: Engine, params: Params, updates: Params) -> Params:
    """params + updates, leaf by leaf."""
    return jax.tree.map(lambda p, u: p + u, params, updates)


def chain(*parts: Optimizer) -> Optimizer:
    """The parts one after the other, each working on the updates of the one before."""
    if any(part.per_example for part in parts[1:]):
        raise ValueError("chain: a part that wants a gradient for each example has to be the first one")

    def init(jax: Engine, params: Params) -> tuple:
        return tuple(part.init(jax, params) for part in parts)

    def update(jax: Engine, updates: Params, states: tuple, params: Params) -> tuple[Params, tuple]:
        following = []
        for part, state in zip(parts, states, strict=True):
            updates, state = part.update(jax, updates, state, params)
            following.append(state)
        return updates, tuple(following)

    return Optimizer(init, update, per_example=bool(parts) and parts[0].per_example)


def stateless(change: Callable[[Engine, Params, Params], Params]) -> Optimizer:
    """A transformation that remembers nothing: `change(jax, updates, params)` gives the updates."""

    def update(jax: Engine, updates: Params, state: tuple, params: Params) -> tuple[Params, tuple]:
        return change(jax, updates, params), state

    return Optimizer(lambda jax, params: (), update)


def identity() -> Optimizer:
    """The updates as they are."""
    return stateless(lambda jax, updates, params: updates)


# ----------------------------------------------------------------- arithmetic on trees


def no_steps(jax: Engine) -> Array:
    """The count of updates before the first one, i32[]."""
    return jax.numpy.zeros((), dtype=jax.numpy.int32)


def noise_key(jax: Engine, seed: int) -> Array:
    """The first key of an optimiser's noise; a network whose parameters are drawn with the same seed has others."""
    return jax.random.fold_in(jax.random.key(seed), _NOISE)


def zeros_like(jax: Engine, params: Params) -> Params:
    """Zeros in the shapes and dtypes of the parameters."""
    return jax.tree.map(jax.numpy.zeros_like, params)


def value_at(jax: Engine, value: float | Schedule, step: Array) -> float | Array:
    """A number, or what a schedule says after `step` updates."""
    return value(jax, step) if callable(value) else value


def moving_average(jax: Engine, decay: float, averages: Params, values: Params) -> Params:
    """decay * average + (1 - decay) * value."""
    return jax.tree.map(lambda a, v: decay * a + (1 - decay) * v, averages, values)


def bias_corrected(jax: Engine, averages: Params, decay: float, step: Array) -> Params:
    """A moving average after `step` values, rid of the zero at which it started (Kingma and Ba, 2015)."""
    weight = 1 - jax.numpy.power(decay, step)
    return jax.tree.map(lambda a: a / weight.astype(a.dtype), averages)


def global_norm(jax: Engine, tree: Params) -> Array:
    """The length of all leaves taken as one vector, f[]."""
    return jax.numpy.sqrt(sum(jax.numpy.sum(jax.numpy.square(leaf)) for leaf in jax.tree.leaves(tree)))


def map_several(jax: Engine, function: Callable[..., Sequence], count: int, tree: Params, *rest: Any) -> list:
    """`function` of each leaf (and of what the other trees have in its place) gives `count` things: `count` trees."""
    leaves, treedef = jax.tree.flatten(tree)
    others = [treedef.flatten_up_to(other) for other in rest]
    rows = [function(*row) for row in zip(leaves, *others, strict=True)]
    return [treedef.unflatten([row[i] for row in rows]) for i in range(count)]
