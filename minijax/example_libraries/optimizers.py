"""jax.example_libraries.optimizers: an optimizer is three functions, init, update and get_params.

    init(params) -> state        update(i, grads, state) -> state        get_params(state) -> params

Each optimizer below is written for a single array, and the decorator `optimizer` makes it work on pytrees.
A state for one array is the array, or a tuple that begins with it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minijax import numpy as jnp
from minijax._src.util import safe_zip
from minijax.tree_util import register_pytree_node, tree_flatten, tree_map, tree_unflatten

__all__ = [
    "Array",
    "InitFn",
    "JoinPoint",
    "Optimizer",
    "OptimizerState",
    "Params",
    "ParamsFn",
    "Schedule",
    "State",
    "Step",
    "UpdateFn",
    "Updates",
    "adagrad",
    "adam",
    "adamax",
    "clip_grads",
    "constant",
    "exponential_decay",
    "inverse_time_decay",
    "l2_norm",
    "make_schedule",
    "momentum",
    "nesterov",
    "optimizer",
    "pack_optimizer_state",
    "piecewise_constant",
    "polynomial_decay",
    "rmsprop",
    "rmsprop_momentum",
    "sgd",
    "sm3",
    "unpack_optimizer_state",
]


class OptimizerState(NamedTuple):
    """The leaves of every array's state, the tree of the parameters, and the tree of each array's state."""

    packed_state: Any
    tree_def: Any
    subtree_defs: Any


register_pytree_node(
    OptimizerState,
    lambda state: ((state.packed_state,), (state.tree_def, state.subtree_defs)),
    lambda trees, children: OptimizerState(children[0], *trees),
)

Array = Any
Params = Any  # any pytree of arrays
State = Any
Updates = Params
InitFn = Callable[[Params], OptimizerState]
Step = int
UpdateFn = Callable[[Step, Updates, OptimizerState], OptimizerState]
ParamsFn = Callable[[OptimizerState], Params]
Schedule = Callable[[Step], float]


class Optimizer(NamedTuple):
    """The three functions, which also unpack as a tuple."""

    init_fn: InitFn
    update_fn: UpdateFn
    params_fn: ParamsFn


def optimizer(opt_maker: Callable[..., Any]) -> Callable[..., Optimizer]:
    """A decorator: an optimizer whose three functions know single arrays becomes one for pytrees."""

    @functools.wraps(opt_maker)
    def tree_opt_maker(*args: Any, **kwargs: Any) -> Optimizer:
        init, update, get_params = opt_maker(*args, **kwargs)

        def tree_init(params: Params) -> OptimizerState:
            leaves, tree = tree_flatten(params)
            return _packed([init(x) for x in leaves], tree)

        def tree_update(i: Step, grads: Updates, state: OptimizerState) -> OptimizerState:
            leaves, tree = tree_flatten(grads)
            if tree != state.tree_def:
                raise TypeError(
                    f"{opt_maker.__name__}: the gradients have the structure {tree}, but the optimizer was "
                    f"initialized with parameters of the structure {state.tree_def}. Take the gradient with "
                    "respect to get_params(state)."
                )
            updated = _packed([update(i, g, s) for g, s in safe_zip(leaves, _states(state))], tree)
            for before, after in safe_zip(state.subtree_defs, updated.subtree_defs):
                if before != after:
                    raise TypeError(
                        f"{opt_maker.__name__}: update made a state of the structure {after} from one of the "
                        f"structure {before}. Return what it was given, with new arrays."
                    )
            return updated

        def tree_get_params(state: OptimizerState) -> Params:
            return tree_unflatten(state.tree_def, [get_params(s) for s in _states(state)])

        return Optimizer(tree_init, tree_update, tree_get_params)

    return tree_opt_maker


def _packed(states: Sequence[State], tree: Any) -> OptimizerState:
    pairs = [tree_flatten(state) for state in states]
    return OptimizerState(tuple([leaves for leaves, _ in pairs]), tree, tuple([tree for _, tree in pairs]))


def _states(state: OptimizerState) -> list[State]:
    """The state of each array."""
    return [tree_unflatten(tree, leaves) for tree, leaves in safe_zip(state.subtree_defs, state.packed_state)]


def _first(state: State) -> Array:
    """The parameters are what a state begins with."""
    return state[0]


# ----------------------------------------------------------------- optimizers


@optimizer
def sgd(step_size: Any) -> Any:
    """Gradient descent."""
    step_size = make_schedule(step_size)
    return Optimizer(lambda x: x, lambda i, g, x: x - step_size(i) * g, lambda x: x)


@optimizer
def momentum(step_size: Any, mass: float) -> Any:
    """Gradient descent with momentum: the velocity is a sum of past gradients, which decays by `mass`."""
    step_size = make_schedule(step_size)

    def update(i: Step, g: Array, state: State) -> State:
        x, velocity = state
        velocity = mass * velocity + g
        return x - step_size(i) * velocity, velocity

    return lambda x: (x, jnp.zeros_like(x)), update, _first


@optimizer
def nesterov(step_size: Any, mass: float) -> Any:
    """Gradient descent with Nesterov's momentum, which looks one step ahead."""
    step_size = make_schedule(step_size)

    def update(i: Step, g: Array, state: State) -> State:
        x, velocity = state
        velocity = mass * velocity + g
        return x - step_size(i) * (mass * velocity + g), velocity

    return lambda x: (x, jnp.zeros_like(x)), update, _first


