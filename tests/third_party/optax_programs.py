"""optax from PyPI, as it is: 50 steps of an MLP with every optimizer, and its schedules, losses and transformations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

STEPS = 50
KEY = jax.random.key(0)


# ----------------------------------------------------------------- the problem


def initial_params() -> dict[str, Any]:
    """An MLP from 4 to 3 numbers with two hidden layers."""
    sizes, params = [4, 16, 8, 3], {}
    for i, (n, m) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
        w = jax.random.normal(jax.random.fold_in(KEY, i), (n, m)) / np.sqrt(n)
        params[f"layer{i}"] = {"w": w, "b": jnp.zeros(m)}
    return params


def data() -> tuple[Any, Any]:
    """Inputs and labels of three classes, some labels wrong: there is a best loss, and it is not zero."""
    x = jax.random.normal(jax.random.fold_in(KEY, 10), (64, 4))
    scores = x @ jax.random.normal(jax.random.fold_in(KEY, 11), (4, 3))
    return x, jnp.argmax(scores + jax.random.normal(jax.random.fold_in(KEY, 12), (64, 3)), axis=1)


def logits(params: dict[str, Any], x: Any) -> Any:
    """The last layer's outputs."""
    for i in range(2):
        x = jnp.tanh(x @ params[f"layer{i}"]["w"] + params[f"layer{i}"]["b"])
    return x @ params["layer2"]["w"] + params["layer2"]["b"]


def loss(params: dict[str, Any], x: Any, y: Any) -> Any:
    """Mean cross entropy, and a little weight decay."""
    entropy = optax.softmax_cross_entropy_with_integer_labels(logits(params, x), y).mean()
    return entropy + 5e-3 * sum(jnp.sum(layer["w"] ** 2) for layer in params.values())


# What some optimizers want to know beside the gradient.
EXTRA_ARGUMENTS = {
    "lbfgs": ("value", "grad", "value_fn"),
    "linesearch": ("value", "grad", "value_fn"),
    "momo": ("value",),
    "momo_adam": ("value",),
    "polyak_sgd": ("value",),
    "reduce_on_plateau": ("value",),
    "sophia": ("obj_fn",),
}


# These amplify rounding: they branch on comparisons, or divide by numbers near zero. Two engines agree on them
# to 1e-5 after 50 steps only in double precision.
AMPLIFYING = {"cocob", "dowg", "lbfgs", "nonnegative", "optimistic_adam", "simplified_ademamix", "sophia"}


def train(name: str, make: Callable[[], Any]) -> dict[str, Any]:
    """Losses of all steps and the parameters after the last."""
    with jax.enable_x64(name in AMPLIFYING):
        return _train(name, make())


def _train(name: str, optimizer: Any) -> dict[str, Any]:
    x, y = data()

    def value_of(params: Any) -> Any:
        return loss(params, x, y)

    @jax.jit
    def step(params: Any, state: Any) -> tuple[Any, Any, Any]:
        value, gradient = jax.value_and_grad(value_of)(params)
        known = {"value": value, "grad": gradient, "value_fn": value_of, "obj_fn": value_of}
        extra = {k: known[k] for k in EXTRA_ARGUMENTS.get(name, ())}
        updates, state = optimizer.update(gradient, state, params, **extra)
        return optax.apply_updates(params, updates), state, value

    params = initial_params()
    state, losses = optimizer.init(params), []
    for _ in range(STEPS):
        params, state, value = step(params, state)
        losses.append(value)
    return {"losses": jnp.stack(losses), "params": params}


# ----------------------------------------------------------------- optimizers


def usual_optimizers() -> dict[str, Callable[[], Any]]:
    """What the default depth trains with."""
    schedule = optax.warmup_cosine_decay_schedule(0.0, 0.05, 10, STEPS)
    labels = {"layer0": "first", "layer1": "rest", "layer2": "rest"}
    return {
        "adamw with a schedule, clipped": lambda: optax.chain(
            optax.clip_by_global_norm(0.5), optax.adamw(schedule, weight_decay=1e-3)
        ),
        "multi_transform": lambda: optax.multi_transform(
            {"first": optax.sgd(0.1, momentum=0.9, nesterov=True), "rest": optax.adam(0.01)}, labels
        ),
    }


