"""What `python -m reference check` prints and writes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from . import page
from .names import MODULES, count
from .runner import Outcome, Report, Total, run, total

__all__ = ["check"]

HEAD = f"{'family':<34} {'functions':>9} {'cases':>7} {'arrays':>8} {'identical':>10} {'worst ULP':>10} {'failures':>9}"
SHOWN_FAILURES = 20


def check(*, quick: bool, families: Sequence[str], jobs: int | None, html: Path | None) -> int:
    """Run the checks, print a line for each family, write the page; the exit status."""
    with tqdm(unit=" cases", disable=not sys.stderr.isatty(), leave=False) as bar:

        def progress(done: int, of: int) -> None:
            bar.total = of
            bar.update(done - bar.n)

        report = run(quick=quick, families=families, jobs=jobs, on_outcomes=progress)
    names = [count(module) for module in MODULES]
    print(_table(report))
    print(_failures(report.failures), end="")
    there, known = sum(len(n.present) for n in names), sum(n.known for n in names)
    print(f"names: {there:,} of {known:,} public names in {len(names)} modules of JAX")
    if html is not None:
        page.write(html, report, names)
        print(f"wrote {html}")
    if not report.outcomes:
        print(f"error: no family is called {' or '.join(families)}", file=sys.stderr)
        return 2
    print(f"{total(report.outcomes).cases:,} cases in {report.seconds:.0f} s, {len(report.failures):,} failures")
    return 1 if report.failures else 0


def _line(name: str, seen: Total) -> str:
    share = seen.identical / seen.arrays if seen.arrays else 1.0
    return (
        f"{name:<34} {seen.functions:>9,} {seen.cases:>7,} {seen.arrays:>8,} {share:>10.1%} {seen.worst_ulp:>10.3g}"
        f" {seen.failures:>9,}"
    )


def _table(report: Report) -> str:
    lines = [_line(family, seen) for family, seen in report.families.items()]
    return "\n".join([HEAD, "-" * len(HEAD), *lines, "-" * len(HEAD), _line("together", total(report.outcomes))])


def _failures(failures: Sequence[Outcome]) -> str:
    """The first failures in full; the page has them all."""
    texts = [f"\nFAILED {f.family}: {f.name}\n{f.failure}\n" for f in failures[:SHOWN_FAILURES]]
    if len(failures) > SHOWN_FAILURES:
        texts.append(f"\n... and {len(failures) - SHOWN_FAILURES:,} more; --html writes them all\n")
    return "".join(texts)
