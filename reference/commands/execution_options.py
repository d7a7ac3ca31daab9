"""The options that say where and in which numbers a training runs."""

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

from ..engines import Engine
from ..parallel.data_parallel import data_parallel
from ..parallel.devices import PLATFORMS, choose_devices, choose_platform, describe
from ..parallel.precision import PRECISIONS, in_dtype, loss_scaling, scaled_train_step
from ..parallel.sharding import sharded
from ..training import ONE_DEVICE, Execution, Experiment, train_step
from .parsing import count

__all__ = ["Machine", "add_execution_options", "machine_from"]

WAYS = ("none", "pmap", "shard")


class Machine(NamedTuple):
    """Where a training runs."""

    execution: Execution
    words: str
    """such as "on 8 cpu devices (pmap)" """
    prepare: Callable[[Experiment], Experiment]
    """what the numbers make of an experiment"""

    def __str__(self) -> str:
        return self.words


def add_execution_options(add: Callable) -> None:
    """`--platform`, `--devices`, `--parallel` and `--precision`."""
    add("--platform", choices=list(PLATFORMS), metavar="NAME", help="%(choices)s (default: the best there is)")
    add(
        "--devices",
        type=count,
        metavar="N",
        help="so many devices for --parallel (default: all); with --platform cpu or --engine minijax simulated ones",
    )
    add(
        "--parallel",
        choices=list(WAYS),
        default="none",
        metavar="HOW",
        help="%(choices)s (default: none): pmap runs a step on each device and averages gradients, shard divides the "
        "arrays of one jitted step",
    )
    add(
        "--precision",
        choices=list(PRECISIONS),
        default="float32",
        metavar="NAME",
        help="%(choices)s (default: float32): what the model computes in; parameters stay float32",
    )


def machine_from(options: argparse.Namespace, jax: Engine) -> Machine:
    """What the options ask for; it has to come before anything is computed. DeviceError where it is not there."""
    if options.devices is not None and options.parallel == "none":
        options.parser.error("--devices needs --parallel pmap or --parallel shard")
    choose_platform(jax, options.platform, cpu_devices=options.devices)
    half = options.precision == "float16"
    build = scaled_train_step if half else train_step

    def prepare(experiment: Experiment) -> Experiment:
        optimizer = loss_scaling(experiment.optimizer) if half else experiment.optimizer
        objective = in_dtype(experiment.objective, PRECISIONS[options.precision])
        return experiment._replace(objective=objective, optimizer=optimizer)

    if options.parallel == "none":
        execution, devices = _on_one_device(build), jax.devices()[:1]
    else:
        devices = choose_devices(jax, options.devices)
        divided = options.parallel == "shard"
        execution = sharded(jax, devices, build=build) if divided else data_parallel(devices, build=build)
    words = f"on {describe(devices)}"
    words += f" ({options.parallel})" if options.parallel != "none" else ""
    words += f" in {options.precision}" if options.precision != "float32" else ""
    return Machine(execution, words, prepare)


def _on_one_device(build: Callable) -> Execution:
    def make(jax: Engine, *args: Any, watch: bool = False) -> Callable:
        return jax.jit(build(jax, *args, watch=watch), donate_argnums=0)

    return ONE_DEVICE._replace(make_train_step=make)
