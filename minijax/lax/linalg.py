"""jax.lax.linalg: decompositions and solutions of equations, of batches of matrices.

Each function lives, with its rules, in the file it is imported from. `jnp.linalg` has the functions for
everyday use.
"""

from minijax.lax.polar_iteration import qdwh
from minijax.primitives.cholesky import (
    cholesky,
    cholesky_p,
    cholesky_update,
    cholesky_update_p,
    symmetric_product,
    symmetric_product_p,
)
from minijax.primitives.eigen import EighImplementation, EigImplementation, eig, eig_p, eigh, eigh_p
from minijax.primitives.householder import (
    hessenberg,
    hessenberg_p,
    householder_product,
    householder_product_p,
    ormqr,
    ormqr_p,
    tridiagonal,
    tridiagonal_p,
)
from minijax.primitives.lu import lu, lu_p, lu_pivots_to_permutation, lu_pivots_to_permutation_p
from minijax.primitives.qr import qr, qr_p
from minijax.primitives.schur import schur, schur_p
from minijax.primitives.svd import SvdAlgorithm, svd, svd_p
from minijax.primitives.triangular import triangular_solve, triangular_solve_p
from minijax.primitives.tridiagonal_solve import tridiagonal_solve, tridiagonal_solve_p

__all__ = [
    "EigImplementation",
    "EighImplementation",
    "SvdAlgorithm",
    "cholesky",
    "cholesky_p",
    "cholesky_update",
    "cholesky_update_p",
    "eig",
    "eig_p",
    "eigh",
    "eigh_p",
    "hessenberg",
    "hessenberg_p",
    "householder_product",
    "householder_product_p",
    "lu",
    "lu_p",
    "lu_pivots_to_permutation",
    "lu_pivots_to_permutation_p",
    "ormqr",
    "ormqr_p",
    "qdwh",
    "qr",
    "qr_p",
    "schur",
    "schur_p",
    "svd",
    "svd_p",
    "symmetric_product",
    "symmetric_product_p",
    "triangular_solve",
    "triangular_solve_p",
    "tridiagonal",
    "tridiagonal_p",
    "tridiagonal_solve",
    "tridiagonal_solve_p",
]
