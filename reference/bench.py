"""minijax measured against NumPy, JAX and HIPS autograd, as ratios.

The contestants of a benchmark run one after the other within each round, so that whatever else slows
the machine down hits them alike; a ratio is taken within a round, and its median over the rounds counts.
"""

import importlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .engines import ENGINES, Engine, engine
from .files import write_json

__all__ = ["Ratio", "chain", "mlp_step", "ratio", "run", "single_threaded"]

CHAIN = 750
BATCH = 128

# BLAS (NumPy's matrix products) and XLA each with one thread: equal, and the same on every machine.
ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NPROC": "1",  # the size of XLA's pool
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "JAX_PLATFORMS": "cpu",
}
CHILD = "MINIJAX_BENCH_CHILD"


class Ratio(NamedTuple):
    """Median seconds of two contestants; median and quartiles of their ratio over the rounds; its target."""

    benchmark: str
    ours: str
    theirs: str
    our_seconds: float
    their_seconds: float
    median: float
    lower: float
    upper: float
    target: float

    @property
    def passed(self) -> bool:
        """Whether the median is at most the target."""
        return self.median <= self.target


class Benchmark(NamedTuple):
    """Contestants by name, each giving the seconds of one run, and ours as a multiple of theirs at most."""

    name: str
    contestants: dict[str, Callable[[], float]]
    targets: dict[str, float]


def ratio(name: str, ours: str, theirs: str, seconds: dict[str, list[float]], target: float) -> Ratio:
    """The ratio of two contestants' times, round by round."""
    rounds = [a / b for a, b in zip(seconds[ours], seconds[theirs], strict=True)]
    lower, upper = np.quantile(rounds, (0.25, 0.75)).tolist()
    medians = (statistics.median(seconds[side]) for side in (ours, theirs))
    return Ratio(name, ours, theirs, *medians, statistics.median(rounds), lower, upper, target)


def measure(benchmark: Benchmark, rounds: int) -> dict[str, list[float]]:
    """Seconds of every contestant in every round, after one round that does not count.

    Each round begins with another contestant, because the one after a garbage-heavy neighbour pays for it.
    """
    names = list(benchmark.contestants)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for i in range(-1, rounds):
        shift = i % len(names)
        for name in names[shift:] + names[:shift]:
            measured = benchmark.contestants[name]()
            if i >= 0:
                seconds[name].append(measured)
    return seconds


def _timed(function: Callable[[], Any], repeats: int) -> Callable[[], float]:
    """Seconds that one call takes, from `repeats` in a row; `function` must wait for its own results."""

    def seconds() -> float:
        start = time.perf_counter()
        for _ in range(repeats):
            function()
        return (time.perf_counter() - start) / repeats

    return seconds


# import


def _import_seconds(module: str, bytecode: Path) -> Callable[[], float]:
    """Seconds of one import in a fresh interpreter, without the interpreter's own start.

    Its bytecode is warm: it lies in the folder `bytecode`, from the round that does not count.
    """
    code = f"import time; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"
    here = str(Path(__file__).parents[1])
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH")))),
        "PYTHONPYCACHEPREFIX": str(bytecode),
        "PYTHONDONTWRITEBYTECODE": "",
    }

    def seconds() -> float:
        words = [sys.executable, "-c", code]
        return float(subprocess.run(words, env=environment, stdout=subprocess.PIPE, check=True).stdout)

    return seconds


def import_benchmark(bytecode: Path) -> Benchmark:
    """`import minijax` against `import numpy`."""
    contestants = {name: _import_seconds(name, bytecode) for name in ("minijax", "numpy")}
    return Benchmark("import", contestants, {"numpy": 1.5})


# one small operation


def add_benchmark(engines: dict[str, Engine], quick: bool) -> Benchmark:
    """x + x on ten floats, outside of any transformation."""

    def contestant(jax: Engine) -> Callable[[], float]:
        x = jax.numpy.ones((10,), dtype=jax.numpy.float32)
        count = 500

        def additions() -> None:
            for _ in range(count):
                y = x + x
            jax.block_until_ready(y)

        seconds = _timed(additions, 1 if quick else 10)
        return lambda: seconds() / count

    contestants = {name: contestant(engines[name]) for name in ("minijax", "jax")}
    return Benchmark("eager x + x, 10 floats", contestants, {"jax": 0.2})


# reverse mode


