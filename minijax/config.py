"""Configuration flags under JAX's names.

Every flag has one global value, taken at import from the environment variable of
the same name in capitals (JAX_ENABLE_X64=1) and changed by `config.update(name,
value)`, and possibly an override that holds inside a `with flag(value):` block.
Overrides live in one context variable, so threads and asyncio tasks do not see
each other's. The module itself is what JAX calls `jax.config`: `config.update`,
`config.values`, `config.jax_enable_x64`.

Flags that change what tracing produces are marked `traced`; `trace_context()` is
their values as one hashable tuple, to be part of every cache key.
"""

import functools
import os
import sys
from collections.abc import Callable
from contextvars import ContextVar
from types import ModuleType
from typing import Any

__all__ = ["Flag", "checking_leaks", "read", "trace_context", "update"]


# --------------------------------------------------------------------------- flags

# The debugging flags that were ever switched on. While it is empty, which takes no time to see, nobody needs
# to ask for their values after each operation.
debugging: list["Flag"] = []
_DEBUGGING = (
    "jax_check_tracer_leaks",
    "jax_debug_infs",
    "jax_debug_key_reuse",
    "jax_debug_nans",
    "jax_log_compiles",
)
# The overrides of this context: {flag: value}, and what its blocks put back. The dicts are never mutated, only
# replaced, so that a copied context keeps the values it was copied with.
_overrides: ContextVar[dict[Any, Any]] = ContextVar("minijax_config", default={})  # noqa: B039
_get_overrides = _overrides.get
_REQUIRED = object()
# The named axes in scope, pairs of name and length (see `named_axes.py`). No setting, but tracing reads it like one.
axis_env: ContextVar[tuple] = ContextVar("minijax_axis_env", default=())


class Flag:
    """One setting: read it as `flag.value`, override it by `with flag(new_value):` or `@flag(new_value)`."""

    def __init__(self, name: str, default: Any, parse: Callable, doc: str, context_default: Any = _REQUIRED):
        self.name = name
        self.__name__ = name.removeprefix("jax_")
        self.__doc__ = doc
        self._parse = parse
        self._context_default = context_default
        self._global = parse(_from_environment(name, default))
        self._debugs = name in _DEBUGGING
        self._remember(self._global)

    @property
    def value(self) -> Any:
        """The value that holds here: the innermost override of this context, else the global value."""
        overrides = _get_overrides()
        return overrides.get(self, self._global) if overrides else self._global

    def __call__(self, new_val: Any = _REQUIRED) -> "_Override":
        if new_val is _REQUIRED:
            new_val = self._context_default
        if new_val is _REQUIRED:
            raise TypeError(
                f"{self.__name__}() was called without a value. Say which one the block shall use, for"
                f" example `with jax.{self.__name__}({self.value!r}):`"
            )
        self._remember(new_val)
        return _Override(self, self._parse(new_val))

    def __bool__(self) -> bool:
        raise TypeError(f"The flag {self.name} itself has no truth value. Read its setting: `jax.config.{self.name}`")

    def _set_global(self, value: Any) -> None:
        self._global = self._parse(value)
        self._remember(value)

    def _remember(self, value: Any) -> None:
        if self._debugs and value and self not in debugging:
            debugging.append(self)


class _Override:
    """Sets a flag for the length of a `with` block, or of each call when it decorates a function."""

    __slots__ = ("_flag", "_value")

    def __init__(self, flag: Flag, value: Any):
        self._flag, self._value = flag, value

    def __enter__(self) -> None:
        overrides = _get_overrides()
        # What to put back stands in the context too, under this object: other threads may enter the same one. It is
        # a stack, as the object may be entered again inside its own block.
        previous = (*overrides.get(self, ()), overrides.get(self._flag, _REQUIRED))
        _overrides.set({**overrides, self._flag: self._value, self: previous})

    def __exit__(self, *exc_info: object) -> None:
        # Only this flag is put back: blocks in suspended generators may end in any order.
        overrides = dict(_get_overrides())
        *older, previous = overrides.pop(self, (_REQUIRED,))
        if older:
            overrides[self] = tuple(older)
        if previous is _REQUIRED:
            overrides.pop(self._flag, None)
        else:
            overrides[self._flag] = previous
        _overrides.set(overrides)

    def __call__(self, func: Callable) -> Callable:
        @functools.wraps(func)
        def wrapper(*args, **kwargs):
            with _Override(self._flag, self._value):
                return func(*args, **kwargs)

        return wrapper


