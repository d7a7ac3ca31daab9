"""Tables of comma-separated values."""

import csv
from pathlib import Path

import numpy as np

from .dataset import DataError, Dataset, split
from .sources import damaged

__all__ = ["csv_table"]

_MISSING = {"na", "n/a", "nan", "null", "none", "?", "-"}
"""what other programs write, in capitals or not, where a number is missing"""


def csv_table(
    path: Path, *, target: str | int = -1, test_share: float = 0.2, seed: int = 0, delimiter: str = ","
) -> Dataset:
    """A file with one example in a row: x f32[n, features], and y from the column `target`, a name or a position.

    A first row without any number names the columns. A column of texts becomes one column for each of its texts,
    1 where it is the row's. Columns are shifted and scaled to mean 0 and deviation 1 over the training rows.
    y are classes i32[n] where the target's values are texts or few whole numbers 0, 1, 2 and so on, else f32[n].
    Raises DataError that names the line of a row which does not fit, or where a number is missing (NA, nan, ?).
    """
    names, rows = _read(path, delimiter)
    position = _position(names, target, path)
    columns = list(zip(*rows, strict=True))
    y, labels = _target(columns.pop(position))
    x = np.concatenate([_feature(column) for column in columns], axis=1)
    train, test = split(len(x), test_share, seed=seed)
    mean, deviation = x[train].mean(axis=0), x[train].std(axis=0)
    x = ((x - mean) / np.where(deviation > 0, deviation, 1)).astype(np.float32)
    classes = 0 if y.dtype == np.float32 else int(y.max()) + 1
    return Dataset(path.stem, x[train], y[train], x[test], y[test], classes=classes, labels=labels)


def _read(path: Path, delimiter: str) -> tuple[list[str], list[list[str]]]:
    """The names of the columns, numbers where there are none, and the rows below."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            numbered = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(row)]
    except FileNotFoundError:
        raise DataError(f"there is no file {path}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise damaged(path, str(error)) from None
    if not numbered:
        raise damaged(path, "it has no rows")
    first = numbered[0][1]
    headed = not any(_is_number(cell) for cell in first) and len(numbered) > 1
    for line, row in numbered:
        if len(row) != len(first):
            raise damaged(path, f"line {line} has {len(row)} columns, line {numbered[0][0]} has {len(first)}")
        if "" in row:
            raise damaged(path, f"line {line} has no value in column {row.index('') + 1}")
    if len(first) < 2:
        raise damaged(path, f"it has one column only; are its values separated by {delimiter!r}?")
    names = first if headed else [str(i) for i in range(len(first))]
    numbered = numbered[headed:]
    for position, name in enumerate(names):
        _refuse_missing(path, name, [(line, row[position]) for line, row in numbered])
    return names, [row for _, row in numbered]


def _refuse_missing(path: Path, name: str, column: list[tuple[int, str]]) -> None:
    """DataError for a column of numbers some of which are missing, and which would be taken for one of texts."""
    strange = [(line, cell) for line, cell in column if not _is_number(cell)]
    if 0 < len(strange) < len(column) and all(_is_missing(cell) for _, cell in strange):
        line, cell = strange[0]
        raise DataError(
            f"{path}: line {line} has {cell!r} in column {name}, which is one of numbers; write a number there, or "
            "leave the row out"
        )


def _is_missing(cell: str) -> bool:
    return cell.lower() in _MISSING or _value(cell) is not None


def _is_number(cell: str) -> bool:
    """Whether it is one that float32 can hold."""
    value = _value(cell)
    return value is not None and abs(value) <= float(np.finfo(np.float32).max)


def _value(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _position(names: list[str], target: str | int, path: Path) -> int:
    """The column that `target` means."""
    if isinstance(target, str):
        if target not in names:
            raise DataError(f"{path} has no column {target!r}; it has: {', '.join(names)}")
        return names.index(target)
    if not -len(names) <= target < len(names):
        raise DataError(f"{path} has no column {target}; it has {len(names)}")
    return target % len(names)


def _target(column: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Classes i32[n] and their names, or numbers f32[n] and no names."""
    if not all(map(_is_number, column)):
        labels = tuple(sorted(set(column)))
        return np.array([labels.index(cell) for cell in column], np.int32), labels
    numbers = np.array(column, np.float64)
    distinct = np.unique(numbers)
    if np.array_equal(distinct, np.arange(len(distinct))) and len(distinct) <= max(2, len(column) // 2):
        return numbers.astype(np.int32), ()
    return numbers.astype(np.float32), ()


def _feature(column: tuple[str, ...]) -> np.ndarray:
    """One column of numbers, f64[n, 1], or a column for each distinct text, f64[n, texts]."""
    if all(map(_is_number, column)):
        return np.array(column, np.float64)[:, None]
    texts = sorted(set(column))
    return (np.array(column)[:, None] == np.array(texts)).astype(np.float64)
