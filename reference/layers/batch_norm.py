"""Batch normalisation: each channel with mean zero and variance one over the batch (Ioffe and Szegedy, 2015).

Training goes by the mean and variance of the batch at hand; evaluation by running averages of them, which are
the layer's state. A bias in the layer before would be subtracted again: leave it out there.
"""

from ..engines import Array, Engine, Params
from .layer_norm import in_single, scaled

__all__ = ["apply", "init"]


def init(jax: Engine, channels: int) -> tuple[Params, Params]:
    """Parameters {"scale", "bias"} and state {"mean", "var"}, each f[channels]."""
    one, zero = jax.numpy.ones, jax.numpy.zeros
    return {"scale": one((channels,)), "bias": zero((channels,))}, {"mean": zero((channels,)), "var": one((channels,))}


def apply(
    jax: Engine, params: Params, state: Params, x: Array, *, train: bool, momentum: float = 0.9, eps: float = 1e-5
) -> tuple[Array, Params]:
    """x, f[batch, ..., channels], normalised, and the state; `momentum` is the share of the state that stays.

    The running variance is that of the batch as it is, divided by the count and not by one less (as in Keras and Flax).
    """
    values = in_single(jax, x)
    if train:
        axes = tuple(range(x.ndim - 1))
        mean, var = jax.numpy.mean(values, axes), jax.numpy.var(values, axes)
        seen = {"mean": mean, "var": var}
        state = {name: (momentum * old + (1 - momentum) * seen[name]).astype(old.dtype) for name, old in state.items()}
    else:
        mean, var = state["mean"], state["var"]
    return scaled(params, (values - mean) / jax.numpy.sqrt(var + eps)).astype(x.dtype), state
