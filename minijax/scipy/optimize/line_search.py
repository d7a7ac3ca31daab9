"""A step length that satisfies Wolfe's conditions.

Source: Nocedal and Wright, "Numerical Optimization", 2nd edition, algorithms 3.5 and 3.6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import minijax.numpy as jnp
from minijax import dtypes, lax
from minijax.array import Array
from minijax.autodiff import value_and_grad

__all__ = ["StepResult", "line_search"]

_DECREASE, _CURVATURE = 1e-4, 0.9  # c1 and c2 of the book
_MOST_ZOOMS = 30


class Point(NamedTuple):
    """A step length, the function there, its slope along the line, and its gradient."""

    a: Any
    phi: Any
    slope: Any
    gradient: Any


class StepResult(NamedTuple):
    """The point found, whether none was, evaluations, and why: 0 found, 1 the interval vanished, 3 too many steps."""

    point: Point
    failed: Any
    evaluations: Any
    status: Any


class _Search(NamedTuple):
    done: Any
    failed: Any
    i: Any
    last: Point
    best: Point
    evaluations: Any


class _Zoom(NamedTuple):
    done: Any
    failed: Any
    j: Any
    low: Point
    high: Point
    recent: Any  # the point given up last: its length and value
    best: Point


def _choose(condition: Any, new: Any, old: Any) -> Any:
    """new where the condition holds, entry by entry of a tuple."""
    if isinstance(old, tuple):
        parts = [_choose(condition, n, o) for n, o in zip(new, old, strict=True)]
        return type(old)(*parts) if hasattr(old, "_fields") else tuple(parts)
    return jnp.where(condition, new, old)


class Line:
    """The function along the line x + a p from a = 0, whose value and gradient are known."""

    def __init__(self, fun: Callable[[Any], Any], x: Array, p: Array, value: Array, gradient: Array):
        self.fun, self.x, self.p = fun, x, p
        self.start = Point(jnp.zeros((), p.dtype), value, self._slope(gradient), gradient)

    def _slope(self, gradient: Array) -> Array:
        return jnp.real(jnp.dot(gradient, self.p, precision=lax.Precision.HIGHEST))

    def at(self, a: Any) -> Point:
        """The point at length a."""
        a = jnp.asarray(a, self.p.dtype)
        value, gradient = value_and_grad(self.fun)(self.x + a * self.p)
        return Point(a, value.astype(self.start.phi.dtype), self._slope(gradient), gradient)

    def too_high(self, point: Point) -> Any:
        """Whether the function has not decreased enough."""
        return point.phi > self.start.phi + _DECREASE * point.a * self.start.slope

    def flat(self, point: Point) -> Any:
        """Whether the slope is small enough."""
        return jnp.abs(point.slope) <= -_CURVATURE * self.start.slope


def _cubic_minimum(low: Point, high: Point, recent: tuple[Any, Any]) -> Array:
    """The minimum of the cubic through three points with the slope at the first."""
    b, c = high.a - low.a, recent[0] - low.a
    rise_b = high.phi - low.phi - low.slope * b
    rise_c = recent[1] - low.phi - low.slope * c
    scale = (b * c) ** 2 * (b - c)
    third = (c**2 * rise_b - b**2 * rise_c) / scale
    second = (-(c**3) * rise_b + b**3 * rise_c) / scale
    return low.a + (-second + jnp.sqrt(second * second - 3.0 * third * low.slope)) / (3.0 * third)


def _quadratic_minimum(low: Point, high: Point) -> Array:
    """The minimum of the parabola through two points with the slope at the first."""
    b = high.a - low.a
    second = (high.phi - low.phi - low.slope * b) / b**2
    return low.a - low.slope / (2.0 * second)


def _trial(state: _Zoom) -> Array:
    """Where to look in the interval: at an interpolated minimum that is not too near to its ends, or in the middle."""
    low, high = state.low, state.high
    width = high.a - low.a
    left, right = jnp.minimum(low.a, high.a), jnp.maximum(low.a, high.a)
    cubic, quadratic = _cubic_minimum(low, high, state.recent), _quadratic_minimum(low, high)
    use_cubic = (state.j > 0) & (cubic > left + 0.2 * width) & (cubic < right - 0.2 * width)
    use_quadratic = (quadratic > left + 0.1 * width) & (quadratic < right - 0.1 * width)
    return jnp.where(use_cubic, cubic, jnp.where(use_quadratic, quadratic, (low.a + high.a) / 2.0))


def _zoom(line: Line, low: Point, high: Point, wanted: Any) -> _Zoom:
    """Narrow an interval that holds acceptable points; nothing happens unless wanted."""
    smallest = 1e-5 if dtypes.finfo(low.a.dtype).bits < 64 else 1e-10

    def step(state: _Zoom) -> _Zoom:
        low, high, recent = state.low, state.high, state.recent
        failed = state.failed | (high.a - low.a <= smallest)
        new = line.at(_trial(state))
        becomes_high = line.too_high(new) | (new.phi >= low.phi)
        accepted = line.flat(new) & ~becomes_high
        becomes_low = ~becomes_high & ~accepted
        turned = becomes_low & (new.slope * (high.a - low.a) >= 0.0)
        given_up = _choose(becomes_high | turned, (high.a, high.phi), recent)
        given_up = _choose(becomes_low & ~turned, (low.a, low.phi), given_up)
        return _Zoom(
            state.done | accepted,
            failed | (state.j + 1 >= _MOST_ZOOMS),
            state.j + 1,
            _choose(becomes_low, new, low),
            _choose(becomes_high, new, _choose(turned, low, high)),
            given_up,
            _choose(accepted, new, state.best),
        )

    no = jnp.asarray(False)
    best = Point(jnp.ones_like(low.a), low.phi, low.slope, line.start.gradient)
    start = _Zoom(no, no, 0, low, high, ((low.a + high.a) / 2.0, (low.phi + high.phi) / 2.0), best)
    return lax.while_loop(lambda state: wanted & ~state.done & ~state.failed, step, start)


def line_search(line: Line, before: Any, maxiter: int) -> StepResult:
    """A step along the line. `before`, the function one step earlier, is what the first length is guessed from."""
    start = line.start
    guess = 1.01 * 2 * (start.phi - before) / start.slope
    first = jnp.where(guess > 1, 1.0, guess)

    def step(state: _Search) -> _Search:
        last = state.last
        new = line.at(jnp.where(state.i == 1, first, last.a * 2.0))
        past = line.too_high(new) | (new.phi >= last.phi) & (state.i > 1)
        accepted = line.flat(new) & ~past
        rising = (new.slope >= 0.0) & ~past & ~accepted
        between = _zoom(line, last, new, past)
        back = _zoom(line, new, last, rising)
        best = _choose(past, between.best, state.best)
        best = _choose(rising, back.best, _choose(accepted, new, best))
        return _Search(
            state.done | past | accepted | rising,
            state.failed | past & between.failed | rising & back.failed,
            state.i + 1,
            new,
            best,
            state.evaluations + 1 + between.j + back.j,
        )

    no = jnp.asarray(False)
    state = lax.while_loop(
        lambda state: ~state.done & (state.i <= maxiter) & ~state.failed, step, _Search(no, no, 1, start, start, 0)
    )
    status = jnp.where(state.failed, 1, jnp.where(state.i > maxiter, 3, 0))
    a = state.best.a
    if dtypes.finfo(a.dtype).bits != 64:
        a = jnp.where(jnp.abs(a) < 1e-8, jnp.sign(a) * 1e-8, a)
    return StepResult(state.best._replace(a=a), state.failed | ~state.done, state.evaluations, status)
