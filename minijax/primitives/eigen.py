"""Eigenvalues and eigenvectors of hermitian (eigh) and of general matrices (eig)."""

from __future__ import annotations

import enum
import warnings
from typing import Any

import numpy as np

from minijax.array import Array
from minijax.core import as_operand
from minijax.primitives.arithmetic import integer_pow, reciprocal
from minijax.primitives.creation import broadcasted_iota
from minijax.primitives.lu import lu, lu_solve
from minijax.primitives.matrices import (
    Core,
    adjoint,
    complex_dtype,
    conjugate,
    diagonal_of,
    exact_product,
    identity,
    matrix_primitive,
    matrix_transpose,
    nan_where_it_fails,
    real_dtype,
    square_only,
    stretched,
    symmetrize,
    transposed,
)
from minijax.primitives.reductions import argmax
from minijax.primitives.shaping import expand_dims

__all__ = ["EigImplementation", "EighImplementation", "eig", "eigh"]


class EigImplementation(enum.Enum):
    """Who computes the eigenvalues of a general matrix; here it is always LAPACK."""

    CUSOLVER = "cusolver"
    MAGMA = "magma"
    LAPACK = "lapack"


class EighImplementation(enum.Enum):
    """How the eigenvalues of a hermitian matrix are found; on a CPU always by QR iterations."""

    QR = "qr"
    JACOBI = "jacobi"
    QDWH = "qdwh"


# ----------------------------------------------------------------- eigh


def eigh(
    x: Any,
    *,
    lower: bool = True,
    symmetrize_input: bool = True,
    sort_eigenvalues: bool = True,
    subset_by_index: tuple[int, int] | None = None,
    implementation: EighImplementation | None = None,
) -> tuple[Array, Array]:
    """Eigenvectors, in the columns of [..., n, n], and ascending eigenvalues [..., n] of hermitian matrices.

    Only the triangle that `lower` names counts, unless `symmetrize_input` replaces x by the mean of itself and
    its adjoint. Raises NotImplementedError for a subset of the eigenvalues, and other implementations than QR.
    """
    if symmetrize_input:
        x = symmetrize(x)
    vectors, values = eigh_p.bind(
        x,
        lower=lower,
        sort_eigenvalues=sort_eigenvalues,
        subset_by_index=subset_by_index,
        algorithm=implementation,
    )
    return vectors, values


def _eigh_impl(
    x: np.ndarray, *, lower: bool, sort_eigenvalues: bool, subset_by_index: Any, algorithm: Any
) -> list[np.ndarray]:
    if subset_by_index not in (None, (0, x.shape[-1])):
        raise NotImplementedError(f"eigh: subset_by_index={subset_by_index} is not supported on CPUs. Leave it out.")
    if algorithm in (EighImplementation.QDWH, EighImplementation.JACOBI):
        raise NotImplementedError(f"eigh: {algorithm} is not supported on CPUs. Leave it out.")
    values, vectors = nan_where_it_fails(lambda a: np.linalg.eigh(a, "L" if lower else "U"), x)
    return [vectors, values]


def _eigh_shape(x: Core, *, subset_by_index: tuple[int, int] | None, **params: Any) -> list[Core]:
    square_only("eigh", x)
    count = x[0] if subset_by_index is None else subset_by_index[1] - subset_by_index[0]
    return [(x[0], count), (count,)]


eigh_p = matrix_primitive("eigh", _eigh_impl, (2,), _eigh_shape, lambda dtype, **params: [dtype, real_dtype(dtype)])


def _eigh_jvp(primals: Any, tangents: Any, *, subset_by_index: Any, **params: Any) -> tuple[list[Any], list[Any]]:
    """First-order perturbation theory; eigenvalues that coincide make it infinite or NaN."""
    a, da = as_operand(primals[0]), as_operand(tangents[0])
    n = a.shape[-1]
    if subset_by_index not in (None, (0, n)):
        raise NotImplementedError("eigh: derivatives are not defined for a part of the eigenvalues.")
    vectors, values = eigh_p.bind(symmetrize(a), subset_by_index=subset_by_index, **params)
    w = values.astype(a.dtype)
    ones = identity(a.dtype, n)
    inverse_gaps = stretched(lambda: integer_pow(ones + w[..., None, :] - w[..., None], -1) - ones)()
    product = exact_product(a.ndim)
    inner = product(product(adjoint(vectors), da), vectors)
    return [vectors, values], [product(vectors, inverse_gaps * inner), diagonal_of(inner.real)]


eigh_p.jvp = _eigh_jvp

# ----------------------------------------------------------------- eig


def eig(
    x: Any,
    *,
    compute_left_eigenvectors: bool = True,
    compute_right_eigenvectors: bool = True,
    enable_eigvec_derivs: bool = False,
    implementation: EigImplementation | None = None,
    use_magma: bool | None = None,
) -> list[Array]:
    """Complex eigenvalues [..., n] of matrices [..., n, n], and their left and right eigenvectors if asked for.

    The result is a list [w, vl, vr], vl and vr with the vectors in their columns, of length 1 and with a real
    largest component. Their derivatives are defined for distinct eigenvalues only, and have to be enabled by
    `enable_eigvec_derivs`; without it NotImplementedError is raised.
    """
    if use_magma is not None:
        warnings.warn(
            "eig: use_magma is deprecated, write implementation=EigImplementation.MAGMA instead.",
            DeprecationWarning,
            stacklevel=2,
        )
        implementation = EigImplementation.MAGMA if use_magma else EigImplementation.LAPACK
    return eig_p.bind(
        x,
        compute_left_eigenvectors=compute_left_eigenvectors,
        compute_right_eigenvectors=compute_right_eigenvectors,
        enable_eigvec_derivs=enable_eigvec_derivs,
        implementation=implementation,
    )


