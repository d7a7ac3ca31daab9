"""Functions with custom rules under vmap: the function and its rules, each for all examples at once.

They run later than the batch rule that makes them, under another trace, once or several times; and which one of them
runs is for the transformations around to decide. Where the results carry the batch axis is not known before. What the
first run finds holds for all further ones: `ResultAxes`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from minijax.batching import BatchTrace, BatchTracer, place_batch_axis
from minijax.core import EVAL, Zero, current_trace, set_current_trace
from minijax.jaxpr import JaxprTrace
from minijax.named_axes import in_scope
from minijax.primitives.standard import zero_like
from minijax.primitives.sums import reduce_sum

Dims = Sequence[int | None]


class ResultAxes:
    """Where the results, and the residuals of fwd, carry the batch axis of `size` examples."""

    def __init__(self, size: int):
        self.size = size
        self.parent = current_trace()
        self.found: list[int | None] = []
        self.known = False
        self.residuals: list[int | None] = []

    def place(self, outs: Sequence[Any], dims: Dims) -> list[Any]:
        """Results with the axis where it was the first time.

        Raises ValueError if they were the same for all examples then, and are not now.
        """
        if not self.known:
            self.found, self.known = list(dims), True
        for d, wanted in zip(dims, self.found, strict=True):
            if d is not None and wanted is None:
                raise ValueError(
                    "vmap of a function with a custom rule: the rule returns what differs from example to example for "
                    "a result of the function that is the same for all. Return the function's own results."
                )
        return [place_axis(x, d, w, self.size) for x, d, w in zip(outs, dims, self.found, strict=True)]


def place_axis(x: Any, dim: int | None, wanted: int | None, size: int) -> Any:
    """`x` with its batch axis where it is wanted."""
    return x if dim == wanted else place_batch_axis(x, dim, wanted, size)


# ----------------------------------------------------------------- a vmap around


class _SameVmap(BatchTrace):
    """A vmap once more, around a function that was defined inside of it and may close over its tracers."""

    __slots__ = ("known",)

    def __init__(self, size: int, around: BatchTrace):
        super().__init__(size)
        self.known = (around, *getattr(around, "known", ()))

    def pair(self, x: Any) -> tuple[Any, int | None]:
        if type(x) is BatchTracer and any(x._trace is trace for trace in self.known):
            return x.val, x.dim
        return super().pair(x)


def defined_here(fun: Callable) -> Callable:
    """`fun`, which knows from now on which vmaps are around it. A jit in between passes on what is closed over."""
    vmaps, trace = [], current_trace()
    while trace is not EVAL and not isinstance(trace, JaxprTrace):
        if isinstance(trace, BatchTrace):
            vmaps.append(trace)
        trace = trace.parent
    if vmaps:
        fun.vmaps = vmaps
    return fun


def _run(fun: Callable, vmaps: Sequence[BatchTrace], axes: ResultAxes, args: Sequence[Any], dims: Dims) -> Any:
    """Results of `fun` for all examples of the vmap whose parent was current when `axes` was made, and their axes."""
    around = next((trace for trace in vmaps if trace.parent is axes.parent), None)
    trace = BatchTrace(axes.size) if around is None else _SameVmap(axes.size, around)
    try:
        with set_current_trace(trace), in_scope(axes.size):
            outs = fun(*map(trace.wrap, args, dims))
        pairs = [trace.pair(x) for x in outs]
    finally:
        trace.valid = False
    return [x for x, _ in pairs], [d for _, d in pairs]


# ----------------------------------------------------------------- the function and its rules


def batched_call(call: Callable, dims: Dims, axes: ResultAxes) -> Callable:
    """The function."""
    vmaps = getattr(call, "vmaps", ())

    def run(*args: Any) -> list[Any]:
        return axes.place(*_run(call, vmaps, axes, args, dims))

    run.vmaps = vmaps
    return run


def batched_jvp(jvp: Callable, dims: Dims, axes: ResultAxes) -> Callable:
    """Its rule for forward mode. A result and its tangent carry the axis in one place, if either does."""
    count = len(dims)

    @functools.wraps(jvp)
    def run(*args: Any) -> list[Any]:
        tangent_dims = [None if type(t) is Zero else d for t, d in zip(args[count:], dims, strict=True)]
        zero: list[bool] = []

        def flat(*examples: Any) -> list[Any]:
            primals, tangents = examples[:count], examples[count:]
            tangents = [zero_like(p) if type(t) is Zero else t for p, t in zip(primals, tangents, strict=True)]
            results = jvp(*primals, *tangents)
            zero.extend(type(x) is Zero for x in results[len(results) // 2 :])
            return [x for x in results if type(x) is not Zero]

        results, found = _run(flat, getattr(jvp, "vmaps", ()), axes, args, [*dims, *tangent_dims])
        given = iter(zip(results[len(zero) :], found[len(zero) :], strict=True))
        pairs = [(None, None) if z else next(given) for z in zero]
        joined = [p if p is not None else t for p, (_, t) in zip(found, pairs)]
        outs = [place_axis(x, d, j, axes.size) for x, d, j in zip(results, found, joined)]
        outs = axes.place(outs, joined)
        return [*outs, *map(_tangent, outs, zero, pairs, axes.found, [axes.size] * len(outs))]

    return run


def _tangent(out: Any, zero: bool, pair: tuple[Any, int | None], wanted: int | None, size: int) -> Any:
    return zero_like(out) if zero else place_axis(*pair, wanted, size)


def batched_fwd(fwd: Callable, dims: Dims, axes: ResultAxes) -> Callable:
    """Its forward pass."""

    @functools.wraps(fwd)
    def run(*args: Any, **kwargs: Any) -> tuple[list[Any], list[Any]]:
        counts: list[int] = []

        def flat(*examples: Any) -> list[Any]:
            outs, residuals = fwd(*examples, **kwargs)
            counts.append(len(outs))
            return [*outs, *residuals]

        results, found = _run(flat, getattr(fwd, "vmaps", ()), axes, args, dims)
        split = counts[0]
        axes.residuals = found[split:]
        return axes.place(results[:split], found[:split]), results[split:]

    return run


def batched_bwd(bwd: Callable, dims: Dims, axes: ResultAxes) -> Callable:
    """Its backward pass; an argument that the examples share gets the sum of their cotangents."""

    @functools.wraps(bwd)
    def run(*args: Any) -> list[Any]:
        in_dims = [*axes.residuals, *axes.found]
        args = [_zero_of_example(x, d) if type(x) is Zero else x for x, d in zip(args, in_dims, strict=True)]
        in_dims = [None if type(x) is Zero else d for x, d in zip(args, in_dims, strict=True)]
        nonzero: list[bool] = []

        def flat(*examples: Any) -> list[Any]:
            cts = bwd(*examples)
            nonzero.extend(ct is not None for ct in cts)
            return [ct for ct in cts if ct is not None]

        given = iter(zip(*_run(flat, getattr(bwd, "vmaps", ()), axes, args, in_dims), strict=True))
        return [_cotangent(*next(given), d, axes.size) if nz else None for nz, d in zip(nonzero, dims, strict=True)]

    return run


def _zero_of_example(ct: Zero, dim: int | None) -> Zero:
    shape = ct.aval.shape
    return ct if dim is None else Zero(ct.aval.update(shape=(*shape[:dim], *shape[dim + 1 :])))


def _cotangent(ct: Any, dim: int | None, wanted: int | None, size: int) -> Any:
    """The cotangent of an argument that carries the batch axis where it is wanted, or that all examples share."""
    if wanted is None:
        return ct if dim is None else reduce_sum(ct, (dim,))
    return place_axis(ct, dim, wanted, size)
