"""The ratios as bars: how long minijax takes as a multiple of each of the others."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib

from ..files import atomic
from .measuring import Ratio

matplotlib.use("Agg")  # before pyplot chooses a window system, which a server does not have

from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.lines import Line2D  # noqa: E402
from matplotlib.patches import Patch  # noqa: E402

__all__ = ["draw"]

COLOURS = {
    "jax.jit": "#3b6fb6",
    "jax": "#8fbce6",
    "numpy": "#3a7d44",
    "torch": "#b5300f",
    "autograd": "#d9a441",
}
BUDGET = "#777777"  # what is held against an allowance, not a contestant
NAMES = {"jax": "jax, op by op", "numpy": "numpy, plain"}


def draw(path: Path, ratios: Sequence[Ratio], conditions: str) -> None:
    """Write the chart as PNG; `conditions` says how it was measured."""
    rows, places = [], []
    place, last = 0.0, None
    for one in ratios:
        place += 1.0 if one.benchmark == last else 1.7
        last = one.benchmark
        rows.append(one)
        places.append(place)
    style = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True}
    with plt.rc_context(style):
        figure, axes = plt.subplots(figsize=(10, 1.8 + 0.17 * place))
        for place, one in zip(places, rows, strict=True):
            _bar(axes, place, one)
        axes.axvline(1.0, color="black", linewidth=1)
        axes.set_xscale("log")
        left, right = axes.get_xlim()
        axes.set_xlim(left / 1.5, right * 1.5)  # room for the numbers
        axes.xaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda x, _: f"{x:g}"))
        axes.grid(axis="x", color="#e8e8e8")
        axes.set_ylim(max(places) + 1, min(places) - 1)
        _label(axes, rows, places)
        axes.set_xlabel("minijax's time (or memory) as a multiple of theirs: left of 1 minijax needs less")
        _legend(axes, rows)
        figure.text(0.01, 0.995, "minijax against the others", va="top", fontsize=13, fontweight="bold")
        height = figure.get_size_inches()[1]
        figure.text(0.01, 1 - 0.33 / height, conditions, va="top", fontsize=8, color="#555555")
        figure.tight_layout(rect=(0, 0, 1, 1 - 0.55 / height))
        with atomic(path) as file:
            figure.savefig(file, format="png", dpi=130)
        plt.close(figure)


def _bar(axes: plt.Axes, place: float, one: Ratio) -> None:
    """From 1 to the ratio, with its quartiles, its number and its target."""
    colour = COLOURS.get(one.theirs, BUDGET)
    axes.barh(place, one.median - 1, left=1, height=0.8, color=colour)
    axes.plot([one.lower, one.upper], [place, place], color="black", linewidth=1)
    if one.target is not None:
        axes.plot([one.target] * 2, [place - 0.45, place + 0.45], color="black", linewidth=2.5)
    if one.median < 1:
        edge, side = min(one.lower, one.median, one.target or one.median), "right"
    else:
        edge, side = max(one.upper, one.median, one.target or one.median), "left"
    text = f" {one.median:.2g} " if one.median < 100 else f" {one.median:.0f} "
    weight = "normal" if one.passed else "bold"
    axes.text(edge, place, text, va="center", ha=side, fontsize=7.5, fontweight=weight)


def _label(axes: plt.Axes, rows: Sequence[Ratio], places: Sequence[float]) -> None:
    """Each benchmark's name once, beside the middle of its bars."""
    groups: dict[str, list[float]] = {}
    for one, place in zip(rows, places, strict=True):
        groups.setdefault(one.benchmark, []).append(place)
    axes.set_yticks([sum(group) / len(group) for group in groups.values()], list(groups))
    axes.tick_params(axis="y", length=0)


def _legend(axes: plt.Axes, rows: Sequence[Ratio]) -> None:
    there = {one.theirs for one in rows}
    handles = [Patch(color=colour, label=NAMES.get(name, name)) for name, colour in COLOURS.items() if name in there]
    if there - set(COLOURS):
        handles.append(Patch(color=BUDGET, label="an allowance"))
    handles.append(Line2D([], [], color="black", linewidth=2.5, label="target: at most (bold where missed)"))
    axes.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.4, -0.9 / axes.figure.get_size_inches()[1]),
        ncols=4,
        frameon=False,
    )
