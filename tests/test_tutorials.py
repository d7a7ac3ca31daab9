"""The tutorials: every chapter runs on both engines, its exercises are fair, its two files are in step.

A chapter's cells run in a kernel of this interpreter with warnings as errors, first on minijax, then on
real JAX by changing the two import lines, as the text promises. After the chapter, each solution and
each tempting mistake of its solutions file is run, followed by the chapter's own check of that exercise.
"""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path

import jupytext
import nbformat
import pytest
from ipykernel.kernelspec import write_kernel_spec
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
TUTORIALS = ROOT / "tutorials"
CHAPTERS = sorted(TUTORIALS.glob("[0-9][0-9]_*.md"))
CHANGED_LINES = {
    "import minijax as jax": "import jax",
    "import minijax.numpy as jnp": "import jax.numpy as jnp",
}
# What the kernel's own machinery warns of, when it shuts down for instance, is not the chapter's.
SETUP = """import warnings
warnings.simplefilter("error")
warnings.filterwarnings("ignore", module="ipykernel")"""
each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)


def tagged(cells: list[nbformat.NotebookNode], prefix: str) -> dict[str, nbformat.NotebookNode]:
    """The cells with a tag such as `check-2`, by what follows the prefix."""
    found = {}
    for cell in cells:
        for tag in cell.metadata.get("tags", []):
            if tag.startswith(f"{prefix}-"):
                found[tag.removeprefix(f"{prefix}-")] = cell
    return found


def printed(cell: nbformat.NotebookNode) -> str:
    """What an executed cell wrote to its output; nothing may stand in the error stream."""
    assert all(output.name == "stdout" for output in cell.outputs if output.output_type == "stream")
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    """The code cells of a notebook in text form."""
    return [cell for cell in jupytext.read(path).cells if cell.cell_type == "code"]


def on_real_jax(cells: list[nbformat.NotebookNode]) -> None:
    """Change the import lines, in place; each must be there exactly once."""
    for line, replacement in CHANGED_LINES.items():
        holders = [cell for cell in cells if line in cell.source.splitlines()]
        assert len(holders) == 1, f"{line!r} stands in {len(holders)} cells"
        lines = holders[0].source.splitlines()
        holders[0].source = "\n".join(replacement if old == line else old for old in lines)
    assert "minijax" not in "\n".join(cell.source for cell in cells)


def execute(cells: list[nbformat.NotebookNode], scratch: Path) -> None:
    """Run the cells in a fresh kernel of this very interpreter; a cell that raises fails the test."""
    write_kernel_spec(scratch / "kernels" / "python3")
    specs = KernelSpecManager(kernel_dirs=[str(scratch / "kernels")], ensure_native_kernel=False)
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(
        notebook,
        km=AsyncKernelManager(kernel_name="python3", kernel_spec_manager=specs),
        timeout=120,
        resources={"metadata": {"path": str(TUTORIALS)}},
    )
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    client.execute(
        cleanup_kc=True,
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "IPYTHONDIR": str(scratch / "ipython"),
            "MPLCONFIGDIR": str(scratch / "matplotlib"),
            "JAX_PLATFORMS": "cpu",
        },
    )


@functools.cache
def solutions(chapter: Path) -> list[nbformat.NotebookNode]:
    """The code cells of the chapter's solutions file."""
    return code_cells(TUTORIALS / "solutions" / chapter.name)


@pytest.mark.parametrize("engine", ["minijax", "jax"])
@each_chapter
def test_chapter_runs_and_its_checks_tell_right_from_wrong(chapter: Path, engine: str, tmp_path: Path):
    cells = code_cells(chapter)
    checks = tagged(cells, "check")
    answers = [
        (kind, number, cell)
        for kind in ("solution", "wrong")
        for number, cell in tagged(solutions(chapter), kind).items()
    ]
    new = nbformat.v4.new_code_cell
    runs = [(kind, number, new(cell.source), new(checks[number].source)) for kind, number, cell in answers]
    if engine == "jax":
        on_real_jax(cells)
    extra = [cell for _, _, answer, check in runs for cell in (answer, check)]
    execute([nbformat.v4.new_code_cell(SETUP), *cells, *extra], tmp_path)

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


@each_chapter
def test_every_exercise_has_a_check_a_solution_and_a_mistake(chapter: Path):
    cells = code_cells(chapter)
    numbers = list(tagged(cells, "exercise"))
    assert numbers == [str(n) for n in range(1, len(numbers) + 1)]
    assert len(numbers) >= 2
    assert list(tagged(cells, "check")) == numbers
    assert list(tagged(solutions(chapter), "solution")) == numbers
    assert list(tagged(solutions(chapter), "wrong")) == numbers


@each_chapter
def test_notebook_is_in_step_with_its_text_and_has_no_outputs(chapter: Path):
    text = jupytext.read(chapter)
    notebook = nbformat.read(chapter.with_suffix(".ipynb"), as_version=4)
    nbformat.validate(notebook)

    def content(nb: nbformat.NotebookNode) -> list[tuple]:
        return [(cell.cell_type, cell.source, dict(cell.metadata)) for cell in nb.cells]

    regenerate = f"run: jupytext --to ipynb --update tutorials/{chapter.name}"
    assert content(notebook) == content(text), regenerate
    assert notebook.metadata.kernelspec == text.metadata.kernelspec, regenerate
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


def test_links_lead_to_the_files_they_name():
    for page in TUTORIALS.rglob("*.md"):
        links = re.findall(r"\[([^\]\n]+)\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
        for label, target in links:
            link = f"[{label}]({target}) in {page.name}"
            assert target.startswith("https:") or (page.parent / target).exists(), link
            assert target.endswith(label) or not label.endswith((".py", ".md", ".ipynb")), link


def test_index_lists_every_chapter():
    index = (TUTORIALS / "README.md").read_text(encoding="utf-8")
    assert CHAPTERS
    for chapter in CHAPTERS:
        assert f"({chapter.stem}.ipynb)" in index
