"""Building blocks for first-order primitives that need no other primitive.

The order of the files: `standard` (this), `shaping` (reshape, transpose, broadcast ...), `families`
(elementwise operations and everything whose rules need shaping), then one file for each family.

Every helper fills slots of a `core.Primitive`; nothing here knows a transformation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minijax import config, dtypes
from minijax.array import ArrayImpl
from minijax.core import NOT_LINEAR, Primitive, Rule, ShapedArray, Zero, as_array, get_aval
from minijax.sharding import NamedSharding, PartitionSpec, Sharding

Shape = tuple[int, ...]


def all_weak(*avals: ShapedArray, **params: Any) -> bool:
    """A result is weakly typed when every operand is."""
    return all(aval.weak_type for aval in avals)


def never_weak(*avals: ShapedArray, **params: Any) -> bool:
    """The result's dtype is given by a parameter or by the operation itself."""
    return False


def first_dtype(aval: ShapedArray, *avals: ShapedArray, **params: Any) -> Any:
    """The result has the first operand's dtype."""
    return aval.dtype


def standard(
    name: str,
    impl: Rule,
    shape: Callable[..., Shape],
    dtype: Callable[..., Any] = first_dtype,
    weak: Callable[..., bool] = all_weak,
) -> Primitive:
    """A primitive with one result, whose shape, dtype and weak type are three small functions.

    Each takes (*avals, **params). It is not linear and has no derivative until told so.
    """
    prim = Primitive(name)
    prim.impl = impl
    prim.transpose = NOT_LINEAR

    def shape_rule(*avals: ShapedArray, **params: Any) -> ShapedArray:
        out_dtype = dtype(*avals, **params)
        return ShapedArray(shape(*avals, **params), out_dtype, weak(*avals, **params))

    prim.shape_rule = shape_rule
    return prim


def structural(name: str, impl: Rule, shape: Callable[..., Shape]) -> Primitive:
    """A primitive of one operand that moves elements about and computes nothing.

    So there is no floating-point state to silence, and `shape` may look at the array instead of its
    aval, since it asks for shape and ndim only: eager evaluation takes a third of the usual time.
    """
    prim = standard(name, impl, shape)

    def evaluate(x: Any, **params: Any) -> ArrayImpl:
        if type(x) is not ArrayImpl:
            x = as_array(x)
        shape(x, **params)
        return ArrayImpl(impl(x._data, **params), x.weak_type)

    prim.evaluate = evaluate
    return prim


def def_linear(prim: Primitive, transpose: Callable[..., Any]) -> None:
    """`prim` is linear in its only operand; transpose(ct, operand_aval, **params) is the cotangent."""
    prim.jvp_rules = (lambda t, x, **params: prim.bind(t, **params),)
    prim.jvp = lambda primals, tangents, **params: _jvp_linear(prim, primals, tangents, params)
    prim.transpose = lambda ct, x, **params: (transpose(ct, x.aval, **params),)


def _jvp_linear(prim: Primitive, primals: Any, tangents: Any, params: dict) -> Any:
    out = prim.bind(*primals, **params)
    (t,) = tangents
    return out, zero_like(out) if type(t) is Zero else prim.bind(t, **params)


def def_jvp_zero(*prims: Primitive) -> None:
    """These primitives are piecewise constant (or work on integers): their tangent is zero."""
    for prim in prims:
        prim.jvp = lambda primals, tangents, *, prim=prim, **params: _jvp_zero(prim, primals, params)


def _jvp_zero(prim: Primitive, primals: Any, params: dict) -> Any:
    out = prim.bind(*primals, **params)
    return out, [zero_like(o) for o in out] if prim.multiple_results else zero_like(out)


def check_one_device(name: str, sharding: Any) -> None:
    """Accept a sharding over the devices here, for the function `name`: all of them are one CPU.

    Raises ValueError for a bare partition spec or a mesh of other devices, TypeError for what is no sharding.
    """
    if sharding is None:
        return
    if isinstance(sharding, PartitionSpec):
        raise ValueError(
            f"{name}: got the partition spec {sharding} without a mesh. Write NamedSharding(mesh, {sharding}), or "
            "leave it out."
        )
    if not isinstance(sharding, Sharding):
        raise TypeError(
            f"{name}: {sharding!r} is not a sharding. Leave it out, or write jax.NamedSharding(mesh, spec)."
        )
    if isinstance(sharding, NamedSharding) and sharding.mesh.size > 1 and not sharding.is_over(config.devices_in_use):
        raise ValueError(
            f"{name}: {sharding} is about {sharding.mesh.size} devices that are not among those here. Make the mesh by "
            "jax.make_mesh; jax.config.update('jax_num_cpu_devices', 8), before anything else, gives more devices."
        )


def zero_like(x: Any) -> Zero:
    """The symbolic zero tangent of the value `x`."""
    return Zero(get_aval(x).to_tangent_aval())


def require_dtype(name: str, aval: ShapedArray, kinds: str) -> None:
    """Raise TypeError unless the dtype's kind is one of `kinds` (NumPy's letters: b i u f c)."""
    if dtypes.kind(aval.dtype) not in kinds:
        words = {"b": "bool", "i": "signed integer", "u": "unsigned integer", "f": "floating point", "c": "complex"}
        wanted = " or ".join(words[k] for k in kinds)
        raise TypeError(
            f"{name} does not accept dtype {aval.dtype.name}: its operand of shape {aval.shape} must be "
            f"{wanted}. Convert it first, for example with x.astype('float32')."
        )
