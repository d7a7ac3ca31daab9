"""Pass: identities that hold for every number, NaN, infinity and signed zero among them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.compiler.rewriting import Rewriter, rewrite
from minijax.jaxpr import Atom, ClosedJaxpr, Eqn
from minijax.primitives.arithmetic import add_p, div_p, mul_p, square_p, sub_p
from minijax.primitives.complex_parts import neg_p
from minijax.primitives.conversion import convert_element_type_p
from minijax.primitives.shaping import broadcast_in_dim_p, reshape_p, transpose_p
from minijax.primitives.sums import reduce_sum_p

__all__ = ["simplify"]

Simplification = Callable[[Rewriter, Eqn], Sequence[Atom] | None]


def simplify(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The program with simpler equations, or none, in place of those that an identity is known for. Bit-identical."""
    return rewrite(closed, _simplified)


def _simplified(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    rule = RULES.get(eqn.primitive.name)
    return None if rule is None else rule(program, eqn)


def _number(program: Rewriter, v: Atom) -> Any:
    """The one number that an operand consists of everywhere, as a NumPy scalar; None if it is not known."""
    eqn = program.maker(v)
    if eqn is not None and eqn.primitive is broadcast_in_dim_p:
        v = eqn.invars[0]
    value = program.value(v)
    return value[()] if value is not None and not value.shape else None


def _real_number(program: Rewriter, v: Atom) -> Any:
    """The same, None for complex numbers, in whose arithmetic no number leaves all others as they are."""
    number = _number(program, v)
    return None if number is None or number.dtype.kind == "c" else number


def _same_bits(number: Any, wanted: float) -> bool:
    return number is not None and number == wanted and np.signbit(number) == (math.copysign(1, wanted) < 0)


def _is_whole(v: Atom, eqn: Eqn) -> bool:
    """Whether an operand has the shape of the result, so that it can stand for it."""
    return v.aval.shape == eqn.outvars[0].aval.shape


# ----------------------------------------------------------------- arithmetic


def _add(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    """x + -0.0 = x; x + 0.0 is not: -0.0 + 0.0 is 0.0. For integers there is one zero, and sums are never -0.0."""
    for x, y in (eqn.invars, eqn.invars[::-1]):
        number = _real_number(program, y)
        if not _is_whole(x, eqn):
            continue
        if _same_bits(number, -0.0) or _is_integer_zero(number) or (number == 0 and _is_sum(program, x)):
            return [x]
    for x, y in (eqn.invars, eqn.invars[::-1]):
        if (negated := _negated(program, y)) is not None:
            return [program.emit(sub_p, [x, negated], eqn)]  # x + -y = x - y
    return None


def _is_sum(program: Rewriter, v: Atom) -> bool:
    """Whether it is a sum along axes, which begins at 0.0, in whatever shape."""
    eqn = program.maker(v)
    while eqn is not None and eqn.primitive in (broadcast_in_dim_p, reshape_p, transpose_p):
        eqn = program.maker(eqn.invars[0])
    return eqn is not None and eqn.primitive is reduce_sum_p


def _is_integer_zero(number: Any) -> bool:
    return number is not None and number.dtype.kind in "iu" and number == 0


def _negated(program: Rewriter, v: Atom) -> Atom | None:
    """What a real number is the negative of, where the program says so."""
    made = program.maker(v)
    is_real = dtypes.kind(v.aval.dtype) in "iuf"
    return made.invars[0] if is_real and made is not None and made.primitive is neg_p else None


def _sub(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    """x - 0.0 = x, and x - -y = x + y."""
    x, y = eqn.invars
    if (negated := _negated(program, y)) is not None:
        return [program.emit(add_p, [x, negated], eqn)]
    return [x] if _is_whole(x, eqn) and _same_bits(_real_number(program, y), 0.0) else None


def _mul(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    """x * 1 = x, but for complex numbers: (a + bi)(1 + 0i) has terms of 0 that can be NaN."""
    for x, y in (eqn.invars, eqn.invars[::-1]):
        if _is_whole(x, eqn) and _real_number(program, y) == 1:
            return [x]
    return None


def _div(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    """x / 1 = x, and x / 2**n = x * 2**-n; by what is repeated as `impl` does it."""
    x, y = eqn.invars
    number = _real_number(program, y)
    if number is None or not _is_whole(x, eqn):
        return _times_reciprocal(program, eqn)
    if number == 1:
        return [x]
    if number.dtype.kind != "f" or not _is_power_of_two(number):
        return None
    return [program.emit(mul_p, [x, program.constant(np.asarray(1 / number))], eqn)]


def _times_reciprocal(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    x, y = eqn.invars
    if y.aval.dtype.kind != "f" or y.aval.size == eqn.outvars[0].aval.size:
        return None
    one = program.constant(np.ones((), y.aval.dtype))
    return [program.emit(mul_p, [x, program.emit(div_p, [one, y], eqn)], eqn)]


def _is_power_of_two(number: Any) -> bool:
    info = np.finfo(number.dtype)
    return abs(math.frexp(number)[0]) == 0.5 and info.tiny <= abs(1 / number) and info.tiny <= abs(number)


def _integer_pow(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    (x,) = eqn.invars
    if eqn.params["y"] == 1:
        return [x]
    real = dtypes.kind(x.aval.dtype) != "c"
    return [program.emit(square_p, [x], eqn)] if real and eqn.params["y"] == 2 else None


def _extremum(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    """max(x, -inf) = x and min(x, inf) = x."""
    neutral = -math.inf if eqn.primitive.name == "max" else math.inf
    for x, y in (eqn.invars, eqn.invars[::-1]):
        number = _number(program, y)
        if _is_whole(x, eqn) and number is not None and number.dtype.kind == "f" and number == neutral:
            return [x]
    return None


def _cancels_itself(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    """-(-x) = x and not(not x) = x."""
    inner = program.maker(eqn.invars[0])
    return [inner.invars[0]] if inner is not None and inner.primitive is eqn.primitive else None


def _select(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    """A choice that is known, or none at all."""
    which, *cases = eqn.invars
    if all(case is cases[0] for case in cases):
        return [cases[0]]
    number = _number(program, which)
    return None if number is None else [cases[min(max(int(number), 0), len(cases) - 1)]]


# ----------------------------------------------------------------- conversions and copies


def _identity(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    """What is about derivatives or checkpoints changes no value."""
    return [eqn.invars[0]]


def _convert(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    """A conversion to the same dtype, or there and back through a dtype that holds all values of the first."""
    (x,), new = eqn.invars, eqn.params["new_dtype"]
    if x.aval.dtype == new:
        return [x]
    inner = program.maker(x)
    if inner is None or inner.primitive is not convert_element_type_p or "V" in (x.aval.dtype.kind, new.kind):
        return None
    first = inner.invars[0]
    if first.aval.dtype.kind == "V" or not np.can_cast(first.aval.dtype, x.aval.dtype, "safe"):
        return None
    if dtypes.kind(first.aval.dtype) in "iu" and dtypes.kind(x.aval.dtype) == "f":
        return [first] if first.aval.dtype == new else None
    return [first] if first.aval.dtype == new else [program.emit(convert_element_type_p, [first], eqn, **eqn.params)]


# ----------------------------------------------------------------- shapes


def _transpose(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    (x,), permutation = eqn.invars, eqn.params["permutation"]
    if tuple(permutation) == tuple(range(len(permutation))):
        return [x]
    inner = program.maker(x)
    if inner is not None and inner.primitive is transpose_p:
        both = tuple(inner.params["permutation"][axis] for axis in permutation)
        return _transpose(program, eqn.replace(invars=inner.invars, params={"permutation": both})) or [
            program.emit(transpose_p, inner.invars, eqn, permutation=both)
        ]
    moved = [axis for axis in permutation if x.aval.shape[axis] != 1]
    return _reshaped(program, eqn, x) if moved == sorted(moved) else None


def _reshape(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    """A reshape of a reshape is one; one that changes nothing is none."""
    (x,) = eqn.invars
    if eqn.params.get("dimensions") is not None:
        return None
    before = program.maker(x)
    known = before is not None and before.primitive in (reshape_p, broadcast_in_dim_p)
    return _reshaped(program, eqn, x) if known or _is_whole(x, eqn) else None


def _reshaped(program: Rewriter, eqn: Eqn, x: Atom) -> Sequence[Atom]:
    """`x` in the shape of the equation's result, whose elements are in the same order."""
    shape = eqn.outvars[0].aval.shape
    if x.aval.shape == shape:
        return [x]
    inner = program.maker(x)
    if inner is not None and inner.primitive is reshape_p and inner.params["dimensions"] is None:
        return _reshaped(program, eqn, inner.invars[0])
    if inner is not None and inner.primitive is broadcast_in_dim_p and not inner.invars[0].aval.shape:
        return [program.emit(broadcast_in_dim_p, inner.invars, eqn, shape=shape, broadcast_dimensions=())]
    return [program.emit(reshape_p, [x], eqn, new_sizes=shape, dimensions=None)]


def _squeeze(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    return _reshaped(program, eqn, eqn.invars[0])


def _broadcast(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    """One that adds axes of length 1 only is a reshape; one after another is one."""
    (x,), shape = eqn.invars, eqn.params["shape"]
    if x.aval.size == math.prod(shape) and x.aval.shape:
        kept = [d for n, d in zip(x.aval.shape, eqn.params["broadcast_dimensions"], strict=True) if n != 1]
        return _reshaped(program, eqn, x) if kept == sorted(kept) else None
    inner = program.maker(x)
    if inner is None or inner.primitive is not broadcast_in_dim_p:
        return None
    places = tuple(eqn.params["broadcast_dimensions"][d] for d in inner.params["broadcast_dimensions"])
    return [program.emit(broadcast_in_dim_p, inner.invars, eqn, **{**eqn.params, "broadcast_dimensions": places})]


def _reduce(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    """A reduction over axes of length 1 changes nothing but the shape; a sum makes -0.0 into 0.0."""
    (x,), axes = eqn.invars, eqn.params["axes"]
    if not all(x.aval.shape[axis] == 1 for axis in axes):
        return None
    (y,) = _reshaped(program, eqn, x)
    whole = not axes or dtypes.kind(x.aval.dtype) in "iu" or _is_sum(program, y)
    if eqn.primitive.name != "reduce_sum" or whole:
        return [y]
    return [program.emit(add_p, [y, program.constant(np.zeros((), x.aval.dtype))], eqn)]


RULES: dict[str, Simplification] = {
    **dict.fromkeys(("add", "add_any"), _add),
    "sub": _sub,
    "mul": _mul,
    "div": _div,
    **dict.fromkeys(("max", "min"), _extremum),
    "integer_pow": _integer_pow,
    **dict.fromkeys(("neg", "not"), _cancels_itself),
    "select_n": _select,
    **dict.fromkeys(("stop_gradient", "copy", "name"), _identity),
    "convert_element_type": _convert,
    "transpose": _transpose,
    "reshape": _reshape,
    "squeeze": _squeeze,
    "broadcast_in_dim": _broadcast,
    **dict.fromkeys(("reduce_sum", "reduce_max", "reduce_min", "reduce_prod"), _reduce),
}
