"""What `jit` makes of a function: traced once for each kind of arguments, then run as a jaxpr.

Two calls are of one kind when tree structure, static arguments and the shapes, dtypes and weak
types of all leaves are the same. The cache hangs on the user's function by a weak reference
and holds jaxprs only, so that it dies with the function.
"""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from minijax import compiler, config
from minijax.array import Array, ArrayImpl
from minijax.caches import cache_of
from minijax.compile_logs import compile_with_log, explain_miss, log_tracing
from minijax.compiler import executable
from minijax.core import EVAL, ShapedArray, as_operand, current_trace, get_aval
from minijax.donation import take_over, usable
from minijax.jaxpr import ClosedJaxpr, stage
from minijax.nan_checks import check_values
from minijax.primitives.calls import evaluate_jaxpr, hoist_tracers
from minijax.primitives.jit import jit_p
from minijax.shape_struct import ShapeDtypeStruct
from minijax.tracebacks import api_boundary, boundary, hide_frames
from minijax.tree_util import keystr, tree_flatten, tree_flatten_with_path, tree_map, tree_unflatten

if TYPE_CHECKING:
    from minijax.compiler.analysis import CompiledMemoryStats


class Program(NamedTuple):
    """A traced function: its jaxpr, the tracers it closes over, and the tree of its result."""

    closed: ClosedJaxpr
    consts: list[Any]
    out_tree: Any
    donated: tuple[int, ...] = ()

    def run(self, leaves: Sequence[Any]) -> list[Any]:
        """The results for concrete arrays; those donated are deleted."""
        if not self.donated:
            return evaluate_jaxpr(self.closed, leaves)
        outs = executable(self.closed, self.donated)(*take_over(leaves, self.donated))
        return [ArrayImpl(o, aval.weak_type) for o, aval in zip(outs, self.closed.out_avals, strict=True)]


def flat_function(fun: Callable, in_tree: Any, out_trees: list[Any]) -> Callable:
    """`fun(*args, **kwargs)` as a function of the leaves; it appends the result's tree to `out_trees`."""

    def flat(*leaves: Any) -> list[Any]:
        args, kwargs = tree_unflatten(in_tree, leaves)
        outs, tree = tree_flatten(fun(*args, **kwargs))
        out_trees.append(tree)
        return outs

    return flat


