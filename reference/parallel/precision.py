"""Mixed precision: parameters and updates in float32, the model's arithmetic in 16 bits.

bfloat16 has the range of float32 and needs nothing more. The small gradients of float16 would vanish below its
6e-8, so that there the loss is multiplied by a large number and the gradients are divided by it again
(Micikevicius et al., 2018). The number doubles after every 2,000 good steps; a step whose gradients overflow is left
out, with all that the model would remember of it, and halves it.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..engines import Array, Engine, Params
from ..metrics import Metric
from ..optimizers import Optimizer
from ..training import Objective, TrainState, train_step

__all__ = ["PRECISIONS", "LossScale", "in_dtype", "loss_scaling", "scaled_train_step"]

PRECISIONS = {"float32": None, "bfloat16": "bfloat16", "float16": "float16"}
"""the dtype that a model computes in, by the names that the commands know; None: that of its parameters"""

FIRST_SCALE, STEPS_TO_DOUBLE, LARGEST_SCALE = 2.0**15, 2000, 2.0**24


def in_dtype(objective: Objective, dtype: str | None) -> Objective:
    """The objective with parameters and inputs brought to `dtype`; loss and outputs come back as float32.

    Gradients are those of the parameters as they are, in float32: the cast passes them through.
    """
    if dtype is None:
        return objective

    def narrow(
        jax: Engine, params: Params, model_state: Any, batch: Any, key: Array, *, train: bool
    ) -> tuple[Array, tuple[Any, Any]]:
        x, *others = batch
        params, x = _floats_as(jax, (params, x), dtype)
        loss, (following, outputs) = objective(jax, params, model_state, (x, *others), key, train=train)
        following = jax.tree.map(lambda new, old: new.astype(old.dtype), following, model_state)
        return loss.astype("float32"), (following, _floats_as(jax, outputs, "float32"))

    return narrow


def _floats_as(jax: Engine, tree: Any, dtype: str) -> Any:
    def cast(leaf: Array) -> Array:
        floating = jax.numpy.issubdtype(leaf.dtype, jax.numpy.floating)
        return jax.numpy.asarray(leaf, dtype) if floating else leaf

    return jax.tree.map(cast, tree)


class LossScale(NamedTuple):
    """The state of an optimiser whose gradients come multiplied by `scale`, f32[]."""

    scale: Array
    good_steps: Array
    """since the scale changed, i32[]"""
    inner: Any


def loss_scaling(optimizer: Optimizer) -> Optimizer:
    """The optimiser for gradients of the loss times the scale in its state; see `scaled_train_step`."""

    def init(jax: Engine, params: Params) -> LossScale:
        jnp = jax.numpy
        return LossScale(jnp.asarray(FIRST_SCALE, "float32"), jnp.zeros((), "int32"), optimizer.init(jax, params))

    def update(jax: Engine, grads: Params, state: LossScale, params: Params) -> tuple[Params, LossScale]:
        """Where a gradient is infinite or NaN nothing changes but the scale."""
        jnp = jax.numpy
        grads = jax.tree.map(lambda g: g / state.scale.astype(g.dtype), grads)
        finite = jnp.all(jnp.stack([jnp.all(jnp.isfinite(g)) for g in jax.tree.leaves(grads)]))
        # Zeros in place of what is not finite: what is not chosen below must not be NaN for the optimiser's sake.
        usable = jax.tree.map(lambda g: jnp.where(finite, g, jnp.zeros_like(g)), grads)
        updates, inner = optimizer.update(jax, usable, state.inner, params)
        updates = jax.tree.map(lambda u: jnp.where(finite, u, jnp.zeros_like(u)), updates)
        inner = jax.tree.map(lambda new, old: jnp.where(finite, new, old), inner, state.inner)
        return updates, LossScale(*_next_scale(jax, state, finite), inner)

    return optimizer._replace(init=init, update=update)


def _next_scale(jax: Engine, state: LossScale, finite: Array) -> tuple[Array, Array]:
    jnp = jax.numpy
    good = jnp.where(finite, state.good_steps + 1, 0)
    grown = jnp.where(good >= STEPS_TO_DOUBLE, jnp.minimum(2 * state.scale, LARGEST_SCALE), state.scale)
    return jnp.where(finite, grown, jnp.maximum(state.scale / 2, 1)), jnp.where(good >= STEPS_TO_DOUBLE, 0, good)


def scaled_train_step(
    jax: Engine,
    objective: Objective,
    optimizer: Optimizer,
    metrics: Mapping[str, Metric] | None = None,
    *,
    watch: bool = False,
) -> Callable[[TrainState, Any], tuple[TrainState, dict[str, Array]]]:
    """`train_step` for an optimiser made by `loss_scaling`; the loss it reports is not scaled.

    With `watch` all gradients count as finite: those that are not are left out, which is no divergence.
    """

    def step(state: TrainState, batch: Any) -> tuple[TrainState, dict[str, Array]]:
        scale = state.opt_state.scale

        def scaled(*words: Any, train: bool) -> tuple[Array, Any]:
            loss, rest = objective(*words, train=train)
            return loss * scale, rest

        following, measures = train_step(jax, scaled, optimizer, metrics, watch=True)(state, batch)
        measures["loss"] = measures["loss"] / scale
        finite = measures.pop("finite")
        if watch:
            measures["finite"] = jax.numpy.ones_like(finite)
        good = jax.numpy.all(finite)
        kept = jax.tree.map(lambda new, old: jax.numpy.where(good, new, old), following.model_state, state.model_state)
        return following._replace(model_state=kept), measures

    return step
