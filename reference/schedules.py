"""Learning rates that change: `schedule(jax, step)`, where `step` counts the updates made so far, i32[]."""

from collections.abc import Callable

from .engines import Array, Engine

__all__ = ["Schedule", "exponential_decay", "per_epoch"]

Schedule = Callable[[Engine, Array], Array]


def exponential_decay(start: float, rate: float, steps: float) -> Schedule:
    """start * rate ** (step / steps)."""

    def schedule(jax: Engine, step: Array) -> Array:
        # the float: an i32 divided by a Python int is f32 even where x64 is on
        return start * jax.numpy.power(rate, step / float(steps))

    return schedule


def per_epoch(schedule: Schedule, steps_per_epoch: int) -> Schedule:
    """`schedule` counted in whole epochs, so that the rate is constant within each."""

    def staircase(jax: Engine, step: Array) -> Array:
        return schedule(jax, step // steps_per_epoch)

    return staircase
