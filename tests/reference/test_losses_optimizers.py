"""Losses, schedules, optimisers and training steps on each engine, against plain NumPy."""

import numpy as np
import pytest

from reference.engines import engine, precision
from reference.losses import mse, sigmoid_binary_cross_entropy, softmax_cross_entropy
from reference.metrics import correct
from reference.models import mlp
from reference.optimizers import adam, apply_updates, momentum, nesterov, sgd
from reference.recipes import whole_batch_cross_entropy
from reference.schedules import exponential_decay, per_epoch

RNG = np.random.default_rng(0)
LOGITS = 3 * RNG.normal(size=(6, 4))
LABELS = RNG.integers(4, size=6).astype(np.int32)
ONEHOT = np.eye(4)[LABELS]
TARGETS = RNG.uniform(size=(6, 4))


@pytest.fixture(params=[False, True], ids=["float32", "float64"])
def x64(request, jax):
    """Each precision in turn, switched on in the engine under test."""
    with precision(jax, x64=request.param):
        yield request.param


@pytest.fixture
def close(x64):
    """Asserts equality up to rounding, and the dtype of the precision under test."""

    def check(value, expected):
        value = np.asarray(value)
        assert value.dtype == (np.float64 if x64 else np.float32)
        np.testing.assert_allclose(value, expected, rtol=1e-12 if x64 else 3e-6, atol=1e-14 if x64 else 1e-7)

    return check


def probabilities(logits):
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def value_and_gradient(jax, loss, outputs, targets):
    outputs, targets = jax.numpy.asarray(outputs), jax.numpy.asarray(targets)
    return jax.value_and_grad(lambda outputs: loss(jax, outputs, targets))(outputs)


# losses


def test_mse(jax, close):
    value, gradient = value_and_gradient(jax, mse, LOGITS, TARGETS)
    close(value, ((LOGITS - TARGETS) ** 2).sum() / 24)
    close(gradient, 2 * (LOGITS - TARGETS) / 24)


@pytest.mark.parametrize("labels", [LABELS, ONEHOT], ids=["integers", "one-hot"])
def test_softmax_cross_entropy(jax, close, labels):
    value, gradient = value_and_gradient(jax, softmax_cross_entropy, LOGITS, labels)
    close(value, -np.log(probabilities(LOGITS)[np.arange(6), LABELS]).mean())
    close(gradient, (probabilities(LOGITS) - ONEHOT) / 6)


def test_softmax_cross_entropy_of_probabilities(jax, close):
    target = probabilities(TARGETS)
    value, gradient = value_and_gradient(jax, softmax_cross_entropy, LOGITS, target)
    close(value, -(target * np.log(probabilities(LOGITS))).sum() / 6)
    close(gradient, (probabilities(LOGITS) - target) / 6)


def test_sigmoid_binary_cross_entropy(jax, close):
    value, gradient = value_and_gradient(jax, sigmoid_binary_cross_entropy, LOGITS, TARGETS)
    p = 1 / (1 + np.exp(-LOGITS))
    close(value, -(TARGETS * np.log(p) + (1 - TARGETS) * np.log(1 - p)).mean())
    close(gradient, (p - TARGETS) / 24)


@pytest.mark.parametrize("loss", [softmax_cross_entropy, sigmoid_binary_cross_entropy])
def test_huge_logits_give_finite_losses(jax, close, loss):
    logits = np.array([[1e4, -1e4]])
    value, gradient = value_and_gradient(jax, loss, logits, np.array([[0.0, 1.0]]))
    close(value, 2e4 if loss is softmax_cross_entropy else 1e4)
    assert np.isfinite(np.asarray(gradient)).all()


def test_whole_batch_cross_entropy(jax, close):
    value, _ = value_and_gradient(jax, whole_batch_cross_entropy, LOGITS, LABELS)
    close(value, -(ONEHOT * (LOGITS - np.log(np.exp(LOGITS).sum()))).sum() / 24)


def test_correct_counts(jax):
    logits = jax.numpy.asarray([[1.0, 2.0], [3.0, 0.0], [0.0, 5.0]])
    count = correct(jax, logits, jax.numpy.asarray([1, 1, 1]))
    assert int(count) == 2
    assert count.dtype == np.int32


# schedules


def test_exponential_decay(jax, close):
    schedule = exponential_decay(2.0, 0.5, 10)
    for step in (0, 5, 10, 35):
        close(schedule(jax, jax.numpy.asarray(step, jax.numpy.int32)), 2.0 * 0.5 ** (step / 10))


