"""Products of matrices, vectors and stacks of them. Each is one dot_general."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.applying import vectorize
from minijax.numpy.arithmetic import conj
from minijax.numpy.creation import array, zeros_like
from minijax.numpy.manipulation import expand_dims, moveaxis, ravel, reshape
from minijax.numpy.promotion import check_arraylike, convert, ensure_arraylike, promote_dtypes, reject
from minijax.primitives.shaping import canonical_axes, canonical_axis
from minijax.primitives.standard import check_one_device

__all__ = [
    "cross",
    "dot",
    "inner",
    "kron",
    "matmul",
    "matvec",
    "outer",
    "tensordot",
    "vdot",
    "vecdot",
    "vecmat",
]


def _result_type(fun_name: str, preferred: Any, *operands: Array) -> tuple[Any, bool]:
    """dtype and weak type of a product: those of promotion, unless the caller prefers a dtype."""
    if preferred is None:
        return dtypes.result_type(*operands, return_weak_type_flag=True)
    return dtypes.check_and_canonicalize_user_dtype(preferred, fun_name), False


def dot(
    a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None, out_sharding: Any = None
) -> Array:
    """The product of two matrices, the inner product of vectors; a scalar multiplies.

    In general the last axis of `a` is contracted with the last but one of `b` (its only one, for a vector).
    """
    check_one_device("jnp.dot", out_sharding)
    a, b = ensure_arraylike("dot", a, b)
    dtype, weak_type = _result_type("dot", preferred_element_type, a, b)
    contracted: Any = ((), ())
    if a.ndim and b.ndim:
        contracted = ((a.ndim - 1,), (max(0, b.ndim - 2),))
    result = lax.dot_general(a, b, (contracted, ((), ())), precision=precision, preferred_element_type=dtype)
    return convert(result, dtype, weak_type)


def matmul(
    a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None, out_sharding: Any = None
) -> Array:
    """a @ b: the product of matrices in the last two axes, the others being broadcast; vectors as in `dot`.

    Raises ValueError for scalars and for axes that do not fit.
    """
    check_one_device("jnp.matmul", out_sharding)
    a, b = ensure_arraylike("matmul", a, b)
    for i, x in enumerate((a, b)):
        if not x.ndim:
            raise ValueError(f"matmul input operand {i} must have ndim at least 1, but it has ndim 0. Use *.")
    dtype, weak_type = _result_type("matmul", preferred_element_type, a, b)
    plan = _MatmulPlan(a.shape, b.shape)
    a, b = lax.squeeze(a, plan.a_squeezed), lax.squeeze(b, plan.b_squeezed)
    contracted = (a.ndim - 1,), (b.ndim - 1 - plan.b_is_matrix,)
    out = lax.dot_general(
        a, b, (contracted, (plan.a_batch, plan.b_batch)), precision=precision, preferred_element_type=dtype
    )
    out = lax.transpose(out, plan.order)
    if plan.restored:
        out = lax.expand_dims(out, plan.restored)
    return convert(out, dtype, weak_type)


class _MatmulPlan:
    """How the leading axes of two stacks of matrices go into a dot_general.

    Axes of equal length become batch axes; one of length 1, or missing, is dropped, and the other
    operand's axis is a free one. dot_general puts the batch axes first, then the free ones of each operand.
    """

    def __init__(self, a_shape: tuple[int, ...], b_shape: tuple[int, ...]):
        self.b_is_matrix = len(b_shape) > 1
        self.a_squeezed: list[int] = []
        self.b_squeezed: list[int] = []
        self.a_batch: list[int] = []
        self.b_batch: list[int] = []
        self.restored: list[int] = []
        batch, a_free, b_free = [], [], []  # positions in the result
        rank = max(len(a_shape), len(b_shape), 2) - 2
        a_lengths = [None] * (rank - max(0, len(a_shape) - 2)) + list(a_shape[:-2])
        b_lengths = [None] * (rank - max(0, len(b_shape) - 2)) + list(b_shape[:-2])
        for i, (m, n) in enumerate(zip(a_lengths, b_lengths)):
            if m == 1 and n is not None:
                self.a_squeezed.append(len(batch) + len(a_free) + len(self.a_squeezed))
            if n == 1 and m is not None:
                self.b_squeezed.append(len(batch) + len(b_free) + len(self.b_squeezed))
            if m == n == 1:
                self.restored.append(i)
            elif m is None or m == 1 and n is not None:
                b_free.append(i)
            elif n in (None, 1):
                a_free.append(i)
            elif m == n:
                self.a_batch.append(len(batch) + len(a_free))
                self.b_batch.append(len(batch) + len(b_free))
                batch.append(i)
            else:
                raise ValueError(
                    f"matmul: shapes {a_shape} and {b_shape} do not fit: their leading axes must broadcast together."
                )
        a_is_matrix = len(a_shape) > 1
        a_free += [rank] * a_is_matrix
        b_free += [rank + a_is_matrix] * self.b_is_matrix
        positions = [*batch, *a_free, *b_free]
        self.order = sorted(range(len(positions)), key=positions.__getitem__)


def matvec(x1: Any, x2: Any, /) -> Array:
    """The product of matrices in the last two axes of x1 with vectors in the last axis of x2."""
    x1, x2 = ensure_arraylike("matvec", x1, x2)
    return vectorize(matmul, signature="(n,m),(m)->(n)")(x1, x2)


def vecmat(x1: Any, x2: Any, /) -> Array:
    """The product of vectors in the last axis of x1, conjugated, with matrices in the last two axes of x2."""
    x1, x2 = ensure_arraylike("vecmat", x1, x2)
    return vectorize(matmul, signature="(n),(n,m)->(m)")(conj(x1), x2)


def vdot(a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Array:
    """The inner product of the flattened arrays, the first of which is conjugated."""
    a, b = ensure_arraylike("vdot", a, b)
    return dot(ravel(conj(a)), ravel(b), precision=precision, preferred_element_type=preferred_element_type)


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1, precision: Any = None, preferred_element_type: Any = None) -> Array:
    """The inner products of vectors along an axis, as by `vdot`, the other axes being broadcast."""
    x1, x2 = ensure_arraylike("vecdot", x1, x2)
    if x1.shape[axis] != x2.shape[axis]:
        raise ValueError(f"vecdot: axes must match; got shapes {x1.shape} and {x2.shape} with axis={axis}.")

    def product(u: Array, v: Array) -> Array:
        return vdot(u, v, precision=precision, preferred_element_type=preferred_element_type)

    return vectorize(product, signature="(n),(n)->()")(moveaxis(x1, axis, -1), moveaxis(x2, axis, -1))


def tensordot(
    a: Any,
    b: Any,
    axes: int | Sequence[int] | Sequence[Sequence[int]] = 2,
    *,
    precision: Any = None,
    preferred_element_type: Any = None,
    out_sharding: Any = None,
) -> Array:
    """Contract the axes axes[0] of `a` with axes[1] of `b`; for a number n, the last n of `a` with the first n of
    `b`."""
    check_one_device("jnp.tensordot", out_sharding)
    a, b = ensure_arraylike("tensordot", a, b)
    dtype, weak_type = _result_type("tensordot", preferred_element_type, a, b)
    numbers = (_contracted_axes(axes, a, b), ((), ()))
    result = lax.dot_general(a, b, numbers, precision=precision, preferred_element_type=dtype)
    return convert(result, dtype, weak_type)


def _contracted_axes(axes: Any, a: Array, b: Array) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if type(axes) is int:
        if axes > min(a.ndim, b.ndim):
            raise TypeError(
                f"Number of tensordot axes ({axes}) exceeds input ranks: got shapes {a.shape} and {b.shape}."
            )
        return tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes))
    if not isinstance(axes, tuple | list) or len(axes) != 2:
        raise TypeError(
            f"tensordot axes argument must be an int, a pair of ints, or a pair of lists/tuples of ints, got {axes}."
        )
    first, second = axes
    if isinstance(first, int) and isinstance(second, int):
        return (canonical_axis(first, a.ndim),), (canonical_axis(second, b.ndim),)
    if not isinstance(first, tuple | list) or not isinstance(second, tuple | list):
        raise TypeError(
            f"tensordot requires both axes lists to be either ints, tuples or lists, got {first} and {second}."
        )
    if len(first) != len(second):
        raise TypeError(f"tensordot requires axes lists to have equal length, got {first} and {second}.")
    return canonical_axes(first, a.ndim), canonical_axes(second, b.ndim)


def inner(a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Array:
    """Contract the last axis of both; a scalar multiplies."""
    a, b = ensure_arraylike("inner", a, b)
    if a.ndim and b.ndim:
        return tensordot(a, b, (-1, -1), precision=precision, preferred_element_type=preferred_element_type)
    if preferred_element_type is not None:
        a, b = a.astype(preferred_element_type), b.astype(preferred_element_type)
    return a * b


def outer(a: Any, b: Any, out: None = None) -> Array:
    """All products of an element of `a` and one of `b`, both flattened: f[a.size, b.size]."""
    reject("outer", out=out)
    a, b = promote_dtypes(*ensure_arraylike("outer", a, b))
    return ravel(a)[:, None] * ravel(b)[None, :]


def kron(a: Any, b: Any) -> Array:
    """The Kronecker product: each element of `a` replaced by the block of it times `b`."""
    a, b = promote_dtypes(*ensure_arraylike("kron", a, b))
    if a.ndim < b.ndim:
        a = expand_dims(a, range(b.ndim - a.ndim))
    elif b.ndim < a.ndim:
        b = expand_dims(b, range(a.ndim - b.ndim))
    rows, blocks = expand_dims(a, range(1, 2 * a.ndim, 2)), expand_dims(b, range(0, 2 * b.ndim, 2))
    return reshape(lax.mul(rows, blocks), [m * n for m, n in zip(a.shape, b.shape)])


def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Array:
    """The cross product of vectors along an axis; those of length 2 lie in a plane, and two of them give scalars."""
    check_arraylike("cross", a, b)
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = moveaxis(a, axisa, -1), moveaxis(b, axisb, -1)
    if a.shape[-1] not in (2, 3) or b.shape[-1] not in (2, 3):
        raise ValueError(
            f"cross: Dimension must be either 2 or 3 for cross product, got shapes {a.shape} and {b.shape} "
            "with the vectors in the last axis."
        )
    if a.shape[-1] == 2 and b.shape[-1] == 2:
        return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    a0, a1, a2 = _components(a)
    b0, b1, b2 = _components(b)
    return moveaxis(array([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0]), 0, axisc)


def _components(x: Array) -> tuple[Array, Array, Array]:
    x0, x1 = x[..., 0], x[..., 1]
    return x0, x1, x[..., 2] if x.shape[-1] == 3 else zeros_like(x0)
