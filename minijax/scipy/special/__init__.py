"""Special functions (the module `jax.scipy.special`). Integers become floats; everything is elementwise."""

from minijax.nn import logsumexp
from minijax.scipy.special.bessel_functions import bessel_jn, i0, i0e, i1, i1e
from minijax.scipy.special.beta_functions import beta, betainc, betaln, comb
from minijax.scipy.special.dilogarithm import spence
from minijax.scipy.special.entropies import entr, kl_div, rel_entr, xlog1py, xlogy
from minijax.scipy.special.error_functions import dawsn, erf, erfc, erfcx, erfinv, wofz
from minijax.scipy.special.exponential_integrals import exp1, expi, expn
from minijax.scipy.special.gamma_functions import (
    digamma,
    factorial,
    gamma,
    gammainc,
    gammaincc,
    gammaln,
    gammasgn,
    loggamma,
    multigammaln,
    poch,
    polygamma,
)
from minijax.scipy.special.hypergeometric import hyp1f1, hyp2f1
from minijax.scipy.special.logistic import expit, log_softmax, logit, softmax
from minijax.scipy.special.normal import log_ndtr, ndtr, ndtri, owens_t
from minijax.scipy.special.power_transformations import boxcox, boxcox1p
from minijax.scipy.special.spherical_harmonics import sph_harm_y
from minijax.scipy.special.trigonometric_integrals import fresnel, sici
from minijax.scipy.special.zeta_function import bernoulli, zeta

__all__ = [
    "bernoulli",
    "bessel_jn",
    "beta",
    "betainc",
    "betaln",
    "boxcox",
    "boxcox1p",
    "comb",
    "dawsn",
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfcx",
    "erfinv",
    "exp1",
    "expi",
    "expit",
    "expn",
    "factorial",
    "fresnel",
    "gamma",
    "gammainc",
    "gammaincc",
    "gammaln",
    "gammasgn",
    "hyp1f1",
    "hyp2f1",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "kl_div",
    "log_ndtr",
    "log_softmax",
    "loggamma",
    "logit",
    "logsumexp",
    "multigammaln",
    "ndtr",
    "ndtri",
    "owens_t",
    "poch",
    "polygamma",
    "rel_entr",
    "sici",
    "softmax",
    "spence",
    "sph_harm_y",
    "wofz",
    "xlog1py",
    "xlogy",
    "zeta",
]
