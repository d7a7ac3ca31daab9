"""Text as characters, for models that guess the next one."""

from pathlib import Path

import numpy as np

from .dataset import DataError, Dataset
from .sources import Source, damaged, folder_of

__all__ = [
    "TINY_SHAKESPEARE",
    "character_text",
    "decode_characters",
    "encode_characters",
    "tiny_shakespeare",
    "windows",
]

TINY_SHAKESPEARE = Source(
    "tiny-shakespeare",
    "tiny Shakespeare",
    ("https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/",),
    {"input.txt": "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"},
)


def tiny_shakespeare(*, length: int = 128, stride: int | None = None) -> Dataset:
    """Parts of Shakespeare's plays, 1,115,394 characters, 65 distinct ones (Karpathy, 2015)."""
    path = folder_of(TINY_SHAKESPEARE) / "input.txt"
    return character_text(path, length=length, stride=stride)._replace(name=TINY_SHAKESPEARE.name)


def character_text(path: Path, *, length: int = 128, stride: int | None = None, test_share: float = 0.1) -> Dataset:
    """Windows of a UTF-8 text file: x tokens i32[n, length], y the tokens that follow, i32[n, length].

    The vocabulary is all of its characters in order. The end of the file is the test set, in windows that do not
    overlap; those to train begin `stride` characters apart (None: `length`).
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DataError(f"there is no file {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise damaged(path, str(error)) from None
    vocabulary = tuple(sorted(set(text)))
    tokens = encode_characters(text, vocabulary)
    border = len(tokens) - int(len(tokens) * test_share)
    if min(border, len(tokens) - border) <= length:
        raise DataError(f"{path} has {len(tokens)} characters, too few for windows of {length} to train and to test")
    train = windows(tokens[:border], length, stride or length)
    test = windows(tokens[border:], length, length)
    return Dataset(path.stem, *train, *test, classes=len(vocabulary), vocabulary=vocabulary)


def windows(tokens: np.ndarray, length: int, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """Views of tokens i32[n]: every `stride`-th stretch of `length`, and the same one token later.

    They take no memory of their own, however much they overlap.
    """
    stretches = np.lib.stride_tricks.sliding_window_view(tokens, length)
    return stretches[:-1:stride], stretches[1::stride]


def encode_characters(text: str, vocabulary: tuple[str, ...]) -> np.ndarray:
    """Tokens i32[characters]; ValueError names a character that the vocabulary lacks."""
    index = {character: token for token, character in enumerate(vocabulary)}
    if strange := sorted(set(text) - set(index)):
        raise ValueError(f"the vocabulary lacks {strange[0]!r}; it has {''.join(vocabulary)!r}")
    return np.array([index[character] for character in text], np.int32)


def decode_characters(tokens: np.ndarray, vocabulary: tuple[str, ...]) -> str:
    """The text of tokens i32[characters]."""
    return "".join(vocabulary[token] for token in np.asarray(tokens).tolist())
