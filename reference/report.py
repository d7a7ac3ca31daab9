"""How a comparison is told: a table as it goes, a verdict, and a JSON file."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .compare import Comparison, Difference, EpochRow
from .files import write_json
from .recipes import Recipe
from .training import Evaluation

__all__ = ["finite", "first_steps", "recipe_results", "shown", "table_head", "table_row", "verdict", "write_record"]

_GROUPS = (
    ("epoch", ("",)),
    ("training loss", ("{0}", "{1}")),
    ("test {headline}", ("{0}", "{1}")),
    ("loss apart, at most", ("absolute", "relative")),
    ("parameters, at most", ("absolute", "relative")),
    ("seconds", ("{0}", "{1}")),
)
_WIDTHS = (5, 9, 9, 9, 9, 8)


def _line(cells: Sequence[Sequence[str]]) -> str:
    groups = (" ".join(f"{cell:>{width}}" for cell in group) for group, width in zip(cells, _WIDTHS))
    return "  ".join(groups)


def table_head(engines: Sequence[str], headline: str = "accuracy") -> str:
    """Two lines over the columns, and a rule."""
    titles = []
    for (title, columns), width in zip(_GROUPS, _WIDTHS, strict=True):
        title = title.format(headline=headline)
        titles.append(f"{title:>{len(columns) * (width + 1) - 1}}")
    names = _line([[column.format(*engines) for column in columns] for _, columns in _GROUPS])
    return "\n".join(("  ".join(titles), names, "-" * len(names)))


def table_row(row: EpochRow, headline: str = "accuracy") -> str:
    """The figures after an epoch; differences are the largest so far."""

    def scientific(difference: Difference) -> list[str]:
        return [f"{value:.1e}" for value in difference]

    return _line(
        (
            [str(row.epoch + 1)],
            [f"{loss:.5f}" for loss in row.train_loss],
            [shown(headline, evaluation[headline]) for evaluation in row.test],
            scientific(row.loss_difference),
            scientific(row.parameter_difference),
            [f"{seconds:.2f}" for seconds in row.seconds],
        )
    )


def shown(measure: str, value: float) -> str:
    """A measure as people read it: accuracies in percent."""
    return f"{value:.2%}" if "accuracy" in measure else f"{value:.5f}"


def verdict(seen: Comparison) -> str:
    """One sentence: that the engines agree and within what, or where they first disagreed."""
    if not seen.agree:
        return "The engines disagree: " + "; ".join(seen.failures.values()) + "."
    limits = (
        ("loss of every step", seen.tolerance.loss, "relative"),
        ("parameters", seen.tolerance.parameters, "of each leaf's largest entry"),
        ("mean loss of every epoch", seen.tolerance.epoch_loss, ""),
        ("accuracy", seen.tolerance.accuracy, ""),
    )
    held = [f"{what} within {limit:g} {of}".rstrip() for what, limit, of in limits if limit is not None]
    return f"The engines agree over {len(seen.losses[0])} steps: {', '.join(held)}."


def first_steps(seen: Comparison) -> str:
    """One line on the cost of the first step, in which each engine traces and compiles the program."""
    pairs = zip(seen.engines, seen.first_step_seconds, strict=True)
    return "first step, with tracing and compilation: " + ", ".join(f"{name} {s:.2f} s" for name, s in pairs)


def recipe_results(name: str, recipe: Recipe) -> str:
    """Two lines with what the recipe is known to lead to."""
    lines = [f"{name} after {recipe.published.epochs} epochs:"]
    for source, results in (("published", recipe.published), ("real JAX on this data", recipe.measured)):
        lines.append(
            f"  {source}: training loss {results.first_loss:g} in the first epoch, {results.last_loss:g} "
            f"in the last, test accuracy {results.accuracy:.2%}"
        )
    return "\n".join(lines)


def write_record(path: Path, seen: Comparison, settings: dict[str, Any]) -> None:
    """All that was seen, as JSON; null stands for what is not finite."""
    record = {
        "settings": settings,
        "engines": seen.engines,
        "agree": seen.agree,
        "failures": seen.failures,
        "tolerance": seen.tolerance._asdict(),
        "first_step_seconds": dict(zip(seen.engines, seen.first_step_seconds, strict=True)),
        "epochs": [_epoch_record(row, seen.engines) for row in seen.epochs],
        "losses": dict(zip(seen.engines, seen.losses, strict=True)),
        "parameters": [{"step": p.step, "leaf": p.leaf, **p.difference._asdict()} for p in seen.parameters],
    }
    write_json(path, finite(record))


def _epoch_record(row: EpochRow, engines: Sequence[str]) -> dict[str, Any]:
    def by_engine(values: Sequence[float]) -> dict[str, float]:
        return dict(zip(engines, values, strict=True))

    return {
        "epoch": row.epoch + 1,
        "steps": row.steps,
        "train_loss": by_engine(row.train_loss),
        **{f"test_{name}": by_engine([side[name] for side in row.test]) for name in _numbers(row.test[0])},
        "largest_loss_difference": row.loss_difference._asdict(),
        "largest_parameter_difference": row.parameter_difference._asdict(),
        "seconds": by_engine(row.seconds),
    }


def _numbers(evaluation: Evaluation) -> list[str]:
    return [name for name, value in evaluation.items() if isinstance(value, float)]


def finite(value: Any) -> Any:
    """The value as JSON can hold it: None in place of NaN and infinity, at any depth."""
    if isinstance(value, dict):
        return {key: finite(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
