"""Facts that hold for the pinned version of JAX; a new pin starts here.

Everything in the checks that knows something about JAX beyond its public interface stands in this file, and
every list of differences between the two engines. A test fails when an entry is stale.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from jax._src.core import DropVar, Literal, ShapedArray, Var

VERSION = "0.10.2"


def check_version() -> None:
    """Fail early, and say why, when the oracle is not the pinned one."""
    assert jax.__version__ == VERSION, f"the facts in oracle_facts.py hold for jax {VERSION}, not {jax.__version__}"


# ----------------------------------------------------------------- jaxprs

# Parameters of JAX's primitives that say how arrays are laid out over devices; minijax has one device.
STRUCK_PARAMETERS = frozenset({"memory_space", "out_sharding", "sharding"})

# Primitives that call a jaxpr and do nothing else, and the parameter that it is. They are inlined before texts are
# compared. JAX writes a closed_call where it takes a loop within a checkpoint apart.
CALLS = {"jit": "jaxpr", "closed_call": "call_jaxpr"}


def unused(var: Any) -> Any:
    """A variable that nobody reads. JAX marks it by its type; minijax finds out when it prints."""
    return DropVar(var.aval) if isinstance(var, Var) else var


def literal(atom: Any, dtype: Any) -> Any:
    """The scalar literal converted to another dtype, in its own engine's class."""
    value = np.asarray(atom.val).astype(dtype)[()]
    return Literal(value, ShapedArray((), dtype)) if isinstance(atom, Literal) else type(atom)(value)


# Programs with nested calls whose text differs as it stands, without normalisation, and why.
NESTED_TEXT_DIFFERS: dict[str, str] = {
    "grad-of-jit": "JAX names the result of a body that nobody reads outside `_` inside too",
}

# Primitives, or single rows, whose derivatives are written with other equations than JAX's, and why.
DERIVATIVE_TEXT_DIFFERS: dict[str, str] = {
    "random_gamma": "see random_gamma_grad, whose loops JAX writes out",
    "reduce": "JAX combines one half with the other, which needs commutativity too; here neighbours are combined",
    "approx_top_k": "JAX calls jnp.take_along_axis with its negative indices; here the gather is bound directly",
    "cumlogsumexp": "JAX calls jnp.logaddexp, a custom_jvp function; lax stands below numpy here",
    "reduce_prod-float32[0,3]-over-0": "JAX writes down the value of an empty product",
    "eig": "JAX solves equations by custom_linear_solve; here the rules of LU do the same",
}

