"""The logistic function, its inverse, and softmax."""

from __future__ import annotations

from typing import Any

from minijax import lax, nn
from minijax.array import Array
from minijax.custom_derivatives import custom_jvp
from minijax.numpy.promotion import like
from minijax.scipy.special.operands import float_array

__all__ = ["expit", "log_softmax", "logit", "softmax"]


def expit(x: Any) -> Array:
    """1 / (1 + exp(-x)), the logistic function."""
    x = float_array("expit", x)
    return lax.logistic(x)


@custom_jvp
def logit(x: Any) -> Array:
    """log(x / (1 - x)), the inverse of the logistic function."""
    x = float_array("logit", x)
    return lax.log(lax.div(x, lax.sub(like(x, 1), x)))


logit.defjvps(lambda g, ans, x: lax.div(g, lax.mul(x, lax.sub(like(x, 1), x))))


def softmax(x: Any, /, *, axis: Any = None) -> Array:
    """exp(x) / sum(exp(x)) over axes, over all of them for None."""
    return nn.softmax(x, axis=axis)


def log_softmax(x: Any, /, *, axis: Any = None) -> Array:
    """The logarithm of softmax over axes, over all of them for None."""
    return nn.log_softmax(x, axis=axis)
