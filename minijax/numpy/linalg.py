"""jax.numpy.linalg: linear algebra. The functions stand in files by subject, linalg_*.py."""

from minijax.numpy.linalg_decompositions import (
    cholesky,
    eig,
    eigh,
    eigvals,
    eigvalsh,
    matrix_rank,
    qr,
    svd,
    svdvals,
)
from minijax.numpy.linalg_determinants import det, slogdet
from minijax.numpy.linalg_equations import inv, lstsq, matrix_power, pinv, solve, tensorinv, tensorsolve
from minijax.numpy.linalg_norms import cond, matrix_norm, norm, vector_norm
from minijax.numpy.linalg_products import (
    cross,
    diagonal,
    matmul,
    matrix_transpose,
    multi_dot,
    outer,
    tensordot,
    trace,
    vecdot,
)

__all__ = [
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "lstsq",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "tensorinv",
    "tensorsolve",
    "trace",
    "vecdot",
    "vector_norm",
]
