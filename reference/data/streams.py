"""Batches from elsewhere: a PyTorch `DataLoader`, `tf.data` as NumPy, a list, a function that yields."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["Stream"]


class Stream:
    """The batches of `source` as tuples of NumPy arrays, once more for every epoch.

    `source` is anything that can be iterated again and again (a `DataLoader`, `tfds.as_numpy(dataset)`, a list), or
    a function without arguments that returns an iterator (`dataset.as_numpy_iterator`, a generator function). Its
    batches are tuples, lists, or dicts, from which `names` picks the entries; the values are arrays, or tensors in
    the memory of the CPU. Numbers become f32, whole numbers i32, and bytes stay u8: a model of images takes floats
    from 0 to 1, so divide them by 255 in the source. `channels_first` turns images [batch, channels, height, width],
    as PyTorch has them, into [batch, height, width, channels].
    """

    def __init__(
        self,
        source: Iterable[Any] | Callable[[], Iterable[Any]],
        *,
        names: Sequence[str] = ("image", "label"),
        channels_first: bool = False,
    ) -> None:
        if not callable(source) and not isinstance(source, Iterable):
            raise TypeError(f"a {type(source).__name__} is neither iterable nor a function that makes an iterator")
        if isinstance(source, Iterator):
            raise TypeError(
                f"a {type(source).__name__} can be read once only, and there are several epochs; "
                "give what makes it: Stream(lambda: ...), or the object that iter() was called on"
            )
        self.source = source
        self.names = tuple(names)
        self.channels_first = channels_first

    def __iter__(self) -> Iterator[tuple[np.ndarray, ...]]:
        """The batches of one epoch."""
        batches = self.source if isinstance(self.source, Iterable) else self.source()
        for number, batch in enumerate(batches):
            yield tuple(self._array(part, number) for part in self._parts(batch, number))

    def _parts(self, batch: Any, number: int) -> Sequence[Any]:
        if isinstance(batch, Mapping):
            if missing := [name for name in self.names if name not in batch]:
                raise ValueError(
                    f"batch {number} has no {missing[0]!r}; it has {', '.join(map(str, batch))}: set `names`"
                )
            return [batch[name] for name in self.names]
        if isinstance(batch, tuple | list):
            return batch
        return [batch]

    def _array(self, part: Any, number: int) -> np.ndarray:
        """One array of a batch, of a dtype that both engines have without x64."""
        array = np.asarray(part)
        if array.dtype.kind in "iu" and array.dtype != np.uint8:
            array = _narrowed(array, number)
        elif array.dtype.kind == "f":
            array = array.astype(np.float32, copy=False)
        elif array.dtype.kind not in "ub":
            raise TypeError(f"batch {number} holds {array.dtype} of shape {array.shape}, where numbers are needed")
        if self.channels_first and array.ndim == 4:
            array = np.ascontiguousarray(array.transpose(0, 2, 3, 1))
        return array


def _narrowed(array: np.ndarray, number: int) -> np.ndarray:
    """Whole numbers as i32; ValueError where they do not fit."""
    bounds = np.iinfo(np.int32)
    if array.size and not (bounds.min <= array.min() and array.max() <= bounds.max):
        raise ValueError(f"batch {number} has whole numbers up to {array.max()}, too large for 32 bits")
    return array.astype(np.int32, copy=False)
