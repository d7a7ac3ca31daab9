"""Each layer on both engines, against its definition in NumPy and against each other, with gradients."""

from typing import Any, NamedTuple

import hypothesis
import hypothesis.strategies as st
import layer_formulas as formulas
import numpy as np
import pytest

from minijax.test_util import check_grads
from reference.engines import engine, precision
from reference.layers import (
    attention,
    batch_norm,
    conv,
    conv_transpose,
    dense,
    dropout,
    embedding,
    group_norm,
    gru,
    initializers,
    layer_norm,
    lstm,
    pooling,
    prelu,
    recurrence,
    simple_rnn,
)

INITIALIZERS = initializers.INITIALIZERS

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(2, 5, 4, 4))
SEQUENCES = RNG.normal(size=(2, 5, 4))
TOKENS = RNG.integers(9, size=(3, 4)).astype(np.int32)
LENGTHS = (3, 5)
MASK = np.arange(5) < np.array(LENGTHS)[:, None]


@pytest.fixture
def double(engines):
    """Both engines, in float64."""
    with precision(engines["minijax"], x64=True), precision(engines["jax"], x64=True):
        yield engines


class Case(NamedTuple):
    """A layer with its options, what it is applied to, and its definition in NumPy."""

    name: str
    init: Any
    """(jax, key) -> params"""
    apply: Any
    """(jax, params, x) -> outputs"""
    x: np.ndarray
    formula: Any
    """(params, x) -> outputs, in NumPy"""


def conv_case(x, window, outputs, *, strides=1, padding="SAME", dilation=1, groups=1):
    options = {"strides": strides, "padding": padding, "dilation": dilation, "groups": groups}
    axes = x.ndim - 2
    per_axis = {name: conv.per_axis(options[name], axes) for name in ("strides", "dilation")}
    return Case(
        f"conv{axes}d " + " ".join(str(value) for value in options.values()),
        lambda jax, key: _with_bias(jax, conv.init(jax, key, window, x.shape[-1], outputs, groups=groups)),
        lambda jax, params, x: conv.apply(jax, params, x, **options),
        x,
        lambda params, x: formulas.conv(params, x, **options | per_axis),
    )


def _with_bias(jax, params):
    """Biases that are not zero, so that one that is left out shows."""
    return params | {"b": jax.numpy.arange(1.0, 1 + params["w"].shape[-1])}


def transpose_case(x, window, strides, padding):
    axes = x.ndim - 2
    return Case(
        f"conv_transpose{axes}d {window} {strides} {padding}",
        lambda jax, key: _with_bias(jax, conv_transpose.init(jax, key, window, x.shape[-1], 3)),
        lambda jax, params, x: conv_transpose.apply(jax, params, x, strides=strides, padding=padding),
        x,
        lambda params, x: formulas.conv_transpose(params, x, strides=conv.per_axis(strides, axes), padding=padding),
    )


def pool_case(x, kind, window, strides, padding):
    layer = {"max": pooling.max_pool, "avg": pooling.avg_pool}[kind]
    # nanmean of windows filled up with NaN: padding is not counted
    reduce, fill = (np.max, -np.inf) if kind == "max" else (np.nanmean, np.nan)
    axes = x.ndim - 2
    sizes, steps = conv.per_axis(window, axes), conv.per_axis(window if strides is None else strides, axes)
    return Case(
        f"{kind}_pool{axes}d {window} {strides} {padding}",
        lambda jax, key: (),
        lambda jax, params, x: layer(jax, x, window, strides=strides, padding=padding),
        x,
        lambda params, x: formulas.pool(x, reduce, fill, window=sizes, strides=steps, padding=padding),
    )


def recurrent_case(module, width, masked, reverse):
    """Outputs within the lengths only: those of padding are whatever the carry is."""
    lengths = LENGTHS if masked else (5, 5)

    def apply(jax, params, x):
        mask = jax.numpy.asarray(MASK) if masked else None
        outputs, carry = module.apply(jax, params, x, mask=mask, reverse=reverse)
        return [row[:length] for row, length in zip(outputs, lengths)], list(carry)

    step = getattr(formulas, f"{module.__name__.rsplit('.')[-1]}_step")
    return Case(
        f"{module.__name__.rsplit('.')[-1]}{' masked' * masked}{' reverse' * reverse}",
        lambda jax, key: module.init(jax, key, 4, 3),
        apply,
        SEQUENCES,
        lambda params, x: formulas.recurrent(step, params, x, lengths, width, reverse),
    )


