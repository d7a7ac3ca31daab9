"""Random calls of the library give what JAX gives; `python -m reference check` makes two hundred thousand of them."""

from __future__ import annotations

import numpy as np
import pytest

from reference.check import fuzz
from reference.check.cases import FUZZ_SEEDS, FUZZ_SIGNATURES
from reference.check.fuzz_values import DTYPES_X64, PROFILES, PYTHON_SCALARS, Operand, draw


@pytest.mark.parametrize("family", fuzz.FAMILIES)
def test_random_calls(family: str):
    assert fuzz.fuzz(family, signatures=5, seed=0) >= 5


@pytest.mark.full
@pytest.mark.parametrize("seed", range(FUZZ_SEEDS))
@pytest.mark.parametrize("family", fuzz.FAMILIES)
def test_more_random_calls(family: str, seed: int):
    assert fuzz.fuzz(family, FUZZ_SIGNATURES, seed) >= FUZZ_SIGNATURES


def test_two_hundred_thousand_calls():
    assert len(fuzz.FAMILIES) * FUZZ_SEEDS * FUZZ_SIGNATURES * fuzz.VALUES >= 200_000


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("dtype", [*DTYPES_X64, *PYTHON_SCALARS])
def test_drawn_values(dtype: str, profile: str):
    value = draw(Operand((2, 3), dtype), profile, np.random.default_rng(0))
    if dtype in PYTHON_SCALARS:
        assert type(value).__name__ == dtype.removeprefix("python ")
    else:
        assert value.shape == (2, 3) and value.dtype == dtype


def test_a_disagreement_is_found(monkeypatch: pytest.MonkeyPatch):
    """A call that gives something else in one engine is reported with its operands."""

    def off_by_one(engine, x):
        return engine.numpy.abs(x) + (engine is fuzz.minijax)

    monkeypatch.setitem(fuzz.FAMILIES, "wrong", lambda x64: fuzz.st.just(fuzz.Signature("wrong", off_by_one, (X,), {})))
    with pytest.raises(AssertionError, match="wrong of array"):
        fuzz.fuzz("wrong", signatures=2, seed=0, shrink=False)


X = Operand((3,), "float32")
