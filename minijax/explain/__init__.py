"""Pictures of programs, for notebooks and for reading along. Nothing here is needed to run them."""

from minijax.explain.dot import Dot as Dot
from minijax.explain.dot import to_dot as to_dot

__all__ = ["Dot", "to_dot"]
