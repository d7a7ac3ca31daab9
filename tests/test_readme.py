"""The README says what is so: its code runs on both engines, its line counts and paths are right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _printed(code: str, capsys: pytest.CaptureFixture) -> str:
    exec(compile(code, "README.md", "exec"), {})
    return capsys.readouterr().out


def test_ten_lines_print_the_same_on_both_engines(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    ours = _printed(code, capsys)
    theirs = _printed(code.replace("import minijax as jax", "import jax").replace("minijax.numpy", "jax.numpy"), capsys)

    def numbers(text):
        return [float(x) for x in re.findall(r"-?\d+\.\d+(?:e-?\d+)?", text.split("{ lambda")[0])]

    assert "{ lambda" in ours and "{ lambda" in theirs
    assert numbers(ours) == pytest.approx(numbers(theirs), rel=1e-5, abs=1e-6)


def test_line_counts_of_the_engine():
    rows = re.findall(r"^\| `(minijax/\w+\.py)` \| (\d+) \|", README, re.M)
    assert len(rows) == 7
    counts = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path, _ in rows}
    assert counts == {path: int(lines) for path, lines in rows}
    assert sum(counts.values()) <= 1650, "the engine is to be read in one afternoon"


def test_every_file_it_names_is_there():
    for path in re.findall(r"`((?:minijax|primitives|tests|tutorials|reference)/[\w/.]+)`|\]\(([\w/.]+)\)", README):
        name = path[0] or path[1]
        assert (ROOT / name).exists() or (ROOT / "minijax" / name).exists(), name
