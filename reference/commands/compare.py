"""`compare`: train a model on both engines and see that they agree."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from .. import report
from ..compare import compare, tolerance_for
from ..data import Dataset, load
from ..engines import ENGINES, Engine, engine, set_deterministic
from ..recipes import RECIPES
from ..tasks import Settings
from ..training import Experiment
from .experiment_options import (
    add_experiment_options,
    add_model,
    check_batch_size,
    check_single_examples,
    settings_from,
    settle,
    usual_settings,
)
from .parsing import add_command, make_folder

__all__ = ["add_parser"]

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


def add_parser(commands: Any) -> None:
    """Its options."""
    parser = add_command(
        commands,
        "compare",
        _run,
        "train a model on both engines and see that they agree",
        COMPARE_HELP,
        COMPARE_EXAMPLES + usual_settings(),
    )
    add = parser.add_argument
    add_model(add)
    add_experiment_options(add)
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


def _settle_recipe(options: argparse.Namespace) -> tuple[Dataset, Experiment]:
    """The dataset and the experiment of the recipe, which refuses options that it fixes itself."""
    recipe = RECIPES[options.recipe]
    if options.model != recipe.model:
        options.parser.error(f"the recipe {options.recipe} is of the model {recipe.model}, not of {options.model}")
    fixed = {"--optimizer": options.optimizer, "--lr": options.lr, "--batch-size": options.batch_size}
    fixed |= {"--schedule": options.schedule, "--seed": options.seed}
    given = [name for name, value in fixed.items() if value is not None]
    if options.dataset not in (None, "auto", recipe.dataset):
        given.append(f"--dataset {options.dataset}")
    if given:
        options.parser.error(
            f"the recipe {options.recipe} sets everything but --epochs and --steps itself: "
            f"leave out {' and '.join(given)}"
        )
    dataset = load(recipe.dataset)
    experiment = recipe.experiment(dataset)
    check_batch_size(options, experiment.batch_size, dataset)
    return dataset, experiment._replace(epochs=options.epochs or experiment.epochs, steps=options.steps)


def _run(options: argparse.Namespace) -> int:
    """Compare, with the table on standard output; the exit status."""
    from .. import picture  # matplotlib takes half a second to import, and only this command draws

    set_deterministic()
    engines = {name: engine(name) for name in ENGINES}
    make_folder(options, "--out", options.out)
    recipe, chosen = RECIPES.get(options.recipe), settings_from(options)
    dataset, experiment = settle(options, chosen) if recipe is None else _settle_recipe(options)
    check_single_examples(options, engines["minijax"], experiment)
    tolerance = tolerance_for(x64=options.x64, recipe=recipe)
    settings = _settings(options, chosen, dataset, experiment, engines)
    title = "{model} on {dataset}: {optimizer}, batches of {batch_size}, seed {seed}, {dtype}".format(**settings)
    print(title)
    print(", ".join(f"{name} {version}" for name, version in settings["versions"].items()), end="\n\n")
    print(report.table_head(list(engines), experiment.headline), flush=True)
    seen = compare(
        engines,
        experiment,
        dataset,
        tolerance=tolerance,
        x64=options.x64,
        check_every=1 if options.strict else 10,
        measured=recipe and recipe.measured,
        on_epoch=lambda row: print(report.table_row(row, experiment.headline), flush=True),
        progress=True,
    )
    print("\n" + report.first_steps(seen))
    if recipe is not None:
        print(report.recipe_results(options.recipe, recipe))
    stem = options.out / f"compare-{settings['name']}"
    record, drawn = Path(f"{stem}.json"), Path(f"{stem}.png")  # with_suffix would cut a name off at its last dot
    report.write_record(record, seen, settings)
    picture.draw(drawn, seen, title)
    print(f"wrote {drawn} and {record}")
    print(report.verdict(seen))
    return 0 if seen.agree else 1


def _settings(
    options: argparse.Namespace,
    chosen: Settings,
    dataset: Dataset,
    experiment: Experiment,
    engines: dict[str, Engine],
) -> dict[str, Any]:
    """What the comparison is of, for the title, the names of the files, and the record."""
    how = f"{chosen.optimizer}, learning rate {chosen.rate:g}"
    parts = [options.recipe] if options.recipe else [options.model, dataset.name, chosen.optimizer]
    if chosen.schedule != "constant":
        how += f" ({chosen.schedule})"
        parts.append(chosen.schedule)
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
