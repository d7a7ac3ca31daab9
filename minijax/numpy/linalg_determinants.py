"""Determinants, of jax.numpy.linalg."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minijax import lax
from minijax.api import jit
from minijax.array import Array
from minijax.custom_derivatives import custom_jvp
from minijax.numpy.arithmetic import absolute, sign
from minijax.numpy.creation import zeros_like
from minijax.numpy.diagonals import diagonal, trace
from minijax.numpy.exponential import exp, log
from minijax.numpy.joining import concatenate
from minijax.numpy.linalg_decompositions import inexact
from minijax.numpy.linalg_equations import solve
from minijax.numpy.logic import isfinite, real
from minijax.numpy.places import where
from minijax.numpy.reductions import count_nonzero, prod
from minijax.numpy.reductions import sum as sum_of
from minijax.numpy.taking import take_along_axis
from minijax.primitives.qr import geqrf

__all__ = ["SlogdetResult", "det", "slogdet"]


class SlogdetResult(NamedTuple):
    """What `slogdet` returns."""

    sign: Array
    logabsdet: Array


def _square(fun_name: str, a: Any) -> Array:
    a = inexact(fun_name, a)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ValueError(f"jnp.linalg.{fun_name}: the argument must have shape [..., n, n], got {a.shape}.")
    return a


def _is_complex(x: Any) -> bool:
    return x.dtype.kind == "c"


def _parity(lu: Array, pivots: Array) -> Array:
    """Of how many swaps the row permutation of an LU decomposition consists."""
    places = lax.expand_dims(lax.iota(pivots.dtype, lu.shape[-1]), range(pivots.ndim - 1))
    return count_nonzero(pivots != places, axis=-1)


# ----------------------------------------------------------------- slogdet


def slogdet(a: Any, *, method: str | None = None) -> SlogdetResult:
    """The sign (for complex matrices a number of absolute value 1) and the logarithm of the absolute determinant.

    It is (0, -inf) for singular matrices. method: 'lu' (None), or 'qr' for real matrices.
    Raises ValueError for matrices that are not square, and another method.
    """
    a = _square("slogdet", a)
    if method in (None, "lu"):
        return SlogdetResult(*(_slogdet_small if a.shape[-1] in (1, 2) else _slogdet_lu)(a))
    if method == "qr":
        return SlogdetResult(*_slogdet_qr(a))
    raise ValueError(f"slogdet: unknown method {method!r}. Supported methods are 'lu' (None) and 'qr'.")


@custom_jvp
def _slogdet_small(a: Array) -> tuple[Array, Array]:
    """By the formulas for one and two rows."""
    value = a[..., 0, 0] if a.shape[-1] == 1 else _det_2x2(a)
    return sign(value), real(log(absolute(value)))


@_slogdet_small.defjvp
def _slogdet_small_jvp(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    if x.shape[-1] == 1:
        ratio = t[..., 0, 0] / x[..., 0, 0]
    else:
        change = t[..., 0, 0] * x[..., 1, 1] - t[..., 0, 1] * x[..., 1, 0]
        change = change - t[..., 1, 0] * x[..., 0, 1] + t[..., 1, 1] * x[..., 0, 0]
        ratio = change / _det_2x2(x)
    out = _slogdet_small(x)
    return out, _slogdet_tangents(out[0], ratio)


def _slogdet_tangents(sign: Array, ratio: Array) -> tuple[Array, Array]:
    """From the relative change of the determinant: its real part changes the size, the imaginary one the sign."""
    if not _is_complex(ratio):
        return zeros_like(sign), ratio
    return (ratio - real(ratio).astype(ratio.dtype)) * sign, real(ratio)


@custom_jvp
def _slogdet_lu(a: Array) -> tuple[Array, Array]:
    """By LU decomposition, whose diagonal gives the determinant up to the sign of the permutation."""
    lu, pivots, _ = lax.linalg.lu(a)
    number = a.dtype.type
    diag = diagonal(lu, axis1=-2, axis2=-1)
    singular = (diag == number(0)).any(-1)
    parity = _parity(lu, pivots)
    if _is_complex(a):
        turn = prod(diag / absolute(diag).astype(diag.dtype), axis=-1)
    else:
        turn = number(1)
        parity = parity + count_nonzero(diag < 0, axis=-1)
    signs = where(singular, number(0), turn * (-2 * (parity % 2) + 1).astype(a.dtype))
    logs = sum_of(log(absolute(diag)).astype(a.dtype), axis=-1)
    return signs, real(where(singular, number(-np.inf), logs))


@custom_jvp
def _slogdet_qr(a: Array) -> tuple[Array, Array]:
    """By QR decomposition. Each reflection has the determinant -1."""
    if _is_complex(a):
        raise NotImplementedError("slogdet: method='qr' is not implemented for complex matrices. Use 'lu'.")
    triangle, taus = geqrf(a)
    diag = diagonal(triangle, axis1=-2, axis2=-1)
    reflections = prod(where(taus[..., : a.shape[-1] - 1] != 0, -1, 1), axis=-1)
    signs = prod(sign(diag), axis=-1)
    return signs * reflections.astype(signs.dtype), sum_of(log(absolute(diag)), axis=-1)


def _slogdet_jvp(primals: Any, tangents: Any) -> Any:
    """The relative change of the determinant is the trace of inv(x) dx."""
    (x,), (t,) = primals, tangents
    out = slogdet(x)
    return tuple(out), _slogdet_tangents(out.sign, trace(solve(x, t), axis1=-1, axis2=-2))


_slogdet_lu.defjvp(_slogdet_jvp)
_slogdet_qr.defjvp(_slogdet_jvp)

# ----------------------------------------------------------------- det


def det(a: Any) -> Array:
    """The determinants of square matrices; ValueError for others.

    The derivative is right for singular matrices too.
    """
    return _det_by_size(_square("det", a))


@jit
def _det_by_size(a: Array) -> Array:
    if a.shape[-1] == 2:
        return _det_2x2(a)
    return _det_3x3(a) if a.shape[-1] == 3 else _det(a)


def _det_2x2(a: Array) -> Array:
    return a[..., 0, 0] * a[..., 1, 1] - a[..., 0, 1] * a[..., 1, 0]


def _det_3x3(a: Array) -> Array:
    """Sarrus' rule: three diagonals down, less three up."""

    def term(i: int, j: int, k: int) -> Array:
        return a[..., 0, i] * a[..., 1, j] * a[..., 2, k]

    return term(0, 1, 2) + term(1, 2, 0) + term(2, 0, 1) - term(2, 1, 0) - term(0, 2, 1) - term(1, 0, 2)


