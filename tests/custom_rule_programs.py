"""Programs about functions with rules of their own, each a function of the engine. Both engines must agree.

Rules that are not the true derivatives show by their result that they were used.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

V = np.linspace(0.2, 1.0, 3, dtype=np.float32)
M = np.outer(V, V + 1)
Program = Callable[[Any], Any]


def derivatives(j: Any) -> Any:
    """jax.custom_derivatives of the engine."""
    return import_module(f"{j.__name__}.custom_derivatives")


def with_jvp(j: Any, fun: Callable, rule: Callable, symbolic_zeros: bool = False, **nondiff: Any) -> Any:
    """A custom_jvp function."""
    f = j.custom_jvp(fun, **nondiff)
    f.defjvp(rule, symbolic_zeros=symbolic_zeros)
    return f


def with_vjp(j: Any, fun: Callable, fwd: Callable, bwd: Callable, nondiff: dict | None = None, **options: Any) -> Any:
    """A custom_vjp function."""
    f = j.custom_vjp(fun, **(nondiff or {}))
    f.defvjp(fwd, bwd, **options)
    return f


def sine(j: Any) -> Any:
    """A custom_jvp sine whose derivative is twice the true one."""
    f = with_jvp(j, lambda x: j.lax.sin(x), lambda p, t: (f(*p), 2.0 * j.lax.cos(p[0]) * t[0]))
    return f


def reverse_sine(j: Any) -> Any:
    """The same by custom_vjp."""
    f = with_vjp(j, lambda x: j.lax.sin(x), lambda x: (f(x), x), lambda r, g: (2.0 * j.lax.cos(r) * g,))
    return f


# ----------------------------------------------------------------- arguments

TIMES: Callable[..., Any] = lambda x, y: x * y  # noqa: E731


def defaults(j: Any) -> Any:
    f = j.custom_jvp(lambda x, y=2.0: x * y)
    f.defjvp(lambda p, t: (f(*p), t[0] * 100 + t[1]))
    both = j.grad(lambda x: f(x, y=x))(1.0)
    return f(1.0), f(1.0, y=3.0), f(y=3.0, x=1.0), j.grad(f)(1.0), both


def only_keyword(j: Any) -> Any:
    f = j.custom_jvp(lambda x, *, y=2.0: x * y)
    f.defjvp(lambda p, t: (f(*p), t[0] * 100))
    return f(1.0), j.grad(f)(1.0)


def many(j: Any) -> Any:
    f = with_jvp(j, lambda *xs: sum(xs), lambda p, t: (f(*p), sum(t) * 3))
    return j.grad(f)(1.0, 2.0, 3.0)


def nondiff_tracers(j: Any) -> Any:
    f = with_jvp(j, TIMES, lambda y, p, t: (f(p[0], y), t[0] * y * 5), nondiff_argnums=(1,))
    return j.grad(lambda x, y: f(x, y), (0, 1))(2.0, 3.0), j.vmap(j.grad(f))(V, V), j.vmap(f)(V, V)


def nondiff_names(j: Any) -> Any:
    def rule(g, y, p, t):
        return f(g, p[0], y), t[0] * 7

    f = with_jvp(j, lambda g, x, y: g(x) * y, rule, nondiff_argnums=(0,), nondiff_argnames=("y",))
    return j.grad(f, 1)(j.numpy.sin, 2.0, 3.0), f.nondiff_argnums


def nondiff_out_of_order(j: Any) -> Any:
    def rule(a, b, p, t):
        return f(a, p[0], b), t[0] * a * 10 + t[0] * b

    f = with_jvp(j, lambda a, x, b: x * a * b, rule, nondiff_argnums=(2, 0))
    return j.grad(f, 1)(2.0, 3.0, 5.0), f.nondiff_argnums


def nondiff_list(j: Any) -> Any:
    f = with_jvp(j, lambda x, c: x * c[0], lambda c, p, t: (f(p[0], c), t[0] * 7), nondiff_argnums=(1,))
    return j.grad(f)(2.0, [3.0]), j.jit(lambda x: f(x, [3.0]))(2.0)


def integers(j: Any) -> Any:
    f = with_jvp(j, TIMES, lambda p, t: (f(*p), t[0] * 7))
    g = with_vjp(j, TIMES, lambda x, n: (x * n, n), lambda r, ct: (ct * r, None))
    h = with_vjp(j, lambda x: (x * 2, 3), lambda x: ((x * 2, 3), None), lambda r, ct: (ct[0] * 5,))
    first = j.grad(f)(1.0, 3), j.jvp(lambda x: f(x, 3), (1.0,), (1.0,)), j.jit(j.grad(f))(1.0, 3)
    second = j.grad(g)(1.0, 3), j.jit(j.grad(g))(1.0, 3), j.vmap(j.grad(g), (0, None))(V, 3)
    return first, second, j.grad(lambda x: h(x)[0])(1.0), j.jit(j.grad(lambda x: h(x)[0]))(1.0)


def integer_results(j: Any) -> Any:
    f = with_jvp(j, lambda x: (x * 2, 3), lambda p, t: (f(*p), (t[0] * 7, np.zeros((), j.dtypes.float0))))
    return j.grad(lambda x: f(x)[0])(1.0), j.jit(j.grad(lambda x: f(x)[0]))(1.0)


def concrete_values(j: Any) -> Any:
    f = with_jvp(j, lambda x: x * 2 if x > 0 else x, lambda p, t: (f(*p), t[0] * (3 if p[0] > 0 else 1)))
    g = with_vjp(
        j,
        lambda x: x * 2 if x > 0 else x,
        lambda x: (x * 2 if x > 0 else x, x),
        lambda r, g: (g * (3 if r > 0 else 1),),
    )
    return f(1.0), j.grad(f)(1.0), j.jvp(f, (1.0,), (1.0,)), g(1.0), j.grad(g)(1.0)


def attributes(j: Any) -> Any:
    def documented(x):
        """Documentation."""
        return x

    f, g = j.custom_jvp(documented), j.custom_vjp(documented)
    return f.__name__, f.__doc__, g.__name__, f.__wrapped__ is documented, g.fun is documented


def no_arguments(j: Any) -> Any:
    f = with_jvp(j, lambda: 3.0, lambda p, t: (3.0, 0.0))
    return f(), j.jit(f)()


# ----------------------------------------------------------------- trees, defjvps, symbolic zeros


def defjvps(j: Any) -> Any:
    f = j.custom_jvp(lambda x, y: {"a": x * y, "b": x})
    f.defjvps(lambda t, out, x, y: {"a": t * 3.0, "b": t * 4.0}, None)
    g = j.custom_jvp(TIMES)
    g.defjvps(lambda t, out, x, y: t * 2 * out, lambda t, out, x, y: t * 3 * x)
    gradient = j.grad(lambda x, y: f(x, y)["a"], (0, 1))(1.0, 2.0)
    return j.jvp(f, (1.0, 2.0), (1.0, 1.0)), gradient, j.grad(g, (0, 1))(2.0, 3.0)


def cotangent_trees(j: Any) -> Any:
    a = {"a": 1.0, "b": {"c": 2.0, "d": 3.0}}

    def gradient(bwd):
        return j.grad(with_vjp(j, lambda d: d["a"], lambda d: (d["a"], None), bwd))(a)

    some = gradient(lambda r, g: ({"a": g, "b": None},))
    none = gradient(lambda r, g: (None,))
    same = gradient(lambda r, g: (g * 3,))
    return some, none, same, gradient(lambda r, g: [{"a": g, "b": {"c": None, "d": 2.0 * g}}])


def cotangent_dtypes(j: Any) -> Any:
    """JAX looks at shapes alone."""

    def gradient(ct):
        return j.grad(with_vjp(j, lambda x: x, lambda x: (x, None), lambda r, g: (ct(g),)))(2.0)

    return [gradient(ct) for ct in (lambda g: g.astype("float16"), lambda g: g.astype("int32"), lambda g: 3.0)]


def residual_trees(j: Any) -> Any:
    f = with_vjp(
        j, lambda x: x, lambda x: (x, {"n": None, "x": (x, 3, V)}), lambda r, g: (g * r["x"][1] + r["x"][2][0],)
    )
    return j.grad(f)(1.0), j.jit(j.grad(f))(1.0), j.vmap(j.grad(f))(V)


def none_argument(j: Any) -> Any:
    return j.grad(with_vjp(j, lambda x, n: x, lambda x, n: (x, n), lambda r, g: (g * 3, None)))(1.0, None)


def zero_tangents(j: Any) -> Any:
    seen = []

    def rule(p, t):
        seen.append([isinstance(x, derivatives(j).SymbolicZero) for x in t])
        return p[0] * p[1], t[0] * p[1]

    f = with_jvp(j, TIMES, rule, symbolic_zeros=True)
    return j.grad(f)(1.0, 2.0), j.jit(j.grad(f))(1.0, 2.0), j.vmap(j.grad(f))(V, V), seen


def zero_tangents_returned(j: Any) -> Any:
    f = with_jvp(
        j, lambda x, y: (x * y, y), lambda p, t: ((p[0] * p[1], p[1]), (t[0] * p[1], t[1])), symbolic_zeros=True
    )

    def first(x):
        return f(x, 2.0)[0]

    return (
        j.grad(first)(1.0),
        j.jit(j.grad(first))(1.0),
        j.grad(lambda x: f(x, 2.0)[1])(1.0),
        j.jvp(lambda x: f(x, 2.0), (1.0,), (1.0,)),
        j.vmap(j.grad(first))(V),
        j.grad(lambda x: j.jit(f)(x, 2.0)[0])(1.0),
        j.grad(lambda x: j.vmap(f)(x, V)[0].sum())(V),
        j.grad(lambda x: j.vmap(f, (0, None))(x, 2.0)[1].sum())(V),
        j.grad(lambda x: j.lax.scan(lambda c, t: f(c, t), x, V)[0])(1.0),
    )


def zero_attributes(j: Any) -> Any:
    seen = []

    def rule(p, t):
        seen.append((str(t[1].shape), str(t[1].dtype), t[1].ndim, t[1].size, repr(t[1])[:12]))
        return p[0], t[0]

    j.grad(with_jvp(j, lambda x, y: x, rule, symbolic_zeros=True))(1.0, V)
    return seen


def zero_cotangents(j: Any) -> Any:
    seen = []

    def fwd(x, y):
        seen.append((type(x).__name__, x.perturbed, y.perturbed))
        return (x.value * y.value, x.value), (x.value, y.value)

    def bwd(r, g):
        seen.append([isinstance(c, derivatives(j).SymbolicZero) for c in g])
        return r[1] * g[0], None

    f = with_vjp(j, lambda x, y: (x * y, x), fwd, bwd, symbolic_zeros=True)

    def first(x):
        return f(x, 2.0)[0]

    plain = j.grad(first)(1.0), j.jit(j.grad(first))(1.0), j.vmap(j.grad(first))(V)
    return plain, j.grad(lambda x: j.jit(f)(x, 2.0)[0])(1.0), j.grad(lambda x: f(x, x)[0])(1.0), seen


def primal_trees(j: Any) -> Any:
    def fwd(d):
        d = derivatives(j).custom_vjp_primal_tree_values(d)
        return d["a"] * d["b"], d

    def bwd(r, g):
        return ({"a": g * r["b"], "b": derivatives(j).zero_from_primal(r["b"], symbolic_zeros=True)},)

    return j.grad(with_vjp(j, lambda d: d["a"] * d["b"], fwd, bwd, symbolic_zeros=True))({"a": 2.0, "b": 3.0})


# ----------------------------------------------------------------- closures


def closed_over_in_vmap(j: Any) -> Any:
    """The function, its rule, fwd and bwd see the examples of the vmap around them."""
    v = j.numpy.asarray(V)

    def forward(y):
        f = with_jvp(j, lambda x: x * y, lambda p, t: (f(*p), t[0] * y * 5))
        return f(2.0), f(y), j.grad(f)(1.0), j.vmap(f)(v), j.vmap(j.grad(f))(v), j.jit(f)(2.0)

    def reverse(y):
        f = with_vjp(j, lambda x: x * y, lambda x: (x * y, y), lambda r, ct: (ct * r * y,))
        return f(y), j.grad(f)(1.0), j.jit(j.grad(f))(1.0), j.vmap(j.grad(f))(v)

    both = j.vmap(forward)(V), j.vmap(reverse)(V)
    return both, j.jit(j.vmap(forward))(V), j.vmap(j.vmap(forward))(M), j.vmap(j.vmap(reverse))(M)


def closed_over_in_loops(j: Any) -> Any:
    """As operands of the loop or of the jitted function around."""

    def f(y):
        return with_jvp(j, lambda x: x * y, lambda p, t: (p[0] * y, t[0] * y * 5))

    scanned = j.lax.scan(lambda c, t: (f(t)(c), j.grad(f(t))(c)), 1.0, V)
    return scanned, j.jit(lambda y: j.grad(f(y))(1.0))(2.0), j.vmap(j.jit(lambda y: f(y)(1.0)))(V)


def closures_converted(j: Any) -> Any:
    def converted(y, x):
        fun, consts = j.closure_convert(lambda x: x * y * V, x)
        return len(consts), fun(x, *consts)

    gradient = j.grad(lambda y: converted(y, 3.0)[1].sum())(2.0)
    return converted(2.0, 3.0), gradient, j.jit(lambda y: converted(y, 3.0))(2.0)


def what_closures_are_converted(j: Any) -> Any:
    """Floats that may be being differentiated: not integers, nor examples of a vmap without derivative."""
    counts = []

    def f(y, i):
        fun, consts = j.closure_convert(lambda x: x * y * i, 1.0)
        counts.append(len(consts))
        return fun(1.0, *consts)

    j.jit(f)(2.0, 3), j.grad(f)(2.0, 3), j.vmap(f)(V, np.arange(3))
    j.vmap(j.grad(f), (0, None))(V, 3), j.grad(lambda y: j.jit(f)(y, 2))(1.0)
    return counts


def minimizer(j: Any) -> Any:
    """The use that closure_convert is for."""

    @partial(j.custom_vjp, nondiff_argnums=(0,))
    def converted(objective, x, *args):
        return objective(x, *args)

    def fwd(objective, x, *args):
        return converted(objective, x, *args), (x, args)

    converted.defvjp(fwd, lambda objective, res, g: (g * 5, *[g * 7 for _ in res[1]]))

    def minimize(objective, x):
        fun, consts = j.closure_convert(objective, x)
        return converted(fun, x, *consts)

    return j.grad(lambda y, x: minimize(lambda t: t * y, x), (0, 1))(2.0, 3.0)


# ----------------------------------------------------------------- custom_gradient, linear_call, optimize_remat


def gradients(j: Any) -> Any:
    f = j.custom_gradient(lambda x: (x**2, lambda g: (g * x * 3,)))
    h = j.custom_gradient(lambda x, y: (x * y, lambda g: [g * y * 2, g * x * 3]))
    one = j.custom_gradient(lambda x: (x**2, lambda g: g * x * 3))
    trees = j.custom_gradient(lambda d: ({"s": d["a"] * d["b"]}, lambda g: ({"a": g["s"] * d["b"], "b": g["s"]},)))
    return (
        [f(3.0), j.grad(f)(3.0), j.jit(j.grad(f))(3.0), j.vmap(j.grad(f))(V), j.grad(j.grad(f))(3.0), j.grad(one)(3.0)],
        [j.grad(h, (0, 1))(3.0, 4.0), j.vmap(j.grad(h, (0, 1)), (0, None))(V, 2.0)],
        j.grad(lambda d: trees(d)["s"])({"a": 2.0, "b": 3.0}),
    )


def linear_calls(j: Any) -> Any:
    linear_call = derivatives(j).linear_call

    def f(x, d):
        return x + linear_call(lambda r, x: x / r, lambda r, t: t / r * 10.0, d, x)

    def transpose(f, x):
        return lambda y: j.linear_transpose(f, x)(y)[0]

    def third(x):
        return f(x, 3.0)

    once = transpose(third, 1.0)
    derived = [j.jvp(third, (9.0,), (1.0,)), j.grad(third)(9.0), j.jit(j.grad(third))(9.0), j.grad(j.grad(third))(9.0)]
    return f(9.0, 3.0), once(18.0), transpose(once, 1.0)(18.0), transpose(transpose(once, 1.0), 1.0)(18.0), derived


def linear_calls_of_trees(j: Any) -> Any:
    def call(x, y):
        return derivatives(j).linear_call(
            lambda r, x: {"o": x["a"] * r[0] * y + x["b"]},
            lambda r, ct: {"a": ct["o"] * r[0] * 3 * y, "b": ct["o"]},
            (2.0,),
            x,
        )

    x = {"a": 1.0, "b": 5.0}
    return call(x, 2.0), j.grad(lambda x: call(x, 2.0)["o"])(x), j.jit(j.grad(lambda x, y: call(x, y)["o"]))(x, 3.0)


def optimized(j: Any) -> Any:
    f = with_vjp(
        j,
        lambda x: j.lax.sin(x),
        lambda x: (j.lax.sin(x), j.lax.cos(x)),
        lambda r, g: (2.0 * r * g,),
        optimize_remat=True,
    )
    twice = j.grad(j.jit(j.checkpoint(lambda x: f(f(x)))))(1.0)
    return f(1.0), j.grad(f)(1.0), j.jit(j.grad(f))(1.0), j.vmap(j.grad(f))(V), j.grad(j.checkpoint(f))(1.0), twice


# ----------------------------------------------------------------- under every other transformation


def in_scan(j: Any) -> Any:
    def loop(f):
        return lambda x: j.lax.scan(lambda c, t: (f(c) * t, f(c)), x, V)[0]

    f, g = loop(sine(j)), loop(reverse_sine(j))
    first = j.grad(f)(1.0), j.grad(g)(1.0), j.vmap(j.grad(g))(V), j.jvp(j.grad(f), (1.0,), (1.0,))
    return first, j.grad(j.grad(g))(1.0), j.grad(j.checkpoint(g))(1.0), j.jit(j.grad(f))(1.0)


def in_cond(j: Any) -> Any:
    def either(f, g):
        return lambda x: j.lax.cond(x > 0.3, f, g, x)

    f = either(sine(j), reverse_sine(j))
    return j.grad(f)(1.0), j.grad(f)(-1.0), j.vmap(j.grad(f))(V), j.grad(j.grad(either(reverse_sine(j), sine(j))))(1.0)


def in_while(j: Any) -> Any:
    f = sine(j)

    def loop(x):
        return j.lax.while_loop(lambda s: s[0] > 0.3, lambda s: (f(s[0]) * 0.5, s[1] + 1), (x, 0))[0]

    return j.jvp(loop, (1.0,), (1.0,)), j.vmap(lambda x: j.jvp(loop, (x,), (1.0,)))(V)


def stacked(j: Any) -> Any:
    f = sine(j)
    hessian = j.jit(j.hessian(lambda v: j.vmap(f)(v).sum()))(V)
    forward = j.jvp(j.vmap(j.jit(f)), (V,), (V,)), j.vmap(j.jit(j.grad(j.checkpoint(f))))(V)
    return forward, hessian, j.vmap(j.vmap(j.grad(f), 0), 1)(M), j.linearize(j.vmap(f), V)[1](V)


def stacked_reverse(j: Any) -> Any:
    f = reverse_sine(j)
    shared = j.grad(lambda x: j.vmap(lambda t: f(x) * t)(V).sum())(1.0)
    rows = j.grad(lambda x: j.vmap(f, out_axes=1)(x).sum())(M)
    value, pull = j.vjp(lambda x: f(x) * 2, V)
    pulled = value, pull(V), j.vmap(pull)(M), j.jit(pull)(V)
    jacobian = j.jit(j.jacrev(lambda v: j.vmap(f)(v)))(V)
    second = j.grad(j.grad(f))(1.0)
    return (
        j.vmap(j.jit(j.grad(j.checkpoint(f))))(V),
        jacobian,
        j.vmap(j.vmap(j.grad(f), 0), 1)(M),
        shared,
        rows,
        pulled,
        second,
    )


def shared_by_examples(j: Any) -> Any:
    """Results, cotangents and residuals that are the same for all examples of a vmap."""
    f = with_jvp(j, lambda x: (x * 2, 3.0), lambda p, t: ((p[0] * 2, 3.0), (t[0] * 7, 0.0)))
    g = with_vjp(j, lambda x: (x * 2, 3.0), lambda x: ((x * 2, 3.0), 5.0), lambda r, ct: (ct[0] * r + ct[1],))
    h = with_vjp(j, TIMES, lambda x, y: (x * y, None), lambda r, ct: (1.0, ct * 3))
    forward, reverse = (j.vmap(fun, out_axes=(0, None)) for fun in (f, g))

    def total(fun):
        return lambda v: fun(v)[0].sum() + fun(v)[1]

    values = forward(V), reverse(V), j.jit(forward)(V), j.jit(reverse)(V), j.jvp(forward, (V,), (V,))
    gradients = [j.grad(total(reverse))(V), j.jit(j.grad(total(reverse)))(V), j.grad(j.jit(total(reverse)))(V)]
    return values, gradients, j.grad(lambda x: j.vmap(h, (None, 0))(x, V).sum())(2.0), j.grad(total(forward))(V)


def other_axes(j: Any) -> Any:
    """Examples along the last axis."""
    functions = sine(j), reverse_sine(j)
    mapped = [j.vmap(f, 1, out)(M) for f in functions for out in (0, 1)]
    gradients = [j.grad(lambda m, f=f: (j.vmap(f, 1, 1)(m) * M).sum())(M) for f in functions]
    return mapped, gradients, j.jvp(j.jit(j.vmap(sine(j), 1, 1)), (M,), (M,))


def summed_over_an_axis(j: Any) -> Any:
    """A collective in the function is the same for all examples, in a rule it adds them up."""
    f = with_jvp(j, lambda x: j.lax.psum(x, "i"), lambda p, t: (f(*p), t[0] * 3))
    g = with_vjp(
        j,
        lambda x: j.lax.psum(x, "i"),
        lambda x: (j.lax.psum(x, "i"), None),
        lambda r, ct: (ct * j.lax.axis_index("i"),),
    )
    h = with_vjp(j, lambda x: x * 1.0, lambda x: (x * 1.0, None), lambda r, ct: (j.lax.psum(ct, "i"),))

    def both(fun):
        inside = j.vmap(j.grad(fun), axis_name="i")(V)
        return inside, j.grad(lambda v: j.vmap(fun, axis_name="i")(v).sum())(V)

    alone = j.vmap(lambda x: f(2.0) + g(2.0) + x, axis_name="i")(V)
    return [both(fun) for fun in (f, g, h)], alone, j.vmap(f, axis_name="i", out_axes=None)(V)


WORKING: tuple[Program, ...] = (
    *(defaults, only_keyword, many, nondiff_tracers, nondiff_names, nondiff_out_of_order, nondiff_list, integers),
    *(integer_results, concrete_values, attributes, no_arguments, defjvps, cotangent_trees, cotangent_dtypes),
    *(residual_trees, none_argument, zero_tangents, zero_tangents_returned, zero_attributes, zero_cotangents),
    *(primal_trees, closed_over_in_vmap, closed_over_in_loops, closures_converted, what_closures_are_converted),
    *(minimizer, gradients, linear_calls, linear_calls_of_trees, optimized, in_scan, in_cond, in_while, stacked),
    *(stacked_reverse, shared_by_examples, other_axes, summed_over_an_axis),
)
