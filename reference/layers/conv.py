"""Convolution over sequences, f[batch, time, channels], and images, f[batch, height, width, channels].

As everywhere in this field the kernel is not flipped: what mathematics calls a cross-correlation.
"""

from collections.abc import Sequence

from ..engines import Array, Engine, Params
from .initializers import Initializer, he_normal

__all__ = ["LAYOUTS", "Padding", "apply", "init", "per_axis"]

Padding = str | Sequence[tuple[int, int]]

# Letters for the axes of input, kernel and output, by the number of axes that the window moves along.
LAYOUTS = {1: ("NWC", "WIO", "NWC"), 2: ("NHWC", "HWIO", "NHWC")}


def init(
    jax: Engine,
    key: Array,
    window: Sequence[int],
    inputs: int,
    outputs: int,
    *,
    groups: int = 1,
    bias: bool = True,
    initializer: Initializer = he_normal,
) -> Params:
    """{"w": f[*window, inputs / groups, outputs], "b": f[outputs]} for a window (time,) or (height, width).

    With `groups` the channels fall into so many groups that do not see each other; with as many groups as inputs the
    convolution is "depthwise". Raises ValueError where the channels do not fall into groups of one size.
    """
    if inputs % groups or outputs % groups:
        raise ValueError(f"conv.init: {inputs} inputs and {outputs} outputs do not fall into {groups} equal groups")
    params = {"w": initializer(jax, key, (*window, inputs // groups, outputs))}
    return params | {"b": jax.numpy.zeros((outputs,))} if bias else params


def apply(
    jax: Engine,
    params: Params,
    x: Array,
    *,
    strides: int | Sequence[int] = 1,
    padding: Padding = "SAME",
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Array:
    """f[batch, ..., outputs] from x, f[batch, ..., inputs].

    The window moves by `strides`, and looks at every `dilation`-th entry. "SAME" pads with zeros until stride 1 keeps
    the size, "VALID" does not pad; pairs (before, after) say it for each axis.
    """
    axes = x.ndim - 2
    y = jax.lax.conv_general_dilated(
        x,
        params["w"],
        window_strides=per_axis(strides, axes),
        padding=padding,
        rhs_dilation=per_axis(dilation, axes),
        dimension_numbers=LAYOUTS[axes],
        feature_group_count=groups,
    )
    return y + params["b"] if "b" in params else y


def per_axis(value: int | Sequence[int], axes: int) -> tuple[int, ...]:
    """A number for each axis: `value` repeated if it is one number."""
    return (value,) * axes if isinstance(value, int) else tuple(value)
