"""`Model(...)` with fit, evaluate, predict, summary, save, load and distributed."""

import os
import signal
from functools import partial

import numpy as np
import pytest

from reference.engines import ENGINES, engine
from reference.highlevel import Model
from reference.losses import mse
from reference.losses import softmax_cross_entropy as smoothed
from reference.models import mlp, stateless
from reference.optimizers import momentum
from reference.training import Callback, CheckpointError, EarlyStopping, ModelCheckpoint, TrainingDiverged


@pytest.fixture
def ours():
    return engine("minijax")


@pytest.fixture(scope="module")
def pairs(digits):
    x, y = digits.inputs(digits.x_train), digits.y_train
    return (x[:600], y[:600]), (x[600:800], y[600:800])


def classifier(jax, **changes):
    return Model(jax, mlp.mlp((64, 16, 10)), **{"optimizer": "adam", "rate": 0.01} | changes)


@pytest.mark.parametrize("jax", ["minijax", pytest.param("jax", marks=pytest.mark.full)], indirect=True)
def test_a_model_learns_and_predicts(jax, pairs):
    (x, y), validation = pairs
    model = classifier(jax)
    history = model.fit(x, y, epochs=8, validation=validation, progress=False)
    assert history.column("loss") == sorted(history.column("loss"), reverse=True)
    found = model.evaluate(*validation, batch_size=70)
    assert found["accuracy"] == pytest.approx(history[-1]["val_accuracy"])
    assert found["accuracy"] > 0.8
    outputs = model.predict(validation[0], batch_size=70)
    assert outputs.shape == (200, 10)
    assert np.mean(outputs.argmax(axis=1) == validation[1]) == pytest.approx(found["accuracy"])


def test_fitting_goes_on_where_it_stopped(ours, pairs):
    """The same epochs in one call or in two."""
    (x, y), _ = pairs
    one, two = classifier(ours), classifier(ours)
    one.fit(x, y, epochs=3, progress=False)
    two.fit(x, y, epochs=1, progress=False)
    two.fit(x, y, epochs=2, progress=False)
    assert two.history.column("loss") == one.history.column("loss")
    np.testing.assert_array_equal(two.state.params[0]["w"], one.state.params[0]["w"])


def test_the_face_gives_what_the_parts_give(ours, digits, pairs):
    """Arrays, a dataset and batches are three ways to say the same."""
    (x, y), validation = pairs
    data = digits._replace(
        x_train=digits.x_train[:600], y_train=y, x_test=digits.x_train[600:800], y_test=validation[1]
    )
    batches = [(x[i : i + 50], y[i : i + 50]) for i in range(0, 600, 50)]
    histories = []
    apart = {"validation": validation}
    for arguments, given in (((x, y), apart), ((data,), {}), ((batches,), apart)):
        model = classifier(ours)
        model.fit(*arguments, **given, epochs=2, batch_size=50, shuffle=False, progress=False)
        histories.append((model.history.column("loss"), model.history.column("val_loss")))
        assert model.evaluate(data)["loss"] == pytest.approx(histories[0][1][-1], rel=1e-6)
    assert histories[0] == histories[1] == histories[2]


def test_a_share_is_held_back(ours, pairs):
    model = classifier(ours)
    history = model.fit(*pairs[0], batch_size=100, validation_split=0.5, progress=False)
    assert history[0]["step"] == 3
    assert "val_loss" in history[0]


def test_regression(ours):
    x = np.linspace(-1, 1, 128, dtype=np.float32)[:, None]
    line = stateless("line", lambda jax, key: jax.numpy.zeros(2), lambda jax, p, x: p[0] * x + p[1])
    model = Model(ours, line, loss=mse, optimizer=momentum(0.1))
    history = model.fit(x, 3 * x + 2, epochs=60, progress=False)
    np.testing.assert_allclose(model.state.params, [3, 2], atol=1e-3)
    assert history.names()[:4] == ["epoch", "step", "loss", "seconds"]


@pytest.mark.parametrize("reader", ENGINES)
def test_saved_by_one_engine_and_loaded_by_another(ours, reader, pairs, tmp_path):
    (x, y), validation = pairs
    model = classifier(ours)
    model.fit(x, y, progress=False)
    model.save(tmp_path / "model")
    other = classifier(engine(reader), seed=4)
    assert other.load(tmp_path / "model").fits
    np.testing.assert_allclose(other.predict(validation[0]), model.predict(validation[0]), rtol=1e-4, atol=1e-5)
    assert other.history.rows == model.history.rows
    with pytest.raises(CheckpointError, match="holds another model or optimiser"):
        classifier(ours, optimizer="sgd").load(tmp_path / "model")


