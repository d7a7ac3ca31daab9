"""Trainings on 8 simulated devices, each a function of the engine: test_parallel.py runs them.

Run as a program, with the name of an engine and the names of programs, it prints as JSON what is wrong with each, or
null. It has a process of its own because the number of devices must be set before the first operation.
"""

from __future__ import annotations

import functools
import json
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from reference.data import load
from reference.engines import engine
from reference.layers import batch_norm, dense
from reference.losses import softmax_cross_entropy
from reference.metrics import accuracy
from reference.models import Model, mlp
from reference.optimizers import OPTIMIZERS, adam
from reference.parallel.data_parallel import data_parallel
from reference.parallel.devices import choose_devices, choose_platform, describe
from reference.parallel.precision import in_dtype, loss_scaling, scaled_train_step
from reference.parallel.replication import divide, replicate, unreplicate
from reference.parallel.sharding import make_mesh, sharded, state_sharding
from reference.training import Experiment, Trainer, supervised, training_batches

DEVICES = 8
Engine = Any


@functools.cache
def digits(tests: int = 56) -> Any:
    """100 digits in batches of 48: two that 8 devices can divide, and one of 4 that they cannot."""
    whole = load("digits")
    x, y = whole.x_train[:100], whole.y_train[:100]
    return whole._replace(x_train=x, y_train=y, x_test=whole.x_test[:tests], y_test=whole.y_test[:tests])


def normalized_mlp() -> Model:
    """A small model with batch normalisation."""

    def init(jax: Engine, key: Any) -> Any:
        first, last = jax.random.split(key)
        norm, state = batch_norm.init(jax, 16)
        layers = {"in": dense.init(jax, first, 64, 16, bias=False), "out": dense.init(jax, last, 16, 10)}
        return {**layers, "norm": norm}, state

    def apply(jax: Engine, params: Any, state: Any, x: Any, *, key: Any, train: bool) -> Any:
        x = dense.apply(jax, params["in"], x.reshape(len(x), -1))
        x, state = batch_norm.apply(jax, params["norm"], state, x, train=train)
        return dense.apply(jax, params["out"], jax.numpy.tanh(x)), state

    return Model("normalised", init, apply)


def noisy_mlp() -> Model:
    """A small model that draws random numbers in training."""
    plain = mlp.mlp((64, 16, 10), activation="tanh")

    def apply(jax: Engine, params: Any, state: Any, x: Any, *, key: Any, train: bool) -> Any:
        x = x.reshape(len(x), -1)
        return plain.apply(jax, params, state, x + jax.random.normal(key, x.shape) * train, key=key, train=train)

    return plain._replace(apply=apply)


def trained(jax: Engine, model: Model | None = None, execution: Any = None, *, tests: int = 56, **changes: Any) -> Any:
    """Losses and accuracies of all steps of two epochs, the evaluation, and the state at the end."""
    model = model or mlp.mlp((64, 16, 10), activation="tanh")
    experiment = Experiment(
        model,
        supervised(model, softmax_cross_entropy),
        adam(0.01),
        48,
        epochs=2,
        metrics={"accuracy": accuracy()},
        drop_last=False,
    )._replace(**changes)
    options = {} if execution is None else {"execution": execution}
    trainer = Trainer(jax, experiment, measure=True, watch=True, **options)
    rows = []
    for epoch in range(experiment.epochs):
        for batch in training_batches(experiment, digits(), epoch):
            measures = trainer.train(trainer.execution.place_batch(jax, batch))
            assert np.asarray(measures["finite"]).all()
            rows.append((float(measures["loss"]), float(measures["accuracy"])))
    return np.array(rows), trainer.evaluate(digits(tests)), trainer.execution.whole_state(jax, trainer.state), trainer


@functools.cache
def of_one(tests: int = 56) -> Any:
    """The usual training on one device, which many are held against: by minijax, as JAX would compile for seconds."""
    return trained(engine("minijax"), tests=tests)


