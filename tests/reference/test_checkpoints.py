"""Checkpoints: whole or not there, read by both engines, and a killed training goes on as if nothing had been."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import hypothesis
import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
import training_program
from hypothesis import strategies

from reference.engines import ENGINES, engine, precision
from reference.models import mlp
from reference.optimizers import adam, momentum
from reference.training import CheckpointError, Folder, init_state, load_tree, read_checkpoint, save_tree
from reference.training.checkpoints import named_arrays
from reference.training.tensor_file import read_tensors, write_tensors

ROOT = Path(__file__).parents[2]


def state_of(jax, optimizer=None, sizes=(4, 3, 2), seed=0):
    return init_state(jax, mlp.mlp(sizes), optimizer or adam(0.1), seed)


def assert_same_arrays(first, second):
    assert first.keys() == second.keys()
    for name in first:
        assert first[name].dtype == second[name].dtype, name
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


# the format


ARRAYS = {
    "bool": np.array([True, False]),
    "i8": np.arange(3, dtype=np.int8).reshape(3, 1),
    "empty": np.zeros((2, 0), np.float32),
    "scalar": np.float64(1 / 3) * np.ones(()),
    "half": np.array([1.5, -2], np.float16),
    "brain": np.array([[1.5, 3]], ml_dtypes.bfloat16),
    "u32": np.array([2**32 - 1], np.uint32),
    "across": np.arange(6.0).reshape(2, 3).T,
}


def test_arrays_and_texts_come_back(tmp_path):
    write_tensors(tmp_path / "a", ARRAYS, {"text": 'with "quotes" and ü'})
    arrays, texts = read_tensors(tmp_path / "a")
    assert_same_arrays(arrays, ARRAYS)
    assert texts["text"] == 'with "quotes" and ü'
    assert all(array.flags.writeable for array in arrays.values())


def test_the_files_are_those_of_safetensors(tmp_path):
    write_tensors(tmp_path / "ours", ARRAYS, {})
    plain = {name: array for name, array in ARRAYS.items() if name != "brain"}
    theirs = safetensors.numpy.load_file(tmp_path / "ours")
    assert_same_arrays({name: theirs[name] for name in plain}, plain)
    safetensors.numpy.save_file({n: np.ascontiguousarray(a) for n, a in plain.items()}, tmp_path / "theirs")
    assert_same_arrays(dict(sorted(read_tensors(tmp_path / "theirs")[0].items())), dict(sorted(plain.items())))


def test_what_the_format_cannot_hold_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="w is complex64"):
        write_tensors(tmp_path / "a", {"w": np.zeros(2, np.complex64)}, {})
    assert not list(tmp_path.iterdir())


def test_there_is_no_pickle_to_be_run(tmp_path):
    (tmp_path / "a").write_bytes(b"\x80\x04cos\nsystem\n(S'touch owned'\ntR.")
    with pytest.raises(CheckpointError, match="damaged"):
        read_checkpoint(tmp_path / "a")


# a state in a file


@pytest.mark.parametrize("reader", ENGINES)
def test_either_engine_reads_what_either_wrote(jax, reader, tmp_path):
    state = state_of(jax, seed=3)
    save_tree(jax, tmp_path / "a", state, {"epoch": 2})
    other = engine(reader)
    read, notes, found = load_tree(other, tmp_path / "a", state_of(other))
    assert_same_arrays(named_arrays(other, read)[0], named_arrays(jax, state)[0])
    assert notes == {"epoch": 2}
    assert str(found) == "everything fits"
    draws = [np.asarray(j.random.normal(s.key, (3,))) for j, s in ((jax, state), (other, read))]
    np.testing.assert_allclose(*draws, rtol=1e-6)


def test_other_dtypes_are_converted_and_reported(tmp_path):
    jax = engine("minijax")
    with precision(jax, x64=True):
        state = state_of(jax)
        save_tree(jax, tmp_path / "a", state)
    read, _, found = load_tree(jax, tmp_path / "a", state_of(jax))
    assert found.fits
    assert "params/0/w float64 to float32" in found.dtypes
    np.testing.assert_array_equal(read.params[0]["w"], np.asarray(state.params[0]["w"]).astype(np.float32))


def test_what_is_missing_unexpected_or_of_another_shape_is_named(jax, tmp_path):
    save_tree(jax, tmp_path / "a", state_of(jax, adam(0.1)))
    like = state_of(jax, momentum(0.1), sizes=(4, 5, 2))
    with pytest.raises(CheckpointError) as raised:
        load_tree(jax, tmp_path / "a", like)
    text = str(raised.value)
    assert "holds another model or optimiser: missing in the file: opt_state/0" in text
    assert "unexpected in the file: opt_state/0/" in text
    assert "params/0/w [4, 3] instead of [4, 5]" in text
    read, _, found = load_tree(jax, tmp_path / "a", like, partly=True)
    assert not found.fits
    np.testing.assert_array_equal(read.params[0]["w"], like.params[0]["w"])
    assert jax.tree.structure(read) == jax.tree.structure(like)


def test_a_part_can_be_taken(tmp_path):
    jax = engine("minijax")
    save_tree(jax, tmp_path / "a", state_of(jax))
    part = read_checkpoint(tmp_path / "a").part("params", "step")
    assert set(part.arrays) == {"params/0/w", "params/0/b", "params/1/w", "params/1/b", "step"}


def test_two_leaves_of_one_name_are_refused(tmp_path):
    jax = engine("minijax")
    with pytest.raises(ValueError, match="two leaves are called 'a/b'"):
        save_tree(jax, tmp_path / "a", {"a": {"b": np.zeros(1)}, "a/b": np.zeros(1)})


# damage


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    jax = engine("minijax")
    path = tmp_path_factory.mktemp("whole") / "a"
    save_tree(jax, path, state_of(jax), {"epoch": 1})
    return path.read_bytes()


@hypothesis.given(data=strategies.data())
def test_no_damage_goes_unnoticed(whole, tmp_path_factory, data):
    """Any byte changed, any end cut off, anything added."""
    kind = data.draw(strategies.sampled_from(["changed", "cut", "longer"]))
    position = data.draw(strategies.integers(0, len(whole) - 1))
    if kind == "changed":
        other = data.draw(strategies.integers(1, 255))
        content = whole[:position] + bytes([whole[position] ^ other]) + whole[position + 1 :]
    else:
        content = whole[:position] if kind == "cut" else whole + b"\0" * (1 + position % 9)
    path = tmp_path_factory.mktemp("damaged") / "a"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged|no checkpoint|no checksum"):
        read_checkpoint(path)


def test_a_damaged_one_is_passed_over(tmp_path, capsys):
    jax = engine("minijax")
    folder = Folder(tmp_path, keep=3)
    for step in (1, 2, 3):
        folder.save(jax, state_of(jax, seed=step), step, {"at": step})
    last = folder.files()[0]
    last.write_bytes(last.read_bytes()[:-1])
    assert folder.read().notes["at"] == 2
    error = capsys.readouterr().err
    assert "step-00000003.safetensors is damaged" in error
    assert "going back to step-00000002.safetensors" in error
    for file in folder.files():
        file.write_bytes(b"")
    with pytest.raises(CheckpointError, match="no checkpoint can be read: .*step-00000001"):
        folder.read()
    folder.clear()
    assert folder.read() is None


# a folder


def test_the_last_ones_and_the_best_are_kept(tmp_path):
    jax = engine("minijax")
    folder = Folder(tmp_path, keep=2)
    (tmp_path / ".step-00000001.safetensors.77.part").write_bytes(b"of a process that was killed")
    for step, score in ((1, 0.1), (2, 0.9), (3, 0.9), (4, None), (5, 0.3), (6, 0.5)):
        folder.save(jax, {"w": np.full(2, step)}, step, {}, score=score)
    assert [file.name[:13] for file in folder.files()] == ["step-00000006", "step-00000005", "step-00000002"]
    assert len(list(tmp_path.iterdir())) == 3
    assert folder.read("best").arrays["w"].tolist() == [2, 2]
    assert folder.read().arrays["w"].tolist() == [6, 6]
    with pytest.raises(ValueError, match="at least one"):
        Folder(tmp_path, keep=0)


# killed and resumed


def killed_again_and_again(name, folder, kills, seed):
    """Run the training in processes of their own, killing each at a random moment; how many died of it."""
    rng, died = random.Random(seed), 0
    for attempt in range(kills + 1):
        seconds = "0.005" if attempt < kills else "0"
        words = [sys.executable, "-W", "error", training_program.__file__, name, str(folder), seconds]
        environment = os.environ | {"JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True)
        if attempt < kills:
            wait_for_progress(process, folder)
            time.sleep(rng.uniform(0, 0.25))
            process.send_signal(signal.SIGKILL)
        _, error = process.communicate(timeout=120)
        died += process.returncode == -signal.SIGKILL
        assert process.returncode in (0, -signal.SIGKILL), error
        assert "Warning" not in error
    return died


def wait_for_progress(process, folder):
    """Until the process has written a checkpoint of its own, or has ended."""
    before, end = newest(folder), time.monotonic() + 60
    while newest(folder) == before and process.poll() is None and time.monotonic() < end:
        time.sleep(0.002)


def newest(folder):
    return max((file.name for file in Path(folder).glob("step-*.safetensors")), default="")


@pytest.mark.parametrize(
    "name, kills",
    [
        ("minijax", 2),
        pytest.param("minijax", 10, marks=pytest.mark.full),
        pytest.param("jax", 10, marks=pytest.mark.full),
    ],
)
def test_killed_at_any_moment_it_goes_on_bit_for_bit(name, kills, tmp_path):
    calm = training_program.train(engine(name), tmp_path / "calm", every_steps=7)
    died = killed_again_and_again(name, tmp_path / "killed", kills, seed=kills)
    assert died >= min(2, kills), "the processes were too quick to be killed"
    final = [read_tensors(tmp_path / side / "final.safetensors")[0] for side in ("calm", "killed")]
    assert final[0]["step"] == 65
    assert {name: array.tobytes() for name, array in final[0].items()} == {
        name: array.tobytes() for name, array in final[1].items()
    }
    rows = Folder(tmp_path / "killed").read().notes["history"]
    exact = ("epoch", "step", "loss", "accuracy", "val_loss", "val_accuracy")
    assert [[row[k] for k in exact] for row in rows] == [[row[k] for k in exact] for row in calm.history]


def test_one_engine_goes_on_where_the_other_stopped(tmp_path):
    """The losses are those of one engine's training, up to rounding."""
    first, second = (engine(name) for name in ENGINES)
    training_program.train(first, tmp_path, every_steps=10)
    files = Folder(tmp_path).files()
    for file in files[:1]:
        file.unlink()
    outcome = training_program.train(second, tmp_path, every_steps=20)
    calm = training_program.train(first, tmp_path / "calm", every_steps=50)
    np.testing.assert_allclose(outcome.history.column("loss"), calm.history.column("loss"), rtol=1e-4)
    assert json.loads(read_tensors(Folder(tmp_path).files()[0])[1]["engine"])["name"] == "jax"
