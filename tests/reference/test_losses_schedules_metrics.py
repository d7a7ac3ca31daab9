"""Losses and schedules against optax where it has them, else against NumPy; metrics against NumPy."""

import jax as real_jax
import numpy as np
import optax
import pytest

from reference import losses, metrics, schedules
from reference.engines import precision

RNG = np.random.default_rng(4)
OUTPUTS = 2 * RNG.normal(size=(7, 5))
TARGETS = RNG.normal(size=(7, 5))
LABELS = RNG.integers(5, size=7).astype(np.int32)
ONEHOT = np.eye(5)[LABELS]
SIGNS = np.sign(TARGETS)
CHANCES = RNG.dirichlet(np.ones(5), size=7)
LOG_CHANCES = np.log(RNG.dirichlet(np.ones(5), size=7))
ZEROED = np.where(CHANCES < 0.1, 0.0, CHANCES)
UNIT = RNG.uniform(0.05, 0.95, size=(7, 5))


# name: the loss, its operands, and the same from elsewhere, by examples
LOSSES = {
    "mse": (losses.mse, (OUTPUTS, TARGETS), optax.squared_error),
    "l2_loss": (losses.l2_loss, (OUTPUTS, TARGETS), optax.l2_loss),
    "mae": (losses.mae, (OUTPUTS, TARGETS), lambda a, b: abs(a - b)),
    "mape": (losses.mape, (OUTPUTS, TARGETS), lambda a, b: 100 * abs((a - b) / b)),
    "msle": (losses.msle, (abs(OUTPUTS), UNIT), lambda a, b: real_jax.numpy.log((1 + a) / (1 + b)) ** 2),
    "huber": (losses.huber, (OUTPUTS, TARGETS), optax.huber_loss),
    "huber, delta": (
        lambda jax, a, b: losses.huber(jax, a, b, delta=0.3),
        (OUTPUTS, TARGETS),
        lambda a, b: optax.huber_loss(a, b, delta=0.3),
    ),
    "log_cosh": (losses.log_cosh, (OUTPUTS, TARGETS), optax.log_cosh),
    "cosine_similarity": (losses.cosine_similarity, (OUTPUTS, TARGETS), optax.cosine_similarity),
    "cosine_distance": (losses.cosine_distance, (OUTPUTS, TARGETS), optax.cosine_distance),
    "kl_divergence": (losses.kl_divergence, (LOG_CHANCES, CHANCES), optax.kl_divergence),
    "kl_divergence, zeros": (losses.kl_divergence, (LOG_CHANCES, ZEROED), optax.kl_divergence),
    "hinge": (losses.hinge, (OUTPUTS, SIGNS), optax.hinge_loss),
    "softmax, classes": (
        losses.softmax_cross_entropy,
        (OUTPUTS, LABELS),
        optax.softmax_cross_entropy_with_integer_labels,
    ),
    "softmax, one-hot": (losses.softmax_cross_entropy, (OUTPUTS, ONEHOT), optax.softmax_cross_entropy),
    "softmax, smoothed": (
        lambda jax, a, b: losses.softmax_cross_entropy(jax, a, b, smoothing=0.1),
        (OUTPUTS, LABELS),
        lambda a, b: optax.softmax_cross_entropy(a, optax.smooth_labels(ONEHOT.astype(a.dtype), 0.1)),
    ),
    "sigmoid": (losses.sigmoid_binary_cross_entropy, (OUTPUTS, UNIT), optax.sigmoid_binary_cross_entropy),
    "sigmoid, smoothed": (
        lambda jax, a, b: losses.sigmoid_binary_cross_entropy(jax, a, b, smoothing=0.2),
        (OUTPUTS, ONEHOT),
        lambda a, b: optax.sigmoid_binary_cross_entropy(a, 0.8 * b + 0.1),
    ),
    "binary": (
        losses.binary_cross_entropy,
        (UNIT, ONEHOT),
        lambda a, b: -(b * real_jax.numpy.log(a) + (1 - b) * real_jax.numpy.log(1 - a)),
    ),
}


@pytest.fixture(scope="module")
def expected_losses():
    """Values and gradients by the outputs of all losses from elsewhere, in float64."""

    def value_and_gradient(other, outputs, targets):
        return real_jax.value_and_grad(lambda outputs: other(outputs, targets).mean())(outputs)

    def everything():
        return {name: value_and_gradient(other, *operands) for name, (_, operands, other) in LOSSES.items()}

    with precision(real_jax, x64=True):
        return real_jax.tree.map(np.asarray, real_jax.jit(everything)())


