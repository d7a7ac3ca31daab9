"""Where traces and compiled programs are kept: no longer than the function that they belong to, and not too many.

The cache of a function hangs on it by a weak reference. That is not enough where what is kept leads back to the
function, as the trace of a function with a derivative of its own leads to the user's rule, which may call the
function again: `KeepsItsTraces` has room for a cache of its own, which Python's collector can see through; for
others there is the limit.

Threads use one cache at the same time. Two that miss make the value twice, and go on with the first; every step on
a dict below is a single operation of the interpreter, so there are no locks.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

__all__ = ["Cache", "KeepsItsTraces", "cache_of", "clear_caches"]

LIMIT = 2048  # entries of one cache, and functions that have one: as many as JAX keeps


class Cache(dict):
    """A dict that forgets its oldest entries when there are too many. Add to it by `keep`."""

    __slots__ = ("__weakref__",)

    def keep(self, key: Any, value: Any) -> Any:
        """Keep `value` under `key`; the value kept, which is another thread's if that was quicker."""
        kept = self.setdefault(key, value)
        if len(self) > LIMIT:
            for old in list(self)[:-LIMIT]:
                self.pop(old, None)
        return kept


class KeepsItsTraces:
    """Base class of callables that hold their own cache. It is in a slot, as `functools.wraps` copies all the rest."""

    __slots__ = ("_traces",)


_caches: weakref.WeakKeyDictionary[Any, Cache] = weakref.WeakKeyDictionary()
# Every cache by its id, those that `_caches` has dropped too, while somebody uses them.
_all: weakref.WeakValueDictionary[int, Cache] = weakref.WeakValueDictionary()


def cache_of(fun: Callable) -> Cache:
    """The traces of `fun`. A bound method is made anew at each access, so its two halves are the key."""
    if isinstance(fun, KeepsItsTraces):
        if not hasattr(fun, "_traces"):
            fun._traces = _new_cache()
        return fun._traces
    target, owner = getattr(fun, "__func__", fun), getattr(fun, "__self__", None)
    try:
        if owner is None or target is fun:
            return _entry(target)
        return _entry(owner).keep(("method", target), _new_cache())
    except TypeError:  # not hashable, or without weak references
        return Cache()


def _entry(target: Any) -> Cache:
    cache = _caches.get(target)
    if cache is None:
        cache = _caches.setdefault(target, _new_cache())
        for old in _caches.keyrefs()[:-LIMIT]:
            _caches.pop(old(), None)
    return cache


def _new_cache() -> Cache:
    cache = Cache()
    _all[id(cache)] = cache
    return cache


def clear_caches() -> None:
    """Forget every trace of every function."""
    for ref in _all.valuerefs():
        cache = ref()
        if cache is not None:
            cache.clear()
