"""What each model promises, on minijax, which is quick; that both engines train alike is in test_trajectories.py."""

import math

import numpy as np
import pytest
from small_models import CLASSES, SHAPE, SMALL, TIME, TOKENS, residual

from reference.engines import engine, precision
from reference.losses import softmax_cross_entropy
from reference.models import Model, cnn, gan, gpt, quarter_turns, resnet, rnn, transfer, vae
from reference.optimizers import adam
from reference.tasks import MODELS, experiment
from reference.training import init_state, make_train_step, supervised
from reference.training.checkpoints import named_arrays, restore_tree

RNG = np.random.default_rng(0)


@pytest.fixture
def mj():
    """minijax, in float64."""
    jax = engine("minijax")
    with precision(jax, x64=True):
        yield jax


def drawn(jax, name):
    """Parameters, state and a batch of a small model."""
    params, state = SMALL[name].model.init(jax, jax.random.key(0))
    return params, state, SMALL[name].batch(np.random.default_rng(1), np.float64)


def leaves(jax, tree):
    return [np.array(leaf) for leaf in jax.tree.leaves(tree)]


# all of them


@pytest.mark.parametrize("name", SMALL)
def test_a_batch_is_learnt_by_heart(name):
    jax, small = engine("minijax"), SMALL[name]
    optimizer = small.optimizer(adam(0.01))
    step, state = make_train_step(jax, small.objective, optimizer), init_state(jax, small.model, optimizer)
    batch = small.batch(np.random.default_rng(0), np.float32)
    losses = []
    for _ in range(60):
        state, measures = step(state, batch)
        losses.append(float(measures["loss"]))
    if name == "gan":  # two players: what one gains the other loses
        assert np.isfinite(losses).all()
    else:
        assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])


@pytest.mark.parametrize("name", [name for name in SMALL if name != "gan"])
def test_evaluation_draws_nothing_and_keeps_the_state(mj, name):
    params, state, (x, _) = drawn(mj, name)
    outputs, after = SMALL[name].model.apply(mj, params, state, mj.numpy.asarray(x), key=None, train=False)
    again, _ = SMALL[name].model.apply(mj, params, state, mj.numpy.asarray(x), key=mj.random.key(9), train=False)
    for before, later in zip(leaves(mj, state), leaves(mj, after), strict=True):
        np.testing.assert_array_equal(before, later)
    if not name.endswith("vae"):  # which draws a code wherever it has a key
        for first, second in zip(leaves(mj, outputs), leaves(mj, again), strict=True):
            np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", MODELS)
def test_every_task_makes_an_experiment(name, digits):
    """Of its own kind of data, with a model whose outputs its objective takes: traced, not computed."""
    jax, task = engine("minijax"), MODELS[name]
    tokens = RNG.integers(1, 9, size=(200, 13)).astype(np.int32)
    words = digits._replace(
        name="words", x_train=tokens, y_train=tokens[:, 0] % 2, white=None, vocabulary=tuple("abcdefghi")
    )
    kinds = [digits, words, words._replace(y_train=tokens)]
    dataset = next(dataset for dataset in kinds if task.unsuitable(dataset) is None)
    made = experiment(name, dataset._replace(classes=10), epochs=1)
    x, y = dataset.inputs(dataset.x_train[:2]), dataset.y_train[:2]

    def loss(key):
        params, state = made.model.init(jax, key)
        value, (_, outputs) = made.objective(jax, params, state, (x, y), key, train=True)
        for metric in made.metrics.values():
            metric.update(jax, metric.init(jax), outputs, y)
        return value

    shape = jax.eval_shape(loss, jax.random.key(0))
    assert (shape.shape, shape.dtype) == ((), np.float32)


# convolutional and residual networks


def count(jax, init):
    params, _ = jax.eval_shape(init, jax.random.key(0))
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(params))


@pytest.mark.parametrize(
    "model, parameters",
    [
        (cnn.cnn((28, 28, 1), 10), 421_642),
        (resnet.resnet(3, 1000, resnet.Layout(18, large=True)), 11_689_512),
        (resnet.resnet(3, 1000, resnet.Layout(34, large=True)), 21_797_672),
        (resnet.resnet(3, 1000, resnet.Layout(50, large=True)), 25_557_032),
        (resnet.resnet(3, 10, resnet.Layout(18)), 11_173_962),
    ],
    ids=["cnn", "resnet-18", "resnet-34", "resnet-50", "resnet-18 for 32x32"],
)
def test_sizes_are_the_published_ones(model, parameters):
    jax = engine("minijax")
    assert count(jax, lambda key: model.init(jax, key)) == parameters


