"""The benchmarks: all contestants do the same work, and what is printed of them is what was measured."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from reference import cli
from reference.bench import command, floors, measuring, profiling, rows, training, work
from reference.bench.attention import attention
from reference.bench.cnn import cnn
from reference.bench.compiling import equations
from reference.bench.derivatives import elementwise, hessian, per_example, scalar_chain
from reference.bench.lstm import lstm
from reference.bench.measuring import Benchmark, Ratio, measure, ratio
from reference.bench.mlp import mlp
from reference.engines import engine
from reference.recipes import jax_in_action

ROOT = Path(__file__).parents[2]

WORKS = {
    "mlp": lambda: mlp(6, (7, 5, 3)),
    "cnn": lambda: cnn(3, side=8, channels=(3, 4), hidden=5, classes=3),
    "lstm": lambda: lstm(3, length=4, hidden=5, tokens=11, classes=3),
    "attention": lambda: attention(2, length=5, width=8, heads=2),
    "elementwise": lambda: elementwise(50),
    "per-example": lambda: per_example(4, inputs=5, hidden=3),
    "hessian": lambda: hessian(6),
    "scalar chain": lambda: scalar_chain(31),
}


# ----------------------------------------------------------------- the work


def agree(this, name):
    """Hold a contestant's results against those by hand: same tree, shapes, float32, within 1e-4 of the largest."""
    one = work.contestant(name, this)
    if one is None:
        pytest.skip(f"{name} is not installed")
    found = one.to_numpy(one.run())
    wanted = this.by_hand(*this.arguments)
    assert type(found) is type(wanted) or isinstance(found, np.ndarray)
    pairs = list(zip(work.leaves(found), work.leaves(wanted), strict=True))
    for ours, theirs in pairs:
        assert np.shape(ours) == np.shape(theirs)
        assert np.asarray(ours).dtype == np.float32
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4 * np.abs(theirs).max() + 1e-7)
    assert any(np.any(np.asarray(ours)) for ours, _ in pairs)


@pytest.mark.filterwarnings("ignore:`torch.jit.script`:DeprecationWarning")  # within torch's own Hessian
@pytest.mark.parametrize("name", ["minijax.jit", "torch", "autograd"])
@pytest.mark.parametrize("kind", WORKS)
def test_contestants_do_the_same_work(kind, name):
    agree(WORKS[kind](), name)


@pytest.mark.full
@pytest.mark.parametrize("name", ["jax.jit", "jax"])
@pytest.mark.parametrize("kind", WORKS)
def test_jax_does_the_same_work(kind, name):
    agree(WORKS[kind](), name)


@pytest.mark.full
@pytest.mark.filterwarnings("ignore:`torch.jit.script`:DeprecationWarning")
@pytest.mark.parametrize("name", ["minijax.jit", "jax.jit", "torch", "autograd"])
@pytest.mark.parametrize("kind", [name for name in rows.WORKS if name != "cnn-128"])
def test_contestants_do_the_same_work_in_the_sizes_that_are_measured(kind, name):
    agree(rows.WORKS[kind][1](), name)


@pytest.mark.parametrize("kind", ["mlp", "cnn", "lstm"])
def test_steps_lead_down(kind):
    this = WORKS[kind]()
    params, *batch = this.arguments
    losses = []
    for _ in range(20):
        params, loss = this.by_hand(params, *batch)
        losses.append(loss)
    assert losses[-1] < 0.97 * losses[0]


def test_arguments_are_left_alone():
    for make in WORKS.values():
        this, again = make(), make()
        this.by_hand(*this.arguments)
        for mine, before in zip(work.leaves(this.arguments), work.leaves(again.arguments), strict=True):
            assert np.array_equal(mine, before)


def test_missing_modules_have_no_contestant(monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else real(name))
    assert work.contestant("torch", WORKS["mlp"]()) is None
    assert work.contestant("numpy", WORKS["mlp"]()) is not None


# ----------------------------------------------------------------- floors


