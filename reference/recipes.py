"""Recipes: published experiments by name, with their results."""

from collections.abc import Callable
from typing import NamedTuple

from .batches import batch_count
from .data import Dataset
from .engines import Array, Engine, Params
from .metrics import accuracy
from .models import mlp, stateless
from .optimizers import sgd
from .schedules import exponential_decay, per_epoch
from .training import Experiment, supervised

__all__ = [
    "RECIPES",
    "Recipe",
    "Results",
    "jax_in_action",
    "whole_batch_cross_entropy",
]


class Results(NamedTuple):
    """What a recipe leads to: mean training losses of its first and its last epoch, and the test accuracy."""

    epochs: int
    first_loss: float
    last_loss: float
    accuracy: float


class Recipe(NamedTuple):
    """An experiment with its results, and how far from them is still the same result."""

    model: str
    """the name in MODELS of the model that it is a recipe for"""
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
    sizes = (dataset.features, 512, dataset.classes)  # 784-512-10 on MNIST
    batch_size = 32
    steps = batch_count(len(dataset.x_train), batch_size, drop_last=False)
    model = stateless(
        "mlp " + "-".join(str(size) for size in sizes),
        lambda jax, key: _book_init(jax, key, sizes),
        lambda jax, params, x: mlp.apply(jax, params, x, activation="swish"),
    )
    return Experiment(
        model=model,
        objective=supervised(model, whole_batch_cross_entropy),
        metrics={"accuracy": accuracy()},
        optimizer=sgd(per_epoch(exponential_decay(1.0, 0.95, 5), steps)),
        batch_size=batch_size,
        epochs=25,
        shuffle=False,
        drop_last=False,
    )


RECIPES = {
    "jax-in-action": Recipe(
        model="mlp",
        dataset="mnist",
        experiment=jax_in_action,
        published=Results(25, 0.4104, 0.3540, 0.9812),
        measured=Results(25, 0.4101, 0.35397, 0.9810),
        loss_tolerance=0.0005,
        accuracy_tolerance=0.0015,
    )
}
