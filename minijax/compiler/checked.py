"""A program run with a check after each equation, to find the one that makes a NaN or an infinity."""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax.core import as_array, quiet_floating_point
from minijax.jaxpr import ClosedJaxpr, Literal, dce_jaxpr
from minijax.nan_checks import check_equation

__all__ = ["CheckedExecutable"]


class CheckedExecutable:
    """What `Executable` does, in the plainest way. Calls raise Culprit for the first equation to blame."""

    def __init__(self, closed: ClosedJaxpr):
        live, _ = dce_jaxpr(closed.jaxpr, [True] * len(closed.jaxpr.outvars))
        self._jaxpr = closed.jaxpr.replace(eqns=live.eqns)
        self._consts = [as_array(c)._data for c in closed.consts]

    def __call__(self, *buffers: np.ndarray) -> list[np.ndarray]:
        env: dict[Any, np.ndarray] = dict(zip(self._jaxpr.constvars, self._consts, strict=True))
        env.update(zip(self._jaxpr.invars, buffers, strict=True))

        def read(v: Any) -> np.ndarray:
            return as_array(v.val)._data if type(v) is Literal else env[v]

        with quiet_floating_point():
            for eqn in self._jaxpr.eqns:
                operands = list(map(read, eqn.invars))
                out = eqn.primitive.rule("impl")(*operands, **eqn.params)
                results = list(map(np.asarray, out if eqn.primitive.multiple_results else [out]))
                check_equation(eqn, operands, results)
                env.update(zip(eqn.outvars, results, strict=True))
        return [read(v) for v in self._jaxpr.outvars]
