"""Unit quaternions as rotations of three dimensions, and what else describes a rotation.

A quaternion is an array of shape (..., 4): x, y, z and then the scalar part w, as in SciPy. It stands for the
rotation by the angle a around the unit vector n with (x, y, z) = n sin(a / 2) and w = cos(a / 2); q and -q
are the same rotation. Everything here works on the last axis; axes in front count rotations.
Source: https://en.wikipedia.org/wiki/Quaternions_and_spatial_rotation
"""

from __future__ import annotations

import math
from typing import Any

import minijax.numpy as jnp
from minijax.array import Array

# Below this angle (radians) sin(a / 2) / a and its inverse are the first terms of their series.
_SMALL = 1e-3
# Within this distance of 0 and pi the second of three Euler angles leaves the other two undetermined.
_DEGENERATE = 1e-7


def _parts(x: Array) -> list[Array]:
    """The entries along the last axis."""
    return [x[..., i] for i in range(x.shape[-1])]


def _joined(*parts: Any) -> Array:
    return jnp.stack(parts, -1)


def _dot(x: Array, y: Array) -> Array:
    """Sums of products along the last axis, of which they keep length 1."""
    return (x * y).sum(-1, keepdims=True)


def _length(x: Array) -> Array:
    return jnp.sqrt(_dot(x, x))


def _from_degrees(x: Array, degrees: Any) -> Array:
    return jnp.where(degrees, jnp.deg2rad(x), x)


def _to_degrees(x: Array, degrees: Any) -> Array:
    return jnp.where(degrees, jnp.rad2deg(x), x)


# ----------------------------------------------------------------- operations


def normalized(quat: Any) -> Array:
    """The quaternion of length 1 in the same direction."""
    quat = jnp.asarray(quat)
    return quat / _length(quat)


def composed(p: Array, q: Array) -> Array:
    """The product p q: the rotation q, and p after it."""
    (px, py, pz, pw), (qx, qy, qz, qw) = _parts(p), _parts(q)
    return _joined(
        pw * qx + qw * px + (py * qz - pz * qy),
        pw * qy + qw * py + (pz * qx - px * qz),
        pw * qz + qw * pz + (px * qy - py * qx),
        pw * qw - px * qx - py * qy - pz * qz,
    )


def inverse(quat: Array) -> Array:
    """The rotation backwards."""
    return quat * jnp.array([-1, -1, -1, 1], dtype=quat.dtype).reshape((1,) * (quat.ndim - 1) + (4,))


def angle(quat: Array) -> Array:
    """The angle of the rotation in radians, from 0 to pi; shape (...)."""
    return 2.0 * jnp.arctan2(_length(quat[..., :3])[..., 0], jnp.abs(quat[..., 3]))


def canonical(quat: Array) -> Array:
    """Of q and -q the one whose scalar part, or else its first entry that is not zero, is positive."""
    x, y, z, w = _parts(quat)
    by_axis = (x < 0) | ((x == 0) & ((y < 0) | ((y == 0) & (z < 0))))
    return jnp.where(((w < 0) | ((w == 0) & by_axis))[..., None], -quat, quat)


def rotated(matrix: Array, vectors: Any, inverse: Any) -> Array:
    """matrix @ vector for arrays of both, whose leading axes broadcast; `inverse` takes the transposes."""
    matrix = jnp.where(inverse, jnp.swapaxes(matrix, -1, -2), matrix)
    return jnp.matvec(matrix, jnp.asarray(vectors))


# ----------------------------------------------------------------- matrices


def to_matrix(quat: Array) -> Array:
    """The rotation matrix, shape (..., 3, 3)."""
    x, y, z, w = _parts(quat)
    x2, y2, z2, w2 = x * x, y * y, z * z, w * w
    return jnp.stack(
        [
            _joined(x2 - y2 - z2 + w2, 2 * (x * y - z * w), 2 * (x * z + y * w)),
            _joined(2 * (x * y + z * w), -x2 + y2 - z2 + w2, 2 * (y * z - x * w)),
            _joined(2 * (x * z - y * w), 2 * (y * z + x * w), -x2 - y2 + z2 + w2),
        ],
        -2,
    )


def from_matrix(matrix: Any) -> Array:
    """The quaternion of a rotation matrix.

    Each of its entries follows from the others and the matrix; it is computed from the largest one, which
    divides by no small number.
    """
    matrix = jnp.asarray(matrix)
    m = [[matrix[..., i, j] for j in range(3)] for i in range(3)]
    trace = m[0][0] + m[1][1] + m[2][2]
    candidates = []
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        entries = {i: 1 - trace + 2 * m[i][i], j: m[j][i] + m[i][j], k: m[k][i] + m[i][k], 3: m[k][j] - m[j][k]}
        candidates.append(_joined(*[entries[n] for n in range(4)]))
    candidates.append(_joined(m[2][1] - m[1][2], m[0][2] - m[2][0], m[1][0] - m[0][1], 1 + trace))
    largest = jnp.argmax(_joined(m[0][0], m[1][1], m[2][2], trace), -1)[..., None]
    quat = candidates[3]
    for i in range(3):
        quat = jnp.where(largest == i, candidates[i], quat)
    return normalized(quat)


