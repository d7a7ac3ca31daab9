"""The function tables: for every function of the library, calls that go through both engines.

A call is the text of an expression, evaluated with the names of operands.py. The calls of one family stand
together in one file, in lists named after the bound on the difference from JAX's values that they keep:

EXACT    the same bits
CLOSE    a few ULP, absolute near zeros (elementwise transcendental functions)
SUMS     a few ULP of the largest entry of the result (sums of terms that cancel)
DECOMPOSED  some hundred ULP of the largest entry (solutions of equations and the like)
ROUGH    a few hundred ULP, absolute near zeros (series whose terms cancel, in JAX as here)
SMOOTH   expressions of the vector `v`, which are differentiated, batched and jitted as well
REFUSED  JAX raises, and minijax raises an exception of the same class

A list MORE_<bound> holds the calls that only the full depth goes through.
"""

from __future__ import annotations

from types import ModuleType

from . import (
    callbacks,
    complex,
    control_flow,
    fft,
    image,
    lax_small,
    linalg,
    methods,
    named_axes,
    narrow,
    nn,
    numpy_elementwise,
    numpy_options,
    numpy_structure,
    ops,
    polynomials,
    random,
    rotations,
    scipy_linalg,
    scipy_numerics,
    scipy_special,
    scipy_stats,
    signal,
    ufuncs,
)

__all__ = ["FAMILIES"]

FAMILIES: dict[str, ModuleType] = {
    "numpy, elementwise": numpy_elementwise,
    "numpy, structure": numpy_structure,
    "numpy, options": numpy_options,
    "numpy, polynomials": polynomials,
    "numpy, ufuncs": ufuncs,
    "arrays": methods,
    "ops": ops,
    "lax": lax_small,
    "callbacks": callbacks,
    "complex numbers": complex,
    "bfloat16 and narrower": narrow,
    "numpy.fft": fft,
    "numpy.linalg": linalg,
    "scipy.linalg": scipy_linalg,
    "scipy.signal": signal,
    "image": image,
    "scipy.special": scipy_special,
    "nn": nn,
    "random": random,
    "loops and branches": control_flow,
    "named axes": named_axes,
    "scipy.stats": scipy_stats,
    "scipy.spatial.transform": rotations,
    "scipy, the smaller modules": scipy_numerics,
}