# --------------------------------------------------------------------------- what a flag accepts

_TRUE, _FALSE = ("y", "yes", "t", "true", "on", "1"), ("n", "no", "f", "false", "off", "0")


def _from_environment(name: str, default: Any) -> Any:
    """The environment's value for a flag in the type of `default`; the default when it is not set."""
    text = os.environ.get(name.upper())
    if text is None:
        return default
    if isinstance(default, bool):
        if text.lower() not in _TRUE + _FALSE:
            raise ValueError(
                f"The environment variable {name.upper()} is {text!r}, which is neither true nor false."
                f" Write {name.upper()}=1 or {name.upper()}=0"
            )
        return text.lower() in _TRUE
    return type(default)(text) if isinstance(default, (int, float)) else text


def _one_of(name: str, allowed: tuple, mistyped: type[Exception] = ValueError) -> Callable:
    """A parser that admits `allowed` only; `mistyped` is what it raises for a value of another type."""

    def parse(value: Any) -> Any:
        if value in allowed:
            return value
        error = ValueError if isinstance(value, str) else mistyped
        raise error(f"{name} cannot be {value!r}. Choose one of {', '.join(map(repr, allowed))}")

    return parse


def _instance_of(name: str, kind: type | tuple) -> Callable:
    """A parser that admits None and instances of `kind`."""

    def parse(value: Any) -> Any:
        if value is not None and not isinstance(value, kind):
            names = " or ".join(t.__name__ for t in (kind if isinstance(kind, tuple) else (kind,)))
            raise ValueError(f"{name} must be None or {names}, got {value!r} of type {type(value).__name__}")
        return value

    return parse


# The devices, once somebody has used one. From then on there is no asking for another number of them.
devices_in_use: list = []


def _number_of_devices(value: Any) -> Any:
    value = _instance_of("jax_num_cpu_devices", int)(value)
    if devices_in_use and value != num_cpu_devices.value:
        raise RuntimeError(
            f"jax_num_cpu_devices cannot become {value!r} any more: arrays have been made on {len(devices_in_use)} "
            "device(s). Update it directly after the import, before the first operation."
        )
    return value


def _device(value: Any) -> Any:
    if value is None or value in ("cpu", "gpu", "tpu") or "Device" in type(value).__name__:
        return value
    raise ValueError(f"jax_default_device cannot be {value!r}. Write jax.devices()[0], 'cpu' or None")


# --------------------------------------------------------------------------- all flags by name

_flags: dict[str, Flag] = {}
_traced: list[Flag] = []
_global_context: tuple = ()


def update(name: str, val: Any) -> None:
    """Set the global value of a flag.

    Raises AttributeError for an unknown name, ValueError for a value that the flag cannot have.
    """
    _flag(name)._set_global(val)
    _refresh_global_context()


def read(name: str) -> Any:
    """The value of a flag by name, overrides included."""
    return _flag(name).value


def trace_context() -> tuple:
    """The values of all flags that change what tracing produces, and the named axes: hashable, for cache keys."""
    overrides, axes = _get_overrides(), axis_env.get()
    if not overrides and not axes:
        return _global_context
    return (*[overrides.get(flag, flag._global) for flag in _traced], axes)


def _refresh_global_context() -> None:
    global _global_context
    _global_context = (*[flag._global for flag in _traced], ())


def _flag(name: str) -> Flag:
    try:
        return _flags[name]
    except KeyError:
        raise AttributeError(
            f"There is no configuration flag named {name!r}. `jax.config.values` lists all of them; their"
            " names begin with jax_, as in jax_enable_x64"
        ) from None


class _ConfigModule(ModuleType):
    """In JAX, `jax.config` is an object. Here this module is: it has flags as read-only attributes."""

    def __getattr__(self, name: str) -> Any:
        return _flag(name).value

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _flags:
            raise AttributeError(
                f"jax.config.{name} cannot be assigned to. Write jax.config.update({name!r}, {value!r})"
            )
        super().__setattr__(name, value)

    @property
    def values(self) -> dict[str, Any]:
        """All flags and their values, overrides included."""
        return {name: flag.value for name, flag in _flags.items()}

    @property
    def x64_enabled(self) -> bool:
        """Whether 64-bit types are on."""
        return enable_x64.value


