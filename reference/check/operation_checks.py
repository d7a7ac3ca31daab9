"""What is compared for one row of the operation table: values, types, derivatives, batching, jit, jaxprs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

import minijax

from . import jaxpr_tools, oracle_facts
from .operation_row import Operand, Row
from .oracle import assert_same, assert_values, aval_text, to_numpy

__all__ = ["CHECKS", "CHEAP", "check_operation"]

# Checks that cost JAX hardly any compilation, so that every row goes through them in the default depth.
CHEAP = ("eval", "jaxpr")
BATCH = 3


def check_operation(row: Row, kind: str) -> None:
    """Assert that both engines agree on one row in one kind of check."""
    with row.precision(minijax, jax):
        CHECKS[kind](row)


def operands(engine: Any, row: Row, salt: str = "") -> list[Any]:
    """The row's operands as arrays of the engine."""
    return [engine.numpy.asarray(x) for x in row.sample(salt)]


def both(function: Callable[[Any], Any]) -> tuple[Any, Any]:
    """The same function of the engine on both engines."""
    return function(minijax), function(jax)


def same(row: Row, results: tuple[Any, Any], what: str, ulp: float | None = None) -> None:
    """Compare under the row's bound for what other kinds of evaluation derive."""
    ulp = row.derived_ulp if ulp is None else ulp
    assert_same(*results, ulp=ulp, floor=row.floor, leafwise=True, what=f"{row.id} {what}")


def compare_values(row: Row, results: tuple[Any, Any], what: str) -> None:
    """Compare under the row's own bound."""
    assert_same(*results, ulp=row.ulp, floor=row.floor, leafwise=row.leafwise, what=f"{row.id} {what}")


# ----------------------------------------------------------------- values


def check_eval(row: Row) -> None:
    """Value, dtype and weak type of the eager call on strongly typed arrays, and on NumPy arrays."""
    compare_values(row, both(lambda engine: row.call(engine, *operands(engine, row))), "eval")


def check_weak(row: Row) -> None:
    """The same of weakly typed operands: all of them, and each alone, where JAX is only asked for the types."""
    everyone = tuple(range(len(row.operands)))
    ours, theirs = both(lambda engine: row.call(engine, *weakened(engine, row, everyone)))
    compare_values(row, (ours, theirs), "weak")
    for i in everyone if len(everyone) > 1 else ():
        alone = row.call(minijax, *weakened(minijax, row, (i,)))
        types = jax.eval_shape(lambda *xs: row.call(jax, *xs), *weakened(jax, row, (i,)))
        compare_alone(row, minijax.tree_util.tree_leaves(alone), jax.tree_util.tree_leaves(types), theirs, i)


def compare_alone(row: Row, ours: list[Any], types: list[Any], everyone: Any, i: int) -> None:
    """The types when operand i alone is weak, and the values, which are those of all being weak unless promoted."""
    what = f"{row.id} weak ({i},)"
    assert list(map(aval_text, ours)) == list(map(aval_text, types)), what
    for a, b in zip(map(to_numpy, ours), map(to_numpy, jax.tree_util.tree_leaves(everyone)), strict=True):
        if a.dtype == b.dtype:
            assert_values(a, b, ulp=row.ulp, floor=row.floor, leafwise=row.leafwise, what=what)


def weakened(engine: Any, row: Row, chosen: tuple[int, ...]) -> list[Any]:
    """The operands, the chosen ones weakly typed where their dtype can be."""
    values = operands(engine, row)
    return [weakly(engine, x) if i in chosen and weak_possible(x) else x for i, x in enumerate(values)]


def weak_possible(x: Any) -> bool:
    """Python has an int, a float and a complex; their dtypes are the only ones to be weak."""
    return str(x.dtype) in ("float32", "int32", "complex64")


def weakly(engine: Any, x: Any) -> Any:
    """The array, weakly typed: Python numbers are weak, and shaping them keeps them so."""
    lax = engine.lax
    if x.size == 0:
        return lax.broadcast(x.dtype.type(0).item(), x.shape)
    entries = [lax.broadcast(value, (1,)) for value in np.asarray(x).ravel().tolist()]
    return lax.reshape(lax.concatenate(entries, 0), x.shape)


def check_jit(row: Row) -> None:
    """The jitted call against JAX's eager one; jit may fuse, hence the wider bound."""
    ours = minijax.jit(lambda *xs: row.call(minijax, *xs))(*operands(minijax, row))
    theirs = row.call(jax, *operands(jax, row))
    same(row, (ours, theirs), "jit")


# ----------------------------------------------------------------- derivatives


def direction(engine: Any, x: Any, rng: np.random.Generator) -> Any:
    """A random tangent or cotangent for an array; float0 zeros where there is none."""
    if not engine.numpy.issubdtype(x.dtype, engine.numpy.inexact):
        return np.zeros(x.shape, engine.dtypes.float0)
    value = rng.standard_normal(x.shape)
    if engine.numpy.issubdtype(x.dtype, engine.numpy.complexfloating):
        value = value + 1j * rng.standard_normal(x.shape)
    return engine.numpy.asarray(value.astype(x.dtype))


