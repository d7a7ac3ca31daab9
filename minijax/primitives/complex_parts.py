"""Complex numbers and their parts: neg, real, imag, complex and conj.

Derivatives follow JAX's convention: a cotangent of a complex number z pairs with a tangent by real(ct * t),
with no conjugate, so that the transposes of `imag` and `complex` have a minus sign in the imaginary part.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.core import ShapedArray, is_linear
from minijax.primitives.families import def_jointly_linear, nary, unary, unbroadcast
from minijax.primitives.standard import def_linear

__all__ = ["complex", "conj", "imag", "neg", "real"]


def neg(x: Any) -> Array:
    """-x."""
    return neg_p.bind(x)


neg_p = unary("neg", np.negative, accepts="iufc")
def_linear(neg_p, lambda ct, x: neg(ct))

# ----------------------------------------------------------------- the parts of a complex number


def real_dtype(dtype: Any) -> np.dtype:
    """float32 for complex64, float64 for complex128; real dtypes as they are."""
    return np.empty((), dtype).real.dtype if dtypes.is_complex(dtype) else dtype


def real(x: Any) -> Array:
    """The real parts of complex numbers. TypeError for real ones, which jnp.real takes."""
    return real_p.bind(x)


real_p = unary("real", np.real, accepts="c", dtype=real_dtype)
def_linear(real_p, lambda ct, x: complex(ct, _zero(ct)))


def imag(x: Any) -> Array:
    """The imaginary parts of complex numbers. TypeError for real ones, which jnp.imag takes."""
    return imag_p.bind(x)


imag_p = unary("imag", np.imag, accepts="c", dtype=real_dtype)
def_linear(imag_p, lambda ct, x: complex(_zero(ct), neg(ct)))


def _zero(ct: Any) -> np.generic:
    return dtypes.dtype(ct).type(0)


# ----------------------------------------------------------------- complex numbers from their parts


def complex(x: Any, y: Any) -> Array:
    """x + iy, for real and imaginary parts of one dtype, float32 or float64."""
    return complex_p.bind(x, y)


def complex_dtype(dtype: Any) -> np.dtype:
    """complex64 for float32, complex128 for float64; complex dtypes as they are."""
    return np.result_type(dtype, np.complex64)


def _complex_impl(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    out = np.empty(np.broadcast_shapes(x.shape, y.shape), complex_dtype(x.dtype))
    out.real, out.imag = x, y
    return out


def _check_parts(*parts: ShapedArray, **params: Any) -> None:
    for aval in parts:
        if aval.dtype not in _PARTS:
            raise TypeError(
                f"the parts of complex numbers must be float32 or float64 (or, for conj, complex), got "
                f"{aval.str_short()}. Convert them first, for example with x.astype('float32')."
            )


_PARTS = tuple(map(np.dtype, ("float32", "float64", "complex64", "complex128")))


def _complex_transpose(ct: Any, x: Any, y: Any) -> tuple[Any, Any]:
    return (
        unbroadcast(real(ct), x.aval) if is_linear(x) else None,
        unbroadcast(imag(neg(ct)), y.aval) if is_linear(y) else None,
    )


complex_p = nary("complex", _complex_impl, ("f", "f"), complex_dtype, _check_parts)
def_jointly_linear(complex_p, _complex_transpose)

# ----------------------------------------------------------------- conj


def conj(x: Any) -> Array:
    """The complex conjugate; a real number becomes a complex one."""
    return conj_p.bind(x, input_dtype=dtypes.dtype(x))


def _conj_impl(x: np.ndarray, *, input_dtype: np.dtype) -> np.ndarray:
    return np.conjugate(x) if x.dtype.kind == "c" else x.astype(complex_dtype(x.dtype))


conj_p = unary("conj", _conj_impl, "fc", complex_dtype, _check_parts)
def_linear(conj_p, lambda ct, x, *, input_dtype: conj(ct) if dtypes.is_complex(input_dtype) else real(ct))
