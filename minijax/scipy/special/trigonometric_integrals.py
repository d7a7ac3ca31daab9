"""Integrals of sines and cosines: the sine and cosine integrals, and Fresnel's."""

from __future__ import annotations

from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import dtypes
from minijax.array import Array
from minijax.custom_derivatives import custom_jvp
from minijax.scipy.special.operands import float_array, horner, real_arrays

__all__ = ["fresnel", "sici"]

Table = tuple[float, ...]


def _ratio(x: Array, numerator: Table, denominator: Table) -> Array:
    return horner(x, numerator) / horner(x, denominator)


# ----------------------------------------------------------------- sici

# Numerators and denominators of Cephes: of both integrals in x**2 up to 4, and of the auxiliary functions f and g
# in 1 / x**2 up to 8 and above.
_SN = (
    -8.391678279103039e-11, 4.625917144270128e-08, -9.757593038436328e-06, 0.0009769454381704354,
    -0.04134703162294066, 1.0,
)  # fmt: skip
_SD = (
    2.0326926619595193e-12, 1.279978911799433e-09, 4.418278428012189e-07, 9.964121220438756e-05,
    0.01420852393261499, 1.0,
)  # fmt: skip
_CN = (
    2.0252400238910228e-11, -1.3524950491579076e-08, 3.593250514199931e-06, -0.0004740072068734079,
    0.028915965260755523, -1.0,
)  # fmt: skip
_CD = (
    4.077460400618806e-12, 3.067809975818878e-09, 1.2321035568588342e-06, 0.00031744202477503275,
    0.051002805623644606, 4.0,
)  # fmt: skip
_FN4 = (
    4.236128628922166, 5.4593771716181285, 1.6208328770153833, 0.16700661183132304, 0.006810201324725182,
    0.00010893658065032867, 5.489002234213736e-07,
)  # fmt: skip
_FD4 = (
    1.0, 8.16496634205391, 7.308288225055645, 1.867922579501842, 0.1787920529631499, 0.007017106683227897,
    0.00011003435715391573, 5.489002527562557e-07,
)  # fmt: skip
_GN4 = (
    0.08710016989731142, 0.6113791099522193, 0.3971802963923375, 0.07485277376284691, 0.005388686814621773,
    0.00016199979459893403, 1.9796387414096365e-06, 7.825790407440903e-09,
)  # fmt: skip
_GD4 = (
    1.0, 1.6440220241335535, 0.666296701268988, 0.09887717612776888, 0.006223963454417684, 0.0001732210814741771,
    2.0265918208634397e-06, 7.825792189335346e-09,
)  # fmt: skip
_FN8 = (
    0.4558808734704653, 0.7137152741001467, 0.16030015822231947, 0.01160642294081244, 0.00034955644244785906,
    4.8621543082645475e-06, 3.200927900910049e-08, 9.41779576128513e-11, 9.70507110881952e-14,
)  # fmt: skip
_FD8 = (
    1.0, 0.9174636118736841, 0.17868554533207454, 0.012225359477197129, 0.00035869648188185157,
    4.924350643178815e-06, 3.21956939101046e-08, 9.437205903502767e-11, 9.70507110881952e-14,
)  # fmt: skip
_GN8 = (
    0.6973599534432762, 0.33041097930563207, 0.03848787676499743, 0.001717182390523479, 3.4894116550227946e-05,
    3.471311670841167e-07, 1.7040445278204452e-09, 3.859459254302766e-12, 3.1404009894636335e-15,
)  # fmt: skip
_GD8 = (
    1.0, 1.6854889881101165, 0.48785225869530496, 0.04679131942596258, 0.0019028442667439953, 3.684755044425611e-05,
    3.5704322344374083e-07, 1.7269374896631615e-09, 3.878301660239547e-12, 3.1404009894636335e-15,
)  # fmt: skip


@custom_jvp
def sici(x: Any) -> tuple[Array, Array]:
    """The sine integral and the cosine integral: of sin(t) / t from 0 to x, of cos(t) / t from infinity to x."""
    (x,) = real_arrays("sici", x)
    size = jnp.abs(x)
    near, far = size <= 4, size > 1e9
    si, ci = _sici_by_auxiliaries(size)
    si_near, ci_near = _sici_near(size)
    si = jnp.where(near, si_near, jnp.where(far, np.pi / 2 - jnp.cos(size) / size, si))
    ci = jnp.where(near, ci_near, jnp.where(far, jnp.sin(size) / size, ci))
    si = jnp.where(size == np.inf, np.pi / 2, si)
    ci = jnp.where(size == np.inf, 0.0, ci)
    return jnp.sign(x) * si, jnp.where(x == -np.inf, np.nan, ci)


