"""Every public name of minijax is a name of JAX, with JAX's signature."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import types
from typing import Any

import jax
import pytest

import minijax
from reference.check import missing_names, oracle_facts
from reference.check.names import words

MODULES = tuple(missing_names.NAMES)
ACTIVATIONS = [
    "relu",
    "relu6",
    "sigmoid",
    "softplus",
    "sparse_plus",
    "sparse_sigmoid",
    "soft_sign",
    "silu",
    "swish",
    "mish",
    "log_sigmoid",
    "leaky_relu",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "elu",
    "celu",
    "selu",
    "gelu",
    "glu",
    "squareplus",
    "softmax",
    "log_softmax",
    "logsumexp",
    "logmeanexp",
    "log1mexp",
    "standardize",
    "one_hot",
    "identity",
    "tanh",
]


def module(engine: str, name: str) -> Any:
    """`jax.numpy` for ("jax", "numpy"); an empty module where minijax has none of this name."""
    full = f"{engine}.{name}" if name else engine
    if engine == "minijax" and not is_there(full):
        return types.ModuleType(full)
    return importlib.import_module(full)


def is_there(full: str) -> bool:
    """Whether there is a module of this full name."""
    parent = full.rpartition(".")[0]
    return not parent or (is_there(parent) and importlib.util.find_spec(full) is not None)


def public_names(name: str) -> list[str]:
    """What a module of minijax exports: `__all__`, or names without an underscore that are not its parts.

    `core` and `dtypes` hold the engine's own names too, so that of theirs only those count which JAX has.
    """
    ours, theirs = module("minijax", name), module("jax", name)
    names = getattr(ours, "__all__", None) or [n for n in dir(ours) if not n.startswith("_")]
    inner = name in ("core", "dtypes")
    return sorted(n for n in names if hasattr(theirs, n) or not (inner or inspect.ismodule(getattr(ours, n))))


NAMES = [(name, n) for name in MODULES for n in public_names(name)]


def path(name: str, n: str) -> str:
    """The dotted path under either engine."""
    return f"{name}.{n}" if name else n


@pytest.mark.parametrize("name, n", NAMES, ids=[path(*pair) for pair in NAMES])
def test_name_and_signature(name: str, n: str):
    ours = getattr(module("minijax", name), n)
    if path(name, n) in oracle_facts.NAMES_OF_OUR_OWN:
        assert not hasattr(module("jax", name), n), "JAX has it: take it off the list in oracle_facts.py"
        return
    theirs = getattr(module("jax", name), n)
    same = inspect.isclass(ours) == inspect.isclass(theirs) and signature(ours) == signature(theirs)
    if path(name, n) in oracle_facts.SIGNATURE_DIFFERS:
        assert not same, "the signatures agree now: take it off the list in oracle_facts.py"
    else:
        assert same, f"\n ours   {ours} {signature(ours)}\n theirs {theirs} {signature(theirs)}"


def signature(thing: Any) -> list[tuple[str, str, str]] | None:
    """Name, kind and default of each parameter, without annotations; None for what Python cannot tell."""
    if not callable(thing) or inspect.isclass(thing):
        return None
    try:
        parameters = inspect.signature(thing).parameters.values()
    except ValueError:
        return None
    listed = [(p.name, p.kind.name, default_text(p.default)) for p in parameters]
    return sorted(listed, key=lambda p: p if p[1] == "KEYWORD_ONLY" else ())  # their order means nothing


def default_text(default: Any) -> str:
    """A default value in a form that compares across the engines: sentinels and functions have addresses."""
    if default is inspect.Parameter.empty:
        return ""
    if isinstance(default, frozenset):
        return " ".join(sorted(map(default_text, default)))
    named = getattr(default, "__name__", None)
    return named or ("sentinel" if " at 0x" in repr(default) else repr(default))


def methods(engine: Any) -> dict[str, Any]:
    """Public methods and properties of arrays."""
    return {n: getattr(engine.Array, n) for n in dir(engine.Array) if not n.startswith("_")}


@pytest.mark.parametrize("name", sorted(methods(minijax)))
def test_method_of_arrays(name: str):
    ours, theirs = methods(minijax)[name], methods(jax).get(name)
    if name in oracle_facts.METHODS_OF_OUR_OWN:
        assert theirs is None
        return
    assert theirs is not None, f"jax.Array has no {name}"
    assert callable(ours) == callable(theirs)
    same = not callable(ours) or signature(ours)[1:] == signature(theirs)[1:]
    assert same == (name not in oracle_facts.METHOD_SIGNATURE_DIFFERS), (signature(ours), signature(theirs))


def test_arrays_have_what_jaxs_have():
    """Attributes of concrete arrays, which are more than those of the class that tracers share."""
    ours, theirs = ({n for n in dir(engine.numpy.ones(3)) if not n.startswith("_")} for engine in (minijax, jax))
    assert theirs - ours == words(missing_names.ARRAYS)
    assert not ours - theirs


def modules_of_jax() -> set[str]:
    """Names of JAX's public modules, without "jax."; of those with parts also the parts."""
    found = set()
    for parent in ("", "scipy", "scipy.stats", "numpy", "lax", "nn", "random", "example_libraries", "experimental"):
        paths = getattr(module("jax", parent), "__path__", ())
        found |= {path(parent, m.name) for m in pkgutil.iter_modules(paths) if not m.name.startswith("_")}
    return found


