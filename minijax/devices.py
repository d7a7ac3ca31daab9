"""Devices: there is one, the CPU. These functions exist so that programs written for JAX run unchanged."""

from __future__ import annotations

import math
import platform
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minijax import version
from minijax.array import Array, ArrayImpl
from minijax.core import Tracer, as_operand
from minijax.primitives.standard import check_one_device
from minijax.sharding import AxisType, Mesh, PartitionSpec, Sharding, SingleDeviceSharding
from minijax.tree_util import tree_leaves, tree_map

__all__ = [
    "Device",
    "block_until_ready",
    "default_backend",
    "device_count",
    "device_get",
    "device_put",
    "devices",
    "effects_barrier",
    "local_device_count",
    "local_devices",
    "make_mesh",
    "print_environment_info",
    "process_count",
    "process_index",
    "process_indices",
    "with_sharding_constraint",
]


class Device:
    """The CPU that NumPy runs on."""

    platform = device_kind = "cpu"
    id = local_hardware_id = process_index = 0

    def __repr__(self) -> str:
        return f"CpuDevice(id={self.id})"

    def __str__(self) -> str:
        return f"TFRT_CPU_{self.id}"


_DEVICES = [Device()]


def _check_backend(backend: Any) -> None:
    if backend not in (None, "cpu"):
        raise RuntimeError(
            f"Unknown backend {backend!r}: minijax runs on 'cpu' only. For GPUs and TPUs use the reference package."
        )


def devices(backend: str | None = None) -> list[Device]:
    """All devices. Raises RuntimeError for a backend other than 'cpu'."""
    _check_backend(backend)
    return list(_DEVICES)


def local_devices(
    process_index: int | None = None, backend: str | None = None, host_id: int | None = None
) -> list[Device]:
    """The devices of this process: all there are."""
    return devices(backend)


def device_count(backend: str | None = None) -> int:
    """The number of devices."""
    return len(devices(backend))


def local_device_count(backend: str | None = None) -> int:
    """The number of devices of this process."""
    return len(devices(backend))


def process_index(backend: str | None = None) -> int:
    """The number of this process among all."""
    _check_backend(backend)
    return 0


def process_count(backend: str | None = None) -> int:
    """The number of processes."""
    _check_backend(backend)
    return 1


def process_indices(backend: str | None = None) -> list[int]:
    """The numbers of all processes."""
    _check_backend(backend)
    return [0]


def default_backend() -> str:
    """The platform that computations run on."""
    return "cpu"


def device_put(x: Any, device: Any = None, *, src: Any = None, donate: Any = False, may_alias: Any = None) -> Any:
    """The leaves of `x` as Arrays on the (only) device; `device` is it, a sharding over it, or a tree of these.

    Raises TypeError for leaves that are no arrays or numbers, ValueError for a device that is not ours.
    """
    for place in tree_leaves(device):
        if isinstance(place, PartitionSpec | Sharding):
            check_one_device("device_put", place)
        elif not isinstance(place, Device):
            raise ValueError(
                f"device_put: {place!r} is not a device of minijax, which has jax.devices() == {devices()}."
            )
    return tree_map(as_operand, x)


def with_sharding_constraint(x: Any, shardings: Any) -> Any:
    """`x` itself: a sharding over one device holds anyway. Raises as check_one_device does for others."""
    for sharding in tree_leaves(shardings):
        check_one_device("with_sharding_constraint", sharding)
    return tree_map(as_operand, x)


def make_mesh(
    axis_shapes: Sequence[int], axis_names: Sequence[str], axis_types: Any = None, *, devices: Any = None
) -> Mesh:
    """A mesh of the device with these axes, of type Explicit if not said otherwise.

    Raises ValueError when the product of the lengths is not 1.
    """
    available = _DEVICES if devices is None else list(devices)
    if math.prod(axis_shapes) > len(available):
        raise ValueError(
            f"Number of devices {len(available)} must be >= the product of mesh_shape {tuple(axis_shapes)}. Here is "
            "one device: write lengths of 1."
        )
    grid = np.array(available[: math.prod(axis_shapes)], object).reshape(tuple(axis_shapes))
    return Mesh(grid, axis_names, AxisType.Explicit if axis_types is None else axis_types)


def device_get(x: Any) -> Any:
    """The leaves of `x` as NumPy arrays; leaves that are no Arrays stay as they are.

    Raises TracerArrayConversionError for tracers: only concrete arrays have values.
    """
    return tree_map(lambda leaf: np.asarray(leaf) if isinstance(leaf, Array) else leaf, x)


def block_until_ready(x: Any) -> Any:
    """`x` itself: computations are finished when they return."""
    for_each = tree_map(lambda leaf: leaf, x)
    return for_each if not isinstance(x, ArrayImpl | Tracer) else x


def effects_barrier() -> None:
    """Nothing: callbacks and prints have happened when the program that makes them goes on."""


def print_environment_info(return_string: bool = False) -> str | None:
    """Versions, platform and device, for reports of errors: printed, or returned as a text."""
    lines = [
        f"minijax: {version.own_version}, in place of jax {version.__version__}",
        f"numpy:  {np.__version__}",
        f"python: {sys.version}",
        f"device info: {_DEVICES[0].device_kind}-{device_count()}, {local_device_count()} local devices",
        f"process_count: {process_count()}",
        f"platform: {platform.uname()}",
    ]
    if return_string:
        return "\n".join(lines)
    return print("\n".join(lines))


# ----------------------------------------------------------------- where an array is


class Shard(NamedTuple):
    """The part of an array that a device holds: all of it."""

    device: Device
    index: tuple[slice, ...]
    replica_id: int
    data: Array


def sharding_of(x: ArrayImpl) -> SingleDeviceSharding:
    """How it lies on devices: whole, on the one."""
    return SingleDeviceSharding(_DEVICES[0])


def shards_of(x: ArrayImpl) -> list[Shard]:
    """The parts that the devices hold: one, which is all of it."""
    return [Shard(_DEVICES[0], (slice(None),) * x.ndim, 0, x)]


def data_of_device(self: ArrayImpl, index: int) -> Array:
    """The part on one device: the array itself. Raises IndexError for another number than 0."""
    return shards_of(self)[index].data


def bytes_of(self: ArrayImpl) -> int:
    """Bytes that it takes in memory."""
    return self.size * self.dtype.itemsize
