"""The options that say where a training runs, how it is divided, and in which numbers."""

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

from ..data import Dataset
from ..data.augmentation import AUGMENTATIONS, augmented
from ..engines import Engine
from ..parallel.data_parallel import data_parallel
from ..parallel.devices import (
    PLATFORMS,
    Device,
    DeviceError,
    choose_devices,
    choose_platform,
    describe,
    request_platform,
)
from ..parallel.precision import PRECISIONS, in_dtype, loss_scaling, scaled_train_step
from ..parallel.processes import Processes, is_first, join
from ..parallel.rematerialization import KEPT, NoBlocks, rematerialized
from ..parallel.scan import scanned
from ..parallel.sharding import sharded
from ..training import ONE_DEVICE, Execution, Experiment, Feed, train_step
from .parsing import count, number

__all__ = ["Machine", "add_execution_options", "machine_from"]

WAYS = ("none", "pmap", "shard")

_index = number(int, "a whole number of at least 0", lambda n: n >= 0)


class Machine(NamedTuple):
    """Where a training runs."""

    words: str
    """such as "on 8 cpu devices (pmap)" """
    first: bool
    """whether this process prints and writes; False in all but one of many processes"""
    alone: bool
    """whether this is the only process"""
    devices: list[Device]
    adapt: Callable[[Experiment], Experiment]
    """the experiment in the numbers, with the memory and on the images that are asked for"""
    arrange: Callable[[Experiment, Dataset], tuple[Experiment, Execution, Dataset | Feed]]
    """what `fit` is given, for an experiment on a dataset"""


def add_execution_options(add: Callable) -> None:
    """`--platform`, `--devices`, `--parallel`, `--precision` and what else there is to say about it."""
    add("--platform", choices=list(PLATFORMS), metavar="NAME", help="%(choices)s (default: the best there is)")
    add(
        "--parallel",
        choices=list(WAYS),
        default="none",
        metavar="HOW",
        help="%(choices)s (default: none): pmap runs a step on each device and averages gradients, shard divides the "
        "arrays of one jitted step",
    )
    add(
        "--devices",
        type=count,
        metavar="N",
        help="so many devices for --parallel (default: all); of a CPU and of minijax there are as many as one likes "
        "(of many processes each has so many)",
    )
    add("--tensor", type=count, metavar="N", help="with shard: divide matrices by N too, examples by devices / N")
    add("--fully-sharded", action="store_true", help="with shard: divide parameters and the optimiser's state as well")
    add("--scan", type=count, metavar="N", help="N steps in one dispatch, with the training set on the device")
    add(
        "--precision",
        choices=list(PRECISIONS),
        default="float32",
        metavar="NAME",
        help="%(choices)s (default: float32): what the model computes in; parameters stay float32",
    )
    add(
        "--keep-for-backward",
        choices=list(KEPT),
        default="everything",
        metavar="WHAT",
        help="of the blocks of a GPT or a ResNet: %(choices)s (default: everything); what is not kept is computed "
        "twice, which saves memory",
    )
    add(
        "--augment", choices=list(AUGMENTATIONS), metavar="HOW", help="change images at random in training: %(choices)s"
    )
    add(
        "--coordinator",
        metavar="ADDRESS:PORT",
        help="train in many processes, this is the address of the first; `auto` where SLURM or a TPU pod says it",
    )
    add("--processes", type=count, metavar="N", help="how many processes there are")
    add("--process", type=_index, metavar="I", help="the number of this one, from 0")


def _refuse_what_does_not_go_together(options: argparse.Namespace) -> None:
    error = options.parser.error
    if options.devices is not None and options.parallel == "none":
        error("--devices needs --parallel pmap or --parallel shard")
    for name in ("tensor", "fully_sharded", "coordinator"):
        if getattr(options, name) and options.parallel != "shard":
            error(f"--{name.replace('_', '-')} needs --parallel shard")
    if options.scan is not None and options.parallel != "none":
        error("--scan is for one device; leave out --parallel")
    given = [options.processes is not None, options.process is not None]
    if any(given) and (options.coordinator in (None, "auto") or not all(given)):
        error("--coordinator ADDRESS:PORT, --processes and --process belong together")
    if options.coordinator not in (None, "auto") and not all(given):
        error("--coordinator ADDRESS:PORT, --processes and --process belong together")