def test_per_epoch_is_constant_within_an_epoch(jax, close):
    schedule = per_epoch(exponential_decay(1.0, 0.95, 5), 100)
    for step, epoch in ((0, 0), (99, 0), (100, 1), (2499, 24)):
        close(schedule(jax, jax.numpy.asarray(step, jax.numpy.int32)), 0.95 ** (epoch / 5))


# optimisers: parameters after some steps, from gradients that are given


def numpy_sgd(gradients, rate=lambda step: 0.1):
    p = np.ones(3)
    for step, g in enumerate(gradients):
        p = p - rate(step) * g
    return p


def numpy_momentum(gradients):
    p, velocity = np.ones(3), np.zeros(3)
    for g in gradients:
        velocity = 0.9 * velocity + g
        p = p - 0.1 * velocity
    return p


def numpy_nesterov(gradients):
    """The classical form: gradients are those at the point one velocity ahead, where p is kept."""
    p, velocity = np.ones(3), np.zeros(3)
    for g in gradients:
        before, velocity = velocity, 0.9 * velocity - 0.1 * g
        p = p - 0.9 * before + 1.9 * velocity
    return p


def numpy_adam(gradients):
    p, m, v = np.ones(3), np.zeros(3), np.zeros(3)
    for t, g in enumerate(gradients, start=1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        p = p - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return p


def decaying(step):
    return 0.1 * 0.5 ** (step / 4)


@pytest.mark.parametrize("jitted", [False, True], ids=["eager", "jit"])
@pytest.mark.parametrize(
    "optimizer, expected",
    [
        (sgd(0.1), numpy_sgd),
        (sgd(exponential_decay(0.1, 0.5, 4)), lambda gradients: numpy_sgd(gradients, decaying)),
        (momentum(0.1), numpy_momentum),
        (nesterov(0.1), numpy_nesterov),
        (adam(0.1), numpy_adam),
    ],
    ids=["sgd", "sgd-decaying", "momentum", "nesterov", "adam"],
)
def test_optimizers_follow_their_formulas(jax, x64, optimizer, expected, jitted):
    gradients = np.random.default_rng(1).normal(size=(12, 2, 3))
    params = {"a": jax.numpy.ones(3), "b": [jax.numpy.ones(3)]}
    state = optimizer.init(jax, params)

    def step(params, state, grads):
        updates, state = optimizer.update(jax, grads, state, params)
        return apply_updates(jax, params, updates), state

    step = jax.jit(step) if jitted else step
    for g in gradients:
        grads = {"a": jax.numpy.asarray(g[0]), "b": [jax.numpy.asarray(g[1])]}
        params, state = step(params, state, grads)
    for value, i in ((params["a"], 0), (params["b"][0], 1)):
        value = np.asarray(value)
        assert value.dtype == (np.float64 if x64 else np.float32)
        # Adam in float32: 1 - 0.999 ** t has lost three of its seven digits
        np.testing.assert_allclose(value, expected(gradients[:, i]), atol=1e-12 if x64 else 3e-5)


# the MLP


def test_mlp_is_layers_with_an_activation_between(jax, close):
    params = mlp.init(jax, jax.random.key(3), (5, 7, 4))
    x = RNG.normal(size=(2, 5))
    (w1, b1), (w2, b2) = ((np.asarray(layer["w"]), np.asarray(layer["b"])) for layer in params)
    assert (w1.shape, b1.shape, w2.shape, b2.shape) == ((5, 7), (7,), (7, 4), (4,))
    hidden = np.maximum(x @ w1 + b1, 0)
    close(mlp.apply(jax, params, jax.numpy.asarray(x)), hidden @ w2 + b2)


def test_mlp_draws_weights_of_the_given_deviation(jax):
    sizes = (200, 300, 10)
    by_he, by_scale = (mlp.init(jax, jax.random.key(0), sizes, scale=scale) for scale in (None, 0.01))
    assert np.std(np.asarray(by_he[0]["w"])) == pytest.approx((2 / 200) ** 0.5, rel=0.02)
    assert np.std(np.asarray(by_scale[0]["w"])) == pytest.approx(0.01, rel=0.02)
    assert not np.asarray(by_he[0]["b"]).any()


def test_an_unknown_engine_lists_the_possible_ones():
    with pytest.raises(ValueError, match="torch.*minijax, jax"):
        engine("torch")
