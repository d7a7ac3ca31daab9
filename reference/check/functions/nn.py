"""Calls of the functions of jax.nn and jax.nn.initializers."""

from __future__ import annotations

__all__ = ["CLOSE", "EXACT", "MORE_CLOSE", "MORE_EXACT", "MORE_SMOOTH", "MORE_SUMS", "REFUSED", "SMOOTH", "SUMS"]

# ----------------------------------------------------------------- activations

EXACT_ACTIVATIONS = ("relu", "relu6", "identity", "hard_tanh", "sparse_plus", "sparse_sigmoid", "leaky_relu")
CLOSE_ACTIVATIONS = (
    *("sigmoid", "softplus", "silu", "swish", "mish", "log_sigmoid", "elu", "celu", "selu", "gelu", "squareplus"),
    *("soft_sign", "hard_sigmoid", "hard_silu", "hard_swish", "tanh", "log1mexp"),
)
# Functions that JAX has for floats only.
FLOATS_ONLY = ("sigmoid",)
# Where derivatives jump, or are 0 / 0 when written carelessly.
CORNERS = "jnp.array([-6.0, -3.0, -1.0, -0.0, 0.0, 1.0, 3.0, 6.0, 90.0, -90.0])"


def _gradient(function: str) -> str:
    return f"jax.jit(jax.vmap(jax.grad(jax.nn.{function})))({CORNERS})"


def _activations(names: tuple[str, ...], operands: tuple[str, ...]) -> list[str]:
    return [f"jax.nn.{name}({x})" for name in names for x in operands if x != "i" or name not in FLOATS_ONLY]


EXACT = [
    *_activations(EXACT_ACTIVATIONS, ("x",)),
    *[_gradient(name) for name in EXACT_ACTIVATIONS],
    *"""
jax.nn.leaky_relu(m, 0.25), jax.nn.hard_tanh(0.5), jax.nn.relu(True)
jax.nn.one_hot(abs(i), 4), jax.nn.one_hot(i, 3, dtype=int), jax.nn.one_hot(2, 3)
jax.nn.one_hot(abs(i[:4]).reshape(2, 2), 3, axis=0)
jax.nn.one_hot(u8, 8, dtype=bool, axis=-2), jax.nn.one_hot(abs(i), 0), jax.nn.one_hot(i[:0], 3)
jax.nn.one_hot([0, 2], 3)
jax.vmap(lambda n: jax.nn.one_hot(n, 3, axis=1))(abs(i[:4]).reshape(2, 2))
jax.nn.one_hot(x, 4)
""".strip().splitlines(),
]

MORE_EXACT = _activations(EXACT_ACTIVATIONS, ("special", "i", "m", "h", "s", "empty", "w", "0.5", "u8", "b"))

CLOSE = [
    *_activations(tuple([name for name in CLOSE_ACTIVATIONS if name != "gelu"]), ("x",)),
    *"""
jax.nn.gelu(x, approximate=False), jax.nn.gelu(h, False), jax.nn.celu(x, 2.0), jax.nn.elu(x, alpha=0.5)
jax.nn.squareplus(x, 1)
jax.nn.log1mexp(jnp.array([1e-20, 1e-3, 0.5, 0.6931, 0.7, 1.0, 30.0])), jax.vmap(jax.grad(jax.nn.log1mexp))(y)
jax.nn.glu(x), jax.nn.glu(m, 0), jax.nn.glu(m[None], axis=1), jax.nn.glu(i[:4])
""".strip().splitlines(),
]

MORE_CLOSE = [
    *_activations(CLOSE_ACTIVATIONS, ("i", "h", "special", "m", "s", "empty", "w", "0.5")),
]

# ----------------------------------------------------------------- whole axes, attention


def _attention(options: str, heads: str = "") -> str:
    """A call with a batch of 2, 3 places of the query, 5 of the key, 2 heads with 4 features."""
    key = "jnp.cos(jnp.arange(80.0)).reshape(2, 5, 2, 4)" + heads
    value = "jnp.sin(3 * jnp.arange(80.0)).reshape(2, 5, 2, 4)" + heads
    return f"jax.nn.dot_product_attention(jnp.sin(jnp.arange(48.0)).reshape(2, 3, 2, 4), {key}, {value}, {options})"


LENGTHS = "query_seq_lengths=jnp.array([3, 2]), key_value_seq_lengths=jnp.array([5, 2])"
SQUARE = "jnp.sin(jnp.arange(24.0)).reshape(3, 2, 4)"

