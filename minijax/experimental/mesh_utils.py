"""jax.experimental.mesh_utils: grids of devices for jax.sharding.Mesh."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax.devices import devices as all_devices

__all__ = ["create_device_mesh"]


def create_device_mesh(
    mesh_shape: Sequence[int],
    devices: Sequence[Any] | None = None,
    *,
    contiguous_submeshes: bool = False,
    allow_split_physical_axes: bool = False,
) -> np.ndarray:
    """The devices as an array of this shape. Raises ValueError unless it has one place for each."""
    available = all_devices() if devices is None else list(devices)
    if math.prod(mesh_shape) != len(available):
        raise ValueError(
            f"Number of devices {len(available)} must equal the product of mesh_shape {tuple(mesh_shape)}. Here is "
            "one device: write lengths of 1."
        )
    return np.array(available, object).reshape(tuple(mesh_shape))
