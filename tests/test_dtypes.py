"""Dtypes against JAX: every pair of dtypes, weak types and Python scalars, in both x64 modes."""

import copy
import functools
import itertools
import pickle
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax._src import dtypes as jax_dtypes
from jax._src.lax import lax as lax_internal

import minijax
from minijax import config, dtypes

# Of NumPy, and of ml_dtypes.
NAMES = [
    *["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"],
    *["float16", "bfloat16", "float32", "float64", "complex64", "complex128"],
    *["float8_e3m4", "float8_e4m3", "float8_e8m0fnu", "float8_e4m3b11fnuz", "float8_e4m3fn", "float8_e4m3fnuz"],
    *["float8_e5m2", "float8_e5m2fnuz", "float6_e2m3fn", "float6_e3m2fn", "float4_e2m1fn"],
    *["int1", "int2", "int4", "uint1", "uint2", "uint4"],
]
# Weakly typed values have the dtypes that Python numbers have; JAX makes others too, which differ in width.
WEAK = NAMES[1:15]
MODES = [(x64, mode) for x64 in (False, True) for mode in ("standard", "strict")]


class Ours:
    """What promotion looks at in one of our arrays."""

    def __init__(self, name, weak_type):
        self.dtype = jnp.dtype(name)
        self.weak_type = weak_type


@functools.cache
def theirs(name, weak_type):
    """A real JAX array; 64-bit ones exist in 32-bit mode too, when they outlive an enable_x64 block.

    XLA's CPU has no arrays of the types of fewer than 8 bits.
    """
    if name in dtypes.ADDED_KINDS and name != "bfloat16":
        return jax.ShapeDtypeStruct((), jnp.dtype(name), weak_type=weak_type)
    with jax.enable_x64(True):
        return lax_internal._convert_element_type(np.zeros(()), jnp.dtype(name), weak_type=weak_type)


def operands():
    """Pairs (ours, theirs) of everything that may stand in a promotion."""
    for name in NAMES:
        yield Ours(name, False), theirs(name, False)
        yield np.dtype(name), np.dtype(name)
    for name in WEAK:
        yield Ours(name, True), theirs(name, True)
    for scalar in (
        True,
        1,
        1.5,
        2j,
        bool,
        int,
        float,
        complex,
        np.float64(1),
        np.complex64(1j),
        np.int16(3),
        np.bool_(True),
        np.float32,
        "int8",
    ):
        yield scalar, scalar
    yield np.zeros(2, np.float64), np.zeros(2, np.float64)


def outcome(function, *args, **kwargs):
    """The result, or the exception's class."""
    try:
        return function(*args, **kwargs)
    except (TypeError, ValueError, OverflowError) as error:
        return type(error).__name__


@pytest.fixture(params=MODES, ids=lambda mode: f"x64={mode[0]}-{mode[1]}")
def mode(request):
    x64, promotion = request.param
    with (
        jax.enable_x64(x64),
        jax.numpy_dtype_promotion(promotion),
        config.enable_x64(x64),
        config.numpy_dtype_promotion(promotion),
    ):
        yield request.param


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype")
def test_promotion_of_every_pair_is_that_of_jax(mode):
    pairs = list(operands())
    checked = 0
    for (a, a_jax), (b, b_jax) in itertools.product(pairs, pairs):
        assert outcome(dtypes.lattice_result_type, a, b) == outcome(jax_dtypes.lattice_result_type, a_jax, b_jax), (
            a,
            b,
        )
        ours = outcome(dtypes.result_type, a, b, return_weak_type_flag=True)
        assert ours == outcome(jax_dtypes.result_type, a_jax, b_jax, return_weak_type_flag=True), (a, b)
        checked += 1
    assert checked > 1000


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype")
def test_promotion_of_triples_is_that_of_jax():
    pairs = list(operands())
    rng = np.random.default_rng(0)
    for _ in range(3000):
        chosen = [pairs[i] for i in rng.integers(len(pairs), size=3)]
        ours = outcome(dtypes.lattice_result_type, *[c[0] for c in chosen])
        assert ours == outcome(jax_dtypes.lattice_result_type, *[c[1] for c in chosen])


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype")
def test_promotion_of_one_operand(mode):
    for a, a_jax in operands():
        assert outcome(dtypes.lattice_result_type, a) == outcome(jax_dtypes.lattice_result_type, a_jax)


