"""The loop and its callbacks, on the quicker of the two engines where nothing else is said."""

import csv
import math
import os
import signal
import threading

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from reference import picture
from reference.engines import engine
from reference.losses import softmax_cross_entropy
from reference.metrics import accuracy, confusion_matrix
from reference.models import mlp
from reference.optimizers import momentum, sgd
from reference.parallel.scan import scanned
from reference.schedules import linear
from reference.tasks import experiment
from reference.training import (
    ONE_DEVICE,
    Callback,
    CheckpointError,
    CSVLogger,
    EarlyStopping,
    Experiment,
    Feed,
    Folder,
    History,
    LearningRateLogger,
    ModelCheckpoint,
    Profile,
    TrainingDiverged,
    feed_of,
    fit,
    save_tree,
    supervised,
)
from reference.training.history import higher_is_better
from reference.training.tensorboard import TensorBoard


@pytest.fixture
def ours():
    return engine("minijax")


def make(**changes):
    """An experiment with an MLP of few weights on the digits."""
    model = mlp.mlp((64, 8, 10))
    settings = {"batch_size": 32, "epochs": 2, "metrics": {"accuracy": accuracy()}} | changes
    return Experiment(model, supervised(model, softmax_cross_entropy), settings.pop("optimizer", sgd(0.1)), **settings)


class At(Callback):
    """Do something after the step of this number."""

    def __init__(self, step, what):
        self.step = step
        self.what = what
        self.ended = 0

    def on_step(self, loop):
        if loop.step == self.step:
            self.what(loop)

    def on_end(self, loop):
        self.ended += 1


class Put(Callback):
    """Something of its own into the row of each epoch."""

    def __init__(self, value):
        self.value = value

    def on_epoch(self, loop, row):
        row["mine"] = self.value


# the loop


def test_measures_of_training_are_means_over_examples(ours, small):
    """The last batch is smaller, and counts for less."""
    made = make(batch_size=96, epochs=1, drop_last=False, optimizer=sgd(0.0))
    _, history, _ = fit(ours, made, small, progress=False)
    everything = make(batch_size=320, epochs=1, optimizer=sgd(0.0))
    _, whole, _ = fit(ours, everything, small, progress=False)
    assert history[0]["step"] == 4
    assert history[0]["loss"] == pytest.approx(whole[0]["loss"], rel=1e-6)
    assert history[0]["accuracy"] == pytest.approx(whole[0]["accuracy"], rel=1e-6)


def test_a_row_has_speed_apart_from_compilation(ours, small):
    _, history, _ = fit(ours, make(), small, progress=False)
    first, second = history
    assert first["compile_seconds"] > 0
    assert "compile_seconds" not in second
    assert second["steps_per_second"] == pytest.approx(10 / second["seconds"])
    assert second["examples_per_second"] == pytest.approx(320 / second["seconds"])


def test_batches_made_ahead_change_nothing(ours, small):
    first, second = (fit(ours, make(), small, ahead=ahead, progress=False) for ahead in (0, 3))
    assert first.history.column("loss") == second.history.column("loss")
    with pytest.raises(TrainingDiverged):
        fit(ours, make(optimizer=sgd(1e30)), small, ahead=3, progress=False)
    assert "prefetch" not in {thread.name for thread in threading.enumerate()}, "its thread ends with the training"


def test_any_feed_will_do(ours, small):
    batches = [(small.inputs(small.x_train[i : i + 32]), small.y_train[i : i + 32]) for i in (0, 32, 64)]
    outcome = fit(ours, make(), Feed(lambda epoch, skip: iter(batches[skip:])), progress=False)
    assert int(outcome.state.step) == 6
    assert "val_loss" not in outcome.history[0]
    empty = fit(ours, make(), Feed(lambda epoch, skip: iter(())), progress=False)
    assert (len(empty.history), empty.stopped) == (0, "there are no batches")


def test_measures_that_are_no_numbers_stay_out_of_the_history(ours, small):
    made = make(metrics={"confusion": confusion_matrix(10)}, epochs=1)
    _, history, _ = fit(ours, made, small, progress=False)
    assert "val_loss" in history.names()
    assert not any("confusion" in name for name in history.names())


# its end before its time


