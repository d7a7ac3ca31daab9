"""Calls of the functions of jax.random; test_random.py has more about draws that are to be identical."""

from __future__ import annotations

__all__ = ["CLOSE", "EXACT", "MORE_CLOSE", "MORE_EXACT", "MORE_SMOOTH", "REFUSED", "SMOOTH"]

EXACT = """
jax.random.key_data(key), jax.random.key_data(jax.random.split(key, 3)), jax.random.PRNGKey(7)
str(jax.random.key_dtype())
jax.random.key_data(jax.random.fold_in(key, 3)), jax.random.key_data(jax.random.clone(key))
str(jax.random.key_impl(key))
jax.random.key_data(jax.random.wrap_key_data(jnp.array([1, 2], 'uint32'))), jax.random.key_data(jax.random.key(3))
jax.random.bits(key, (3,)), jax.random.bits(key, (3,), 'uint8'), jax.random.uniform(key, (2, 3))
jax.random.uniform(key)
jax.random.randint(key, (4,), 0, 9), jax.random.permutation(key, x), jax.random.permutation(key, 5)
jax.random.bernoulli(key, 0.3, (4,)), jax.random.rademacher(key, (4,)), jax.random.choice(key, x, (3,))
jax.random.choice(key, 5, (3,), replace=False), jax.random.categorical(key, m), jax.random.geometric(key, 0.3, (4,))
""".strip().splitlines()

MORE_EXACT = """
jax.random.poisson(key, 3.0, (6,)), jax.random.poisson(key, y), jax.random.poisson(key, 30.0 * y, dtype='int16')
jax.random.binomial(key, 10, 0.3, (6,)), jax.random.binomial(key, 100 * y, 0.4)
jax.random.binomial(key, y[:, None], y / 5)
jax.random.multinomial(key, 20.0, y / y.sum())
jax.random.multinomial(key, y[:2] * 8, jnp.ones((2, 3)) / 3, shape=(2, 3))
""".strip().splitlines()

CLOSE = """
jax.random.normal(key, (3,)), jax.random.exponential(key, (3,)), jax.random.laplace(key, (3,))
jax.random.gumbel(key, (3,))
""".strip().splitlines()

MORE_CLOSE = """
jax.random.gamma(key, y), jax.random.gamma(key, 2.0, (3,)), jax.random.gamma(key, 0.1)
jax.random.gamma(key, 3, (2,))
jax.random.loggamma(key, y), jax.random.loggamma(key, 0.01, (3,))
jax.random.gamma(key, y, (2, 8), 'float16')
jax.random.logistic(key, (3,)), jax.random.cauchy(key, (3,)), jax.random.truncated_normal(key, -1.0, y)
jax.random.rayleigh(key, y)
jax.random.maxwell(key, (3,)), jax.random.double_sided_maxwell(key, 1.0, 2.0, (3,)), jax.random.wald(key, y)
jax.random.lognormal(key, y), jax.random.pareto(key, y), jax.random.triangular(key, -1.0, 0.5, y + 1)
jax.random.weibull_min(key, 2.0, 1.5, (3,))
jax.random.beta(key, y, 2.0), jax.random.beta(key, 2, 3, (4,)), jax.random.chisquare(key, y)
jax.random.chisquare(key, 3, (2, 2))
jax.random.dirichlet(key, y), jax.random.dirichlet(key, y, (3,)), jax.random.dirichlet(key, m + 2)
jax.random.f(key, y, 3.0), jax.random.t(key, y), jax.random.t(key, 3, (2, 2))
jax.random.generalized_normal(key, 1.5, (4,)), jax.random.ball(key, 3), jax.random.ball(key, 2, 1.5, (4,))
jax.random.multivariate_normal(key, row[:2], jnp.array([[2.0, 0.5], [0.5, 1.0]]))
jax.random.multivariate_normal(key, m[:, :2], jnp.array([[2.0, 0.5], [0.5, 1.0]]), (4, 2))
jax.random.orthogonal(key, 3), jax.random.orthogonal(key, 2, (2,)), jax.random.orthogonal(key, 2, m=4)
jax.random.orthogonal(key, 4, m=2)
""".strip().splitlines()

SMOOTH = """
jax.random.exponential(key, (3,)) * v
""".strip().splitlines()

MORE_SMOOTH = """
jax.random.gamma(key, v)
jax.random.loggamma(key, v)
jax.random.beta(key, v, v[::-1])
jax.random.dirichlet(key, v) * row
jax.random.chisquare(key, v)
jax.random.f(key, v, 3.0)
jax.random.t(key, v)
jax.random.truncated_normal(key, -v, v)
""".strip().splitlines()

REFUSED = """
jax.random.gamma(key, y, (3,))
jax.random.gamma(key, 1.0, (3,), 'int32')
jax.random.beta(key, y, row)
jax.random.dirichlet(key, 1.0)
jax.random.dirichlet(key, y, (3, 2), 'int32')
jax.random.poisson(jax.random.split(key), 1.0)
jax.random.poisson(key, y, (3,))
jax.random.binomial(key, 3, 0.5, (2,), 'int32')
jax.random.binomial(key, [3], 0.5)
jax.random.multinomial(key, [3], y)
jax.random.multivariate_normal(key, 1.0, m)
jax.random.multivariate_normal(key, row, m)
jax.random.multivariate_normal(key, row, jnp.eye(3), method='lu')
jax.random.multivariate_normal(key, row, jnp.eye(3), dtype='int32')
jax.random.ball(key, 1.5)
jax.random.orthogonal(key, 2.0)
jax.random.key(0, impl='no such')
jax.random.t(key, jnp.array([1.0], 'float32'), dtype='float16')
""".strip().splitlines()
