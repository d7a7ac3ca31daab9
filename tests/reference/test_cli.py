"""The commands, as they are typed."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_compare import wrong_gradients

from reference import cli
from reference.commands import compare, parsing, train
from reference.data import idx
from reference.tasks import settings
from reference.training import Folder, save_tree

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
    words = "compare mlp --dataset digits --epochs 2 --steps 16 --batch-size 100"
    options = "--optimizer adam --lr 0.002 --seed 7 --strict --x64 --schedule one-cycle"
    done = python("-m", "reference", *words.split(), *options.split(), "--out", str(tmp_path / "runs"))
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    title = "mlp 64-512-10 on digits: adam, learning rate 0.002 (one-cycle), batches of 100, seed 7, float64"
    assert lines[0] == title
    assert lines[-1].startswith("The engines agree over 16 steps")
    name = "compare-mlp-digits-adam-one-cycle-x64"
    assert sorted(file.name for file in (tmp_path / "runs").iterdir()) == [f"{name}.json", f"{name}.png"]
    record = json.loads((tmp_path / "runs" / f"{name}.json").read_text())
    assert (record["settings"]["dtype"], record["settings"]["seed"]) == ("float64", 7)
    assert len(record["losses"]["jax"]) == 16
    assert len(record["parameters"]) == 17


def test_disagreement_is_status_one(tmp_path, monkeypatch, capsys):
    ours = compare.engine("minijax")  # against itself: right, and compiled in no time
    monkeypatch.setattr(compare, "engine", lambda name: wrong_gradients(ours, 1.01) if name == "minijax" else ours)
    words = f"compare mlp --dataset digits --steps 5 --out {tmp_path}"
    assert cli.main(words.split()) == 1
    assert "The engines disagree: " in capsys.readouterr().out
    record = json.loads((tmp_path / "compare-mlp-digits-momentum.json").read_text())
    assert record["agree"] is False
    assert set(record["failures"]) == {"loss", "parameters"}


@pytest.mark.full
def test_recipe_start(tmp_path, mnist, capsys):
    words = f"compare mlp --recipe jax-in-action --steps 30 --out {tmp_path}"
    assert cli.main(words.split()) == 0
    assert "published: training loss 0.4104" in capsys.readouterr().out
    assert (tmp_path / "compare-jax-in-action.png").exists()


@pytest.mark.parametrize(
    "words, text",
    [
        ("", "required: COMMAND"),
        ("trian mlp", "invalid choice: 'trian' (choose from"),
        ("compare", "required: MODEL"),
        ("compare mpl", "invalid choice: 'mpl' (choose from"),
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
        ("train mlp --resume", "--resume needs --checkpoint-dir"),
        ("train mlp --devices 2", "--devices needs --parallel pmap or --parallel shard"),
        ("train mlp --engine torch", "invalid choice: 'torch' (choose from"),
        ("train mlp --precision float8", "bfloat16"),
        ("train mlp --engine minijax --profile nowhere", "--profile needs --engine jax: minijax has no profiler"),
        ("train cnn-norm --dataset digits --engine minijax --optimizer dp-sgd", "cnn-norm normalises whole batches"),
        ("train mlp --dataset digits --engine minijax --optimizer dp-sgd --parallel pmap", "take --parallel shard"),
        (
            "train new-head --dataset digits --optimizer dp-sgd",
            "new-head with dp-sgd (one-cycle): multi_transform: not for",
        ),
        ("compare cnn --recipe jax-in-action", "the recipe jax-in-action is of the model mlp, not of cnn"),
        ("evaluate", "required: CHECKPOINT"),
        ("predict runs --top 0", "'0' is not a whole number of at least 1"),
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


@pytest.mark.parametrize("command", ["compare", "bench", "train", "evaluate", "predict"])
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


# train, evaluate, predict


def ours(words):
    """A command on the quicker engine."""
    return cli.main([*words.split(), "--engine", "minijax"])


def refused(words, capsys):
    """What a command says that is wrong use."""
    with pytest.raises(SystemExit) as stopped:
        ours(words)
    assert stopped.value.code == 2
    return capsys.readouterr()


def test_train_evaluate_predict(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert ours("train mlp --dataset digits --epochs 2 --checkpoint-dir kept --tensorboard board") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("mlp 64-512-10 on digits: momentum, learning rate 0.05, batches of 128, seed 0; minijax")
    assert lines[2].split() == ["epoch", "loss", "val_loss", "val_accuracy", "seconds", "steps/s", "examples/s"]
    assert [line.split()[0] for line in lines[3:5]] == ["1", "2"]
    assert "compilation and first step: " in lines[6]
    record = json.loads(Path("runs/train-mlp-digits-momentum.json").read_text())
    assert [row["step"] for row in record["history"]] == [11, 22]
    assert Path("runs/train-mlp-digits-momentum.png").read_bytes().startswith(b"\x89PNG")
    assert len(Path("kept/history.csv").read_text().splitlines()) == 3
    assert list(Path("board").glob("events.out.tfevents.*"))

    assert ours("evaluate kept --json measures.json") == 0
    out = capsys.readouterr().out
    measures = json.loads(Path("measures.json").read_text())
    assert measures["loss"] == pytest.approx(record["history"][1]["val_loss"])
    assert sum(map(sum, measures["confusion"])) == 360
    assert f"{measures['accuracy']:.2%}" in out
    assert len(out.partition("class  examples")[2].splitlines()) == 11

    assert ours("predict kept --count 4 --top 2 --json guesses.json") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert "(it is " in lines[0]
    assert sum(json.loads(Path("guesses.json").read_text())[0]["probabilities"].values()) == pytest.approx(1)


def test_predict_of_a_picture(tmp_path, capsys, monkeypatch, digits):
    """The file that a test example was written to gets the answer of the example itself."""
    monkeypatch.chdir(tmp_path)
    ours("train mlp --dataset digits --steps 8 --checkpoint-dir kept")
    for i in range(3):
        Image.fromarray(np.round(digits.x_test[i] * (255 / 16)).astype(np.uint8)).save(f"{i}.png")
        Image.fromarray(255 - np.round(digits.x_test[i] * (255 / 16)).astype(np.uint8)).save(f"dark-{i}.png")
    capsys.readouterr()
    found = []
    for words in ("--count 3", "--input 0.png 1.png 2.png", "--invert --input dark-0.png dark-1.png dark-2.png"):
        assert ours(f"predict kept {words} --json guesses.json") == 0
        found.append([row["probabilities"] for row in json.loads(Path("guesses.json").read_text())])
    for rows in found[1:]:
        assert [pytest.approx(row, abs=1e-4) for row in found[0]] == rows
    assert ours("predict kept --input nothing.png") == 2
    assert capsys.readouterr().err == "error: there is no file nothing.png\n"


def test_a_resumed_training_is_the_same(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ours("train mlp --dataset digits --epochs 3 --checkpoint-dir calm")
    ours("train mlp --dataset digits --epochs 3 --steps 17 --checkpoint-dir kept --save-every 5")
    last = sorted(Path("kept").glob("step-*"))[-1]
    last.write_bytes(last.read_bytes()[:-7])
    assert ours("train mlp --dataset digits --epochs 3 --checkpoint-dir kept --resume") == 0
    said = capsys.readouterr()
    assert "step-00000017.safetensors is damaged" in said.err
    assert "going on from kept/step-00000015.safetensors" in said.out
    arrays = [Folder(name).read().arrays for name in ("calm", "kept")]
    assert {n: a.tobytes() for n, a in arrays[0].items()} == {n: a.tobytes() for n, a in arrays[1].items()}
    said = refused("train mlp --dataset digits --checkpoint-dir kept", capsys)
    assert "holds a training already: go on with --resume" in said.err


def test_what_a_resumed_training_has_changed_is_told(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ours("train mlp --dataset digits --steps 15 --checkpoint-dir kept")
    assert ours("train mlp --dataset digits --steps 15 --checkpoint-dir kept --resume") == 0
    said = capsys.readouterr().out
    assert "all is done after 15 steps" in said
    assert "not as before" not in said
    assert ours("train mlp --dataset digits --steps 24 --checkpoint-dir kept --resume --lr 0.01") == 0
    said = capsys.readouterr().out
    assert "not as before: rate 0.05 before and 0.01 now\n" in said
    record = json.loads(Path("runs/train-mlp-digits-momentum.json").read_text())
    assert [(row["epoch"], row["step"]) for row in record["history"]] == [(1, 11), (2, 22), (3, 24)]
    assert (
        ours("train mlp --dataset digits --steps 24 --checkpoint-dir kept --resume --schedule cosine --epochs 4") == 0
    )
    assert "now, schedule constant before and cosine now, epochs 3 before and 4 now\n" in capsys.readouterr().out
    said = refused("train cnn --dataset digits --checkpoint-dir kept --resume", capsys)
    assert "step-00000024.safetensors is of the model mlp, not of cnn" in said.err


def test_a_full_disk_is_status_two_and_leaves_whole_files(tmp_path, capsys, monkeypatch):
    """A limit on the size of files stands for the disk; a program that is to be signalled instead is not this one."""
    monkeypatch.chdir(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        status = ours("train mlp --dataset digits --epochs 1 --checkpoint-dir kept")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert status == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and "kept/step-00000011.safetensors" in error
    assert [file.name for file in Path("kept").iterdir()] == ["history.csv"]


def test_a_folder_that_cannot_be_written_to_is_found_before_the_work(tmp_path, capsys, monkeypatch):
    def refuse(dir):
        raise PermissionError(13, "Permission denied", str(dir))

    monkeypatch.setattr(parsing, "TemporaryFile", refuse)  # whoever runs the tests may be allowed everything
    said = refused(f"train mlp --dataset digits --out {tmp_path}", capsys)
    assert (said.out, "Permission denied" in said.err) == ("", True)


def test_ctrl_c_is_status_130_everywhere(tmp_path, capsys, monkeypatch):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(compare, "compare", interrupted)
    assert cli.main(f"compare mlp --dataset digits --out {tmp_path}".split()) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_tokens_of_another_vocabulary_are_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("first.txt").write_text("abcd" * 500)
    Path("second.txt").write_text("efgh" * 500)
    run = {"model": "gpt", "dataset": "text:first.txt", "settings": settings("gpt")._asdict()}
    save_tree(compare.engine("minijax"), Path("kept/step-00000001.safetensors"), {}, {"run": run})
    said = refused("evaluate kept --dataset text:second.txt", capsys)
    assert "--dataset second has a vocabulary of its own, not that of first" in said.err


def test_parameters_of_another_training(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ours("train mlp --dataset digits --epochs 2 --checkpoint-dir first")
    capsys.readouterr()
    assert ours("train mlp --dataset digits --steps 2 --optimizer adam --start-from first") == 0
    assert "4 arrays taken from first/step-00000022.safetensors: everything fits" in capsys.readouterr().out
    history = json.loads(Path("runs/train-mlp-digits-adam.json").read_text())["history"]
    assert history[0]["val_accuracy"] > 0.9


@pytest.mark.parametrize("options", ["--parallel pmap", "--parallel shard", "--precision bfloat16"])
def test_other_ways_to_run(tmp_path, capsys, options):
    assert ours(f"train mlp --dataset digits --steps 5 {options} --out {tmp_path}") == 0
    history = json.loads((tmp_path / "train-mlp-digits-momentum.json").read_text())["history"]
    assert ours(f"train mlp --dataset digits --steps 5 --out {tmp_path}") == 0
    plain = json.loads((tmp_path / "train-mlp-digits-momentum.json").read_text())["history"]
    rounding = 0.02 if "bfloat16" in options else 1e-5
    assert history[0]["val_loss"] == pytest.approx(plain[0]["val_loss"], rel=rounding)


def test_names_of_datasets_may_have_dots(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("ph.7.csv").write_text("a,b,y\n" + "".join(f"{i % 5},{i % 3},{i % 2}\n" for i in range(40)))
    assert ours("train mlp --dataset csv:ph.7.csv --steps 1 --batch-size 8") == 0
    assert sorted(file.name for file in Path("runs").iterdir()) == [
        "train-mlp-ph.7-momentum.json",
        "train-mlp-ph.7-momentum.png",
    ]
    assert "wrote runs/train-mlp-ph.7-momentum.png and runs/train-mlp-ph.7-momentum.json" in capsys.readouterr().out


def test_a_model_that_is_no_classifier(tmp_path, capsys):
    assert ours(f"train vae --dataset digits --steps 2 --checkpoint-dir {tmp_path}/kept --out {tmp_path}") == 0
    assert ours(f"evaluate {tmp_path}/kept") == 0
    assert "most often taken for" not in capsys.readouterr().out
    said = refused(f"predict {tmp_path}/kept", capsys)
    assert "vae is no classifier; `evaluate` measures it" in said.err


def test_divergence_is_status_one(tmp_path, capsys):
    assert ours(f"train mlp --dataset digits --lr 1e30 --out {tmp_path}") == 1
    assert capsys.readouterr().err.startswith("error: the training diverged at step 2")


def test_early_stopping_and_interruption_are_told(tmp_path, capsys, monkeypatch):
    assert ours(f"train mlp --dataset digits --lr 1e-30 --epochs 9 --patience 2 --out {tmp_path}") == 0
    assert "stopped: val_accuracy has not got better than" in capsys.readouterr().out
    monkeypatch.setattr(train, "fit", lambda *args, **options: (_ for _ in ()).throw(KeyboardInterrupt))
    words = f"train mlp --dataset digits --checkpoint-dir {tmp_path}/kept --out {tmp_path}"
    assert ours(words) == 130
    assert capsys.readouterr().err == "interrupted before the first checkpoint\n"
    file = tmp_path / "kept" / "step-00000007.safetensors"
    save_tree(compare.engine("minijax"), file, {})
    assert ours(words + " --resume") == 130
    assert capsys.readouterr().err == f"interrupted; {file} is kept: go on with --resume\n"
    monkeypatch.setattr(train, "fit", lambda *args, **options: sys.exit(143))
    assert ours(f"train mlp --dataset digits --out {tmp_path}") == 143
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize(
    "content, text",
    [(None, "holds no checkpoint; `train --checkpoint-dir"), (b"nonsense", "no checkpoint can be read: ")],
)
def test_a_folder_without_a_checkpoint_is_status_two(tmp_path, capsys, content, text):
    if content is not None:
        (tmp_path / "step-00000001.safetensors").write_bytes(content)
    assert ours(f"evaluate {tmp_path}") == 2
    assert text in capsys.readouterr().err


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
