"""`generate`: pictures and text from checkpoints, on minijax, which need not be the engine that trained."""

import re

import numpy as np
import pytest
from matplotlib import image

from reference import gallery
from reference.cli import main
from reference.data import load
from reference.engines import engine
from reference.tasks import MODELS, experiment, settings
from reference.training.checkpoints import save_tree

TEXT = "the quick brown fox jumps over the lazy dog; " * 80


@pytest.fixture
def kept(tmp_path):
    """Writes a checkpoint of a model as it is drawn."""

    def keep(name, dataset):
        jax = engine("minijax")
        params, state = experiment(name, load(dataset)).model.init(jax, jax.random.key(0))
        path = tmp_path / f"{name}.safetensors"
        run = {"model": name, "dataset": dataset, "settings": settings(name)._asdict()}
        save_tree(jax, path, {"params": params, "model_state": state}, {"run": run})
        return str(path)

    return keep


def generate(path, *options):
    return main(["generate", path, "--engine", "minijax", *map(str, options)])


@pytest.mark.parametrize("name", [name for name, task in MODELS.items() if task.paints])
def test_pictures(name, kept, tmp_path, capsys):
    path = kept(name, "digits")
    assert generate(path, "--count", 5, "--out", tmp_path) == 0
    picture = tmp_path / f"generate-{name}-digits.png"
    assert capsys.readouterr().out == f"wrote {picture}\n"
    pixels = image.imread(picture)[..., :3]
    size = 8 * (gallery.SIDE // 8)
    assert pixels.shape == (2 * (size + 2) + 2, 3 * (size + 2) + 2, 3)  # 3 and 2 images of 8x8, and lines
    first = pixels[2 : 2 + size, 2 : 2 + size]
    assert len(np.unique(first)) > 1
    assert (pixels[-size:, -size:] == 1).all()  # where a sixth one would be
    generate(path, "--count", 5, "--out", tmp_path, "--seed", 1)
    assert (image.imread(picture)[..., :3] != pixels).any()


def test_text(kept, tmp_path, capsys):
    file = tmp_path / "fox.txt"
    file.write_text(TEXT, encoding="utf-8")
    path, how = kept("gpt", f"text:{file}"), ("--prompt", "the fox ", "--length", 12)
    texts = []
    for options in ((), (), ("--seed", 3), ("--temperature", 0), ("--temperature", 0, "--seed", 3), ("--top-k", 1)):
        assert generate(path, *how, *options) == 0
        texts.append(capsys.readouterr().out)
    assert all(re.fullmatch(r"the fox .{12}\n", text) and set(text) <= set(TEXT + "\n") for text in texts)
    assert texts[0] == texts[1] != texts[2]
    assert texts[3] == texts[4] == texts[5] != texts[0]


def test_wrong_use_says_what_is_possible(kept, tmp_path, capsys):
    file = tmp_path / "fox.txt"
    file.write_text(TEXT, encoding="utf-8")
    gpt, mlp = kept("gpt", f"text:{file}"), kept("mlp", "digits")
    for path, options, said in (
        (mlp, (), "mlp makes nothing new; these do: vae, conv-vae, gan, gpt"),
        (gpt, ("--prompt", "Q!"), "--prompt: the vocabulary lacks '!'"),
        (gpt, ("--prompt", ""), "--prompt is empty"),
        (gpt, ("--temperature", -1), "'-1' is not a number that is not negative"),
    ):
        with pytest.raises(SystemExit) as exit:
            generate(path, *options)
        assert exit.value.code == 2
        assert said in capsys.readouterr().err


def test_small_images_are_enlarged_and_large_ones_kept():
    small = np.linspace(0, 1, 2 * 4 * 4 * 3).reshape(2, 4, 4, 3)
    sheet = gallery.tiled(small)
    zoom = gallery.SIDE // 4
    assert sheet.shape == (zoom * 4 + 4, 2 * (zoom * 4 + 2) + 2, 3)
    np.testing.assert_allclose(sheet[2 : 2 + 4 * zoom : zoom, 2 : 2 + 4 * zoom : zoom], small[0], rtol=1e-6)
    assert gallery.tiled(np.zeros((1, 300, 200, 1))).shape == (304, 204, 3)
