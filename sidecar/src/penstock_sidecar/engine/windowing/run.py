"""What windows ask of messages in a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self

from penstock.plugin import Message
from penstock_sidecar.engine.settlement import Partition


class Run(Protocol):
    """Messages in a row of one partition.

    Attributes:
        windows: How many windows still have to be done with them; sliding windows set it.
    """

    windows: int

    @property
    def partition(self) -> Partition:
        """Where they are from."""

    @property
    def messages(self) -> Sequence[Message]:
        """The messages."""

    @property
    def first(self) -> int:
        """The offset of the first of them."""

    @property
    def size(self) -> int:
        """Bytes of their payloads and keys."""

    def __len__(self) -> int: ...

    def split(self, count: int) -> tuple[Self, Self]:
        """The first so many messages, at least one, and the rest, at least one."""

    def pick(self, index: int) -> Self:
        """One message."""
