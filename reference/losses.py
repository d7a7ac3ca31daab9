"""Losses: one number, the mean over the batch, from outputs and targets.

The first parameter of each is the engine.
"""

from .engines import Array, Engine

__all__ = ["mse", "sigmoid_binary_cross_entropy", "softmax_cross_entropy"]


def mse(jax: Engine, outputs: Array, targets: Array) -> Array:
    """Mean of the squared differences; both f[...] of the same shape."""
    return jax.numpy.mean(jax.numpy.square(outputs - targets))


def softmax_cross_entropy(jax: Engine, logits: Array, labels: Array) -> Array:
    """-log softmax(logits) at the right class, in nats.

    `logits` f[..., classes]; `labels` are class numbers i[...] or probabilities f[..., classes].
    """
    if labels.ndim == logits.ndim - 1:
        labels = jax.nn.one_hot(labels, logits.shape[-1], dtype=logits.dtype)
    return -jax.numpy.mean(jax.numpy.sum(labels * jax.nn.log_softmax(logits), axis=-1))


def sigmoid_binary_cross_entropy(jax: Engine, logits: Array, labels: Array) -> Array:
    """-log of the probability that sigmoid(logits) gives to labels 0 or 1 (or between), both f[...], in nats.

    log(1 - sigmoid(z)) is log_sigmoid(-z), which does not lose its digits for large z.
    """
    yes = labels * jax.nn.log_sigmoid(logits)
    no = (1 - labels) * jax.nn.log_sigmoid(-logits)
    return -jax.numpy.mean(yes + no)
