"""The convolutional network: convolutions with pooling between them, then dense layers (LeCun et al., 1998)."""

from collections.abc import Sequence

from ..engines import Array, Engine, Params
from ..layers import conv, dense, pooling
from . import Model, stateless

__all__ = ["apply", "cnn", "init", "pooled_size"]


def init(
    jax: Engine,
    key: Array,
    shape: Sequence[int],
    classes: int,
    *,
    channels: Sequence[int] = (32, 64),
    hidden: int = 128,
) -> Params:
    """{"convs": 3x3 convolutions with so many channels, "hidden": dense, "out": dense} for images of (h, w, c)."""
    *conv_keys, hidden_key, out_key = jax.random.split(key, len(channels) + 2)
    inputs = (shape[-1], *channels)
    return {
        "convs": [conv.init(jax, k, (3, 3), a, b) for k, a, b in zip(conv_keys, inputs, channels)],
        "hidden": dense.init(jax, hidden_key, pooled_size(shape, len(channels)) * channels[-1], hidden),
        "out": dense.init(jax, out_key, hidden, classes),
    }


def pooled_size(shape: Sequence[int], times: int) -> int:
    """Pixels of an image of (h, w, ...) that is left after pooling so many times; ValueError where none is."""
    height, width = (size // 2**times for size in shape[:2])
    if height * width == 0:
        raise ValueError(f"an image of {shape[0]}x{shape[1]} cannot be halved {times} times; use fewer convolutions")
    return height * width


def apply(jax: Engine, params: Params, x: Array, *, activation: str = "relu") -> Array:
    """Logits, f[batch, classes], from x, f[batch, h, w, c]; `activation` is a name in `jax.nn`."""
    active = getattr(jax.nn, activation)
    for layer in params["convs"]:
        x = pooling.max_pool(jax, active(conv.apply(jax, layer, x)))
    x = active(dense.apply(jax, params["hidden"], x.reshape(len(x), -1)))
    return dense.apply(jax, params["out"], x)


def cnn(
    shape: Sequence[int],
    classes: int,
    *,
    channels: Sequence[int] = (32, 64),
    hidden: int = 128,
    activation: str = "relu",
) -> Model:
    """The model for images of (height, width, channels)."""
    return stateless(
        "cnn " + "-".join(str(size) for size in (*channels, hidden, classes)),
        lambda jax, key: init(jax, key, shape, classes, channels=channels, hidden=hidden),
        lambda jax, params, x: apply(jax, params, x, activation=activation),
    )
