"""jax.scipy: its parts are imported when they are first asked for."""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from minijax.later import later as _later

__getattr__, __dir__ = _later(
    __name__,
    modules="cluster fft integrate interpolate linalg ndimage optimize signal sparse spatial special stats",
)

if _TYPE_CHECKING:
    from minijax.scipy import cluster as cluster
    from minijax.scipy import fft as fft
    from minijax.scipy import integrate as integrate
    from minijax.scipy import interpolate as interpolate
    from minijax.scipy import linalg as linalg
    from minijax.scipy import ndimage as ndimage
    from minijax.scipy import optimize as optimize
    from minijax.scipy import signal as signal
    from minijax.scipy import sparse as sparse
    from minijax.scipy import spatial as spatial
    from minijax.scipy import special as special
    from minijax.scipy import stats as stats