SUMS = [
    # Small differences of numbers near 1, on their negative side.
    "jax.nn.gelu(x), jax.nn.dot_product_attention(m, row, row)",
    *[_gradient(name) for name in CLOSE_ACTIVATIONS if name != "log1mexp"],
    *"""
jax.nn.softmax(x), jax.nn.softmax(m, axis=0), jax.nn.softmax(m, axis=None), jax.nn.softmax(m, (0, 1)), jax.nn.softmax(h)
jax.nn.softmax(x, where=y > 1), jax.nn.softmax(m, where=m > 9), jax.nn.softmax(special), jax.nn.softmax(i)
jax.nn.log_softmax(x), jax.nn.log_softmax(m, 0), jax.nn.log_softmax(m, where=m > 0), jax.nn.log_softmax(special)
jax.nn.log_softmax(h), jax.nn.log_softmax(m, (0, 1)), jax.nn.log_softmax(i), jax.nn.softmax(jnp.array([1e4, 0, -1e4]))
jax.nn.logsumexp(x), jax.nn.logsumexp(m, axis=1, keepdims=True), jax.nn.logsumexp(m, b=m), jax.nn.logsumexp(m, (0, 1))
jax.nn.logsumexp(m, 1, b=row, return_sign=True), jax.nn.logsumexp(m, 0, where=m > 0), jax.nn.logsumexp(special)
jax.nn.logsumexp(jnp.array([-jnp.inf, -jnp.inf])), jax.nn.logsumexp(jnp.array([jnp.inf, 1.0])), jax.nn.logsumexp(x[:0])
jax.nn.logsumexp(i), jax.nn.logsumexp(h), jax.nn.logsumexp(m, axis=0, b=2.0, keepdims=True, return_sign=True)
jax.nn.logmeanexp(x), jax.nn.logmeanexp(m, 1, keepdims=True), jax.nn.logmeanexp(m, 0, where=m > 0), jax.nn.logmeanexp(s)
jax.nn.standardize(x), jax.nn.standardize(m, 0), jax.nn.standardize(m, (0, 1), epsilon=0.1), jax.nn.standardize(h)
jax.nn.standardize(m, mean=1.0), jax.nn.standardize(m, 1, variance=jnp.array([[2.0], [3.0]])), jax.nn.standardize(i)
jax.nn.standardize(m, where=m > -1), jax.nn.standardize(m, algorithm='stable')
jax.nn.standardize(m, mean=row, variance=row**2)
""".strip().splitlines(),
    _attention(""),
    _attention("is_causal=True, scale=0.3"),
    _attention("bias=jnp.cos(jnp.arange(60.0)).reshape(2, 2, 3, 5), mask=jnp.arange(15).reshape(1, 1, 3, 5) % 4 != 0"),
    _attention(LENGTHS),
    _attention("local_window_size=1, return_residual=True"),
]

MORE_SUMS = [
    "jax.nn.softmax(x + 1j), jax.nn.logsumexp(x * 1j), jax.nn.logsumexp(m, b=row * 1j, return_sign=True, axis=1)",
    "jax.nn.sigmoid(x + 1j), jax.nn.silu(x * 1j), jax.nn.gelu(x + 0.5j), jax.nn.soft_sign(x * 1j), jax.nn.relu(x + 1j)",
    _attention("local_window_size=(2, 0), is_causal=True"),
    _attention(LENGTHS + ", is_causal=True, local_window_size=(1, 1), return_residual=True"),
    _attention("implementation='xla'"),
    _attention("is_causal=True", heads="[:, :, :1]"),
    _attention("mask=(jnp.arange(60) % 7 != 0).reshape(2, 2, 3, 5), bias=1.0 * jnp.arange(5)", heads="[:, :, :1]"),
    _attention(LENGTHS + ", return_residual=True", heads="[:, :, 1:]"),
    _attention("mask=jnp.zeros((1, 1, 3, 5), bool)"),
    f"jax.nn.dot_product_attention({SQUARE}, {SQUARE}, {SQUARE})",
    f"jax.nn.dot_product_attention({SQUARE}.astype('float16'), *[{SQUARE}.astype('float16')] * 2, is_causal=True)",
    "jax.nn.softmax(jnp.linspace(-5, 5, 1000)), jax.nn.logsumexp(jnp.linspace(-5, 5, 1000).reshape(10, 100), 1)",
]

SMOOTH = ["jax.nn.gelu(v * row)", "jax.nn.softmax(v * row, where=row > -1)", "jax.nn.logsumexp(v, b=row + 3)"]

MORE_SMOOTH = [
    *["jax.nn.softmax(v * row)", "jax.nn.log_softmax(v * row)", "jax.nn.standardize(v * row)"],
    *["jax.nn.log_softmax(v * row, where=row > -1)[::2]", "jax.nn.logsumexp(v * 90, keepdims=True)"],
    *["jax.nn.logmeanexp(v * row, where=row > -1)", "jax.nn.glu(jnp.outer(v, row[:2]))"],
    *[f"jax.nn.{name}(v * row)" for name in (*EXACT_ACTIVATIONS, *CLOSE_ACTIVATIONS) if name != "log1mexp"],
    *["jax.nn.log1mexp(v)", "jax.nn.gelu(v * row, approximate=False)", "jax.nn.standardize(v, algorithm='stable')"],
    *["jax.nn.standardize(v * row, where=row > -1)", "jax.nn.standardize(row, mean=v, variance=v * v)"],
    f"jax.nn.dot_product_attention(v[:, None, None] * {SQUARE}, {SQUARE}, {SQUARE} + v[:, None, None], is_causal=True)",
    f"jax.nn.dot_product_attention({SQUARE}, {SQUARE}, {SQUARE}, bias=v[:, None] * row, local_window_size=1)",
    f"jax.nn.dot_product_attention(v[:, None, None] * {SQUARE}, {SQUARE}[:, :1], {SQUARE}[:, :1])",
]