def same(jax: Engine, execution: Any, model: Model | None = None, *, bound: float = 1e-5, **changes: Any) -> Any:
    """Train on one device and as `execution` says, and see that all numbers agree; the second trainer."""
    ours, found, state, trainer = trained(jax, model, execution, **changes)
    usual = model is None and set(changes) <= {"tests"}
    theirs, expected, state_of_one, _ = of_one(**changes) if usual else trained(jax, model, **changes)
    assert len(ours) == 6
    assert np.abs(ours - theirs).max() < bound, np.abs(ours - theirs)
    assert all(abs(found[name] - expected[name]) < bound for name in expected), (found, expected)
    one = engine("minijax") if usual else jax
    for a, b in zip(arrays(jax, state), arrays(one, state_of_one), strict=True):
        assert np.abs(a - b).max(initial=0) < bound
    return trainer


def arrays(jax: Engine, tree: Any) -> list[np.ndarray]:
    """The leaves, keys as the numbers they are made of."""
    keys = jax.dtypes.prng_key
    leaves = jax.tree.leaves(tree)
    bits = [jax.random.key_data(x) if jax.dtypes.issubdtype(x.dtype, keys) else x for x in leaves]
    return [np.asarray(x).astype(np.float64) for x in bits]


def pmap_on(jax: Engine, count: int = DEVICES, **options: Any) -> Any:
    """The pmap of so many devices."""
    return data_parallel(choose_devices(jax, count), **options)


def mesh_on(jax: Engine, count: int = DEVICES, **options: Any) -> Any:
    """A mesh of so many devices."""
    return sharded(jax, choose_devices(jax, count), **options)


def is_divided(jax: Engine, trainer: Any, *, parts: int) -> None:
    """The first matrix is in so many different parts. minijax says of results that they are on one device."""
    if jax.__name__ == "jax":
        shards = jax.tree.leaves(trainer.state.params)[1].addressable_shards
        assert len({str(shard.index) for shard in shards}) == parts


def check_replication(jax: Engine) -> None:
    """There and back again."""
    devices = choose_devices(jax)
    tree = {"a": np.arange(3.0, dtype=np.float32), "key": jax.random.key(1), "n": 2}
    copies = replicate(jax, tree, devices)
    assert copies["a"].shape == (8, 3)
    assert {shard.device for shard in copies["a"].addressable_shards} == set(devices)
    back = unreplicate(jax, copies)
    assert np.array_equal(back["a"], tree["a"])
    assert int(back["n"]) == 2
    assert np.array_equal(jax.random.key_data(back["key"]), jax.random.key_data(tree["key"]))
    (x,), divided = divide(jax, (np.arange(32).reshape(16, 2),), devices)
    assert divided
    assert x.shape == (8, 2, 2)
    assert np.array_equal(x[3], np.arange(12, 16).reshape(2, 2))
    for count in (15, 0):
        (x,), divided = divide(jax, (np.arange(count),), devices)
        assert not divided
        assert len(x) == count


def check_shardings(jax: Engine) -> None:
    """What is divided, by shape."""
    mesh = make_mesh(jax, choose_devices(jax), tensor=2)
    expected = {
        (6,): ((None,), (None,)),
        (8,): ((None,), ("data",)),
        (): ((), ()),
        (0, 4): ((None, "tensor"), (None, "tensor")),
        (3, 5): ((None, None), (None, None)),
        (8, 6): ((None, "tensor"), ("data", "tensor")),
        (3, 4, 12, 7): ((None,) * 4, (None, None, "data", None)),
    }
    for shape, specs in expected.items():
        for fully, spec in zip((False, True), specs, strict=True):
            found = state_sharding(jax, mesh, shape, fully=fully)
            assert tuple(found.spec) == spec, (shape, fully, found.spec)


def check_devices(jax: Engine) -> None:
    """How many there are, and what is said when there are fewer."""
    assert describe(choose_devices(jax)) == "8 cpu devices"
    assert describe(choose_devices(jax, 1)) == "1 cpu device"
    fails("9 devices are asked for, and there are 8", lambda: choose_devices(jax, 9))
    fails("8 devices cannot be arranged in rows of 3", lambda: make_mesh(jax, choose_devices(jax), tensor=3))
    fails("there is no platform 'abacus'", lambda: choose_platform(jax, "abacus"))


