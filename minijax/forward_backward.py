"""fwd_and_bwd: the two halves of reverse mode as two functions, to be run at different times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minijax.api import jit
from minijax.arguments import check_callable, split_argnums, with_arguments
from minijax.autodiff import vjp

__all__ = ["fwd_and_bwd"]


def fwd_and_bwd(
    fun: Callable, argnums: int | Sequence[int], has_aux: bool = False, jitted: bool = True
) -> tuple[Callable, Callable]:
    """(fwd, bwd) with fwd(*args) -> (value, residuals[, aux]) and bwd(residuals, cotangent) -> cotangents.

    `argnums` says for which arguments; with an int bwd gives its cotangent alone. The residuals are a pytree.
    """
    check_callable("fwd_and_bwd", fun)

    def fwd(*args: Any, **kwargs: Any) -> Any:
        numbers, primals = split_argnums(argnums, args)
        return vjp(with_arguments(fun, numbers, args, kwargs), *primals, has_aux=has_aux)

    def bwd(residuals: Any, cotangent: Any) -> Any:
        cotangents = residuals(cotangent)
        return cotangents[0] if isinstance(argnums, int) else cotangents

    return (jit(fwd), jit(bwd)) if jitted else (fwd, bwd)
