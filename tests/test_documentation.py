"""Programs after JAX's documentation pages print the same on minijax as on JAX.

Each is a script that says `import jax`. It runs in this process on JAX, and by `python -m minijax` in another one.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import runpy
import subprocess
import sys
import warnings
from pathlib import Path

import jax
import pytest

import minijax

PROGRAMS = sorted(Path(__file__).with_name("documentation_programs").glob("*.py"))
# JAX compiles long over the others.
QUICK = {"compilation", "control_flow", "key_concepts", "quickstart", "stateful_computations", "vectorization"}
NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|nan|inf)(?:(?=j)|(?!\w))")
# JAX prints this while jax_debug_nans is on, before it raises the error.
JAX_PRINTS = "Invalid nan value encountered in the output of a jax.jit function. Calling the de-optimized version.\n"


def on_minijax(program: Path) -> str:
    """What a program prints by `python -m minijax PROGRAM`."""
    environment = os.environ | {"PYTHONPATH": str(Path(minijax.__file__).parents[1])}
    result = subprocess.run(
        [sys.executable, "-m", "minijax", str(program)], capture_output=True, text=True, env=environment, timeout=100
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def on_jax(program: Path) -> str:
    """What it prints on JAX, in this process."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        runpy.run_path(str(program), run_name="__main__")
        jax.effects_barrier()
    return printed.getvalue().replace(JAX_PRINTS, "")


def numbers_and_words(text: str) -> tuple[list[float], str]:
    """All numbers of a text, and the text without them and without the blanks that line them up."""
    return [float(n) for n in NUMBER.findall(text)], re.sub(r"\s+", "", NUMBER.sub("#", text))


def test_there_is_a_program_for_each_page():
    assert len(PROGRAMS) >= 11
    for program in PROGRAMS:
        text = program.read_text()
        assert re.search(r"^import jax$", text, re.M) and "minijax" not in text


@pytest.mark.parametrize(
    "program", [pytest.param(p, id=p.stem, marks=() if p.stem in QUICK else pytest.mark.full) for p in PROGRAMS]
)
def test_prints_the_same(program: Path):
    (ours, our_words), (theirs, their_words) = map(numbers_and_words, (on_minijax(program), on_jax(program)))
    assert our_words == their_words
    assert ours == pytest.approx(theirs, rel=2e-5, abs=2e-6, nan_ok=True)
    assert len(theirs) > 10, "it prints nearly nothing"
