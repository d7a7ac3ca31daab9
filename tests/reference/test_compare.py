"""Both engines in lockstep: they agree, and it is noticed when they do not."""

import json
import math
import types
from dataclasses import replace

import numpy as np
import pytest

from reference import picture, report
from reference.compare import Comparison, Difference, compare, parameter_difference, tolerance_for
from reference.optimizers import OPTIMIZERS
from reference.recipes import RECIPES
from reference.tasks import experiment as make
from reference.training import fit

RECIPE = RECIPES["jax-in-action"]
USUAL = ("adam",)  # test_trajectories.py has more of them, with every model


class Altered(types.SimpleNamespace):
    """An engine with some of its functions replaced."""

    def __init__(self, jax, **replaced):
        super().__init__(**replaced)
        self._jax = jax

    def __getattr__(self, name):
        return getattr(self._jax, name)


def wrong_gradients(jax, factor):
    """An engine whose gradients are `factor` times what they should be."""

    def value_and_grad(function, has_aux=False):
        def wrong(*args):
            value, grads = jax.value_and_grad(function, has_aux=has_aux)(*args)
            return value, jax.tree.map(lambda g: factor * g, grads)

        return wrong

    return Altered(jax, value_and_grad=value_and_grad)


def assert_agreement(seen, tolerance, steps):
    assert seen.failures == {}
    assert seen.agree
    assert [len(losses) for losses in seen.losses] == [steps, steps]
    assert [p.step for p in seen.parameters] == list(range(steps + 1))
    assert seen.largest_loss_difference().relative <= tolerance.loss
    assert seen.largest_parameter_difference().relative <= tolerance.parameters
    assert seen.losses[0][-1] < seen.losses[0][0]


# agreement, with parameters compared at every step


@pytest.mark.parametrize("x64", [False, True], ids=["float32", "float64"])
@pytest.mark.parametrize(
    "optimizer",
    [name if name in USUAL else pytest.param(name, marks=pytest.mark.full) for name in OPTIMIZERS],
)
def test_engines_agree_on_digits(engines, digits, optimizer, x64):
    experiment = make("mlp", digits, optimizer=optimizer, steps=30)
    tolerance = tolerance_for(x64=x64)
    seen = compare(engines, experiment, digits, tolerance=tolerance, x64=x64, check_every=1)
    assert_agreement(seen, tolerance, 30)


@pytest.mark.full
@pytest.mark.parametrize("x64", [False, True], ids=["float32", "float64"])
def test_engines_agree_on_mnist(engines, mnist, x64):
    experiment = make("mlp", mnist, epochs=1, steps=40)
    tolerance = tolerance_for(x64=x64)
    seen = compare(engines, experiment, mnist, tolerance=tolerance, x64=x64, check_every=1)
    assert_agreement(seen, tolerance, 40)


