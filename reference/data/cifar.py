"""CIFAR-10, in its binary or its Python format, and the cats and dogs of it."""

import io
import lzma
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .dataset import Dataset
from .sources import Source, damaged, download, folders

__all__ = ["CIFAR10", "cats_dogs", "cifar10", "read_arrays", "read_binary_batch", "read_python_batch"]

CIFAR10 = Source(
    "cifar10",
    "CIFAR-10",
    ("https://www.cs.toronto.edu/~kriz/",),
    {"cifar-10-binary.tar.gz": "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"},
)

LABELS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
PARTS = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch")
PIXELS = 3 * 32 * 32

_Batch = tuple[np.ndarray, np.ndarray]


def cifar10() -> Dataset:
    """50,000 colour pictures of ten things to train and 10,000 to test, u8[n, 32, 32, 3] (Krizhevsky, 2009).

    In the folder `cifar10`: the binary or the Python format, unpacked or as the published archive, which is
    downloaded when there is neither.
    """
    for folder in folders(CIFAR10.name):
        if (batches := _batches(folder)) is not None:
            break
    else:
        batches = _batches(download(CIFAR10))
    *train, test = batches
    images = np.concatenate([images for images, _ in train])
    labels = np.concatenate([labels for _, labels in train])
    return Dataset(CIFAR10.name, images, labels, *test, white=255, labels=LABELS)


def _batches(folder: Path) -> list[_Batch] | None:
    """The six batches in whichever form the folder holds them; None where it holds none whole."""
    for form, short, suffix, read in (
        ("binary", "bin", ".bin", read_binary_batch),
        ("python", "py", "", read_python_batch),
    ):
        names = [part + suffix for part in PARTS]
        for place in (folder, folder / f"cifar-10-batches-{short}"):
            if all((place / name).is_file() for name in names):
                return [read((place / name).read_bytes(), place / name) for name in names]
        archive = folder / f"cifar-10-{form}.tar.gz"
        if archive.is_file():
            return _from_archive(archive, names, read)
    return None


def _from_archive(archive: Path, names: list[str], read: Callable[[bytes, Path], _Batch]) -> list[_Batch]:
    found = {}
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                name = member.name.rpartition("/")[2]
                if name in names and (file := tar.extractfile(member)) is not None:
                    found[name] = read(file.read(), archive / name)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise damaged(archive, str(error)) from None
    if missing := [name for name in names if name not in found]:
        raise damaged(archive, f"it lacks {', '.join(missing)}")
    return [found[name] for name in names]


def read_binary_batch(content: bytes, path: Path) -> _Batch:
    """Images u8[n, 32, 32, 3] and labels i32[n] from rows of one label and 3,072 bytes: a plane for each colour."""
    if not content or len(content) % (1 + PIXELS):
        raise damaged(path, f"{len(content)} bytes are no rows of {1 + PIXELS}")
    rows = np.frombuffer(content, np.uint8).reshape(-1, 1 + PIXELS)
    return _checked(rows[:, 1:], rows[:, 0].astype(np.int32), path)


def read_python_batch(content: bytes, path: Path) -> _Batch:
    """The same from a pickled dict of `data`, u8[n, 3072], and `labels`, a list. Nothing in it is executed."""
    value = read_arrays(content, path)
    if not isinstance(value, dict):
        raise damaged(path, f"it holds a {type(value).__name__}, not a dict")
    data, labels = (value.get(name, value.get(name.encode())) for name in ("data", "labels"))
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or not isinstance(labels, list):
        raise damaged(path, "it has no `data` of bytes, or no list of `labels`")
    if data.shape != (len(labels), PIXELS) or not all(isinstance(label, int) for label in labels):
        raise damaged(path, f"data of shape {data.shape} and {len(labels)} labels do not belong together")
    return _checked(data, np.array(labels, np.int32), path)


def _checked(planes: np.ndarray, labels: np.ndarray, path: Path) -> _Batch:
    if len(labels) and not (labels.min() >= 0 and labels.max() < len(LABELS)):
        raise damaged(path, f"its labels go from {labels.min()} to {labels.max()}")
    return np.ascontiguousarray(planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)), labels


class _ArraysOnly(pickle.Unpickler):
    """Unpickles containers, numbers, texts and NumPy arrays.

    A pickle is a program: it may name any function that Python can import, and have it called. This one finds
    three names only, those that an array is pickled with.
    """

    reconstruct: Any = np.empty(0).__reduce__()[0]

    def find_class(self, module: str, name: str) -> Any:
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return self.reconstruct
        if module == "numpy" and name in ("ndarray", "dtype"):
            return getattr(np, name)
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is no part of an array")


def read_arrays(content: bytes, path: Path) -> Any:
    """What a pickle of dicts, lists, numbers, texts and arrays holds; DataError when it wants anything else."""
    try:
        return _ArraysOnly(io.BytesIO(content), encoding="bytes").load()
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise damaged(path, str(error) or type(error).__name__) from None
    except (UnicodeDecodeError, OverflowError, MemoryError) as error:
        raise damaged(path, type(error).__name__) from None


def cats_dogs() -> Dataset:
    """The first 2,500 cats and 2,500 dogs of CIFAR-10 to train, the first 500 of each to test; 0 cat, 1 dog.

    From `cifar10-cats-dogs/cats_dogs_32x32.npz`, or else taken from CIFAR-10 itself.
    """
    name = "cifar10-cats-dogs"
    for folder in folders(name):
        if (path := folder / "cats_dogs_32x32.npz").is_file():
            parts = _read_npz(path)
            break
    else:
        whole = cifar10()
        train = _cats_and_dogs(whole.x_train, whole.y_train, 2500)
        parts = [*train, *_cats_and_dogs(whole.x_test, whole.y_test, 500)]
    return Dataset(name, *parts, white=255, classes=2, labels=("cat", "dog"))


def _cats_and_dogs(images: np.ndarray, labels: np.ndarray, count: int) -> _Batch:
    cat, dog = LABELS.index("cat"), LABELS.index("dog")
    chosen = np.sort(np.concatenate([np.flatnonzero(labels == label)[:count] for label in (cat, dog)]))
    return images[chosen], (labels[chosen] == dog).astype(np.int32)


def _read_npz(path: Path) -> list[np.ndarray]:
    try:
        with open(path, "rb") as file, np.load(file) as arrays:
            found = [arrays[name] for name in ("x_train", "y_train", "x_test", "y_test")]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError) as error:
        raise damaged(path, str(error)) from None
    for images, labels in (found[:2], found[2:]):
        if images.dtype != np.uint8 or images.shape[1:] != (32, 32, 3) or labels.shape != images.shape[:1]:
            raise damaged(path, f"its images are {images.dtype}{images.shape} and their labels {labels.shape}")
    return [array if array.ndim == 4 else array.astype(np.int32) for array in found]
