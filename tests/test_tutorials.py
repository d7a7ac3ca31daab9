"""The tutorials: every chapter runs on both engines, its exercises are fair, its two files are in step.

A chapter's cells run in a kernel of this interpreter with warnings as errors, first on minijax, then on
real JAX by changing the two import lines, as the text promises. After the chapter, each solution and
each tempting mistake of its solutions file is run, followed by the chapter's own check of that exercise.

By default chapters run in fast mode (MINIJAX_FAST=1: fewer steps, the same claims). The tests marked
`full`, which `make tutorials-check` runs, execute what a reader executes and print how long it takes.
"""

from __future__ import annotations

import functools
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path

import jupytext
import nbformat
import pytest
from ipykernel.kernelspec import write_kernel_spec
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).parent.parent
TUTORIALS = ROOT / "tutorials"
CHAPTERS = sorted(TUTORIALS.glob("[0-9][0-9]_*.md"))
PAGES = sorted(TUTORIALS.rglob("*.md"))
CHANGED_LINES = {
    "import minijax as jax": "import jax",
    "import minijax.numpy as jnp": "import jax.numpy as jnp",
}
# What the kernel's own machinery warns of, when it shuts down for instance, is not the chapter's.
SETUP = """import warnings
warnings.simplefilter("error")
warnings.filterwarnings("ignore", module="ipykernel")"""
# In fast mode XLA's passes over a program would take longer than they save.
FAST_XLA = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
# CPU seconds of the kernel process, its start included. Fast mode should stay far below: it is there so that CI does.
USED = "import os; print(sum(os.times()[:4]))"
MOST_SECONDS = {"fast": 30, "full": 60}
each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(TUTORIALS)))


# ----------------------------------------------------------------- reading


def code_cells(path: Path) -> list[NotebookNode]:
    """The code cells of a notebook in text form."""
    return [cell for cell in jupytext.read(path).cells if cell.cell_type == "code"]


@functools.cache
def solutions(chapter: Path) -> list[NotebookNode]:
    """The code cells of the chapter's solutions file."""
    return code_cells(TUTORIALS / "solutions" / chapter.name)


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell."""
    return cell.metadata.get("tags", [])


def tagged(cells: Sequence[NotebookNode], prefix: str) -> list[tuple[str, NotebookNode]]:
    """The cells with a tag such as `check-2`, each with what follows the prefix."""
    return [
        (tag.removeprefix(f"{prefix}-"), cell) for cell in cells for tag in tags(cell) if tag.startswith(f"{prefix}-")
    ]


def title(chapter: Path) -> str:
    """The chapter's heading, which begins with its number."""
    return re.search(r"^# (.+)$", chapter.read_text(encoding="utf-8"), re.M)[1]


# ----------------------------------------------------------------- running


def for_engine(cells: list[NotebookNode], engine: str) -> list[NotebookNode]:
    """The cells as they run on the engine: for real JAX with other import lines and without toy-only cells."""
    for line, replacement in CHANGED_LINES.items():
        holders = [cell for cell in cells if line in cell.source.splitlines()]
        assert len(holders) == 1, f"{line!r} stands in {len(holders)} cells"
        if engine == "jax":
            lines = holders[0].source.splitlines()
            holders[0].source = "\n".join(replacement if old == line else old for old in lines)
    if engine == "minijax":
        return cells
    cells = [cell for cell in cells if "toy-only" not in tags(cell)]
    for cell in cells:  # minijax.explain draws the jaxprs of both engines
        assert not re.search(r"\bminijax\b(?!\.explain\b)", cell.source), f"to be tagged toy-only:\n{cell.source}"
    return cells