def test_callbacks_and_resuming(ours, pairs, tmp_path):
    (x, y), validation = pairs
    calm, broken, resumed = (classifier(ours) for _ in range(3))
    calm.fit(x, y, epochs=3, validation=validation, progress=False)
    broken.fit(x, y, epochs=2, validation=validation, callbacks=[ModelCheckpoint(tmp_path)], progress=False)
    resumed.fit(x, y, epochs=3, validation=validation, resume=tmp_path, progress=False)
    assert resumed.history.column("val_loss") == calm.history.column("val_loss")
    stopping = EarlyStopping("val_accuracy", patience=1, min_delta=1.0)
    calm.fit(x, y, epochs=9, validation=validation, callbacks=[stopping], progress=False)
    assert len(calm.history) == 5
    assert calm.stopped.startswith("val_accuracy has not got better")


def test_resuming_counts_the_epochs_of_the_whole_training(ours, pairs, tmp_path):
    """Also in a model that has seen some of them."""
    (x, y), validation = pairs
    model = classifier(ours)
    model.fit(x, y, epochs=2, validation=validation, callbacks=[ModelCheckpoint(tmp_path)], progress=False)
    history = model.fit(x, y, epochs=3, validation=validation, resume=tmp_path, progress=False)
    assert [row["epoch"] for row in history] == [1, 2, 3]


class Break(Callback):
    """Break a training off after some steps."""

    def __init__(self, step, act):
        self.step = step
        self.act = act

    def on_step(self, loop):
        if loop.step == self.step:
            self.act()


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def fail():
    raise LookupError("from a callback")


@pytest.mark.parametrize("jax", ["minijax", pytest.param("jax", marks=pytest.mark.full)], indirect=True)
@pytest.mark.parametrize("act, error", [(interrupt, KeyboardInterrupt), (fail, LookupError)])
def test_what_is_broken_off_is_not_lost(jax, pairs, act, error):
    """Epochs of six steps: one by one call, one by the next, and a little more."""
    model = classifier(jax)
    model.fit(*pairs[0], batch_size=100, progress=False)
    with pytest.raises(error):
        model.fit(*pairs[0], epochs=9, batch_size=100, callbacks=[Break(14, act)], progress=False)
    assert (len(model.history), int(model.state.step)) == (2, 14)
    assert [row["epoch"] for row in model.fit(*pairs[0], batch_size=100, progress=False)] == [1, 2, 3]


def test_what_diverges_leaves_the_model_as_it_was(ours, pairs):
    (x, y), validation = pairs
    model = classifier(ours)
    model.fit(x, y, batch_size=100, progress=False)
    before = model.evaluate(*validation)
    with pytest.raises(TrainingDiverged):
        model.fit(np.concatenate([x, x[:1] * np.nan]), np.append(y, y[:1]), epochs=9, shuffle=False, progress=False)
    assert (len(model.history), int(model.state.step)) == (1, 6)
    assert model.evaluate(*validation) == before


@pytest.mark.parametrize("size", [10, 32])
def test_labels_may_be_probabilities(ours, pairs, size):
    """Also in batches of as many examples as there are classes."""
    (x, y), (x_test, y_test) = pairs
    one_hot = np.eye(10, dtype=np.float32)
    rows = []
    for labels, test in ((y, y_test), (one_hot[y], one_hot[y_test])):
        model = classifier(ours)
        model.fit(x, labels, batch_size=size, validation=(x_test, test), progress=False)
        rows.append([model.history[0][name] for name in ("loss", "accuracy", "val_loss", "val_accuracy")])
    assert rows[0] == pytest.approx(rows[1], rel=1e-6)


def test_evaluation_takes_what_training_takes(ours, pairs):
    x, y = pairs[1]
    model = classifier(ours)
    expected = pytest.approx(model.evaluate(x, y), rel=1e-6)
    batches = [(x[:30], y[:30].astype(np.int64)), (x[30:], y[30:])]
    assert model.evaluate(batches) == expected
    assert model.evaluate(iter(batches)) == expected
    assert model.evaluate(lambda: iter(batches)) == expected
    assert model.evaluate([{"image": x, "label": y}]) == expected
    assert model.evaluate(x.tolist(), y.tolist(), batch_size=7) == expected


def test_summary_names_every_parameter(ours):
    lines = classifier(ours).summary().splitlines()
    assert lines[0] == "mlp 64-16-10"
    assert lines[2].split() == ["0/b", "float32[16]", "16"]
    assert lines[-1].split() == ["all", "1,210"]
    assert len({len(line) for line in lines[1:]}) == 1


def test_a_named_model_keeps_what_it_is_when_parts_are_changed(ours, digits):
    """A loss takes the place of its own one; an optimiser leaves frozen what the task freezes."""
    x, y = digits.inputs(digits.x_train[:8]), digits.y_train[:8]
    twice = Model.named(ours, "mlp", digits, loss=lambda jax, outputs, y: 2 * smoothed(jax, outputs, y))
    assert twice.evaluate(x, y)["loss"] == pytest.approx(2 * Model.named(ours, "mlp", digits).evaluate(x, y)["loss"])
    head = Model.named(ours, "new-head", digits, optimizer=momentum(0.1))
    before = head.state.params
    head.fit(x, y, progress=False)
    same = ours.tree.map(lambda a, b: bool((a == b).all()), before, head.state.params)
    assert all(ours.tree.leaves(same["features"])) and not any(ours.tree.leaves(same["head"]))


