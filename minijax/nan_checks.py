"""What the flags jax_debug_nans and jax_debug_infs ask for: an error at the operation that made the bad number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax.config import debug_infs, debug_nans

__all__ = ["check_values"]


def check_values(prim: Any, args: Sequence[Any], params: dict[str, Any], out: Any) -> Any:
    """`out`, which the primitive gave for these arguments. Raises FloatingPointError for what the flags forbid.

    Of a jitted function only the results count, as in JAX: what `jnp.where` threw away does no harm.
    """
    for x in out if prim.multiple_results else [out]:
        bad = _forbidden(x._data)
        if bad is not None:
            if prim.name == "jit":
                params["jaxpr"](*args)  # one operation after the other: the one to blame raises the error
            raise FloatingPointError(
                f"invalid value ({bad}) encountered in {prim.name}: its result, of type {x.aval.str_short()}, has a "
                f"{bad} somewhere, and jax_debug_{bad}s is on. For example 0 / 0 and log(-1) are NaN, 1 / 0 and log(0) "
                "infinite. Keep such operands away, say by jnp.where(x > 0, x, 1) in front of the operation, or switch "
                f"the check off by jax.config.update('jax_debug_{bad}s', False)."
            )
    return out


def _forbidden(data: np.ndarray) -> str | None:
    """ "nan" or "inf" if there is one and the flags forbid it."""
    if data.dtype.kind not in "fcV" or not (debug_nans.value or debug_infs.value):
        return None
    if data.dtype.kind == "V" and data.dtype.names is not None:
        return None  # float0 and keys
    if debug_nans.value and np.isnan(data).any():
        return "nan"
    return "inf" if debug_infs.value and np.isinf(data).any() else None
