"""The 8x8 digits that are part of the package."""

import gzip
from pathlib import Path

import numpy as np

from .dataset import Dataset, split

__all__ = ["digits"]


def digits() -> Dataset:
    """The UCI 8x8 digits, 1,437 to train and 360 to test, mixed first as rows are grouped by writer."""
    with gzip.open(Path(__file__).with_name("digits.csv.gz"), "rt", encoding="ascii") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.uint8)
    images, labels = table[:, :64].reshape(-1, 8, 8), table[:, 64].astype(np.int32)
    train, test = split(len(table), 360 / len(table))
    return Dataset("digits", images[train], labels[train], images[test], labels[test], white=16)
