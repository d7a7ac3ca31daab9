"""Activation functions. Formulas and derivatives at the corners are those of jax.nn."""

from __future__ import annotations

from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array
from minijax.custom_derivatives import custom_jvp
from minijax.numpy.promotion import ensure_arraylike, promote_dtypes_inexact

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "identity",
    "leaky_relu",
    "log1mexp",
    "log_sigmoid",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_sign",
    "softplus",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "swish",
    "tanh",
]

tanh = jnp.tanh


def identity(x: Any) -> Array:
    """x."""
    return ensure_arraylike("identity", x)


# ----------------------------------------------------------------- the family of relu


@custom_jvp
def relu(x: Any) -> Array:
    """max(x, 0), with derivative 0 at 0 (https://dl.acm.org/doi/10.5555/3104322.3104425)."""
    return jnp.maximum(x, 0)


# Without a rule of its own relu would get the derivative of max, 1/2 at 0.
relu.defjvps(lambda g, ans, x: lax.select(x > 0, g, lax.full_like(g, 0)))


@custom_jvp
def relu6(x: Any) -> Array:
    """min(max(x, 0), 6), with derivative 0 at 0 and 6."""
    return jnp.minimum(jnp.maximum(x, 0), 6.0)


relu6.defjvps(lambda g, ans, x: lax.select((x > 0) & (x < 6), g, lax.full_like(g, 0)))


def leaky_relu(x: Any, negative_slope: Any = 0.01) -> Array:
    """x for x >= 0, negative_slope * x below."""
    x = ensure_arraylike("leaky_relu", x)
    return jnp.where(x >= 0, x, negative_slope * x)


def elu(x: Any, alpha: Any = 1.0) -> Array:
    """x for x > 0, alpha * (exp(x) - 1) below."""
    x = ensure_arraylike("elu", x)
    # Inner where: exp must not overflow where it is not used, or the derivative there is NaN.
    return jnp.where(x > 0, x, alpha * jnp.expm1(jnp.where(x > 0, 0.0, x)))


def celu(x: Any, alpha: Any = 1.0) -> Array:
    """x for x > 0, alpha * (exp(x / alpha) - 1) below; its derivative is continuous for every alpha."""
    return jnp.maximum(x, 0.0) + alpha * jnp.expm1(jnp.minimum(x, 0.0) / alpha)


def selu(x: Any) -> Array:
    """Scaled elu, which keeps mean 0 and variance 1 (https://arxiv.org/abs/1706.02515)."""
    alpha = 1.6732632423543772
    scale = 1.0507009873554805
    return scale * elu(x, alpha)


def gelu(x: Any, approximate: bool = True) -> Array:
    """x times the probability that a standard normal variable is below x, or its tanh approximation."""
    (x,) = promote_dtypes_inexact(ensure_arraylike("gelu", x))
    if approximate:
        factor = np.sqrt(2 / np.pi).astype(x.dtype)
        return x * (0.5 * (1.0 + jnp.tanh(factor * (x + 0.044715 * x**3))))
    return jnp.array(0.5 * x * lax.erfc(-x * np.sqrt(0.5).astype(x.dtype)), dtype=x.dtype)


# ----------------------------------------------------------------- the family of the logistic function


def sigmoid(x: Any) -> Array:
    """1 / (1 + exp(-x)). Floats only."""
    return lax.logistic(x)


def silu(x: Any) -> Array:
    """x * sigmoid(x)."""
    x = ensure_arraylike("silu", x)
    return x * sigmoid(x)


swish = silu


def log_sigmoid(x: Any) -> Array:
    """log(sigmoid(x)), without overflow."""
    return -softplus(-ensure_arraylike("log_sigmoid", x))


def softplus(x: Any) -> Array:
    """log(1 + exp(x)), without overflow."""
    return jnp.logaddexp(x, 0)


def mish(x: Any) -> Array:
    """x * tanh(softplus(x)) (https://arxiv.org/abs/1908.08681)."""
    x = ensure_arraylike("mish", x)
    return x * jnp.tanh(softplus(x))


def glu(x: Any, axis: int = -1) -> Array:
    """The first half of x along an axis, times the sigmoid of the second. AssertionError for an odd length."""
    x = ensure_arraylike("glu", x)
    if x.shape[axis] % 2:
        raise AssertionError(f"glu: the length of axis {axis} must be divisible by 2, got shape {x.shape}.")
    first, second = jnp.split(x, 2, axis)
    return first * sigmoid(second)


@custom_jvp
def log1mexp(x: Any) -> Array:
    """log(1 - exp(-x)) for x > 0, to full precision (https://cran.r-project.org/package=Rmpfr: log1mexp-note)."""
    x = ensure_arraylike("log1mexp", x)
    return jnp.where(x < jnp.log(2.0), jnp.log(-jnp.expm1(-x)), jnp.log1p(-jnp.exp(-x)))


log1mexp.defjvps(lambda g, ans, x: g / jnp.expm1(x))

# ----------------------------------------------------------------- without exponentials


def squareplus(x: Any, b: Any = 4) -> Array:
    """(x + sqrt(x**2 + b)) / 2: like softplus for b = 4 log(2)**2 (https://arxiv.org/abs/2112.11687)."""
    x, b = ensure_arraylike("squareplus", x, b)
    return (x + jnp.sqrt(jnp.square(x) + b)) / 2


def soft_sign(x: Any) -> Array:
    """x / (|x| + 1)."""
    x = ensure_arraylike("soft_sign", x)
    return x / (jnp.abs(x) + 1)


def hard_tanh(x: Any) -> Array:
    """x cut off at -1 and 1."""
    x = ensure_arraylike("hard_tanh", x)
    return jnp.where(x > 1, 1, jnp.where(x < -1, -1, x))


def hard_sigmoid(x: Any) -> Array:
    """relu6(x + 3) / 6."""
    return relu6(x + 3.0) / 6.0


def hard_silu(x: Any) -> Array:
    """x * hard_sigmoid(x) (https://arxiv.org/abs/1905.02244)."""
    x = ensure_arraylike("hard_silu", x)
    return x * hard_sigmoid(x)


hard_swish = hard_silu


def sparse_plus(x: Any) -> Array:
    """0 up to -1, x from 1 on, and the parabola (x + 1)**2 / 4 between."""
    x = ensure_arraylike("sparse_plus", x)
    return jnp.where(x <= -1.0, 0.0, jnp.where(x >= 1.0, x, (x + 1.0) ** 2 / 4))


def sparse_sigmoid(x: Any) -> Array:
    """The derivative of sparse_plus: 0 up to -1, 1 from 1 on, and a straight line between."""
    return 0.5 * jnp.clip(x + 1.0, 0.0, 2.0)
