"""Every optimiser and combination of them: the trajectory of an MLP is optax's on JAX, and the same on minijax."""

import jax as real_jax
import numpy as np
import optax
import pytest

from reference import optimizers as ours
from reference.engines import engine, precision
from reference.losses import softmax_cross_entropy
from reference.models import mlp
from reference.optimizers import OPTIMIZERS, Optimizer, apply_updates, value_and_gradients
from reference.optimizers.base import noise_key
from reference.schedules import exponential_decay, warmup_cosine
from reference.training import init_state, make_train_step, supervised

SIZES = (6, 12, 4)
BATCH = 8


def weights(tree):
    """The same for optax."""
    return real_jax.tree.map(lambda leaf: leaf.ndim > 1, tree)


def matrices(jax, params):
    """True for weights, False for biases."""
    return jax.tree.map(lambda p: p.ndim > 1, params)


def by_layer(first, second):
    """Labels of the two layers: one for each layer as a whole."""
    return [first, second]


# For each name: our optimiser, and a function that makes optax's. Rates are those of training that moves.
PAIRS = {
    "sgd": (ours.sgd(0.2), lambda: optax.sgd(0.2)),
    "sgd, decaying": (
        ours.sgd(exponential_decay(0.5, 0.5, 20)),
        lambda: optax.sgd(optax.exponential_decay(0.5, 20, 0.5)),
    ),
    "momentum": (ours.momentum(0.05), lambda: optax.sgd(0.05, momentum=0.9)),
    "nesterov": (ours.nesterov(0.05), lambda: optax.sgd(0.05, momentum=0.9, nesterov=True)),
    "noisy-sgd": (ours.noisy_sgd(0.1, seed=5), lambda: optax.noisy_sgd(0.1, key=noise_key(real_jax, 5))),
    "optimistic": (
        ours.optimistic_gradient_descent(0.1, 0.8, 1.2),
        lambda: optax.optimistic_gradient_descent(0.1, 0.8, 1.2),
    ),
    "adagrad": (ours.adagrad(0.05), lambda: optax.adagrad(0.05)),
    "adadelta": (ours.adadelta(1.0), lambda: optax.adadelta(1.0)),
    "rmsprop": (ours.rmsprop(0.01), lambda: optax.rmsprop(0.01)),
    "rmsprop, momentum": (
        ours.rmsprop(0.005, decay=0.95, momentum=0.8),
        lambda: optax.rmsprop(0.005, decay=0.95, momentum=0.8),
    ),
    "adam": (ours.adam(0.01), lambda: optax.adam(0.01)),
    "adam, warm-up": (
        ours.adam(warmup_cosine(0.0, 0.02, 10, 80)),
        lambda: optax.adam(optax.warmup_cosine_decay_schedule(0.0, 0.02, 10, 80)),
    ),
    "adamw": (
        ours.adamw(0.01, weight_decay=0.1, mask=matrices),
        lambda: optax.adamw(0.01, weight_decay=0.1, mask=weights),
    ),
    "radam": (ours.radam(0.01), lambda: optax.radam(0.01)),
    "adabelief": (ours.adabelief(0.01), lambda: optax.adabelief(0.01)),
    "yogi": (ours.yogi(0.01), lambda: optax.yogi(0.01)),
    "lion": (ours.lion(0.003, weight_decay=0.1), lambda: optax.lion(0.003, weight_decay=0.1)),
    "lamb": (ours.lamb(0.01, weight_decay=0.1), lambda: optax.lamb(0.01, weight_decay=0.1)),
    "lars": (ours.lars(5.0, weight_decay=0.01), lambda: optax.lars(5.0, weight_decay=0.01)),
    "fromage": (ours.fromage(0.02), lambda: optax.fromage(0.02)),
    "fromage, decaying": (
        ours.fromage(exponential_decay(0.05, 0.5, 20)),
        lambda: optax.fromage(optax.exponential_decay(0.05, 20, 0.5)),
    ),
    "adafactor": (ours.adafactor(0.03, smallest=4), lambda: optax.adafactor(0.03, min_dim_size_to_factor=4)),
    "adafactor, whole": (ours.adafactor(0.03), lambda: optax.adafactor(0.03)),
    "sm3": (ours.sm3(0.05), lambda: optax.sm3(0.05)),
    "dp-sgd": (
        ours.dp_sgd(0.2, limit=0.5, noise=0.3, decay=0.5, seed=3),
        lambda: optax.chain(
            optax.contrib.differentially_private_aggregate(0.5, 0.3, key=noise_key(real_jax, 3)),
            optax.trace(0.5),
            optax.scale_by_learning_rate(0.2),
        ),
    ),
    "clipped": (
        ours.chain(ours.clip_by_value(0.05), ours.clip_by_global_norm(0.2), ours.clip_by_rms(0.02), ours.momentum(0.1)),
        lambda: optax.chain(
            optax.clip(0.05),
            optax.clip_by_global_norm(0.2),
            optax.clip_by_block_rms(0.02),
            optax.sgd(0.1, momentum=0.9),
        ),
    ),
    "weight decay": (
        ours.chain(ours.add_decayed_weights(0.05), ours.adam(0.01)),
        lambda: optax.chain(optax.add_decayed_weights(0.05), optax.adam(0.01)),
    ),
    "ema": (
        ours.chain(ours.ema(0.8), ours.ema(0.5, debias=False), ours.sgd(0.1)),
        lambda: optax.chain(optax.ema(0.8), optax.ema(0.5, debias=False), optax.sgd(0.1)),
    ),
    "accumulated": (
        ours.accumulate_gradients(ours.adam(0.02), 4),
        lambda: optax.MultiSteps(optax.adam(0.02), 4).gradient_transformation(),
    ),
    "by label": (
        ours.multi_transform({"a": ours.adam(0.01), "b": ours.momentum(0.05)}, by_layer("a", "b")),
        lambda: optax.multi_transform({"a": optax.adam(0.01), "b": optax.sgd(0.05, momentum=0.9)}, by_layer("a", "b")),
    ),
    "masked": (
        ours.chain(ours.masked(ours.scale_by_adam(), matrices), ours.sgd(0.02)),
        lambda: optax.chain(optax.masked(optax.scale_by_adam(), weights), optax.sgd(0.02)),
    ),
    "frozen": (
        ours.multi_transform({"new": ours.adam(0.01), "old": ours.freeze()}, by_layer("old", "new")),
        lambda: optax.multi_transform({"new": optax.adam(0.01), "old": optax.set_to_zero()}, by_layer("old", "new")),
    ),
}
# Of two engines in float32. RAdam's rectifier is the difference of two numbers near 2000, which leaves it four
# digits: one bit of 0.999 ** step, in which the engines differ, is in the fifth.
IN_FLOAT32 = {"radam": 3e-5}
USUAL = ("adamw", "adafactor", "by label")


