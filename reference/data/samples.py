"""A look at examples of a dataset: a picture of images, a text of everything else."""

from pathlib import Path

import matplotlib
import numpy as np

from ..engines import Engine
from ..files import atomic
from .augmentation import Augmentation
from .characters import decode_characters
from .dataset import Dataset
from .words import decode, lengths

matplotlib.use("Agg")  # before pyplot chooses a window system, which a server does not have

from matplotlib import pyplot as plt  # noqa: E402

__all__ = ["draw", "text"]

COLUMNS = 8


def draw(
    path: Path, dataset: Dataset, chosen: np.ndarray, *, augmented: tuple[Engine, Augmentation] | None = None
) -> None:
    """Write the chosen training images as PNG, each with its class; below each, if wanted, what an epoch may see."""
    images = dataset.inputs(dataset.x_train[chosen])
    kinds = [images]
    if augmented is not None:
        jax, augmentation = augmented
        kinds += [np.asarray(augmentation(jax, jax.random.key(seed), images)) for seed in range(3)]
    columns = min(COLUMNS, len(chosen))
    lines = -(-len(chosen) // columns)
    figure, axes = plt.subplots(
        lines * len(kinds), columns, figsize=(1.3 * columns, 1.55 * lines * len(kinds)), squeeze=False
    )
    for axis in axes.flat:
        axis.axis("off")
    for number, label in enumerate(dataset.y_train[chosen].tolist()):
        line, column = divmod(number, columns)
        for kind, shown in enumerate(kinds):
            axis = axes[line * len(kinds) + kind, column]
            axis.imshow(np.clip(shown[number], 0, 1), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
            if kind == 0:
                axis.set_title(dataset.labels[label] if dataset.labels else str(label), fontsize=9)
    figure.tight_layout(pad=0.4)
    with atomic(path) as file:
        figure.savefig(file, format="png", dpi=110)
    plt.close(figure)


def text(dataset: Dataset, chosen: np.ndarray) -> str:
    """The chosen training examples, one after the other."""
    return "\n".join(_example(dataset, x, y) for x, y in zip(dataset.x_train[chosen], dataset.y_train[chosen]))


def _example(dataset: Dataset, x: np.ndarray, y: np.ndarray) -> str:
    if not dataset.vocabulary:
        return f"y = {_class(dataset, y)}, x = {np.array2string(x, precision=3, max_line_width=110, threshold=20)}"
    if y.ndim == 0:
        return f"{_class(dataset, y)}, {lengths(x[None])[0]} tokens: {decode(x, dataset.vocabulary)}"
    following = decode_characters(y[-1:], dataset.vocabulary)
    return f"{decode_characters(x, dataset.vocabulary)!r}, then {following!r}"


def _class(dataset: Dataset, y: np.ndarray) -> str:
    return dataset.labels[int(y)] if dataset.labels else f"{y:g}"
