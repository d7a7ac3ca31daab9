"""log(exp(x1) + exp(x2)) without overflow, in base e and in base 2; jax.numpy promotes and calls these."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from minijax import dtypes
from minijax.array import Array
from minijax.custom_derivatives import custom_jvp
from minijax.primitives.arithmetic import abs, add, max, mul, neg, rem, sub
from minijax.primitives.comparison import eq, lt, ne
from minijax.primitives.complex_parts import complex, imag, real
from minijax.primitives.families import like
from minijax.primitives.selection import select
from minijax.primitives.shaping import broadcast_in_dim
from minijax.primitives.transcendental import exp, exp2, log1p

__all__ = ["logaddexp", "logaddexp2"]


@custom_jvp
def logaddexp(x1: Any, x2: Any, /) -> Array:
    """log(exp(x1) + exp(x2)), for floats or complex numbers of one dtype."""
    return _log_of_sum(x1, x2, lambda delta: log1p(exp(delta)), math.pi)


@custom_jvp
def logaddexp2(x1: Any, x2: Any, /) -> Array:
    """log2(2**x1 + 2**x2), for floats or complex numbers of one dtype."""
    half_turn = math.pi / math.log(2)
    return _log_of_sum(x1, x2, lambda delta: mul(like(delta, 1 / math.log(2)), log1p(exp2(delta))), half_turn)


def _log_of_sum(x1: Any, x2: Any, log_of_one_plus_power: Callable[[Any], Any], half_turn: float) -> Array:
    largest = max(x1, x2)
    if dtypes.is_complex(dtypes.dtype(largest)):
        delta = sub(add(x1, x2), mul(largest, like(largest, 2)))
        out = add(largest, log_of_one_plus_power(delta))
        return complex(real(out), _wrapped(imag(out), half_turn))
    delta = sub(x1, x2)
    # Two infinities of one sign differ by NaN; their sum is the answer, as it is when one operand is NaN.
    undefined = ne(delta, delta)
    return select(undefined, add(x1, x2), add(largest, log_of_one_plus_power(neg(abs(delta)))))


def _wrapped(x: Any, half: float) -> Any:
    """`x` less as many periods of 2 * half as bring it between -half and half."""
    period = like(x, 2 * half)
    rest = rem(add(x, like(x, half)), period)
    return sub(select(lt(rest, like(rest, 0)), add(rest, period), rest), like(x, half))


@logaddexp.defjvp
def _logaddexp_jvp(primals: Any, tangents: Any) -> tuple[Any, Any]:
    out = logaddexp(*primals)
    return out, _tangent(out, primals, tangents, exp)


@logaddexp2.defjvp
def _logaddexp2_jvp(primals: Any, tangents: Any) -> tuple[Any, Any]:
    out = logaddexp2(*primals)
    return out, _tangent(out, primals, tangents, exp2)


def _tangent(out: Any, primals: Any, tangents: Any, power: Callable[[Any], Any]) -> Any:
    """Each tangent times its operand's share of the sum."""
    first, second = [mul(t, power(sub(_finite(x), _finite(out)))) for x, t in zip(primals, tangents, strict=True)]
    return add(first, second)


def _finite(x: Any) -> Any:
    """`x` with 0 in place of inf, whose difference with itself would be NaN."""
    return select(eq(x, like(x, math.inf)), broadcast_in_dim(like(x, 0), x.shape, ()), x)
