"""Classifiers of sentences: an embedding, recurrent layers one above the other, and a dense layer at the end."""

from collections.abc import Sequence
from typing import Any

from ..data.words import PADDING
from ..engines import Array, Engine, Params
from ..layers import dense, dropout, embedding, gru, lstm, simple_rnn
from . import Model

__all__ = ["CELLS", "apply", "init", "rnn"]

CELLS = {"lstm": lstm, "gru": gru, "simple": simple_rnn}


def init(
    jax: Engine,
    key: Array,
    cell: str,
    vocabulary: int,
    classes: int,
    *,
    features: int = 64,
    units: Sequence[int] = (64,),
) -> Params:
    """{"embedding", "layers": one recurrent layer of CELLS[cell] for each of `units`, "out": dense}."""
    embedding_key, out_key, *keys = jax.random.split(key, len(units) + 2)
    return {
        "embedding": embedding.init(jax, embedding_key, vocabulary, features),
        "layers": [CELLS[cell].init(jax, k, a, b) for k, a, b in zip(keys, (features, *units), units)],
        "out": dense.init(jax, out_key, units[-1], classes),
    }


def apply(
    jax: Engine, params: Params, tokens: Array, *, cell: str, key: Array | None, train: bool, rate: float = 0.0
) -> Array:
    """Logits, f[batch, classes], from tokens, i32[batch, time], with PADDING after the words.

    The last output of the last layer decides. `rate` is that of dropout, of what enters each layer.
    """
    here = tokens != PADDING
    keys = [None] * (len(params["layers"]) + 1) if key is None else jax.random.split(key, len(params["layers"]) + 1)
    x = embedding.apply(jax, params["embedding"], tokens)
    for layer, layer_key in zip(params["layers"], keys):
        x = dropout.apply(jax, layer_key, x, rate, train=train)
        x, carry = CELLS[cell].apply(jax, layer, x, mask=here)
    last = dropout.apply(jax, keys[-1], carry[0], rate, train=train)
    return dense.apply(jax, params["out"], last)


def rnn(
    cell: str, vocabulary: int, classes: int, *, features: int = 64, units: Sequence[int] = (64,), rate: float = 0.0
) -> Model:
    """The model for so many different tokens; `cell` is a name in CELLS."""

    def lifted(
        jax: Engine, params: Params, state: Any, x: Array, *, key: Array | None, train: bool
    ) -> tuple[Array, Any]:
        return apply(jax, params, x, cell=cell, key=key, train=train, rate=rate), state

    return Model(
        f"{cell} rnn {features}-" + "-".join(str(size) for size in units),
        lambda jax, key: (init(jax, key, cell, vocabulary, classes, features=features, units=units), ()),
        lifted,
    )
