"""One program over a mesh of devices: `jit` with shardings, where the compiler puts in the communication.

The mesh has two axes. Examples are divided along "data"; along "tensor" each matrix is divided by its columns, so
that a layer wider than one device's memory still fits. With fully sharded parameters those, and all that the
optimiser keeps of them, are divided along "data" too (ZeRO; Rajbhandari et al., 2020) and gathered where they are
needed. Whatever is divided, the results are those of one device: batch normalisation, for one, goes by the whole
batch.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..engines import Array, Engine
from ..metrics import Metric
from ..optimizers import Optimizer
from ..training import Objective, TrainState, make_eval_step, train_step
from ..training.execution import Execution
from .devices import Device, DeviceError

__all__ = ["DATA", "TENSOR", "make_mesh", "put", "sharded", "state_sharding", "whole"]

DATA, TENSOR = "data", "tensor"

Mesh = Any
Sharding = Any


def make_mesh(jax: Engine, devices: list[Device], *, tensor: int = 1) -> Mesh:
    """A mesh of len(devices) / tensor by `tensor` devices."""
    rows, rest = divmod(len(devices), tensor)
    if rest or not rows:
        raise DeviceError(f"{len(devices)} devices cannot be arranged in rows of {tensor}")
    kinds = (jax.sharding.AxisType.Auto,) * 2
    return jax.make_mesh((rows, tensor), (DATA, TENSOR), devices=devices, axis_types=kinds)


def state_sharding(jax: Engine, mesh: Mesh, shape: tuple[int, ...], *, fully: bool) -> Sharding:
    """Where a leaf of a state of this shape goes.

    Arrays of two axes and more are divided along "tensor" by their last axis; with `fully` the longest axis that
    is left is divided along "data". An axis that cannot be divided evenly stays whole.
    """
    axes: list[str | None] = [None] * len(shape)
    tensor, data = mesh.shape[TENSOR], mesh.shape[DATA]
    if len(shape) >= 2 and tensor > 1 and shape[-1] % tensor == 0:
        axes[-1] = TENSOR
    free = [i for i, size in enumerate(shape) if axes[i] is None and size and size % data == 0]
    if fully and data > 1 and free:
        axes[max(free, key=lambda i: shape[i])] = DATA
    return jax.NamedSharding(mesh, jax.P(*axes))


def put(jax: Engine, x: Array, sharding: Sharding) -> Array:
    """`x`, which every process has whole, divided over the devices of all processes."""
    if jax.process_count() == 1:
        return jax.device_put(x, sharding)
    if jax.numpy.issubdtype(x.dtype, jax.dtypes.prng_key):
        return jax.random.wrap_key_data(put(jax, jax.random.key_data(x), sharding))
    values = np.asarray(x)
    return jax.make_array_from_callback(values.shape, sharding, lambda part: values[part])


def whole(jax: Engine, tree: Any) -> Any:
    """The tree with every leaf whole, in every process."""
    if jax.process_count() == 1:
        first = jax.devices()[0]
        return jax.tree.map(lambda leaf: jax.device_put(leaf, first), tree)
    mesh = make_mesh(jax, jax.devices())
    everywhere = jax.jit(lambda tree: tree, out_shardings=jax.NamedSharding(mesh, jax.P()))(tree)
    return jax.tree.map(lambda leaf: leaf.addressable_data(0), everywhere)


def sharded(
    jax: Engine, devices: list[Device], *, tensor: int = 1, fully: bool = False, build: Callable = train_step
) -> Execution:
    """Training on these devices with `jit`; `tensor` and `fully` say how the state is divided (see the module).

    `build` makes the step of one device.
    """
    mesh = make_mesh(jax, devices, tensor=tensor)
    everywhere = jax.NamedSharding(mesh, jax.P())

    def place_state(jax: Engine, state: Any) -> Any:
        return jax.tree.map(lambda leaf: put(jax, leaf, state_sharding(jax, mesh, leaf.shape, fully=fully)), state)

    def place_batch(jax: Engine, batch: tuple[np.ndarray, ...]) -> tuple[Array, ...]:
        """Examples that cannot be divided evenly go to every device whole."""
        even = len(batch[0]) and len(batch[0]) % mesh.shape[DATA] == 0
        where = jax.NamedSharding(mesh, jax.P(DATA)) if even else everywhere
        return tuple(put(jax, x, where) for x in batch)

    def make_train(
        jax: Engine,
        objective: Objective,
        optimizer: Optimizer,
        metrics: Mapping[str, Metric] | None = None,
        *,
        watch: bool = False,
    ) -> Callable:
        step_of_one = build(jax, objective, optimizer, metrics, watch=watch)

        def step(state: TrainState, batch: Any) -> tuple[TrainState, dict[str, Array]]:
            state, measures = step_of_one(state, batch)
            where = jax.tree.map(lambda leaf: state_sharding(jax, mesh, leaf.shape, fully=fully), state)
            measures = jax.tree.map(lambda leaf: jax.lax.with_sharding_constraint(leaf, everywhere), measures)
            return jax.tree.map(jax.lax.with_sharding_constraint, state, where), measures

        return jax.jit(step, donate_argnums=0)

    def make_eval(jax: Engine, objective: Objective, metrics: Mapping[str, Metric]) -> Callable:
        step = make_eval_step(jax, objective, metrics)

        def evaluate(state: TrainState, totals: Any, batch: Any) -> Any:
            """Totals are made on one device, and stay on all of them from the first batch on."""
            return step(state, jax.tree.map(lambda leaf: put(jax, leaf, everywhere), totals), batch)

        return evaluate

    return Execution(make_train, make_eval, place_state, whole, place_batch)
