"""The variational autoencoder (Kingma and Welling, 2014): images from a few normal numbers, learnt without labels.

The encoder says for an image which numbers z it may stand for: a normal distribution for each of them. The decoder
makes an image of numbers. Training makes images likely that pass through both, and holds z close to the standard
normal distribution, so that numbers drawn from that give new images.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple

from ..engines import Array, Engine, Params
from ..layers import conv, conv_transpose, dense
from ..layers.layer_norm import all_in_single
from . import Model

__all__ = ["Coder", "conv_coder", "dense_coder", "generate", "objective", "vae"]


class Coder(NamedTuple):
    """An encoder and a decoder with their sizes filled in."""

    name: str
    latent: int
    init: Callable[[Engine, Array], Params]
    """(jax, key) -> params"""
    encode: Callable[[Engine, Params, Array], tuple[Array, Array]]
    """(jax, params, x) -> mean and logarithm of the variance of z, each f[batch, latent]"""
    decode: Callable[[Engine, Params, Array], Array]
    """(jax, params, z) -> logits of pixels, f[batch, h, w, c]"""


def dense_coder(shape: Sequence[int], latent: int = 16, hidden: int = 400, activation: str = "swish") -> Coder:
    """One hidden dense layer on the way in and one on the way out, for images of (h, w, c)."""

    def init(jax: Engine, key: Array) -> Params:
        sizes = {"in": (prod(shape), hidden), "code": (hidden, 2 * latent)}
        sizes |= {"back": (latent, hidden), "out": (hidden, prod(shape))}
        keys = jax.random.split(key, len(sizes))
        return {name: dense.init(jax, k, *size) for k, (name, size) in zip(keys, sizes.items(), strict=True)}

    def encode(jax: Engine, params: Params, x: Array) -> tuple[Array, Array]:
        h = getattr(jax.nn, activation)(dense.apply(jax, params["in"], x.reshape(len(x), -1)))
        return _mean_and_log_variance(jax, params, h)

    def decode(jax: Engine, params: Params, z: Array) -> Array:
        h = getattr(jax.nn, activation)(dense.apply(jax, params["back"], z))
        return dense.apply(jax, params["out"], h).reshape(len(z), *shape)

    return Coder(f"dense vae {hidden}-{latent}", latent, init, encode, decode)


def conv_coder(
    shape: Sequence[int], latent: int = 16, channels: Sequence[int] = (32, 64), activation: str = "swish"
) -> Coder:
    """Convolutions that halve the image on the way in, transposed ones that double it on the way out."""
    sizes = (shape[-1], *channels)
    # what is left of the image; the way out makes a little more of it than there was, which is cut off
    height, width = (-(-size // 2 ** len(channels)) for size in shape[:2])
    small = (height, width, channels[-1])

    def init(jax: Engine, key: Array) -> Params:
        code_key, back_key, *keys = jax.random.split(key, 2 + 2 * len(channels))
        down, up = keys[: len(channels)], keys[len(channels) :]
        return {
            "down": [conv.init(jax, k, (3, 3), a, b) for k, a, b in zip(down, sizes, channels)],
            "code": dense.init(jax, code_key, prod(small), 2 * latent),
            "back": dense.init(jax, back_key, latent, prod(small)),
            "up": [conv_transpose.init(jax, k, (4, 4), b, a) for k, a, b in zip(up, sizes, channels)],
        }

    def encode(jax: Engine, params: Params, x: Array) -> tuple[Array, Array]:
        for layer in params["down"]:
            x = getattr(jax.nn, activation)(conv.apply(jax, layer, x, strides=2))
        return _mean_and_log_variance(jax, params, x.reshape(len(x), -1))

    def decode(jax: Engine, params: Params, z: Array) -> Array:
        x = dense.apply(jax, params["back"], z).reshape(len(z), *small)
        for layer in reversed(params["up"]):
            x = conv_transpose.apply(jax, layer, getattr(jax.nn, activation)(x))
        return x[:, : shape[0], : shape[1]]

    name = "-".join(str(size) for size in (*channels, latent))
    return Coder(f"convolutional vae {name}", latent, init, encode, decode)


def _mean_and_log_variance(jax: Engine, params: Params, h: Array) -> tuple[Array, Array]:
    mean, log_variance = jax.numpy.split(dense.apply(jax, params["code"], h), 2, axis=-1)
    return mean, log_variance


def vae(coder: Coder) -> Model:
    """The model: {"logits": f[batch, h, w, c], "mean", "log_variance": f[batch, latent]} of images between 0 and 1.

    z is drawn with the key, and is its mean where there is none.
    """

    def apply(
        jax: Engine, params: Params, state: Any, x: Array, *, key: Array | None, train: bool
    ) -> tuple[dict[str, Array], Any]:
        mean, log_variance = coder.encode(jax, params, x)
        if key is None and train:
            raise ValueError("vae: training draws the code of each image; give a key, or train=False")
        z = (
            mean
            if key is None
            else mean + jax.numpy.exp(log_variance / 2) * jax.random.normal(key, mean.shape, mean.dtype)
        )
        return {"logits": coder.decode(jax, params, z), "mean": mean, "log_variance": log_variance}, state

    return Model(coder.name, lambda jax, key: (coder.init(jax, key), ()), apply)


def objective(model: Model) -> Callable:
    """The negative evidence lower bound in nats for an image, from batches (x, anything).

    Each pixel is a coin that falls as the decoder says, which is how images with gray pixels are trained as well; to
    that comes the divergence of z from the standard normal distribution.
    """

    def loss(
        jax: Engine, params: Params, model_state: Any, batch: Any, key: Array | None, *, train: bool
    ) -> tuple[Array, tuple[Any, dict[str, Array]]]:
        seen, model_state = model.apply(jax, params, model_state, batch[0], key=key, train=train)
        # 16 bits are widened: the sum over all pixels of a batch is beyond what float16 can hold
        x, seen = all_in_single(jax, (batch[0], seen))
        # -log of the probability of a pixel, x log p + (1 - x) log(1 - p) with p = sigmoid(logits)
        pixels = jax.nn.softplus(seen["logits"]) - x * seen["logits"]
        mean, log_variance = seen["mean"], seen["log_variance"]
        divergence = (jax.numpy.exp(log_variance) + jax.numpy.square(mean) - 1 - log_variance) / 2
        return (jax.numpy.sum(pixels) + jax.numpy.sum(divergence)) / len(x), (model_state, seen)

    return loss


def generate(jax: Engine, coder: Coder, params: Params, key: Array, count: int) -> Array:
    """New images between 0 and 1, f[count, h, w, c]."""
    return jax.nn.sigmoid(coder.decode(jax, params, jax.random.normal(key, (count, coder.latent))))
