"""log(exp(x1) + exp(x2)) without overflow, in base e and in base 2; jax.numpy promotes and calls these."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from minijax.array import Array
from minijax.custom_derivatives import custom_jvp
from minijax.primitives.arithmetic import add, mul, sub
from minijax.primitives.comparison import eq
from minijax.primitives.cumulative import log_of_sum
from minijax.primitives.families import like
from minijax.primitives.selection import select
from minijax.primitives.shaping import broadcast_in_dim
from minijax.primitives.transcendental import exp, exp2, log1p

__all__ = ["logaddexp", "logaddexp2"]


@custom_jvp
def logaddexp(x1: Any, x2: Any, /) -> Array:
    """log(exp(x1) + exp(x2)), for floats or complex numbers of one dtype."""
    return log_of_sum(x1, x2, lambda delta: log1p(exp(delta)), math.pi)


@custom_jvp
def logaddexp2(x1: Any, x2: Any, /) -> Array:
    """log2(2**x1 + 2**x2), for floats or complex numbers of one dtype."""
    log2_of = 1 / math.log(2)
    return log_of_sum(x1, x2, lambda delta: mul(like(delta, log2_of), log1p(exp2(delta))), math.pi * log2_of)


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
