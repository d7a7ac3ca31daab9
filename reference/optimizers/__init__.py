"""Optimisers over pytrees of parameters, as pairs (init, update), and the transformations that they are made of.

| file | what is in it |
|---|---|
| `base.py` | the shape of an optimiser, `chain`, arithmetic on trees |
| `updates.py` | learning rate, clipping by value, by norm and by root mean square, weight decay, noise |
| `descent.py` | gradient descent, momentum, Nesterov, noisy and optimistic gradient descent |
| `adaptive.py` | AdaGrad, AdaDelta, RMSProp, Adam, AdamW, RAdam, AdaBelief, Yogi, Lion |
| `layerwise.py` | LAMB, LARS, Fromage |
| `compact.py` | Adafactor, SM3 |
| `privacy.py` | differentially private gradient descent |
| `combining.py` | parameters by label or mask, gradient accumulation, averages |
| `table.py` | all of them by name |
"""

from .adaptive import (
    adabelief,
    adadelta,
    adagrad,
    adam,
    adamw,
    lion,
    radam,
    rmsprop,
    scale_by_adadelta,
    scale_by_adam,
    scale_by_belief,
    scale_by_lion,
    scale_by_radam,
    scale_by_rms,
    scale_by_root_of_sum,
    scale_by_yogi,
    yogi,
)
from .base import Optimizer, apply_updates, chain, global_norm, identity
from .combining import AverageState, accumulate_gradients, ema, freeze, keep_average, masked, multi_transform
from .compact import adafactor, scale_by_factored_rms, scale_by_parameter_rms, scale_by_sm3, sm3
from .descent import (
    momentum,
    nesterov,
    noisy_sgd,
    optimistic_gradient_descent,
    scale_by_optimistic_gradient,
    sgd,
    trace,
)
from .layerwise import fromage, lamb, lars, scale_by_trust_ratio
from .privacy import aggregate_privately, dp_sgd, value_and_gradients
from .table import OPTIMIZERS, Choice
from .updates import (
    add_decayed_weights,
    add_noise,
    clip_by_global_norm,
    clip_by_rms,
    clip_by_value,
    scale_by_learning_rate,
)

__all__ = [
    "AverageState",
    "Choice",
    "OPTIMIZERS",
    "Optimizer",
    "accumulate_gradients",
    "adabelief",
    "adadelta",
    "adafactor",
    "adagrad",
    "adam",
    "adamw",
    "add_decayed_weights",
    "add_noise",
    "aggregate_privately",
    "apply_updates",
    "chain",
    "clip_by_global_norm",
    "clip_by_rms",
    "clip_by_value",
    "dp_sgd",
    "ema",
    "freeze",
    "fromage",
    "global_norm",
    "identity",
    "keep_average",
    "lamb",
    "lars",
    "lion",
    "masked",
    "momentum",
    "multi_transform",
    "nesterov",
    "noisy_sgd",
    "optimistic_gradient_descent",
    "radam",
    "rmsprop",
    "scale_by_adadelta",
    "scale_by_adam",
    "scale_by_belief",
    "scale_by_factored_rms",
    "scale_by_learning_rate",
    "scale_by_lion",
    "scale_by_optimistic_gradient",
    "scale_by_parameter_rms",
    "scale_by_radam",
    "scale_by_rms",
    "scale_by_root_of_sum",
    "scale_by_sm3",
    "scale_by_trust_ratio",
    "scale_by_yogi",
    "sgd",
    "sm3",
    "trace",
    "value_and_gradients",
    "yogi",
]