def directions(engine: Any, row: Row, like: Any, salt: str) -> Any:
    """One for every array in a pytree."""
    rng = row.rng(salt)
    return engine.tree_util.tree_map(lambda x: direction(engine, x, rng), like)


def tangents(engine: Any, row: Row) -> Any:
    """Directions for all operands."""
    return directions(engine, row, operands(engine, row), "tangent")


def cotangents(engine: Any, row: Row) -> Any:
    """Directions for all results."""
    results = engine.eval_shape(lambda *xs: row.call(engine, *xs), *operands(engine, row))
    return directions(engine, row, results, "cotangent")


def push_forward(engine: Any, row: Row, primals: Any, tangents: Any) -> Any:
    """jvp in all operands together."""
    return engine.jvp(lambda *xs: row.call(engine, *xs), primals, tangents)


def pull_back(engine: Any, row: Row, primals: Any, cotangents: Any) -> Any:
    """vjp in all operands together."""
    return engine.vjp(lambda *xs: row.call(engine, *xs), *primals)[1](cotangents)


MODES = {"jvp": (push_forward, tangents), "vjp": (pull_back, cotangents)}


def scalar_loss(engine: Any, row: Row, arrays: list[Any]) -> Callable[..., Any]:
    """Sum of squares of the float and complex results, as a function of the float and complex operands alone."""
    jnp = engine.numpy

    def loss(*floats):
        xs = list(arrays)
        for i, x in zip(row.differentiable, floats, strict=True):
            xs[i] = x
        leaves = engine.tree_util.tree_leaves(row.call(engine, *xs))
        return sum(jnp.sum(squares(jnp, leaf)) for leaf in leaves if jnp.issubdtype(leaf.dtype, jnp.inexact))

    return loss


def squares(jnp: Any, x: Any) -> Any:
    """x**2, and |x|**2 of complex numbers."""
    return (x * x.conj()).real if jnp.issubdtype(x.dtype, jnp.complexfloating) else x * x


def smooth_point(engine: Any, row: Row) -> tuple[list[Any], Any]:
    """The operands, and a direction for those that can be differentiated twice."""
    arrays = operands(engine, row)
    return arrays, directions(engine, row, tuple(arrays[i] for i in row.differentiable), "direction")


def second_order(engine: Any, row: Row, arrays: list[Any], towards: Any) -> Any:
    """Forward over reverse and reverse over reverse: two ways to a Hessian times a direction."""
    floats = tuple(arrays[i] for i in row.differentiable)
    gradient = engine.grad(scalar_loss(engine, row, arrays), argnums=tuple(range(len(floats))))

    def along(*xs):
        return sum(engine.numpy.sum(g * d).real for g, d in zip(gradient(*xs), towards, strict=True))

    reverse = engine.grad(along, argnums=tuple(range(len(floats))))(*floats)
    return engine.jvp(gradient, floats, towards), reverse


def same_as_jax(row: Row, ours: Any, program: Callable[..., Any], given: Sequence[Any], what: str) -> None:
    """The result of a program in JAX, compiled as a whole: one compilation, not one for each operation.

    XLA then fuses multiplications and additions, and what cancels leaves another rest: if the two differ, ours has to
    be what JAX computes operation by operation.
    """
    try:
        same(row, (ours, jax.jit(program)(*given)), what)
    except AssertionError:
        same(row, (ours, program(*given)), what)


def check_derivative(mode: str) -> Callable[[Row], None]:
    """The values of one forward or backward pass."""
    program, draw = MODES[mode]

    def check(row: Row) -> None:
        ours = program(minijax, row, operands(minijax, row), draw(minijax, row))
        same_as_jax(row, ours, lambda *given: program(jax, row, *given), (operands(jax, row), draw(jax, row)), mode)

    return check


def check_second(row: Row) -> None:
    """Second derivatives."""
    ours = second_order(minijax, row, *smooth_point(minijax, row))
    same_as_jax(row, ours, lambda *given: second_order(jax, row, *given), smooth_point(jax, row), "second order")


# ----------------------------------------------------------------- batching


def batchings(row: Row) -> list[tuple[int | None, ...]]:
    """Each operand alone along each of its axes; all together along the first, the last, and mixed axes."""
    ranks = [len(o.shape) for o in row.operands]
    alone = [
        tuple(axis if j == i else None for j in range(len(ranks)))
        for i, rank in enumerate(ranks)
        for axis in range(rank + 1)
    ]
    together = [tuple(0 for _ in ranks), tuple(ranks), tuple(i % (rank + 1) for i, rank in enumerate(ranks))]
    return list(dict.fromkeys([*alone, *together]))


