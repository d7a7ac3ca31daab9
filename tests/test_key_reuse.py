"""Reuse of random keys is found where JAX's checker finds it: in programs, and from one operation to the next.

A program takes an engine (jax, jnp, lax of one of the two) and a new key.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jax as real_jax
import numpy as np
import pytest
from jax.experimental.key_reuse import _core as real_key_reuse

import minijax
from minijax import key_reuse
from minijax.errors import KeyReuseError
from minijax.experimental.key_reuse import check_key_reuse

MINI = SimpleNamespace(jax=minijax, jnp=minijax.numpy, lax=minijax.lax, check=check_key_reuse)
REAL = SimpleNamespace(jax=real_jax, jnp=real_jax.numpy, lax=real_jax.lax, check=real_key_reuse.check_key_reuse)
ERRORS = (KeyReuseError, real_jax.errors.KeyReuseError)


def draw(e: Any, key: Any) -> Any:
    return e.jax.random.bits(key, (2,))


def split(e: Any, key: Any, num: int = 2) -> Any:
    return e.jax.random.split(key, num)


def draws(e: Any, keys: Any) -> Any:
    return e.jax.vmap(lambda k: draw(e, k))(keys)


def _next(e: Any) -> Callable:
    def turn(key: Any, x: Any) -> Any:
        new, used = split(e, key)
        return new, draw(e, used) + e.jnp.uint32(x)

    return turn


def _while(e: Any, goes_on: Callable, turn: Callable, key: Any) -> Any:
    return e.lax.while_loop(goes_on, turn, (key, e.jnp.zeros(2, "uint32")))


def _turn_of_while(e: Any) -> Callable:
    return lambda c: (lambda keys: (keys[0], c[1] + draw(e, keys[1])))(split(e, c[0]))


def _once(e: Any) -> Callable:
    return lambda c: c[1][0] < 1


def _with_rule(e: Any) -> Callable:
    f = e.jax.custom_jvp(lambda key, x: draw(e, key) * x)
    f.defjvp(lambda primals, tangents: (f(*primals), tangents[1] * 1.0))
    return f


PROGRAMS: dict[str, Callable[[Any, Any], Any]] = {
    "once": lambda e, k: draw(e, k),
    "twice": lambda e, k: (draw(e, k), draw(e, k)),
    "split, then the parent": lambda e, k: (split(e, k), draw(e, k)),
    "used, then split": lambda e, k: (draw(e, k), split(e, k)),
    "split twice": lambda e, k: (split(e, k), split(e, k)),
    "both halves": lambda e, k: [draw(e, h) for h in split(e, k)],
    "one half twice": lambda e, k: (lambda a, b: (draw(e, a), draw(e, a)))(*split(e, k)),
    "one index twice": lambda e, k: (lambda ks: (draw(e, ks[0]), draw(e, ks[0])))(split(e, k)),
    "two indices": lambda e, k: (lambda ks: (draw(e, ks[0]), draw(e, ks[1])))(split(e, k)),
    "index from both ends": lambda e, k: (lambda ks: (draw(e, ks[-1]), draw(e, ks[2])))(split(e, k, 3)),
    "index, then all": lambda e, k: (lambda ks: (draw(e, ks[0]), draws(e, ks)))(split(e, k, 3)),
    "index, then the rest": lambda e, k: (lambda ks: (draw(e, ks[0]), draws(e, ks[1:])))(split(e, k, 3)),
    "index, unused, then all": lambda e, k: (lambda ks: (ks[0], draws(e, ks)))(split(e, k, 3)),
    "overlapping slices": lambda e, k: (lambda ks: (draws(e, ks[:2]), draws(e, ks[1:])))(split(e, k, 3)),
    "slice with steps": lambda e, k: (lambda ks: (draws(e, ks[::2]), draw(e, ks[1])))(split(e, k, 3)),
    "all twice": lambda e, k: (lambda ks: (draws(e, ks), draws(e, ks)))(split(e, k, 3)),
    "all at once, then one": lambda e, k: (lambda ks: (draws(e, ks), draw(e, ks[0])))(split(e, k, 3)),
    "fold_in twice": lambda e, k: [draw(e, e.jax.random.fold_in(k, i)) for i in range(2)],
    "used, then fold_in": lambda e, k: (draw(e, k), draw(e, e.jax.random.fold_in(k, 1))),
    "one fold_in twice": lambda e, k: (lambda f: (draw(e, f), draw(e, f)))(e.jax.random.fold_in(k, 1)),
    "clone": lambda e, k: (draw(e, k), draw(e, e.jax.random.clone(k))),
    "one clone twice": lambda e, k: (lambda c: (draw(e, c), draw(e, c)))(e.jax.random.clone(k)),
    "words": lambda e, k: (draw(e, k), e.jax.random.key_data(k)),
    "words made a key": lambda e, k: (draw(e, k), draw(e, e.jax.random.wrap_key_data(e.jax.random.key_data(k)))),
    "used, then reshaped": lambda e, k: (draw(e, k), draw(e, k.reshape(1)[0])),
    "compared": lambda e, k: (draw(e, k), k == k),
    "concatenated": lambda e, k: draws(e, e.jnp.concatenate([split(e, k), e.jax.random.key(1)[None]])),
    "concatenated, then a part": lambda e, k: (
        lambda ks: (draws(e, e.jnp.concatenate([ks, e.jax.random.key(1)[None]])), draw(e, ks[0]))
    )(split(e, k)),
    "jit twice": lambda e, k: (e.jax.jit(lambda k: draw(e, k))(k), e.jax.jit(lambda k: draw(e, k))(k)),
    "jit without use": lambda e, k: (e.jax.jit(lambda k: 1)(k), draw(e, k)),
    "jit that reuses": lambda e, k: e.jax.jit(lambda k: (draw(e, k), draw(e, k)))(k),
    "jit that splits": lambda e, k: [draw(e, h) for h in e.jax.jit(lambda k: tuple(split(e, k)))(k)],
    "a result of jit twice": lambda e, k: (lambda ks: (draw(e, ks[0]), draw(e, ks[0])))(
        e.jax.jit(lambda k: tuple(split(e, k)))(k)
    ),
    "jit returns what it used": lambda e, k: draw(e, e.jax.jit(lambda k: (draw(e, k), k))(k)[1]),
    "jit returns its argument": lambda e, k: draw(e, e.jax.jit(lambda k: k)(k)),
    "scan, one key": lambda e, k: e.lax.scan(lambda c, x: (c, draw(e, k)), 0, e.jnp.arange(3)),
    "scan, one key in the carry": lambda e, k: e.lax.scan(lambda c, x: (c, draw(e, c)), k, e.jnp.arange(3)),
    "scan, a new key in the carry": lambda e, k: e.lax.scan(_next(e), k, e.jnp.arange(3)),
    "scan, then the key": lambda e, k: (e.lax.scan(_next(e), k, e.jnp.arange(3)), draw(e, k)),
    "scan, then its last key": lambda e, k: draw(e, e.lax.scan(_next(e), k, e.jnp.arange(3))[0]),
    "scan over keys": lambda e, k: e.lax.scan(lambda c, x: (c, draw(e, x)), 0, split(e, k, 3)),
    "scan over keys twice": lambda e, k: (
        lambda ks: [e.lax.scan(lambda c, x: (c, draw(e, x)), 0, ks) for _ in range(2)]
    )(split(e, k, 3)),
    "scan, fold_in": lambda e, k: e.lax.scan(lambda c, x: (c, draw(e, e.jax.random.fold_in(k, x))), 0, e.jnp.arange(3)),
    "fori_loop, one key": lambda e, k: e.lax.fori_loop(0, 3, lambda i, c: c + draw(e, k), e.jnp.zeros(2, "uint32")),
    "while, new keys": lambda e, k: _while(e, _once(e), _turn_of_while(e), k),
    "while, one key": lambda e, k: _while(e, _once(e), lambda c: (c[0], c[1] + draw(e, k)), e.jax.random.key(1)),
    "while, one key in the carry": lambda e, k: _while(e, _once(e), lambda c: (c[0], draw(e, c[0])), k),
    "while, predicate": lambda e, k: _while(
        e, lambda c: draw(e, k)[0] < c[1][0], lambda c: (c[0], c[1] + 1), e.jax.random.key(1)
    ),
    "while, predicate and body": lambda e, k: _while(e, lambda c: draw(e, c[0])[0] < 1, _turn_of_while(e), k),
    "cond, in both branches": lambda e, k: e.lax.cond(True, lambda k: draw(e, k), lambda k: draw(e, k) + 1, k),
    "cond, then the key": lambda e, k: (
        e.lax.cond(True, lambda k: draw(e, k), lambda k: e.jnp.zeros(2, "uint32"), k),
        draw(e, k),
    ),
    "cond without use": lambda e, k: (e.lax.cond(True, lambda k: 1, lambda k: 2, k), draw(e, k)),
    "cond, twice in a branch": lambda e, k: e.lax.cond(
        True, lambda k: draw(e, k) + draw(e, k), lambda k: draw(e, k), k
    ),
    "cond, new keys": lambda e, k: draw(e, e.lax.cond(True, lambda k: split(e, k)[0], lambda k: split(e, k)[1], k)),
    "cond, a new key or the old one": lambda e, k: draw(e, e.lax.cond(True, lambda k: k, lambda k: split(e, k)[0], k)),
    "cond hands on": lambda e, k: (draw(e, e.lax.cond(True, lambda k: k, lambda k: k, k)), draw(e, k)),
    "checkpoint, then the key": lambda e, k: (e.jax.checkpoint(lambda k: draw(e, k))(k), draw(e, k)),
    "gradient": lambda e, k: e.jax.grad(lambda x: (e.jax.random.normal(k, (2,)) * x).sum())(1.0),
    "vmap over a shared key": lambda e, k: e.jax.vmap(lambda x: draw(e, k) + x)(e.jnp.zeros(3, "uint32")),
    "vmap over a shared key, then the key": lambda e, k: (
        e.jax.vmap(lambda x: draw(e, k) + x)(e.jnp.zeros(3, "uint32")),
        draw(e, k),
    ),
    "stacked": lambda e, k: draws(e, e.jnp.stack(list(split(e, k)))),
    "stacked, then a part": lambda e, k: (lambda a, b: (draws(e, e.jnp.stack([a, b])), draw(e, a)))(*split(e, k)),
    "transposed": lambda e, k: draws(e, split(e, k, (2, 2)).T[0]),
    "chosen": lambda e, k: (lambda a, b: draw(e, e.jnp.where(True, a, b)))(*split(e, k)),
    "chosen, then one": lambda e, k: (lambda a, b: (draw(e, e.jnp.where(True, a, b)), draw(e, a)))(*split(e, k)),
    "reshaped, each": lambda e, k: [draw(e, h) for h in split(e, k, (2, 2)).ravel()],
    "custom_jvp": lambda e, k: _with_rule(e)(k, 1.0),
    "custom_jvp, then the key": lambda e, k: (_with_rule(e)(k, 1.0), draw(e, k)),
    "lax.map": lambda e, k: e.lax.map(lambda k: draw(e, k), split(e, k, 3)),
    "iterated, then all": lambda e, k: (lambda ks: (list(ks), draws(e, ks)))(split(e, k)),
}
# Where JAX's checker, which does not know the operation, takes its result for a used key.
KNOWN_HERE = {"stacked", "transposed", "chosen"}
# Outside of programs JAX makes new keys of those that it iterates over.
FOLLOWED_HERE = {"iterated, then all"}


def reuse(e: Any, run: Callable[[], Any]) -> bool:
    """Whether a program is stopped for using a key twice."""
    try:
        with e.jax.debug_key_reuse(True):
            run()
    except ERRORS:
        return True
    return False


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name: str):
    """Without running them: the checker looks at the jaxpr."""
    ours, theirs = (
        reuse(e, lambda e=e: e.check(lambda k: PROGRAMS[name](e, k), e.jax.random.key(0))) for e in (MINI, REAL)
    )
    if name in KNOWN_HERE:
        assert (ours, theirs) == (False, True)
    else:
        assert ours == theirs


EAGERLY_IN_DEFAULT = ("twice", "once", "one index twice", "two indices", "scan, then the key", "clone", "jit twice")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in EAGERLY_IN_DEFAULT else pytest.mark.full) for n in PROGRAMS]
)
def test_one_operation_after_the_other(name: str):
    ours, theirs = (reuse(e, lambda e=e: PROGRAMS[name](e, e.jax.random.key(0))) for e in (MINI, REAL))
    if name in KNOWN_HERE:
        assert (ours, theirs) == (False, True)
    elif name in FOLLOWED_HERE:
        assert (ours, theirs) == (True, False)
    else:
        assert ours == theirs


@pytest.mark.parametrize("name", PROGRAMS)
def test_jitted(name: str):
    """A jitted function is checked when it is called, as the same program that the checker looks at."""
    found = reuse(MINI, lambda: minijax.jit(lambda k: PROGRAMS[name](MINI, k))(minijax.random.key(0)))
    assert found == reuse(MINI, lambda: check_key_reuse(lambda k: PROGRAMS[name](MINI, k), minijax.random.key(0)))


def test_parts_of_keys_in_another_shape():
    """JAX's checker fails to compare them."""

    def program(index: tuple[int, int]) -> Callable:
        def f(key: Any) -> Any:
            keys = split(MINI, key, (2, 2))
            return draw(MINI, keys.ravel()[0]), draw(MINI, keys[index])

        return f

    key = minijax.random.key(0)
    assert reuse(MINI, lambda: check_key_reuse(program((0, 0)), key))
    assert not reuse(MINI, lambda: check_key_reuse(program((0, 1)), key))