def _refuse_what_cannot_be_divided(
    options: argparse.Namespace, experiment: Experiment, dataset: Dataset, parts: int
) -> None:
    """Batches that every device would have to take whole would train, but not a bit faster."""
    size = experiment.batch_size
    if parts and size % parts:
        near = [n for n in (size // parts * parts, -(-size // parts) * parts) if n]
        options.parser.error(
            f"--batch-size {size} cannot be divided by {parts} devices; take {' or '.join(map(str, near))}"
        )
    if options.augment is not None and dataset.white is None:
        options.parser.error(f"--augment changes images, and {dataset.name} holds none")


def _refuse_without_blocks(options: argparse.Namespace, jax: Engine, experiment: Experiment, dataset: Dataset) -> None:
    """Wrong use where there is nothing to keep less of; found out without computing anything."""
    batch = (dataset.inputs(dataset.x_train[:1]), dataset.y_train[:1])

    def loss(key: Any) -> Any:
        params, state = experiment.model.init(jax, key)
        return experiment.objective(jax, params, state, batch, key, train=True)[0]

    try:
        jax.eval_shape(loss, jax.random.key(0))
    except NoBlocks as error:
        options.parser.error(f"--keep-for-backward {options.keep_for_backward}: {error}")


def machine_from(options: argparse.Namespace, jax: Engine) -> Machine:
    """What the options ask for; it has to come before anything is computed. DeviceError where it is not there."""
    _refuse_what_does_not_go_together(options)
    alone = options.coordinator is None
    devices_here = options.devices
    if not alone:
        request_platform(jax, options.platform, cpu_devices=devices_here)
        address = None if options.coordinator == "auto" else options.coordinator
        join(jax, Processes(address, options.processes, options.process))
        devices_here = None  # said already, and all count from here on
    choose_platform(jax, options.platform, cpu_devices=devices_here)
    if not alone and options.devices not in (None, len(jax.local_devices())):
        raise DeviceError(
            f"of many processes each takes all devices that it sees ({len(jax.local_devices())} here), not "
            f"{options.devices}; leave out --devices, or hide some of them (CUDA_VISIBLE_DEVICES)"
        )
    half = options.precision == "float16"
    build = scaled_train_step if half else train_step
    devices = jax.devices()[:1]
    if options.parallel != "none":
        devices = choose_devices(jax, devices_here)

    def adapt(experiment: Experiment) -> Experiment:
        objective = rematerialized(experiment.objective, options.keep_for_backward)
        objective = in_dtype(objective, PRECISIONS[options.precision])
        if options.augment is not None:
            objective = augmented(objective, AUGMENTATIONS[options.augment])
        optimizer = loss_scaling(experiment.optimizer) if half else experiment.optimizer
        return experiment._replace(objective=objective, optimizer=optimizer)

    def arrange(experiment: Experiment, dataset: Dataset) -> tuple[Experiment, Execution, Dataset | Feed]:
        _refuse_what_cannot_be_divided(options, experiment, dataset, len(devices) // (options.tensor or 1))
        experiment = adapt(experiment)
        if options.keep_for_backward != "everything":
            _refuse_without_blocks(options, jax, experiment, dataset)
        if options.scan is not None:
            return (experiment, *scanned(jax, experiment, dataset, options.scan, build=build))
        return experiment, _execution(options, jax, devices, build), dataset

    return Machine(_words(options, devices), alone or is_first(jax), alone, devices, adapt, arrange)


def _words(options: argparse.Namespace, devices: list[Device]) -> str:
    words = f"on {describe(devices)}"
    words += f" ({options.parallel})" if options.parallel != "none" else ""
    return words + (f" in {options.precision}" if options.precision != "float32" else "")


def _execution(options: argparse.Namespace, jax: Engine, devices: list[Device], build: Callable) -> Execution:
    if options.parallel == "pmap":
        return data_parallel(devices, build=build)
    if options.parallel == "shard":
        return sharded(jax, devices, tensor=options.tensor or 1, fully=options.fully_sharded, build=build)

    def make(jax: Engine, *args: Any, watch: bool = False) -> Callable:
        return jax.jit(build(jax, *args, watch=watch), donate_argnums=0)

    return ONE_DEVICE._replace(make_train_step=make)
