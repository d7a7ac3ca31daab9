"""Random numbers are JAX's: bit by bit where the promise is identity, within a tolerance where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import minijax
import minijax.random
from minijax.primitives.prng import threefry2x32
from reference.check.oracle import assert_same, to_numpy

KINDS = ("key", "PRNGKey")
FLOATS = ("float16", "float32", "float64")
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")

DEPTH = max(1, settings.default.max_examples // 10)  # 30 under the profile `full`
# Compiling takes JAX longer than drawing, so the shapes are few.
shapes = st.sampled_from([(), (3, 2), (2, 0, 3)])
seeds = st.integers(-(2**63), 2**63 - 1)
small_seeds = st.integers(0, 2**31 - 1)
kinds = st.sampled_from(KINDS)
modes = st.sampled_from(["low", "high"])


@contextmanager
def x64(on: bool) -> Iterator[None]:
    """Both engines with 64-bit types on or off."""
    with minijax.enable_x64(on), jax.enable_x64(on):
        yield


def compare(draw: Any, seed: int = 0, kind: str = "key", wide: bool = False, **tolerance: Any) -> None:
    """draw(engine, key) is the same on both engines."""
    with x64(wide):
        ours, theirs = [draw(engine, getattr(engine.random, kind)(seed)) for engine in (minijax, jax)]
        assert_same(ours, theirs, what=f"seed {seed}", **tolerance)


# --------------------------------------------------------------------------- the hash and keys


@pytest.mark.parametrize(
    "counter, key, expected",
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
        ((0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_known_answers_of_threefry(counter: tuple, key: tuple, expected: tuple):
    """From the test vectors of Random123, the reference implementation."""
    words = threefry2x32(*map(np.uint32, (*key, *counter)))
    assert tuple(int(w) for w in words) == expected


@settings(max_examples=60)
@given(seed=seeds, kind=kinds, wide=st.booleans())
@example(seed=-1, kind="key", wide=False)
@example(seed=-1, kind="key", wide=True)
@example(seed=2**40 + 7, kind="key", wide=False)
@example(seed=2**63 - 1, kind="PRNGKey", wide=True)
def test_keys_from_seeds(seed: int, kind: str, wide: bool):
    compare(lambda engine, key: key, seed, kind, wide)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_keys_from_integers_of_any_dtype(dtype: str):
    info = np.iinfo(dtype)
    for wide in (False, True):
        for seed in (info.min, info.max, 3):
            compare(lambda engine, key: key, np.dtype(dtype).type(seed), wide=wide)


@given(seed=seeds, num=st.sampled_from([1, 2, (), (0, 3)]), kind=kinds, wide=st.booleans())
def test_split(seed: int, num: Any, kind: str, wide: bool):
    compare(lambda engine, key: engine.random.split(key, num), seed, kind, wide)


@given(seed=seeds, data=st.integers(0, 2**32 - 1), kind=kinds)
def test_fold_in(seed: int, data: int, kind: str):
    compare(lambda engine, key: engine.random.fold_in(key, data), seed, kind)


@pytest.mark.parametrize("data", [True, 1.7, np.int32(-4), np.int64(2**40 + 1), np.uint8(200)])
def test_fold_in_converts_to_uint32(data: Any):
    compare(lambda engine, key: engine.random.fold_in(key, data))


def test_key_attributes():
    raw, typed = minijax.random.PRNGKey(7), minijax.random.key(7)
    assert raw.shape == (2,) and raw.dtype == np.uint32
    assert typed.shape == () and str(typed.dtype) == "key<fry>"
    assert minijax.dtypes.issubdtype(typed.dtype, minijax.dtypes.prng_key)
    assert minijax.random.key_impl(raw) == minijax.random.key_impl(typed) == "threefry2x32"
    assert minijax.random.key(0, impl="threefry2x32").dtype == minijax.random.key_dtype() == typed.dtype
    data = minijax.random.key_data(typed)
    assert_same(minijax.random.key_data(raw), jax.random.key_data(jax.random.key(7)))
    assert_same(minijax.random.wrap_key_data(data, dtype="threefry2x32"), jax.random.key(7))
    assert_same(minijax.random.clone(typed), jax.random.key(7))


# --------------------------------------------------------------------------- identical bits


@settings(max_examples=6 * DEPTH)
@given(seed=small_seeds, shape=shapes, dtype=st.sampled_from(INTEGERS[1::2]), kind=kinds, wide=st.booleans())
def test_bits(seed: int, shape: tuple, dtype: str, kind: str, wide: bool):
    if dtype != "uint64" or wide:
        compare(lambda engine, key: engine.random.bits(key, shape, dtype), seed, kind, wide)


@pytest.mark.parametrize("shape", [(1 << 15,), (70_001,), (33_000, 3)], ids=str)
def test_bits_in_many_blocks(shape: tuple):
    compare(lambda engine, key: engine.random.bits(key, shape), 5)


@settings(max_examples=8 * DEPTH)
@given(seed=small_seeds, shape=shapes, dtype=st.sampled_from(FLOATS), kind=kinds, wide=st.booleans())
def test_uniform(seed: int, shape: tuple, dtype: str, kind: str, wide: bool):
    if dtype != "float64" or wide:
        compare(lambda engine, key: engine.random.uniform(key, shape, dtype), seed, kind, wide)


@settings(max_examples=40)
@given(
    seed=small_seeds,
    dtype=st.sampled_from(FLOATS),
    minval=st.floats(-1000, 1000, width=16).map(lambda x: x or 0.0),  # -0.0 is another matter
    span=st.floats(2**-10, 1000, width=16),
)
@example(seed=0, dtype="float32", minval=-0.1, span=0.2)
@example(seed=0, dtype="float32", minval=3.0, span=0.0)
def test_uniform_between_bounds(seed: int, dtype: str, minval: float, span: float):
    """Many draws, since only some of them tell one rounding from two."""

    def draw(engine: Any, key: Any) -> Any:
        low, high = engine.numpy.asarray([minval, minval + span], dtype)
        return engine.random.uniform(key, (1000,), dtype, low, high)

    compare(draw, seed, wide=True)


def test_uniform_between_arrays_and_numbers():
    low = np.linspace(-3, 3, 4, dtype=np.float32)
    compare(lambda engine, key: engine.random.uniform(key, (5, 4), minval=low, maxval=low[:1] + 7.3))
    compare(lambda engine, key: engine.random.uniform(key, (500,), "float32", -3, 7.5))
    compare(lambda engine, key: engine.jit(lambda k, a: engine.random.uniform(k, (500,), "float32", a, 7.5))(key, 0.3))


@st.composite
def bounds(draw: Any) -> tuple[str, int, int]:
    """A dtype, and two integers in its range or one beyond."""
    info = np.iinfo(draw(st.sampled_from(INTEGERS)))
    edges = st.sampled_from([int(info.min), int(info.max), int(info.max) + 1, 0, 5])
    numbers = st.one_of(edges, st.integers(int(info.min), int(info.max)))
    return info.dtype.name, draw(numbers), draw(numbers)


@settings(max_examples=15 * DEPTH)
@given(seed=small_seeds, bounds=bounds(), kind=kinds)
def test_randint(seed: int, bounds: tuple[str, int, int], kind: str):
    dtype, low, high = bounds

    def draw(engine: Any, key: Any) -> Any:
        try:
            return engine.random.randint(key, (50,), low, high, dtype)
        except OverflowError:  # a Python int that has no 64 bits to go
            return "overflow"

    compare(draw, seed, kind, wide=dtype.endswith("64"))


def test_randint_between_arrays():
    low, high = np.array([[0], [-5]], np.int8), np.array([3, 100, 127], np.uint8)
    compare(lambda engine, key: engine.random.randint(key, (2, 3), low, high))
    compare(lambda engine, key: engine.random.randint(key, (4,), 0.5, np.float32(9.7), "int16"))


@settings(max_examples=5 * DEPTH)
@given(seed=small_seeds, n=st.sampled_from([0, 1, 2, 3000]), kind=kinds)
def test_permutation_of_a_range(seed: int, n: int, kind: str):
    compare(lambda engine, key: engine.random.permutation(key, n), seed, kind)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("independent", [False, True])
def test_permutation_of_an_array(axis: int, independent: bool):
    x = np.arange(12, dtype=np.float32).reshape(4, 3)
    compare(lambda engine, key: engine.random.permutation(key, x, axis, independent))


@settings(max_examples=5 * DEPTH)
@given(seed=small_seeds, p=st.floats(0, 1, width=32), mode=st.sampled_from(["low", "high"]), wide=st.booleans())
def test_bernoulli(seed: int, p: float, mode: str, wide: bool):
    compare(lambda engine, key: engine.random.bernoulli(key, p, (100,), mode), seed, wide=wide)


def test_bernoulli_of_arrays():
    p = np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3)
    compare(lambda engine, key: engine.random.bernoulli(key, p))
    compare(lambda engine, key: engine.random.bernoulli(key, p.astype(np.float16), (4, 2, 3)))


@pytest.mark.parametrize("dtype", ["int32", "float32", "int8"])
def test_rademacher(dtype: str):
    compare(lambda engine, key: engine.random.rademacher(key, (100,), dtype))


@pytest.mark.parametrize("shape", [(), (3,), (2, 2)], ids=str)
@pytest.mark.parametrize("replace", [True, False])
def test_choice_without_probabilities(shape: tuple, replace: bool):
    x = np.arange(10, dtype=np.float32).reshape(2, 5)
    compare(lambda engine, key: engine.random.choice(key, 5, shape, replace))
    compare(lambda engine, key: engine.random.choice(key, x, shape, replace, axis=1))


# --------------------------------------------------------------------------- draws within a tolerance


@settings(max_examples=4 * DEPTH)
@given(seed=small_seeds, kind=kinds)
def test_normal(seed: int, kind: str):
    for dtype, relative in (("float16", 1e-3), ("float32", 3e-7), ("float64", 1e-12)):
        ulp = relative / float(np.finfo(dtype).eps)
        compare(lambda engine, key, t=dtype: engine.random.normal(key, (2000,), t), seed, kind, True, ulp=ulp)


CONTINUOUS = {
    "cauchy": lambda r, k, **kw: r.cauchy(k, (2000,), **kw),
    "double_sided_maxwell": lambda r, k, **kw: r.double_sided_maxwell(k, 1.0, 2.0, (2000,), **kw),
    "exponential": lambda r, k, **kw: r.exponential(k, (2000,), **kw),
    "gumbel": lambda r, k, **kw: r.gumbel(k, (2000,), **kw),
    "gumbel-high": lambda r, k, **kw: r.gumbel(k, (2000,), mode="high", **kw),
    "laplace": lambda r, k, **kw: r.laplace(k, (2000,), **kw),
    "logistic": lambda r, k, **kw: r.logistic(k, (2000,), **kw),
    "lognormal": lambda r, k, **kw: r.lognormal(k, 0.5, (2000,), **kw),
    "maxwell": lambda r, k, **kw: r.maxwell(k, (2000,), **kw),
    "pareto": lambda r, k, **kw: r.pareto(k, 3.0, (2000,), **kw),
    "rayleigh": lambda r, k, **kw: r.rayleigh(k, np.float32(2), (2000,), **kw),
    "triangular": lambda r, k, **kw: r.triangular(k, -1.0, 0.5, 2.0, (2000,), **kw),
    "truncated_normal": lambda r, k, **kw: r.truncated_normal(k, -2.0, 1.5, (2000,), **kw),
    "truncated_normal-shape": lambda r, k, **kw: r.truncated_normal(k, np.float32([-1, 0]), np.float32(3), **kw),
    "wald": lambda r, k, **kw: r.wald(k, np.float32(1.5), (2000,), **kw),
    "weibull_min": lambda r, k, **kw: r.weibull_min(k, 2.0, 3.0, (2000,), **kw),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous(name: str):
    """Errors are relative, but absolute below 1, where the distributions have their zeros."""
    draw, ulp = CONTINUOUS[name], 128 if name == "wald" else 16
    compare(lambda engine, key: draw(engine.random, key, dtype="float32"), 3, ulp=ulp, floor=1.0)


@pytest.mark.parametrize("name", ["exponential", "gumbel-high", "truncated_normal", "triangular"])
def test_continuous_in_float64(name: str):
    """JAX's log1p is off by up to 120 ULP here."""
    draw = CONTINUOUS[name]
    compare(lambda engine, key: draw(engine.random, key, dtype="float64"), 3, wide=True, ulp=256, floor=1.0)