@pytest.mark.parametrize("large, places", [(False, (4, 4)), (True, (1, 1))])
def test_residual_networks_take_their_images(large, places):
    """The stem for large images divides them by four, the one for small ones not at all; three stages by eight."""
    jax, layout = engine("minijax"), resnet.Layout(18, width=2, large=large)
    seen = []

    def pooled(jax, x):
        seen.append(x.shape)
        return x.mean((1, 2))

    def features(key):
        params, state = resnet.init_features(jax, key, 3, layout)
        return resnet.features(jax, params, state, jax.numpy.zeros((2, 32, 32, 3)), layout, train=True)[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resnet.pooling, "global_avg_pool", pooled)
        shape = jax.eval_shape(features, jax.random.key(0)).shape
    assert shape == (2, layout.outputs) == (2, 16)
    assert seen == [(2, *places, 16)]


def test_images_too_small_to_be_halved():
    with pytest.raises(ValueError, match="2x8 cannot be halved 2 times; use fewer convolutions"):
        cnn.pooled_size((2, 8, 1), 2)
    with pytest.raises(ValueError, match="6x8 cannot be halved 2 times; use fewer channels"):
        jax = engine("minijax")
        gan.gan((6, 8, 1)).init(jax, jax.random.key(0))


# recurrent networks


@pytest.mark.parametrize("cell", rnn.CELLS)
def test_padding_after_a_sentence_changes_nothing(mj, cell):
    model = rnn.rnn(cell, TOKENS, CLASSES, features=4, units=(5, 3))
    params, state = model.init(mj, mj.random.key(0))
    short = mj.numpy.asarray([[3, 1, 4]])
    long = mj.numpy.asarray([[3, 1, 4, 0, 0, 0]])
    results = [model.apply(mj, params, state, x, key=None, train=False)[0] for x in (short, long)]
    np.testing.assert_allclose(*map(np.asarray, results), rtol=1e-13)


# autoencoder


def test_the_evidence_bound_is_its_formula(mj):
    params, state, (x, y) = drawn(mj, "conv-vae")
    value, (_, seen) = SMALL["conv-vae"].objective(mj, params, state, (x, y), mj.random.key(2), train=True)
    logits, mean, log_variance = (np.asarray(seen[name]) for name in ("logits", "mean", "log_variance"))
    p = 1 / (1 + np.exp(-logits))
    pixels = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum()
    variance = np.exp(log_variance)
    divergence = sum(
        np.log(1 / np.sqrt(v)) + (v + m**2) / 2 - 0.5 for m, v in zip(mean.ravel(), variance.ravel(), strict=True)
    )
    assert float(value) == pytest.approx((pixels + divergence) / 4, rel=1e-12)


def test_codes_are_drawn_around_their_mean(mj):
    """A decoder that shows its z, and an encoder that always says mean 2 and deviation e."""
    coder = vae.Coder(
        "shows z",
        3,
        lambda jax, key: (),
        lambda jax, params, x: (jax.numpy.full((len(x), 3), 2.0), jax.numpy.full((len(x), 3), 2.0)),
        lambda jax, params, z: z,
    )
    x = mj.numpy.zeros((4000, 1))
    seen, _ = vae.vae(coder).apply(mj, (), (), x, key=mj.random.key(0), train=True)
    z = np.asarray(seen["logits"])
    assert z.mean() == pytest.approx(2, abs=0.1)
    assert z.std() == pytest.approx(math.e, rel=0.03)
    seen, _ = vae.vae(coder).apply(mj, (), (), x, key=None, train=False)
    assert (np.asarray(seen["logits"]) == 2).all()
    with pytest.raises(ValueError, match="give a key, or train=False"):
        vae.vae(coder).apply(mj, (), (), x, key=None, train=True)


@pytest.mark.parametrize("shape", [(8, 8, 1), (7, 10, 3)])
def test_decoders_make_images_of_the_given_shape(mj, shape):
    for coder in (vae.dense_coder(shape, 3, 5), vae.conv_coder(shape, 3, (2, 2))):
        params = coder.init(mj, mj.random.key(0))
        images = np.asarray(vae.generate(mj, coder, params, mj.random.key(1), 4))
        assert images.shape == (4, *shape)
        assert 0 < images.min() < images.max() < 1
        assert np.abs(images[0] - images[1]).max() > 1e-3
        assert coder.encode(mj, params, mj.numpy.asarray(images))[0].shape == (4, 3)


# adversaries