# Calls of the function tables whose derivatives are not JAX's, and why.
DERIVATIVES_DIFFER: dict[str, str] = {
    "jnp.sinc(special)": "near zero the terms of the derivative cancel but for their rounding",
    "jax.scipy.signal.detrend(x), jax.scipy.signal.detrend(m, 0, 'constant'), jax.scipy.signal.detrend(x, bp=[3])": (
        "the weights of the sum lie on a line, which is what is taken away: rounding is left"
    ),
    "jnp.polydiv(x,row), jnp.polydiv(row,x), jnp.polydiv(i,2*row), jnp.polydiv(x,row,trim_leading_zeros=True)": (
        "what is trimmed of the remainder depends on rounding"
    ),
    "jnp.i0(x), jnp.i0(i), jnp.i0(special), jnp.i0(h), jnp.kaiser(5, 2.0), jnp.kaiser(1, 3), jnp.kaiser(0, 3)": (
        "at 3e38 the second derivative is inf - inf; XLA cancels the terms first"
    ),
    "jnp.from_dlpack(x), np.from_dlpack(m).flags.writeable": "the exception for traced arrays is a subclass of JAX's",
    "sp.i1e(special)": "as jnp.sinc",
    "numerics.sparse.linalg.cg(lambda t: {'a': 2 * t['a'], 'b': 3 * t['b']}, {'a': row, 'b': s})": "JAX fails inside, "
    "at a tangent that is zero",
    "sp.log_ndtr(-20 * y, series_order=0)": "the difference of two large logarithms, exponentiated",
    "sp.hyp1f1(x, y, 1.0)": "a series of differences of digamma functions, 300 ULP apart",
    **dict.fromkeys(
        [
            "sp.gamma(special)",
            "sp.dawsn(special)",
            "sp.gammaln(special)",
            "sp.spence(y)",
            "sp.spence(x), sp.spence(special[:6]), sp.spence(jnp.array([0.0, 0.2, 1.0, 1.7, 5.0])), sp.spence(1.0)",
        ],
        "JAX gives NaN, where a branch that is not taken has no derivative or infinity cancels",
    ),
    **dict.fromkeys(
        [
            "sp.expi(x), sp.expi(20 * y), sp.expi(special[:6]), sp.expi(-y), sp.expi(2)",
            "sp.exp1(y), sp.exp1(special), sp.exp1(1)",
            "sp.expn(2, y), sp.expn(0, y), sp.expn(5, 3 * y), sp.expn(6000, y)",
            "sp.expn(2, special), sp.expn(1, special)",
            "sp.expn(-1, y), sp.expn(3, 1)",
        ],
        "JAX fails inside: expn is a jitted function within a custom rule that takes its order as it is",
    ),
    **dict.fromkeys(
        [
            "jax.random.gamma(key, y), jax.random.gamma(key, 2.0, (3,)), jax.random.gamma(key, 0.1)",
            "jax.random.loggamma(key, y), jax.random.loggamma(key, 0.01, (3,))",
            "jax.random.gamma(key, y, (2, 8), 'float16')",
            "jax.random.beta(key, y, 2.0), jax.random.beta(key, 2, 3, (4,)), jax.random.chisquare(key, y)",
            "jax.random.dirichlet(key, y), jax.random.dirichlet(key, y, (3,)), jax.random.dirichlet(key, m + 2)",
            "jax.random.f(key, y, 3.0), jax.random.t(key, y), jax.random.t(key, 3, (2, 2))",
        ],
        "random_gamma_grad is a primitive without derivative; JAX differentiates its loops, forward only",
    ),
    "jax.scipy.linalg.solve(spd + 0.5j * (sq - sq.T), row, assume_a='pos')": (
        "JAX transposes a hermitian matrix without conjugating it: its gradient is wrong"
    ),
    **dict.fromkeys(
        [
            "[abs(q) for q in jax.scipy.linalg.qr_multiply(tall, tall.T)]",
            "[abs(q) for q in jax.scipy.linalg.qr_multiply(tall, row, 'left')]",
            "[abs(q) for q in jax.scipy.linalg.qr_multiply(tall, row, 'left', pivoting=True)]",
            "[abs(q) for q in jax.scipy.linalg.qr_multiply(sq, sq, conjugate=True)]",
            "jax.scipy.linalg.eigh_tridiagonal(row, y[:2], eigvals_only=True)",
            "jax.scipy.linalg.eigh_tridiagonal(row, y[:2], eigvals_only=True, select='i', select_range=(1, 2))",
            "jax.scipy.linalg.eigh_tridiagonal(row * (1 + 0j), row[:2] * 1j, eigvals_only=True)",
            "[abs(q) for q in jax.scipy.linalg.eigh_tridiagonal(y, x[:7])]",
        ],
        "JAX has no derivative, as it calls LAPACK or a loop; here it is that of qr and eigh",
    ),
}

# Programs of test_jaxpr_text.py whose text differs from JAX's, and why. Keep it short.
_BASIS = "JAX converts the standard basis to the dtype that it has already"
JAXPR_TEXT_DIFFERS: dict[str, str] = {
    "grad-of-grad-of-scan": "JAX takes the zeros that a linear carry starts with along as a const, which nobody reads",
    "jacfwd": _BASIS,
    "jacrev": _BASIS,
    "hessian": _BASIS,
}

# Programs of test_programs.py whose text differs from JAX's, and why. Those of the first list are the same without
# equations whose results nobody reads.
_ZEROS = "the zero tangent of a carry is made where the loop is linearised, in JAX with the linear program"
PROGRAM_ZEROS_ELSEWHERE: dict[str, str] = dict.fromkeys(
    ["lstm-and-gradient", "lstm-trained", "per-example-gradients", "clipped-gradients"], _ZEROS
)
PROGRAM_TEXT_DIFFERS: dict[str, str] = {"jacfwd-of-pendulum": _BASIS, "jacrev-of-pendulum": _BASIS}

