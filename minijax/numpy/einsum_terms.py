"""Reading the subscripts of einsum, and choosing the order in which to contract.

Nothing is computed here: `contraction_steps` says what `einsum.py` has to do.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

# ----------------------------------------------------------------- reading


def read_terms(operands: Sequence[Any]) -> tuple[list[str], str, list[Any]]:
    """The names of each operand's axes, those of the result's axes, and the operands.

    `operands` are the arguments of einsum in one of its two forms: ('ij,jk->ik', a, b) or
    (a, [0, 1], b, [1, 2], [0, 2]). Raises ValueError for what cannot be read.
    """
    if not operands:
        raise ValueError("einsum: no subscripts given. Write einsum('ij,jk->ik', a, b).")
    if isinstance(operands[0], str):
        subscripts, arrays = operands[0].replace(" ", ""), list(operands[1:])
    else:
        subscripts, arrays = _from_lists(operands)
    inputs, arrow, output = subscripts.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(arrays):
        raise ValueError(
            f"einsum: the subscripts {subscripts!r} name {len(terms)} operands, but {len(arrays)} were given."
        )
    _check_characters(subscripts, [*terms, output])
    terms, dots = _with_ellipsis_named(terms, arrays, subscripts)
    if arrow:
        output = output.replace("...", dots)
    else:
        named = "".join(terms)
        output = dots + "".join(sorted(c for c in set(named) if named.count(c) == 1 and c not in dots))
    _check_output(output, terms, subscripts)
    return terms, output, arrays


def _from_lists(operands: Sequence[Any]) -> tuple[str, list[Any]]:
    """The form with lists of axis numbers, brought to the form with letters."""
    pairs = len(operands) // 2
    arrays = list(operands[0 : 2 * pairs : 2])
    lists = list(operands[1 : 2 * pairs : 2])
    if len(operands) % 2:
        lists.append(operands[-1])
    labels = sorted({label for term in lists for label in term if label is not Ellipsis})
    names = dict(zip(labels, _LETTERS)) | {Ellipsis: "..."}
    terms = ["".join([names[label] for label in term]) for term in lists]
    return ",".join(terms[:pairs]) + ("->" + terms[-1] if len(operands) % 2 else ""), arrays


def _check_characters(subscripts: str, terms: Iterable[str]) -> None:
    for term in terms:
        letters = term.replace("...", "", 1)
        bad = [c for c in letters if not c.isalpha()]
        if bad:
            raise ValueError(
                f"einsum: character {bad[0]!r} in {subscripts!r} is not a valid symbol. Axes are named by letters, "
                "operands separated by ',', the result stands behind '->', and '...' is for any other axes."
            )


def _with_ellipsis_named(terms: list[str], arrays: Sequence[Any], subscripts: str) -> tuple[list[str], str]:
    """The axes that '...' stands for get letters of their own, the same in each term, counted from the last."""
    used = set(subscripts)
    spare = [c for c in _LETTERS if c not in used]
    ranks = []
    for term, x in zip(terms, arrays):
        missing = np.ndim(x) - len(term.replace("...", ""))
        if missing < 0 or missing and "..." not in term:
            raise ValueError(
                f"einsum: operand of shape {np.shape(x)} has {np.ndim(x)} axes, which do not fit its subscripts "
                f"{term!r}."
            )
        ranks.append(missing)
    longest = max(ranks, default=0)
    dots = "".join(spare[:longest])
    return [term.replace("...", dots[longest - n :]) for term, n in zip(terms, ranks)], dots


def _check_output(output: str, terms: Sequence[str], subscripts: str) -> None:
    for c in output:
        if output.count(c) > 1:
            raise ValueError(f"einsum: output character {c!r} appeared more than once in the output of {subscripts!r}.")
        if not any(c in term for term in terms):
            raise ValueError(f"einsum: output character {c!r} of {subscripts!r} did not appear in the input.")


def axis_lengths(terms: Sequence[str], arrays: Sequence[Any]) -> dict[str, int]:
    """The length of each named axis; those of length 1 broadcast. ValueError where lengths differ."""
    lengths: dict[str, int] = {}
    for term, x in zip(terms, arrays):
        for name, n in zip(term, np.shape(x)):
            if lengths.get(name, 1) == 1:
                lengths[name] = n
            elif n not in (1, lengths[name]):
                raise ValueError(
                    f"einsum: size of label {name!r} for an operand of shape {np.shape(x)} ({n}) does not match "
                    f"previous terms ({lengths[name]})."
                )
    return lengths


# ----------------------------------------------------------------- the order of contractions


def contraction_steps(
    terms: Sequence[str], output: str, lengths: dict[str, int], optimize: Any
) -> list[tuple[tuple[int, ...], list[str], list[str], str]]:
    """What to contract, step by step: (places, contracted names, names of these operands, names of the result).

    The operands at `places` are taken out of the list, in this order, and the result is put at its end.
    """
    terms, steps = list(terms), []
    path = contraction_path(terms, output, lengths, optimize)
    for number, places in enumerate(path):
        places = tuple(sorted(places, reverse=True))
        taken = [terms.pop(i) for i in places]
        kept = set(output).union(*terms)
        names = dict.fromkeys("".join(taken))
        result = "".join([c for c in names if c in kept]) if number < len(path) - 1 else output
        steps.append((places, sorted(c for c in names if c not in kept), taken, result))
        terms.append(result)
    return steps


def contraction_path(
    terms: Sequence[str], output: str, lengths: dict[str, int], optimize: Any
) -> list[tuple[int, ...]]:
    """Which operands to contract at each step: the places of the terms in the list, as einsum_path gives them."""
    count = len(terms)
    if count <= 2:
        return [tuple(range(count))]
    if optimize is False:
        return [(0, 1)] * (count - 1)
    if isinstance(optimize, list | tuple):
        return [tuple(places) for places in optimize if not isinstance(places, str)]
    if optimize is not True and optimize not in _STRATEGIES:
        raise KeyError(f"einsum: optimize={optimize!r} is not known. Give True, False, or one of {list(_STRATEGIES)}.")
    search = _cheapest if optimize in (True, "optimal") else _STRATEGIES[optimize]
    pairs = search([frozenset(term) for term in terms], frozenset(output), lengths)
    return _as_places(pairs, count)


def _as_places(pairs: Iterable[tuple[int, int]], count: int) -> list[tuple[int, ...]]:
    """Pairs that name each intermediate result by a number of its own, as places in the shrinking list."""
    numbers, path = list(range(count)), []
    for step, pair in enumerate(pairs):
        path.append(tuple(sorted(numbers.index(i) for i in pair)))
        numbers = [i for i in numbers if i not in pair] + [count + step]
    return path


Names = frozenset


def _contract(terms: Sequence[Names], i: int, j: int, others: Iterable[int], output: Names) -> tuple[Names, Names]:
    """The names that meet when terms i and j are contracted, and those that remain."""
    meeting = terms[i] | terms[j]
    return meeting, meeting & output.union(*[terms[k] for k in others])


def _cost(terms: Sequence[Names], i: int, j: int, meeting: Names, kept: Names, lengths: dict[str, int]) -> int:
    """Multiplications, and additions if something is summed over."""
    return math.prod([lengths[c] for c in meeting]) * (2 if terms[i] & terms[j] - kept else 1)


def _cheapest(terms: list[Names], output: Names, lengths: dict[str, int]) -> list[tuple[int, int]]:
    """The order with the fewest operations, by trying all of them."""
    best: list[Any] = [math.inf, []]

    def search(terms: list[Names], remaining: list[int], path: list[tuple[int, int]], spent: int) -> None:
        if len(remaining) == 1:
            best[:] = [spent, path]
            return
        for i, j in itertools.combinations(remaining, 2):
            others = [k for k in remaining if k not in (i, j)]
            meeting, kept = _contract(terms, i, j, others, output)
            total = spent + _cost(terms, i, j, meeting, kept, lengths)
            if total < best[0]:
                search([*terms, kept], [*others, len(terms)], [*path, (i, j)], total)

    search(terms, list(range(len(terms))), [], 0)
    return best[1]


def _smallest_first(terms: list[Names], output: Names, lengths: dict[str, int]) -> list[tuple[int, int]]:
    """At each step the pair whose contraction saves most memory."""
    remaining, path = list(range(len(terms))), []

    def size(names: Names) -> int:
        return math.prod([lengths[c] for c in names])

    while len(remaining) > 1:
        choices = []
        for i, j in itertools.combinations(remaining, 2):
            others = [k for k in remaining if k not in (i, j)]
            kept = _contract(terms, i, j, others, output)[1]
            choices.append((size(kept) - size(terms[i]) - size(terms[j]), i, j, kept, others))
        _, i, j, kept, others = min(choices, key=lambda choice: choice[:3])
        path.append((i, j))
        remaining, terms = [*others, len(terms)], [*terms, kept]
    return path


def _automatic(terms: list[Names], output: Names, lengths: dict[str, int]) -> list[tuple[int, int]]:
    """All orders are tried while they are few."""
    return (_cheapest if len(terms) <= 6 else _smallest_first)(terms, output, lengths)


_STRATEGIES: dict[str, Callable] = {"auto": _automatic, "optimal": _cheapest, "greedy": _smallest_first}