def check_privacy(jax: Engine) -> None:
    """Clipping example by example works over a mesh, and is refused under pmap."""
    private = OPTIMIZERS["dp-sgd"].make(0.1)
    same(jax, mesh_on(jax), optimizer=private)
    fails("take --parallel shard", lambda: trained(jax, execution=pmap_on(jax), optimizer=private))


def check_noise(jax: Engine) -> None:
    """Over a mesh a model draws what it draws on one device; under pmap each device draws its own."""
    same(jax, mesh_on(jax), noisy_mlp())
    losses = trained(jax, noisy_mlp(), pmap_on(jax))[0][:, 0]
    of_one = trained(jax, noisy_mlp())[0][:, 0]
    assert 1e-4 < np.abs(losses - of_one)[0] < 0.5


def check_loss_scale(jax: Engine) -> None:
    """float16 on many devices is float16 on one."""
    model = mlp.mlp((64, 16, 10), activation="tanh")
    objective = in_dtype(supervised(model, softmax_cross_entropy), "float16")
    changes = {"objective": objective, "optimizer": loss_scaling(adam(0.01))}
    scales = []
    for execution in (
        mesh_on(jax, fully=True, build=scaled_train_step),
        pmap_on(jax, build=scaled_train_step),
        mesh_on(jax, 1, build=scaled_train_step),
    ):
        rows, _, state, _ = trained(jax, model, execution, **changes)
        scales.append((rows, float(state.opt_state.scale)))
    for rows, scale in scales[:2]:
        assert np.abs(rows - scales[2][0]).max() < 2e-2
        assert scale == scales[2][1] == 2.0**15


def fails(what: str, call: Callable) -> None:
    """The call raises an error that says so."""
    try:
        call()
    except (ValueError, RuntimeError) as error:
        assert what in str(error), error
    else:
        raise AssertionError(f"no error: {what}")


PROGRAMS: dict[str, Callable[[Engine], Any]] = {
    "pmap": lambda jax: same(jax, pmap_on(jax)),
    "a mesh, everything divided": lambda jax: is_divided(jax, same(jax, mesh_on(jax, tensor=2, fully=True)), parts=8),
    "replication": check_replication,
    "shardings": check_shardings,
    "devices": check_devices,
}
"""what runs always"""

QUICK = ("replication", "shardings", "devices")
"""of those what JAX runs at full depth only"""

MORE_PROGRAMS: dict[str, Callable[[Engine], Any]] = {
    "pmap on some devices": lambda jax: same(jax, pmap_on(jax, 3), tests=53),
    "a mesh": lambda jax: is_divided(jax, same(jax, mesh_on(jax), tests=53), parts=1),
    "batch normalisation over a mesh": lambda jax: same(jax, mesh_on(jax), normalized_mlp(), bound=1e-4),
    "a mesh with tensor": lambda jax: is_divided(jax, same(jax, mesh_on(jax, tensor=4)), parts=4),
    "a mesh, fully sharded": lambda jax: is_divided(jax, same(jax, mesh_on(jax, fully=True)), parts=8),
    "a mesh of some devices": lambda jax: same(jax, mesh_on(jax, 4, tensor=2)),
    "batch normalisation, everything divided": lambda jax: same(
        jax, mesh_on(jax, tensor=2, fully=True), normalized_mlp(), bound=1e-4
    ),
    "batch normalisation under pmap trains": lambda jax: trained(jax, normalized_mlp(), pmap_on(jax)),
    "privacy": check_privacy,
    "noise": check_noise,
    "loss scale": check_loss_scale,
}
"""what runs at full depth only"""


def difference(program: Callable[[Engine], Any], jax: Engine) -> str | None:
    """What is wrong with a program, or None."""
    try:
        program(jax)
    except Exception:
        return traceback.format_exc()
    return None


def main(name: str, depth: str) -> None:
    """Run the programs of this depth on this engine."""
    warnings.simplefilter("error")
    jax = engine(name)
    choose_platform(jax, "cpu", cpu_devices=DEVICES)
    programs = {"default": PROGRAMS, "full": MORE_PROGRAMS}[depth]
    chosen = {title: program for title, program in programs.items() if name == "minijax" or title not in QUICK}
    if depth == "full":
        chosen |= {title: PROGRAMS[title] for title in QUICK}
    json.dump({title: difference(program, jax) for title, program in chosen.items()}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
