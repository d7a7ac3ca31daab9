"""The generative adversarial network (Goodfellow et al., 2014), with convolutions (Radford et al., 2016).

Images are doubled by repeating pixels before a convolution, where Radford et al. have transposed ones, whose strokes
overlap unevenly and leave a chequerboard (Odena et al., 2016).

The generator makes images of random numbers; the discriminator learns to tell them from real ones, and the generator
to deceive it. Both are trained in one step by one objective, over parameters {"generator", "discriminator"}: each
term of its sum has gradients of one of the two alone.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from ..engines import Array, Engine, Params
from ..layers import batch_norm, conv, dense
from ..layers.layer_norm import all_in_single
from ..losses import sigmoid_binary_cross_entropy
from ..metrics import Metric, add_to_mean, no_mean
from . import Model

__all__ = ["discriminate", "gan", "generate", "init", "judged_right", "objective", "paint"]


def init(
    jax: Engine,
    key: Array,
    shape: Sequence[int],
    *,
    latent: int = 64,
    channels: Sequence[int] = (32, 64),
    still: int = 2,
) -> tuple[Params, Any]:
    """Parameters of both and the state of the generator's batch normalisations, for images of (h, w, c).

    The discriminator halves an image once for each of `channels`. The generator composes a small one with `still`
    convolutions, then doubles it as often as the other halves it.
    """
    generator_key, discriminator_key = jax.random.split(key)
    generator, state = _init_generator(jax, generator_key, shape, latent, channels, still)
    return {
        "generator": generator,
        "discriminator": _init_discriminator(jax, discriminator_key, shape, channels),
    }, state


def _init_generator(
    jax: Engine, key: Array, shape: Sequence[int], latent: int, channels: Sequence[int], still: int
) -> tuple[Params, Any]:
    small = _small_shape(shape, channels)
    sizes = [channels[-1]] * still + [*reversed(channels), shape[-1]]
    first_key, *keys = jax.random.split(key, len(sizes))
    layers, states = [], []
    for k, inputs, outputs in zip(keys, sizes, sizes[1:]):
        norm, state = batch_norm.init(jax, inputs)
        last = len(layers) == len(keys) - 1  # before the others' normalisations a bias would be lost
        layers.append({"norm": norm, "conv": conv.init(jax, k, (3, 3), inputs, outputs, bias=last)})
        states.append(state)
    first = dense.init(jax, first_key, latent, prod(small), bias=False)
    params = {"first": first, "still": layers[:still], "up": layers[still:]}
    return params, {"still": states[:still], "up": states[still:]}


def _small_shape(shape: Sequence[int], channels: Sequence[int]) -> tuple[int, int, int]:
    """An image of (h, w, c) halved once for each of `channels`."""
    factor = 2 ** len(channels)
    if shape[0] % factor or shape[1] % factor:
        raise ValueError(
            f"gan: images of {shape[0]}x{shape[1]} cannot be halved {len(channels)} times; use fewer channels"
        )
    return shape[0] // factor, shape[1] // factor, channels[-1]


def _init_discriminator(jax: Engine, key: Array, shape: Sequence[int], channels: Sequence[int]) -> Params:
    out_key, *keys = jax.random.split(key, 1 + len(channels))
    sizes = (shape[-1], *channels)
    return {
        "down": [conv.init(jax, k, (4, 4), a, b) for k, a, b in zip(keys, sizes, channels)],
        "out": dense.init(jax, out_key, prod(_small_shape(shape, channels)), 1),
    }


def generate(
    jax: Engine, params: Params, state: Any, z: Array, shape: Sequence[int], *, train: bool, activation: str = "swish"
) -> tuple[Array, Any]:
    """Images between 0 and 1, f[batch, *shape], from z, f[batch, latent], and the state. `params`: the generator's."""
    small = _small_shape(shape, [layer["norm"]["scale"].shape[0] for layer in reversed(params["up"])])
    x = dense.apply(jax, params["first"], z).reshape(len(z), *small)
    following: dict[str, list] = {"still": [], "up": []}
    for part, seen_of_part in following.items():
        for layer, seen in zip(params[part], state[part], strict=True):
            x, seen = batch_norm.apply(jax, layer["norm"], seen, x, train=train)
            x = getattr(jax.nn, activation)(x)
            x = conv.apply(jax, layer["conv"], _doubled(jax, x) if part == "up" else x)
            seen_of_part.append(seen)
    return jax.nn.sigmoid(x), following


