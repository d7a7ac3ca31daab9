"""Modified Bessel functions of the first kind, scaled by exp(-|x|) so that they do not overflow.

Everything is computed in float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.core import get_aval
from minijax.primitives.arithmetic import abs as lax_abs
from minijax.primitives.arithmetic import add, integer_pow, mul, sign, sub
from minijax.primitives.comparison import gt
from minijax.primitives.families import def_jvp, filled_like, in_float64, like, unary
from minijax.primitives.selection import select

__all__ = ["bessel_i0e", "bessel_i1e"]

# Chebyshev coefficients, computed with 90 digits, as Cephes (S. Moshier, 1984) and XLA use them:
#   exp(-x) I0(x) and exp(-x) I1(x) / x    in x / 4 - 1     for 0 <= x <= 8
#   exp(-x) sqrt(x) I0(x), the same of I1  in 16 / x - 1    for x > 8
_I0_NEAR = (
    6.7679527440947607e-01, -3.0468267234319840e-01, 1.7162090152220877e-01, -9.4901097048047639e-02,
    4.9305284239670712e-02, -2.3737414805899471e-02, 1.0546460394594998e-02, -4.3243099950505759e-03,
    1.6394756169413357e-03, -5.7637557453858236e-04, 1.8850288509584165e-04, -5.7541950100821040e-05,
    1.6448448070728896e-05, -4.4167383584587505e-06, 1.1173875391201037e-06, -2.6707938539406119e-07,
    6.0469950225419186e-08, -1.3000250099862480e-08, 2.6598237246823866e-09, -5.1897956016352627e-10,
    9.6758090353732370e-11, -1.7268262914415559e-11, 2.9550526631296399e-12, -4.8564467831119290e-13,
    7.6761854986049361e-14, -1.1685332877993451e-14, 1.7153912855551331e-15, -2.4312798465479549e-16,
    3.3307945188222384e-17, -4.4153416464793395e-18,
)  # fmt: skip
_I0_FAR = (
    8.0449041101410879e-01, 3.3691164782556943e-03, 6.8897583469168245e-05, 2.8913705208347567e-06,
    2.0489185894690638e-07, 2.2666689904981780e-08, 3.3962320257083865e-09, 4.9406023882249701e-10,
    1.1889147107846439e-11, -3.1499165279632416e-11, -1.3215811840447713e-11, -1.7941785315068062e-12,
    7.1801244513836660e-13, 3.8527783827421426e-13, 1.5400862175214100e-14, -4.1505693472872222e-14,
    -9.5548466988283073e-15, 3.8116806693526224e-15, 1.7725601330565263e-15, -3.4254856196772190e-16,
    -2.8276239805165836e-16, 3.4612228676974612e-17, 4.4656214202967598e-17, -4.8305044859441819e-18,
    -7.2331804878747538e-18,
)  # fmt: skip
_I1_NEAR = (
    2.5258718644363365e-01, -1.7641651835783406e-01, 1.0264365868984709e-01, -5.2945981208094989e-02,
    2.4726449030626516e-02, -1.0564084894626197e-02, 4.1564229443128882e-03, -1.5135724506312532e-03,
    5.1228595616857576e-04, -1.6176081582589674e-04, 4.7815651075500542e-05, -1.3273163656039436e-05,
    3.4702513081376785e-06, -8.5687202646954547e-07, 2.0032947535521353e-07, -4.4450591287963281e-08,
    9.3815373864957726e-09, -1.8872497517228294e-09, 3.6255902815521172e-10, -6.6634897235020271e-11,
    1.1736186298890901e-11, -1.9839743977649436e-12, 3.2237933659455748e-13, -5.0421855047279118e-14,
    7.6006842947354077e-15, -1.1055969477353862e-15, 1.5536319577362005e-16, -2.1114212143581660e-17,
    2.7779141127610464e-18,
)  # fmt: skip
_I1_FAR = (
    7.7857623501828011e-01, -9.7610974913614687e-03, -1.1058893876262371e-04, -3.8825648088776906e-06,
    -2.5122362378702088e-07, -2.6314688468895196e-08, -3.8353803859642370e-09, -5.5897434621965838e-10,
    -1.8974958123505413e-11, 3.2526035830154884e-11, 1.4125807436613782e-11, 2.0356285441470896e-12,
    -7.1985517762459084e-13, -4.0835511110921974e-13, -2.1015418427726643e-14, 4.2724400167119510e-14,
    1.0420276984128802e-14, -3.8144030724370075e-15, -1.8803547755107825e-15, 3.3082023109209285e-16,
    2.9626289976459501e-16, -3.2095259219934238e-17, -4.6503053684893586e-17, 4.4143483230717077e-18,
    7.5172963108421052e-18,
)  # fmt: skip


def _chebyshev(x: np.ndarray, coefficients: tuple[float, ...]) -> np.ndarray:
    """c0 / 2 + c1 T1(x / 2) + c2 T2(x / 2) + ..., by Clenshaw's recurrence."""
    b0 = b1 = b2 = np.zeros_like(x)
    for c in reversed(coefficients):
        b0, b1, b2 = x * b0 - b1 + c, b0, b1
    return 0.5 * (b0 - b2)


def _scaled_bessel(
    x: np.ndarray, near: tuple[float, ...], far: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """|x|, and what the two expansions make of it."""
    x = np.abs(x)
    far_x = np.maximum(x, 8.0)
    return x, _chebyshev(0.5 * np.minimum(x, 8.0) - 2.0, near), _chebyshev(32.0 / far_x - 2.0, far) / np.sqrt(far_x)


# ----------------------------------------------------------------- bessel_i0e


def bessel_i0e(x: Any) -> Array:
    """exp(-|x|) I0(x), I0 being the modified Bessel function of order 0."""
    return bessel_i0e_p.bind(x)


def _i0e_kernel(x: np.ndarray) -> np.ndarray:
    size, small, large = _scaled_bessel(x, _I0_NEAR, _I0_FAR)
    return np.where(size <= 8, small, large)


bessel_i0e_p = unary("bessel_i0e", in_float64(_i0e_kernel), accepts="f")
def_jvp(bessel_i0e_p, lambda t, out, x: mul(t, sub(bessel_i1e(x), mul(sign(x), out))), with_out=True)


# ----------------------------------------------------------------- bessel_i1e


def bessel_i1e(x: Any) -> Array:
    """exp(-|x|) I1(x), I1 being the modified Bessel function of order 1."""
    return bessel_i1e_p.bind(x)


def _i1e_kernel(x: np.ndarray) -> np.ndarray:
    size, small, large = _scaled_bessel(x, _I1_NEAR, _I1_FAR)
    return np.copysign(np.where(size <= 8, small * size, large), x)


def _i1e_tangent(t: Any, out: Any, x: Any) -> Any:
    """I1' = I0 - I1 / x, whose limit at 0 is 1/2."""
    eps = dtypes.finfo(get_aval(x).dtype).eps
    is_far = gt(lax_abs(x), like(x, eps))
    safe = select(is_far, x, filled_like(x, eps))
    slope = sub(bessel_i0e(safe), mul(out, add(sign(safe), integer_pow(safe, -1))))
    return mul(t, select(is_far, slope, filled_like(x, 0.5)))


bessel_i1e_p = unary("bessel_i1e", in_float64(_i1e_kernel), accepts="f")
def_jvp(bessel_i1e_p, _i1e_tangent, with_out=True)
