"""The one comparison of a minijax result with a JAX result.

The order of the checks is that of how telling a failure is: tree structure, shape, dtype and
weak type, values. Integers, booleans, bits and NaN positions must be equal; floats and complex
numbers lie within a number of ULPs that the caller states, where one ULP is eps * |their value|.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

import minijax

ENGINES = (minijax, jax)


@dataclass
class Observer:
    """How close compared arrays were: how many there were, how many had equal bits, and the worst difference."""

    arrays: int = 0
    identical: int = 0
    worst_ulp: float = 0.0

    def see(self, identical: bool, ulp: float) -> None:
        """Take one array into account."""
        self.arrays += 1
        self.identical += identical
        self.worst_ulp = max(self.worst_ulp, ulp)


_NOBODY = Observer()
_observer: ContextVar[Observer] = ContextVar("observer")


@contextmanager
def observed() -> Iterator[Observer]:
    """Note down how close the results are that are compared within the block."""
    observer = Observer()
    token = _observer.set(observer)
    try:
        yield observer
    finally:
        _observer.reset(token)


def assert_same(ours: Any, theirs: Any, *, ulp: float = 0, floor: float = 0.0, leafwise: bool = False, what: str = ""):
    """Assert that `ours` (from minijax) is what JAX gave.

    ulp       largest difference of two floats in units of eps * max(|theirs|, floor); 0 means equal bits,
              signs of zeros included
    floor     magnitude below which differences are absolute: for functions with zeros inside their domain
    leafwise  the largest finite |theirs| of each leaf is a floor too: for sums of terms that cancel
    """
    our_leaves, our_tree = minijax.tree_util.tree_flatten(ours)
    their_leaves, their_tree = jax.tree_util.tree_flatten(theirs)
    assert str(our_tree) == str(their_tree), f"{what}: trees differ\n ours   {our_tree}\n theirs {their_tree}"
    for i, (a, b) in enumerate(zip(our_leaves, their_leaves, strict=True)):
        _assert_leaf(a, b, ulp, floor, leafwise, f"{what} leaf {i}" if len(our_leaves) > 1 else what)


def in_jax(program: Callable[[Any], Any]) -> Any:
    """program(jax), asked for as a whole: that is one compilation, not one for each operation."""
    return jax.jit(lambda: program(jax))()


def aval_text(x: Any) -> str:
    """`float32[2,3]`, or `float32[2,3]*` when weakly typed; the same text for either engine's arrays."""
    weak = "*" if getattr(x, "weak_type", False) else ""
    return f"{x.dtype}[{','.join(map(str, x.shape))}]{weak}"


def to_numpy(x: Any) -> np.ndarray:
    """The values of an array of either engine; those of a typed key array are its key data."""
    for engine in ENGINES:
        if isinstance(x, engine.Array) and engine.dtypes.issubdtype(x.dtype, engine.dtypes.prng_key):
            return np.asarray(engine.random.key_data(x))
    return np.asarray(x)


def _assert_leaf(a: Any, b: Any, ulp: float, floor: float, leafwise: bool, what: str) -> None:
    kinds = isinstance(a, minijax.Array), isinstance(b, jax.Array)
    assert kinds[0] == kinds[1], f"{what}: ours is a {type(a)}, theirs a {type(b)}"
    if not kinds[0] and not isinstance(b, np.ndarray):
        assert type(a) is type(b), f"{what}: ours is a {type(a)}, theirs a {type(b)}"
        assert a == b, f"{what}: ours is {a!r}, theirs {b!r}"
        return
    assert tuple(a.shape) == tuple(b.shape), f"{what}: ours has shape {a.shape}, theirs {b.shape}"
    assert aval_text(a) == aval_text(b), f"{what}: ours is {aval_text(a)}, theirs {aval_text(b)}"
    assert_values(to_numpy(a), to_numpy(b), ulp=ulp, floor=floor, leafwise=leafwise, what=what)


