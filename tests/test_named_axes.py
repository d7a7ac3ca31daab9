"""Named axes and collectives: random nestings, texts of jaxprs, scope of names, and what JAX gets wrong.

The values of single calls stand in the tables, reference/check/functions/named_axes.py.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from random_axes import SIZES, Nest, custom_backward, nests

import minijax
from minijax import lax
from minijax import numpy as jnp
from minijax.test_util import check_grads
from reference.check import jaxpr_tools

M = np.arange(12, dtype=np.float32).reshape(4, 3) / 7 - 0.5
S = np.arange(16, dtype=np.float32).reshape(4, 4) / 5 - 1.5
X = M[:, 0]

# ----------------------------------------------------------------- random nestings


@given(nest=nests())
def test_random_nestings(nest: Nest):
    nest.compare(minijax, jax)


@pytest.mark.full
@settings(max_examples=500)
@given(nest=nests())
def test_more_random_nestings(nest: Nest):
    nest.compare(minijax, jax)


@pytest.mark.parametrize("around", [("grad", "p"), ("q", "vjp", "p", "jit"), ("grad", "p", "q")])
def test_backward_rules(around: tuple[str, ...]):
    """A custom_vjp function, which has no forward mode, with collectives in all of its parts."""

    class Backward(Nest):
        def run(self, j: Any) -> Any:
            return lambda v: custom_backward(j, v, "p") * v

    Backward((), around, tuple(0 for name in around if name in SIZES)).compare(minijax, jax)


# ----------------------------------------------------------------- texts

ENV = [("i", 4), ("j", 2)]


def pulled_back(j: Any, fun: Any) -> Any:
    """The function's backward pass at x, as a function of x and of a cotangent."""
    return lambda x, ct: j.vjp(fun, x)[1](ct)


def vmapped(j: Any, fun: Any, *axes: Any) -> Any:
    return j.vmap(fun, *axes, axis_name="i")


def cycle(j: Any, x: Any) -> Any:
    return j.lax.ppermute(x, "i", [(0, 1), (1, 2), (2, 3), (3, 0)])


IN_SCOPE = {
    "psum": (lambda j: lambda x: j.lax.psum(x, ("i", "j")), X),
    "psum and an axis of the array": (lambda j: lambda x: j.lax.psum(x, ("i", 0)), M),
    "psum of groups": (lambda j: lambda x: j.lax.pmean(x, "i", axis_index_groups=[[0, 1], [2, 3]]), X),
    "truth values": (lambda j: lambda x: (j.lax.psum(x > 0, "i"), j.lax.pmax(x > 0, "i")), X),
    "no axes": (lambda j: lambda x: (j.lax.psum(x, ()), j.lax.all_gather(x, ()), j.lax.pmax(x, ())), X),
    "axis_size": (lambda j: lambda x: x * j.lax.axis_size(("i", "j")), X),
    "grad of psum": (lambda j: j.grad(lambda x: j.lax.psum((x * x).sum(), ("i", "j"))), X),
    "jit": (lambda j: j.jit(lambda x: j.lax.psum(x, "i") + j.lax.axis_index("j")), X),
    "vjp of psum": (lambda j: pulled_back(j, lambda x: j.lax.psum(x, ("i", 0))), M, M[0]),
    "vjp of all_gather": (lambda j: pulled_back(j, lambda x: j.lax.all_gather(x, "i")), X, S),
    "vjp of psum_scatter": (lambda j: pulled_back(j, lambda x: j.lax.psum_scatter(x, "i")), S, X),
    "vjp of all_to_all": (lambda j: pulled_back(j, lambda x: j.lax.all_to_all(x, "i", 0, 0)), M, M),
    "vjp of ppermute": (lambda j: pulled_back(j, lambda x: j.lax.ppermute(x, "i", [(0, 1)])), X, X),
    "vmap": (
        lambda j: j.vmap(
            lambda x: (
                j.lax.psum(x, ("i", 0)),
                j.lax.all_gather(x, "i"),
                j.lax.all_gather(x, "i", axis=1),
                j.lax.pmax(x, "j"),
                j.lax.ppermute(x, "j", ((0, 1),)),
                j.lax.psum_scatter(x, "i"),
                j.lax.all_to_all(x, "i", 0, 0),
                j.lax.axis_index("i"),
            )
        ),
        S,
    ),
}
BATCHED = {
    "psum": (lambda j: lambda x: j.lax.psum(x, "i"), M),
    "psum of what is shared": (lambda j: lambda x: j.lax.psum(2.5, "i") + x, X),
    "pmean": (lambda j: lambda x: j.lax.pmean(x, "i"), M),
    "pmax and an axis of the array": (lambda j: lambda x: j.lax.pmax(x, ("i", 0)), M),
    "axis_index": (lambda j: lambda x: j.lax.axis_index("i"), X),
    "all_gather": (lambda j: lambda x: j.lax.all_gather(x, "i", axis=1), M),
    "all_gather, tiled": (lambda j: lambda x: j.lax.all_gather(x, "i", tiled=True), M),
    "psum_scatter": (lambda j: lambda x: j.lax.psum_scatter(x, "i"), S),
    "psum_scatter, tiled": (lambda j: lambda x: j.lax.psum_scatter(x, "i", tiled=True), S),
    "all_to_all": (lambda j: lambda x: j.lax.all_to_all(x, "i", 0, 0), S),
    "all_to_all, moving": (lambda j: lambda x: j.lax.all_to_all(x, "i", 0, 1), np.ones((4, 4, 3), np.float32)),
    "all_to_all, back": (lambda j: lambda x: j.lax.all_to_all(x, "i", 1, 0), np.ones((4, 3, 4), np.float32)),
    "all_to_all, tiled": (
        lambda j: lambda x: j.lax.all_to_all(x, "i", 1, 0, tiled=True),
        np.ones((4, 3, 8), np.float32),
    ),
    "ppermute": (lambda j: lambda x: cycle(j, x), M),
    "grad": (lambda j: j.grad(lambda x: j.lax.psum(x * x, "i")), X),
    "loop": (lambda j: lambda x: j.lax.fori_loop(0, 3, lambda k, c: c + j.lax.psum(c, "i"), x), X),
    "carry": (lambda j: lambda x: j.lax.scan(lambda c, _: (c + j.lax.axis_index("i"), c), 0, None, length=3), X),
    "condition": (lambda j: lambda x: j.lax.while_loop(lambda c: c < j.lax.axis_index("i"), lambda c: c + 1, 0), X),
    "checkpoint": (lambda j: j.checkpoint(lambda x: j.lax.psum(j.numpy.sin(x), "i")), X),
    "jit of what is shared": (lambda j: lambda x: j.jit(lambda: j.lax.axis_index("i"))(), X),
    "all_to_all of two vmaps": (
        lambda j: j.vmap(lambda x: j.lax.all_to_all(x, ("j", "i"), 0, 1), axis_name="j"),
        np.ones((4, 2, 8, 3), np.float32),
    ),
}


