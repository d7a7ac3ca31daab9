"""A small instance of every model, with its objective and batches to train it on."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from reference.losses import softmax_cross_entropy
from reference.models import Model, cnn, cnn_norm, gan, gpt, mlp, resnet, rnn, transfer, vae
from reference.training import supervised

SHAPE = (8, 8, 1)
CLASSES = 3
TOKENS = 11
TIME = 6


class Small(NamedTuple):
    """A model, what is minimised, and its batches."""

    model: Model
    objective: Callable
    batch: Callable[[np.random.Generator, type], tuple[np.ndarray, np.ndarray]]
    """(rng, dtype) -> (x, y) of a few examples"""
    optimizer: Callable = lambda inner: inner
    """what is made of an optimiser that trains it"""
    rate: float = 1.0
    """times this are the learning rates of other models"""
    exempt: tuple[str, ...] = ()
    """parts of names of parameters whose true gradient is zero"""


def images(rng: np.random.Generator, dtype: type) -> tuple[np.ndarray, np.ndarray]:
    return rng.uniform(size=(4, *SHAPE)).astype(dtype), rng.integers(CLASSES, size=4).astype(np.int32)


def large_images(rng: np.random.Generator, dtype: type) -> tuple[np.ndarray, np.ndarray]:
    """Of which the stem for large images leaves something: normalising four single numbers magnifies their rounding."""
    return rng.uniform(size=(8, 16, 16, 1)).astype(dtype), rng.integers(CLASSES, size=8).astype(np.int32)


def drawings(rng: np.random.Generator, dtype: type) -> tuple[np.ndarray, np.ndarray]:
    """Black and white alone: gray pixels, as coins, have an entropy that no model takes away."""
    x, y = images(rng, dtype)
    return np.round(x), y


def sentences(rng: np.random.Generator, dtype: type) -> tuple[np.ndarray, np.ndarray]:
    """Of two to six words, with padding after them."""
    tokens = rng.integers(1, TOKENS, size=(4, TIME))
    tokens[np.arange(TIME) >= rng.integers(2, TIME + 1, size=(4, 1))] = 0
    return tokens.astype(np.int32), rng.integers(CLASSES, size=4).astype(np.int32)


def characters(rng: np.random.Generator, dtype: type) -> tuple[np.ndarray, np.ndarray]:
    tokens = rng.integers(TOKENS, size=(4, TIME + 1)).astype(np.int32)
    return tokens[:, :-1], tokens[:, 1:]


def classifier(model: Model, batch: Callable = images, **more: Any) -> Small:
    return Small(model, supervised(model, softmax_cross_entropy), batch, **more)


def autoencoder(coder: vae.Coder) -> Small:
    model = vae.vae(coder)
    return Small(model, vae.objective(model), drawings, rate=0.02)  # its loss is a sum over pixels


def adversaries(model: Model) -> Small:
    return Small(model, gan.objective(model), images)


def residual(depth: int, **more: Any) -> resnet.Layout:
    return resnet.Layout(depth, width=4, stages=(1, 1), activation="swish", **more)


SMOOTH = {"activation": "swish"}

SMALL = {
    "mlp": classifier(mlp.mlp((64, 8, CLASSES), **SMOOTH)),
    "cnn": classifier(cnn.cnn(SHAPE, CLASSES, channels=(3, 4), hidden=8, **SMOOTH)),
    "cnn-norm": classifier(cnn_norm.cnn_norm(SHAPE, CLASSES, channels=(3, 4), hidden=8, pool="avg_pool", **SMOOTH)),
    "lstm": classifier(rnn.rnn("lstm", TOKENS, CLASSES, features=4, units=(5, 4), rate=0.2), sentences),
    "gru": classifier(rnn.rnn("gru", TOKENS, CLASSES, features=4, units=(5,)), sentences),
    "rnn": classifier(rnn.rnn("simple", TOKENS, CLASSES, features=4, units=(5,)), sentences),
    "vae": autoencoder(vae.dense_coder(SHAPE, latent=3, hidden=10)),
    "conv-vae": autoencoder(vae.conv_coder(SHAPE, latent=3, channels=(3, 4))),
    "gan": adversaries(gan.gan(SHAPE, latent=5, channels=(3, 4), still=1)),
    "resnet-18": classifier(resnet.resnet(1, CLASSES, residual(18))),
    "resnet-50": classifier(resnet.resnet(1, CLASSES, residual(50, large=True)), large_images),
    "transfer": classifier(transfer.transfer(1, CLASSES, residual(18)), optimizer=transfer.trained_head),
    "fine-tuned": classifier(transfer.transfer(1, CLASSES, residual(34), frozen=False)),
    "gpt": classifier(gpt.gpt(gpt.Layout(TOKENS, context=TIME, features=8, heads=2, blocks=1, rate=0.1)), characters),
}