def test_each_player_has_the_gradient_of_its_own_loss(mj):
    params, state, (x, y) = drawn(mj, "gan")
    model, key = SMALL["gan"].model, mj.random.key(3)

    def loss(of, params):
        seen, _ = model.apply(mj, params, state, x, key=key, train=True)
        softplus = mj.nn.softplus
        if of == "generator":
            return softplus(-seen["fooled"]).mean()
        real = 0.9 * softplus(-seen["real"]) + 0.1 * softplus(seen["real"])
        return (real.mean() + softplus(seen["fake"]).mean()) / 2

    both = mj.grad(lambda params: SMALL["gan"].objective(mj, params, state, (x, y), key, train=True)[0])(params)
    for player in ("generator", "discriminator"):
        other = {"generator": "discriminator", "discriminator": "generator"}[player]
        own = mj.grad(lambda params, player=player: loss(player, params))(params)
        for ours, whole in zip(leaves(mj, own[player]), leaves(mj, both[player]), strict=True):
            np.testing.assert_allclose(ours, whole, rtol=1e-11, atol=1e-15)
            assert np.abs(whole).max() > 0
        assert not any(leaf.any() for leaf in leaves(mj, own[other]))


def test_generated_images(mj):
    params, state, _ = drawn(mj, "gan")
    images = np.asarray(gan.paint(mj, params, state, mj.random.key(1), 3, SHAPE))
    assert images.shape == (3, *SHAPE)
    assert 0 <= images.min() < images.max() <= 1
    with pytest.raises(ValueError, match="give a key"):
        SMALL["gan"].model.apply(mj, params, state, mj.numpy.asarray(images), key=None, train=False)


def test_judged_right_is_the_share_of_both_kinds(mj):
    metric, state = gan.judged_right(), gan.judged_right().init(mj)
    for real, fake in (([1.0, -1.0], [-1.0, -1.0]), ([2.0, 2.0, 2.0, -1.0], [3.0, 3.0, 3.0, 3.0])):
        outputs = {"real": mj.numpy.asarray(real), "fake": mj.numpy.asarray(fake)}
        state = metric.update(mj, state, outputs, np.zeros(len(real)))
    assert float(metric.result(mj, state)) == pytest.approx((1 + 2 + 3 + 0) / 12)


# which way up


def test_images_are_turned_against_the_clock(mj):
    x = RNG.uniform(size=(4, 5, 5, 2))
    views = quarter_turns.turned(mj, mj.numpy.asarray(x), mj.numpy.asarray([0, 1, 2, 3]))
    for turns, (before, after) in enumerate(zip(x, np.asarray(views), strict=True)):
        np.testing.assert_array_equal(after, np.rot90(before, turns))


def test_turns_are_guessed_from_what_is_seen(mj):
    """A model that finds the bright corner, which tells the turn: without labels, and whatever they are."""
    x = np.zeros((64, 4, 4, 1))
    x[:, 0, 0] = 9.0
    corners = ((0, 0), (3, 0), (3, 3), (0, 3))

    def apply(jax, params, state, x, *, key, train):
        return jax.numpy.stack([x[:, i, j, 0] for i, j in corners], axis=1), state

    objective = quarter_turns.objective(Model("sees corners", None, apply))
    loss, (_, outputs) = objective(mj, (), (), (x, None), mj.random.key(0), train=True)
    assert float(loss) == pytest.approx(np.log(1 + 3 * np.exp(-9.0)))
    assert set(np.asarray(outputs["turns"]).tolist()) == {0, 1, 2, 3}
    metric = quarter_turns.guessed_right()
    assert float(metric.result(mj, metric.update(mj, metric.init(mj), outputs, np.zeros(64)))) == 1


# transfer


@pytest.mark.parametrize("frozen", [True, False])
def test_a_frozen_backbone_stays(frozen):
    jax, layout = engine("minijax"), residual(18)
    trained = resnet.resnet(1, 7, layout).init(jax, jax.random.key(5))
    model = transfer.transfer(1, CLASSES, layout, pretrained=trained, frozen=frozen)
    small = SMALL["transfer" if frozen else "fine-tuned"]._replace(model=model)
    optimizer = transfer.trained_head(adam(0.01)) if frozen else adam(0.01)
    state = init_state(jax, model, optimizer)
    head = np.array(state.params["head"]["w"])
    expected = leaves(jax, (trained[0]["features"], trained[1]))
    for before, after in zip(expected, leaves(jax, (state.params["features"], state.model_state)), strict=True):
        np.testing.assert_array_equal(before, after)
    step = make_train_step(jax, supervised(model, softmax_cross_entropy), optimizer)
    state, _ = step(state, small.batch(np.random.default_rng(0), np.float32))
    assert np.abs(np.asarray(state.params["head"]["w"]) - head).max() > 0.005
    after = leaves(jax, (state.params["features"], state.model_state))
    same = [np.array_equal(a, b) for a, b in zip(expected, after, strict=True)]
    assert all(same) if frozen else not any(same)
    for before, kept in zip(expected, leaves(jax, (trained[0]["features"], trained[1])), strict=True):
        np.testing.assert_array_equal(before, kept)


