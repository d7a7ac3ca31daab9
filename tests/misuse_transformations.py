"""Wrong uses of the transformations and of traced values; see test_misuse.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

V = np.linspace(-1.0, 1.0, 3, dtype=np.float32)
M = np.linspace(-2.0, 2.0, 6, dtype=np.float32).reshape(2, 3)

Program = Callable[[Any], Any]
Case = tuple[str, Program, str]


def array(j: Any, x: Any = V) -> Any:
    """An array of the engine."""
    return j.numpy.asarray(x)


# ----------------------------------------------------------------- programs that take more than a line


def endless(j):
    def loop(x):
        while x < 10:
            x = x * 2
        return x

    return j.grad(j.jit(loop))(1.0)


def leak_from_jit(j):
    kept = []
    j.jit(lambda x: kept.append(x) or x)(1.0)
    return kept[0] + 1


def leak_from_grad(j):
    kept = []

    @j.jit
    def f(x):
        j.grad(lambda y: kept.append(y) or y * x)(1.0)
        return x

    f(2.0)
    return kept[0] * 2


def leak_from_vmap_of_jit(j):
    kept = []
    j.vmap(j.jit(lambda x: kept.append(x * 2) or x))(array(j))
    return j.numpy.sin(kept[0])


def assign(x):
    x[0] = 1.0
    return x


def custom_vjp(forward: Callable[..., Any], backward: Callable[..., Any], transform: str = "grad") -> Program:
    """A gradient (or jvp) of a function with this custom backward pass."""

    def program(j):
        f = j.custom_vjp(lambda x: x * 2.0)
        f.defvjp(forward, backward)
        return j.grad(f)(1.0) if transform == "grad" else j.jvp(f, (1.0,), (1.0,))

    return program


def custom_jvp(rule: Callable[..., Any]) -> Program:
    """The derivative of a function with this custom rule."""

    def program(j):
        f = j.custom_jvp(lambda x: x * 2.0)
        f.defjvp(rule)
        return j.jvp(f, (1.0,), (1.0,))

    return program


# ---------------------------------------------------- name, program of the engine, words of its message

DERIVATIVES: list[Case] = [
    ("grad of an array", lambda j: j.grad(lambda x: x * 2)(array(j)), "grad scalar (3,) jacrev"),
    ("grad of an int input", lambda j: j.grad(lambda x: x * 2.0)(3), "grad int32 float allow_int"),
    (
        "grad of an int output",
        lambda j: j.grad(lambda x: x.sum().astype("int32"))(array(j)),
        "grad int32 float",
    ),
    ("grad of a tuple output", lambda j: j.grad(lambda x: (x, x))(1.0), "grad scalar tree has_aux"),
    ("argnums too large", lambda j: j.grad(lambda x, y: x * y, argnums=2)(1.0, 2.0), "argnums 2"),
    ("argnums no int", lambda j: j.grad(lambda x: x, argnums="x")(1.0), "argnums int"),
    ("grad of no function", lambda j: j.grad(3.0), "grad callable function 3.0"),
    ("keyword argument only", lambda j: j.grad(lambda *, x: x * x)(x=1.0), "argnums=0 positional"),
    ("grad of a string", lambda j: j.grad(lambda x: x)("three"), "three str array"),
    ("grad of an object", lambda j: j.grad(lambda x: 1.0)(object()), "object array"),
    (
        "has_aux without a pair",
        lambda j: j.grad(lambda x: x * 2, has_aux=True)(1.0),
        "aux two-element (result, aux)",
    ),
    (
        "holomorphic of reals",
        lambda j: j.grad(lambda x: x * 2, holomorphic=True)(1.0),
        "holomorphic complex float32",
    ),
    ("value_and_grad of an array", lambda j: j.value_and_grad(j.numpy.sin)(array(j)), "scalar (3,)"),
    ("jacrev of an int", lambda j: j.jacrev(lambda x: x)(3), "jacrev int32 float"),
    ("jacfwd of an int", lambda j: j.jacfwd(lambda x: x)(3), "jacfwd int32 float"),
    ("tangent of other dtype", lambda j: j.jvp(j.numpy.sin, (1.0,), (1,)), "jvp tangent float32 int32"),
    (
        "tangent of other shape",
        lambda j: j.jvp(j.numpy.sin, (array(j),), (array(j, V[:2]),)),
        "tangent (3,) (2,)",
    ),
    (
        "tangents of other structure",
        lambda j: j.jvp(lambda d: d["x"], ({"x": 1.0},), ([1.0],)),
        "tangent structure",
    ),
    ("too few tangents", lambda j: j.jvp(lambda x, y: x * y, (1.0, 2.0), (1.0,)), "tangent structure"),
    ("primals no tuple", lambda j: j.jvp(j.numpy.sin, 1.0, 1.0), "primal tangent tuple float"),
    (
        "cotangent of other shape",
        lambda j: j.vjp(j.numpy.sin, array(j))[1](array(j, V[:2])),
        "VJP [2] [3]",
    ),
    (
        "cotangent of other dtype",
        lambda j: j.vjp(j.numpy.sin, array(j))[1](array(j, np.zeros(3, np.int32))),
        "VJP int32 float32 astype",
    ),
    ("cotangent of other structure", lambda j: j.vjp(lambda x: (x, x), 1.0)[1](1.0), "cotangent structure"),
    (
        "linearized called with other shape",
        lambda j: j.linearize(j.numpy.sin, array(j))[1](array(j, V[:2])),
        "linearize [2] [3]",
    ),
]

BATCHING: list[Case] = [
    ("in_axes too short", lambda j: j.vmap(lambda x, y: x, in_axes=(0,))(array(j), array(j)), "in_axes 1 2"),
    ("sizes differ", lambda j: j.vmap(lambda x, y: x + y)(array(j), array(j, V[:2])), "vmap size 3 2"),
    ("vmap of a scalar", lambda j: j.vmap(lambda x: x)(1.0), "vmap axis 0 in_axes"),
    ("in_axes too large", lambda j: j.vmap(lambda x: x, in_axes=2)(array(j)), "vmap axis 2 (3,)"),
    ("in_axes all None", lambda j: j.vmap(lambda x: x, in_axes=None)(array(j)), "in_axes None axis_size"),
    ("in_axes a string", lambda j: j.vmap(lambda x: x, in_axes="x")(array(j)), "in_axes int"),
    (
        "in_axes of other structure",
        lambda j: j.vmap(lambda d: d["x"], ({"y": 0},))({"x": array(j)}),
        "in_axes prefix",
    ),
    ("out_axes None of batched", lambda j: j.vmap(lambda x: x, out_axes=None)(array(j)), "out_axes None"),
    (
        "out_axes of other structure",
        lambda j: j.vmap(lambda x: x, out_axes=(0, 0))(array(j)),
        "out_axes prefix",
    ),
    ("axis_size contradicts", lambda j: j.vmap(lambda x: x, axis_size=4)(array(j)), "axis_size 4 3"),
    ("vmap without arguments", lambda j: j.vmap(lambda: 1.0)(), "vmap argument axis_size"),
]

TRACED_VALUES: list[Case] = [
    ("if", lambda j: j.jit(lambda x: x if x > 0 else -x)(1.0), "bool[] jnp.where lax.cond static_argnums"),
    ("while", endless, "bool[] lax.while_loop"),
    ("int()", lambda j: j.jit(lambda x: int(x))(1), "int() i32[] static"),
    ("float()", lambda j: j.jit(lambda x: float(x))(1.0), "float() f32[]"),
    ("range()", lambda j: j.jit(lambda n: sum(range(n)))(3), "__index__ i32[] static"),
    ("index into a list", lambda j: j.jit(lambda i: [10, 20, 30][i])(1), "__index__ jnp.asarray"),
    ("a NumPy function", lambda j: j.jit(lambda x: np.sin(x))(1.0), "f32[] numpy jax.numpy"),
    ("np.asarray", lambda j: j.jit(lambda x: np.asarray(x))(1.0), "f32[] numpy jax.numpy"),
    ("np.asarray under vmap", lambda j: j.vmap(lambda x: np.asarray(x))(array(j)), "f32[] numpy"),
    ("item", lambda j: j.jit(lambda x: x.item())(1.0), "item() f32[]"),
    ("tolist", lambda j: j.jit(lambda x: x.tolist())(array(j)), "tolist() f32[3]"),
    ("as a shape", lambda j: j.jit(lambda n: j.numpy.zeros(n))(3), "shape int32[] static_argnums"),
    ("as a length", lambda j: j.jit(lambda n: j.numpy.arange(n))(3), "arange i32[] static"),
    (
        "as a new shape",
        lambda j: j.jit(lambda x, n: x.reshape(n, 1))(array(j), 3),
        "shape int32[] static_argnums",
    ),
    ("as an axis", lambda j: j.jit(lambda x, k: j.numpy.sum(x, axis=k))(array(j), 0), "axis i32[] static"),
    ("boolean index", lambda j: j.jit(lambda x: x[x > 0])(array(j)), "bool[3] where"),
    ("nonzero", lambda j: j.jit(lambda x: j.numpy.nonzero(x))(array(j)), "nonzero size"),
    ("where of one argument", lambda j: j.jit(lambda x: j.numpy.where(x > 0))(array(j)), "size"),
    ("slice bounds", lambda j: j.jit(lambda x, n: x[:n])(array(j), 2), "slice static dynamic_slice"),
    (
        "number of classes",
        lambda j: j.jit(lambda x, n: j.nn.one_hot(x, n))(1, 3),
        "num_classes i32[] static",
    ),
    ("item assignment", lambda j: j.jit(assign)(array(j)), ".at["),
    ("leaked from jit", leak_from_jit, "float32[] return"),
    ("leaked from grad", leak_from_grad, "return"),
    ("leaked from vmap of jit", leak_from_vmap_of_jit, "return"),
]

JIT: list[Case] = [
    (
        "static and not hashable",
        lambda j: j.jit(lambda x, s: x, static_argnums=1)(1.0, [1]),
        "static hashable list tuple",
    ),
    ("unknown static_argnames", lambda j: j.jit(lambda x: x, static_argnames="y")(1.0), "static_argnames y"),
    ("static_argnums too large", lambda j: j.jit(lambda x: x, static_argnums=3)(1.0), "static_argnums 3 1"),
    ("donate_argnums too large", lambda j: j.jit(lambda x: x, donate_argnums=3)(1.0), "donate_argnums 3 1"),
    (
        "static and donated",
        lambda j: j.jit(lambda x, y: x, static_argnums=0, donate_argnums=0)(1.0, 2.0),
        "static donate x",
    ),
    ("jit of a string", lambda j: j.jit(lambda x: x)("three"), "str static_argnums asarray"),
    ("jit of an object", lambda j: j.jit(lambda x: x)(object()), "object static"),
    ("jit returns a string", lambda j: j.jit(lambda x: "three")(1.0), "jit str array"),
    ("jit of no function", lambda j: j.jit(3), "jit callable function 3"),
    ("make_jaxpr of a string", lambda j: j.make_jaxpr(lambda x: x)("three"), "three str"),
]

CUSTOM_RULES: list[Case] = [
    ("custom_vjp without a rule", lambda j: j.grad(j.custom_vjp(lambda x: x * 2))(1.0), "custom_vjp defvjp"),
    (
        "custom_jvp without a rule",
        lambda j: j.jvp(j.custom_jvp(lambda x: x * 2), (1.0,), (1.0,)),
        "custom_jvp defjvp",
    ),
    ("forward without residuals", custom_vjp(lambda x: x, lambda r, g: (g,)), "fwd pair residuals"),
    ("backward without a tuple", custom_vjp(lambda x: (x, x), lambda r, g: g), "bwd tuple"),
    ("backward of other length", custom_vjp(lambda x: (x, x), lambda r, g: (g, g)), "bwd tuple (1)"),
    (
        "backward of other shape",
        custom_vjp(lambda x: (x, x), lambda r, g: (np.ones(3, "f"),)),
        "bwd f32[3] f32[]",
    ),
    ("jvp of custom_vjp", custom_vjp(lambda x: (x, x), lambda r, g: (g,), "jvp"), "custom_vjp custom_jvp"),
    ("rule without a pair", custom_jvp(lambda p, t: p[0]), "jvp pair"),
    (
        "custom tangent of other shape",
        custom_jvp(lambda p, t: (p[0] * 2.0, np.ones(3, "f"))),
        "tangent f32[3] f32[]",
    ),
    ("tangent of other structure", custom_jvp(lambda p, t: (p[0] * 2.0, (t[0],))), "tangent structure"),
]

CASES = [*DERIVATIVES, *BATCHING, *TRACED_VALUES, *JIT, *CUSTOM_RULES]
