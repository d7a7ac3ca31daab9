"""jax.debug: printing and calling back from inside transformed functions."""

from __future__ import annotations

import functools
import string
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minijax.arguments import check_callable
from minijax.array import Array
from minijax.core import Tracer
from minijax.debugger import breakpoint as breakpoint
from minijax.devices import devices
from minijax.effects import DebugEffect, OrderedDebugEffect, debug_effect, ordered_debug_effect
from minijax.primitives.callbacks import debug_callback_p, debug_primitive
from minijax.sharding import make_single_device_sharding
from minijax.source_info import user_source
from minijax.tree_util import tree_flatten, tree_map, tree_unflatten

__all__ = [
    "DebugEffect",
    "OrderedDebugEffect",
    "breakpoint",
    "callback",
    "inspect_array_sharding",
    "log",
    "print",
    "visualize_array_sharding",
    "visualize_sharding",
]

# ----------------------------------------------------------------- callback


def callback(
    callback: Callable[..., Any] | None = None,
    *args: Any,
    ordered: bool = False,
    partitioned: bool = False,
    **kwargs: Any,
) -> Callable[..., None] | None:
    """Call `callback(*args, **kwargs)` with concrete values whenever the surrounding program runs.

    Once for each example under vmap, with the primal values under differentiation, again where jax.checkpoint
    computes anew. Calls happen in the order of the program, `ordered` or not; `partitioned` is about many devices.
    Without a callback the result takes it with its arguments: `jax.debug.callback(ordered=True)(f, x)`.

    Raises TypeError unless it is callable, and JaxRuntimeError when it fails inside of a jitted function.
    """

    def call_back(function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        if not callable(function):
            raise TypeError(f"jax.debug.callback: the first argument must be a function, got {function!r}.")
        operands, others, tree = _split_arguments(args, kwargs)

        def flat(*values: Any) -> None:
            call_args, call_kwargs = _joined_arguments(values, others, tree)
            function(*call_args, **call_kwargs)

        effect = ordered_debug_effect if ordered else debug_effect
        debug_callback_p.bind(*operands, callback=flat, effect=effect, partitioned=partitioned)

    return _in_one_call_or_two("callback", call_back, callback, args, kwargs)


def _in_one_call_or_two(name: str, function: Callable, first: Any, args: tuple, kwargs: dict) -> Any:
    """function(first, *args, **kwargs), or the function itself when there is no first argument."""
    if first is not None:
        return function(first, *args, **kwargs)
    if args or kwargs:
        raise TypeError(
            f"jax.debug.{name}: got arguments {args} {kwargs} but no {name}. Give options alone in a first call,"
            f" jax.debug.{name}(ordered=True), and everything else in the second"
        )
    return function


def _split_arguments(args: tuple, kwargs: dict) -> tuple[list[Any], tuple[tuple[int, Any], ...], Any]:
    """The arrays and numbers among the leaves of the arguments, the others with their positions, and the tree."""
    leaves, tree = tree_flatten((args, kwargs))
    kinds = (Array, np.ndarray, np.generic, bool, int, float, complex)
    is_operand = [isinstance(x, kinds) or hasattr(x, "__jax_array__") for x in leaves]
    others = tuple([(i, x) for i, x in enumerate(leaves) if not is_operand[i]])
    return [x for i, x in enumerate(leaves) if is_operand[i]], others, tree


def _joined_arguments(values: Sequence[Any], others: Sequence[tuple[int, Any]], tree: Any) -> tuple[tuple, dict]:
    """The arguments that `_split_arguments` has taken apart, with these values of the operands."""
    given, at = iter(values), dict(others)
    return tree_unflatten(tree, [at[i] if i in at else next(given) for i in range(len(values) + len(at))])


# ----------------------------------------------------------------- print, log


def print(  # noqa: A001
    fmt: str | None = None,
    *args: Any,
    ordered: bool = False,
    partitioned: bool = False,
    skip_format_check: bool = False,
    _use_logging: bool = False,
    **kwargs: Any,
) -> Callable[..., None] | None:
    """Print `fmt.format(*args, **kwargs)` with concrete values whenever the surrounding program runs.

    As often, and in the order, in which `callback` calls; with the print options of NumPy that hold here.
    Raises ValueError, KeyError or IndexError if fields and arguments do not match; with skip_format_check,
    arguments for which there is no field stand behind the text.
    Without a format the result takes it with its arguments: `jax.debug.print(ordered=True)("x = {}", x)`.
    """

    def print_format(fmt: str, *args: Any, **kwargs: Any) -> None:
        if not skip_format_check:
            _FieldChecker().format(fmt, *args, **kwargs)
        operands, others, tree = _split_arguments(args, kwargs)
        debug_print_p.bind(
            *operands,
            fmt=fmt,
            ordered=ordered,
            partitioned=partitioned,
            in_tree=tree,
            static_args=others,
            np_printoptions=tuple(np.get_printoptions().items()),
            has_placeholders=_begins_with_a_field(fmt),
            logging_record=_log_record() if _use_logging else None,
        )

    return _in_one_call_or_two("print", print_format, fmt, args, kwargs)


# As `print`, but the text goes to the logger of `jax.debug` at level INFO, with the user's file and line.
log = functools.partial(print, _use_logging=True)


class _FieldChecker(string.Formatter):
    """Raises for fields that do not match the arguments, before anything runs."""

    def format_field(self, value: Any, format_spec: str) -> str:
        return ""  # a tracer has no digits to format

    def check_unused_args(self, used: Any, args: Sequence[Any], kwargs: Any) -> None:
        unused = [i for i in range(len(args)) if i not in used]
        if unused or set(kwargs) - set(used):
            raise ValueError(
                f"debug.print: unused arguments {unused + sorted(set(kwargs) - set(used))} for the format string. "
                'Give each a field, for example jax.debug.print("x = {x}", x=x); f-strings see tracers only.'
            )


def _begins_with_a_field(fmt: str) -> bool:
    """Whether there is a field before the first doubled brace: JAX prints other texts as they are."""
    return bool(fmt) and next(iter(string.Formatter().parse(fmt)))[1] is not None


def _log_record() -> Any:
    import logging  # rarely needed, and a twentieth of the time that importing minijax takes

    source = user_source()
    file, line = (source.file, source.line) if source else ("(unknown file)", 0)
    return logging.getLogger(_LOGGER).makeRecord(_LOGGER, logging.INFO, file, line, "", (), None)


# The name that JAX's records have, for programs that choose by it.
_LOGGER = "jax._src.debugging"


def _shown_by(params: dict[str, Any]) -> Callable[..., None]:
    """The function that a debug_print with these parameters calls."""
    fmt, record = params["fmt"], params["logging_record"]

    def show(*values: Any) -> None:
        args, kwargs = _joined_arguments(values, params["static_args"], params["in_tree"])
        with np.printoptions(**dict(params["np_printoptions"])):
            if params["has_placeholders"] or kwargs:
                text = fmt.format(*args, **kwargs)
            else:
                text = " ".join([fmt, *map(str, args)])
        if record is None:
            sys.stdout.write(text + "\n")
        else:
            _log(record, text)

    return show


def _log(record: Any, text: str) -> None:
    import logging

    logger = logging.getLogger(_LOGGER)
    if logger.isEnabledFor(record.levelno):
        logger.handle(logging.makeLogRecord({**vars(record), "msg": text}))


debug_print_p = debug_primitive(
    "debug_print", _shown_by, effect=lambda params: ordered_debug_effect if params["ordered"] else debug_effect
)

# ----------------------------------------------------------------- where arrays are


def inspect_array_sharding(value: Any, *, callback: Callable[[Any], None]) -> None:
    """Call `callback` with the sharding of each array of a tree: at once, inside of jit while tracing.

    Raises TypeError unless it is callable.
    """
    check_callable("inspect_array_sharding", callback)
    tree_map(
        lambda x: callback(make_single_device_sharding(devices()[0]) if isinstance(x, Tracer) else x.sharding), value
    )


def visualize_array_sharding(arr: Any, **kwargs: Any) -> None:
    """Print a drawing of which device holds which part of an array of one or two axes; see visualize_sharding."""
    inspect_array_sharding(arr, callback=lambda sharding: visualize_sharding(arr.shape, sharding, **kwargs))


def visualize_sharding(
    shape: Sequence[int],
    sharding: Any,
    *,
    use_color: bool = True,
    scale: float = 1.0,
    min_width: int = 9,
    max_width: int = 80,
    color_map: Any = None,
) -> None:
    """Print a drawing of which device holds which part of an array of this shape.

    Lines and letters only: there are no colours. Raises ValueError unless there are one or two axes.
    """
    if not 1 <= len(shape) <= 2:
        raise ValueError(f"visualize_sharding draws arrays of one or two axes, got the shape {tuple(shape)}.")
    height = int(10 * scale) if len(shape) == 2 else 1
    width = int(int(10 * scale) * (shape[1] if len(shape) == 2 else 1) / max(shape[0], 1) * 2.5)
    width = min(max(width, min_width), max_width) - 2
    devices = sorted(device.id for device in sharding.device_set)
    name = f"{next(iter(sharding.device_set)).platform.upper()} {','.join(map(str, devices))}"
    above = max((height - 2) // 2, 0)
    lines = [" " * width] * above + [name.center(width)] + [" " * width] * max(height - 3 - above, 0)
    box = ["┌" + "─" * width + "┐", *[f"│{line}│" for line in lines], "└" + "─" * width + "┘"]
    sys.stdout.write("\n".join(box) + "\n\n")