def assert_values(
    a: np.ndarray,
    b: np.ndarray,
    *,
    ulp: float = 0,
    floor: float = 0.0,
    leafwise: bool = False,
    what: str = "",
) -> None:
    """The last step of `assert_same`, for two NumPy arrays of equal shape and dtype."""
    if not _inexact(b.dtype):
        wrong = a != b if b.dtype.kind != "V" or b.dtype.fields is None else np.zeros(b.shape, bool)
        assert not wrong.any(), _report(a, b, wrong, what, "values must be equal")
        _observer.get(_NOBODY).see(identical=True, ulp=0.0)
        return
    same_bits = _same_bits(a, b)
    if ulp == 0:
        assert same_bits.all(), _report(a, b, ~same_bits, what, "values must be identical")
        _observer.get(_NOBODY).see(identical=True, ulp=0.0)
        return
    distance = ulp_distance(a, b, floor=max(floor, _largest(b)) if leafwise else floor)
    wrong = ~(distance <= ulp) & ~same_bits
    assert not wrong.any(), _report(a, b, wrong, what, f"{np.max(distance[wrong]):.3g} ULP apart, {ulp} allowed")
    worst = float(np.max(distance, where=~same_bits, initial=0.0))
    _observer.get(_NOBODY).see(identical=bool(same_bits.all()), ulp=worst)


def _inexact(dtype: Any) -> bool:
    return jax.dtypes.issubdtype(dtype, np.inexact)


def _same_bits(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Where the numbers are equal, signs of zeros included, or both NaN; of complex numbers both parts."""
    if b.dtype.kind == "c":
        return _same_bits(a.real, b.real) & _same_bits(a.imag, b.imag)
    with np.errstate(invalid="ignore"):  # of NaNs in types of ml_dtypes
        return (a == b) & (np.signbit(a) == np.signbit(b)) | (np.isnan(a) & np.isnan(b)) | _flushed(a, b)


def _flushed(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Where XLA gave zero for a result too small to be a normal number, and NumPy the subnormal number."""
    tiny = jax.dtypes.finfo(b.dtype).tiny
    return (b == 0) & (np.abs(a) < tiny) & (np.signbit(a) == np.signbit(b))


def ulp_distance(a: np.ndarray, b: np.ndarray, floor: float = 0.0, dtype: Any = None) -> np.ndarray:
    """|a - b| / (eps * max(|b|, floor, the smallest normal number)); eps is that of `dtype`, or of b.

    For complex numbers these are magnitudes; where a part is not finite both have to be NaN, or infinite alike.
    """
    info = jax.dtypes.finfo(b.dtype if dtype is None else dtype)
    with np.errstate(all="ignore"):
        complex_ = b.dtype.kind == "c"
        wide_a, wide_b = (x.astype(np.complex128 if complex_ else np.float64) for x in (a, b))
        unit = float(info.eps) * np.maximum(np.abs(wide_b), max(floor, float(info.tiny)))
        distance = np.where(wide_a == wide_b, 0.0, np.abs(wide_a - wide_b) / unit)
        if not complex_:
            return distance
        finite = np.isfinite(wide_a) & np.isfinite(wide_b)
        alike = _alike(wide_a.real, wide_b.real) & _alike(wide_a.imag, wide_b.imag)
        return np.where(finite, distance, np.where(alike, 0.0, np.inf))


def _alike(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Whether two floats are both NaN, the same infinity, or both finite."""
    return (np.isnan(a) & np.isnan(b)) | (a == b) | (np.isfinite(a) & np.isfinite(b))


def _largest(b: np.ndarray) -> float:
    finite = np.abs(b[np.isfinite(b)]).astype(np.float64)
    return float(finite.max()) if finite.size else 0.0


def _report(a: np.ndarray, b: np.ndarray, wrong: np.ndarray, what: str, why: str) -> str:
    """Up to five of the differing entries."""
    lines = [f"{what}: {why}; {int(wrong.sum())} of {wrong.size} entries differ"]
    for index in list(zip(*np.nonzero(wrong), strict=True))[:5] if wrong.ndim else [()]:
        lines.append(f"  at {tuple(map(int, index))}: ours {a[index]!r}, theirs {b[index]!r}")
    return "\n".join(lines)
