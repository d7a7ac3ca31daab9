"""What is reported beside the loss."""

from .engines import Array, Engine

__all__ = ["correct"]


def correct(jax: Engine, logits: Array, labels: Array) -> Array:
    """How many rows of `logits`, f[batch, classes], have their largest entry at `labels`, i[batch]; i32[].

    A count, not a mean, so that batches of different sizes add up to the exact accuracy.
    """
    hits = jax.numpy.argmax(logits, axis=-1) == labels
    return jax.numpy.sum(hits, dtype=jax.numpy.int32)
