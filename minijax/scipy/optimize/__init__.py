"""jax.scipy.optimize: minimisation of smooth functions."""

from minijax.scipy.optimize.bfgs import OptimizeResults, minimize

__all__ = ["OptimizeResults", "minimize"]