def all_optimizers() -> dict[str, Callable[[], Any]]:
    """Every alias, and the wrappers and transformations around them."""
    return {
        "adam": lambda: optax.adam(0.02),
        "adabelief": lambda: optax.adabelief(0.02),
        "adadelta": lambda: optax.adadelta(1.0),
        "adafactor": lambda: optax.adafactor(0.02, min_dim_size_to_factor=4),
        "adagrad": lambda: optax.adagrad(0.1),
        "adamax": lambda: optax.adamax(0.02),
        "adamaxw": lambda: optax.adamaxw(0.02),
        "adan": lambda: optax.adan(0.02),
        "amsgrad": lambda: optax.amsgrad(0.02),
        "fromage": lambda: optax.fromage(0.01),
        "lamb": lambda: optax.lamb(0.02),
        "lbfgs": lambda: optax.lbfgs(),
        "lars": lambda: optax.lars(0.5),
        "lion": lambda: optax.lion(0.003),
        "nadam": lambda: optax.nadam(0.02),
        "nadamw": lambda: optax.nadamw(0.02),
        "noisy_sgd": lambda: optax.noisy_sgd(0.1, key=jax.random.key(3)),
        "novograd": lambda: optax.novograd(0.02),
        "optimistic_adam": lambda: optax.optimistic_adam_v2(0.02),
        "optimistic_gradient_descent": lambda: optax.optimistic_gradient_descent(0.1),
        "polyak_sgd": lambda: optax.polyak_sgd(1.0),
        "radam": lambda: optax.radam(0.02),
        "rmsprop centered": lambda: optax.rmsprop(0.01, centered=True, momentum=0.5),
        "rprop": lambda: optax.rprop(0.01),
        "sgd": lambda: optax.sgd(0.2),
        "sign_sgd": lambda: optax.sign_sgd(0.003),
        "signum": lambda: optax.signum(0.003),
        "sm3": lambda: optax.sm3(0.1),
        "yogi": lambda: optax.yogi(0.02),
        "acprop": lambda: optax.contrib.acprop(0.02),
        "ademamix": lambda: optax.contrib.ademamix(0.02),
        "adopt": lambda: optax.contrib.adopt(0.02),
        "cocob": lambda: optax.contrib.cocob(),
        "dadapt_adamw": lambda: optax.contrib.dadapt_adamw(),
        "dog": lambda: optax.contrib.dog(),
        "dowg": lambda: optax.contrib.dowg(),
        "madgrad": lambda: optax.contrib.madgrad(0.01),
        "momo": lambda: optax.contrib.momo(),
        "momo_adam": lambda: optax.contrib.momo_adam(0.02),
        "muon": lambda: optax.contrib.muon(0.02),
        "prodigy": lambda: optax.contrib.prodigy(),
        "sam": lambda: optax.contrib.sam(optax.sgd(0.1), optax.chain(optax.contrib.normalize(), optax.sgd(0.05))),
        "schedule_free": lambda: optax.contrib.schedule_free_adamw(0.02),
        "simplified_ademamix": lambda: optax.contrib.simplified_ademamix(0.01),
        "sophia": lambda: optax.contrib.sophia(0.02),
        "galore": lambda: optax.contrib.galore(0.02, rank=3),
        "mechanize": lambda: optax.contrib.mechanize(optax.sgd(0.1)),
        "reduce_on_plateau": lambda: optax.chain(
            optax.sgd(0.2), optax.contrib.reduce_on_plateau(patience=2, cooldown=2)
        ),
        "apply_every": lambda: optax.chain(optax.apply_every(3), optax.sgd(0.1)),
        "apply_if_finite": lambda: optax.apply_if_finite(optax.adam(0.02), 3),
        "MultiSteps": lambda: optax.MultiSteps(optax.adam(0.02), 4).gradient_transformation(),
        "lookahead-free ema": lambda: optax.chain(optax.ema(0.9), optax.sgd(0.2)),
        "masked": lambda: optax.masked(optax.adam(0.02), {"layer0": True, "layer1": False, "layer2": True}),
        "conditionally_mask": lambda: optax.conditionally_mask(optax.adam(0.02), lambda step: step > 3),
        "adaptive_grad_clip": lambda: optax.chain(optax.adaptive_grad_clip(0.1), optax.sgd(0.2)),
        "clips": lambda: optax.chain(optax.clip(0.05), optax.clip_by_block_rms(0.05), optax.sgd(0.5)),
        "noise": lambda: optax.chain(optax.add_noise(0.01, 0.55, key=jax.random.key(3)), optax.sgd(0.1)),
        "centralize": lambda: optax.chain(optax.centralize(), optax.trace(0.9), optax.scale(-0.05)),
        "inject_hyperparams": lambda: optax.inject_hyperparams(optax.adam)(optax.exponential_decay(0.05, 10, 0.5)),
        "linesearch": lambda: optax.chain(optax.sgd(1.0), optax.scale_by_backtracking_linesearch(15)),
        "freeze": lambda: optax.chain(optax.sgd(0.1), optax.freeze({"layer0": True, "layer1": False, "layer2": False})),
        "nonnegative": lambda: optax.chain(
            optax.add_decayed_weights(1e-2), optax.sgd(0.1), optax.keep_params_nonnegative()
        ),
    }


