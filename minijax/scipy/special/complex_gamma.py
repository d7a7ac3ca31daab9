"""The gamma function of complex numbers, by Lanczos' approximation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array

__all__ = ["complex_gamma", "complex_loggamma"]

# g = 7, 9 terms (P. Godfrey): gamma(z + 1) = sqrt(2 pi) t**(z + 1/2) exp(-t) A(z), t = z + 7.5.
_LANCZOS = (
    0.9999999999998099, 676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406,
    12.507343278686905, -0.13857109526572012, 9.984369578019572e-06, 1.5056327351493116e-07,
)  # fmt: skip


def complex_gamma(z: Array) -> Array:
    """gamma(z); NaN at the poles 0, -1, -2, ... and for NaN."""
    undefined = _undefined(z)
    return jnp.where(undefined, _nan(z), jnp.exp(_by_lanczos(jnp.where(undefined, jnp.ones_like(z), z))))


def complex_loggamma(z: Array) -> Array:
    """log(gamma(z)), continuous but for a cut along the negative real axis."""
    undefined = _undefined(z)
    z = jnp.where(undefined, jnp.ones_like(z), z)
    # log gamma(z) = log gamma(z + n) - log(z) - ... - log(z + n - 1) leads to where Lanczos holds.
    n = jnp.maximum(0, jnp.ceil(0.5 - jnp.real(z)).astype(int))

    def body(state: Any) -> Any:
        k, total = state
        needed = k < n
        term = jnp.log(jnp.where(needed, z + k, jnp.ones_like(z)))
        return k + 1, total + jnp.where(needed, term, jnp.zeros_like(total))

    _, total = lax.while_loop(lambda state: jnp.any(state[0] < n), body, (0, jnp.zeros_like(z)))
    return jnp.where(undefined, _nan(z), _by_lanczos(z + n) - total)


def _undefined(z: Array) -> Array:
    real = jnp.real(z)
    return jnp.isnan(z) | (jnp.imag(z) == 0) & (real == jnp.floor(real)) & (real <= 0)


def _nan(z: Array) -> Array:
    return z.dtype.type(complex(np.nan, np.nan))


def _by_lanczos(z: Array) -> Array:
    """A logarithm of gamma(z), by reflection where Re(z) < 1/2."""
    reflect = jnp.real(z) < 0.5
    w = jnp.where(reflect, 1.0 - z, z) - 1.0
    series = z.dtype.type(_LANCZOS[0])
    for k, c in enumerate(_LANCZOS[1:], 1):
        series = series + z.dtype.type(c) / (w + k)
    t = w + 7.5
    right = 0.5 * math.log(2 * math.pi) + (w + 0.5) * jnp.log(t) - t + jnp.log(series)
    # A harmless number where the sine is not used keeps NaN out of derivatives.
    sine = jnp.sin(math.pi * jnp.where(reflect, z, 0.5))
    return jnp.where(reflect, math.log(math.pi) - jnp.log(sine) - right, right)
