"""jax_debug_nans and jax_debug_infs raise where JAX raises, and nowhere else."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import minijax

# Functions of the module and two arrays: one with a NaN, and zeros and ones.
CASES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "operator": lambda jax, bad, x: bad + 1,
    "indexing": lambda jax, bad, x: bad[1],
    "jit": lambda jax, bad, x: jax.jit(lambda x: x / x)(x),
    "jit of a good number in the end": lambda jax, bad, x: jax.jit(lambda x: jax.numpy.where(x > 0, x / x, 0))(x),
    "the same without jit": lambda jax, bad, x: jax.numpy.where(x > 0, x / x, 0),
    "grad": lambda jax, bad, x: jax.grad(lambda x: jax.numpy.sqrt(x) * 0)(0.0),
    "grad of jit": lambda jax, bad, x: jax.grad(jax.jit(lambda x: jax.numpy.sqrt(x) * 0))(0.0),
    "vmap": lambda jax, bad, x: jax.vmap(lambda x: x / x)(x),
    "log of -1": lambda jax, bad, x: jax.numpy.log(-1.0),
    "log of 0": lambda jax, bad, x: jax.numpy.log(x),
    "one through zero": lambda jax, bad, x: 1 / x,
    "complex": lambda jax, bad, x: x[:1] * 1j / 0,
    "bfloat16": lambda jax, bad, x: x.astype("bfloat16") / x.astype("bfloat16"),
    "reshape": lambda jax, bad, x: bad.reshape(2, 1),
    "isnan": lambda jax, bad, x: jax.numpy.isnan(bad),
    "nansum": lambda jax, bad, x: jax.numpy.nansum(bad),
    "device_put": lambda jax, bad, x: jax.device_put(np.array([np.nan], np.float32)),
    "integers": lambda jax, bad, x: jax.numpy.arange(3) // 0,
    "keys": lambda jax, bad, x: jax.random.split(jax.random.key(0)),
    "all well": lambda jax, bad, x: jax.numpy.sin(x) + x * 2,
}


def outcome(engine: Any, case: Callable, flag: str) -> str:
    """What happens in a case under a flag: "fine", or which operation is to blame."""
    bad, x = engine.numpy.array([1.0, np.nan], "float32"), engine.numpy.array([0.0, 1.0], "float32")
    try:
        with getattr(engine, flag)(True):
            case(engine, bad, x)
    except FloatingPointError as error:
        return " ".join(str(error).replace(":", "").split()[:6])
    return "fine"


@pytest.mark.parametrize("flag", ["debug_nans", "debug_infs"])
@pytest.mark.parametrize("name", CASES)
def test_same_as_jax(name: str, flag: str):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = outcome(jax, CASES[name], flag)
    ours = outcome(minijax, CASES[name], flag)
    if name == "indexing":  # jnp's indexing is another primitive when the index is a number
        assert (ours == "fine") == (theirs == "fine")
    else:
        assert ours == theirs


def test_switched_on_for_good_and_off_again():
    minijax.config.update("jax_debug_nans", True)
    try:
        with pytest.raises(FloatingPointError, match=r"encountered in div.*float32|f32\[\].*jnp.where"):
            minijax.numpy.divide(0.0, 0.0)
    finally:
        minijax.config.update("jax_debug_nans", False)
    assert np.isnan(minijax.numpy.divide(0.0, 0.0))
