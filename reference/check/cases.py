"""Everything that `python -m reference check` runs: the rows and calls of the tables, as cases by family."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from . import functions, fuzz, operations
from .derivative_checks import check_derivatives, check_numerically, float_operands
from .function_checks import CHECKS, calls, valued_calls
from .operation_checks import CHEAP, check_operation

__all__ = ["Case", "all_cases", "quick_cases"]


class Case(NamedTuple):
    """The family it is reported under, the functions it is about, its own name, and what it does.

    What `run` does are one or more comparisons; it returns how many if that is not one.
    """

    family: str
    functions: tuple[str, ...]
    name: str
    run: Callable[[], int | None]


# Random calls: 8 families of 17 times 25 combinations of function, shapes and dtypes, each with 70 values.
FUZZ_SEEDS, FUZZ_SIGNATURES = 17, 25

_CALLED = re.compile(r"\b(jnp|lax|jax|sp|st|numerics)\.([\w.]*\w)(?=\()")
# The short names of modules in the calls, see functions/operands.py.
_MODULES = {"sp": "scipy.special.", "st": "scipy.stats.", "numerics": "scipy."}


def _functions_of(call: str) -> tuple[str, ...]:
    """The functions that a call of a table is about, `("linalg.qr",)` for `jnp.linalg.qr(m)`."""
    found = [_MODULES.get(module, "") + name for module, name in _CALLED.findall(call)]
    return tuple(dict.fromkeys(found)) or ("operators and methods",)


def _operation_cases() -> Iterator[Case]:
    for family, rows in operations.FAMILIES.items():
        for row in rows:
            for kind in filter(row.wants, operations.KINDS):
                name = f"{row.id}-{kind}"
                yield Case(f"primitives: {family}", (row.primitive,), name, partial(check_operation, row, kind))


def _lines() -> Iterator[tuple[str, str, str]]:
    """(family, bound, line) for every line of the function tables."""
    for family, table in functions.FAMILIES.items():
        for bound in CHECKS:
            for line in [*calls(table, bound), *calls(table, f"MORE_{bound}")]:
                yield family, bound, line


def _function_case(family: str, bound: str, call: str) -> Case:
    return Case(f"functions: {family}", _functions_of(call), f"{bound} {call}", partial(CHECKS[bound], call))


def _function_cases() -> Iterator[Case]:
    return (_function_case(*line) for line in _lines())


def _derivative_cases() -> Iterator[Case]:
    for family, table in functions.FAMILIES.items():
        for call in filter(float_operands, valued_calls(table)):
            yield Case(f"derivatives: {family}", _functions_of(call), call, partial(check_derivatives, call))
        for call in calls(table, "SMOOTH"):
            name = f"numerically {call}"
            yield Case(f"derivatives: {family}", _functions_of(call), name, partial(check_numerically, call))


def _fuzz_cases() -> Iterator[Case]:
    for family in fuzz.FAMILIES:
        for seed in range(FUZZ_SEEDS):
            run = partial(fuzz.fuzz, family, FUZZ_SIGNATURES, seed, shrink=False)  # shrinking takes minutes, see tests
            yield Case(f"random calls: {family}", (), f"{family}, seed {seed}", run)


def all_cases() -> list[Case]:
    """Every row in every kind of check, every call under its bound and its derivatives, and random calls."""
    return [*_operation_cases(), *_function_cases(), *_derivative_cases(), *_fuzz_cases()]


# Functions that XLA takes a second or longer to compile, which is most of what a check costs: in the full check only.
SLOW_TO_COMPILE = """
random.ball random.beta random.binomial random.chisquare random.dirichlet random.double_sided_maxwell random.f
random.gamma random.generalized_normal random.loggamma random.multinomial random.poisson random.t
scipy.special.expi scipy.special.hyp2f1 scipy.special.sph_harm_y
scipy.stats.binom.pmf scipy.stats.truncnorm.cdf scipy.stats.truncnorm.logcdf scipy.stats.truncnorm.logpdf
scipy.stats.truncnorm.logsf scipy.stats.truncnorm.pdf scipy.stats.truncnorm.sf
scipy.fft.dctn scipy.fft.idctn scipy.linalg.expm_frechet scipy.linalg.fiedler_companion scipy.linalg.funm
scipy.optimize.minimize scipy.signal.istft scipy.signal.welch scipy.sparse.linalg.gmres histogramdd insert
"""


def quick_cases() -> list[Case]:
    """The value of each primitive, and of each function that no primitive of its name stands for: shortest calls."""
    primitives = [case for case in _operation_cases() if case.name.endswith(f"-{CHEAP[0]}")]
    calls = sorted(_single_calls(), key=lambda case: len(case.name))
    chosen, seen = [], set(SLOW_TO_COMPILE.split())
    for case in [*primitives, *calls]:
        if not seen.issuperset(case.functions):
            seen.update(case.functions)
            chosen.append(case)
    return chosen


def _single_calls() -> Iterator[Case]:
    """The calls of the tables that give values; where a line holds several, each by itself."""
    for family, bound, line in _lines():
        if bound not in ("SMOOTH", "REFUSED"):
            for call in _calls_of_line(line):
                yield _function_case(family, bound, call)


def _calls_of_line(line: str) -> list[str]:
    expression = ast.parse(line, mode="eval").body
    if not isinstance(expression, ast.Tuple):
        return [line]
    return [text for call in expression.elts if (text := ast.get_source_segment(line, call))]
