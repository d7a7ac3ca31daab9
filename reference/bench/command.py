"""The command: a process with settled thread counts, the table, the record."""

import importlib
import importlib.util
import math
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..files import write_json
from . import profiling, table
from .measuring import Ratio, measure, ratio
from .rows import PROFILED, ROWS, Settings

__all__ = ["NAMES", "PROFILES", "chosen", "environment", "run"]

NAMES = tuple(ROWS)
PROFILES = tuple(PROFILED)

CHILD = "MINIJAX_BENCH_THREADS"  # set in the process that measures
MOST_THREADS = 2  # what the targets are for
# Seconds in which the idle threads of a neighbour's BLAS stop spinning: OpenBLAS takes 2 ** 26 cycles for it.
PAUSE = 0.03
MODULES = ("minijax", "jax", "numpy", "torch", "autograd")


def environment(threads: int) -> dict[str, str]:
    """Variables that give BLAS, OpenMP and XLA so many threads each; they are read at import."""
    variables = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NPROC")
    several = "true" if threads > 1 else "false"
    return dict.fromkeys(variables, str(threads)) | {
        "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={several}",  # NPROC is the size of its pool
        "JAX_PLATFORMS": "cpu",
        CHILD: str(threads),
    }


def chosen(only: Iterable[str]) -> list[str]:
    """The names of the benchmarks that begin with one of these; all of them if there is none."""
    only = tuple(only)
    return [name for name in ROWS if not only or name.startswith(only)]


def run(
    *,
    rounds: int | None = None,
    quick: bool = False,
    json_file: Path | None = None,
    chart_file: Path | None = None,
    only: Sequence[str] = (),
    threads: int | None = None,
    strict: bool = False,
    profile: str | None = None,
) -> int:
    """Run the benchmarks whose names begin with one of `only` (none: all), or time the lines of one program.

    The exit status is 0, or 1 if it is `strict` and a target was missed. A process of its own does the work.
    """
    if CHILD not in os.environ:
        threads = threads or min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1, MOST_THREADS)
        child = [sys.executable, *_words(rounds, quick, json_file, chart_file, only, strict, profile)]
        return subprocess.run(child, env=os.environ | environment(threads), check=False).returncode
    threads = int(os.environ[CHILD])
    if importlib.util.find_spec("torch"):
        importlib.import_module("torch").set_num_threads(threads)
    if profile is not None:
        title, work = PROFILED[profile]
        print(profiling.report(title, profiling.profile(work())))
        return 0
    return _measure(rounds or (3 if quick else 15), quick, json_file, chart_file, chosen(only), threads, strict)


def _words(
    rounds: int | None,
    quick: bool,
    json_file: Path | None,
    chart_file: Path | None,
    only: Sequence[str],
    strict: bool,
    profile: str | None,
) -> list[str]:
    """The command line of the process that measures."""
    words = ["-m", "reference", "bench"]
    flags = {"--quick": quick, "--strict": strict}
    words += [flag for flag, wanted in flags.items() if wanted]
    values = {"--rounds": rounds, "--json": json_file, "--chart": chart_file, "--profile": profile}
    words += [f"{option}={value}" for option, value in values.items() if value is not None]
    return words + [f"--only={name}" for name in only]


def _measure(
    rounds: int,
    quick: bool,
    json_file: Path | None,
    chart_file: Path | None,
    names: Sequence[str],
    threads: int,
    strict: bool,
) -> int:
    versions = _versions()
    print(table.head(threads, rounds, versions), flush=True)
    measurements, ratios = {}, []
    with tempfile.TemporaryDirectory() as bytecode:
        settings = Settings(quick, Path(bytecode))
        for name in names:
            benchmark = ROWS[name](settings)
            found = measure(benchmark, rounds, 0.0 if quick or threads == 1 else PAUSE, 0.3 if quick else math.inf)
            measurements[benchmark.name] = found
            compared = [ratio(benchmark, theirs, found) for theirs in benchmark.contestants if theirs != benchmark.ours]
            ratios += compared
            print(table.rows(benchmark, compared, found), flush=True)
    missed = [found for found in ratios if not found.passed]
    print(table.summary(ratios))
    record = _record(ratios, measurements, versions, threads, rounds, quick)
    if json_file is not None:
        write_json(json_file, record)
        print(f"wrote {json_file}")
    if chart_file is not None:
        from . import chart  # matplotlib takes half a second to import

        chart.draw(chart_file, ratios, table.conditions(threads, rounds, versions))
        print(f"wrote {chart_file}")
    return 1 if strict and missed else 0


def _versions() -> dict[str, str | None]:
    """The version of each module; None where it is not installed."""
    found = {name: importlib.util.find_spec(name) and importlib.import_module(name) for name in MODULES}
    versions = {name: getattr(module, "__version__", "") for name, module in found.items() if module}
    return {name: versions.get(name) for name in MODULES} | {"python": platform.python_version()}


def _record(
    ratios: list[Ratio],
    measurements: dict[str, dict[str, list[float]]],
    versions: dict[str, str | None],
    threads: int,
    rounds: int,
    quick: bool,
) -> dict[str, Any]:
    return {
        "rounds": rounds,
        "quick": quick,
        "threads": threads,
        "machine": platform.machine(),
        "versions": versions,
        "ratios": [found._asdict() | {"passed": found.passed} for found in ratios],
        "measurements": measurements,
    }
