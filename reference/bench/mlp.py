"""A training step of the multilayer perceptron 784-512-10."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engines import Array, Engine, Params
from ..losses import softmax_cross_entropy
from .steps import by_hand_cross_entropy, by_hand_sgd, cross_entropy, descent, one_hot, torch_sgd
from .work import Contestant, Product, Work

__all__ = ["mlp"]


def mlp(batch: int, sizes: tuple[int, int, int] = (784, 512, 10)) -> Work:
    """One hidden layer with relu, softmax cross entropy, gradient descent."""
    inputs, hidden, classes = sizes
    rng = np.random.default_rng(0)
    params = [
        {"w": rng.normal(0, (2 / n) ** 0.5, (n, m)).astype(np.float32), "b": np.zeros(m, np.float32)}
        for n, m in ((inputs, hidden), (hidden, classes))
    ]
    x = rng.uniform(size=(batch, inputs)).astype(np.float32)
    y = rng.integers(classes, size=batch).astype(np.int32)
    return descent(
        (params, x, y),
        _loss,
        _autograd_loss,
        by_hand=_by_hand,
        torch=_torch,
        products=(
            Product((batch, inputs), (inputs, hidden)),
            Product((batch, hidden), (hidden, classes)),
            Product((hidden, batch), (batch, classes)),
            Product((batch, classes), (classes, hidden)),
            Product((inputs, batch), (batch, hidden)),
        ),
    )


def _loss(jax: Engine) -> Callable[..., Array]:
    def loss(params: Params, x: Array, y: Array) -> Array:
        first, second = params
        x = jax.nn.relu(x @ first["w"] + first["b"])
        return softmax_cross_entropy(jax, x @ second["w"] + second["b"], y)

    return loss


def _by_hand(params: Any, x: np.ndarray, y: np.ndarray) -> tuple[Any, np.ndarray]:
    first, second = params
    before = x @ first["w"] + first["b"]
    hidden = np.maximum(before, 0)
    loss, dlogits = by_hand_cross_entropy(hidden @ second["w"] + second["b"], y)
    dbefore = (dlogits @ second["w"].T) * (before > 0)
    grads = [
        {"w": x.T @ dbefore, "b": dbefore.sum(axis=0)},
        {"w": hidden.T @ dlogits, "b": dlogits.sum(axis=0)},
    ]
    return by_hand_sgd(params, grads), loss


def _autograd_loss(numpy: Any) -> Callable[..., Any]:
    def loss(params: Any, x: Any, y: Any) -> Any:
        first, second = params
        hidden = numpy.maximum(numpy.dot(x, first["w"]) + first["b"], 0)
        logits = numpy.dot(hidden, second["w"]) + second["b"]
        return cross_entropy(numpy, logits, one_hot(y, logits.shape[1]))

    return loss


def _torch(torch: Any, params: Any, x: np.ndarray, y: np.ndarray) -> Contestant:
    """Weights are f[outputs, inputs], as in torch.nn.Linear."""
    functional = torch.nn.functional
    start = [torch.tensor(a, requires_grad=True) for layer in params for a in (layer["w"].T.copy(), layer["b"])]
    batch = torch.tensor(x), torch.tensor(y, dtype=torch.int64)
    w1, b1, w2, b2 = start

    def loss(x: Any, y: Any) -> Any:
        hidden = functional.relu(functional.linear(x, w1, b1))
        return functional.cross_entropy(functional.linear(hidden, w2, b2), y)

    def to_numpy(found: Any) -> Any:
        (w1, b1, w2, b2), value = found
        layers = [{"w": w.numpy().T, "b": b.numpy()} for w, b in ((w1, b1), (w2, b2))]
        return layers, value.numpy()

    return Contestant(lambda: torch_sgd(torch, loss, start, *batch), to_numpy)
