"""Where the steps of a training run: on one device, or in whatever way another `Execution` says.

This is the one place that a data-parallel form has to fill in; everything else (the loop, callbacks, checkpoints,
commands) calls these functions and knows no devices.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from ..engines import Engine
from .step import Batch, make_eval_step, make_train_step

__all__ = ["ONE_DEVICE", "Execution"]


class Execution(NamedTuple):
    """Builders of the two steps, and how state and batches get to where they run, and back."""

    make_train_step: Callable[..., Callable] = make_train_step
    """(jax, objective, optimizer, metrics, *, watch) -> step(state, batch) -> (state, measures)"""
    make_eval_step: Callable[..., Callable] = make_eval_step
    """(jax, objective, metrics) -> step(state, totals, batch) -> totals"""
    place_state: Callable[[Engine, Any], Any] = lambda jax, state: state
    """a state as `init_state` and checkpoints have it, put where the steps want it"""
    whole_state: Callable[[Engine, Any], Any] = lambda jax, state: state
    """the way back"""
    place_batch: Callable[[Engine, Batch], Batch] = lambda jax, batch: batch
    """a pair of NumPy arrays, put where the steps want it; it may be called in another thread, ahead of its step"""
    many: bool = False
    """whether what a training step is given is i32[steps, examples], the numbers of the examples in so many batches:
    then it makes all of these steps, and each measure has a first axis that counts them (`parallel/scan.py`)"""


ONE_DEVICE = Execution()