sys.modules[__name__].__class__ = _ConfigModule


def _register(flag: Flag, traced: bool) -> Flag:
    _flags[flag.name] = flag
    if traced:
        _traced.append(flag)
        _refresh_global_context()
    return flag


def _bool(name: str, default: bool, doc: str, traced: bool = False) -> Flag:
    return _register(Flag(name, default, bool, doc, context_default=True), traced)


def _typed(name: str, kind: type | tuple, default: Any, doc: str, traced: bool = False) -> Flag:
    return _register(Flag(name, default, _instance_of(name, kind), doc), traced)


def _choice(name: str, default: Any, allowed: tuple, doc: str, traced: bool = False) -> Flag:
    return _register(Flag(name, default, _one_of(name, allowed), doc), traced)


def _enum(name: str, default: str, allowed: tuple, doc: str, traced: bool = False) -> Flag:
    # JAX keeps these as enum classes, which raise TypeError for anything but a string.
    return _register(Flag(name, default, _one_of(name, allowed, mistyped=TypeError), doc), traced)


# --------------------------------------------------------------------------- types and promotion

enable_x64 = _bool("jax_enable_x64", False, "Allow 64-bit types; off, they become 32-bit ones.", traced=True)
explicit_x64_dtypes = _enum(
    "jax_explicit_x64_dtypes",
    "warn",
    ("warn", "error", "allow"),
    "What an explicit request for a 64-bit type does while jax_enable_x64 is off.",
    traced=True,
)
numpy_dtype_promotion = _enum(
    "jax_numpy_dtype_promotion",
    "standard",
    ("standard", "strict"),
    "Whether operands of different dtypes are promoted ('standard') or refused ('strict').",
    traced=True,
)
numpy_rank_promotion = _choice(
    "jax_numpy_rank_promotion",
    "allow",
    ("allow", "warn", "raise"),
    "What happens when arrays of different rank are broadcast together.",
    traced=True,
)
default_matmul_precision = _choice(
    "jax_default_matmul_precision",
    None,
    (None, "default", "high", "highest", "bfloat16", "tensorfloat32", "float32")
    + ("ANY_F8_ANY_F8_F32", "ANY_F8_ANY_F8_F32_FAST_ACCUM", "ANY_F8_ANY_F8_ANY")
    + ("ANY_F8_ANY_F8_ANY_FAST_ACCUM", "F16_F16_F16", "F16_F16_F32", "BF16_BF16_BF16", "BF16_BF16_F32")
    + ("BF16_BF16_F32_X3", "BF16_BF16_F32_X6", "BF16_BF16_F32_X9", "TF32_TF32_F32", "TF32_TF32_F32_X3")
    + ("F32_F32_F32", "F64_F64_F64"),
    "Recorded as the precision of matrix products; NumPy always computes in the full one.",
    traced=True,
)
allow_f16_reductions = _bool("jax_allow_f16_reductions", True, "Off, reduce_sum refuses 16-bit floats.", traced=True)

# --------------------------------------------------------------------------- randomness

threefry_partitionable = _bool(
    "jax_threefry_partitionable", True, "Which of JAX's two Threefry bit layouts to use.", traced=True
)
high_dynamic_range_gumbel = _bool(
    "jax_high_dynamic_range_gumbel", False, "Draw Gumbel variates in jax.random's 'high' mode.", traced=True
)
random_seed_offset = _typed("jax_random_seed_offset", int, 0, "Added to the seed of every new random key.", traced=True)
debug_key_reuse = _bool(
    "jax_debug_key_reuse", False, "Raise KeyReuseError when a random key is used twice.", traced=True
)
default_prng_impl = _choice(
    "jax_default_prng_impl",
    "threefry2x32",
    ("threefry2x32", "threefry4x32", "rbg", "unsafe_rbg", "philox2x32", "philox4x32"),
    "The implementation behind jax.random.key; minijax has threefry2x32.",
)
legacy_prng_key = _enum(
    "jax_legacy_prng_key",
    "allow",
    ("allow", "warn", "error"),
    "What happens when jax.random receives a raw uint32 key.",
)
enable_custom_prng = _bool("jax_enable_custom_prng", False, "Let jax.random.PRNGKey return typed keys.")

