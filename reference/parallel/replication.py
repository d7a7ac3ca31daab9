"""A pytree on every device, and a batch in equal parts: what `pmap` takes."""

from typing import Any, NamedTuple

from ..engines import Array, Engine
from .devices import Device

__all__ = ["AXIS", "Parts", "divide", "replicate", "unreplicate"]

AXIS = "devices"


class Parts(NamedTuple):
    """A batch on its way to the devices."""

    arrays: tuple[Array, ...]
    """[devices, examples / devices, ...] where it is divided, else [examples, ...]"""
    divided: bool
    """False where its examples cannot be divided evenly: then each device takes all of them"""


def _over_devices(jax: Engine, devices: list[Device]) -> Any:
    mesh = jax.make_mesh((len(devices),), (AXIS,), devices=devices, axis_types=(jax.sharding.AxisType.Auto,))
    return jax.NamedSharding(mesh, jax.P(AXIS))


def replicate(jax: Engine, tree: Any, devices: list[Device]) -> Any:
    """Each leaf [...] as [devices, ...], one copy on each device."""
    placed = _over_devices(jax, devices)

    def copies(leaf: Array) -> Array:
        leaf = jax.numpy.asarray(leaf)
        return jax.device_put(jax.numpy.broadcast_to(leaf[None], (len(devices), *leaf.shape)), placed)

    return jax.tree.map(copies, tree)


def unreplicate(jax: Engine, tree: Any) -> Any:
    """The first copy of each leaf, [...] from [devices, ...]."""
    return jax.tree.map(lambda leaf: leaf[0], tree)


def divide(jax: Engine, batch: tuple[Array, ...], devices: list[Device]) -> Parts:
    """A batch of arrays [examples, ...] in equal parts, each on its device, in the order of the examples."""
    count, rest = divmod(len(batch[0]), len(devices))
    if rest or not count:
        return Parts(batch, divided=False)
    placed = _over_devices(jax, devices)
    parts = [jax.device_put(x.reshape(len(devices), count, *x.shape[1:]), placed) for x in batch]
    return Parts(tuple(parts), divided=True)
