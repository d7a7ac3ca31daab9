"""Traced values that outlive their function are found when asked for, and say where they come from in any case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import minijax

KEPT: list[Any] = []


class Holder:
    """Something with attributes."""


HOLDER = Holder()


def leaky(engine: Any, x: Any) -> Any:
    y = engine.numpy.sin(x)
    KEPT.append(y)
    return y * 2


def keeps_argument(x: Any) -> Any:
    HOLDER.kept = x
    return x


def keeps_function(x: Any) -> Any:
    def inner():
        return x

    KEPT.append(inner)
    return x


def wave(engine: Any, x: Any) -> Any:
    return engine.numpy.sin(x) * x


def doubled(engine: Any) -> Callable:
    f = engine.custom_vjp(lambda x: x * 2)
    f.defvjp(lambda x: (x * 2, x), lambda r, ct: (ct * r,))
    return f


# What runs, and words of the message where it leaks.
LEAKS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "jit": (lambda j: j.jit(lambda x: leaky(j, x))(1.0), "sin|(leaky)|global 'KEPT'"),
    "argument": (lambda j: j.jit(keeps_argument)(1.0), "argument 0|keeps_argument|'kept'|Holder"),
    "closure": (lambda j: j.jit(keeps_function)(1.0), "keeps_function|closes over"),
    "vmap": (lambda j: j.vmap(keeps_argument)(np.ones(2, np.float32)), "examples|keeps_argument"),
    "scan": (lambda j: j.lax.scan(lambda c, _: (leaky(j, c), None), 1.0, None, length=2), "sin|(leaky)"),
    "while": (lambda j: j.lax.while_loop(lambda c: c < 2, lambda c: leaky(j, c) + 3, 1.0), "sin|(leaky)"),
    "cond": (lambda j: j.lax.cond(True, keeps_argument, lambda x: x, 1.0), "keeps_argument"),
    "make_jaxpr": (lambda j: j.make_jaxpr(keeps_argument)(1.0), "keeps_argument"),
    "eval_shape": (lambda j: j.eval_shape(keeps_argument, 1.0), "keeps_argument"),
    "checkpoint": (lambda j: j.checkpoint(keeps_argument)(1.0), "keeps_argument"),
    "grad within jit": (lambda j: j.jit(lambda x: j.grad(keeps_argument)(x))(1.0), "<lambda>"),
    "jit within grad": (lambda j: j.grad(j.jit(keeps_argument))(1.0), "keeps_argument"),
}

NO_LEAKS: dict[str, Callable[[Any], Any]] = {
    "grad": lambda j: j.grad(lambda x: wave(j, x))(1.0),
    "jit of grad": lambda j: j.jit(j.grad(lambda x: wave(j, x)))(1.0),
    "grad of jit": lambda j: j.grad(j.jit(lambda x: wave(j, x)))(1.0),
    "vjp": lambda j: j.vjp(lambda x: wave(j, x), 1.0)[1](1.0),
    "linearize in jit": lambda j: j.jit(lambda x: j.linearize(lambda y: wave(j, y) * x, x)[1](x))(1.0),
    "grad of scan": lambda j: j.grad(lambda a: j.lax.scan(lambda c, _: (wave(j, c) * a, c), a, None, length=3)[0])(1.0),
    "jit of vmap of grad": lambda j: j.jit(lambda x: j.vmap(j.grad(lambda y: y * y * x))(np.ones(3, "f")))(1.0),
    "hessian": lambda j: j.hessian(lambda x: wave(j, x).sum())(np.ones(2, np.float32)),
    "custom_vjp": lambda j: j.jit(j.grad(doubled(j)))(1.0),
    "grad of checkpoint": lambda j: j.grad(j.checkpoint(lambda x: wave(j, j.numpy.cos(x))))(1.0),
    "vmap of while": lambda j: j.vmap(lambda n: j.lax.while_loop(lambda c: c < n, lambda c: c + 1, 0.0))(
        np.arange(3.0, dtype="f")
    ),
    "grad of cond": lambda j: j.grad(lambda x: j.lax.cond(x > 0, lambda x: wave(j, x), lambda x: x, x))(1.0),
}


@pytest.fixture
def nothing_kept():
    KEPT.clear()
    yield
    KEPT.clear()
    vars(HOLDER).clear()


@pytest.mark.parametrize("name", LEAKS)
def test_leaks_are_found(name: str, nothing_kept: None):
    program, words = LEAKS[name]
    with minijax.checking_leaks(), pytest.raises(Exception, match="Leaked trace") as ours:
        program(minijax)
    assert type(ours.value) is Exception
    for word in words.split("|"):
        assert word in str(ours.value), str(ours.value)


@pytest.mark.full
@pytest.mark.parametrize("name", LEAKS)
def test_jax_finds_the_same_leaks(name: str, nothing_kept: None):
    with jax.checking_leaks(), pytest.raises(Exception, match="Leaked trace") as caught:
        LEAKS[name][0](jax)
    assert type(caught.value) is Exception


@pytest.mark.parametrize("name", NO_LEAKS)
def test_nothing_else_leaks(name: str):
    with minijax.checking_leaks():
        NO_LEAKS[name](minijax)


def test_earlier_leaks_do_not_count(nothing_kept: None):
    minijax.jit(keeps_argument)(1.0)
    with minijax.checking_leaks():
        minijax.jit(lambda x: x + 1)(2.0)
    minijax.config.update("jax_check_tracer_leaks", True)
    try:
        with pytest.raises(Exception, match="Leaked"):
            minijax.jit(lambda x: keeps_argument(x) + 1)(2.0)
    finally:
        minijax.config.update("jax_check_tracer_leaks", False)


# ----------------------------------------------------------------- messages about traced values


def test_messages_say_where_a_traced_value_comes_from():
    def decides(x):
        y = x - 1
        return y if y > 0 else x

    with pytest.raises(minijax.errors.TracerBoolConversionError, match=rf"result of gt at {__file__}:\d+ \(decides\)"):
        minijax.jit(decides)(1.0)
    with pytest.raises(minijax.errors.TracerArrayConversionError, match="argument 0 of the traced function <lambda>"):
        minijax.jit(lambda x: np.sin(x))(1.0)


def test_a_leaked_value_says_where_it_comes_from(nothing_kept: None):
    minijax.jit(lambda x: leaky(minijax, x))(1.0)
    with pytest.raises(minijax.errors.UnexpectedTracerError, match=rf"result of sin at {__file__}:\d+ \(leaky\)"):
        KEPT[0] + 1
