"""Facts that hold for the pinned version of JAX; a new pin starts here.

Everything in the tests that knows something about JAX beyond its public interface stands in this file.
"""

from __future__ import annotations

from typing import Any

import jax
from jax._src.core import DropVar, Var

VERSION = "0.10.2"

# Parameters of JAX's primitives that say where arrays live and how they are laid out over devices. minijax has one
# device and does not carry them.
STRUCK_PARAMETERS = frozenset({"out_sharding", "sharding"})


def unused(var: Any) -> Any:
    """A variable that nobody reads. JAX marks it by its type; minijax finds out when it prints."""
    return DropVar(var.aval) if isinstance(var, Var) else var


def check_version() -> None:
    """Fail early, and say why, when the oracle is not the pinned one."""
    assert jax.__version__ == VERSION, f"the facts in oracle_facts.py hold for jax {VERSION}, not {jax.__version__}"

# Programs of test_jaxpr_text.py whose text differs from JAX's, and why. Keep it short.
JAXPR_TEXT_DIFFERS: dict[str, str] = {}