def test_losses_and_their_gradients(jax, expected_losses):
    def everything():
        def value_and_gradient(loss, outputs, targets):
            return jax.value_and_grad(lambda outputs: loss(jax, outputs, jax.numpy.asarray(targets)))(outputs)

        return {
            name: value_and_gradient(loss, jax.numpy.asarray(operands[0]), operands[1])
            for name, (loss, operands, _) in LOSSES.items()
        }

    with precision(jax, x64=True):
        found = jax.jit(everything)()
    for name, (value, gradient) in expected_losses.items():
        assert found[name][0].shape == ()
        np.testing.assert_allclose(np.asarray(found[name][0]), value, rtol=1e-9, err_msg=name)
        np.testing.assert_allclose(np.asarray(found[name][1]), gradient, rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize(
    "loss, outputs, targets",
    [
        (losses.cosine_distance, np.zeros((2, 3)), np.zeros((2, 3))),
        (losses.binary_cross_entropy, np.array([0.0, 1.0]), np.array([1.0, 0.0])),
        (losses.log_cosh, np.array([1e4, -1e4]), np.zeros(2)),
        (losses.mape, np.ones(2), np.zeros(2)),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_extreme_operands_give_finite_losses_and_gradients(jax, dtype, loss, outputs, targets):
    outputs, targets = jax.numpy.asarray(outputs).astype(dtype), jax.numpy.asarray(targets).astype(dtype)
    value, gradient = jax.jit(jax.value_and_grad(lambda outputs: loss(jax, outputs, targets)))(outputs)
    assert np.isfinite(np.asarray(value))
    assert np.isfinite(np.asarray(gradient, np.float32)).all()


@pytest.mark.parametrize("logits", [[[-np.inf, 1, 2], [0, -np.inf, 0]], [[-3e38, 3e38, 3e38], [-3e38, 3e38, 3e38]]])
def test_classes_that_cannot_be_and_are_not_add_nothing(jax, logits):
    labels = np.array([1, 2])
    value, gradient = jax.value_and_grad(lambda z: losses.softmax_cross_entropy(jax, z, labels))(np.float32(logits))
    rest = [[1, 2], [0, 0]] if logits[1][0] == 0 else [[0, 0], [0, 0]]  # of each row the two that can be
    chances = np.exp(rest) / np.exp(rest).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.asarray(value), -np.log(chances[:, 0]).mean(), rtol=1e-6)
    assert np.isfinite(np.asarray(gradient)).all()
    np.testing.assert_allclose(np.asarray(gradient).sum(axis=1), 0, atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("label", [-1, 3])
def test_a_number_that_is_no_class_is_no_loss(jax, label, smoothing):
    labels = np.array([0, label, 1])
    assert np.isnan(losses.softmax_cross_entropy(jax, jax.numpy.zeros((3, 3)), labels, smoothing=smoothing))


def test_the_divergence_from_targets_with_zeros_has_a_gradient_by_them(jax):
    def divergence(targets):
        return losses.kl_divergence(jax, jax.numpy.full(2, -0.7), targets)

    gradient = jax.jit(jax.grad(divergence))(jax.numpy.asarray([0.0, 1.0]))
    assert np.isfinite(np.asarray(gradient)).all()


def test_targets_of_zero_add_nothing_to_the_divergence(jax):
    def divergence(log_predictions):
        return losses.kl_divergence(jax, log_predictions, jax.numpy.asarray([0.0, 1.0]))

    value, gradient = jax.value_and_grad(divergence)(jax.numpy.asarray([-np.inf, -0.5]))
    assert (float(value), gradient.tolist()) == (0.5, [0.0, -1.0])


@pytest.mark.parametrize("loss", [losses.mse, losses.huber, losses.hinge, losses.sigmoid_binary_cross_entropy])
def test_shapes_that_would_broadcast_are_refused(jax, loss):
    with pytest.raises(ValueError, match=r"\(4, 1\).*\(4,\); reshape"):
        loss(jax, jax.numpy.ones((4, 1)), jax.numpy.ones(4))


def test_penalties_of_parameters(jax):
    params = {"w": jax.numpy.asarray([[1.0, -2.0]]), "b": jax.numpy.asarray([-3.0])}
    assert float(jax.jit(lambda p: losses.l1_penalty(jax, p, 0.5))(params)) == 3.0
    value, gradient = jax.jit(jax.value_and_grad(lambda p: losses.l2_penalty(jax, p, 0.5)))(params)
    assert float(value) == 7.0
    np.testing.assert_array_equal(np.asarray(gradient["w"]), [[1.0, -2.0]])


# ----------------------------------------------------------------- schedules


SCHEDULES = {
    "constant": (schedules.constant(0.3), lambda: optax.constant_schedule(0.3)),
    "linear": (schedules.linear(0.1, 0.9, 30), lambda: optax.linear_schedule(0.1, 0.9, 30)),
    "exponential": (schedules.exponential_decay(0.5, 0.9, 7), lambda: optax.exponential_decay(0.5, 7, 0.9)),
    "cosine": (
        schedules.cosine_decay(0.5, 40, end=0.05),
        lambda: optax.cosine_decay_schedule(0.5, 40, alpha=0.1),
    ),
    "warm-up cosine": (
        schedules.warmup_cosine(0.1, 1.0, 10, 60, end=0.2),
        lambda: optax.warmup_cosine_decay_schedule(0.1, 1.0, 10, 60, end_value=0.2),
    ),
    "piecewise": (
        schedules.piecewise_constant(1.0, {30: 0.5, 10: 0.2}),
        lambda: optax.piecewise_constant_schedule(1.0, {30: 0.5, 10: 0.2}),
    ),
    "linear one-cycle": (schedules.linear_one_cycle(60, 0.5), lambda: optax.linear_onecycle_schedule(60, 0.5)),
    "cosine one-cycle": (schedules.cosine_one_cycle(60, 0.5), lambda: optax.cosine_onecycle_schedule(60, 0.5)),
    "joined": (
        schedules.join([schedules.linear(0, 1, 5), schedules.constant(2.0), schedules.linear(3, 1, 9)], [8, 20]),
        lambda: optax.join_schedules(
            [optax.linear_schedule(0, 1, 5), optax.constant_schedule(2.0), optax.linear_schedule(3, 1, 9)], [8, 20]
        ),
    ),
}
STEPS = np.arange(75, dtype=np.int32)


@pytest.fixture(scope="module")
def expected_schedules():
    def everything(steps):
        made = {name: make() for name, (_, make) in SCHEDULES.items()}
        return {name: real_jax.vmap(lambda n, f=f: f(n) + 0.0)(steps) for name, f in made.items()}

    with precision(real_jax, x64=True):
        return real_jax.tree.map(np.asarray, real_jax.jit(everything)(STEPS))


@pytest.mark.parametrize("x64", [False, True], ids=["float32", "float64"])
def test_schedules(jax, x64, expected_schedules):
    def everything(steps):
        return {name: jax.vmap(lambda n, f=f: f(jax, n))(steps) for name, (f, _) in SCHEDULES.items()}

    with precision(jax, x64=x64):
        found = jax.jit(everything)(STEPS)
    for name, expected in expected_schedules.items():
        value = np.asarray(found[name])
        assert value.dtype == (np.float64 if x64 else np.float32), name
        # optax takes some of its points in float32
        np.testing.assert_allclose(value, expected, rtol=1e-6 if x64 else 1e-5, atol=3e-7, err_msg=name)


def test_schedules_by_name_stay_between_zero_and_the_rate(jax):
    def everything(steps):
        made = {name: make(0.5, 40) for name, make in schedules.SCHEDULES.items()}
        return {name: jax.vmap(lambda n, f=f: f(jax, n))(steps) for name, f in made.items()}

    for name, values in jax.jit(everything)(STEPS).items():
        values = np.asarray(values)
        assert (values >= 0).all() and (values <= 0.5 + 1e-6).all(), name
        assert values.max() > 0.49, name
        assert (values[40] < 0.06) == (name != "constant"), name


@pytest.mark.parametrize("name", schedules.SCHEDULES)
def test_a_training_of_one_step_has_the_whole_rate(name):
    schedule = schedules.SCHEDULES[name](0.5, 1)
    assert float(schedule(real_jax, np.int32(0))) == 0.5


def test_schedules_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="warm-up of 50 steps does not fit into 40"):
        schedules.warmup_cosine(0, 1, 50, 40)
    with pytest.raises(ValueError, match="2 schedules have 1 boundaries, not 2"):
        schedules.join([schedules.constant(1.0)] * 2, [1, 2])


# ----------------------------------------------------------------- metrics


def over_batches(jax, metric):
    """The result after batches of uneven sizes."""
    update = jax.jit(lambda state, x, y: metric.update(jax, state, x, y))
    state = metric.init(jax)
    for part in (slice(0, 3), slice(3, 4), slice(4, 7)):
        state = update(state, OUTPUTS[part].astype(np.float32), LABELS[part])
    return jax.jit(lambda state: metric.result(jax, state))(state)


GUESSES = OUTPUTS.argmax(axis=1)


def test_metrics_of_uneven_batches_are_those_of_all_examples(jax):
    np.testing.assert_allclose(np.asarray(over_batches(jax, metrics.accuracy())), (GUESSES == LABELS).mean(), rtol=1e-6)
    rows = np.log(np.exp(OUTPUTS).sum(axis=1)) - OUTPUTS[np.arange(7), LABELS]
    mean = over_batches(jax, metrics.mean_loss(losses.softmax_cross_entropy))
    np.testing.assert_allclose(np.asarray(mean), rows.mean(), rtol=1e-6)


def test_confusion_precision_and_recall(jax):
    expected = np.zeros((5, 5), np.int32)
    np.add.at(expected, (LABELS, GUESSES), 1)
    matrix = np.asarray(over_batches(jax, metrics.confusion_matrix(5)))
    assert matrix.dtype == np.int32
    np.testing.assert_array_equal(matrix, expected)
    found = metrics.PrecisionRecall(*map(np.asarray, over_batches(jax, metrics.precision_recall(5))))
    for i in range(5):
        right = expected[i, i]
        guessed, there = expected[:, i].sum(), expected[i].sum()
        precision, recall = right / max(guessed, 1), right / max(there, 1)
        np.testing.assert_allclose(found.precision[i], precision, rtol=1e-6)
        np.testing.assert_allclose(found.recall[i], recall, rtol=1e-6)
        f1 = 2 * precision * recall / (precision + recall) if right else 0
        np.testing.assert_allclose(found.f1[i], f1, rtol=1e-6)


def test_labels_of_metrics_may_be_probabilities(jax):
    outputs, labels = jax.numpy.asarray(OUTPUTS), jax.numpy.asarray(LABELS)
    for metric in (metrics.accuracy(), metrics.confusion_matrix(5)):
        one, other = (
            metric.result(jax, metric.update(jax, metric.init(jax), outputs, given))
            for given in (labels, jax.numpy.asarray(0.1 + ONEHOT))
        )
        assert np.array_equal(one, other)
        with pytest.raises(ValueError, match=r"labels of shape \(7, 1\); labels are class numbers of shape \(7,\)"):
            metric.update(jax, metric.init(jax), outputs, labels[:, None])


def test_the_mean_of_doubles_is_one(jax):
    x = np.random.default_rng(0).standard_normal(100)
    metric = metrics.mean_loss(lambda jax, outputs, labels: jax.numpy.mean(outputs))
    with precision(jax, x64=True):
        state = metric.init(jax)
        for start in range(0, 100, 7):
            part = jax.numpy.asarray(x[start : start + 7])
            state = metric.update(jax, state, part, part)
        np.testing.assert_allclose(np.asarray(metric.result(jax, state)), x.mean(), rtol=1e-13)


def test_metrics_of_nothing(jax):
    made = metrics.accuracy(), metrics.mean_loss(losses.mse), metrics.precision_recall(3)
    right, loss, scores = jax.jit(lambda: [metric.result(jax, metric.init(jax)) for metric in made])()
    assert np.isnan(np.asarray(right)) and np.isnan(np.asarray(loss))
    assert not np.asarray(scores.f1).any()


def test_the_larger_one_of_a_single_output_is_no_guess(jax):
    metric = metrics.accuracy()
    with pytest.raises(ValueError, match="have one entry for each example, which is always the largest"):
        metric.update(jax, metric.init(jax), jax.numpy.zeros((7, 1)), jax.numpy.asarray(LABELS))
