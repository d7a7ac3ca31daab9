"""jax.test_util: check derivatives against finite differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.autodiff import jvp, vjp
from minijax.core import get_aval
from minijax.tree_util import tree_flatten, tree_leaves, tree_map, tree_structure

__all__ = ["check_grads", "check_jvp", "check_vjp"]

EPS = 1e-4
_TOLERANCE = {"bfloat16": 1e-1, "float16": 1e-2, "float32": 2e-3, "complex64": 2e-3, "float64": 1e-5}


def _tolerance(trees: Any, given: float | None) -> float:
    """The given tolerance, or that of the least precise dtype in the trees."""
    names = [get_aval(x).dtype.name for x in tree_leaves(trees)]
    return given if given is not None else max(_TOLERANCE.get(name, 1e-5) for name in names)


def _random_like(rng: np.random.RandomState, x: Any) -> Any:
    aval = get_aval(x)
    if not dtypes.is_inexact(aval.dtype):
        return np.zeros(aval.shape, dtypes.float0)
    value = rng.randn(*aval.shape)
    if dtypes.is_complex(aval.dtype):
        value = value + 1j * rng.randn(*aval.shape)
    return np.asarray(value, aval.dtype)


def _numbers(tree: Any) -> Any:
    return tree_map(lambda x: np.asarray(x) if np.asarray(x).dtype == dtypes.float0 else _wide(x), tree)


def _wide(x: Any) -> np.ndarray:
    """The numbers in double precision."""
    x = np.asarray(x)
    return x.astype(np.complex128 if x.dtype.kind == "c" else np.float64)


def _shift(x: Any, t: Any, eps: float) -> Any:
    return np.asarray(x) if t.dtype == dtypes.float0 else np.asarray(np.asarray(x) + eps * t, get_aval(x).dtype)


def _numerical_jvp(f: Callable, primals: tuple, tangents: tuple, eps: float) -> Any:
    """The directional derivative by central differences."""
    above = f(*tree_map(lambda x, t: _shift(x, t, eps), primals, tangents))
    below = f(*tree_map(lambda x, t: _shift(x, t, -eps), primals, tangents))
    return tree_map(lambda a, b: (_wide(a) - _wide(b)) / (2 * eps), above, below)


def _inner(xs: Any, ys: Any) -> float:
    pairs = zip(tree_leaves(_numbers(xs)), tree_leaves(_numbers(ys)), strict=True)
    return sum(float(np.vdot(x, y).real) for x, y in pairs if x.dtype != dtypes.float0 and y.dtype != dtypes.float0)


def _conj(tree: Any) -> Any:
    """The complex conjugates: JAX's cotangents pair with tangents without one, unlike the inner product here."""
    return tree_map(lambda x: np.conj(x) if dtypes.is_complex(get_aval(x).dtype) else x, tree)


def _assert_close(got: Any, want: Any, atol: float, rtol: float, what: str) -> None:
    assert tree_structure(got) == tree_structure(want), f"{what}: structures differ"
    for g, w in zip(tree_leaves(got), tree_leaves(want), strict=True):
        if np.asarray(g).dtype != dtypes.float0:
            np.testing.assert_allclose(_wide(g), _wide(w), rtol, atol, err_msg=what)


def check_jvp(
    f: Callable,
    f_jvp: Callable,
    args: Sequence[Any],
    atol: float | None = None,
    rtol: float | None = None,
    eps: float = EPS,
    err_msg: str = "",
) -> None:
    """Raise AssertionError unless f_jvp(primals, tangents) agrees with central differences of `f`."""
    args, rng = tuple(args), np.random.RandomState(0)
    tangents = tree_map(partial(_random_like, rng), args)
    out, out_tangent = f_jvp(args, tangents)
    atol, rtol = _tolerance((args, out), atol), _tolerance((args, out), rtol)
    prefix = f"{err_msg}: " if err_msg else ""
    _assert_close(out, f(*args), atol, rtol, f"{prefix}JVP primal")
    _assert_close(out_tangent, _numerical_jvp(f, args, tangents, eps), atol, rtol, f"{prefix}JVP tangent")


def check_vjp(
    f: Callable,
    f_vjp: Callable,
    args: Sequence[Any],
    atol: float | None = None,
    rtol: float | None = None,
    eps: float = EPS,
    err_msg: str = "",
) -> None:
    """Raise AssertionError unless f_vjp(*args) = (out, pullback) agrees with central differences of `f`."""
    args, rng = tuple(args), np.random.RandomState(0)
    out, pullback = f_vjp(*args)
    atol, rtol = _tolerance((args, out), atol), _tolerance((args, out), rtol)
    prefix = f"{err_msg}: " if err_msg else ""
    _assert_close(out, f(*args), atol, rtol, f"{prefix}VJP primal")
    tangents = tree_map(partial(_random_like, rng), args)
    cotangent = tree_map(partial(_random_like, rng), out)
    forward = _inner(_numerical_jvp(f, args, tangents, eps), cotangent)
    backward = _inner(tangents, _conj(pullback(_conj(cotangent))))
    np.testing.assert_allclose(forward, backward, rtol, atol, err_msg=f"{prefix}VJP cotangent projected")


def check_grads(
    f: Callable,
    args: Sequence[Any],
    order: int,
    modes: Sequence[str] = ("fwd", "rev"),
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
) -> None:
    """Check derivatives of `f` at `args` up to `order` against central differences, in all mixtures of modes.

    Raises AssertionError where they disagree; tolerances depend on the dtypes unless given.
    """
    eps = EPS if eps is None else eps

    def check(f: Callable, args: tuple, order: int, where: str) -> None:
        if "fwd" in modes:
            label = f"jvp of {where}" if where else "jvp"
            check_jvp(f, partial(jvp, f), args, atol, rtol, eps, label)
            if order > 1:
                check(lambda *xs: _push(f, xs), args, order - 1, label)
        if "rev" in modes:
            label = f"vjp of {where}" if where else "vjp"
            check_vjp(f, partial(vjp, f), args, atol, rtol, eps, label)
            if order > 1:
                check(lambda *xs: _pull(f, xs), args, order - 1, label)

    check(f, tuple(args), order, "")


def _push(f: Callable, args: tuple) -> Any:
    rng = np.random.RandomState(1)
    return jvp(f, args, tree_map(partial(_random_like, rng), args))


def _pull(f: Callable, args: tuple) -> Any:
    """Result and float cotangents of `f`, with a fixed cotangent."""
    out, pullback = vjp(f, *args)
    cts = pullback(tree_map(partial(_random_like, np.random.RandomState(1)), out))
    return out, [ct for ct in tree_flatten(cts)[0] if get_aval(ct).dtype != dtypes.float0]
