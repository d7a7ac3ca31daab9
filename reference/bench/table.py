"""What the command prints: a line for each comparison."""

import statistics
from collections.abc import Mapping, Sequence

from .floors import BLAS, MEMORY
from .measuring import Benchmark, Ratio

__all__ = ["conditions", "head", "quantity", "rows", "summary"]

EXTRAS = {"torch": "bench-torch", "autograd": "bench", "jax": "reference"}


def conditions(threads: int, rounds: int, quick: bool, versions: Mapping[str, str | None]) -> str:
    """How it was measured, in one line."""
    modules = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    count = f"at most {rounds}" if quick else str(rounds)
    return f"{threads} thread{'s' if threads > 1 else ''} each, medians of {count} interleaved rounds; {modules}"


def head(conditions: str, versions: Mapping[str, str | None]) -> str:
    """How it was measured, who is missing, and the heads of the columns."""
    missing = [
        f"{name} is not installed: pip install 'minijax[{EXTRAS[name]}]'\n"
        for name, version in versions.items()
        if version is None
    ]
    columns = _line("benchmark", "ours", "against", "theirs", "ratio [quartiles]", "target", "", "BLAS", "memory")
    return f"{conditions}\n{''.join(missing)}\n{columns}"


def rows(benchmark: Benchmark, compared: Sequence[Ratio], found: Mapping[str, list[float]]) -> str:
    """The lines of one benchmark; the floors are on its first one."""
    floors = [quantity(statistics.median(found[name]), "s") if name in found else "" for name in (BLAS, MEMORY)]
    ours = quantity(statistics.median(found[benchmark.ours]), benchmark.unit)
    lines = []
    for one in compared:
        interval = f"{one.median:.3f} [{one.lower:.3f}, {one.upper:.3f}]"
        target, verdict = ("", "") if one.target is None else (f"{one.target:g}", "pass" if one.passed else "MISS")
        lines.append((one.theirs, quantity(one.their_median, one.unit), interval, target, verdict))
    for theirs in benchmark.targets:
        if theirs not in benchmark.contestants:
            lines.append((theirs, "-", "not installed", f"{benchmark.targets[theirs]:g}", ""))
    lines = lines or [("", "", "", "", "")]
    first = _line(benchmark.name, ours, *lines[0], *floors)
    return "\n".join([first, *(_line("", "", *line, "", "") for line in lines[1:])])


def summary(ratios: Sequence[Ratio]) -> str:
    """How many targets were reached, and which were not."""
    held = [one for one in ratios if one.target is not None]
    missed = [f"{one.benchmark} against {one.theirs}" for one in held if not one.passed]
    text = f"\n{len(held) - len(missed)} of {len(held)} targets reached"
    return text + (f"; missed: {', '.join(missed)}" if missed else "")


def quantity(value: float, unit: str) -> str:
    """Seconds or bytes with three digits and a unit of the right size."""
    sizes = (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)) if unit == "s" else (("MB", 1e6), ("kB", 1e3), ("B", 1.0))
    name, size = next((pair for pair in sizes if abs(value) >= pair[1]), sizes[-1])
    return f"{value / size:.3g} {name}" if abs(value) < 100 * size else f"{value / size:.0f} {name}"


def _line(name: str, ours: str, against: str, theirs: str, ratio: str, target: str, passed: str, *floors: str) -> str:
    blas, memory = floors
    line = f"{name:33} {ours:>8}  {against:16} {theirs:>8}  {ratio:23} {target:>6} {passed:4} {blas:>8} {memory:>8}"
    return line.rstrip()
