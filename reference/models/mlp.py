"""The multilayer perceptron: dense layers with an activation between them."""

from collections.abc import Sequence

from ..engines import Array, Engine, Params
from . import Model, stateless

__all__ = ["apply", "init", "mlp"]


def init(jax: Engine, key: Array, sizes: Sequence[int], *, scale: float | None = None) -> Params:
    """One layer {"w": f[inputs, outputs], "b": f[outputs]} for each two neighbours in `sizes`.

    Weights are normal with standard deviation `scale`, or sqrt(2 / inputs) where it is None (He et al.,
    2015), which keeps the size of the activations from layer to layer; biases are zero.
    """
    keys = jax.random.split(key, len(sizes) - 1)
    return [
        _layer(jax, k, inputs, outputs, scale) for k, inputs, outputs in zip(keys, sizes[:-1], sizes[1:], strict=True)
    ]


def _layer(jax: Engine, key: Array, inputs: int, outputs: int, scale: float | None) -> Params:
    deviation = (2 / inputs) ** 0.5 if scale is None else scale
    return {
        "w": deviation * jax.random.normal(key, (inputs, outputs)),
        "b": jax.numpy.zeros((outputs,)),
    }


def apply(jax: Engine, params: Params, x: Array, *, activation: str = "relu") -> Array:
    """Logits, f[batch, classes], from x, f[batch, ...] of any shape; `activation` is a name in `jax.nn`."""
    *hidden, last = params
    x = jax.numpy.reshape(x, (len(x), -1))
    for layer in hidden:
        x = getattr(jax.nn, activation)(x @ layer["w"] + layer["b"])
    return x @ last["w"] + last["b"]


def mlp(sizes: Sequence[int], *, activation: str = "relu", scale: float | None = None) -> Model:
    """The model of these sizes (features, hidden..., classes)."""
    return stateless(
        "mlp " + "-".join(str(size) for size in sizes),
        lambda jax, key: init(jax, key, sizes, scale=scale),
        lambda jax, params, x: apply(jax, params, x, activation=activation),
    )