def of_optax(transformation, *, per_example):
    """An optimiser of optax in the shape of ours."""
    return Optimizer(
        lambda jax, params: transformation.init(params),
        lambda jax, grads, state, params: transformation.update(grads, state, params),
        per_example,
    )


def trajectories(jax, optimizers, steps):
    """For each optimiser, in one compiled program, and each leaf: its values after every step, f[steps, ...]."""
    random = np.random.default_rng(2)
    dtype = jax.numpy.zeros(()).dtype
    x = random.normal(size=(steps, BATCH, SIZES[0])).astype(dtype)
    y = ((x[..., 0] > 0) + 2 * (x[..., 1] > x[..., 2])).astype(np.int32)
    params = [
        {"b": jax.numpy.zeros(m), "w": jax.numpy.asarray(random.normal(size=(n, m)) / n**0.5)}
        for n, m in zip(SIZES, SIZES[1:])
    ]

    def objective(params, x, y):
        return softmax_cross_entropy(jax, mlp.apply(jax, params, x, activation="swish"), y)

    def step(carries, batch):
        following = []
        for optimizer, (params, state) in zip(optimizers, carries, strict=True):
            _, grads = value_and_gradients(jax, objective, per_example=optimizer.per_example)(params, *batch)
            updates, state = optimizer.update(jax, grads, state, params)
            following.append((apply_updates(jax, params, updates), state))
        return following, [params for params, _ in following]

    def run(params):
        return jax.lax.scan(step, [(params, optimizer.init(jax, params)) for optimizer in optimizers], (x, y))[1]

    return [[np.asarray(leaf) for leaf in jax.tree.leaves(seen)] for seen in jax.jit(run)(params)]


