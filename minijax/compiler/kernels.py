"""How elementwise primitives are written in NumPy: as one or several calls that may write into a buffer.

A kernel makes of an equation and the texts of its operands a list of `Step`s; the result of a step is called `$` in
those after it. It gives the same bits as the primitive's `impl`. None stands for: call `impl`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minijax.jaxpr import Atom, Eqn, Literal
from minijax.primitives.masks import has_bits
from minijax.primitives.selection import LARGE

__all__ = ["Step", "is_native", "may_overwrite", "statements", "steps_of"]


class Step(NamedTuple):
    """A call of a function of NumPy, or of `choose`."""

    function: str
    operands: tuple[str, ...]


Kernel = Callable[[Eqn, Sequence[str]], list[Step] | None]


def is_native(v: Atom) -> bool:
    """Whether NumPy itself knows the dtype: not keys, whose arrays have one axis more, nor bfloat16 and the like."""
    return getattr(v.aval.dtype, "isbuiltin", 0) == 1


def steps_of(eqn: Eqn, operands: Sequence[str]) -> list[Step] | None:
    """The steps of an equation; None if it has no kernel."""
    kernel = KERNELS.get(eqn.primitive.name)
    if kernel is None or not all(map(is_native, (*eqn.invars, *eqn.outvars))):
        return None
    return kernel(eqn, operands)


def _dtype(eqn: Eqn) -> Any:
    """The first operand's."""
    return eqn.invars[0].aval.dtype


def _ufunc(name: str, kinds: str) -> Kernel:
    """The NumPy function of that name for operands of these kinds of dtypes."""

    def kernel(eqn: Eqn, operands: Sequence[str]) -> list[Step] | None:
        return [Step(name, tuple(operands))] if _dtype(eqn).kind in kinds else None

    return kernel


def _extremum(name: str) -> Kernel:
    """max and min: NumPy leaves open which of 0.0 and -0.0 it takes, unless one operand is not zero anywhere."""

    def kernel(eqn: Eqn, operands: Sequence[str]) -> list[Step] | None:
        step = Step(name, tuple(operands))
        if _dtype(eqn).kind in "iub":
            return [step]
        numbers = [v.val for v in eqn.invars if type(v) is Literal]
        if _dtype(eqn).kind != "f" or not numbers:
            return None
        if numbers[0] != 0:
            return [step]
        # What is not negative plus 0.0 has the right zero.
        return [step, Step("add", ("$", "0.0"))] if name == "maximum" and not np.signbit(numbers[0]) else None

    return kernel


def _div(eqn: Eqn, operands: Sequence[str]) -> list[Step] | None:
    whole = eqn.invars[1].aval.size == eqn.outvars[0].aval.size
    return [Step("divide", tuple(operands))] if _dtype(eqn).kind == "f" and whole else None


def _integer_pow(eqn: Eqn, operands: Sequence[str]) -> list[Step] | None:
    """Powers of two, those plus one, and their reciprocals: squares of squares, in the order of `impl`."""
    (x,), y = operands, abs(eqn.params["y"])
    squares = y.bit_length() - 1
    if _dtype(eqn).kind != "f" or y not in (1 << max(squares, 0), (1 << max(squares, 0)) + 1):
        return None
    steps = [Step("square", ("$" if i else x,)) for i in range(squares)]
    if y & 1 and squares:
        steps.append(Step("multiply", ("$", x)))
    if eqn.params["y"] < 0:
        steps.append(Step("divide", ("1.0", "$" if steps else x)))
    return steps or None


def _logistic(eqn: Eqn, operands: Sequence[str]) -> list[Step] | None:
    if _dtype(eqn).kind != "f":
        return None
    steps = [Step("negative", tuple(operands)), Step("exp", ("$",)), Step("add", ("1.0", "$"))]
    return [*steps, Step("divide", ("1.0", "$"))]


def _rsqrt(eqn: Eqn, operands: Sequence[str]) -> list[Step] | None:
    wide = _dtype(eqn).kind == "f" and _dtype(eqn).itemsize > 2
    return [Step("sqrt", tuple(operands)), Step("divide", ("1.0", "$"))] if wide else None


