"""A training step of a convolutional network: two 3x3 convolutions, each with relu and pooling, two dense layers."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engines import Array, Engine, Params
from ..losses import softmax_cross_entropy
from .steps import by_hand_cross_entropy, by_hand_sgd, cross_entropy, descent, one_hot, torch_sgd
from .work import Contestant, Product, Work

__all__ = ["cnn"]

# Convolution products of the BLAS floor are of so many images at once, which fit into the cache.
IMAGES = 4


def cnn(batch: int, side: int = 28, channels: tuple[int, int] = (32, 64), hidden: int = 128, classes: int = 10) -> Work:
    """Images f[batch, side, side, 1], kernels f[3, 3, inputs, outputs] with padding, pools of 2x2, gradient descent."""
    one, two = channels
    flat = (side // 4) ** 2 * two
    rng = np.random.default_rng(0)
    shapes = {"conv1": (3, 3, 1, one), "conv2": (3, 3, one, two), "dense1": (flat, hidden), "dense2": (hidden, classes)}
    params = {
        name: {
            "w": rng.normal(0, (2 / np.prod(shape[:-1])) ** 0.5, shape).astype(np.float32),
            "b": np.zeros(shape[-1], np.float32),
        }
        for name, shape in shapes.items()
    }
    x = rng.uniform(size=(batch, side, side, 1)).astype(np.float32)
    y = rng.integers(classes, size=batch).astype(np.int32)
    return descent(
        (params, x, y),
        _loss,
        _autograd_loss,
        by_hand=_by_hand,
        torch=_torch,
        products=_products(batch, side, channels, flat, hidden, classes),
    )


def _products(
    batch: int, side: int, channels: tuple[int, int], flat: int, hidden: int, classes: int
) -> tuple[Product, ...]:
    one, two = channels
    images = min(IMAGES, batch)
    times, first, second = batch // images, images * side**2, images * (side // 2) ** 2
    convolutions = (
        Product((first, 9), (9, one), times),
        Product((9, first), (first, one), times),
        Product((second, 9 * one), (9 * one, two), times),
        Product((9 * one, second), (second, two), times),
        Product((second, two), (two, 9 * one), times),
    )
    dense = [
        product
        for n, m in ((flat, hidden), (hidden, classes))
        for product in (
            Product((batch, n), (n, m)),
            Product((n, batch), (batch, m)),
            Product((batch, m), (m, n)),
        )
    ]
    return (*convolutions, *dense)


def _loss(jax: Engine) -> Callable[..., Array]:
    def block(layer: Params, x: Array) -> Array:
        dimensions = ("NHWC", "HWIO", "NHWC")
        x = jax.lax.conv_general_dilated(x, layer["w"], (1, 1), "SAME", dimension_numbers=dimensions)
        x = jax.nn.relu(x + layer["b"])
        return jax.lax.reduce_window(x, -np.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    def loss(params: Params, x: Array, y: Array) -> Array:
        x = block(params["conv2"], block(params["conv1"], x)).reshape(len(x), -1)
        x = jax.nn.relu(x @ params["dense1"]["w"] + params["dense1"]["b"])
        return softmax_cross_entropy(jax, x @ params["dense2"]["w"] + params["dense2"]["b"], y)

    return loss


# ----------------------------------------------------------------- by hand


def _columns(x: np.ndarray) -> np.ndarray:
    """The 3x3 neighbourhoods of all pixels, f[n * h * w, 9 * c]: one im2col matrix."""
    n, h, w, c = x.shape
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(n * h * w, 9 * c)


def _from_columns(columns: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The transpose of `_columns`: what each pixel of an image of this shape has in all neighbourhoods, added up."""
    n, h, w, c = shape
    parts = columns.reshape(n, h, w, 3, 3, c)
    padded = np.zeros((n, h + 2, w + 2, c), columns.dtype)
    for i in range(3):
        for j in range(3):
            padded[:, i : i + h, j : j + w] += parts[:, :, :, i, j]
    return padded[:, 1:-1, 1:-1]


def _pool(x: np.ndarray) -> np.ndarray:
    return np.maximum(np.maximum(x[:, ::2, ::2], x[:, 1::2, ::2]), np.maximum(x[:, ::2, 1::2], x[:, 1::2, 1::2]))


def _from_pool(x: np.ndarray, pooled: np.ndarray, dpooled: np.ndarray) -> np.ndarray:
    """The derivative by x; it goes to the largest of each four."""
    dx = np.zeros_like(x)
    for i in range(2):
        for j in range(2):
            dx[:, i::2, j::2] = (x[:, i::2, j::2] == pooled) * dpooled
    return dx


