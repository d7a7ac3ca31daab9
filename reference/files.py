"""Files that are either whole or not there."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

__all__ = ["atomic", "write_json"]


@contextmanager
def atomic(path: Path) -> Iterator[BinaryIO]:
    """A binary file to write to, which takes the place of `path` only when the block ends without error.

    It is written beside `path` first, because `os.replace` is atomic within one file system only. OSError, such as
    that of a full disk, names `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
        _sync_folder(path.parent)
    except OSError as error:
        if error.filename is None and error.errno is not None:  # of a write, which knows no name
            error.filename = str(path)
        raise
    finally:
        part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """The name is on the disk as well, not the content alone: a file survives the loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON; NaN and infinity raise ValueError, as JSON has no word for them."""
    text = json.dumps(value, indent=1, allow_nan=False)
    with atomic(path) as file:
        file.write(text.encode() + b"\n")
