"""Pictures in folders, one folder for each class."""

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from .dataset import DataError, Dataset, split
from .sources import damaged

__all__ = ["image_folder", "read_image"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".tif", ".tiff")

_Files = list[tuple[Path, int]]


def image_folder(
    path: Path, *, size: tuple[int, int] = (32, 32), channels: int = 3, test_share: float = 0.2, seed: int = 0
) -> Dataset:
    """Pictures as u8[n, height, width, channels] with the names of their folders as classes.

    `path` holds a folder for each class, or the folders `train` and `test` that do; without the latter a share of
    the pictures is drawn to test. Each is brought to `size`, (height, width), and to `channels`: 1 grey, 3 colours.
    """
    if not path.is_dir():
        raise DataError(f"there is no folder {path}")
    if channels not in (1, 3):
        raise ValueError(f"pictures have 1 channel (grey) or 3 (colours), not {channels}")
    parted = (path / "train").is_dir() and (path / "test").is_dir()
    labels = _classes(path / "train" if parted else path)
    if parted:
        train, test = (_files(path / part, labels) for part in ("train", "test"))
    else:
        files = _files(path, labels)
        train, test = ([files[i] for i in part.tolist()] for part in split(len(files), test_share, seed=seed))
    parts = [array for files in (train, test) for array in _read(files, size, channels)]
    return Dataset(path.name, *parts, white=255, classes=len(labels), labels=labels)


def _classes(path: Path) -> tuple[str, ...]:
    labels = tuple(sorted(folder.name for folder in path.iterdir() if folder.is_dir()))
    if len(labels) < 2:
        raise DataError(f"{path} holds {len(labels)} folders; it takes one for each class, so at least two")
    return labels


def _files(path: Path, labels: tuple[str, ...]) -> _Files:
    """All pictures below `path` with their classes, in the order of their names."""
    if strange := sorted(folder.name for folder in path.iterdir() if folder.is_dir() and folder.name not in labels):
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
        with Image.open(path) as picture:
            if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
                seen = picture.convert("RGBA")
                picture = Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen)
            picture = picture.convert("L" if channels == 1 else "RGB")
            picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise damaged(path, str(error)) from None
    return np.asarray(picture).reshape(height, width, channels)
