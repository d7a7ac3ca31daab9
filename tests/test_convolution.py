"""Convolutions and window reductions with random geometry: values, derivatives, batches and jaxprs are JAX's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st
import jax
import numpy as np
import pytest
from hypothesis import given, settings

import minijax
from minijax.primitives import convolution_kernel
from reference.check.jaxpr_tools import assert_same_text
from reference.check.oracle import assert_same, assert_values

EXAMPLES = max(3, settings.default.max_examples // 3)  # 100 under the profile `full`
BATCH = 3

# ----------------------------------------------------------------- random geometry


def each(rank: int, numbers: Any) -> Any:
    """One number for each axis."""
    return st.lists(numbers, min_size=rank, max_size=rank).map(tuple)


def paddings(rank: int, low: int, high: int) -> Any:
    """A name, or pairs."""
    side = st.integers(low, high)
    return st.sampled_from(["SAME", "VALID", "SAME_LOWER"]) | each(rank, st.tuples(side, side))


def placed(lengths: tuple[int, ...], spec: tuple[int, ...]) -> tuple[int, ...]:
    """The shape whose axes `spec` have these lengths."""
    return tuple(lengths[spec.index(d)] for d in range(len(spec)))


@dataclass
class Convolution:
    """Arguments of conv_general_dilated."""

    lhs: tuple[int, ...]
    rhs: tuple[int, ...]
    axes: tuple[tuple[int, ...], ...]
    options: dict[str, Any]

    def on(self, engine: Any) -> Any:
        """The function of lhs and rhs."""
        numbers = engine.lax.ConvDimensionNumbers(*self.axes)
        return lambda x, w: engine.lax.conv_general_dilated(x, w, dimension_numbers=numbers, **self.options)


@st.composite
def convolutions(draw: Any) -> Convolution:
    """Up to three spatial axes, any order of axes, strides, padding, dilation, groups of features or of the batch."""
    rank = draw(st.integers(0, 3))
    groups = draw(st.sampled_from([(1, 1), (1, 1), (2, 1), (3, 1), (1, 2), (1, 3)]))
    features, batches = groups
    axes = tuple(draw(st.permutations(range(rank + 2)).map(tuple)) for _ in range(3))
    window, space = draw(each(rank, st.integers(1, 3))), draw(each(rank, st.integers(1, 6)))
    channels, outputs, batch = draw(each(3, st.integers(1, 3)))
    padding = draw(paddings(rank, -1, 2))
    options = {
        "window_strides": draw(each(rank, st.integers(1, 3))),
        "padding": padding,
        "lhs_dilation": None if isinstance(padding, str) else draw(each(rank, st.integers(1, 3))),
        "rhs_dilation": draw(each(rank, st.integers(1, 2))),
        "feature_group_count": features,
        "batch_group_count": batches,
    }
    lhs = (batch * batches, channels * features, *space)
    rhs = (outputs * features * batches, channels, *window)
    return Convolution(placed(lhs, axes[0]), placed(rhs, axes[1]), axes, options)


@dataclass
class Pooling:
    """Arguments of reduce_window."""

    shape: tuple[int, ...]
    op: str
    options: dict[str, Any]

    def on(self, engine: Any) -> Any:
        """The function of the operand."""
        start = np.float32({"add": 0, "max": -np.inf, "min": np.inf, "mul": 1}[self.op])
        return lambda x: engine.lax.reduce_window(x, start, getattr(engine.lax, self.op), **self.options)

    @property
    def reversible(self) -> bool:
        """Whether it has a derivative in reverse mode."""
        return self.op == "add" or (self.op != "mul" and set(self.options["window_dilation"]) == {1})


@st.composite
def poolings(draw: Any) -> Pooling:
    """Up to three axes, sums, extrema and products."""
    rank = draw(st.integers(1, 3))
    options = {
        "window_dimensions": draw(each(rank, st.integers(1, 3))),
        "window_strides": draw(each(rank, st.integers(1, 3))),
        "padding": draw(paddings(rank, 0, 2)),
        "base_dilation": draw(each(rank, st.sampled_from([1, 1, 2]))),
        "window_dilation": draw(st.just((1,) * rank) | each(rank, st.integers(1, 2))),
    }
    op = draw(st.sampled_from(["add", "max", "max", "min", "mul"]))
    return Pooling(draw(each(rank, st.integers(1, 5))), op, options)


# Ties, and whatever compares in its own way.
ENTRIES = np.asarray([1, 2, 2, 3, -1, 0.0, -0.0, np.inf, -np.inf, np.nan], np.float32)


def drawn(shape: tuple[int, ...], seed: int, special: bool = False) -> np.ndarray:
    """Normal numbers, or some out of ENTRIES."""
    rng = np.random.default_rng(seed)
    return rng.choice(ENTRIES, shape) if special else rng.standard_normal(shape).astype(np.float32)


# ----------------------------------------------------------------- what is compared

OURS, THEIRS = minijax, jax


def outcome(engine: Any, function: Any, *operands: np.ndarray) -> Any:
    """The value on arrays of the engine, or the class of the exception; JAX compiles the function as a whole."""
    try:
        return (jax.jit(function) if engine is jax else function)(*map(engine.numpy.asarray, operands))
    except Exception as error:
        return type(error)


def compare(program: Any, *operands: np.ndarray, ulp: float = 32) -> bool:
    """The value, and the text of the jaxpr, of program(engine); says whether there is one."""
    ours, theirs = [outcome(engine, program(engine), *operands) for engine in (OURS, THEIRS)]
    if isinstance(theirs, type):
        assert ours is theirs, f"ours {ours}, theirs {theirs}"
        return False
    assert_same(ours, theirs, ulp=ulp, leafwise=True)
    compare_text(program, *operands)
    return True


def compare_text(program: Any, *operands: np.ndarray) -> None:
    """The text of the jaxpr alone."""
    ours, theirs = [engine.make_jaxpr(program(engine))(*operands) for engine in (OURS, THEIRS)]
    assert_same_text(ours, theirs, "random geometry")


def compare_derivatives(case: Any, operands: list[np.ndarray], reverse: bool, ulp: float) -> None:
    """jvp and vjp in all operands."""
    tangents = [drawn(x.shape, 90 + i) for i, x in enumerate(operands)]
    n = len(operands)
    compare(lambda engine: lambda *xs: engine.jvp(case.on(engine), xs[:n], xs[n:]), *operands, *tangents, ulp=ulp)
    if reverse:
        cotangent = drawn(jax.eval_shape(case.on(jax), *operands).shape, 99)
        compare(lambda engine: lambda ct, *xs: engine.vjp(case.on(engine), *xs)[1](ct), cotangent, *operands, ulp=ulp)


def compare_batches(case: Any, operands: list[np.ndarray], in_axes: tuple[int | None, ...], ulp: float) -> None:
    """vmap: the jaxpr is JAX's, the values are those of single examples."""

    def batched(x: np.ndarray, axis: int | None) -> np.ndarray:
        return x if axis is None else np.stack([x, x + 1, x - 2][:BATCH], axis)

    values = [batched(x, axis) for x, axis in zip(operands, in_axes, strict=True)]
    compare_text(lambda engine: engine.vmap(case.on(engine), in_axes), *values)
    ours = minijax.vmap(case.on(minijax), in_axes)(*map(minijax.numpy.asarray, values))
    for i in range(BATCH):
        example = [x if axis is None else x.take(i, axis) for x, axis in zip(values, in_axes, strict=True)]
        single = case.on(minijax)(*map(minijax.numpy.asarray, example))
        assert_values(np.asarray(ours[i]), np.asarray(single), ulp=ulp, leafwise=True, what=f"example {i}")


