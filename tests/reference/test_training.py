"""Training on each engine: objectives, steps, states, evaluation."""

import numpy as np
import pytest

from reference.losses import softmax_cross_entropy
from reference.metrics import accuracy, confusion_matrix
from reference.models import Model, mlp, stateless
from reference.optimizers import OPTIMIZERS, dp_sgd, sgd
from reference.tasks import KINDS, MODELS, experiment, settings
from reference.training import (
    Trainer,
    empty_totals,
    evaluation_batches,
    fit,
    init_state,
    make_eval_step,
    make_train_step,
    results,
    steps_in_epoch,
    supervised,
    training_batches,
)

# compiling takes JAX longer than everything else here
ON_JAX_AT_FULL_DEPTH = pytest.mark.parametrize(
    "jax", ["minijax", pytest.param("jax", marks=pytest.mark.full)], indirect=True
)


def batch_of(dataset, count):
    return dataset.inputs(dataset.x_train[:count]), dataset.y_train[:count]


def noisy_line():
    """A model with a state that counts its batches, which adds noise to its outputs in training."""

    def init(jax, key):
        return {"w": jax.random.normal(key, (3, 2))}, {"batches": jax.numpy.zeros((), jax.numpy.int32)}

    def apply(jax, params, state, x, *, key, train):
        outputs = x @ params["w"]
        if not train:
            return outputs, state
        outputs = outputs + jax.random.normal(key, outputs.shape)
        return outputs, {"batches": state["batches"] + 1}

    return Model("noisy line", init, apply)


LINE_BATCH = (np.arange(12, dtype=np.float32).reshape(4, 3) / 10, np.array([0, 1, 1, 0], np.int32))


@pytest.mark.parametrize(
    "optimizer",
    [name if name == "adam" else pytest.param(name, marks=pytest.mark.full) for name in OPTIMIZERS],
)
def test_a_training_step_is_traced_once(jax, small, optimizer):
    """The state that a step gives has to look to jit like the one it got."""
    made = experiment("mlp", small, optimizer=optimizer)
    traced = []

    def objective(*args, **options):
        traced.append(args[3])
        return made.objective(*args, **options)

    step = make_train_step(jax, objective, made.optimizer)
    state = init_state(jax, made.model, made.optimizer)
    for i in range(3):
        state, _ = step(state, batch_of(small, 8))
        assert int(state.step) == i + 1
    assert len(traced) == 1


def test_gradient_descent_by_hand(jax):
    """One step of a linear classifier against the formula."""
    model = stateless(
        "line", lambda jax, key: {"w": jax.random.normal(key, (3, 2))}, lambda jax, params, x: x @ params["w"]
    )
    x, y = LINE_BATCH
    state = init_state(jax, model, sgd(0.5), seed=4)
    w = np.array(state.params["w"])
    step = make_train_step(jax, supervised(model, softmax_cross_entropy), sgd(0.5), {"accuracy": accuracy()})
    state, measures = step(state, (x, y))
    probabilities = np.exp(x @ w) / np.exp(x @ w).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(measures["loss"], -np.log(probabilities[np.arange(4), y]).mean(), rtol=1e-6)
    assert float(measures["accuracy"]) == np.mean((x @ w).argmax(axis=1) == y)
    gradient = x.T @ (probabilities - np.eye(2)[y]) / 4
    np.testing.assert_allclose(state.params["w"], w - 0.5 * gradient, rtol=1e-5, atol=1e-7)


def test_model_state_and_key_reach_the_model(jax):
    model = noisy_line()
    objective = supervised(model, softmax_cross_entropy)
    step = make_train_step(jax, objective, sgd(0.0))
    losses = []
    state = init_state(jax, model, sgd(0.0))
    for _ in range(3):
        state, measures = step(state, LINE_BATCH)
        losses.append(float(measures["loss"]))
    assert int(state.model_state["batches"]) == 3
    assert len(set(losses)) == 3, "each step has to draw noise of its own"
    again = init_state(jax, model, sgd(0.0))._replace(step=jax.numpy.asarray(2, jax.numpy.int32))
    assert float(step(again, LINE_BATCH)[1]["loss"]) == losses[2], "the noise depends on the step alone"
    evaluation = make_eval_step(jax, objective, {})
    totals = evaluation(state, empty_totals(jax, {}), LINE_BATCH)
    clean = np.asarray(LINE_BATCH[0] @ np.asarray(state.params["w"]))
    expected = softmax_cross_entropy(jax, jax.numpy.asarray(clean), jax.numpy.asarray(LINE_BATCH[1]))
    np.testing.assert_allclose(results(jax, {}, totals)["loss"], expected, rtol=1e-6)


def test_gradients_of_single_examples_refuse_a_state(jax):
    model = noisy_line()
    step = make_train_step(jax, supervised(model, softmax_cross_entropy), dp_sgd(0.1))
    with pytest.raises(ValueError, match="need a model without state"):
        step(init_state(jax, model, dp_sgd(0.1)), LINE_BATCH)


