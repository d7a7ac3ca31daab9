"""Devices: there is one, the CPU, or as many as the program asks for, which all are the same CPU.

    jax.config.update("jax_num_cpu_devices", 8)        # first thing in the program, as in JAX

They are there for `pmap`, and so that programs written for JAX run unchanged.
"""

from __future__ import annotations

import math
import os
import platform
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import config, version
from minijax.array import Array, ArrayImpl
from minijax.core import Tracer
from minijax.sharding import AxisType, Mesh
from minijax.tree_util import tree_map

__all__ = [
    "Device",
    "block_until_ready",
    "default_backend",
    "device_count",
    "device_get",
    "devices",
    "effects_barrier",
    "local_device_count",
    "local_devices",
    "make_mesh",
    "print_environment_info",
    "process_count",
    "process_index",
    "process_indices",
]


class Device:
    """One of the simulated devices: the CPU that NumPy runs on."""

    platform = device_kind = "cpu"
    process_index = 0

    def __init__(self, number: int):
        self.id = self.local_hardware_id = number

    def __repr__(self) -> str:
        return f"CpuDevice(id={self.id})"

    def __str__(self) -> str:
        return f"cpu:{self.id}"


def all_devices() -> list[Device]:
    """The devices. From the first call on their number is settled, and so it is from the first array on."""
    if not config.devices_in_use:
        config.devices_in_use.extend(map(Device, range(_wanted_number())))
    return config.devices_in_use


def _wanted_number() -> int:
    number = config.num_cpu_devices.value
    if number >= 0:
        return max(number, 1)
    flag = "--xla_force_host_platform_device_count="
    texts = [word.removeprefix(flag) for word in os.environ.get("XLA_FLAGS", "").split() if word.startswith(flag)]
    return int(texts[-1]) if texts else 1


_make_array = ArrayImpl.__init__


def _make_first_array(self: ArrayImpl, data: np.ndarray, weak_type: bool = False) -> None:
    """Until there is an array, this stands in for its constructor, which nothing else has to be slower for."""
    ArrayImpl.__init__ = _make_array
    all_devices()
    _make_array(self, data, weak_type)


ArrayImpl.__init__ = _make_first_array


def _check_backend(backend: Any) -> None:
    if backend not in (None, "cpu"):
        raise RuntimeError(
            f"Unknown backend {backend!r}: minijax runs on 'cpu' only. For GPUs and TPUs use the reference package."
        )


def devices(backend: str | None = None) -> list[Device]:
    """All devices. Raises RuntimeError for a backend other than 'cpu'."""
    _check_backend(backend)
    return list(all_devices())


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


def make_mesh(
    axis_shapes: Sequence[int], axis_names: Sequence[str], axis_types: Any = None, *, devices: Any = None
) -> Mesh:
    """A mesh of devices with these axes, of type Explicit if not said otherwise.

    Raises ValueError when there are fewer devices than the product of the lengths.
    """
    available = all_devices() if devices is None else list(devices)
    if math.prod(axis_shapes) > len(available):
        raise ValueError(
            f"Number of devices {len(available)} must be >= the product of mesh_shape {tuple(axis_shapes)}. Ask for "
            "more by jax.config.update('jax_num_cpu_devices', 8) before anything else, or write lengths of 1."
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
        f"device info: {all_devices()[0].device_kind}-{device_count()}, {local_device_count()} local devices",
        f"process_count: {process_count()}",
        f"platform: {platform.uname()}",
    ]
    if return_string:
        return "\n".join(lines)
    return print("\n".join(lines))
