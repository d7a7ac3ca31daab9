"""Where datasets come from: MINIJAX_DATA_DIR, the cache, a public mirror, or the package itself."""

import gzip
import hashlib
import math
import os
import sys
import urllib.request
import zlib
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..batches import permutation
from ..files import atomic
from .dataset import DataError, Dataset, DataUnavailable

__all__ = ["DATASETS", "cache_directory", "load", "read_idx"]

DATASETS = ("mnist", "fashion-mnist", "digits")

SECONDS_PER_MIRROR = 5.0


class _Published(NamedTuple):
    """A dataset in MNIST's format: mirrors, and the SHA-256 of each original file."""

    title: str
    mirrors: tuple[str, ...]
    files: dict[str, str]


_PUBLISHED = {
    "mnist": _Published(
        "MNIST",
        (
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        {
            "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
    ),
    "fashion-mnist": _Published(
        "Fashion-MNIST",
        (
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        ),
        {
            "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        },
    ),
}


def load(name: str) -> Dataset:
    """The dataset called `name`; "auto" is MNIST, or the embedded digits with one line to say why.

    Raises ValueError for any other name, DataUnavailable when the data cannot be had, and DataError
    when a file of it is damaged.
    """
    if name == "digits":
        return _digits()
    if name in _PUBLISHED:
        return _idx_dataset(name)
    if name != "auto":
        raise ValueError(f"there is no dataset {name!r}; there are: auto, {', '.join(DATASETS)}")
    try:
        return _idx_dataset("mnist")
    except DataUnavailable as reason:
        print(f"{reason}; using the embedded 8x8 digits instead", file=sys.stderr)
        return _digits()


def _digits() -> Dataset:
    """The UCI 8x8 digits, 1,437 to train and 360 to test, mixed first as rows are grouped by writer."""
    with gzip.open(Path(__file__).with_name("digits.csv.gz"), "rt", encoding="ascii") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.uint8)
    table = table[permutation(len(table), seed=0)]
    images, labels = table[:, :64].reshape(-1, 8, 8), table[:, 64].astype(np.int32)
    return Dataset("digits", images[:-360], labels[:-360], images[-360:], labels[-360:], white=16)


def _idx_dataset(name: str) -> Dataset:
    folder = _folder(name)
    train_images, train_labels, test_images, test_labels = (read_idx(folder / file) for file in _PUBLISHED[name].files)
    for part, images, labels in (
        ("training", train_images, train_labels),
        ("test", test_images, test_labels),
    ):
        if images.shape[1:] != (28, 28) or labels.shape != images.shape[:1]:
            raise DataError(
                f"{folder} does not hold {_PUBLISHED[name].title}: the {part} images are {images.shape} "
                f"and their labels {labels.shape}, not (n, 28, 28) and (n,)"
            )
    return Dataset(
        name,
        train_images,
        train_labels.astype(np.int32),
        test_images,
        test_labels.astype(np.int32),
        white=255,
    )


def read_idx(path: Path) -> np.ndarray:
    """The array in a gzipped IDX file of bytes, u8[...].

    IDX: two zero bytes, the type (8: bytes), the number of dimensions, the dimensions as big-endian
    u32, the values in row-major order. Raises DataError when the file holds anything else.
    """
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(path, str(error)) from None
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise _damaged(path, f"it begins with {content[:4]!r}, which is no IDX file of bytes")
    values = 4 + 4 * content[3]
    shape = tuple(np.frombuffer(content[4:values], dtype=">u4").tolist())
    if len(shape) != content[3] or len(content) - values != math.prod(shape):
        raise _damaged(path, f"its header promises {shape}, and {len(content) - values} bytes follow")
    return np.frombuffer(content, dtype=np.uint8, offset=values).reshape(shape)


def _damaged(path: Path, what: str) -> DataError:
    return DataError(f"{path} is damaged: {what}; delete it, or put a whole copy in its place")


def cache_directory() -> Path:
    """MINIJAX_CACHE_DIR, or .cache/minijax in the home directory."""
    chosen = os.environ.get("MINIJAX_CACHE_DIR")
    return Path(chosen) if chosen else Path.home() / ".cache" / "minijax"


def _folder(name: str) -> Path:
    """The folder that holds all files of a published dataset, downloaded if need be."""
    given = os.environ.get("MINIJAX_DATA_DIR")
    folders = [Path(given) / name] if given else []
    folders.append(cache_directory() / name)
    files = _PUBLISHED[name].files
    for folder in folders:
        if all((folder / file).is_file() for file in files):
            return folder
    _download(_PUBLISHED[name], folders[-1])
    return folders[-1]


def _download(dataset: _Published, folder: Path) -> None:
    """Fetch the files that `folder` lacks. The first that no mirror has ends it: no network costs little."""
    for file, sha256 in dataset.files.items():
        if not (folder / file).is_file():
            content = _fetch(dataset, file, sha256)
            try:
                with atomic(folder / file) as target:
                    target.write(content)
            except OSError as error:
                raise DataUnavailable(f"{dataset.title} cannot be kept in {folder}: {error}") from None


def _fetch(dataset: _Published, file: str, sha256: str) -> bytes:
    """The content of one file, from the first mirror that has it whole."""
    reasons = []
    for mirror in dataset.mirrors:
        try:
            with urllib.request.urlopen(mirror + file, timeout=SECONDS_PER_MIRROR) as response:
                print(f"downloading {mirror}{file}", file=sys.stderr)
                content = response.read()
        except (OSError, HTTPException) as error:
            reasons.append(f"{mirror}: {getattr(error, 'reason', error)}")
            continue
        if hashlib.sha256(content).hexdigest() == sha256:
            return content
        reasons.append(f"{mirror}: {file} has the wrong SHA-256")
    raise DataUnavailable(
        f"{dataset.title} is neither under MINIJAX_DATA_DIR nor under {cache_directory()}, and no mirror "
        f"has it ({'; '.join(reasons)})"
    )