def largest_difference(a, b):
    """Over all leaves: the largest difference over the largest entry; NaN if there is any."""
    return np.max([np.abs(p - q).max() / (np.abs(q).max() or 1.0) for p, q in zip(a, b, strict=True)])


def check(name, steps, *, x64):
    optimizer, make = PAIRS[name]
    minijax, jax = engine("minijax"), engine("jax")
    with precision(minijax, x64=x64), precision(jax, x64=x64):
        theirs, mine = trajectories(jax, [of_optax(make(), per_example=optimizer.per_example), optimizer], steps)
        (here,) = trajectories(minijax, [optimizer], steps)
    moved = max(np.abs(leaf[-1] - leaf[0]).max() for leaf in theirs)
    assert moved > 1e-2, "the optimiser does nothing that could differ"
    return largest_difference(mine, theirs), largest_difference(here, mine)


@pytest.mark.parametrize("name", USUAL)
def test_trajectory_is_that_of_optax(name):
    from_optax, between_engines = check(name, 30, x64=False)
    assert from_optax < 1e-5
    assert between_engines < 1e-5


@pytest.mark.full
@pytest.mark.parametrize("x64", [False, True], ids=["float32", "float64"])
@pytest.mark.parametrize("name", PAIRS)
def test_trajectory_is_that_of_optax_for_100_steps(name, x64):
    from_optax, between_engines = check(name, 100, x64=x64)
    assert from_optax < 1e-5
    assert between_engines < (1e-9 if x64 else IN_FLOAT32.get(name, 1e-5))


def test_every_optimizer_of_the_commands_is_held_against_optax():
    assert set(OPTIMIZERS) <= set(PAIRS)


# ----------------------------------------------------------------- what a training step needs of an optimiser


@pytest.mark.parametrize("name", PAIRS)
def test_the_state_keeps_its_types(jax, name):
    """A step gives a state, and parameters, of the shapes, dtypes and weak types that it got: it is traced once."""
    optimizer = PAIRS[name][0]
    params = [{"b": jax.numpy.zeros(m), "w": jax.numpy.ones((n, m))} for n, m in zip(SIZES, SIZES[1:])]
    batch = (BATCH,) if optimizer.per_example else ()
    grads = jax.tree.map(lambda p: jax.numpy.ones(batch + p.shape), params)
    state = optimizer.init(jax, params)

    def step(params, state):
        updates, state = optimizer.update(jax, grads, state, params)
        return apply_updates(jax, params, updates), state

    before = jax.eval_shape(lambda *both: both, params, state)
    after = jax.eval_shape(step, params, state)
    assert jax.tree.structure(before) == jax.tree.structure(after)
    for a, b in zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True):
        assert (a.shape, a.dtype, a.weak_type) == (b.shape, b.dtype, b.weak_type)


def one_step(jax, optimizer, params, grads):
    return optimizer.update(jax, grads, optimizer.init(jax, params), params)


def test_scalars_and_zeros_give_finite_updates(jax):
    params = {"zeros": np.zeros((2, 3), np.float32), "scalar": np.float32(2)}
    names = ("lamb", "lars", "fromage", "sm3", "adafactor")

    def updates(params):
        zeros = jax.tree.map(jax.numpy.zeros_like, params)
        return {name: one_step(jax, OPTIMIZERS[name].make(0.1), params, zeros)[0] for name in names}

    for name, found in jax.jit(updates)(params).items():
        for key, leaf in found.items():
            assert leaf.shape == params[key].shape, name
            assert np.isfinite(np.asarray(leaf)).all(), name


def test_a_frozen_layer_stays_bit_for_bit_and_has_no_state(jax):
    params = {"old": jax.numpy.ones(3), "new": jax.numpy.ones(3)}
    optimizer = ours.multi_transform(
        {"train": ours.adam(0.1), "freeze": ours.freeze()},
        lambda jax, params: {name: "freeze" if name == "old" else "train" for name in params},
    )
    updates, state = jax.jit(lambda params: one_step(jax, optimizer, params, params))(params)
    assert not np.asarray(updates["old"]).any()
    np.testing.assert_allclose(np.asarray(updates["new"]), -0.1, rtol=1e-5)
    assert sum(leaf.size for leaf in jax.tree.leaves(state)) == 3 + 3 + 1 + 1