def agreement(draw: Any) -> float:
    """The part of the draws that is the same on both engines."""
    ours, theirs = [to_numpy(draw(engine, engine.random.key(11))) for engine in (minijax, jax)]
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    return float(np.mean(ours == theirs))


P = np.float32([0.05, 0.3, 0.15, 0.4, 0.1])
LOGITS = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)


@pytest.mark.parametrize(
    "draw",
    [
        lambda engine, key: engine.random.choice(key, 5, (20_000,), p=P),
        lambda engine, key: engine.random.choice(key, 5, (3,), False, P),
        lambda engine, key: engine.random.categorical(key, LOGITS, shape=(5000, 4)),
        lambda engine, key: engine.random.categorical(key, LOGITS, 0, (3000, 6), mode="high"),
        lambda engine, key: engine.random.categorical(key, LOGITS, shape=(3, 4), replace=False),
        lambda engine, key: engine.random.categorical(key, LOGITS.astype(np.float16)),
        lambda engine, key: engine.random.geometric(key, 0.2, (20_000,)),
    ],
    ids=(
        "choice",
        "choice-once",
        "categorical",
        "categorical-axis",
        "categorical-once",
        "categorical-f16",
        "geometric",
    ),
)
def test_draws_through_a_threshold(draw: Any):
    assert agreement(draw) >= 0.999


