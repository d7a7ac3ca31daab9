"""`evaluate`: how good a trained model is on a test set."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from .. import report
from ..files import write_json
from ..metrics import PrecisionRecall, confusion_matrix, precision_recall_of
from ..training import Trainer
from .parsing import add_command, make_folder
from .saved import Saved, add_checkpoint, find, is_classifier

__all__ = ["add_parser"]

EVALUATE_HELP = """\
Measure a trained model on the test set of its dataset, or of another one: its loss, its
metrics, and for a classifier the precision and recall of every class."""

EVALUATE_EXAMPLES = """examples:
  python -m reference evaluate runs/mlp
  python -m reference evaluate runs/mlp --which last --engine minijax
  python -m reference evaluate runs/mlp --dataset fashion-mnist --json runs/other.json

"""

EXIT_CODES = """exit status:
  0  done
  2  wrong use, or something needed is missing or damaged
"""

MOST_CLASSES = 50
"""in a table that people read"""


def add_parser(commands: Any) -> None:
    """Its options."""
    parser = add_command(
        commands, "evaluate", _run, "measure a trained model", EVALUATE_HELP, EVALUATE_EXAMPLES, EXIT_CODES
    )
    add = parser.add_argument
    add_checkpoint(add)
    add("--json", type=Path, metavar="FILE", help="also write all measures there")


def _run(options: argparse.Namespace) -> int:
    if options.json is not None:
        make_folder(options, "--json", options.json.parent)
    saved = find(options)
    classes = is_classifier(saved) and saved.dataset.classes <= MOST_CLASSES
    if classes:
        metrics = {**saved.experiment.metrics, "confusion": confusion_matrix(saved.dataset.classes)}
        made = saved.experiment._replace(metrics=metrics)
        saved = saved._replace(trainer=Trainer(saved.jax, made, state=saved.trainer.state))
    found = saved.trainer.evaluate(saved.dataset)
    print(f"{saved.experiment.model.name} from {saved.checkpoint.path.name}")
    print(f"on the {len(saved.dataset.x_test):,} test examples of {saved.dataset.name}, with {saved.jax.__name__}\n")
    for name, value in found.items():
        if isinstance(value, float):
            print(f"{name:>12}  {report.shown(name, value)}")
    if classes:
        print("\n" + _table(saved, found["confusion"]))
    if options.json is not None:
        write_json(options.json, report.finite({name: _plain(value) for name, value in found.items()}))
    return 0


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def _table(saved: Saved, matrix: np.ndarray) -> str:
    """Precision and recall of each class, and which one it is most often taken for."""
    measured: PrecisionRecall = precision_recall_of(saved.jax, saved.jax.numpy.asarray(matrix))
    labels = saved.dataset.labels or tuple(map(str, range(saved.dataset.classes)))
    width = max(5, *map(len, labels))
    lines = [f"{'class':>{width}}  examples  precision   recall       f1  most often taken for"]
    for i, label in enumerate(labels):
        others = matrix[i].copy()
        others[i] = 0
        wrong = f"{labels[others.argmax()]} ({others.max()})" if others.any() else ""
        shares = "  ".join(f"{float(values[i]):>7.2%}" for values in measured)
        lines.append(f"{label:>{width}}  {matrix[i].sum():>8}    {shares}  {wrong}".rstrip())
    return "\n".join(lines)
