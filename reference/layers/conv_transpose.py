"""Transposed convolution: each input paints its kernel, turned round, onto a larger output; strokes add up."""

from collections.abc import Sequence

from ..engines import Array, Engine, Params
from .conv import Padding, layout, per_axis
from .initializers import Initializer, he_normal

__all__ = ["apply", "init"]


def init(
    jax: Engine,
    key: Array,
    window: Sequence[int],
    inputs: int,
    outputs: int,
    *,
    bias: bool = True,
    initializer: Initializer = he_normal,
) -> Params:
    """{"w": f[*window, inputs, outputs], "b": f[outputs]} for a window (time,) or (height, width)."""
    params = {"w": initializer(jax, key, (*window, inputs, outputs))}
    return params | {"b": jax.numpy.zeros((outputs,))} if bias else params


def apply(
    jax: Engine, params: Params, x: Array, *, strides: int | Sequence[int] = 2, padding: Padding = "SAME"
) -> Array:
    """f[batch, ..., outputs] from x, f[batch, ..., inputs]; with "SAME" each size is multiplied by its stride.

    "VALID" keeps all that is painted, (size - 1) * stride + window, or size * stride where that is more; pairs
    (before, after) are zeros around the input, whose numbers stand `strides` apart.
    """
    letters = layout("conv_transpose.apply", x, params["w"])
    y = jax.lax.conv_transpose(
        x, params["w"], strides=per_axis(strides, x.ndim - 2), padding=padding, dimension_numbers=letters
    )
    return y + params["b"] if "b" in params else y
