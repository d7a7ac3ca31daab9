"""`generate`: new pictures or new text, of a trained model that makes some."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from ..data.characters import decode_characters, encode_characters
from ..tasks import MODELS
from .parsing import add_command, count, make_folder, number, seed
from .saved import Saved, add_checkpoint, find

__all__ = ["add_parser"]

GENERATE_HELP = """\
Let a trained model make something new: an autoencoder or a generative adversarial network
draws images, which are written as one picture; a GPT goes on with a text."""

GENERATE_EXAMPLES = """examples:
  python -m reference train vae --checkpoint-dir runs/vae
  python -m reference generate runs/vae --count 40
  python -m reference train gpt --checkpoint-dir runs/gpt
  python -m reference generate runs/gpt --prompt "ROMEO:" --length 500 --temperature 0.8 --top-k 20

"""

EXIT_CODES = """exit status:
  0  done
  2  wrong use, or something needed is missing or damaged
"""

_MAKERS = ", ".join(name for name, task in MODELS.items() if task.paints or task.writes)

_temperature = number(float, "a number that is not negative", lambda x: 0 <= x < float("inf"))


def add_parser(commands: Any) -> None:
    """Its options."""
    summary = "new pictures or text of a trained model"
    parser = add_command(commands, "generate", _run, summary, GENERATE_HELP, GENERATE_EXAMPLES, EXIT_CODES)
    add = parser.add_argument
    add_checkpoint(add)
    # the loss of two players says nothing about the images of one
    parser.set_defaults(which="last")
    add("--seed", type=seed, default=0, metavar="N", help="draws what is made (default: 0)")
    add("--count", type=count, default=64, metavar="N", help="how many images (default: 64)")
    add("--out", type=Path, default=Path("runs"), metavar="DIR", help="where a picture goes (default: runs)")
    add("--prompt", default="\n", metavar="TEXT", help="what the text begins with (default: a new line)")
    add("--length", type=count, default=500, metavar="N", help="characters of text (default: 500)")
    add(
        "--temperature",
        type=_temperature,
        default=0.8,
        metavar="T",
        help="below 1 likely characters are preferred, 0 takes the likeliest (default: 0.8)",
    )
    add("--top-k", type=count, metavar="N", help="draw among the N likeliest characters only")


def _run(options: argparse.Namespace) -> int:
    make_folder(options, "--out", options.out)
    saved = find(options)
    if saved.task.paints is not None:
        return _paint(options, saved)
    if saved.task.writes is not None:
        return _write(options, saved)
    options.parser.error(f"{saved.name} makes nothing new; these do: {_MAKERS}")


def _paint(options: argparse.Namespace, saved: Saved) -> int:
    from .. import gallery  # matplotlib takes half a second to import

    jax, state = saved.jax, saved.trainer.state
    paint = saved.task.paints(saved.dataset)
    images = np.asarray(paint(jax, state.params, state.model_state, jax.random.key(options.seed), options.count))
    path = options.out / f"generate-{saved.name}-{saved.dataset.name}.png"
    gallery.draw(path, images)
    print(f"wrote {path}")
    return 0


def _write(options: argparse.Namespace, saved: Saved) -> int:
    jax, vocabulary = saved.jax, tuple(saved.dataset.vocabulary)
    try:
        prompt = encode_characters(options.prompt, vocabulary)
    except ValueError as error:
        options.parser.error(f"--prompt: {error}")
    if not len(prompt):
        options.parser.error("--prompt is empty; write at least one character")
    write = saved.task.writes(saved.dataset)
    tokens = write(
        jax,
        saved.trainer.state.params,
        jax.numpy.asarray(prompt[None]),
        jax.random.key(options.seed),
        options.length,
        temperature=options.temperature,
        top_k=options.top_k,
    )
    print(options.prompt + decode_characters(tokens[0], vocabulary))
    return 0