def flops(jaxpr):
    """Multiplications in the matrix products of a jaxpr of minijax, with those of loops."""
    total = 0
    for eqn in jaxpr.eqns:
        if eqn.primitive.name == "dot_general":
            (contracted, _), _ = eqn.params["dimension_numbers"]
            depth = np.prod([eqn.invars[0].aval.shape[axis] for axis in contracted])
            total += int(depth * np.prod(eqn.outvars[0].aval.shape))
        if eqn.primitive.name == "scan":
            total += eqn.params["length"] * flops(eqn.params["jaxpr"])
    return total


@pytest.mark.parametrize("kind", ["mlp", "lstm", "attention"])
def test_the_floor_has_the_products_of_the_work(kind):
    import minijax

    this = WORKS[kind]()
    jaxpr = minijax.make_jaxpr(this.function(minijax))(*this.arguments)
    products = sum(product.times * int(np.prod(product.left)) * product.right[-1] for product in this.products)
    assert products == flops(jaxpr)


def test_floors_run():
    for make in WORKS.values():
        for run in floors.floors(make()).values():
            run()
    assert set(floors.floors(WORKS["mlp"]())) == {"BLAS", "memory"}
    assert set(floors.floors(WORKS["elementwise"]())) == {"memory"}


def test_traffic_is_arguments_and_results():
    assert work.traffic(WORKS["elementwise"]()) == 2 * 50 * 4


# ----------------------------------------------------------------- measuring


def test_ratio_is_taken_within_rounds():
    benchmark = Benchmark("name", {}, {"b": 0.5}, ours="a")
    found = ratio(benchmark, "b", {"a": [1.0, 10.0, 3.0], "b": [2.0, 40.0, 3.0]})
    assert found.median == 0.5
    assert (found.our_median, found.their_median) == (3.0, 3.0)
    assert (found.lower, found.upper) == (0.375, 0.75)
    assert found.passed
    assert not found._replace(target=0.49).passed
    assert found._replace(target=None).passed


def test_contestants_take_turns_in_going_first():
    order = []

    def contestant(name):
        return lambda: order.append(name) or 1.0

    benchmark = Benchmark("name", {name: contestant(name) for name in "ab"}, {}, floors={"c": contestant("c")})
    seconds = measure(benchmark, 3)
    assert seconds == {name: [1.0, 1.0, 1.0] for name in "abc"}
    assert "".join(order) == "cab" + "abc" + "bca" + "cab"


def test_rounds_end_with_patience_but_one_is_counted():
    benchmark = Benchmark("name", {"a": lambda: 1.0}, {})
    assert measure(benchmark, 5, patience=0.0) == {"a": [1.0]}
    assert measure(benchmark._replace(once=True), 5) == {"a": [1.0]}


def test_a_turn_repeats_what_is_quick(monkeypatch):
    now = 0.0

    def function():
        nonlocal now
        now += 0.25

    monkeypatch.setattr(measuring.time, "perf_counter", lambda: now)
    timed = measuring.Timed(function, turn=1.0)
    assert timed() == 0.25
    start = now
    assert timed() == 0.25
    assert now - start == 5 * 0.25  # one before the four that count


def test_peak_memory_counts_what_is_kept():
    kept = []

    def function():
        kept[:] = [np.ones(1_000_000, np.float32)]
        x, y = np.ones(500_000, np.float32), np.ones(500_000, np.float32)
        return x + y

    assert measuring.peak_bytes(function) == pytest.approx(4e6 + 3 * 2e6, rel=0.01)


def test_equations_of_a_chain_grow_with_it():
    thirty, sixty = (equations(scalar_chain(length)) for length in (30, 60))
    assert sixty - thirty == 60  # in each of ten rounds sin, cos, the product, the sum, and two products backwards


# ----------------------------------------------------------------- the command


