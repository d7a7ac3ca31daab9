"""Calls of the functions of jax.scipy.special."""

from __future__ import annotations

__all__ = ["CLOSE", "EXACT", "MORE_CLOSE", "MORE_ROUGH", "MORE_SMOOTH", "REFUSED", "ROUGH", "SMOOTH"]

EXACT = """
sp.gammasgn(x), sp.gammasgn(special), sp.gammasgn(i), sp.bernoulli(0), sp.bernoulli(2)
sp.xlogy(special * 0, special), sp.entr(-y)
""".strip().splitlines()

CLOSE = """
sp.erf(x), sp.erf(i), sp.erf(h), sp.erf(w), sp.erfc(x), sp.erfinv(x / 4), sp.erfinv(special), sp.erf(0.5)
sp.expit(x), sp.logit(y / 5), sp.logit(x), sp.softmax(m), sp.softmax(m, axis=0), sp.log_softmax(m, axis=-1)
sp.entr(x), sp.entr(special), sp.rel_entr(x, y), sp.rel_entr(y, x), sp.kl_div(x, y), sp.kl_div(y, y[::-1]), sp.entr(2)
sp.xlogy(x, y), sp.xlogy(0, special), sp.xlog1py(x, y), sp.xlog1py(0, special), sp.xlogy(2, 3)
sp.gamma(x), sp.gamma(y), sp.gamma(i), sp.gamma(special), sp.factorial(abs(i)), sp.factorial(-y), sp.factorial(3)
sp.digamma(y), sp.digamma(x), sp.erf(special), sp.erfc(special), sp.expit(special)
sp.comb(5, 2), sp.comb(y + 3, y), sp.comb(i, 2), sp.comb(abs(i), 2, repetition=True), sp.comb(5.0, x)
sp.i0(x), sp.i0e(x), sp.i1(x), sp.i1e(x), sp.i0(i), sp.i1e(h), sp.i0e(special), sp.i1e(special)
""".strip().splitlines()

MORE_CLOSE = """
sp.erfcx(x), sp.erfcx(10 * x), sp.erfcx(special), sp.erfcx(h), sp.erfcx(1), sp.erfcx(x + 1j * x[::-1])
sp.dawsn(x), sp.dawsn(3 * x), sp.dawsn(special), sp.dawsn(h), sp.dawsn(1)
sp.wofz(x), sp.wofz(x + 1j * x[::-1] / 2)
sp.ndtr(x), sp.ndtr(special), sp.ndtri(y / 5), sp.ndtri(jnp.array([0.0, 1.0, 0.5, 1e-30, -1.0, 2.0, 0.9999])), sp.ndtri(0.3)
sp.log_ndtr(x), sp.log_ndtr(10 * x), sp.log_ndtr(special), sp.log_ndtr(-20 * y, 5), sp.log_ndtr(-20 * y, series_order=0)
sp.owens_t(x, x[::-1]), sp.owens_t(x[:, None], y), sp.owens_t(1, 2), sp.owens_t(special, 1.0), sp.owens_t(1.0, special)
sp.logsumexp(m), sp.logsumexp(m, axis=0, b=row), sp.logsumexp(m, axis=1, keepdims=True, return_sign=True)
sp.boxcox(y, x), sp.boxcox1p(y, x), sp.boxcox(y, 0), sp.boxcox1p(y, 0.0)
sp.betainc(y, y[::-1], y / 5), sp.betainc(1, 2, 0.3), sp.gammainc(y, y[::-1]), sp.gammaincc(y, y[::-1]), sp.gammainc(2, 3)
sp.polygamma(1, y), sp.polygamma(abs(i), 2.5), sp.polygamma(0, x + 0.1), sp.zeta(y + 1, y), sp.zeta(2, 3), sp.zeta(2.0, i)
sp.poch(y, 2), sp.poch(x, 0), sp.poch(y, y[::-1]), sp.poch(2, 1), sp.bernoulli(20)
sp.spence(y), sp.spence(x), sp.spence(special[:6]), sp.spence(jnp.array([0.0, 0.2, 1.0, 1.7, 5.0])), sp.spence(1.0)
sp.expi(x), sp.expi(20 * y), sp.expi(special[:6]), sp.expi(-y), sp.expi(2), sp.exp1(y), sp.exp1(special), sp.exp1(1)
sp.expn(2, y), sp.expn(0, y), sp.expn(5, 3 * y), sp.expn(6000, y), sp.expn(2, special), sp.expn(1, special), sp.expn(i, 2.0)
sp.expn(-1, y), sp.expn(3, 1)
sp.sici(x), sp.sici(5 * x), sp.sici(special), sp.sici(jnp.array([2e9, -2e9])), sp.sici(1)
sp.fresnel(x), sp.fresnel(5 * x), sp.fresnel(special), sp.fresnel(h), sp.fresnel(1)
""".strip().splitlines()

