"""Each function of the library gives what JAX gives: values, types and weak types, or an exception of its class."""

from __future__ import annotations

import importlib
import re
from typing import Any

import pytest

from reference.check import oracle_facts
from reference.check.derivative_checks import check_derivatives, check_numerically, float_operands
from reference.check.function_checks import CHECKS, calls, valued_calls
from reference.check.functions import FAMILIES


def cases() -> list[Any]:
    """All (bound, call) pairs; those in the lists MORE_<bound> carry the `full` mark."""
    default = [(bound, call) for family in FAMILIES.values() for bound in CHECKS for call in calls(family, bound)]
    more = [(bound, call) for f in FAMILIES.values() for bound in CHECKS for call in calls(f, f"MORE_{bound}")]
    return default + [pytest.param(*case, marks=pytest.mark.full) for case in more]


@pytest.mark.parametrize("bound, call", cases())
def test_call(bound: str, call: str):
    CHECKS[bound](call)


# Enough of them for the default depth to notice a rule that went wrong; the others belong to the full depth.
EVERY = 80
VALUED = [call for family in FAMILIES.values() for call in valued_calls(family) if float_operands(call)]


@pytest.mark.parametrize(
    "call", [pytest.param(call, marks=pytest.mark.full if i % EVERY else ()) for i, call in enumerate(VALUED)]
)
def test_derivatives(call: str):
    check_derivatives(call)


@pytest.mark.parametrize("call", [call for family in FAMILIES.values() for call in calls(family, "SMOOTH")])
def test_derivatives_against_differences(call: str):
    check_numerically(call)


@pytest.mark.parametrize("call", oracle_facts.DERIVATIVES_DIFFER)
def test_derivatives_that_differ_are_called(call: str):
    assert call in VALUED


def called_names(prefix: str) -> set[str]:
    """The functions that some call names behind a prefix such as `jnp.`."""
    bounds = [bound for bound in CHECKS if bound != "REFUSED"]
    lists = [name for bound in bounds for name in (bound, f"MORE_{bound}")]
    text = "\n".join(call for family in FAMILIES.values() for name in lists for call in calls(family, name))
    return set(re.findall(rf"\b{re.escape(prefix)}\.(\w+)", text))


# Modules all of whose functions have to be called, and how the calls spell them.
COVERED = {
    "numpy": "jnp",
    "numpy.linalg": "jnp.linalg",
    "numpy.fft": "jnp.fft",
    "scipy.linalg": "jax.scipy.linalg",
    "scipy.special": "sp",
    "nn": "jax.nn",
    "nn.initializers": "jax.nn.initializers",
    "image": "jax.image",
    "scipy.signal": "jax.scipy.signal",
    "scipy.spatial.transform": "tf",
    "scipy.ndimage": "jax.scipy.ndimage",
    "random": "jax.random",
    "scipy.stats": "st",
    "scipy.stats.bernoulli": "st.bernoulli",
    "scipy.stats.beta": "st.beta",
    "scipy.stats.betabinom": "st.betabinom",
    "scipy.stats.binom": "st.binom",
    "scipy.stats.cauchy": "st.cauchy",
    "scipy.stats.chi2": "st.chi2",
    "scipy.stats.dirichlet": "st.dirichlet",
    "scipy.stats.expon": "st.expon",
    "scipy.stats.gamma": "st.gamma",
    "scipy.stats.gennorm": "st.gennorm",
    "scipy.stats.geom": "st.geom",
    "scipy.stats.gumbel_l": "st.gumbel_l",
    "scipy.stats.gumbel_r": "st.gumbel_r",
    "scipy.stats.laplace": "st.laplace",
    "scipy.stats.logistic": "st.logistic",
    "scipy.stats.multinomial": "st.multinomial",
    "scipy.stats.multivariate_normal": "st.multivariate_normal",
    "scipy.stats.nbinom": "st.nbinom",
    "scipy.stats.norm": "st.norm",
    "scipy.stats.pareto": "st.pareto",
    "scipy.stats.poisson": "st.poisson",
    "scipy.stats.t": "st.t",
    "scipy.stats.truncnorm": "st.truncnorm",
    "scipy.stats.uniform": "st.uniform",
    "scipy.stats.vonmises": "st.vonmises",
    "scipy.stats.wrapcauchy": "st.wrapcauchy",
    "scipy.fft": "numerics.fft",
    "scipy.integrate": "numerics.integrate",
    "scipy.interpolate": "numerics.interpolate",
    "scipy.sparse.linalg": "numerics.sparse.linalg",
    "scipy.optimize": "numerics.optimize",
}


@pytest.mark.parametrize("module", COVERED)
def test_every_function_is_called(module: str):
    names = importlib.import_module(f"minijax.{module}")
    functions = {n for n in names.__all__ if callable(getattr(names, n))}
    numpys_own = {n for n in functions if getattr(getattr(names, n), "__module__", "") == "numpy"}
    missing = sorted(functions - numpys_own - called_names(COVERED[module]) - {"ndarray"})
    assert not missing, f"no row calls {missing}"
