"""Multi-head self-attention (Vaswani et al., 2017)."""

import math

from ..engines import Array, Engine, Params
from . import dense
from .initializers import Initializer, glorot_uniform

__all__ = ["apply", "attend", "init"]


def init(jax: Engine, key: Array, features: int, *, initializer: Initializer = glorot_uniform) -> Params:
    """Four dense layers f[features, features]: {"query", "key", "value", "out"}.

    The keys have no bias: it would add the same number to all scores of a query, which softmax takes away again.
    """
    names = ("query", "key", "value", "out")
    return {
        name: dense.init(jax, k, features, features, bias=name != "key", initializer=initializer)
        for name, k in zip(names, jax.random.split(key, 4), strict=True)
    }


def apply(
    jax: Engine, params: Params, x: Array, *, heads: int, causal: bool = False, mask: Array | None = None
) -> Array:
    """f[batch, time, features] from x of the same shape, by `heads` heads side by side.

    `mask`, bool[batch, time], is False at places that nobody looks at; with `causal` nobody looks ahead.
    Raises ValueError where the features do not fall into heads of one size.
    """
    batch, time, features = x.shape
    if features % heads:
        raise ValueError(f"attention.apply: {features} features do not fall into {heads} equal heads")

    def split(name: str) -> Array:
        return dense.apply(jax, params[name], x).reshape(batch, time, heads, features // heads).swapaxes(1, 2)

    allowed = None if mask is None else mask[:, None, None, :]
    if causal:
        behind = jax.numpy.tril(jax.numpy.ones((time, time), dtype=bool))
        allowed = behind if allowed is None else allowed & behind
    mixed = attend(jax, split("query"), split("key"), split("value"), allowed)
    return dense.apply(jax, params["out"], mixed.swapaxes(1, 2).reshape(batch, time, features))


def attend(jax: Engine, query: Array, key: Array, value: Array, allowed: Array | None = None) -> Array:
    """softmax(query @ key.T / sqrt(size)) @ value over the last two axes, f[..., time, size].

    `allowed`, bool[..., time, time] or what broadcasts to it, says which key a query looks at. Scores of the others
    become the smallest number there is rather than -inf: a query that may look nowhere gets a mean and not NaN.
    """
    # divided before the product, which may be beyond what float16 can hold
    scores = (query / math.sqrt(query.shape[-1])) @ key.swapaxes(-1, -2)
    if allowed is not None:
        scores = jax.numpy.where(allowed, scores, jax.numpy.finfo(scores.dtype).min)
    return jax.nn.softmax(scores, axis=-1) @ value