@pytest.mark.full
@pytest.mark.parametrize("x64", [False, True], ids=["float32", "float64"])
def test_engines_agree_on_mnist_for_three_epochs(engines, mnist, x64):
    tolerance = tolerance_for(x64=x64)
    seen = compare(engines, make("mlp", mnist), mnist, tolerance=tolerance, x64=x64, check_every=1)
    assert_agreement(seen, tolerance, 3 * (60000 // 128))
    assert min(evaluation["accuracy"] for evaluation in seen.epochs[-1].test) > 0.96


@pytest.mark.full
def test_the_recipe_begins_as_measured_with_jax(engines, mnist):
    experiment = RECIPE.experiment(mnist)._replace(epochs=1)
    _, history, _ = fit(engines["jax"], experiment, mnist, progress=False)
    assert history[0]["loss"] == pytest.approx(RECIPE.measured.first_loss, abs=5e-5)


def test_engines_agree_on_the_start_of_the_recipe(engines, mnist):
    experiment = RECIPE.experiment(mnist)._replace(steps=60)
    tolerance = tolerance_for(x64=False)
    seen = compare(engines, experiment, mnist, tolerance=tolerance, check_every=1)
    assert_agreement(seen, tolerance, 60)


@pytest.mark.full
def test_engines_agree_on_the_whole_recipe(engines, mnist):
    seen = compare(
        engines,
        RECIPE.experiment(mnist),
        mnist,
        tolerance=tolerance_for(x64=False, recipe=RECIPE),
        check_every=1000,
        measured=RECIPE.measured,
    )
    assert seen.failures == {}
    assert len(seen.epochs) == 25


def test_precision_is_put_back(engines, small):
    before = [jax.config.jax_enable_x64 for jax in engines.values()]
    experiment = make("mlp", small, steps=1)
    compare(engines, experiment, small, tolerance=tolerance_for(x64=True), x64=True)
    assert [jax.config.jax_enable_x64 for jax in engines.values()] == before


# disagreement


def altered(engines, replacement):
    """The replacement against an engine that is known to be right here, and compiles in no time."""
    return {"altered": replacement, "minijax": engines["minijax"]}


def test_the_mean_of_an_epoch_is_over_examples(engines, small):
    """A last batch of 32 counts for a third of one of 96, as it does in `fit`."""
    ours = engines["minijax"]
    experiment = make("mlp", small, epochs=1, batch_size=96)._replace(drop_last=False)
    seen = compare({"minijax": ours, "again": ours}, experiment, small, tolerance=tolerance_for(x64=False))
    expected = fit(ours, experiment, small, progress=False).history[0]["loss"]
    assert seen.epochs[0].train_loss == pytest.approx([expected, expected], rel=1e-6)


@pytest.mark.parametrize("factor", [1.01, -1.0])
def test_wrong_gradients_are_noticed(engines, small, factor):
    engines = altered(engines, wrong_gradients(engines["minijax"], factor))
    experiment = make("mlp", small, steps=10, epochs=10)
    seen = compare(engines, experiment, small, tolerance=tolerance_for(x64=False), check_every=1)
    assert not seen.agree
    assert len(seen.losses[0]) == 10
    assert seen.failures["loss"].startswith("at step 2 the loss is ")
    assert seen.failures["parameters"].startswith("after step 1 the parameters ")
    verdict = report.verdict(seen)
    assert verdict.startswith("The engines disagree: ")
    assert all(sentence in verdict for sentence in seen.failures.values())


def test_another_draw_is_noticed_before_the_first_step(engines, small):
    jax = engines["minijax"]
    random = Altered(jax.random, key=lambda seed: jax.random.key(seed + 1))
    engines = altered(engines, Altered(jax, random=random))
    experiment = make("mlp", small, steps=1)
    seen = compare(engines, experiment, small, tolerance=tolerance_for(x64=False))
    assert seen.failures["parameters"].startswith("after step 0 the parameters ")


def test_a_diverging_training_stops(engines, small):
    engines = altered(engines, wrong_gradients(engines["minijax"], math.nan))
    experiment = make("mlp", small, steps=10, epochs=10)
    seen = compare(engines, experiment, small, tolerance=tolerance_for(x64=False))
    assert seen.failures["finite"].startswith("the training diverged: at step 2 the loss is nan with altered")
    assert len(seen.losses[0]) == 2
    assert seen.largest_loss_difference() == Difference(math.inf, math.inf)


def test_results_beside_the_measured_ones_are_noticed(engines, small):
    engines = altered(engines, engines["minijax"])
    experiment = make("mlp", small, epochs=2)
    measured = RECIPE.measured._replace(epochs=2)
    tolerance = tolerance_for(x64=False, recipe=RECIPE)
    seen = compare(engines, experiment, small, tolerance=tolerance, measured=measured)
    assert list(seen.failures) == [
        f"{what} {name}"
        for name in ("altered", "minijax")
        for what in ("loss of the first epoch", "loss of the last epoch", "final accuracy")
    ]
    only_first = compare(engines, experiment._replace(epochs=1), small, tolerance=tolerance, measured=measured)
    assert len(only_first.failures) == 2


def test_epoch_means_are_compared_for_a_recipe(engines, small):
    engines = altered(engines, wrong_gradients(engines["minijax"], 0.5))
    experiment = make("mlp", small, epochs=1)
    seen = compare(engines, experiment, small, tolerance=tolerance_for(x64=False, recipe=RECIPE))
    assert "a difference of 0.0005 is allowed" in seen.failures["epoch loss"]


# how differences are measured


def test_parameter_difference_is_by_largest_entry_of_each_leaf(engines):
    theirs = {"a": np.array([4.0, 0.0]), "b": np.array([100.0, 1.0]), "zero": np.zeros(2)}
    ours = {"a": np.array([4.0, 0.2]), "b": np.array([100.0, 2.0]), "zero": np.zeros(2)}
    found = parameter_difference(engines["jax"], ours, theirs, 3)
    assert found == (3, "['a']", (1.0, 0.05))


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_what_is_not_finite_is_infinitely_far_away(engines, wrong):
    for ours, theirs in ((wrong, 1.0), (1.0, wrong), (wrong, wrong)):
        found = parameter_difference(engines["jax"], [np.array([ours])], [np.array([theirs])], 0)
        assert found.difference == (math.inf, math.inf)


@pytest.mark.parametrize("other", [np.zeros((1, 2)), np.zeros(2, np.float32), [np.zeros(2)]])
def test_parameters_of_another_form_are_no_parameters(engines, other):
    with pytest.raises(ValueError, match="differ in form"):
        parameter_difference(engines["jax"], {"w": np.zeros(2)}, {"w": other}, 0)


# what is shown


@pytest.fixture(scope="module")
def seen(engines, small):
    experiment = make("mlp", small, batch_size=16, epochs=2)
    return compare(engines, experiment, small, tolerance=tolerance_for(x64=False))


def test_table(seen):
    lines = report.table_head(seen.engines).splitlines()
    lines += [report.table_row(row) for row in seen.epochs]
    assert len({len(line) for line in lines}) == 1
    assert lines[-1].split()[0] == "2"
    assert len(lines[-1].split()) == len(lines[1].split()) + 1 == 11


def test_record(seen, tmp_path):
    seen = replace(seen, losses=[[math.inf, *seen.losses[0][1:]], seen.losses[1]])
    path = tmp_path / "runs" / "record.json"
    report.write_record(path, seen, {"model": "mlp"})
    record = json.loads(path.read_text())
    assert record["settings"] == {"model": "mlp"}
    assert record["agree"] is True
    assert record["losses"]["minijax"][0] is None
    assert record["losses"]["jax"] == seen.losses[1]
    assert [row["epoch"] for row in record["epochs"]] == [1, 2]
    assert record["epochs"][0]["test_accuracy"]["jax"] == seen.epochs[0].test[1]["accuracy"]


def test_picture(seen, tmp_path):
    picture.draw(tmp_path / "picture.png", seen, "title")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    assert len(list(tmp_path.iterdir())) == 1


def test_picture_of_a_training_that_diverged(tmp_path):
    seen = Comparison(["minijax", "jax"], tolerance_for(x64=False), losses=[[1.0, math.nan], [1.0, 0.9]])
    seen.fail("finite", "the training diverged")
    picture.draw(tmp_path / "picture.png", seen, "title")
    assert (tmp_path / "picture.png").exists()
