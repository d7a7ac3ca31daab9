"""One step of training and one of evaluation, as functions that are built once and jitted.

What is minimised is an objective: a function
`(jax, params, model_state, batch, key, *, train) -> (loss, (model_state, outputs))`, where the loss is the
mean over the batch, f[]. `supervised` makes one from a model and a loss; whatever else there is to be
minimised (an evidence bound, two players against each other) is written as one.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ..engines import Array, Engine, Params
from ..layers.layer_norm import all_in_single
from ..metrics import MeanState, Metric, add_to_mean, no_mean
from ..models import Model
from ..optimizers import Optimizer, apply_updates, value_and_gradients
from .state import TrainState, evaluation_key, step_key

__all__ = [
    "Batch",
    "Loss",
    "Objective",
    "empty_totals",
    "make_eval_step",
    "make_train_step",
    "results",
    "supervised",
    "train_step",
]

Batch = Any  # a pair (x, y) of arrays whose first axis counts the examples
Loss = Callable[[Engine, Any, Array], Array]
Objective = Callable[..., tuple[Array, tuple[Any, Any]]]
Totals = dict[str, Any]


def supervised(model: Model, loss: Loss) -> Objective:
    """The objective of a model whose outputs are to be like y: `loss(jax, outputs, y)`."""

    def objective(
        jax: Engine, params: Params, model_state: Any, batch: Batch, key: Array | None, *, train: bool
    ) -> tuple[Array, tuple[Any, Any]]:
        x, y = batch
        outputs, model_state = model.apply(jax, params, model_state, x, key=key, train=train)
        # Outputs of 16 bits are widened: a loss is a sum of many terms.
        return loss(jax, all_in_single(jax, outputs), y), (model_state, outputs)

    return objective


def train_step(
    jax: Engine,
    objective: Objective,
    optimizer: Optimizer,
    metrics: Mapping[str, Metric] | None = None,
    *,
    watch: bool = False,
) -> Callable[[TrainState, Batch], tuple[TrainState, dict[str, Array]]]:
    """`step(state, batch) -> (state, measures)`, not jitted yet.

    The measures are of the batch before the update: "loss", f[], and each of `metrics` by its name; with
    `watch` also "finite", bool[leaves]: which gradients, in the order of the leaves, have no NaN or infinity.
    """
    of_batch = _gradients(jax, objective, per_example=optimizer.per_example)

    def step(state: TrainState, batch: Batch) -> tuple[TrainState, dict[str, Array]]:
        (loss, (model_state, outputs)), grads = of_batch(state, batch)
        updates, opt_state = optimizer.update(jax, grads, state.opt_state, state.params)
        params = apply_updates(jax, state.params, updates)
        measures = {"loss": loss}
        for name, metric in (metrics or {}).items():
            measures[name] = metric.result(jax, metric.update(jax, metric.init(jax), outputs, batch[1]))
        if watch:
            finite = [jax.numpy.all(jax.numpy.isfinite(leaf)) for leaf in jax.tree.leaves(grads)]
            measures["finite"] = jax.numpy.stack(finite)
        return TrainState(params, opt_state, model_state, state.step + 1, state.key), measures

    return step


def make_train_step(
    jax: Engine,
    objective: Objective,
    optimizer: Optimizer,
    metrics: Mapping[str, Metric] | None = None,
    *,
    watch: bool = False,
) -> Callable[[TrainState, Batch], tuple[TrainState, dict[str, Array]]]:
    """A jitted `step(state, batch) -> (state, measures)`; see `train_step`.

    The state passed in is donated: JAX writes the new one into its buffers, so it must not be used again.
    """
    return jax.jit(train_step(jax, objective, optimizer, metrics, watch=watch), donate_argnums=0)


def _gradients(jax: Engine, objective: Objective, *, per_example: bool) -> Callable:
    """`of_batch(state, batch) -> ((loss, (model_state, outputs)), gradients)`."""

    def of_batch(state: TrainState, batch: Batch) -> tuple[Any, Params]:
        def value(params: Params, *batch: Any) -> tuple[Array, tuple[Any, Any]]:
            return objective(jax, params, state.model_state, batch, step_key(jax, state), train=True)

        return value_and_gradients(jax, value, per_example=False, has_aux=True)(state.params, *batch)

    def of_examples(state: TrainState, batch: Batch) -> tuple[Any, Params]:
        """Each example is a batch of its own, with a key of its own."""
        if jax.tree.leaves(state.model_state):
            raise ValueError(
                "gradients of single examples need a model without state: what a batch leaves in a running "
                "average is not private; take a model without batch normalisation, or another optimiser"
            )

        def value(params: Params, batch: Batch, keys: Array) -> tuple[Array, Any]:
            loss, (_, outputs) = objective(jax, params, state.model_state, batch, keys[0], train=True)
            return loss, outputs

        keys = jax.random.split(step_key(jax, state), len(batch[0]))
        gradients = value_and_gradients(jax, value, per_example=True, has_aux=True)
        (loss, outputs), grads = gradients(state.params, batch, keys)
        whole = jax.tree.map(lambda leaf: leaf[:, 0], outputs)
        return (loss, (state.model_state, whole)), grads

    return of_examples if per_example else of_batch


def empty_totals(jax: Engine, metrics: Mapping[str, Metric]) -> Totals:
    """What an evaluation has gathered before its first batch."""
    return {"loss": no_mean(jax)} | {name: metric.init(jax) for name, metric in metrics.items()}


def make_eval_step(
    jax: Engine, objective: Objective, metrics: Mapping[str, Metric]
) -> Callable[[TrainState, Totals, Batch], Totals]:
    """A jitted `step(state, totals, batch) -> totals`: from `empty_totals` over batches of any sizes to `results`."""
    if "loss" in metrics:
        raise ValueError("a metric cannot be called 'loss': that is the mean of the objective")

    def step(state: TrainState, totals: Totals, batch: Batch) -> Totals:
        mean: MeanState = totals["loss"]
        key = evaluation_key(jax, state, mean.count)
        loss, (_, outputs) = objective(jax, state.params, state.model_state, batch, key, train=False)
        gathered = {"loss": add_to_mean(mean, loss, len(batch[1]))}
        for name, metric in metrics.items():
            gathered[name] = metric.update(jax, totals[name], outputs, batch[1])
        return gathered

    return jax.jit(step)


def results(jax: Engine, metrics: Mapping[str, Metric], totals: Totals) -> dict[str, Any]:
    """The mean loss (NaN where there was no batch) and each metric by its name."""
    loss: MeanState = totals["loss"]
    found = {"loss": jax.numpy.where(loss.count == 0, jax.numpy.nan, loss.mean)}
    return found | {name: metric.result(jax, totals[name]) for name, metric in metrics.items()}
