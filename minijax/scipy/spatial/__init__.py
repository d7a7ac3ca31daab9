"""jax.scipy.spatial: rotations, in `transform`."""

from minijax.scipy.spatial import transform as transform

__all__ = ["transform"]