# ----------------------------------------------------------------- samplers

_SAMPLERS = {
    "ball": (2,),
    "bernoulli": (),
    "beta": (1.0, 2.0),
    "binomial": (5.0, 0.5),
    "bits": (),
    "categorical": (np.ones(3, np.float32),),
    "cauchy": (),
    "chisquare": (2.0,),
    "choice": (5,),
    "dirichlet": (np.ones(3, np.float32),),
    "double_sided_maxwell": (0.0, 1.0),
    "exponential": (),
    "f": (2.0, 3.0),
    "gamma": (2.0,),
    "generalized_normal": (2.0,),
    "geometric": (0.5,),
    "gumbel": (),
    "laplace": (),
    "loggamma": (2.0,),
    "logistic": (),
    "lognormal": (),
    "maxwell": (),
    "multinomial": (5.0, np.full(2, 0.5, np.float32)),
    "multivariate_normal": (np.zeros(2, np.float32), np.eye(2, dtype=np.float32)),
    "normal": (),
    "orthogonal": (2,),
    "pareto": (1.0,),
    "permutation": (5,),
    "poisson": (3.0,),
    "rademacher": (),
    "randint": ((3,), 0, 5),
    "rayleigh": (1.0,),
    "t": (2.0,),
    "triangular": (0.0, 0.5, 1.0),
    "truncated_normal": (-1.0, 1.0),
    "uniform": (),
    "wald": (1.0,),
    "weibull_min": (1.0, 1.0),
}