# --------------------------------------------------------------------------- keys and transformations


def test_both_kinds_of_keys_give_the_same_numbers():
    raw, typed = minijax.random.PRNGKey(3), minijax.random.key(3)
    for draw in (minijax.random.normal, minijax.random.bits):
        assert np.array_equal(draw(raw, (5,)), draw(typed, (5,)))


@pytest.mark.parametrize("kind", KINDS)
def test_vmap_and_jit_over_keys(kind: str):
    def draws(engine: Any, key: Any) -> Any:
        sample = engine.vmap(lambda k: engine.random.uniform(engine.random.split(k)[0], (3,), "float32", 1.0, 4.3))
        return sample(key), engine.jit(sample)(key)

    def matrix(engine: Any, key: Any) -> Any:
        fold = engine.vmap(engine.vmap(engine.random.fold_in, (None, 0)), (0, None))
        return fold(engine.random.split(key, 4), engine.numpy.arange(3))

    compare(lambda engine, key: draws(engine, engine.random.split(key, 6)), kind=kind)
    compare(matrix, kind=kind)
    compare(lambda engine, key: engine.vmap(engine.random.permutation, (0, None))(engine.random.split(key, 3), 9))
    compare(lambda engine, key: engine.vmap(getattr(engine.random, kind))(engine.numpy.arange(-2, 3)))


