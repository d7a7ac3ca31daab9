"""Devices: there is one, the CPU. These functions exist so that programs written for JAX run unchanged."""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax.array import Array, ArrayImpl
from minijax.core import Tracer, as_operand
from minijax.tree_util import tree_map

__all__ = [
    "Device",
    "block_until_ready",
    "default_backend",
    "device_count",
    "device_get",
    "device_put",
    "devices",
    "local_device_count",
    "local_devices",
    "process_count",
    "process_index",
]


class Device:
    """The CPU that NumPy runs on."""

    platform = device_kind = "cpu"
    id = local_hardware_id = process_index = 0

    def __repr__(self) -> str:
        return f"CpuDevice(id={self.id})"

    def __str__(self) -> str:
        return f"TFRT_CPU_{self.id}"


_CPU = Device()


def _check_backend(backend: Any) -> None:
    if backend not in (None, "cpu"):
        raise RuntimeError(
            f"Unknown backend {backend!r}: minijax runs on 'cpu' only. For GPUs and TPUs use the reference package."
        )


def devices(backend: str | None = None) -> list[Device]:
    """All devices. Raises RuntimeError for a backend other than 'cpu'."""
    _check_backend(backend)
    return [_CPU]


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


def default_backend() -> str:
    """The platform that computations run on."""
    return "cpu"


def device_put(x: Any, device: Any = None, *, src: Any = None, donate: Any = False, may_alias: Any = None) -> Any:
    """The leaves of `x` as Arrays on the (only) device.

    Raises TypeError for leaves that are no arrays or numbers, ValueError for a device that is not ours.
    """
    if not (device is None or isinstance(device, Device)):
        raise ValueError(f"device_put: {device!r} is not a device of minijax, which has jax.devices() == {devices()}.")
    return tree_map(as_operand, x)


def device_get(x: Any) -> Any:
    """The leaves of `x` as NumPy arrays; leaves that are no Arrays stay as they are.

    Raises TracerArrayConversionError for tracers: only concrete arrays have values.
    """
    return tree_map(lambda leaf: np.asarray(leaf) if isinstance(leaf, Array) else leaf, x)


def block_until_ready(x: Any) -> Any:
    """`x` itself: computations are finished when they return."""
    for_each = tree_map(lambda leaf: leaf, x)
    return for_each if not isinstance(x, ArrayImpl | Tracer) else x
