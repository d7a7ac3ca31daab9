"""jax.scipy.spatial.transform: rotations in three dimensions, one or an array of them, and steps between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import minijax.numpy as jnp
from minijax.array import Array
from minijax.scipy.spatial import quaternions

__all__ = ["Rotation", "Slerp"]


class Rotation(NamedTuple):
    """One rotation, or an array of them, as unit quaternions of shape (4,) or (..., 4): x, y, z, w.

    It is a pytree. `p * q` is the rotation q and then p.
    Source: https://docs.jax.dev/en/latest/_autosummary/jax.scipy.spatial.transform.Rotation.html
    """

    quat: Array

    @classmethod
    def concatenate(cls, rotations: Sequence[Rotation]) -> Rotation:
        """Several arrays of rotations as one."""
        return cls(jnp.concatenate([rotation.quat for rotation in rotations]))

    @classmethod
    def from_euler(cls, seq: str, angles: Any, degrees: bool = False) -> Rotation:
        """From one to three angles (radians, or degrees), along the last axis of `angles`, around the axes `seq`.

        Axes in capital letters turn with the rotation (intrinsic), those in small letters stay (extrinsic).
        Raises ValueError for other letters, for a mixture of both, and for one axis twice in a row.
        """
        if not 1 <= len(seq) <= 3:
            raise ValueError(f"from_euler: seq must be a string of one to three axes, such as 'xyz', got {seq!r}.")
        intrinsic = _turn_with_it(seq)
        return cls(quaternions.from_euler(seq.lower(), angles, intrinsic, degrees))

    @classmethod
    def from_matrix(cls, matrix: Any) -> Rotation:
        """From rotation matrices of shape (..., 3, 3)."""
        return cls(quaternions.from_matrix(matrix))

    @classmethod
    def from_mrp(cls, mrp: Any) -> Rotation:
        """From modified Rodrigues parameters, shape (..., 3)."""
        return cls(quaternions.from_mrp(mrp))

    @classmethod
    def from_quat(cls, quat: Any) -> Rotation:
        """From quaternions of any length but 0, shape (..., 4)."""
        return cls(quaternions.normalized(quat))

    @classmethod
    def from_rotvec(cls, rotvec: Any, degrees: bool = False) -> Rotation:
        """From axes whose lengths are the angles, shape (..., 3)."""
        return cls(quaternions.from_rotvec(rotvec, degrees))

    @classmethod
    def identity(cls, num: int | None = None, dtype: Any = float) -> Rotation:
        """The rotation that changes nothing. Raises AssertionError for a number of them, which JAX does not make."""
        if num is not None:
            raise AssertionError(
                f"Rotation.identity makes a single rotation, got num={num}. Write "
                f"Rotation(jnp.tile(Rotation.identity().quat, ({num}, 1)))."
            )
        return cls(jnp.array([0.0, 0.0, 0.0, 1.0], dtype=dtype))

    @classmethod
    def random(cls, random_key: Any, num: int | None = None) -> Rotation:
        """Raises NotImplementedError, as in JAX."""
        raise NotImplementedError(
            "Rotation.random is not implemented. Quaternions of normally distributed numbers are rotations of which "
            "none is preferred: Rotation.from_quat(jax.random.normal(key, (num, 4)))."
        )

    def __getitem__(self, indexer: Any) -> Rotation:
        """Some of the rotations. Raises TypeError for a single one."""
        if self.single:
            raise TypeError("Single rotation is not subscriptable. Its quaternion is `rotation.quat`.")
        return Rotation(self.quat[indexer])

    def __len__(self) -> int:
        """How many rotations there are. Raises TypeError for a single one."""
        if self.single:
            raise TypeError("Single rotation has no len(). Ask `rotation.single` first.")
        return self.quat.shape[0]

    def __mul__(self, other: Rotation) -> Rotation:  # type: ignore[override]
        """The rotation `other`, and this one after it."""
        return Rotation.from_quat(quaternions.composed(self.quat, other.quat))

    def apply(self, vectors: Any, inverse: bool = False) -> Array:
        """The vectors, of shape (..., 3), turned; backwards with `inverse`."""
        return quaternions.rotated(self.as_matrix(), vectors, inverse)

    def as_euler(self, seq: str, degrees: bool = False) -> Array:
        """The angles around three axes, shape (..., 3), as `from_euler` takes them.

        Raises ValueError unless `seq` has three axes that from_euler accepts.
        """
        if len(seq) != 3:
            raise ValueError(f"as_euler: seq must be a string of three axes, such as 'xyz', got {seq!r}.")
        extrinsic = not _turn_with_it(seq)
        return quaternions.to_euler(self.quat, seq.lower(), extrinsic, degrees)

    def as_matrix(self) -> Array:
        """The rotation matrices, shape (..., 3, 3)."""
        return quaternions.to_matrix(self.quat)

    def as_mrp(self) -> Array:
        """Modified Rodrigues parameters, shape (..., 3)."""
        return quaternions.to_mrp(self.quat)

    def as_rotvec(self, degrees: bool = False) -> Array:
        """The axes, whose lengths are the angles; shape (..., 3)."""
        return quaternions.to_rotvec(self.quat, degrees)

    def as_quat(self, canonical: bool = False, scalar_first: bool = False) -> Array:
        """The quaternions, shape (..., 4): x, y, z, w, or w first; of q and -q the positive one if canonical."""
        quat = quaternions.canonical(self.quat) if canonical else self.quat
        return jnp.roll(quat, shift=1, axis=-1) if scalar_first else quat

    def inv(self) -> Rotation:
        """The rotation backwards."""
        return Rotation(quaternions.inverse(self.quat))

    def magnitude(self) -> Array:
        """The angle of each rotation in radians, shape (...)."""
        return quaternions.angle(self.quat)

    def mean(self, weights: Any = None) -> Rotation:
        """The rotation nearest to all of them, which may count differently. Raises ValueError for bad weights.

        Source: Markley et al., "Averaging quaternions", Journal of Guidance, Control and Dynamics 30 (2007).
        """
        count, dtype = self.quat.shape[0], self.quat.dtype
        w = jnp.ones(count, dtype=dtype) if weights is None else jnp.asarray(weights, dtype=dtype)
        if w.ndim != 1:
            raise ValueError(f"mean: weights must have one axis, got shape {w.shape}.")
        if w.shape[0] != len(self):
            raise ValueError(f"mean: there are {w.shape[0]} weights for {len(self)} rotations. Give one for each.")
        _, vectors = jnp.linalg.eigh((w[None, :] * self.quat.T) @ self.quat)
        return Rotation(vectors[:, -1])

    @property
    def single(self) -> bool:
        """Whether it is one rotation, and not an array of them."""
        return self.quat.ndim == 1


def _turn_with_it(seq: str) -> bool:
    """Whether the axes of Euler angles are intrinsic. Raises ValueError for what is no sequence of axes."""
    if not (set(seq) <= set("XYZ") or set(seq) <= set("xyz")):
        raise ValueError(
            f"the axes of seq must be from ['x', 'y', 'z'] or from ['X', 'Y', 'Z'], and not from both, got {seq!r}."
        )
    if any(a == b for a, b in zip(seq, seq[1:])):
        raise ValueError(f"consecutive axes of seq must be different, got {seq!r}. Add up their angles.")
    return seq.isupper()


class Slerp(NamedTuple):
    """Rotations between given ones, at constant speed from each to the next. Make it by `Slerp.init`.

    Source: https://docs.jax.dev/en/latest/_autosummary/jax.scipy.spatial.transform.Slerp.html
    """

    times: Array
    timedelta: Array
    rotations: Rotation
    rotvecs: Array

    @classmethod
    def init(cls, times: Any, rotations: Rotation) -> Slerp:
        """The steps between `rotations`, of which there are two or more, at these increasing times.

        Raises TypeError for what is no Rotation, ValueError for too few of them and for other shapes of times.
        """
        if not isinstance(rotations, Rotation):
            raise TypeError(f"Slerp.init: rotations must be a Rotation, got {type(rotations)}.")
        if rotations.single or len(rotations) == 1:
            raise ValueError("Slerp.init: rotations must be an array of at least two rotations.")
        times = jnp.asarray(times, dtype=rotations.quat.dtype)
        if times.ndim != 1:
            raise ValueError(f"Slerp.init: times must have one axis, got shape {times.shape}.")
        if times.shape[0] != len(rotations):
            raise ValueError(
                f"Slerp.init: there are {times.shape[0]} times for {len(rotations)} rotations. Give one for each."
            )
        starts = Rotation(rotations.quat[:-1])
        steps = (starts.inv() * Rotation(rotations.quat[1:])).as_rotvec()
        return cls(times=times, timedelta=jnp.diff(times), rotations=starts, rotvecs=steps)

    def __call__(self, times: Any) -> Rotation:
        """The rotation at a time, or at each of several. Raises ValueError for times of more axes."""
        times = jnp.asarray(times, dtype=self.times.dtype)
        if times.ndim > 1:
            raise ValueError(f"Slerp: times must have at most one axis, got shape {times.shape}.")
        at = jnp.atleast_1d(times)
        start = jnp.maximum(jnp.searchsorted(self.times, at) - 1, 0)
        part = (at - self.times[start]) / self.timedelta[start]
        found = self.rotations[start] * Rotation.from_rotvec(self.rotvecs[start] * part[:, None])
        return found[0] if times.ndim == 0 else found
