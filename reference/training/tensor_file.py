"""Files of named arrays in the safetensors format, which many programs read, with a checksum over the whole file.

A file is: the length of the header, u64 little-endian; the header, JSON, {name: {"dtype", "shape",
"data_offsets"}} and "__metadata__" with texts by name; the arrays one after the other. Nothing in it is
executed when it is read, as a pickle would be. One of the texts is "sha256", taken over all bytes of the file
with zeros in its own place. See https://huggingface.co/docs/safetensors
"""

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..files import atomic

__all__ = ["CheckpointError", "dtype_of", "read_header", "read_tensors", "write_tensors"]

_CODES = {
    "bool": "BOOL",
    "uint8": "U8",
    "int8": "I8",
    "uint16": "U16",
    "int16": "I16",
    "uint32": "U32",
    "int32": "I32",
    "uint64": "U64",
    "int64": "I64",
    "float16": "F16",
    "bfloat16": "BF16",
    "float32": "F32",
    "float64": "F64",
}
_NAMES = {code: name for name, code in _CODES.items()}
_NO_SUM = "0" * 64
_LONGEST_HEADER = 100_000_000  # as in the format's own library: what is longer is damage, not a header


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be read, or that does not fit."""


def dtype_of(name: str) -> np.dtype:
    """The dtype called `name`; NumPy has bfloat16 from the package ml_dtypes only."""
    if name != "bfloat16":
        return np.dtype(name)
    try:
        import ml_dtypes  # not needed for anything else: minijax has bfloat16 where it is installed
    except ModuleNotFoundError:
        raise CheckpointError("bfloat16 needs ml_dtypes; install it with: pip install ml_dtypes") from None
    return np.dtype(ml_dtypes.bfloat16)


def write_tensors(path: Path, arrays: Mapping[str, np.ndarray], texts: Mapping[str, str]) -> None:
    """Write arrays of any shapes and texts; the file is whole and on the disk, or not there, when this returns.

    Raises CheckpointError for a dtype that the format does not have, such as a complex one.
    """
    header: dict[str, Any] = {"__metadata__": {**texts, "sha256": _NO_SUM}}
    offset = 0
    for name, array in arrays.items():
        if array.dtype.name not in _CODES:
            raise CheckpointError(f"{name} is {array.dtype.name}; files of tensors hold {', '.join(_CODES)}")
        following = offset + array.nbytes
        header[name] = {
            "dtype": _CODES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [offset, following],
        }
        offset = following
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)  # so that the arrays are aligned
    parts = [len(encoded).to_bytes(8, "little"), encoded, *(_bytes(array) for array in arrays.values())]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    parts[1] = encoded.replace(_sum_text(_NO_SUM), _sum_text(digest.hexdigest()), 1)
    with atomic(path) as file:
        for part in parts:
            file.write(part)


def _sum_text(digest: str) -> bytes:
    return f'"sha256": "{digest}"'.encode()


def _bytes(array: np.ndarray) -> memoryview:
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return memoryview(np.ascontiguousarray(little).reshape(-1).view(np.uint8))


def read_header(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """What is written about the arrays, and the texts. Only this much is read, so the checksum is not looked at."""
    try:
        with open(path, "rb") as file:
            start = file.read(8)
            length = int.from_bytes(start, "little")
            content = file.read(length) if length <= _LONGEST_HEADER else b""
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from None
    return _header(path, start + content)


def _header(path: Path, content: bytes) -> tuple[dict[str, Any], dict[str, str]]:
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 + length or length < 2:
        raise _damaged(path, "it ends within its header")
    try:
        header = json.loads(content[8 : 8 + length])
        texts = dict(header.pop("__metadata__", {}))
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise _damaged(path, "its header is not readable") from None
    return header, texts


def read_tensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays and the texts of a file. Raises CheckpointError when it is damaged, and says how.

    A file without a checksum, from another program, is read as well.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from None
    header, texts = _header(path, content)
    data = 8 + int.from_bytes(content[:8], "little")
    expected = texts.get("sha256")
    if expected is not None:
        digest = hashlib.sha256(content[:data].replace(_sum_text(expected), _sum_text(_NO_SUM), 1))
        digest.update(memoryview(content)[data:])
        if digest.hexdigest() != expected:
            raise _damaged(path, "its SHA-256 is not the one that is written in it")
    try:
        return {name: _array(path, name, entry, content, data) for name, entry in header.items()}, texts
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(path, f"its header does not fit what follows it: {error!r}") from None


def _array(path: Path, name: str, entry: Mapping[str, Any], content: bytes, data: int) -> np.ndarray:
    shape, (start, end) = tuple(entry["shape"]), entry["data_offsets"]
    if entry["dtype"] not in _NAMES:
        raise CheckpointError(f"{path}: {name} is of the type {entry['dtype']}, which is not known here")
    dtype = dtype_of(_NAMES[entry["dtype"]])
    count = math.prod(shape)
    if end - start != count * dtype.itemsize or data + end > len(content):
        raise _damaged(path, f"{name} should be {dtype.name}{list(shape)}, which its {len(content)} bytes do not hold")
    return np.frombuffer(content, dtype.newbyteorder("<"), count, data + start).astype(dtype).reshape(shape)


def _damaged(path: Path, what: str) -> CheckpointError:
    return CheckpointError(f"{path} is damaged: {what}")