# --------------------------------------------------------------------------- tracing and debugging

disable_jit = _bool("jax_disable_jit", False, "Run jitted functions and control flow as plain Python.", traced=True)
softmax_custom_jvp = _bool("jax_softmax_custom_jvp", False, "Give jax.nn.softmax its own derivative rule.", traced=True)
no_tracing = _bool("jax_no_tracing", False, "Refuse to trace: every jitted call must hit the cache.")
no_execution = _bool("jax_no_execution", False, "Refuse to execute any operation.", traced=True)
debug_nans = _bool("jax_debug_nans", False, "Raise FloatingPointError at the operation that makes a NaN.")
debug_infs = _bool("jax_debug_infs", False, "Raise FloatingPointError at the operation that makes an infinity.")
enable_checks = _bool("jax_enable_checks", False, "Check internal invariants, jaxprs above all, at every step.")
COMPILER_PASSES = (
    *("inline", "drop_dead_code", "fold_constants", "simplify", "fold_layouts", "merge_common", "hoist"),
    "group_elementwise",
)


def _passes(value: Any) -> tuple[str, ...]:
    names = tuple(filter(None, value.replace(" ", "").split(","))) if isinstance(value, str) else tuple(value)
    for name in names:
        if name not in COMPILER_PASSES:
            raise ValueError(f"the compiler has no pass {name!r}; its passes are {', '.join(COMPILER_PASSES)}")
    return names


disabled_passes = _register(
    Flag("minijax_disabled_passes", "", _passes, "Passes that the compiler leaves out, separated by commas."), True
)
num_threads = _typed(
    "minijax_num_threads",
    int,
    0,
    "Threads that share large elementwise loops; 0 stands for as many as BLAS may have.",
    traced=True,
)
check_compiled = _bool(
    "minijax_check_compiled",
    False,
    "Run every compiled program step by step as well, and raise JaxRuntimeError where the results differ.",
    traced=True,
)
check_tracer_leaks = _bool("jax_check_tracer_leaks", False, "Look for leaked tracers as soon as each trace ends.")
checking_leaks = functools.partial(check_tracer_leaks, True)
log_compiles = _bool("jax_log_compiles", False, "Log each compilation as a warning.")
explain_cache_misses = _bool("jax_explain_cache_misses", False, "Log why a jitted function was traced again.")
log_checkpoint_residuals = _bool(
    "jax_log_checkpoint_residuals", False, "Log what each jax.checkpoint keeps for its backward pass."
)
traceback_filtering = _choice(
    "jax_traceback_filtering",
    "auto",
    ("off", "tracebackhide", "remove_frames", "quiet_remove_frames", "auto"),
    "Which of the library's own frames are taken out of tracebacks.",
)
pprint_use_color = _bool("jax_pprint_use_color", True, "Colour printed jaxprs on a terminal.")

# --------------------------------------------------------------------------- accepted, without effect
# Programs written for accelerators set these in their first lines; on NumPy they have nothing to act on.

default_device = _register(Flag("jax_default_device", None, _device, "There is one device, the CPU."), True)
platforms = _typed("jax_platforms", str, None, "There is one platform, the CPU.")
platform_name = _typed("jax_platform_name", str, "", "There is one platform, the CPU.")
num_cpu_devices = _register(
    Flag("jax_num_cpu_devices", -1, _number_of_devices, "How many devices the CPU stands for; one if it is -1."), False
)
transfer_guard = _choice(
    "jax_transfer_guard",
    None,
    (None, "allow", "log", "disallow", "log_explicit", "disallow_explicit"),
    "There are no transfers to guard.",
)
_NO_DISK = "Compiled functions live in memory only."
enable_compilation_cache = _bool("jax_enable_compilation_cache", True, _NO_DISK)
compilation_cache_dir = _typed("jax_compilation_cache_dir", str, None, _NO_DISK)
persistent_cache_min_entry_size_bytes = _typed("jax_persistent_cache_min_entry_size_bytes", int, 0, _NO_DISK)
persistent_cache_min_compile_time_secs = _typed(
    "jax_persistent_cache_min_compile_time_secs", (float, int), 1.0, _NO_DISK
)
