"""Layers: each a module with `init(jax, key, ...)`, which draws parameters, and `apply(jax, params, x, ...)`.

Batch normalisation alone has state: its `init` gives (params, state), its `apply` takes and gives the state.
Images are f[batch, height, width, channels], sequences f[batch, time, features].
"""

from . import (
    attention,
    batch_norm,
    conv,
    conv_transpose,
    dense,
    dropout,
    embedding,
    group_norm,
    gru,
    initializers,
    layer_norm,
    lstm,
    pooling,
    prelu,
    recurrence,
    simple_rnn,
)

__all__ = [
    "attention",
    "batch_norm",
    "conv",
    "conv_transpose",
    "dense",
    "dropout",
    "embedding",
    "group_norm",
    "gru",
    "initializers",
    "layer_norm",
    "lstm",
    "pooling",
    "prelu",
    "recurrence",
    "simple_rnn",
]
