"""A run of the checks as one HTML page that needs nothing beside it."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..files import atomic
from .names import Names
from .runner import Outcome, Report, Total, total

__all__ = ["write"]

STYLE = """
:root { color-scheme: light dark; --line: #8884; --good: #2e7d32; --bad: #c62828; --bar: #4c8bf5; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child, td:first-child { text-align: left; }
thead th { border-bottom-width: 2px; } tfoot td { font-weight: 600; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; }
.bar { display: block; height: 100%; background: var(--bar); border-radius: 2px; }
.track { display: inline-block; width: 8rem; height: .7em; background: var(--line); }
details { margin: .2rem 0; } summary { cursor: pointer; }
pre { white-space: pre-wrap; background: #8881; padding: .6rem; overflow-x: auto; }
code { font-size: .95em; } td.names { text-align: left; font-size: .85em; }
"""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>minijax held against JAX</title><style>{style}</style></head><body>
<h1>minijax held against JAX</h1>
<p>{versions}; {depth} run, {seconds:.0f} s.</p>
<p class="{verdict_class}">{verdict}</p>
<h2>Families</h2>
<p>An array is <em>identical</em> when every bit is. One ULP is the dtype's epsilon times the magnitude of
JAX's value, or times the largest entry of an array where terms cancel.</p>
{families}
{failures}
<h2>Functions</h2>
{functions}
<h2>Names</h2>
<p>Public names of JAX's modules, and those that minijax has too.</p>
{names}
</body></html>
"""

COLUMNS = ("functions", "cases", "arrays", "identical", "", "worst ULP", "failures")


def write(path: Path, report: Report, names: Sequence[Names]) -> None:
    """Write the page, which takes the place of an older one only when it is whole."""
    failed = len(report.failures)
    text = PAGE.format(
        style=STYLE,
        versions=", ".join(f"{name} {version}" for name, version in report.versions.items()),
        depth=report.depth,
        seconds=report.seconds,
        verdict_class="bad" if failed else "good",
        verdict=_verdict(report),
        families=_families(report),
        failures=_failures(report.failures),
        functions="\n".join(_functions(family, report.of(family)) for family in report.families),
        names=_names(names),
    )
    with atomic(path) as file:
        file.write(text.encode())


def _verdict(report: Report) -> str:
    cases, failed = total(report.outcomes).cases, len(report.failures)
    return f"The engines disagree in {failed:,} of {cases:,} cases." if failed else f"All {cases:,} cases agree."


def _row(first: str, seen: Total) -> str:
    share = seen.identical / seen.arrays if seen.arrays else 1.0
    cells = [f"{seen.functions:,}", f"{seen.cases:,}", f"{seen.arrays:,}", f"{share:.1%}", _bar(share)]
    failures = f'<span class="{"bad" if seen.failures else "good"}">{seen.failures:,}</span>'
    return _cells([first, *cells, f"{seen.worst_ulp:.3g}", failures])


def _bar(share: float) -> str:
    return f'<span class="track"><span class="bar" style="width:{share:.1%}"></span></span>'


def _cells(cells: Iterable[str], tag: str = "td") -> str:
    return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells) + "</tr>"


def _table(head: Sequence[str], rows: Iterable[str], foot: str = "") -> str:
    body = "\n".join(rows)
    return f"<table><thead>{_cells(head, 'th')}</thead><tbody>{body}</tbody><tfoot>{foot}</tfoot></table>"


def _families(report: Report) -> str:
    rows = (_row(html.escape(family), seen) for family, seen in report.families.items())
    return _table(["family", *COLUMNS], rows, _row("together", total(report.outcomes)))


def _functions(family: str, outcomes: Sequence[Outcome]) -> str:
    by_name: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        for function in outcome.functions:
            by_name.setdefault(function, []).append(outcome)
    rows = (_row(f"<code>{html.escape(name)}</code>", total(found)) for name, found in sorted(by_name.items()))
    table = _table(["function", *COLUMNS], rows)
    return f"<details><summary>{html.escape(family)}: {len(by_name)} functions</summary>{table}</details>"


def _failures(failures: Sequence[Outcome]) -> str:
    if not failures:
        return ""
    items = (
        f"<details open><summary><code>{html.escape(f.name)}</code> ({html.escape(f.family)})</summary>"
        f"<pre>{html.escape(f.failure)}</pre></details>"
        for f in failures
    )
    return "<h2>Failures</h2>" + "\n".join(items)


def _names(names: Sequence[Names]) -> str:
    def row(n: Names) -> str:
        there, share = len(n.present), len(n.present) / n.known if n.known else 1.0
        cells = [f"<code>{n.module}</code>", f"{there:,}", f"{n.known:,}", f"{share:.0%} {_bar(share)}"]
        return _cells([*cells, _missing(n) if n.missing else "0"])

    return _table(["module", "in minijax", "in JAX", "share", "missing"], map(row, names))


def _missing(n: Names) -> str:
    reasons = (f"<p>{html.escape(reason)}: <code>{' '.join(names)}</code></p>" for reason, names in n.missing.items())
    return f"<details><summary>{n.known - len(n.present)}</summary>{''.join(reasons)}</details>"
