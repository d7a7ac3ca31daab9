"""Pictures in folders, one folder for each class."""

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from .dataset import DataError, Dataset, split
from .sources import damaged

__all__ = ["image_folder", "read_image"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".tif", ".tiff")

TEST_FOLDERS = ("test", "val", "validation")
"""what the folder beside `train` may be called; the first that is there"""

_Files = list[tuple[Path, int]]


def image_folder(
    path: Path, *, size: tuple[int, int] = (32, 32), channels: int = 3, test_share: float = 0.2, seed: int = 0
) -> Dataset:
    """Pictures as u8[n, height, width, channels] with the names of their folders as classes.

    `path` holds a folder for each class, or the folders `train` and `test` (or `val`) that do; without the latter a
    share of the pictures is drawn to test. Each is brought to `size`, (height, width), and to `channels`: 1 grey, 3
    colours. Folders whose names begin with a dot are left out; one without pictures to train on raises DataError.
    """
    if not path.is_dir():
        raise DataError(f"there is no folder {path}")
    if channels not in (1, 3):
        raise ValueError(f"pictures have 1 channel (grey) or 3 (colours), not {channels}")
    held = next((path / name for name in TEST_FOLDERS if (path / name).is_dir()), None)
    parted = held is not None and (path / "train").is_dir()
    root = path / "train" if parted else path
    labels = _classes(root)
    files = _files(root, labels)
    if empty := set(range(len(labels))) - {label for _, label in files}:
        raise DataError(f"{root / labels[min(empty)]} holds no pictures, so that nothing can be learnt of its class")
    if parted:
        train, test = files, _files(held, labels)
    else:
        train, test = ([files[i] for i in part.tolist()] for part in split(len(files), test_share, seed=seed))
    parts = [array for files in (train, test) for array in _read(files, size, channels)]
    return Dataset(path.resolve().name, *parts, white=255, classes=len(labels), labels=labels)


def _classes(path: Path) -> tuple[str, ...]:
    labels = tuple(_folders(path))
    if len(labels) < 2:
        raise DataError(f"{path} holds {len(labels)} folders; it takes one for each class, so at least two")
    return labels


def _folders(path: Path) -> list[str]:
    """The names of the folders in `path`, but for those that programs hide there."""
    return sorted(folder.name for folder in path.iterdir() if folder.is_dir() and not folder.name.startswith("."))


def _files(path: Path, labels: tuple[str, ...]) -> _Files:
    """All pictures below `path` with their classes, in the order of their names."""
    if strange := [name for name in _folders(path) if name not in labels]:
        raise DataError(f"{path / strange[0]} is a class that is not in the training set: {', '.join(labels)}")
    files = [
        (file, label)
        for label, name in enumerate(labels)
        for file in sorted((path / name).rglob("*"))
        if file.suffix.lower() in SUFFIXES
    ]
    if not files:
        raise DataError(f"{path} holds no pictures; what counts is {', '.join(SUFFIXES)}")
    return files


def _read(files: _Files, size: tuple[int, int], channels: int) -> tuple[np.ndarray, np.ndarray]:
    images = np.stack([read_image(path, size, channels) for path, _ in files])
    return images, np.array([label for _, label in files], np.int32)


def read_image(path: Path, size: tuple[int, int], channels: int) -> np.ndarray:
    """One picture, u8[height, width, channels]; a transparent one is laid on white. DataError when it is damaged."""
    height, width = size
    try:
        with Image.open(path) as opened:
            picture = _bytes(opened, path)
            if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
                seen = picture.convert("RGBA")
                picture = Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen)
            picture = picture.convert("L" if channels == 1 else "RGB")
            picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise damaged(path, str(error)) from None
    return np.asarray(picture).reshape(height, width, channels)


def _bytes(picture: Image.Image, path: Path) -> Image.Image:
    """A picture of 16 bits as one of 8: `convert` would make white of all that is brighter than 255."""
    if not picture.mode.startswith(("I", "F")):
        return picture
    values = np.asarray(picture)
    if values.dtype.kind == "f" or values.min() < 0 or values.max() > 65535:
        raise DataError(f"{path} has pixels of {values.dtype} without a known white; save it with 8 or 16 bits")
    return Image.fromarray((values // 257).astype(np.uint8))