# ----------------------------------------------------------------- initial values

KEY = "jax.random.key(7)"
SCALED = ("glorot", "xavier", "lecun", "he", "kaiming")

EXACT += [
    "jax.nn.initializers.Initializer.__name__",
    f"jax.nn.initializers.zeros({KEY}, (2, 3)), jax.nn.initializers.ones(None, (2,), 'float16')",
    f"jax.nn.initializers.constant(3)({KEY}, (2, 3)), jax.nn.initializers.constant(row, int)({KEY}, (2, 3))",
    f"jax.nn.initializers.uniform()({KEY}, (3, 4)), jax.nn.initializers.uniform(2.0, 'float16')({KEY}, (5,))",
]
CLOSE += [
    f"jax.nn.initializers.normal()({KEY}, (3, 4)), jax.nn.initializers.normal(2.0, 'float16')({KEY}, (5,))",
    f"jax.nn.initializers.truncated_normal()({KEY}, (3, 4))",
    f"jax.nn.initializers.truncated_normal(2, lower=0.0)({KEY}, (9,))",
    ", ".join(
        [f"jax.nn.initializers.{name}_{kind}()({KEY}, (4, 2))" for name in SCALED for kind in ("uniform", "normal")]
    ),
    f"jax.nn.initializers.variance_scaling(1.0, 'fan_in', 'normal', 0, (1, 2), 3, 'float16')({KEY}, (2, 3, 2, 2))",
    f"jax.nn.initializers.he_normal(in_axis=(0, 1), out_axis=2, batch_axis=3)({KEY}, (2, 3, 2, 2), 'float16')",
]

MORE_CLOSE += [
    f"jax.nn.initializers.variance_scaling(2.0, '{mode}', '{distribution}')({KEY}, (5, 4))"
    for mode in ("fan_in", "fan_out", "fan_avg", "fan_geo_avg")
    for distribution in ("truncated_normal", "normal", "uniform")
]
# QR decompositions of a few numbers: their errors are those of the largest entries.
MORE_SUMS += [
    f"jax.nn.initializers.orthogonal()({KEY}, (5, 3)), jax.nn.initializers.orthogonal(2.0)({KEY}, (3, 5))",
    f"jax.nn.initializers.orthogonal(column_axis=0)({KEY}, (2, 3, 4)), jax.nn.initializers.orthogonal()({KEY}, (0, 3))",
    f"jax.nn.initializers.orthogonal(1.0, 1, 'float16')({KEY}, (3, 2, 2))",
    f"jax.nn.initializers.delta_orthogonal()({KEY}, (3, 2, 4))",
    f"jax.nn.initializers.delta_orthogonal(3)({KEY}, (3, 4, 2, 2))",
    f"jax.nn.initializers.delta_orthogonal(0.5, -2)({KEY}, (2, 3, 1, 2, 2))",
]

REFUSED = """
jax.nn.initializers.orthogonal()(jax.random.key(0), (3,))
jax.nn.initializers.delta_orthogonal()(jax.random.key(0), (3, 4))
jax.nn.initializers.delta_orthogonal()(jax.random.key(0), (3, 4, 2))
jax.nn.sigmoid(i)
jax.nn.relu([1.0])
jax.nn.gelu([1.0])
jax.nn.glu(row)
jax.nn.softmax(m, axis=2)
jax.nn.softmax([1.0])
jax.nn.logsumexp(m, axis=2)
jax.nn.logsumexp([1.0])
jax.nn.standardize(m, algorithm='some')
jax.nn.standardize([1.0])
jax.nn.one_hot(i, x)
jax.nn.one_hot(i, 3, axis=5)
jax.nn.dot_product_attention(m[None], m[None], m[None, :1])
jax.nn.dot_product_attention(m[None], m[None], m[None].astype('float16'))
jax.nn.dot_product_attention(m[None], m[None], m[None], mask=row)
jax.nn.dot_product_attention(m[None], m[None], m[None], key_value_seq_lengths=row)
jax.nn.dot_product_attention(m[None], m[None], m[None], implementation='some')
jax.nn.dot_product_attention(m[None], m[None], m[None], implementation='cudnn')
jax.nn.dot_product_attention(jnp.ones((2, 3, 4)), jnp.ones((2, 2, 4)), jnp.ones((2, 2, 4)))
jax.nn.initializers.glorot_normal()(jax.random.key(0), (3,))
jax.nn.initializers.variance_scaling(1.0, 'some', 'normal')(jax.random.key(0), (3, 4))
jax.nn.initializers.variance_scaling(1.0, 'fan_in', 'some')(jax.random.key(0), (3, 4))
jax.nn.initializers.normal()(jax.random.key(0), (3, 4), int)
jax.nn.initializers.uniform(0.1, int)(jax.random.key(0), (3, 4))
jax.nn.initializers.zeros(jax.random.key(0), (-1,))
""".strip().splitlines()
