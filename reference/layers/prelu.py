"""PReLU: relu with a learnt slope for negative numbers (He et al., 2015)."""

from ..engines import Array, Engine, Params

__all__ = ["apply", "init"]


def init(jax: Engine, features: int | None = None, *, slope: float = 0.25) -> Params:
    """{"slope": f[features]}, or one slope f[] for all features."""
    return {"slope": jax.numpy.full(() if features is None else (features,), float(slope))}


def apply(jax: Engine, params: Params, x: Array) -> Array:
    """x where it is positive, slope * x elsewhere; x is f[..., features]."""
    return jax.numpy.where(x > 0, x, params["slope"] * x)
