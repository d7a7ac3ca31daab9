"""Programs of pmap, each a function of the engine: test_pmap.py runs them on both, on 8 devices.

Run as a program it prints, as JSON, what is wrong with each: a text, or null where both engines agree. It has a
process of its own because the number of devices must be set before the first operation. With a number as argument
it takes as many random programs instead.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

DEVICES = 8
X = np.linspace(-1.0, 1.5, 8).astype(np.float32)
M = np.cos(np.arange(24.0)).reshape(8, 3).astype(np.float32)
KEYS = np.arange(16, dtype=np.uint32).reshape(8, 2)
Engine = Any
Program = Callable[[Engine], Any]


def on_devices(j: Engine, fun: Callable, **options: Any) -> Callable:
    """A pmap over the axis "i"."""
    return j.pmap(fun, axis_name="i", **options)


def split(j: Engine, *axes: Any) -> Any:
    """A sharding over a mesh of 2 x 4 devices."""
    mesh = j.make_mesh((2, 4), ("a", "b"), axis_types=(j.sharding.AxisType.Auto,) * 2)
    return j.NamedSharding(mesh, j.P(*axes))


def lines(y: Any) -> Any:
    """What an array says of its place."""
    shards = [(s.device.id, str(s.index), s.replica_id, np.asarray(s.data)) for s in y.addressable_shards]
    numbers = sorted(d.id for d in y.devices())
    return (
        str(y.sharding),
        numbers,
        shards,
        y.committed,
        y.is_fully_replicated,
        np.asarray(y.addressable_data(len(shards) - 1)),
    )


# ----------------------------------------------------------------- one program for each thing that pmap does

GROUPS = [[0, 1, 4, 5], [3, 2, 7, 6]]
UNEVEN = [[0, 1, 2], [4, 5, 6, 7, 3]]

PROGRAMS: dict[str, Program] = {
    "a map": lambda j: j.pmap(lambda x: x * 2)(X),
    "fewer than devices": lambda j: j.pmap(j.numpy.dot)(M[:3], M[3:6]),
    "numbers are shared": lambda j: j.pmap(lambda x, c: x + c, in_axes=(0, None))(X, 2),
    "trees": lambda j: j.pmap(lambda t: {"out": (t["a"] + t["b"][0], 1, None, 2.0)})({"a": X, "b": [X]}),
    "in_axes": lambda j: j.pmap(lambda x, t: x + t["k"], in_axes=(1, {"k": None}))(M[:4], {"k": X[:4]}),
    "out_axes": lambda j: j.pmap(lambda x: (x, x * 2, x.sum()), out_axes=(1, None, 0))(M[:4]),
    "keywords": lambda j: j.pmap(lambda x, y: x + y, in_axes=1)(M[:3], y=M[:3].T),
    "static": lambda j: j.pmap(lambda n, x, f: f(x) * n, static_broadcasted_argnums=(0, 2))(3, X, j.numpy.sin),
    "static and in_axes": lambda j: j.pmap(
        lambda n, x, y: x * n + y, static_broadcasted_argnums=0, in_axes=(None, 0, None)
    )(3, X, 1.0),
    "axis_size": lambda j: on_devices(j, lambda x: x + j.lax.axis_size("i"), axis_size=8)(X),
    "devices": lambda j: lines(j.pmap(lambda x: x, devices=j.devices()[4:])(X[:4])),
    "devices, more than needed": lambda j: lines(j.pmap(lambda x: x, devices=j.devices()[4:])(X[:2])),
    "backend": lambda j: j.pmap(lambda x: x, backend="cpu")(X),
    "donation": lambda j: j.pmap(lambda x: x + 1, donate_argnums=0)(j.numpy.asarray(X)),
    "weak types": lambda j: j.pmap(lambda x: (3.0, x, x > 0))(j.lax.broadcast(1.0, (8,))),
    "name": lambda j: (j.pmap(j.numpy.sin).__name__, callable(j.pmap(j.numpy.sin).lower)),
    "random numbers": lambda j: j.pmap(lambda k: j.random.uniform(j.random.wrap_key_data(k)))(KEYS),
    "keys": lambda j: j.random.key_data(j.pmap(j.random.fold_in)(j.random.wrap_key_data(KEYS), np.arange(8))),
    "disable_jit": lambda j: without_jit(j, lambda: on_devices(j, lambda x: x / j.lax.psum(x, "i"))(X)),
    "places": lambda j: lines(on_devices(j, lambda x: x)(M)),
    "places along another axis": lambda j: lines(on_devices(j, lambda x: x, out_axes=1)(M)),
    "places of what is shared": lambda j: lines(on_devices(j, lambda x: j.lax.psum(x, "i"), out_axes=None)(M)),
    # shardings without pmap
    "jit with shardings": lambda j: lines(
        j.jit(lambda x: x * 2, in_shardings=split(j, "a"), out_shardings=split(j, None, "b"))(M[:, [0, 1, 2, 0]])
    ),
    "jit with a tree of shardings": lambda j: [
        lines(y)
        for y in j.jit(
            lambda x, y: (x + y, y.T), in_shardings=(split(j, "b"), None), out_shardings=(split(j), split(j, None, "b"))
        )(M, M)
    ],
    "with_sharding_constraint": lambda j: (
        lines(j.lax.with_sharding_constraint(j.numpy.asarray(M), split(j, ("a", "b")))),
        j.jit(lambda x: j.lax.with_sharding_constraint(x, split(j, "b")) + 1)(M),
    ),
    "arrays made somewhere": lambda j: [
        lines(y)
        for d in (j.devices()[3], split(j, "b"))
        for y in (
            j.numpy.asarray(M, device=d),
            j.numpy.zeros((4, 2), device=d),
            j.numpy.full_like(M, 2, device=d),
            j.numpy.arange(8, device=d),
            j.numpy.eye(4, device=d),
            j.device_put(M, d),
            j.numpy.asarray(X).to_device(d),
        )
    ],
    "an argument that cannot be split": lambda j: j.jit(lambda x: x, in_shardings=split(j, None, "a"))(M),
    "a result that cannot be split": lambda j: j.jit(lambda x: x[:3], out_shardings=split(j, "a"))(M),
    # collectives
    "psum": lambda j: on_devices(j, lambda x: (x / j.lax.psum(x, "i"), j.lax.psum(1, "i"), j.lax.psum(x > 0, "i")))(X),
    "pmean, pmax, pmin": lambda j: on_devices(
        j, lambda x: (j.lax.pmean(x, "i"), j.lax.pmax(x, "i"), j.lax.pmin(x, "i"))
    )(X),
    "axis_index": lambda j: on_devices(j, lambda x: x + j.lax.axis_index("i"))(X),
    "all_gather": lambda j: on_devices(
        j, lambda x: (j.lax.all_gather(x, "i", axis=1), j.lax.all_gather(x, "i", tiled=True))
    )(M),
    "psum_scatter": lambda j: on_devices(j, lambda x: j.lax.psum_scatter(x * np.arange(16)[:, None], "i", tiled=True))(
        M
    ),
    "all_to_all": lambda j: on_devices(
        j, lambda x: (j.lax.all_to_all(x * X[:, None], "i", 0, 1), j.lax.pswapaxes(x * X[:, None], "i", 0))
    )(M),
    "ppermute": lambda j: on_devices(
        j, lambda x: (j.lax.ppermute(x, "i", [(0, 1), (1, 2)]), j.lax.pshuffle(x, "i", [7, 6, 5, 4, 3, 2, 1, 0]))
    )(X),
    "groups": lambda j: on_devices(
        j,
        lambda x: [
            j.lax.psum(x, "i", axis_index_groups=GROUPS),
            j.lax.pmean(x, "i", axis_index_groups=GROUPS),
            j.lax.pmax(x, "i", axis_index_groups=GROUPS),
            j.lax.all_gather(x, "i", axis_index_groups=GROUPS),
            j.lax.all_gather(x, "i", axis=1, tiled=True, axis_index_groups=[[0, 1], [2, 3], [4, 5], [6, 7]]),
            j.lax.psum_scatter(x * np.arange(4)[:, None], "i", axis_index_groups=GROUPS),
            j.lax.all_to_all(x * np.arange(4)[:, None], "i", 0, 0, axis_index_groups=GROUPS),
            j.lax.psum(1, "i", axis_index_groups=GROUPS),
            j.lax.psum(j.lax.axis_index("i") * 0 + 1, "i", axis_index_groups=GROUPS),
        ],
    )(M[:, None]),
    "uneven groups": lambda j: on_devices(
        j, lambda x: (j.lax.psum(x, "i", axis_index_groups=UNEVEN), j.lax.pmean(x, "i", axis_index_groups=UNEVEN))
    )(X),
    "gradient through groups": lambda j: on_devices(
        j, j.grad(lambda x: j.lax.psum(j.numpy.sin(x), "i", axis_index_groups=GROUPS) * x)
    )(X),
    "loops and branches": lambda j: on_devices(
        j,
        lambda x: j.lax.cond(
            j.lax.axis_index("i") > 3,
            lambda: j.lax.while_loop(lambda c: c < 9, lambda c: c * c + 1.5, x),
            lambda: j.lax.fori_loop(0, 3, lambda k, c: c * x, x),
        ),
    )(X),
    "collectives in loops": lambda j: on_devices(
        j, lambda x: j.lax.scan(lambda c, _: (c + j.lax.pmean(c * x, "i"), c), x, None, length=3)
    )(X),
    # compositions
    "jit of pmap": lambda j: j.jit(lambda x: (on_devices(j, lambda t: t - j.lax.pmean(t, "i"))(x) ** 2).sum())(X),
    "pmap of jit": lambda j: on_devices(j, j.jit(lambda x: j.lax.psum(x, "i")))(X),
    "vmap of pmap": lambda j: j.vmap(on_devices(j, lambda x: j.lax.psum(x, "i")))(M[:4, :2]),
    "vmap of pmap, both named": lambda j: j.vmap(
        on_devices(j, lambda x: j.lax.psum(x, ("i", "v"))), axis_name="v", in_axes=1
    )(M[:4, :2].T),
    "pmap of vmap, both named": lambda j: on_devices(
        j, j.vmap(lambda x: j.lax.psum(x, ("i", "v")) + 10 * j.lax.axis_index("i"), axis_name="v")
    )(M),
    # Of JAX's documentation; its pmap, which is a shard_map now, refuses it.
    "pmap of pmap": lambda j: on_devices(
        j,
        lambda row: (j.pmap if j.__name__ == "minijax" else j.vmap)(
            lambda x: (j.lax.psum(x, ("i", "k")), j.lax.axis_index(("i", "k"))), axis_name="k"
        )(row),
    )(M[:4, :2]),
    "grad of pmap": lambda j: j.grad(
        lambda x, c: on_devices(j, lambda a, b: j.lax.psum(a * a * b, "i") * a, in_axes=(0, None))(x, c).sum(), (0, 1)
    )(X, j.numpy.float32(2)),
    "grad of pmap, shared result": lambda j: j.grad(
        lambda x: on_devices(j, lambda a: j.lax.psum(a * a, "i"), out_axes=None)(x)
    )(X),
    "grad within pmap": lambda j: on_devices(
        j, lambda x: (j.grad(lambda a: j.lax.psum(a**3, "i"))(x), j.grad(lambda a: j.lax.pmean(a**3, "i"))(x))
    )(X),
    "jvp of pmap": lambda j: j.jvp(on_devices(j, lambda a: j.lax.all_gather(a, "i").sum() * a), (X,), (M[:, 0],)),
    "second derivative": lambda j: j.jit(
        j.hessian(lambda x: on_devices(j, lambda a: j.numpy.sin(a) * j.lax.pmean(a * a, "i"))(x).sum())
    )(X),
    "linearize": lambda j: j.linearize(on_devices(j, lambda a: j.numpy.sin(a) * a), X)[1](M[:, 1]),
    "eval_shape": lambda j: j.eval_shape(j.pmap(lambda x: x.sum()), M).shape,
    "training": lambda j: training(j),
    # what is refused
    "more than devices": lambda j: j.pmap(lambda x: x)(np.ones(9)),
    "more than devices, in jit": lambda j: j.jit(j.pmap(lambda x: x))(np.ones(9)),
    "more than chosen devices": lambda j: j.pmap(lambda x: x, devices=j.devices()[:2])(X),
    "other lengths": lambda j: j.pmap(lambda x, y: x)(X, X[:4]),
    "other lengths in a tree": lambda j: j.pmap(lambda t: t["a"])({"a": X, "b": X[:3]}),
    "an empty axis": lambda j: j.pmap(lambda x: x)(M[:0]),
    "nothing mapped": lambda j: j.pmap(lambda x: x, in_axes=None)(X),
    "a number": lambda j: j.pmap(lambda x: x)(3.0),
    "another axis_size": lambda j: j.pmap(lambda x: x, axis_size=4)(X),
    "no devices": lambda j: j.pmap(lambda x: x, devices=[]),
    "another backend": lambda j: j.pmap(lambda x: x, backend="gpu")(X),
    "in_axes of text": lambda j: j.pmap(lambda x: x, in_axes="x"),
    "out_axes of text": lambda j: j.pmap(lambda x: x, out_axes=1.0),
    "in_axes of another tree": lambda j: j.pmap(lambda x: x, in_axes=(0, 1))(X),
    "out_axes of another tree": lambda j: j.pmap(lambda x: (x, x), out_axes=(0, None, 0))(X),
    "out_axes too large": lambda j: j.pmap(lambda x: x, out_axes=3)(X),
    "static by keyword": lambda j: j.pmap(lambda x, n: x * n, static_broadcasted_argnums=1)(X, n=2),
    "static, not hashable": lambda j: j.pmap(lambda x, n: x * n[0], static_broadcasted_argnums=1)(X, [2]),
    "no function": lambda j: j.pmap(3),
    "another result": lambda j: j.pmap(lambda x: "text")(X),
    "a branch on a value": lambda j: j.pmap(lambda x: 1 if x > 0 else 2)(X),
    "an unbound name": lambda j: j.pmap(lambda x: j.lax.psum(x, "j"))(X),
    "groups that overlap": lambda j: on_devices(j, lambda x: j.lax.psum(x, "i", axis_index_groups=[[0, 1], [1, 2]]))(X),
    "two to one": lambda j: on_devices(j, lambda x: j.lax.ppermute(x, "i", [(0, 1), (2, 1)]))(X),
    "gradient of pmax": lambda j: on_devices(j, j.grad(lambda x: j.lax.pmax(x, "i")))(X),
    "the number of devices, too late": lambda j: j.config.update("jax_num_cpu_devices", 4),
}


def without_jit(j: Engine, run: Callable) -> Any:
    """What `run` gives with disable_jit."""
    with j.disable_jit():
        return run()


# ----------------------------------------------------------------- data-parallel training

SIZES = (6, 16, 3)
STEPS = 20


def training(j: Engine) -> list[Any]:
    """Losses and parameters after each step of an MLP, one part of every batch on each device, gradients averaged."""
    jnp, rng = j.numpy, np.random.default_rng(1)
    params = [
        {"w": rng.standard_normal((n, m)).astype(np.float32) / 2, "b": np.zeros(m, np.float32)}
        for n, m in zip(SIZES[:-1], SIZES[1:])
    ]
    inputs = rng.standard_normal((STEPS, DEVICES, 4, SIZES[0])).astype(np.float32)
    labels = np.argmax(inputs[..., : SIZES[-1]] ** 2, -1)

    def loss(params: Any, x: Any, y: Any) -> Any:
        for layer in params[:-1]:
            x = jnp.tanh(x @ layer["w"] + layer["b"])
        scores = j.nn.log_softmax(x @ params[-1]["w"] + params[-1]["b"])
        return -jnp.mean(jnp.take_along_axis(scores, y[:, None], -1))

    def step(params: Any, x: Any, y: Any) -> tuple[Any, Any]:
        value, grads = j.value_and_grad(loss)(params, x, y)
        value, grads = j.lax.pmean((value, grads), axis_name="i")
        return j.tree_util.tree_map(lambda p, g: p - 0.5 * g, params, grads), value

    parallel = j.pmap(step, axis_name="i", donate_argnums=(0,))
    params = j.tree_util.tree_map(lambda p: np.stack([p] * DEVICES), params)
    history = []
    for x, y in zip(inputs, labels, strict=True):
        params, value = parallel(params, x, y)
        history.append((value, j.tree_util.tree_map(np.array, params)))
    assert float(value[0]) < 0.8 * float(history[0][0][0])
    return history


# ----------------------------------------------------------------- comparing


def outcome(program: Program, engine: Engine) -> Any:
    """The value, or the exception."""
    try:
        return program(engine)
    except Exception as error:
        return error


def difference(name: str, engines: tuple[Engine, Engine]) -> str | None:
    """What is wrong with a program; None where the engines agree."""
    from reference.check.oracle import assert_same

    ours, theirs = (outcome(PROGRAMS[name], engine) for engine in engines)
    if isinstance(theirs, Exception) or isinstance(ours, Exception):
        # JAX's class may be a private one below a public one.
        agree = isinstance(ours, Exception) and type(ours).__name__ in [c.__name__ for c in type(theirs).__mro__]
        return None if agree and str(ours) else f"ours {ours!r}, theirs {theirs!r}"
    try:
        assert_same(ours, theirs, ulp=64, leafwise=True, what=name)
    except AssertionError as error:
        return str(error)
    return None


def compare_random_programs(engines: tuple[Engine, Engine], count: int) -> None:
    """Collectives in random nestings of derivatives and vmaps, one of which is a pmap. Raises where engines differ."""
    from hypothesis import HealthCheck, given, settings
    from random_axes import nests

    @settings(max_examples=count, derandomize=True, database=None, deadline=None, suppress_health_check=[*HealthCheck])
    @given(nest=nests(on_devices=True))
    def compare(nest: Any) -> None:
        nest.compare(*engines)

    compare()


def main() -> None:
    """Run everything on both engines, on 8 devices each."""
    import jax

    import minijax

    engines = (minijax, jax)
    for engine in engines:
        engine.config.update("jax_num_cpu_devices", DEVICES)
        assert len(engine.devices()) == engine.local_device_count() == engine.device_count() == DEVICES
    warnings.simplefilter("ignore")
    if len(sys.argv) > 1:
        compare_random_programs(engines, int(sys.argv[1]))
    else:
        json.dump({name: difference(name, engines) for name in PROGRAMS}, sys.stdout)


if __name__ == "__main__":
    main()