def chain(numpy: Any, x: Any) -> Any:
    """The sum of x after CHAIN small operations, with any module that has NumPy's names."""
    for _ in range(CHAIN // 3):
        x = numpy.sin(x) * 1.01 + 0.1
    return numpy.sum(x)


def mlp_loss(numpy: Any, params: Any, x: Any, onehot: Any) -> Any:
    """Softmax cross entropy of an MLP with tanh, with any module that has NumPy's names."""
    (w1, b1), (w2, b2) = params
    logits = numpy.dot(numpy.tanh(numpy.dot(x, w1) + b1), w2) + b2
    shifted = logits - numpy.max(logits, axis=1, keepdims=True)
    log_probabilities = shifted - numpy.log(numpy.sum(numpy.exp(shifted), axis=1, keepdims=True))
    return -numpy.mean(numpy.sum(onehot * log_probabilities, axis=1))


def mlp_step(numpy: Any, grad: Callable, params: Any, x: Any, onehot: Any) -> Any:
    """Parameters after one step of gradient descent."""
    grads = grad(lambda params: mlp_loss(numpy, params, x, onehot))(params)
    return [(w - 0.1 * dw, b - 0.1 * db) for (w, b), (dw, db) in zip(params, grads, strict=True)]


def _differentiators(engines: dict[str, Engine]) -> dict[str, tuple[Any, Callable, Callable, Callable]]:
    """For each contestant: its numpy, its grad, how it takes in an array, how it waits for results."""
    sides = {name: (jax.numpy, jax.grad, jax.numpy.asarray, jax.block_until_ready) for name, jax in engines.items()}
    autograd = importlib.import_module("autograd")
    # autograd computes at once, on plain NumPy arrays
    sides["autograd"] = (autograd.numpy, autograd.grad, np.asarray, lambda results: results)
    return sides


def chain_benchmark(engines: dict[str, Engine], quick: bool) -> Benchmark:
    """The gradient of `chain`, op by op."""

    def contestant(numpy: Any, grad: Callable, array: Callable, wait: Callable) -> Callable[[], float]:
        x = array(np.linspace(0.1, 1.0, 10, dtype=np.float32))
        gradient = grad(lambda x: chain(numpy, x))
        return _timed(lambda: wait(gradient(x)), 1 if quick else 3)

    contestants = {name: contestant(*side) for name, side in _differentiators(engines).items()}
    return Benchmark(f"eager gradient, {CHAIN} operations", contestants, {"jax": 0.08, "autograd": 1.0})


def mlp_benchmark(engines: dict[str, Engine], quick: bool) -> Benchmark:
    """A training step of the MLP 784-512-10, op by op."""
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(BATCH, 784)).astype(np.float32)
    onehot = np.eye(10, dtype=np.float32)[rng.integers(10, size=BATCH)]
    params = [
        (0.05 * rng.normal(size=shape).astype(np.float32), np.zeros(shape[1], np.float32))
        for shape in ((784, 512), (512, 10))
    ]

    def contestant(numpy: Any, grad: Callable, array: Callable, wait: Callable) -> Callable[[], float]:
        inputs = array(x), array(onehot)
        start = [(array(w), array(b)) for w, b in params]
        return _timed(lambda: wait(mlp_step(numpy, grad, start, *inputs)), 2 if quick else 10)

    contestants = {name: contestant(*side) for name, side in _differentiators(engines).items()}
    return Benchmark(f"eager MLP step, batch {BATCH}", contestants, {"jax": 0.5, "autograd": 1.0})


# the command


def single_threaded() -> bool:
    """Whether this process was started with one thread for BLAS and one for XLA."""
    return os.environ.get(CHILD) == "1"


def run(*, rounds: int | None = None, quick: bool = False, json_file: Path | None = None) -> int:
    """Run all benchmarks; the exit status. A process of its own does it: thread counts are read at import."""
    if single_threaded():
        return _run_here(rounds or (3 if quick else 15), quick, json_file)
    words = ["--quick"] if quick else []
    words += ["--rounds", str(rounds)] if rounds else []
    words += ["--json", str(json_file)] if json_file else []
    child = [sys.executable, "-m", "reference", "bench", *words]
    return subprocess.run(child, env=os.environ | ONE_THREAD | {CHILD: "1"}, check=False).returncode


def _run_here(rounds: int, quick: bool, json_file: Path | None) -> int:
    engines = {name: engine(name) for name in ENGINES}
    print(f"one thread for BLAS and one for XLA; medians of {rounds} interleaved rounds, [quartiles]\n")
    print(_line("benchmark", "minijax", "against", "", "ratio", "target", ""), flush=True)
    measurements, ratios = {}, []
    with tempfile.TemporaryDirectory() as bytecode:
        benchmarks = (
            import_benchmark(Path(bytecode)),
            add_benchmark(engines, quick),
            chain_benchmark(engines, quick),
            mlp_benchmark(engines, quick),
        )
        for benchmark in benchmarks:
            seconds = measurements[benchmark.name] = measure(benchmark, rounds)
            for theirs, target in benchmark.targets.items():
                ratios.append(ratio(benchmark.name, "minijax", theirs, seconds, target))
                print(_row(ratios[-1]), flush=True)
    if json_file:
        write_json(json_file, _record(ratios, measurements, engines, rounds))
        print(f"\nwrote {json_file}")
    return 0


def _line(name: str, ours: str, against: str, theirs: str, median: str, target: str, passed: str) -> str:
    return f"{name:32} {ours:>10}  {against:9}{theirs:>10}  {median:24} {target:>6}  {passed}".rstrip()


def _row(found: Ratio) -> str:
    return _line(
        found.benchmark,
        _time(found.our_seconds),
        found.theirs,
        _time(found.their_seconds),
        f"{found.median:.3f} [{found.lower:.3f}, {found.upper:.3f}]",
        f"{found.target:g}",
        "pass" if found.passed else "MISS",
    )


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.2f} {unit}"
    return f"{seconds / 1e-6:.2f} us"


def _record(
    ratios: list[Ratio],
    measurements: dict[str, dict[str, list[float]]],
    engines: dict[str, Engine],
    rounds: int,
) -> dict[str, Any]:
    versions = {name: jax.__version__ for name, jax in engines.items()}
    return {
        "rounds": rounds,
        "threads": {"blas": 1, "xla": 1},
        "versions": versions | {"numpy": np.__version__, "python": sys.version.split()[0]},
        "ratios": [found._asdict() | {"passed": found.passed} for found in ratios],
        "seconds": measurements,
    }