def _select_n(eqn: Eqn, operands: Sequence[str]) -> list[Step] | None:
    """A choice between two cases, by the bits of both: NumPy's own is ten times as slow where choices vary."""
    which, *cases = operands
    dtype = eqn.outvars[0].aval.dtype
    if _dtype(eqn).kind != "b" or len(cases) != 2:
        return None
    large = eqn.outvars[0].aval.size >= LARGE and len(eqn.invars[0].aval.shape) > 0
    return [Step("choose" if large and has_bits(dtype) else "where", (which, cases[1], cases[0]))]


def _convert(eqn: Eqn, operands: Sequence[str]) -> list[Step] | None:
    old, new = _dtype(eqn), eqn.params["new_dtype"]
    if "c" in (old.kind, new.kind) or (old.kind == "f" and new.kind in "iu"):
        return None
    return [Step("astype", (operands[0], new.name))]


# Operators on NumPy's numbers take a tenth of the time that its functions take.
_OPERATORS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}


def statements(steps: Sequence[Step], name: str, out: str | None, scalar: bool) -> list[str]:
    """The lines that compute `name` by the steps: a number if `scalar`, else an array, in the buffer `out` if any."""
    lines = []
    for step in steps:
        operands = [name if x == "$" else x for x in step.operands]
        lines += _lines(step.function, operands, name, out, scalar)
        out = out and name
    return lines


def _lines(function: str, operands: list[str], name: str, out: str | None, scalar: bool) -> list[str]:
    if scalar and function in _OPERATORS:
        return [f"{name} = {f' {_OPERATORS[function]} '.join(operands)}"]
    if function == "astype":
        x, dtype = operands
        if out is None:
            return [f"{name} = {x}.astype(np.{dtype})"]
        return [*_named(name, out), f"np.copyto({name}, {x}, casting='unsafe')"]
    if function == "where" and out is not None:
        which, on_true, on_false = operands
        copies = [f"np.copyto({name}, {on_false})", f"np.copyto({name}, {on_true}, where={which})"]
        return [*_named(name, out), *copies]
    into = "" if out is None else f", out={out}"
    called = function if function == "choose" else f"np.{function}"
    return [f"{name} = {called}({', '.join(operands)}{into})"]


def _named(name: str, buffer: str) -> list[str]:
    return [] if name == buffer else [f"{name} = {buffer}"]


def may_overwrite(steps: Sequence[Step]) -> bool:
    """Whether the result may be written over an operand: not where operands are read after the first write."""
    later = [x for step in steps[1:] for x in step.operands]
    return steps[0].function not in ("where", "astype") and all(x == "$" or not x.isidentifier() for x in later)


KERNELS: dict[str, Kernel] = {
    **{name: _ufunc(ufunc, "iufc") for name, ufunc in (("add", "add"), ("sub", "subtract"), ("mul", "multiply"))},
    "add_any": _ufunc("add", "biufc"),
    "neg": _ufunc("negative", "iufc"),
    "div": _div,
    "max": _extremum("maximum"),
    "min": _extremum("minimum"),
    "integer_pow": _integer_pow,
    "square": _ufunc("square", "iuf"),
    "sqrt": _ufunc("sqrt", "f"),
    "rsqrt": _rsqrt,
    "logistic": _logistic,
    **{name: _ufunc(name, "f") for name in ("exp", "exp2", "log", "expm1", "log1p", "sin", "cos", "tan")},
    **{name: _ufunc(name, "f") for name in ("sinh", "cosh", "tanh", "floor", "ceil")},
    "abs": _ufunc("absolute", "if"),
    "eq": _ufunc("equal", "biuf"),
    "ne": _ufunc("not_equal", "biuf"),
    "lt": _ufunc("less", "biuf"),
    "le": _ufunc("less_equal", "biuf"),
    "gt": _ufunc("greater", "biuf"),
    "ge": _ufunc("greater_equal", "biuf"),
    "not": _ufunc("invert", "biu"),
    "and": _ufunc("bitwise_and", "biu"),
    "or": _ufunc("bitwise_or", "biu"),
    "xor": _ufunc("bitwise_xor", "biu"),
    "is_finite": _ufunc("isfinite", "f"),
    "select_n": _select_n,
    "convert_element_type": _convert,
}
