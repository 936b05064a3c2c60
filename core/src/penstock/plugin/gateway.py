"""The two faces of a gateway: publish and subscribe, and on top of them provisioning."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from penstock.plugin.errors import PermanentError, TemporaryError, Unsupported
from penstock.plugin.group import AtTime, Edge, Group, Start
from penstock.plugin.message import Message, Position
from penstock.plugin.stream import Address, StreamName, StreamSettings
from penstock.plugin.subscription import Subscription

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAMESPACE_AND_NAME = re.compile(f"({_LABEL})_({_LABEL})")

PublishResult = Position | PermanentError | TemporaryError
"""Where a message was stored, or why it was not."""


class Health(NamedTuple):
    """Whether a gateway can serve now, and if not, why, in words for a person."""

    ready: bool
    message: str = ""


class PubSub(ABC):
    """Publishes to topics and reads them in groups. All calls are made on one event loop."""

    async def open(self) -> None:
        """Get ready to serve; called once, before anything else.

        Must not fail because the broker is away: `check` reports that, and calls raise `NotReady`.
        """

    async def close(self) -> None:
        """Let go of every connection; called once, after everything else."""

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    @abstractmethod
    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        """Store a batch of messages, those of one partition in the order given.

        Called once for each batch; calls for one topic may overlap, and only the order within a
        call is promised. When it returns, what has a position is stored as safely as the gateway
        can. A topic that nobody made is made. Messages with one key go to one partition, those
        without are spread.

        Returns:
            A result for each message, in their order. A `PermanentError` in a message's place:
            it is refused for good, the others are not affected. A `TemporaryError`: publish it
            again; no later message of its partition in this batch was stored.

        Raises:
            TemporaryError: It is not known which messages were stored: publish all of them again.
            PermanentError: None was stored, and none ever will be: the topic is impossible.
        """

    @abstractmethod
    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        """Join a group as a new member. A topic that nobody made is made.

        Called once for each member. When it returns, `start` is settled and stored for the
        partitions in which the group has no position: a record that is published from then on is
        never missed, by this member or after a restart by another. Where nothing is acked yet,
        offsets or a time replace an edge that was settled before, unless a member is there.

        Args:
            topic: The topic.
            group: Who reads.
            start: Where it begins in partitions without a position.
            member: A name that the member keeps when its process starts again, unique within the
                group and the topic; a gateway may hand it its old partitions at once, even if the
                old process did not leave. Empty: the member has none.

        Raises:
            Unsupported: The gateway has no `SEEK` and `start` is not an edge, or no `VERSIONS`
                and the group has one.
            PermanentError: The topic is impossible.
            TemporaryError: Try again.
        """

    @abstractmethod
    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:
        """As `Subscription.ack`, from anywhere: the caller need not be a member, nor anybody.

        Called so as well to begin again: an offset of -1 says that nothing is done, and the group
        resumes at offset 0.

        Raises:
            Unsupported: The gateway has no `ACK_BY_OTHERS`.
            PermanentError: The topic is impossible.
            TemporaryError: Nothing is known to be stored: ack again.
        """

    @abstractmethod
    async def positions(self, topic: str, name: str) -> Mapping[int, Mapping[int, int]]:
        """The last acked offset by partition, for each version of a group that has acked any.

        Called for each `GetOffsets` of a client, and for each subscription of a group without a
        version. A topic or a group that nobody has used gives an empty mapping.

        Args:
            topic: The topic.
            name: The group's name, without a version.
        """

    @abstractmethod
    async def end_positions(self, topic: str) -> Mapping[int, int]:
        """The offset of the last record, by partition; those without records are left out."""

    async def locate(self, topic: str, start: Edge | AtTime) -> Mapping[int, int]:
        """The first offset that a start delivers, for every partition of a topic.

        Where no record is that late, it is the offset of the one to come. A topic that nobody made
        gives an empty mapping, and is not made.

        Raises:
            Unsupported: The gateway has no `SEEK`.
            TemporaryError: Try again.
        """
        raise Unsupported(f"this gateway cannot tell where {start} is in topic {topic}")


class Gateway(PubSub):
    """A messaging system behind one interface: what a plugin opens for each declared gateway."""

    @abstractmethod
    async def check(self) -> Health:
        """Say whether the messaging system answers now; called every few seconds, never raises."""

    @abstractmethod
    async def provision(self, stream: StreamSettings) -> Address:
        """Make what a stream needs, or find it made; asked twice, it answers the same.

        Called whenever the stream or the gateway changed, also after a restart.

        Returns:
            Where it is. What exists already and is not brought to the settings is no error: the
            address's `drift` says it, and people are shown that.

        Raises:
            PermanentError: The settings are impossible here; the text names the field.
            TemporaryError: Ask again.
        """

    @abstractmethod
    async def deprovision(self, stream: StreamSettings) -> None:
        """Remove a stream and its data for good; a stream that is not there is no error.

        Called once a stream with `DeletionPolicy.DELETE` is deleted.

        Raises:
            Unsupported: The gateway has no `DEPROVISION`.
            TemporaryError: Ask again.
        """

    def stream_of(self, topic: str) -> StreamName | None:
        """Say which stream a topic is of, by its name alone, whether or not it is provisioned.

        Called before each use of a topic where the streams of namespaces are kept apart. What
        `provision` answers is read back so; without a change, that is `<namespace>_<stream>`.

        Returns:
            The stream; ``None``: no stream of this gateway has such a topic.
        """
        match = _NAMESPACE_AND_NAME.fullmatch(topic)
        return StreamName(*match.groups()) if match else None
