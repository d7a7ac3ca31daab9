"""A piece of work, and the contestants who do it: the same mathematics, written as each one's users write it.

Arguments and results are pytrees (lists, tuples, dicts) of NumPy arrays, equal for all contestants. Nobody writes into
arguments: a step takes parameters and gives new ones.
"""

import importlib
import importlib.util
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..engines import Engine, engine

__all__ = ["CONTESTANTS", "Contestant", "Product", "Work", "contestant", "leaves", "traffic"]


class Contestant(NamedTuple):
    """One who does the work."""

    run: Callable[[], Any]
    """does it once, waits until it is done, and gives what came out, in its own arrays"""
    to_numpy: Callable[[Any], Any]
    """what came out, as the pytree of NumPy arrays that all contestants share"""


class Product(NamedTuple):
    """`times` matrix products of arrays of these shapes, as np.matmul takes them."""

    left: tuple[int, ...]
    right: tuple[int, ...]
    times: int = 1


class Work(NamedTuple):
    """What is to be done, on which arguments, and how each contestant does it."""

    arguments: tuple[Any, ...]
    function: Callable[[Engine], Callable[..., Any]]
    """(jax) -> a new function of the arguments; one text for minijax and JAX"""
    by_hand: Callable[..., Any]
    """plain vectorised NumPy: fresh arrays, derivatives written out"""
    autograd: Callable[[Any], Callable[..., Any]]
    """(HIPS autograd) -> a function of the arguments"""
    torch: Callable[..., Contestant]
    """(torch, *arguments) -> the contestant"""
    products: tuple[Product, ...] = ()
    """the matrix products that the work cannot do without"""
    eager: bool = True
    """whether JAX can do it without jit within reason"""


def leaves(tree: Any) -> Iterator[Any]:
    """The arrays of a pytree of lists, tuples and dicts, in the order of JAX: dicts by their sorted keys."""
    if isinstance(tree, dict):
        tree = [tree[key] for key in sorted(tree)]
    if not isinstance(tree, list | tuple):
        yield tree
        return
    for part in tree:
        yield from leaves(part)


def traffic(work: Work) -> int:
    """Bytes that have to be moved at least: every argument read once, every result written once."""
    both = work.arguments, work.by_hand(*work.arguments)
    return sum(np.asarray(leaf).nbytes for leaf in leaves(both))


# ----------------------------------------------------------------- contestants


def _of_engine(name: str, work: Work, jit: bool) -> Contestant:
    jax = engine(name)
    function = jax.jit(work.function(jax)) if jit else work.function(jax)
    arguments = jax.tree.map(jax.numpy.asarray, work.arguments)
    return Contestant(
        lambda: jax.block_until_ready(function(*arguments)), lambda found: jax.tree.map(np.asarray, found)
    )


def _by_hand(work: Work) -> Contestant:
    return Contestant(lambda: work.by_hand(*work.arguments), lambda found: found)


def _of_autograd(work: Work) -> Contestant:
    function = work.autograd(importlib.import_module("autograd"))
    return Contestant(lambda: function(*work.arguments), lambda found: found)


def _of_torch(work: Work) -> Contestant:
    return work.torch(importlib.import_module("torch"), *work.arguments)


CONTESTANTS: dict[str, tuple[str, Callable[[Work], Contestant]]] = {
    "minijax.jit": ("minijax", lambda work: _of_engine("minijax", work, jit=True)),
    "jax.jit": ("jax", lambda work: _of_engine("jax", work, jit=True)),
    "numpy": ("numpy", _by_hand),
    "torch": ("torch", _of_torch),
    "autograd": ("autograd", _of_autograd),
    "jax": ("jax", lambda work: _of_engine("jax", work, jit=False)),
}
"""By name: the module each needs, and how it is made. "jax" is JAX op by op, "numpy" is written by hand."""


def contestant(name: str, work: Work) -> Contestant | None:
    """The contestant `name` for this work; None where its module is not installed."""
    module, make = CONTESTANTS[name]
    return make(work) if importlib.util.find_spec(module) else None