def attention_case(masked, causal):
    return Case(
        f"attention{' masked' * masked}{' causal' * causal}",
        lambda jax, key: attention.init(jax, key, 4),
        lambda jax, params, x: attention.apply(
            jax, params, x, heads=2, causal=causal, mask=jax.numpy.asarray(MASK) if masked else None
        ),
        SEQUENCES,
        lambda params, x: formulas.attention(params, x, 2, LENGTHS if masked else (5, 5), causal),
    )


def norm_params(jax, key):
    return {"scale": jax.numpy.arange(1.0, 5.0), "bias": jax.numpy.arange(4.0)}


STATE = {"mean": np.array([0.5, 0, -1, 2]), "var": np.array([1.0, 2, 0.5, 4])}


def batch_norm_train(jax, params, x):
    return batch_norm.apply(jax, params, jax.tree.map(jax.numpy.asarray, STATE), x, train=True)


def batch_norm_train_formula(params, x):
    mean, var = x.mean((0, 1, 2)), x.var((0, 1, 2))
    y = formulas.batch_norm(params, mean, var, x)
    return y, {"mean": 0.9 * STATE["mean"] + 0.1 * mean, "var": 0.9 * STATE["var"] + 0.1 * var}


def batch_norm_eval(jax, params, x):
    return batch_norm.apply(jax, params, jax.tree.map(jax.numpy.asarray, STATE), x, train=False)


CASES = [
    Case(
        "dense",
        lambda jax, key: _with_bias(jax, dense.init(jax, key, 4, 3)),
        dense.apply,
        SEQUENCES,
        lambda params, x: np.einsum("bti,io->bto", x, params["w"]) + params["b"],
    ),
    conv_case(IMAGES, (3, 2), 6, strides=2, dilation=(1, 2), groups=2),
    conv_case(SEQUENCES, (3,), 4, padding="VALID"),
    transpose_case(IMAGES, (3, 4), 2, "SAME"),
    pool_case(IMAGES, "max", 3, 2, "SAME"),
    pool_case(IMAGES, "avg", 3, 2, "SAME"),
    Case("global_avg_pool", lambda jax, key: (), lambda jax, p, x: pooling.global_avg_pool(jax, x), IMAGES,
         lambda p, x: x.mean((1, 2))),
    Case("batch_norm train", norm_params, batch_norm_train, IMAGES, batch_norm_train_formula),
    Case("batch_norm eval", norm_params, batch_norm_eval, IMAGES,
         lambda p, x: (formulas.batch_norm(p, STATE["mean"], STATE["var"], x), STATE)),
    Case("layer_norm", norm_params, layer_norm.apply, SEQUENCES,
         lambda p, x: np.stack([[formulas.group_norm(p, r[None], 1)[0] for r in rows] for rows in x])),
    Case("group_norm", norm_params, lambda jax, p, x: group_norm.apply(jax, p, x, groups=2), IMAGES,
         lambda p, x: formulas.group_norm(p, x, 2)),
    Case("prelu", lambda jax, key: {"slope": jax.numpy.arange(4.0)}, prelu.apply, IMAGES,
         lambda p, x: np.where(x > 0, x, p["slope"] * x)),
    recurrent_case(simple_rnn, 1, True, False),
    recurrent_case(gru, 1, True, False),
    recurrent_case(lstm, 2, True, False),
    attention_case(True, True),
]  # fmt: skip

DEEPER = [
    conv_case(IMAGES, (3, 3), 3),
    conv_case(IMAGES, (2, 3), 4, strides=(1, 2), padding="VALID"),
    conv_case(IMAGES, (3, 2), 8, strides=2, padding=((1, 0), (2, 1)), dilation=(1, 2), groups=4),
    conv_case(SEQUENCES, (3,), 4, strides=2, dilation=2, groups=2),
    transpose_case(IMAGES, (3, 4), (2, 3), "VALID"),
    transpose_case(IMAGES, (2, 2), 3, "SAME"),
    transpose_case(SEQUENCES, (3,), 1, "SAME"),
    *(pool_case(IMAGES, kind, (2, 3), 1, ((1, 1), (0, 2))) for kind in ("max", "avg")),
    *(pool_case(SEQUENCES, kind, 2, None, "VALID") for kind in ("max", "avg")),
    *(
        recurrent_case(module, width, masked, reverse)
        for module, width in ((simple_rnn, 1), (gru, 1), (lstm, 2))
        for masked, reverse in ((False, False), (False, True), (True, True))
    ),
    attention_case(False, False),
    attention_case(True, False),
    attention_case(False, True),
]


def by_name(cases, **options):
    return [pytest.param(case, id=case.name, **options) for case in cases]


EVERY_CASE = by_name(CASES) + by_name(DEEPER, marks=pytest.mark.full)

