"""Data parallelism with `pmap`: every device has the whole state and a part of each batch.

Each computes the gradients of its own examples; `pmean` averages them, so that all make the same update and the
states stay equal. The mean over a batch is the mean of the means of its parts, as the parts are of equal size. A
batch that cannot be divided evenly (the last one of an epoch) is given to every device whole: that costs a
slower step, and is exact.

What a model carries from batch to batch is averaged as well. Batch normalisation goes by each device's own
examples, as is usual under `pmap`: `sharding.py` has the form in which it goes by the whole batch.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ..engines import Array, Engine, Params
from ..metrics import Metric
from ..optimizers import Optimizer
from ..training import Objective, TrainState, make_eval_step, train_step
from ..training.execution import Execution
from .devices import Device
from .replication import AXIS, Parts, divide, replicate, unreplicate

__all__ = ["averaging", "data_parallel"]


def data_parallel(devices: list[Device], *, build: Callable = train_step) -> Execution:
    """Training on these devices with `pmap`, on either engine; `build` makes the step of one device."""

    def make_train(
        jax: Engine,
        objective: Objective,
        optimizer: Optimizer,
        metrics: Mapping[str, Metric] | None = None,
        *,
        watch: bool = False,
    ) -> Callable:
        return _make_train_step(jax, objective, optimizer, metrics, watch=watch, devices=devices, build=build)

    def make_eval(jax: Engine, objective: Objective, metrics: Mapping[str, Metric]) -> Callable:
        return _make_eval_step(jax, objective, metrics, devices)

    return Execution(
        make_train,
        make_eval,
        place_state=lambda jax, state: replicate(jax, state, devices),
        whole_state=unreplicate,
        place_batch=lambda jax, batch: divide(jax, batch, devices),
    )


def averaging(optimizer: Optimizer, axis: str) -> Optimizer:
    """The optimiser, given the mean of the gradients over the devices along `axis`."""
    if optimizer.per_example:
        raise ValueError(
            "an optimiser that clips the gradient of each example has to see them all before they are averaged, "
            "which pmap does not allow: take --parallel shard"
        )

    def update(jax: Engine, grads: Params, state: Any, params: Params) -> tuple[Params, Any]:
        return optimizer.update(jax, jax.lax.pmean(grads, axis), state, params)

    return optimizer._replace(update=update)


def _average(jax: Engine, tree: Any) -> Any:
    """The mean over the devices of every leaf of floats; counters are the same on all of them."""
    floats = jax.numpy.floating
    return jax.tree.map(
        lambda leaf: jax.lax.pmean(leaf, AXIS) if jax.numpy.issubdtype(leaf.dtype, floats) else leaf, tree
    )


def _make_train_step(
    jax: Engine,
    objective: Objective,
    optimizer: Optimizer,
    metrics: Mapping[str, Metric] | None,
    *,
    watch: bool,
    devices: list[Device],
    build: Callable,
) -> Callable[[TrainState, Parts], tuple[TrainState, dict[str, Array]]]:
    """`step(state, parts) -> (state, measures)`. Metrics of a batch are the means over the devices."""

    def own(jax: Engine, params: Params, model_state: Any, batch: Any, key: Array, *, train: bool) -> Any:
        """Each device draws random numbers of its own."""
        key = jax.random.fold_in(key, jax.lax.axis_index(AXIS))
        return objective(jax, params, model_state, batch, key, train=train)

    def over(objective: Objective, axis: int | None) -> Callable:
        local = build(jax, objective, averaging(optimizer, AXIS), metrics, watch=watch)

        def step(state: TrainState, batch: Any) -> tuple[TrainState, dict[str, Array]]:
            state, measures = local(state, batch)
            finite = {"finite": jax.lax.pmin(measures.pop("finite").astype("int32"), AXIS) > 0} if watch else {}
            measures = jax.tree.map(lambda leaf: jax.lax.pmean(leaf, AXIS), measures)
            return state._replace(model_state=_average(jax, state.model_state)), measures | finite

        return jax.pmap(step, axis_name=AXIS, in_axes=(0, axis), out_axes=(0, None), donate_argnums=0, devices=devices)

    return _either(divided=over(own, 0), whole=over(objective, None))


def _either(*, divided: Callable, whole: Callable) -> Callable:
    """A step whose last argument is a batch in parts, or one that every device has all of."""

    def step(*words: Any) -> Any:
        *states, parts = words
        return (divided if parts.divided else whole)(*states, parts.arrays)

    return step


def _make_eval_step(
    jax: Engine, objective: Objective, metrics: Mapping[str, Metric], devices: list[Device]
) -> Callable[[TrainState, Any, Parts], Any]:
    """`step(state, totals, parts) -> totals`. Metrics see the outputs for the whole batch, gathered."""

    def gathered(leaf: Array) -> Array:
        return jax.lax.all_gather(leaf, AXIS, axis=0, tiled=True)

    def of_parts(state: TrainState, totals: Any, batch: Any) -> Any:
        x, y = batch

        def whole(jax: Engine, params: Params, model_state: Any, _: Any, key: Array, *, train: bool) -> Any:
            key = jax.random.fold_in(key, jax.lax.axis_index(AXIS))
            loss, (model_state, outputs) = objective(jax, params, model_state, batch, key, train=train)
            outputs = jax.tree.map(
                lambda leaf: gathered(leaf) if leaf.shape[:1] == x.shape[:1] else jax.lax.pmean(leaf, AXIS), outputs
            )
            return jax.lax.pmean(loss, AXIS), (model_state, outputs)

        return make_eval_step(jax, whole, metrics)(state, totals, (x, gathered(y)))

    def over(step: Callable, axis: int | None) -> Callable:
        return jax.pmap(step, axis_name=AXIS, in_axes=(0, None, axis), out_axes=None, devices=devices)

    plain = make_eval_step(jax, objective, metrics)
    return _either(divided=over(of_parts, 0), whole=over(plain, None))
