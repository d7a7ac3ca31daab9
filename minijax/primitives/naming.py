"""name: a value under a name, by which a policy of `jax.checkpoint` knows it."""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax.core import ShapedArray
from minijax.primitives.families import batch_unary
from minijax.primitives.standard import Shape, def_linear, structural
from minijax.tree_util import tree_map

__all__ = ["checkpoint_name"]


def checkpoint_name(x: Any, name: str) -> Any:
    """The leaves of `x` as they are, named for `jax.checkpoint_policies.save_only_these_names` and the like."""
    return tree_map(lambda leaf: name_p.bind(leaf, name=name), x)


def _name_impl(x: np.ndarray, *, name: str) -> np.ndarray:
    return x


def _name_shape(x: ShapedArray, *, name: str) -> Shape:
    return x.shape


name_p = structural("name", _name_impl, _name_shape)
def_linear(name_p, lambda ct, x, *, name: ct)
# The tangent passes by: naming it as well would make two values of one name.
name_p.jvp_rules = (lambda t, x, *, name: t,)
name_p.jvp = lambda primals, tangents, *, name: (name_p.bind(*primals, name=name), tangents[0])
name_p.batch = batch_unary(name_p)
