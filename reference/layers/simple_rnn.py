"""The simple recurrent layer (Elman, 1990): h = tanh(x @ wx + h @ wh + b)."""

from ..engines import Array, Engine, Params
from .initializers import glorot_uniform, orthogonal
from .recurrence import run

__all__ = ["apply", "init", "step"]


def init(jax: Engine, key: Array, inputs: int, units: int) -> Params:
    """{"wx": f[inputs, units], "wh": f[units, units], "b": f[units]}."""
    x_key, h_key = jax.random.split(key)
    return {
        "wx": glorot_uniform(jax, x_key, (inputs, units)),
        "wh": orthogonal(jax, h_key, (units, units)),
        "b": jax.numpy.zeros((units,)),
    }


def step(jax: Engine, params: Params, carry: tuple[Array], projected: Array) -> tuple[Array]:
    """(h,), f[batch, units], one step on; `projected` is x @ wx + b, f[batch, units]."""
    (h,) = carry
    return (jax.numpy.tanh(projected + h @ params["wh"]),)


def apply(
    jax: Engine, params: Params, x: Array, *, mask: Array | None = None, reverse: bool = False
) -> tuple[Array, tuple[Array]]:
    """Outputs f[batch, time, units] and the last (h,) from x, f[batch, time, inputs]; the rest: `recurrence.run`."""
    projected = x @ params["wx"] + params["b"]  # for all times at once: one large product
    h = jax.numpy.zeros((len(x), params["wh"].shape[0]), projected.dtype)
    return run(jax, lambda carry, now: step(jax, params, carry, now), (h,), projected, mask=mask, reverse=reverse)
