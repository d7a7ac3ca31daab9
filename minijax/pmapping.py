"""pmap: the function once on each of several devices, which are simulated (`devices.py`).

What every device does to its own part is what a vmap does to all parts at once, collectives included, so pmap is a
jitted vmap over an axis that lies on devices. Derivatives, vmap of pmap and pmap of pmap follow from that. JAX has
shard_map inside of the jit; values and derivatives are the same, the text of the jaxpr is not.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from minijax.arguments import check_callable, operands_of
from minijax.batching import batch_flat, place_batch_axis
from minijax.devices import Device, all_devices
from minijax.devices import devices as devices_of_backend
from minijax.jitted import JitFunction, StaticArguments, flat_function, fun_name
from minijax.named_axes import AxisSize
from minijax.placement import placed
from minijax.primitives.slicing import index_in_dim
from minijax.sharding import Mesh, NamedSharding, PartitionSpec
from minijax.tracebacks import api_boundary
from minijax.tree_util import flatten_axes, keystr, tree_flatten, tree_flatten_with_path, tree_leaves, tree_unflatten

__all__ = ["pmap"]

# The axis of a pmap that does not name it.
_UNNAMED = "_internal_pmap_axis_name"
# How many devices the enclosing pmaps take together.
_devices_taken: ContextVar[int] = ContextVar("devices_taken", default=1)


@api_boundary
def pmap(
    fun: Callable,
    axis_name: Any = None,
    *,
    in_axes: Any = 0,
    out_axes: Any = 0,
    static_broadcasted_argnums: int | Iterable[int] = (),
    devices: Sequence[Device] | None = None,
    backend: str | None = None,
    axis_size: int | None = None,
    donate_argnums: int | Iterable[int] = (),
) -> Any:
    """`fun` on as many devices as the mapped axis is long, each with its part of the arguments, compiled by jit.

    in_axes, out_axes: the mapped axis of each subtree of arguments and results, counted from the front; None stands
    for an argument that all devices share, and for a result of which the first device's counts. Keyword arguments
    are mapped along axis 0. axis_name: what collectives call the axis. static_broadcasted_argnums: positions of
    hashable arguments that `fun` gets as they are. Donated arguments may be overwritten.

    Raises ValueError for mapped axes of different lengths, or longer than there are devices: ask for more by
    jax.config.update("jax_num_cpu_devices", 8) before the first operation.
    """
    check_callable("pmap", fun)
    for name, axes in (("in_axes", in_axes), ("out_axes", out_axes)):
        _check_axes(name, axes)
    if devices is not None and not devices:
        raise ValueError("pmap: `devices` is empty. Leave it out to use all, or pass some of jax.devices().")
    # Which arguments there are is seen when it is called, so that no signature is asked for positions.
    static = StaticArguments(lambda *args, **kwargs: None, static_broadcasted_argnums, None, donate_argnums)
    mapping = Mapping(fun, _UNNAMED if axis_name is None else axis_name, in_axes, out_axes, axis_size, static)
    jitted = JitFunction(mapping.traceable(), static, keep_unused=False, inline=False)

    def checked(args: tuple, kwargs: dict[str, Any]) -> list[Device]:
        available = devices_of_backend(backend) if devices is None else list(devices)
        return available[: mapping.split(args, kwargs, len(available)).size]

    @api_boundary
    @functools.wraps(fun)
    def pmapped(*args: Any, **kwargs: Any) -> Any:
        chosen = checked(args, kwargs)
        out = jitted(*args, **kwargs)
        return mapping.place(out, chosen)

    def lower(*args: Any, **kwargs: Any) -> Any:
        checked(args, kwargs)
        return jitted.lower(*args, **kwargs)

    pmapped.lower = lower
    return pmapped


def _check_axes(name: str, axes: Any) -> None:
    leaves = tree_leaves(axes)
    if not all(type(axis) is int for axis in leaves):
        raise TypeError(f"pmap {name} must be an int, None or a container of these, got {axes!r}.")
    if any(axis < 0 for axis in leaves):
        raise ValueError(f"pmap {name} counts axes from the front, got {axes!r}. Write x.ndim - 1 instead of -1.")


class Split(NamedTuple):
    """The arguments of one call: the leaves of those that are not static, their mapped axes, and its length."""

    leaves: list[Any]
    tree: Any
    dims: list[int | None]
    size: int


class Mapping:
    """What a pmap does to arguments and results."""

    def __init__(
        self, fun: Callable, name: Any, in_axes: Any, out_axes: Any, size: int | None, static: StaticArguments
    ):
        self.fun, self.name, self.static = fun, name, static
        self.in_axes, self.out_axes, self.size = in_axes, out_axes, size

    def split(self, args: tuple, kwargs: dict[str, Any], available: int) -> Split:
        """The arguments, checked: see `pmap` for what is raised. `available` is how many devices there are."""
        numbers = self.static.argnums
        if numbers and max(numbers) >= len(args):
            raise ValueError(
                f"pmap: static_broadcasted_argnums={numbers}, but the function got {len(args)} positional "
                "argument(s). Pass static arguments by position."
            )
        _, rest, keywords = self.static.split(args, kwargs)
        axes = self.in_axes
        if numbers and isinstance(axes, tuple):
            axes = tuple([axis for i, axis in enumerate(axes) if i not in numbers])
        leaves, tree = tree_flatten((rest, keywords))
        dims = flatten_axes("pmap in_axes", tree, (axes, 0))
        size = self._mapped_size((rest, keywords), leaves, dims)
        wanted = size * _devices_taken.get()
        if not 0 < wanted <= available:
            raise ValueError(
                f"pmap of {fun_name(self.fun)}: the mapped axis has length {size}, which takes {wanted} device(s), but "
                f"there are {available}. Map an axis that is not empty and at most as long, or ask for more devices "
                f"before anything else: jax.config.update('jax_num_cpu_devices', {max(wanted, 1)})."
            )
        return Split(leaves, tree, dims, size)

    def _mapped_size(self, args: Any, leaves: Sequence[Any], dims: Sequence[int | None]) -> int:
        mapped = [(i, x, d) for i, (x, d) in enumerate(zip(leaves, dims, strict=True)) if d is not None]
        if not mapped:
            raise ValueError(
                "pmap requires at least one argument with a mapped axis: there is no argument, or all in_axes are "
                "None. Map one, for example jnp.arange(jax.device_count())."
            )
        paths = [keystr(path) for path, _ in tree_flatten_with_path(args)[0]]
        for i, x, d in mapped:
            if np.ndim(x) <= d:
                raise ValueError(
                    f"pmap: the argument at {paths[i]} of (args, kwargs) has shape {np.shape(x)}, so there is no axis "
                    f"{d} to map. Give it one, or share it by in_axes=None."
                )
        sizes = {np.shape(x)[d] for _, x, d in mapped}
        if len(sizes) > 1:
            lines = [f"  * {np.shape(x)[d]} along axis {d} of the argument at {paths[i]}" for i, x, d in mapped]
            raise ValueError("pmap got different lengths of the mapped axis:\n" + "\n".join(lines))
        (size,) = sizes
        if self.size not in (None, size):
            raise ValueError(f"pmap: axis_size={self.size}, but the mapped axis of the arguments has length {size}.")
        return size

    def traceable(self) -> Callable:
        """The whole as a function for jit: a vmap over an axis on devices."""

        @functools.wraps(self.fun)
        def mapped(*args: Any, **kwargs: Any) -> Any:
            key, _, _ = self.static.split(args, kwargs)
            leaves, tree, dims, size = self.split(args, kwargs, len(all_devices()))
            out_trees: list[Any] = []
            flat = flat_function(self.static.rejoin(self.fun, key), tree, out_trees)
            token = _devices_taken.set(_devices_taken.get() * size)
            try:
                outs, out_dims = batch_flat(
                    lambda *xs: operands_of("the result of a pmapped function", flat(*xs)),
                    AxisSize(size, self.name, on_devices=True),
                    operands_of("pmap", leaves),
                    dims,
                )
            finally:
                _devices_taken.reset(token)
            wanted = flatten_axes("pmap out_axes", out_trees[0], self.out_axes)
            results = [_placed_axis(*result, size) for result in zip(outs, out_dims, wanted, strict=True)]
            return tree_unflatten(out_trees[0], results)

        return mapped

    def place(self, out: Any, devices: Sequence[Device]) -> Any:
        """The results with a note on which devices they lie."""
        leaves, tree = tree_flatten(out)
        mesh = Mesh(list(devices), (self.name,))
        specs = [
            PartitionSpec() if axis is None else PartitionSpec(*[None] * axis, self.name)
            for axis in flatten_axes("pmap out_axes", tree, self.out_axes)
        ]
        return tree_unflatten(
            tree, [placed(x, NamedSharding(mesh, spec)) for x, spec in zip(leaves, specs, strict=True)]
        )


def _placed_axis(x: Any, dim: int | None, wanted: int | None, size: int) -> Any:
    """A result with the mapped axis where out_axes wants it, or without: then it is the first device's."""
    if wanted is None:
        return x if dim is None else index_in_dim(x, 0, dim, keepdims=False)
    rank = np.ndim(x) - (dim is not None)
    if wanted > rank:
        raise ValueError(
            f"pmap out_axes: a result has {rank} axes on each device, so that the mapped one cannot be axis {wanted}. "
            f"It must lie between 0 and {rank}."
        )
    return place_batch_axis(x, dim, wanted, size)
