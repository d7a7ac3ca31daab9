"""jax.experimental.key_reuse: finding random keys that are used twice.

A key gives the same random numbers each time that it is used. Under the flag jax_debug_key_reuse the second use of a
key raises KeyReuseError, whether it is in the same program or not:

    with jax.debug_key_reuse(True):
        key = jax.random.key(0)
        a = jax.random.normal(key)
        b = jax.random.normal(key)  # KeyReuseError: a and b would be the same

Sampling and `split` use a key up, `fold_in` does not. Splitting gives new keys, and taking one out of an array
of keys uses it up in the array. `jax.random.clone` gives a key that may be used again, for those who want
the same numbers. Programs (jitted functions, loops, branches) are checked as a whole when they are called; a loop
may not use a key in all of its turns.

Raw keys, as of `jax.random.PRNGKey`, are followed too, which JAX does not: outside of programs, by their numbers. A
raw key counts as new when PRNGKey, split, fold_in or clone has made it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minijax.api import make_jaxpr
from minijax.errors import KeyReuseError
from minijax.key_reuse import signature_of

__all__ = ["KeyReuseError", "check_key_reuse"]


def check_key_reuse(fun: Callable, /, *args: Any) -> None:
    """Raise KeyReuseError if the program of `fun(*args)` uses a key twice. The function is traced, not run."""
    signature_of(make_jaxpr(fun)(*args))