def _by_hand(params: Any, x: np.ndarray, y: np.ndarray) -> tuple[Any, np.ndarray]:
    conv1, conv2, dense1, dense2 = (params[name] for name in ("conv1", "conv2", "dense1", "dense2"))
    images, sides = x.shape[0], x.shape[1:3]
    kernel1, kernel2 = (layer["w"].reshape(-1, layer["w"].shape[-1]) for layer in (conv1, conv2))

    columns1 = _columns(x)
    active1 = np.maximum(columns1 @ kernel1 + conv1["b"], 0).reshape(images, *sides, -1)
    pooled1 = _pool(active1)
    columns2 = _columns(pooled1)
    active2 = np.maximum(columns2 @ kernel2 + conv2["b"], 0).reshape(*pooled1.shape[:3], -1)
    pooled2 = _pool(active2)
    flat = pooled2.reshape(images, -1)
    hidden = np.maximum(flat @ dense1["w"] + dense1["b"], 0)
    loss, dlogits = by_hand_cross_entropy(hidden @ dense2["w"] + dense2["b"], y)

    dhidden = (dlogits @ dense2["w"].T) * (hidden > 0)
    dpooled2 = (dhidden @ dense1["w"].T).reshape(pooled2.shape)
    dactive2 = (_from_pool(active2, pooled2, dpooled2) * (active2 > 0)).reshape(len(columns2), -1)
    dpooled1 = _from_columns(dactive2 @ kernel2.T, pooled1.shape)
    dactive1 = (_from_pool(active1, pooled1, dpooled1) * (active1 > 0)).reshape(len(columns1), -1)
    grads = {
        "conv1": {"w": (columns1.T @ dactive1).reshape(conv1["w"].shape), "b": dactive1.sum(axis=0)},
        "conv2": {"w": (columns2.T @ dactive2).reshape(conv2["w"].shape), "b": dactive2.sum(axis=0)},
        "dense1": {"w": flat.T @ dhidden, "b": dhidden.sum(axis=0)},
        "dense2": {"w": hidden.T @ dlogits, "b": dlogits.sum(axis=0)},
    }
    return by_hand_sgd(params, grads), loss


# ----------------------------------------------------------------- the others


def _autograd_loss(numpy: Any) -> Callable[..., Any]:
    def block(layer: Any, x: Any) -> Any:
        n, h, w, _ = x.shape
        padded = numpy.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="constant")
        columns = numpy.concatenate([padded[:, i : i + h, j : j + w] for i in range(3) for j in range(3)], axis=3)
        kernel = numpy.reshape(layer["w"], (-1, layer["w"].shape[-1]))
        x = numpy.maximum(numpy.dot(columns, kernel) + layer["b"], 0)
        return numpy.max(numpy.reshape(x, (n, h // 2, 2, w // 2, 2, -1)), axis=(2, 4))

    def loss(params: Any, x: Any, y: Any) -> Any:
        flat = numpy.reshape(block(params["conv2"], block(params["conv1"], x)), (len(x), -1))
        hidden = numpy.maximum(numpy.dot(flat, params["dense1"]["w"]) + params["dense1"]["b"], 0)
        logits = numpy.dot(hidden, params["dense2"]["w"]) + params["dense2"]["b"]
        return cross_entropy(numpy, logits, one_hot(y, logits.shape[1]))

    return loss


def _torch(torch: Any, params: Any, x: np.ndarray, y: np.ndarray) -> Contestant:
    """Images are f[n, c, h, w], kernels f[outputs, inputs, 3, 3] and weights f[outputs, inputs], as in torch.nn."""
    functional = torch.nn.functional
    side, channels = x.shape[1] // 4, params["conv2"]["w"].shape[-1]
    hidden = params["dense1"]["w"].shape[-1]
    dense1 = params["dense1"]["w"].reshape(side, side, channels, hidden).transpose(3, 2, 0, 1).reshape(hidden, -1)
    arrays = [params["conv1"]["w"].transpose(3, 2, 0, 1), params["conv1"]["b"]]
    arrays += [params["conv2"]["w"].transpose(3, 2, 0, 1), params["conv2"]["b"]]
    arrays += [dense1, params["dense1"]["b"], params["dense2"]["w"].T, params["dense2"]["b"]]
    start = [torch.tensor(np.ascontiguousarray(a), requires_grad=True) for a in arrays]
    batch = torch.tensor(x.transpose(0, 3, 1, 2).copy()), torch.tensor(y, dtype=torch.int64)
    k1, c1, k2, c2, w1, b1, w2, b2 = start

    def loss(x: Any, y: Any) -> Any:
        x = functional.max_pool2d(functional.relu(functional.conv2d(x, k1, c1, padding=1)), 2)
        x = functional.max_pool2d(functional.relu(functional.conv2d(x, k2, c2, padding=1)), 2)
        x = functional.relu(functional.linear(x.flatten(1), w1, b1))
        return functional.cross_entropy(functional.linear(x, w2, b2), y)

    def to_numpy(found: Any) -> Any:
        (k1, c1, k2, c2, w1, b1, w2, b2), value = found
        w1 = w1.reshape(hidden, channels, side, side).permute(2, 3, 1, 0).reshape(-1, hidden)
        kernels = (k1.permute(2, 3, 1, 0), c1), (k2.permute(2, 3, 1, 0), c2), (w1, b1), (w2.T, b2)
        names = ("conv1", "conv2", "dense1", "dense2")
        new = {name: {"w": w.numpy(), "b": b.numpy()} for name, (w, b) in zip(names, kernels, strict=True)}
        return new, value.numpy()

    return Contestant(lambda: torch_sgd(torch, loss, start, *batch), to_numpy)
