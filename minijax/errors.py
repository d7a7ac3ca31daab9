"""The exception classes of `jax.errors`, each with a text that can be acted upon.

A message has three parts: what happened, the smallest example that fails in the
same way, and what to write instead. The classes, their bases and their
constructor arguments are JAX's, so `except` clauses written for JAX keep working.
This is the lowest module of the house: it imports nothing and asks a tracer
only for its `aval` and, when it has one, its `_origin_msg()`.
"""

__all__ = [
    "ConcretizationTypeError",
    "InconclusiveDimensionOperation",
    "JAXIndexError",
    "JAXTypeError",
    "JaxRuntimeError",
    "JaxprTypeError",
    "KeyReuseError",
    "NonConcreteBooleanIndexError",
    "TracerArrayConversionError",
    "TracerBoolConversionError",
    "TracerIntegerConversionError",
    "UnexpectedTracerError",
]


def _describe(tracer: object) -> str:
    """`a traced value of type float32[3]`, followed by its origin when the tracer knows one."""
    aval = getattr(tracer, "aval", None)
    kind = str(tracer) if aval is None else f"type {_aval_text(aval)}"
    return f"a traced value of {kind}{_origin(tracer)}"


def _origin(tracer: object) -> str:
    """Where a tracer comes from, in brackets, when it knows."""
    origin = getattr(tracer, "_origin_msg", None)
    where = origin().strip() if callable(origin) else ""
    return f" ({where})" if where else ""


def leak_text(tracer: object) -> str:
    """What to say when a tracer is used that has outlived its trace."""
    return (
        f"Encountered an unexpected tracer: {tracer}{_origin(tracer)} was used after the transformed function in which "
        "it was made had returned. Such a leak happens when a function stores a value outside itself, for example "
        "`cache.append(x)` or `self.state = x`. Return the value from the function instead, and store what the "
        "transformed function returns."
    )


def _aval_text(aval: object) -> str:
    short = getattr(aval, "str_short", None)
    return short() if callable(short) else str(aval)


def _three_parts(what: str, example: str, remedy: str) -> str:
    code = "\n".join("    " + line for line in example.splitlines())
    return f"{what}\n\nThe smallest example that fails in the same way:\n\n{code}\n\nWrite instead: {remedy}"


class JAXTypeError(TypeError):
    """Base class of the TypeErrors below."""

    def __init__(self, message: str):
        super().__init__(message)


class JAXIndexError(IndexError):
    """Base class of the IndexErrors below."""

    def __init__(self, message: str):
        super().__init__(message)


class JaxRuntimeError(RuntimeError):
    """A failure while a compiled program runs."""


class JaxprTypeError(TypeError):
    """A jaxpr that breaks its own typing rules; raised by the checker after staging and after each pass."""


class InconclusiveDimensionOperation(Exception):
    """A comparison of symbolic dimensions without a definite answer.

    Kept so that `except` clauses written for JAX still import; minijax has no symbolic dimensions.
    """


class ConcretizationTypeError(JAXTypeError):
    """A concrete value was needed where only its shape and dtype are known."""

    def __init__(self, tracer: object, context: str = ""):
        what = f"A concrete value is needed here, but this is {_describe(tracer)}: while a function is"
        what += " being traced, only shapes and dtypes are known."
        if context:
            what += f"\n{context.strip()}"
        super().__init__(
            _three_parts(
                what,
                "@jax.jit\ndef f(x, axis):\n    return x.sum(axis)\nf(jnp.ones((2, 3)), 0)",
                "pass such an argument as static, `jax.jit(f, static_argnums=1)` (or static_argnames='axis'),"
                " or keep the computation inside jax.numpy, whose functions accept traced values.",
            )
        )


class TracerBoolConversionError(ConcretizationTypeError):
    """Python asked a traced value for its truth (`if`, `while`, `and`, `or`, `not`, `assert`)."""

    def __init__(self, tracer: object):
        JAXTypeError.__init__(
            self,
            _three_parts(
                f"Python asked for the truth of {_describe(tracer)}: `if`, `while`, `and`, `or`, `not` and"
                " `assert` need True or False now, but the value is known only when the function runs.",
                "@jax.jit\ndef f(x):\n    return x if x > 0 else -x\nf(1.0)",
                "`jnp.where(x > 0, x, -x)` to choose between values, `jax.lax.cond` or `jax.lax.while_loop`"
                " to choose what runs, `&`, `|`, `~` for logic between arrays; or make the argument static"
                " (`static_argnums`) when it is a plain Python flag.",
            ),
        )


class TracerIntegerConversionError(JAXTypeError):
    """Python or NumPy needed a traced value as an integer (an index into a list, a length, an axis)."""

    def __init__(self, tracer: object):
        super().__init__(
            _three_parts(
                f"Python needs an integer and called the __index__() method of {_describe(tracer)}, whose"
                " value is known only when the function runs.",
                "table = [10, 20, 30]\n@jax.jit\ndef f(i):\n    return table[i]\nf(1)",
                "`jnp.asarray(table)[i]` to look up by a traced index; for axes, lengths and loop counts make"
                " the argument static: `jax.jit(f, static_argnums=0)`.",
            )
        )


class TracerArrayConversionError(JAXTypeError):
    """NumPy was asked to turn a traced value into an ndarray."""

    def __init__(self, tracer: object):
        super().__init__(
            _three_parts(
                f"NumPy was given {_describe(tracer)} and called its __array__() method, but the numbers are"
                " known only when the function runs.",
                "@jax.jit\ndef f(x):\n    return np.sin(x)\nf(1.0)",
                "`jnp.sin(x)`, the jax.numpy function of the same name; wrap a NumPy array that a traced"
                " value indexes, `jnp.asarray(table)[i]`; or take the NumPy call out of the traced function.",
            )
        )


class NonConcreteBooleanIndexError(JAXIndexError):
    """A traced boolean mask was used as an index, so the result's shape depends on values."""

    def __init__(self, tracer: object):
        super().__init__(
            _three_parts(
                f"A boolean mask was used as an index, and the mask is {_describe(tracer)}: the shape of the"
                " result depends on how many entries are True, and shapes must be known while tracing.",
                "@jax.jit\ndef f(x):\n    return x[x > 0].sum()\nf(jnp.arange(-2.0, 3.0))",
                "`jnp.where(x > 0, x, 0).sum()`, which keeps the shape; `jnp.where(mask, new, x)` to replace"
                " masked entries; or `jnp.nonzero(mask, size=n)` when the number of entries is fixed.",
            )
        )


class UnexpectedTracerError(JAXTypeError):
    """A traced value was used after the transformation that made it had ended (a leaked tracer)."""

    def __init__(self, msg: str):
        super().__init__(
            _three_parts(
                msg,
                "seen = []\n@jax.jit\ndef f(x):\n    seen.append(x)\n    return x\nf(1.0)\nseen[0] + 1",
                "`return x, x` and let the caller keep the second result. Nothing that is computed inside a"
                " transformed function may leave it through a global, a list or an attribute.",
            )
        )


class KeyReuseError(JAXTypeError):
    """A random key was used twice (reported under the flag jax_debug_key_reuse)."""

    def __init__(self, message: str):
        super().__init__(
            _three_parts(
                message,
                "key = jax.random.key(0)\na = jax.random.normal(key)\nb = jax.random.normal(key)  # equals a",
                "`key_a, key_b = jax.random.split(key)` and use each new key once.",
            )
        )
