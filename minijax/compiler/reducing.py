"""How sums, extrema and the like along axes are written."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from minijax.jaxpr import Eqn, Var
from minijax.primitives.sums import LONG, add_up

__all__ = ["REDUCING"]


def _reduction(ufunc: str, kinds: str) -> Callable[[Any, Eqn, Sequence[Var]], bool]:
    """One call of the method `reduce`, for dtypes of these kinds that are not narrow floats."""

    def write(emitter: Any, eqn: Eqn, dead: Sequence[Var]) -> bool:
        (x,), (v,) = eqn.invars, eqn.outvars
        if x.aval.dtype.kind not in kinds or x.aval.dtype.name == "float16" or v.aval.dtype != x.aval.dtype:
            return False
        dtype = "bool" if x.aval.dtype.kind == "b" else x.aval.dtype.name
        if ufunc == "add" and math.prod(x.aval.shape[d] for d in eqn.params["axes"]) >= LONG:
            emitter.names.table["add_up"] = add_up  # more exact where there is much to add up
            emitter.own(v, f"add_up({emitter.whole(x)}, {eqn.params['axes']}, np.{dtype})")
            return True
        text = f"np.{ufunc}.reduce({emitter.whole(x)}, {eqn.params['axes']}, np.{dtype})"
        if v.aval.shape:
            emitter.into(v, text)
        else:
            emitter.own(v, text)
        return True

    return write


# Extrema of floats are left to `impl`, which looks after the signs of zeros.
REDUCING = {
    "reduce_sum": _reduction("add", "iufc"),
    "reduce_and": _reduction("logical_and", "b"),
    "reduce_or": _reduction("logical_or", "b"),
}
