"""Every model trained on both engines, from the same key and on the same batches: losses and parameters agree."""

import numpy as np
import pytest
from small_models import SMALL

from reference.compare import parameter_difference
from reference.engines import precision
from reference.optimizers import OPTIMIZERS
from reference.training import init_state, make_train_step

RATES = {"sgd": 0.05, "momentum": 0.01, "adam": 0.002}

# The issue's: losses relative, parameters over the largest entry of each leaf.
ALLOWED = {True: (1e-9, 1e-9), False: (1e-4, 1e-3)}

FULL = [
    pytest.param(name, optimizer, 30, x64, marks=pytest.mark.full, id=f"{name} {optimizer} {64 if x64 else 32}")
    for name in SMALL
    for optimizer in RATES
    for x64 in (False, True)
]

# Compiling takes JAX seconds for each: some models, and a few steps, at default depth.
QUICK = [
    pytest.param(name, optimizer, 3, x64, id=f"{name} {optimizer}")
    for name, optimizer, x64 in (
        ("cnn-norm", "adam", True),
        ("gru", "adam", False),
        ("conv-vae", "momentum", True),
        ("transfer", "adam", True),
        ("gpt", "adam", False),
    )
]


def first_states(engines, small, optimizer, steps):
    """On both engines; in quick tests, where drawing would take JAX longer than training, what minijax draws."""
    ours = init_state(engines["minijax"], small.model, optimizer, seed=1)
    if steps > 3:
        return [ours, init_state(engines["jax"], small.model, optimizer, seed=1)]
    key = engines["jax"].random.wrap_key_data(np.asarray(engines["minijax"].random.key_data(ours.key)))
    theirs = engines["jax"].tree.map(lambda leaf: engines["jax"].numpy.asarray(np.asarray(leaf)), ours._replace(key=()))
    return [ours, theirs._replace(key=key)]


@pytest.mark.parametrize("name, optimizer, steps, x64", QUICK + FULL)
def test_both_engines_train_alike(engines, name, optimizer, steps, x64):
    small, (loss_allowed, parameters_allowed) = SMALL[name], ALLOWED[x64]
    chosen = small.optimizer(OPTIMIZERS[optimizer].make(small.rate * RATES[optimizer]))
    with precision(engines["minijax"], x64=x64), precision(engines["jax"], x64=x64):
        trains = [make_train_step(jax, small.objective, chosen) for jax in engines.values()]
        states = first_states(engines, small, chosen, steps)
        before = engines["jax"].tree.map(np.array, states[1].params)
        rng = np.random.default_rng(0)
        for step in range(steps):
            batch = small.batch(rng, np.float64 if x64 else np.float32)
            states, measures = zip(*(train(state, batch) for train, state in zip(trains, states, strict=True)))
            ours, theirs = (float(measure["loss"]) for measure in measures)
            assert ours == pytest.approx(theirs, rel=loss_allowed), f"step {step}"
            sides = [(state.params, state.model_state) for state in states]
            found = parameter_difference(engines["jax"], *sides, step + 1, exempt=small.exempt)
            assert found.difference.relative <= parameters_allowed, found
        moved = parameter_difference(engines["jax"], before, states[1].params, steps).difference
    assert moved.absolute > 1e-4, "nothing was trained"
