"""The commands of `python -m reference`."""

import argparse
import difflib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from . import bench, report
from .compare import compare, tolerance_for
from .data import DATASETS, DataError, Dataset, load
from .engines import ENGINES, Engine, engine
from .optimizers import OPTIMIZERS
from .recipes import DEFAULT_OPTIMIZER, MODELS, RECIPES, classifier
from .schedules import SCHEDULES
from .training import Experiment

__all__ = ["main"]

EXIT_CODES = """exit status:
  0  done, and the engines agree
  1  the engines disagree
  2  wrong use, or something needed is missing or damaged
"""

COMPARE_HELP = """\
Train one model on minijax and on real JAX at the same time, from the same key and on
the same batches, and see that the numbers agree: a table with a row for each epoch, a
picture and a JSON file. Losses are compared at every step and may differ by 1e-4
relative, parameters by 1e-3 of their largest entry; with --x64 both by 1e-9. A recipe
is held to its own results instead."""

COMPARE_EXAMPLES = """examples:
  python -m reference compare mlp
  python -m reference compare mlp --dataset digits --optimizer adam --epochs 10
  python -m reference compare mlp --x64 --steps 200 --strict
  python -m reference compare mlp --optimizer lamb --schedule warmup-cosine
  python -m reference compare mlp --recipe jax-in-action

MNIST and Fashion-MNIST are looked for under $MINIJAX_DATA_DIR (as mnist/ and
fashion-mnist/train-images-idx3-ubyte.gz and so on), then in the cache directory
($MINIJAX_CACHE_DIR or ~/.cache/minijax), then downloaded into it and verified.
The 8x8 digits are part of the package.

NumPy's OpenBLAS gets one thread unless OPENBLAS_NUM_THREADS is set.

"""

BENCH_HELP = """\
Measure minijax against NumPy, JAX and HIPS autograd, and print ratios: each round runs
every contestant once, and what is reported is the median over the rounds with its
quartiles. BLAS and XLA get one thread each."""

BENCH_EXAMPLES = """examples:
  python -m reference bench
  python -m reference bench --quick
  python -m reference bench --rounds 31 --json bench.json

"""

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


class _Parser(argparse.ArgumentParser):
    """Says for a wrong option which ones there are."""

    def parse(self, words: Sequence[str] | None) -> argparse.Namespace:
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


def _number(kind: Callable[[str], Any], what: str, allowed: Callable[[Any], bool]) -> Callable[[str], Any]:
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


_count = _number(int, "a whole number of at least 1", lambda n: n >= 1)
_seed = _number(int, "a whole number from 0 to 4294967295", lambda n: 0 <= n < 2**32)
_rate = _number(float, "a positive number", lambda x: 0 < x < float("inf"))


def _arguments() -> _Parser:
    parser = _Parser(
        prog="python -m reference",
        description="The same models trained on minijax and on real JAX.",
        epilog="`python -m reference COMMAND --help` has examples.\n\n" + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    _add_compare(commands)
    _add_bench(commands)
    _add_check(commands)
    return parser


def _add_command(commands: Any, name: str, run: Callable, summary: str, description: str, epilog: str) -> _Parser:
    parser = commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=epilog + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run, parser=parser)
    return parser


def _add_compare(commands: Any) -> None:
    parser = _add_command(
        commands,
        "compare",
        _compare,
        "train a model on both engines and see that they agree",
        COMPARE_HELP,
        COMPARE_EXAMPLES,
    )
    add = parser.add_argument
    add("model", choices=list(MODELS), metavar="MODEL", help="the model: %(choices)s")
    add(
        "--dataset",
        choices=["auto", *DATASETS],
        default="auto",
        metavar="NAME",
        help="%(choices)s; auto, the default, is MNIST if it can be had, else the embedded digits",
    )
    add("--optimizer", choices=list(OPTIMIZERS), metavar="NAME", help=f"%(choices)s (default: {DEFAULT_OPTIMIZER})")
    rates = ", ".join(f"{name} {choice.rate:g}" for name, choice in OPTIMIZERS.items())
    add("--lr", type=_rate, metavar="RATE", help=f"learning rate (default: {rates})")
    add(
        "--schedule",
        choices=list(SCHEDULES),
        metavar="NAME",
        help="how the learning rate changes over the steps: %(choices)s (default: constant)",
    )
    add("--epochs", type=_count, metavar="N", help="passes over the training set (default: 3)")
    add("--steps", type=_count, metavar="N", help="stop after so many batches, if the epochs have more")
    add("--batch-size", type=_count, metavar="N", help="examples in a batch (default: 128)")
    add("--seed", type=_seed, metavar="N", help="draws the parameters and orders the batches (default: 0)")
    add("--x64", action="store_true", help="compute in float64, and allow differences of 1e-9 only")
    add("--strict", action="store_true", help="compare parameters at every step, not at every tenth")
    add(
        "--recipe",
        choices=list(RECIPES),
        metavar="NAME",
        help="a published experiment with all of its settings: %(choices)s",
    )
    add(
        "--out",
        type=Path,
        default=Path("runs"),
        metavar="DIR",
        help="where picture and JSON go (default: runs)",
    )


def _add_bench(commands: Any) -> None:
    parser = _add_command(commands, "bench", _bench, "measure minijax against others", BENCH_HELP, BENCH_EXAMPLES)
    add = parser.add_argument
    add("--json", type=Path, metavar="FILE", help="also write all measurements there")
    add("--rounds", type=_count, metavar="N", help="rounds of each benchmark (default: 15)")
    add("--quick", action="store_true", help="3 short rounds: a look, not a measurement")


