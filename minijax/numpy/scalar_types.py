"""The names of dtypes, the functions that work on dtypes, and numbers with a name.

`jnp.float32` is both: a dtype to be passed as `dtype=`, and a function that makes an Array of it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.dtypes import (
    bool_,
    complex64,
    complex128,
    finfo,
    float16,
    float32,
    float64,
    iinfo,
    int8,
    int16,
    int32,
    int64,
    isdtype,
    issubdtype,
    promote_types,
    uint8,
    uint16,
    uint32,
    uint64,
)

__all__ = [
    "ComplexWarning",
    "bool_",
    "can_cast",
    "cdouble",
    "character",
    "complex64",
    "complex128",
    "complex_",
    "csingle",
    "complexfloating",
    "double",
    "dtype",
    "e",
    "euler_gamma",
    "finfo",
    "flexible",
    "float16",
    "float32",
    "float64",
    "float_",
    "floating",
    "generic",
    "iinfo",
    "inexact",
    "inf",
    "int16",
    "int32",
    "int64",
    "int8",
    "int_",
    "integer",
    "isdtype",
    "issubdtype",
    "iterable",
    "nan",
    "newaxis",
    "number",
    "object_",
    "pi",
    "promote_types",
    "result_type",
    "signedinteger",
    "single",
    "uint",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
    "unsignedinteger",
]

# Other names of the same types.
single = float32
double = float_ = float64
csingle = complex64
cdouble = complex_ = complex128
int_ = int64
uint = uint64

# NumPy's own: the dtype of an array is a NumPy dtype, and the kinds of dtypes are NumPy's classes.
dtype = np.dtype
generic = np.generic
number = np.number
integer = np.integer
signedinteger = np.signedinteger
unsignedinteger = np.unsignedinteger
inexact = np.inexact
floating = np.floating
complexfloating = np.complexfloating
character = np.character
flexible = np.flexible
object_ = np.object_
ComplexWarning = np.exceptions.ComplexWarning
can_cast = np.can_cast
iterable = np.iterable

pi = math.pi
e = math.e
euler_gamma = np.euler_gamma
inf = math.inf
nan = math.nan
newaxis = None


def result_type(*args: Any) -> Any:
    """The dtype that these arrays, numbers and dtypes are promoted to together."""
    return dtypes.result_type(*args)
