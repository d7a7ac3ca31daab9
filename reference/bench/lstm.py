"""A training step of a long short-term memory network that classifies sequences of tokens."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engines import Array, Engine, Params
from ..losses import softmax_cross_entropy
from .steps import by_hand_cross_entropy, by_hand_sgd, cross_entropy, descent, one_hot, torch_sgd
from .work import Contestant, Product, Work

__all__ = ["lstm"]


def lstm(batch: int = 64, length: int = 40, hidden: int = 128, tokens: int = 1000, classes: int = 10) -> Work:
    """Embedding of the same width, one LSTM layer, a dense layer on its last output, gradient descent.

    The gates are side by side in this order: input, forget, new, output.
    """
    rng = np.random.default_rng(0)

    def draw(*shape: int) -> np.ndarray:
        return rng.normal(0, hidden**-0.5, shape).astype(np.float32)

    params = {
        "embedding": draw(tokens, hidden),
        "input": draw(hidden, 4 * hidden),
        "recurrent": draw(hidden, 4 * hidden),
        "bias": np.zeros(4 * hidden, np.float32),
        "w": draw(hidden, classes),
        "b": np.zeros(classes, np.float32),
    }
    x = rng.integers(tokens, size=(batch, length)).astype(np.int32)
    y = rng.integers(classes, size=batch).astype(np.int32)
    return descent(
        (params, x, y),
        _loss,
        _autograd_loss,
        by_hand=_by_hand,
        torch=_torch,
        products=_products(batch, length, hidden, classes),
        eager=False,  # scan compiles its body, and that anew in each call
    )


def _products(batch: int, length: int, hidden: int, classes: int) -> tuple[Product, ...]:
    """All time steps at once, but for the two products that each step waits for."""
    rows, gates = batch * length, 4 * hidden
    return (
        Product((rows, hidden), (hidden, gates)),
        Product((batch, hidden), (hidden, gates), length),
        Product((batch, gates), (gates, hidden), length),
        Product((hidden, rows), (rows, gates), 2),
        Product((rows, gates), (gates, hidden)),
        Product((batch, hidden), (hidden, classes)),
        Product((hidden, batch), (batch, classes)),
        Product((batch, classes), (classes, hidden)),
    )


def _loss(jax: Engine) -> Callable[..., Array]:
    def loss(params: Params, x: Array, y: Array) -> Array:
        def cell(carry: tuple[Array, Array], now: Array) -> tuple[tuple[Array, Array], None]:
            output, memory = carry
            gates = now @ params["input"] + output @ params["recurrent"] + params["bias"]
            write, forget, new, read = jax.numpy.split(gates, 4, axis=-1)
            memory = jax.nn.sigmoid(forget) * memory + jax.nn.sigmoid(write) * jax.numpy.tanh(new)
            return (jax.nn.sigmoid(read) * jax.numpy.tanh(memory), memory), None

        zeros = jax.numpy.zeros((len(x), params["w"].shape[0]))
        (output, _), _ = jax.lax.scan(cell, (zeros, zeros), params["embedding"][x.T])
        return softmax_cross_entropy(jax, output @ params["w"] + params["b"], y)

    return loss


# ----------------------------------------------------------------- by hand


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _by_hand(params: Any, x: np.ndarray, y: np.ndarray) -> tuple[Any, np.ndarray]:
    inputs = params["embedding"][x.T]
    projected = inputs @ params["input"] + params["bias"]
    output = memory = np.zeros(inputs.shape[1:], np.float32)
    past = []
    for now in projected:
        gates = now + output @ params["recurrent"]
        write, forget, new, read = np.split(gates, 4, axis=-1)
        write, forget, new, read = _sigmoid(write), _sigmoid(forget), np.tanh(new), _sigmoid(read)
        before, memory = memory, forget * memory + write * new
        bent = np.tanh(memory)
        past.append((output, before, write, forget, new, read, bent))
        output = read * bent
    loss, dlogits = by_hand_cross_entropy(output @ params["w"] + params["b"], y)
    doutput, dgates = dlogits @ params["w"].T, []
    dmemory = np.zeros_like(memory)
    for _, before, write, forget, new, read, bent in reversed(past):
        dmemory = dmemory + doutput * read * (1 - bent * bent)
        parts = (
            dmemory * new * write * (1 - write),
            dmemory * before * forget * (1 - forget),
            dmemory * write * (1 - new * new),
            doutput * bent * read * (1 - read),
        )
        dgates.append(np.concatenate(parts, axis=1))
        doutput = dgates[-1] @ params["recurrent"].T
        dmemory = dmemory * forget
    all_dgates = np.concatenate(dgates[::-1])
    outputs = np.concatenate([step[0] for step in past])
    dembedding = np.zeros_like(params["embedding"])
    np.add.at(dembedding, x.T.ravel(), all_dgates @ params["input"].T)
    grads = {
        "embedding": dembedding,
        "input": inputs.reshape(outputs.shape).T @ all_dgates,
        "recurrent": outputs.T @ all_dgates,
        "bias": all_dgates.sum(axis=0),
        "w": output.T @ dlogits,
        "b": dlogits.sum(axis=0),
    }
    return by_hand_sgd(params, grads), loss


# ----------------------------------------------------------------- the others


def _autograd_loss(numpy: Any) -> Callable[..., Any]:
    def sigmoid(x: Any) -> Any:
        return 1 / (1 + numpy.exp(-x))

    def loss(params: Any, x: Any, y: Any) -> Any:
        projected = numpy.dot(params["embedding"][x.T], params["input"]) + params["bias"]
        output = memory = np.zeros((len(x), params["w"].shape[0]), np.float32)
        for now in projected:
            write, forget, new, read = numpy.split(now + numpy.dot(output, params["recurrent"]), 4, axis=-1)
            memory = sigmoid(forget) * memory + sigmoid(write) * numpy.tanh(new)
            output = sigmoid(read) * numpy.tanh(memory)
        logits = numpy.dot(output, params["w"]) + params["b"]
        return cross_entropy(numpy, logits, one_hot(y, logits.shape[1]))

    return loss


def _torch(torch: Any, params: Any, x: np.ndarray, y: np.ndarray) -> Contestant:
    """With torch.nn.LSTM, whose gates have the same order; of its two biases one is zero and stays so."""
    functional = torch.nn.functional
    width = params["w"].shape[0]
    layer = torch.nn.LSTM(width, width, batch_first=True)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(torch.tensor(params["input"].T.copy()))
        layer.weight_hh_l0.copy_(torch.tensor(params["recurrent"].T.copy()))
        layer.bias_ih_l0.copy_(torch.tensor(params["bias"]))
        layer.bias_hh_l0.zero_()
    layer.bias_hh_l0.requires_grad_(False)
    embedding, w, b = (
        torch.tensor(a, requires_grad=True) for a in (params["embedding"], params["w"].T.copy(), params["b"])
    )
    start = [embedding, layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, w, b]
    batch = torch.tensor(x, dtype=torch.int64), torch.tensor(y, dtype=torch.int64)

    def loss(x: Any, y: Any) -> Any:
        outputs, _ = layer(functional.embedding(x, embedding))
        return functional.cross_entropy(functional.linear(outputs[:, -1], w, b), y)

    def to_numpy(found: Any) -> Any:
        names = ("embedding", "input", "recurrent", "bias", "w", "b")
        new = dict(zip(names, (p.numpy() for p in found[0]), strict=True))
        return new | {name: new[name].T for name in ("input", "recurrent", "w")}, found[1].numpy()

    return Contestant(lambda: torch_sgd(torch, loss, start, *batch), to_numpy)
