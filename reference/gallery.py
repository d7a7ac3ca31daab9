"""Images side by side in one picture."""

import math
from pathlib import Path

import numpy as np
from matplotlib import image

from .files import atomic

__all__ = ["draw", "tiled"]

SIDE = 112  # pixels that a small image is enlarged to, or a little less


def tiled(images: np.ndarray) -> np.ndarray:
    """One image f32[height, width, 3] of images f[count, h, w, 1 or 3] in about as many rows as columns.

    They keep their values; between them are white lines, and pixels of small ones are repeated.
    """
    count, height, width, channels = images.shape
    columns = math.ceil(math.sqrt(count))
    zoom = max(1, SIDE // max(height, width))
    large = np.repeat(np.repeat(images, zoom, axis=1), zoom, axis=2)
    cell = (zoom * height + 2, zoom * width + 2)
    sheet = np.ones((-(-count // columns) * cell[0] + 2, columns * cell[1] + 2, channels), np.float32)
    for i, one in enumerate(large):
        top, left = (place * size + 2 for place, size in zip(divmod(i, columns), cell, strict=True))
        sheet[top : top + zoom * height, left : left + zoom * width] = one
    return np.broadcast_to(sheet, (*sheet.shape[:2], 3))


def draw(path: Path, images: np.ndarray) -> None:
    """Write images f[count, h, w, 1 or 3] between 0 and 1 as one PNG."""
    with atomic(path) as file:
        image.imsave(file, np.clip(tiled(images), 0, 1), format="png")
