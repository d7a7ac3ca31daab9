"""x[index] and x.at[index]: random index expressions give JAX's values, exceptions and jaxprs, and NumPy's values."""

from __future__ import annotations

import warnings
from typing import Any

import hypothesis.strategies as st
import jax
import numpy as np
import pytest
from hypothesis import given, settings

import minijax
from reference.check.jaxpr_tools import assert_same_text
from reference.check.oracle import assert_same

DEPTH = max(1, settings.default.max_examples // 20)  # 15 under the profile `full`

# ----------------------------------------------------------------- random indices


class AsArray:
    """An index array that is handed to each engine as an array of its own; others stay NumPy arrays."""

    def __init__(self, value: np.ndarray):
        self.value = value

    def __repr__(self) -> str:
        return f"AsArray({self.value!r})"


shapes = st.lists(st.integers(0, 4), min_size=0, max_size=3).map(tuple)


@st.composite
def index_arrays(draw: Any, length: int, common: tuple[int, ...], beyond: int) -> Any:
    """Integers along an axis of this length, up to `beyond` out of bounds, of a shape that broadcasts to `common`."""
    rank = draw(st.integers(0, len(common)))
    shape = tuple(draw(st.sampled_from([1, n])) for n in common[len(common) - rank :])
    numbers = st.integers(-length - beyond, length - 1 + beyond)
    values = draw(st.lists(numbers, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    array = np.asarray(values, draw(st.sampled_from([np.int32, np.int64, np.int8]))).reshape(shape)
    return array if draw(st.booleans()) and shape else AsArray(array)


@st.composite
def slices(draw: Any, length: int) -> slice:
    ends = st.none() | st.integers(-length - 2, length + 2)
    return slice(draw(ends), draw(ends), draw(st.sampled_from([None, None, 1, 2, 3, -1, -2])))


@st.composite
def indices(draw: Any, shape: tuple[int, ...], beyond: int = 0, masks: bool = True) -> Any:
    """A tuple that indexes an array of this shape; `beyond` says how far out of bounds it may be."""
    common = draw(st.sampled_from([(), (2,), (3, 1), (1, 2)]))
    entries, axes, dots = [], list(shape), False
    while len(entries) < 7:
        kinds = ["stop", "new"] if not axes else ["slice", "slice", "integer", "array", "mask", "new"]
        kind = draw(st.sampled_from(kinds if dots or not axes else [*kinds, "stop", "dots"]))
        if kind == "stop":
            break
        if kind == "dots":  # from here on the entries are for the last axes
            dots, axes = True, axes[draw(st.integers(0, len(axes))) :]
            entries.append(Ellipsis)
        elif kind == "new":
            entries.append(None)
        else:
            entries.append(draw(_entry(kind, axes.pop(0), common, beyond, masks)))
    return (*entries, *[slice(None)] * len(axes))


@st.composite
def _entry(draw: Any, kind: str, length: int, common: tuple[int, ...], beyond: int, masks: bool) -> Any:
    if not length or kind == "slice":
        return draw(slices(length))
    if kind == "integer":
        return draw(st.integers(-length - beyond, length - 1 + beyond))
    if kind == "array":
        return draw(index_arrays(length, common, beyond))
    # Beside index arrays of length 2 a mask must pick two elements.
    picked = draw(st.permutations(range(length)))[:2]
    if not masks or common not in [(), (2,)] or (common and len(picked) < 2):
        return slice(None)
    mask = np.zeros(length, bool)
    mask[picked] = True
    return mask


def with_arrays(engine: Any, index: Any) -> Any:
    """The index as this engine gets it."""
    return tuple([engine.numpy.asarray(i.value) if isinstance(i, AsArray) else i for i in index])


def plain(index: Any) -> Any:
    """The index as NumPy gets it."""
    return tuple([i.value if isinstance(i, AsArray) else i for i in index])


def filled(shape: tuple[int, ...], dtype: Any = np.float32) -> np.ndarray:
    """1, 2, 3 ..."""
    return np.arange(1, 1 + int(np.prod(shape))).reshape(shape).astype(dtype)


def outcome(f: Any, *args: Any) -> tuple[Any, str | None]:
    """The result, or the name of the exception's class."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # about scattering floats into integers
        try:
            return f(*args), None
        except (IndexError, TypeError, ValueError) as error:
            return None, type(error).__name__


def assert_engines_agree(f: Any, x: np.ndarray, index: Any, what: str, ulp: float = 0) -> None:
    """f(engine, x, index) gives the same with both engines: values, dtype, weak type, jaxpr, or exception class."""
    ours, our_error = outcome(f, minijax, minijax.numpy.asarray(x), with_arrays(minijax, index))
    theirs, their_error = outcome(jax.jit(of_arrays(jax, f, index)), x, *arrays_in(index))  # compiled once, as a whole
    assert our_error == their_error, what
    if their_error is None:
        assert_same(ours, theirs, ulp=ulp, what=what)
        assert_same_text(program(minijax, f, x, index), program(jax, f, x, index), what)


def arrays_in(index: Any) -> list[np.ndarray]:
    """The index arrays that an engine gets as its own."""
    return [i.value for i in index if isinstance(i, AsArray)]


def of_arrays(engine: Any, f: Any, index: Any) -> Any:
    """f as a function of x and of the index arrays."""

    def function(x: Any, *arrays: Any) -> Any:
        pending = iter(arrays)
        return f(engine, x, tuple([next(pending) if isinstance(i, AsArray) else i for i in index]))

    return function


def program(engine: Any, f: Any, x: np.ndarray, index: Any) -> Any:
    """The jaxpr of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return engine.make_jaxpr(of_arrays(engine, f, index))(x, *map(engine.numpy.asarray, arrays_in(index)))


# ----------------------------------------------------------------- reading


@given(st.data())
@settings(max_examples=80 * DEPTH)
def test_get_is_numpys(data: Any):
    shape = data.draw(shapes)
    index = data.draw(indices(shape))
    x = filled(shape)
    ours, theirs = np.asarray(minijax.numpy.asarray(x)[with_arrays(minijax, index)]), x[plain(index)]
    assert ours.shape == np.shape(theirs), f"x{list(shape)}[{index}]"
    assert (ours == theirs).all(), f"x{list(shape)}[{index}]"


@given(st.data())
@settings(max_examples=20 * DEPTH)
def test_get_is_jaxs(data: Any):
    shape = data.draw(shapes)
    index = data.draw(indices(shape, beyond=data.draw(st.sampled_from([0, 2]))))
    assert_engines_agree(lambda engine, x, i: x[i], filled(shape), index, f"x{list(shape)}[{index}]")


@pytest.mark.parametrize("mode", ["fill", "clip", "promise_in_bounds"])
@given(st.data())
@settings(max_examples=10 * DEPTH)
def test_get_with_mode(mode: str, data: Any):
    shape = data.draw(shapes)
    index = data.draw(indices(shape, beyond=0 if mode == "promise_in_bounds" else 3))
    dtype = data.draw(st.sampled_from([np.float32, np.int8, np.uint8, np.bool_]))
    options = data.draw(
        st.sampled_from([{}, {"fill_value": 1}, {"wrap_negative_indices": False}, {"unique_indices": True}])
    )
    if mode == "promise_in_bounds" and "wrap_negative_indices" in options:
        options = {}

    def f(engine: Any, x: Any, i: Any) -> Any:
        return x.at[i].get(mode=mode, **options)

    assert_engines_agree(f, filled(shape, dtype), index, f"{dtype.__name__}{list(shape)}.at[{index}].get({options})")


# ----------------------------------------------------------------- updates

METHODS = ["set", "add", "subtract", "multiply", "divide", "power", "min", "max"]


@pytest.mark.parametrize("method", METHODS)
@given(st.data())
@settings(max_examples=10 * DEPTH)
def test_update(method: str, data: Any):
    shape = data.draw(shapes)
    index = data.draw(indices(shape, beyond=data.draw(st.sampled_from([0, 2]))))
    mode = data.draw(st.sampled_from([None, "drop", "clip"]))
    dtype = data.draw(st.sampled_from([np.float32, np.float32, np.int32, np.uint8]))
    value = data.draw(st.sampled_from([2, 3.0, np.float32(2), "one for each"]))
    length = outcome(lambda: (1, *np.empty(shape)[plain(index)].shape)[-1])[0]

    def f(engine: Any, x: Any, i: Any) -> Any:
        # `set` keeps any of the values for a place that occurs twice, and overflow is not defined.
        several = value == "one for each" and length is not None and method in ("add", "subtract", "min", "max")
        new = engine.numpy.arange(length, dtype=dtype) if several else 2 if value == "one for each" else value
        return getattr(x.at[i], method)(new, mode=mode)

    what = f"{dtype.__name__}{list(shape)}.at[{index}].{method}({value}, mode={mode})"
    assert_engines_agree(f, filled(shape, dtype), index, what, ulp=4)


@given(st.data())
@settings(max_examples=10 * DEPTH)
def test_apply(data: Any):
    shape = data.draw(shapes)
    index = data.draw(indices(shape))

    def f(engine: Any, x: Any, i: Any) -> Any:
        return x.at[i].apply(lambda v: v * v + 1)

    assert_engines_agree(f, filled(shape), index, f"x{list(shape)}.at[{index}].apply")


@given(st.data())
@settings(max_examples=10 * DEPTH)
def test_set_is_numpys(data: Any):
    shape = data.draw(shapes)
    index = data.draw(indices(shape))
    x = filled(shape)
    ours = minijax.numpy.asarray(x).at[with_arrays(minijax, index)].set(-1)
    x[plain(index)] = -1
    assert (np.asarray(ours) == x).all(), f"x{list(shape)}.at[{index}].set(-1)"


# ----------------------------------------------------------------- under transformations


@given(st.data())
@settings(max_examples=10 * DEPTH)
def test_transformations_of_get_and_set(data: Any):
    shape = (2, *data.draw(shapes))
    index = data.draw(indices(shape, masks=False))

    def weighted(engine: Any, y: Any) -> Any:
        return (y * engine.numpy.arange(1.0, 1.0 + y.size).reshape(y.shape)).sum()

    def gradients(engine: Any, x: Any, i: Any) -> Any:
        read = engine.grad(lambda x: weighted(engine, x[i] ** 2))(x)
        return read, engine.grad(lambda x: weighted(engine, x.at[i].add(x.sum())))(x)

    def batched(engine: Any, x: Any, i: Any) -> Any:
        xs = engine.numpy.stack([x, 2 * x], -1)
        return engine.vmap(lambda x: (x[i], x.at[i].set(0)), in_axes=-1)(xs)

    for f in gradients, batched:
        assert_engines_agree(f, filled(shape), index, f"{f.__name__} of x{list(shape)}[{index}]", ulp=16)


PROGRAMS = {
    "batched index": lambda jax, x, i: jax.vmap(lambda x, i: x[i])(x, i),
    "batched index, one array": lambda jax, x, i: jax.vmap(lambda i: x[i, 1])(i),
    "batched index of an update": lambda jax, x, i: jax.vmap(lambda x, i: x.at[i].add(1.0))(x, i),
    "traced scalar": lambda jax, x, i: (x[i[0]], x[i[0], 1:], x[..., i[1]], x[i[0], None, ::2]),
    "traced scalars in an update": lambda jax, x, i: x.at[i[0], i[1]].set(9.0),
    "grad through a traced scalar": lambda jax, x, i: jax.grad(lambda x: x[i[0], i[1]] ** 2)(x),
    "negative, wrapped": lambda jax, x, i: x[i - 3],
    "known mask under jit": lambda jax, x, i: jax.jit(lambda x: x[np.array([True, False, True])])(x),
    "scatter of a batch": lambda jax, x, i: jax.jit(jax.vmap(lambda x, v: x.at[i].multiply(v)))(x, i * 1.0),
    "booleans": lambda jax, x, i: (x[True], x[False], x[True, 1:], x.at[True].add(1)),
    "weak types": lambda jax, x, i: (jax.numpy.asarray(2.0)[...], jax.numpy.asarray(2).at[()].add(1)),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name: str):
    x, i = filled((3, 3)), np.asarray([2, 0, 1], np.int32)
    f = PROGRAMS[name]
    assert_same(f(minijax, *map(minijax.numpy.asarray, (x, i))), f(jax, *map(jax.numpy.asarray, (x, i))), what=name)
    ours, theirs = (engine.make_jaxpr(lambda x, i, e=engine: f(e, x, i))(x, i) for engine in (minijax, jax))
    assert_same_text(ours, theirs, name)


# ----------------------------------------------------------------- misuse

REFUSED = [
    "x[0, 0, 0]",
    "x[..., ...]",
    "x[1.0]",
    "x['a']",
    "x[[0, 1]]",
    "x[[]]",
    "x[[True, False, True]]",
    "x[jnp.array([0.5])]",
    "x[np.float32(1)]",
    "x[object()]",
    "x[slice('a')]",
    "x[::0]",
    "x[np.array([True, False])]",
    "x[:0, 0][0]",
    "x[i, jnp.arange(3)]",
    "jax.jit(lambda x: x[x > 0])(x)",
    "jax.jit(lambda x: x.at[x > 0].set(0))(x)",
    "jax.jit(lambda k: x[k:])(1)",
    "jax.jit(lambda k: jnp.ones(3)[5:].at[0].get(mode='fill', fill_value=k))(1.0)",
    "x.at[0].get(mode='fill', fill_value=np.ones(2))",
    "x.at[0].set(jnp.ones(7))",
    "x.at[0].get(mode='sideways')",
    "x.at[i].set(0, mode='sideways')",
    "x.at[0].set(None)",
]


def refusal(engine: Any, row: str) -> Exception | None:
    """What evaluating the row with one engine raises."""
    names = {"jax": engine, "jnp": engine.numpy, "np": np}
    try:
        eval(row, names | {"x": engine.numpy.ones((3, 2)), "i": engine.numpy.arange(2)})
    except Exception as error:
        return error
    return None


@pytest.mark.parametrize("row", REFUSED)
def test_refused_as_jax_does(row: str):
    ours, theirs = refusal(minijax, row), refusal(jax, row)
    assert theirs is not None, "JAX accepts it"
    assert type(ours).__name__ == type(theirs).__name__, f"ours {ours!r}, theirs {theirs!r}"
    assert len(str(ours)) > 20, "says nothing"