@pytest.mark.parametrize("name", _SAMPLERS)
def test_samplers_use_their_key_up(name: str):
    """And they use it once only, in programs and outside."""
    sampler = getattr(minijax.random, name)

    def sample(key: Any) -> Any:
        return sampler(key, *_SAMPLERS[name])

    for make in (minijax.random.key, minijax.random.PRNGKey):
        key = make(7)
        with minijax.debug_key_reuse(True):
            first = sample(minijax.random.clone(key))
            sample(key)
            with pytest.raises(KeyReuseError):
                sample(key)
        np.testing.assert_array_equal(first, sample(key))
    assert not reuse(MINI, lambda: minijax.jit(sample)(minijax.random.key(7)))
    assert reuse(MINI, lambda: minijax.jit(lambda k: (sample(k), sample(k)))(minijax.random.key(7)))


# ----------------------------------------------------------------- messages, flags, and what is kept


def test_both_places_are_named():
    key = minijax.random.key(0)
    with minijax.debug_key_reuse(True):
        minijax.random.normal(key)
        with pytest.raises(KeyReuseError) as eager:
            minijax.random.normal(key)
        with pytest.raises(KeyReuseError) as jitted:
            minijax.jit(lambda k: (minijax.random.normal(k), split(MINI, k)))(minijax.random.key(1))
    place = r"test_key_reuse\.py:\d+ \(\S+\)"
    expected = f"random_bits at \\S*{place} is given a key that has been used at \\S*{place}"
    assert re.search(expected, str(eager.value))
    expected = f"random_split at \\S*{place} is given a key that random_bits at \\S*{place} has used"
    assert re.search(expected, str(jitted.value))


