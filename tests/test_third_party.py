"""Libraries that say `import jax` run on minijax unchanged, and give what they give on JAX.

The programs are in tests/third_party. Each runs twice: here, on JAX, and in a process of its own on minijax.
"""

from __future__ import annotations

import importlib
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from jax.example_libraries import optimizers, stax

import minijax

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "third_party"))

import stax_programs  # noqa: E402  they are scripts beside run.py, not a package

# Of every number, relative to 1 + its size: after 50 steps of training two engines differ by rounding alone.
BOUND = 1e-5


@pytest.fixture
def optax_programs() -> Any:
    """The programs about optax, which is in the `dev` extra; without it these tests fail, the others run."""
    return importlib.import_module("optax_programs")


def on_minijax(depth: str, out: Path, *args: str) -> Any:
    """The results of a program in another process, where `import jax` gives minijax."""
    command = [sys.executable, "-m", "minijax", str(HERE / "third_party" / "run.py"), depth, str(out), *args]
    path = os.pathsep.join([str(Path(minijax.__file__).parents[1]), *filter(None, sys.path)])
    result = subprocess.run(command, capture_output=True, text=True, timeout=500, env=os.environ | {"PYTHONPATH": path})
    assert result.returncode == 0, result.stderr
    return pickle.loads(out.read_bytes())


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """Path and value of each array; the containers of stax are dicts, lists and tuples."""
    if isinstance(tree, dict):
        tree = tree.items()
    elif isinstance(tree, list | tuple):
        tree = enumerate(tree)
    else:
        yield path, tree
        return
    for key, child in tree:
        yield from leaves(child, f"{path}/{key}")


def compare(ours: Any, theirs: Any) -> int:
    """Assert that two results agree within the bound; how many numbers they have."""
    ours, theirs = dict(leaves(ours)), dict(leaves(theirs))
    assert ours.keys() == theirs.keys()
    for path, expected in theirs.items():
        got = ours[path]
        assert (got.shape, got.dtype) == (expected.shape, expected.dtype), path
        np.testing.assert_allclose(got, expected, rtol=BOUND, atol=BOUND, err_msg=path)
    return sum(x.size for x in theirs.values())


@pytest.mark.parametrize("depth", ["usual", pytest.param("full", marks=pytest.mark.full)])
def test_example_libraries(depth: str, tmp_path: Path):
    """JAX's own files, unmodified, and ours of the same interface."""
    theirs = stax_programs.results(stax, optimizers, depth == "full")
    own_files = on_minijax(depth, tmp_path / "own", "stax")
    jax_files = on_minijax(depth, tmp_path / "jax", "stax", str(Path(stax.__file__).parent))
    assert compare(own_files, theirs) > 300
    assert compare(jax_files, theirs) > 300


@pytest.mark.parametrize("depth", ["usual", pytest.param("full", marks=pytest.mark.full)])
def test_optax(depth: str, optax_programs: Any, tmp_path: Path):
    """Schedules, losses, and 50 steps of an MLP with optimizers and chains of them."""
    theirs = optax_programs.results(depth == "full")
    assert compare(on_minijax(depth, tmp_path / "out", "optax"), theirs) > 1000


def test_every_optimizer_of_optax_is_tried(optax_programs: Any):
    """The aliases that optax exports, against the list of the full depth."""
    tried = " ".join(optax_programs.usual_optimizers() | optax_programs.all_optimizers())
    optax = optax_programs.optax
    aliases = [n for n in dir(optax._src.alias) if hasattr(optax, n) and n.islower() and not n.startswith("_")]
    aliases = [n for n in aliases if getattr(optax, n).__module__ == "optax._src.alias"]
    assert len(aliases) >= 25
    assert not [n for n in aliases if n.removesuffix("_v2") not in tried]


def test_the_expected_values_are_of_jax(optax_programs: Any):
    assert jax.__version__ != minijax.__version__ and optax_programs.jax is jax
