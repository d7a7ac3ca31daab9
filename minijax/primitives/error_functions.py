"""The error function, its complement and its inverse, which NumPy has not. float16 is computed in float32."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minijax.array import Array
from minijax.core import Primitive
from minijax.primitives.arithmetic import mul, neg, square
from minijax.primitives.families import def_jvp, in_float32, like, unary
from minijax.primitives.transcendental import exp

__all__ = ["erf", "erf_inv", "erfc"]

Kernel = Callable[[np.ndarray], np.ndarray]


def _special(name: str, kernel: Kernel) -> Primitive:
    return unary(name, in_float32(kernel), accepts="f")


def _polynomial(x: np.ndarray, coefficients: tuple[float, ...]) -> np.ndarray:
    """The polynomial with these coefficients, that of the lowest power first, by Horner's rule."""
    constants = [x.dtype.type(c) for c in coefficients]
    out = x * constants[-1]
    out += constants[-2]
    for c in constants[-3::-1]:
        out *= x
        out += c
    return out


def _replace_where(condition: np.ndarray, x: np.ndarray, out: np.ndarray, kernel: Kernel) -> np.ndarray:
    """`out`, which must be a fresh array, with kernel(x) where the condition holds."""
    out = np.asarray(out)
    if condition.any():
        out[condition] = kernel(x[condition])
    return out


# ----------------------------------------------------------------- erf and erfc

# erf(x) = x P(x**2) for |x| < 1, and erfc(x) = exp(-x**2) R(t) / (1 + 2 x) for x >= 1/2 with
# t = 1 - (1 + 2 d) / (x + d), which runs from -1 to 1 (the form is Shepherd and Laframboise's, 1981).
# P and R interpolate at Chebyshev nodes; their coefficients were computed with 70 digits.
_P32 = (
    1.12837917e00, -3.76126267e-01, 1.12835947e-01, -2.68542120e-02, 5.18908742e-03, -8.01686429e-04,
    7.87587506e-05,
)  # fmt: skip
_R32 = (
    1.23299514e00, -1.22168448e-01, -3.49684832e-03, 4.66531288e-02, -4.17995748e-02, 2.28135699e-02,
    -8.09465909e-03, 1.35835956e-03, 2.75863401e-04, -1.57397319e-04,
)  # fmt: skip
_P64 = (
    1.1283791670955126e00, -3.7612638903183543e-01, 1.1283791670945006e-01, -2.6866170643237770e-02,
    5.2239776071164225e-03, -8.5483259753896918e-04, 1.2055294904839707e-04, -1.4924736907419661e-05,
    1.6447424703317362e-06, -1.6208483801871705e-07, 1.3720064546777686e-08, -7.7958988270021425e-10,
)  # fmt: skip
_R64 = (
    1.2248480427384141e00, -1.2151742209372261e-01, 1.2843991297840475e-02, 3.4816131768493040e-02,
    -4.1214571914491259e-02, 2.9321169309282965e-02, -1.5249158997050876e-02, 5.8259972639981622e-03,
    -1.4437073518848576e-03, 8.5600232209069065e-05, 9.6539070332105488e-05, -3.5843264601007611e-05,
    -6.7558851987078513e-07, 3.9412278390198082e-06, -6.3676683824911988e-07, -3.6656129200202234e-07,
    1.1987327372318115e-07, 3.4595570620004833e-08, -1.5918713825404450e-08, -3.3690888310624200e-09,
    1.2983207927545358e-09, 2.4614201034143172e-10,
)  # fmt: skip


def _erf_near(x: np.ndarray) -> np.ndarray:
    return x * _polynomial(x * x, _P32 if x.dtype.itemsize == 4 else _P64)


def _erfc_far(x: np.ndarray) -> np.ndarray:
    d, coefficients = (3.0, _R32) if x.dtype.itemsize == 4 else (3.5, _R64)
    number = x.dtype.type
    t = number(1) - number(1 + 2 * d) / (x + number(d))
    return np.exp(-x * x) * _polynomial(t, coefficients) / (number(1) + x + x)


def erf(x: Any) -> Array:
    """The error function: 2 / sqrt(pi) times the integral of exp(-s**2) from 0 to x."""
    return erf_p.bind(x)


def _erf_kernel(x: np.ndarray) -> np.ndarray:
    far = ~(np.abs(x) < 1)
    return _replace_where(far, x, _erf_near(x), _erf_far)


def _erf_far(x: np.ndarray) -> np.ndarray:
    return np.copysign(x.dtype.type(1) - _erfc_far(np.abs(x)), x)


erf_p = _special("erf", _erf_kernel)
def_jvp(erf_p, lambda t, x: mul(like(x, 2 / math.sqrt(math.pi)), mul(t, exp(neg(square(x))))))


