"""The convolutional network with batch normalisation, and dropout before its dense layers."""

from collections.abc import Sequence
from typing import Any

from ..engines import Array, Engine, Params
from ..layers import batch_norm, conv, dense, dropout, pooling
from . import Model
from .cnn import pooled_size

__all__ = ["apply", "cnn_norm", "init"]


def init(
    jax: Engine,
    key: Array,
    shape: Sequence[int],
    classes: int,
    *,
    channels: Sequence[int] = (32, 64),
    hidden: int = 128,
) -> tuple[Params, Any]:
    """Parameters and state for images of (h, w, c): for each of `channels` two 3x3 convolutions, then dense layers."""
    *keys, hidden_key, out_key = jax.random.split(key, 2 * len(channels) + 2)
    outputs = [size for size in channels for _ in range(2)]
    convs = [
        conv.init(jax, k, (3, 3), a, b, bias=False)
        for k, a, b in zip(keys, (shape[-1], *outputs), outputs, strict=False)
    ]
    norms = [batch_norm.init(jax, size) for size in outputs]
    params = {
        "convs": convs,
        "norms": [params for params, _ in norms],
        "hidden": dense.init(jax, hidden_key, pooled_size(shape, len(channels)) * channels[-1], hidden),
        "out": dense.init(jax, out_key, hidden, classes),
    }
    return params, [state for _, state in norms]


def apply(
    jax: Engine,
    params: Params,
    state: Any,
    x: Array,
    *,
    key: Array | None,
    train: bool,
    rate: float = 0.4,
    activation: str = "relu",
    pool: str = "max_pool",
) -> tuple[Array, Any]:
    """Logits, f[batch, classes], from x, f[batch, h, w, c], and the state.

    `rate` is that of dropout, `activation` a name in `jax.nn`, `pool` one in `layers.pooling`.
    """
    active, following = getattr(jax.nn, activation), []
    first, second = (None, None) if key is None else jax.random.split(key)
    for i, (layer, norm, seen) in enumerate(zip(params["convs"], params["norms"], state, strict=True)):
        x, seen = batch_norm.apply(jax, norm, seen, conv.apply(jax, layer, x), train=train)
        x = active(x)
        if i % 2:
            x = getattr(pooling, pool)(jax, x)
        following.append(seen)
    x = dropout.apply(jax, first, x.reshape(len(x), -1), rate, train=train)
    x = active(dense.apply(jax, params["hidden"], x))
    x = dropout.apply(jax, second, x, rate, train=train)
    return dense.apply(jax, params["out"], x), following


def cnn_norm(
    shape: Sequence[int],
    classes: int,
    *,
    channels: Sequence[int] = (32, 64),
    hidden: int = 128,
    rate: float = 0.4,
    activation: str = "relu",
    pool: str = "max_pool",
) -> Model:
    """The model for images of (height, width, channels)."""
    return Model(
        "cnn with batch normalisation " + "-".join(str(size) for size in (*channels, hidden, classes)),
        lambda jax, key: init(jax, key, shape, classes, channels=channels, hidden=hidden),
        lambda jax, params, state, x, *, key, train: apply(
            jax, params, state, x, key=key, train=train, rate=rate, activation=activation, pool=pool
        ),
    )
