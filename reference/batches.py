"""Which examples make up which batch: decided in NumPy, outside of any engine, so that both see the same."""

from collections.abc import Iterator

import numpy as np

__all__ = ["batch_count", "epoch_batches", "permutation"]


def permutation(count: int, seed: int, epoch: int = 0) -> np.ndarray:
    """A random order of `count` things, i64[count], the same on every machine and NumPy version.

    It sorts the raw output of the counter-based generator Philox, keyed by (seed, epoch): NumPy keeps
    that stream fixed for ever, but not the streams of the methods built on it (NEP 19).
    """
    generator = np.random.Philox(key=np.array([seed, epoch], dtype=np.uint64))
    return np.argsort(generator.random_raw(count), kind="stable").astype(np.int64)


def batch_count(examples: int, batch_size: int, *, drop_last: bool) -> int:
    """How many batches one epoch has; `drop_last` leaves out a last one that is not full."""
    if drop_last:
        return examples // batch_size
    return -(-examples // batch_size)


def epoch_batches(
    examples: int, batch_size: int, *, seed: int | None, epoch: int, drop_last: bool
) -> Iterator[np.ndarray]:
    """The batches of one epoch as index arrays, i64[batch_size].

    `seed` gives each epoch an order of its own; None keeps the order of the file. Without `drop_last`
    the last batch may be smaller.
    """
    order = np.arange(examples, dtype=np.int64) if seed is None else permutation(examples, seed, epoch)
    for i in range(batch_count(examples, batch_size, drop_last=drop_last)):
        yield order[i * batch_size : (i + 1) * batch_size]