@optimizer
def adagrad(step_size: Any, momentum: float = 0.9) -> Any:
    """Steps divided by the root of the sum of all squared gradients.

    Source: Duchi, Hazan, Singer, https://jmlr.org/papers/v12/duchi11a.html
    """
    step_size = make_schedule(step_size)

    def update(i: Step, g: Array, state: State) -> State:
        x, total, mean = state
        total = total + jnp.square(g)
        scale = jnp.where(total > 0, 1.0 / jnp.sqrt(total), 0.0)
        mean = (1.0 - momentum) * (g * scale) + momentum * mean
        return x - step_size(i) * mean, total, mean

    return lambda x: (x, jnp.zeros_like(x), jnp.zeros_like(x)), update, _first


@optimizer
def rmsprop(step_size: Any, gamma: float = 0.9, eps: float = 1e-8) -> Any:
    """Steps divided by the root of a running mean of squared gradients."""
    step_size = make_schedule(step_size)

    def update(i: Step, g: Array, state: State) -> State:
        x, mean_square = state
        mean_square = mean_square * gamma + jnp.square(g) * (1.0 - gamma)
        return x - step_size(i) * g / jnp.sqrt(mean_square + eps), mean_square

    return lambda x: (x, jnp.zeros_like(x)), update, _first


@optimizer
def rmsprop_momentum(step_size: Any, gamma: float = 0.9, eps: float = 1e-8, momentum: float = 0.9) -> Any:
    """RMSProp whose steps add up with momentum."""
    step_size = make_schedule(step_size)

    def update(i: Step, g: Array, state: State) -> State:
        x, mean_square, velocity = state
        mean_square = mean_square * gamma + jnp.square(g) * (1.0 - gamma)
        velocity = momentum * velocity + step_size(i) * g / jnp.sqrt(mean_square + eps)
        return x - velocity, mean_square, velocity

    return lambda x: (x, jnp.zeros_like(x), jnp.zeros_like(x)), update, _first


def _bias(decay: float, i: Step, dtype: Any) -> Array:
    """What a running mean that began at zero has of its weights after step `i`."""
    return 1 - jnp.asarray(decay, dtype) ** (i + 1)


