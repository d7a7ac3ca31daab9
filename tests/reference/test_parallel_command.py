"""`train` on many devices and in many processes, as it is typed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_processes import free_port

from reference.cli import main

ROOT = Path(__file__).parents[2]


def start(*words, out):
    """`train mlp` on the digits for two epochs, in a process of its own."""
    command = [sys.executable, "-W", "error", "-m", "reference", "train", "mlp", "--dataset", "digits", "--epochs", "2"]
    return subprocess.Popen(
        [*command, *map(str, words), "--out", str(out)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )


def end(process, status=0):
    out, errors = process.communicate(timeout=300)
    assert process.returncode == status, errors
    return out, errors


def losses(folder):
    record = json.loads((folder / "train-mlp-digits-momentum.json").read_text())
    return [row["loss"] for row in record["history"]]


def test_every_way_gives_the_same_losses(tmp_path):
    ways = {
        "none": ["--scan", 4],
        "pmap": ["--parallel", "pmap", "--devices", 4],
        "shard": ["--parallel", "shard", "--devices", 4, "--tensor", 2, "--fully-sharded"],
    }
    found = {}
    for name, words in ways.items():
        out, _ = end(start("--engine", "minijax", *words, out=tmp_path / name))
        found[name] = losses(tmp_path / name)
        assert ("on 4 cpu devices" in out) == ("--devices" in words)
    for name in ways:
        assert found[name] == pytest.approx(found["none"], abs=1e-5)


@pytest.mark.full
def test_two_processes_of_two_devices(tmp_path):
    _, _ = end(start(out=tmp_path / "one"))
    words = ["--platform", "cpu", "--parallel", "shard", "--devices", 2, "--checkpoint-dir", tmp_path / "kept"]
    words += ["--coordinator", f"127.0.0.1:{free_port()}", "--processes", 2]
    started = [start(*words, "--process", i, out=tmp_path / "two") for i in range(2)]
    first, second = (end(process)[0] for process in started)
    assert "epoch" in first
    assert "epoch" not in second
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), abs=1e-5)
    assert len(list((tmp_path / "kept").glob("step-*"))) == 2


@pytest.mark.parametrize(
    "words, what",
    [
        ("--devices 2", "--devices needs --parallel"),
        ("--parallel pmap --tensor 2", "--tensor needs --parallel shard"),
        ("--parallel pmap --scan 2", "leave out --parallel"),
        ("--parallel shard --processes 2", "belong together"),
        ("--precision int8", "float32, bfloat16, float16"),
        ("--platform abacus", "cpu, gpu, tpu"),
    ],
)
def test_what_does_not_go_together(tmp_path, capsys, words, what):
    with pytest.raises(SystemExit, match="2"):
        main(["train", "mlp", "--engine", "minijax", "--out", str(tmp_path), *words.split()])
    assert what in capsys.readouterr().err.replace("'", "")


def test_what_is_not_there(tmp_path, capsys):
    words = ["train", "mlp", "--engine", "minijax", "--out", str(tmp_path)]
    assert main([*words, "--platform", "tpu"]) == 2
    assert "minijax computes on the CPU, not on a TPU" in capsys.readouterr().err
    _, errors = end(start("--engine", "minijax", "--parallel", "shard", "--devices", 3, out=tmp_path), status=2)
    assert "--batch-size 128 cannot be divided by 3 devices; take 126 or 129" in errors
    with pytest.raises(SystemExit, match="2"):
        main([*words, "--dataset", "digits", "--keep-for-backward", "blocks"])
    assert "--keep-for-backward blocks: the model has no repeated blocks" in capsys.readouterr().err


@pytest.mark.parametrize("many", [False, pytest.param(True, marks=pytest.mark.full)])
def test_a_platform_that_jax_does_not_find(tmp_path, monkeypatch, many):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # for where there is a GPU
    words = ["--parallel", "shard", "--processes", 1, "--process", 0, "--coordinator", f"127.0.0.1:{free_port()}"]
    _, errors = end(start("--platform", "gpu", *(words if many else []), out=tmp_path), status=2)
    assert errors.startswith("error: jax finds no gpu here; there is: cpu")
    assert errors.count("\n") == 1
