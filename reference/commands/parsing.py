"""What all commands share: a parser that says what is possible, readers of values, exit codes."""

import argparse
import difflib
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NoReturn

__all__ = ["EXIT_CODES", "Parser", "add_command", "count", "make_folder", "number", "rate", "seed"]

EXIT_CODES = """exit status:
  0  done, and the engines agree
  1  the engines disagree
  2  wrong use, or something needed is missing or damaged
"""


class Parser(argparse.ArgumentParser):
    """Says for a wrong option which ones there are."""

    def parse(self, words: Sequence[str] | None) -> argparse.Namespace:
        """The options in `words` (None: those of the process)."""
        options, unknown = self.parse_known_args(words)
        if unknown:
            options.parser.refuse(unknown[0])
        return options

    def refuse(self, word: str) -> NoReturn:
        """Exit with status 2 over a word that is no option, naming the nearest one."""
        possible = [name for name in self._option_string_actions if name.startswith("--")]
        near = difflib.get_close_matches(word.split("=")[0], possible, n=1)
        hint = f"did you mean {near[0]}?" if near else f"possible: {', '.join(possible)}"
        self.error(f"{word!r} is not understood; {hint}")


def number(kind: Callable[[str], Any], what: str, allowed: Callable[[Any], bool]) -> Callable[[str], Any]:
    """A reader of one option's value, which says what is allowed when it gets anything else."""

    def read(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not allowed(value):
            raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
        return value

    return read


count = number(int, "a whole number of at least 1", lambda n: n >= 1)
seed = number(int, "a whole number from 0 to 4294967295", lambda n: 0 <= n < 2**32)
rate = number(float, "a positive number", lambda x: 0 < x < float("inf"))


def add_command(
    commands: Any,
    name: str,
    run: Callable[[argparse.Namespace], int],
    summary: str,
    description: str,
    examples: str,
    exit_codes: str = EXIT_CODES,
) -> Parser:
    """A command without options yet; `run(options)` gives the exit status, and `options.parser` is this parser."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=examples + exit_codes,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run, parser=parser)
    return parser


def make_folder(options: argparse.Namespace, option: str, folder: Path) -> None:
    """Before the work is done rather than after it: the folder that the results go to, which can be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        options.parser.error(f"{option}: {error}")
