"""Checkpoints: a training kept in files, from which either engine goes on exactly where it stopped.

A file holds every leaf of a pytree under its path ("params/0/w"), keys of random numbers as their data, and
texts as JSON: where in the data the training is, its history, its settings. A folder holds the last few of
them and the best one; all of it can be told from the files alone, so that nothing can be out of step.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..engines import Array, Engine
from .tensor_file import CheckpointError, dtype_of, read_header, read_tensors, write_tensors

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "Folder",
    "Mismatch",
    "load_tree",
    "named_arrays",
    "read_checkpoint",
    "restore_tree",
    "save_tree",
]

FORMAT = "minijax-checkpoint-1"
SUFFIX = ".safetensors"

Notes = dict[str, Any]  # what JSON can hold


# ----------------------------------------------------------------- a tree in a file


def named_leaves(jax: Engine, tree: Any) -> dict[str, Array]:
    """The leaves of a tree by their paths, as "params/0/w". Raises ValueError when two paths read the same."""
    named = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        name = jax.tree_util.keystr(path, simple=True, separator="/")
        if name in named:
            raise ValueError(f"two leaves are called {name!r}; leave slashes out of the keys of dicts")
        named[name] = leaf
    return named


def _is_key(jax: Engine, leaf: Array) -> bool:
    return jax.dtypes.issubdtype(jax.numpy.asarray(leaf).dtype, jax.dtypes.prng_key)


def named_arrays(jax: Engine, tree: Any) -> tuple[dict[str, np.ndarray], list[str]]:
    """The leaves as NumPy arrays by their paths, and the paths of those that are the data of keys."""
    leaves = named_leaves(jax, tree)
    keys = [name for name, leaf in leaves.items() if _is_key(jax, leaf)]
    arrays = {n: np.asarray(jax.random.key_data(leaf) if n in keys else leaf) for n, leaf in leaves.items()}
    return arrays, keys


def save_tree(jax: Engine, path: Path, tree: Any, notes: Notes | None = None) -> None:
    """Write a pytree of arrays, and `notes`, which JSON has to be able to hold. The file is whole or not there."""
    arrays, keys = named_arrays(jax, tree)
    engine = {"name": jax.__name__, "version": jax.__version__}
    texts = {"format": FORMAT, "keys": json.dumps(keys), "engine": json.dumps(engine)}
    write_tensors(path, arrays, texts | {"notes": json.dumps(notes or {})})


class Checkpoint(NamedTuple):
    """What a file holds, as NumPy arrays: for no engine yet."""

    path: Path
    arrays: dict[str, np.ndarray]
    notes: Notes

    def part(self, *prefixes: str) -> "Checkpoint":
        """The arrays below these paths only, such as "params" and "model_state"."""
        kept = {n: a for n, a in self.arrays.items() if n.split("/", 1)[0] in prefixes}
        return self._replace(arrays=kept)


def read_checkpoint(path: Path) -> Checkpoint:
    """The content of a file. Raises CheckpointError when it is damaged or something else."""
    arrays, texts = read_tensors(path)
    if "sha256" not in texts:
        raise CheckpointError(f"{path} has no checksum; it is no checkpoint of this program, or damaged")
    return Checkpoint(path, arrays, _notes(path, texts))


def _notes(path: Path, texts: Mapping[str, str]) -> Notes:
    if texts.get("format") != FORMAT:
        raise CheckpointError(f"{path} is no checkpoint of this program: its format is {texts.get('format')!r}")
    return json.loads(texts["notes"])


class Mismatch(NamedTuple):
    """How what a file holds differs from the tree that it is read into; empty lists where it does not."""

    missing: list[str]
    """leaves of the tree that the file lacks"""
    unexpected: list[str]
    """arrays of the file that the tree has no place for"""
    shapes: list[str]
    """name, shape in the file, shape in the tree"""
    dtypes: list[str]
    """name, dtype in the file, dtype in the tree: these were converted"""

    @property
    def fits(self) -> bool:
        """Whether every leaf was found in its shape, and nothing is left over; dtypes may differ."""
        return not (self.missing or self.unexpected or self.shapes)

    def __str__(self) -> str:
        words = ("missing in the file", "unexpected in the file", "of another shape", "converted")
        parts = [f"{word}: {_some(names)}" for word, names in zip(words, self, strict=True) if names]
        return "; ".join(parts) or "everything fits"


def _some(names: Sequence[str], most: int = 6) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def restore_tree(jax: Engine, like: Any, arrays: Mapping[str, np.ndarray]) -> tuple[Any, Mismatch]:
    """A tree as `like`, with `arrays` in place of its leaves, in its dtypes; and what did not fit.

    Where an array is missing or has another shape, the leaf of `like` stays.
    """
    leaves = named_leaves(jax, like)
    found = Mismatch([n for n in leaves if n not in arrays], [n for n in arrays if n not in leaves], [], [])
    filled = []
    for name, leaf in leaves.items():
        array = arrays.get(name)
        if array is None:
            filled.append(leaf)
            continue
        filled.append(_in_place_of(jax, name, leaf, array, found))
    return jax.tree.unflatten(jax.tree.structure(like), filled), found


def _in_place_of(jax: Engine, name: str, leaf: Array, array: np.ndarray, found: Mismatch) -> Array:
    """The array as the engine's, or the leaf itself when their shapes differ."""
    is_key = _is_key(jax, leaf)
    form = jax.random.key_data(leaf) if is_key else jax.numpy.asarray(leaf)
    if form.shape != array.shape:
        found.shapes.append(f"{name} {list(array.shape)} instead of {list(form.shape)}")
        return leaf
    if form.dtype.name != array.dtype.name:
        found.dtypes.append(f"{name} {array.dtype.name} to {form.dtype.name}")
        array = array.astype(dtype_of(form.dtype.name))
    # a copy: a step may be given the buffer to write into
    value = jax.numpy.array(array)
    return jax.random.wrap_key_data(value, impl=jax.random.key_impl(leaf)) if is_key else value


