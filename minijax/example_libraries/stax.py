"""jax.example_libraries.stax: neural networks put together from pairs of functions.

A layer is a pair (init, apply):

    init(rng, input_shape) -> (output_shape, params)
    apply(params, inputs, rng=None, ...) -> outputs

Layers with options are made by functions in CamelCase (`Dense(10)`); those without are such pairs
themselves (`Relu`). `serial` and `parallel` make one layer of several.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

from minijax import lax, random
from minijax import numpy as jnp
from minijax.nn import elu, gelu, leaky_relu, log_softmax, relu, selu, sigmoid, softmax, softplus, standardize
from minijax.nn.initializers import glorot_normal, normal, ones, zeros

__all__ = [
    "AvgPool",
    "BatchNorm",
    "Conv",
    "Conv1DTranspose",
    "ConvTranspose",
    "Dense",
    "Dropout",
    "Elu",
    "Exp",
    "FanInConcat",
    "FanInSum",
    "FanOut",
    "Flatten",
    "Gelu",
    "GeneralConv",
    "GeneralConvTranspose",
    "Identity",
    "LeakyRelu",
    "LogSoftmax",
    "MaxPool",
    "Relu",
    "Selu",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "SumPool",
    "Tanh",
    "elementwise",
    "elu",
    "gelu",
    "glorot",
    "glorot_normal",
    "leaky_relu",
    "log_softmax",
    "logsoftmax",
    "normal",
    "ones",
    "parallel",
    "randn",
    "relu",
    "selu",
    "serial",
    "shape_dependent",
    "sigmoid",
    "softmax",
    "softplus",
    "standardize",
    "zeros",
]

Shape = tuple[int, ...]
Layer = tuple[Callable[..., Any], Callable[..., Any]]

glorot = glorot_normal
randn = normal
logsoftmax = log_softmax

# ----------------------------------------------------------------- layers with parameters


def Dense(out_dim: int, W_init: Callable = glorot_normal(), b_init: Callable = normal()) -> Layer:  # noqa: B008
    """inputs @ W + b, where W is [last axis of the inputs, out_dim]."""

    def init_fun(rng: Any, input_shape: Shape) -> Any:
        w_key, b_key = random.split(rng)
        params = W_init(w_key, (input_shape[-1], out_dim)), b_init(b_key, (out_dim,))
        return (*input_shape[:-1], out_dim), params

    def apply_fun(params: Any, inputs: Any, **kwargs: Any) -> Any:
        w, b = params
        return jnp.dot(inputs, w) + b

    return init_fun, apply_fun


def GeneralConv(
    dimension_numbers: Sequence[str],
    out_chan: int,
    filter_shape: Sequence[int],
    strides: Sequence[int] | None = None,
    padding: Any = "VALID",
    W_init: Callable | None = None,
    b_init: Callable = normal(1e-6),  # noqa: B008
) -> Layer:
    """Convolution; `dimension_numbers` name the axes of inputs, filter and outputs, as ("NHWC", "HWIO", "NHWC")."""
    ones_ = (1,) * len(filter_shape)
    strides = strides or ones_

    def output_shape(input_shape: Shape, filter_shape: Shape) -> Shape:
        return lax.conv_general_shape_tuple(input_shape, filter_shape, strides, padding, dimension_numbers)

    def convolve(inputs: Any, w: Any) -> Any:
        return lax.conv_general_dilated(inputs, w, strides, padding, ones_, ones_, dimension_numbers=dimension_numbers)

    return _convolution(dimension_numbers, out_chan, filter_shape, W_init, b_init, output_shape, convolve)


def GeneralConvTranspose(
    dimension_numbers: Sequence[str],
    out_chan: int,
    filter_shape: Sequence[int],
    strides: Sequence[int] | None = None,
    padding: Any = "VALID",
    W_init: Callable | None = None,
    b_init: Callable = normal(1e-6),  # noqa: B008
) -> Layer:
    """Transposed convolution, which makes images larger where the strides of a convolution make them smaller."""
    strides = strides or (1,) * len(filter_shape)

    def output_shape(input_shape: Shape, filter_shape: Shape) -> Shape:
        return lax.conv_transpose_shape_tuple(input_shape, filter_shape, strides, padding, dimension_numbers)

    def convolve(inputs: Any, w: Any) -> Any:
        return lax.conv_transpose(inputs, w, strides, padding, dimension_numbers=dimension_numbers)

    return _convolution(dimension_numbers, out_chan, filter_shape, W_init, b_init, output_shape, convolve)


def _convolution(
    dimension_numbers: Sequence[str],
    out_chan: int,
    filter_shape: Sequence[int],
    w_init: Callable | None,
    b_init: Callable,
    output_shape: Callable[..., Shape],
    convolve: Callable[..., Any],
) -> Layer:
    """What both kinds of convolution share: the shapes of filter and bias, and their first values."""
    in_spec, filter_spec, out_spec = dimension_numbers
    w_init = w_init or glorot_normal(filter_spec.index("I"), filter_spec.index("O"))

    def init_fun(rng: Any, input_shape: Shape) -> Any:
        lengths = iter(filter_shape)
        channels = {"O": out_chan, "I": input_shape[in_spec.index("C")]}
        w_shape = [channels[axis] if axis in channels else next(lengths) for axis in filter_spec]
        b_shape = [out_chan if axis == "C" else 1 for axis in out_spec]
        w_key, b_key = random.split(rng)
        return output_shape(input_shape, w_shape), (w_init(w_key, w_shape), b_init(b_key, b_shape))

    def apply_fun(params: Any, inputs: Any, **kwargs: Any) -> Any:
        w, b = params
        return convolve(inputs, w) + b

    return init_fun, apply_fun


Conv = functools.partial(GeneralConv, ("NHWC", "HWIO", "NHWC"))
Conv1DTranspose = functools.partial(GeneralConvTranspose, ("NHC", "HIO", "NHC"))
ConvTranspose = functools.partial(GeneralConvTranspose, ("NHWC", "HWIO", "NHWC"))


def BatchNorm(
    axis: Any = (0, 1, 2),
    epsilon: float = 1e-5,
    center: bool = True,
    scale: bool = True,
    beta_init: Callable = zeros,
    gamma_init: Callable = ones,
) -> Layer:
    """Mean 0 and variance 1 over the axes `axis` of each batch, then a learned scale and offset."""
    axis = (axis,) if jnp.isscalar(axis) else axis

    def init_fun(rng: Any, input_shape: Shape) -> Any:
        shape = tuple([n for d, n in enumerate(input_shape) if d not in axis])
        beta_key, gamma_key = random.split(rng)
        beta = beta_init(beta_key, shape) if center else ()
        return input_shape, (beta, gamma_init(gamma_key, shape) if scale else ())

    def apply_fun(params: Any, x: Any, **kwargs: Any) -> Any:
        beta, gamma = params
        spread = tuple([None if d in axis else slice(None) for d in range(jnp.ndim(x))])
        out = standardize(x, axis, epsilon=epsilon)
        out = gamma[spread] * out if scale else out
        return out + beta[spread] if center else out

    return init_fun, apply_fun


# ----------------------------------------------------------------- layers without parameters


def _keep_shape(rng: Any, input_shape: Any) -> Any:
    return input_shape, ()


def elementwise(fun: Callable[..., Any], **fun_kwargs: Any) -> Layer:
    """A layer that applies `fun` to its inputs and does not change their shape."""
    return _keep_shape, lambda params, inputs, **kwargs: fun(inputs, **fun_kwargs)


Tanh = elementwise(jnp.tanh)
Relu = elementwise(relu)
Exp = elementwise(jnp.exp)
LogSoftmax = elementwise(log_softmax, axis=-1)
Softmax = elementwise(softmax, axis=-1)
Softplus = elementwise(softplus)
Sigmoid = elementwise(sigmoid)
Elu = elementwise(elu)
LeakyRelu = elementwise(leaky_relu)
Selu = elementwise(selu)
Gelu = elementwise(gelu)
Identity = _keep_shape, lambda params, inputs, **kwargs: inputs
Flatten = (
    lambda rng, input_shape: ((input_shape[0], math.prod(input_shape[1:])), ()),
    lambda params, inputs, **kwargs: jnp.reshape(inputs, (inputs.shape[0], -1)),
)


def _pooling(reducer: Callable, init_val: float, finish: Callable | None = None) -> Callable[..., Layer]:
    """The constructor of a layer that reduces each window of an image."""

    def PoolingLayer(
        window_shape: Sequence[int],
        strides: Sequence[int] | None = None,
        padding: Any = "VALID",
        spec: str | None = None,
    ) -> Layer:
        spec = spec or "N" + "X" * len(window_shape) + "C"
        window = _with_ones(window_shape, spec)
        steps = _with_ones(strides or (1,) * len(window_shape), spec)

        def init_fun(rng: Any, input_shape: Shape) -> Any:
            undilated = (1,) * len(window)
            pads = lax.padtype_to_pads(input_shape, window, steps, padding)
            shape = lax.reduce_window_shape_tuple(input_shape, window, steps, pads, undilated, undilated)
            return shape, ()

        def apply_fun(params: Any, inputs: Any, **kwargs: Any) -> Any:
            out = lax.reduce_window(inputs, init_val, reducer, window, steps, padding)
            return out if finish is None else finish(out, inputs, window, steps, padding, spec)

        return init_fun, apply_fun

    return PoolingLayer


def _with_ones(lengths: Sequence[int], spec: str) -> Shape:
    """Lengths of the spatial axes, with 1 put in where `spec` has batch and channels."""
    rest = iter(lengths)
    return tuple([1 if axis in "NC" else next(rest) for axis in spec])


def _mean_of_window(out: Any, inputs: Any, window: Shape, steps: Shape, padding: Any, spec: str) -> Any:
    """Sums divided by how many entries each window has: near padded edges fewer."""
    shape = [1 if axis in "NC" else n for axis, n in zip(spec, inputs.shape, strict=True)]
    return out / lax.reduce_window(jnp.ones(shape, inputs.dtype), 0.0, lax.add, window, steps, padding)


MaxPool = _pooling(lax.max, -math.inf)
SumPool = _pooling(lax.add, 0.0)
AvgPool = _pooling(lax.add, 0.0, _mean_of_window)


def Dropout(rate: float, mode: str = "train") -> Layer:
    """Keeps each entry with probability `rate`, divided by it; does nothing unless `mode` is "train"."""

    def apply_fun(params: Any, inputs: Any, **kwargs: Any) -> Any:
        rng = kwargs.get("rng")
        if rng is None:
            raise ValueError(
                "A Dropout layer draws random numbers and got no key. Write apply_fun(params, inputs, rng=key), "
                "with another key in each step."
            )
        if mode != "train":
            return inputs
        return jnp.where(random.bernoulli(rng, rate, inputs.shape), inputs / rate, 0)

    return _keep_shape, apply_fun


# ----------------------------------------------------------------- layers of layers


def FanOut(num: int) -> Layer:
    """Gives its input to `num` layers, which stand in a `parallel` behind it."""
    return lambda rng, input_shape: ([input_shape] * num, ()), lambda params, inputs, **kwargs: [inputs] * num


FanInSum = lambda rng, input_shape: (input_shape[0], ()), lambda params, inputs, **kwargs: sum(inputs)


def FanInConcat(axis: int = -1) -> Layer:
    """Puts the outputs of several layers side by side along `axis`."""

    def init_fun(rng: Any, input_shape: Sequence[Shape]) -> Any:
        shape = list(input_shape[0])
        shape[axis] = sum(s[axis] for s in input_shape)
        return tuple(shape), ()

    return init_fun, lambda params, inputs, **kwargs: jnp.concatenate(inputs, axis)


def _keys(rng: Any, number: int) -> Any:
    """A key for each layer, or None for each if there is none."""
    return (None,) * number if rng is None else random.split(rng, number)


def serial(*layers: Layer) -> Layer:
    """One layer after another."""
    init_funs, apply_funs = zip(*layers, strict=True)

    def init_fun(rng: Any, input_shape: Any) -> Any:
        params = []
        for init in init_funs:
            rng, key = random.split(rng)
            input_shape, param = init(key, input_shape)
            params.append(param)
        return input_shape, params

    def apply_fun(params: Any, inputs: Any, **kwargs: Any) -> Any:
        keys = _keys(kwargs.pop("rng", None), len(layers))
        for apply, param, key in zip(apply_funs, params, keys):
            inputs = apply(param, inputs, rng=key, **kwargs)
        return inputs

    return init_fun, apply_fun


def parallel(*layers: Layer) -> Layer:
    """Layers side by side: a sequence of inputs, one for each layer, gives a list of outputs."""
    init_funs, apply_funs = zip(*layers, strict=True)

    def init_fun(rng: Any, input_shape: Sequence[Any]) -> Any:
        keys = random.split(rng, len(layers))
        return zip(*[init(key, shape) for init, key, shape in zip(init_funs, keys, input_shape)], strict=True)

    def apply_fun(params: Any, inputs: Sequence[Any], **kwargs: Any) -> list[Any]:
        keys = _keys(kwargs.pop("rng", None), len(layers))
        return [apply(p, x, rng=key, **kwargs) for apply, p, x, key in zip(apply_funs, params, inputs, keys)]

    return init_fun, apply_fun


def shape_dependent(make_layer: Callable[[Any], Layer]) -> Layer:
    """The layer make_layer(input_shape), made when the shape of the inputs is known."""

    def init_fun(rng: Any, input_shape: Any) -> Any:
        return make_layer(input_shape)[0](rng, input_shape)

    def apply_fun(params: Any, inputs: Any, **kwargs: Any) -> Any:
        return make_layer(inputs.shape)[1](params, inputs, **kwargs)

    return init_fun, apply_fun
