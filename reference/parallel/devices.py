"""Which devices a program runs on: their platform and number, and how much of their memory is taken."""

from typing import Any, NamedTuple

from ..engines import Engine

__all__ = [
    "PLATFORMS",
    "Device",
    "DeviceError",
    "Memory",
    "choose_devices",
    "choose_platform",
    "describe",
    "memory",
    "request_platform",
]

PLATFORMS = ("cpu", "gpu", "tpu")

Device = Any


class DeviceError(RuntimeError):
    """A device that is asked for is not there."""


def request_platform(jax: Engine, platform: str | None, *, cpu_devices: int | None = None) -> None:
    """Say what `choose_platform` is to choose, without waking any device: many processes have to meet before."""
    if platform not in (None, *PLATFORMS):
        raise ValueError(f"there is no platform {platform!r}; there are: {', '.join(PLATFORMS)}")
    if jax.__name__ == "minijax":
        if platform not in (None, "cpu"):
            raise DeviceError(f"minijax computes on the CPU, not on a {platform.upper()}; take --engine jax")
    elif platform is not None:
        jax.config.update("jax_platforms", {"gpu": "cuda"}.get(platform, platform))
    if cpu_devices is not None and platform in (None, "cpu"):
        try:
            jax.config.update("jax_num_cpu_devices", cpu_devices)
        except RuntimeError as error:
            raise DeviceError(f"the number of CPU devices cannot be changed any more: {_reason(error)}") from None


def choose_platform(jax: Engine, platform: str | None, *, cpu_devices: int | None = None) -> None:
    """Run on `platform` (None: the best there is), where the CPU appears as `cpu_devices` simulated devices.

    It has to come before the first operation, as later the devices are settled. Raises DeviceError when the engine
    finds no such device.
    """
    request_platform(jax, platform, cpu_devices=cpu_devices)
    try:
        jax.devices()
    except (RuntimeError, AssertionError) as error:  # JAX asserts that a platform without a plugin is not asked for
        reason = _reason(error) or "no plugin for it is installed"
        if platform is None:
            raise DeviceError(f"{jax.__name__} cannot use its devices here: {reason}") from None
        there = f"there is: {', '.join(_platforms(jax))}"
        raise DeviceError(f"{jax.__name__} finds no {platform} here; {there} ({platform}: {reason})") from None


def _reason(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _platforms(jax: Engine) -> list[str]:
    """The best platform that the engine finds by itself, and the CPU, which is everywhere."""
    jax.config.update("jax_platforms", None)
    return sorted({jax.devices()[0].platform, "cpu"})


def choose_devices(jax: Engine, count: int | None = None) -> list[Device]:
    """The first `count` devices, or all; DeviceError when there are fewer."""
    devices = jax.devices()
    if count is None or count <= len(devices):
        return devices[:count]
    kind = devices[0].platform
    advice = "; simulated ones are made by --platform cpu" if kind != "cpu" else ""
    raise DeviceError(f"{count} devices are asked for, and there are {len(devices)} ({kind}){advice}")


def describe(devices: list[Device]) -> str:
    """Such as "8 cpu devices" or "1 gpu device (NVIDIA H100 80GB HBM3)"."""
    platform, kind = devices[0].platform, devices[0].device_kind
    name = f" ({kind})" if kind.lower() != platform else ""
    return f"{len(devices)} {platform} device{'s' * (len(devices) > 1)}{name}"


class Memory(NamedTuple):
    """Bytes of one device's memory."""

    used: int
    peak: int
    limit: int

    def __str__(self) -> str:
        gib = [f"{size / 2**30:.2f}" for size in self]
        return f"{gib[0]} GiB in use, {gib[1]} GiB at most, of {gib[2]} GiB"


def memory(device: Device) -> Memory | None:
    """What a device says of its memory; None where it says nothing, as CPUs do."""
    found = device.memory_stats() if hasattr(device, "memory_stats") else None
    if not found:
        return None
    used = found["bytes_in_use"]
    return Memory(used, found.get("peak_bytes_in_use", used), found.get("bytes_limit", 0))
