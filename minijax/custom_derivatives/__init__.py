"""jax.custom_derivatives: functions whose derivative the user writes.

These modules deal with pytrees, keyword arguments, non-differentiable arguments and with checking what the user's
rules return; `primitives/custom_rules.py` deals with transformations.
"""

from minijax.custom_derivatives.closures import closure_convert as closure_convert
from minijax.custom_derivatives.forward import custom_jvp as custom_jvp
from minijax.custom_derivatives.linear_calls import linear_call as linear_call
from minijax.custom_derivatives.reverse import custom_gradient as custom_gradient
from minijax.custom_derivatives.reverse import custom_vjp as custom_vjp
from minijax.custom_derivatives.zeros import CustomVJPPrimal as CustomVJPPrimal
from minijax.custom_derivatives.zeros import SymbolicZero as SymbolicZero
from minijax.custom_derivatives.zeros import custom_vjp_primal_tree_values as custom_vjp_primal_tree_values
from minijax.custom_derivatives.zeros import zero_from_primal as zero_from_primal
from minijax.primitives.custom_rules import custom_jvp_call_p as custom_jvp_call_p
from minijax.primitives.custom_rules import custom_vjp_call_p as custom_vjp_call_p
from minijax.primitives.remat_opt import remat_opt_p as remat_opt_p

__all__ = [
    "CustomVJPPrimal",
    "SymbolicZero",
    "closure_convert",
    "custom_gradient",
    "custom_jvp",
    "custom_jvp_call_p",
    "custom_vjp",
    "custom_vjp_call_p",
    "custom_vjp_primal_tree_values",
    "linear_call",
    "remat_opt_p",
    "zero_from_primal",
]
