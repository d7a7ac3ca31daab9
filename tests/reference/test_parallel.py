"""Many devices, narrow numbers, less memory, many steps at once: the same training each time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import parallel_programs
import pytest

from reference.batches import epoch_batches
from reference.data import Dataset
from reference.engines import ENGINES, engine
from reference.losses import softmax_cross_entropy
from reference.metrics import accuracy
from reference.models import gpt, mlp, vae
from reference.optimizers import adam, sgd
from reference.parallel import devices, scan, utilization
from reference.parallel.precision import LossScale, in_dtype, loss_scaling, scaled_train_step
from reference.parallel.rematerialization import KEPT, NoBlocks, rematerialized
from reference.parallel.scan import fits, make_scanned_steps, resident, scanned
from reference.tasks import MODELS, experiment
from reference.training import (
    Experiment,
    ModelCheckpoint,
    TrainingDiverged,
    fit,
    init_state,
    make_train_step,
    supervised,
    train_step,
)
from reference.training.experiment import training_batches

ROOT = Path(__file__).parents[2]

QUICKLY = ["minijax", pytest.param("jax", marks=pytest.mark.full)]
"""both engines at full depth"""

MODEL = mlp.mlp((64, 16, 10), activation="tanh")
OBJECTIVE = supervised(MODEL, softmax_cross_entropy)


def run(name: str, depth: str) -> dict:
    """What is wrong with each program, on 8 devices in a process of its own."""
    done = subprocess.run(
        [sys.executable, parallel_programs.__file__, name, depth],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ENGINES)
def test_many_devices_train_as_one(name):
    expected = dict.fromkeys(parallel_programs.PROGRAMS)
    if name == "jax":
        expected = {title: None for title in expected if title not in parallel_programs.QUICK}
    assert run(name, "default") == expected


@pytest.mark.full
@pytest.mark.parametrize("name", ENGINES)
def test_many_devices_in_all_arrangements(name):
    assert run(name, "full") == dict.fromkeys([*parallel_programs.MORE_PROGRAMS, *parallel_programs.QUICK])


# many steps at once


def test_steps_in_one_scan_are_steps(jax, digits):
    optimizer, metrics = adam(0.01), {"accuracy": accuracy()}
    indices = np.stack(list(epoch_batches(len(digits.x_train), 32, seed=0, epoch=0, drop_last=True)))[:6]
    scanned = make_scanned_steps(jax, OBJECTIVE, optimizer, digits, metrics)
    state, measures = scanned(init_state(jax, MODEL, optimizer), resident(jax, digits), indices)
    step = make_train_step(jax, OBJECTIVE, optimizer, metrics)
    single = init_state(jax, MODEL, optimizer)
    for number, chosen in enumerate(indices):
        single, expected = step(single, (digits.inputs(digits.x_train[chosen]), digits.y_train[chosen]))
        for name, value in expected.items():
            assert abs(float(measures[name][number]) - float(value)) < 1e-6
    assert int(state.step) == 6
    for ours, theirs in zip(jax.tree.leaves(state.params), jax.tree.leaves(single.params), strict=True):
        assert np.allclose(ours, theirs, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", QUICKLY)
def test_a_training_in_scans_is_the_training(name, small, tmp_path):
    """Batches of 60: five and a small one; two steps in a call, the fifth and the small one alone."""
    jax = engine(name)
    chosen = Experiment(MODEL, OBJECTIVE, adam(0.01), 60, epochs=3, metrics={"accuracy": accuracy()}, drop_last=False)
    plain = fit(jax, chosen, small, progress=False)
    execution, feed = scanned(jax, chosen, small, 2)
    assert [chosen.shape for chosen in feed.training(0, 1)] == [(2, 60), (2, 60), (1, 20)]
    assert sorted(np.concatenate([c.ravel() for c in feed.training(0, 0)]).tolist()) == list(range(320))
    callbacks = [ModelCheckpoint(tmp_path, every_steps=3, keep=100)]
    found = fit(jax, chosen, feed, execution=execution, callbacks=callbacks, progress=False)
    steps = sorted(int(file.stem.split("-")[1]) for file in tmp_path.glob("step-*"))
    assert steps == [4, 6, 10, 12, 16, 18]  # the first after each third update, and the ends of epochs
    (tmp_path / "step-00000018.safetensors").unlink()
    (tmp_path / "step-00000016.safetensors").unlink()
    (tmp_path / "step-00000012.safetensors").unlink()  # so that it goes on from the middle of an epoch
    resumed = fit(jax, chosen, feed, execution=execution, resume=tmp_path, progress=False)
    for outcome in (found, resumed):
        assert int(outcome.state.step) == int(plain.state.step) == 18
        for column in ("loss", "accuracy", "val_loss", "val_accuracy"):
            assert np.allclose(outcome.history.column(column), plain.history.column(column), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", QUICKLY)
def test_a_scan_that_diverges_says_at_which_step(name, small):
    jax = engine(name)
    chosen = Experiment(MODEL, OBJECTIVE, sgd(np.inf), 60, epochs=1)
    execution, feed = scanned(jax, chosen, small, 5)
    with pytest.raises(TrainingDiverged, match="diverged at step 2 "):
        fit(jax, chosen, feed, execution=execution, progress=False)


def test_what_fits(digits):
    size = digits.x_train.nbytes + digits.y_train.nbytes
    assert fits(digits, 2 * size)
    assert not fits(digits, 2 * size - 1)
    jax = engine("minijax")
    chosen = Experiment(MODEL, OBJECTIVE, sgd(0.1), 60, epochs=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "memory", lambda device: devices.Memory(2**40 - size, 2**40, 2**40))
        with pytest.raises(devices.DeviceError, match="leave out --scan"):
            scanned(jax, chosen, digits, 2)


# narrow numbers


@pytest.mark.parametrize("dtype", ["bfloat16", pytest.param("float16", marks=pytest.mark.full)])
def test_narrow_arithmetic_leaves_parameters_and_gradients_wide(jax, digits, dtype):
    seen = []

    def objective(jax, params, model_state, batch, key, *, train):
        seen.append({leaf.dtype.name for leaf in [*jax.tree.leaves(params), batch[0]]})
        return OBJECTIVE(jax, params, model_state, batch, key, train=train)

    narrow = in_dtype(objective, dtype)
    params, state = MODEL.init(jax, jax.random.key(0))
    batch = (digits.inputs(digits.x_train[:32]), digits.y_train[:32])
    results = []
    for one in (narrow, OBJECTIVE):
        value = jax.value_and_grad(
            lambda params, one=one: one(jax, params, state, batch, jax.random.key(1), train=True), has_aux=True
        )
        (loss, (_, outputs)), grads = jax.jit(value)(params)
        assert {leaf.dtype.name for leaf in [loss, outputs, *jax.tree.leaves(grads)]} == {"float32"}
        results.append((float(loss), grads))
    assert seen == [{dtype}]
    (narrow_loss, narrow_grads), (loss, grads) = results
    assert 0 < abs(narrow_loss - loss) < 0.02
    for ours, theirs in zip(jax.tree.leaves(narrow_grads), jax.tree.leaves(grads), strict=True):
        assert np.abs(ours - theirs).max() < 0.05 * np.abs(theirs).max()
    assert in_dtype(OBJECTIVE, None) is OBJECTIVE


def test_small_gradients_survive_in_float16_by_their_scale(jax):
    """The gradient of 1e-4 * w * x at x = 1e-4 is 1e-8, which float16 rounds to zero."""

    def objective(jax, params, model_state, batch, key, *, train):
        x, _ = batch
        return jax.numpy.mean(params * x).astype("float32") * 1e-4, (model_state, x)

    narrow = in_dtype(objective, "float16")
    batch = (np.full(4, 1e-4, np.float32), np.zeros(4, np.int32))
    model = MODEL._replace(init=lambda jax, key: (jax.numpy.ones(()), ()))
    rate = 1e6  # 1 - 1e-8 is 1 in float32
    found = {}
    for name, optimizer, build in (
        ("scaled", loss_scaling(sgd(rate)), scaled_train_step),
        ("plain", sgd(rate), train_step),
    ):
        step = jax.jit(build(jax, narrow, optimizer, watch=True))
        state, measures = step(init_state(jax, model, optimizer), batch)
        found[name] = 1 - float(state.params)
        assert abs(float(measures["loss"]) - 1e-8) < 1e-11
        assert np.asarray(measures["finite"]).all()
    assert found["plain"] == 0
    assert abs(found["scaled"] - 0.01) < 1e-5


@pytest.mark.parametrize("name", QUICKLY)
def test_a_step_that_overflows_is_left_out(name):
    jax = engine(name)
    optimizer = loss_scaling(adam(0.1))
    params = {"w": jax.numpy.ones(3)}
    start = optimizer.init(jax, params)
    assert float(start.scale) == 2.0**15
    for bad in (np.inf, np.nan):
        grads = {"w": jax.numpy.asarray([1.0, bad, 1.0])}
        updates, state = optimizer.update(jax, grads, start, params)
        assert np.array_equal(updates["w"], np.zeros(3))
        assert float(state.scale) == 2.0**14
        for ours, theirs in zip(jax.tree.leaves(state.inner), jax.tree.leaves(start.inner), strict=True):
            assert np.array_equal(ours, theirs)
    good = {"w": jax.numpy.full(3, 2.0**15)}
    updates, state = optimizer.update(jax, good, start, params)
    plain, _ = adam(0.1).update(jax, {"w": jax.numpy.ones(3)}, adam(0.1).init(jax, params), params)
    assert np.allclose(updates["w"], plain["w"])
    assert (float(state.scale), int(state.good_steps)) == (2.0**15, 1)
    late = LossScale(start.scale, jax.numpy.asarray(1999, "int32"), start.inner)
    _, state = optimizer.update(jax, good, late, params)
    assert (float(state.scale), int(state.good_steps)) == (2.0**16, 0)


@pytest.mark.parametrize("name", QUICKLY)
def test_a_step_that_overflows_leaves_nothing_in_the_model(name):
    jax = engine(name)

    def objective(jax, params, model_state, batch, key, *, train):
        y = params * batch[0]
        return jax.numpy.mean(y).astype("float32"), (jax.numpy.max(y).astype("float32"), y)

    model = MODEL._replace(init=lambda jax, key: (jax.numpy.ones(()), jax.numpy.zeros(())))
    optimizer = loss_scaling(sgd(0.1))
    step = jax.jit(scaled_train_step(jax, in_dtype(objective, "float16"), optimizer))
    state = init_state(jax, model, optimizer)
    for x, seen in ((1e6, 0.0), (2.0, 2.0)):
        state, measures = step(state, (np.full(4, x, np.float32), np.zeros(4, np.int32)))
        assert float(state.model_state) == seen
    assert set(measures) == {"loss"}


@pytest.mark.parametrize("name", QUICKLY)
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_the_pixels_of_a_batch_are_not_summed_in_16_bits(name, dtype):
    jax = engine(name)
    model = vae.vae(vae.dense_coder((28, 28, 1), 2, 4))
    params, state = model.init(jax, jax.random.key(0))
    batch = (np.random.default_rng(0).random((128, 28, 28, 1), dtype=np.float32), None)
    found = [
        float(in_dtype(vae.objective(model), narrow)(jax, params, state, batch, None, train=False)[0])
        for narrow in (dtype, None)
    ]
    assert 0 < abs(found[0] - found[1]) < 1e-3 * found[1]


def made_up(kind, length):
    """A few examples of what a task takes."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 8, dtype=np.int32)
    if kind.startswith("images"):
        images = rng.integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
        return Dataset("made up", images, labels, images, labels, white=255, classes=4)
    tokens = rng.integers(1, 9, (8, length or 16), dtype=np.int32)
    y = labels if kind == "sentences" else tokens
    return Dataset("made up", tokens, y, tokens, y, classes=9, vocabulary=tuple("abcdefghi"))


