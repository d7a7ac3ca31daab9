"""Running sums, products, extrema and logsumexp along an axis."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.core import Primitive, ShapedArray
from minijax.primitives import complex_kernels
from minijax.primitives.arithmetic import abs, add, add_p, max, max_p, min_p, mul, mul_p, neg, rem, sub
from minijax.primitives.comparison import eq, lt, ne
from minijax.primitives.complex_parts import complex, imag, real
from minijax.primitives.families import filled_like, like
from minijax.primitives.joining import concatenate_p, rev_p
from minijax.primitives.reductions import accumulator_dtype, settle_zeros
from minijax.primitives.selection import select
from minijax.primitives.slicing import pad_p, slice_p
from minijax.primitives.standard import Shape, def_linear, require_dtype, standard, zero_like
from minijax.primitives.transcendental import exp, log1p

__all__ = ["cumlogsumexp", "cummax", "cummin", "cumprod", "cumsum"]

# ----------------------------------------------------------------- what they share


# Applied to an array and an axis.
Accumulate = Callable[[np.ndarray, int], np.ndarray]


def _cumulative(name: str, accumulate: Accumulate, accepts: str = "iufc") -> Primitive:
    """A primitive that gives every element the reduction of those up to it (from it on, if `reverse`)."""

    def impl(x: np.ndarray, *, axis: int, reverse: bool) -> np.ndarray:
        if not reverse:
            return accumulate(x, axis)
        return np.flip(accumulate(np.flip(x, axis), axis), axis)

    def shape(x: ShapedArray, *, axis: int, reverse: bool) -> Shape:
        if not 0 <= axis < x.ndim:
            raise ValueError(
                f"{name}: axis {axis} is out of bounds for array of shape {x.shape}; "
                f"lax takes no negative axes, jnp.{name} does."
            )
        return x.shape

    def dtype(x: ShapedArray, **params: Any) -> Any:
        require_dtype(name, x, accepts)
        return x.dtype

    prim = standard(name, impl, shape, dtype)

    def batch(axis_size: int, args: Any, dims: Any, *, axis: int, reverse: bool) -> Any:
        (x,), (dim,) = args, dims
        return prim.bind(x, axis=axis + (axis >= dim), reverse=reverse), dim

    prim.batch = batch
    return prim


def _running(ufunc: np.ufunc) -> Accumulate:
    """`ufunc.accumulate`, half-precision floats in single precision."""
    return lambda x, axis: ufunc.accumulate(x, axis, accumulator_dtype(x.dtype)).astype(x.dtype, copy=False)


def _running_extremum(ufunc: np.ufunc, negative: bool) -> Accumulate:
    def accumulate(x: np.ndarray, axis: int) -> np.ndarray:
        out = ufunc.accumulate(x, axis)
        if dtypes.kind(x.dtype) != "f":
            return out
        return settle_zeros(out, x, negative, lambda found: np.logical_or.accumulate(found, axis))

    return accumulate


# ----------------------------------------------------------------- cumsum


def cumsum(operand: Any, axis: int = 0, reverse: bool = False) -> Array:
    """Sums of the elements up to each one along `axis` (from each one on, if `reverse`)."""
    return cumsum_p.bind(operand, axis=int(axis), reverse=bool(reverse))


cumsum_p = _cumulative("cumsum", _running(np.add))
def_linear(cumsum_p, lambda ct, x, *, axis, reverse: cumsum(ct, axis, not reverse))


# ----------------------------------------------------------------- derivative by a parallel scan

# A primal and its tangent. The scan below is run on such pairs: each step applies a primitive's jvp rule.
Pair = tuple[Any, Any]


def _on_pairs(prim: Primitive, *pairs: Pair, **params: Any) -> Pair:
    primals, tangents = zip(*pairs, strict=True)
    return prim.jvp(primals, tangents, **params)


def _jvp_by_scan(combine: Callable[[Pair, Pair], Pair]) -> Callable[..., Pair]:
    """The jvp rule of a running reduction by `combine`: forward mode through a parallel prefix scan.

    Written as n - 1 dependent steps the derivative would be a program of length n; the scan
    (Blelloch, "Prefix sums and their applications", 1990) needs 2 log2(n) steps over whole arrays.
    """

    def rule(primals: Any, tangents: Any, *, axis: int, reverse: bool) -> Pair:
        pair = primals[0], tangents[0]
        if reverse:
            pair = _on_pairs(rev_p, pair, dimensions=(axis,))
        pair = _scan(combine, pair, axis)
        return _on_pairs(rev_p, pair, dimensions=(axis,)) if reverse else pair

    return rule


def _scan(combine: Callable[[Pair, Pair], Pair], pair: Pair, axis: int) -> Pair:
    """Combine neighbours, scan the half as long result, and fill in the elements between (depth log2(n))."""
    n = np.shape(pair[0])[axis]
    if n < 2:
        return pair
    neighbours = combine(_part(pair, axis, 0, n - 1, 2), _part(pair, axis, 1, n, 2))
    odd = _scan(combine, neighbours, axis)
    before = odd if n % 2 else _part(odd, axis, 0, n // 2 - 1, 1)
    even = combine(before, _part(pair, axis, 2, n, 2))
    even = _on_pairs(concatenate_p, _part(pair, axis, 0, 1, 1), even, dimension=axis)
    # Interleave: spread both with zeros between their elements, and add.
    return _on_pairs(add_p, _spread(even, axis, 0, 1 - n % 2), _spread(odd, axis, 1, n % 2))


def _part(pair: Pair, axis: int, start: int, stop: int, stride: int) -> Pair:
    shape = np.shape(pair[0])

    def along_axis(value: int, others: Any) -> tuple[int, ...]:
        return tuple([value if d == axis else other for d, other in enumerate(others)])

    return _on_pairs(
        slice_p,
        pair,
        start_indices=along_axis(start, [0] * len(shape)),
        limit_indices=along_axis(stop, shape),
        strides=along_axis(stride, [1] * len(shape)),
    )


def _spread(pair: Pair, axis: int, low: int, high: int) -> Pair:
    """One zero between any two elements along `axis`, and `low` and `high` ones at the ends."""
    zero = like(pair[0], 0)
    config = tuple([(low, high, 1) if d == axis else (0, 0, 0) for d in range(np.ndim(pair[0]))])
    return _on_pairs(pad_p, pair, (zero, zero_like(zero)), padding_config=config)


# ----------------------------------------------------------------- cumprod, cummax, cummin


def cumprod(operand: Any, axis: int = 0, reverse: bool = False) -> Array:
    """Products of the elements up to each one along `axis` (from each one on, if `reverse`)."""
    return cumprod_p.bind(operand, axis=int(axis), reverse=bool(reverse))


cumprod_p = _cumulative("cumprod", _running(np.multiply))
cumprod_p.jvp = _jvp_by_scan(lambda a, b: _on_pairs(mul_p, a, b))


def cummax(operand: Any, axis: int = 0, reverse: bool = False) -> Array:
    """The largest of the elements up to each one along `axis` (from each one on, if `reverse`)."""
    return cummax_p.bind(operand, axis=int(axis), reverse=bool(reverse))


cummax_p = _cumulative("cummax", _running_extremum(np.maximum, negative=False))
cummax_p.jvp = _jvp_by_scan(lambda a, b: _on_pairs(max_p, a, b))


def cummin(operand: Any, axis: int = 0, reverse: bool = False) -> Array:
    """The smallest of the elements up to each one along `axis` (from each one on, if `reverse`)."""
    return cummin_p.bind(operand, axis=int(axis), reverse=bool(reverse))


cummin_p = _cumulative("cummin", _running_extremum(np.minimum, negative=True))
cummin_p.jvp = _jvp_by_scan(lambda a, b: _on_pairs(min_p, a, b))


# ----------------------------------------------------------------- cumlogsumexp


def cumlogsumexp(operand: Any, axis: int = 0, reverse: bool = False) -> Array:
    """log(sum(exp(x))) of the elements up to each one along `axis` (from each one on, if `reverse`)."""
    return cumlogsumexp_p.bind(operand, axis=int(axis), reverse=bool(reverse))


def _logaddexp_pair(a: Pair, b: Pair) -> Pair:
    """log(exp(a) + exp(b)) with a tangent that is right for infinite operands as well."""
    out = log_of_sum(a[0], b[0], lambda difference: log1p(exp(difference)), math.pi)
    tangents = [mul(t, exp(sub(_without_inf(x), _without_inf(out)))) for x, t in (a, b)]
    return out, add(*tangents)


def log_of_sum(x: Any, y: Any, log_of_one_plus_power: Callable[[Any], Any], half_turn: float) -> Any:
    """log(exp(x) + exp(y)) without overflow, for the base in which `log_of_one_plus_power` takes log(1 + base**x).

    Imaginary parts come out between -half_turn and half_turn.
    """
    larger = max(x, y)
    if dtypes.is_complex(dtypes.dtype(larger)):
        out = add(larger, log_of_one_plus_power(sub(add(x, y), mul(larger, like(larger, 2)))))
        return complex(real(out), _wrapped(imag(out), half_turn))
    difference = sub(x, y)
    # NaN: one operand is NaN, or both are the same infinity, which is then the result, as is their sum.
    undefined = ne(difference, difference)
    return select(undefined, add(x, y), add(larger, log_of_one_plus_power(neg(abs(difference)))))


def _wrapped(x: Any, half: float) -> Any:
    """`x` less as many periods of 2 * half as bring it between -half and half."""
    period = like(x, 2 * half)
    rest = rem(add(x, like(x, half)), period)
    return sub(select(lt(rest, like(rest, 0)), add(rest, period), rest), like(x, half))


def _without_inf(x: Any) -> Any:
    infinite = eq(x, like(x, np.inf))
    return select(infinite, filled_like(x, 0), x)


def _running_logsumexp(x: np.ndarray, axis: int) -> np.ndarray:
    if x.dtype.kind != "c":
        return _running(np.logaddexp)(x, axis)
    out = np.moveaxis(x, axis, 0).copy()
    for i in range(1, len(out)):
        out[i] = complex_kernels.logaddexp(out[i - 1], out[i])
    return np.moveaxis(out, 0, axis)


cumlogsumexp_p = _cumulative("cumlogsumexp", _running_logsumexp, accepts="fc")
cumlogsumexp_p.jvp = _jvp_by_scan(_logaddexp_pair)
