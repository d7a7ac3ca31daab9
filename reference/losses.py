"""Losses: one number, the mean over the batch, from outputs and targets.

The first parameter of each is the engine. Outputs and targets have to have the same shape where nothing else is
said: f[batch] against f[batch, 1] would broadcast to all pairs, and train on nonsense. ValueError says so.
"""

from .engines import Array, Engine, Params
from .layers.layer_norm import in_single

__all__ = [
    "binary_cross_entropy",
    "cosine_distance",
    "cosine_similarity",
    "hinge",
    "huber",
    "kl_divergence",
    "l1_penalty",
    "l2_loss",
    "l2_penalty",
    "log_cosh",
    "mae",
    "mape",
    "mse",
    "msle",
    "sigmoid_binary_cross_entropy",
    "smooth_labels",
    "softmax_cross_entropy",
]


# ----------------------------------------------------------------- of numbers


def mse(jax: Engine, outputs: Array, targets: Array) -> Array:
    """Mean of the squared differences."""
    return jax.numpy.mean(jax.numpy.square(_errors("mse", outputs, targets)))


def l2_loss(jax: Engine, outputs: Array, targets: Array) -> Array:
    """Half the mean of the squared differences, whose gradient is the difference."""
    return 0.5 * jax.numpy.mean(jax.numpy.square(_errors("l2_loss", outputs, targets)))


def mae(jax: Engine, outputs: Array, targets: Array) -> Array:
    """Mean of the absolute differences."""
    return jax.numpy.mean(jax.numpy.abs(_errors("mae", outputs, targets)))


def mape(jax: Engine, outputs: Array, targets: Array, *, eps: float = 1e-7) -> Array:
    """Mean of the absolute differences in percent of the target, which counts as at least `eps` in size."""
    outputs, targets = in_single(jax, outputs), in_single(jax, targets)  # where `eps` is not zero, as in 16 bits
    errors = _errors("mape", outputs, targets)
    return 100 * jax.numpy.mean(jax.numpy.abs(errors) / jax.numpy.maximum(jax.numpy.abs(targets), eps))


def msle(jax: Engine, outputs: Array, targets: Array) -> Array:
    """Mean of the squares of log((1 + output) / (1 + target)); both greater than -1."""
    _same_shape("msle", outputs, targets)
    return jax.numpy.mean(jax.numpy.square(jax.numpy.log1p(outputs) - jax.numpy.log1p(targets)))


def huber(jax: Engine, outputs: Array, targets: Array, *, delta: float = 1.0) -> Array:
    """Mean of half the squared difference, and beyond `delta` of the tangent there (Huber, 1964)."""
    sizes = jax.numpy.abs(_errors("huber", outputs, targets))
    near = jax.numpy.minimum(sizes, delta)
    return jax.numpy.mean(0.5 * jax.numpy.square(near) + delta * (sizes - near))


def log_cosh(jax: Engine, outputs: Array, targets: Array) -> Array:
    """Mean of log(cosh(difference)): half the square near zero, the size less log(2) far from it."""
    errors = _errors("log_cosh", outputs, targets)
    return jax.numpy.mean(jax.numpy.logaddexp(errors, -errors) - jax.numpy.log(jax.numpy.asarray(2, errors.dtype)))


def cosine_similarity(jax: Engine, outputs: Array, targets: Array, *, eps: float = 1e-16) -> Array:
    """Mean cosine of the angles between vectors along the last axis; squared lengths count as at least `eps`."""
    _same_shape("cosine_similarity", outputs, targets)
    outputs, targets = in_single(jax, outputs), in_single(jax, targets)  # where `eps` is not zero, as in 16 bits

    def unit(x: Array) -> Array:
        squares = jax.numpy.sum(jax.numpy.square(x), axis=-1, keepdims=True)
        return x / jax.numpy.sqrt(jax.numpy.maximum(squares, eps))

    return jax.numpy.mean(jax.numpy.sum(unit(outputs) * unit(targets), axis=-1))


def cosine_distance(jax: Engine, outputs: Array, targets: Array, *, eps: float = 1e-16) -> Array:
    """1 - cosine_similarity: 0 for the same direction, 2 for the opposite one."""
    return 1 - cosine_similarity(jax, outputs, targets, eps=eps)


# ----------------------------------------------------------------- of classes and probabilities


def smooth_labels(jax: Engine, labels: Array, share: float) -> Array:
    """Probabilities f[..., classes] with `share` of them spread evenly over all classes (Szegedy et al., 2016)."""
    return (1 - share) * labels + share / labels.shape[-1]


