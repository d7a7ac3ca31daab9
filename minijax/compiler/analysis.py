"""What a compiled program costs: operations, bytes, and the memory that a call needs at most."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from minijax.compiler.grouping import elementwise_p
from minijax.core import ShapedArray
from minijax.dtypes import physical_dtype
from minijax.jaxpr import ClosedJaxpr, Eqn, Literal

__all__ = ["CompiledMemoryStats", "cost_analysis", "memory_analysis"]

_TRANSCENDENTAL = frozenset(
    {"exp", "exp2", "log", "log1p", "expm1", "sin", "cos", "tan", "tanh", "sinh", "cosh", "logistic", "pow", "rsqrt"}
    | {"sqrt", "cbrt", "erf", "erfc", "erf_inv", "lgamma", "digamma", "atan2", "asin", "acos", "atan"}
)
# What moves elements about and computes nothing.
_MOVES = frozenset(
    {"broadcast_in_dim", "concatenate", "convert_element_type", "copy", "dynamic_slice", "dynamic_update_slice"}
    | {"gather", "iota", "pad", "reshape", "rev", "scatter", "slice", "split", "squeeze", "transpose"}
)


class CompiledMemoryStats(NamedTuple):
    """Bytes, under JAX's names. `temp_size_in_bytes` is what a call needs beside arguments and results."""

    generated_code_size_in_bytes: int
    argument_size_in_bytes: int
    output_size_in_bytes: int
    alias_size_in_bytes: int
    temp_size_in_bytes: int

    @property
    def peak_memory_in_bytes(self) -> int:
        """What a call allocates at most: results and temporaries, but not what it was given."""
        return self.output_size_in_bytes - self.alias_size_in_bytes + self.temp_size_in_bytes


def memory_analysis(closed: ClosedJaxpr, executable: Any, donated: Sequence[int]) -> CompiledMemoryStats:
    """The memory of one call, from the plan by which the program was written."""
    plan = executable.program.plan
    ins, outs = closed.in_avals, closed.out_avals
    aliased = sum(_bytes(ins[i]) for i in donated)
    output = sum(map(_bytes, outs))
    # The plan counts results among what lies outside of slabs, donated arguments too.
    temporary = sum(plan.sizes) + max(plan.peak - output, 0)
    return CompiledMemoryStats(len(executable.program.text), sum(map(_bytes, ins)), output, aliased, temporary)


def _bytes(aval: Any) -> int:
    return math.prod(aval.shape) * physical_dtype(aval.dtype).itemsize


# ----------------------------------------------------------------- operations


class _Cost(NamedTuple):
    flops: float = 0.0
    transcendentals: float = 0.0
    moved: float = 0.0

    def plus(self, other: _Cost, times: float = 1.0) -> _Cost:
        return _Cost(*[a + times * b for a, b in zip(self, other)])


def cost_analysis(closed: ClosedJaxpr) -> dict[str, float]:
    """Floating-point operations, values of transcendental functions, and bytes that equations read and write.

    A product of matrices has two operations for each pair of factors, as XLA counts. Of a while loop, whose turns
    nobody knows beforehand, one turn counts, and of a branch the dearest one.
    """
    cost = _of(closed)
    return {"flops": cost.flops, "transcendentals": cost.transcendentals, "bytes accessed": cost.moved}


def _of(closed: ClosedJaxpr) -> _Cost:
    total = _Cost()
    for eqn in closed.eqns:
        total = total.plus(_equation(eqn))
    return total


def _equation(eqn: Eqn) -> _Cost:
    params = eqn.params
    if eqn.primitive.name == "scan":
        return _Cost().plus(_of(params["jaxpr"]), params["length"])
    if eqn.primitive.name == "while":
        return _of(params["cond_jaxpr"]).plus(_of(params["body_jaxpr"]))
    if eqn.primitive.name == "cond":
        return max(map(_of, params["branches"]))
    if "jaxpr" in params and isinstance(params["jaxpr"], ClosedJaxpr):
        inner = _of(params["jaxpr"])
        # Within a group nothing is written to memory but its results.
        return inner._replace(moved=_traffic(eqn)) if eqn.primitive is elementwise_p else inner
    counted = _COUNTED.get(eqn.primitive.name)
    size = sum(math.prod(v.aval.shape) for v in eqn.outvars)
    if counted is not None:
        return _Cost(counted(eqn), 0.0, _traffic(eqn))
    if eqn.primitive.name in _TRANSCENDENTAL:
        return _Cost(0.0, size, _traffic(eqn))
    return _Cost(0.0 if eqn.primitive.name in _MOVES else size, 0.0, _traffic(eqn))


def _traffic(eqn: Eqn) -> float:
    return sum(_bytes(v.aval) for v in (*eqn.invars, *eqn.outvars) if type(v) is not Literal)


def _product(eqn: Eqn) -> float:
    (contracted, _), _ = eqn.params["dimension_numbers"]
    lengths = [eqn.invars[0].aval.shape[d] for d in contracted]
    return 2.0 * math.prod(eqn.outvars[0].aval.shape) * math.prod(lengths)


def _convolution(eqn: Eqn) -> float:
    kernel: ShapedArray = eqn.invars[1].aval
    outputs = kernel.shape[eqn.params["dimension_numbers"].rhs_spec[0]]
    return 2.0 * math.prod(eqn.outvars[0].aval.shape) * math.prod(kernel.shape) / max(outputs, 1)


def _reduction(eqn: Eqn) -> float:
    return float(math.prod(eqn.invars[0].aval.shape))


_COUNTED: dict[str, Callable[[Eqn], float]] = {
    "dot_general": _product,
    "conv_general_dilated": _convolution,
    **dict.fromkeys(("reduce_sum", "reduce_max", "reduce_min", "reduce_prod", "argmax", "argmin"), _reduction),
    **dict.fromkeys(("cumsum", "cumprod", "cummax", "cummin", "reduce_and", "reduce_or"), _reduction),
}