def test_a_checkpoint_of_a_residual_network_has_the_backbone_by_its_names():
    """`train fine-tune --start-from` takes what has the same name and shape: all but the classifiers."""
    jax, layout = engine("minijax"), residual(18)
    trained = resnet.resnet(1, 7, layout).init(jax, jax.random.key(5))
    fresh = transfer.transfer(1, CLASSES, layout).init(jax, jax.random.key(6))
    arrays, _ = named_arrays(jax, {"params": trained[0], "model_state": trained[1]})
    found, mismatch = restore_tree(jax, {"params": fresh[0], "model_state": fresh[1]}, arrays)
    assert mismatch.missing == ["params/head/b", "params/head/w"]
    assert mismatch.unexpected == ["params/out/b", "params/out/w"]
    assert not mismatch.shapes
    expected = leaves(jax, (trained[0]["features"], trained[1]))
    taken = leaves(jax, (found["params"]["features"], found["model_state"]))
    for before, after in zip(expected, taken, strict=True):
        np.testing.assert_array_equal(before, after)


# GPT

LAYOUT = gpt.Layout(TOKENS, context=TIME, features=8, heads=2, blocks=2)


@pytest.fixture
def writer(mj):
    """Weights large enough for the network to have opinions."""
    return mj.tree.map(lambda leaf: 20 * leaf if leaf.ndim > 1 else leaf, gpt.init(mj, mj.random.key(0), LAYOUT))


def test_gpt_does_not_look_ahead(mj, writer):
    tokens = RNG.integers(TOKENS, size=(1, TIME))
    logits = np.asarray(gpt.apply(mj, writer, mj.numpy.asarray(tokens), LAYOUT, key=None, train=False))
    for t in range(TIME):
        other = tokens.copy()
        other[0, t] = (other[0, t] + 1) % TOKENS
        changed = np.asarray(gpt.apply(mj, writer, mj.numpy.asarray(other), LAYOUT, key=None, train=False))
        np.testing.assert_allclose(changed[0, :t], logits[0, :t], rtol=1e-12)
        assert (np.abs(changed[0, t:] - logits[0, t:]).max(axis=-1) > 1e-6).all()


def test_a_row_longer_than_the_context(mj, writer):
    with pytest.raises(ValueError, match=f"{TIME + 1} tokens in a row; the context is {TIME}"):
        gpt.apply(mj, writer, mj.numpy.zeros((1, TIME + 1), int), LAYOUT, key=None, train=False)


@pytest.mark.parametrize("known", [1, TIME - 1, TIME, TIME + 3])
def test_writing_on_is_guessing_one_token_after_the_other(mj, writer, known):
    prompt = RNG.integers(TOKENS, size=(2, known)).astype(np.int32)
    written = gpt.generate(mj, writer, mj.numpy.asarray(prompt), LAYOUT, mj.random.key(0), 9, temperature=0)
    text = prompt
    for _ in range(9):
        seen = mj.numpy.asarray(text[:, -TIME:])
        logits = np.asarray(gpt.apply(mj, writer, seen, LAYOUT, key=None, train=False))
        text = np.concatenate([text, logits[:, -1].argmax(-1)[:, None]], axis=1)
    np.testing.assert_array_equal(written, text[:, known:])
    assert len(set(text[0].tolist())) > 2


def test_samples_follow_temperature_and_top_k(mj):
    logits = np.log([0.1, 0.2, 0.3, 0.4])
    rows = mj.numpy.asarray(np.tile(logits, (20_000, 1)))

    def shares(**how):
        drawn = np.asarray(gpt.sample(mj, mj.random.key(0), rows, **how))
        assert drawn.dtype == np.int32
        return np.bincount(drawn, minlength=4) / len(drawn)

    np.testing.assert_allclose(shares(), [0.1, 0.2, 0.3, 0.4], atol=0.02)
    np.testing.assert_allclose(shares(temperature=0.5), np.array([1, 4, 9, 16]) / 30, atol=0.02)
    np.testing.assert_allclose(shares(top_k=2), [0, 0, 3 / 7, 4 / 7], atol=0.02)
    np.testing.assert_allclose(shares(top_k=9), [0.1, 0.2, 0.3, 0.4], atol=0.02)
    np.testing.assert_allclose(shares(temperature=0), [0, 0, 0, 1])
