"""`make_jaxpr` prints what JAX prints: library functions, models, their derivatives and batched forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import minijax
from reference.check import jaxpr_tools, oracle_facts

V = np.linspace(-1.0, 1.0, 3, dtype=np.float32)
W = np.linspace(0.1, 2.0, 3, dtype=np.float32)
M = np.linspace(-2.0, 2.0, 6, dtype=np.float32).reshape(2, 3)
S = np.linspace(-2.0, 2.0, 9, dtype=np.float32).reshape(3, 3)
INDICES = np.asarray([2, 0, 1], np.int32)
B = np.asarray([True, False, True])
X = np.linspace(-1.0, 1.0, 20, dtype=np.float32).reshape(4, 5)
LABELS = np.eye(4, 2, dtype=np.float32)
PARAMS = [
    {"w": np.full((5, 3), 0.1, np.float32), "b": np.zeros(3, np.float32)},
    {"w": np.ones((3, 2), np.float32), "b": np.zeros(2, np.float32)},
]

# ----------------------------------------------------------------- programs, functions of the engine


def mlp(jax: Any, params: Any, x: Any) -> Any:
    """Logits."""
    *hidden, last = params
    for layer in hidden:
        x = jax.nn.relu(x @ layer["w"] + layer["b"])
    return x @ last["w"] + last["b"]


def cross_entropy(jax: Any, params: Any, x: Any, labels: Any) -> Any:
    """Mean cross entropy of the MLP."""
    return -jax.numpy.mean(jax.numpy.sum(labels * jax.nn.log_softmax(mlp(jax, params, x)), axis=-1))


def mean_squares(jax: Any, params: Any, x: Any, labels: Any) -> Any:
    """Mean squared error of the MLP."""
    return jax.numpy.mean((mlp(jax, params, x) - labels) ** 2)


def sgd_step(jax: Any, params: Any, x: Any, labels: Any) -> Any:
    """One step of gradient descent."""
    grads = jax.grad(lambda p: mean_squares(jax, p, x, labels))(params)
    return jax.tree_util.tree_map(lambda p, g: p - 0.1 * g, params, grads)


def attention(jax: Any, q: Any, k: Any, v: Any) -> Any:
    """Scaled dot-product attention."""
    scores = jax.numpy.einsum("qd,kd->qk", q, k) / np.sqrt(q.shape[-1]).astype(np.float32)
    return jax.nn.softmax(scores, axis=-1) @ v


def layer_norm(jax: Any, x: Any, scale: Any, bias: Any) -> Any:
    """Normalisation over the last axis."""
    mean = x.mean(-1, keepdims=True)
    centred = x - mean
    variance = (centred**2).mean(-1, keepdims=True)
    return centred * jax.lax.rsqrt(variance + 1e-5) * scale + bias


def polynomial(jax: Any, x: Any) -> Any:
    """A smooth scalar function."""
    return jax.numpy.sum(jax.numpy.sin(x) * x**3 + jax.numpy.exp(-x * x))


def rosenbrock(jax: Any, x: Any) -> Any:
    """The banana."""
    return jax.numpy.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def custom_clip(jax: Any) -> Any:
    """Identity with clipped cotangents."""

    @jax.custom_vjp
    def clip(x):
        return x * 1.0

    clip.defvjp(lambda x: (x * 1.0, None), lambda _, g: (jax.numpy.clip(g, -1, 1),))
    return clip


def custom_log1pexp(jax: Any) -> Any:
    """The example of JAX's documentation."""

    @jax.custom_jvp
    def log1pexp(x):
        return jax.numpy.log(1.0 + jax.numpy.exp(x))

    @log1pexp.defjvp
    def _(primals, tangents):
        (x,), (t,) = primals, tangents
        return log1pexp(x), (1 - 1 / (1 + jax.numpy.exp(x))) * t

    return log1pexp


def loss_and_gradient(jax: Any, loss: Callable[..., Any]) -> Callable[..., Any]:
    """value_and_grad of a loss of the engine."""
    return jax.value_and_grad(lambda p, x, y: loss(jax, p, x, y))


Case = tuple[str, Callable[[Any], Callable[..., Any]], tuple[Any, ...]]

