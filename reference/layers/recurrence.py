"""What all recurrent layers share: a cell stepping along the time axis of a batch, by `lax.scan`."""

from collections.abc import Callable

from ..engines import Array, Engine

__all__ = ["length_mask", "run"]

Carry = tuple[Array, ...]  # what a cell hands on from step to step, its output f[batch, units] first


def length_mask(jax: Engine, lengths: Array, time: int) -> Array:
    """bool[batch, time]: whether a place lies within the first `lengths`, i32[batch], of its sequence."""
    return jax.numpy.arange(time) < lengths[:, None]


def run(
    jax: Engine,
    step: Callable[[Carry, Array], Carry],
    carry: Carry,
    inputs: Array,
    *,
    mask: Array | None = None,
    reverse: bool = False,
) -> tuple[Array, Carry]:
    """Outputs f[batch, time, units] of `step(carry, x) -> carry` along inputs f[batch, time, ...], and the last carry.

    Where `mask`, bool[batch, time], is False the carry stays as it is, so that padding after a text changes
    nothing. `reverse` begins at the end.
    """
    along_time = jax.numpy.swapaxes(inputs, 0, 1)
    keep = None if mask is None else jax.numpy.swapaxes(mask, 0, 1)[..., None]

    def body(carry: Carry, now: tuple[Array, Array | None]) -> tuple[Carry, Array]:
        x, here = now
        following = step(carry, x)
        if here is not None:
            following = tuple(jax.numpy.where(here, new, old) for new, old in zip(following, carry, strict=True))
        return following, following[0]

    carry, outputs = jax.lax.scan(body, carry, (along_time, keep), reverse=reverse)
    return jax.numpy.swapaxes(outputs, 0, 1), carry
