"""Texts with a positive or a negative opinion: sentence polarity, and the reviews of IMDB."""

import re
import tarfile
import zlib
from pathlib import Path

import numpy as np

from .dataset import Dataset, split
from .sources import Source, damaged, download, folder_of, folders
from .words import build_vocabulary, encode, tokenize

__all__ = ["IMDB", "SENTENCE_POLARITY", "imdb", "sentence_polarity"]

SENTENCE_POLARITY = Source(
    "sentence-polarity",
    "the sentence polarity dataset",
    ("https://raw.githubusercontent.com/dennybritz/cnn-text-classification-tf/master/data/rt-polaritydata/",),
    {
        "rt-polarity.neg": "2d11cfbc790f1cd96d78339f41ce53ced1efa83cd22d37d6788fa3fe3d17e2fd",
        "rt-polarity.pos": "4134882974a28d0c7b5151256f0e33a6169984ee7372c279e673f1114f475d58",
    },
)

IMDB = Source(
    "imdb",
    "IMDB",
    ("https://ai.stanford.edu/~amaas/data/sentiment/",),
    {"aclImdb_v1.tar.gz": "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe"},
)

OPINIONS = ("negative", "positive")

_Texts = tuple[list[str], np.ndarray]


def sentence_polarity(*, length: int = 64, words: int = 20_000) -> Dataset:
    """Sentences from film reviews, half of them positive: 9,596 to train and 1,066 to test (Pang and Lee, 2005).

    x: tokens i32[n, length] of a vocabulary of at most `words`. The files give no split: it is drawn here, and
    always the same.
    """
    folder = folder_of(SENTENCE_POLARITY)
    texts, labels = [], []
    for label, file in enumerate(SENTENCE_POLARITY.files):
        lines = [line for line in _read(folder / file).split("\n") if line.strip()]
        texts += lines
        labels += [label] * len(lines)
    if len(set(labels)) < 2:
        raise damaged(folder, "one of its two files is empty")
    train, test = split(len(texts), 0.1)
    classes = np.array(labels, np.int32)
    parts = [([texts[i] for i in part.tolist()], classes[part]) for part in (train, test)]
    return _dataset(SENTENCE_POLARITY.name, *parts, length=length, words=words)


def imdb(*, length: int = 256, words: int = 20_000) -> Dataset:
    """Whole film reviews: 25,000 to train and 25,000 to test, half of each positive (Maas et al., 2011).

    x: tokens i32[n, length], the last ones of a longer review. The folder `imdb` holds the published archive,
    which is downloaded if need be, or what it unpacks to (`aclImdb`).
    """
    for folder in folders(IMDB.name):
        for root in (folder / "aclImdb", folder):
            if (root / "train" / "pos").is_dir():
                return _dataset(IMDB.name, *_unpacked(root), length=length, words=words)
        if (archive := folder / "aclImdb_v1.tar.gz").is_file():
            break
    else:
        archive = download(IMDB) / "aclImdb_v1.tar.gz"
    return _dataset(IMDB.name, *_packed(archive), length=length, words=words)


def _dataset(name: str, train: _Texts, test: _Texts, *, length: int, words: int) -> Dataset:
    tokens = [[tokenize(text) for text in texts] for texts, _ in (train, test)]
    vocabulary = build_vocabulary(tokens[0], size=words)
    x_train, x_test = (encode(part, vocabulary, length) for part in tokens)
    return Dataset(name, x_train, train[1], x_test, test[1], classes=2, labels=OPINIONS, vocabulary=vocabulary)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise damaged(path, str(error)) from None


def _unpacked(root: Path) -> tuple[_Texts, _Texts]:
    files = {path.relative_to(root).as_posix(): path for path in root.glob("t*/*/*.txt")}
    return _reviews({name: _read(path) for name, path in files.items() if _review(name)}, root)


def _packed(archive: Path) -> tuple[_Texts, _Texts]:
    """Read in the order of the archive, which is compressed as one piece."""
    found = {}
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                name = member.name.partition("/")[2]
                if _review(name) and (file := tar.extractfile(member)) is not None:
                    found[name] = file.read().decode()
    except (tarfile.TarError, OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise damaged(archive, str(error)) from None
    return _reviews(found, archive)


def _review(name: str) -> re.Match | None:
    """Part, opinion, number and rating in a name such as train/pos/123_8.txt; None for any other file."""
    return re.fullmatch(r"(train|test)/(neg|pos)/(\d+)_(\d+)\.txt", name)


def _reviews(texts: dict[str, str], path: Path) -> tuple[_Texts, _Texts]:
    """Both parts, the negative reviews first, each kind in the order of its numbers."""
    parts = []
    for part in ("train", "test"):
        chosen = []
        for label, opinion in enumerate(("neg", "pos")):
            found = [match for name in texts if (match := _review(name)) and match[1] == part and match[2] == opinion]
            if not found:
                raise damaged(path, f"it has no reviews {part}/{opinion}")
            chosen += [(label, texts[match[0]]) for match in sorted(found, key=lambda match: int(match[3]))]
        parts.append(([text for _, text in chosen], np.array([label for label, _ in chosen], np.int32)))
    return parts[0], parts[1]
