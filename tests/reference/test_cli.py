"""The commands, as they are typed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_compare import wrong_gradients

from reference import cli
from reference.commands import compare
from reference.data import idx

ROOT = Path(__file__).parents[2]


def python(*words, **environment):
    """Run this Python in a process of its own."""
    return subprocess.run(
        [sys.executable, "-W", "error", *words],
        cwd=ROOT,
        env=os.environ | {"JAX_PLATFORMS": "cpu"} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_compare_in_a_process_of_its_own(tmp_path):
    words = f"compare mlp --dataset digits --epochs 2 --batch-size 100 --out {tmp_path}/runs"
    done = python("-m", "reference", *words.split())
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("mlp 64-512-10 on digits: momentum, learning rate 0.05, batches of 100, seed 0, float32")
    assert lines[-1].startswith("The engines agree over 28 steps")
    assert sorted(file.name for file in (tmp_path / "runs").iterdir()) == [
        "compare-mlp-digits-momentum.json",
        "compare-mlp-digits-momentum.png",
    ]


@pytest.mark.parametrize(
    "options, name, dtype",
    [
        ("--optimizer adam --lr 0.002 --seed 7 --strict", "mlp-digits-adam", "float32"),
        ("--x64 --schedule one-cycle", "mlp-digits-momentum-one-cycle-x64", "float64"),
    ],
)
def test_compare_with_options(tmp_path, capsys, options, name, dtype):
    words = f"compare mlp --dataset digits --steps 12 {options} --out {tmp_path}"
    assert cli.main(words.split()) == 0
    record = json.loads((tmp_path / f"compare-{name}.json").read_text())
    assert record["settings"]["dtype"] == dtype
    assert len(record["losses"]["jax"]) == 12
    assert len(record["parameters"]) == (13 if "strict" in options else 4)
    assert record["settings"]["seed"] == (7 if "seed" in options else 0)
    assert f", {dtype}\n" in capsys.readouterr().out


def test_disagreement_is_status_one(tmp_path, monkeypatch, capsys):
    real = compare.engine
    monkeypatch.setattr(
        compare, "engine", lambda name: wrong_gradients(real(name), 1.01) if name == "minijax" else real(name)
    )
    words = f"compare mlp --dataset digits --steps 5 --out {tmp_path}"
    assert cli.main(words.split()) == 1
    assert "The engines disagree: " in capsys.readouterr().out
    record = json.loads((tmp_path / "compare-mlp-digits-momentum.json").read_text())
    assert record["agree"] is False
    assert set(record["failures"]) == {"loss", "parameters"}


def test_recipe_start(tmp_path, mnist, capsys):
    words = f"compare mlp --recipe jax-in-action --steps 30 --out {tmp_path}"
    assert cli.main(words.split()) == 0
    assert "published: training loss 0.4104" in capsys.readouterr().out
    assert (tmp_path / "compare-jax-in-action.png").exists()


@pytest.mark.parametrize(
    "words, text",
    [
        ("", "required: COMMAND"),
        ("train mlp", "invalid choice: 'train' (choose from"),
        ("compare", "required: MODEL"),
        ("compare cnn", "invalid choice: 'cnn' (choose from"),
        ("compare mlp --dataset cifar", "(choose from"),
        ("compare mlp --optimizer adamm", "nesterov"),
        ("compare mlp --schedule cosin", "warmup-cosine"),
        ("compare mlp --epcohs 3", "'--epcohs' is not understood; did you mean --epochs?"),
        ("compare mlp --zzz", "'--zzz' is not understood; possible: --help, --dataset"),
        ("compare mlp --epochs 0", "'0' is not a whole number of at least 1"),
        ("compare mlp --batch-size many", "'many' is not a whole number of at least 1"),
        ("compare mlp --lr nan", "'nan' is not a positive number"),
        ("compare mlp --lr -1", "'-1' is not a positive number"),
        ("compare mlp --seed -3", "'-3' is not a whole number from 0 to 4294967295"),
        ("compare mlp --dataset digits --batch-size 1438", "--batch-size 1438: digits has 1437 examples"),
        ("compare mlp --recipe jax-in-action --lr 1 --seed 0", "leave out --lr and --seed"),
        ("compare mlp --recipe jax-in-action --schedule cosine", "leave out --schedule"),
        ("compare mlp --recipe jax-in-action --dataset digits", "leave out --dataset digits"),
        ("compare mlp --out pyproject.toml/runs", "--out: "),
        ("bench --json pyproject.toml/bench.json", "--json: "),
        ("bench --rounds 0", "'0' is not a whole number of at least 1"),
    ],
)
def test_wrong_use_is_status_two_and_says_what_is_possible(words, text, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit) as stopped:
        cli.main(words.split())
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert text in error
    assert error.startswith("usage: python -m reference")


@pytest.mark.parametrize("command", ["compare", "bench"])
def test_help_has_examples_and_exit_codes(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main([command, "--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    assert f"python -m reference {command}" in text.partition("examples:")[2]
    assert "exit status:" in text


def test_data_that_cannot_be_used_is_status_two(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "mnist"
    folder.mkdir()
    for name in idx.MNIST.files:
        (folder / name).write_bytes(b"damaged")
    monkeypatch.setenv("MINIJAX_DATA_DIR", str(tmp_path))
    assert cli.main(["compare", "mlp", "--dataset", "mnist"]) == 2
    assert capsys.readouterr().err.startswith(f"error: {folder}")


@pytest.mark.parametrize("module", ["tqdm", "matplotlib", "jax"])
def test_a_missing_module_is_status_two(module, tmp_path):
    code = f"""if True:
        import runpy, sys
        sys.modules[{module!r}] = None
        sys.argv = ["reference", "compare", "mlp", "--dataset", "digits", "--out", {str(tmp_path)!r}]
        runpy.run_module("reference", run_name="__main__")
    """
    done = python("-c", code)
    assert done.returncode == 2
    assert f"needs the module '{module}'" in done.stderr
    assert "pip install 'minijax[reference,bench]'" in done.stderr
    assert "Traceback" not in done.stderr
