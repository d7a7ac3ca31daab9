"""jax.sharding: how arrays lie on devices, for programs that say so.

A mesh is a grid of devices with named axes; a partition spec says along which of them each axis of an array is
split. There is one device unless the program asks for more, and all of them are the one CPU, so that a sharding
changes nothing but what an array says of itself (`placement.py`).
"""

from __future__ import annotations

import enum
import math
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = [
    "AbstractMesh",
    "AxisType",
    "Mesh",
    "NamedSharding",
    "PartitionSpec",
    "Sharding",
    "SingleDeviceSharding",
    "get_abstract_mesh",
    "get_mesh",
    "make_single_device_sharding",
]

Shape = tuple[int, ...]


class AxisType(enum.Enum):
    """Who splits arrays along an axis of a mesh: the compiler, the program's types, or the program by hand."""

    Auto = enum.auto()
    Explicit = enum.auto()
    Manual = enum.auto()

    def __repr__(self) -> str:
        return self.name


# ----------------------------------------------------------------- partition specs


class _Unconstrained:
    """The entry of a spec that leaves an axis to the compiler."""

    def __repr__(self) -> str:
        return "UNCONSTRAINED"


class PartitionSpec:
    """For each axis of an array the name of a mesh axis, a tuple of names, or None: not split."""

    UNCONSTRAINED = _Unconstrained()
    __slots__ = ("_partitions", "reduced", "unreduced")

    def __init__(self, *partitions: Any, unreduced: Any = frozenset(), reduced: Any = frozenset()):
        # As in JAX a tuple of one name is the name, and no names are None.
        self._partitions = tuple([_plain_entry(p) for p in partitions])
        self.unreduced, self.reduced = frozenset(unreduced), frozenset(reduced)

    def _key(self) -> tuple:
        return self._partitions, self.unreduced, self.reduced

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PartitionSpec) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __len__(self) -> int:
        return len(self._partitions)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._partitions)

    def __getitem__(self, i: Any) -> Any:
        return self._partitions[i]

    def index(self, entry: Any) -> int:
        """The first axis with this entry."""
        return self._partitions.index(entry)

    def count(self, entry: Any) -> int:
        """How many axes have this entry."""
        return self._partitions.count(entry)

    def __add__(self, other: Any) -> PartitionSpec:
        if not isinstance(other, PartitionSpec | tuple):
            return NotImplemented
        return PartitionSpec(*self, *other, unreduced=self.unreduced, reduced=self.reduced)

    def __reduce__(self):
        return _rebuild_spec, self._key()

    def __repr__(self) -> str:
        names = {"unreduced": self.unreduced, "reduced": self.reduced}
        named = [f"{k}={set(v)}" for k, v in names.items() if v]
        if named:
            return f"P({', '.join([*map(repr, self), *named])})"
        return f"P{self._partitions}"


def _rebuild_spec(partitions: tuple, unreduced: frozenset, reduced: frozenset) -> PartitionSpec:
    return PartitionSpec(*partitions, unreduced=unreduced, reduced=reduced)


def _plain_entry(entry: Any) -> Any:
    if isinstance(entry, tuple | list):
        return None if not entry else entry[0] if len(entry) == 1 else tuple(entry)
    return entry


# ----------------------------------------------------------------- meshes


class _AnyMesh:
    """Names, lengths and kinds of axes; meshes of devices and abstract ones have them alike."""

    axis_sizes: tuple[int, ...]
    axis_names: tuple[Any, ...]
    axis_types: tuple[AxisType, ...]

    def _set_axes(self, sizes: Sequence[int], names: Any, types: Any) -> None:
        self.axis_names = (names,) if isinstance(names, str) else tuple(names)
        self.axis_sizes = tuple(sizes)
        if types is None:
            types = AxisType.Auto
        self.axis_types = (types,) * len(self.axis_names) if isinstance(types, AxisType) else tuple(types)
        if not len(self.axis_names) == len(self.axis_sizes) == len(self.axis_types):
            raise ValueError(
                f"{type(self).__name__}: axes of lengths {self.axis_sizes}, names {self.axis_names} and types "
                f"{self.axis_types} do not fit together. Give one name (and one type) for each axis."
            )

    @property
    def shape(self) -> Mapping[Any, int]:
        """Length of each axis, by name."""
        return OrderedDict(zip(self.axis_names, self.axis_sizes))

    @property
    def shape_tuple(self) -> tuple[tuple[Any, int], ...]:
        """Pairs of name and length."""
        return tuple(zip(self.axis_names, self.axis_sizes))

    @property
    def size(self) -> int:
        """Number of devices; 0 for the mesh without axes."""
        return math.prod(self.axis_sizes) if self.axis_sizes else 0

    @property
    def empty(self) -> bool:
        """Whether there are no axes, as there are none where nobody spoke of a mesh."""
        return not self.axis_names

    @property
    def manual_axes(self) -> tuple[Any, ...]:
        """Names of the axes of type Manual."""
        return tuple([n for n, t in zip(self.axis_names, self.axis_types) if t is AxisType.Manual])

    @property
    def are_all_axes_auto(self) -> bool:
        """Whether there are axes, all of type Auto."""
        return set(self.axis_types) == {AxisType.Auto}

    @property
    def are_all_axes_explicit(self) -> bool:
        """Whether there are axes, all of type Explicit."""
        return set(self.axis_types) == {AxisType.Explicit}

    def _key(self) -> tuple:
        return type(self), self.axis_sizes, self.axis_names, self.axis_types

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _AnyMesh) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __str__(self) -> str:
        axes = ", ".join(f"{name!r}: {size}" for name, size in self.shape_tuple)
        return f"{type(self).__name__}({axes or '()'}, axis_types={self.axis_types})"


