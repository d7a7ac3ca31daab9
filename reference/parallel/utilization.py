"""How busy the devices are: the arithmetic of a step, and what share of the device's peak it reaches."""

import re
import time
from collections.abc import Callable
from typing import Any

from ..engines import Engine
from ..training import Experiment, TrainState, make_train_step
from .devices import Device

__all__ = ["PEAKS", "measured_peak", "peak", "say_utilization", "step_flops", "utilization"]

PEAKS = {
    "V100": 125e12,
    "A100": 312e12,
    "L4": 121e12,
    "H100": 989e12,
    "H200": 989e12,
    "TPU v4": 275e12,
    "TPU v5 lite": 197e12,
    "TPU v5": 459e12,
    "TPU v6 lite": 918e12,
}
"""operations a second on dense 16-bit matrices, by parts of the names of devices, as their makers publish them"""


def step_flops(step: Any, *args: Any) -> float | None:
    """Floating-point operations of one call, as the compiler counts them in the program for these arguments.

    None where there is no such count, as of `pmap`. Nothing is run or donated. XLA counts the body of a loop
    once, however often it runs: ask it about the step, not about a scan of many.
    """
    if not hasattr(step, "lower"):
        return None
    compiled = step.lower(*args).compile()
    found = compiled.cost_analysis() if hasattr(compiled, "cost_analysis") else None
    return None if not found else found.get("flops")


def peak(jax: Engine, device: Device) -> tuple[float, str]:
    """Operations a second that the device can do at most, and where the number is from."""
    for name, flops in PEAKS.items():
        if re.search(rf"\b{name}\b", device.device_kind):
            return flops, f"the published peak of the {name} in 16 bits"
    return measured_peak(jax, device), "what a large matrix product reaches here"


def measured_peak(jax: Engine, device: Device, *, size: int = 1024, rounds: int = 5) -> float:
    """Operations a second of a product of two square matrices of float32, the best of `rounds`."""
    matrix = jax.device_put(jax.numpy.ones((size, size), "float32"), device)
    product: Callable = jax.jit(lambda a: a @ a)
    jax.block_until_ready(product(matrix))
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        jax.block_until_ready(product(matrix))
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / min(seconds)


def utilization(flops: float, seconds: float, most: float, devices: int = 1) -> float:
    """The share of `most`, the peak of one device, that `flops` in `seconds` on so many devices are."""
    return flops / seconds / (most * devices)


def say_utilization(
    jax: Engine, experiment: Experiment, state: TrainState, batch: Any, steps_per_second: float, devices: list[Device]
) -> str:
    """A sentence about how busy these devices were with steps on batches such as this one.

    What a step computes twice, to keep less of it (`rematerialization.py`), counts twice.
    """
    step = make_train_step(jax, experiment.objective, experiment.optimizer)
    flops = step_flops(step, state, batch)
    if not flops:
        return f"utilisation: {jax.__name__} does not count the operations of a step"
    most, source = peak(jax, devices[0])
    share = utilization(flops, 1 / steps_per_second, most, len(devices))
    speed = flops * steps_per_second / 1e9
    said = f"utilisation: {flops / 1e9:,.3g} GFLOP a step, {speed:,.4g} GFLOP/s: {share:.1%} of {source}"
    if not _has_loops(jax, step, state, batch):
        return said
    return f"{said}; of its loops one turn is counted, so that it is more"


def _has_loops(jax: Engine, step: Callable, *args: Any) -> bool:
    """Whether there are loops in a step, as those of recurrent layers along time."""
    program = str(jax.make_jaxpr(step)(*args))
    return "scan[" in program or "while[" in program
