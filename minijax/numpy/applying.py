"""Applying a Python function along axes, over axes, piece by piece, or to every element."""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from minijax import config, dtypes, lax
from minijax.array import Array
from minijax.numpy.creation import array, asarray, zeros_like
from minijax.numpy.cumulative import cumsum
from minijax.numpy.manipulation import broadcast_arrays, expand_dims, squeeze
from minijax.numpy.promotion import ensure_arraylike
from minijax.primitives.shaping import canonical_axis
from minijax.vmapping import vmap

__all__ = ["apply_along_axis", "apply_over_axes", "piecewise", "vectorize"]

# ----------------------------------------------------------------- along and over axes


def apply_along_axis(func1d: Callable, axis: int, arr: Any, *args: Any, **kwargs: Any) -> Array:
    """func1d(row, *args, **kwargs) for each vector along an axis; what it returns stands in place of that axis."""
    arr = ensure_arraylike("apply_along_axis", arr)
    axis = canonical_axis(axis, arr.ndim)

    def func(row: Array) -> Array:
        return func1d(row, *args, **kwargs)

    for i in range(1, arr.ndim - axis):
        func = vmap(func, in_axes=i, out_axes=-1)
    for _ in range(axis):
        func = vmap(func)
    return func(arr)


def apply_over_axes(func: Callable[[Any, int], Any], a: Any, axes: Sequence[int]) -> Array:
    """func(a, axis) for one axis after the other, each result taking the place of the array."""
    a = ensure_arraylike("apply_over_axes", a)
    for axis in axes:
        result = func(a, axis)
        if result.ndim == a.ndim - 1:
            result = expand_dims(result, axis)
        if result.ndim != a.ndim:
            raise ValueError(
                f"apply_over_axes: function is not returning an array of the correct shape: got {result.shape} "
                f"for {a.shape} and axis {axis}. It must keep the axis or drop it."
            )
        a = result
    return a


def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Array:
    """For each element of x the function in funclist, or the constant, whose condition holds; the last one if
    several do.

    One more function than conditions is for the elements where none holds; without it they give 0.
    """
    x = ensure_arraylike("piecewise", x)
    count = len(condlist)
    if len(funclist) == count + 1:
        choices = [funclist[-1], *funclist[:-1]]
    elif len(funclist) == count:
        choices = [0, *funclist]
    else:
        raise ValueError(
            f"piecewise: with {count} condition(s), either {count} or {count + 1} functions are expected; "
            f"got {len(funclist)}."
        )
    conditions = asarray(condlist, dtype=bool)
    conditions = lax.concatenate([zeros_like(conditions[:1]), conditions], 0)
    # The first place where the number of true conditions so far is largest: that of the last true one.
    which = lax.argmax(cumsum(conditions, 0), 0, dtypes.default_int_dtype())
    x, which = broadcast_arrays(x, which)
    results = []
    for choice in choices:
        value = vectorize(lambda e, f=choice: f(e, *args, **kw))(x) if callable(choice) else array(choice)
        results.append(lax.broadcast_in_dim(value.astype(x.dtype), x.shape, range(value.ndim)))
    return lax.select_n(which, *results)


# ----------------------------------------------------------------- vectorize


def vectorize(
    pyfunc: Callable, *, excluded: Collection[int | str] = frozenset(), signature: str | None = None
) -> Callable:
    """A function that applies pyfunc to every element, or to all vectors and matrices in the last axes, by vmap.

    signature: the last axes that pyfunc takes and gives, such as '(n,m),(m)->(n)'; the axes before broadcast.
    excluded: positions and names of arguments that are passed on as they are.
    """
    if any(not isinstance(e, str | int) for e in excluded):
        raise TypeError(f"jax.numpy.vectorize can only exclude integer or string arguments, but excluded={excluded!r}.")
    if any(isinstance(e, int) and e < 0 for e in excluded):
        raise ValueError(f"jax.numpy.vectorize: excluded={excluded!r} contains negative numbers; count from the front.")

    @functools.wraps(pyfunc)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        context = f"on vectorized function with excluded={excluded!r} and signature={signature!r}"
        func, args, kwargs = _without_excluded(pyfunc, excluded, args, kwargs)
        in_dims, out_dims = ([()] * len(args), None) if signature is None else _parse_signature(signature)
        absent = {i for i, arg in enumerate(args) if arg is None}
        if absent:
            if any(in_dims[i] for i in absent):
                raise ValueError(f"Cannot pass None at locations {absent} with signature={signature!r}.")
            func, args, _ = _without_excluded(func, absent, args, {})
            in_dims = [dims for i, dims in enumerate(in_dims) if i not in absent]
        arrays = [asarray(arg) for arg in args]
        if len(arrays) != len(in_dims):
            raise TypeError(
                f"wrong number of positional arguments: expected {len(in_dims)}, got {len(arrays)} {context}."
            )
        sizes: dict[str, int] = {}
        for x, dims in zip(arrays, in_dims):
            _note_sizes(sizes, x.shape, dims, context)
        if out_dims is not None:
            func = _with_checked_output(func, sizes, out_dims, context)
        return _broadcast_call(func, arrays, [x.ndim - len(dims) for x, dims in zip(arrays, in_dims)], kwargs)

    return wrapped