# Compiling takes JAX a second for each: one of each kind of program at default depth.
ON_BOTH = ("conv2d", "conv_transpose2d", "max_pool", "batch_norm train", "lstm", "attention")


def close(ours, theirs):
    assert len(ours) == len(theirs) > 0
    for a, b in zip(ours, theirs):
        a, b = np.asarray(a), np.asarray(b)
        assert a.dtype == b.dtype == np.float64
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12 * np.abs(b).max())


@pytest.mark.parametrize("case", EVERY_CASE)
def test_layers_follow_their_definitions(case):
    jax = engine("minijax")
    with precision(jax, x64=True):
        params, x = case.init(jax, jax.random.key(3)), jax.numpy.asarray(case.x)
        outputs = case.apply(jax, params, x)
        close(jax.tree.leaves(outputs), jax.tree.leaves(case.formula(jax.tree.map(np.asarray, params), case.x)))
        call = jax.jit(lambda params, x: case.apply(jax, params, x))
        check_grads(call, (params, x), order=1, modes=["rev"])


@pytest.mark.parametrize(
    "case",
    by_name([case for case in CASES if case.name.startswith(ON_BOTH)])
    + by_name([case for case in CASES + DEEPER if not case.name.startswith(ON_BOTH)], marks=pytest.mark.full),
)
def test_both_engines_agree(double, case):
    results = []
    for jax in double.values():

        def weighted(params, x, jax=jax):
            outputs = case.apply(jax, params, x)
            return sum(jax.numpy.sum(jax.numpy.sin(leaf)) for leaf in jax.tree.leaves(outputs)), outputs

        params = case.init(jax, jax.random.key(3))
        value_and_grads = jax.jit(jax.value_and_grad(weighted, (0, 1), has_aux=True))
        results.append(jax.tree.leaves((params, value_and_grads(params, jax.numpy.asarray(case.x)))))
    close(*results)


@st.composite
def convolutions(draw):
    axes = draw(st.integers(1, 2))

    def each(least, most):
        return tuple(draw(st.integers(least, most)) for _ in range(axes))

    groups = draw(st.sampled_from([1, 2, 4]))
    window, dilation = each(1, 3), each(1, 2)
    sizes = tuple((k - 1) * d + 1 + extra for k, d, extra in zip(window, dilation, each(0, 4)))
    given = tuple(zip(each(0, 2), each(0, 2)))
    padding = draw(st.sampled_from(["SAME", "VALID", given]))
    x = np.random.default_rng(draw(st.integers(0, 99))).normal(size=(2, *sizes, 4))
    return conv_case(
        x,
        window,
        groups * draw(st.integers(1, 2)),
        strides=each(1, 3),
        padding=padding,
        dilation=dilation,
        groups=groups,
    )


@hypothesis.given(convolutions())
def test_convolutions_follow_their_definition(case):
    jax = engine("minijax")
    with precision(jax, x64=True):
        params = case.init(jax, jax.random.key(1))
        outputs = case.apply(jax, params, jax.numpy.asarray(case.x))
        close([outputs], [case.formula(jax.tree.map(np.asarray, params), case.x)])


def test_embedding_rows(jax):
    params = embedding.init(jax, jax.random.key(0), 9, 4)
    rows, back = jax.vjp(lambda params: embedding.apply(jax, params, jax.numpy.asarray(TOKENS)), params)
    np.testing.assert_array_equal(rows, np.asarray(params["w"])[TOKENS])
    (grads,) = back(jax.numpy.ones_like(rows))
    counts = np.bincount(TOKENS.ravel(), minlength=9)
    np.testing.assert_array_equal(grads["w"], np.repeat(counts[:, None], 4, axis=1))


def test_length_mask(jax):
    np.testing.assert_array_equal(recurrence.length_mask(jax, jax.numpy.asarray(LENGTHS), 5), MASK)


# dropout


def test_dropout_keeps_the_mean(engines):
    kept = []
    for jax in engines.values():
        x = jax.numpy.full((100, 100), 3.0)
        y = np.asarray(dropout.apply(jax, jax.random.key(5), x, 0.25, train=True))
        np.testing.assert_allclose(y[y != 0], 4.0)
        assert np.mean(y == 0) == pytest.approx(0.25, abs=0.015)
        kept.append(y != 0)
    np.testing.assert_array_equal(*kept)


def test_dropout_without_training_is_nothing(jax):
    x = jax.numpy.arange(6.0)
    assert dropout.apply(jax, None, x, 0.5, train=False) is x


