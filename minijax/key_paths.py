"""Key paths: where in a pytree a leaf stands, such as `['layers'][0].weight`.

A key path is a tuple of entries, one for each step from the root to the leaf.
"""

from collections.abc import Hashable
from typing import Any, TypeVar

__all__ = ["DictKey", "FlattenedIndexKey", "GetAttrKey", "KeyEntry", "KeyPath", "SequenceKey", "keystr"]

# The four classes below, or whatever a registered flatten_with_keys returns.
KeyEntry = TypeVar("KeyEntry", bound=Hashable)
KeyPath = tuple[KeyEntry, ...]


class _Entry:
    """An immutable record with one field, which `__match_args__` names."""

    __slots__ = ("_value",)
    __match_args__: tuple[str] = ("_value",)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.__match_args__[0]}={self._value!r})"

    def __reduce__(self):
        return type(self), (self._value,)


class SequenceKey(_Entry):
    """Step to the `idx`-th element of a list or tuple."""

    __slots__ = ()
    __match_args__ = ("idx",)

    def __init__(self, idx: int):
        self._value = idx

    @property
    def idx(self) -> int:
        """The index."""
        return self._value

    def __str__(self) -> str:
        return f"[{self._value!r}]"


class DictKey(_Entry):
    """Step to the value that a dict has under `key`."""

    __slots__ = ()
    __match_args__ = ("key",)

    def __init__(self, key: Any):
        self._value = key

    @property
    def key(self) -> Any:
        """The dict's key."""
        return self._value

    def __str__(self) -> str:
        return f"[{self._value!r}]"


class GetAttrKey(_Entry):
    """Step to the attribute `name` of a named tuple, dataclass or registered class."""

    __slots__ = ()
    __match_args__ = ("name",)

    def __init__(self, name: str):
        self._value = name

    @property
    def name(self) -> str:
        """The attribute's name."""
        return self._value

    def __str__(self) -> str:
        return f".{self._value}"


class FlattenedIndexKey(_Entry):
    """Step to the `key`-th child of a registered class that gave its children no names."""

    __slots__ = ()
    __match_args__ = ("key",)

    def __init__(self, key: int):
        self._value = key

    @property
    def key(self) -> int:
        """The child's position."""
        return self._value

    def __str__(self) -> str:
        return f"[<flat index {self._value}>]"


def keystr(keys: KeyPath, *, simple: bool = False, separator: str = "") -> str:
    """A key path as text: `['a'][0].b`; with simple=True and separator='/', `a/0/b`."""
    texts = [str(key._value) if simple and isinstance(key, _Entry) else str(key) for key in keys]
    return separator.join(texts)
