"""Derivatives by themselves: of a long expression, per example, of second order, of a long chain of scalars."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engines import Engine, Params
from .work import Contestant, Product, Work

__all__ = ["EQUATIONS", "elementwise", "hessian", "per_example", "scalar_chain"]

EQUATIONS = 2500
"""Equations of the scalar chain."""


# ----------------------------------------------------------------- an elementwise expression


def elementwise(size: int = 1_000_000) -> Work:
    """The gradient of sum(sin(x) * exp(-x * x / 2) + x * tanh(x) / (1 + x * x))."""
    x = np.random.default_rng(0).normal(size=size).astype(np.float32)

    def torch_gradient(torch: Any, x: np.ndarray) -> Contestant:
        tensor = torch.tensor(x, requires_grad=True)
        return Contestant(lambda: torch.autograd.grad(_expression(torch, tensor), tensor)[0], lambda dx: dx.numpy())

    return Work(
        arguments=(x,),
        function=lambda jax: jax.grad(lambda x: _expression(jax.numpy, x)),
        by_hand=_expression_by_hand,
        autograd=lambda autograd: autograd.grad(lambda x: _expression(autograd.numpy, x)),
        torch=torch_gradient,
    )


def _expression(numpy: Any, x: Any) -> Any:
    return numpy.sum(numpy.sin(x) * numpy.exp(-0.5 * x * x) + x * numpy.tanh(x) / (1 + x * x))


def _expression_by_hand(x: np.ndarray) -> np.ndarray:
    bell, bent, denominator = np.exp(-0.5 * x * x), np.tanh(x), 1 + x * x
    first = (np.cos(x) - x * np.sin(x)) * bell
    quotient = x * bent / denominator
    return first + (bent + x * (1 - bent * bent) - 2 * x * quotient) / denominator


# ----------------------------------------------------------------- one gradient for each example


def per_example(batch: int = 64, inputs: int = 100, hidden: int = 64) -> Work:
    """The gradient of each example's squared error by itself, through a network inputs-hidden-1 with tanh."""
    rng = np.random.default_rng(0)
    params = {
        "w1": rng.normal(0, inputs**-0.5, (inputs, hidden)).astype(np.float32),
        "b1": np.zeros(hidden, np.float32),
        "w2": rng.normal(0, hidden**-0.5, (hidden, 1)).astype(np.float32),
        "b2": np.zeros(1, np.float32),
    }
    x = rng.normal(size=(batch, inputs)).astype(np.float32)
    y = rng.normal(size=batch).astype(np.float32)

    def for_each(autograd: Any) -> Callable[..., Any]:
        gradient = autograd.grad(lambda params, x, y: _squared_error(autograd.numpy, params, x, y))

        def gradients(params: Any, xs: np.ndarray, ys: np.ndarray) -> Any:
            found = [gradient(params, x, y) for x, y in zip(xs, ys, strict=True)]
            return {name: np.stack([grads[name] for grads in found]) for name in params}

        return gradients

    def torch_gradients(torch: Any, params: Any, x: np.ndarray, y: np.ndarray) -> Contestant:
        tensors = {name: torch.tensor(a) for name, a in params.items()}, torch.tensor(x), torch.tensor(y)
        gradient = torch.func.grad(lambda params, x, y: _squared_error(torch, params, x, y))
        gradients = torch.func.vmap(gradient, (None, 0, 0))
        return Contestant(
            lambda: gradients(*tensors), lambda found: {name: found[name].detach().numpy() for name in params}
        )

    def function(jax: Engine) -> Callable[..., Params]:
        gradient = jax.grad(lambda params, x, y: _squared_error(jax.numpy, params, x, y))
        return jax.vmap(gradient, (None, 0, 0))

    return Work(
        arguments=(params, x, y),
        function=function,
        by_hand=_per_example_by_hand,
        autograd=for_each,
        torch=torch_gradients,
        products=(
            Product((batch, inputs), (inputs, hidden)),
            Product((batch, hidden), (hidden, 1)),
        ),
    )