def batch_operand(operand: Operand, axis: int | None, rng: np.random.Generator) -> np.ndarray:
    """BATCH samples stacked along the axis, or one sample."""
    if axis is None:
        return operand.sample(rng)
    return np.stack([operand.sample(rng) for _ in range(BATCH)], axis)


def check_vmap(row: Row) -> None:
    """Batched along every axis of every operand; JAX, which compiles once, is asked for one entry at a time."""
    call_in_jax = jax.jit(lambda *xs: row.call(jax, *xs))
    for in_axes in batchings(row):
        rng = row.rng(str(in_axes))
        values = [batch_operand(o, axis, rng) for o, axis in zip(row.operands, in_axes, strict=True)]
        ours = minijax.vmap(lambda *xs: row.call(minijax, *xs), in_axes, out_axes=0)(
            *map(minijax.numpy.asarray, values)
        )
        bound = 0 if row.ulp == 0 and row.batched_ulp is None else row.batched_ulp
        same(row, (ours, stacked(call_in_jax, values, in_axes)), f"vmap {in_axes}", bound)


def stacked(call_in_jax: Callable[..., Any], values: list[np.ndarray], in_axes: tuple[int | None, ...]) -> Any:
    """The results of JAX for each entry of the batch, stacked along a new first axis."""

    def entry(i: int) -> Any:
        xs = [x if axis is None else x.take(i, axis) for x, axis in zip(values, in_axes, strict=True)]
        return call_in_jax(*map(jax.numpy.asarray, xs))

    return jax.tree_util.tree_map(lambda *leaves: stack_leaf(leaves), *[entry(i) for i in range(BATCH)])


def stack_leaf(leaves: tuple[Any, ...]) -> Any:
    """Stacked on the host, with the dtype and weak type of the entries."""
    if jax.dtypes.issubdtype(leaves[0].dtype, jax.dtypes.prng_key):
        return jax.random.wrap_key_data(np.stack([np.asarray(jax.random.key_data(k)) for k in leaves]))
    whole = jax.numpy.asarray(np.stack(list(map(np.asarray, leaves))))
    return weakly(jax, whole) if leaves[0].weak_type else whole


# ----------------------------------------------------------------- jaxprs


def check_jaxpr(row: Row) -> None:
    """The printed jaxpr, and that the row is about the primitive it names."""
    ours, theirs = both(lambda engine: engine.make_jaxpr(lambda *xs: row.call(engine, *xs))(*operands(engine, row)))
    assert row.primitive in jaxpr_tools.primitives_in(theirs), theirs
    jaxpr_tools.assert_same_text(ours, theirs)


def check_derived_jaxprs(row: Row) -> None:
    """The printed jaxprs of jvp, vjp and of each way to batch."""
    for mode in MODES:
        if row.wants(mode) and not {row.primitive, row.id} & set(oracle_facts.DERIVATIVE_TEXT_DIFFERS):
            ours, theirs = both(lambda engine, mode=mode: traced(engine, row, mode))
            jaxpr_tools.assert_same_text(ours, theirs, mode)
    for in_axes in batchings(row):
        ours, theirs = both(lambda engine, in_axes=in_axes: traced_batch(engine, row, in_axes))
        jaxpr_tools.assert_same_text(ours, theirs, f"vmap {in_axes}")


def traced(engine: Any, row: Row, mode: str) -> Any:
    """The jaxpr of jvp or vjp, from operands and directions to results, float0 left out on both sides."""
    program, draw = MODES[mode]
    leaves, tree = engine.tree_util.tree_flatten(draw(engine, row))
    floats = [x for x in leaves if x.dtype != engine.dtypes.float0]

    def function(primals, given):
        given = iter(given)
        whole = [x if x.dtype == engine.dtypes.float0 else next(given) for x in leaves]
        out = program(engine, row, primals, engine.tree_util.tree_unflatten(tree, whole))
        return [x for x in engine.tree_util.tree_leaves(out) if x.dtype != engine.dtypes.float0]

    return engine.make_jaxpr(function)(operands(engine, row), floats)


def traced_batch(engine: Any, row: Row, in_axes: tuple[int | None, ...]) -> Any:
    """The jaxpr of the batched call."""
    rng = row.rng(str(in_axes))
    values = [batch_operand(o, axis, rng) for o, axis in zip(row.operands, in_axes, strict=True)]
    return engine.make_jaxpr(engine.vmap(lambda *xs: row.call(engine, *xs), in_axes))(*values)


CHECKS: dict[str, Callable[[Row], None]] = {
    "eval": check_eval,
    "weak": check_weak,
    "jvp": check_derivative("jvp"),
    "vjp": check_derivative("vjp"),
    "second": check_second,
    "vmap": check_vmap,
    "jit": check_jit,
    "jaxpr": check_jaxpr,
    "derived_jaxprs": check_derived_jaxprs,
}
