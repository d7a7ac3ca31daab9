"""Text as tokens: words, a vocabulary, and rows of equal length."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

__all__ = ["PADDING", "UNKNOWN", "build_vocabulary", "decode", "encode", "lengths", "tokenize"]

PADDING, UNKNOWN = 0, 1
"""the tokens that fill a row up, and that stand for a word which is not in the vocabulary"""

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[^\w\s]")
_MARKUP = re.compile(r"<[a-z/][^<>]*>")


def tokenize(text: str) -> list[str]:
    """The words of a text in lower case and its punctuation marks, one by one; markup is left out."""
    return _WORD.findall(_MARKUP.sub(" ", text.lower()))


def build_vocabulary(texts: Iterable[Sequence[str]], *, size: int = 20_000, minimum: int = 2) -> tuple[str, ...]:
    """At most `size` entries: padding, unknown, then words seen `minimum` times or more, the frequent ones first.

    Words of the same frequency are in alphabetical order. Build it from training texts only.
    """
    if size < 2:
        raise ValueError(f"a vocabulary has at least the entries for padding and for unknown words, not {size}")
    counts = Counter(word for text in texts for word in text)
    frequent = sorted((-count, word) for word, count in counts.items() if count >= minimum)
    return ("<padding>", "<unknown>", *(word for _, word in frequent[: size - 2]))


def encode(texts: Sequence[Sequence[str]], vocabulary: Sequence[str], length: int) -> np.ndarray:
    """Tokens i32[texts, length]. Padding follows the words; of a longer text the last `length` words are kept.

    An empty text becomes one unknown word, as a row of padding alone has no last word.
    """
    if length < 1:
        raise ValueError(f"a row has at least one token, not {length}")
    index = {word: token for token, word in enumerate(vocabulary)}
    rows = np.full((len(texts), length), PADDING, np.int32)
    for row, text in zip(rows, texts, strict=True):
        tokens = [index.get(word, UNKNOWN) for word in text[-length:]] or [UNKNOWN]
        row[: len(tokens)] = tokens
    return rows


def lengths(tokens: np.ndarray) -> np.ndarray:
    """How many tokens of each row come before the padding, i32[rows], from i32[rows, length]."""
    return np.count_nonzero(tokens != PADDING, axis=-1).astype(np.int32)


def decode(tokens: np.ndarray, vocabulary: Sequence[str]) -> str:
    """The words of one row with spaces between them, without the padding."""
    return " ".join(vocabulary[token] for token in tokens.tolist() if token != PADDING)
