"""`bench`: measure minijax against others."""

import argparse
from pathlib import Path
from typing import Any

from .. import bench
from ..bench import training
from .parsing import add_command, count, make_folder

__all__ = ["add_parser"]

BENCH_HELP = """\
Measure minijax against JAX, hand-written NumPy, PyTorch and HIPS autograd, and print
ratios: each round runs every contestant once, and what is reported is the median over the
rounds with its quartiles. All have the same number of threads. BLAS and memory are floors:
what the matrix products of the same work, and moving its data, take alone.

With --training instead: the seconds of one epoch of the same MLP through minijax and JAX,
op by op and jitted, and through JAX with all its steps in one dispatch (scan). JAX takes
the best device there is. What goes op by op runs 60 steps, and the epoch is extrapolated."""

BENCH_EXAMPLES = """examples:
  python -m reference bench
  python -m reference bench --quick
  python -m reference bench --only mlp --only cnn --threads 1 --rounds 31
  python -m reference bench --json bench.json --chart bench.png
  python -m reference bench --profile cnn-32
  python -m reference bench --training --epochs 5 --dataset mnist --json epochs.json

"""

EXIT_CODES = """exit status:
  0  done
  1  with --strict: a target was missed
  2  wrong use, or something needed is missing
"""


def add_parser(commands: Any) -> None:
    """Its options."""
    parser = add_command(
        commands, "bench", _run, "measure minijax against others", BENCH_HELP, BENCH_EXAMPLES, EXIT_CODES
    )
    add = parser.add_argument
    add("--only", action="append", type=_names, default=[], metavar="NAME", help=f"of {', '.join(bench.NAMES)}")
    add("--rounds", type=count, metavar="N", help="rounds of each benchmark (default: 15)")
    add("--quick", action="store_true", help="3 short rounds of the contestants with a target: a look")
    add("--threads", type=count, metavar="N", help="threads of each contestant (default: the cores, at most 2)")
    add("--strict", action="store_true", help="exit with status 1 if a target is missed")
    add("--json", type=Path, metavar="FILE", help="also write all measurements there")
    add("--chart", type=Path, metavar="FILE", help="also draw the ratios there, as PNG")
    add(
        "--profile",
        choices=bench.PROFILES,
        metavar="NAME",
        help="instead: time the lines of the program that minijax.jit makes of %(choices)s",
    )
    add("--training", action="store_true", help="instead: the seconds of one epoch of training")
    add("--epochs", type=count, metavar="N", help=f"with --training: epochs in each way (default: {training.EPOCHS})")
    add("--dataset", choices=training.DATASETS, metavar="NAME", help="with --training: %(choices)s (default: auto)")


def _names(text: str) -> str:
    if not any(name.startswith(text) for name in bench.NAMES):
        raise argparse.ArgumentTypeError(f"no benchmark begins with {text!r}; there are {', '.join(bench.NAMES)}")
    return text


def _refuse_what_does_not_go_together(options: argparse.Namespace) -> None:
    error = options.parser.error
    if options.training:
        for name in ("only", "rounds", "quick", "strict", "chart", "profile"):
            if getattr(options, name):
                error(f"--{name} does not go with --training; leave it out")
    elif options.epochs or options.dataset:
        error(f"--{'epochs' if options.epochs else 'dataset'} needs --training")


def _run(options: argparse.Namespace) -> int:
    _refuse_what_does_not_go_together(options)
    for option, file in (("--json", options.json), ("--chart", options.chart)):
        if file is not None:
            make_folder(options, option, file.parent)
    return bench.run(
        bench.Options(
            rounds=options.rounds,
            quick=options.quick,
            json_file=options.json,
            chart_file=options.chart,
            only=tuple(options.only),
            threads=options.threads,
            strict=options.strict,
            profile=options.profile,
            training=options.training,
            epochs=options.epochs or training.EPOCHS,
            dataset=options.dataset or "auto",
        )
    )