def test_every_module_is_compared_or_listed():
    absent, compared = words(missing_names.MODULES), set(MODULES)
    packages = {m for m in modules_of_jax() if any(n.startswith(f"{m}.") for n in compared)}
    assert modules_of_jax() - compared - packages == absent
    assert not [m for m in absent if is_there(f"minijax.{m}")], "it is there: compare its names"


def test_lists_of_exceptions_are_not_stale():
    names = {path(*pair) for pair in NAMES}
    assert not {*oracle_facts.NAMES_OF_OUR_OWN, *oracle_facts.SIGNATURE_DIFFERS} - names
    assert not {*oracle_facts.METHODS_OF_OUR_OWN, *oracle_facts.METHOD_SIGNATURE_DIFFERS} - set(methods(minijax))


@pytest.mark.parametrize("name", MODULES)
def test_missing_names_are_listed(name: str):
    """What minijax does not have is written down, and nothing stays on the list by mistake."""
    theirs = module("jax", name)
    names = {n for n in dir(theirs) if not n.startswith("_") and not inspect.ismodule(getattr(theirs, n))}
    ours = module("minijax", name)
    listed = words(missing_names.NAMES[name])
    missing = {n for n in names if not hasattr(ours, n)}
    assert missing == listed, f"not listed: {sorted(missing - listed)}, stale: {sorted(listed - missing)}"


def test_enough_of_numpy():
    functions = [n for n in public_names("numpy") if callable(getattr(minijax.numpy, n))]
    assert len(functions) >= 200


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_is_there(name: str):
    assert callable(getattr(minijax.nn, name))
    assert name in minijax.nn.__all__


def test_all_activations_of_jax_are_asked_for():
    """jax.nn's functions, without initialisers and the fused attention kernels."""
    functions = {n for n in dir(jax.nn) if callable(getattr(jax.nn, n)) and not n.startswith("_")}
    assert functions - set(ACTIVATIONS) == oracle_facts.NOT_ACTIVATIONS


def test_custom_rule_objects():
    """custom_jvp and custom_vjp are classes with methods of their own."""
    for name in ("custom_jvp", "custom_vjp"):
        ours, theirs = getattr(minijax, name), getattr(jax, name)
        for method in ("__init__", "__call__", "defjvp" if name == "custom_jvp" else "defvjp"):
            assert signature(getattr(ours, method)) == signature(getattr(theirs, method)), (name, method)
    assert signature(minijax.custom_jvp.defjvps) == signature(jax.custom_jvp.defjvps)