def test_dropout_says_what_is_missing(jax):
    x = jax.numpy.arange(6.0)
    with pytest.raises(ValueError, match="give a key, or train=False"):
        dropout.apply(jax, None, x, 0.5, train=True)
    with pytest.raises(ValueError, match="the rate is 1; .*less than 1"):
        dropout.apply(jax, jax.random.key(0), x, 1, train=True)


# initial values


@pytest.mark.parametrize("name", [n for n in INITIALIZERS if n.endswith(("normal", "uniform"))])
def test_initial_weights_have_the_variance_of_their_paper(name):
    jax = engine("minijax")
    shape = (3, 3, 40, 60)  # 9 places, 40 inputs, 60 outputs
    w = np.asarray(INITIALIZERS[name](jax, jax.random.key(0), shape))
    variance = {"glorot": 2 / (9 * 40 + 9 * 60), "he": 2 / (9 * 40), "lecun": 1 / (9 * 40)}[name.split("_")[0]]
    assert w.shape == shape
    assert w.dtype == np.float32
    assert w.var() == pytest.approx(variance, rel=0.03)
    assert abs(w.mean()) < 0.03 * variance**0.5
    bound = 3**0.5 if name.endswith("uniform") else 2 / 0.87962566103423978
    assert np.abs(w).max() <= bound * variance**0.5 * (1 + 1e-5)


@pytest.mark.parametrize(
    "name",
    [
        name if name in ("he_normal", "orthogonal") else pytest.param(name, marks=pytest.mark.full)
        for name in INITIALIZERS
    ],
)
def test_initial_weights_are_the_same_on_both_engines(double, name):
    drawn = [INITIALIZERS[name](jax, jax.random.key(1), (3, 2, 6)) for jax in double.values()]
    close(drawn[:1], drawn[1:])


def test_orthogonal_columns(jax):
    w = np.asarray(initializers.orthogonal(jax, jax.random.key(0), (7, 4)))
    np.testing.assert_allclose(w.T @ w, np.eye(4), atol=1e-6)


def test_normal_has_its_deviation():
    jax = engine("minijax")
    w = np.asarray(initializers.normal(0.3)(jax, jax.random.key(0), (100, 100)))
    assert w.std() == pytest.approx(0.3, rel=0.03)


# mistakes, and short numbers


def test_channels_that_do_not_fall_into_groups(jax):
    with pytest.raises(ValueError, match="3 inputs and 4 outputs do not fall into 2 equal groups"):
        conv.init(jax, jax.random.key(0), (3,), 3, 4, groups=2)
    with pytest.raises(ValueError, match="4 channels do not fall into 3 equal groups"):
        group_norm.apply(jax, group_norm.init(jax, 4), jax.numpy.asarray(IMAGES), groups=3)
    with pytest.raises(ValueError, match="4 features do not fall into 3 equal heads"):
        attention.apply(jax, attention.init(jax, jax.random.key(0), 4), jax.numpy.asarray(SEQUENCES), heads=3)


@pytest.mark.parametrize("layer", [conv, conv_transpose])
@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (1, 2, 8, 8, 1)])
def test_axes_that_are_missing(layer, shape):
    with pytest.raises(ValueError, match=r"x of shape \(.*\) and a kernel of shape \(3, 3, 1, 2\).* images \[batch"):
        layer.apply(engine("minijax"), {"w": np.zeros((3, 3, 1, 2), np.float32)}, np.zeros(shape, np.float32))


def test_a_query_that_may_look_nowhere_gives_no_nan(jax):
    x = jax.numpy.asarray(SEQUENCES[:1])
    y = attention.attend(jax, x, x, x, jax.numpy.zeros((1, 5, 5), dtype=bool))
    np.testing.assert_allclose(y, np.broadcast_to(SEQUENCES[:1].mean(1, keepdims=True), y.shape), rtol=2e-5, atol=1e-6)


def test_scores_of_16_bits_do_not_overflow(jax):
    x = jax.numpy.full((2, 3, 64), 50, "float16")
    assert np.array_equal(np.asarray(attention.attend(jax, x, x, x)), np.asarray(x))


def test_norms_of_short_numbers_count_in_long_ones(jax):
    """The mean of 4,096 numbers around 100 in bfloat16, which cannot tell 100 from 100.2."""
    x = jax.numpy.asarray(100 + IMAGES.ravel()[0] * np.ones((4096, 1)), jax.numpy.bfloat16)
    params, state = batch_norm.init(jax, 1)
    y, state = batch_norm.apply(jax, params, state, x, train=True, momentum=0.0)
    assert y.dtype == jax.numpy.bfloat16
    assert state["mean"].dtype == np.float32
    np.testing.assert_allclose(state["mean"], np.asarray(x[0]).astype(np.float32), rtol=1e-6)
