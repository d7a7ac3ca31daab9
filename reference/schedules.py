"""Learning rates that change: `schedule(jax, step)`, where `step` counts the updates made so far, i32[]."""

from collections.abc import Callable, Mapping, Sequence

from .engines import Array, Engine

__all__ = [
    "SCHEDULES",
    "Schedule",
    "constant",
    "cosine_decay",
    "cosine_one_cycle",
    "exponential_decay",
    "join",
    "linear",
    "linear_one_cycle",
    "per_epoch",
    "piecewise_constant",
    "warmup_cosine",
]

Schedule = Callable[[Engine, Array], Array]


def constant(value: float) -> Schedule:
    """Always `value`."""
    return lambda jax, step: jax.numpy.asarray(value)


def linear(start: float, end: float, steps: int) -> Schedule:
    """From `start` to `end` in a straight line of `steps`, and `end` from there on."""
    return lambda jax, step: start + (end - start) * _share(jax, step, 0, steps)


def exponential_decay(start: float, rate: float, steps: float) -> Schedule:
    """start * rate ** (step / steps)."""

    def schedule(jax: Engine, step: Array) -> Array:
        # the float: an i32 divided by a Python int is f32 even where x64 is on
        return start * jax.numpy.power(rate, step / float(steps))

    return schedule


def cosine_decay(start: float, steps: int, end: float = 0.0) -> Schedule:
    """From `start` to `end` along half a cosine of `steps` (Loshchilov and Hutter, 2017), and `end` from there on."""
    return lambda jax, step: _by_cosine(jax, start, end, _share(jax, step, 0, steps))


def warmup_cosine(start: float, peak: float, warmup: int, steps: int, end: float = 0.0) -> Schedule:
    """From `start` straight to `peak` in `warmup` steps, then along half a cosine to `end` at step `steps`."""
    if not 0 <= warmup < steps:
        raise ValueError(f"warmup_cosine: a warm-up of {warmup} steps does not fit into {steps}")
    return join([linear(start, peak, warmup), cosine_decay(peak, steps - warmup, end)], [warmup])


def piecewise_constant(start: float, scales: Mapping[int, float]) -> Schedule:
    """`start`, times `scales[n]` from step n on, for each n."""

    def schedule(jax: Engine, step: Array) -> Array:
        value = jax.numpy.asarray(start)
        for boundary, scale in sorted(scales.items()):
            value = jax.numpy.where(step < boundary, value, value * scale)
        return value

    return schedule


def linear_one_cycle(
    steps: int,
    peak: float,
    *,
    rise: float = 0.3,
    fall: float = 0.85,
    start_divisor: float = 25.0,
    end_divisor: float = 1e4,
) -> Schedule:
    """In straight lines up to `peak` at the share `rise` of the steps, down at `fall`, and further to the last.

    It starts, and is at `fall`, at peak / start_divisor, and ends at that / end_divisor (Smith and Topin, 2018).
    """
    low = peak / start_divisor
    points = [(0, low), (int(rise * steps), peak), (int(fall * steps), low), (steps, low / end_divisor)]
    return _through(points, lambda jax, start, end, share: start + (end - start) * share)


def cosine_one_cycle(
    steps: int, peak: float, *, rise: float = 0.3, start_divisor: float = 25.0, end_divisor: float = 1e4
) -> Schedule:
    """Along half cosines from peak / start_divisor to `peak` at the share `rise` of the steps, and down to the last.

    It ends at peak / start_divisor / end_divisor (Smith and Topin, 2018).
    """
    low = peak / start_divisor
    return _through([(0, low), (int(rise * steps), peak), (steps, low / end_divisor)], _by_cosine)


def join(schedules: Sequence[Schedule], boundaries: Sequence[int]) -> Schedule:
    """One schedule after the other, each counting from its boundary on: one boundary between each two."""
    if len(boundaries) != len(schedules) - 1:
        raise ValueError(
            f"join: {len(schedules)} schedules have {len(schedules) - 1} boundaries, not {len(boundaries)}"
        )

    def schedule(jax: Engine, step: Array) -> Array:
        value = schedules[0](jax, step)
        for boundary, following in zip(boundaries, schedules[1:], strict=True):
            value = jax.numpy.where(step < boundary, value, following(jax, step - boundary))
        return value

    return schedule


def per_epoch(schedule: Schedule, steps_per_epoch: int) -> Schedule:
    """`schedule` counted in whole epochs, so that the rate is constant within each."""

    def staircase(jax: Engine, step: Array) -> Array:
        return schedule(jax, step // steps_per_epoch)

    return staircase


def _share(jax: Engine, step: Array, start: int, end: int) -> Array:
    """How much of the way from `start` to `end` is done, between 0 and 1."""
    return jax.numpy.clip((step - start) / float(max(end - start, 1)), 0, 1)


def _by_cosine(jax: Engine, start: float, end: float, share: Array) -> Array:
    return end + (start - end) * 0.5 * (1 + jax.numpy.cos(jax.numpy.pi * share))


def _through(points: Sequence[tuple[int, float]], between: Callable[..., Array]) -> Schedule:
    """Through (step, value) pairs; the last value from there on."""

    def schedule(jax: Engine, step: Array) -> Array:
        value = jax.numpy.asarray(points[-1][1])
        for (start, first), (end, last) in reversed(list(zip(points, points[1:]))):
            value = jax.numpy.where(step < end, between(jax, first, last, _share(jax, step, start, end)), value)
        return value

    return schedule


# by name, as the commands know them: made from the highest rate and the number of all steps
SCHEDULES: dict[str, Callable[[float, int], Schedule]] = {
    "constant": lambda rate, steps: constant(rate),
    "exponential": lambda rate, steps: exponential_decay(rate, 0.1, steps),
    "cosine": cosine_decay,
    "warmup-cosine": lambda rate, steps: warmup_cosine(0.0, rate, steps // 10, steps),
    "piecewise": lambda rate, steps: piecewise_constant(rate, {max(steps // 2, 1): 0.1, max(steps * 3 // 4, 1): 0.1}),
    "one-cycle": lambda rate, steps: cosine_one_cycle(steps, rate),
}
