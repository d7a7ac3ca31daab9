"""Run on minijax by test_third_party.py: the results of one program, pickled to a file.

    python -m minijax tests/third_party/run.py DEPTH OUT optax             optax from PyPI
    python -m minijax tests/third_party/run.py DEPTH OUT stax              minijax's own example libraries
    python -m minijax tests/third_party/run.py DEPTH OUT stax DIRECTORY    the files of JAX's, from this directory

DEPTH is "full" or "usual".
"""

from __future__ import annotations

import importlib.util
import pickle
import sys
from pathlib import Path
from types import ModuleType

import jax

assert jax.__file__.endswith("minijax/__init__.py"), "this is the side of minijax"


def load(path: Path) -> ModuleType:
    """The module in a file, whatever package the file is in."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(depth: str, out: str, program: str, directory: str = "") -> None:
    """Write the results of a program to the file `out`."""
    programs = load(Path(__file__).with_name(f"{program}_programs.py"))
    arguments = []
    if directory:
        arguments = [load(Path(directory, f"{name}.py")) for name in ("stax", "optimizers")]
    elif program == "stax":
        from jax.example_libraries import optimizers, stax

        arguments = [stax, optimizers]
    Path(out).write_bytes(pickle.dumps(programs.results(*arguments, depth == "full")))


main(*sys.argv[1:])