def _doubled(jax: Engine, x: Array) -> Array:
    """Each pixel four times, f[batch, 2 h, 2 w, c]."""
    return jax.numpy.repeat(jax.numpy.repeat(x, 2, axis=1), 2, axis=2)


def discriminate(jax: Engine, params: Params, x: Array, *, activation: str = "swish") -> Array:
    """Logits, f[batch], of x, f[batch, h, w, c], being real. `params`: the discriminator's."""
    x = 2 * x - 1
    for layer in params["down"]:
        x = getattr(jax.nn, activation)(conv.apply(jax, layer, x, strides=2))
    return dense.apply(jax, params["out"], x.reshape(len(x), -1))[:, 0]


def gan(
    shape: Sequence[int],
    *,
    latent: int = 64,
    channels: Sequence[int] = (32, 64),
    still: int = 2,
    activation: str = "swish",
) -> Model:
    """The model for images of (h, w, c), as `init` describes it.

    Outputs are logits of being real: {"real": of x, "fake": of generated images, "fooled": of the same images, with
    gradients of the generator in place of the discriminator's}, each f[batch].
    """

    def apply(
        jax: Engine, params: Params, state: Any, x: Array, *, key: Array | None, train: bool
    ) -> tuple[dict[str, Array], Any]:
        if key is None:
            raise ValueError("gan: images are generated from random numbers; give a key")
        z = jax.random.normal(key, (len(x), latent), x.dtype)
        images, state = generate(jax, params["generator"], state, z, shape, train=train, activation=activation)
        judge, fixed = params["discriminator"], jax.lax.stop_gradient(params["discriminator"])
        views = {"real": (judge, x), "fake": (judge, jax.lax.stop_gradient(images)), "fooled": (fixed, images)}
        return {
            name: discriminate(jax, judge, view, activation=activation) for name, (judge, view) in views.items()
        }, state

    name = "-".join(str(size) for size in (latent, *reversed(channels)))
    return Model(
        f"gan {name}", lambda jax, key: init(jax, key, shape, latent=latent, channels=channels, still=still), apply
    )


def paint(jax: Engine, params: Params, state: Any, key: Array, count: int, shape: Sequence[int]) -> Array:
    """New images between 0 and 1, f[count, *shape]."""
    latent = params["generator"]["first"]["w"].shape[0]
    z = jax.random.normal(key, (count, latent))
    return generate(jax, params["generator"], state, z, shape, train=False)[0]


def objective(model: Model, *, smoothing: float = 0.1) -> Callable:
    """Mean of the discriminator's losses on real and on generated images, plus the generator's; batches (x, anything).

    The generator maximises log D(G(z)), which has a gradient also where the discriminator is sure. Real images count
    as real by 1 - `smoothing` only, which keeps it from being too sure (Salimans et al., 2016).
    """

    def loss(
        jax: Engine, params: Params, model_state: Any, batch: Any, key: Array | None, *, train: bool
    ) -> tuple[Array, tuple[Any, dict[str, Array]]]:
        seen, model_state = model.apply(jax, params, model_state, batch[0], key=key, train=train)
        logits = all_in_single(jax, seen)  # a loss is a sum of many terms
        one, zero = jax.numpy.ones_like(logits["real"]), jax.numpy.zeros_like(logits["real"])
        real = sigmoid_binary_cross_entropy(jax, logits["real"], (1 - smoothing) * one)
        fake = sigmoid_binary_cross_entropy(jax, logits["fake"], zero)
        fooled = sigmoid_binary_cross_entropy(jax, logits["fooled"], one)
        return (real + fake) / 2 + fooled, (model_state, seen)

    return loss


def judged_right() -> Metric:
    """The share of real and generated images that the discriminator takes for what they are; 1/2 is guessing."""

    def update(jax: Engine, state: Any, outputs: dict[str, Array], labels: Array) -> Any:
        right = (jax.numpy.mean(outputs["real"] > 0) + jax.numpy.mean(outputs["fake"] <= 0)) / 2
        return add_to_mean(state, right, len(labels))

    return Metric(no_mean, update, lambda jax, state: jax.numpy.where(state.count == 0, jax.numpy.nan, state.mean))