class AbstractMesh(_AnyMesh):
    """A mesh without devices: what a traced program may know of it."""

    def __init__(
        self,
        axis_sizes: Sequence[int],
        axis_names: Sequence[str],
        axis_types: Any = None,
        *,
        abstract_device: Any = None,
    ):
        self._set_axes(axis_sizes, axis_names, axis_types)
        self.abstract_device = abstract_device

    __repr__ = _AnyMesh.__str__


class Mesh(_AnyMesh):
    """A grid of devices. Raises ValueError unless the grid has one axis for each name."""

    def __init__(self, devices: Any, axis_names: Any, axis_types: Any = None):
        grid = np.array(devices, dtype=object)
        names = (axis_names,) if isinstance(axis_names, str) else tuple(axis_names)
        if grid.ndim != len(names):
            raise ValueError(
                f"Mesh: the devices form a grid of {grid.ndim} axes, but axis_names are {names}. Give one name for "
                "each axis, for example Mesh(jax.devices(), ('x',))."
            )
        grid.flags.writeable = False
        self.devices = grid
        self._set_axes(grid.shape, names, axis_types)

    @property
    def abstract_mesh(self) -> AbstractMesh:
        """The same axes without the devices."""
        return AbstractMesh(self.axis_sizes, self.axis_names, self.axis_types)

    @property
    def device_ids(self) -> np.ndarray:
        """The number of each device."""
        return np.array([d.id for d in self.devices.flat], int).reshape(self.devices.shape)

    @property
    def local_devices(self) -> list[Any]:
        """The devices of this process: all."""
        return list(self.devices.flat)

    @property
    def is_multi_process(self) -> bool:
        """Whether several processes share the mesh."""
        return False

    def _key(self) -> tuple:
        return *super()._key(), tuple(map(id, self.devices.flat))

    def __repr__(self) -> str:
        types = f", axis_types={self.axis_types}" if self.axis_names else ""
        return f"Mesh(axis_sizes={self.axis_sizes}, axis_names={self.axis_names}{types})"


_NO_MESH = AbstractMesh((), ())


def get_abstract_mesh() -> AbstractMesh:
    """The mesh that holds here: none, since none can be set."""
    return _NO_MESH


def get_mesh() -> Mesh:
    """The mesh of devices that holds here: none, since none can be set."""
    return Mesh(np.empty((), object), ())


# ----------------------------------------------------------------- shardings


# For each axis of an array which part a device holds, and how many parts there are.
Layout = tuple[tuple[int, int], ...]


