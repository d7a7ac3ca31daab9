"""Newton's method behind `lax.custom_root`, which differentiates the root and not the iteration.

What it shows: a `while_loop` has no reverse mode, but the equation that it solves has: from f(x(a), a) = 0 follows
dx/da = - (df/da) / (df/dx), whatever way x was found.
"""

from __future__ import annotations

from typing import Any


def newton(jax: Any, f: Any, x: Any) -> Any:
    """A root of the scalar function f, starting at x."""

    def goes_on(x: Any) -> Any:
        return abs(f(x)) > 1e-6

    return jax.lax.while_loop(goes_on, lambda x: x - f(x) / jax.grad(f)(x), x)


def cube_root(jax: Any, a: Any) -> Any:
    """The x with x**3 == a, of which every derivative exists."""
    return jax.lax.custom_root(lambda x: x**3 - a, 1.5, lambda f, guess: newton(jax, f, guess), lambda g, y: y / g(1.0))


def kepler(jax: Any, eccentricity: Any, mean_anomaly: Any) -> Any:
    """Where a planet is: the solution E of E - e sin(E) = M, with both parameters to differentiate by."""

    def equation(anomaly: Any) -> Any:
        return anomaly - eccentricity * jax.numpy.sin(anomaly) - mean_anomaly

    return jax.lax.custom_root(equation, 1.0, lambda f, guess: newton(jax, f, guess), lambda g, y: y / g(1.0))