def test_divergence_says_where_and_what_to_try(jax, small, tmp_path):
    made = make(optimizer=sgd(1e30), epochs=3)
    with pytest.raises(TrainingDiverged) as raised:
        fit(jax, made, small, callbacks=[ModelCheckpoint(tmp_path, every_steps=1)], progress=False)
    error = raised.value
    text = str(error)
    assert text.startswith(f"the training diverged at step {error.step} (epoch 1): the loss is {error.loss}.")
    assert set(error.gradients) <= {"0/b", "0/w", "1/b", "1/w"}
    assert error.gradients or not math.isfinite(error.loss)
    assert "lower learning rate" in text
    assert "holds NaN" not in text
    kept = Folder(tmp_path).files()
    assert all(np.isfinite(array).all() for array in Folder(tmp_path).read().arrays.values() if array.dtype.kind == "f")
    assert len(kept) == min(error.step - 1, 3)


def test_divergence_by_damaged_data_says_so(ours, small):
    def training(epoch, skip):
        for x, y in feed_of(make(), small).training(epoch, skip):
            yield np.where(x > 0.9, np.nan, x).astype(np.float32), y

    with pytest.raises(TrainingDiverged, match="The batch itself holds NaN") as raised:
        fit(ours, make(), Feed(training), progress=False)
    assert raised.value.step == 1


