"""Random functions of a vector that use collectives, inside of random nestings of named vmaps and derivatives.

A body is a list of instructions, each of which maps a vector to a vector and may speak of one of the named axes.
Around it stands a list of transformations, innermost first. Every one maps functions of an array to functions of an
array of the same shape (a vmap: with one more axis), so that all orders and depths make sense.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from reference.check.oracle import assert_same

Body = Callable[[Any, Any, str], Any]
SIZES = {"p": 2, "q": 3, "r": 4}
LENGTH = 3
ULP_OF_LARGEST_ENTRY = 2.0**16  # of float64: 1.5e-11 relative
DERIVATIVES = ("grad", "jvp", "vjp")


def weights(j: Any, name: str) -> Any:
    """A number for each place along an axis, as a column."""
    return 0.2 + 0.3 * np.arange(j.lax.axis_size(name))[:, None]


def spread(j: Any, v: Any, name: str) -> Any:
    """Something for each place along an axis: [size, LENGTH]."""
    return v * weights(j, name)


def varied(j: Any, v: Any, name: str) -> Any:
    """Something that differs along the axis: JAX gives all_to_all of what does not another shape."""
    return v * (1.0 + 0.1 * j.lax.axis_index(name))


def exchanged(j: Any, v: Any, name: str) -> Any:
    received = j.lax.all_to_all(spread(j, varied(j, v, name), name), name, 0, 0)
    return varied(j, j.numpy.sum(received * weights(j, name), 0), name)


def exchanged_tiles(j: Any, v: Any, name: str) -> Any:
    received = j.lax.all_to_all(spread(j, varied(j, v, name), name), name, 0, 1, tiled=True)
    return varied(j, received[0, 1 : LENGTH + 1], name)


def swapped(j: Any, v: Any, name: str) -> Any:
    return varied(j, j.lax.pswapaxes(spread(j, varied(j, v, name), name), name, 0)[1], name)


def looped(j: Any, v: Any, name: str) -> Any:
    def turn(carry: Any, x: Any) -> Any:
        return j.numpy.sin(carry + 0.3 * j.lax.pmean(x, name)), carry

    carry, rows = j.lax.scan(turn, v, v * np.ones((2, 1)))
    return carry + rows.sum(0)


def branched(j: Any, v: Any, name: str) -> Any:
    place = j.lax.axis_index(name)
    return j.lax.cond(place > 0, lambda v: 0.3 * j.lax.psum(v, name) * v, lambda v: j.numpy.cos(v), v)


def repeated(j: Any, v: Any, name: str) -> Any:
    places = j.lax.axis_index(name).astype(v.dtype)
    return j.lax.fori_loop(0, 2, lambda i, u: j.numpy.tanh(u + 0.1 * places + j.lax.pmean(u, name)), v)


def custom(j: Any, v: Any, name: str) -> Any:
    """A function whose derivative is its rule's alone, so that a lost rule shows.

    The rule knows the length of the axis: in JAX it may not ask for it when the vmap has ended.
    """
    f = j.custom_jvp(lambda u: j.numpy.sin(j.lax.psum(u, name) / SIZES[name]))
    f.defjvp(lambda primals, tangents: (f(*primals), 0.3 * j.lax.psum(primals[0] * tangents[0], name)))
    return v * f(v)


def custom_backward(j: Any, v: Any, name: str) -> Any:
    """A function with a backward rule, which has no forward mode."""
    f = j.custom_vjp(lambda u: j.numpy.sin(j.lax.pmean(u, name)))
    f.defvjp(lambda u: (f(u), u), lambda u, ct: (0.6 * j.lax.psum(ct * u, name),))
    return v + f(v)


COLLECTIVE: dict[str, Body] = {
    "psum": lambda j, v, name: 0.3 * j.lax.psum(v, name) * v,
    "positional": lambda j, v, name: v * j.numpy.sin(j.lax.psum(v, (name, 0))),
    "centre": lambda j, v, name: v - j.lax.pmean(v, name),
    "largest": lambda j, v, name: v - j.lax.pmax(j.lax.stop_gradient(v), name),
    "smallest": lambda j, v, name: v * j.lax.pmin(j.lax.stop_gradient(v), (name,)),
    "gather": lambda j, v, name: j.numpy.sum(weights(j, name) * j.lax.all_gather(v, name), 0) * v,
    "gather last": lambda j, v, name: (j.lax.all_gather(v, name, axis=1) @ weights(j, name))[:, 0],
    "gather tiled": lambda j, v, name: j.lax.all_gather(v * v, name, tiled=True)[1 : LENGTH + 1],
    "scatter": lambda j, v, name: j.lax.psum_scatter(spread(j, v, name), name),
    "scatter tiled": lambda j, v, name: j.lax.psum_scatter(spread(j, v, name).reshape(-1), name, tiled=True),
    "scatter second": lambda j, v, name: j.lax.psum_scatter(spread(j, v, name).T, name, scatter_dimension=1),
    "exchange": exchanged,
    "exchange tiled": exchanged_tiles,
    "swap": swapped,
    "permute": lambda j, v, name: j.lax.ppermute(v, name, [(i, i - 1) for i in range(1, SIZES[name])] + last(name)),
    "shuffle": lambda j, v, name: j.lax.pshuffle(v, name, [*range(SIZES[name])][::-1]) * v,
    "index": varied,
    "size": lambda j, v, name: v / j.lax.axis_size(name),
    "shared": lambda j, v, name: v * j.numpy.sin(j.lax.psum(np.arange(LENGTH), name)),
    "jitted": lambda j, v, name: j.jit(lambda u: j.numpy.sin(j.lax.pmean(u, name)) * u)(v),
    "checkpointed": lambda j, v, name: j.checkpoint(lambda u: j.numpy.sin(j.lax.pmean(u * u, name)) + u)(v),
    "looped": looped,
    "branched": branched,
    "repeated": repeated,
    "custom": custom,
}
PLAIN: dict[str, Body] = {
    "sin": lambda j, v, name: j.numpy.sin(v),
    "reverse": lambda j, v, name: v[::-1] * v,
    "relu": lambda j, v, name: j.nn.softplus(v),
}


def last(name: str) -> list[tuple[int, int]]:
    """The pair that makes the permutation a cycle."""
    return [(0, SIZES[name] - 1)]


@dataclass(frozen=True)
class Nest:
    """Instructions (what, over which axes), and the transformations around them: names of axes are vmaps.

    `on_devices`: those that are pmaps.
    """

    body: tuple[tuple[str, str], ...]
    around: tuple[str, ...]
    places: tuple[int, ...]
    on_devices: tuple[str, ...] = ()

    def function(self, j: Any) -> Callable[[Any], Any]:
        """The function of an array like `point`."""
        axes = iter(self.places)
        fun = self.run(j)
        for name in self.around:
            fun = self.mapped(j, fun, name, next(axes)) if name in SIZES else AROUND[name](j, fun)
        return fun

    def mapped(self, j: Any, fun: Any, name: str, place: int) -> Any:
        """A vmap or pmap with a name."""
        over = j.pmap if name in self.on_devices else j.vmap
        return over(fun, in_axes=place, out_axes=place, axis_name=name)

    def run(self, j: Any) -> Callable[[Any], Any]:
        """The body."""

        def fun(v: Any) -> Any:
            for what, name in self.body:
                v = (COLLECTIVE | PLAIN)[what](j, v, name)
            return v

        return fun

    def compare(self, ours: Any, theirs: Any) -> None:
        """Both engines, at one point. It is added to the results, which may cancel to rounding."""
        point = self.point()
        with ours.enable_x64(True), theirs.enable_x64(True):
            results = (
                self.function(ours)(ours.numpy.asarray(point)) + point,
                theirs.jit(self.function(theirs))(theirs.numpy.asarray(point)) + point,
            )
            assert_same(*results, ulp=ULP_OF_LARGEST_ENTRY, leafwise=True, what=str(self))

    def point(self) -> np.ndarray:
        """Where the function is evaluated."""
        shape, axes = [LENGTH], iter(self.places)
        for name in self.around:
            if name in SIZES:
                shape.insert(next(axes), SIZES[name])
        return np.cos(1.7 * np.arange(np.prod(shape))).reshape(shape)


def direction(x: Any) -> Any:
    """A direction that depends on the point."""
    return 0.4 + 0.5 * x


AROUND: dict[str, Callable[[Any, Any], Any]] = {
    "grad": lambda j, f: j.grad(lambda x: j.numpy.sum(j.numpy.sin(f(x)))),
    "jvp": lambda j, f: lambda x: j.jvp(f, (x,), (direction(x),))[1],
    "vjp": lambda j, f: lambda x: j.vjp(f, x)[1](direction(x))[0],
    "jit": lambda j, f: j.jit(f),
    "checkpoint": lambda j, f: j.checkpoint(f),
}


@st.composite
def nests(draw: Any, on_devices: bool = False) -> Nest:
    """Up to three instructions in one to three named vmaps, up to two derivatives, anywhere, and a jit or checkpoint.

    With `on_devices` one of the vmaps is a pmap. Then no collective stands in a branch that some devices do not take:
    XLA waits for them.
    """
    names = draw(st.lists(st.sampled_from([*SIZES]), min_size=1, max_size=3, unique=True))
    derivatives = draw(st.lists(st.sampled_from(DERIVATIVES), max_size=2))
    others = draw(st.lists(st.sampled_from(["jit", "checkpoint"]), max_size=1))
    around = draw(st.permutations([*names, *derivatives, *others]))
    instructions = [what for what in COLLECTIVE if not (on_devices and what == "branched")]
    steps = st.tuples(st.sampled_from(instructions), st.sampled_from(names))
    body = [*draw(st.lists(steps, min_size=1, max_size=2)), (draw(st.sampled_from([*PLAIN])), "")]
    places = [draw(st.integers(0, i + 1)) for i in range(len(names))]
    return Nest(tuple(body), tuple(around), tuple(places), tuple(names[:on_devices]))
