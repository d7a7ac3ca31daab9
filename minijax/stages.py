"""jax.stages: the classes of a jitted function on its way from Python to something that runs."""

from __future__ import annotations

from minijax.jitted import Compiled as Compiled
from minijax.jitted import JitFunction as Wrapped
from minijax.jitted import Lowered as Lowered
from minijax.jitted import Traced as Traced

__all__ = ["Compiled", "Lowered", "Traced", "Wrapped"]