ELEMENTWISE: list[Case] = [
    ("sin", lambda j: j.numpy.sin, (V,)),
    ("sin-of-a-python-float", lambda j: j.numpy.sin, (1.0,)),
    ("sum-of-int-and-float", lambda j: lambda i, x: i + x, (INDICES, V)),
    ("scalar-left", lambda j: lambda x: 2 * x + 1, (V,)),
    ("scalar-right", lambda j: lambda x: x / 2 - 3, (V,)),
    ("broadcast-add", lambda j: lambda m, v: m + v, (M, V)),
    ("broadcast-column", lambda j: lambda m: m * m[:, :1], (M,)),
    ("powers", lambda j: lambda x: x**2 + x**3 + x**0.5 + 2.0**x, (W,)),
    ("negative-power", lambda j: lambda x: x**-2, (W,)),
    ("comparisons", lambda j: lambda x, y: ((x < y) & (x != 0)) | (y >= 1), (V, W)),
    ("logic", lambda j: j.numpy.logical_and, (B, B)),
    ("where", lambda j: lambda x: j.numpy.where(x > 0, x, 0.0), (V,)),
    ("where-of-two", lambda j: j.numpy.where, (B, V, W)),
    ("maximum", lambda j: lambda x: j.numpy.maximum(x, 0), (V,)),
    ("minimum", lambda j: j.numpy.minimum, (V, W)),
    ("clip", lambda j: lambda x: j.numpy.clip(x, -1, 1), (V,)),
    ("abs-sign", lambda j: lambda x: abs(x) * j.numpy.sign(x), (V,)),
    ("exp-log", lambda j: lambda x: j.numpy.log(j.numpy.exp(x) + 1), (V,)),
    ("log1p-expm1", lambda j: lambda x: j.numpy.log1p(j.numpy.expm1(x)), (W,)),
    ("sqrt", lambda j: j.numpy.sqrt, (W,)),
    ("square", lambda j: j.numpy.square, (V,)),
    ("arctan2", lambda j: j.numpy.arctan2, (V, W)),
    ("floor-divide-ints", lambda j: lambda i: i // 2, (INDICES,)),
    ("remainder-ints", lambda j: lambda i: i % 2, (INDICES,)),
    ("remainder-floats", lambda j: lambda x: x % 2.0, (V,)),
    ("floor", lambda j: j.numpy.floor, (V,)),
    ("round", lambda j: j.numpy.round, (V,)),
    ("astype", lambda j: lambda x: x.astype(j.numpy.int32), (V,)),
    ("isnan", lambda j: j.numpy.isnan, (V,)),
    ("isfinite", lambda j: j.numpy.isfinite, (V,)),
    ("logaddexp", lambda j: j.numpy.logaddexp, (V, W)),
    ("hypot-by-hand", lambda j: lambda x, y: j.numpy.sqrt(x * x + y * y), (V, W)),
    ("bits", lambda j: lambda i: (i << 2) ^ (i & 1) | ~i, (INDICES,)),
]

REDUCTIONS: list[Case] = [
    ("sum", lambda j: j.numpy.sum, (M,)),
    ("sum-axis", lambda j: lambda m: m.sum(axis=0), (M,)),
    ("sum-keepdims", lambda j: lambda m: m.sum(axis=-1, keepdims=True), (M,)),
    ("sum-of-bools", lambda j: j.numpy.sum, (B,)),
    ("mean", lambda j: lambda m: j.numpy.mean(m, axis=1), (M,)),
    ("mean-of-ints", lambda j: j.numpy.mean, (INDICES,)),
    ("max", lambda j: lambda m: m.max(axis=1), (M,)),
    ("min", lambda j: j.numpy.min, (M,)),
    ("prod", lambda j: j.numpy.prod, (V,)),
    ("any-all", lambda j: lambda b: j.numpy.any(b) | j.numpy.all(b), (B,)),
    ("var", lambda j: j.numpy.var, (M,)),
    ("std-axis", lambda j: lambda m: j.numpy.std(m, axis=0), (M,)),
    ("argmax", lambda j: j.numpy.argmax, (V,)),
    ("argmin-axis", lambda j: lambda m: j.numpy.argmin(m, axis=1), (M,)),
    ("cumsum", lambda j: lambda m: j.numpy.cumsum(m, axis=1), (M,)),
    ("norm-by-hand", lambda j: lambda x: j.numpy.sqrt(j.numpy.sum(x**2)), (V,)),
]

SHAPES_AND_DOTS: list[Case] = [
    ("reshape", lambda j: lambda m: m.reshape(3, 2), (M,)),
    ("ravel", lambda j: j.numpy.ravel, (M,)),
    ("transpose", lambda j: lambda m: m.T, (M,)),
    ("swapaxes", lambda j: lambda m: j.numpy.swapaxes(m, 0, 1), (M,)),
    ("expand-dims", lambda j: lambda v: j.numpy.expand_dims(v, 0), (V,)),
    ("squeeze", lambda j: lambda v: j.numpy.squeeze(v[None]), (V,)),
    ("concatenate", lambda j: lambda x, y: j.numpy.concatenate([x, y]), (V, W)),
    ("stack", lambda j: lambda x, y: j.numpy.stack([x, y], axis=1), (V, W)),
    ("broadcast-to", lambda j: lambda v: j.numpy.broadcast_to(v, (2, 3)), (V,)),
    ("zeros-like", lambda j: j.numpy.zeros_like, (M,)),
    ("ones-times", lambda j: lambda x: x * j.numpy.ones(3), (V,)),
    ("arange", lambda j: lambda x: x + j.numpy.arange(3), (V,)),
    ("arange-floats", lambda j: lambda x: x + j.numpy.arange(3.0), (V,)),
    ("one-hot", lambda j: lambda i: j.nn.one_hot(i, 4), (INDICES,)),
    ("eye", lambda j: lambda x: x * j.numpy.eye(3), (S,)),
    ("flip", lambda j: lambda v: j.numpy.flip(v), (V,)),
    ("tril", lambda j: j.numpy.tril, (S,)),
    ("dot-vectors", lambda j: j.numpy.dot, (V, W)),
    ("matmul", lambda j: lambda m, s: m @ s, (M, S)),
    ("matmul-vector", lambda j: lambda m, v: m @ v, (M, V)),
    (
        "matmul-batched",
        lambda j: j.numpy.matmul,
        (np.ones((2, 3, 4), np.float32), np.ones((2, 4, 5), np.float32)),
    ),
    ("outer", lambda j: j.numpy.outer, (V, W)),
    ("einsum", lambda j: lambda m, s: j.numpy.einsum("ij,jk->ki", m, s), (M, S)),
    ("tensordot", lambda j: lambda m, s: j.numpy.tensordot(m, s, axes=1), (M, S)),
    ("vdot", lambda j: j.numpy.vdot, (V, W)),
]

INDEXING: list[Case] = [
    ("index-int", lambda j: lambda x: x[1], (V,)),
    ("index-negative", lambda j: lambda x: x[-1], (V,)),
    ("index-slice", lambda j: lambda m: m[:, 1:], (M,)),
    ("index-stride", lambda j: lambda v: v[::2], (V,)),
    ("index-reverse", lambda j: lambda v: v[::-1], (V,)),
    ("index-newaxis", lambda j: lambda v: v[:, None] - v[None, :], (V,)),
    ("index-ellipsis", lambda j: lambda m: m[..., 0], (M,)),
    ("index-array", lambda j: lambda x, i: x[i], (V, INDICES)),
    ("index-two-arrays", lambda j: lambda s, i: s[i, i], (S, INDICES)),
    ("index-array-and-slice", lambda j: lambda s, i: s[i, 1:], (S, INDICES)),
    ("index-traced-scalar", lambda j: lambda x, i: x[i], (V, np.int32(1))),
    ("at-set", lambda j: lambda x: x.at[1].set(5.0), (V,)),
    ("at-add", lambda j: lambda x: x.at[1:].add(1.0), (V,)),
    ("at-add-array", lambda j: lambda x, i, y: x.at[i].add(y), (V, INDICES, W)),
    ("take", lambda j: lambda x, i: j.numpy.take(x, i, axis=0), (V, INDICES)),
    (
        "take-along-axis",
        lambda j: lambda m, i: j.numpy.take_along_axis(m, i[None, :2] * 0, axis=1),
        (M, INDICES),
    ),
    ("dynamic-slice", lambda j: lambda x, i: j.lax.dynamic_slice_in_dim(x, i, 2), (V, np.int32(1))),
    ("sort", lambda j: j.numpy.sort, (V,)),
    ("argsort", lambda j: j.numpy.argsort, (V,)),
]

NETWORKS: list[Case] = [
    ("relu", lambda j: j.nn.relu, (V,)),
    ("sigmoid", lambda j: j.nn.sigmoid, (V,)),
    ("silu", lambda j: j.nn.silu, (V,)),
    ("gelu", lambda j: j.nn.gelu, (V,)),
    ("softplus", lambda j: j.nn.softplus, (V,)),
    ("elu", lambda j: j.nn.elu, (V,)),
    ("leaky-relu", lambda j: j.nn.leaky_relu, (V,)),
    ("tanh", lambda j: j.numpy.tanh, (V,)),
    ("softmax", lambda j: j.nn.softmax, (M,)),
    ("log-softmax", lambda j: j.nn.log_softmax, (M,)),
    ("logsumexp", lambda j: j.nn.logsumexp, (M,)),
    ("softmax-by-hand", lambda j: lambda m: j.numpy.exp(m) / j.numpy.exp(m).sum(-1, keepdims=True), (M,)),
    ("attention", lambda j: lambda *qkv: attention(j, *qkv), (M, M, M)),
    ("layer-norm", lambda j: lambda *a: layer_norm(j, *a), (M, V, W)),
    ("mlp", lambda j: lambda p, x: mlp(j, p, x), (PARAMS, X)),
    ("cross-entropy", lambda j: lambda p, x, y: cross_entropy(j, p, x, y), (PARAMS, X, LABELS)),
    ("mean-squares", lambda j: lambda p, x, y: mean_squares(j, p, x, y), (PARAMS, X, LABELS)),
]

DERIVATIVES: list[Case] = [
    ("grad-of-square", lambda j: j.grad(lambda x: x**2), (3.0,)),
    ("grad-sin", lambda j: j.grad(j.numpy.sin), (1.0,)),
    ("grad-of-grad", lambda j: j.grad(j.grad(j.numpy.sin)), (1.0,)),
    ("grad-of-grad-of-grad", lambda j: j.grad(j.grad(j.grad(lambda x: x**4))), (1.0,)),
    ("grad-polynomial", lambda j: j.grad(lambda x: polynomial(j, x)), (V,)),
    ("grad-rosenbrock", lambda j: j.grad(lambda x: rosenbrock(j, x)), (V,)),
    ("grad-matmul", lambda j: j.grad(lambda m, s: (m @ s).sum(), argnums=(0, 1)), (M, S)),
    ("grad-where", lambda j: j.grad(lambda x: j.numpy.where(x > 0, x, 0.1 * x).sum()), (V,)),
    ("grad-index", lambda j: j.grad(lambda x: x[1] * x[2]), (V,)),
    ("grad-gather", lambda j: lambda x, i: j.grad(lambda x: x[i].sum())(x), (V, INDICES)),
    ("grad-max", lambda j: j.grad(lambda m: m.max()), (M,)),
    ("grad-softmax", lambda j: j.grad(lambda m: j.nn.softmax(m)[0, 0]), (M,)),
    ("grad-logsumexp", lambda j: j.grad(j.nn.logsumexp), (M,)),
    ("grad-layer-norm", lambda j: j.grad(lambda *a: layer_norm(j, *a).sum()), (M, V, W)),
    ("grad-attention", lambda j: j.grad(lambda *a: attention(j, *a).sum(), argnums=(0, 1, 2)), (M, M, M)),
    ("mlp-loss-and-gradient", lambda j: loss_and_gradient(j, mean_squares), (PARAMS, X, LABELS)),
    ("cross-entropy-and-gradient", lambda j: loss_and_gradient(j, cross_entropy), (PARAMS, X, LABELS)),
    ("sgd-step", lambda j: lambda p, x, y: sgd_step(j, p, x, y), (PARAMS, X, LABELS)),
    ("jitted-sgd-step", lambda j: j.jit(lambda p, x, y: sgd_step(j, p, x, y)), (PARAMS, X, LABELS)),
    ("jvp-sin", lambda j: lambda x, t: j.jvp(j.numpy.sin, (x,), (t,)), (V, W)),
    ("jvp-mlp", lambda j: lambda p, x: j.jvp(lambda x: mlp(j, p, x), (x,), (x,)), (PARAMS, X)),
    ("jvp-of-grad", lambda j: lambda x, t: j.jvp(j.grad(lambda x: polynomial(j, x)), (x,), (t,)), (V, W)),
    (
        "jvp-of-grad-of-a-sum",
        lambda j: lambda x, t: j.jvp(j.grad(lambda x: j.numpy.sin(x[0]) + x[1]), (x,), (t,)),
        (V, W),
    ),
    ("grad-of-grad-of-a-sum", lambda j: j.grad(j.grad(lambda x: x * 3 + j.numpy.sin(x))), (1.0,)),
    (
        "jvp-of-grad-of-a-sum-of-vectors",
        lambda j: lambda x, t: j.jvp(j.grad(lambda x: (j.numpy.sin(x) + 3 * x).sum()), (x,), (t,)),
        (V, W),
    ),
    ("vjp-sin", lambda j: lambda x, g: j.vjp(j.numpy.sin, x)[1](g), (V, W)),
    ("vjp-matmul", lambda j: lambda m, s: j.vjp(j.numpy.matmul, m, s)[1](m @ s), (M, S)),
    ("linearize", lambda j: lambda x, t: j.linearize(j.numpy.sin, x)[1](t), (V, W)),
    ("linearize-the-linear-part", lambda j: j.linearize(lambda x: j.numpy.sin(x) * x, V)[1], (V,)),
    ("linearize-mlp-the-linear-part", lambda j: j.linearize(lambda x: mlp(j, PARAMS, x), X)[1], (X,)),
    ("jacfwd", lambda j: j.jacfwd(lambda x: j.numpy.sin(x) * x[0]), (V,)),
    ("jacrev", lambda j: j.jacrev(lambda x: j.numpy.sin(x) * x[0]), (V,)),
    ("hessian", lambda j: j.hessian(lambda x: j.numpy.sum(x**3)), (V,)),
    ("stop-gradient", lambda j: j.grad(lambda x: j.numpy.sum(j.lax.stop_gradient(x) * x)), (V,)),
    ("custom-jvp", lambda j: custom_log1pexp(j), (1.0,)),
    ("grad-custom-jvp", lambda j: j.grad(custom_log1pexp(j)), (1.0,)),
    ("custom-vjp", lambda j: custom_clip(j), (V,)),
    ("grad-custom-vjp", lambda j: j.grad(lambda x: custom_clip(j)(x).sum()), (V,)),
    ("checkpoint", lambda j: j.checkpoint(lambda x: j.numpy.sin(j.numpy.sin(x))), (V,)),
    (
        "grad-checkpoint",
        lambda j: j.grad(lambda x: j.checkpoint(lambda x: j.numpy.sin(j.numpy.sin(x)))(x).sum()),
        (V,),
    ),
]

BATCHED: list[Case] = [
    ("vmap-sin", lambda j: j.vmap(j.numpy.sin), (M,)),
    ("vmap-dot", lambda j: j.vmap(j.numpy.dot, in_axes=(0, None)), (M, V)),
    ("vmap-dot-both", lambda j: j.vmap(j.numpy.dot), (M, M)),
    ("vmap-in-axis-1", lambda j: j.vmap(j.numpy.sum, in_axes=1), (M,)),
    ("vmap-out-axis-1", lambda j: j.vmap(lambda x: x * 2, out_axes=1), (M,)),
    ("vmap-vmap", lambda j: j.vmap(j.vmap(lambda x, y: x * y, in_axes=(0, None)), in_axes=(None, 0)), (V, W)),
    ("vmap-matmul", lambda j: j.vmap(lambda x, s: s @ x, in_axes=(0, None)), (M, S)),
    ("vmap-softmax", lambda j: j.vmap(j.nn.softmax), (M,)),
    ("vmap-mlp", lambda j: lambda p, x: j.vmap(lambda x: mlp(j, p, x))(x), (PARAMS, X)),
    ("vmap-where", lambda j: j.vmap(lambda x: j.numpy.where(x > 0, x, 0.0)), (M,)),
    ("vmap-index", lambda j: j.vmap(lambda x, i: x[i]), (S, INDICES)),
    ("vmap-reduce-and-broadcast", lambda j: j.vmap(lambda x: x - x.mean()), (M,)),
    ("vmap-grad", lambda j: j.vmap(j.grad(lambda x: polynomial(j, x))), (M,)),
    ("grad-of-vmap", lambda j: j.grad(lambda m: j.vmap(lambda x: polynomial(j, x))(m).sum()), (M,)),
    (
        "per-example-gradients",
        lambda j: j.vmap(j.grad(lambda p, x, y: mean_squares(j, p, x, y)), in_axes=(None, 0, 0)),
        (PARAMS, X[:, None], LABELS[:, None]),
    ),
    ("vmap-of-jit", lambda j: j.vmap(j.jit(lambda x: j.numpy.sin(x) * 2)), (M,)),
    ("jit", lambda j: j.jit(lambda x: x * 2 + 1), (V,)),
    ("jit-of-vmap-of-grad", lambda j: j.jit(j.vmap(j.grad(lambda x: polynomial(j, x)))), (M,)),
    ("grad-of-jit", lambda j: j.grad(j.jit(lambda x: polynomial(j, x))), (V,)),
    ("vmap-custom-jvp", lambda j: j.vmap(custom_log1pexp(j)), (V,)),
    ("vmap-grad-custom-vjp", lambda j: j.vmap(j.grad(lambda x: custom_clip(j)(x).sum())), (M,)),
    (
        "pytree-in-and-out",
        lambda j: lambda d: {"s": d["a"] + d["b"][0], "t": (d["b"][1],)},
        ({"b": [V, W], "a": V},),
    ),
    ("constant-closed-over", lambda j: lambda x: x + j.numpy.asarray(W), (V,)),
    ("unused-argument", lambda j: lambda x, y: x * 2, (V, W)),
    ("argument-returned", lambda j: lambda x, y: (y, x, 1.0), (V, W)),
    (
        "random-uniform",
        lambda j: lambda k: j.random.uniform(j.random.wrap_key_data(k), (3,)),
        (np.zeros(2, np.uint32),),
    ),
    (
        "random-normal",
        lambda j: lambda k: j.random.normal(j.random.wrap_key_data(k), (3,)),
        (np.zeros(2, np.uint32),),
    ),
    ("random-split", lambda j: j.random.split, (np.zeros(2, np.uint32),)),
]


def recurrence(j: Any) -> Callable[..., Any]:
    """A scan with a weight."""
    return lambda w, c, xs: j.lax.scan(lambda c, x: (j.numpy.sin(c @ w) + x, c * x), c, xs)


def invariant(j: Any) -> Callable[..., Any]:
    """A scan whose body computes something that is the same in each turn; the sum of its ys."""
    return lambda w, c, xs: j.lax.scan(lambda c, x: (c * j.numpy.sin(w) + j.numpy.exp(w), c * x), c, xs)[1].sum()


def repeated(j: Any) -> Callable[..., Any]:
    """A while loop."""
    return lambda x, n: j.lax.while_loop(lambda s: s[1] < n, lambda s: (s[0] * j.numpy.sin(s[0]), s[1] + 1), (x, 0))


def choice(j: Any) -> Callable[..., Any]:
    """A cond whose branches have different residuals."""
    return lambda p, x: j.lax.cond(p, lambda x: j.numpy.sin(x) * j.numpy.cos(x), lambda x: x * x, x)


def three_ways(j: Any) -> Callable[..., Any]:
    """A switch."""
    return lambda i, x: j.lax.switch(i, [j.numpy.sin, lambda x: x * x, lambda x: x + 1], x)


def long_rule(j: Any) -> Callable[..., Any]:
    """A custom_jvp function of more equations than are shown in place."""

    @j.custom_jvp
    def f(x: Any) -> Any:
        for _ in range(12):
            x = j.numpy.sin(x)
        return x

    f.defjvp(lambda primals, tangents: (f(*primals), tangents[0]))
    return f


def root(j: Any) -> Callable[..., Any]:
    """A cube root by Newton's method."""

    def newton(f: Any, x: Any) -> Any:
        return j.lax.while_loop(lambda x: abs(f(x)) > 1e-6, lambda x: x - f(x) / j.grad(f)(x), x)

    return lambda a: j.lax.custom_root(lambda x: x**3 - a, 1.5, newton, lambda g, y: y / g(1.0))


N, P, THREE = np.int32(4), np.bool_(True), np.arange(3, dtype=np.int32)
CONTROL_FLOW: list[Case] = [
    ("scan", recurrence, (S, V, M)),
    ("jvp-of-scan", lambda j: lambda *a: j.jvp(recurrence(j), a, a), (S, V, M)),
    ("grad-of-scan", lambda j: j.grad(lambda *a: recurrence(j)(*a)[1].sum(), (0, 1, 2)), (S, V, M)),
    ("vmap-of-scan", lambda j: j.vmap(recurrence(j), (None, 0, None)), (S, S, M)),
    ("grad-of-invariant-scan", lambda j: j.grad(invariant(j), (0, 1, 2)), (V, W, M)),
    ("linearize-of-scan", lambda j: lambda *a: j.linearize(invariant(j), *a)[1](*a), (V, W, M)),
    ("vmap-of-grad-of-scan", lambda j: j.vmap(j.grad(invariant(j), (0, 1, 2)), (0, None, None)), (S, W, M)),
    ("scan-with-passed-on-values", lambda j: lambda c, x: j.lax.scan(lambda c, x: (c, (x, c)), (c, c), x), (V, M)),
    ("scan-of-a-weak-carry", lambda j: lambda x: j.lax.scan(lambda c, x: (c + x, c), 0, x), (V,)),
    ("grad-of-a-weak-carry", lambda j: j.grad(lambda z, x: j.lax.scan(lambda c, x: (c * x, c), z, x)[0]), (1.0, V)),
    (
        "grad-of-a-weak-carry-and-what-comes-of-it",
        lambda j: j.grad(lambda x: j.lax.scan(lambda c, x: (c * 2 + j.numpy.sin(x), c), 0.0, x)[0]),
        (V,),
    ),
    ("scan-from-a-numpy-scalar", lambda j: lambda x: j.lax.scan(lambda c, x: (c * x, c), np.array(2.0, "f4"), x), (V,)),
    ("fori-loop", lambda j: lambda x: j.lax.fori_loop(0, 5, lambda i, v: v * 2 + i, x), (V,)),
    (
        "grad-of-fori-loop",
        lambda j: j.grad(lambda x: j.lax.fori_loop(0, 5, lambda i, v: j.numpy.sin(v) * i, x)),
        (1.0,),
    ),
    ("fori-loop-of-a-traced-bound", lambda j: lambda n, x: j.lax.fori_loop(0, n, lambda i, v: v * 2 + i, x), (N, V)),
    ("while", repeated, (V, N)),
    ("jvp-of-while", lambda j: lambda x, n: j.jvp(lambda x: repeated(j)(x, n)[0], (x,), (x,)), (V, N)),
    ("linearize-of-while", lambda j: lambda x, n: j.linearize(lambda x: repeated(j)(x, n)[0], x)[1](x), (V, N)),
    ("vmap-of-while", lambda j: j.vmap(repeated(j), (None, 0)), (V, THREE)),
    ("vmap-of-vmap-of-while", lambda j: j.vmap(j.vmap(repeated(j), (None, 0)), (0, None)), (M, THREE)),
    ("cond", choice, (P, V)),
    ("grad-of-cond", lambda j: j.grad(lambda x, p: choice(j)(p, x).sum()), (V, P)),
    ("vmap-of-cond", lambda j: j.vmap(choice(j)), (B, S)),
    ("vmap-of-cond-with-one-predicate", lambda j: j.vmap(choice(j), (None, 0)), (P, S)),
    ("vmap-of-grad-of-cond", lambda j: j.vmap(j.grad(lambda x, p: choice(j)(p, x).sum())), (S, B)),
    (
        "grad-of-grad-of-cond",
        lambda j: j.grad(lambda x, p: j.grad(lambda x: choice(j)(p, x).sum())(x).sum()),
        (V, P),
    ),
    (
        "grad-of-a-loop-in-a-branch",
        lambda j: j.grad(
            lambda m, p: j.lax.cond(p, lambda m: j.lax.map(lambda x: x * j.numpy.sin(x), m).sum(), j.numpy.sum, m)
        ),
        (M, P),
    ),
    ("a-long-function-with-a-rule", lambda j: long_rule(j), (V,)),
    ("switch", three_ways, (N, V)),
    ("vmap-of-switch", lambda j: j.vmap(three_ways(j)), (THREE, S)),
    ("map", lambda j: lambda m: j.lax.map(j.numpy.sum, m), (M,)),
    ("map-in-batches", lambda j: lambda m: j.lax.map(j.numpy.sum, m, batch_size=2), (S,)),
    ("associative-scan", lambda j: lambda x: j.lax.associative_scan(j.numpy.multiply, x), (X[0],)),
    ("newton", root, (2.0,)),
    ("grad-of-newton", lambda j: j.grad(root(j)), (2.0,)),
    ("reduce", lambda j: lambda m: j.lax.reduce(m, np.float32(5), j.lax.mul, (1,)), (M,)),
    ("grad-of-grad-of-scan", lambda j: j.grad(lambda c, x: j.grad(lambda c: invariant(j)(c, c, x))(c).sum()), (V, M)),
]

CASES = [*CONTROL_FLOW, *ELEMENTWISE, *REDUCTIONS, *SHAPES_AND_DOTS, *INDEXING, *NETWORKS, *DERIVATIVES, *BATCHED]


@pytest.mark.parametrize("name, program, args", CASES, ids=[case[0] for case in CASES])
def test_text_is_jax_text(name: str, program: Callable[[Any], Any], args: tuple[Any, ...]):
    ours, theirs = (engine.make_jaxpr(program(engine))(*args) for engine in (minijax, jax))
    if name in oracle_facts.JAXPR_TEXT_DIFFERS:
        with pytest.raises(AssertionError):  # if it does not: take the name off the list in oracle_facts.py
            jaxpr_tools.assert_same_text(ours, theirs)
    else:
        jaxpr_tools.assert_same_text(ours, theirs)


def twice(j: Any) -> Callable[..., Any]:
    """One jitted function, called twice."""
    inner = j.jit(lambda x: j.lax.sin(x) * 2.0)
    return lambda x: inner(inner(x))


# Operators and lax alone, so that the only nested calls are the ones that stand here: not a character may differ.
UNTOUCHED: list[Case] = [
    ("no-arguments", lambda j: lambda: 1.0, ()),
    ("no-results", lambda j: lambda x: (), (V,)),
    ("constants", lambda j: lambda x: (x * W, x * np.float32(2), x * 2), (V,)),
    ("long-line", lambda j: lambda *xs: [j.lax.add(x, x) for x in xs], tuple([V] * 30)),
    ("jit", lambda j: j.jit(lambda x: j.lax.sin(x) * 2.0), (V,)),
    ("jit-with-a-name", lambda j: lambda x: j.jit(half)(x) + 1.0, (V,)),
    ("jit-twice", lambda j: twice(j), (V,)),
    ("jit-of-jit", lambda j: j.jit(lambda x: j.jit(lambda y: j.lax.cos(y))(x) * x), (V,)),
    ("jit-with-a-constant", lambda j: j.jit(lambda x: x * W), (V,)),
    ("jit-with-unused-arguments", lambda j: j.jit(lambda x, y: (x, 3.0)), (V, W)),
    ("grad-of-jit", lambda j: j.grad(j.jit(lambda x: j.lax.sin(x) * x)), (1.0,)),
    ("jvp-of-jit", lambda j: lambda x, t: j.jvp(j.jit(j.lax.sin), (x,), (t,)), (V, W)),
    ("vmap-of-jit", lambda j: j.vmap(j.jit(lambda x: j.lax.sin(x) * 2.0)), (M,)),
    ("vmap-of-jit-of-two", lambda j: j.vmap(j.jit(j.lax.mul), in_axes=(0, None)), (V, np.float32(2))),
    ("grad-of-twice", lambda j: j.grad(twice(j)), (1.0,)),
    ("custom-rule-in-jit", lambda j: j.jit(custom_log1pexp(j)), (1.0,)),
    ("scan", lambda j: lambda c, x: j.lax.scan(lambda c, x: (c * x, j.lax.sin(c)), c, x), (V, M)),
    ("scan-of-a-long-body", lambda j: lambda c, x: j.lax.scan(long_body(j), c, x), (V, M)),
    ("grad-of-scan", lambda j: j.grad(lambda c, x: j.lax.scan(lambda c, x: (j.lax.sin(c), c), c, x)[0]), (1.0, V)),
    ("cond", lambda j: lambda p, x: j.lax.cond(p, j.lax.sin, lambda x: x, x), (P, V)),
    ("while", lambda j: lambda x: j.lax.while_loop(lambda x: x < 3, lambda x: x + 1, x), (1.0,)),
    ("checkpoint-in-grad", lambda j: j.grad(j.checkpoint(lambda x: j.lax.sin(x) * x)), (1.0,)),
    ("checkpoint-of-jit", lambda j: j.checkpoint(j.jit(lambda x: j.lax.sin(x) * x)), (V,)),
]


def long_body(j: Any) -> Callable[..., Any]:
    """More equations than are shown in place."""

    def body(c: Any, x: Any) -> Any:
        for _ in range(6):
            c = j.lax.sin(c) * x
        return c, None

    return body


def half(x: Any) -> Any:
    """A function with a name."""
    return x * 0.5


@pytest.mark.parametrize("name, program, args", UNTOUCHED, ids=[case[0] for case in UNTOUCHED])
def test_whole_text_of_nested_calls(name: str, program: Callable[[Any], Any], args: tuple[Any, ...]):
    """Without any normalisation."""
    ours, theirs = (str(engine.make_jaxpr(program(engine))(*args)) for engine in (minijax, jax))
    assert (ours == theirs) == (name not in oracle_facts.NESTED_TEXT_DIFFERS), f"{ours}\n{theirs}"


def test_enough_functions_are_compared():
    names = {case[0] for case in CASES}
    assert len(names) == len(CASES)
    assert len(names - set(oracle_facts.JAXPR_TEXT_DIFFERS)) >= 80
    assert set(oracle_facts.JAXPR_TEXT_DIFFERS) <= names
