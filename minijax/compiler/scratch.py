"""How much memory the `impl` of a primitive needs while it runs, beside operands and results: for the memory report."""

from __future__ import annotations

import math
from collections.abc import Callable

from minijax.jaxpr import Eqn
from minijax.primitives import convolution_kernel, window_reductions

__all__ = ["scratch_bytes"]


def scratch_bytes(eqn: Eqn) -> int:
    """An estimate; 0 for those that need little."""
    estimate = _ESTIMATES.get(eqn.primitive.name)
    return estimate(eqn) if estimate is not None else 0


def _convolution(eqn: Eqn) -> int:
    """The padded input, and for one block the matrix of its windows and its product with the weights."""
    (x, w), (v,), params = eqn.invars, eqn.outvars, eqn.params
    lhs, rhs, _ = params["dimension_numbers"]
    lengths = [x.aval.shape[d] for d in lhs[2:]]
    pads = [low + high for low, high in params["padding"]]
    dilations = params["lhs_dilation"]
    padded = x.aval.size
    if any(pads) or any(d != 1 for d in dilations):
        spread = [d * (n - 1) + 1 + p for n, d, p in zip(lengths, dilations, pads, strict=True)]
        padded = x.aval.shape[lhs[0]] * x.aval.shape[lhs[1]] * math.prod(spread)
    outputs = w.aval.shape[rhs[0]]
    window = w.aval.size // max(outputs, 1)
    rows = v.aval.size // max(outputs, 1)
    block = max(1, min(rows, convolution_kernel.BLOCK // max(window, 1)))
    copied = padded if padded != x.aval.size else 0
    return (copied + block * (window + outputs)) * x.aval.dtype.itemsize


def _pooling_gradient(eqn: Eqn) -> int:
    """For one block of examples: the elements found, which were chosen, and masks."""
    source, x = (v.aval.size for v in eqn.invars)
    share = min(1.0, window_reductions.BLOCK / max(x, 1))
    return int(4 * share * source) * eqn.outvars[0].aval.dtype.itemsize


def _scatter(eqn: Eqn) -> int:
    """The places of all updates, and the updates in their order."""
    updates = eqn.invars[2].aval
    return updates.size * (8 + updates.dtype.itemsize)


_ESTIMATES: dict[str, Callable[[Eqn], int]] = {
    "conv_general_dilated": _convolution,
    "select_and_scatter_add": _pooling_gradient,
    **dict.fromkeys(("scatter-add", "scatter-mul", "scatter-min", "scatter-max"), _scatter),
}
