"""Where the files of published datasets are: MINIJAX_DATA_DIR, the cache directory, or a mirror."""

import hashlib
import os
import sys
import time
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.error import HTTPError, URLError

from ..files import atomic
from .dataset import DataError, DataUnavailable

__all__ = ["Source", "cache_directory", "damaged", "download", "folder_of", "folders"]

SECONDS_PER_MIRROR = 5.0
"""how long a mirror may be silent"""
ATTEMPTS = 3
PAUSE = 0.5
"""seconds before the second attempt, twice as many before the third"""


class Source(NamedTuple):
    """A published dataset: its files with the SHA-256 of each, and the addresses below which they stand."""

    name: str
    title: str
    mirrors: tuple[str, ...]
    files: dict[str, str]


def cache_directory() -> Path:
    """MINIJAX_CACHE_DIR, or .cache/minijax in the home directory."""
    chosen = os.environ.get("MINIJAX_CACHE_DIR")
    return Path(chosen) if chosen else Path.home() / ".cache" / "minijax"


def folders(name: str) -> list[Path]:
    """Where the dataset called `name` may lie, in order; the last is the one that downloads go to."""
    given = os.environ.get("MINIJAX_DATA_DIR")
    roots = [Path(given)] if given else []
    return [root / name for root in (*roots, cache_directory())]


def folder_of(source: Source) -> Path:
    """The folder that holds all files of a published dataset, downloaded if need be.

    Raises DataUnavailable when they are nowhere to be had.
    """
    for folder in folders(source.name):
        if all((folder / file).is_file() for file in source.files):
            return folder
    return download(source)


def damaged(path: Path, what: str) -> DataError:
    """The error about a file that cannot be read as what it should be."""
    return DataError(f"{path} is damaged: {what}; delete it, or put a whole copy in its place")


def download(source: Source) -> Path:
    """Fetch the files that the cache lacks; its folder. The first that no mirror has ends it.

    A file is either whole, with the right SHA-256, or not there.
    """
    folder = folders(source.name)[-1]
    for file, sha256 in source.files.items():
        if not (folder / file).is_file():
            try:
                with atomic(folder / file) as target:
                    _fetch(source, file, sha256, target)
            except OSError as error:
                raise DataUnavailable(f"{source.title} cannot be kept in {folder}: {error}") from None
    return folder


class _Refused(Exception):
    """A mirror does not have the file, or is not there: asking again would only cost time."""


class _Broken(Exception):
    """A mirror began to answer, but what came was not the file."""


def _fetch(source: Source, file: str, sha256: str, target: BinaryIO) -> None:
    """Write one file to `target`, from the first mirror that has it whole. A mirror that answers is asked again."""
    reasons: dict[str, str] = {}
    asked = list(source.mirrors)
    for attempt in range(ATTEMPTS):
        if asked:
            time.sleep(attempt * PAUSE)
        for mirror in list(asked):
            target.seek(0)
            target.truncate()
            try:
                return _receive(mirror + file, sha256, target.write)
            except (_Refused, _Broken) as error:
                reasons[mirror] = f"{mirror}: {error}"
                if isinstance(error, _Refused):
                    asked.remove(mirror)
    raise DataUnavailable(
        f"{source.title} is neither under MINIJAX_DATA_DIR nor under {cache_directory()}, and no mirror "
        f"has it ({'; '.join(reasons.values())})"
    )


def _receive(url: str, sha256: str, write: Callable[[bytes], object]) -> None:
    """Pass the content of `url` to `write` piece by piece; raises _Refused or _Broken."""
    digest = hashlib.sha256()
    try:
        response = urllib.request.urlopen(url, timeout=SECONDS_PER_MIRROR)
    except HTTPError as error:
        error.close()
        raise (_Broken if error.code >= 500 else _Refused)(f"{error.code} {error.reason}") from None
    except (OSError, HTTPException) as error:
        raise _Refused(str(error.reason if isinstance(error, URLError) else error)) from None
    print(f"downloading {url}", file=sys.stderr)
    with response:
        while piece := _piece(response):
            digest.update(piece)
            write(piece)
    if digest.hexdigest() != sha256:
        raise _Broken(f"{url.rpartition('/')[2]} has the wrong SHA-256")


def _piece(response: BinaryIO) -> bytes:
    try:
        return response.read(1 << 20)
    except (OSError, HTTPException) as error:
        raise _Broken(f"the transfer broke off: {error}") from None