def _sici_near(x: Array) -> tuple[Array, Array]:
    t = x * x
    si = jnp.where(x == 0, 0.0, x * _ratio(t, _SN, _SD))
    ci = jnp.where(x == 0, -np.inf, np.euler_gamma + jnp.log(x) + t * _ratio(t, _CN, _CD))
    return si, ci


def _sici_by_auxiliaries(x: Array) -> tuple[Array, Array]:
    sine, cosine = jnp.sin(x), jnp.cos(x)
    z = 1.0 / (x * x)
    f = jnp.where(x < 8.0, _ratio(z, _FN4, _FD4), _ratio(z, _FN8, _FD8)) / x
    g = z * jnp.where(x < 8.0, _ratio(z, _GN4, _GD4), _ratio(z, _GN8, _GD8))
    return np.pi / 2 - f * cosine - g * sine, f * sine - g * cosine


@sici.defjvp
def _sici_jvp(primals: tuple[Any], tangents: tuple[Any]) -> Any:
    (x,), (t,) = primals, tangents
    return sici(x), (jnp.sinc(x / np.pi) * t, jnp.cos(x) / x * t)


# ----------------------------------------------------------------- fresnel

# Polynomials (float32), numerators and denominators (float64) of Cephes: of both integrals in x**4 up to x**2 = 2.5625,
# and of the auxiliary functions f and g in 1 / (pi x**2)**2 above.
_FRESNEL_S32 = (
    1.6476294637887e-09, -1.522754752581096e-07, 8.4247488085024e-06, -0.0003120693124703272, 0.007244727626597022,
    -0.09228055941124598, 0.5235987735681432,
)  # fmt: skip
_FRESNEL_C32 = (
    1.416802502367354e-08, -1.157231412229871e-06, 5.387223446683264e-05, -0.001604381798862293,
    0.02818489036795073, -0.2467398198317899, 0.9999999760004487,
)  # fmt: skip
_FRESNEL_F32 = (
    -1903009855649.792, 135594238805.0252, -4158143148.511033, 73438484.63587323, -873235.6681548485,
    8560.51546627547, -103.2877601091159, 2.999401847870011,
)  # fmt: skip
_FRESNEL_G32 = (
    -186084399762.465, 12783506733.93208, -377938771.3202229, 6492611.570598858, -77877.89623358162,
    860.2931494734327, -14.93439396592284, 0.9999841934744914,
)  # fmt: skip
_FRESNEL_SN = (
    -2991.8191940101983, 708840.0452577386, -62974148.62058625, 2548908805.7337637, -44297951805.96978,
    318016297876.5678,
)  # fmt: skip
_FRESNEL_SD = (
    1.0, 281.3762688899943, 45584.78108065326, 5173438.887700964, 419320245.8981112, 22441179564.534092,
    607366389490.0846,
)  # fmt: skip
_FRESNEL_CN = (
    -4.9884311457357354e-08, 9.504280628298596e-06, -0.0006451914356839651, 0.018884331939670384,
    -0.20552590095501388, 1.0,
)  # fmt: skip
_FRESNEL_CD = (
    3.99982968972496e-12, 9.154392157746574e-10, 1.2500186247959882e-07, 1.2226278902417902e-05,
    0.0008680295429417843, 0.04121420907221998, 1.0,
)  # fmt: skip
_FRESNEL_FN = (
    0.4215435550436775, 0.1434079197807589, 0.011522095507358577, 0.000345017939782574, 4.6361374928786735e-06,
    3.055689837902576e-08, 1.0230451416490724e-10, 1.7201074326816183e-13, 1.3428327623306275e-16,
    3.763297112699879e-20,
)  # fmt: skip
_FRESNEL_FD = (
    1.0, 0.7515863983533789, 0.11688892585919138, 0.0064405152650885865, 0.00015593440916415301,
    1.8462756734893055e-06, 1.1269922476399903e-08, 3.6014002958937136e-11, 5.887545336215784e-14,
    4.5200143407412973e-17, 1.2544323709001127e-20,
)  # fmt: skip
_FRESNEL_GN = (
    0.5044420736433832, 0.1971028335255234, 0.018764858409257526, 0.0006840793809153931, 1.1513882611188428e-05,
    9.828524436884223e-08, 4.4534441586175015e-10, 1.0826804113902088e-12, 1.375554606332618e-15,
    8.363544356306774e-19, 1.8695871016278324e-22,
)  # fmt: skip
_FRESNEL_GD = (
    1.0, 1.4749575992512833, 0.33774898912002, 0.02536037414203388, 0.0008146791071843061, 1.2754507566772912e-05,
    1.0431458965757199e-07, 4.6068072814652043e-10, 1.1027321506624028e-12, 1.3879653125957886e-15,
    8.391588162831187e-19, 1.8695871016278324e-22,
)  # fmt: skip
_ONE = (0.0, 1.0)
_TABLES32 = ((_FRESNEL_S32, _ONE), (_FRESNEL_C32, _ONE), (_FRESNEL_F32, _ONE), (_FRESNEL_G32, _ONE))
_TABLES64 = (
    (_FRESNEL_SN, _FRESNEL_SD),
    (_FRESNEL_CN, _FRESNEL_CD),
    (_FRESNEL_FN, _FRESNEL_FD),
    (_FRESNEL_GN, _FRESNEL_GD),
)