# ----------------------------------------------------------------- vectors


def to_rotvec(quat: Array, degrees: Any) -> Array:
    """The axis times the angle, which is at most pi; shape (..., 3)."""
    quat = jnp.where(quat[..., 3:] < 0, -quat, quat)
    turn = 2.0 * jnp.arctan2(_length(quat[..., :3]), quat[..., 3:])
    square = turn * turn
    series = 2 + square / 12 + 7 * square * square / 2880
    scale = jnp.where(turn <= _SMALL, series, turn / jnp.sin(turn / 2))
    return _to_degrees(scale, degrees) * quat[..., :3]


def from_rotvec(rotvec: Any, degrees: Any) -> Array:
    """The rotation around a vector by its length."""
    rotvec = _from_degrees(jnp.asarray(rotvec), degrees)
    turn = _length(rotvec)
    square = turn * turn
    series = 0.5 - square / 48 + square * square / 3840
    scale = jnp.where(turn <= _SMALL, series, jnp.sin(turn / 2) / turn)
    return jnp.concatenate([scale * rotvec, jnp.cos(turn / 2)], -1)


def to_mrp(quat: Array) -> Array:
    """Modified Rodrigues parameters: the axis times tan(angle / 4); shape (..., 3)."""
    sign = jnp.where(quat[..., 3:] < 0, -1.0, 1.0)
    return sign * quat[..., :3] / (1.0 + sign * quat[..., 3:])


def from_mrp(mrp: Any) -> Array:
    """The quaternion of modified Rodrigues parameters."""
    mrp = jnp.asarray(mrp)
    square = _dot(mrp, mrp) + 1
    return jnp.concatenate([2 * mrp[..., :3], 2 - square], -1) / square


# ----------------------------------------------------------------- Euler angles


def from_euler(axes: str, angles: Any, intrinsic: bool, degrees: Any) -> Array:
    """Rotations around these axes (x, y, z) one after the other; the axes turn with it if intrinsic.

    Raises ValueError unless there is an angle for each axis along the last axis of `angles`.
    """
    angles = jnp.atleast_1d(angles)
    if angles.shape[-1] != len(axes):
        raise ValueError(
            f"from_euler: the last axis of angles counts the axes of seq, of which there are {len(axes)}; its shape "
            f"is {angles.shape}. For many rotations around one axis write angles[:, None]."
        )
    half = _from_degrees(angles, degrees) / 2.0
    quat = None
    for axis, x in zip(axes, _parts(half), strict=True):
        entries = {"xyz".index(axis): jnp.sin(x), 3: jnp.cos(x)}
        turn = _joined(*[entries.get(n, jnp.zeros_like(x)) for n in range(4)])
        quat = turn if quat is None else composed(quat, turn) if intrinsic else composed(turn, quat)
    return quat


def to_euler(quat: Array, axes: str, extrinsic: bool, degrees: Any) -> Array:
    """Three Euler angles; shape (..., 3). Where they are not unique, the third one that is turned by is 0.

    Source: Bernardes and Viollet, "Quaternion to Euler angles conversion: a direct, general and computationally
    efficient method", PLoS ONE 17 (2022).
    """
    i, j, k = map("xyz".index, axes if extrinsic else axes[::-1])
    symmetric = i == k
    k = 3 - i - j if symmetric else k
    sign = (i - j) * (j - k) * (k - i) // 2
    entries = _parts(quat)
    a, b, c, d = entries[3], entries[i], entries[j], entries[k] * sign
    if not symmetric:
        a, b, c, d = a - c, b + d, c + a, d - b
    second = 2 * jnp.arctan2(jnp.hypot(c, d), jnp.hypot(a, b))
    half_sum, half_difference = jnp.arctan2(b, a), jnp.arctan2(d, c)
    at_zero, at_pi = jnp.abs(second) <= _DEGENERATE, jnp.abs(second - math.pi) <= _DEGENERATE
    unique = ~(at_zero | at_pi)
    only = jnp.where(at_zero, 2 * half_sum, 2 * half_difference * (-1 if extrinsic else 1))
    nothing = jnp.zeros_like(only)
    first = jnp.where(unique, half_sum - half_difference, only if extrinsic else nothing)
    third = jnp.where(unique, half_sum + half_difference, nothing if extrinsic else only)
    if not symmetric:
        third, second = third * sign, second - math.pi / 2
    angles = _joined(first, second, third) if extrinsic else _joined(third, second, first)
    return _to_degrees((angles + math.pi) % (2 * math.pi) - math.pi, degrees)
