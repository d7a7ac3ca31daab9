"""`python -m reference check`: what it counts, prints and writes, and its exit status."""

from __future__ import annotations

import importlib
from pathlib import Path

import jax
import pytest

import minijax
from reference import cli
from reference.check import cases, names, operations, runner
from reference.check.cases import Case
from reference.check.oracle import assert_same


def agrees() -> None:
    """Two arrays, one of them identical."""
    assert_same(minijax.numpy.arange(3), jax.numpy.arange(3))
    assert_same(minijax.numpy.float32(1), jax.numpy.float32(1 + 2**-23), ulp=4)


def disagrees() -> None:
    assert_same(minijax.numpy.arange(3), jax.numpy.arange(1, 4), what="arange <b>")


def breaks() -> None:
    raise RuntimeError("something broke")


GOOD = [Case("family one", ("f", "g"), "good", agrees), Case("family two", ("f",), "many", lambda: 70)]
BAD = [Case("family two", ("g",), "bad", disagrees), Case("family two", ("h",), "broken", breaks)]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch):
    """Put other cases in place of the tables."""
    return lambda chosen: monkeypatch.setattr(runner, "quick_cases", lambda: chosen)


def check(*words: str) -> int:
    return cli.main(["check", "--quick", "--jobs", "1", *words])


def test_agreement(use, capsys: pytest.CaptureFixture[str]):
    use(GOOD)
    assert check() == 0
    printed = capsys.readouterr().out
    one = next(line.split() for line in printed.splitlines() if line.startswith("family one"))
    assert one[2:] == ["2", "1", "2", "50.0%", "1", "0"]
    assert "71 cases" in printed and "0 failures" in printed


def test_disagreement_and_page(use, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    use(GOOD + BAD)
    page = tmp_path / "new" / "check.html"
    assert check("--html", str(page)) == 1
    printed = capsys.readouterr().out
    assert "FAILED family two: bad" in printed and "RuntimeError: something broke" in printed
    text = page.read_text()
    assert "disagree in 2 of 73 cases" in text and "arange &lt;b&gt;" in text
    assert text.count("<details open>") == 2 and "http" not in text.replace("http://www.w3.org", "")


def test_families_are_chosen(use, capsys: pytest.CaptureFixture[str]):
    use(GOOD + BAD)
    assert check("--family", "one") == 0
    assert "family two" not in capsys.readouterr().out
    assert check("--family", "three") == 2
    assert "no family is called three" in capsys.readouterr().err


def test_cases_cover_the_tables():
    everything = cases.all_cases()
    assert len({(case.family, case.name) for case in everything}) > 10_000
    primitives = {f for case in cases.quick_cases() if case.family.startswith("primitives") for f in case.functions}
    assert primitives == {row.primitive for row in operations.ROWS if row.wants("eval")}


def test_processes_side_by_side(capsys: pytest.CaptureFixture[str]):
    assert cli.main(["check", "--quick", "--jobs", "2", "--family", "primitives: shaping"]) == 0
    assert "primitives: shaping" in capsys.readouterr().out


@pytest.mark.parametrize("module", names.MODULES)
def test_names_are_counted(module: str):
    counted = names.count(module)
    assert "not listed" not in counted.missing
    assert counted.known == len(names.public_names(importlib.import_module(f"jax.{module}".rstrip("."))))
