"""Residual networks (He et al., 2016): blocks that add something to their input, and so may be many.

ResNet-18 and 34 are made of basic blocks (two 3x3 convolutions), ResNet-50 of bottlenecks (1x1, 3x3, 1x1), in
four stages; each but the first halves the image and doubles the channels.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from ..engines import Array, Engine, Params
from ..layers import batch_norm, conv, dense, pooling
from ..layers.repeated import repeated
from . import Model

__all__ = ["DEPTHS", "Layout", "features", "init", "init_features", "resnet"]

DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}
"""blocks in each stage"""


class Layout(NamedTuple):
    """Which residual network: what its functions have to know beside the parameters."""

    depth: int = 18
    """a key of DEPTHS"""
    width: int = 64
    """channels of the first stage"""
    large: bool = False
    """for images of 224x224, which a strided convolution and a pooling make small at once; else for 32x32"""
    activation: str = "relu"
    """a name in `jax.nn`"""
    stages: Sequence[int] | None = None
    """blocks in each stage, where they are not those of `depth`"""

    @property
    def expansion(self) -> int:
        """By how much a block's output has more channels than what it works with."""
        return 4 if self.depth == 50 else 1

    @property
    def outputs(self) -> int:
        """Features of an image."""
        return self.width * 2 ** (len(self.counts) - 1) * self.expansion

    @property
    def counts(self) -> Sequence[int]:
        """Blocks in each stage."""
        return DEPTHS[self.depth] if self.stages is None else self.stages

    def blocks(self) -> Iterator[tuple[int, int]]:
        """(channels, stride) of each block."""
        for stage, count in enumerate(self.counts):
            for i in range(count):
                yield self.width * 2**stage, 2 if stage > 0 and i == 0 else 1


def init_features(jax: Engine, key: Array, channels: int, layout: Layout) -> tuple[Params, Any]:
    """Parameters and state of everything but the classifier, for images with so many channels.

    Convolutions have no biases: a batch normalisation follows each.
    """
    blocks = list(layout.blocks())
    stem_key, *keys = jax.random.split(key, 1 + len(blocks))
    window = (7, 7) if layout.large else (3, 3)
    stem, stem_state = _init_conv(jax, stem_key, window, channels, layout.width)
    params, state, inputs = {"stem": stem, "blocks": []}, {"stem": stem_state, "blocks": []}, layout.width
    for k, (size, stride) in zip(keys, blocks, strict=True):
        outputs = size * layout.expansion
        block, block_state = _init_block(jax, k, inputs, size, outputs, stride, layout.depth == 50)
        params["blocks"].append(block)
        state["blocks"].append(block_state)
        inputs = outputs
    return params, state


def _init_conv(jax: Engine, key: Array, window: tuple[int, int], inputs: int, outputs: int) -> tuple[Params, Params]:
    norm, state = batch_norm.init(jax, outputs)
    return {"conv": conv.init(jax, key, window, inputs, outputs, bias=False), "norm": norm}, state


def _init_block(
    jax: Engine, key: Array, inputs: int, size: int, outputs: int, stride: int, bottleneck: bool
) -> tuple[Params, Params]:
    sizes = [("a", 1, inputs, size), ("b", 3, size, size), ("c", 1, size, outputs)]
    if not bottleneck:
        sizes = [("a", 3, inputs, size), ("b", 3, size, outputs)]
    if inputs != outputs or stride > 1:
        sizes.append(("shortcut", 1, inputs, outputs))
    params, state = {}, {}
    for k, (name, window, a, b) in zip(jax.random.split(key, len(sizes)), sizes, strict=True):
        params[name], state[name] = _init_conv(jax, k, (window, window), a, b)
    return params, state


def features(jax: Engine, params: Params, state: Any, x: Array, layout: Layout, *, train: bool) -> tuple[Array, Any]:
    """f[batch, layout.outputs] from x, f[batch, h, w, c], and the state."""
    active = getattr(jax.nn, layout.activation)
    x, stem = _conv(jax, params["stem"], state["stem"], x, 2 if layout.large else 1, train)
    x = active(x)
    if layout.large:
        x = pooling.max_pool(jax, x, 3, strides=2, padding="SAME")
    following = []
    for block, seen, (_, stride) in zip(params["blocks"], state["blocks"], layout.blocks(), strict=True):
        through = partial(_block, jax, stride=stride, active=active, train=train)
        x, seen = repeated(jax, through)(block, seen, x)
        following.append(seen)
    return pooling.global_avg_pool(jax, x), {"stem": stem, "blocks": following}


def _conv(jax: Engine, params: Params, state: Params, x: Array, stride: int, train: bool) -> tuple[Array, Params]:
    x = conv.apply(jax, params["conv"], x, strides=stride)
    return batch_norm.apply(jax, params["norm"], state, x, train=train)


def _block(
    jax: Engine, params: Params, state: Params, x: Array, *, stride: int, active: Any, train: bool
) -> tuple[Array, Params]:
    """The stride is that of the first 3x3 convolution."""
    names, following, y = [name for name in params if name != "shortcut"], {}, x
    strided = "b" if len(names) == 3 else "a"
    for name in names:
        y = y if name == "a" else active(y)
        y, following[name] = _conv(jax, params[name], state[name], y, stride if name == strided else 1, train)
    if "shortcut" in params:
        x, following["shortcut"] = _conv(jax, params["shortcut"], state["shortcut"], x, stride, train)
    return active(x + y), following


def init(jax: Engine, key: Array, channels: int, classes: int, layout: Layout) -> tuple[Params, Any]:
    """Parameters {"features", "out"} and the state, for images with so many channels."""
    features_key, out_key = jax.random.split(key)
    params, state = init_features(jax, features_key, channels, layout)
    return {"features": params, "out": dense.init(jax, out_key, layout.outputs, classes)}, state


def resnet(channels: int, classes: int, layout: Layout = Layout()) -> Model:  # noqa: B008, it never changes
    """The classifier of images f[batch, h, w, channels]."""

    def apply(
        jax: Engine, params: Params, state: Any, x: Array, *, key: Array | None, train: bool
    ) -> tuple[Array, Any]:
        x, state = features(jax, params["features"], state, x, layout, train=train)
        return dense.apply(jax, params["out"], x), state

    return Model(
        f"resnet-{layout.depth} of width {layout.width}",
        lambda jax, key: init(jax, key, channels, classes, layout),
        apply,
    )
