"""How primitives are written that move elements about: views where NumPy has them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minijax.compiler.memory import Value
from minijax.jaxpr import Eqn, Var

__all__ = ["MOVEMENT"]


def _reshape(emitter: Any, eqn: Eqn, dead: Sequence[Var]) -> bool:
    (x,), (v,) = eqn.invars, eqn.outvars
    value = emitter.narrow(x)
    if not value.shape and math.prod(v.aval.shape) == x.aval.size and type(x) is Var and x.aval.shape:
        emitter.memory.bind(v, Value(value.text, (), value.buffer))  # one number, repeated in another shape
        return True
    order = eqn.params["dimensions"]
    transposed = "" if order is None else f".transpose({order})"
    emitter.view(v, f"{emitter.whole(x)}{transposed}.reshape({v.aval.shape})", v.aval.shape, value)
    return True


def _transpose(emitter: Any, eqn: Eqn, dead: Sequence[Var]) -> bool:
    (x,), (v,) = eqn.invars, eqn.outvars
    emitter.view(v, f"{emitter.whole(x)}.transpose({eqn.params['permutation']})", v.aval.shape, emitter.narrow(x))
    return True


def _broadcast(emitter: Any, eqn: Eqn, dead: Sequence[Var]) -> bool:
    (x,), (v,) = eqn.invars, eqn.outvars
    value = emitter.narrow(x)
    if not value.shape:
        emitter.memory.bind(v, Value(value.text, (), value.buffer))
        return True
    shape = [1] * len(v.aval.shape)
    for length, d in zip(value.shape, eqn.params["broadcast_dimensions"], strict=True):
        shape[d] = length
    if tuple(shape) == value.shape:
        emitter.memory.bind(v, Value(value.text, value.shape, value.buffer))
    else:
        emitter.view(v, f"{value.text}.reshape({tuple(shape)})", tuple(shape), value)
    return True


def _slice(emitter: Any, eqn: Eqn, dead: Sequence[Var]) -> bool:
    (x,), (v,) = eqn.invars, eqn.outvars
    starts, limits = eqn.params["start_indices"], eqn.params["limit_indices"]
    steps = eqn.params["strides"] or (1,) * len(starts)
    parts = [_part(*bounds, length) for *bounds, length in zip(starts, limits, steps, x.aval.shape, strict=True)]
    emitter.view(v, f"{emitter.whole(x)}[{', '.join(parts) or '...'}]", v.aval.shape, emitter.narrow(x))
    return True


def _part(start: int, limit: int, step: int, length: int) -> str:
    ends = f"{start or ''}:{'' if limit == length else limit}"
    return ends if step == 1 else f"{ends}:{step}"


def _rev(emitter: Any, eqn: Eqn, dead: Sequence[Var]) -> bool:
    (x,), (v,) = eqn.invars, eqn.outvars
    parts = ["::-1" if d in eqn.params["dimensions"] else ":" for d in range(x.aval.ndim)]
    emitter.view(v, f"{emitter.whole(x)}[{', '.join(parts)}]", v.aval.shape, emitter.narrow(x))
    return True


def _squeeze(emitter: Any, eqn: Eqn, dead: Sequence[Var]) -> bool:
    (x,), (v,) = eqn.invars, eqn.outvars
    emitter.view(v, f"{emitter.whole(x)}.reshape({v.aval.shape})", v.aval.shape, emitter.narrow(x))
    return True


def _split(emitter: Any, eqn: Eqn, dead: Sequence[Var]) -> bool:
    (x,), axis, start = eqn.invars, eqn.params["axis"], 0
    whole, value = emitter.whole(x), emitter.narrow(x)
    for v, size in zip(eqn.outvars, eqn.params["sizes"], strict=True):
        emitter.view(v, f"{whole}[{':, ' * axis}{start}:{start + size}]", v.aval.shape, value)
        start += size
    return True


def _concatenate(emitter: Any, eqn: Eqn, dead: Sequence[Var]) -> bool:
    (v,), axis = eqn.outvars, eqn.params["dimension"]
    operands = ", ".join(emitter.whole(x) for x in eqn.invars)
    emitter.into(v, f"np.concatenate([{operands}], {axis})")
    return True


def _dynamic_slice(emitter: Any, eqn: Eqn, dead: Sequence[Var]) -> bool:
    """A view; starts that lie too far out are moved in."""
    (x, *starts), (v,) = eqn.invars, eqn.outvars
    parts = []
    for start, length, size in zip(starts, x.aval.shape, eqn.params["slice_sizes"], strict=True):
        if size == length:
            parts.append(":")
            continue
        first = emitter.names.temporary("first")
        emitter.line(f"{first} = min(max(int({emitter.narrow(start).text}), 0), {length - size})")
        parts.append(f"{first}:{first} + {size}")
    emitter.view(v, f"{emitter.whole(x)}[{', '.join(parts) or '...'}]", v.aval.shape, emitter.narrow(x))
    return True


MOVEMENT = {
    "reshape": _reshape,
    "transpose": _transpose,
    "broadcast_in_dim": _broadcast,
    "slice": _slice,
    "rev": _rev,
    "squeeze": _squeeze,
    "split": _split,
    "concatenate": _concatenate,
    "dynamic_slice": _dynamic_slice,
}