def test_vmapped_draws_are_those_of_each_key():
    keys = minijax.random.split(minijax.random.key(0), 40)
    many = minijax.vmap(lambda k: minijax.random.bits(k, (3,)))(keys)
    assert all(np.array_equal(many[i], minijax.random.bits(keys[i], (3,))) for i in range(40))


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_through_a_sampler(kind: str):
    def loss(engine: Any, key: Any, low: Any, scale: Any) -> Any:
        noise = engine.random.normal(key, (3,)) + engine.random.uniform(key, (3,), minval=low, maxval=5.5)
        return (scale * noise).sum()

    def gradients(engine: Any, key: Any) -> Any:
        return engine.grad(lambda *args: loss(engine, *args), (1, 2))(key, 0.7, 2.0)

    compare(gradients, kind=kind, ulp=4)


def test_keys_are_compared_and_put_into_arrays():
    found = []
    for engine in (minijax, jax):
        keys, other = engine.random.split(engine.random.key(0), 3), engine.random.key(1)
        changed = keys.at[1].set(other)
        shown = engine.jit(lambda x, y: (x == y, x != y))(keys, changed)
        found.append([*shown, engine.lax.eq(keys[0], other), keys == keys[1], engine.random.key_data(changed)])
        with pytest.raises(TypeError):
            engine.lax.lt(other, other)
    assert_same(*found)


def test_keys_have_tangents_of_no_dimension():
    key = minijax.random.key(0)
    gradient = minijax.grad(lambda k, x: x * minijax.random.uniform(k), allow_int=True)(minijax.random.PRNGKey(0), 1.0)
    assert gradient.dtype == minijax.dtypes.float0 and gradient.shape == (2,)
    out, pullback = minijax.vjp(lambda k, x: (minijax.random.split(k), 2 * x), key, 1.0)
    assert_same(out[0], jax.random.split(jax.random.key(0)))
    tangent, slope = pullback((np.zeros((2,), minijax.dtypes.float0), minijax.numpy.float32(1)))
    assert tangent.dtype == minijax.dtypes.float0 and slope == 2.0


# --------------------------------------------------------------------------- wrong use


def words(engine: Any, *shape: int) -> Any:
    """An array that could be key data, if its shape is right."""
    return engine.numpy.zeros(shape, "uint32")