# Programs of checkpoint_programs.py whose text differs from JAX's under a transformation or a policy, and why.
CHECKPOINT_TEXT_DIFFERS: dict[tuple[str, str], str] = {
    ("choosing", "everything"): "JAX runs a cond that passes on what was kept; here it is read where it is",
    ("choosing", "grad_of_grad"): "residuals of the second derivative stand in another order",
    ("scanning", "grad_of_grad"): "as choosing; JAX takes the zeros that a linear carry starts with along",
    ("nesting", "grad_of_grad"): "a product and a cosine that nobody reads are computed once more",
}

# ----------------------------------------------------------------- primitives

# Primitives that no call reaches by itself, and where they are tested instead.
NOT_CALLED_DIRECTLY: dict[str, str] = {
    "empty2": "fills the residuals that a branch of cond does not have",
    "remat_opt": "stands for the fwd rule of a custom_vjp function with optimize_remat, see test_custom_rules.py",
    "custom_lin": "stands for the linear part of a custom_vjp function, while that is linearised",
    "check": "raises, or belongs to a checkified function, see test_checkify.py",
    "threefry2x32": "random_bits calls it; test_random.py has its known answers",
    **dict.fromkeys(
        ["all_gather", "reduce_scatter", "all_to_all", "ppermute", "axis_index"],
        "stands in jaxprs until its named axis is batched, see test_named_axes.py",
    ),
}

# Kinds of check that mean nothing to a primitive.
KINDS_WITHOUT_MEANING: dict[str, set[str]] = {
    "iota": {"jvp", "vjp", "vmap", "derived_jaxprs"},  # it has no operands
    "empty": {"jvp", "vjp", "vmap", "derived_jaxprs"},  # neither has this
    "custom_vmap_call": {"vjp", "jaxpr", "derived_jaxprs"},  # no reverse mode; JAX prints the rule's address
    "linear_call": {"vmap", "jaxpr", "derived_jaxprs"},  # neither engine batches it; JAX prints an address
    "debug_callback": {"jaxpr", "derived_jaxprs"},  # the text is the address of a function
    "pure_callback": {"jvp", "vjp", "derived_jaxprs"},  # a ValueError in both engines, see test_effects.py
    "io_callback": {"jvp", "vjp", "derived_jaxprs"},  # the same
    "random_scale": {"jaxpr", "derived_jaxprs"},  # JAX's compiler fuses two equations into it
    "pmax": {"jvp", "vjp"},  # NotImplementedError in both engines
    "pmin": {"jvp", "vjp"},  # the same
    "while": {"vjp", "second"},  # a ValueError in both engines, see test_control_flow.py
    "composite": {"jvp", "vjp", "vmap", "derived_jaxprs"},  # opaque in both engines, see lax_small.py
    "custom_vjp_call": {"jvp"},  # a TypeError in both engines, see test_misuse.py
    "nextafter": {"jvp", "vjp"},  # NotImplementedError in both engines
    "cholesky_update": {"jvp", "vjp", "vmap", "derived_jaxprs"},  # for all of these
    "symmetric_product": {"jvp", "vjp"},
    "householder_product": {"jvp", "vjp"},
    "ormqr": {"jvp", "vjp"},
    "geqrf": {"jvp", "vjp"},
    "hessenberg": {"jvp", "vjp"},
    "tridiagonal": {"jvp", "vjp"},
    "schur": {"jvp", "vjp"},
    "igamma_grad_a": {"jvp", "vjp"},  # likewise
    "zeta": {"jvp", "vjp"},  # likewise
    # JAX writes out its loops, whose forward derivative it has, though not their backward one.
    "random_gamma_grad": {"jvp", "vjp", "jaxpr", "derived_jaxprs"},
    # Bits have no derivative, and those of a batch come from its first state alone (see functions/lax_small.py).
    "rng_bit_generator": {"jvp", "vjp", "vmap", "derived_jaxprs"},
    "rng_uniform": {"jvp", "vjp", "vmap", "derived_jaxprs"},  # NotImplementedError in both engines
    "reduce_window": {"vjp", "derived_jaxprs"},  # no derivative in reverse mode in both engines
    "select_and_scatter": {"jvp", "vjp", "vmap", "derived_jaxprs"},  # NotImplementedError in both engines
}