# ----------------------------------------------------------------- the rest


def schedules() -> dict[str, Any]:
    """Every schedule at 40 steps, in one compiled function."""
    made = {
        "constant": optax.constant_schedule(0.1),
        "cosine": optax.cosine_decay_schedule(0.1, 30, 0.1),
        "onecycle": optax.cosine_onecycle_schedule(30, 0.1),
        "exponential": optax.exponential_decay(0.1, 10, 0.5, transition_begin=3, staircase=True, end_value=0.01),
        "join": optax.join_schedules([optax.constant_schedule(0.1), optax.linear_schedule(0.1, 0.01, 10)], [15]),
        "linear": optax.linear_schedule(0.1, 0.01, 20, 5),
        "linear onecycle": optax.linear_onecycle_schedule(30, 0.1),
        "piecewise": optax.piecewise_constant_schedule(0.1, {5: 0.5, 20: 0.1}),
        "interpolated": optax.piecewise_interpolate_schedule("cosine", 0.1, {10: 0.5, 20: 0.1}),
        "polynomial": optax.polynomial_schedule(0.1, 0.01, 2, 20),
        "sgdr": optax.sgdr_schedule(
            [{"init_value": 0.0, "peak_value": 0.1, "decay_steps": 20, "warmup_steps": 5, "end_value": 0.01}] * 2
        ),
        "warmup constant": optax.warmup_constant_schedule(0.0, 0.1, 10),
        "warmup cosine": optax.warmup_cosine_decay_schedule(0.0, 0.1, 10, 30, 0.01),
        "warmup exponential": optax.warmup_exponential_decay_schedule(0.0, 0.1, 10, 5, 0.8),
    }
    steps = jnp.arange(40)
    return jax.jit(lambda steps: {name: jnp.broadcast_to(jax.vmap(s)(steps), (40,)) for name, s in made.items()})(steps)


USUAL_LOSSES = ("l2_loss", "huber_loss", "sigmoid_binary_cross_entropy", "softmax_cross_entropy", "kl_divergence")


