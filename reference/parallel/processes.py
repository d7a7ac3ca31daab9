"""Training in many processes, on one machine or many: each has its own devices, all run the same program."""

from typing import NamedTuple

from ..engines import Engine
from .devices import DeviceError

__all__ = ["Processes", "is_first", "join"]


class Processes(NamedTuple):
    """How the processes of a training find each other."""

    coordinator: str | None = None
    """address:port of the first process; None: as SLURM, Open MPI, Kubernetes or a TPU pod say"""
    count: int | None = None
    number: int | None = None
    """of this process, from 0"""


def join(jax: Engine, processes: Processes, *, seconds_to_start: int = 300, seconds_to_notice: int = 30) -> None:
    """Become one of these processes; afterwards `jax.devices()` are the devices of all of them.

    It has to come before the first operation. Raises DeviceError when they do not all appear within
    `seconds_to_start`. One that is lost later ends the others with an error: at once where they wait for each
    other's numbers, within some `seconds_to_notice` in any case. Start them all again to resume from a checkpoint.
    """
    if not hasattr(jax, "distributed"):
        raise DeviceError(f"{jax.__name__} runs in one process; take --engine jax")
    given = [value is not None for value in processes]
    if any(given) and not all(given):
        raise DeviceError("a coordinator, the number of processes and the number of this one belong together")
    try:
        jax.distributed.initialize(
            coordinator_address=processes.coordinator,
            num_processes=processes.count,
            process_id=processes.number,
            initialization_timeout=seconds_to_start,
            heartbeat_timeout_seconds=seconds_to_notice,
        )
    except (RuntimeError, ValueError) as error:
        raise DeviceError(f"the processes did not find each other: {error}") from None


def is_first(jax: Engine) -> bool:
    """Whether this is the process that writes files and prints."""
    return jax.process_index() == 0