@custom_jvp
def _det(a: Array) -> Array:
    signs, logs = slogdet(a)
    return signs * exp(logs).astype(signs.dtype)


@_det.defjvp
def _det_jvp(primals: Any, tangents: Any) -> Any:
    value, change = _adjugate_times(*primals, *tangents)
    return value, trace(change, axis1=-1, axis2=-2)


def _adjugate_times(a: Array, b: Array) -> tuple[Array, Array]:
    """The determinant of `a`, and adjugate(a) b = det(a) inv(a) b, which exists for singular matrices as well.

    The last pivot, which is the one to be zero, is kept out of the division: the others' product is the
    cofactor that stands in its place. Where more than one pivot is zero the adjugate is zero.
    """
    n = a.shape[-1]
    if n == 1:
        return a[..., 0, 0], b
    lu, pivots, permutation = lax.linalg.lu(a)
    swaps = (-2 * (_parity(lu, pivots) % 2) + 1).astype(a.dtype)
    products = lax.cumprod(diagonal(lu, axis1=-2, axis2=-1), lu.ndim - 2) * swaps[..., None]
    whole = products[..., -1]
    lu = lu.at[..., -1, -1].set(1 / products[..., -2])
    probe = lax.linalg.triangular_solve(lu, lax.full(b.shape[:-1], 1, b.dtype), left_side=True, lower=False)
    regular = isfinite(probe).all(-1)[..., None, None]
    x = take_along_axis(where(regular, b, 0), permutation[..., None], axis=-2)
    x = lax.linalg.triangular_solve(lu, x, left_side=True, lower=True, unit_diagonal=True)
    x = concatenate((x[..., :-1, :] * whole[..., None, None], x[..., -1:, :]), axis=-2)
    x = lax.linalg.triangular_solve(lu, x, left_side=True, lower=False)
    return whole, where(regular, x, 0)
