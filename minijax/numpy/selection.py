"""Choosing between values, element by element."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.promotion import (
    array_of,
    as_arrays,
    broadcast_to_common_shape,
    check_arraylike,
    ensure_arraylike,
    plain_operands,
    promote_dtypes,
)

__all__ = ["if_else", "select"]


def if_else(condition: Any, x: Any, y: Any) -> Array:
    """`x` where the condition holds, `y` elsewhere, broadcast together: jnp.where with three arguments."""
    check_arraylike("where", condition, x, y)
    condition = ensure_arraylike("where", condition)
    if dtypes.kind(condition.dtype) != "b":
        condition = condition != 0
    x, y = plain_operands((x, y), "biuf") or promote_dtypes(*ensure_arraylike("where", x, y))
    if condition.ndim:
        condition, x, y = broadcast_to_common_shape(condition, x, y)
    else:
        x, y = broadcast_to_common_shape(x, y)
    return array_of(x) if 0 in np.shape(x) else lax.select(condition, x, y)


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Array:
    """The element of the first choice whose condition holds, `default` where none does.

    Raises ValueError when the lists differ in length or are empty.
    """
    if len(condlist) != len(choicelist):
        raise ValueError(
            f"select: condlist must have length equal to choicelist, got {len(condlist)} conditions and "
            f"{len(choicelist)} choices. Give one choice for each condition."
        )
    if len(condlist) == 0:
        raise ValueError("select: condlist must be non-empty. Give at least one condition and its choice.")
    conditions = as_arrays("select", condlist)
    default, *choices = promote_dtypes(*as_arrays("select", [default, *choicelist]))
    # The default comes first and is chosen where no condition is the first true one.
    never = ensure_arraylike("select", False)
    columns = promote_dtypes(*broadcast_to_common_shape(never, *conditions))
    index = lax.argmax(lax.stack(columns).astype(bool), 0, dtypes.default_int_dtype())
    return lax.select_n(*broadcast_to_common_shape(index, default, *choices))
