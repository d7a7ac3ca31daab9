"""`train`: train a model on one engine."""

import argparse
import os
import sys
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from .. import report
from ..data import Dataset
from ..engines import ENGINES, Engine, engine, set_deterministic
from ..files import write_json
from ..parallel.devices import memory
from ..parallel.utilization import say_utilization
from ..tasks import MODELS, Settings
from ..training import (
    Callback,
    Checkpoint,
    CSVLogger,
    EarlyStopping,
    Experiment,
    Folder,
    History,
    LearningRateLogger,
    Loop,
    ModelCheckpoint,
    Outcome,
    Profile,
    TrainingDiverged,
    TrainState,
    fit,
    init_state,
    read_checkpoint,
    restore_tree,
    training_batches,
)
from .execution_options import Machine, add_execution_options, machine_from
from .experiment_options import (
    add_experiment_options,
    add_model,
    check_single_examples,
    settings_from,
    settle,
    usual_settings,
)
from .parsing import add_command, count, make_folder

__all__ = ["add_parser"]

HOW_LONG = ("epochs", "steps")
"""settings that a training is gone on with to change"""

TRAIN_HELP = """\
Train one model on one engine: a row of a table after each epoch, and at the end a
picture of the curves and a JSON file. With a folder for checkpoints it can be
interrupted, killed and resumed at any time: what comes out is the same, bit for bit."""

TRAIN_EXAMPLES = """examples:
  python -m reference train mlp
  python -m reference train mlp --engine minijax --optimizer adam --schedule warmup-cosine
  python -m reference train mlp --checkpoint-dir runs/mlp --save-every 100
  python -m reference train mlp --checkpoint-dir runs/mlp --resume --epochs 20
  python -m reference train mlp --epochs 50 --patience 3 --tensorboard runs/board
  python -m reference train mlp --platform cpu --parallel shard --devices 8
  python -m reference train mlp --scan 100 --precision bfloat16

"""

EXIT_CODES = """exit status:
    0  done
    1  the training diverged: its loss or a gradient was no longer finite
    2  wrong use, or something needed is missing or damaged
  130  interrupted by Ctrl-C (143: by SIGTERM); with --checkpoint-dir all is kept
"""


def add_parser(commands: Any) -> None:
    """Its options."""
    parser = add_command(
        commands, "train", _run, "train a model", TRAIN_HELP, TRAIN_EXAMPLES + usual_settings(), EXIT_CODES
    )
    add = parser.add_argument
    add_model(add)
    add_experiment_options(add)
    add("--engine", choices=list(ENGINES), default="jax", metavar="NAME", help="%(choices)s (default: jax)")
    add_execution_options(add)
    add("--checkpoint-dir", type=Path, metavar="DIR", help="keep the training there after each epoch")
    add("--save-every", type=count, metavar="N", help="and after every N steps")
    add(
        "--keep",
        type=count,
        metavar="N",
        help="how many of the last checkpoints are kept, beside the best (default: 3)",
    )
    add("--resume", action="store_true", help="go on from the last checkpoint in --checkpoint-dir, if there is one")
    add(
        "--start-from",
        type=Path,
        metavar="PATH",
        help="take parameters from this checkpoint (of a folder: the best) where names and shapes are the same",
    )
    add("--patience", type=count, metavar="N", help="stop when the evaluation has not got better for N epochs")
    add("--tensorboard", type=Path, metavar="DIR", help="write event files for TensorBoard there")
    add(
        "--utilization",
        action="store_true",
        help="say at the end what share of the devices' peak the steps reach (this compiles the step once more)",
    )
    add("--profile", type=Path, metavar="DIR", help="write a trace of ten steps there (jax.profiler)")
    add(
        "--deterministic",
        action="store_true",
        help="highest precision of matrix products and the same order of sums in every run, also on a GPU",
    )
    add("--out", type=Path, default=Path("runs"), metavar="DIR", help="where picture and JSON go (default: runs)")


def _run(options: argparse.Namespace) -> int:
    """Train, with the table on standard output; the exit status."""
    for option in ("resume", "save_every", "keep"):
        if getattr(options, option) and options.checkpoint_dir is None:
            options.parser.error(f"--{option.replace('_', '-')} needs --checkpoint-dir")
    make_folder(options, "--out", options.out)
    if options.deterministic:
        set_deterministic()
    jax = engine(options.engine)
    if options.profile is not None and not hasattr(jax, "profiler"):
        options.parser.error(f"--profile needs --engine jax: {jax.__name__} has no profiler")
    machine = machine_from(options, jax)
    with ExitStack() as stack:
        if options.deterministic:
            stack.enter_context(jax.default_matmul_precision("highest"))
        if not machine.first:
            stack.enter_context(redirect_stdout(stack.enter_context(open(os.devnull, "w"))))
        return _train_here(options, jax, machine)


