"""Promotion of dtypes and ranks under every setting that JAX has for it."""

from __future__ import annotations

import ast
import itertools
import warnings
from contextlib import ExitStack
from typing import Any

import jax
import numpy as np
import pytest

import minijax
from reference.check.oracle import aval_text

ENGINES = (minijax, jax)
DTYPES = ("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")
DTYPES += ("bfloat16", "float16", "float32", "float64", "complex64", "complex128")
NUMBERS = (True, 2, 2.5, 2j)

# ----------------------------------------------------------------- dtypes


def operands(engine: Any) -> list[Any]:
    """An array of each dtype, weakly typed arrays, NumPy's scalars, Python's numbers."""
    jnp = engine.numpy
    arrays = [jnp.ones((), dtype) for dtype in DTYPES if engine.dtypes.canonicalize_dtype(dtype).name == dtype]
    weak = [jnp.asarray(number) for number in NUMBERS[1:]]
    return [*arrays, *weak, np.int8(1), np.float64(1), np.uint32(1), *NUMBERS]


def outcome(f: Any, *args: Any) -> str:
    """The type of the result, or the class of the exception; nothing is computed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = f(*args)
        except Exception as error:
            return type(error).__name__
    return aval_text(result) if hasattr(result, "dtype") else str(np.dtype(result) if result is not None else None)


def typed(engine: Any, name: str) -> Any:
    """The function, so that its result is typed and not computed."""
    if name == "result_type":
        return engine.numpy.result_type
    if name == "promote_types":
        return lambda x, y: engine.numpy.promote_types(getattr(x, "dtype", type(x)), getattr(y, "dtype", type(y)))
    if name == "where":
        return lambda x, y: engine.eval_shape(lambda: engine.numpy.where(True, x, y))
    if name == "concatenate":
        return lambda x, y: engine.eval_shape(lambda: engine.numpy.hstack([x, y]))
    return lambda x, y: engine.eval_shape(lambda: getattr(engine.numpy, name)(x, y))


def describe(x: Any) -> str:
    """Its type, for messages."""
    return aval_text(x) if hasattr(x, "shape") else f"{type(x).__name__}"


FUNCTIONS = [
    *("result_type", "add", "true_divide", "promote_types", "subtract", "maximum", "power", "arctan2", "logaddexp"),
    *("equal", "less", "logical_and", "bitwise_or", "left_shift", "floor_divide", "remainder", "where", "concatenate"),
    *("matmul", "hypot", "copysign", "nextafter", "gcd", "heaviside", "float_power", "fmod", "outer", "dot", "isclose"),
]
SETTINGS = list(itertools.product(FUNCTIONS, (False, True), ("standard", "strict")))
MAIN = {("result_type", False, "standard"), ("result_type", True, "strict"), ("add", True, "standard")}


@pytest.mark.parametrize(
    "name, x64, mode", [pytest.param(*s, marks=[] if s in MAIN else pytest.mark.full) for s in SETTINGS]
)
def test_every_pair_of_dtypes(name: str, x64: bool, mode: str):
    results, things = [], []
    for engine in ENGINES:
        with engine.enable_x64(x64), engine.numpy_dtype_promotion(mode):
            things, f = operands(engine), typed(engine, name)
            results.append([outcome(f, x, y) for x, y in itertools.product(things, repeat=2)])
    pairs = [(describe(x), describe(y)) for x, y in itertools.product(things, repeat=2)]
    wrong = [f"{name}{pair}: ours {a}, theirs {b}" for pair, a, b in zip(pairs, *results, strict=True) if a != b]
    assert not wrong, "\n".join(wrong[:20]) + f"\n{len(wrong)} of {len(pairs)}"


# ----------------------------------------------------------------- ranks

RANKS = """
x + m, m + x, x + 1, m + s, s * m, x * x, m - m, m[None] + x, x / m, m ** 2, m ** x, x < m, m == x, x // m, x % m
jnp.add(x, m), jnp.maximum(m, x), jnp.where(m > 0, x, 1.0), jnp.where(x > 0, m, m), jnp.arctan2(m, x), jnp.hypot(x, m)
jnp.logaddexp(m, x), jnp.power(m, x), jnp.clip(m, x, 1.0), jnp.isclose(m, x), jnp.allclose(m, x), jnp.logical_and(m, x)
jnp.bitwise_or(i, i[0]), i << 1, i & i[0], ~i, jnp.copysign(m, x), jnp.nextafter(m, x), jnp.ldexp(m, i[0])
jnp.divmod(m, x)
jnp.matmul(m, x), jnp.dot(m, x), jnp.inner(m, x), jnp.outer(x, x), jnp.einsum('ij,j', m, x), jnp.tensordot(m, x, 1)
jnp.broadcast_arrays(m, x), jnp.broadcast_to(x, (2, 3)), jnp.cross(m, x), jnp.vdot(x, x), jnp.kron(m, x)
jnp.polyval(x, m)
jnp.take(m, i[0]), m.at[0].set(x), m.at[:].add(x), m.at[:].multiply(s), jnp.interp(m, x, x), jnp.searchsorted(x, m)
jnp.var(m), jnp.std(m, axis=1), jnp.mean(m, where=x > 0), jnp.sum(m, where=x > 0), jnp.linspace(x, m)
jnp.full((2, 3), x)
jnp.concatenate([m, x[None]]), jnp.stack([x, x]), jnp.append(m, x), jnp.gradient(m), jnp.cov(m), jnp.corrcoef(m)
jnp.select([m > 0], [x], 0.0), jnp.piecewise(x, [x > 0], [1.0, 2.0]), jnp.heaviside(m, x), jnp.nan_to_num(m)
jnp.sinc(m)
jax.nn.softmax(m), jax.nn.gelu(m), jax.nn.logsumexp(m, axis=1), jax.nn.one_hot(i[0], 3), jax.nn.standardize(m)
jnp.vectorize(lambda p, q: p + q)(m, x), jnp.apply_along_axis(jnp.sum, 0, m), jnp.average(m, weights=x, axis=1)
jnp.quantile(m, 0.5), jnp.median(m, axis=0), jnp.percentile(m, x[:1]), jnp.digitize(m, x), jnp.isin(m, x), jnp.unwrap(m)
jax.vmap(lambda r: r + x)(m), jax.vmap(lambda r: r + m)(m), jax.jit(lambda p, q: p + q)(m, x)
jax.grad(lambda p: (p + x).sum())(m)
jax.random.uniform(jax.random.key(0), (2, 3), minval=x), jax.random.normal(jax.random.key(0), (2, 3)) + m
jnp.fmod(m, x), jnp.float_power(m, x), jnp.fmax(m, x), jnp.remainder(m, x), jnp.trapezoid(m, x), jnp.histogram(m)
""".strip().splitlines()


def ranks_outcome(engine: Any, call: str, mode: str) -> tuple[str, bool]:
    """The class of the exception, and whether there was a warning about ranks."""
    jnp = engine.numpy
    names = {"jax": engine, "jnp": jnp, "x": jnp.asarray([0.5, 1.5, 2.5]), "s": jnp.asarray(2.0)}
    names |= {"m": jnp.ones((2, 3)), "i": jnp.ones((2, 3), int)}
    with ExitStack() as stack:
        stack.enter_context(engine.numpy_rank_promotion(mode))
        caught = stack.enter_context(warnings.catch_warnings(record=True))
        warnings.simplefilter("always")
        try:
            engine.eval_shape(lambda: eval(call, names))  # typed, not computed
            result = "value"
        except Exception as error:
            result = type(error).__name__
    return result, any("rank promotion" in str(w.message) for w in caught)


def single_calls(line: str) -> list[str]:
    """The calls of a line, which is a tuple."""
    return [ast.unparse(call) for call in ast.parse(f"({line},)", mode="eval").body.elts]


@pytest.mark.parametrize(
    "line", [pytest.param(r, marks=pytest.mark.full if i % 9 else ()) for i, r in enumerate(RANKS)]
)
def test_rank_promotion(line: str):
    for call in single_calls(line):
        allowed, refused = (ranks_outcome(jax, call, mode)[0] for mode in ("allow", "raise"))
        assert ranks_outcome(minijax, call, "allow") == (allowed, False), call
        assert ranks_outcome(minijax, call, "raise") == (refused, False), call
        # JAX itself warns only when it traces a function for the first time.
        assert ranks_outcome(minijax, call, "warn") == (allowed, refused != allowed), call
