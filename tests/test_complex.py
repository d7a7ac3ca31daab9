"""Derivatives of and by complex numbers: holomorphic functions, JAX's convention of gradients, and the errors."""

from __future__ import annotations

import warnings
from typing import Any

import jax
import jax.test_util
import numpy as np
import pytest

import minijax
import minijax.test_util
from reference.check import jaxpr_tools
from reference.check.oracle import ENGINES, assert_same

Z = np.asarray([0.5 + 0.3j, -1.2 + 0.7j, 0.9 - 0.4j], np.complex64)
R = np.asarray([0.3, 1.5, -0.7], np.float32)
DIRECTION = np.asarray([0.2 - 1j, 1.0 + 0.5j, -0.3j], np.complex64)

HOLOMORPHIC = {
    "sin": lambda engine: engine.numpy.sin,
    "polynomial": lambda engine: lambda z: z**3 + (2 - 1j) * z,
    "exp-log": lambda engine: lambda z: engine.numpy.log(engine.numpy.exp(z) + 2),
    "sqrt-div": lambda engine: lambda z: engine.numpy.sqrt(z) / (1 + z),
    "jitted": lambda engine: engine.jit(lambda z: engine.numpy.tanh(z) ** 2),
}
# Functions that no complex derivative describes: they know real and imaginary parts apart.
OTHERS = {
    "abs": lambda engine: engine.numpy.abs,
    "abs-squared": lambda engine: lambda z: abs(z) ** 2,
    "product-of-parts": lambda engine: lambda z: z.real * z.imag,
    "angle": lambda engine: engine.numpy.angle,
}


# The default depth is content with one of each kind.
FEW = ("sin", "jitted", "abs", "product-of-parts")
NAMES = [n if n in FEW else pytest.param(n, marks=pytest.mark.full) for n in HOLOMORPHIC | OTHERS]


def outcome(function: Any) -> Any:
    """The result, or the exception's class."""
    try:
        return function()
    except Exception as error:
        return type(error).__name__


def both(program: Any, ulp: float = 32) -> None:
    """The program of an engine gives on both the same values, or an exception of the same class."""
    ours, theirs = (outcome(lambda engine=engine: program(engine)) for engine in ENGINES)
    if isinstance(ours, str) or isinstance(theirs, str):
        assert ours == theirs
    else:
        assert_same(ours, theirs, ulp=ulp, leafwise=True)


def array(engine: Any, value: Any) -> Any:
    """The value as an array of the engine."""
    return engine.numpy.asarray(value)


@pytest.mark.parametrize("transform", ["jacfwd", "jacrev", pytest.param("hessian", marks=pytest.mark.full)])
@pytest.mark.parametrize("holomorphic", [True, False])
@pytest.mark.parametrize("operand", [Z, R], ids=["complex", "real"])
@pytest.mark.parametrize("name", NAMES)
def test_jacobians(name: str, operand: Any, holomorphic: bool, transform: str):
    function = (HOLOMORPHIC | OTHERS)[name]
    if name in OTHERS and operand is R:
        return  # |x| and its kin of real numbers are in the tables
    both(lambda engine: getattr(engine, transform)(function(engine), holomorphic=holomorphic)(array(engine, operand)))


