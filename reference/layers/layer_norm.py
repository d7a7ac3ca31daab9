"""Layer normalisation: each example with mean zero and variance one over its features (Ba et al., 2016)."""

from typing import Any

from ..engines import Array, Engine, Params

__all__ = ["all_in_single", "apply", "in_single", "init", "normalized", "scaled"]


def init(jax: Engine, features: int) -> Params:
    """{"scale": ones, "bias": zeros}, each f[features]."""
    return {"scale": jax.numpy.ones((features,)), "bias": jax.numpy.zeros((features,))}


def apply(jax: Engine, params: Params, x: Array, *, eps: float = 1e-5) -> Array:
    """x, f[..., features], normalised over its last axis, then scaled and shifted."""
    return scaled(params, normalized(jax, in_single(jax, x), -1, eps)).astype(x.dtype)


def in_single(jax: Engine, x: Array) -> Array:
    """x in float32 at least: the mean of many short numbers would lose what it is the mean of."""
    return x.astype(jax.numpy.promote_types(x.dtype, jax.numpy.float32))


def all_in_single(jax: Engine, tree: Any) -> Any:
    """All leaves by `in_single`."""
    return jax.tree.map(lambda leaf: in_single(jax, leaf), tree)


def normalized(jax: Engine, x: Array, axes: int | tuple[int, ...], eps: float) -> Array:
    """x with mean zero and variance one along `axes`; `eps` is added to the variance."""
    mean = jax.numpy.mean(x, axes, keepdims=True)
    var = jax.numpy.var(x, axes, keepdims=True)
    return (x - mean) / jax.numpy.sqrt(var + eps)


def scaled(params: Params, x: Array) -> Array:
    """x * scale + bias."""
    return x * params["scale"] + params["bias"]
