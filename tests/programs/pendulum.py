"""A pendulum with friction by the classical Runge-Kutta method in a `scan`, and how its end depends on its beginning.

What it shows: an ordinary differential equation is solved by a scan over time steps; the solver needs no code
of its own to be differentiated, in either mode, by the starting point or by the parameters.
"""

from __future__ import annotations

from typing import Any

STEPS, DT = 60, 0.05


def field(jax: Any, state: Any, friction: Any) -> Any:
    """The velocity of (angle, angular velocity), f32[2]."""
    angle, speed = state
    return jax.numpy.stack([speed, -jax.numpy.sin(angle) - friction * speed])


def path(jax: Any, start: Any, friction: Any) -> Any:
    """The states after each step, f32[STEPS, 2]."""

    def step(y: Any, _: None) -> Any:
        k1 = field(jax, y, friction)
        k2 = field(jax, y + 0.5 * DT * k1, friction)
        k3 = field(jax, y + 0.5 * DT * k2, friction)
        k4 = field(jax, y + DT * k3, friction)
        y = y + DT / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        return y, y

    return jax.lax.scan(step, start, None, length=STEPS)[1]


def energy_at_the_end(jax: Any, start: Any, friction: Any) -> Any:
    """A scalar to differentiate."""
    angle, speed = path(jax, start, friction)[-1]
    return 0.5 * speed**2 - jax.numpy.cos(angle)


def sensitivity(jax: Any, start: Any, friction: Any, reverse: bool) -> Any:
    """The Jacobian of the last state by the first, f32[2, 2]."""
    jacobian = jax.jacrev if reverse else jax.jacfwd
    return jacobian(lambda y: path(jax, y, friction)[-1])(start)