def test_promote_types_of_every_pair(mode):
    for a, b in itertools.product(
        [*NAMES, int, float, complex, bool, np.float32, jnp.int8, jnp.bfloat16, jnp.float8_e4m3fn], repeat=2
    ):
        assert outcome(dtypes.promote_types, a, b) == outcome(jnp.promote_types, a, b), (a, b)


@pytest.mark.parametrize("wrong", [object(), [1, 2], None, "S3", "nonsense", np.array("a"), np.dtype("M8[s]"), "O"])
def test_values_without_a_dtype_raise_what_jax_raises(wrong):
    assert isinstance(outcome(dtypes.dtype, wrong), str)
    assert outcome(dtypes.dtype, wrong) == outcome(jax_dtypes.dtype, wrong)


def test_extended_and_float0_stay_outside_the_lattice():
    assert dtypes.result_type(dtypes.float0, dtypes.float0) == jax_dtypes.float0 == dtypes.float0
    with pytest.raises(ValueError, match="float0"):
        dtypes.result_type(dtypes.float0, np.float32)
    key = Ours("float32", False)
    key.dtype = dtypes.key_fry
    assert dtypes.result_type(key, key) is dtypes.key_fry
    with pytest.raises(ValueError, match="key<fry>"):
        dtypes.result_type(key, 1)
    with pytest.raises(ValueError):
        dtypes.result_type()
    assert dtypes.result_type(None) == np.float32


def test_strict_promotion_names_both_types():
    with (
        config.numpy_dtype_promotion("strict"),
        pytest.raises(dtypes.TypePromotionError, match="int8 and .*float"),
    ):
        dtypes.result_type(np.int8(1), 1.0)
    assert issubclass(dtypes.TypePromotionError, ValueError)


def test_explicit_64_bit_types_warn_and_are_narrowed():
    with pytest.warns(UserWarning, match="float64 in zeros .*float32"):
        assert dtypes.check_and_canonicalize_user_dtype(np.float64, "zeros") == np.float32
    assert dtypes.check_and_canonicalize_user_dtype(float, "zeros") == np.float32
    with config.explicit_x64_dtypes("allow"):
        assert dtypes.check_and_canonicalize_user_dtype(np.float64) == np.float64
    with config.explicit_x64_dtypes("error"), pytest.raises(ValueError, match="int64"):
        dtypes.check_and_canonicalize_user_dtype("int64")
    with config.enable_x64(True):
        assert dtypes.check_and_canonicalize_user_dtype("uint64") == np.uint64


@pytest.mark.parametrize("wrong", [None, "S3", 3, np.ones(2), Ours("int8", False)])
def test_wrong_dtype_arguments(wrong):
    wrong_in_jax = jnp.ones(2) if isinstance(wrong, Ours) else wrong
    assert isinstance(outcome(dtypes.check_and_canonicalize_user_dtype, wrong, "f"), str)
    assert outcome(dtypes.check_and_canonicalize_user_dtype, wrong, "f") == outcome(
        jax_dtypes.check_and_canonicalize_user_dtype, wrong_in_jax, "f"
    )


