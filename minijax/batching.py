"""vmap: each value may carry one more axis, the batch axis, that the function does not see.

A `BatchTracer` holds the whole array and says which of its axes is the batch axis; its aval is
that of one example. Each primitive's batch rule does the work for all examples at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minijax.core import Primitive, ShapedArray, Trace, Tracer, current_trace, get_aval, set_current_trace
from minijax.leak_checks import finding_leaks
from minijax.named_axes import concerns, in_scope
from minijax.primitives.shaping import broadcast_in_dim, move_axis


class BatchTracer(Tracer):
    """An array of examples that looks like one example."""

    __slots__ = ("val", "dim")

    def __init__(self, trace: BatchTrace, val: Any, dim: int):
        self._trace = trace
        self.val = val
        self.dim = dim

    @property
    def aval(self) -> ShapedArray:
        """The aval of one example."""
        aval = get_aval(self.val)
        return ShapedArray(aval.shape[: self.dim] + aval.shape[self.dim + 1 :], aval.dtype, aval.weak_type)

    def __repr__(self) -> str:
        return f"VmapTracer(aval={self.aval.str_long()}, batched={get_aval(self.val).str_long()})"


class BatchTrace(Trace):
    """One running vmap over an axis of `size` examples, which has a name if that is an `AxisSize`."""

    __slots__ = ("parent", "size", "valid")

    def __init__(self, size: int):
        self.parent = current_trace()
        self.size = size
        self.valid = True

    def pair(self, x: Any) -> tuple[Any, int | None]:
        """The array behind `x` and its batch axis, None if it is the same for all examples."""
        if type(x) is BatchTracer and x._trace is self:
            return x.val, x.dim
        return x, None

    def wrap(self, val: Any, dim: int | None) -> Any:
        """The tracer of an array of examples."""
        return val if dim is None else BatchTracer(self, val, dim)

    def process(self, prim: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
        vals, dims = zip(*map(self.pair, args), strict=True) if args else ((), ())
        if all(d is None for d in dims) and not concerns(self.size, prim, args, params):
            return self.parent.process(prim, args, params)
        with set_current_trace(self.parent):
            out, dim = prim.rule("batch")(self.size, vals, dims, **params)
        if prim.multiple_results:
            return [self.wrap(v, d) for v, d in zip(out, dim, strict=True)]
        return self.wrap(out, dim)


@finding_leaks
def batch_flat(
    fun: Callable[..., Sequence[Any]], size: int, args: Sequence[Any], dims: Sequence[int | None]
) -> tuple[list[Any], list[int | None]]:
    """Run `fun` (flat arguments to a flat list) on all examples; the results and their batch axes."""
    trace = BatchTrace(size)
    try:
        with set_current_trace(trace), in_scope(size):
            outs = fun(*map(trace.wrap, args, dims))
        pairs = [trace.pair(x) for x in outs]
    finally:
        trace.valid = False
    return [x for x, _ in pairs], [d for _, d in pairs]


def place_batch_axis(x: Any, dim: int | None, destination: int, size: int) -> Any:
    """`x` with its batch axis at `destination`; what is the same for all examples is repeated."""
    if dim is not None:
        return move_axis(x, dim, destination)
    shape = list(np.shape(x))
    shape.insert(destination, size)
    return broadcast_in_dim(x, shape, [i for i in range(len(shape)) if i != destination])


def batched(fun: Callable[..., Sequence[Any]], size: int, dims: Sequence[int | None]) -> Callable:
    """`fun` for all examples at once, its results with the batch axis in front."""

    def batched_fun(*args: Any) -> list[Any]:
        outs, out_dims = batch_flat(fun, size, args, dims)
        return [place_batch_axis(x, d, 0, size) for x, d in zip(outs, out_dims, strict=True)]

    return batched_fun
