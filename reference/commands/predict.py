"""`predict`: what a trained model says of single examples."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from ..data import DataError
from ..data.folders import read_image
from ..data.words import encode, tokenize
from ..files import write_json
from .parsing import add_command, count, make_folder
from .saved import Saved, add_checkpoint, find, is_classifier

__all__ = ["add_parser"]

PREDICT_HELP = """\
Show what a trained classifier says of pictures in files, or of sentences: the likeliest
classes with their probabilities. Without any, of the first examples of the test set."""

PREDICT_EXAMPLES = """examples:
  python -m reference predict runs/mlp
  python -m reference predict runs/mlp --input seven.png --invert
  python -m reference predict runs/lstm --input "a moving and clever film" "two hours of my life"

"""

WIDEST = 60
"""characters of a sentence that are shown"""

EXIT_CODES = """exit status:
  0  done
  2  wrong use, or something needed is missing or damaged
"""


def add_parser(commands: Any) -> None:
    """Its options."""
    parser = add_command(
        commands, "predict", _run, "what a trained model says of examples", PREDICT_HELP, PREDICT_EXAMPLES, EXIT_CODES
    )
    add = parser.add_argument
    add_checkpoint(add)
    add("--input", nargs="+", default=[], metavar="INPUT", help="files of pictures, or sentences")
    add("--count", type=count, default=10, metavar="N", help="examples of the test set, without --input (default: 10)")
    add("--top", type=count, default=3, metavar="N", help="classes shown for each (default: 3)")
    add("--invert", action="store_true", help="pictures are dark on white: MNIST's digits are white on black")
    add("--json", type=Path, metavar="FILE", help="also write the probabilities of all classes there")


def _run(options: argparse.Namespace) -> int:
    if options.json is not None:
        make_folder(options, "--json", options.json.parent)
    saved = find(options)
    if not is_classifier(saved):
        options.parser.error(f"{saved.name} is no classifier; `evaluate` measures it")
    if options.input:
        names, stored, answers = options.input, _stored(options, saved), None
    else:
        number = min(options.count, len(saved.dataset.x_test))
        names = [f"test {i}" for i in range(number)]
        stored, answers = saved.dataset.x_test[:number], saved.dataset.y_test[:number]
    probabilities = _probabilities(saved, saved.dataset.inputs(stored))
    labels = saved.dataset.labels or tuple(map(str, range(saved.dataset.classes)))
    shown = [name if len(name) <= WIDEST else name[: WIDEST - 3] + "..." for name in names]
    width = max(map(len, shown))
    for i, (name, row) in enumerate(zip(shown, probabilities, strict=True)):
        best = np.argsort(-row, kind="stable")[: options.top]
        guesses = ", ".join(f"{labels[c]} {row[c]:.1%}" for c in best)
        truth = "" if answers is None else f"   (it is {labels[answers[i]]})"
        print(f"{name:<{width}}  {guesses}{truth}")
    if options.json is not None:
        record = [dict(zip(labels, map(float, row), strict=True)) for row in probabilities]
        write_json(options.json, [{"input": name, "probabilities": row} for name, row in zip(names, record)])
    return 0


def _stored(options: argparse.Namespace, saved: Saved) -> np.ndarray:
    """The inputs as the dataset stores its examples."""
    dataset = saved.dataset
    if dataset.vocabulary:
        return encode([tokenize(text) for text in options.input], dataset.vocabulary, dataset.shape[0])
    if dataset.white is None:
        options.parser.error(f"{dataset.name} holds numbers; leave out --input")
    height, width, channels = dataset.shape
    for path in options.input:
        if not Path(path).is_file():
            raise DataError(f"there is no file {path}")
    pictures = np.stack([read_image(Path(path), (height, width), channels) for path in options.input])
    if options.invert:
        pictures = 255 - pictures
    scaled = np.round(pictures.astype(np.float64) * (dataset.white / 255)).astype(np.uint8)
    return scaled.reshape(len(scaled), *dataset.x_test.shape[1:])


def _probabilities(saved: Saved, x: np.ndarray) -> np.ndarray:
    """f[examples, classes]."""
    jax, state = saved.jax, saved.trainer.state
    logits, _ = saved.experiment.model.apply(jax, state.params, state.model_state, x, key=None, train=False)
    return np.asarray(jax.nn.softmax(logits))