@ON_JAX_AT_FULL_DEPTH
def test_private_steps_measure_the_whole_batch(jax, small):
    """Without clipping and noise they are ordinary steps."""
    model = mlp.mlp((64, 5, 10), activation="tanh")
    objective, metrics = supervised(model, softmax_cross_entropy), {"accuracy": accuracy()}
    found = []
    for optimizer in (sgd(0.1), dp_sgd(0.1, limit=1e6, noise=0.0)):
        state = init_state(jax, model, optimizer)
        state, measures = make_train_step(jax, objective, optimizer, metrics, watch=True)(state, batch_of(small, 16))
        assert np.asarray(measures["finite"]).tolist() == [True] * 4
        found.append((float(measures["loss"]), float(measures["accuracy"]), np.asarray(state.params[0]["w"])))
    assert found[1][:2] == pytest.approx(found[0][:2], rel=1e-6)
    np.testing.assert_allclose(found[1][2], found[0][2], atol=1e-6)


@ON_JAX_AT_FULL_DEPTH
def test_watch_names_the_gradients_that_are_not_finite(jax):
    model = stateless(
        "two",
        lambda jax, key: {"a": jax.numpy.ones(2), "b": jax.numpy.zeros(2)},
        lambda jax, params, x: x * params["a"] + jax.numpy.sqrt(params["b"]),
    )
    objective = supervised(model, lambda jax, outputs, y: jax.numpy.mean(outputs))
    step = make_train_step(jax, objective, sgd(0.1), watch=True)
    _, measures = step(init_state(jax, model, sgd(0.1)), (np.ones((1, 2), np.float32), np.zeros(1, np.int32)))
    assert np.isfinite(measures["loss"])
    assert np.asarray(measures["finite"]).tolist() == [True, False]


def test_evaluation_over_uneven_batches_is_that_of_the_whole(jax, digits):
    made = experiment("mlp", digits)._replace(metrics={"accuracy": accuracy(), "confusion": confusion_matrix(10)})
    trainer = Trainer(jax, made)
    whole = trainer.evaluate_batches(evaluation_batches(digits, batch_size=360))
    parts = trainer.evaluate_batches(evaluation_batches(digits, batch_size=77))
    assert parts["loss"] == pytest.approx(whole["loss"], rel=1e-6)
    assert parts["accuracy"] == whole["accuracy"]
    np.testing.assert_array_equal(parts["confusion"], whole["confusion"])
    assert parts["confusion"].sum() == 360
    assert np.isnan(trainer.evaluate_batches([])["loss"])


def test_a_metric_called_loss_is_refused(jax):
    with pytest.raises(ValueError, match="cannot be called 'loss'"):
        make_eval_step(jax, lambda *args, train: None, {"loss": accuracy()})


def test_fit_learns(jax, digits):
    made = experiment("mlp", digits, optimizer="momentum", batch_size=64, epochs=3)
    state, history, stopped = fit(jax, made, digits, progress=False)
    assert stopped is None
    assert int(state.step) == 3 * (1437 // 64)
    losses = history.column("loss")
    assert losses == sorted(losses, reverse=True)
    assert history[-1]["val_accuracy"] > 0.93
    assert history[-1]["val_loss"] < 0.25


@ON_JAX_AT_FULL_DEPTH
def test_fit_stops_at_the_last_step(jax, small):
    made = experiment("mlp", small, batch_size=32, epochs=5, steps=13)
    state, history, _ = fit(jax, made, small, progress=False)
    assert int(state.step) == 13
    assert len(history) == 2


def test_batches_that_were_seen_can_be_skipped(small):
    made = experiment("mlp", small, batch_size=50, seed=3)
    every = list(training_batches(made, small, 1))
    assert len(every) == steps_in_epoch(made, small, 1) == 6
    for skipped in (0, 2, 6):
        rest = list(training_batches(made, small, 1, skip=skipped))
        assert len(rest) == 6 - skipped
        for (x, y), (x0, y0) in zip(rest, every[skipped:], strict=True):
            np.testing.assert_array_equal(x, x0)
            np.testing.assert_array_equal(y, y0)


# the table of models


def test_another_optimiser_brings_its_own_rate(monkeypatch):
    monkeypatch.setitem(MODELS, "mlp", MODELS["mlp"]._replace(optimizer="momentum", rate=0.07))
    assert settings("mlp").rate == settings("mlp", optimizer="momentum").rate == 0.07
    assert settings("mlp", optimizer="adam").rate == OPTIMIZERS["adam"].rate
    assert settings("mlp", optimizer="adam", rate=0.5).rate == 0.5


@pytest.mark.parametrize("wrong", [{"model": "mpl"}, {"optimizer": "adan"}, {"schedule": "cosin"}])
def test_names_that_are_nowhere_are_told(wrong):
    with pytest.raises(ValueError, match=f"there is no .* '{next(iter(wrong.values()))}'; there are: "):
        settings(**{"model": "mlp"} | wrong)


def test_a_single_class_is_unsuitable_for_a_classifier(digits):
    alone = digits._replace(classes=1)
    assert MODELS["mlp"].unsuitable(alone) == "tells classes apart, and digits has one only"
    assert MODELS["vae"].unsuitable(alone) is None


def test_a_dataset_of_another_kind_is_unsuitable(digits):
    assert MODELS["mlp"].unsuitable(digits) is None
    words = digits._replace(white=None, vocabulary=("a", "b"))
    assert MODELS["mlp"].unsuitable(words) == "takes images or tables with classes, and digits holds sentences"
    assert {task.takes for task in MODELS.values()} <= set(KINDS)
