"""`data`: which datasets there are, get one, look at one."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from ..batches import permutation
from ..data import CATALOGUE, Dataset, found, load
from ..data.augmentation import AUGMENTATIONS
from ..engines import ENGINES, engine
from .parsing import add_command, count, make_folder, seed

__all__ = ["add_parser"]

DATA_HELP = """\
`data list` says which datasets there are and which of them are on this machine, `data
fetch` gets one, and `data show` draws some of its training images, or prints some of
its texts or rows."""

DATA_EXAMPLES = """examples:
  python -m reference data list
  python -m reference data fetch fashion-mnist
  python -m reference data show fashion-mnist
  python -m reference data show cifar10-cats-dogs --augment flip+crop --count 8
  python -m reference data show tiny-shakespeare --length 200 --count 3
  python -m reference data show csv:measurements.csv
  python -m reference data show images:holiday

A dataset is looked for under $MINIJAX_DATA_DIR/NAME, then in the cache directory
($MINIJAX_CACHE_DIR or ~/.cache/minijax), then downloaded into it and verified.
csv:FILE is a table with one example in a row and the answer in the last column,
images:FOLDER has a folder of pictures for each class, text:FILE is any text.

"""

EXIT_CODES = """exit status:
  0  done
  2  wrong use, or data that is missing or damaged
"""


def add_parser(commands: Any) -> None:
    """Its options."""
    parser = add_command(commands, "data", _run, "list, fetch and show datasets", DATA_HELP, DATA_EXAMPLES, EXIT_CODES)
    add = parser.add_argument
    add("action", choices=list(_ACTIONS), metavar="ACTION", help="%(choices)s")
    add("name", nargs="?", metavar="NAME", help=f"{', '.join(CATALOGUE)}; csv:FILE, images:FOLDER or text:FILE")
    add("--count", type=count, metavar="N", help="how many examples are shown (default: 40 images, 8 texts)")
    add("--length", type=count, metavar="N", help="tokens in an example of text")
    add("--seed", type=seed, default=0, metavar="N", help="which examples are shown (default: 0)")
    add(
        "--augment",
        choices=list(AUGMENTATIONS),
        metavar="NAME",
        help="three images below each that are made of it at random: %(choices)s",
    )
    add("--engine", choices=list(ENGINES), default="minijax", metavar="NAME", help="what changes them: %(choices)s")
    add("--out", type=Path, default=Path("runs"), metavar="DIR", help="where the picture goes (default: runs)")


def _run(options: argparse.Namespace) -> int:
    if options.action != "list" and options.name is None:
        options.parser.error(f"data {options.action} needs the NAME of a dataset; there are: {', '.join(CATALOGUE)}")
    return _ACTIONS[options.action](options)


def _list(options: argparse.Namespace) -> int:
    for name, entry in CATALOGUE.items():
        print(f"{name:18} {entry.kind:11} {entry.summary}\n{'':30} {_place(name)}")
    return 0


def _place(name: str) -> str:
    source = CATALOGUE[name].source
    if name == "digits":
        return "part of the package"
    if (folder := found(name)) is not None:
        return f"in {folder}"
    return "not on this machine" + (f"; to be had from {source.mirrors[0]}" if source else "; taken from CIFAR-10")


def _fetch(options: argparse.Namespace) -> int:
    dataset = _load(options)
    print(f"{options.name}: {_sizes(dataset)}")
    if options.name in CATALOGUE:
        print(_place(options.name))
    return 0


def _load(options: argparse.Namespace) -> Dataset:
    try:
        return load(options.name, length=options.length)
    except ValueError as error:
        options.parser.error(str(error))


def _sizes(dataset: Dataset) -> str:
    shape = " x ".join(map(str, dataset.shape))
    kind = "images" if dataset.white is not None else "tokens" if dataset.vocabulary else "numbers"
    classes = f", {dataset.classes} classes" if dataset.y_train.ndim == 1 and dataset.classes else ""
    words = f", a vocabulary of {len(dataset.vocabulary):,}" if dataset.vocabulary else ""
    return f"{len(dataset.x_train):,} + {len(dataset.x_test):,} examples, {kind} {shape}{classes}{words}"


def _show(options: argparse.Namespace) -> int:
    from ..data import samples  # matplotlib takes half a second to import

    dataset = _load(options)
    images = dataset.white is not None
    if options.augment and not images:
        options.parser.error(f"--augment changes images, and {dataset.name} holds none")
    wanted = options.count or (40 if images else 8)
    chosen = permutation(len(dataset.x_train), options.seed)[:wanted]
    print(f"{dataset.name}: {_sizes(dataset)}")
    _print_classes(dataset)
    if not images:
        print(samples.text(dataset, chosen))
        return 0
    make_folder(options, "--out", options.out)
    path = options.out / f"data-{dataset.name}{'-' + options.augment if options.augment else ''}.png"
    changed = (engine(options.engine), AUGMENTATIONS[options.augment]) if options.augment else None
    samples.draw(path, dataset, chosen, augmented=changed)
    print(f"wrote {path}")
    return 0


def _print_classes(dataset: Dataset) -> None:
    """How many training examples each class has."""
    if dataset.y_train.ndim == 1 and dataset.classes:
        counts = np.bincount(dataset.y_train, minlength=dataset.classes).tolist()
        names = dataset.labels or tuple(map(str, range(dataset.classes)))
        print("classes: " + ", ".join(f"{name} {number:,}" for name, number in zip(names, counts)))


_ACTIONS = {"list": _list, "fetch": _fetch, "show": _show}
