"""The gated recurrent unit (Cho et al., 2014), with the reset gate after the product as in cuDNN, Keras and PyTorch."""

from ..engines import Array, Engine, Params
from .initializers import glorot_uniform, orthogonal
from .recurrence import run

__all__ = ["apply", "init", "step"]


def init(jax: Engine, key: Array, inputs: int, units: int) -> Params:
    """{"wx": f[inputs, 3 units], "wh": f[units, 3 units], "b": f[3 units], "bn": f[units]}.

    The three blocks of columns are reset gate, update gate and candidate; `bn` is added to h @ wh of the candidate.
    """
    x_key, *h_keys = jax.random.split(key, 4)
    return {
        "wx": glorot_uniform(jax, x_key, (inputs, 3 * units)),
        "wh": jax.numpy.concatenate([orthogonal(jax, k, (units, units)) for k in h_keys], axis=1),
        "b": jax.numpy.zeros((3 * units,)),
        "bn": jax.numpy.zeros((units,)),
    }


def step(jax: Engine, params: Params, carry: tuple[Array], projected: Array) -> tuple[Array]:
    """(h,), f[batch, units], one step on; `projected` is x @ wx + b, f[batch, 3 units]."""
    (h,) = carry
    xr, xz, xn = jax.numpy.split(projected, 3, axis=-1)
    hr, hz, hn = jax.numpy.split(h @ params["wh"], 3, axis=-1)
    reset, update = jax.nn.sigmoid(xr + hr), jax.nn.sigmoid(xz + hz)
    candidate = jax.numpy.tanh(xn + reset * (hn + params["bn"]))
    return (update * h + (1 - update) * candidate,)


def apply(
    jax: Engine, params: Params, x: Array, *, mask: Array | None = None, reverse: bool = False
) -> tuple[Array, tuple[Array]]:
    """Outputs f[batch, time, units] and the last (h,) from x, f[batch, time, inputs]; the rest: `recurrence.run`."""
    projected = x @ params["wx"] + params["b"]  # for all times at once: one large product
    h = jax.numpy.zeros((len(x), params["wh"].shape[0]), projected.dtype)
    return run(jax, lambda carry, now: step(jax, params, carry, now), (h,), projected, mask=mask, reverse=reverse)
