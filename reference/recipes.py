"""Experiments by name: the models that the commands know, and recipes with published results."""

from collections.abc import Callable
from typing import NamedTuple

from .batches import batch_count
from .data import Dataset
from .engines import Array, Engine, Params
from .losses import softmax_cross_entropy
from .models import Model, mlp
from .optimizers import OPTIMIZERS, sgd
from .schedules import SCHEDULES, exponential_decay, per_epoch
from .training import Experiment

__all__ = [
    "DEFAULT_OPTIMIZER",
    "MODELS",
    "RECIPES",
    "Recipe",
    "Results",
    "classifier",
    "jax_in_action",
    "whole_batch_cross_entropy",
]

DEFAULT_OPTIMIZER = "momentum"

# Smooth activations where two engines are compared: the kink of relu turns a rounding error in an
# input near zero into a whole gradient, and within an epoch the two runs are different ones.
MODELS = {"mlp": lambda dataset: mlp.mlp((dataset.features, 512, dataset.classes), activation="swish")}


def classifier(
    model: str,
    dataset: Dataset,
    *,
    optimizer: str = DEFAULT_OPTIMIZER,
    rate: float | None = None,
    schedule: str = "constant",
    epochs: int = 3,
    steps: int | None = None,
    batch_size: int = 128,
    seed: int = 0,
) -> Experiment:
    """A model from MODELS trained as a classifier of `dataset`, with an optimiser from OPTIMIZERS.

    `schedule`, from SCHEDULES, changes the rate over all the steps there will be.
    """
    choice = OPTIMIZERS[optimizer]
    rate = choice.rate if rate is None else rate
    if schedule != "constant":
        total = epochs * batch_count(len(dataset.x_train), batch_size, drop_last=True)
        rate = SCHEDULES[schedule](rate, max(1, total if steps is None else min(steps, total)))
    return Experiment(
        model=MODELS[model](dataset),
        loss=softmax_cross_entropy,
        optimizer=choice.make(rate),
        batch_size=batch_size,
        epochs=epochs,
        steps=steps,
        seed=seed,
    )


class Results(NamedTuple):
    """What a recipe leads to: mean training losses of its first and its last epoch, and the test accuracy."""

    epochs: int
    first_loss: float
    last_loss: float
    accuracy: float


class Recipe(NamedTuple):
    """An experiment with its results, and how far from them is still the same result."""

    dataset: str
    experiment: Callable[[Dataset], Experiment]
    published: Results
    measured: Results
    """by real JAX on the CPU, on the same data"""
    loss_tolerance: float
    accuracy_tolerance: float


def _book_init(jax: Engine, key: Array, sizes: tuple[int, ...]) -> Params:
    """Weights and biases normal with deviation 0.01. The book keeps w as [outputs, inputs]: hence `.T`."""
    layers = []
    for layer_key, inputs, outputs in zip(jax.random.split(key, len(sizes) - 1), sizes, sizes[1:]):
        w_key, b_key = jax.random.split(layer_key)
        w, b = jax.random.normal(w_key, (outputs, inputs)), jax.random.normal(b_key, (outputs,))
        layers.append({"w": 0.01 * w.T, "b": 0.01 * b})
    return layers


def whole_batch_cross_entropy(jax: Engine, logits: Array, labels: Array) -> Array:
    """-mean(onehot * (logits - logsumexp(all logits of the batch))), from f[batch, classes] and i32[batch].

    A quirk of the recipe: the logarithm is of one sum over the whole batch, not of one for each example,
    so that the loss cannot fall below log(batch) / classes.
    """
    onehot = jax.nn.one_hot(labels, logits.shape[-1], dtype=logits.dtype)
    return -jax.numpy.mean(onehot * (logits - jax.nn.logsumexp(logits)))


def jax_in_action(dataset: Dataset) -> Experiment:
    """The two-layer MLP of the book "JAX in Action" (G. Sapunov, 2024), in the order of the file."""
    sizes = (784, 512, 10)
    batch_size = 32
    steps = batch_count(len(dataset.x_train), batch_size, drop_last=False)
    return Experiment(
        model=Model(
            "mlp 784-512-10",
            init=lambda jax, key: _book_init(jax, key, sizes),
            apply=lambda jax, params, x: mlp.apply(jax, params, x, activation="swish"),
        ),
        loss=whole_batch_cross_entropy,
        optimizer=sgd(per_epoch(exponential_decay(1.0, 0.95, 5), steps)),
        batch_size=batch_size,
        epochs=25,
        shuffle=False,
        drop_last=False,
    )


RECIPES = {
    "jax-in-action": Recipe(
        dataset="mnist",
        experiment=jax_in_action,
        published=Results(25, 0.4104, 0.3540, 0.9812),
        measured=Results(25, 0.4101, 0.35397, 0.9810),
        loss_tolerance=0.0005,
        accuracy_tolerance=0.0015,
    )
}