def erfc(x: Any) -> Array:
    """1 - erf(x), accurate where that is small."""
    return erfc_p.bind(x)


def _erfc_kernel(x: np.ndarray) -> np.ndarray:
    far = ~(np.abs(x) < x.dtype.type(0.5))
    return _replace_where(far, x, x.dtype.type(1) - _erf_near(x), _erfc_both_sides)


def _erfc_both_sides(x: np.ndarray) -> np.ndarray:
    tail = _erfc_far(np.abs(x))
    return np.where(x < 0, x.dtype.type(2) - tail, tail)


erfc_p = _special("erfc", _erfc_kernel)
def_jvp(erfc_p, lambda t, x: mul(like(x, -2 / math.sqrt(math.pi)), mul(t, exp(neg(square(x))))))

# ----------------------------------------------------------------- erf_inv

# x times a polynomial in w = -log(1 - x**2), or in its square root where w is large; the coefficients,
# that of the highest power first, are from M. Giles, "Approximating the erfinv function" (2011). XLA has
# the same.
_GILES32 = (
    (5.0, 2.5, 3.0),
    (
        2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503,
        -0.00417768164, 0.246640727, 1.50140941,
    ),
    (
        -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613,
        0.00943887047, 1.00167406, 2.83297682,
    ),
)  # fmt: skip
_GILES64 = (
    (6.25, 3.125, 3.25),
    (
        -3.6444120640178196996e-21, -1.685059138182016589e-19, 1.2858480715256400167e-18,
        1.115787767802518096e-17, -1.333171662854620906e-16, 2.0972767875968561637e-17,
        6.6376381343583238325e-15, -4.0545662729752068639e-14, -8.1519341976054721522e-14,
        2.6335093153082322977e-12, -1.2975133253453532498e-11, -5.4154120542946279317e-11,
        1.051212273321532285e-09, -4.1126339803469836976e-09, -2.9070369957882005086e-08,
        4.2347877827932403518e-07, -1.3654692000834678645e-06, -1.3882523362786468719e-05,
        0.0001867342080340571352, -0.00074070253416626697512, -0.0060336708714301490533,
        0.24015818242558961693, 1.6536545626831027356,
    ),
    (
        2.2137376921775787049e-09, 9.0756561938885390979e-08, -2.7517406297064545428e-07,
        1.8239629214389227755e-08, 1.5027403968909827627e-06, -4.013867526981545969e-06,
        2.9234449089955446044e-06, 1.2475304481671778723e-05, -4.7318229009055733981e-05,
        6.8284851459573175448e-05, 2.4031110387097893999e-05, -0.0003550375203628474796,
        0.00095328937973738049703, -0.0016882755560235047313, 0.0024914420961078508066,
        -0.0037512085075692412107, 0.005370914553590063617, 1.0052589676941592334,
        3.0838856104922207635,
    ),
)  # fmt: skip
# float64 alone goes on to w >= 16, in sqrt(w) - 5.
_GILES64_TAIL = (
    -2.7109920616438573243e-11, -2.5556418169965252055e-10, 1.5076572693500548083e-09,
    -3.7894654401267369937e-09, 7.6157012080783393804e-09, -1.4960026627149240478e-08,
    2.9147953450901080826e-08, -6.7711997758452339498e-08, 2.2900482228026654717e-07,
    -9.9298272942317002539e-07, 4.5260625972231537039e-06, -1.9681778105531670567e-05,
    7.5995277030017761139e-05, -0.00021503011930044477347, -0.00013871931833623122026,
    1.0103004648645343977, 4.8499064014085844221,
)  # fmt: skip


def erf_inv(x: Any) -> Array:
    """The inverse of erf; infinite at -1 and 1, NaN outside."""
    return erf_inv_p.bind(x)


def _erf_inv_kernel(x: np.ndarray) -> np.ndarray:
    narrow = x.dtype.itemsize == 4
    (limit, center, root_center), central, outer = _GILES32 if narrow else _GILES64
    number = x.dtype.type
    w = -np.log1p(-x * x)
    factor = _polynomial(w - number(center), central[::-1])
    factor = _replace_where(
        w >= number(limit), w, factor, lambda v: _polynomial(np.sqrt(v) - number(root_center), outer[::-1])
    )
    if not narrow:
        factor = _replace_where(w >= 16, w, factor, lambda v: _polynomial(np.sqrt(v) - number(5), _GILES64_TAIL[::-1]))
    return np.where(np.abs(x) == 1, x * number(np.inf), factor * x)


erf_inv_p = _special("erf_inv", _erf_inv_kernel)
def_jvp(
    erf_inv_p,
    lambda t, out, x: mul(like(x, math.sqrt(math.pi) / 2), mul(t, exp(square(out)))),
    with_out=True,
)