@pytest.mark.parametrize("number, error", [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_a_signal_leaves_a_checkpoint(ours, small, tmp_path, number, error):
    calm = fit(ours, make(), small, progress=False)
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    at = At(13, lambda loop: os.kill(os.getpid(), number))
    with pytest.raises(error) as raised:
        fit(ours, make(), small, callbacks=[ModelCheckpoint(tmp_path), at], progress=False)
    assert getattr(raised.value, "code", 143) == 143
    assert at.ended == 1
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    assert int(Folder(tmp_path).read().arrays["step"]) == 13
    outcome = fit(ours, make(), small, resume=tmp_path, progress=False)
    np.testing.assert_array_equal(outcome.state.params[0]["w"], calm.state.params[0]["w"])
    assert outcome.history.column("loss") == calm.history.column("loss")


def test_a_training_in_a_thread_catches_no_signals(ours, small):
    before, outcomes = signal.getsignal(signal.SIGINT), []
    thread = threading.Thread(target=lambda: outcomes.append(fit(ours, make(), small, progress=False)))
    thread.start()
    thread.join(60)
    assert len(outcomes[0].history) == 2
    assert signal.getsignal(signal.SIGINT) == before


def test_callbacks_end_after_an_error(ours, small):
    def fail(loop):
        raise LookupError("from a callback")

    at = At(3, fail)
    with pytest.raises(LookupError):
        fit(ours, make(), small, callbacks=[at], progress=False)
    assert at.ended == 1


# going on


def test_another_model_or_order_is_refused(ours, small, tmp_path):
    stop = At(5, lambda loop: loop.stop("enough"))
    fit(ours, make(), small, callbacks=[stop], progress=False)
    interrupted = At(5, lambda loop: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        fit(ours, make(), small, callbacks=[ModelCheckpoint(tmp_path), interrupted], progress=False)
    with pytest.raises(CheckpointError, match="another model or optimiser: missing in the file: opt_state"):
        fit(ours, make(optimizer=momentum(0.1)), small, resume=tmp_path, progress=False)
    with pytest.raises(CheckpointError, match="in the middle of an epoch, and its batches were others"):
        fit(ours, make(batch_size=16), small, resume=tmp_path, progress=False)


def test_a_finished_training_stays_finished(ours, small, tmp_path):
    first = fit(ours, make(), small, callbacks=[ModelCheckpoint(tmp_path)], progress=False)
    again = fit(ours, make(), small, resume=tmp_path, progress=False)
    assert int(again.state.step) == int(first.state.step)
    assert again.history.rows == first.history.rows
    longer = fit(ours, make(epochs=3), small, resume=tmp_path, progress=False)
    assert len(longer.history) == 3


@pytest.mark.parametrize("scan", [None, 4])
def test_more_steps_go_on_in_the_middle_of_an_epoch(ours, small, tmp_path, scan):
    """13 steps and then 25 are 25 at once, though an epoch of ten was cut short and evaluated."""

    def train(steps, **options):
        made = make(steps=steps, epochs=3)
        execution, data = (ONE_DEVICE, small) if scan is None else scanned(ours, made, small, scan)
        return fit(ours, made, data, execution=execution, progress=False, **options)

    at_once = train(25)
    train(13, callbacks=[ModelCheckpoint(tmp_path)])
    finished = train(13, resume=tmp_path)
    assert [row["step"] for row in finished.history] == [10, 13]
    outcome = train(25, resume=tmp_path)
    assert (int(outcome.state.step), outcome.stopped) == (25, None)
    np.testing.assert_array_equal(outcome.state.params[0]["w"], at_once.state.params[0]["w"])
    for name in ("epoch", "step", "loss", "val_loss"):
        assert outcome.history.column(name) == at_once.history.column(name)


def test_the_last_step_is_counted_over_epochs_of_any_length(ours, small, tmp_path):
    fit(ours, make(batch_size=32, epochs=2), small, callbacks=[ModelCheckpoint(tmp_path)], progress=False)
    outcome = fit(ours, make(batch_size=64, epochs=9, steps=33), small, resume=tmp_path, progress=False)
    assert (int(outcome.state.step), outcome.stopped) == (33, None)


def test_a_folder_of_another_training_is_not_mixed_up_with_this_one(ours, small, tmp_path):
    fit(ours, make(), small, callbacks=[ModelCheckpoint(tmp_path)], progress=False)
    with pytest.raises(ValueError, match="holds a training already, whose checkpoints would pass for those"):
        fit(ours, make(epochs=1), small, callbacks=[ModelCheckpoint(tmp_path)], progress=False)
    first = fit(ours, make(epochs=1), small, progress=False)
    start = (first.state, first.history)
    with pytest.raises(ValueError, match="holds a training already"):  # its steps come before those in the folder
        fit(ours, make(), small, callbacks=[ModelCheckpoint(tmp_path)], start=start, progress=False)
    Folder(tmp_path).clear()
    fit(ours, make(epochs=1), small, callbacks=[ModelCheckpoint(tmp_path)], progress=False)


def test_a_state_alone_is_no_training_to_go_on_with(ours, small, tmp_path):
    state = fit(ours, make(epochs=1), small, progress=False).state
    save_tree(ours, tmp_path / "step-00000010.safetensors", state)
    with pytest.raises(CheckpointError, match="holds a state but no place in a training"):
        fit(ours, make(), small, resume=tmp_path, progress=False)


def test_several_callbacks_of_a_kind_take_up_each_its_own(ours, small, tmp_path):
    def both():
        return [EarlyStopping("val_loss", patience=9), EarlyStopping("val_accuracy", patience=9)]

    first = both()
    fit(ours, make(), small, callbacks=[*first, ModelCheckpoint(tmp_path)], progress=False)
    again = both()
    fit(ours, make(), small, callbacks=again, resume=tmp_path, progress=False)
    assert [callback.saved() for callback in again] == [callback.saved() for callback in first]
    assert first[0].best != first[1].best


def test_an_interruption_after_an_epoch_leaves_its_score(ours, small, tmp_path):
    class Interrupt(Callback):
        def on_epoch(self, loop, row):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        fit(ours, make(), small, callbacks=[Interrupt(), ModelCheckpoint(tmp_path)], progress=False)
    (only,) = Folder(tmp_path).files()
    assert Folder(tmp_path).best() == only
    assert Folder(tmp_path).read().notes["epoch"] == 1


# callbacks


@pytest.mark.parametrize(
    "monitor, values, epochs",
    [
        ("val_loss", [3.0, 2.0, 2.0, 2.5, 1.0], 4),
        ("val_loss", [3.0, 2.95, 2.9, 2.8, 1.0], 3),
        ("val_accuracy", [0.1, 0.5, 0.4, 0.3, 0.9], 4),
        ("val_loss", [5.0, 4.0, 3.0, 2.0, 1.0], 5),
        ("val_loss", [math.nan, math.nan, 3.0, 2.0, 1.0], 2),
        ("val_loss", [math.nan, 3.0, math.nan, 2.0, 1.0], 5),
    ],
)
def test_early_stopping_counts_epochs_without_gain(monitor, values, epochs):
    stopping, reasons = EarlyStopping(monitor, patience=2, min_delta=0.2 if monitor == "val_loss" else 0.0), []

    class Loop:
        stop = staticmethod(reasons.append)

    count = 0
    for value in values:
        count += 1
        other = EarlyStopping(monitor, patience=2, min_delta=stopping.min_delta)
        other.restore(stopping.saved())  # as if killed and resumed after each epoch
        stopping = other
        stopping.on_epoch(Loop, {monitor: value})
        if reasons:
            break
    assert count == epochs
    assert bool(reasons) == (epochs < 5)


def test_early_stopping_ends_the_training(ours, small, tmp_path):
    callbacks = [EarlyStopping(patience=1), ModelCheckpoint(tmp_path)]
    outcome = fit(ours, make(optimizer=sgd(0.0), epochs=9), small, callbacks=callbacks, progress=False)
    assert outcome.stopped.startswith("val_loss has not got better than ")
    assert len(outcome.history) == 2
    again = fit(ours, make(optimizer=sgd(0.0), epochs=9), small, resume=tmp_path, progress=False)
    assert len(again.history) == 2
    patient = [EarlyStopping(patience=3)]
    longer = fit(ours, make(optimizer=sgd(0.0), epochs=9), small, callbacks=patient, resume=tmp_path, progress=False)
    assert len(longer.history) == 4


@pytest.mark.parametrize("callback", [EarlyStopping(), ModelCheckpoint("nowhere"), LearningRateLogger()])
def test_what_cannot_be_watched_is_said_before_the_first_step(ours, small, callback):
    feed = feed_of(make(), small)._replace(evaluation=None)
    never = At(1, lambda loop: pytest.fail("an epoch is lost"))
    with pytest.raises(ValueError, match="nothing to evaluate on|does not say what its rate is"):
        fit(ours, make(), feed, callbacks=[never, callback], progress=False)


@pytest.mark.parametrize("value", [np.float32(0.5), np.int64(3), np.ones((), np.float16)])
def test_numbers_of_any_kind_may_be_put_into_a_row(ours, small, tmp_path, value):
    outcome = fit(ours, make(epochs=1), small, callbacks=[Put(value), ModelCheckpoint(tmp_path)], progress=False)
    assert Folder(tmp_path).read().notes["history"][0]["mine"] == outcome.history[0]["mine"] == value
    with pytest.raises(TypeError, match=r"a callback has put array\(\[1., 1.\]\) there as 'mine'"):
        fit(ours, make(epochs=1), small, callbacks=[Put(np.ones(2))], progress=False)


def test_callbacks_are_objects(ours, small):
    with pytest.raises(TypeError, match="objects of classes derived from Callback, not <class"):
        fit(ours, make(), small, callbacks=[EarlyStopping], progress=False)


@pytest.mark.parametrize("callback", [EarlyStopping("val_f1"), ModelCheckpoint("nowhere", monitor="val_f1")])
def test_a_measure_that_is_not_there_is_named(ours, small, callback):
    with pytest.raises(ValueError, match="watches 'val_f1', which is not among the measures: epoch, step, loss"):
        fit(ours, make(), small, callbacks=[callback], progress=False)


def test_tables_and_rates(ours, small, tmp_path):
    rate = linear(0.1, 0.0, 20)
    made = make(optimizer=sgd(rate), rate=rate)
    callbacks = [LearningRateLogger(), CSVLogger(tmp_path / "history.csv")]
    _, history, _ = fit(ours, made, small, callbacks=callbacks, progress=False)
    assert history.column("learning_rate") == pytest.approx([0.05, 0.0])
    with open(tmp_path / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["val_loss"]) for row in rows] == history.column("val_loss")
    with pytest.raises(ValueError, match="does not say what its rate is"):
        fit(ours, make(), small, callbacks=[LearningRateLogger()], progress=False)


def test_profile(ours, small, tmp_path):
    with pytest.raises(ValueError, match="minijax has no profiler"):
        fit(ours, make(), small, callbacks=[Profile(tmp_path)], progress=False)


@pytest.mark.full
def test_profile_of_jax(small, tmp_path):
    fit(engine("jax"), make(), small, callbacks=[Profile(tmp_path, skip=2, steps=3)], progress=False)
    assert list(tmp_path.rglob("*.trace.json.gz")) or list(tmp_path.rglob("*.xplane.pb"))


# history and pictures


def test_history():
    history = History([{"epoch": 1, "val_loss": 3.0, "val_accuracy": 0.5}, {"epoch": 2, "val_loss": 4.0, "extra": 1.0}])
    assert history.names() == ["epoch", "val_loss", "val_accuracy", "extra"]
    assert history.best("val_loss")["epoch"] == history.best("val_accuracy")["epoch"] == 1
    assert math.isnan(history.column("extra")[0])
    assert History([{"loss": math.nan}, {"loss": 2.0}, {"loss": math.nan}, {"loss": 1.0}]).best("loss") == {"loss": 1.0}
    with pytest.raises(KeyError, match="'loss' is NaN in all of the history"):
        History([{"loss": math.nan}]).best("loss")
    with pytest.raises(KeyError, match="there is no 'loss' in the history; there are: epoch"):
        history.column("loss")
    assert higher_is_better("val_accuracy") and not higher_is_better("val_loss")


def test_picture_of_a_history(ours, small, tmp_path):
    _, history, _ = fit(ours, make(), small, progress=False)
    picture.draw_history(tmp_path / "history.png", history, "mlp on digits")
    assert (tmp_path / "history.png").read_bytes().startswith(b"\x89PNG")


# TensorBoard


def events(folder):
    """All that the real TensorBoard reads from a folder."""
    accumulator = EventAccumulator(str(folder), size_guidance=dict.fromkeys(("scalars", "histograms", "images"), 0))
    return accumulator.Reload()


def test_tensorboard_reads_what_is_written(ours, small, tmp_path):
    images = small.inputs(small.x_test[:3])
    board = TensorBoard(
        tmp_path,
        every_steps=5,
        texts={"model": "an *MLP*"},
        settings={"rate": 0.1, "optimizer": "sgd"},
        images=lambda loop: {"digits": images},
    )
    outcome = fit(ours, make(), small, callbacks=[board], progress=False)
    seen = events(tmp_path)
    assert [(e.step, e.value) for e in seen.Scalars("epoch/val_loss")] == [
        (10, pytest.approx(outcome.history[0]["val_loss"])),
        (20, pytest.approx(outcome.history[1]["val_loss"])),
    ]
    assert [e.step for e in seen.Scalars("step/loss")] == [5, 10, 15, 20]
    histogram = seen.Histograms("0/w")[-1].histogram_value
    weights = np.asarray(outcome.state.params[0]["w"])
    assert (histogram.num, histogram.max) == (weights.size, pytest.approx(weights.max()))
    assert seen.Images("digits")[0].encoded_image_string.startswith(b"\x89PNG")
    assert seen.Tensors("model/text_summary")[0].tensor_proto.string_val == [b"an *MLP*"]
    table = events(tmp_path / "hparams")
    assert table.Scalars("hparam/val_loss")[0].value == pytest.approx(outcome.history[1]["val_loss"])
    assert any(
        "hparams" in plugin for plugin in table.summary_metadata["_hparams_/experiment"].plugin_data.plugin_name.split()
    )


def test_a_resumed_training_takes_the_place_of_what_was_lost(ours, small, tmp_path):
    """Steps after the last checkpoint are done again, and stand in TensorBoard once."""
    kill = At(15, lambda loop: (loop.settle(), (_ for _ in ()).throw(OSError("killed"))))
    board = TensorBoard(tmp_path / "board", every_steps=1, histograms=False)
    with pytest.raises(OSError, match="killed"):
        fit(ours, make(), small, callbacks=[board, ModelCheckpoint(tmp_path), kill], progress=False)
    board = TensorBoard(tmp_path / "board", every_steps=1, histograms=False)
    fit(ours, make(), small, callbacks=[board], resume=tmp_path, progress=False)
    assert sorted(e.step for e in events(tmp_path / "board").Scalars("step/loss")) == list(range(1, 21))


def test_the_experiment_says_its_rate(digits):
    assert experiment("mlp", digits).rate == 0.05
    assert callable(experiment("mlp", digits, schedule="cosine").rate)