def _train_here(options: argparse.Namespace, jax: Engine, machine: Machine) -> int:
    chosen = settings_from(options)
    dataset, experiment = settle(options, chosen)
    check_single_examples(options, jax, experiment)
    title = _title(jax, machine, chosen, dataset, experiment)
    print(title, end="\n\n")
    try:
        outcome = _train(options, jax, machine, chosen, dataset, experiment)
    except TrainingDiverged as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, SystemExit) as end:
        status = 130 if isinstance(end, KeyboardInterrupt) else end.code
        if status not in (130, 143):
            raise
        print(f"interrupted{_kept(options)}", file=sys.stderr)
        return status
    if machine.first:
        _finish(options, jax, outcome, chosen, dataset, title)
        if options.utilization and machine.alone:
            _say_utilization(jax, machine, machine.adapt(experiment), dataset, outcome)
    return 0


def _kept(options: argparse.Namespace) -> str:
    """What is there to go on from; a second Ctrl-C may have come before the last checkpoint."""
    if options.checkpoint_dir is None:
        return ""
    files = Folder(options.checkpoint_dir).files()
    return f"; {files[0]} is kept: go on with --resume" if files else " before the first checkpoint"


def _title(jax: Engine, machine: Machine, chosen: Settings, dataset: Dataset, experiment: Experiment) -> str:
    how = f"{chosen.optimizer}, learning rate {chosen.rate:g}"
    if chosen.schedule != "constant":
        how += f" ({chosen.schedule})"
    batches = f"batches of {chosen.batch_size}, seed {chosen.seed}"
    return (
        f"{experiment.model.name} on {dataset.name}: {how}, {batches}; {jax.__name__} {jax.__version__} {machine.words}"
    )


class _Table(Callback):
    """A line after each epoch."""

    def __init__(self, headline: str) -> None:
        self.names = ["loss", "val_loss"] + ([f"val_{headline}"] if headline != "loss" else [])
        self.begun = False

    def on_epoch(self, loop: Loop, row: dict[str, float]) -> None:
        heads = [*self.names, "seconds", "steps/s", "examples/s"]
        widths = [max(12, len(head)) for head in heads]
        if not self.begun:
            print("epoch " + " ".join(f"{head:>{width}}" for head, width in zip(heads, widths)))
            self.begun = True
        cells = [report.shown(name, row[name]) if name in row else "" for name in self.names]
        cells.append(f"{row['seconds']:.2f}")
        cells += [f"{row[name]:,.1f}" if name in row else "" for name in ("steps_per_second", "examples_per_second")]
        line = " ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths))
        print(f"{row['epoch']:>5} {line}".rstrip(), flush=True)

    def on_end(self, loop: Loop) -> None:
        if not self.begun and loop.finished:
            print(f"all is done after {loop.step} steps; --epochs and --steps say how many there are to be")


def _callbacks(
    options: argparse.Namespace, experiment: Experiment, chosen: Settings, machine: Machine
) -> list[Callback]:
    """All processes have those that take part in decisions; the first one writes."""
    callbacks: list[Callback] = [LearningRateLogger(), _Table(experiment.headline)]
    monitor = f"val_{experiment.headline}"
    if options.patience is not None:
        callbacks.append(EarlyStopping(monitor, patience=options.patience))
    if options.profile is not None:
        make_folder(options, "--profile", options.profile)
        callbacks.append(Profile(options.profile))
    if options.tensorboard is not None and machine.first:
        from ..training.tensorboard import TensorBoard  # the package that writes event files is for this alone

        make_folder(options, "--tensorboard", options.tensorboard)
        settings = {name: value for name, value in chosen._asdict().items() if value is not None}
        texts = {"model": experiment.model.name}
        # parameters are gathered by all processes or none
        callbacks.append(TensorBoard(options.tensorboard, texts=texts, settings=settings, histograms=machine.alone))
    if options.checkpoint_dir is not None:
        make_folder(options, "--checkpoint-dir", options.checkpoint_dir)
        folder = Folder(options.checkpoint_dir, keep=options.keep or 3)
        if machine.first:
            callbacks.append(CSVLogger(options.checkpoint_dir / "history.csv"))
        callbacks.append(ModelCheckpoint(folder, monitor=monitor, every_steps=options.save_every))
    return callbacks