@pytest.mark.parametrize("name", IN_SCOPE)
def test_texts_in_scope(name: str):
    program, *operands = IN_SCOPE[name]
    ours, theirs = (j.make_jaxpr(program(j), axis_env=ENV)(*operands) for j in (minijax, jax))
    jaxpr_tools.assert_same_text(ours, theirs)


@pytest.mark.parametrize("name", BATCHED)
def test_texts_of_vmap(name: str):
    program, *operands = BATCHED[name]
    ours, theirs = (j.make_jaxpr(vmapped(j, program(j)))(*operands) for j in (minijax, jax))
    jaxpr_tools.assert_same_text(ours, theirs)


def test_text_of_the_derivative_of_vmap():
    def program(j: Any) -> Any:
        return j.grad(lambda x: vmapped(j, lambda t: j.lax.psum(t * t, "i"))(x).sum())

    jaxpr_tools.assert_same_text(*(j.make_jaxpr(program(j))(X) for j in (minijax, jax)))


# ----------------------------------------------------------------- scope


def test_an_unbound_name_says_what_is_in_scope():
    with pytest.raises(NameError, match=r"unbound axis name: 'j'; in scope are \['i'\].*axis_name='j'"):
        minijax.vmap(lambda x: lax.psum(x, "j"), axis_name="i")(X)
    with pytest.raises(NameError, match="no axis has a name here"):
        lax.ppermute(jnp.asarray(X), "i", [(0, 0)])


def test_names_end_with_their_vmap():
    def fails(x):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        minijax.vmap(fails, axis_name="i")(X)
    with pytest.raises(NameError):
        lax.axis_size("i")


def test_traces_are_kept_for_each_scope():
    """A jitted function is traced anew where a name means another axis, and only there."""
    traced = []

    @minijax.jit
    def fun(x):
        traced.append(lax.axis_size("i"))
        return x / lax.psum(x, "i") + lax.axis_index("i")

    for size in (3, 4, 3):
        x = jnp.arange(1.0, size + 1)
        wanted = x / x.sum() + jnp.arange(size)
        np.testing.assert_allclose(minijax.vmap(fun, axis_name="i")(x), wanted, rtol=1e-6)
    assert traced == [3, 4]
    with pytest.raises(NameError):
        fun(1.0)
    with pytest.raises(NameError):
        minijax.vmap(fun, axis_name="j")(X)


def test_loops_and_branches_are_traced_for_each_scope():
    def body(c, _):
        return c * lax.axis_size("i"), None

    for size in (2, 3):
        out = minijax.vmap(lambda x: lax.scan(body, x, None, length=2)[0], axis_name="i")(jnp.ones(size))
        np.testing.assert_array_equal(out, np.full(size, size**2))


def test_what_all_examples_share_stays_shared():
    """Also through jit and through functions with rules of their own: out_axes=None accepts it."""

    def fun(x, w):
        return minijax.jit(minijax.nn.relu)(w) + minijax.nn.relu(lax.pmean(w, "i")), lax.psum(x, "i")

    out = minijax.vmap(fun, in_axes=(0, None), out_axes=None, axis_name="i")(jnp.asarray(X), jnp.float32(2.0))
    np.testing.assert_allclose(out, (4.0, X.sum()), rtol=1e-6)