def test_canonicalize_dtype(mode):
    for name in [*NAMES, bool, int, float, complex, None, jnp.float64, "nonsense"]:
        assert outcome(dtypes.canonicalize_dtype, name) == outcome(jax_dtypes.canonicalize_dtype, name)
    assert dtypes.canonicalize_dtype(dtypes.key_fry, allow_extended_dtype=True) is dtypes.key_fry
    with pytest.raises(ValueError):
        dtypes.canonicalize_dtype(dtypes.key_fry)
    assert dtypes.default_int_dtype() == jax_dtypes.default_int_dtype()
    assert dtypes.default_uint_dtype() == jax_dtypes.default_uint_dtype()
    assert dtypes.default_float_dtype() == jax_dtypes.default_float_dtype()
    assert dtypes.default_complex_dtype() == jax_dtypes.default_complex_dtype()


@pytest.mark.parametrize("value", [0, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**63 - 1, 2**63])
def test_python_ints_have_to_fit(mode, value):
    assert outcome(dtypes.python_scalar_dtype, int, value) == outcome(jax_dtypes.scalar_type_to_dtype, int, value)


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype")
def test_names_and_sizes():
    for name in NAMES:
        dtype = jnp.dtype(name)
        assert dtypes.short_dtype_name(dtype) == jax_dtypes.short_dtype_name(dtype)
        assert dtypes.itemsize_bits(dtype) == jax.dtypes.itemsize_bits(dtype)
        with config.enable_x64(True), jax.enable_x64(True):
            assert dtypes.scalar_type_of(dtype) is jax.dtypes.scalar_type_of(dtype)
        assert dtypes.to_numeric_dtype(dtype) == jax_dtypes.to_numeric_dtype(dtype)
        assert dtypes.to_inexact_dtype(dtype) == jax_dtypes.to_inexact_dtype(dtype)
        assert dtypes.to_complex_dtype(dtype) == jax_dtypes.to_complex_dtype(dtype)
        if dtypes.is_inexact(dtype):
            assert dtypes.to_floating_dtype(dtype) == jax_dtypes.to_floating_dtype(dtype)
        assert dtypes.is_float(dtype) == jnp.issubdtype(dtype, jnp.floating)
        assert dtypes.is_integer(dtype) == jnp.issubdtype(dtype, jnp.integer)
        assert dtypes.is_complex(dtype) == jnp.issubdtype(dtype, jnp.complexfloating)
        assert dtypes.is_inexact(dtype) == jnp.issubdtype(dtype, jnp.inexact)
    assert dtypes.short_dtype_name(dtypes.key_fry) == str(jax.random.key(0).dtype)
    assert dtypes.short_dtype_name(dtypes.float0) == "float0"
    with pytest.raises(TypeError, match="S3"):
        dtypes.kind(np.dtype("S3"))


def test_issubdtype():
    classes = [
        np.generic,
        np.number,
        np.integer,
        np.signedinteger,
        np.unsignedinteger,
        np.inexact,
        np.floating,
        np.complexfloating,
    ]
    named = [*map(jnp.dtype, NAMES), *classes, float, int, bool, complex, None, jnp.float32, jnp.bfloat16]
    for a, b in itertools.product(named, repeat=2):
        assert dtypes.issubdtype(a, b) == jnp.issubdtype(a, b), (a, b)
    key = jax.random.key(0).dtype
    for b, b_jax in [
        (dtypes.extended, jax.dtypes.extended),
        (dtypes.prng_key, jax.dtypes.prng_key),
        (np.generic, np.generic),
        (np.integer, np.integer),
        (dtypes.key_fry, key),
    ]:
        assert dtypes.issubdtype(dtypes.key_fry, b) == jnp.issubdtype(key, b_jax)
        assert dtypes.issubdtype(np.float32, b) == jnp.issubdtype(np.float32, b_jax)
        assert dtypes.issubdtype(dtypes.prng_key, b) == jnp.issubdtype(jax.dtypes.prng_key, b_jax)


def test_isdtype():
    kinds = [
        "bool",
        "signed integer",
        "unsigned integer",
        "integral",
        "real floating",
        "complex floating",
        "numeric",
    ]
    for a, kind in itertools.product(
        map(jnp.dtype, NAMES), [*kinds, "int8", np.float32, ("bool", np.float16), "nonsense", 3]
    ):
        assert outcome(dtypes.isdtype, a, kind) == outcome(jnp.isdtype, a, kind), (a, kind)