def test_the_flag():
    key = minijax.random.key(0)
    minijax.random.normal(key)
    minijax.random.normal(key)  # nobody looks
    with minijax.debug_key_reuse(True):
        minijax.random.normal(key)
    minijax.random.normal(key)
    with minijax.debug_key_reuse(True), pytest.raises(KeyReuseError):
        minijax.random.normal(key)
    minijax.config.update("jax_debug_key_reuse", True)
    try:
        with pytest.raises(KeyReuseError), minijax.debug_key_reuse(True):
            minijax.random.normal(key)
        with minijax.debug_key_reuse(False):
            minijax.random.normal(key)
    finally:
        minijax.config.update("jax_debug_key_reuse", False)


@pytest.mark.parametrize("e", [MINI, REAL], ids=["minijax", "jax"])
def test_keys_that_a_function_closes_over(e: Any):
    key, other = e.jax.random.key(0), e.jax.random.key(1)
    f = e.jax.jit(lambda x: draw(e, key) + x)
    assert reuse(e, lambda: (f(1), f(2)))
    g = e.jax.jit(lambda x: draw(e, other) + x)
    assert reuse(e, lambda: (g(1), draw(e, other)))


def test_nothing_is_kept_of_keys_that_are_gone():
    with minijax.debug_key_reuse(True):
        before = len(key_reuse._states)
        for seed in range(50):
            split(MINI, minijax.random.key(seed))
        gc.collect()
        assert len(key_reuse._states) <= before


