"""`bench`: measure minijax against others."""

import argparse
from pathlib import Path
from typing import Any

from .. import bench
from .parsing import add_command, count, make_folder

__all__ = ["add_parser"]

BENCH_HELP = """\
Measure minijax against NumPy, JAX and HIPS autograd, and print ratios: each round runs
every contestant once, and what is reported is the median over the rounds with its
quartiles. BLAS and XLA get one thread each."""

BENCH_EXAMPLES = """examples:
  python -m reference bench
  python -m reference bench --quick
  python -m reference bench --rounds 31 --json bench.json

"""


def add_parser(commands: Any) -> None:
    """Its options."""
    parser = add_command(commands, "bench", _run, "measure minijax against others", BENCH_HELP, BENCH_EXAMPLES)
    add = parser.add_argument
    add("--json", type=Path, metavar="FILE", help="also write all measurements there")
    add("--rounds", type=count, metavar="N", help="rounds of each benchmark (default: 15)")
    add("--quick", action="store_true", help="3 short rounds: a look, not a measurement")


def _run(options: argparse.Namespace) -> int:
    if options.json is not None:
        make_folder(options, "--json", options.json.parent)
    return bench.run(rounds=options.rounds, quick=options.quick, json_file=options.json)