def softmax_cross_entropy(jax: Engine, logits: Array, labels: Array, *, smoothing: float = 0.0) -> Array:
    """-log softmax(logits) at the right class, in nats.

    `logits` f[..., classes]; `labels` are class numbers i[...] or probabilities f[..., classes], of which
    `smooth_labels` spreads the share `smoothing`. A number that is none of the classes, which count from 0, makes the
    loss NaN.
    """
    if labels.ndim == logits.ndim - 1:
        return -jax.numpy.mean(_log_chance(jax, logits, labels, smoothing))
    _same_shape("softmax_cross_entropy", logits, labels)
    if smoothing:
        labels = smooth_labels(jax, labels, smoothing)
    return -jax.numpy.mean(jax.numpy.sum(labels * jax.nn.log_softmax(logits), axis=-1))


def _log_chance(jax: Engine, logits: Array, labels: Array, smoothing: float) -> Array:
    """log softmax(logits) at the class numbers `labels`, f[...], or with the share `smoothing` of its mean.

    It is chosen, not multiplied by 1 and all others by 0: a logit of -inf, of a class that cannot be, would make NaN.
    """
    log_p = jax.nn.log_softmax(logits)
    right = labels[..., None] == jax.numpy.arange(logits.shape[-1])
    chosen = jax.numpy.sum(jax.numpy.where(right, log_p, 0), axis=-1)
    if smoothing:
        chosen = (1 - smoothing) * chosen + smoothing * jax.numpy.mean(log_p, axis=-1)
    return jax.numpy.where(jax.numpy.any(right, axis=-1), chosen, jax.numpy.nan)


def sigmoid_binary_cross_entropy(jax: Engine, logits: Array, labels: Array, *, smoothing: float = 0.0) -> Array:
    """-log of the probability that sigmoid(logits) gives to labels 0 or 1 (or between), both f[...], in nats.

    log(1 - sigmoid(z)) is log_sigmoid(-z), which does not lose its digits for large z. `smoothing` is the
    share of the labels that is moved to 1/2.
    """
    _same_shape("sigmoid_binary_cross_entropy", logits, labels)
    if smoothing:
        labels = (1 - smoothing) * labels + smoothing / 2
    yes = labels * jax.nn.log_sigmoid(logits)
    no = (1 - labels) * jax.nn.log_sigmoid(-logits)
    return -jax.numpy.mean(yes + no)


def binary_cross_entropy(jax: Engine, probabilities: Array, labels: Array, *, eps: float = 1e-7) -> Array:
    """-log of the probability given to labels 0 or 1 (or between), in nats, from probabilities of 1.

    They are taken as within [eps, 1 - eps], where the gradient ends: with logits at hand,
    `sigmoid_binary_cross_entropy` is exact everywhere.
    """
    _same_shape("binary_cross_entropy", probabilities, labels)
    p = jax.numpy.clip(in_single(jax, probabilities), eps, 1 - eps)  # in 16 bits 1 - eps would be 1
    return -jax.numpy.mean(labels * jax.numpy.log(p) + (1 - labels) * jax.numpy.log1p(-p))


def kl_divergence(jax: Engine, log_predictions: Array, targets: Array) -> Array:
    """Mean of sum(target * (log(target) - log prediction)) over the last axis, in nats; targets of 0 add nothing."""
    _same_shape("kl_divergence", log_predictions, targets)
    nothing = targets == 0
    # numbers in place of log(0), which would give a gradient of NaN even in a branch that is not taken
    log_targets = jax.numpy.log(jax.numpy.where(nothing, 1, targets))
    log_predictions = jax.numpy.where(nothing, 0, log_predictions)
    return jax.numpy.mean(jax.numpy.sum(targets * (log_targets - log_predictions), axis=-1))


def hinge(jax: Engine, outputs: Array, targets: Array) -> Array:
    """Mean of max(0, 1 - output * target), for targets of -1 and 1."""
    _same_shape("hinge", outputs, targets)
    return jax.numpy.mean(jax.numpy.maximum(1 - outputs * targets, 0))


# ----------------------------------------------------------------- of parameters


def l1_penalty(jax: Engine, params: Params, strength: float) -> Array:
    """strength * the sum of |p| over all leaves, f[]: to be added to a loss, so that small weights become zero."""
    return strength * sum(jax.numpy.sum(jax.numpy.abs(leaf)) for leaf in jax.tree.leaves(params))


def l2_penalty(jax: Engine, params: Params, strength: float) -> Array:
    """strength * the sum of p ** 2 over all leaves, f[]: to be added to a loss, so that weights stay small."""
    return strength * sum(jax.numpy.sum(jax.numpy.square(leaf)) for leaf in jax.tree.leaves(params))


def _errors(name: str, outputs: Array, targets: Array) -> Array:
    _same_shape(name, outputs, targets)
    return outputs - targets


def _same_shape(name: str, outputs: Array, targets: Array) -> None:
    if outputs.shape != targets.shape:
        raise ValueError(
            f"{name}: outputs of shape {outputs.shape} and targets of shape {targets.shape}; reshape one to the other"
        )