# Sums of terms that cancel, in JAX as here: the difference is a hundred ULP at most.
ROUGH = """
sp.gammaln(x + 0.25), sp.gammaln(special), sp.loggamma(x + 0.25), sp.loggamma(y + 0.2), sp.multigammaln(y + 2, 3)
sp.bessel_jn(y, v=3), sp.bessel_jn(jnp.array(1.5), v=2, n_iter=20), sp.bessel_jn(m, v=1), sp.bessel_jn(2, v=0)
""".strip().splitlines()

MORE_ROUGH = """
sp.beta(y, y[::-1]), sp.beta(x, y), sp.betaln(y, y[::-1]), sp.betaln(y, 30 * y), sp.betaln(1, 2), sp.beta(1, 2)
sp.hyp1f1(y, y[::-1], x), sp.hyp1f1(1, 2, 3), sp.hyp1f1(1.5, 2.5, 120.0 * y[:3]), sp.hyp1f1(x, y, 1.0), sp.hyp1f1(0, 2, x)
sp.hyp1f1(2.0, 2.0, x), sp.hyp1f1(2.0, 0.0, x)
sp.hyp2f1(y, y[::-1], 3.3, x / 5), sp.hyp2f1(1, 2, 3, 0.5), sp.hyp2f1(-2.0, y, 1.5, x), sp.hyp2f1(y, 1.0, 2.0, 0.95)
sp.hyp2f1(0.5, 1.0, jnp.array([0.0, -1.0, 1.5, 1.0, 0.5, 3.0]), 0.3), sp.hyp2f1(0.5, 0.25, 2.0, jnp.array([1.0, 1.5, 0.0]))
sp.hyp2f1(0.5, 0.3, 0.8, jnp.array([0.92, 0.97])), sp.hyp2f1(0.5, 0.3, 2.8, jnp.array([0.92, 0.97]))
sp.sph_harm_y(jnp.array([0, 2, 3]), jnp.array([0, 1, -2]), jnp.array([0.3, 1.0, 2.0]), row)
sp.sph_harm_y(jnp.array([4]), jnp.array([0]), 0.7, 0.2, n_max=5)
sp.gamma(x + 0.7j), sp.loggamma(x - 0.7j), sp.gamma(y * 1j), sp.loggamma(jnp.array([-2 + 0j, 0.5 + 0j]))
""".strip().splitlines()

SMOOTH = """
sp.dawsn(v)
sp.logit(v)
sp.entr(v)
sp.gamma(v)
sp.i0(v)
""".strip().splitlines()

MORE_SMOOTH = """
sp.erfcx(v)
sp.ndtri(v)
sp.log_ndtr(v)
sp.owens_t(v, 2 * v)
sp.kl_div(v, v[::-1])
sp.boxcox(v, v[::-1])
sp.betaln(v, 9 * v)
sp.betainc(2.0, 3.0, v)
sp.gammainc(v, v[::-1])
sp.polygamma(1, v)
sp.zeta(1 + v, v)
sp.poch(v, 2 * v)
sp.multigammaln(v + 3, 2)
sp.i1e(v)
sp.spence(v)
sp.expi(v)
sp.expn(2, v)
sp.exp1(v)
sp.sici(v)[0] + sp.sici(v)[1]
sp.fresnel(v)[0] + sp.fresnel(v)[1]
sp.hyp1f1(v, 2 * v, v[::-1])
sp.hyp2f1(v, 0.5, 1 + v, v[::-1])
""".strip().splitlines()

REFUSED = """
sp.erf([1.0])
sp.factorial(3, exact=True)
sp.ndtr(1)
sp.ndtri(h)
sp.spence(i)
sp.log_ndtr(x, 31)
sp.log_ndtr(x, -1)
sp.log_ndtr(x, 1.5)
sp.zeta(2.0)
sp.polygamma(1.0, x)
sp.bernoulli(-1)
sp.bernoulli(1.5)
sp.bessel_jn(x, v=1.5)
sp.gammasgn(1j)
sp.beta(1j, 1)
sp.betainc(1j, 1, 1)
sp.entr(1j)
sp.kl_div(1j, 1)
sp.dawsn(1j)
sp.expi(1j)
sp.sici(1j)
sp.fresnel(1j)
sp.poch(1j, 1)
sp.hyp1f1(1j, 1, 1)
sp.sph_harm_y(jnp.array([1]), jnp.array([1]), row[:1], row[:1], diff_n=1)
jax.grad(sp.betainc)(1.0, 2.0, 0.5)
jax.grad(sp.polygamma, argnums=0)(1, 2.0)
""".strip().splitlines()
