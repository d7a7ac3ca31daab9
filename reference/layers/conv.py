"""Convolution over sequences, f[batch, time, channels], and images, f[batch, height, width, channels].

As everywhere in this field the kernel is not flipped: what mathematics calls a cross-correlation.
"""

from collections.abc import Sequence

from ..engines import Array, Engine, Params
from .initializers import Initializer, he_normal

__all__ = ["Padding", "apply", "init", "layout", "per_axis"]

Padding = str | Sequence[tuple[int, int]]

# Letters for the axes of input, kernel and output, by the number of axes that the window moves along.
_LAYOUTS = {1: ("NWC", "WIO", "NWC"), 2: ("NHWC", "HWIO", "NHWC")}


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
    letters, axes = layout("conv.apply", x, params["w"]), x.ndim - 2
    y = jax.lax.conv_general_dilated(
        x,
        params["w"],
        window_strides=per_axis(strides, axes),
        padding=padding,
        rhs_dilation=per_axis(dilation, axes),
        dimension_numbers=letters,
        feature_group_count=groups,
    )
    return y + params["b"] if "b" in params else y


def layout(name: str, x: Array, w: Array) -> tuple[str, str, str]:
    """What the axes of input, kernel and output are; ValueError where x has others than its kernel."""
    if x.ndim != w.ndim or x.ndim - 2 not in _LAYOUTS:
        raise ValueError(
            f"{name}: x of shape {x.shape} and a kernel of shape {w.shape}; x are sequences [batch, time, channels] "
            "with a kernel of 3 axes, or images [batch, height, width, channels] with one of 4"
        )
    return _LAYOUTS[x.ndim - 2]


def per_axis(value: int | Sequence[int], axes: int) -> tuple[int, ...]:
    """A number for each axis: `value` repeated if it is one number."""
    return (value,) * axes if isinstance(value, int) else tuple(value)