# ----------------------------------------------------------------- tests


@given(convolutions(), st.data())
@settings(max_examples=EXAMPLES)
def test_convolution(case: Convolution, data: Any):
    operands = [drawn(case.lhs, 1), drawn(case.rhs, 2)]
    if not compare(case.on, *operands):
        return
    compare_derivatives(case, operands, reverse=True, ulp=64)
    axes = [st.none() | st.integers(0, x.ndim) for x in operands]
    in_axes = data.draw(st.tuples(*axes).filter(lambda pair: pair != (None, None)))
    compare_batches(case, operands, in_axes, ulp=64)


@given(poolings(), st.booleans(), st.data())
@settings(max_examples=EXAMPLES)
def test_window_reduction(case: Pooling, special: bool, data: Any):
    operands = [drawn(case.shape, 3, special)]
    ulp = 0 if case.op in ("max", "min") else 16
    if not compare(case.on, *operands, ulp=ulp):
        return
    compare_derivatives(case, operands, case.reversible, ulp=16)
    compare_batches(case, operands, (data.draw(st.integers(0, len(case.shape))),), ulp=16)


@pytest.mark.full
@given(convolutions(), st.sampled_from(["float16", "int8", "uint8", "int32"]))
@settings(max_examples=EXAMPLES)
def test_convolution_of_other_dtypes(case: Convolution, dtype: str):
    operands = [(4 * drawn(shape, i)).astype("int32").astype(dtype) for i, shape in enumerate((case.lhs, case.rhs))]
    compare(case.on, *operands, ulp=1)


