"""lax.gather and the scatters: random dimension numbers, modes and batch axes give what they give in JAX."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import jax
import numpy as np
import pytest
from hypothesis import given, settings

import minijax
from reference.check.jaxpr_tools import assert_same_text
from reference.check.oracle import assert_same

DEPTH = max(1, settings.default.max_examples // 50)  # 6 under the profile `full`
SCATTERS = ["scatter", "scatter_add", "scatter_sub", "scatter_mul", "scatter_min", "scatter_max", "scatter_apply"]

# ----------------------------------------------------------------- random dimension numbers


@st.composite
def plans(draw: Any) -> dict[str, Any]:
    """A gather: the operand's shape, an array of index vectors (some out of bounds), numbers and slice sizes."""
    shape = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=4)))
    axes = draw(st.permutations(range(len(shape))))
    n_batching = draw(st.integers(0, min(2, len(shape) - 1)))
    batching = sorted(axes[:n_batching])
    others = axes[n_batching:]
    collapsed = sorted(others[: draw(st.integers(0, len(others)))])
    window = [d for d in range(len(shape)) if d not in batching and d not in collapsed]
    index_map = draw(st.permutations(others))[: draw(st.integers(1, len(others)))]
    lengths = draw(st.lists(st.integers(0, 3), max_size=2))
    places = draw(st.permutations(range(len(lengths) + n_batching)))[:n_batching]
    index_shape, free = [], iter(lengths)
    for d in range(len(lengths) + n_batching):
        index_shape.append(shape[batching[places.index(d)]] if d in places else next(free))
    sizes = [1 if d not in window else draw(st.integers(1, shape[d])) for d in range(len(shape))]
    rank = len(index_shape) + len(window)
    offset = sorted(draw(st.permutations(range(rank)))[: len(window)])
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    limits = np.asarray([shape[d] + 1 for d in index_map])
    indices = rng.integers(-2, limits, (*index_shape, len(index_map)))
    dims = (tuple(offset), tuple(collapsed), tuple(index_map), tuple(batching), tuple(places))
    return {"shape": shape, "indices": indices.astype(np.int32), "dims": dims, "sizes": tuple(sizes)}


def result_shape(plan: dict[str, Any]) -> tuple[int, ...]:
    """The shape of the gather's result, which is that of a scatter's updates."""
    offset, collapsed, _, batching, _ = plan["dims"]
    window = iter([n for d, n in enumerate(plan["sizes"]) if d not in (*collapsed, *batching)])
    batch = iter(plan["indices"].shape)
    rank = len(offset) + plan["indices"].ndim - 1
    return tuple([next(window) if d in offset else next(batch) for d in range(rank)])


def numbers_of(*shape: int) -> np.ndarray:
    """Different small numbers."""
    size = int(np.prod(shape))
    return (np.random.default_rng(size).permutation(size).reshape(shape) / 4 + 0.5).astype(np.float32)


def gather(engine: Any, plan: dict[str, Any], options: dict[str, Any]) -> Any:
    """lax.gather as a function of operand and indices."""
    dims = engine.lax.GatherDimensionNumbers(*plan["dims"])
    return lambda x, i: engine.lax.gather(x, i, dims, plan["sizes"], **options)


def scatter(engine: Any, name: str, plan: dict[str, Any], options: dict[str, Any]) -> Any:
    """One of the scatters as a function of operand, indices and updates."""
    dims = engine.lax.ScatterDimensionNumbers(*plan["dims"])
    if name == "scatter_apply":
        shape = result_shape(plan)
        return lambda x, i, u: engine.lax.scatter_apply(x, i, lambda v: v * v, dims, update_shape=shape, **options)
    return lambda x, i, u: getattr(engine.lax, name)(x, i, u, dims, **options)


def assert_engines_agree(program: Any, arrays: list[np.ndarray], what: str, text: bool = True, ulp: float = 0) -> None:
    """program(engine) is a function of the arrays: the same values, and the same jaxpr, with both engines."""
    ours = program(minijax)(*map(minijax.numpy.asarray, arrays))
    theirs = jax.jit(program(jax))(*arrays)  # one compilation, not one for each operation
    assert_same(ours, theirs, ulp=ulp, leafwise=ulp > 0, what=what)
    if text:
        assert_same_text(minijax.make_jaxpr(program(minijax))(*arrays), jax.make_jaxpr(program(jax))(*arrays), what)


def batched(engine: Any, f: Any, in_axes: tuple[int | None, ...]) -> Any:
    """f over a batch of 2 of those arguments that have an axis: each with its double along that axis."""

    def double(*arrays: Any) -> Any:
        two = [
            a if d is None else engine.numpy.stack([a, a if a.dtype == np.int32 else 2 * a], d)
            for a, d in zip(arrays, in_axes)
        ]
        return engine.vmap(f, in_axes=in_axes, out_axes=-1)(*two)

    return double