def test_labels_without_a_part_are_named(jax):
    optimizer = ours.multi_transform({"a": ours.sgd(0.1)}, {"w": "a", "b": "c"})
    with pytest.raises(ValueError, match="no part for the labels c; there are: a"):
        optimizer.init(jax, {"w": jax.numpy.ones(2), "b": jax.numpy.ones(2)})


def test_accumulation_waits_between_steps(jax):
    optimizer = ours.accumulate_gradients(ours.sgd(0.5), 3)
    params = jax.numpy.zeros(2)
    state = optimizer.init(jax, params)
    seen = []
    update = jax.jit(lambda grads, state: optimizer.update(jax, grads, state, params))
    for g in (1.0, 2.0, 6.0, 3.0):
        updates, state = update(jax.numpy.full(2, g), state)
        seen.append(float(updates[0]))
    np.testing.assert_allclose(seen, [0, 0, -1.5, 0], rtol=1e-6)
    with pytest.raises(ValueError, match="every is 0"):
        ours.accumulate_gradients(ours.sgd(0.5), 0)


def test_the_average_of_parameters_follows_them(jax):
    optimizer = ours.keep_average(ours.sgd(1.0), 0.75)
    params = jax.numpy.ones(2)
    state = optimizer.init(jax, params)
    expected = 1.0
    for step in range(1, 5):
        updates, state = optimizer.update(jax, jax.numpy.ones(2), state, params)
        params = apply_updates(jax, params, updates)
        expected = 0.75 * expected + 0.25 * (1 - step)
        np.testing.assert_allclose(np.asarray(state.average), expected, rtol=1e-6)


def test_a_step_that_donates_its_state_keeps_an_average(jax):
    model = mlp.mlp((4, 3))
    optimizer = ours.keep_average(ours.adam(0.1), 0.9)
    step = make_train_step(jax, supervised(model, softmax_cross_entropy), optimizer)
    state = init_state(jax, model, optimizer)
    first = np.array(state.params[0]["w"])
    state, _ = step(state, (np.ones((2, 4), np.float32), np.zeros(2, np.int32)))
    expected = 0.9 * first + 0.1 * np.asarray(state.params[0]["w"])
    assert np.allclose(state.opt_state.average[0]["w"], expected, rtol=0, atol=1e-6)


def test_noise_is_none_of_the_initial_weights():
    jax = engine("minijax")
    params = mlp.init(jax, jax.random.key(0), (8, 6, 4, 3), scale=1.0)
    grads = jax.tree.map(lambda p: jax.numpy.zeros((1, *p.shape)), params)
    for optimizer, given in (
        (ours.aggregate_privately(1.0, 1.0), grads),
        (ours.noisy_sgd(1.0, eta=1.0), jax.tree.map(lambda g: g[0], grads)),
    ):
        noise, _ = optimizer.update(jax, given, optimizer.init(jax, params), params)
        drawn, initial = (
            {round(abs(x), 4) for leaf in jax.tree.leaves(tree) for x in np.ravel(leaf).tolist()}
            for tree in (noise, params)
        )
        assert len(drawn) > 50 and len(drawn & initial) < 8  # few are equal by chance


def test_private_gradients_are_clipped_for_each_example(jax):
    """Without noise: the mean of the gradients, those longer than the limit shortened to it."""
    grads = {"w": jax.numpy.asarray([[3.0, 0.0], [0.0, 0.3]]), "b": jax.numpy.asarray([4.0, 0.4])}
    params = {"w": jax.numpy.zeros(2), "b": jax.numpy.zeros(())}
    private = ours.aggregate_privately(1.0, 0.0)
    updates = jax.jit(lambda params, grads: one_step(jax, private, params, grads)[0])(params, grads)
    np.testing.assert_allclose(np.asarray(updates["w"]), [0.3, 0.15], rtol=1e-6)
    np.testing.assert_allclose(np.asarray(updates["b"]), 0.6, rtol=1e-6)


@pytest.mark.parametrize(
    "combine", [lambda part: ours.chain(ours.sgd(1.0), part), lambda part: ours.masked(part, True)]
)
def test_gradients_of_examples_have_to_come_first(combine):
    with pytest.raises(ValueError, match="each example"):
        combine(ours.dp_sgd(0.1))