def _eig_impl(
    x: np.ndarray,
    *,
    compute_left_eigenvectors: bool,
    compute_right_eigenvectors: bool,
    enable_eigvec_derivs: bool,
    implementation: Any,
) -> list[np.ndarray]:
    if implementation not in (None, EigImplementation.LAPACK):
        raise ValueError(f"eig: {implementation} is not supported on CPUs, only EigImplementation.LAPACK is.")

    def kernel(a: np.ndarray) -> list[np.ndarray]:
        if not compute_left_eigenvectors and not compute_right_eigenvectors:
            return [np.linalg.eigvals(a)]
        values, right = np.linalg.eig(a)
        left = [_left_vectors(a, values)] if compute_left_eigenvectors else []
        return [values, *left, *([right] if compute_right_eigenvectors else [])]

    def complex_kernel(a: np.ndarray) -> list[np.ndarray]:
        return [part.astype(complex_dtype(x.dtype)) for part in kernel(a)]

    outs = nan_where_it_fails(complex_kernel, x)
    for out in outs:
        out[np.isnan(out)] = complex(np.nan, np.nan)
    return outs


def _left_vectors(a: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The right eigenvectors of the adjoint, in the order of `values`, whose conjugates are its eigenvalues."""
    others, vectors = np.linalg.eig(transposed(a).conj())
    distance = np.abs(values.conj()[..., :, None] - others[..., None, :])
    order = np.zeros(values.shape, np.intp)
    for i in range(values.shape[-1]):  # each takes the nearest one that is left
        nearest = distance[..., i, :].argmin(-1)
        order[..., i] = nearest
        np.put_along_axis(distance, nearest[..., None, None], np.inf, -1)
    return np.take_along_axis(vectors, order[..., None, :], -1)


def _eig_count(*, compute_left_eigenvectors: bool, compute_right_eigenvectors: bool, **params: Any) -> int:
    return compute_left_eigenvectors + compute_right_eigenvectors


def _eig_shape(x: Core, **params: Any) -> list[Core]:
    square_only("eig", x)
    return [x[:-1], *[x] * _eig_count(**params)]


eig_p = matrix_primitive(
    "eig", _eig_impl, (2,), _eig_shape, lambda dtype, **params: [complex_dtype(dtype)] * (1 + _eig_count(**params))
)


def _eig_jvp(
    primals: Any, tangents: Any, *, compute_left_eigenvectors: bool, compute_right_eigenvectors: bool, **params: Any
) -> tuple[list[Any], list[Any]]:
    vectors = compute_left_eigenvectors or compute_right_eigenvectors
    if vectors and not params["enable_eigvec_derivs"]:
        raise NotImplementedError(
            "eig: derivatives of eigenvectors of a general matrix are valid only where no two eigenvalues are equal, "
            "which cannot be checked beforehand. Pass enable_eigvec_derivs=True to jax.lax.linalg.eig to have them, or "
            "differentiate the eigenvalues alone (jnp.linalg.eigvals)."
        )
    a, da = as_operand(primals[0]), as_operand(tangents[0])
    w, *left, right = eig_p.bind(
        a, compute_left_eigenvectors=compute_left_eigenvectors, compute_right_eigenvectors=True, **params
    )
    da = da.astype(right.dtype)
    if not vectors:
        return [w], [(_solved(right, da) * matrix_transpose(right)).sum(-1)]
    dw, dright = _vector_tangents(w, right, da)
    primals_out, tangents_out = [w], [dw]
    if compute_left_eigenvectors:
        primals_out.append(left[0])
        tangents_out.append(_vector_tangents(conjugate(w), left[0], adjoint(da))[1])
    if compute_right_eigenvectors:
        primals_out.append(right)
        tangents_out.append(dright)
    return primals_out, tangents_out


def _solved(a: Any, b: Any) -> Any:
    """The x of a x = b."""
    factors, _, permutation = lu(a)
    return lu_solve(factors, permutation, b)


def _vector_tangents(w: Any, v: Any, da: Any) -> tuple[Any, Any]:
    """The tangents of eigenvalues and eigenvectors, which stay of length 1 and real in their largest component."""
    product = exact_product(v.ndim)
    n = w.shape[-1]
    ones = identity(w.dtype, n)
    inverse_gaps = stretched(lambda: reciprocal(ones + w[..., None, :] - w[..., None]) - ones)()
    inner = product(_solved(v, da), v)
    dv = product(v, inverse_gaps * inner)
    largest = expand_dims(argmax(abs(v), v.ndim - 2, np.int32), (v.ndim - 2,))
    mask = (broadcasted_iota(np.int32, v.shape, v.ndim - 2) == largest).astype(v.dtype)
    along = -(conjugate(v) * dv).sum(-2).real
    turn = -(mask * dv).sum(-2).imag / (mask * v).sum(-2).real
    return diagonal_of(inner), dv + v * expand_dims(along + 1j * turn, (v.ndim - 2,))


eig_p.jvp = _eig_jvp
