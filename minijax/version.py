"""jax.version: the version of JAX whose interface minijax follows, and minijax's own."""

from __future__ import annotations

__all__ = ["__version__", "__version_info__"]

own_version = "0.1.0"
__version__ = "0.10.2"
__version_info__ = tuple([int(part) for part in __version__.split(".")])
