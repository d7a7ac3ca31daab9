"""Long short-term memory (Hochreiter and Schmidhuber, 1997), with a forget gate (Gers et al., 2000)."""

from ..engines import Array, Engine, Params
from .initializers import glorot_uniform, orthogonal
from .recurrence import run

__all__ = ["apply", "init", "step"]


def init(jax: Engine, key: Array, inputs: int, units: int) -> Params:
    """{"wx": f[inputs, 4 units], "wh": f[units, 4 units], "b": f[4 units]}.

    The four blocks of columns are input gate, forget gate, candidate and output gate. The forget gate's bias is one:
    a cell that begins by forgetting learns nothing from the past (Jozefowicz et al., 2015).
    """
    x_key, *h_keys = jax.random.split(key, 5)
    zero, one = jax.numpy.zeros((units,)), jax.numpy.ones((units,))
    return {
        "wx": glorot_uniform(jax, x_key, (inputs, 4 * units)),
        "wh": jax.numpy.concatenate([orthogonal(jax, k, (units, units)) for k in h_keys], axis=1),
        "b": jax.numpy.concatenate([zero, one, zero, zero]),
    }


def step(jax: Engine, params: Params, carry: tuple[Array, Array], projected: Array) -> tuple[Array, Array]:
    """Output and memory (h, c), each f[batch, units], one step on; `projected` is x @ wx + b, f[batch, 4 units]."""
    h, c = carry
    enter, forget, candidate, leave = jax.numpy.split(projected + h @ params["wh"], 4, axis=-1)
    c = jax.nn.sigmoid(forget) * c + jax.nn.sigmoid(enter) * jax.numpy.tanh(candidate)
    return jax.nn.sigmoid(leave) * jax.numpy.tanh(c), c


def apply(
    jax: Engine, params: Params, x: Array, *, mask: Array | None = None, reverse: bool = False
) -> tuple[Array, tuple[Array, Array]]:
    """Outputs f[batch, time, units] and the last (h, c) from x, f[batch, time, inputs]; the rest: `recurrence.run`."""
    projected = x @ params["wx"] + params["b"]  # for all times at once: one large product
    h = jax.numpy.zeros((len(x), params["wh"].shape[0]), projected.dtype)
    return run(jax, lambda carry, now: step(jax, params, carry, now), (h, h), projected, mask=mask, reverse=reverse)
