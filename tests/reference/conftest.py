"""Engines and datasets for the tests of `reference`."""

import os

import pytest

from reference.data import DataUnavailable, load, sources
from reference.engines import ENGINES, engine


@pytest.fixture(scope="session")
def engines():
    """Both engines by name, as the comparison takes them."""
    return {name: engine(name) for name in ENGINES}


@pytest.fixture(params=ENGINES)
def jax(request):
    """Each engine in turn."""
    return engine(request.param)


@pytest.fixture(scope="session")
def digits():
    return load("digits")


@pytest.fixture(scope="session")
def mnist():
    """MNIST from this machine; without it the test is skipped, or fails in CI (environment variable CI)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "download", _refuse)
        try:
            return load("mnist")
        except DataUnavailable as reason:
            if os.environ.get("CI"):
                pytest.fail(f"CI has to have MNIST: {reason}")
            pytest.skip(str(reason))


def _refuse(source):
    raise DataUnavailable(f"{source.title} is not under MINIJAX_DATA_DIR, nor in {sources.folders(source.name)[-1]}")


@pytest.fixture(scope="session")
def small(digits):
    """The digits, cut down to what a few quick steps need."""
    return digits._replace(
        x_train=digits.x_train[:320],
        y_train=digits.y_train[:320],
        x_test=digits.x_test[:50],
        y_test=digits.y_test[:50],
    )