@pytest.mark.parametrize("holomorphic", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_gradients(name: str, holomorphic: bool):
    function = (HOLOMORPHIC | OTHERS)[name]
    both(lambda engine: engine.value_and_grad(function(engine), holomorphic=holomorphic)(array(engine, Z)[0]))
    both(lambda engine: engine.grad(function(engine), holomorphic=holomorphic)(array(engine, R)[1]))
    both(lambda engine: engine.vmap(engine.grad(function(engine), holomorphic=holomorphic))(array(engine, Z)))


@pytest.mark.parametrize("name", NAMES)
def test_directional_derivatives(name: str):
    """jvp, linearize and vjp ask nothing of the function; a result orthogonal to the direction would be noise."""
    function = (HOLOMORPHIC | OTHERS)[name]

    def pulled(engine: Any) -> Any:
        out, f_vjp = engine.vjp(function(engine), array(engine, Z))
        return out, f_vjp(engine.numpy.ones_like(out) * (2 if np.isrealobj(out) else 2 - 1j))

    both(lambda engine: engine.jvp(function(engine), (array(engine, Z),), (array(engine, DIRECTION),)), ulp=64)
    both(lambda engine: engine.linearize(function(engine), array(engine, Z))[1](array(engine, DIRECTION)), ulp=64)
    both(pulled)


@pytest.mark.parametrize("name", HOLOMORPHIC)
def test_complex_derivatives_are_difference_quotients(name: str):
    with minijax.enable_x64(True):
        function = HOLOMORPHIC[name](minijax)
        z, step = minijax.numpy.asarray(Z[0], "complex128"), 1e-5 * (1 + 1j)
        derivative = minijax.grad(function, holomorphic=True)(z)
        quotient = (function(z + step) - function(z - step)) / (2 * step)
    np.testing.assert_allclose(derivative, quotient, rtol=1e-8)


def test_gradient_is_the_conjugate_of_the_direction_of_ascent():
    """JAX's convention: for real f, grad f = df/dx - i df/dy, so that one descends along its conjugate."""
    gradient = minijax.grad(lambda z: (z.real - 3) ** 2 + 2 * z.imag)(minijax.numpy.asarray(1 + 5j))
    assert complex(gradient) == -4 - 2j
    z = minijax.numpy.asarray([1 + 1j, -2j])
    for _ in range(60):
        z = z - 0.2 * minijax.grad(lambda z: (abs(z - (2 - 3j)) ** 2).sum())(z).conj()
    np.testing.assert_allclose(z, [2 - 3j, 2 - 3j], rtol=1e-5)


def test_derivative_of_abs_at_zero():
    both(lambda engine: engine.grad(lambda z: abs(z))(array(engine, np.complex64(0))))
    both(lambda engine: engine.grad(lambda z: abs(z))(0j))
    both(lambda engine: engine.grad(lambda z: engine.numpy.sqrt(z), holomorphic=True)(0j))
    both(lambda engine: engine.grad(lambda z: z**0.5, holomorphic=True)(-1 + 0j))


def test_real_arguments_of_functions_with_complex_results():
    both(lambda engine: engine.jacfwd(lambda x: x * (1 + 2j))(array(engine, R)))
    both(lambda engine: engine.jacrev(lambda x: x * (1 + 2j))(array(engine, R)))
    both(lambda engine: engine.vjp(lambda x: x * (1 + 2j), array(engine, R))[1](array(engine, Z)))
    both(lambda engine: engine.grad(lambda x: abs(engine.numpy.exp((1 + 1j) * x)).sum())(array(engine, R)))


def test_trees_of_both_kinds():
    tree = {"z": Z, "r": R}
    both(
        lambda engine: engine.grad(lambda d: (abs(d["z"]) * d["r"]).sum())(engine.tree.map(engine.numpy.asarray, tree))
    )
    both(lambda engine: engine.grad(lambda d: abs(d["z"].sum()) + d["i"], allow_int=True)({"z": 1j, "i": 3}))


def test_transposes_of_linear_functions():
    both(lambda engine: engine.linear_transpose(lambda z: (z * (2 + 1j)).real, Z)(array(engine, R)))
    both(lambda engine: engine.linear_transpose(lambda z: z.conj(), Z)(array(engine, Z)))
    both(lambda engine: engine.linear_transpose(lambda z: z.imag, Z)(array(engine, R)))
    both(lambda engine: engine.linear_transpose(lambda x: engine.lax.complex(x, 2 * x), R)(array(engine, Z)))
    both(lambda engine: engine.linear_transpose(lambda x: engine.lax.conj(x), R)(array(engine, Z)))
    both(lambda engine: engine.linear_transpose(lambda x: x.astype("complex64"), R)(array(engine, Z)))
    both(lambda engine: engine.linear_transpose(lambda n: 2 * n.sum() + n[0], np.arange(3))(np.int32(2)))
    both(lambda engine: engine.linear_transpose(lambda n: n.astype("complex64"), np.arange(3))(array(engine, Z)))


@pytest.mark.parametrize("tangent", [R, Z.astype(np.complex128), Z[:2]])
def test_tangents_of_another_kind_are_refused(tangent: Any):
    both(lambda engine: engine.jvp(lambda z: z * z, (array(engine, Z),), (tangent,)))
    both(lambda engine: engine.vjp(lambda z: z * z, array(engine, Z))[1](tangent))


PROGRAMS = {
    "python-complex": lambda engine: lambda z: engine.numpy.sin(z) * (1 + 2j) + 1j,
    "gradient-of-abs": lambda engine: engine.grad(lambda z: abs(z).sum()),
    "gradient-of-parts": lambda engine: engine.grad(lambda z: (z.real**2 + z.imag).sum()),
    "angle": lambda engine: engine.numpy.angle,
    "order": lambda engine: lambda z: z < z,
    "variance": lambda engine: engine.numpy.var,
    "vdot": lambda engine: lambda z: engine.numpy.vdot(z, z),
    "isclose": lambda engine: lambda z: engine.numpy.isclose(z, z),
    "convert": lambda engine: lambda z: z.real.astype(complex) + engine.lax.convert_element_type(1.0, np.complex64),
    "powers": lambda engine: lambda z: z / 1j - z**2,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_text_of_jaxprs(name: str):
    jaxpr_tools.assert_same_text(*[engine.make_jaxpr(PROGRAMS[name](engine))(Z) for engine in ENGINES])


def test_python_complex_numbers_are_weakly_typed():
    for engine in ENGINES:
        x = engine.numpy.asarray(1j)
        assert (x.dtype, x.weak_type) == (np.complex64, True)
        assert (engine.numpy.ones(2, "float32") * 1j).dtype == np.complex64
        assert (engine.numpy.asarray(Z) * 1j).weak_type is False
    with minijax.enable_x64(True):
        assert (minijax.numpy.ones(2, "float32") * 1j).dtype == np.complex64
        assert minijax.numpy.asarray(1j).dtype == np.complex128


def test_loss_of_imaginary_parts_warns():
    for engine in ENGINES:
        with pytest.warns(np.exceptions.ComplexWarning, match="discards the imaginary part"):
            engine.lax.convert_element_type(array(engine, Z), np.float32)
        with pytest.warns(DeprecationWarning):
            array(engine, Z).astype("float32")
        with pytest.warns(np.exceptions.ComplexWarning):
            engine.numpy.sum(array(engine, Z), dtype="float32")
        with pytest.warns(np.exceptions.ComplexWarning), pytest.raises(TypeError):
            engine.lax.convert_element_type(1j, "float32")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert array(engine, Z).astype(bool).all()
            engine.vjp(lambda x: x.astype("complex64"), array(engine, R))[1](array(engine, Z))


def test_errors_name_what_is_wrong():
    with pytest.raises(TypeError, match="grad with holomorphic=True requires inputs with complex dtype.*float32"):
        minijax.grad(lambda x: x, holomorphic=True)(1.0)
    with pytest.raises(TypeError, match="holomorphic=True requires outputs with complex dtype"):
        minijax.grad(abs, holomorphic=True)(1j)
    with pytest.raises(TypeError, match="grad requires real-valued outputs.*complex64.*holomorphic=True"):
        minijax.grad(lambda z: z * z)(1j)
    with pytest.raises(TypeError, match="jacfwd requires real-valued inputs.*complex64"):
        minijax.jacfwd(lambda z: z * z)(1j)
    with pytest.raises(TypeError, match="real does not accept dtype float32"):
        minijax.lax.real(1.0)
    with pytest.raises(TypeError, match="float32 or float64.*float16|f16"):
        minijax.lax.complex(np.float16(1), np.float16(1))
    with pytest.raises(TypeError, match=r"float\(\) needs a real number.*complex64"):
        float(minijax.numpy.asarray(1j))
    assert complex(jax.numpy.asarray(1j)) == complex(minijax.numpy.asarray(1j)) == 1j


def test_check_grads_of_complex_numbers():
    """A right derivative passes in both engines, a wrong one is found in both."""
    for engine in ENGINES:
        z = engine.numpy.asarray(Z)
        engine.test_util.check_grads(engine.numpy.sin, (z,), order=2)
        engine.test_util.check_grads(lambda z: abs(z) ** 2, (z,), order=1)
        with pytest.raises(AssertionError):
            engine.test_util.check_grads(lambda z, lax=engine.lax: lax.stop_gradient(z) * z, (z,), order=1)
