"""Programs run step by step: to find the equation that makes a NaN or an infinity, or to check what is compiled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax.core import as_array, quiet_floating_point
from minijax.errors import JaxRuntimeError
from minijax.jaxpr import ClosedJaxpr, Literal, dce_jaxpr
from minijax.nan_checks import check_equation

__all__ = ["CheckedExecutable", "ComparedExecutable"]


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


class ComparedExecutable:
    """A compiled program that runs step by step as well, each time, and has to come to the same results."""

    def __init__(self, compiled: Any, closed: ClosedJaxpr):
        self._compiled = compiled
        self._steps = CheckedExecutable(closed)

    def __call__(self, *buffers: np.ndarray) -> Sequence[np.ndarray]:
        wanted = self._steps(*[np.array(x) for x in buffers])  # donated ones are written to afterwards
        outs = self._compiled(*buffers)
        for i, (out, expected) in enumerate(zip(outs, wanted, strict=True)):
            if (out.shape, out.dtype) != (expected.shape, expected.dtype) or not _agree(out, expected):
                raise JaxRuntimeError(
                    f"result {i} of the compiled program differs from that of its equations one by one:\n{out}\n"
                    f"against\n{expected}\nof the program\n{self._compiled.text}Please report it. To go on, leave out "
                    "passes with minijax_disabled_passes."
                )
        return outs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._compiled, name)


def _agree(out: np.ndarray, expected: np.ndarray) -> bool:
    """Equal; floats up to the rounding of sums, in which the order may differ: 1024 units of the largest number."""
    if expected.dtype.kind not in "fc":
        return out.tobytes() == expected.tobytes()
    finite = np.isfinite(expected)
    scale = np.max(np.abs(expected[finite]), initial=np.finfo(expected.dtype).tiny)
    tolerance = 1024 * np.finfo(expected.dtype).eps * scale
    return bool(np.allclose(out, expected, rtol=0, atol=tolerance, equal_nan=True))
