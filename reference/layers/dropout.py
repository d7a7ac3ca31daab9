"""Dropout: in training, each number is zero with some probability (Srivastava et al., 2014)."""

from ..engines import Array, Engine

__all__ = ["apply"]


def apply(jax: Engine, key: Array | None, x: Array, rate: float, *, train: bool) -> Array:
    """x with a share `rate` of its numbers set to zero and the others divided by 1 - rate; without `train` x itself.

    The key may be None where nothing is drawn. Raises ValueError for a rate outside of [0, 1), and for a missing key.
    """
    if not 0 <= rate < 1:
        raise ValueError(f"dropout: the rate is {rate}; it has to be at least 0 and less than 1")
    if not train or rate == 0:
        return x
    if key is None:
        raise ValueError("dropout: training draws which numbers are dropped; give a key, or train=False")
    keep = jax.random.bernoulli(key, 1 - rate, x.shape)
    return jax.numpy.where(keep, x / (1 - rate), jax.numpy.zeros((), x.dtype))