@pytest.mark.full
@pytest.mark.parametrize("name", MODELS)
def test_every_product_of_every_model_is_in_16_bits(name):
    jax, task = engine("jax"), MODELS[name]
    dataset = made_up(task.takes, task.length)
    chosen = experiment(name, dataset, batch_size=8)
    batch = (dataset.inputs(dataset.x_train), dataset.y_train)
    state = jax.eval_shape(lambda: init_state(jax, chosen.model, chosen.optimizer))
    step = train_step(jax, in_dtype(chosen.objective, "bfloat16"), chosen.optimizer, chosen.metrics)
    text = str(jax.make_jaxpr(step)(state, batch))
    products = re.findall(r":(\w+)\[[\d,]*\]\{?[^=\n]*= (?:dot_general|conv_general_dilated)", text)
    assert len(products) > 2
    assert set(products) == {"bf16"}
    following, measures = jax.eval_shape(step, state, batch)
    assert {value.dtype.name for value in measures.values()} == {"float32"}
    forms = [jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), tree) for tree in (state, following)]
    assert forms[0] == forms[1]


# less memory


SMALL_GPT = gpt.gpt(gpt.Layout(9, context=16, features=8, heads=2, blocks=3, rate=0.1))


def gradient_of_gpt(jax, kept):
    """A function of its parameters."""
    objective = rematerialized(supervised(SMALL_GPT, softmax_cross_entropy), kept)
    tokens = np.arange(48, dtype=np.int32).reshape(3, 16) % 9
    batch = (tokens, (tokens + 1) % 9)
    return jax.grad(lambda params: objective(jax, params, (), batch, jax.random.key(1), train=True)[0])


