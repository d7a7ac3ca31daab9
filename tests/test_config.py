"""Configuration flags: names, values and errors as in JAX; threads and tasks do not see each other's."""

import asyncio
import contextvars
import os
import subprocess
import sys
import threading

import jax
import pytest

from minijax import config

FLAGS = sorted(name for name in config.values if name.startswith("jax_"))  # the others are our own
# The flags that have an attribute of the same name in `jax`, which is also their context manager.
IN_JAX = [name for name in FLAGS if type(getattr(jax, name.removeprefix("jax_"), None)).__name__ == "State"]
VALUES = [
    True,
    False,
    0,
    1,
    "yes",
    None,
    3,
    1.5,
    [1],
    "raise",
    "strict",
    "high",
    "warn",
    "error",
    "off",
    "log",
]
VALUES += ["cpu", "philox2x32"]


def flag(name):
    return config._flags[name]


def outcome(function, *args):
    """The value, or the exception's class."""
    try:
        return function(*args)
    except (AttributeError, TypeError, ValueError) as error:
        return type(error).__name__


@pytest.mark.parametrize("name", FLAGS)
def test_names_and_defaults_are_those_of_jax(name):
    theirs = jax.config.values[name]
    ours = getattr(config, name)
    if name == "jax_explicit_x64_dtypes":  # an integer enum there
        theirs = theirs.name.lower()
    assert ours == theirs and config.read(name) == ours
    assert flag(name).name == name and flag(name).__name__ == name.removeprefix("jax_") and flag(name).__doc__


@pytest.mark.parametrize("name", IN_JAX)
def test_values_are_accepted_and_refused_as_in_jax(name):
    theirs = getattr(jax, name.removeprefix("jax_"))
    before = config.values
    for value in VALUES:
        ours = outcome(read_inside, flag(name), value)
        assert ours == outcome(read_inside, theirs, value), value
        assert outcome(update_inside, config, name, value) == ours, value
    assert outcome(read_inside, flag(name)) == outcome(read_inside, theirs)
    assert config.values == before
    assert outcome(bool, flag(name)) == outcome(bool, theirs) == "TypeError"


def read_inside(flag, *value):
    with flag(*value):
        return flag.value


def update_inside(config, name, value):
    """What the flag is after an update, which is taken back."""
    before = getattr(config, name)
    config.update(name, value)
    try:
        return getattr(config, name)
    finally:
        config.update(name, before)


@pytest.mark.parametrize(
    "name, good, bad",
    [
        ("jax_platform_name", "cpu", 3),
        ("jax_platforms", "cpu", 3),
        ("jax_num_cpu_devices", -1, "two"),
        ("jax_random_seed_offset", 3, 1.5),
        ("jax_transfer_guard", "log", "nonsense"),
        ("jax_default_device", "cpu", 3),
        ("jax_traceback_filtering", "off", "on"),
        ("jax_persistent_cache_min_compile_time_secs", 2, "two"),
        ("jax_compilation_cache_dir", "somewhere", 1),
    ],
)
def test_update(name, good, bad):
    assert update_inside(config, name, good) == good
    with pytest.raises(ValueError, match=f"{name}.*{bad}"):
        config.update(name, bad)


def test_unknown_names():
    for module in (config, jax.config):
        for function in (
            lambda m: m.update("jax_enable_x46", True),
            lambda m: m.read("jax_enable_x46"),
            lambda m: m.jax_enable_x46,
            lambda m: setattr(m, "jax_enable_x64", True),
        ):
            with pytest.raises(AttributeError, match="jax_enable_x46|setter|cannot be assigned"):
                function(module)
    with pytest.raises(AttributeError, match="jax.config.values"):
        config.update("jax_enable_x46", True)
    assert not config.jax_enable_x64


def test_overrides_nest_and_end():
    x64 = config.enable_x64
    with x64(True):
        with x64(False), x64():
            assert x64.value and config.jax_enable_x64 and config.x64_enabled
        assert x64.value
        with x64(False):
            assert not config.jax_enable_x64
        assert x64.value
    assert not x64.value
    with pytest.raises(ZeroDivisionError), x64(True):
        _ = 1 // 0
    assert not x64.value


