"""`data`: what it prints, what it draws, what it refuses."""

import numpy as np
import pytest
from PIL import Image

from reference.cli import main
from reference.data import DATASETS, sentences


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """No data on this machine but what is part of the package."""
    monkeypatch.setenv("MINIJAX_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MINIJAX_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


def test_list_says_where_everything_is(nowhere, capsys):
    (nowhere / "data" / "imdb" / "aclImdb").mkdir(parents=True)
    assert main(["data", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[::2]] == list(DATASETS)
    places = dict(zip(DATASETS, (line.strip() for line in lines[1::2]), strict=True))
    assert places["digits"] == "part of the package"
    assert places["imdb"] == f"in {nowhere / 'data' / 'imdb'}"
    assert places["mnist"].startswith("not on this machine; to be had from https://")
    assert places["cifar10-cats-dogs"].endswith("taken from CIFAR-10")


def test_fetch(nowhere, capsys, monkeypatch):
    assert main(["data", "fetch", "digits"]) == 0
    assert (
        capsys.readouterr().out == "digits: 1,437 + 360 examples, images 8 x 8 x 1, 10 classes\npart of the package\n"
    )
    monkeypatch.setattr(sentences, "IMDB", sentences.IMDB._replace(mirrors=()))
    assert main(["data", "fetch", "imdb"]) == 2
    assert capsys.readouterr().err.startswith("error: IMDB is neither under MINIJAX_DATA_DIR nor under")


@pytest.mark.parametrize("augment, height", [((), 2), (("--augment", "crop+rotate"), 8)])
def test_show_draws_images(nowhere, capsys, augment, height):
    assert main(["data", "show", "digits", "--count", "10", "--out", str(nowhere), *augment]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[1].startswith("classes: 0 139, 1 154")
    with Image.open(out[-1].removeprefix("wrote ")) as picture:
        assert picture.size == (round(110 * 8 * 1.3), round(110 * height * 1.55))
        assert len(np.unique(np.asarray(picture.convert("L")))) > 10


def test_show_prints_texts_and_rows(nowhere, capsys):
    path = nowhere / "poem.txt"
    path.write_text("to be or not to be " * 20)
    assert main(["data", "show", f"text:{path}", "--length", "8", "--count", "2"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("poem: ")
    assert [line.partition(", then ")[0].strip("'") in "to be or not to be " * 3 for line in out[1:]] == [True, True]
    path = nowhere / "table.csv"
    path.write_text("a,b\n" + "\n".join(f"{i},{'xy'[i % 2]}" for i in range(10)))
    assert main(["data", "show", f"csv:{path}", "--count", "3"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[:2] == ["table: 8 + 2 examples, numbers 1, 2 classes", out[1]]
    assert all(line.startswith(("y = x, x = [", "y = y, x = [")) for line in out[2:])
    assert len(out) == 5


def test_a_table_of_ones_own_can_be_trained_on(nowhere, capsys):
    path = nowhere / "shapes.csv"
    sides = np.random.default_rng(0).uniform(1, 9, (200, 2)).round(2)
    rows = [f"{a},{b},{'tall' if a > b else 'wide'}" for a, b in sides]
    path.write_text("\n".join(["height,width,kind", *rows]))
    words = f"train mlp --engine minijax --dataset csv:{path} --epochs 5 --batch-size 20 --out {nowhere}"
    assert main(words.split()) == 0
    last = [line for line in capsys.readouterr().out.splitlines() if line.split()[:1] == ["5"]][-1]
    assert float(last.split()[3].rstrip("%")) > 85


@pytest.mark.parametrize(
    "words, what",
    [
        (["show"], "data show needs the NAME of a dataset; there are: mnist"),
        (["draw", "mnist"], "invalid choice: 'draw'"),
        (["show", "cifar"], "there is no dataset 'cifar'; there are: auto, mnist"),
        (["show", "digits", "--length", "3"], "digits is no text"),
        (["show", "digits", "--augment", "wash"], "flip+crop"),
        (["show", "digits", "--cuont", "3"], "did you mean --count?"),
    ],
)
def test_wrong_use_says_what_is_possible(nowhere, capsys, words, what):
    with pytest.raises(SystemExit) as stopped:
        main(["data", *words])
    assert stopped.value.code == 2
    assert what in capsys.readouterr().err
