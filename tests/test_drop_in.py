"""`python -m minijax` and `install_as_jax`: JAX's programs on minijax, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import minijax

ROOT = Path(minijax.__file__).parents[1]


def python(*args: str, cwd: Path | None = None) -> subprocess.CompletedProcess:
    """What this Python does with a command line: its exit status and what it prints."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, *args], capture_output=True, text=True, cwd=cwd, env=environment, timeout=100
    )


LOOKS_AROUND = """
import sys, __main__
print(sys.argv, sys.path[0], __name__, __main__.__dict__ is globals(), __package__)
print(globals().get("__file__"), __annotations__ if sys.argv[0] != "-m" else None)
"""
SCRIPTS = {
    "looks": LOOKS_AROUND,
    "neighbour": "import helper; print(helper.value, sys.argv if 'sys' in dir() else '')",
    "raises": "def f():\n    return 1 / 0\n\nprint('before', flush=True)\nf()\n",
    "chained": "try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('b') from e\n",
    "exits": "import sys; sys.exit(7)",
    "exits with text": "raise SystemExit('a last word')",
    "interrupted": "raise KeyboardInterrupt",
    "syntax": "x = (1,\n",
    "excepthook": "import sys\nsys.excepthook = lambda *args: print('mine', args[0])\n1 / 0\n",
    "pickles": "import pickle\nclass C: x = 1\nprint(pickle.loads(pickle.dumps(C())).x)\n",
    "atexit": "import atexit\nvalue = 3\natexit.register(lambda: print(value))\n",
    "data": "from dataclasses import dataclass\n@dataclass\nclass D:\n    x: 'int' = 1\nprint(D())\n",
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_runs_as_under_python(name: str, tmp_path: Path):
    (tmp_path / "helper.py").write_text("value = 42")
    script = tmp_path / "script.py"
    script.write_text(SCRIPTS[name])
    expected = python("script.py", "a", "--b", cwd=tmp_path)
    got = python("-m", "minijax", "script.py", "a", "--b", cwd=tmp_path)
    assert (got.returncode, got.stdout, got.stderr) == (expected.returncode, expected.stdout, expected.stderr)


@pytest.mark.parametrize("args", [("no_such.py",), ("-c", LOOKS_AROUND, "x"), ("-c", "1 / 0")])
def test_other_command_lines_run_as_under_python(args: tuple[str, ...], tmp_path: Path):
    expected, got = python(*args, cwd=tmp_path), python("-m", "minijax", *args, cwd=tmp_path)
    assert (got.returncode, got.stdout, got.stderr) == (expected.returncode, expected.stdout, expected.stderr)


def test_a_module_runs_as_under_python(tmp_path: Path):
    (tmp_path / "tool.py").write_text("import sys\nprint(sys.argv, sys.path[0], __name__, __package__)")
    expected, got = python("-m", "tool", "x", cwd=tmp_path), python("-m", "minijax", "-m", "tool", "x", cwd=tmp_path)
    assert (got.returncode, got.stdout, got.stderr) == (expected.returncode, expected.stdout, expected.stderr)


def test_the_command_line_explains_itself():
    assert python("-m", "minijax", "--help").stdout.startswith("usage: python -m minijax SCRIPT.py [ARGS]")
    wrong = python("-m", "minijax")
    assert wrong.returncode == 2 and wrong.stderr.startswith("usage:")


IMPORTS = """
import sys
import jax
import jax.numpy as jnp
import jax.tree_util, jax.typing, jax.nn.initializers
import jax.numpy.linalg as la
from jax import grad, lax, random as r
from jax.scipy.special import logsumexp
from jax.numpy import *
import minijax, minijax.lax, minijax.numpy.linalg, minijax.random, minijax.scipy.special

assert jax is minijax and jnp is minijax.numpy is jax.numpy and la is minijax.numpy.linalg
assert lax is minijax.lax and r is minijax.random and logsumexp is minijax.scipy.special.logsumexp
assert jax.typing is minijax.typing and sys.modules["jax.nn.initializers"] is minijax.nn.initializers
assert jax.__spec__.name == "minijax" and jnp.__name__ == "minijax.numpy"  # nothing was changed in them
assert jax.__version__ == "0.10.2" and jax.__version_info__ == (0, 10, 2)
copies = [n for n, m in sys.modules.items() if n.startswith("jax") and m.__name__ != "mini" + n]
assert not copies, copies
from importlib.util import find_spec
assert find_spec("jax.numpy").origin == minijax.numpy.__file__
assert find_spec("jaxlib_of_nobody") is None
print(float(grad(lambda x: logsumexp(x)[()])(array([1.0]))[0]))
"""


def test_submodules_in_all_forms_are_the_same_modules():
    result = python("-m", "minijax", "-c", IMPORTS)
    assert (result.stderr, result.stdout) == ("", "1.0\n")


LIVE = """
import minijax
minijax.install_as_jax()
minijax.install_as_jax()
import sys, jax
assert jax is minijax and sum(type(f).__name__ == "JaxFinder" for f in sys.meta_path) == 1
for statement in (
    "import jax.numpy.no_such_thing",
    "from jax.experimental import no_such_thing",
    "from jax import no_such_thing",
    "import jax.no_such_thing.at_all",
):
    try:
        exec(statement)
    except ModuleNotFoundError as error:
        print(error.name, "|", error)
"""


def test_a_live_session_and_what_is_not_there():
    result = python("-c", LIVE)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    names = ["jax.numpy.no_such_thing", "jax.experimental.no_such_thing", "jax.no_such_thing", "jax.no_such_thing"]
    assert len(lines) == 4
    for name, line in zip(names, lines, strict=True):
        assert line.startswith(f"{name} | There is no {name}:") and "What is the same, what is not" in line


def test_real_jax_stays_when_it_is_there_first():
    """This process has imported it, through the oracle."""
    import jax

    finders, version = list(sys.meta_path), minijax.__version__
    with pytest.raises(RuntimeError, match=r"jax is imported already.*python -m minijax SCRIPT\.py"):
        minijax.install_as_jax()
    assert sys.modules["jax"] is jax is not minijax
    assert (sys.meta_path, minijax.__version__) == (finders, version)