@pytest.fixture(scope="session")
def kernel_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where kernels keep what they share: their specification, IPython's files, matplotlib's list of fonts."""
    home = tmp_path_factory.mktemp("kernels")
    write_kernel_spec(home / "kernels" / "python3")
    return home


def execute(cells: Sequence[NotebookNode], home: Path, depth: str) -> None:
    """Run the cells in a fresh kernel of this very interpreter; a cell that raises fails the test."""
    specs = KernelSpecManager(kernel_dirs=[str(home / "kernels")], ensure_native_kernel=False)
    client = NotebookClient(
        new_notebook(cells=list(cells)),
        km=AsyncKernelManager(kernel_name="python3", kernel_spec_manager=specs),
        timeout=120,
        resources={"metadata": {"path": str(TUTORIALS)}},
    )
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    own = {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "IPYTHONDIR": str(home / "ipython"),
        "MPLCONFIGDIR": str(home / "matplotlib"),
        "JAX_PLATFORMS": "cpu",
        "MINIJAX_FAST": "1" if depth == "fast" else "",
    }
    if depth == "fast":
        own["XLA_FLAGS"] = FAST_XLA
    client.execute(cleanup_kc=True, env=os.environ | own)


def printed(cell: NotebookNode) -> str:
    """What an executed cell wrote to its output; nothing may stand in the error stream."""
    streams = [output for output in cell.outputs if output.output_type == "stream"]
    assert all(output.name == "stdout" for output in streams), streams
    return "".join(output.text for output in streams)


@pytest.mark.parametrize("depth", ["fast", pytest.param("full", marks=pytest.mark.full)])
@pytest.mark.parametrize("engine", ["minijax", "jax"])
@each_chapter
def test_chapter_runs_and_its_checks_tell_right_from_wrong(
    chapter: Path, engine: str, depth: str, kernel_home: Path, capsys: pytest.CaptureFixture
):
    cells = for_engine(code_cells(chapter), engine)
    checks = dict(tagged(cells, "check"))
    runs = [
        (kind, number, new_code_cell(cell.source), new_code_cell(checks[number].source))
        for kind in ("solution", "wrong")
        for number, cell in tagged(solutions(chapter), kind)
        if number in checks
    ]
    used = new_code_cell(USED)
    started = time.perf_counter()
    answers = [cell for _, _, answer, check in runs for cell in (answer, check)]
    execute([new_code_cell(SETUP), *cells, *answers, used], kernel_home, depth)
    elapsed, seconds = time.perf_counter() - started, float(printed(used))
    if depth == "full":
        with capsys.disabled():
            print(f"\n{chapter.stem:<24} on {engine:<8} {elapsed:5.1f} s, of the processor {seconds:5.1f} s", end=" ")

    for cell in cells:
        printed(cell)
    unfilled = {number: printed(check) for number, check in checks.items()}
    assert all(text.startswith("Not yet: ") for text in unfilled.values()), unfilled
    for kind, number, _, check in runs:
        text = printed(check)
        if kind == "solution":
            assert text.startswith("Correct"), f"the solution of exercise {number} is refused: {text}"
        else:
            assert text.startswith("Not yet: "), f"the mistake in exercise {number} passes: {text}"
            assert text != unfilled[number], f"exercise {number} has no hint for the mistake"
    assert seconds <= MOST_SECONDS[depth], f"{seconds:.0f} CPU seconds are too many in {depth} mode"


# ----------------------------------------------------------------- form


@each_chapter
def test_every_exercise_has_a_check_a_solution_and_a_mistake(chapter: Path):
    cells = code_cells(chapter)
    numbers = [number for number, _ in tagged(cells, "exercise")]
    assert numbers == [str(n) for n in range(1, len(numbers) + 1)]
    assert 2 <= len(numbers) <= 4
    assert [number for number, _ in tagged(cells, "check")] == numbers
    assert [number for number, _ in tagged(solutions(chapter), "solution")] == numbers
    assert list(dict(tagged(solutions(chapter), "wrong"))) == numbers


@each_chapter
def test_chapter_has_the_form_of_the_others(chapter: Path):
    text = re.sub(r"```.*?```", "", chapter.read_text(encoding="utf-8"), flags=re.S)
    assert len(re.findall(r"^# ", text, re.M)) == 1, "one title; everything else stands in sections, ##"
    assert title(chapter).startswith(f"{int(chapter.stem[:2])}. ")
    sections = re.findall(r"^## (.+)$", text, re.M)
    assert sections[-3:] == ["Summary", "Exercises", "Where to go on"]
    introduction = text.split("\n## ")[0]
    assert "After this chapter you can" in introduction
    assert re.search(r"\*\*Time:\*\* \d+ minutes\. \*\*You need:\*\* ", introduction)
    assert f"(solutions/{chapter.name})" in text


@each_chapter
def test_notebook_is_in_step_with_its_text_and_has_no_outputs(chapter: Path):
    text = jupytext.read(chapter)
    notebook = nbformat.read(chapter.with_suffix(".ipynb"), as_version=4)
    nbformat.validate(notebook)

    def content(nb: NotebookNode) -> list[tuple]:
        return [(cell.cell_type, cell.source, dict(cell.metadata)) for cell in nb.cells]

    regenerate = (
        f"{chapter.stem}.ipynb is not what its text makes. A reader: `git checkout tutorials` forgets your answers. "
        f"An author: run jupytext --to ipynb --update tutorials/{chapter.name}"
    )
    assert content(notebook) == content(text), regenerate
    assert notebook.metadata.kernelspec == text.metadata.kernelspec, regenerate
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [], regenerate
            assert cell.execution_count is None, regenerate


@each_page
def test_links_lead_to_the_files_they_name(page: Path):
    for label, target in re.findall(r"\[([^\]\n]+)\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        link = f"[{label}]({target}) in {page.name}"
        assert target.startswith("https:") or (page.parent / target).exists(), link
        assert target.endswith(label) or not label.endswith((".py", ".md", ".ipynb")), link


def defines(file: Path, name: str) -> bool:
    """Whether a Python file defines the name, at its top or in a class."""
    return bool(re.search(rf"^ *(def|class) {name}\b|^{name}\b[^\n]* = ", file.read_text(encoding="utf-8"), re.M))


@each_page
def test_files_and_what_they_define_are_where_the_text_says(page: Path):
    inside = r"(?:minijax|reference|tests|tutorials)/[\w./]*"
    references = re.findall(rf"`({inside}|[\w/]+\.(?:py|md|ipynb))(?:::(\w+))?`", page.read_text(encoding="utf-8"))
    for name, defined in references:
        places = [base / name for base in (ROOT, ROOT / "minijax", TUTORIALS) if (base / name).exists()]
        assert places, f"`{name}` in {page.name}"
        assert not defined or defines(places[0], defined), f"`{name}::{defined}` in {page.name}"


@each_chapter
def test_index_lists_the_chapter_under_its_title(chapter: Path):
    index = (TUTORIALS / "README.md").read_text(encoding="utf-8")
    rows = [line for line in index.splitlines() if line.startswith(f"| [{title(chapter)}]({chapter.stem}.ipynb) |")]
    assert len(rows) == 1
    minutes = re.search(r"\*\*Time:\*\* (\d+ minutes)", chapter.read_text(encoding="utf-8"))[1]
    assert f"| {minutes} |" in rows[0]


def test_index_lists_nothing_else():
    index = (TUTORIALS / "README.md").read_text(encoding="utf-8")
    linked = re.findall(r"^\| \[[^\]]+\]\((\w+)\.ipynb\)", index, re.M)
    assert CHAPTERS
    assert linked == [chapter.stem for chapter in CHAPTERS], "in the order of their numbers"