def _train(
    options: argparse.Namespace,
    jax: Engine,
    machine: Machine,
    chosen: Settings,
    dataset: Dataset,
    experiment: Experiment,
) -> Outcome:
    resume = Folder(options.checkpoint_dir).read() if options.resume else None
    if options.resume:
        print(
            f"going on from {resume.path}" if resume else f"no checkpoint in {options.checkpoint_dir} yet", flush=True
        )
    elif options.checkpoint_dir is not None and Folder(options.checkpoint_dir).files():
        options.parser.error(
            f"--checkpoint-dir {options.checkpoint_dir} holds a training already: go on with --resume, "
            "or take another folder"
        )
    run = {"model": options.model, "dataset": options.dataset or MODELS[options.model].dataset}
    run["settings"] = chosen._asdict()
    if resume is not None:
        _say_what_changes(options, resume, run)
    experiment, execution, data = machine.arrange(experiment, dataset)
    start = None
    if options.start_from is not None and resume is None:
        start = (_started_from(options, jax, experiment), History())
    return fit(
        jax,
        experiment,
        data,
        callbacks=_callbacks(options, experiment, chosen, machine),
        resume=resume,
        execution=execution,
        ahead=2 if options.engine == "jax" else 0,  # NumPy would wait for the thread
        progress=machine.first,
        notes={"run": run},
        start=start,
    )


def _say_what_changes(options: argparse.Namespace, resume: Checkpoint, run: dict[str, Any]) -> None:
    """Settings that are not those of the training that is gone on with; another model is wrong use.

    How long it is to be may always change, unless a schedule of the learning rate goes by it.
    """
    before = resume.notes.get("run", run)
    if before["model"] != run["model"]:
        options.parser.error(f"--resume: {resume.path} is of the model {before['model']}, not of {run['model']}")
    then, now = ({"dataset": side["dataset"], **side["settings"]} for side in (before, run))
    free = HOW_LONG if now["schedule"] == "constant" else ()
    changed = [f"{n} {then[n]} before and {now[n]} now" for n in now if n not in free and then[n] != now[n]]
    if changed:
        print("not as before: " + ", ".join(changed), flush=True)


def _started_from(options: argparse.Namespace, jax: Engine, experiment: Experiment) -> TrainState:
    """A fresh state with the parameters that another training has led to, as far as they fit."""
    path = options.start_from
    checkpoint = Folder(path).read("best") if path.is_dir() else read_checkpoint(path)
    if checkpoint is None:
        options.parser.error(f"--start-from {path} holds no checkpoint")
    state = init_state(jax, experiment.model, experiment.optimizer, experiment.seed)
    like = {"params": state.params, "model_state": state.model_state}
    found, mismatch = restore_tree(jax, like, checkpoint.part(*like).arrays)
    taken = len(jax.tree.leaves(like)) - len(mismatch.missing) - len(mismatch.shapes)
    if not taken:
        options.parser.error(f"--start-from {path}: nothing in it fits; {mismatch}")
    print(f"{taken} arrays taken from {checkpoint.path}: {mismatch}")
    return state._replace(**found)


def _finish(
    options: argparse.Namespace, jax: Engine, outcome: Outcome, chosen: Settings, dataset: Dataset, title: str
) -> None:
    """What is said and written when the training is over."""
    from .. import picture  # matplotlib takes half a second to import

    history = outcome.history
    compiling = sum(row.get("compile_seconds", 0.0) for row in history)
    print(f"\ncompilation and first step: {compiling:.2f} s")
    used = memory(jax.local_devices()[0])
    if used is not None:
        print(f"memory: {used}")
    if outcome.stopped is not None:
        print(f"stopped: {outcome.stopped}")
    if not len(history):
        return
    stem = options.out / f"train-{options.model}-{dataset.name}-{chosen.optimizer}"
    record, drawn = Path(f"{stem}.json"), Path(f"{stem}.png")  # with_suffix would cut a name off at its last dot
    write_json(record, report.finite(_record(options, jax, outcome, chosen, dataset)))
    picture.draw_history(drawn, history, title)
    print(f"wrote {drawn} and {record}")


def _say_utilization(jax: Engine, machine: Machine, experiment: Experiment, dataset: Dataset, outcome: Outcome) -> None:
    rates = [row["steps_per_second"] for row in outcome.history if "steps_per_second" in row]
    if rates:
        batch = next(training_batches(experiment, dataset, 0))
        print(say_utilization(jax, experiment, outcome.state, batch, max(rates), machine.devices))


def _record(
    options: argparse.Namespace, jax: Engine, outcome: Outcome, chosen: Settings, dataset: Dataset
) -> dict[str, Any]:
    return {
        "model": options.model,
        "dataset": dataset.name,
        "engine": jax.__name__,
        "versions": {jax.__name__: jax.__version__, "numpy": np.__version__},
        "device": jax.devices()[0].device_kind,
        "settings": chosen._asdict(),
        "stopped": outcome.stopped,
        "history": outcome.history.rows,
    }
