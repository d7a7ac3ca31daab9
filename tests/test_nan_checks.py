"""jax_debug_nans and jax_debug_infs raise where JAX raises, and nowhere else."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import minijax

# Functions of the module and two arrays: one with a NaN, and zeros and ones.
CASES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "operator": lambda jax, bad, x: bad + 1,
    "indexing": lambda jax, bad, x: bad[1],
    "jit": lambda jax, bad, x: jax.jit(lambda x: x / x)(x),
    "jit of a good number in the end": lambda jax, bad, x: jax.jit(lambda x: jax.numpy.where(x > 0, x / x, 0))(x),
    "the same without jit": lambda jax, bad, x: jax.numpy.where(x > 0, x / x, 0),
    "grad": lambda jax, bad, x: jax.grad(lambda x: jax.numpy.sqrt(x) * 0)(0.0),
    "grad of jit": lambda jax, bad, x: jax.grad(jax.jit(lambda x: jax.numpy.sqrt(x) * 0))(0.0),
    "vmap": lambda jax, bad, x: jax.vmap(lambda x: x / x)(x),
    "log of -1": lambda jax, bad, x: jax.numpy.log(-1.0),
    "log of 0": lambda jax, bad, x: jax.numpy.log(x),
    "one through zero": lambda jax, bad, x: 1 / x,
    "complex": lambda jax, bad, x: x[:1] * 1j / 0,
    "bfloat16": lambda jax, bad, x: x.astype("bfloat16") / x.astype("bfloat16"),
    "reshape": lambda jax, bad, x: bad.reshape(2, 1),
    "isnan": lambda jax, bad, x: jax.numpy.isnan(bad),
    "nansum": lambda jax, bad, x: jax.numpy.nansum(bad),
    "device_put": lambda jax, bad, x: jax.device_put(np.array([np.nan], np.float32)),
    "integers": lambda jax, bad, x: jax.numpy.arange(3) // 0,
    "keys": lambda jax, bad, x: jax.random.split(jax.random.key(0)),
    "all well": lambda jax, bad, x: jax.numpy.sin(x) + x * 2,
}


def outcome(engine: Any, case: Callable, flag: str) -> str:
    """What happens in a case under a flag: "fine", or which operation is to blame."""
    bad, x = engine.numpy.array([1.0, np.nan], "float32"), engine.numpy.array([0.0, 1.0], "float32")
    try:
        with getattr(engine, flag)(True):
            case(engine, bad, x)
    except FloatingPointError as error:
        return " ".join(str(error).replace(":", "").split()[:6])
    return "fine"


@pytest.mark.parametrize("flag", ["debug_nans", "debug_infs"])
@pytest.mark.parametrize("name", CASES)
def test_same_as_jax(name: str, flag: str):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = outcome(jax, CASES[name], flag)
    ours = outcome(minijax, CASES[name], flag)
    if name == "indexing":  # jnp's indexing is another primitive when the index is a number
        assert (ours == "fine") == (theirs == "fine")
    else:
        assert ours == theirs


# ----------------------------------------------------------------- which line is to blame

HERE = Path(__file__)


def line_of(mark: str) -> str:
    """Where in this file a line with this comment stands, as messages say it."""
    lines = HERE.read_text(encoding="utf-8").splitlines()
    (number,) = [i for i, line in enumerate(lines, 1) if line.endswith(f"# {mark}")]
    return f"{HERE}:{number}"


def bad(jax: Any, x: Any) -> Any:
    """NaN for x < 1."""
    y = x + 1
    z = jax.numpy.log(y - 2)  # the logarithm
    return z * 2


def bad_backward(jax: Any, x: Any) -> Any:
    """0 at 0, with a derivative of 0 * inf."""
    y = jax.numpy.where(x > 1, x, 0.0)
    z = jax.numpy.sqrt(y)  # the root
    return jax.numpy.where(x > 1, z, 0.0) * 3


def custom(jax: Any) -> Any:
    """A function whose backward pass makes a NaN."""
    f = jax.custom_vjp(lambda x: x * 2)

    def bwd(r, ct):
        return (jax.numpy.log(r - 3 * ct),)  # the rule

    f.defvjp(lambda x: (x * 2, x), bwd)
    return f


def with_a_rule(jax: Any, fun: Callable) -> Any:
    """The function as a custom_jvp."""
    f = jax.custom_jvp(fun)
    f.defjvp(lambda primals, tangents: (f(*primals), tangents[0]))
    return f


# What runs, and the comment of the line to blame.
PLACES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "eager": (lambda j: bad(j, 0.0), "the logarithm"),
    "jit": (lambda j: j.jit(lambda x: bad(j, x))(0.0), "the logarithm"),
    "jit of a static argument": (lambda j: j.jit(bad, static_argnums=0)(j, 0.0), "the logarithm"),
    "nested jit": (lambda j: j.jit(lambda x: j.jit(lambda y: bad(j, y))(x) + 1)(0.0), "the logarithm"),
    "vmap of jit": (lambda j: j.vmap(j.jit(lambda x: bad(j, x)))(np.zeros(2, np.float32)), "the logarithm"),
    "grad": (lambda j: j.grad(lambda x: bad(j, x))(0.0), "the logarithm"),
    "grad of jit": (lambda j: j.grad(j.jit(lambda x: bad(j, x)))(0.0), "the logarithm"),
    "jit of vmap": (lambda j: j.jit(j.vmap(lambda x: bad(j, x)))(np.zeros(2, np.float32)), "the logarithm"),
    "jit of value_and_grad": (lambda j: j.jit(j.value_and_grad(lambda x: bad(j, x)))(0.0), "the logarithm"),
    "scan": (lambda j: j.lax.scan(lambda c, _: (bad(j, c), None), 0.0, None, length=2), "the logarithm"),
    "scan in jit": (
        lambda j: j.jit(lambda x: j.lax.scan(lambda c, _: (bad(j, c), None), x, None, length=2))(0.0),
        "the logarithm",
    ),
    "while": (lambda j: j.lax.while_loop(lambda c: c < 5, lambda c: bad(j, c), 0.0), "the logarithm"),
    "cond": (lambda j: j.lax.cond(True, lambda x: bad(j, x), lambda x: x, 0.0), "the logarithm"),
    "cond in scan": (
        lambda j: j.lax.scan(
            lambda c, _: (j.lax.cond(c > 0, lambda x: x, lambda x: bad(j, x), c), None), 0.0, None, length=2
        ),
        "the logarithm",
    ),
    "custom_jvp in jit": (lambda j: j.jit(with_a_rule(j, lambda x: bad(j, x)))(0.0), "the logarithm"),
    "backward": (lambda j: j.grad(lambda x: bad_backward(j, x))(0.0), "the root"),
    "vjp": (lambda j: j.vjp(lambda x: bad_backward(j, x), 0.0)[1](1.0), "the root"),
    "custom backward": (lambda j: j.grad(custom(j))(1.0), "the rule"),
    "custom backward in jit": (lambda j: j.jit(j.grad(custom(j)))(1.0), "the rule"),
    "backward of scan": (
        lambda j: j.grad(
            lambda a: j.lax.scan(lambda c, x: (c + j.numpy.sqrt(a * x), None), a, np.zeros(1, "f"))[0]  # within scan
        )(0.0),
        "within scan",
    ),
}


@pytest.mark.parametrize("name", PLACES)
def test_names_the_line(name: str):
    program, mark = PLACES[name]
    assert outcome(minijax, lambda j, *_: program(j), "debug_nans") == outcome(
        jax, lambda j, *_: program(j), "debug_nans"
    )
    with minijax.debug_nans(True), pytest.raises(FloatingPointError, match=re.escape(line_of(mark))):
        program(minijax)


def test_infinities_in_jit():
    with minijax.debug_infs(True), pytest.raises(FloatingPointError, match=r"\(inf\) encountered in div at .*f32\[\]"):
        minijax.jit(lambda x: 1 / x)(0.0)


def test_the_function_itself_runs_again():
    """As in JAX: without jit, so that it stands in the traceback."""
    with minijax.debug_nans(True), pytest.raises(FloatingPointError) as caught:
        minijax.jit(lambda x: bad(minijax, x))(0.0)
    frames = [entry.name for entry in caught.traceback if Path(entry.path) == HERE]
    assert frames[-1] == "bad"


def test_switched_on_for_good_and_off_again():
    minijax.config.update("jax_debug_nans", True)
    try:
        with pytest.raises(FloatingPointError, match=r"encountered in div.*f32\[\].*jnp.where"):
            minijax.numpy.divide(0.0, 0.0)
    finally:
        minijax.config.update("jax_debug_nans", False)
    assert np.isnan(minijax.numpy.divide(0.0, 0.0))


def test_a_function_with_its_own_rule_may_give_a_python_number():
    f = minijax.custom_jvp(lambda x: (2.0 * x, 3))
    f.defjvp(lambda primals, tangents: (f(*primals), (2.0 * tangents[0], np.zeros((), minijax.dtypes.float0))))
    with minijax.debug_nans(True):
        assert f(1.0) == (2.0, 3)
        bad = minijax.custom_jvp(lambda x: float("nan"))
        bad.defjvp(lambda primals, tangents: (bad(*primals), tangents[0]))
        with pytest.raises(FloatingPointError, match="nan"):
            bad(1.0)
