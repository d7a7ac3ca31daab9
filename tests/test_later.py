"""Packages that import their parts on demand offer what they say they do, and `import minijax` stays small."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import minijax

PACKAGES = ("minijax", "minijax.lax", "minijax.nn", "minijax.numpy", "minijax.scipy")


def names_for_type_checkers(package: str) -> dict[str, tuple[str, str]]:
    """What stands under `if TYPE_CHECKING:`, as name: (module, name there)."""
    tree = ast.parse(Path(importlib.import_module(package).__file__).read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {a.asname or a.name: (node.module, a.name) for node in imports for a in node.names}


@pytest.mark.parametrize("package", PACKAGES)
def test_named_parts_are_there(package: str):
    module, names = importlib.import_module(package), names_for_type_checkers(package)
    for name, (place, there) in names.items():
        found = getattr(module, name)
        if place == package:
            assert found is importlib.import_module(f"{package}.{there}")
        else:
            assert found is getattr(importlib.import_module(place), there)
            # The import system makes a submodule an attribute of its package, in place of what had the name.
            assert not place.endswith(f"{package}.{name}"), "a file may not be called like a function of its package"
    assert set(names) <= set(dir(module))


def imported_by(statement: str) -> set[str]:
    """Modules of minijax that are in memory after one statement in a new process."""
    program = f"{statement}\nimport sys\nprint(*[m for m in sys.modules if m.startswith('minijax')])"
    return set(
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    )


def test_importing_minijax_leaves_the_rest_for_later():
    modules = imported_by("import minijax")
    later = ("random", "nn", "scipy", "image", "lax.linalg", "lax.loops", "numpy.linalg", "numpy.fft")
    assert not modules & {f"minijax.{name}" for name in later}
    assert "minijax.numpy.linalg" in imported_by("import minijax\nminijax.numpy.linalg.norm")


FIRST_USE = """
import minijax as jax

def f(x):
    return jax.nn.gelu(jax.lax.erf(x) + jax.random.normal(jax.random.key(0)))

print(jax.jit(f)(0.5))
"""


def test_first_use_inside_a_traced_function():
    done = subprocess.run([sys.executable, "-W", "error", "-c", FIRST_USE], capture_output=True, text=True, check=True)
    expected = minijax.nn.gelu(minijax.lax.erf(0.5) + minijax.random.normal(minijax.random.key(0)))
    assert float(done.stdout) == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.parametrize("package", PACKAGES)
def test_unknown_names(package: str):
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nothing'"):
        importlib.import_module(package).nothing  # noqa: B018
