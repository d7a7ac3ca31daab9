"""Where arrays lie: most on the first device as a whole, results of pmap and of device_put where these say.

Devices are simulated: every array is one NumPy buffer, and its place is a note beside it. Operations compute on the
buffer and do not ask for the note, so that their results lie on the first device again; in JAX they would stay.
"""

from __future__ import annotations

import weakref
from typing import Any, NamedTuple

from minijax.array import Array, ArrayImpl
from minijax.core import as_operand
from minijax.devices import Device, devices
from minijax.primitives.standard import check_one_device
from minijax.sharding import PartitionSpec, Sharding, SingleDeviceSharding
from minijax.tree_util import flatten_axes, tree_flatten, tree_leaves, tree_unflatten

__all__ = [
    "Shard",
    "bytes_of",
    "data_of_device",
    "device_of",
    "device_put",
    "devices_of",
    "is_placed",
    "is_replicated",
    "placed",
    "shards_of",
    "sharding_of",
    "sharding_to",
    "with_sharding_constraint",
]

# ----------------------------------------------------------------- notes

# The notes, by the id of the array. An entry goes when its array does.
_places: dict[int, tuple[weakref.ref, Sharding]] = {}


class Shard(NamedTuple):
    """The part of an array that a device holds; replica_id counts the devices that hold the same part."""

    device: Device
    index: tuple[slice, ...]
    replica_id: int
    data: Array

    def __repr__(self) -> str:
        return f"Shard(device={self.device!r}, index={self.index}, replica_id={self.replica_id}, data={self.data})"


def placed(x: Array, sharding: Sharding) -> Array:
    """The values of `x` with a note that they lie as `sharding` says; tracers stay what they are.

    Raises ValueError where the sharding splits an axis into parts of different lengths.
    """
    if type(x) is not ArrayImpl:
        return x
    sharding.shard_shape(x.shape)
    out, key = ArrayImpl(x._data, x.weak_type), None
    key = id(out)
    _places[key] = weakref.ref(out, lambda _: _places.pop(key, None)), sharding
    return out


def sharding_to(place: Any) -> Sharding:
    """The sharding that a place to put arrays means: a device, or a sharding over devices.

    Raises ValueError for what is no place here.
    """
    if isinstance(place, PartitionSpec):
        check_one_device("device_put", place)
    if isinstance(place, Sharding) and place.device_set <= set(devices()):
        return place
    if isinstance(place, Device) and place in devices():
        return SingleDeviceSharding(place)
    raise ValueError(
        f"device_put: {place!r} is not among the devices here, which are {devices()}. Ask for more of them by "
        "jax.config.update('jax_num_cpu_devices', 8) before anything else."
    )


def device_put(x: Any, device: Any = None, *, src: Any = None, donate: Any = False, may_alias: Any = None) -> Any:
    """The leaves of `x` as Arrays that lie on a device, or as a sharding says; `device` may be a tree of these.

    Raises TypeError for leaves that are no arrays or numbers, ValueError for a place that there is not.
    """
    leaves, tree = tree_flatten(x)
    places = [None] * len(leaves) if device is None else flatten_axes("device_put device", tree, device)
    out = [as_operand(leaf) for leaf in leaves]
    return tree_unflatten(
        tree, [leaf if p is None else placed(leaf, sharding_to(p)) for leaf, p in zip(out, places, strict=True)]
    )


def with_sharding_constraint(x: Any, shardings: Any) -> Any:
    """The leaves of `x`, lying as the sharding or tree of shardings says; traced values stay what they are.

    Raises as `device_put` does, and TypeError for what is no sharding.
    """
    for sharding in tree_leaves(shardings):
        check_one_device("with_sharding_constraint", sharding)
    return device_put(x, shardings)


def is_placed(x: ArrayImpl) -> bool:
    """Whether somebody said where it lies."""
    return id(x) in _places


def sharding_of(x: ArrayImpl) -> Sharding:
    """How it lies on devices."""
    place = _places.get(id(x))
    return SingleDeviceSharding(devices()[0]) if place is None else place[1]


def device_of(x: ArrayImpl) -> Any:
    """The device that holds it, or the sharding if there are several."""
    sharding = sharding_of(x)
    return next(iter(sharding.device_set)) if isinstance(sharding, SingleDeviceSharding) else sharding


def devices_of(x: ArrayImpl) -> set[Device]:
    """The devices that hold it."""
    return set(sharding_of(x).device_set)


def is_replicated(x: ArrayImpl) -> bool:
    """Whether each of its devices holds all of it."""
    return sharding_of(x).is_fully_replicated


def shards_of(x: ArrayImpl) -> list[Shard]:
    """The parts that the devices hold, in the order of the devices."""
    if not is_placed(x):
        return [Shard(devices()[0], (slice(None),) * x.ndim, 0, x)]
    shards: list[Shard] = []
    for device, index in sharding_of(x).devices_indices_map(x.shape).items():
        data = placed(ArrayImpl(x._data[index], x.weak_type), SingleDeviceSharding(device))
        shards.append(Shard(device, index, sum(s.index == index for s in shards), data))
    return sorted(shards, key=lambda s: s.device.id)


def data_of_device(self: ArrayImpl, index: int) -> Array:
    """The part on one of its devices, by number. Raises IndexError for another number."""
    return shards_of(self)[index].data


def bytes_of(self: ArrayImpl) -> int:
    """Bytes that it takes in memory."""
    return self.size * self.dtype.itemsize