@pytest.mark.parametrize("name", QUICKLY)
def test_what_is_computed_twice_is_the_same(name):
    jax = engine(name)
    params, _ = SMALL_GPT.init(jax, jax.random.key(0))
    expected = jax.jit(gradient_of_gpt(jax, "everything"))(params)
    counts = {}
    for kept in KEPT:
        gradient = gradient_of_gpt(jax, kept)
        counts[kept] = str(jax.make_jaxpr(gradient)(params)).count("tanh")
        for ours, theirs in zip(jax.tree.leaves(jax.jit(gradient)(params)), jax.tree.leaves(expected), strict=True):
            assert np.allclose(ours, theirs, rtol=0, atol=1e-6)
    # a program that occurs several times is printed once: here what the backward pass computes again
    assert counts == {"everything": 3, "products": 4, "blocks": 4}


@pytest.mark.full
def test_less_memory_is_needed():
    jax = engine("minijax")
    large = gpt.gpt(gpt.Layout(9, context=64, features=64, heads=2, blocks=4))
    params, _ = large.init(jax, jax.random.key(0))
    tokens = np.zeros((4, 64), np.int32)
    peaks = {}
    for kept in KEPT:
        objective = rematerialized(supervised(large, softmax_cross_entropy), kept)
        gradient = jax.grad(lambda params, run=objective: run(jax, params, (), (tokens, tokens), None, train=True)[0])
        gradient(params)
        tracemalloc.start()
        gradient(params)
        peaks[kept] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks["products"] < 0.7 * peaks["everything"]
    assert peaks["blocks"] < 0.4 * peaks["everything"]


