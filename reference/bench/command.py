"""The command: a process with settled thread counts, the table, the record."""

import importlib
import importlib.util
import math
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ..files import write_json
from . import profiling, table, training
from .measuring import measure, ratio
from .rows import PROFILED, ROWS, Settings
from .training import EPOCHS

__all__ = ["NAMES", "PROFILES", "Options", "chosen", "environment", "run"]

NAMES = tuple(ROWS)
PROFILES = tuple(PROFILED)

CHILD = "MINIJAX_BENCH_THREADS"  # set in the process that measures
MOST_THREADS = 2  # what the targets are for
# Seconds in which the idle threads of a neighbour's BLAS stop spinning: OpenBLAS takes 2 ** 26 cycles for it.
PAUSE = 0.03
PATIENCE = 0.3  # seconds for the counted rounds of one benchmark, with --quick
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


class Options(NamedTuple):
    """What the command is asked for."""

    rounds: int | None = None
    """of each benchmark; None: 15, or 3 if it is `quick`"""
    quick: bool = False
    """only the contestants that have a target, short turns, fewer rounds of what is slow"""
    json_file: Path | None = None
    chart_file: Path | None = None
    only: tuple[str, ...] = ()
    """how the names of the benchmarks begin; none: all"""
    threads: int | None = None
    """of each contestant; None: the cores, at most 2"""
    strict: bool = False
    """whether a missed target is a failure"""
    profile: str | None = None
    """instead of all that: the program whose lines are timed"""
    training: bool = False
    """instead of all that: the seconds of an epoch; of the options above, with `threads` and `json_file` alone"""
    epochs: int = EPOCHS
    """of `training`, in each way"""
    dataset: str = "auto"
    """of `training`"""


def run(options: Options) -> int:
    """Run the benchmarks, or time the lines of one program, in a process of its own; the exit status."""
    if CHILD not in os.environ:
        child = [sys.executable, "-m", "reference", "bench", *_words(options)]
        threads = options.threads or min(_cores(), MOST_THREADS)
        variables = environment(threads)
        if options.training:
            del variables["JAX_PLATFORMS"]  # JAX takes the best device there is
        return subprocess.run(child, env=os.environ | variables, check=False).returncode
    threads = int(os.environ[CHILD])
    if options.training:
        versions = _versions(("minijax", "jax", "numpy"))
        return training.run(options.dataset, options.epochs, options.json_file, threads, versions)
    if importlib.util.find_spec("torch"):
        importlib.import_module("torch").set_num_threads(threads)
    if options.profile is not None:
        title, make = PROFILED[options.profile]
        print(profiling.report(title, profiling.profile(make())))
        return 0
    return _measure(options, threads)


def _cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _words(options: Options) -> list[str]:
    """The same options on a command line."""
    flags = {"--quick": options.quick, "--strict": options.strict, "--training": options.training}
    values = {
        "--rounds": options.rounds,
        "--json": options.json_file,
        "--chart": options.chart_file,
        "--profile": options.profile,
    }
    if options.training:
        values |= {"--epochs": options.epochs, "--dataset": options.dataset}
    words = [flag for flag, wanted in flags.items() if wanted]
    words += [f"{option}={value}" for option, value in values.items() if value is not None]
    return words + [f"--only={name}" for name in options.only]


def _measure(options: Options, threads: int) -> int:
    """Print the table and write the files."""
    rounds, quick = options.rounds or (3 if options.quick else 15), options.quick
    pause, patience = (0.0 if quick or threads == 1 else PAUSE), (PATIENCE if quick else math.inf)
    versions = _versions()
    conditions = table.conditions(threads, rounds, quick, versions)
    print(table.head(conditions, versions), flush=True)
    measurements, ratios = {}, []
    with tempfile.TemporaryDirectory() as bytecode:
        settings = Settings(quick, Path(bytecode))
        for name in chosen(options.only):
            benchmark = ROWS[name](settings)
            found = measurements[benchmark.name] = measure(benchmark, rounds, pause, patience)
            compared = [ratio(benchmark, theirs, found) for theirs in benchmark.contestants if theirs != benchmark.ours]
            ratios += compared
            print(table.rows(benchmark, compared, found), flush=True)
    print(table.summary(ratios))
    if options.json_file is not None:
        how = {"rounds": rounds, "quick": quick, "threads": threads, "machine": platform.machine()}
        found = [one._asdict() | {"passed": one.passed} for one in ratios]
        write_json(options.json_file, how | {"versions": versions, "ratios": found, "measurements": measurements})
        print(f"wrote {options.json_file}")
    if options.chart_file is not None:
        from . import chart  # matplotlib takes half a second to import

        chart.draw(options.chart_file, ratios, conditions)
        print(f"wrote {options.chart_file}")
    return 1 if options.strict and not all(one.passed for one in ratios) else 0


def _versions(modules: Iterable[str] = MODULES) -> dict[str, str | None]:
    """The version of each module; None where it is not installed."""
    modules = tuple(modules)
    found = {name: importlib.util.find_spec(name) and importlib.import_module(name) for name in modules}
    versions = {name: getattr(module, "__version__", "") for name, module in found.items() if module}
    return {name: versions.get(name) for name in modules} | {"python": platform.python_version()}