def small_rows(monkeypatch, ours, theirs):
    """Put one benchmark, whose measurements are these, in the place of all."""
    contestants = {"minijax.jit": lambda: ours, "jax.jit": lambda: theirs}
    benchmark = Benchmark("small work", contestants, {"jax.jit": 0.5, "torch": 1.5}, ours="minijax.jit")
    monkeypatch.setattr(command, "ROWS", {"small": lambda settings: benchmark})
    monkeypatch.setenv(command.CHILD, "1")


@pytest.mark.parametrize(
    "ours, strict, status, verdict", [(1.0, True, 0, "pass"), (3.0, True, 1, "MISS"), (3.0, False, 0, "MISS")]
)
def test_only_strict_fails_over_a_target(monkeypatch, capsys, ours, strict, status, verdict):
    small_rows(monkeypatch, ours, 4.0)
    assert command.run(command.Options(rounds=2, strict=strict)) == status
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("small work")]
    assert line.split()[-2:] == ["0.5", verdict]
    assert f"{ours / 4:.3f} [{ours / 4:.3f}, {ours / 4:.3f}]" in line


def test_a_contestant_that_is_not_installed_says_so(monkeypatch, capsys):
    small_rows(monkeypatch, 1.0, 4.0)
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else real(name))
    assert command.run(command.Options(rounds=1)) == 0
    printed = capsys.readouterr().out
    assert "torch is not installed: pip install 'minijax[bench-torch]'" in printed
    assert any(line.split() == ["torch", "-", "not", "installed", "1.5"] for line in printed.splitlines())


def test_every_row_can_be_asked_for():
    assert command.chosen([]) == list(rows.ROWS)
    assert command.chosen(["mlp", "import"]) == ["mlp-32", "mlp-128", "import"]


def test_threads_are_set_for_everybody():
    one, two = command.environment(1), command.environment(2)
    assert one["OPENBLAS_NUM_THREADS"] == one["OMP_NUM_THREADS"] == one["NPROC"] == "1"
    assert two["OPENBLAS_NUM_THREADS"] == two["OMP_NUM_THREADS"] == two["NPROC"] == "2"
    assert (one["XLA_FLAGS"].split("=")[1], two["XLA_FLAGS"].split("=")[1]) == ("false", "true")


@pytest.mark.parametrize(
    "words, text",
    [
        ("--only mpl", "no benchmark begins with 'mpl'; there are mlp-32, mlp-128"),
        ("--profile import", "(choose from"),
        ("--threads 0", "'0' is not a whole number of at least 1"),
        ("--chart pyproject.toml/bench.png", "--chart: "),
        ("--epochs 2", "--epochs needs --training"),
        ("--training --rounds 2", "--rounds does not go with --training"),
    ],
)
def test_wrong_use_is_status_two(words, text, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit) as stopped:
        cli.main(["bench", *words.split()])
    assert stopped.value.code == 2
    assert text in capsys.readouterr().err


