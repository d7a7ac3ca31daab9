"""einsum_path: in which order einsum contracts its operands, and what that costs."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from minijax.numpy.einsum_terms import axis_lengths, contraction_path, contraction_steps, read_terms

__all__ = ["einsum_path"]


class Contraction(NamedTuple):
    """One step: the places of its operands in the list, the names summed over, what it is, what remains."""

    places: tuple[int, ...]
    summed: frozenset[str]
    einsum: str
    remaining: tuple[str, ...]


class PathInfo:
    """What the path costs, in multiplications and additions; `repr` shows a table of its steps."""

    def __init__(self, terms: list[str], output: str, lengths: dict[str, int], shapes: list[Any], path: list[Any]):
        self.input_subscripts = ",".join(terms)
        self.output_subscript = output
        self.eq = f"{self.input_subscripts}->{output}"
        self.path = path
        self.shapes = shapes
        self.size_dict = lengths
        self.indices = frozenset("".join(terms))
        self.naive_cost = _cost(self.indices, bool(self.indices - set(output)), len(terms), lengths)
        self.opt_cost = 0
        self.scale_list: list[int] = []
        self.size_list: list[int] = []
        self.contraction_list: list[Contraction] = []
        remaining = list(terms)
        for places, summed, taken, result in contraction_steps(terms, output, lengths, path):
            names = frozenset("".join(taken))
            remaining = [term for i, term in enumerate(remaining) if i not in places] + [result]
            self.opt_cost += _cost(names, bool(summed), len(taken), lengths)
            self.scale_list.append(len(names))
            self.size_list.append(math.prod([lengths[c] for c in result]))
            text = f"{','.join(taken)}->{result}"
            self.contraction_list.append(Contraction(places, frozenset(summed), text, tuple(remaining)))
        self.largest_intermediate = max(self.size_list, default=0)
        self.speedup = self.naive_cost / max(1, self.opt_cost)

    def __repr__(self) -> str:
        rule = "-" * 64
        lines = [
            f"  Complete contraction:  {self.eq}",
            f"         Naive scaling:  {len(self.indices)}",
            f"     Optimized scaling:  {max(self.scale_list, default=0)}",
            f"      Naive FLOP count:  {self.naive_cost:.3e}",
            f"  Optimized FLOP count:  {self.opt_cost:.3e}",
            f"   Theoretical speedup:  {self.speedup:.3e}",
            f"  Largest intermediate:  {self.largest_intermediate:.3e} elements",
            rule,
            f"{'scaling':>7} {'current':>24} {'remaining':>30}",
            rule,
        ]
        for scale, step in zip(self.scale_list, self.contraction_list):
            lines.append(f"{scale:>7} {step.einsum:>24} {','.join(step.remaining) + '->' + self.output_subscript:>30}")
        return "\n".join(lines)


def _cost(names: frozenset[str], sums: bool, count: int, lengths: dict[str, int]) -> int:
    """Multiplications of `count` operands, and one addition more where something is summed over."""
    return math.prod([lengths[c] for c in names]) * (max(1, count - 1) + sums)


def einsum_path(
    subscripts: Any, /, *operands: Any, optimize: bool | str | list[tuple[int, ...]] = "auto"
) -> tuple[list[tuple[int, ...]], PathInfo]:
    """The order in which `einsum` with these arguments contracts its operands, and a report on it.

    Each step of the path names the places of the operands to contract; they leave the list, and the result is put
    at its end. The path may be given to einsum as `optimize`.
    """
    terms, output, arrays = read_terms((subscripts, *operands))
    lengths = axis_lengths(terms, arrays)
    path = contraction_path(terms, output, lengths, optimize)
    return path, PathInfo(terms, output, lengths, [np.shape(x) for x in arrays], path)