def test_limits():
    names = ["float16", "bfloat16", "float32", "float64", "complex64", jnp.float32, dtypes.float32, float, complex]
    for name in [*names, *map(jnp.dtype, NAMES[15:26])]:
        theirs = np.float32 if name is dtypes.float32 else name
        for limit in ("eps", "max", "min", "tiny", "bits", "smallest_normal", "smallest_subnormal", "nmant"):
            assert getattr(dtypes.finfo(name), limit) == getattr(jnp.finfo(theirs), limit)
    for name in ["int8", "uint32", int, jnp.int16, 5, np.int8(3), np.arange(2), *map(jnp.dtype, NAMES[26:])]:
        for limit in ("min", "max", "bits"):
            assert getattr(dtypes.iinfo(name), limit) == getattr(jnp.iinfo(name), limit)
    assert outcome(dtypes.finfo, "int32") == outcome(jnp.finfo, "int32") == "ValueError"
    assert outcome(dtypes.iinfo, "float32") == outcome(jnp.iinfo, "float32") == "ValueError"


SCALARS = [n for n in NAMES if hasattr(jnp, n) and n != "bool"] + ["bool_"]


@pytest.mark.parametrize("name", SCALARS)
def test_scalar_types_behave_as_those_of_jax(name):
    ours, theirs = getattr(minijax.numpy, name), getattr(jnp, name)
    assert isinstance(ours, type)
    assert ours.dtype == theirs.dtype == np.dtype(ours)
    assert ours.__name__ == theirs.__name__
    assert hash(ours) == hash(theirs)
    for other in [theirs.dtype.type, theirs.dtype, theirs.dtype.name, np.int8, jnp.float32, 3]:
        assert (ours == other) == (theirs == other)
        assert (other == ours) == (other == theirs)
    for value in [theirs.dtype.type(1), 1, 1.0, np.int8(1)]:
        assert isinstance(value, ours) == isinstance(value, theirs)
    assert repr(ours) == repr(theirs).replace("jax.", "minijax.")
    assert dtypes.issubdtype(ours, ours)


def test_the_key_dtype():
    ours, theirs = dtypes.key_fry, jax.random.key(0).dtype
    assert (str(ours), repr(ours), ours.name, ours.itemsize) == (
        str(theirs),
        repr(theirs),
        theirs.name,
        theirs.itemsize,
    )
    assert ours != np.dtype("float32") and np.dtype("float32") != ours and ours == ours
    assert pickle.loads(pickle.dumps(ours)) is ours and copy.deepcopy(ours) is ours
    physical = dtypes.physical_dtype(ours)
    assert dtypes.logical_dtype(physical) is ours
    assert np.zeros((2, 3), physical).reshape(6).view(np.uint32).shape == (12,)
    for dtype in (np.dtype("float32"), dtypes.float0, jnp.dtype("bfloat16")):
        assert dtypes.logical_dtype(dtypes.physical_dtype(dtype)) == dtype
    assert outcome(np.dtype, ours) == outcome(np.dtype, theirs) == "TypeError"


def test_added_types_are_looked_up_on_demand():
    for name in NAMES:
        if name in dtypes.ADDED_KINDS:
            assert getattr(dtypes, name) is getattr(jax_dtypes, name)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = dtypes.nonsense


def test_names_of_ml_dtypes_without_it(monkeypatch):
    dtypes.added_type("bfloat16")
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(AttributeError, match="float8_e4m3fn needs the package ml_dtypes: pip install"):
        _ = dtypes.float8_e4m3fn


def test_importing_does_not_load_ml_dtypes():
    program = "import sys, minijax.numpy as jnp; jnp.ones(2) * 1j; assert 'ml_dtypes' not in sys.modules; jnp.bfloat16"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
