"""The optimisers by name, as the commands know them."""

from collections.abc import Callable
from typing import NamedTuple

from .adaptive import adabelief, adadelta, adagrad, adam, adamw, lion, radam, rmsprop, yogi
from .base import Optimizer
from .compact import adafactor, sm3
from .descent import momentum, nesterov, noisy_sgd, optimistic_gradient_descent, sgd
from .layerwise import fromage, lamb, lars
from .privacy import dp_sgd

__all__ = ["OPTIMIZERS", "Choice"]


class Choice(NamedTuple):
    """An optimiser by name: how to make it from a learning rate, and a rate that suits a small network.

    Much higher rates train faster at first, but on the edge of divergence, where rounding errors grow.
    """

    make: Callable[..., Optimizer]
    rate: float


OPTIMIZERS = {
    "sgd": Choice(sgd, 0.2),
    "momentum": Choice(momentum, 0.05),
    "nesterov": Choice(nesterov, 0.05),
    "adam": Choice(adam, 0.001),
    "adamw": Choice(adamw, 0.001),
    "radam": Choice(radam, 0.005),
    "adabelief": Choice(adabelief, 0.001),
    "yogi": Choice(yogi, 0.005),
    "adagrad": Choice(adagrad, 0.02),
    "adadelta": Choice(adadelta, 1.0),
    "rmsprop": Choice(rmsprop, 0.001),
    "lion": Choice(lion, 0.0005),
    "lamb": Choice(lamb, 0.005),
    "lars": Choice(lars, 1.0),
    "fromage": Choice(fromage, 0.01),
    "adafactor": Choice(adafactor, 0.01),
    "sm3": Choice(sm3, 0.02),
    "noisy-sgd": Choice(noisy_sgd, 0.1),
    "optimistic": Choice(optimistic_gradient_descent, 0.1),
    "dp-sgd": Choice(dp_sgd, 0.5),
}
