"""A pytree on every device, and a batch in equal parts: what `pmap` takes."""

from typing import Any

from ..engines import Array, Engine
from .devices import Device

__all__ = ["AXIS", "divide", "replicate", "unreplicate"]

AXIS = "devices"


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


def divide(jax: Engine, batch: tuple[Array, ...], devices: list[Device]) -> tuple[Array, ...] | None:
    """A batch of arrays [examples, ...] as [devices, examples / devices, ...], each part on its device, in their order.

    None where the examples cannot be divided evenly.
    """
    count, rest = divmod(len(batch[0]), len(devices))
    if rest or not count:
        return None
    placed = _over_devices(jax, devices)
    return tuple(jax.device_put(x.reshape(len(devices), count, *x.shape[1:]), placed) for x in batch)
