"""What jax_log_compiles and jax_explain_cache_misses ask for: when jit traces and compiles, how long it takes, and why.

The records have the loggers and levels of JAX's, by which programs choose what to show.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from minijax import compiler, config
from minijax.core import ShapedArray
from minijax.jaxpr import ClosedJaxpr
from minijax.source_info import user_source
from minijax.tree_util import keystr, tree_flatten_with_path, tree_unflatten

__all__ = ["compile_with_log", "explain_miss", "log_tracing"]


def _warn(logger: str, text: str) -> None:
    import logging  # rarely needed, and a twentieth of the time that importing minijax takes

    logging.getLogger(f"jax._src.{logger}").warning("%s", text)


def log_tracing(name: str, started: float) -> None:
    """Report that a function has been traced, since `started` of time.perf_counter()."""
    _warn("dispatch", f"Finished tracing {name} for jit in {time.perf_counter() - started:.9f} sec")


def compile_with_log(closed: ClosedJaxpr, name: str, donated: tuple[int, ...] = ()) -> None:
    """Compile a jaxpr, if it is not compiled yet, and report it if compilations are logged."""
    if not config.log_compiles.value or compiler.is_compiled(closed, donated):
        return
    _warn("interpreters.pxla", f"Compiling jit({name}) with global shapes and types {tuple(closed.in_avals)}.")
    started = time.perf_counter()
    compiler.executable(closed, donated)
    _warn("dispatch", f"Finished compilation of jit({name}) in {time.perf_counter() - started:.9f} sec")


# ----------------------------------------------------------------- why a function is traced again

# A call as jit sees it: tree, (shape, dtype, weak type) of each leaf, static arguments, configuration.
Key = tuple[Any, tuple[tuple, ...], Any, tuple]


def explain_miss(fun: Callable, name: str, key: Key, seen: Iterable[Any]) -> None:
    """Report what differs between this call and the most similar one for which the function was traced before."""
    code = getattr(fun, "__code__", None)
    place = f" defined at {code.co_filename}:{code.co_firstlineno}" if code else ""
    earlier = [k for k in seen if type(k) is tuple and len(k) == len(key) and type(k[0]) is type(key[0])]
    if earlier:
        closest = min(reversed(earlier), key=lambda k: sum(a != b for a, b in zip(k, key, strict=True)))
        reason = f"  for {name}{place}\n  all calls before were of another kind. From the closest one this differs by\n"
        reason += "\n".join(f"  * {line}" for line in _differences(key, closest))
    else:
        reason = f"  never seen function:\n    {name} id={id(fun)}{place}"
    _warn("interpreters.partial_eval", f"TRACING CACHE MISS at {user_source()}:\n{reason}")


def _differences(key: Key, before: Key) -> list[str]:
    tree, types, static, context = (a != b for a, b in zip(key, before, strict=True))
    lines = []
    if tree:
        lines.append(f"the structure of (args, kwargs): now {key[0]}, before {before[0]}")
    elif types:
        indexed = tree_flatten_with_path(tree_unflatten(key[0], range(key[0].num_leaves)))[0]
        lines += [
            f"the argument at {keystr(path)} of (args, kwargs): now {_type(now)}, before {_type(then)}"
            for (path, _), now, then in zip(indexed, key[1], before[1], strict=True)
            if now != then
        ]
    if static:
        lines.append(f"the static arguments: now {_statics(key[2])}, before {_statics(before[2])}")
    if context:
        lines.append("the configuration: an option that tracing reads has another value")
    return lines


def _type(leaf: tuple) -> str:
    aval = ShapedArray(*leaf)
    return f"{aval.str_short()}{', weakly typed' if aval.weak_type else ''}"


def _statics(key: Any) -> str:
    values = [f"{name}={static.value!r}" for part in key for name, static in part]
    return ", ".join(values) or "none"
