"""A small generative pretrained transformer (Radford et al., 2018): which character comes next.

As in GPT-2, normalisation stands before each part of a block, and what a part finds is added to its input.
"""

from typing import Any, NamedTuple

from ..engines import Array, Engine, Params
from ..layers import attention, dense, dropout, embedding, initializers, layer_norm
from ..layers.repeated import repeated
from . import Model

__all__ = ["Layout", "apply", "generate", "gpt", "init", "sample"]


class Layout(NamedTuple):
    """How large the network is."""

    tokens: int
    """different ones"""
    context: int = 128
    """tokens that it can see"""
    features: int = 128
    heads: int = 4
    blocks: int = 4
    rate: float = 0.0
    """of dropout"""


def init(jax: Engine, key: Array, layout: Layout) -> Params:
    """Weights normal with deviation 0.02, less on the way back into the stream, to which every block adds."""
    normal = initializers.normal(0.02)
    back = initializers.normal(0.02 / (2 * layout.blocks) ** 0.5)
    token_key, place_key, out_key, *keys = jax.random.split(key, 3 + layout.blocks)
    return {
        "tokens": embedding.init(jax, token_key, layout.tokens, layout.features, initializer=normal),
        "places": embedding.init(jax, place_key, layout.context, layout.features, initializer=normal),
        "blocks": [_init_block(jax, k, layout.features, normal, back) for k in keys],
        "norm": layer_norm.init(jax, layout.features),
        "out": dense.init(jax, out_key, layout.features, layout.tokens, initializer=normal),
    }


def _init_block(jax: Engine, key: Array, features: int, normal: Any, back: Any) -> Params:
    attention_key, back_key, up_key, down_key = jax.random.split(key, 4)
    heads = attention.init(jax, attention_key, features, initializer=normal)
    return {
        "norm1": layer_norm.init(jax, features),
        "attention": heads | {"out": dense.init(jax, back_key, features, features, initializer=back)},
        "norm2": layer_norm.init(jax, features),
        "up": dense.init(jax, up_key, features, 4 * features, initializer=normal),
        "down": dense.init(jax, down_key, 4 * features, features, initializer=back),
    }


def apply(jax: Engine, params: Params, tokens: Array, layout: Layout, *, key: Array | None, train: bool) -> Array:
    """Logits of the next token at each place, f[batch, time, tokens], from i32[batch, time], time <= context."""
    if tokens.shape[1] > layout.context:
        raise ValueError(f"gpt: {tokens.shape[1]} tokens in a row; the context is {layout.context}")
    count = 1 + 2 * layout.blocks
    keys = iter([None] * count if key is None else jax.random.split(key, count))

    def dropped(key: Array | None, x: Array) -> Array:
        return dropout.apply(jax, key, x, layout.rate, train=train)

    def through(block: Params, x: Array, first: Array | None, second: Array | None) -> Array:
        h = layer_norm.apply(jax, block["norm1"], x)
        x = x + dropped(first, attention.apply(jax, block["attention"], h, heads=layout.heads, causal=True))
        h = jax.nn.gelu(dense.apply(jax, block["up"], layer_norm.apply(jax, block["norm2"], x)))
        return x + dropped(second, dense.apply(jax, block["down"], h))

    x = embedding.apply(jax, params["tokens"], tokens) + params["places"]["w"][: tokens.shape[1]]
    x = dropped(next(keys), x)
    for block in params["blocks"]:
        x = repeated(jax, through)(block, x, next(keys), next(keys))
    return dense.apply(jax, params["out"], layer_norm.apply(jax, params["norm"], x))


def gpt(layout: Layout) -> Model:
    """The model; its loss is the softmax cross entropy with the next tokens, i32[batch, time]."""

    def lifted(
        jax: Engine, params: Params, state: Any, x: Array, *, key: Array | None, train: bool
    ) -> tuple[Array, Any]:
        return apply(jax, params, x, layout, key=key, train=train), state

    name = f"gpt of {layout.blocks} blocks, {layout.features} features, context {layout.context}"
    return Model(name, lambda jax, key: (init(jax, key, layout), ()), lifted)


def sample(jax: Engine, key: Array, logits: Array, *, temperature: float = 1.0, top_k: int | None = None) -> Array:
    """One token, i32[...], for each row of logits, f[..., tokens].

    A `temperature` below 1 prefers the likely ones, and 0 takes the likeliest; with `top_k` only so many of the
    likeliest may be drawn.
    """
    if temperature == 0:
        return jax.numpy.argmax(logits, axis=-1).astype(jax.numpy.int32)
    if top_k is not None:
        least = jax.lax.top_k(logits, min(top_k, logits.shape[-1]))[0][..., -1:]
        logits = jax.numpy.where(logits < least, -jax.numpy.inf, logits)
    return jax.random.categorical(key, logits / temperature).astype(jax.numpy.int32)


def generate(
    jax: Engine,
    params: Params,
    prompt: Array,
    layout: Layout,
    key: Array,
    length: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
) -> Array:
    """`length` further tokens, i32[batch, length], after a prompt i32[batch, at least 1].

    The network sees the last `context` tokens. Until there are as many, it sees zeros after them, which
    causal attention does not look at.
    """
    batch, known = prompt.shape[0], min(prompt.shape[1], layout.context)
    window = jax.numpy.zeros((batch, layout.context), jax.numpy.int32).at[:, :known].set(prompt[:, -known:])

    def step(carry: tuple[Array, Array], step_key: Array) -> tuple[tuple[Array, Array], Array]:
        window, known = carry
        logits = apply(jax, params, window, layout, key=None, train=False)
        logits = jax.lax.dynamic_index_in_dim(logits, known - 1, axis=1, keepdims=False)
        token = sample(jax, step_key, logits, temperature=temperature, top_k=top_k)
        full = known == layout.context
        window = jax.numpy.where(full, jax.numpy.roll(window, -1, axis=1), window)
        place = jax.numpy.where(full, known - 1, known)
        window = jax.lax.dynamic_update_index_in_dim(window, token, place, axis=1)
        return (window, place + 1), token

    start = (window, jax.numpy.asarray(known, jax.numpy.int32))
    _, tokens = jax.lax.scan(step, start, jax.random.split(key, length))
    return tokens.T
