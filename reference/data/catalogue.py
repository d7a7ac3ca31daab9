"""The datasets by name."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from . import characters, cifar, idx, sentences
from .dataset import Dataset, DataUnavailable
from .digits import digits
from .folders import image_folder
from .sources import Source, folders
from .tables import csv_table

__all__ = ["CATALOGUE", "DATASETS", "PREFIXES", "Entry", "found", "load"]


class Entry(NamedTuple):
    """What is known of a dataset before it is read."""

    kind: str
    """images, sentences (tokens and a class) or characters (tokens and the next ones)"""
    summary: str
    load: Callable[..., Dataset]
    """of sentences and characters with `length`, the tokens in one example"""
    source: Source | None = None
    """where it is downloaded from; None: not at all"""
    forms: tuple[str, ...] = ()
    """patterns of names, each of another form in which it can lie in its folder"""


CATALOGUE = {
    "mnist": Entry("images", "handwritten digits, 28x28, 60,000 + 10,000", idx.mnist, idx.MNIST),
    "fashion-mnist": Entry("images", "clothes, 28x28, 60,000 + 10,000", idx.fashion_mnist, idx.FASHION_MNIST),
    "digits": Entry("images", "handwritten digits, 8x8, 1,437 + 360, part of the package", digits),
    "cifar10": Entry(
        "images",
        "colour pictures of ten things, 32x32, 50,000 + 10,000",
        cifar.cifar10,
        cifar.CIFAR10,
        ("cifar-10-python.tar.gz", "cifar-10-batches-*", "test_batch*"),
    ),
    "cifar10-cats-dogs": Entry(
        "images",
        "the first cats and dogs of CIFAR-10, 5,000 + 1,000",
        cifar.cats_dogs,
        forms=("cats_dogs_32x32.npz",),
    ),
    "sentence-polarity": Entry(
        "sentences",
        "sentences of film reviews, positive or negative, 9,596 + 1,066",
        sentences.sentence_polarity,
        sentences.SENTENCE_POLARITY,
    ),
    "imdb": Entry(
        "sentences",
        "film reviews, positive or negative, 25,000 + 25,000",
        sentences.imdb,
        sentences.IMDB,
        ("aclImdb", "train"),
    ),
    "tiny-shakespeare": Entry(
        "characters",
        "plays, 1,115,394 characters, the last tenth to test",
        characters.tiny_shakespeare,
        characters.TINY_SHAKESPEARE,
    ),
}

DATASETS = tuple(CATALOGUE)

PREFIXES = {"csv": csv_table, "images": image_folder, "text": characters.character_text}
"""csv:FILE, images:FOLDER and text:FILE are datasets of one's own"""


def load(name: str, *, length: int | None = None) -> Dataset:
    """The dataset called `name`; "auto" is MNIST, or the embedded digits with one line to say why.

    csv:FILE, images:FOLDER and text:FILE read one's own. `length` is the number of tokens in an example of text,
    where it is not the usual one.

    Raises ValueError for any other name, or a `length` of what is no text; DataUnavailable when the data cannot be
    had, and DataError when a file of it is damaged.
    """
    if name == "auto":
        try:
            return load("mnist", length=length)
        except DataUnavailable as reason:
            print(f"{reason}; using the embedded 8x8 digits instead", file=sys.stderr)
            return load("digits", length=length)
    read, text = _reader(name)
    if length is None:
        return read()
    if not text:
        raise ValueError(f"{name} is no text: leave out the length of {length}")
    return read(length=length)


def _reader(name: str) -> tuple[Callable[..., Dataset], bool]:
    """What reads the dataset, and whether it is of text."""
    prefix, colon, place = name.partition(":")
    if colon and place and prefix in PREFIXES:
        return partial(PREFIXES[prefix], Path(place)), prefix == "text"
    if name not in CATALOGUE:
        own = ", ".join(f"{prefix}:PATH" for prefix in PREFIXES)
        raise ValueError(f"there is no dataset {name!r}; there are: auto, {', '.join(DATASETS)}, and {own}")
    entry = CATALOGUE[name]
    return entry.load, entry.kind != "images"


def found(name: str) -> Path | None:
    """The folder on this machine that holds the dataset called `name`; None where none does."""
    entry = CATALOGUE[name]
    for folder in folders(name):
        whole = entry.source is not None and all((folder / file).is_file() for file in entry.source.files)
        if whole or any(next(folder.glob(form), None) for form in entry.forms):
            return folder
    return None
