"""Pictures: of a comparison (losses on top of each other, how far apart they are, accuracy), and of a history."""

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from .compare import Comparison
from .files import atomic
from .training import History

matplotlib.use("Agg")  # before pyplot chooses a window system, which a server does not have

from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.ticker import (  # noqa: E402
    FormatStrFormatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    PercentFormatter,
)

__all__ = ["draw", "draw_history"]

OURS, THEIRS, SECOND = "#b5300f", "#8fbce6", "#3a7d44"
MOST_POINTS = 150  # more, and the line on top hides the one below

Axes = Any


STYLE = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e8e8e8",
    "axes.axisbelow": True,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
}


def draw(path: Path, seen: Comparison, title: str) -> None:
    """Write the picture of a comparison as PNG."""
    with plt.rc_context(STYLE):
        figure, (left, middle, right) = plt.subplots(1, 3, figsize=(14, 4.8), width_ratios=(5, 5, 3.5))
        heading = f"One program, two engines: {seen.engines[0]} and {seen.engines[1]}"
        figure.text(0.01, 0.985, heading, va="top", fontsize=14, fontweight="bold")
        figure.text(0.01, 0.915, title, va="top", fontsize=10, color="#555555")
        _draw_losses(left, seen)
        _draw_differences(middle, seen)
        _draw_headline(right, seen)
        figure.tight_layout(rect=(0, 0, 1, 0.90))
        with atomic(path) as file:
            figure.savefig(file, format="png", dpi=150)
        plt.close(figure)


def _block(values: list[float]) -> int:
    """How many steps one point stands for."""
    return -(-len(values) // MOST_POINTS)


def _thinned(values: list[float], reduce: Callable) -> tuple[np.ndarray, np.ndarray]:
    """Step numbers and values, each block of steps reduced to one point."""
    block = _block(values)
    starts = np.arange(0, len(values), block)
    return starts + 1, np.array([reduce(values[i : i + block]) for i in starts])


def _draw_losses(axes: Axes, seen: Comparison) -> None:
    """The second engine as a broad line, the first as a thin one on top: agreement is a line with a core."""
    ours, theirs = seen.engines
    block = _block(seen.losses[0])
    axes.set_title("training loss" + (f", mean of {block} steps" if block > 1 else ""))
    axes.plot(*_thinned(seen.losses[1], np.mean), color=THEIRS, linewidth=4, label=theirs)
    axes.plot(*_thinned(seen.losses[0], np.mean), color=OURS, linewidth=1, label=ours)
    axes.set_xlabel("step")
    _logarithmic_if_wide(axes, seen.losses[1])
    axes.legend(frameon=False)


def _logarithmic_if_wide(axes: Axes, values: list[float]) -> None:
    """A logarithmic axis with plain numbers 1, 2, 5 and so on, once the values span a factor of ten."""
    if 0 < 10 * min(values) < max(values):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FormatStrFormatter("%g"))
        axes.yaxis.set_minor_formatter(NullFormatter())


def _draw_differences(axes: Axes, seen: Comparison) -> None:
    """Relative differences on a logarithmic axis, where a line breaks off at zero, and what is allowed."""
    axes.set_title("largest relative difference")
    steps, losses = _thinned([d.relative for d in seen.loss_differences()], np.max)
    # dots, as between two zeros there is no line
    axes.plot(steps, _positive(losses), color=OURS, linewidth=1, marker=".", markersize=2.5, label="loss")
    checked = [p.step for p in seen.parameters]
    parameters = np.array([p.difference.relative for p in seen.parameters])
    axes.plot(checked, _positive(parameters), color=SECOND, linewidth=1.6, label="parameters")
    for limit, color, what in ((seen.tolerance.loss, OURS, "loss"), (seen.tolerance.parameters, SECOND, "parameters")):
        if limit is not None:
            axes.axhline(limit, color=color, linestyle="--", linewidth=1)
            axes.text(
                0.995,
                limit,
                f"allowed for {what}",
                color=color,
                fontsize=8,
                ha="right",
                va="bottom",
                transform=axes.get_yaxis_transform(),
            )
    axes.set_yscale("log")
    axes.set_xlabel("step")
    axes.legend(frameon=False, ncols=2)


def _positive(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, values, np.nan)


def _draw_headline(axes: Axes, seen: Comparison) -> None:
    ours, theirs = seen.engines
    epochs = [row.epoch + 1 for row in seen.epochs]
    for i, style in (
        (1, {"color": THEIRS, "linewidth": 4, "markersize": 11, "label": theirs}),
        (0, {"color": OURS, "linewidth": 1, "markersize": 5, "label": ours}),
    ):
        axes.plot(epochs, [row.test[i][seen.headline] for row in seen.epochs], marker="o", **style)
    axes.set_title(f"test {seen.headline} after each epoch")
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if "accuracy" in seen.headline:
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    axes.margins(x=0.12, y=0.15)
    axes.legend(frameon=False, loc="lower right")


def draw_history(path: Path, history: History, title: str) -> None:
    """Write the curves of a training as PNG: each measure of training and, where it was taken, of evaluation."""
    measures = [n for n in history.names() if f"val_{n}" in history.names()] or ["loss"]
    changing = "learning_rate" in history.names() and len(set(history.column("learning_rate"))) > 1
    extra = ["learning_rate"] if changing else []
    with plt.rc_context(STYLE):
        panels = measures + extra
        figure, all_axes = plt.subplots(1, len(panels), figsize=(4.7 * len(panels), 4.2), squeeze=False)
        lines = textwrap.wrap(title, 65 * len(panels))
        figure.text(0.01, 0.98, "\n".join(lines), va="top", fontsize=9, fontweight="bold")
        for axes, name in zip(all_axes[0], panels, strict=True):
            _draw_measure(axes, history, name)
        figure.tight_layout(rect=(0, 0, 1, 0.97 - 0.04 * len(lines)))
        with atomic(path) as file:
            figure.savefig(file, format="png", dpi=150)
        plt.close(figure)


def _draw_measure(axes: Axes, history: History, name: str) -> None:
    epochs = history.column("epoch")
    axes.plot(epochs, history.column(name), color=THEIRS, linewidth=3, marker="o", markersize=5, label="training")
    if f"val_{name}" in history.names():
        values = history.column(f"val_{name}")
        axes.plot(epochs, values, color=OURS, linewidth=1.5, marker="o", markersize=4, label="evaluation")
        axes.legend(frameon=False)
    if "accuracy" in name:
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title(name.replace("_", " "))
    axes.set_xlabel("epoch")
