"""A training step of an attention block: layer norm, causal self-attention, and the input added to it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engines import Array, Engine, Params
from .steps import by_hand_sgd, descent, torch_sgd
from .work import Contestant, Product, Work

__all__ = ["attention"]

EPSILON = 1e-5  # of the layer norm


def attention(batch: int = 8, length: int = 64, width: int = 128, heads: int = 4) -> Work:
    """One block on f[batch, length, width], mean squared error against a target, gradient descent."""
    rng = np.random.default_rng(0)

    def draw(*shape: int) -> np.ndarray:
        return rng.normal(0, 1 if len(shape) == 3 else width**-0.5, shape).astype(np.float32)

    params = {
        "scale": np.ones(width, np.float32),
        "shift": np.zeros(width, np.float32),
        "qkv": draw(width, 3 * width),
        "qkv_bias": np.zeros(3 * width, np.float32),
        "out": draw(width, width),
        "out_bias": np.zeros(width, np.float32),
    }
    x, target = draw(batch, length, width), draw(batch, length, width)

    return descent(
        (params, x, target),
        lambda jax: _loss(jax, heads),
        lambda numpy: _autograd_loss(numpy, heads),
        by_hand=lambda *arguments: _by_hand(heads, *arguments),
        torch=lambda torch, *arguments: _torch(torch, heads, *arguments),
        products=_products(batch, length, width, heads),
    )


def _products(batch: int, length: int, width: int, heads: int) -> tuple[Product, ...]:
    rows, head = batch * length, width // heads
    dense = [
        product
        for n, m in ((width, 3 * width), (width, width))
        for product in (Product((rows, n), (n, m)), Product((n, rows), (rows, m)), Product((rows, m), (m, n)))
    ]
    to_scores = Product((batch, heads, length, head), (batch, heads, head, length), 2)
    from_scores = Product((batch, heads, length, length), (batch, heads, length, head), 4)
    return (*dense, to_scores, from_scores)


def _loss(jax: Engine, heads: int) -> Callable[..., Array]:
    def block(params: Params, x: Array) -> Array:
        batch, length, width = x.shape
        centred = x - jax.numpy.mean(x, axis=-1, keepdims=True)
        variance = jax.numpy.mean(centred * centred, axis=-1, keepdims=True)
        normal = centred * jax.lax.rsqrt(variance + EPSILON) * params["scale"] + params["shift"]
        qkv = normal @ params["qkv"] + params["qkv_bias"]
        q, k, v = (part.reshape(batch, length, heads, -1) for part in jax.numpy.split(qkv, 3, axis=-1))
        scores = jax.numpy.einsum("bqhd,bkhd->bhqk", q, k) / (width // heads) ** 0.5
        mask = jax.numpy.tril(jax.numpy.ones((length, length), dtype=bool))
        weights = jax.nn.softmax(jax.numpy.where(mask, scores, -np.inf), axis=-1)
        mixed = jax.numpy.einsum("bhqk,bkhd->bqhd", weights, v).reshape(x.shape)
        return x + mixed @ params["out"] + params["out_bias"]

    return lambda params, x, target: jax.numpy.mean((block(params, x) - target) ** 2)


def _by_hand(heads: int, params: Any, x: np.ndarray, target: np.ndarray) -> tuple[Any, np.ndarray]:
    batch, length, width = x.shape
    scaling = (width // heads) ** -0.5

    def split(y: np.ndarray) -> np.ndarray:
        return y.reshape(batch, length, heads, -1).transpose(0, 2, 1, 3)

    def merge(y: np.ndarray) -> np.ndarray:
        return y.transpose(0, 2, 1, 3).reshape(batch * length, width)

    rows = x.reshape(-1, width)
    centred = rows - rows.mean(axis=-1, keepdims=True)
    inverse = 1 / np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + EPSILON)
    unit = centred * inverse
    normal = unit * params["scale"] + params["shift"]
    q, k, v = map(split, np.split(normal @ params["qkv"] + params["qkv_bias"], 3, axis=-1))
    scores = np.where(np.tri(length, dtype=bool), (q @ k.swapaxes(2, 3)) * scaling, -np.inf)
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = exponentials / exponentials.sum(axis=-1, keepdims=True)
    mixed = merge(weights @ v)
    error = rows + mixed @ params["out"] + params["out_bias"] - target.reshape(-1, width)

    dy = error * (2 / error.size)
    dmixed = split(dy @ params["out"].T)
    dweights = dmixed @ v.swapaxes(2, 3)
    dscores = weights * (dweights - (dweights * weights).sum(axis=-1, keepdims=True)) * scaling
    dq, dk, dv = dscores @ k, dscores.swapaxes(2, 3) @ q, weights.swapaxes(2, 3) @ dmixed
    dqkv = np.concatenate([merge(part) for part in (dq, dk, dv)], axis=-1)
    dnormal = dqkv @ params["qkv"].T
    grads = {
        "scale": (dnormal * unit).sum(axis=0),
        "shift": dnormal.sum(axis=0),
        "qkv": normal.T @ dqkv,
        "qkv_bias": dqkv.sum(axis=0),
        "out": mixed.T @ dy,
        "out_bias": dy.sum(axis=0),
    }
    return by_hand_sgd(params, grads), (error * error).mean()


def _autograd_loss(numpy: Any, heads: int) -> Callable[..., Any]:
    def block(params: Any, x: Any) -> Any:
        batch, length, width = x.shape
        centred = x - numpy.mean(x, axis=-1, keepdims=True)
        variance = numpy.mean(centred * centred, axis=-1, keepdims=True)
        normal = centred / numpy.sqrt(variance + EPSILON) * params["scale"] + params["shift"]
        qkv = numpy.matmul(normal, params["qkv"]) + params["qkv_bias"]
        parts = (numpy.reshape(part, (batch, length, heads, -1)) for part in numpy.split(qkv, 3, axis=-1))
        q, k, v = (numpy.transpose(part, (0, 2, 1, 3)) for part in parts)
        scores = numpy.matmul(q, numpy.swapaxes(k, 2, 3)) / (width // heads) ** 0.5
        scores = numpy.where(np.tri(length, dtype=bool), scores, np.float32(-np.inf))
        exponentials = numpy.exp(scores - numpy.max(scores, axis=-1, keepdims=True))
        weights = exponentials / numpy.sum(exponentials, axis=-1, keepdims=True)
        mixed = numpy.reshape(numpy.transpose(numpy.matmul(weights, v), (0, 2, 1, 3)), x.shape)
        return x + numpy.matmul(mixed, params["out"]) + params["out_bias"]

    return lambda params, x, target: numpy.mean((block(params, x) - target) ** 2)


def _torch(torch: Any, heads: int, params: Any, x: np.ndarray, target: np.ndarray) -> Contestant:
    """With torch's own fused attention; weights are f[outputs, inputs], as in torch.nn.Linear."""
    functional = torch.nn.functional
    weights = ("qkv", "out")
    start = {name: torch.tensor(a.T.copy() if name in weights else a, requires_grad=True) for name, a in params.items()}
    batch = torch.tensor(x), torch.tensor(target)

    def loss(x: Any, target: Any) -> Any:
        normal = functional.layer_norm(x, x.shape[-1:], start["scale"], start["shift"], EPSILON)
        qkv = functional.linear(normal, start["qkv"], start["qkv_bias"])
        q, k, v = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in qkv.chunk(3, dim=-1))
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)
        return functional.mse_loss(x + functional.linear(mixed, start["out"], start["out_bias"]), target)

    def to_numpy(found: Any) -> Any:
        new = {name: p.numpy() for name, p in zip(start, found[0], strict=True)}
        return new | {name: new[name].T for name in weights}, found[1].numpy()

    return Contestant(lambda: torch_sgd(torch, loss, list(start.values()), *batch), to_numpy)
