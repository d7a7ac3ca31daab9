"""Calls with bfloat16 and the narrow types of ml_dtypes."""

from __future__ import annotations

FLOATS = ("bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3b11fnuz")
INTEGERS = ("int4", "uint4")


def array(name: str) -> str:
    """A vector of this dtype."""
    return f"jnp.asarray([1, 2.7, -3, 0.1], jnp.{name})"


EXACT = [
    *(f"{array(name)}, {array(name)}.astype('float32'), {array(name)}.astype(int)" for name in (*FLOATS, *INTEGERS)),
    *(f"{array(name)} + {array(name)}, {array(name)} * 2, -{array(name)}" for name in (*FLOATS, *INTEGERS)),
    *(
        f"{array(name)} * 2.5, {array(name)} / {array(name)}, {array(name)} < 1, jnp.sort({array(name)})"
        for name in FLOATS
    ),
    "jnp.asarray(x, jnp.bfloat16) + x, jnp.asarray(x, jnp.bfloat16) * h[:1], jnp.asarray(i, jnp.bfloat16) + i",
    "jnp.bfloat16(1.5), jnp.float8_e4m3fn(1.5), jnp.int4(3)",
    "jnp.zeros(2, jnp.bfloat16), jnp.arange(3, dtype='bfloat16')",
    "jnp.promote_types('bfloat16', 'float16'), jnp.result_type(jnp.bfloat16, 1.5), jnp.dtype('bfloat16').name",
    "jnp.issubdtype(jnp.bfloat16, jnp.floating), jnp.issubdtype(jnp.int4, jnp.integer)",
    "float(jnp.finfo('bfloat16').eps)",
    "int(jnp.iinfo('int4').max), jnp.isdtype(jnp.bfloat16, 'real floating'), repr(jnp.asarray([1, 2], jnp.bfloat16))",
    "jnp.max(jnp.asarray(special, 'bfloat16')), jnp.sort(jnp.asarray(special, 'bfloat16'))",
    "jnp.sum(jnp.asarray(m, 'bfloat16'))",
    "(lambda f: (jnp.save(f, jnp.asarray(x, 'bfloat16')), f.seek(0), jnp.load(f))[-1])(io.BytesIO())",
    "jnp.asarray(x, 'bfloat16')[2:4], jnp.asarray(x, 'bfloat16').at[0].set(9), jnp.where(b, jnp.bfloat16(1), 0)",
    "jnp.asarray(x, 'bfloat16').tolist(), jnp.asarray(x, 'bfloat16').view('int16')",
]
CLOSE = ["jax.grad(lambda v: jnp.sum(v * v).astype('float32'))(jnp.asarray(x, 'bfloat16'))"]
REFUSED = [
    "jnp.asarray(x, jnp.float8_e4m3fn) + x",
    "jnp.asarray(x, jnp.float8_e4m3fn) + jnp.asarray(x, jnp.float8_e5m2)",
    "jnp.asarray(i, jnp.int4) + i",
    "jnp.float9",
    "jax.lax.bitcast_convert_type(jnp.asarray(i, jnp.int4), 'int8')",
]