class JitFunction:
    """A jitted function. `trace` and `lower` show what it becomes for given arguments."""

    def __init__(self, fun: Callable, static: StaticArguments, keep_unused: bool, inline: bool):
        functools.update_wrapper(self, fun)
        self._fun = fun
        self._static = static
        self._cache = cache_of(fun)
        self._params = {"name": fun_name(fun), "inline": inline, "keep_unused": keep_unused}

    def __repr__(self) -> str:
        return f"<JitFunction of {self._fun!r}>"

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    @boundary
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            if config.disable_jit.value:
                return self._fun(*args, **kwargs)
            program, leaves = self._program(args, kwargs)
            if current_trace() is not EVAL:
                outs = jit_p.bind(*program.consts, *leaves, jaxpr=program.closed, **self._params)
            elif config.debugging:
                outs = self._watched(program, leaves, args, kwargs)
            else:
                outs = program.run(leaves)
            return tree_unflatten(program.out_tree, outs)
        except Exception as error:
            hide_frames(error)
            raise

    def _watched(self, program: Program, leaves: list[Any], args: tuple, kwargs: dict[str, Any]) -> list[Any]:
        """Run the program as debugging flags ask for."""
        compile_with_log(program.closed, self._params["name"], program.donated)
        outs = program.run(leaves)
        return check_values(jit_p, leaves, {"jaxpr": program.closed}, outs, lambda: self._without_jit(args, kwargs))

    def _without_jit(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Run the function itself, on arrays as jit would give it."""
        static_key, args, kwargs = self._static.split(args, kwargs)
        leaves, tree = tree_flatten((args, kwargs))
        args, kwargs = tree_unflatten(tree, list(map(as_operand, leaves)))
        return self._static.rejoin(self._fun, static_key)(*args, **kwargs)

    def _program(self, args: tuple, kwargs: dict[str, Any]) -> tuple[Program, list[Any]]:
        """The traced function for these arguments, from the cache if it is there, and their leaves."""
        static_key, args, kwargs = self._static.split(args, kwargs)
        leaves, in_tree = tree_flatten((args, kwargs))
        avals = []
        for i, x in enumerate(leaves):
            if type(x) is not ArrayImpl:
                leaves[i] = x = self._operand(x, i, args, kwargs)
            avals.append((x.shape, x.dtype, x.weak_type))
        key = (in_tree, tuple(avals), static_key, config.trace_context())
        program = self._cache.get(key)
        if program is None:
            if config.explain_cache_misses.value:
                explain_miss(self._fun, self._params["name"], key, self._cache)
            donated = self._static.donated_leaves(args, kwargs)
            program = self._trace(in_tree, [ShapedArray(*aval) for aval in avals], static_key, donated)
            if not program.consts:  # a tracer of the surrounding transformation must not outlive it
                program = self._cache.keep(key, program)
        return program, leaves

    def _operand(self, x: Any, index: int, args: tuple, kwargs: dict[str, Any]) -> Any:
        if isinstance(x, ShapeDtypeStruct):
            return x.aval
        try:
            return as_operand(x)
        except TypeError:
            path = keystr(tree_flatten_with_path((args, kwargs))[0][index][0])
            raise TypeError(
                f"Error interpreting argument to {self._fun} as an abstract array. The problematic value is "
                "of type "
                f"{type(x)} and was passed to the function at path {path} of (args, kwargs). Arguments of a "
                "jitted "
                "function must be arrays, numbers or pytrees of them; mark others as static with "
                "static_argnums or "
                "static_argnames, or convert them with jnp.asarray."
            ) from None

    def _trace(self, in_tree: Any, avals: Sequence[ShapedArray], static_key: Any, donated: Sequence[int]) -> Program:
        name = self._params["name"]
        started = time.perf_counter()
        out_trees: list[Any] = []
        flat = flat_function(self._static.rejoin(self._fun, static_key), in_tree, out_trees)

        def checked(*leaves: Any) -> list[Any]:
            return [_valid_result(x, self._fun) for x in flat(*leaves)]

        consts, closed = hoist_tracers(stage(checked, avals, name))
        if config.log_compiles.value and current_trace() is EVAL:
            log_tracing(name, started)
        donated = usable(donated, closed.jaxpr) if donated and not consts else ()
        return Program(closed, consts, out_trees[-1], donated)

    def clear_cache(self) -> None:
        """Forget what was traced; the next call traces again."""
        self._cache.clear()

    @api_boundary
    def eval_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Shapes and dtypes of the result, as a tree of ShapeDtypeStructs, without computing it."""
        return self.trace(*args, **kwargs).out_info

    @api_boundary
    def trace(self, *args: Any, **kwargs: Any) -> Traced:
        """The jaxpr for these arguments, which may be ShapeDtypeStructs."""
        program, leaves = self._program(args, kwargs)
        _, args, kwargs = self._static.split(args, kwargs)
        return Traced(program, tree_flatten((args, kwargs))[1], leaves, self._params["name"])

    @api_boundary
    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """The program handed to the compiler for these arguments, which may be ShapeDtypeStructs."""
        return self.trace(*args, **kwargs).lower()


def fun_name(fun: Callable) -> str:
    """The name that jaxprs and messages show for a function."""
    while isinstance(fun, functools.partial):
        fun = fun.func
    return getattr(fun, "__name__", type(fun).__name__)


def _valid_result(x: Any, fun: Callable) -> Any:
    try:
        return as_operand(x) if not isinstance(x, bool | int | float) else x
    except TypeError:
        raise TypeError(
            f"function {fun_name(fun)} traced for jit returned a value of type {type(x)}, which is not a "
            "valid JAX type. "
            "Return arrays, numbers or pytrees of them, and compute other things outside of the jitted "
            "function."
        ) from None


# ----------------------------------------------------------------- stages to look at


class _Stage:
    def __init__(self, program: Program, in_tree: Any, leaves: Sequence[Any], fun_name: str):
        self._program = program
        self._leaves = [
            get_aval(x) if isinstance(x, Array) else ShapedArray(x.shape, x.dtype, x.weak_type) for x in leaves
        ]
        self.fun_name = fun_name
        self.in_tree = in_tree
        self.out_tree = program.out_tree
        self.in_avals = tree_unflatten(in_tree, self._leaves)

    @property
    def out_info(self) -> Any:
        """Shapes and dtypes of the result, as a tree of ShapeDtypeStructs."""
        avals = self._program.closed.out_avals
        return tree_unflatten(self.out_tree, [ShapeDtypeStruct(a.shape, a.dtype, weak_type=a.weak_type) for a in avals])

    def _next(self, stage_class: type) -> Any:
        return stage_class(self._program, self.in_tree, self._leaves, self.fun_name)


class Traced(_Stage):
    """A function as a jaxpr: the result of `jit(f).trace(*args)`."""

    @property
    def jaxpr(self) -> ClosedJaxpr:
        """The jaxpr."""
        return self._program.closed

    def lower(self) -> Lowered:
        """Hand the jaxpr to the compiler."""
        return self._next(Lowered)


class Lowered(_Stage):
    """A program for the compiler: the result of `jit(f).lower(*args)`."""

    def as_text(self) -> str:
        """The jaxpr that the compiler gets."""
        return str(self._program.closed)

    def cost_analysis(self) -> dict[str, float]:
        """Operations and bytes of the jaxpr as it is: flops, transcendentals, bytes accessed."""
        return compiler.cost_analysis(self._program.closed)

    def compile(self) -> Compiled:
        """Something that can be called with arguments of the same shapes and dtypes."""
        compile_with_log(self._program.closed, self.fun_name, self._program.donated)
        return self._next(Compiled)


class Compiled(_Stage):
    """A program that accepts arguments of one signature only."""

    def as_text(self) -> str:
        """The source of the Python function over NumPy that runs."""
        return self._executable().text

    def cost_analysis(self) -> dict[str, float]:
        """Operations and bytes of the program after all passes: flops, transcendentals, bytes accessed."""
        return compiler.cost_analysis(self._executable().closed)

    def memory_analysis(self) -> CompiledMemoryStats:
        """Bytes of arguments, results and temporaries of one call, as the compiler has planned them."""
        program = self._program
        return compiler.memory_analysis(program.closed, self._executable(), program.donated)

    def _executable(self) -> Any:
        return executable(self._program.closed, self._program.donated)

    @api_boundary
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        leaves, tree = tree_flatten((args, kwargs))
        if tree != self.in_tree:
            raise TypeError(
                f"Function compiled with input pytree {self.in_tree} was called with {tree}. "
                "Call it with the same structure, and without the static arguments."
            )
        leaves = [as_operand(x) for x in leaves]
        for x, aval in zip(leaves, self._leaves, strict=True):
            if (x.shape, x.dtype) != (aval.shape, aval.dtype):
                raise TypeError(
                    "Argument types differ from the types for which this computation was compiled: "
                    "compiled with "
                    f"{aval.str_short()} and called with {get_aval(x).str_short()}. Lower and compile for "
                    "the new type."
                )
        return tree_unflatten(self.out_tree, self._program.run(leaves))

    call = __call__


# ----------------------------------------------------------------- static arguments


def _signature(fun: Callable) -> inspect.Signature | None:
    try:
        return inspect.signature(fun)
    except (TypeError, ValueError):  # builtins
        return None


def _numbers(name: str, value: int | Sequence[int] | None) -> tuple[int, ...]:
    if value is None:
        return ()
    try:
        return (value.__index__(),) if hasattr(value, "__index__") else tuple(v.__index__() for v in value)
    except (AttributeError, TypeError):
        raise TypeError(f"{name} must be an int or a sequence of ints, got {value!r}.") from None


def _names(name: str, value: str | Iterable[str] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    found = (value,) if isinstance(value, str) else tuple(value)
    if not all(isinstance(n, str) for n in found):
        raise TypeError(f"{name} must be a str or a sequence of strs, got {value!r}.")
    return found


class StaticArguments:
    """Which arguments are static (part of the cache key, given to the function as they are)."""

    def __init__(
        self,
        fun: Callable,
        argnums: Any,
        argnames: Any,
        donate_argnums: Any = None,
        donate_argnames: Any = None,
    ):
        signature = _signature(fun)
        self._parameters = list(signature.parameters.values()) if signature else []
        self.argnums, self.argnames = self._resolve("static", argnums, argnames)
        self.donated, self.donated_names = self._resolve("donate", donate_argnums, donate_argnames)
        both = set(self.argnums) & set(self.donated), set(self.argnames) & set(self.donated_names)
        if any(both):
            raise ValueError(
                f"static and donated arguments cannot intersect: {sorted(both[0]) + sorted(both[1])} appear "
                "in both. "
                "A static argument has no buffer to donate; remove it from donate_argnums and "
                "donate_argnames."
            )

    def _resolve(self, kind: str, argnums: Any, argnames: Any) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """Positions and names, each completed from the other by the function's signature, as JAX does."""
        numbers, names = _numbers(f"{kind}_argnums", argnums), _names(f"{kind}_argnames", argnames)
        positional = [p.name for p in self._parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        variadic = any(p.kind is p.VAR_POSITIONAL for p in self._parameters) or not self._parameters
        if not variadic and any(not -len(positional) <= i < len(positional) for i in numbers):
            raise ValueError(
                f"Jitted function has {kind}_argnums={numbers}, but only accepts {len(positional)} "
                "positional arguments. "
                f"Count positions from 0, or name the arguments with {kind}_argnames."
            )
        known = {p.name for p in self._parameters}
        takes_any = any(p.kind is p.VAR_KEYWORD for p in self._parameters) or not self._parameters
        if not takes_any and set(names) - known:
            raise ValueError(
                f"Jitted function has invalid argnames {sorted(set(names) - known)} in {kind}_argnames. "
                f"Function does not take these args; it takes {sorted(known)}."
            )
        if argnums is None:
            numbers = tuple(i for i, n in enumerate(positional) if n in names)
        elif argnames is None:
            names = tuple(
                p.name
                for i, p in enumerate(self._parameters)
                if p.kind is p.POSITIONAL_OR_KEYWORD and (i in numbers or i - len(positional) in numbers)
            )
        return numbers, names

    def split(self, args: tuple, kwargs: dict[str, Any]) -> tuple[Any, tuple, dict[str, Any]]:
        """(the static arguments as a hashable key, the other positional ones, the other keywords)."""
        if not self.argnums and not self.argnames:
            return (), args, kwargs
        numbers = {i + len(args) if i < 0 else i for i in self.argnums}
        static = tuple((i, _Static(args[i])) for i in sorted(numbers) if i < len(args))
        named = tuple((n, _Static(kwargs[n])) for n in sorted(kwargs) if n in self.argnames)
        rest = tuple(x for i, x in enumerate(args) if i not in numbers)
        return (static, named), rest, {n: x for n, x in kwargs.items() if n not in self.argnames}

    def donated_leaves(self, args: tuple, kwargs: dict[str, Any]) -> list[int]:
        """The numbers of the donated leaves, given the arguments that are not static."""
        if not self.donated and not self.donated_names:
            return []
        count = len(args) + len(self.argnums)
        static = {i + count if i < 0 else i for i in self.argnums}
        donated = {i + count if i < 0 else i for i in self.donated}
        # The numbers count static arguments, too.
        places = [i for i in range(count) if i not in static]
        flags = tuple(i in donated for i in places), {name: name in self.donated_names for name in kwargs}
        marked = tree_flatten(tree_map(lambda flag, tree: tree_map(lambda _: flag, tree), flags, (args, kwargs)))[0]
        return [i for i, flag in enumerate(marked) if flag]

    def rejoin(self, fun: Callable, key: Any) -> Callable:
        """`fun` as a function of its other arguments."""
        if not key:
            return fun
        static, named = key

        def partial(*args: Any, **kwargs: Any) -> Any:
            full = list(args)
            for i, x in static:
                full.insert(i, x.value)
            return fun(*full, **kwargs, **{n: x.value for n, x in named})

        return partial


class _Static:
    """A static argument in a cache key. Values of different types differ, even if equal (1 and 1.0)."""

    __slots__ = ("value", "_hash")

    def __init__(self, value: Any):
        self.value = value
        try:
            self._hash = hash(value)
        except TypeError as e:
            raise ValueError(
                "Non-hashable static arguments are not supported. An error occurred while trying to hash an "
                "object of "
                f"type {type(value)}, {value}: {e}. Static arguments are part of the cache key; pass a "
                "tuple instead of a "
                "list, or give the class __hash__ and __eq__."
            ) from None

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return type(other) is _Static and type(self.value) is type(other.value) and self.value == other.value