def test_models_of_the_commands_by_name(ours, digits):
    model = Model.named(ours, "mlp", digits, optimizer="sgd")
    assert model.rate == 0.2
    model.fit(digits, batch_size=128, progress=False)
    assert model.evaluate(digits)["accuracy"] > 0.5
    assert Model.named(ours, "mlp", digits, optimizer=momentum(0.1)).rate is None
    with pytest.raises(ValueError, match="there is no model 'mpl'; there are: mlp"):
        Model.named(ours, "mpl", digits)
    with pytest.raises(ValueError, match="there is no optimiser 'adan'; there are: sgd"):
        Model.named(ours, "mlp", digits, optimizer="adan")
    with pytest.raises(ValueError, match="lstm takes sentences, and digits holds images"):
        Model.named(ours, "lstm", digits)
    with pytest.raises(ValueError, match="y holds the class 10"):
        model.fit(digits._replace(y_train=digits.y_train + 1))


@pytest.mark.parametrize("how", ["shard", "pmap"])
def test_distributed_over_one_device_is_the_same(ours, how, pairs):
    (x, y), validation = pairs
    here, there = classifier(ours), classifier(ours).distributed(how=how)
    for model in (here, there):
        model.fit(x, y, batch_size=100, validation=validation, progress=False)
    assert there.history[0]["val_loss"] == pytest.approx(here.history[0]["val_loss"], rel=1e-5)
    np.testing.assert_allclose(there.predict(x[:5]), here.predict(x[:5]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "act, text",
    [
        (lambda m, x, y: m.fit(x, y[:-1]), r"x of shape \(600, 8, 8, 1\) and y of shape \(599,\): one y is needed"),
        (lambda m, x, y: m.fit(x[:0], y[:0]), "x and y hold no examples"),
        (lambda m, x, y: m.fit(x, y, batch_size=0), "batch_size is a whole number of at least 1, not 0"),
        (lambda m, x, y: m.fit(x, y, epochs=-1), "epochs is a whole number of at least 0, not -1"),
        (lambda m, x, y: m.fit(x, np.where(y == 3, 10, y)), "y holds the class 10, and the outputs are of 10 classes"),
        (lambda m, x, y: m.fit([(x, y - 1)]), "y holds the class -1"),
        (lambda m, x, y: classifier(m.jax, loss=partial(smoothed, smoothing=0.1)).fit(x, y - 1), "the class -1"),
        (lambda m, x, y: m.evaluate(x, y / 1), "y holds float64, and classes are whole numbers"),
        (lambda m, x, y: m.fit(x, y, validation=(x, y * 0 + 18)), "y holds the class 18"),
        (lambda m, x, y: m.fit(x, y, validation=(x, y), validation_split=0.1), "leave one of the two out"),
        (
            lambda m, x, y: m.fit(x[..., :4, 0], y),
            r"mlp 64-16-10 cannot take x of shape \(600, 8, 4\) and dtype float32",
        ),
        (lambda m, x, y: m.fit([(x, y, y)]), r"a batch is a pair \(x, y\); this one has 3 arrays"),
        (lambda m, x, y: m.predict(x[0]), r"cannot take x of shape \(8, 8, 1\).*one example alone is x\[None\]"),
        (lambda m, x, y: m.evaluate(x, y[:-1]), "one y is needed for each x"),
        (lambda m, x, y: m.fit([(x, y)], validation_split=0.1), "validation_split divides arrays"),
        (lambda m, x, y: m.predict(x[:0]), "at least one example"),
        (lambda m, x, y: m.distributed(how="pipe"), "no way 'pipe' to distribute; there are: shard, pmap"),
        (lambda m, x, y: classifier(m.jax, optimizer="adan"), "no optimiser 'adan'; there are: sgd"),
        (lambda m, x, y: classifier(m.jax, optimizer=momentum(0.1)), "the rate belongs to an optimiser given by its"),
    ],
)
def test_wrong_use_is_explained(ours, pairs, act, text):
    with pytest.raises(ValueError, match=text):
        act(classifier(ours), *pairs[0])


@pytest.mark.parametrize(
    "act, text",
    [
        (lambda m, x, y: m.fit(x), "fit takes x and y, a Dataset, or something that yields batches"),
        (lambda m, x, y: m.evaluate(x), "evaluate takes x and y, a Dataset, or something that yields batches"),
        (lambda m, x, y: m.fit(x, y, validation=x), r"validation is a pair \(x, y\) of arrays"),
        (lambda m, x, y: classifier(m.jax, loss="mse"), "loss is a function such as reference.losses.mse, not 'mse'"),
        (lambda m, x, y: classifier(m.jax, metrics=["accuracy"]), "metrics are a dict of them by name"),
    ],
)
def test_what_is_no_data_and_no_function_is_told(ours, pairs, act, text):
    with pytest.raises(TypeError, match=text):
        act(classifier(ours), *pairs[0])
