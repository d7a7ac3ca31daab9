"""pmap gives what JAX's gives, on 8 devices; what an array says of its place; how many devices there are.

The number of devices is set before the first operation, so that all of it runs in processes of their own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pmap_programs import PROGRAMS

ROOT = Path(__file__).parent.parent


def run(*args: str, **environment: str) -> str:
    """What a Python of its own prints."""
    done = subprocess.run(
        [sys.executable, *args],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_program_gives_what_jax_gives():
    """All of them in one process; what is wrong stands under the program's name."""
    wrong = json.loads(run("tests/pmap_programs.py"))
    assert wrong == dict.fromkeys(PROGRAMS)


@pytest.mark.full
def test_random_programs():
    run("tests/pmap_programs.py", "300")


PLACES = """
import minijax as jax, minijax.numpy as jnp
jax.config.update("jax_num_cpu_devices", 8)
jax.config.update("jax_num_cpu_devices", 4)
x = jax.device_put(jnp.arange(8).reshape(4, 2), jax.devices()[3])
assert x.devices() == {jax.devices()[3]} and x.committed and not jnp.ones(3).committed, x.sharding
mesh = jax.make_mesh((2, 2), ("a", "b"))
y = jax.device_put(x, jax.NamedSharding(mesh, jax.P("b", None)))
assert [s.replica_id for s in y.addressable_shards] == [0, 0, 1, 1]
assert y.addressable_shards[3].data.tolist() == [[4, 5], [6, 7]] and y.addressable_shards[3].data.device.id == 3
assert y.sharding.is_equivalent_to(jax.NamedSharding(mesh, jax.P(("b",))), 2)
assert not y.is_fully_replicated and jnp.asarray(y) is y and (y + 1).devices() == {jax.devices()[0]}
for wrong in (jax.NamedSharding(mesh, jax.P(None, ("a", "b"))), jax.NamedSharding(mesh, jax.P(None, None, "a"))):
    try:
        jax.device_put(x, wrong)
    except ValueError as error:
        assert "is not a multiple of 4" in str(error) or "is about 3 axes" in str(error), error
    else:
        raise AssertionError(wrong)
assert jax.device_put(y, jax.devices()[0]).devices() == {jax.devices()[0]} and len(y.devices()) == 4
import gc
from minijax import placement
del x, y
gc.collect()
assert not placement._places
"""


def test_places_of_arrays():
    run("-c", PLACES)


TOO_LATE = """
import minijax as jax
{first}
try:
    jax.config.update("jax_num_cpu_devices", 2)
except RuntimeError as error:
    print(error)
jax.config.update("jax_num_cpu_devices", -1)
"""


@pytest.mark.parametrize("first", ["jax.numpy.ones(3)", "jax.devices()", "jax.jit(lambda x: x + 1)(2)"])
def test_the_first_operation_settles_the_number_of_devices(first: str):
    assert "directly after the import" in run("-c", TOO_LATE.format(first=first))


def test_the_number_of_devices_from_the_environment():
    count = "import minijax; print(minijax.device_count())"
    assert run("-c", count) == "1\n"
    assert run("-c", count, JAX_NUM_CPU_DEVICES="3") == "3\n"
    assert run("-c", count, XLA_FLAGS="--xla_a --xla_force_host_platform_device_count=5") == "5\n"


TOO_MANY = """
import minijax as jax, numpy as np
jax.config.update("jax_num_cpu_devices", 4)
try:
    jax.pmap(jax.pmap(lambda x: x))(np.ones((3, 2)))
except ValueError as error:
    print(error)
"""


def test_devices_of_nested_pmaps_are_counted_together():
    assert "takes 6 device(s), but there are 4" in run("-c", TOO_MANY)