@pytest.mark.parametrize("name", QUICKLY)
def test_models_without_blocks_are_refused(name):
    jax = engine(name)
    with pytest.raises(NoBlocks, match="keep everything"):
        batch = (np.zeros((2, 64), np.float32), np.zeros(2, np.int32))
        lean = rematerialized(OBJECTIVE, "blocks")
        lean(jax, *MODEL.init(jax, jax.random.key(0)), batch, None, train=True)
    assert rematerialized(OBJECTIVE, "everything") is OBJECTIVE


# how busy the devices are


def test_flops_of_a_step(jax, digits):
    optimizer = sgd(0.1)
    step = make_train_step(jax, OBJECTIVE, optimizer)
    state = init_state(jax, MODEL, optimizer)
    flops = utilization.step_flops(step, state, (digits.inputs(digits.x_train[:32]), digits.y_train[:32]))
    products = 2 * 32 * (64 * 16 + 16 * 10) + 2 * 32 * (64 * 16 + 2 * 16 * 10)  # forward; backward but for x
    assert products < flops < 1.5 * products
    assert not jax.tree.leaves(state.params)[0].is_deleted()
    assert utilization.step_flops(lambda state, batch: state, state, ()) is None


@pytest.mark.full
@pytest.mark.parametrize("name, loops", [("mlp", False), ("rnn", True)])
def test_what_is_not_counted_is_said(name, loops):
    jax = engine("jax")
    chosen = experiment(name, made_up(MODELS[name].takes, 16))
    state = init_state(jax, chosen.model, chosen.optimizer)
    batch = next(training_batches(chosen._replace(drop_last=False), made_up(MODELS[name].takes, 16), 0))
    said = utilization.say_utilization(jax, chosen, state, batch, 10.0, [Accelerator("NVIDIA H100")])
    assert re.search(r"GFLOP a step, .* of the published peak of the H100", said)
    assert said.endswith("so that it is more") == loops


class Accelerator:
    """What a device says of itself."""

    platform = "gpu"

    def __init__(self, kind, stats=None):
        self.device_kind = kind
        self.stats = stats

    def memory_stats(self):
        return self.stats


@pytest.mark.parametrize(
    "kind, flops",
    [
        ("NVIDIA H100 80GB HBM3", 989e12),
        ("NVIDIA A100-SXM4-40GB", 312e12),
        ("TPU v5 lite", 197e12),
        ("TPU v5", 459e12),
    ],
)
def test_published_peaks(kind, flops):
    assert utilization.peak(engine("jax"), Accelerator(kind))[0] == flops
    assert utilization.utilization(flops, 0.5, flops, 4) == 0.5


def test_a_peak_that_is_measured(jax):
    flops, source = utilization.peak(jax, jax.devices()[0])
    assert 1e8 < flops < 1e14
    assert source == "what a large matrix product reaches here"


def test_memory():
    found = devices.memory(Accelerator("x", {"bytes_in_use": 2**30, "peak_bytes_in_use": 2**31, "bytes_limit": 2**32}))
    assert str(found) == "1.00 GiB in use, 2.00 GiB at most, of 4.00 GiB"
    assert devices.memory(Accelerator("x")) is None
    assert devices.memory(engine("minijax").devices()[0]) is None
    assert devices.describe([Accelerator("NVIDIA X")] * 2) == "2 gpu devices (NVIDIA X)"


def test_platforms_that_are_not_there():
    with pytest.raises(devices.DeviceError, match="minijax computes on the CPU, not on a GPU"):
        devices.choose_platform(engine("minijax"), "gpu")
    with pytest.raises(ValueError, match="no platform 'x'; there are: cpu, gpu, tpu"):
        devices.choose_platform(engine("jax"), "x")
