"""What a training has come to, epoch by epoch."""

import csv
import io
import math
from collections.abc import Iterator
from pathlib import Path

from ..files import atomic

__all__ = ["History", "Row", "higher_is_better"]

Row = dict[str, float]


def higher_is_better(measure: str) -> bool:
    """Whether a measure of this name is to grow; anything not known for that, as a loss, is to fall."""
    return any(word in measure for word in ("accuracy", "precision", "recall", "f1", "similarity"))


class History:
    """A row for each epoch: "epoch" from 1 on, "step", the measures of training, and as "val_..." those of evaluation.

    The measures of training are means over the batches, each taken before its update.
    """

    def __init__(self, rows: list[Row] | None = None) -> None:
        self.rows = rows or []

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __getitem__(self, which: int) -> Row:
        return self.rows[which]

    def names(self) -> list[str]:
        """Of all columns, in the order in which they first came."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def column(self, name: str) -> list[float]:
        """One measure over the epochs, NaN where it was not taken. KeyError when it never was."""
        if not any(name in row for row in self.rows):
            raise KeyError(f"there is no {name!r} in the history; there are: {', '.join(self.names())}")
        return [row.get(name, math.nan) for row in self.rows]

    def best(self, name: str) -> Row:
        """The row in which a measure is best; of equal ones the first. KeyError when there is none but NaN."""
        values = self.column(name)
        numbers = [(value, row) for value, row in zip(values, self.rows, strict=True) if not math.isnan(value)]
        if not numbers:
            raise KeyError(f"{name!r} is NaN in all of the history")
        sign = 1 if higher_is_better(name) else -1
        return max(numbers, key=lambda pair: sign * pair[0])[1]

    def write_csv(self, path: Path) -> None:
        """A line for each epoch below a line with the names."""
        text = io.StringIO()
        table = csv.DictWriter(text, self.names(), lineterminator="\n")
        table.writeheader()
        table.writerows(self.rows)
        with atomic(path) as file:
            file.write(text.getvalue().encode())
