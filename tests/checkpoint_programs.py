"""Functions to be checkpointed, policies and transformations; each is a function of the engine."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

W = np.linspace(0.05, 0.4, 9, dtype=np.float32).reshape(3, 3)
X = np.asarray([-0.4, 0.7, 0.9], np.float32)

# ----------------------------------------------------------------- programs: of weights and a vector to a number


def name(j: Any) -> Callable[..., Any]:
    """checkpoint_name of the engine."""
    return import_module(f"{j.__name__}.ad_checkpoint").checkpoint_name


def layers(j: Any) -> Callable[..., Any]:
    """Two products, one of whose results has a name."""

    def f(w, x):
        x = j.lax.sin(j.lax.dot(x, w))
        x = name(j)(j.lax.sin(j.lax.dot(x, w)), "b")
        return j.lax.reduce_sum(j.lax.sin(x), (0,))

    return f


def calling(j: Any) -> Callable[..., Any]:
    """The same behind a jitted function."""
    return lambda w, x: layers(j)(w, j.jit(lambda y: j.lax.sin(j.lax.dot(j.lax.sin(y), w)))(x))


def scanning(j: Any) -> Callable[..., Any]:
    """A scan over steps that name their carry."""

    def f(w, x):
        def body(c, t):
            c = j.lax.sin(j.lax.dot(c, w))
            return name(j)(c * t, "b"), j.lax.cos(c)

        c, ys = j.lax.scan(body, x, j.numpy.arange(3, dtype="float32"))
        return j.lax.reduce_sum(c, (0,)) + j.lax.reduce_sum(ys, (0, 1))

    return f


def choosing(j: Any) -> Callable[..., Any]:
    """A cond whose branches keep different values."""

    def f(w, x):
        y = j.lax.cond(x[0] > 0, lambda x: j.lax.sin(j.lax.dot(x, w)), lambda x: name(j)(j.lax.cos(x), "b"), x)
        return j.lax.reduce_sum(j.lax.sin(y), (0,))

    return f


def repeating(j: Any) -> Callable[..., Any]:
    """A while loop that only counts, beside a product."""

    def f(w, x):
        count = j.lax.while_loop(lambda i: i < 3, lambda i: i + 1, 0)
        return j.lax.reduce_sum(j.lax.sin(j.lax.sin(j.lax.dot(x, w))), (0,)) * count.astype("float32")

    return f


def nesting(j: Any) -> Callable[..., Any]:
    """A checkpoint in a checkpoint, called twice."""

    def f(w, x):
        g = j.checkpoint(lambda x: j.lax.sin(j.lax.dot(j.lax.sin(x), w)))
        return j.lax.reduce_sum(g(g(x)), (0,))

    return f


def custom_forward(j: Any) -> Callable[..., Any]:
    """A custom_jvp function before and after a product."""
    s = j.custom_jvp(lambda x: j.lax.sin(x))
    s.defjvp(lambda primals, tangents: (s(*primals), 2.0 * j.lax.cos(primals[0]) * tangents[0]))
    return lambda w, x: j.lax.reduce_sum(s(j.lax.dot(s(x), w)), (0,))


def custom_reverse(j: Any) -> Callable[..., Any]:
    """A custom_vjp function before and after a product."""
    s = j.custom_vjp(lambda x: j.lax.sin(x))
    s.defvjp(lambda x: (j.lax.sin(x), x), lambda r, g: (2.0 * j.lax.cos(r) * g,))
    return lambda w, x: j.lax.reduce_sum(s(j.lax.dot(s(x), w)), (0,))


Program = Callable[[Any], Callable[..., Any]]
PROGRAMS: dict[str, Program] = {
    f.__name__: f for f in (layers, calling, scanning, choosing, repeating, nesting, custom_forward, custom_reverse)
}
# They have no forward derivative.
REVERSE_ONLY = {"custom_reverse"}

# ----------------------------------------------------------------- policies

POLICIES: dict[str, Callable[[Any], Any]] = {
    "none": lambda policies: None,
    "everything": lambda policies: policies.everything_saveable,
    "nothing": lambda policies: policies.nothing_saveable,
    "dots": lambda policies: policies.dots_saveable,
    "dots_with_no_batch": lambda policies: policies.dots_with_no_batch_dims_saveable,
    "names": lambda policies: policies.save_only_these_names("a", "b"),
    "no_names": lambda policies: policies.save_only_these_names("a"),
    "other_names": lambda policies: policies.save_any_names_but_these("z"),
    "dots_and_names": lambda policies: policies.save_from_both_policies(
        policies.dots_saveable, policies.save_only_these_names("b")
    ),
}


def checkpointed(j: Any, f: Callable[..., Any], policy: str) -> Callable[..., Any]:
    """`f` under a policy."""
    return j.checkpoint(f, policy=POLICIES[policy](j.checkpoint_policies))


# ----------------------------------------------------------------- transformations


def grad(j: Any, f: Any) -> Any:
    """The gradient by both arguments."""
    return j.grad(f, (0, 1))


def jvp(j: Any, f: Any) -> Any:
    """Value and tangent."""
    return lambda *args: j.jvp(f, args, args)


def linearize(j: Any, f: Any) -> Any:
    """The tangent by a linearised function."""
    return lambda *args: j.linearize(f, *args)[1](*args)


def vmap_of_grad(j: Any, f: Any) -> Any:
    """Gradients for two vectors."""
    return lambda w, x: j.vmap(j.grad(f), (None, 0))(w, j.lax.broadcast(x, (2,)))


def grad_of_vmap(j: Any, f: Any) -> Any:
    """The gradient of a sum over two vectors."""
    return j.grad(lambda w, x: j.numpy.sum(j.vmap(f, (None, 0))(w, j.lax.broadcast(x, (2,)))), (0, 1))


def grad_of_jit(j: Any, f: Any) -> Any:
    """The gradient of the jitted function."""
    return j.grad(j.jit(f), (0, 1))


def grad_of_scan(j: Any, f: Any) -> Any:
    """The gradient of a loop whose body is checkpointed."""

    def loop(w, x):
        return j.lax.reduce_sum(j.lax.scan(lambda c, _: (c * f(w, c), None), x, None, length=3)[0], (0,))

    return j.grad(loop, (0, 1))


def jvp_of_grad(j: Any, f: Any) -> Any:
    """Second order, forward over reverse."""
    return jvp(j, j.grad(f))


def grad_of_grad(j: Any, f: Any) -> Any:
    """Second order, reverse over reverse."""
    return j.grad(lambda *args: j.numpy.sum(j.grad(f)(*args)))


Transformation = Callable[[Any, Any], Any]
TRANSFORMATIONS: dict[str, Transformation] = {
    t.__name__: t
    for t in (
        grad,
        jvp,
        linearize,
        vmap_of_grad,
        grad_of_vmap,
        grad_of_jit,
        grad_of_scan,
        jvp_of_grad,
        grad_of_grad,
    )
}
FORWARD = {"jvp", "linearize", "jvp_of_grad"}