# ----------------------------------------------------------------- raw keys


def test_raw_keys_are_followed():
    """JAX follows typed keys only."""
    raw = minijax.random.PRNGKey
    assert reuse(MINI, lambda: (lambda k: (draw(MINI, k), draw(MINI, k)))(raw(0)))
    assert reuse(MINI, lambda: (lambda k: (split(MINI, k), draw(MINI, k)))(raw(0)))
    assert reuse(MINI, lambda: (lambda ks: (draw(MINI, ks[0]), draw(MINI, ks[0])))(split(MINI, raw(0))))
    assert reuse(MINI, lambda: (lambda ks: (draws(MINI, ks), draw(MINI, ks[1])))(split(MINI, raw(0))))
    assert reuse(MINI, lambda: (lambda k: (draw(MINI, k), draw(MINI, np.asarray(k))))(raw(0)))
    assert not reuse(MINI, lambda: [draw(MINI, k) for k in split(MINI, raw(0), 3)])
    assert not reuse(MINI, lambda: draws(MINI, split(MINI, raw(0), 3)))
    assert not reuse(MINI, lambda: (lambda k: (draw(MINI, k), draw(MINI, minijax.random.fold_in(k, 1))))(raw(0)))
    assert not reuse(MINI, lambda: (lambda k: (draw(MINI, k), draw(MINI, minijax.random.clone(k))))(raw(0)))


def test_raw_keys_that_are_made_anew_may_be_used_anew():
    def program() -> None:
        key, used = split(MINI, minijax.random.PRNGKey(3))
        draw(MINI, used)
        draw(MINI, minijax.random.fold_in(key, 1))
        draw(MINI, key)

    assert not reuse(MINI, lambda: (program(), program()))
    key = minijax.random.PRNGKey(3)  # while nobody looks
    assert not reuse(MINI, lambda: draw(MINI, key))