def printed_by(words: str) -> str:
    """What the command prints in a process of its own, which has to succeed without a warning."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "reference", *words.split()],
        cwd=ROOT,
        env=os.environ | {"JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_bench_in_a_process_of_its_own(tmp_path):
    files = tmp_path / "bench.json", tmp_path / "bench.png"
    words = f"bench --quick --threads 1 --only mlp-32 --only cache-hit-1 --json {files[0]} --chart {files[1]}"
    output = printed_by(words)
    assert output.startswith("1 thread each, medians of at most 3 interleaved rounds; minijax ")
    record = json.loads(files[0].read_text())
    held = [(row["theirs"], row["target"]) for row in record["ratios"] if row["benchmark"] == "MLP step, batch 32"]
    assert held == [("jax.jit", 1.0), ("numpy", 0.85)]
    assert {row["benchmark"] for row in record["ratios"]} >= {"cache hit, 1 leaf", "cache hit, 10 leaves"}
    assert all(row["median"] > 0 for row in record["ratios"])
    assert {"BLAS", "memory"} < set(record["measurements"]["MLP step, batch 32"])
    assert files[1].read_bytes().startswith(b"\x89PNG")


def test_the_chart_shows_every_benchmark(tmp_path, monkeypatch):
    from reference.bench import chart

    labels = []
    real = chart._label
    monkeypatch.setattr(chart, "_label", lambda axes, *rest: (real(axes, *rest), labels.extend(axes.get_yticklabels())))
    ratios = [
        Ratio("one", "minijax.jit", "jax.jit", 1.0, 2.0, 0.5, 0.4, 0.6, 1.0),
        Ratio("one", "minijax.jit", "numpy", 1.0, 0.5, 2.0, 1.9, 2.5, None),
        Ratio("two", "minijax.jit", "10 us", 1.0, 1.0, 1.0, 1.0, 1.0, 0.9),
    ]
    chart.draw(tmp_path / "chart.png", ratios, "conditions")
    assert [label.get_text() for label in labels] == ["one", "two"]


# ----------------------------------------------------------------- an epoch


def test_an_epoch_is_measured_in_turn_or_extrapolated(small, monkeypatch):
    monkeypatch.delitem(training.WAYS, "JAX op by op")  # it compiles many small programs: see the full depth
    epochs = training.epochs_of(small, 1, sample=3)
    assert [one.way for one in epochs] == list(training.WAYS)
    assert [one.measured_steps for one in epochs] == [3, 10, 10, 10]
    for one in epochs:
        assert one.seconds * one.steps_per_second == pytest.approx(one.steps) == 10
        assert one.examples_per_second == pytest.approx(32 * one.steps_per_second)
        assert one.ratio == pytest.approx(one.seconds / epochs[2].seconds)
    assert epochs[2].compiling > 0.01
    rows = training.lines(epochs).splitlines()[1:]
    assert [row.endswith("  extrapolated from 3 steps") for row in rows] == [True, False, False, False]


@pytest.mark.full
def test_an_epoch_leads_to_the_same_parameters_in_every_way(small):
    recipe = jax_in_action(small)
    ends = [way.make(engine(way.engine), recipe, small)(10) for way in training.WAYS.values()]
    start = recipe.model.init(engine("minijax"), engine("minijax").random.key(0))[0]
    for found in ends:
        for layer, wanted, first in zip(found, ends[3], start, strict=True):
            for name in wanted:
                np.testing.assert_allclose(layer[name], wanted[name], rtol=0, atol=1e-5)
                assert np.abs(np.asarray(wanted[name]) - np.asarray(first[name])).max() > 1e-3


@pytest.mark.full
def test_epochs_in_a_process_of_its_own(tmp_path):
    file = tmp_path / "epochs.json"
    words = f"bench --training --dataset digits --epochs 2 --threads 1 --json {file}"
    output = printed_by(words)
    assert "mlp 64-512-10 on digits, batches of 32" in output
    record = json.loads(file.read_text())
    assert [(one["way"], one["device"]) for one in record["epochs"]] == [(name, "cpu") for name in training.WAYS]
    assert all(one["steps"] == one["measured_steps"] == 44 for one in record["epochs"])


# ----------------------------------------------------------------- profiles


@pytest.mark.parametrize("kind", ["mlp", "lstm"])
def test_a_profile_has_the_lines_of_the_program(kind):
    import minijax

    this = WORKS[kind]()
    found = profiling.profile(this, calls=3)
    source = minijax.jit(this.function(minijax)).lower(*this.arguments).compile().as_text()
    lines = {line.strip() for line in source.splitlines()}
    times = {line.text: line.times for line in found.lines if line.text in lines}
    assert any("np.matmul" in line for line in times)
    assert all(line.seconds >= 0 for line in found.lines)
    assert 0 < sum(line.seconds for line in found.lines) <= 1.5 * found.traced
    rows = profiling.report("title", found, most=2).splitlines()
    assert rows[0].startswith("title: ") and len(rows) == 5
    assert rows[2].endswith(f" {found.lines[0].times}x  {found.lines[0].text[:110]}")
    assert rows[4].endswith(f"x  {len(found.lines) - 2} more lines")