@custom_jvp
def fresnel(x: Any) -> tuple[Array, Array]:
    """Fresnel's integrals S and C: of sin(pi t**2 / 2) and of cos(pi t**2 / 2) from 0 to x."""
    x = float_array("fresnel", x)
    if dtypes.kind(x.dtype) == "c":
        raise NotImplementedError("fresnel of complex numbers is not implemented: give it real ones.")
    dtype = x.dtype
    signed = x if dtype == np.float64 else x.astype(np.float32)
    s, c = _fresnel_right(jnp.abs(signed), _TABLES64 if dtype == np.float64 else _TABLES32)
    negative = signed < 0
    return jnp.where(negative, -s, s).astype(dtype), jnp.where(negative, -c, c).astype(dtype)


def _fresnel_right(x: Array, tables: Any) -> tuple[Array, Array]:
    s_table, c_table, f_table, g_table = tables
    square = x * x
    t = square * square
    s_near, c_near = x * square * _ratio(t, *s_table), x * _ratio(t, *c_table)

    sine, cosine = _half_pi_squared(x)
    u = np.pi * square
    f = 1.0 - _ratio(1.0 / (u * u), *f_table) / (u * u)
    g = _ratio(1.0 / (u * u), *g_table) / u
    s = 0.5 - (f * cosine + g * sine) / (np.pi * x)
    c = 0.5 + (f * sine - g * cosine) / (np.pi * x)
    if x.dtype == np.float64:
        s_far, c_far = 0.5 - cosine / (np.pi * x), 0.5 + sine / (np.pi * x)
    else:
        s_far = c_far = 0.5
    near, far = square < 2.5625, x > 36974.0
    s = jnp.where(near, s_near, jnp.where(far, s_far, s))
    c = jnp.where(near, c_near, jnp.where(far, c_far, c))
    return jnp.where(x == np.inf, 0.5, s), jnp.where(x == np.inf, 0.5, c)


def _half_pi_squared(x: Array) -> tuple[Array, Array]:
    """sin(pi x**2 / 2) and cos(pi x**2 / 2), of x**2 / 2 modulo 2 without loss of digits."""
    s = jnp.fmod(x, 2.0)
    r = jnp.fmod(s * (x - s / 2), 2.0)
    sine = jnp.where(
        r < 0.5,
        jnp.sin(np.pi * r),
        jnp.where(r > 1.5, jnp.sin(np.pi * (r - 2.0)), -jnp.sin(np.pi * (r - 1.0))),
    )
    cosine = jnp.where(r < 1.0, -jnp.sin(np.pi * (r - 0.5)), jnp.sin(np.pi * (r - 1.5)))
    return sine, jnp.where(r == 0.5, 0.0, cosine)


@fresnel.defjvp
def _fresnel_jvp(primals: tuple[Any], tangents: tuple[Any]) -> Any:
    (x,), (t,) = primals, tangents
    sine, cosine = _half_pi_squared(x)
    return fresnel(x), (sine * t, cosine * t)
