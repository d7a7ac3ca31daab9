"""All that training changes, as one pytree."""

from typing import Any, NamedTuple

from ..engines import Array, Engine, Params
from ..models import Model
from ..optimizers import Optimizer

__all__ = ["TrainState", "init_state", "step_key", "evaluation_key"]

# Numbers that no `split` reaches: folded into the key that draws the parameters they give keys of their own.
_TRAINING, _EVALUATION = 2**32 - 1, 2**32 - 2


class TrainState(NamedTuple):
    """All that a training step changes, and the key that it draws from."""

    params: Params
    opt_state: Any
    model_state: Any
    """what the model carries from batch to batch, such as running averages; () where it has nothing"""
    step: Array
    """updates made so far, i32[]"""
    key: Array
    """a typed key that stays the same: each step folds its number into it"""


def init_state(jax: Engine, model: Model, optimizer: Optimizer, seed: int = 0) -> TrainState:
    """The state before the first step; the parameters are drawn from `jax.random.key(seed)`."""
    params, model_state = model.init(jax, jax.random.key(seed))
    return TrainState(
        params,
        optimizer.init(jax, params),
        model_state,
        step=jax.numpy.zeros((), dtype=jax.numpy.int32),
        key=jax.random.fold_in(jax.random.key(seed), _TRAINING),
    )


def step_key(jax: Engine, state: TrainState) -> Array:
    """The key of the next step: a resumed training draws what an uninterrupted one does."""
    return jax.random.fold_in(state.key, state.step)


def evaluation_key(jax: Engine, state: TrainState, examples: Array) -> Array:
    """The key of the batch that comes after so many examples of an evaluation: the same in each evaluation."""
    return jax.random.fold_in(jax.random.fold_in(state.key, _EVALUATION), examples)