def _add_check(commands: Any) -> None:
    parser = _add_command(commands, "check", _check, "hold minijax against JAX", CHECK_HELP, CHECK_EXAMPLES)
    add = parser.add_argument
    add("--quick", action="store_true", help="one case of each function, under a minute")
    add("--family", action="append", default=[], metavar="NAME", help="only families whose names contain this")
    add("--jobs", type=_count, metavar="N", help="processes side by side (default: one for each processor)")
    add("--html", type=Path, metavar="FILE", help="also write a page with every function and every failure")


def _settle(options: argparse.Namespace) -> tuple[Dataset, Experiment]:
    """The dataset and the experiment that the options ask for; a recipe refuses options that it fixes."""
    if options.recipe is None:
        names = ("optimizer", "schedule", "epochs", "batch_size", "seed")
        chosen = {name: value for name in names if (value := getattr(options, name)) is not None}
        dataset = load(options.dataset)
        experiment = classifier(options.model, dataset, rate=options.lr, steps=options.steps, **chosen)
    else:
        recipe = RECIPES[options.recipe]
        fixed = {"--optimizer": options.optimizer, "--lr": options.lr, "--batch-size": options.batch_size}
        fixed |= {"--schedule": options.schedule, "--seed": options.seed}
        given = [name for name, value in fixed.items() if value is not None]
        if options.dataset not in ("auto", recipe.dataset):
            given.append(f"--dataset {options.dataset}")
        if given:
            options.parser.error(
                f"the recipe {options.recipe} sets everything but --epochs and --steps itself: "
                f"leave out {' and '.join(given)}"
            )
        dataset = load(recipe.dataset)
        experiment = recipe.experiment(dataset)
        experiment = experiment._replace(epochs=options.epochs or experiment.epochs, steps=options.steps)
    if experiment.batch_size > len(dataset.x_train):
        options.parser.error(
            f"--batch-size {experiment.batch_size}: {dataset.name} has {len(dataset.x_train)} examples"
        )
    return dataset, experiment


def _compare(options: argparse.Namespace) -> int:
    """Compare, with the table on standard output; the exit status."""
    from . import picture  # matplotlib takes half a second to import, and only this command draws

    engines = {name: engine(name) for name in ENGINES}
    _make_folder(options, "--out", options.out)
    dataset, experiment = _settle(options)
    recipe = RECIPES[options.recipe] if options.recipe else None
    tolerance = tolerance_for(x64=options.x64, recipe=recipe)
    settings = _settings(options, dataset, experiment, engines)
    title = "{model} on {dataset}: {optimizer}, batches of {batch_size}, seed {seed}, {dtype}".format(**settings)
    print(title)
    print(", ".join(f"{name} {version}" for name, version in settings["versions"].items()), end="\n\n")
    print(report.table_head(list(engines)), flush=True)
    seen = compare(
        engines,
        experiment,
        dataset,
        tolerance=tolerance,
        x64=options.x64,
        check_every=1 if options.strict else 10,
        measured=recipe and recipe.measured,
        on_epoch=lambda row: print(report.table_row(row), flush=True),
        progress=True,
    )
    print("\n" + report.first_steps(seen))
    if recipe is not None:
        print(report.recipe_results(options.recipe, recipe))
    stem = options.out / f"compare-{settings['name']}"
    report.write_record(stem.with_suffix(".json"), seen, settings)
    picture.draw(stem.with_suffix(".png"), seen, title)
    print(f"wrote {stem}.png and {stem}.json")
    print(report.verdict(seen))
    return 0 if seen.agree else 1


def _settings(
    options: argparse.Namespace, dataset: Dataset, experiment: Experiment, engines: dict[str, Engine]
) -> dict[str, Any]:
    """What the comparison is of, for the title, the names of the files, and the record."""
    optimizer = options.optimizer or DEFAULT_OPTIMIZER
    rate = OPTIMIZERS[optimizer].rate if options.lr is None else options.lr
    how = f"{optimizer}, learning rate {rate:g}"
    parts = [options.recipe] if options.recipe else [options.model, dataset.name, optimizer]
    if options.schedule not in (None, "constant"):
        how += f" ({options.schedule})"
        parts.append(options.schedule)
    return {
        "name": "-".join(parts + (["x64"] if options.x64 else [])),
        "model": experiment.model.name,
        "dataset": dataset.name,
        "recipe": options.recipe,
        "optimizer": f"recipe {options.recipe}" if options.recipe else how,
        "dtype": "float64" if options.x64 else "float32",
        "batch_size": experiment.batch_size,
        "epochs": experiment.epochs,
        "steps": experiment.steps,
        "seed": experiment.seed,
        "versions": {name: jax.__version__ for name, jax in engines.items()} | {"numpy": np.__version__},
    }


def _make_folder(options: argparse.Namespace, option: str, folder: Path) -> None:
    """Before the work is done rather than after it: the folder that the results go to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        options.parser.error(f"{option}: {error}")


def _bench(options: argparse.Namespace) -> int:
    if options.json is not None:
        _make_folder(options, "--json", options.json.parent)
    return bench.run(rounds=options.rounds, quick=options.quick, json_file=options.json)


def _check(options: argparse.Namespace) -> int:
    if not __debug__:
        options.parser.error("the checks are assertions, which python -O leaves out: run it without -O")
    from .check.command import check  # imports both engines

    if options.html is not None:
        _make_folder(options, "--html", options.html.parent)
    return check(quick=options.quick, families=options.family, jobs=options.jobs, html=options.html)


def main(words: Sequence[str] | None = None) -> int:
    """Run the command in `words` (default: those of the process); the exit status."""
    options = _arguments().parse(words)
    try:
        return options.run(options)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