def load_tree(jax: Engine, path: Path, like: Any, *, partly: bool = False) -> tuple[Any, Notes, Mismatch]:
    """The tree in a file, its notes, and what did not fit into a tree like `like`.

    Raises CheckpointError when the file is damaged, or does not fit; with `partly` what does not fit is left as in
    `like`. Other dtypes are converted.
    """
    checkpoint = read_checkpoint(path)
    tree, found = restore_tree(jax, like, checkpoint.arrays)
    if not partly and not found.fits:
        raise CheckpointError(f"{path} holds another model or optimiser: {found}")
    return tree, checkpoint.notes, found


# ----------------------------------------------------------------- a folder of them


def _name(step: int) -> str:
    return f"step-{step:08d}{SUFFIX}"


def _is_whole(file: Path) -> bool:
    try:
        read_checkpoint(file)
    except CheckpointError:
        return False
    return True


class Folder:
    """The last `keep` checkpoints of a training and the best one, as files step-00000123.safetensors."""

    def __init__(self, path: Path | str, *, keep: int = 3) -> None:
        if keep < 1:
            raise ValueError(f"at least one checkpoint is kept, not {keep}")
        self.path = Path(path)
        self.keep = keep

    def files(self) -> list[Path]:
        """The checkpoints, the last one first."""
        return sorted(self.path.glob("step-*" + SUFFIX), key=lambda file: file.name, reverse=True)

    def has_after(self, step: int) -> bool:
        """Whether there is a checkpoint of a later step; damaged ones do not count."""
        return any(_is_whole(file) for file in self.files() if file.name > _name(step))

    def save(self, jax: Engine, tree: Any, step: int, notes: Notes, *, score: float | None = None) -> Path:
        """Write a checkpoint after `step` updates, then delete what is neither the best nor among the last.

        The best has the highest score; one without a score, from the middle of an epoch, cannot be it.
        """
        file = self.path / _name(step)
        save_tree(jax, file, tree, {**notes, "score": score})
        self._delete_old()
        return file

    def _delete_old(self) -> None:
        files = self.files()
        best = self.best() if len(files) > self.keep else None
        for file in files[self.keep :]:
            if file != best:
                file.unlink(missing_ok=True)
        for part in self.path.glob(f".step-*{SUFFIX}.*.part"):  # of a process that was killed while it wrote
            part.unlink(missing_ok=True)

    def best(self) -> Path | None:
        """The file with the highest score, of equal ones the earliest; None where no file has one."""
        scored = []
        for file in self.files():
            try:
                score = _notes(file, read_header(file)[1]).get("score")
            except CheckpointError:
                continue
            if score is not None:
                scored.append((score, file))
        return max(reversed(scored), key=lambda pair: pair[0])[1] if scored else None

    def read(self, which: str = "last") -> Checkpoint | None:
        """The "last" or the "best" checkpoint that is whole; None where there is no file at all.

        A damaged one is reported on standard error, and the one before it is taken. Raises CheckpointError when all
        are damaged.
        """
        files, damage = self.files(), []
        if which == "best" and (best := self.best()) is not None:
            files = [best, *(file for file in files if file != best)]
        for file in files:
            try:
                checkpoint = read_checkpoint(file)
            except CheckpointError as error:
                damage.append(str(error))
                continue
            for sentence in damage:
                print(f"{sentence}; going back to {file.name}", file=sys.stderr)
            return checkpoint
        if files:
            raise CheckpointError("no checkpoint can be read: " + "; ".join(damage))
        return None

    def clear(self) -> None:
        """Delete all checkpoints."""
        for file in self.files():
            file.unlink(missing_ok=True)