# ----------------------------------------------------------------- the public interface

# Public names of minijax that JAX does not have.
NAMES_OF_OUR_OWN = {
    "install_as_jax",
    "experimental.key_reuse.KeyReuseError",  # JAX has them in a private module
    "experimental.key_reuse.check_key_reuse",
}
# What differs in parameters, or is a class here and a function there.
SIGNATURE_DIFFERS: dict[str, str] = {
    "lax.ConvGeneralDilatedDimensionNumbers": "written with |, which makes a union of another class",
    "jit": "the default of the shardings is None, because there are none",
    "typing.ArrayLike": "a union of types",
    "typing.DTypeLike": "a union of types",
    "numpy.finfo": "a function, JAX re-exports the class of ml_dtypes",
    "numpy.iinfo": "a function, JAX re-exports the class of ml_dtypes",
    "dtypes.issubdtype": "JAX has two functions, whose parameters are called differently; here it is jnp.issubdtype",
    "dtypes.finfo": "see numpy.finfo",
    "dtypes.iinfo": "see numpy.iinfo",
    "lax.random_gamma_grad": "JAX hides its parameters behind a wrapper",
}
# Methods and properties of arrays.
METHODS_OF_OUR_OWN = {"tobytes", "tolist"}  # JAX has them on its concrete class only
METHOD_SIGNATURE_DIFFERS: dict[str, str] = {}
# Functions of jax.nn that are no activations.
NOT_ACTIVATIONS = {
    "dot_product_attention",
    "get_scaled_dot_general_config",
    "scaled_dot_general",
    "scaled_matmul",
}

# ----------------------------------------------------------------- random calls

# Functions that are held to another bound than their group's in random calls, and why.
_ZEROS_INSIDE = {"ulp": 8, "floor": 1.0}  # absolute where the function has zeros
_BY_EXP = {"ulp": 64}  # XLA computes exp(x * log(2)) and the like, so that its error grows with x
_FUSED = {"ulp": 2}  # XLA does not round between the steps of a fused computation
_ZERO_OF_EITHER_SIGN = {"ulp": 1}  # -0.0 and 0.0 in one place: either may remain
FUZZ_BOUNDS: dict[str, dict[str, float]] = {
    **dict.fromkeys(("sin", "cos", "sinc", "logaddexp", "logaddexp2"), _ZEROS_INSIDE),
    **dict.fromkeys(("exp2", "sinh", "cosh"), _BY_EXP),
    **dict.fromkeys(("floor_divide", "divmod"), _FUSED),
    **dict.fromkeys(("at.min", "at.max"), _ZERO_OF_EITHER_SIGN),
}
# The same for complex numbers, by the text of the call: small ones, since what overflows does so in other places.
_QUOTIENT = {"ulp": 4}  # made of several products and one quotient, in another order
_POWER = {"ulp": 1024}  # exp(y log x) is off by as many ULP as y log x is large
COMPLEX_FUZZ_BOUNDS: dict[str, dict[str, float]] = {
    **dict.fromkeys(("x / y", "jnp.divide", "jnp.true_divide"), _QUOTIENT),
    **dict.fromkeys(("x ** y", "jnp.power", "jnp.float_power"), _POWER),
}


def left_out(function: str, dtypes: tuple[str, ...]) -> str:
    """Why random calls leave out a function of arrays of these dtypes; empty where they do not."""
    if function == "fmod" and dtypes[1].endswith("bool"):
        return "XLA takes for granted that a divisor that was a boolean is not zero"
    if function in ("*", "multiply", "/", "divide", "true_divide") and any(dtype.endswith("bool") for dtype in dtypes):
        return "XLA selects where one factor was a boolean, whatever the other: -0.0 and NaN are lost"
    if function == "arctan2" and any("complex" in dtype for dtype in dtypes):
        return "its branch cuts go through the drawn numbers, where rounding decides on the side"
    return ""