def test_a_rule_of_an_outer_axis_does_not_bind_the_inner_name():
    """The vmap without a name lies between the two that have one."""

    def fun(x):
        return minijax.jit(lambda t: lax.psum(t, "i"))(x)

    out = minijax.vmap(minijax.vmap(fun), axis_name="i")(jnp.asarray(M))
    np.testing.assert_allclose(out, np.broadcast_to(M.sum(0), M.shape), rtol=1e-5, atol=1e-6)


# ----------------------------------------------------------------- where JAX has no answer, or a wrong one


def check_gradient(fun: Any, x: np.ndarray) -> None:
    """Against differences, in float64."""
    with minijax.enable_x64(True):
        check_grads(fun, (jnp.asarray(x, jnp.float64),), order=2, modes=["rev"], eps=1e-5)


def test_backward_rule_that_speaks_of_the_axis_outside_of_its_vmap():
    """JAX raises NameError, as the rule runs when the vmap has ended.

    Where the rule does not ask for the length, it is as here: the cotangents of a result that is the same for all
    examples are added up before the rule is called for each.
    """

    @minijax.custom_vjp
    def total(x):
        return lax.psum(jnp.sin(x), "i")

    total.defvjp(lambda x: (total(x), x), lambda x, ct: (jnp.cos(x) * ct * lax.axis_size("i") / 4,))
    check_gradient(lambda x: jnp.sum(minijax.vmap(total, axis_name="i")(x) ** 2), X)


@pytest.mark.parametrize("split, concat, tiled", [(0, 1, False), (1, 0, False), (0, 1, True), (1, 1, True)])
def test_derivative_of_all_to_all_within_the_axis(split: int, concat: int, tiled: bool):
    """JAX's transpose of what moves the axis has another shape than the operand."""
    x = np.cos(np.arange(64.0)).reshape(4, 4, 4)
    weights = np.sin(np.arange(4.0))

    def example(v):
        out = lax.all_to_all(v, "i", split, concat, tiled=tiled)
        return jnp.sum(jnp.sin(out) * (1 + lax.axis_index("i")))

    def objective(x):
        return jnp.sum(minijax.vmap(example, axis_name="i")(x) * weights)

    def summed(v):
        return lax.psum(example(v) * jnp.asarray(weights)[lax.axis_index("i")], "i")

    # Each example's total is the sum over all, so that the gradient within the axis counts each example four times.
    with minijax.enable_x64(True):
        within = minijax.vmap(minijax.grad(summed), axis_name="i")(jnp.asarray(x))
        np.testing.assert_allclose(within, 4 * minijax.grad(objective)(jnp.asarray(x)), rtol=1e-12)
    check_gradient(objective, x)


def test_all_to_all_of_what_all_examples_share():
    """JAX gives it another shape. Each example gets its own entry of everybody's vector."""
    out = minijax.vmap(lambda _, v: lax.all_to_all(v, "i", 0, 0), in_axes=(0, None), axis_name="i")(X, X)
    np.testing.assert_array_equal(out, np.repeat(X[:, None], 4, 1))


def test_ppermute_to_some():
    """JAX refuses it under vmap, though its documentation promises zeros for who is sent nothing."""

    def send(x, shared):
        return lax.ppermute(x, "i", [(0, 3), (1, 2)]), lax.ppermute(shared, "i", [(0, 1)])

    moved, one = minijax.vmap(send, in_axes=(0, None), axis_name="i")(jnp.arange(1, 5), jnp.float32(7))
    np.testing.assert_array_equal(moved, [0, 0, 2, 1])
    np.testing.assert_array_equal(one, [0, 7, 0, 0])
    check_gradient(lambda x: jnp.sum(minijax.vmap(lambda t: send(t, t)[0] ** 2, axis_name="i")(x)), X)


@pytest.mark.parametrize("perm, error", [([(0, 1), (0, 2)], ValueError), ([(0, 2), (1, 2)], ValueError)])
def test_ppermute_sends_once_and_to_each_once(perm: Any, error: Any):
    with pytest.raises(error, match="must be unique"):
        minijax.vmap(lambda x: lax.ppermute(x, "i", perm), axis_name="i")(X)


def test_psum_scatter_of_other_lengths():
    """JAX gives as many results as there are, or fails inside."""
    for options in ({}, {"tiled": True}, {"scatter_dimension": 1}):
        with pytest.raises(ValueError, match="psum_scatter"):
            minijax.vmap(lambda x, options=options: lax.psum_scatter(x, "i", **options), axis_name="i")(M)


def test_several_axes_at_once():
    with pytest.raises(NotImplementedError, match="one axis after the other"):
        minijax.vmap(minijax.vmap(lambda x: lax.all_gather(x, ("i", "j")), axis_name="j"), axis_name="i")(M)
