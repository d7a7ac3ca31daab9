"""jax.checkpoint_policies: which values the gradient of a checkpointed function keeps.

A policy is called with a primitive, the avals of its operands and its parameters. It returns whether the results are
kept: a bool, or one of Saveable, Recompute and Offloadable(src, dst).
"""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from minijax.policy_split import Offloadable, Policy, Recompute, Saveable, nothing_saveable
from minijax.primitives.convolution import conv_general_dilated_p
from minijax.primitives.dot import dot_general_p
from minijax.primitives.naming import name_p

__all__ = ["checkpoint_policies"]


class _ComparedPolicy:
    """A policy with options: equal ones are one key in a cache. `repr` shows the options in JAX's words."""

    __slots__ = ("option",)
    field: str

    def __init__(self, option: Any):
        self.option = option

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.option == other.option

    def __hash__(self) -> int:
        return hash((type(self), self.option))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.field}={self.option!r})"


def everything_saveable(*_: Any, **__: Any) -> bool:
    """Keep all values, as if there were no checkpoint."""
    return True


class DotsSaveable(_ComparedPolicy):
    """Keep the results of matrix products and convolutions, or only those of products without batch axes."""

    __slots__ = ()
    field = "only_if_no_batch_dims"

    def __call__(self, prim: Any, *args: Any, **params: Any) -> bool:
        if self.option:
            return _is_product_with_weights(prim, params)
        return prim is dot_general_p or prim is conv_general_dilated_p


def _is_product_with_weights(prim: Any, params: dict[str, Any]) -> bool:
    return prim is dot_general_p and params["dimension_numbers"][1] == ((), ())


dots_saveable, dots_with_no_batch_dims_saveable = DotsSaveable(False), DotsSaveable(True)


def offload_dot_with_no_batch_dims(offload_src: str, offload_dst: str) -> Policy:
    """Keep the results of matrix products without batch axes in another memory. There is one here."""

    def policy(prim: Any, *_: Any, **params: Any) -> Any:
        return Offloadable(offload_src, offload_dst) if _is_product_with_weights(prim, params) else Recompute

    return policy


class SaveOnlyTheseNames(_ComparedPolicy):
    """Keep the values that checkpoint_name gave one of these names."""

    __slots__ = ()
    field = "saveable_names"

    def __call__(self, prim: Any, *_: Any, **params: Any) -> bool:
        return prim is name_p and params["name"] in self.option


class SaveAnyNamesButThese(_ComparedPolicy):
    """Keep the values that checkpoint_name gave another name."""

    __slots__ = ()
    field = "names"

    def __call__(self, prim: Any, *_: Any, **params: Any) -> bool:
        return prim is name_p and params["name"] not in self.option


def save_only_these_names(*names_which_can_be_saved: str) -> Policy:
    """Keep the values that checkpoint_name gave one of these names, and no others."""
    return SaveOnlyTheseNames(frozenset(names_which_can_be_saved))


def save_any_names_but_these(*names_not_to_save: str) -> Policy:
    """Keep the values that checkpoint_name gave another name, and none without one."""
    return SaveAnyNamesButThese(frozenset(names_not_to_save))


def save_anything_except_these_names(*names_not_to_save: str) -> Policy:
    """Keep all values. As in JAX the names do not matter: what has one is kept without it, one equation earlier."""
    return everything_saveable


def save_from_both_policies(policy_1: Policy, policy_2: Policy) -> Policy:
    """Keep what either policy keeps. Raises ValueError if one of them returns another thing than a bool."""

    def policy(prim: Any, *args: Any, **params: Any) -> bool:
        answers = policy_1(prim, *args, **params), policy_2(prim, *args, **params)
        if not all(isinstance(answer, bool) for answer in answers):
            raise ValueError(
                f"save_from_both_policies: the two policies returned {answers[0]} and {answers[1]} for {prim}, and "
                "only bools can be joined. Write one policy that decides for both."
            )
        return any(answers)

    return policy


def save_and_offload_only_these_names(
    *,
    names_which_can_be_saved: Iterable[str],
    names_which_can_be_offloaded: Iterable[str],
    offload_src: str,
    offload_dst: str,
) -> Policy:
    """Keep values with names, some of them in another memory. There is one here, which keeps them all.

    Raises ValueError for a name on both lists.
    """
    saved, offloaded = set(names_which_can_be_saved), set(names_which_can_be_offloaded)
    if saved & offloaded:
        raise ValueError(
            f"save_and_offload_only_these_names: {sorted(saved & offloaded)} are on both lists, and a value is "
            "either saved or offloaded. Take them off one."
        )

    def policy(prim: Any, *_: Any, **params: Any) -> Any:
        if prim is not name_p:
            return Recompute
        if params["name"] in saved:
            return Saveable
        return Offloadable(offload_src, offload_dst) if params["name"] in offloaded else Recompute

    return policy


checkpoint_policies = SimpleNamespace(
    everything_saveable=everything_saveable,
    nothing_saveable=nothing_saveable,
    dots_saveable=dots_saveable,
    checkpoint_dots=dots_saveable,
    dots_with_no_batch_dims_saveable=dots_with_no_batch_dims_saveable,
    checkpoint_dots_with_no_batch_dims=dots_with_no_batch_dims_saveable,
    offload_dot_with_no_batch_dims=offload_dot_with_no_batch_dims,
    save_anything_except_these_names=save_anything_except_these_names,
    save_any_names_but_these=save_any_names_but_these,
    save_only_these_names=save_only_these_names,
    save_from_both_policies=save_from_both_policies,
    save_and_offload_only_these_names=save_and_offload_only_these_names,
)