class Sharding:
    """Says which device holds which part of an array; each kind says it by `_layouts`."""

    memory_kind = "device"
    is_fully_addressable = is_fully_replicated = True
    device_set: set[Any]

    def _layouts(self, ndim: int) -> dict[Any, Layout]:
        """The part of each device, the first device first."""
        return dict.fromkeys(self.device_set, ((0, 1),) * ndim)

    @property
    def num_devices(self) -> int:
        """How many devices there are."""
        return len(self.device_set)

    @property
    def addressable_devices(self) -> set[Any]:
        """The devices of this process: all."""
        return self.device_set

    def shard_shape(self, global_shape: Shape) -> Shape:
        """The shape of one device's part. Raises ValueError where an axis cannot be split evenly."""
        layout = next(iter(self._layouts(len(global_shape)).values()))
        for axis, (length, (_, parts)) in enumerate(zip(global_shape, layout)):
            if length % parts:
                raise ValueError(
                    f"{self} splits axis {axis} of an array of shape {tuple(global_shape)} into {parts} parts, but "
                    f"its length {length} is not a multiple of {parts}. Pad the array or leave the axis whole."
                )
        return tuple([length // parts for length, (_, parts) in zip(global_shape, layout)])

    def devices_indices_map(self, global_shape: Shape) -> dict[Any, tuple[slice, ...]]:
        """For each device the index of its part."""
        lengths = self.shard_shape(global_shape)
        return {
            device: tuple(
                [slice(i * n, (i + 1) * n) if parts > 1 else slice(None) for n, (i, parts) in zip(lengths, layout)]
            )
            for device, layout in self._layouts(len(global_shape)).items()
        }

    addressable_devices_indices_map = devices_indices_map

    def is_equivalent_to(self, other: Sharding, ndim: int) -> bool:
        """Whether arrays of `ndim` axes lie in the same way."""
        return list(self._layouts(ndim).items()) == list(other._layouts(ndim).items())

    def with_memory_kind(self, kind: str) -> Sharding:
        """This sharding itself. Raises ValueError for another kind of memory than "device"."""
        if kind != "device":
            raise ValueError(f"There is no memory of the kind {kind!r} here: arrays are in 'device' memory.")
        return self


class SingleDeviceSharding(Sharding):
    """The whole array on one device."""

    def __init__(self, device: Any, *, memory_kind: str | None = None):
        self._device = device
        self.device_set = {device}
        self.with_memory_kind(memory_kind or "device")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SingleDeviceSharding) and self._device is other._device

    def __hash__(self) -> int:
        return hash((SingleDeviceSharding, id(self._device)))

    def __repr__(self) -> str:
        return f"SingleDeviceSharding(device={self._device!r}, memory_kind={self.memory_kind})"


def make_single_device_sharding(device: Any, *, memory_kind: str | None = None) -> SingleDeviceSharding:
    """The sharding that holds arrays whole on `device`."""
    return SingleDeviceSharding(device, memory_kind=memory_kind)


class NamedSharding(Sharding):
    """A mesh and a partition spec. Raises ValueError for names that the mesh does not have, or had already."""

    def __init__(self, mesh: Mesh | AbstractMesh, spec: PartitionSpec, *, memory_kind: str | None = None):
        if not isinstance(mesh, _AnyMesh) or not isinstance(spec, PartitionSpec):
            raise TypeError(
                f"NamedSharding needs a mesh and a partition spec, got {mesh!r} and {spec!r}. For example "
                "NamedSharding(jax.make_mesh((1,), ('x',)), jax.P('x'))."
            )
        self.mesh, self.spec = mesh, spec
        self.with_memory_kind(memory_kind or "device")
        names = [n for entry in spec for n in (entry if isinstance(entry, tuple) else (entry,))]
        names = [n for n in names if n is not None and n is not PartitionSpec.UNCONSTRAINED]
        for name in names:
            if name not in mesh.axis_names:
                raise ValueError(f"Resource axis: {name} of {spec} is not found in mesh: {mesh.axis_names}.")
            if names.count(name) > 1:
                raise ValueError(f"NamedSharding: {spec} names the axis {name!r} twice; an axis splits one axis only.")

    @property
    def device_set(self) -> set[Any]:  # type: ignore[override]
        """The devices of the mesh. Raises ValueError for an abstract mesh, which has none."""
        if not isinstance(self.mesh, Mesh):
            raise ValueError(f"{self!r} has no devices, because its mesh is abstract. Make one by jax.make_mesh.")
        return set(self.mesh.devices.flat)

    def is_over(self, devices: Sequence[Any]) -> bool:
        """Whether the mesh is made of some of these devices."""
        return isinstance(self.mesh, Mesh) and all(d in devices for d in self.mesh.devices.flat)

    @property
    def is_fully_replicated(self) -> bool:  # type: ignore[override]
        """Whether each device holds all of an array."""
        return all(self._parts(entry) == 1 for entry in self.spec)

    def _names(self, entry: Any) -> tuple[Any, ...]:
        if entry is None or entry is PartitionSpec.UNCONSTRAINED:
            return ()
        return entry if isinstance(entry, tuple) else (entry,)

    def _parts(self, entry: Any) -> int:
        return math.prod([self.mesh.shape[name] for name in self._names(entry)])

    def _layouts(self, ndim: int) -> dict[Any, Layout]:
        if len(self.spec) > ndim:
            raise ValueError(f"{self} is about {len(self.spec)} axes, but the array has {ndim}.")
        entries = [*self.spec, *[None] * (ndim - len(self.spec))]
        layouts: dict[Any, Layout] = {}
        for place in np.ndindex(self.mesh.devices.shape):
            at = dict(zip(self.mesh.axis_names, place))
            layout = []
            for entry in entries:
                part = 0
                for name in self._names(entry):  # of several names the last one counts fastest
                    part = part * self.mesh.shape[name] + at[name]
                layout.append((part, self._parts(entry)))
            layouts[self.mesh.devices[place]] = tuple(layout)
        return layouts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NamedSharding) and (self.mesh, self.spec) == (other.mesh, other.spec)

    def __hash__(self) -> int:
        return hash((self.mesh, self.spec))

    def __repr__(self) -> str:
        memory = f", memory_kind={self.memory_kind}" if isinstance(self.mesh, Mesh) else ""
        return f"NamedSharding(mesh={self.mesh!s}, spec={self.spec}{memory})"


def unsharded(aval: Any) -> NamedSharding:
    """The sharding in the type of an array when no mesh is set (`jax.typeof(x).sharding`)."""
    return NamedSharding(_NO_MESH, PartitionSpec(*[None] * aval.ndim))
