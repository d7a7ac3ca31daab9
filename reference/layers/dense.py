"""The dense layer: every output sees every input."""

from ..engines import Array, Engine, Params
from .initializers import Initializer, he_normal

__all__ = ["apply", "init"]


def init(
    jax: Engine, key: Array, inputs: int, outputs: int, *, bias: bool = True, initializer: Initializer = he_normal
) -> Params:
    """{"w": f[inputs, outputs], "b": f[outputs]}; the biases are zero, and left out with `bias=False`."""
    params = {"w": initializer(jax, key, (inputs, outputs))}
    return params | {"b": jax.numpy.zeros((outputs,))} if bias else params


def apply(jax: Engine, params: Params, x: Array) -> Array:
    """f[..., outputs] from x, f[..., inputs]."""
    y = x @ params["w"]
    return y + params["b"] if "b" in params else y
