"""convolve and correlate: products of a sequence with another one that slides over it."""

from __future__ import annotations

from typing import Any

from minijax import lax
from minijax.array import Array
from minijax.numpy.arithmetic import conj
from minijax.numpy.promotion import ensure_arraylike, promote_dtypes, promote_dtypes_inexact
from minijax.numpy.rearranging import flip

__all__ = ["convolve", "correlate"]


def convolve(a: Any, v: Any, mode: str = "full", *, precision: Any = None, preferred_element_type: Any = None) -> Array:
    """sum over k of a[k] * v[i - k]: polynomials multiply like this. Integers become floats.

    mode: every overlap ('full'), as many as the longer one has elements ('same'), or complete ones only ('valid').
    """
    a, v = _sequences("convolve", a, v, preferred_element_type)
    if len(a) < len(v):
        a, v = v, a
    return _slide(a, flip(v), mode, precision, preferred_element_type)


def correlate(
    a: Any, v: Any, mode: str = "valid", *, precision: Any = None, preferred_element_type: Any = None
) -> Array:
    """sum over k of a[i + k] * conj(v[k]): how alike the sequences are, when one is shifted. Integers become floats.

    mode: see `convolve`.
    """
    a, v = _sequences("correlate", a, v, preferred_element_type)
    v = conj(v)
    if len(a) < len(v):
        return _slide(v, a, mode, precision, preferred_element_type)[::-1]
    return _slide(a, v, mode, precision, preferred_element_type)


def _sequences(name: str, a: Any, v: Any, preferred_element_type: Any) -> tuple[Array, Array]:
    """Both operands in one dtype. Raises ValueError unless they have one axis each, with something on it."""
    a, v = ensure_arraylike(name, a, v)
    if a.ndim != 1 or v.ndim != 1:
        raise ValueError(
            f"{name} only supports 1-dimensional inputs, got shapes {a.shape} and {v.shape}. "
            "jax.scipy.signal has it for more dimensions."
        )
    a, v = promote_dtypes_inexact(a, v) if preferred_element_type is None else promote_dtypes(a, v)
    if not a.size or not v.size:
        raise ValueError(f"{name}: the sequences must not be empty, got shapes {a.shape} and {v.shape}.")
    return a, v


def _slide(a: Array, v: Array, mode: str, precision: Any, preferred_element_type: Any) -> Array:
    """The products of `a` with the shorter `v` at all places that `mode` names."""
    n = len(v)
    paddings = {"valid": (0, 0), "same": (n // 2, n - n // 2 - 1), "full": (n - 1, n - 1)}
    if mode not in paddings:
        raise ValueError(f"mode must be 'full', 'same' or 'valid', got {mode!r}.")
    out = lax.conv_general_dilated(
        a[None, None, :],
        v[None, None, :],
        (1,),
        [paddings[mode]],
        precision=precision,
        preferred_element_type=preferred_element_type,
    )
    return out[0, 0]
