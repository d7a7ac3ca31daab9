"""Spence's function."""

from __future__ import annotations

from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax.array import Array
from minijax.scipy.special.operands import horner, single_or_double

__all__ = ["spence"]

# Numerator and denominator of Cephes, in w with |w| <= 1/2.
_N = (
    4.6512858607399003e-05, 0.007315890452380947, 0.13384763957830903, 0.8796913117545303, 2.7114985119655346,
    4.256971560081218, 3.297713409852251, 1.0,
)  # fmt: skip
_D = (
    0.0006909904889125533, 0.02540437639325444, 0.2829748606025681, 1.4117259775183106, 3.6380053334513707,
    5.03278880143317, 3.547713409852251, 1.0,
)  # fmt: skip


def spence(x: Any) -> Array:
    """The integral of log(t) / (1 - t) from 1 to x, for x >= 0. TypeError for anything but float32 and float64."""
    x = jnp.asarray(x)
    single_or_double("spence", x)
    regular = (x > 0) & (x != 1.0)
    value = _regular(jnp.where(regular, x, 2.0))
    value = jnp.where(x == 1.0, 0.0, jnp.where(x == 0.0, np.pi**2 / 6, value))
    return jnp.where(x < 0, np.nan, jnp.where(jnp.isnan(x), x, value))


def _regular(x: Array) -> Array:
    """Large x become 1 / x, small ones 1 - x, by the functional equations."""
    inverted = x > 1.5
    x = jnp.where(x > 2.0, 1.0 / x, x)
    large, small = x > 1.5, x < 0.5
    w = jnp.where(large, 1.0 / x - 1.0, jnp.where(small, -x, x - 1.0))
    value = -w * horner(w, _N) / horner(w, _D)
    value = jnp.where(small, np.pi**2 / 6.0 - jnp.log(x) * jnp.log(jnp.where(small, 1.0 - x, 1.0)) - value, value)
    return jnp.where(inverted, -0.5 * jnp.log(x) ** 2 - value, value)