@pytest.mark.full
@given(poolings())
@settings(max_examples=EXAMPLES)
def test_second_derivative_of_pooling(case: Pooling):
    if not case.reversible or case.op == "add":
        return
    x, t = drawn(case.shape, 4), drawn(case.shape, 5)

    def program(engine: Any) -> Any:
        def loss(x: Any) -> Any:
            y = case.on(engine)(x)
            return engine.numpy.sum(engine.numpy.where(engine.numpy.isfinite(y), y, 0) ** 3)

        return lambda x, t: engine.jvp(engine.grad(loss), (x,), (t,))

    ours, theirs = [outcome(engine, program(engine), x, t) for engine in (OURS, THEIRS)]
    assert_same(ours, theirs, ulp=64, leafwise=True)


@pytest.mark.parametrize("layout", [("NCHW", "OIHW", "NCHW"), ("NHWC", "HWIO", "NHWC"), ("CNHW", "IHWO", "NHCW")])
@pytest.mark.parametrize("options", [{}, {"strides": (2, 2)}, {"padding": "VALID", "rhs_dilation": (2, 1)}])
def test_blocks(monkeypatch: pytest.MonkeyPatch, layout: Any, options: dict[str, Any]):
    """However the windows are cut in blocks, forwards and backwards, the sums are the same."""
    sizes = {"N": 4, "C": 5, "O": 6, "I": 5}
    lhs = tuple(sizes.get(c, 9) for c in layout[0])
    rhs = tuple(sizes.get(c, 3) for c in layout[1])
    x, w = minijax.numpy.asarray(drawn(lhs, 6)), minijax.numpy.asarray(drawn(rhs, 7))
    options = {"strides": (1, 1), "padding": "SAME"} | options
    strides, padding = options.pop("strides"), options.pop("padding")

    def function(x: Any, w: Any) -> Any:
        return minijax.lax.conv_general_dilated(x, w, strides, padding, dimension_numbers=layout, **options)

    def results() -> Any:
        y, back = minijax.vjp(function, x, w)
        return [y, *back(y)]

    whole = results()
    for block, width in ((1, 1), (100, 7), (1000, 20), (5000, 1024)):
        monkeypatch.setattr(convolution_kernel, "BLOCK", block)
        monkeypatch.setattr(convolution_kernel, "WIDTH", width)
        for a, b in zip(results(), whole, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-5 * float(abs(b).max()))
