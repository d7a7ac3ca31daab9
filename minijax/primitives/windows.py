"""What gather and scatter share: windows of an array that lie at computed positions."""

from __future__ import annotations

import enum
from typing import Any, NamedTuple

import numpy as np

__all__ = ["GatherScatterMode"]

Axes = tuple[int, ...]
Shape = tuple[int, ...]


class GatherScatterMode(enum.Enum):
    """What happens to a window that lies partly outside of the operand.

    CLIP moves it inside. FILL_OR_DROP fills the result of a gather and drops the update of a scatter.
    PROMISE_IN_BOUNDS says that there is none; if there is one, gather clips and scatter drops.
    """

    CLIP = enum.auto()
    FILL_OR_DROP = enum.auto()
    PROMISE_IN_BOUNDS = enum.auto()
    ONE_HOT = enum.auto()

    @staticmethod
    def from_any(s: str | GatherScatterMode | None) -> GatherScatterMode:
        """The mode of that name; None means FILL_OR_DROP. Raises ValueError for an unknown name."""
        if isinstance(s, GatherScatterMode):
            return s
        if s not in _MODES:
            names = ", ".join(repr(name) for name in _MODES if name)
            raise ValueError(f"Unknown gather mode {s!r}. Choose one of {names}.")
        return _MODES[s]


_MODES = {
    "clip": GatherScatterMode.CLIP,
    "fill": GatherScatterMode.FILL_OR_DROP,
    "drop": GatherScatterMode.FILL_OR_DROP,
    "promise_in_bounds": GatherScatterMode.PROMISE_IN_BOUNDS,
    "one_hot": GatherScatterMode.ONE_HOT,
    None: GatherScatterMode.FILL_OR_DROP,
}


