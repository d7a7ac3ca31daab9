"""jax.nn: activation functions, softmax and its relatives, attention, initial values of parameters."""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from minijax.later import later as _later
from minijax.nn.activations import (
    celu,
    elu,
    gelu,
    glu,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    identity,
    leaky_relu,
    log1mexp,
    log_sigmoid,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_sign,
    softplus,
    sparse_plus,
    sparse_sigmoid,
    squareplus,
    swish,
    tanh,
)
from minijax.nn.attention import dot_product_attention
from minijax.nn.functions import log_softmax, logmeanexp, logsumexp, one_hot, softmax, standardize

__all__ = [
    "celu",
    "dot_product_attention",
    "elu",
    "gelu",
    "glu",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "identity",
    "initializers",
    "leaky_relu",
    "log1mexp",
    "log_sigmoid",
    "log_softmax",
    "logmeanexp",
    "logsumexp",
    "mish",
    "one_hot",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_sign",
    "softmax",
    "softplus",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "standardize",
    "swish",
    "tanh",
]

# It draws random numbers, and some samplers of minijax.random are written with functions from here.
__getattr__, __dir__ = _later(__name__, modules="initializers")

if _TYPE_CHECKING:
    from minijax.nn import initializers as initializers