def losses(full: bool) -> dict[str, Any]:
    """The losses (all, in the full depth) and their gradients, in one compiled function."""
    p = jax.random.normal(jax.random.fold_in(KEY, 20), (6, 5))
    t = jax.random.normal(jax.random.fold_in(KEY, 21), (6, 5))
    probabilities, labels = jax.nn.softmax(t), jnp.array([0, 1, 2, 3, 4, 0])
    signs = jnp.sign(t[:, 0])
    paddings = (jnp.arange(5) >= jnp.array([[5], [4], [5], [5], [3], [5]])) * 1.0
    targets, target_paddings = jnp.array([[1, 2], [1, 1], [2, 1], [3, 4], [1, 3], [2, 2]]), jnp.zeros((6, 2))
    functions = {
        "squared_error": lambda p: optax.losses.squared_error(p, t),
        "l2_loss": lambda p: optax.losses.l2_loss(p, t),
        "huber_loss": lambda p: optax.losses.huber_loss(p, t, delta=0.7),
        "log_cosh": lambda p: optax.losses.log_cosh(p, t),
        "cosine_similarity": lambda p: optax.losses.cosine_similarity(p, t, epsilon=1e-3),
        "cosine_distance": lambda p: optax.losses.cosine_distance(p, t, epsilon=1e-3),
        "sigmoid_binary_cross_entropy": lambda p: optax.losses.sigmoid_binary_cross_entropy(p, probabilities),
        "sigmoid_focal_loss": lambda p: optax.losses.sigmoid_focal_loss(p, probabilities, alpha=0.3),
        "hinge_loss": lambda p: optax.losses.hinge_loss(p[:, 0], signs),
        "perceptron_loss": lambda p: optax.losses.perceptron_loss(p[:, 0], signs),
        "multiclass_hinge": lambda p: optax.losses.multiclass_hinge_loss(p, labels),
        "multiclass_perceptron": lambda p: optax.losses.multiclass_perceptron_loss(p, labels),
        "sparsemax": lambda p: optax.losses.sparsemax_loss(p[:, 0], jnp.arange(6) % 2),
        "softmax_cross_entropy": lambda p: optax.losses.softmax_cross_entropy(p, probabilities),
        "integer_labels": lambda p: optax.losses.softmax_cross_entropy_with_integer_labels(p, labels),
        "safe": lambda p: optax.losses.safe_softmax_cross_entropy(p, probabilities),
        "poly_loss": lambda p: optax.losses.poly_loss_cross_entropy(p, probabilities, epsilon=1.5),
        "kl_divergence": lambda p: optax.losses.kl_divergence(jax.nn.log_softmax(p), probabilities),
        "kl_log_targets": lambda p: optax.losses.kl_divergence_with_log_targets(
            jax.nn.log_softmax(p), jax.nn.log_softmax(t)
        ),
        "generalized_kl": lambda p: optax.losses.generalized_kl_divergence(jax.nn.log_softmax(p), probabilities),
        "ntxent": lambda p: optax.losses.ntxent(p, labels % 2),
        "triplet": lambda p: optax.losses.triplet_margin_loss(p, t, p * t),
        "ranking": lambda p: optax.losses.ranking_softmax_loss(p, t),
        "ctc": lambda p: optax.losses.ctc_loss(p[:, :, None] * jnp.ones(6), paddings, targets, target_paddings),
        "smooth_labels": lambda p: optax.losses.smooth_labels(p, alpha=0.1),
        "fenchel_young": lambda p: optax.losses.make_fenchel_young_loss(jax.nn.logsumexp)(p, probabilities),
        "simplex": lambda p: optax.projections.projection_simplex(p[0]),
        "l1_ball": lambda p: optax.projections.projection_l1_ball(p[0], 0.5),
        "l2_ball": lambda p: optax.projections.projection_l2_ball(p[0], 0.5),
        "box": lambda p: optax.projections.projection_box(p[0], -0.5, 0.5),
        "hypercube": lambda p: optax.projections.projection_hypercube(p[0]),
        "norm": lambda p: optax.tree.norm({"a": p, "b": t}),
    }

    def values_and_gradients(p: Any) -> dict[str, Any]:
        return {
            name: {"value": f(p), "gradient": jax.grad(lambda p, f=f: jnp.sum(jnp.sin(f(p))))(p)}
            for name, f in functions.items()
            if full or name in USUAL_LOSSES
        }

    return jax.jit(values_and_gradients)(p)


def programs(full: bool) -> dict[str, Callable[[], Any]]:
    """Everything by name, as functions that compute it."""
    optimizers = usual_optimizers() | (all_optimizers() if full else {})
    trainings = {name: lambda name=name, make=make: train(name, make) for name, make in optimizers.items()}
    return {"schedules": schedules, "losses": lambda: losses(full)} | trainings


def results(full: bool) -> dict[str, Any]:
    """Everything, in NumPy arrays."""
    return {name: jax.tree.map(np.asarray, program()) for name, program in programs(full).items()}
