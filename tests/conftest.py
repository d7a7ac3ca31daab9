"""What holds around every test: an installed oracle, one search profile, and nothing left behind."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from typing import Any

import hypothesis
import jax
import pytest

import minijax

pytest.register_assert_rewrite("reference.check")

from reference.check import oracle_facts  # noqa: E402, after the rewriting of its assertions is asked for

oracle_facts.check_version()


NO_LIMITS = {"deadline": None, "suppress_health_check": list(hypothesis.HealthCheck), "print_blob": True}
hypothesis.settings.register_profile("default", derandomize=True, database=None, max_examples=10, **NO_LIMITS)
hypothesis.settings.register_profile("full", max_examples=300, **NO_LIMITS)
hypothesis.settings.load_profile("default")


# JAX keeps megabytes for every shape and dtype that it has compiled for.
TESTS_BETWEEN_CLEARING = 500
_tests_run = itertools.count(1)


@pytest.fixture(autouse=True)
def memory_stays_bounded() -> Iterator[None]:
    """Let go of what JAX has compiled now and then."""
    yield
    if next(_tests_run) % TESTS_BETWEEN_CLEARING == 0:
        jax.clear_caches()


def state() -> dict[str, Any]:
    """What a test may change and has to change back."""
    return {
        "current trace": minijax.core.current_trace(),
        "named axes": minijax.config.axis_env.get(),
        "minijax.config": dict(minijax.config.values),
        "jax_enable_x64": jax.config.jax_enable_x64,
        "jax_disable_jit": jax.config.jax_disable_jit,
        "jax_debug_nans": jax.config.jax_debug_nans,
    }


def workers() -> set[threading.Thread]:
    """Running threads, apart from those that serve the test runner and JAX."""
    return {t for t in threading.enumerate() if not t.daemon}


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """A test that leaves a trace, a flag or a thread behind fails."""
    before, running = state(), workers()
    yield
    after = state()
    assert after == before, {key: (before[key], after[key]) for key in before if after[key] != before[key]}
    assert workers() <= running, f"threads still running: {workers() - running}"
