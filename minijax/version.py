"""jax.version: the version of JAX whose interface minijax follows. Its own version is `minijax.__version__`."""

from __future__ import annotations

__version__ = "0.10.2"
__version_info__ = tuple([int(part) for part in __version__.split(".")])