class Windows(NamedTuple):
    """Windows as NumPy's advanced indexing understands them; there is one for each index vector.

    view(x)[index] has the axes of the indices (without the index vector), then the operand's axes
    `window_axes`. `inside` says which windows lie inside of the operand; None if all of them do.
    """

    indexed_axes: Axes
    whole_axes: Axes
    lengths: Shape
    index: tuple[np.ndarray, ...]
    window_axes: Axes
    inside: np.ndarray | None

    def view(self, x: np.ndarray) -> np.ndarray:
        """`x`, as far as windows reach, with the axes that are indexed (a new one if none is) in front."""
        # The ellipsis makes it a view for scalars too, where x[()] is a copy.
        x = x[(*map(slice, self.lengths), ...)].transpose(self.indexed_axes + self.whole_axes)
        return x if self.indexed_axes else x[None]

    def flat_positions(self, view: np.ndarray) -> np.ndarray:
        """Where the elements of all windows lie in the contiguous buffer that `view` looks at."""
        steps = [stride // view.itemsize for stride in view.strides]
        places = sum(i * step for i, step in zip(self.index, steps))
        rank = len(self.whole_axes)
        places = places.reshape(places.shape + (1,) * rank)
        for axis in range(rank):
            axis_of_view = view.ndim - rank + axis
            places = places + _along(axis, rank, view.shape[axis_of_view]) * steps[axis_of_view]
        return places

    def only_inside(self, updates: np.ndarray) -> tuple[Windows, np.ndarray]:
        """Without the windows that lie partly outside; the axes of the indices become one."""
        if self.inside is None or self.inside.all():
            return self, updates
        rank = self.inside.ndim
        index = [np.broadcast_to(i, self.inside.shape + i.shape[rank:])[self.inside] for i in self.index]
        return self._replace(index=tuple(index), inside=None), updates[self.inside]


def find_windows(
    shape: Shape,
    indices: np.ndarray,
    lengths: Shape,
    index_map: Axes,
    batching: tuple[Axes, Axes],
    removed: Axes,
    clip: bool,
) -> Windows:
    """Windows of the given lengths in an operand of this shape, starting where `indices` says.

    `index_map` tells the operand axis of each entry of an index vector, `batching` which axes of operand
    and indices run along with each other, `removed` the axes of length 1 that the windows shall not have.
    Windows that lie outside are moved inside, so that indexing cannot fail; without `clip` they are noted.
    """
    batch_shape = indices.shape[:-1]
    inside = None
    starts: dict[int, np.ndarray] = {}
    for i, d in enumerate(index_map):
        last = max(shape[d] - lengths[d], 0)
        start = as_positions(indices[..., i])
        clipped = np.minimum(np.maximum(start, 0), last)
        if not clip or lengths[d] > shape[d]:
            fits = (clipped == start) & (lengths[d] <= shape[d])
            inside = fits if inside is None else inside & fits
        if last or d in removed:
            starts[d] = clipped
    for d, axis in zip(*batching):
        starts[d] = _along(axis, len(batch_shape), batch_shape[axis])
    for d in removed:
        starts.setdefault(d, np.zeros((1,) * len(batch_shape), np.intp))
    return _indexed(shape, lengths, starts, removed, batch_shape, inside)


def as_positions(indices: np.ndarray) -> np.ndarray:
    """Indices in NumPy's own index type; those beyond its range stay far outside of any array."""
    if indices.dtype == np.intp:
        return indices
    if indices.dtype.itemsize < np.dtype(np.intp).itemsize:
        return indices.astype(np.intp)
    info, own = np.iinfo(np.intp), np.iinfo(indices.dtype)
    if own.max > info.max:
        indices = np.minimum(indices, indices.dtype.type(info.max))
    if own.min < info.min:
        indices = np.maximum(indices, indices.dtype.type(info.min))
    return indices.astype(np.intp)


def _along(axis: int, rank: int, length: int) -> np.ndarray:
    """0, 1, 2 ... along one of `rank` axes."""
    return np.arange(length, dtype=np.intp).reshape([length if d == axis else 1 for d in range(rank)])


def _indexed(
    shape: Shape,
    lengths: Shape,
    starts: dict[int, np.ndarray],
    removed: Axes,
    batch_shape: Shape,
    inside: Any,
) -> Windows:
    # A window that keeps an indexed axis needs, beside its start there, an axis for the offsets from it.
    offset_axes = [d for d in starts if d not in removed]
    whole_axes = tuple([d for d in range(len(shape)) if d not in starts])
    index = []
    for d, start in starts.items():
        start = start.reshape(start.shape + (1,) * len(offset_axes))
        if d in offset_axes:
            start = start + _along(len(batch_shape) + offset_axes.index(d), start.ndim, lengths[d])
        index.append(start)
    if not index:
        index.append(np.zeros(batch_shape, np.intp))
    elif index[0].shape[: len(batch_shape)] != batch_shape:
        index[0] = np.broadcast_to(index[0], batch_shape + index[0].shape[len(batch_shape) :])
    reach = tuple([shape[d] if d in starts else n for d, n in enumerate(lengths)])
    return Windows(tuple(starts), whole_axes, reach, tuple(index), (*offset_axes, *whole_axes), inside)


# ----------------------------------------------------------------- checks of dimension numbers


def check_dims(name: str, what: str, dims: Axes, rank: int, ascending: bool = True) -> None:
    """Raise TypeError unless `dims` are distinct axes of an array of this rank, ascending if so wished."""
    in_order = not ascending or list(dims) == sorted(dims)
    if not in_order or len(set(dims)) != len(dims) or not all(0 <= d < rank for d in dims):
        order = " in ascending order" if ascending else ""
        raise TypeError(f"{name}: {what} must be distinct numbers between 0 and {rank - 1}{order}; got {dims}.")


def check_batching(name: str, operand: Shape, indices: Shape, batching: tuple[Axes, Axes], others: Axes) -> None:
    """Raise TypeError unless the batching axes of operand and indices match one another."""
    operand_dims, indices_dims = batching
    check_dims(name, "operand_batching_dims", operand_dims, len(operand))
    check_dims(name, "indices_batching_dims", indices_dims, len(indices) - 1, ascending=False)
    if set(operand_dims) & set(others):
        raise TypeError(
            f"{name}: the operand's batching dimensions {operand_dims} must not be indexed or removed, too, "
            f"as {others} are."
        )
    operand_lengths = tuple([operand[d] for d in operand_dims])
    indices_lengths = tuple([indices[d] for d in indices_dims])
    if operand_lengths != indices_lengths:
        raise TypeError(
            f"{name}: the batching dimensions of operand and indices must have equal lengths, got "
            f"dimensions {operand_dims} of lengths {operand_lengths} and {indices_dims} of {indices_lengths}."
        )