def _squared_error(numpy: Any, params: Any, x: Any, y: Any) -> Any:
    hidden = numpy.tanh(numpy.matmul(x, params["w1"]) + params["b1"])
    return numpy.sum((numpy.matmul(hidden, params["w2"]) + params["b2"] - y) ** 2)


def _per_example_by_hand(params: Any, x: np.ndarray, y: np.ndarray) -> Any:
    hidden = np.tanh(x @ params["w1"] + params["b1"])
    doutput = 2 * (hidden @ params["w2"] + params["b2"] - y[:, None])
    dhidden = doutput * params["w2"][:, 0] * (1 - hidden * hidden)
    return {
        "w1": x[:, :, None] * dhidden[:, None, :],
        "b1": dhidden,
        "w2": (hidden * doutput)[:, :, None],
        "b2": doutput,
    }


# ----------------------------------------------------------------- second derivatives


def hessian(size: int = 40) -> Work:
    """The Hessian f[size, size] of v . tanh(tanh(x @ w1) @ w2), a network with one output, by its input."""
    rng = np.random.default_rng(0)
    w1, w2 = (rng.normal(0, size**-0.5, (size, size)).astype(np.float32) for _ in range(2))
    v, x = (rng.normal(size=size).astype(np.float32) for _ in range(2))

    def torch_hessian(torch: Any, *arrays: np.ndarray) -> Contestant:
        tensors = [torch.tensor(a) for a in arrays]
        second = torch.func.hessian(lambda *arguments: _network(torch, *arguments))
        return Contestant(lambda: second(*tensors), lambda found: found.detach().numpy())

    return Work(
        arguments=(x, w1, w2, v),
        function=lambda jax: jax.hessian(lambda *arguments: _network(jax.numpy, *arguments)),
        by_hand=_hessian_by_hand,
        autograd=lambda autograd: autograd.hessian(lambda *arguments: _network(autograd.numpy, *arguments)),
        torch=torch_hessian,
        products=(Product((size, size), (size, size), 3),),
    )


def _network(numpy: Any, x: Any, w1: Any, w2: Any, v: Any) -> Any:
    return numpy.sum(v * numpy.tanh(numpy.matmul(numpy.tanh(numpy.matmul(x, w1)), w2)))


def _hessian_by_hand(x: np.ndarray, w1: np.ndarray, w2: np.ndarray, v: np.ndarray) -> np.ndarray:
    first = np.tanh(x @ w1)
    second = np.tanh(first @ w2)
    dfirst = w2 @ (v * (1 - second * second))
    jacobian = (w1 * (1 - first * first)) @ w2
    outer = (jacobian * (-2 * v * second * (1 - second * second))) @ jacobian.T
    return outer + (w1 * (-2 * dfirst * first * (1 - first * first))) @ w1.T


# ----------------------------------------------------------------- a long chain of scalars


def scalar_chain(equations: int = EQUATIONS) -> Work:
    """The derivative of a number after `equations` operations in a row: sin, times 1.001, plus 0.0001, and again.

    The slopes are near 1, so that the derivative is a normal number."""
    rounds = equations // 3

    def chain(numpy: Any, x: Any) -> Any:
        for _ in range(rounds):
            x = numpy.sin(x) * 1.001 + 0.0001
        return x

    def by_hand(x: np.ndarray) -> np.ndarray:
        slopes = []
        for _ in range(rounds):
            slopes.append(np.cos(x))
            x = np.sin(x) * np.float32(1.001) + np.float32(0.0001)
        dx = np.float32(1)
        for slope in reversed(slopes):
            dx = dx * np.float32(1.001) * slope
        return dx

    def torch_derivative(torch: Any, x: np.ndarray) -> Contestant:
        tensor = torch.tensor(x, requires_grad=True)
        return Contestant(lambda: torch.autograd.grad(chain(torch, tensor), tensor)[0], lambda dx: dx.numpy())

    return Work(
        arguments=(np.float32(0.5),),
        function=lambda jax: jax.grad(lambda x: chain(jax.numpy, x)),
        by_hand=by_hand,
        autograd=lambda autograd: autograd.grad(lambda x: chain(autograd.numpy, x)),
        torch=torch_derivative,
        eager=False,  # a second each time: the row eager-chain has a shorter one
    )
