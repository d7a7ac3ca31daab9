"""Samplers that reject: draw by draw as in JAX but for a few, which are counted, and right in their moments.

The random bits are JAX's, but where an error of rounding decides whether a draw is accepted, the two engines go
separate ways. How many do is a property `differing` of each test's report.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
import scipy.stats

import minijax
from reference.check.oracle import assert_same

DRAWS = 20_000
SHARE = 0.999
SHAPES = np.asarray([0.3, 1.0, 2.5, 40.0, 300.0], np.float32)
MEANS = np.asarray([0.5, 3.0, 9.5, 12.0, 80.0, 1000.0], np.float32)
TRIALS = np.asarray([3.0, 20.0, 100.0, 5000.0], np.float32)
CHANCES = np.asarray([0.5, 0.05, 0.4, 0.9], np.float32)
CORNERS = np.asarray([np.nan, np.inf, -1.0, 0.0, -0.0, 1e-30, 1e30], np.float32)

# What each sampler draws, as a function of the engine's `random`, the key and the number of rows. Means of more
# than about 1,000 are left out: in float32 the logarithm of k! is so rough then that it decides often, and since
# every round of JAX's loop draws anew for those too that were accepted, one difference changes many draws.
AGREEING: dict[str, Callable[[Any, Any, int], Any]] = {
    "gamma": lambda random, key, n: random.gamma(key, SHAPES, (n, 5)),
    "poisson": lambda random, key, n: random.poisson(key, MEANS, (n, 6)),
}
MORE_AGREEING: dict[str, Callable[[Any, Any, int], Any]] = {
    "loggamma": lambda random, key, n: random.loggamma(key, SHAPES, (n, 5)),
    "binomial": lambda random, key, n: random.binomial(key, TRIALS, CHANCES, (n, 4)),
    "beta": lambda random, key, n: random.beta(key, SHAPES, 2.0, (n, 5)),
    "dirichlet": lambda random, key, n: random.dirichlet(key, SHAPES, (n,)),
    "chisquare": lambda random, key, n: random.chisquare(key, SHAPES, (n, 5)),
    "f": lambda random, key, n: random.f(key, np.broadcast_to(SHAPES, (n, 5)), 5.0),
    "t": lambda random, key, n: random.t(key, SHAPES, (n, 5)),
    "generalized_normal": lambda random, key, n: random.generalized_normal(key, 1.5, (n,)),
    "ball": lambda random, key, n: random.ball(key, 3, 1.5, (n,)),
    "multinomial": lambda random, key, n: random.multinomial(key, np.float32(50), SHAPES / SHAPES.sum(), shape=(n, 5)),
    "gamma, float16": lambda random, key, n: random.gamma(key, SHAPES[1:], (n, 4), "float16"),
    "poisson, int16": lambda random, key, n: random.poisson(key, MEANS, (n, 6), "int16"),
}


def drawn(engine: Any, draw: Callable[[Any, Any, int], Any], rows: int, seed: int = 3) -> np.ndarray:
    """The draws of one engine."""
    return np.asarray(draw(engine.random, engine.random.key(seed), rows))


def check_agreement(draw: Callable[[Any, Any, int], Any], record_property: Callable[[str, Any], None]) -> None:
    """At least 99.9% of the draws are JAX's, and the shape and dtype of all."""
    ours, theirs = drawn(minijax, draw, DRAWS // 5), drawn(jax, draw, DRAWS // 5)
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    wide, floor = theirs.astype(np.float64), 1e-3
    near = 1e-4 if ours.dtype.itemsize > 2 else 2e-2
    differing = int(np.sum(np.abs(ours - wide) > near * np.maximum(np.abs(wide), floor)))
    record_property("differing", differing)
    assert differing <= (1 - SHARE) * ours.size, f"{differing} of {ours.size} draws differ from JAX's"


@pytest.mark.parametrize("name", AGREEING)
def test_agreement(name: str, record_property: Callable[[str, Any], None]):
    check_agreement(AGREEING[name], record_property)


@pytest.mark.full
@pytest.mark.parametrize("name", MORE_AGREEING)
def test_more_agreement(name: str, record_property: Callable[[str, Any], None]):
    check_agreement(MORE_AGREEING[name], record_property)


MOMENTS: dict[str, tuple[Callable[[Any, Any, int], Any], Any]] = {
    "gamma": (AGREEING["gamma"], scipy.stats.gamma(SHAPES)),
    "poisson": (AGREEING["poisson"], scipy.stats.poisson(MEANS)),
    "large poisson": (lambda random, key, n: random.poisson(key, 1e6, (n, 1)), scipy.stats.poisson(1e6)),
    "binomial": (MORE_AGREEING["binomial"], scipy.stats.binom(TRIALS, CHANCES)),
    "beta": (MORE_AGREEING["beta"], scipy.stats.beta(SHAPES, 2.0)),
    "chisquare": (MORE_AGREEING["chisquare"], scipy.stats.chi2(SHAPES)),
    "f": (lambda random, key, n: random.f(key, SHAPES, 20.0, (n, 5)), scipy.stats.f(SHAPES, 20.0)),
    "t": (
        lambda random, key, n: random.t(key, SHAPES[2:] + 6, (n, 3)),
        scipy.stats.t(SHAPES[2:].astype(np.float64) + 6),
    ),
    "generalized_normal": (
        lambda random, key, n: random.generalized_normal(key, 1.5, (n, 1)),
        scipy.stats.gennorm(1.5),
    ),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_moments(name: str):
    """Mean and variance are within six standard errors of the distribution's."""
    draw, truth = MOMENTS[name]
    rows = 100_000
    sample = drawn(minijax, draw, rows, seed=11).astype(np.float64)
    mean, variance, kurtosis = (np.asarray(v, np.float64) for v in truth.stats("mvk"))
    assert np.all(np.abs(sample.mean(0) - mean) <= 6 * np.sqrt(variance / rows))
    spread = variance * np.sqrt((kurtosis + 2) / rows)
    assert np.all(np.abs(sample.var(0) - variance) <= 6 * spread)


def test_moments_of_counts_of_categories():
    chances = np.asarray([0.5, 0.2, 0.3], np.float32)
    sample = drawn(minijax, lambda random, key, n: random.multinomial(key, 40, chances, shape=(n, 3)), 50_000)
    assert np.all(sample.sum(-1) == 40)
    deviation = np.sqrt(40 * chances * (1 - chances) / len(sample))
    assert np.all(np.abs(sample.mean(0) - 40 * chances) <= 6 * deviation)


@pytest.mark.parametrize("name", ["gamma", *(pytest.param(n, marks=pytest.mark.full) for n in ("loggamma", "poisson"))])
def test_corners(name: str):
    """Parameters that are no numbers, infinite, zero or beyond all bounds."""
    parameter = CORNERS[:5] if name == "poisson" else CORNERS
    ours, theirs = (getattr(e.random, name)(e.random.key(0), parameter) for e in (minijax, jax))
    assert_same(ours, theirs, ulp=64)


@pytest.mark.full
def test_corners_of_binomial():
    n = np.asarray([np.nan, -1.0, np.inf, 5, 5, 5, 5, 0, 2.7], np.float32)
    p = np.asarray([0.5, 0.5, 0.5, np.nan, -0.1, 1.0, 0.0, 0.5, 1.0], np.float32)
    assert_same(minijax.random.binomial(minijax.random.key(0), n, p), jax.random.binomial(jax.random.key(0), n, p))


@pytest.mark.parametrize("name", ["gamma", pytest.param("loggamma", marks=pytest.mark.full)])
def test_derivative_of_a_sample(name: str):
    """The implicit derivative with respect to the shape parameter, forward and backward."""

    def results(engine: Any, a: Any) -> Any:
        def f(a: Any) -> Any:
            return getattr(engine.random, name)(engine.random.key(1), a, (4, 5))

        gradient = engine.grad(lambda a: engine.numpy.sum(f(a)))(a)
        return gradient, engine.jvp(f, (a,), (engine.numpy.ones_like(a),))

    theirs = jax.jit(lambda a: results(jax, a))(SHAPES)  # both at once, for each is a loop to compile
    assert_same(results(minijax, minijax.numpy.asarray(SHAPES)), theirs, ulp=512, leafwise=True)


def test_batched_keys_and_parameters():
    """vmap over keys, over parameters and over both gives what each of them gives alone."""
    keys, a = minijax.random.split(minijax.random.key(5), 5), minijax.numpy.asarray(SHAPES)
    draw = minijax.random.gamma
    both = minijax.vmap(draw)(keys, a)
    assert_same(both, jax.vmap(jax.random.gamma)(jax.random.split(jax.random.key(5), 5), SHAPES), ulp=64)
    assert np.array_equal(np.asarray(both), [np.asarray(draw(k, x)) for k, x in zip(keys, a, strict=True)])
    assert np.array_equal(
        np.asarray(minijax.vmap(draw, (None, 0))(keys[0], a)), [np.asarray(draw(keys[0], x)) for x in a]
    )
    counts = minijax.vmap(lambda k, lam: minijax.random.poisson(k, lam))(keys, a)
    assert np.array_equal(np.asarray(counts), [int(minijax.random.poisson(k, x)) for k, x in zip(keys, a, strict=True)])


def test_jit():
    for name in ("gamma", "poisson", "binomial"):
        draw = (AGREEING | MORE_AGREEING)[name]
        plain = drawn(minijax, draw, 50)
        key = minijax.random.key(3)
        compiled = minijax.jit(lambda key, draw=draw: draw(minijax.random, key, 50))(key)
        np.testing.assert_allclose(np.asarray(compiled), plain, rtol=1e-5, err_msg=name)
