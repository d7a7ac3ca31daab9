"""Elementwise functions against exact values: errors of at most 4 ULP, or of JAX's own largest error.

The operation table bounds the difference from JAX at a few points; this is the distance from the truth at
thousands, with SciPy's and NumPy's float64 functions for the truth.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import numpy as np
import pytest
import scipy.special

import minijax
from reference.check import oracle

Range = tuple[float, float]
POINTS = 4000
ALLOWED_ULP = 4

# name: the exact function, the range of its operands, and the magnitude below which errors count as absolute
# (the function has zeros away from the origin there, near which no library keeps the relative error small)
UNARY: dict[str, tuple[Callable[..., np.ndarray], Range, float]] = {
    "exp": (np.exp, (-80, 80), 0),
    "exp2": (np.exp2, (-120, 120), 0),
    "expm1": (np.expm1, (-10, 80), 0),
    "log": (np.log, (1e-30, 1e30), 0),
    "log1p": (np.log1p, (-0.99, 1e3), 0),
    "logistic": (scipy.special.expit, (-30, 30), 0),
    "sin": (np.sin, (-100, 100), 1),
    "cos": (np.cos, (-100, 100), 1),
    "tan": (np.tan, (-1.5, 1.5), 0),
    "asin": (np.arcsin, (-1, 1), 0),
    "acos": (np.arccos, (-1, 0.99), 0),
    "atan": (np.arctan, (-100, 100), 0),
    "sinh": (np.sinh, (-80, 80), 0),
    "cosh": (np.cosh, (-80, 80), 0),
    "tanh": (np.tanh, (-10, 10), 0),
    "asinh": (np.arcsinh, (-1e3, 1e3), 0),
    "acosh": (np.arccosh, (1.01, 1e3), 0),
    "atanh": (np.arctanh, (-0.99, 0.99), 0),
    "sqrt": (np.sqrt, (0, 1e9), 0),
    "rsqrt": (lambda x: 1 / np.sqrt(x), (1e-9, 1e9), 0),
    "cbrt": (np.cbrt, (-1e9, 1e9), 0),
    "erf": (scipy.special.erf, (-4, 4), 0),
    "erfc": (scipy.special.erfc, (-4, 9), 0),
    "erf_inv": (scipy.special.erfinv, (-0.999, 0.999), 0),
    "lgamma": (scipy.special.gammaln, (0.01, 100), 1),
    "digamma": (scipy.special.digamma, (0.01, 100), 1),
    "bessel_i0e": (scipy.special.i0e, (-100, 100), 0),
    "bessel_i1e": (scipy.special.i1e, (-100, 100), 0),
}
BINARY: dict[str, tuple[Callable[..., np.ndarray], Range, Range]] = {
    "pow": (np.power, (0.01, 10), (-8, 8)),
    "atan2": (np.arctan2, (-3, 3), (-3, 3)),
    "igamma": (scipy.special.gammainc, (0.01, 100), (0.01, 100)),
    "igammac": (scipy.special.gammaincc, (0.01, 100), (0.01, 100)),
    "zeta": (scipy.special.zeta, (1.01, 20), (0.01, 100)),
}


def points(low: float, high: float, seed: int) -> np.ndarray:
    """Half of them evenly spread, half of them small: magnitudes from 1e-6 on, inside the range."""
    rng = np.random.default_rng(seed)
    even = rng.uniform(low, high, POINTS)
    small = rng.choice([-1.0, 1.0], POINTS) * 10 ** rng.uniform(-6, 0, POINTS)
    return np.concatenate([even, small[(small > low) & (small < high)]]).astype(np.float32)


def largest_error(computed: object, exact: np.ndarray, floor: float) -> float:
    """In ULP of float32."""
    return float(np.max(oracle.ulp_distance(np.asarray(computed, np.float64), exact, floor, np.float32)))


def check(name: str, exact: Callable[..., np.ndarray], floor: float, *operands: np.ndarray) -> None:
    """minijax is as near to the truth as allowed, or as JAX is."""
    truth = exact(*[x.astype(np.float64) for x in operands])
    ours, theirs = (getattr(e.lax, name)(*map(e.numpy.asarray, operands)) for e in (minijax, jax))
    limit = max(ALLOWED_ULP, largest_error(theirs, truth, floor))
    assert largest_error(ours, truth, floor) <= limit, f"{name}: JAX's largest error is {limit} ULP"


@pytest.mark.parametrize("name", UNARY)
def test_unary(name: str):
    exact, bounds, floor = UNARY[name]
    check(name, exact, floor, points(*bounds, seed=0))


@pytest.mark.parametrize("name", BINARY)
def test_binary(name: str):
    exact, x, y = BINARY[name]
    xs, ys = points(*x, seed=0), points(*y, seed=1)
    size = min(xs.size, ys.size)
    check(name, exact, 0, xs[:size], ys[:size])


def test_betainc():
    a, b, x = points(0.01, 50, seed=0), points(0.01, 50, seed=1), points(0, 1, seed=2)
    size = min(a.size, b.size, x.size)
    check("betainc", scipy.special.betainc, 0, a[:size], b[:size], x[:size])


@pytest.mark.parametrize("shape", [(25000, 8), (20, 40, 40, 4), (511, 3), (513, 3), (1000, 1)], ids=str)
@pytest.mark.parametrize("jitted", [False, True])
def test_the_error_of_a_sum_of_many_rows_does_not_grow_with_them(shape: tuple[int, ...], jitted: bool):
    x = (np.random.default_rng(0).standard_normal(shape) + 1).astype("float32")
    axes = tuple(range(len(shape) - 1))
    wanted = x.astype("float64").sum(axes)

    def total(x):
        return minijax.numpy.sum(x, axes)

    found = (minijax.jit(total) if jitted else total)(x)
    assert np.max(np.abs(found - wanted)) <= 16 * np.finfo("float32").eps * np.max(np.abs(wanted))
