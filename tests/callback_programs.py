"""Programs that print and call back, for both engines; see test_effects.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

V = np.arange(3, dtype=np.float32)
Program = Callable[[Any, Callable], Any]


def shown(j: Any, p: Callable) -> Callable:
    """A function that shows its argument."""

    def f(x):
        p("f {}", x)
        return j.numpy.sin(x) * x

    return f


def showing_scan(j: Any, p: Callable) -> Callable:
    """A loop that shows its carry and what it scans over."""

    def body(c, x):
        p("{} {}", c, x)
        return c * x + 1, x

    return lambda a: j.lax.scan(body, a, j.numpy.asarray(V))[0]


def showing_while(j: Any, p: Callable) -> Callable:
    def body(c):
        p("body {}", c)
        return c + 1

    return lambda n: j.lax.while_loop(lambda c: c < n, body, 0.0)


def showing_cond(j: Any, p: Callable) -> Callable:
    def yes(x):
        p("yes {}", x)
        return x * x

    def no(x):
        p("no {}", x)
        return x

    return lambda b, x: j.lax.cond(b, yes, no, x)


def custom_jvp(j: Any, p: Callable) -> Callable:
    f = j.custom_jvp(shown(j, p))

    @f.defjvp
    def rule(primals, tangents):
        p("rule {} {}", primals[0], tangents[0])
        return primals[0] * 2, tangents[0] * 2

    return f


def custom_vjp(j: Any, p: Callable) -> Callable:
    f = j.custom_vjp(shown(j, p))

    def fwd(x):
        p("fwd {}", x)
        return x, x

    def bwd(r, ct):
        p("bwd {} {}", r, ct)
        return (ct * 2,)

    f.defvjp(fwd, bwd)
    return f


def one_after_another(j: Any, p: Callable) -> Any:
    def f(x):
        for i in range(3):
            p("{} {x}", i, x=x)
        return x

    return j.jit(f)(1.0)


# A program of the engine and its debug.print; what is printed must be the same, and how often.
PRINTING: dict[str, Program] = {
    "eager": lambda j, p: shown(j, p)(1.0),
    "jit": lambda j, p: [j.jit(shown(j, p))(x) for x in (1.0, 2.0)],
    "vmap": lambda j, p: j.vmap(shown(j, p))(V),
    "vmap of jit": lambda j, p: j.vmap(j.jit(shown(j, p)))(V),
    "jit of vmap": lambda j, p: j.jit(j.vmap(shown(j, p)))(V),
    "vmap, nothing mapped": lambda j, p: j.vmap(lambda x: p("here") or x)(V),
    "vmap, a shared argument": lambda j, p: j.vmap(lambda x, y: p("{}", y) or x, (0, None))(V, 1.0),
    "vmap, two calls": lambda j, p: j.vmap(lambda x: p("a {}", x) or p("b {}", x) or x)(V),
    "vmap of vmap": lambda j, p: j.vmap(lambda x: j.vmap(lambda y: p("{} {}", x, y) or y)(V))(V),
    "vmap of scan": lambda j, p: j.vmap(showing_scan(j, p))(V),
    "grad": lambda j, p: j.grad(shown(j, p))(1.0),
    "grad of jit": lambda j, p: j.grad(j.jit(shown(j, p)))(1.0),
    "jit of grad": lambda j, p: j.jit(j.grad(shown(j, p)))(1.0),
    "grad of grad": lambda j, p: j.grad(j.grad(shown(j, p)))(1.0),
    "value_and_grad": lambda j, p: j.value_and_grad(shown(j, p))(1.0),
    "jvp": lambda j, p: j.jvp(shown(j, p), (1.0,), (1.0,)),
    "hessian": lambda j, p: j.hessian(shown(j, p))(1.0),
    "jacfwd": lambda j, p: j.jacfwd(shown(j, p))(V),
    "jacrev": lambda j, p: j.jacrev(shown(j, p))(V),
    "linearize": lambda j, p: [j.linearize(shown(j, p), 1.0)[1](t) for t in (1.0, 2.0)],
    "vjp": lambda j, p: j.vjp(shown(j, p), 1.0)[1](1.0),
    "checkpoint": lambda j, p: j.checkpoint(shown(j, p))(1.0),
    "grad of checkpoint": lambda j, p: j.grad(j.checkpoint(shown(j, p)))(1.0),
    "grad of checkpoint of jit": lambda j, p: j.grad(j.checkpoint(j.jit(shown(j, p))))(1.0),
    "jit of grad of checkpoint": lambda j, p: j.jit(j.grad(j.checkpoint(shown(j, p))))(1.0),
    "within a checkpoint": lambda j, p: j.grad(j.checkpoint(lambda x: shown(j, p)(j.numpy.sqrt(x))))(4.0),
    "scan": lambda j, p: showing_scan(j, p)(0.0),
    "grad of scan": lambda j, p: j.grad(showing_scan(j, p))(2.0),
    "grad of scan of checkpoint": lambda j, p: j.grad(
        lambda a: j.lax.scan(j.checkpoint(lambda c, x: (p("{} {}", c, x) or c * x + 1, x)), a, V)[0]
    )(2.0),
    "jvp of scan": lambda j, p: j.jvp(showing_scan(j, p), (2.0,), (1.0,)),
    "fori_loop": lambda j, p: j.lax.fori_loop(0, 3, lambda i, c: p("{} {}", i, c) or c + i, 0),
    "while": lambda j, p: showing_while(j, p)(2.0),
    "while, in the predicate": lambda j, p: j.lax.while_loop(lambda c: p("cond {}", c) or c < 2, lambda c: c + 1, 0),
    "vmap of while": lambda j, p: j.vmap(showing_while(j, p))(V),
    "jvp of while": lambda j, p: j.jvp(
        lambda a: j.lax.while_loop(lambda c: c < 5, lambda c: p("{}", c) or c * 2, a), (1.0,), (1.0,)
    ),
    "cond": lambda j, p: [showing_cond(j, p)(b, 2.0) for b in (True, False)],
    "jit of cond": lambda j, p: j.jit(showing_cond(j, p))(True, 2.0),
    "vmap of cond": lambda j, p: j.vmap(showing_cond(j, p))(np.array([True, False, True]), V),
    "vmap of cond, one predicate": lambda j, p: j.vmap(showing_cond(j, p), (None, 0))(True, V),
    "grad of cond": lambda j, p: j.grad(lambda x: showing_cond(j, p)(x > 0, x))(2.0),
    "switch": lambda j, p: j.lax.switch(1, [lambda x: p("0") or x, lambda x: p("1") or x], 2.0),
    "map": lambda j, p: j.lax.map(lambda x: p("{}", x) or x, V),
    "associative_scan": lambda j, p: j.lax.associative_scan(lambda a, b: p("{}", a) or a + b, j.numpy.asarray(V)),
    "custom_jvp": lambda j, p: [g(custom_jvp(j, p))(1.0) for g in (lambda f: f, j.jit, j.grad)],
    "custom_vjp": lambda j, p: [g(custom_vjp(j, p))(1.0) for g in (lambda f: f, j.jit, j.grad)],
    "vmap of grad of custom_vjp": lambda j, p: j.vmap(j.grad(custom_vjp(j, p)))(V),
    "one after another": one_after_another,
    "nested jit": lambda j, p: j.jit(lambda x: j.jit(shown(j, p))(x) + j.jit(shown(j, p))(x + 1))(1.0),
    "result not used": lambda j, p: j.jit(lambda x: [j.jit(shown(j, p))(x), x][1])(1.0),
    "scan not used": lambda j, p: j.jit(lambda x: [showing_scan(j, p)(x), x][1])(1.0),
    "eval_shape": lambda j, p: j.eval_shape(shown(j, p), 1.0).shape,
    "closed over": lambda j, p: j.jit(lambda x: j.vmap(lambda y: p("{} {}", x, y) or x * y)(V))(2.0),
    "pytrees and other objects": lambda j, p: j.jit(lambda t: p("{t} {n} {s}", t=t, n=None, s="word"))([1, {"a": V}]),
    "linear_transpose": lambda j, p: j.linear_transpose(lambda x: p("{}", 2.0) or x * 2, 1.0)(1.0),
    "linear_transpose, in vain": lambda j, p: j.linear_transpose(lambda x: p("{}", x) or x * 2, 1.0)(1.0),
}

# Texts and options of debug.print itself.
FORMATS: dict[str, Callable[[Any], Any]] = {
    "attribute and item": lambda j: j.jit(lambda x: j.debug.print("{x.shape} {y[0]:.2f}", x=x, y=[x]))(1.0),
    "format and conversion": lambda j: j.jit(lambda x: j.debug.print("{x:.2f} {x!r} {b}", x=x, b=True))(1.0),
    "no field": lambda j: j.debug.print("text"),
    "empty": lambda j: j.debug.print(""),
    "not checked": lambda j: j.debug.print("text", 1, 2, skip_format_check=True),
    "braces first": lambda j: j.debug.print("{{}} {}", 1),
    "in two calls": lambda j: j.debug.print(ordered=True, partitioned=True)("{}", 1),
    "too few": lambda j: j.debug.print("{} {}", 1),
    "unknown name": lambda j: j.debug.print("{x}", y=1),
    "unused name": lambda j: j.debug.print("{x}", x=1, y=1),
    "unused": lambda j: j.debug.print("text", 1),
    "arguments without a format": lambda j: j.debug.print(x=1),
    "print options": lambda j: np.printoptions(precision=2)(lambda: j.jit(lambda x: j.debug.print("{}", x))(V / 3))(),
    "in a traced function that fails": lambda j: j.jit(lambda x: j.debug.print("{}", x) or x.nothing)(1.0),
}


def spec(j: Any, shape: tuple[int, ...] = (), dtype: str = "float32") -> Any:
    """A result that a callback announces."""
    return j.ShapeDtypeStruct(shape, dtype)


def pure(j: Any, log: Callable, method: str | None = None) -> Callable:
    """A pure callback of two arguments that logs how it is called."""

    def called(x, y):
        assert isinstance(x, j.Array) and isinstance(y, j.Array)
        log(np.shape(x), np.shape(y), np.ravel(x).tolist())
        return np.asarray(x) * 2 + np.asarray(y)

    return lambda x, y: j.pure_callback(called, spec(j), x, y, vmap_method=method)


def io(j: Any, log: Callable, ordered: bool = False) -> Callable:
    """An impure callback that logs how it is called."""

    def called(x):
        log(float(x))
        return np.float32(x * 2)

    return lambda x: j.experimental.io_callback(called, spec(j), x, ordered=ordered)


def failing(x: Any) -> Any:
    """A callback that fails."""
    raise KeyError("no such key")


METHODS = ("sequential", "sequential_unrolled", "expand_dims", "broadcast_all", "legacy_vectorized", None)


def sine(j: Any) -> Callable:
    """The sine of NumPy, with the derivative by a custom_jvp."""

    @j.custom_jvp
    def f(x):
        return j.pure_callback(np.sin, spec(j, x.shape), x, vmap_method="expand_dims")

    f.defjvp(lambda primals, tangents: (f(primals[0]), j.numpy.cos(primals[0]) * tangents[0]))
    return f


# A program of the engine and something that logs; results, logs and exception classes must be the same.
CALLING: dict[str, Program] = {
    **{
        f"vmap {method}": lambda j, log, method=method: j.vmap(pure(j, log, method), (0, None))(V, 1.0)
        for method in METHODS
    },
    **{
        f"vmap of vmap {method}": lambda j, log, method=method: j.vmap(
            lambda x: j.vmap(lambda y: pure(j, log, method)(x, y))(V)
        )(V)
        for method in METHODS[:4]
    },
    "pure": lambda j, log: pure(j, log)(1.0, 2),
    "pure in jit": lambda j, log: j.jit(pure(j, log))(1.0, 2.0),
    "pure in scan": lambda j, log: j.lax.scan(lambda c, x: (pure(j, log)(c, x), None), 0.0, V)[0],
    "pure, not used": lambda j, log: j.jit(lambda x: (pure(j, log)(x, x), x)[1])(1.0),
    "pure, twice": lambda j, log: j.jit(lambda x: pure(j, log)(x, x) + pure(j, log)(x, x))(1.0),
    "pure, no sequence of mapped": lambda j, log: j.vmap(lambda x: x * pure(j, log)(1.0, 1.0))(V),
    "jvp": lambda j, log: j.jvp(lambda x: pure(j, log)(x, x), (1.0,), (1.0,)),
    "grad": lambda j, log: j.grad(lambda x: pure(j, log)(x, x))(1.0),
    "grad of jit": lambda j, log: j.grad(j.jit(lambda x: pure(j, log)(x, x)))(1.0),
    "grad of a constant": lambda j, log: j.grad(lambda x: x * pure(j, log)(1.0, 1.0))(1.0),
    "grad behind stop_gradient": lambda j, log: j.grad(lambda x: x * pure(j, log)(j.lax.stop_gradient(x), 1.0))(1.0),
    "linear_transpose": lambda j, log: j.linear_transpose(lambda x: pure(j, log)(x, x), 1.0)(1.0),
    "custom_jvp": lambda j, log: [j.grad(sine(j))(np.float32(1)), j.vmap(j.grad(j.grad(sine(j))))(V)],
    "unknown method": lambda j, log: pure(j, log, "somehow")(1.0, 1.0),
    "64 bits": lambda j, log: j.pure_callback(np.sin, spec(j, (), "float64"), 1.0),
    "an array announces": lambda j, log: j.pure_callback(lambda x: x, j.numpy.float32(3), 1.0),
    "a number announces": lambda j, log: j.pure_callback(lambda x: x, 1.0, 1.0),
    "returns a number": lambda j, log: j.pure_callback(lambda x: 2.0, spec(j), 1.0),
    "returns a list": lambda j, log: j.jit(
        lambda: j.pure_callback(lambda: [2.0, 1], (spec(j), spec(j, (), "int32")))
    )(),
    "returns a dict": lambda j, log: j.pure_callback(lambda: {"a": V}, {"a": spec(j, (3,))}),
    "returns None": lambda j, log: j.pure_callback(lambda x: None, None, 1.0),
    "takes keywords": lambda j, log: j.pure_callback(lambda x, *, y: x * y["a"], spec(j), 1.0, y={"a": 2.0}),
    "takes a string": lambda j, log: j.pure_callback(lambda x: x, spec(j), "x"),
    "other shape": lambda j, log: j.pure_callback(lambda: V, spec(j)),
    "other dtype": lambda j, log: j.jit(lambda: j.pure_callback(lambda: np.int32(1), spec(j)))(),
    "other number": lambda j, log: j.pure_callback(lambda: (1.0, 2.0), spec(j)),
    "fails": lambda j, log: j.pure_callback(failing, spec(j), 1.0),
    "fails in jit": lambda j, log: j.jit(lambda x: j.pure_callback(failing, spec(j), x))(1.0),
    "io fails": lambda j, log: j.experimental.io_callback(failing, spec(j), 1.0),
    "debug fails": lambda j, log: j.debug.callback(failing, 1.0),
    "debug fails in jit": lambda j, log: (j.jit(lambda x: j.debug.callback(failing, x))(1.0), j.effects_barrier()),
    "debug of no function": lambda j, log: j.debug.callback(3),
    "debug in two calls": lambda j, log: j.debug.callback(ordered=True)(lambda x, *, s: log(float(x), s), 1.0, s="s"),
    "debug without a function": lambda j, log: j.debug.callback(x=3),
}
for _ordered in (False, True):
    _io = (lambda ordered: lambda j, log: io(j, log, ordered))(_ordered)
    CALLING |= {
        f"io{' ordered' * _ordered} {name}": lambda j, log, io=_io, program=program: program(j, io(j, log))
        for name, program in {
            "in jit": lambda j, f: j.jit(lambda x: f(x) + f(x + 1))(1.0),
            "in scan": lambda j, f: j.lax.scan(lambda c, x: (c + f(x), None), 0.0, V)[0],
            "not used": lambda j, f: j.jit(lambda x: (f(x), x)[1])(1.0),
            "in vmap": lambda j, f: j.vmap(f)(V),
            "in cond": lambda j, f: j.lax.cond(True, f, lambda x: x, 1.0),
            "in while": lambda j, f: j.lax.while_loop(lambda c: c < 5, f, 1.0),
            "in checkpoint": lambda j, f: j.checkpoint(lambda x: f(x))(1.0),
            "in grad of checkpoint": lambda j, f: j.grad(j.checkpoint(lambda x: x * f(j.lax.stop_gradient(x))))(1.0),
            "in grad": lambda j, f: j.grad(lambda x: x * f(j.lax.stop_gradient(x)))(1.0),
            "differentiated": lambda j, f: j.grad(f)(1.0),
            "in grad of scan": lambda j, f: j.grad(lambda a: j.lax.scan(lambda c, x: (c * f(x), None), a, V)[0])(1.0),
            "in vmap of while": lambda j, f: j.vmap(
                lambda n: j.lax.while_loop(lambda c: c < n, lambda c: c + f(1.0), 0.0)
            )(V),
            "in vmap of cond": lambda j, f: j.vmap(lambda b: j.lax.cond(b, lambda: f(1.0), lambda: 2.0))(V > 1),
            "in vmap, not mapped": lambda j, f: j.vmap(lambda x: x * f(1.0))(V),
        }.items()
    }