def _without_excluded(
    func: Callable, excluded: Collection[int | str], args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[Callable, list[Any], dict[str, Any]]:
    """`func` with its excluded arguments already given, and the arguments that are left."""
    if not excluded:
        return func, list(args), kwargs
    fixed = [(i, args[i]) for i in sorted(e for e in excluded if isinstance(e, int)) if i < len(args)]
    fixed_kwargs = {key: value for key, value in kwargs.items() if key in excluded}

    def new_func(*args: Any, **kwargs: Any) -> Any:
        args = list(args)
        for i, arg in fixed:
            args.insert(i, arg)
        return func(*args, **kwargs, **fixed_kwargs)

    left = [arg for i, arg in enumerate(args) if i not in excluded]
    return new_func, left, {key: value for key, value in kwargs.items() if key not in excluded}


_NAMES = r"\((?:\w+(?:,\w+)*)?\)"
_SIGNATURE = rf"{_NAMES}(?:,{_NAMES})*->{_NAMES}(?:,{_NAMES})*"


def _parse_signature(signature: str) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """'(n,m),(m)->(n)' as [('n', 'm'), ('m',)], [('n',)]."""
    if not re.fullmatch(_SIGNATURE, signature):
        raise ValueError(f"not a valid gufunc signature: {signature!r}. It should look like '(n,m),(m)->(n)'.")
    inputs, outputs = (
        [tuple(re.findall(r"\w+", names)) for names in re.findall(_NAMES, side)] for side in signature.split("->")
    )
    return inputs, outputs


def _note_sizes(sizes: dict[str, int], shape: tuple[int, ...], dims: tuple[str, ...], context: str) -> None:
    """Enter the lengths of named axes, and check those that have been there."""
    if len(shape) < len(dims):
        raise ValueError(
            f"input with shape {shape} does not have enough dimensions for all core dimensions {dims} {context}."
        )
    for name, n in zip(dims, shape[len(shape) - len(dims) :]):
        if sizes.setdefault(name, n) != n:
            raise ValueError(f"inconsistent size for core dimension {name!r}: {n} vs {sizes[name]} {context}.")


def _with_checked_output(
    func: Callable, sizes: dict[str, int], out_dims: list[tuple[str, ...]], context: str
) -> Callable:
    def checked(*args: Any, **kwargs: Any) -> Any:
        out = func(*args, **kwargs)
        if len(out_dims) > 1 and not isinstance(out, tuple):
            raise TypeError(f"output must be a tuple when multiple outputs are expected, got: {out!r} {context}.")
        outs = out if isinstance(out, tuple) else (out,)
        if len(outs) != len(out_dims):
            raise TypeError(f"wrong number of output arguments: expected {len(out_dims)}, got {len(outs)} {context}.")
        known = dict(sizes)
        for o, dims in zip(outs, out_dims):
            if np.ndim(o) != len(dims):
                raise ValueError(f"output shape {np.shape(o)} does not match core dimensions {dims} {context}.")
            _note_sizes(known, np.shape(o), dims, context)
        return out

    return checked


def _broadcast_call(func: Callable, arrays: list[Array], ranks: list[int], kwargs: dict[str, Any]) -> Any:
    """Map `func` over the leading axes, of which each array has ranks[i]; axes of length 1 are not mapped over."""
    shapes = [x.shape[:rank] for x, rank in zip(arrays, ranks)]
    rank = len(lax.broadcast_shapes(*shapes)) if shapes else 0
    _check_rank_promotion([len(shape) for x, shape in zip(arrays, shapes) if x.ndim], [x.shape for x in arrays])
    shapes = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    squeezed = [squeeze(x, tuple([i for i in range(r) if x.shape[i] == 1])) if r else x for x, r in zip(arrays, ranks)]
    new_axes = []

    def mapped(*args: Any) -> Any:
        return func(*args, **kwargs)

    for axis in reversed(range(rank)):
        in_axes = tuple([None if shape[axis] == 1 else 0 for shape in shapes])
        if all(a is None for a in in_axes):
            new_axes.append(axis)
        else:
            mapped = vmap(mapped, in_axes)
    result = mapped(*squeezed)
    if not new_axes:
        return result
    if isinstance(result, tuple):
        return tuple([expand_dims(r, new_axes) for r in result])
    return expand_dims(result, new_axes)


def _check_rank_promotion(ranks: list[int], shapes: list[tuple[int, ...]]) -> None:
    setting = config.numpy_rank_promotion.value
    if setting == "allow" or len(set(ranks)) < 2:
        return
    message = (
        f"operands with shapes {shapes} require rank promotion for jnp.vectorize. Set jax_numpy_rank_promotion to "
        "'allow', or give the smaller operand its axes of length 1."
    )
    if setting == "raise":
        raise ValueError(message)
    warnings.warn(message, stacklevel=4)
