"""Gaussian kernel density estimates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import dtypes, random
from minijax.array import Array
from minijax.numpy.promotion import check_arraylike, promote_dtypes_inexact
from minijax.scipy import linalg, special
from minijax.tree_util import register_pytree_node_class

__all__ = ["gaussian_kde"]

_FIELDS = ("neff", "dataset", "weights", "covariance", "inv_cov")


@register_pytree_node_class
class gaussian_kde:  # noqa: N801 (JAX's and SciPy's name)
    """The density estimated from points dataset[d, n]: a normal distribution about each, all of one covariance.

    bw_method: how wide they are in units of the data's own covariance: 'scott' (the default), 'silverman', a factor,
    or a function of the estimate. weights: of the points, equal by default.
    neff: the effective number of points; covariance, inv_cov: of each normal distribution, and its inverse.
    """

    __slots__ = _FIELDS

    neff: Any
    dataset: Any
    weights: Any
    covariance: Any
    inv_cov: Any

    def __init__(self, dataset: Any, bw_method: str | float | Callable[[Any], Any] | None = None, weights: Any = None):
        check_arraylike("gaussian_kde", dataset)
        dataset = jnp.atleast_2d(dataset)
        if dtypes.kind(dataset.dtype) == "c":
            raise NotImplementedError("gaussian_kde does not support complex data: give it real and imaginary parts.")
        if dataset.size <= 1:
            raise ValueError(f"gaussian_kde: the dataset must have several points, got shape {dataset.shape}.")
        d, n = dataset.shape
        dataset, weights = _with_weights(dataset, weights, n)
        neff = 1 / jnp.sum(weights**2)
        self._set(neff, dataset, weights, None, None)
        factor = self._factor(bw_method, d)
        covariance = jnp.atleast_2d(jnp.cov(dataset, rowvar=True, bias=False, aweights=weights))
        self._set(neff, dataset, weights, covariance * factor**2, jnp.linalg.inv(covariance) / factor**2)

    def _set(self, *values: Any) -> None:
        for name, value in zip(_FIELDS, values, strict=True):
            object.__setattr__(self, name, value)

    def _factor(self, bw_method: Any, d: int) -> Any:
        if bw_method is None or isinstance(bw_method, str) and bw_method == "scott":
            return jnp.power(self.neff, -1.0 / (d + 4))
        if isinstance(bw_method, str) and bw_method == "silverman":
            return jnp.power(self.neff * (d + 2) / 4.0, -1.0 / (d + 4))
        if not isinstance(bw_method, str) and jnp.isscalar(bw_method):
            return bw_method
        if callable(bw_method):
            return bw_method(self)
        raise ValueError(
            f"gaussian_kde: bw_method must be 'scott', 'silverman', a number or a function, got {bw_method!r}."
        )

    def tree_flatten(self) -> tuple[tuple[Any, ...], None]:
        """The fields, for pytrees."""
        return tuple(getattr(self, name) for name in _FIELDS), None

    @classmethod
    def tree_unflatten(cls, aux_data: None, children: Sequence[Any]) -> gaussian_kde:
        """An estimate with these fields."""
        kde = cls.__new__(cls)
        kde._set(*children)
        return kde

    @property
    def d(self) -> int:
        """The number of dimensions."""
        return self.dataset.shape[0]

    @property
    def n(self) -> int:
        """The number of points."""
        return self.dataset.shape[1]

    def evaluate(self, points: Any) -> Array:
        """The density at points[d, m] (a vector: m points of the line, or one of d dimensions)."""
        check_arraylike("evaluate", points)
        log_kernel = self._log_kernel(self._points(points))
        return jnp.sum(self.weights * jnp.exp(log_kernel), -1)

    def __call__(self, points: Any) -> Array:
        """The density at points."""
        return self.evaluate(points)

    def pdf(self, x: Any) -> Array:
        """The density at x."""
        return self.evaluate(x)

    def logpdf(self, x: Any) -> Array:
        """The logarithm of the density at x."""
        check_arraylike("logpdf", x)
        log_kernel = self._log_kernel(self._points(x))
        return special.logsumexp(jnp.log(self.weights) + log_kernel, axis=-1)

    def _log_kernel(self, points: Array) -> Array:
        """The logarithm of each normal density (last axis) at each of the points[d, m]."""
        dataset, points, precision = promote_dtypes_inexact(self.dataset, points, self.inv_cov)
        whitening = jnp.linalg.cholesky(precision)
        distance = jnp.dot(points.T, whitening)[:, None] - jnp.dot(dataset.T, whitening)
        log_norm = jnp.sum(jnp.log(jnp.diag(whitening))) - 0.5 * self.d * jnp.log(2 * np.pi)
        return log_norm - 0.5 * jnp.sum(jnp.square(distance), -1)

    def _points(self, points: Any) -> Array:
        points = jnp.atleast_2d(points)
        if dtypes.kind(points.dtype) == "c":
            raise NotImplementedError("gaussian_kde does not support complex coordinates: give it real ones.")
        d, m = points.shape
        if d == self.d:
            return points
        if d == 1 and m == self.d:
            return points.reshape(self.d, 1)
        raise ValueError(f"gaussian_kde: points have dimension {d}, the dataset has dimension {self.d}.")

    def integrate_gaussian(self, mean: Any, cov: Any) -> Array:
        """The integral of the density times that of a normal distribution."""
        mean, cov = jnp.atleast_1d(jnp.squeeze(mean)), jnp.atleast_2d(cov)
        if mean.shape != (self.d,) or cov.shape != (self.d, self.d):
            raise ValueError(
                f"integrate_gaussian: mean and cov must have the shapes {(self.d,)} and {(self.d, self.d)}, got "
                f"{mean.shape} and {cov.shape}."
            )
        return jnp.sum(self.weights * _normal_density(self.dataset - mean[:, None], self.covariance + cov))

    def integrate_kde(self, other: gaussian_kde) -> Array:
        """The integral of the product of two densities."""
        if other.d != self.d:
            raise ValueError(f"integrate_kde: the estimates have {self.d} and {other.d} dimensions.")
        distance = self.dataset[:, :, None] - other.dataset[:, None]
        product = _normal_density(distance.reshape(self.d, -1), self.covariance + other.covariance)
        return jnp.sum(product.reshape(self.n, other.n) * self.weights[:, None] * other.weights)

    def integrate_box_1d(self, low: Any, high: Any) -> Array:
        """The probability between two numbers, for data of one dimension."""
        if self.d != 1:
            raise ValueError(f"integrate_box_1d() only handles 1D densities, this one has {self.d} dimensions.")
        if np.ndim(low) or np.ndim(high):
            raise ValueError("the limits of integration in integrate_box_1d must be scalars")
        sigma = jnp.squeeze(jnp.sqrt(self.covariance))
        low, high = jnp.squeeze((low - self.dataset) / sigma), jnp.squeeze((high - self.dataset) / sigma)
        return jnp.sum(self.weights * (special.ndtr(high) - special.ndtr(low)))

    def integrate_box(self, low_bounds: Any, high_bounds: Any, maxpts: Any = None) -> Array:
        """Not supported; `integrate_box_1d` is."""
        raise NotImplementedError("only 1D box integrations are supported; use `integrate_box_1d`")

    def resample(self, key: Any, shape: Sequence[int] = ()) -> Array:
        """Random points of the density, of shape (d, *shape) for one axis of shape or none."""
        first, second = random.split(key)
        chosen = random.choice(first, self.n, shape=shape, p=self.weights)
        zero = jnp.zeros(self.d, self.covariance.dtype)
        noise = random.multivariate_normal(second, zero, self.covariance, shape=shape, dtype=self.dataset.dtype)
        return self.dataset[:, chosen] + noise.T

    def set_bandwidth(self, bw_method: Any = None) -> None:
        """Not supported: an estimate does not change; make another one."""
        raise NotImplementedError("dynamically changing the bandwidth method is not supported; make a new gaussian_kde")


def _with_weights(dataset: Array, weights: Any, n: int) -> tuple[Array, Array]:
    """The data in floats and their weights, which add up to 1."""
    if weights is None:
        (dataset,) = promote_dtypes_inexact(dataset)
        return dataset, jnp.full(n, 1.0 / n, dtype=dataset.dtype)
    check_arraylike("gaussian_kde", weights)
    dataset, weights = promote_dtypes_inexact(dataset, weights)
    weights = jnp.atleast_1d(weights)
    if weights.ndim != 1 or len(weights) != n:
        raise ValueError(f"gaussian_kde: weights must be a vector of length {n}, got shape {weights.shape}.")
    return dataset, weights / jnp.sum(weights)


def _normal_density(x: Array, covariance: Array) -> Array:
    """The density of the normal distribution of mean 0 at the columns of x."""
    factor = linalg.cho_factor(covariance)
    exponent = -0.5 * jnp.sum(x * linalg.cho_solve(factor, x), axis=0)
    return jnp.exp(exponent) / (jnp.sqrt(2 * np.pi) ** x.shape[0] * jnp.prod(jnp.diag(factor[0])))
