"""Group normalisation: each example over groups of its channels, whatever the size of the batch (Wu and He, 2018)."""

from ..engines import Array, Engine, Params
from .layer_norm import in_single, init, normalized, scaled

__all__ = ["apply", "init"]


def apply(jax: Engine, params: Params, x: Array, *, groups: int, eps: float = 1e-5) -> Array:
    """x, f[batch, ..., channels], normalised over all places and the channels of a group, then scaled and shifted.

    Raises ValueError where the channels do not fall into groups of one size.
    """
    channels = x.shape[-1]
    if channels % groups:
        raise ValueError(f"group_norm.apply: {channels} channels do not fall into {groups} equal groups")
    parts = in_single(jax, x).reshape(*x.shape[:-1], groups, channels // groups)
    axes = (*range(1, x.ndim - 1), x.ndim)
    return scaled(params, normalized(jax, parts, axes, eps).reshape(x.shape)).astype(x.dtype)
