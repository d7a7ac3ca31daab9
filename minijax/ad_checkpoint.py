"""jax.ad_checkpoint: names for intermediate values, and policies that tell `jax.checkpoint` which to keep.

A policy is a function of a primitive and its parameters. Here `jax.checkpoint` computes everything anew whatever
the policy says: that changes how much memory a gradient takes, and none of its values.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from minijax.api import checkpoint as checkpoint
from minijax.primitives.dot import dot_general_p
from minijax.primitives.naming import checkpoint_name as checkpoint_name
from minijax.primitives.naming import name_p

__all__ = ["checkpoint_name", "checkpoint_policies"]

Policy = Callable[..., bool]


def everything_saveable(*_: Any, **__: Any) -> bool:
    """Keep all values, as if there were no checkpoint."""
    return True


def nothing_saveable(*_: Any, **__: Any) -> bool:
    """Keep none: what a checkpoint does without a policy."""
    return False


def dots_saveable(prim: Any, *args: Any, **params: Any) -> bool:
    """Keep the results of matrix products."""
    return prim is dot_general_p


def dots_with_no_batch_dims_saveable(prim: Any, *args: Any, **params: Any) -> bool:
    """Keep the results of matrix products without batch axes: those with weights."""
    if prim is not dot_general_p:
        return False
    _, (lhs_batch, rhs_batch) = params["dimension_numbers"]
    return not lhs_batch and not rhs_batch


def save_only_these_names(*names_which_can_be_saved: str) -> Policy:
    """Keep the values that checkpoint_name gave one of these names."""
    names = set(names_which_can_be_saved)
    return lambda prim, *args, **params: prim is name_p and params["name"] in names


def save_any_names_but_these(*names_not_to_save: str) -> Policy:
    """Keep the values that checkpoint_name gave another name."""
    names = set(names_not_to_save)
    return lambda prim, *args, **params: prim is name_p and params["name"] not in names


def save_anything_except_these_names(*names_not_to_save: str) -> Policy:
    """Keep all values. As in JAX the names do not matter: what has one is kept without it, one equation earlier."""
    return everything_saveable


def save_from_both_policies(policy_1: Policy, policy_2: Policy) -> Policy:
    """Keep what either policy keeps."""
    return lambda prim, *args, **params: policy_1(prim, *args, **params) or policy_2(prim, *args, **params)


checkpoint_policies = SimpleNamespace(
    everything_saveable=everything_saveable,
    nothing_saveable=nothing_saveable,
    dots_saveable=dots_saveable,
    checkpoint_dots=dots_saveable,
    dots_with_no_batch_dims_saveable=dots_with_no_batch_dims_saveable,
    checkpoint_dots_with_no_batch_dims=dots_with_no_batch_dims_saveable,
    save_anything_except_these_names=save_anything_except_these_names,
    save_any_names_but_these=save_any_names_but_these,
    save_only_these_names=save_only_these_names,
    save_from_both_policies=save_from_both_policies,
)
