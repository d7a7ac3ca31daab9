"""Initial values of weights: functions `(jax, key, shape) -> f[*shape]` in the engine's default float.

The last two axes of a shape are inputs and outputs and those before them the window of a convolution, so that a unit
has inputs * window connections. The variances keep the size of activations from layer to layer: 1 / inputs (LeCun),
twice that where half of them are cut off by relu (He), or 2 / (inputs + outputs), for both ways (Glorot).
"""

from collections.abc import Callable, Sequence

from ..engines import Array, Engine

__all__ = [
    "INITIALIZERS",
    "Initializer",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "orthogonal",
    "zeros",
]

Initializer = Callable[[Engine, Array, Sequence[int]], Array]


def glorot_normal(jax: Engine, key: Array, shape: Sequence[int]) -> Array:
    """Normal, cut off at two deviations, of variance 2 / (inputs + outputs) (Glorot and Bengio, 2010); also Xavier."""
    return jax.nn.initializers.glorot_normal()(key, shape)


def glorot_uniform(jax: Engine, key: Array, shape: Sequence[int]) -> Array:
    """Uniform, of variance 2 / (inputs + outputs)."""
    return jax.nn.initializers.glorot_uniform()(key, shape)


def he_normal(jax: Engine, key: Array, shape: Sequence[int]) -> Array:
    """Normal, cut off at two deviations, of variance 2 / inputs (He et al., 2015); also Kaiming."""
    return jax.nn.initializers.he_normal()(key, shape)


def he_uniform(jax: Engine, key: Array, shape: Sequence[int]) -> Array:
    """Uniform, of variance 2 / inputs."""
    return jax.nn.initializers.he_uniform()(key, shape)


def lecun_normal(jax: Engine, key: Array, shape: Sequence[int]) -> Array:
    """Normal, cut off at two deviations, of variance 1 / inputs (LeCun et al., 1998)."""
    return jax.nn.initializers.lecun_normal()(key, shape)


def lecun_uniform(jax: Engine, key: Array, shape: Sequence[int]) -> Array:
    """Uniform, of variance 1 / inputs."""
    return jax.nn.initializers.lecun_uniform()(key, shape)


def orthogonal(jax: Engine, key: Array, shape: Sequence[int]) -> Array:
    """Columns of length one at right angles, or rows where there are fewer of them (Saxe et al., 2014)."""
    return jax.nn.initializers.orthogonal()(key, shape)


def normal(deviation: float) -> Initializer:
    """Normal with mean zero and this standard deviation."""
    return lambda jax, key, shape: deviation * jax.random.normal(key, tuple(shape))


def zeros(jax: Engine, key: Array, shape: Sequence[int]) -> Array:
    """Zeros; the key is not used."""
    return jax.numpy.zeros(tuple(shape))


INITIALIZERS = {
    "glorot_normal": glorot_normal,
    "glorot_uniform": glorot_uniform,
    "he_normal": he_normal,
    "he_uniform": he_uniform,
    "lecun_normal": lecun_normal,
    "lecun_uniform": lecun_uniform,
    "orthogonal": orthogonal,
    "zeros": zeros,
}
