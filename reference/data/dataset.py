"""What a dataset is: its examples as they are stored, and how they become what a model takes."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..batches import permutation

__all__ = ["DataError", "DataUnavailable", "Dataset", "holdout", "split"]


class DataError(RuntimeError):
    """A dataset that cannot be used: a damaged file, or one that holds something else."""


class DataUnavailable(DataError):
    """A dataset that is neither on this machine nor to be had from a mirror."""


class Dataset(NamedTuple):
    """Examples as they are stored, to train and to test.

    x: images u8[examples, height, width] or u8[examples, height, width, channels], tokens
    i32[examples, length], or numbers f32[examples, features]. y: classes i32[examples], the next tokens
    i32[examples, length], or numbers f32[examples].
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    white: int | None = None
    """the value of a white pixel; None where x are no images"""
    classes: int = 10
    """how many classes, or distinct tokens where y are tokens; 0 where y are numbers"""
    labels: tuple[str, ...] = ()
    """the name of each class; empty: its number"""
    vocabulary: Sequence[str] = ()
    """the word or character of each token; empty where x are no tokens"""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one input: (height, width, channels), (length,) or (features,)."""
        stored = self.x_train.shape[1:]
        return (*stored, 1) if self.white is not None and len(stored) == 2 else stored

    @property
    def features(self) -> int:
        """Numbers in one input: pixels times channels, tokens, or columns."""
        return math.prod(self.shape)

    def inputs(self, x: np.ndarray, dtype: type = np.float32) -> np.ndarray:
        """What a model takes: images f[batch, height, width, channels] in 0..1, tokens as they are, numbers f[...]."""
        if self.vocabulary:
            return x
        if self.white is None:
            return x.astype(dtype)
        return x.reshape(len(x), *self.shape).astype(dtype) / dtype(self.white)


def split(examples: int, share: float, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two parts of `examples` things in random order, as indices i64[...]; the second holds `share` of them.

    Both have at least one, or ValueError is raised.
    """
    second = round(examples * share)
    if not 0 < second < examples:
        raise ValueError(f"a share of {share:g} of {examples} examples leaves one of the two parts empty")
    order = permutation(examples, seed)
    return order[:-second], order[-second:]


def holdout(dataset: Dataset, share: float, *, seed: int = 0) -> Dataset:
    """The dataset with a share of its training examples in the place of the test set.

    Settings are chosen on this one, so that the real test set stays unseen until the end.
    """
    train, held = split(len(dataset.x_train), share, seed=seed)
    x, y = dataset.x_train, dataset.y_train
    return dataset._replace(x_train=x[train], y_train=y[train], x_test=x[held], y_test=y[held])