MISUSE = {
    "seed too wide": lambda e, k: e.random.key(2**63),
    "seed a float": lambda e, k: e.random.key(1.5),
    "seed a bool": lambda e, k: e.random.key(np.bool_(True)),
    "seed an array": lambda e, k: e.random.PRNGKey(e.numpy.arange(3)),
    "seed a key": lambda e, k: e.random.key(k),
    "seed None": lambda e, k: e.random.key(None),
    "unknown impl": lambda e, k: e.random.key(0, impl="mersenne"),
    "impl of no type": lambda e, k: e.random.key(0, impl=3),
    "impl and dtype": lambda e, k: e.random.key(0, impl="threefry2x32", dtype="threefry2x32"),
    "key an int": lambda e, k: e.random.normal(0),
    "key a list": lambda e, k: e.random.normal([0, 0]),
    "key None": lambda e, k: e.random.bits(None),
    "key of three words": lambda e, k: e.random.uniform(words(e, 3)),
    "key of floats": lambda e, k: e.random.uniform(e.numpy.zeros(2)),
    "scalar for a key": lambda e, k: e.random.uniform(words(e)),
    "many raw keys": lambda e, k: e.random.split(words(e, 3, 2)),
    "many typed keys": lambda e, k: e.random.bits(e.random.split(k)),
    "wrap of a scalar": lambda e, k: e.random.wrap_key_data(words(e)),
    "wrap of signed words": lambda e, k: e.random.wrap_key_data(e.numpy.zeros(2, "int32")),
    "fold_in of an array": lambda e, k: e.random.fold_in(k, e.numpy.arange(3)),
    "fold_in of -1": lambda e, k: e.random.fold_in(k, -1),
    "shape a string": lambda e, k: e.random.uniform(k, "3"),
    "shape of floats": lambda e, k: e.random.normal(k, (2.5,)),
    "uniform of ints": lambda e, k: e.random.uniform(k, (), "int32"),
    "normal of ints": lambda e, k: e.random.normal(k, (), "int32"),
    "bits of ints": lambda e, k: e.random.bits(k, (), "int32"),
    "randint of floats": lambda e, k: e.random.randint(k, (), 0, 5, "float32"),
    "randint bounds": lambda e, k: e.random.randint(k, (2,), e.numpy.arange(3), 5),
    "bernoulli of ints": lambda e, k: e.random.bernoulli(k, 1),
    "bernoulli mode": lambda e, k: e.random.bernoulli(k, 0.5, mode="medium"),
    "bernoulli shape": lambda e, k: e.random.bernoulli(k, e.numpy.ones((2, 3)), (3,)),
    "truncated shape": lambda e, k: e.random.truncated_normal(k, e.numpy.zeros(3), 1.0, (2,)),
    "gumbel mode": lambda e, k: e.random.gumbel(k, (), mode="medium"),
    "pareto of float64": lambda e, k: e.random.pareto(k, np.float32(2), (), "float16"),
    "categorical shape": lambda e, k: e.random.categorical(k, e.numpy.ones((2, 3)), shape=(3,)),
    "categorical of a list": lambda e, k: e.random.categorical(k, [0.0, 1.0]),
    "categorical too many": lambda e, k: e.random.categorical(k, e.numpy.ones(3), shape=(4,), replace=False),
    "permutation of a float": lambda e, k: e.random.permutation(k, 3.0),
    "permutation axis": lambda e, k: e.random.permutation(k, e.numpy.ones((2, 3)), 2),
    "permutation of a list": lambda e, k: e.random.permutation(k, [1, 2]),
    "permutation of a traced size": lambda e, k: e.jit(lambda n: e.random.permutation(k, n))(3),
    "choice of too many": lambda e, k: e.random.choice(k, 3, (4,), False),
    "choice of nothing": lambda e, k: e.random.choice(k, 0, (2,)),
    "choice shape": lambda e, k: e.random.choice(k, 3, 2),
    "choice p": lambda e, k: e.random.choice(k, 3, p=e.numpy.ones(2)),
    "choice of a list": lambda e, k: e.random.choice(k, [1, 2]),
}


def error_of(call: Any, engine: Any) -> str:
    """The class of the exception that JAX's users would catch."""
    with pytest.raises(Exception) as info:  # noqa: PT011 - the class is what is compared
        call(engine, engine.random.key(0))
    assert str(info.value)
    return type(info.value).__name__


@pytest.mark.parametrize("name", MISUSE)
def test_misuse_raises_what_jax_raises(name: str):
    assert error_of(MISUSE[name], minijax) == error_of(MISUSE[name], jax)


def test_flags():
    with minijax.config.legacy_prng_key("error"), pytest.raises(ValueError, match="raw uint32 key"):
        minijax.random.uniform(minijax.random.PRNGKey(0))
    with minijax.config.legacy_prng_key("warn"), pytest.warns(UserWarning, match="raw uint32 key"):
        minijax.random.uniform(minijax.random.PRNGKey(0))
    with (
        minijax.config.threefry_partitionable(False),
        pytest.raises(NotImplementedError, match="partitionable"),
    ):
        minijax.random.bits(minijax.random.key(0))
    with minijax.config.random_seed_offset(3):
        shifted = minijax.random.key_data(minijax.random.key(4))
    assert_same(shifted, jax.random.key_data(jax.random.key(7)))