def in_axes_of(data: Any, arrays: list[np.ndarray]) -> tuple[int | None, ...]:
    """A batch axis for each array, or none; at least one has one."""
    axes = [data.draw(st.none() | st.integers(0, a.ndim)) for a in arrays]
    return tuple(axes) if any(d is not None for d in axes) else (0, *axes[1:])


# ----------------------------------------------------------------- gather

OPTIONS = [
    {"mode": "clip"},
    {"mode": "fill"},
    {"mode": "fill", "fill_value": 7},
    {"mode": "fill", "fill_value": -0.5, "indices_are_sorted": False},
    {"mode": "drop"},
]


@given(st.data())
@settings(max_examples=8 * DEPTH)
def test_gather(data: Any):
    plan, options = data.draw(plans()), data.draw(st.sampled_from(OPTIONS))
    x = numbers_of(*plan["shape"]).astype(data.draw(st.sampled_from(["float32", "int32", "uint8", "bool"])))
    assert_engines_agree(lambda e: gather(e, plan, options), [x, plan["indices"]], f"{plan} {options}")


@given(st.data())
@settings(max_examples=3 * DEPTH)
def test_gather_transformed(data: Any):
    plan, options = data.draw(plans()), data.draw(st.sampled_from(OPTIONS))
    arrays = [numbers_of(*plan["shape"]), plan["indices"]]
    in_axes = in_axes_of(data, arrays)
    assert_engines_agree(lambda e: batched(e, gather(e, plan, options), in_axes), arrays, f"{plan} {options} {in_axes}")

    def gradient(engine: Any) -> Any:
        f = gather(engine, plan, options)
        weights = numbers_of(*result_shape(plan))
        return lambda x, i: engine.grad(lambda x: (engine.numpy.nan_to_num(f(x, i)) * weights).sum())(x)

    assert_engines_agree(gradient, arrays, f"gradient of {plan} {options}", ulp=16, text=False)


# ----------------------------------------------------------------- scatter


def without_repetitions(plan: dict[str, Any]) -> dict[str, Any]:
    """The same with one window: where several meet, `scatter` may keep any, and products of many lose digits."""
    shape = plan["indices"].shape
    free = [d for d in range(len(shape) - 1) if d not in plan["dims"][4]]
    keep = tuple([slice(0, 1) if d in free else slice(None) for d in range(len(shape))])
    return plan | {"indices": plan["indices"][keep]}


@pytest.mark.parametrize("name", SCATTERS)
@given(st.data())
@settings(max_examples=3 * DEPTH)
def test_scatter(name: str, data: Any):
    plan = data.draw(plans())
    plan = without_repetitions(plan) if name == "scatter" else plan
    options = data.draw(st.sampled_from([{}, {"mode": "clip"}, {"mode": "drop"}, {"mode": "promise_in_bounds"}]))
    dtype = data.draw(st.sampled_from(["float32", "float32", "int32"]))
    arrays = [numbers_of(*plan["shape"]).astype(dtype), plan["indices"], numbers_of(*result_shape(plan)).astype(dtype)]
    assert_engines_agree(lambda e: scatter(e, name, plan, options), arrays, f"{name} {plan} {options}", ulp=8)


@pytest.mark.parametrize("name", [name for name in SCATTERS if name != "scatter_apply"])
@given(st.data())
@settings(max_examples=2 * DEPTH)
def test_scatter_transformed(name: str, data: Any):
    plan = data.draw(plans())
    plan = without_repetitions(plan) if name in ("scatter", "scatter_mul") else plan
    options: dict[str, Any] = {"mode": data.draw(st.sampled_from([None, "clip"]))}
    if name == "scatter_mul":
        options["unique_indices"] = True
    arrays = [numbers_of(*plan["shape"]), plan["indices"], 1.25 * numbers_of(*result_shape(plan))]
    in_axes = in_axes_of(data, arrays)
    what = f"{name} {plan} {options} {in_axes}"
    assert_engines_agree(lambda e: batched(e, scatter(e, name, plan, options), in_axes), arrays, what, ulp=8)

    def gradients(engine: Any) -> Any:
        f, weights = scatter(engine, name, plan, options), numbers_of(*plan["shape"])
        return lambda x, i, u: engine.grad(lambda x, u: (f(x, i, u) * weights).sum(), (0, 1))(x, u)

    assert_engines_agree(gradients, arrays, f"gradients of {what}", ulp=16, text=False)
