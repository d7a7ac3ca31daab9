"""Functions of matrices: exponential, square root and others, of jax.scipy.linalg."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax import numpy as jnp
from minijax.api import jit
from minijax.array import Array
from minijax.autodiff import jvp
from minijax.numpy.promotion import ensure_arraylike, promote_dtypes_inexact
from minijax.primitives.matrices import adjoint
from minijax.scipy.linalg_decompositions import rsf2csf, schur
from minijax.scipy.linalg_equations import solve_triangular

__all__ = ["expm", "expm_frechet", "funm", "sqrtm"]

_product = partial(jnp.matmul, precision=lax.Precision.HIGHEST)

# ----------------------------------------------------------------- expm

# For matrices of single and double precision: orders of Padé approximations, the norms up to which they are exact
# to rounding, and for the last the norm to which larger matrices are halved. See Higham, "The scaling and squaring
# method for the matrix exponential revisited", 2005.
_ORDERS = {4: (3, 5, 7), 8: (3, 5, 7, 9, 13)}
_NORMS = {
    4: (4.258730016922831e-1, 1.880152677804762),
    8: (1.495585217958292e-2, 2.539398330063230e-1, 9.504178996162932e-1, 2.097847961257068),
}
_LARGEST = {4: 3.925724783138660, 8: 5.371920351148152}


def expm(A: Any, *, upper_triangular: bool = False, max_squarings: int = 16) -> Array:
    """The exponentials of square matrices [..., n, n]; NaN where more than `max_squarings` would be needed.

    Say `upper_triangular` of such matrices, and the equations are solved more quickly. ValueError unless square.
    """
    (A,) = promote_dtypes_inexact(ensure_arraylike("expm", A))
    if A.ndim < 2 or A.shape[-1] != A.shape[-2]:
        raise ValueError(f"expm: A must be a (batched) square matrix, got shape {A.shape}.")
    if A.dtype.char not in "fdFD":
        raise TypeError(f"expm: dtype {A.dtype} is not supported. Convert with A.astype('float32').")
    return _expm_of_each(A, upper_triangular, max_squarings)


@partial(jit, static_argnums=(1, 2))
def _expm_of_each(a: Array, upper_triangular: bool, max_squarings: int) -> Array:
    one = partial(_expm, upper_triangular=upper_triangular, max_squarings=max_squarings)
    return jnp.vectorize(one, signature="(n,n)->(n,n)")(a)


def _expm(a: Array, upper_triangular: bool, max_squarings: int) -> Array:
    """exp(a) = exp(a / 2^s)^(2^s), where exp of the smaller matrix is a quotient of polynomials."""
    norm = jnp.linalg.norm(a, 1)
    width = norm.dtype.itemsize
    halvings = jnp.maximum(0, jnp.floor(jnp.log2(norm / _LARGEST[width])))
    a = a / 2 ** halvings.astype(a.dtype)
    order = jnp.digitize(norm, jnp.array(_NORMS[width], dtype=norm.dtype))
    odd, even = lax.switch(order, [partial(_pade, m) for m in _ORDERS[width]], a)

    def computed(odd: Array, even: Array) -> Array:
        quotient = (solve_triangular if upper_triangular else jnp.linalg.solve)(even - odd, odd + even)
        return _squared(quotient, halvings, max_squarings)

    return lax.cond(halvings > max_squarings, lambda odd, even: jnp.full_like(odd, np.nan), computed, odd, even)


def _squared(a: Array, times: Array, most: int) -> Array:
    """`a` squared `times` times in turn; a scan, which can be differentiated backwards."""

    def step(a: Array, i: Array) -> tuple[Array, None]:
        return lax.cond(i < times, lambda a: _product(a, a), lambda a: a, a), None

    return lax.scan(step, a, jnp.arange(most, dtype=times.dtype))[0]


def _pade(m: int, a: Array) -> tuple[Array, Array]:
    """Odd and even part of the numerator of the Padé approximation of exp of order m; the denominator has -odd."""
    b = [float(math.factorial(2 * m - j) // (math.factorial(m - j) * math.factorial(j))) for j in range(m + 1)]
    powers = [jnp.eye(len(a), dtype=a.dtype), _product(a, a)]
    while len(powers) < (m + 1) // 2 and len(powers) < 5 - (m == 13):
        powers.append(_product(powers[-1], powers[1]))

    def combined(coefficients: list[float], first: int = 0) -> Array:
        terms = [c * p for c, p in zip(coefficients, powers[first:])]
        return sum(terms[-2::-1], terms[-1])

    if m < 13:
        return _product(a, combined(b[1::2])), combined(b[0::2])
    high_odd, high_even = combined(b[9::2], 1), combined(b[8::2], 1)
    odd = _product(a, _product(powers[3], high_odd) + combined(b[1:9:2]))
    return odd, _product(powers[3], high_even) + combined(b[0:8:2])


def expm_frechet(
    A: Any, E: Any, *, method: str | None = None, compute_expm: bool = True
) -> Array | tuple[Array, Array]:
    """(exp(A), its directional derivative towards E), or the derivative alone without `compute_expm`.

    Raises ValueError unless both are square and of one shape. `method` has no effect.
    """
    A, E = jnp.asarray(A), jnp.asarray(E)
    if A.ndim < 2 or A.shape[-1] != A.shape[-2] or A.shape != E.shape:
        raise ValueError(f"expm_frechet: A and E must be square and of one shape, got {A.shape} and {E.shape}.")
    value, derivative = jvp(expm, (A,), (E,))
    return (value, derivative) if compute_expm else derivative


# ----------------------------------------------------------------- sqrtm, funm


def sqrtm(A: Any, blocksize: int = 1) -> Array:
    """The principal square root of a square matrix, a complex matrix. NotImplementedError for other block sizes."""
    if blocksize > 1:
        raise NotImplementedError("sqrtm: a blocked version is not implemented. Leave blocksize out.")
    t, z = schur(A, output="complex")
    return _product(_product(z, _sqrt_of_triangular(t)), adjoint(z))


def _distance_from_diagonal(n: int) -> np.ndarray:
    rows, columns = np.ogrid[:n, :n]
    return columns - rows


def _sqrt_of_triangular(t: Array) -> Array:
    """From U U = T, one diagonal after the other: what a product lacks there, its ends supply (Björck, Hammarling)."""
    diag = jnp.sqrt(jnp.diag(t))
    ends = diag[:, None] + diag[None, :]
    distance = jnp.asarray(_distance_from_diagonal(len(t)))

    def step(d: Any, u: Array) -> Array:
        lacking = t - _product(u, u)
        return jnp.where(distance == d, jnp.where(lacking == 0, 0, lacking / ends), u)

    return lax.fori_loop(1, len(t), step, jnp.diag(diag))


def funm(A: Any, func: Callable[[Array], Array], disp: bool = True) -> Array | tuple[Array, Array]:
    """The function `func` of a square matrix: it is applied to the eigenvalues, which should differ.

    The result is complex. Without `disp` it comes with an estimate of the relative error.
    Raises ValueError unless the matrix is square.
    """
    A = jnp.asarray(A)
    if A.ndim != 2 or A.shape[0] != A.shape[1]:
        raise ValueError(f"funm: expected a square matrix, got shape {A.shape}.")
    t, z = rsf2csf(*schur(A))
    f, least = _function_of_triangular(t, jnp.diag(func(jnp.diag(t))).astype(t.dtype))
    f = z @ f @ adjoint(z)
    if disp:
        return f
    eps = dtypes.finfo(f.dtype).eps
    least = jnp.where(least == 0.0, eps, least)
    error = jnp.maximum(eps, eps / least * jnp.linalg.norm(jnp.triu(t, 1), 1))
    return f, jnp.where(jnp.isinf(f).any(), np.inf, jnp.minimum(1, error))


def _function_of_triangular(t: Array, f: Array) -> tuple[Array, Array]:
    """Parlett's recurrence, from F T = T F, one diagonal after the other; and the least gap of two eigenvalues.

    See Golub and Van Loan, "Matrix Computations", algorithm 11.1.1.
    """
    diag = jnp.diag(t)
    gaps = diag[None, :] - diag[:, None]
    distance = jnp.asarray(_distance_from_diagonal(len(t)))

    def step(d: Any, f: Array) -> Array:
        commutator = _product(t, f) - _product(f, t)
        return jnp.where(distance == d, jnp.where(gaps != 0, commutator / gaps, commutator), f)

    least = jnp.min(jnp.where(distance > 0, abs(gaps), np.inf), initial=abs(t[0, 0]))
    return lax.fori_loop(1, len(t), step, f), least
