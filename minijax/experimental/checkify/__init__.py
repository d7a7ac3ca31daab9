"""jax.experimental.checkify: errors that depend on values, in functions that are jitted, batched, differentiated.

    def f(x):
        checkify.check(x > 0, "{x} is not positive", x=x)
        return jnp.log(x)

    error, y = jax.jit(checkify.checkify(f))(-1.0)
    error.throw()

A compiled program cannot raise an exception where it is, so that errors become values: `checkify` of a function
returns, beside its result, the first thing that went wrong, which the caller looks at when the program has run.
`check` alone raises at once, outside of programs.

The parts: `exceptions` is what can go wrong, `error_values` what an error is and how it comes into a program, `rules`
makes of a program one that returns its errors, `operation_rules` says what may go wrong in an operation.
"""

from minijax.experimental.checkify.error_values import Error as Error
from minijax.experimental.checkify.error_values import JaxRuntimeError as JaxRuntimeError
from minijax.experimental.checkify.error_values import check as check
from minijax.experimental.checkify.error_values import check_error as check_error
from minijax.experimental.checkify.error_values import debug_check as debug_check
from minijax.experimental.checkify.error_values import init_error as init_error
from minijax.experimental.checkify.exceptions import ErrorCategory as ErrorCategory
from minijax.experimental.checkify.exceptions import all_checks as all_checks
from minijax.experimental.checkify.exceptions import automatic_checks as automatic_checks
from minijax.experimental.checkify.exceptions import div_checks as div_checks
from minijax.experimental.checkify.exceptions import float_checks as float_checks
from minijax.experimental.checkify.exceptions import index_checks as index_checks
from minijax.experimental.checkify.exceptions import nan_checks as nan_checks
from minijax.experimental.checkify.exceptions import user_checks as user_checks
from minijax.experimental.checkify.rules import checkify as checkify
