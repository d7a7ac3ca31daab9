"""What does not go through jit: the import, one small operation, gradients and a training step op by op."""

import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..engines import ENGINES, Engine, engine
from .measuring import Benchmark, Timed
from .steps import cross_entropy, one_hot

__all__ = ["addition", "chain", "eager_chain", "eager_mlp", "import_time", "mlp_step"]

CHAIN = 750
BATCH = 128


# ----------------------------------------------------------------- import


def import_time(bytecode: Path) -> Benchmark:
    """`import minijax` against `import numpy`, with `bytecode` as the folder for compiled files."""
    contestants = {name: _import_seconds(name, bytecode) for name in ("minijax", "numpy")}
    return Benchmark("import", contestants, {"numpy": 1.5})


def _import_seconds(module: str, bytecode: Path) -> Callable[[], float]:
    """Seconds of one import in a fresh interpreter, without the interpreter's own start.

    Its bytecode is warm: it lies in the folder `bytecode`, from the round that does not count.
    """
    code = f"import time; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"
    here = str(Path(__file__).parents[2])
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH")))),
        "PYTHONPYCACHEPREFIX": str(bytecode),
        "PYTHONDONTWRITEBYTECODE": "",
    }

    def seconds() -> float:
        words = [sys.executable, "-c", code]
        return float(subprocess.run(words, env=environment, stdout=subprocess.PIPE, check=True).stdout)

    return seconds


# ----------------------------------------------------------------- one small operation


def addition(turn: float) -> Benchmark:
    """x + x on ten floats, outside of any transformation."""

    def contestant(jax: Engine) -> Callable[[], float]:
        x = jax.numpy.ones((10,), dtype=jax.numpy.float32)
        count = 500

        def additions() -> None:
            for _ in range(count):
                y = x + x
            jax.block_until_ready(y)

        seconds = Timed(additions, turn)
        return lambda: seconds() / count

    contestants = {name: contestant(engine(name)) for name in ENGINES}
    return Benchmark("eager x + x, 10 floats", contestants, {"jax": 0.2})


# ----------------------------------------------------------------- reverse mode


def chain(numpy: Any, x: Any) -> Any:
    """The sum of x after CHAIN small operations, with any module that has NumPy's names."""
    for _ in range(CHAIN // 3):
        x = numpy.sin(x) * 1.01 + 0.1
    return numpy.sum(x)


def mlp_loss(numpy: Any, params: Any, x: Any, onehot: Any) -> Any:
    """Softmax cross entropy of an MLP with tanh, with any module that has NumPy's names."""
    (w1, b1), (w2, b2) = params
    logits = numpy.dot(numpy.tanh(numpy.dot(x, w1) + b1), w2) + b2
    return cross_entropy(numpy, logits, onehot)


def mlp_step(numpy: Any, grad: Callable, params: Any, x: Any, onehot: Any) -> Any:
    """Parameters after one step of gradient descent."""
    grads = grad(lambda params: mlp_loss(numpy, params, x, onehot))(params)
    return [(w - 0.1 * dw, b - 0.1 * db) for (w, b), (dw, db) in zip(params, grads, strict=True)]


def _differentiators() -> dict[str, tuple[Any, Callable, Callable, Callable]]:
    """For each contestant: its numpy, its grad, how it takes in an array, how it waits for results."""
    sides = {}
    for name in ENGINES:
        jax = engine(name)
        sides[name] = jax.numpy, jax.grad, jax.numpy.asarray, jax.block_until_ready
    autograd = importlib.import_module("autograd")
    # autograd computes at once, on plain NumPy arrays
    sides["autograd"] = autograd.numpy, autograd.grad, np.asarray, lambda results: results
    return sides


def eager_chain(turn: float) -> Benchmark:
    """The gradient of `chain`, op by op."""

    def contestant(numpy: Any, grad: Callable, array: Callable, wait: Callable) -> Callable[[], float]:
        x = array(np.linspace(0.1, 1.0, 10, dtype=np.float32))
        gradient = grad(lambda x: chain(numpy, x))
        return Timed(lambda: wait(gradient(x)), turn)

    contestants = {name: contestant(*side) for name, side in _differentiators().items()}
    return Benchmark(f"eager gradient, {CHAIN} operations", contestants, {"jax": 0.08, "autograd": 1.0})


def eager_mlp(turn: float) -> Benchmark:
    """A training step of the MLP 784-512-10, op by op."""
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(BATCH, 784)).astype(np.float32)
    onehot = one_hot(rng.integers(10, size=BATCH), 10)
    params = [
        (0.05 * rng.normal(size=shape).astype(np.float32), np.zeros(shape[1], np.float32))
        for shape in ((784, 512), (512, 10))
    ]

    def contestant(numpy: Any, grad: Callable, array: Callable, wait: Callable) -> Callable[[], float]:
        inputs = array(x), array(onehot)
        start = [(array(w), array(b)) for w, b in params]
        return Timed(lambda: wait(mlp_step(numpy, grad, start, *inputs)), turn)

    contestants = {name: contestant(*side) for name, side in _differentiators().items()}
    return Benchmark(f"eager MLP step, batch {BATCH}", contestants, {"jax": 0.5, "autograd": 1.0})
