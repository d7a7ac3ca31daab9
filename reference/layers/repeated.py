"""The blocks of which a deep model has many, and gradient checkpointing of them (Chen et al., 2016).

The backward pass needs what the forward pass computed. Of a block that is repeated within `keeping` only a part of it
is kept, and the rest is computed a second time, one block after the other: what is alive at once is the inputs of
all blocks and the inside of one. (All of a model as one block would save nothing: its inside would be all of it.)
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ..engines import Engine

__all__ = ["keeping", "repeated"]


class _Keeping:
    """What is kept of a block: the name of a policy in `jax.checkpoint_policies`; and how many blocks asked."""

    def __init__(self, policy: str) -> None:
        self.policy = policy
        self.blocks = 0


_current: ContextVar[_Keeping | None] = ContextVar("keeping", default=None)


@contextmanager
def keeping(policy: str) -> Iterator[_Keeping]:
    """Within the block of `with`, which a model is traced in, `repeated` keeps what this policy says."""
    chosen = _Keeping(policy)
    token = _current.set(chosen)
    try:
        yield chosen
    finally:
        _current.reset(token)


def repeated(jax: Engine, block: Callable) -> Callable:
    """The function as it is, or within `keeping` one that computes most of its inside again in the backward pass.

    Its arguments and results are pytrees of arrays.
    """
    chosen = _current.get()
    if chosen is None:
        return block
    chosen.blocks += 1
    return jax.checkpoint(block, policy=getattr(jax.checkpoint_policies, chosen.policy))