@optimizer
def adam(step_size: Any, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> Any:
    """Running means of the gradient and of its square, both corrected for their start at zero.

    Source: Kingma, Ba, https://arxiv.org/abs/1412.6980
    """
    step_size = make_schedule(step_size)

    def update(i: Step, g: Array, state: State) -> State:
        x, mean, mean_square = state
        mean = (1 - b1) * g + b1 * mean
        mean_square = (1 - b2) * jnp.square(g) + b2 * mean_square
        direction = mean / _bias(b1, i, mean.dtype)
        scale = jnp.sqrt(mean_square / _bias(b2, i, mean.dtype)) + eps
        return x - step_size(i) * direction / scale, mean, mean_square

    return lambda x: (x, jnp.zeros_like(x), jnp.zeros_like(x)), update, _first


@optimizer
def adamax(step_size: Any, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> Any:
    """Adam with a decaying maximum in place of the mean of squares (section 7.1 of its paper)."""
    step_size = make_schedule(step_size)

    def update(i: Step, g: Array, state: State) -> State:
        x, mean, largest = state
        mean = (1 - b1) * g + b1 * mean
        largest = jnp.maximum(b2 * largest, jnp.abs(g))
        return x - (step_size(i) / _bias(b1, i, mean.dtype)) * mean / (largest + eps), mean, largest

    return lambda x: (x, jnp.zeros_like(x), jnp.zeros_like(x)), update, _first


@optimizer
def sm3(step_size: Any, momentum: float = 0.9) -> Any:
    """Adagrad in little memory: one number for each index of each axis instead of one for each entry.

    Source: Anil, Gupta, Koren, Singer, https://arxiv.org/abs/1901.11150
    """
    step_size = make_schedule(step_size)

    def init(x: Array) -> State:
        shape, x = x.shape, jnp.atleast_1d(x)
        return x, jnp.zeros_like(x), [jnp.zeros(n, x.dtype) for n in x.shape], shape

    def update(i: Step, g: Array, state: State) -> State:
        x, mean, by_axis, shape = state
        spread = [v.reshape([-1 if d == axis else 1 for d in range(g.ndim)]) for axis, v in enumerate(by_axis)]
        total = functools.reduce(jnp.minimum, spread) + jnp.square(g)
        mean = (1.0 - momentum) * (g * jnp.where(total > 0, 1.0 / jnp.sqrt(total), 0)) + momentum * mean
        by_axis = [total.max([d for d in range(x.ndim) if d != axis]) for axis in range(x.ndim)]
        return x - step_size(i) * mean, mean, by_axis, shape

    return init, update, lambda state: state[0].reshape(state[3])


# ----------------------------------------------------------------- step sizes


def constant(step_size: Any) -> Schedule:
    """The same step size in every step."""
    return lambda i: step_size


def exponential_decay(step_size: Any, decay_steps: Any, decay_rate: Any) -> Schedule:
    """Multiplied by `decay_rate` in the course of each `decay_steps` steps."""
    return lambda i: step_size * decay_rate ** (i / decay_steps)


def inverse_time_decay(step_size: Any, decay_steps: Any, decay_rate: Any, staircase: bool = False) -> Schedule:
    """step_size / (1 + decay_rate * i / decay_steps); with `staircase` i / decay_steps is rounded down."""
    if staircase:
        return lambda i: step_size / (1 + decay_rate * jnp.floor(i / decay_steps))
    return lambda i: step_size / (1 + decay_rate * i / decay_steps)


def polynomial_decay(step_size: Any, decay_steps: Any, final_step_size: Any, power: float = 1.0) -> Schedule:
    """From `step_size` to `final_step_size` in `decay_steps` steps, along the curve (1 - t) ** power."""

    def schedule(step_num: Step) -> Array:
        remaining = (1 - jnp.minimum(step_num, decay_steps) / decay_steps) ** power
        return remaining * (step_size - final_step_size) + final_step_size

    return schedule


def piecewise_constant(boundaries: Any, values: Any) -> Schedule:
    """values[n] after n of the boundaries. Raises ValueError unless there is one value more than boundaries."""
    boundaries, values = jnp.array(boundaries), jnp.array(values)
    if boundaries.ndim != 1 or values.ndim != 1 or len(values) != len(boundaries) + 1:
        raise ValueError(
            "piecewise_constant needs a sequence of boundaries and one of values that is one longer, got shapes "
            f"{boundaries.shape} and {values.shape}. For example piecewise_constant([100], [0.1, 0.01])."
        )
    return lambda i: values[jnp.sum(i > boundaries)]


def make_schedule(scalar_or_schedule: Any) -> Schedule:
    """A schedule from a schedule or a number. Raises TypeError for anything else."""
    if callable(scalar_or_schedule):
        return scalar_or_schedule
    if np.ndim(scalar_or_schedule) == 0:
        return constant(scalar_or_schedule)
    raise TypeError(f"A step size is a number or a function of the step, not a {type(scalar_or_schedule).__name__}.")


# ----------------------------------------------------------------- gradients and states


def l2_norm(tree: Any) -> Array:
    """The root of the sum of squares over all leaves."""
    leaves, _ = tree_flatten(tree)
    return jnp.sqrt(sum(jnp.vdot(x, x) for x in leaves))


def clip_grads(grad_tree: Any, max_norm: Any) -> Any:
    """The gradients, scaled down to the norm `max_norm` where theirs is larger."""
    norm = l2_norm(grad_tree)
    return tree_map(lambda g: jnp.where(norm < max_norm, g, g * (max_norm / norm)), grad_tree)


class JoinPoint:
    """A leaf that holds a pytree: where the tree of parameters ends and the state of one array begins."""

    def __init__(self, subtree: Any):
        self.subtree = subtree

    def __iter__(self):
        yield self.subtree


def unpack_optimizer_state(opt_state: OptimizerState) -> Any:
    """The state as a pytree like the parameters, with JoinPoints as leaves: what one saves to disk."""
    return tree_unflatten(opt_state.tree_def, [JoinPoint(state) for state in _states(opt_state)])


def pack_optimizer_state(marked_pytree: Any) -> OptimizerState:
    """The inverse of unpack_optimizer_state. Raises TypeError for leaves that are no JoinPoints."""
    points, tree = tree_flatten(marked_pytree)
    for point in points:
        if not isinstance(point, JoinPoint):
            raise TypeError(
                f"pack_optimizer_state needs JoinPoints as leaves, as unpack_optimizer_state makes them, got {point!r}."
            )
    return _packed([point.subtree for point in points], tree)
