"""Small programs around loops, each a file in `programs`: one text, two engines, equal results and equal jaxprs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest
from programs import lstm, maml, mandelbrot, newton, pendulum, per_example

import minijax
from reference.check import jaxpr_tools, oracle_facts
from reference.check.oracle import assert_same


class Case(NamedTuple):
    """A function of the engine that gives the function to run; its arguments; the bound of its results.

    ulp is the largest difference in units of eps times each leaf's largest entry, or 1 if that is smaller.
    """

    program: Callable[[Any], Callable[..., Any]]
    args: tuple[Any, ...]
    ulp: float = 64


PARAMS, WAVE = lstm.parameters(), lstm.wave()
START, FRICTION = np.array([1.0, 0.5], np.float32), np.float32(0.1)
RE, IM = np.linspace(-2.0, 0.6, 14, dtype=np.float32), np.linspace(-1.2, 1.2, 9, dtype=np.float32)
NUMBERS = np.array([2.0, 3.0, 5.0], np.float32)
ANOMALIES = np.array([0.3, 0.9], np.float32)

CASES: dict[str, Case] = {
    "lstm": Case(lambda j: partial(lstm.loss, j), (PARAMS, WAVE)),
    "lstm-and-gradient": Case(lambda j: j.value_and_grad(partial(lstm.loss, j)), (PARAMS, WAVE), ulp=256),
    "lstm-trained": Case(lambda j: partial(lstm.train, j), (PARAMS, WAVE), ulp=256),
    "cube-root": Case(lambda j: partial(newton.cube_root, j), (2.0,)),
    "grad-of-cube-root": Case(lambda j: j.grad(partial(newton.cube_root, j)), (2.0,)),
    "grad-of-grad-of-cube-root": Case(lambda j: j.grad(j.grad(partial(newton.cube_root, j))), (2.0,)),
    "vmap-of-grad-of-cube-root": Case(lambda j: j.vmap(j.grad(partial(newton.cube_root, j))), (NUMBERS,)),
    "kepler": Case(lambda j: j.vmap(partial(newton.kepler, j), (None, 0)), (np.float32(0.4), ANOMALIES)),
    "grad-of-kepler": Case(lambda j: j.grad(partial(newton.kepler, j), (0, 1)), (0.4, 0.9)),
    "mandelbrot": Case(lambda j: partial(mandelbrot.picture, j), (RE, IM), ulp=0),
    "pendulum": Case(lambda j: partial(pendulum.path, j), (START, FRICTION)),
    "grad-of-pendulum": Case(lambda j: j.grad(partial(pendulum.energy_at_the_end, j), (0, 1)), (START, FRICTION)),
    "jacrev-of-pendulum": Case(lambda j: partial(pendulum.sensitivity, j, reverse=True), (START, FRICTION)),
    "jacfwd-of-pendulum": Case(lambda j: partial(pendulum.sensitivity, j, reverse=False), (START, FRICTION)),
    "maml": Case(lambda j: partial(maml.meta_loss, j), (maml.parameters(), *maml.tasks())),
    "grad-of-maml": Case(lambda j: j.grad(partial(maml.meta_loss, j)), (maml.parameters(), *maml.tasks())),
    "per-example-gradients": Case(lambda j: partial(per_example.gradients, j), (PARAMS, per_example.sequences())),
    "clipped-gradients": Case(lambda j: partial(per_example.clipped_mean, j), (PARAMS, per_example.sequences())),
}


DIFFERENT_TEXTS = oracle_facts.PROGRAM_ZEROS_ELSEWHERE | oracle_facts.PROGRAM_TEXT_DIFFERS


def result(engine: Any, case: Case, transform: Callable[[Any], Any] = lambda f: f) -> Any:
    """What the program gives on the engine."""
    return transform(case.program(engine))(*engine.tree_util.tree_map(engine.numpy.asarray, case.args))


@pytest.mark.parametrize("name", CASES)
def test_results(name: str):
    """Eagerly and under jit, against JAX under jit."""
    case = CASES[name]
    theirs = result(jax, case, jax.jit)
    for transform in (lambda f: f, minijax.jit):
        assert_same(result(minijax, case, transform), theirs, ulp=case.ulp, floor=1, leafwise=True, what=name)


@pytest.mark.parametrize("name", CASES)
def test_texts(name: str):
    """`make_jaxpr` prints the same on both engines."""
    case = CASES[name]
    ours, theirs = (engine.make_jaxpr(case.program(engine))(*case.args) for engine in (minijax, jax))
    if name in DIFFERENT_TEXTS:
        with pytest.raises(AssertionError):  # if it does not: take the name off the list in oracle_facts.py
            jaxpr_tools.assert_same_text(ours, theirs)
    else:
        jaxpr_tools.assert_same_text(ours, theirs)
    if name in oracle_facts.PROGRAM_ZEROS_ELSEWHERE:
        assert jaxpr_tools.text(ours, prune=True) == jaxpr_tools.text(theirs, prune=True)


@pytest.mark.full
@pytest.mark.parametrize("name", CASES)
def test_as_loops_of_python(name: str):
    """Under disable_jit the loops are Python's, on both engines."""
    case = CASES[name]
    with minijax.disable_jit(), jax.disable_jit():
        ours, theirs = result(minijax, case), result(jax, case)
    assert_same(ours, theirs, ulp=case.ulp, floor=1, leafwise=True, what=name)


def test_the_list_of_differing_texts_names_programs():
    assert set(DIFFERENT_TEXTS) <= set(CASES)
