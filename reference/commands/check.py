"""`check`: hold minijax against JAX."""

import argparse
from pathlib import Path
from typing import Any

from .parsing import add_command, count, make_folder

__all__ = ["add_parser"]

CHECK_HELP = """\
Hold minijax against real JAX, operation by operation and function by function: values,
types, derivatives, batching, jit and the text of jaxprs. Prints for each family how many
functions and cases were checked, how many arrays were identical, and the worst
difference in ULP."""

CHECK_EXAMPLES = """examples:
  python -m reference check --quick
  python -m reference check --html check.html
  python -m reference check --family indexing --family "numpy, structure"

"""


def add_parser(commands: Any) -> None:
    """Its options."""
    parser = add_command(commands, "check", _run, "hold minijax against JAX", CHECK_HELP, CHECK_EXAMPLES)
    add = parser.add_argument
    add("--quick", action="store_true", help="one case of each function, under a minute")
    add("--family", action="append", default=[], metavar="NAME", help="only families whose names contain this")
    add("--jobs", type=count, metavar="N", help="processes side by side (default: one for each processor)")
    add("--html", type=Path, metavar="FILE", help="also write a page with every function and every failure")


def _run(options: argparse.Namespace) -> int:
    if not __debug__:
        options.parser.error("the checks are assertions, which python -O leaves out: run it without -O")
    from ..check.command import check  # imports both engines

    if options.html is not None:
        make_folder(options, "--html", options.html.parent)
    return check(quick=options.quick, families=options.family, jobs=options.jobs, html=options.html)
