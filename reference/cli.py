"""The commands of `python -m reference`, gathered."""

import argparse
import os
import sys
from collections.abc import Sequence

from .commands import bench, check, compare, data, evaluate, generate, predict, train
from .commands.parsing import EXIT_CODES, Parser
from .data import DataError
from .parallel.devices import DeviceError
from .training import CheckpointError

__all__ = ["main"]

COMMANDS = (train, evaluate, predict, generate, compare, data, bench, check)


def _arguments() -> Parser:
    parser = Parser(
        prog="python -m reference",
        description="The same models trained on minijax and on real JAX.",
        epilog="`python -m reference COMMAND --help` has examples.\n\n" + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for command in COMMANDS:
        command.add_parser(commands)
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run the command in `words` (default: those of the process); the exit status."""
    options = _arguments().parse(words)
    try:
        return options.run(options)
    except BrokenPipeError:  # whoever read the output, such as `head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the end of Python flushes nothing
        return 2
    except (DataError, CheckpointError, DeviceError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
