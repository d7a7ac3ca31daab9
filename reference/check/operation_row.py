"""What a row of the operation table is, and how its operands are drawn."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]

KINDS = ("eval", "weak", "jvp", "vjp", "second", "vmap", "jit", "jaxpr", "derived_jaxprs")
NO_BATCHES = tuple(kind for kind in KINDS if kind not in ("vmap", "derived_jaxprs"))
NO_DERIVATIVE = tuple(kind for kind in KINDS if kind not in ("jvp", "vjp", "second"))


@dataclass(frozen=True)
class Operand:
    """How to draw one operand: its shape and dtype, and a sampler of its domain."""

    shape: tuple[int, ...]
    dtype: str
    draw: Draw

    def sample(self, rng: np.random.Generator) -> np.ndarray:
        """One value of the operand."""
        return np.asarray(self.draw(rng, self.shape)).astype(self.dtype)

    @property
    def is_float(self) -> bool:
        """Whether it can be differentiated with respect to."""
        return self.dtype.startswith(("float", "bfloat", "complex"))


def between(low: float, high: float, *shape: int, dtype: str = "float32") -> Operand:
    """Uniform on [low, high), kept away from ties and integers by drawing a fine grid's midpoints."""
    return Operand(shape, dtype, lambda rng, s: low + (high - low) * (rng.integers(0, 251, s) + 0.37) / 251)


def normal(*shape: int, dtype: str = "float32") -> Operand:
    """Standard normal."""
    return Operand(shape, dtype, lambda rng, s: rng.standard_normal(s))


def parts(low: float, high: float, *shape: int, dtype: str = "complex64") -> Operand:
    """Complex numbers, both parts as by `between`."""
    real, imag = between(low, high).draw, between(low, high).draw
    return Operand(shape, dtype, lambda rng, s: real(rng, s) + 1j * imag(rng, s))


def distinct(*shape: int, dtype: str = "float32") -> Operand:
    """A random permutation of equally spaced values: no ties for sorting and extrema."""
    return Operand(shape, dtype, lambda rng, s: rng.permutation(int(np.prod(s))).reshape(s) * 0.5 - 1.25)


def integers(low: int, high: int, *shape: int, dtype: str = "int32") -> Operand:
    """Integers from low up to and including high."""
    return Operand(shape, dtype, lambda rng, s: rng.integers(low, high, s, np.int64, endpoint=True))


def anything(*shape: int, dtype: str) -> Operand:
    """Integers of the dtype's whole range, drawn byte by byte."""
    width = np.dtype(dtype).itemsize
    return Operand(shape, dtype, lambda rng, s: rng.integers(0, 256, (*s, width), np.uint8).view(dtype)[..., 0])


def booleans(*shape: int) -> Operand:
    """Fair coins."""
    return Operand(shape, "bool", lambda rng, s: rng.integers(0, 2, s))


def exactly(values: Any, dtype: str = "float32") -> Operand:
    """These values; a batch of them is rolled, so that its entries differ."""
    array = np.asarray(values)
    return Operand(array.shape, dtype, lambda rng, s: np.roll(array, rng.integers(0, max(array.size, 1))))


SPECIAL_FLOATS = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.5, -2.5, 3e38, -3e38, 2.5e-38, np.inf, -np.inf, np.nan]


@dataclass(frozen=True)
class Row:
    """One call of one primitive.

    ulp, floor   bound of the value's difference from JAX's, see oracle.assert_same
    leafwise     the bound is relative to the result's largest entry (sums of terms that cancel)
    derived_ulp  bound for derivatives and for the batched, jitted call; always relative to the largest entry
    batched_ulp  bound for the batched call; by default derived_ulp, and 0 where ulp is 0
    smooth       argnums to differentiate twice; all float operands when None, () for what has no derivative
    only         the kinds of check it is for, all when None
    deep         whether even the cheap kinds are left to the full depth
    weak         whether the call also takes weakly typed operands
    """

    primitive: str
    call: Callable[..., Any]
    operands: tuple[Operand, ...]
    label: str = ""
    main: bool = False
    ulp: float = 0
    floor: float = 0.0
    leafwise: bool = False
    derived_ulp: float = 64
    batched_ulp: float | None = None
    smooth: tuple[int, ...] | None = None
    only: tuple[str, ...] | None = None
    deep: bool = False
    weak: bool = True
    x64: bool = False

    @property
    def id(self) -> str:
        """The name in pytest's output, such as `add-float32[2,3]-float32[3]-broadcast`."""
        avals = (f"{o.dtype}[{','.join(map(str, o.shape))}]" for o in self.operands)
        return "-".join(filter(None, [self.primitive, *avals, self.label]))

    def wants(self, kind: str) -> bool:
        """Whether a kind of check applies to this row."""
        if self.only is not None:
            return kind in self.only
        return self.weak if kind == "weak" else bool(self.differentiable) if kind == "second" else True

    @property
    def differentiable(self) -> tuple[int, ...]:
        """Argnums for second derivatives."""
        floats = tuple(i for i, o in enumerate(self.operands) if o.is_float)
        return floats if self.smooth is None else self.smooth

    def rng(self, salt: str = "") -> np.random.Generator:
        """A generator that depends on the row's name alone, so that a row can be run by itself."""
        return np.random.default_rng(zlib.crc32((self.id + salt).encode()))

    def sample(self, salt: str = "") -> list[np.ndarray]:
        """NumPy values for all operands."""
        rng = self.rng(salt)
        return [operand.sample(rng) for operand in self.operands]

    @contextmanager
    def precision(self, *engines: Any) -> Iterator[None]:
        """64-bit types switched on in the engines for the rows that use them."""
        with ExitStack() as stack:
            for engine in engines if self.x64 else ():
                stack.enter_context(engine.enable_x64(True))
            yield


def row(primitive: str, call: Callable[..., Any], *operands: Operand, label: str = "", **options: Any) -> Row:
    """A row; 64-bit operands switch x64 on."""
    wide = ("int64", "uint64", "float64", "complex128")
    x64 = options.pop("x64", any(o.dtype in wide for o in operands))
    return Row(primitive, call, operands, label, x64=x64, **options)