def test_one_override_entered_twice():
    again = config.enable_x64(True)
    with again, again:
        assert config.jax_enable_x64
    assert not config.jax_enable_x64


def test_overrides_of_suspended_generators_end_in_any_order():
    def hold(flag, value):
        with flag(value):
            yield

    first, second = hold(config.enable_x64, True), hold(config.debug_nans, True)
    next(first), next(second)
    first.close()
    assert config.debug_nans.value and not config.enable_x64.value
    second.close()
    assert not config.debug_nans.value


def test_flags_decorate_functions():
    @config.enable_x64(True)
    def f(x):
        """Doc."""
        return x, config.enable_x64.value

    assert f(3) == (3, True) and f.__name__ == "f" and f.__doc__ == "Doc."
    assert not config.enable_x64.value
    with config.checking_leaks():
        assert config.check_tracer_leaks.value


def test_threads_see_global_values_only():
    seen = []

    def look():
        seen.append((config.enable_x64.value, config.debug_nans.value, config.trace_context()))

    config.update("jax_debug_nans", True)
    try:
        with config.enable_x64(True):
            thread = threading.Thread(target=look)
            thread.start()
            thread.join()
            contextvars.copy_context().run(look)  # what asyncio does for each task
    finally:
        config.update("jax_debug_nans", False)
    assert [s[:2] for s in seen] == [(False, True), (True, True)]
    assert seen[0][2] == config.trace_context() != seen[1][2]


def test_tasks_do_not_see_each_other():
    async def task(value, log):
        with config.enable_x64(value):
            await asyncio.sleep(0)
            log.append(config.enable_x64.value == value)

    async def main():
        log = []
        await asyncio.gather(*[task(i % 2 == 0, log) for i in range(6)])
        return log

    assert asyncio.run(main()) == [True] * 6


# The number of devices is settled by the first array: see test_pmap.py.
@pytest.mark.parametrize("name", [name for name in FLAGS if name != "jax_num_cpu_devices"])
def test_trace_context_changes_with_the_flags_that_tracing_reads(name):
    before = config.trace_context()
    assert before == config.trace_context() and hash(before) == hash(config.trace_context())
    traced = flag(name) in config._traced
    other = next(v for v in [not flag(name).value, *VALUES] if accepts(name, v) and v != flag(name).value)
    with flag(name)(other):
        assert (config.trace_context() != before) == traced
    value = flag(name).value
    config.update(name, other)
    assert (config.trace_context() != before) == traced
    config.update(name, value)
    assert config.trace_context() == before


def accepts(name, value):
    return outcome(update_inside, config, name, value) == value


def test_traced_flags_are_those_of_jax():
    def changes(name):
        state = getattr(jax, name.removeprefix("jax_"))
        before = jax._src.config.trace_context()
        other = next(v for v in [not state.value, *VALUES] if outcome(read_inside, state, v) == v != state.value)
        with state(other):
            return jax._src.config.trace_context() != before

    for name in IN_JAX:
        assert (flag(name) in config._traced) == changes(name), name


PRINT = """
from minijax import config
print(config.jax_enable_x64, config.jax_numpy_rank_promotion, config.read("jax_random_seed_offset"))
"""


def run_with(**environment):
    return subprocess.run(
        [sys.executable, "-c", PRINT],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        cwd=os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
        check=False,
    )


def test_environment():
    done = run_with(JAX_ENABLE_X64="yes", JAX_NUMPY_RANK_PROMOTION="raise", JAX_RANDOM_SEED_OFFSET="7")
    assert done.stdout.split() == ["True", "raise", "7"], done.stderr
    done = run_with(JAX_ENABLE_X64="maybe")
    assert done.returncode != 0 and "JAX_ENABLE_X64 is 'maybe'" in done.stderr
