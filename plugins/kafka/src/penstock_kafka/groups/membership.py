"""One member of a Kafka group: it joins, beats, and is given its share.

aiokafka's coordinator does the talking. It is used without aiokafka's consumer, which would stop
reading all partitions during each rebalance: here, reading is another object's, and goes on.
"""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass

from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.client import AIOKafkaClient, ConnectionGroup
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import KafkaError
from aiokafka.protocol.group import LeaveGroupRequest

from penstock.plugin import TemporaryError
from penstock_kafka.cluster import Cluster
from penstock_kafka.errors import translated
from penstock_kafka.groups.assignor import CooperativeAssignor
from penstock_kafka.groups.offsets import NOBODY, Member
from penstock_kafka.groups.sharing import Claim, Share

SESSION_SECONDS = 10.0
"""After so long without a word from a member, its partitions go to the others."""
HEARTBEAT_SECONDS = 0.5
"""How often a member speaks to the coordinator, and so how soon it hears of a rebalance."""

# Members are never asked how long ago they read: a function may take as long as it needs.
_NO_LIMIT = 2**40
_LEAVING = 5.0  # seconds
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """What a new generation of the group, or the end of one, means for a member.

    Attributes:
        fresh: The member reads these from now on.
        revoking: It gives these up as soon as it can.
        gone: It has lost these.
        settles, alone: As in `Share`.
    """

    fresh: frozenset[int] = frozenset()
    revoking: frozenset[int] = frozenset()
    gone: frozenset[int] = frozenset()
    settles: bool = False
    alone: bool = False


class Membership(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """Is a member of a group on one topic from `join` until `leave`.

    Args:
        cluster: The cluster.
        group_id: The Kafka group.
        topic: The topic.
        name: The member's name if it has one that outlives its process, or empty.

    Attributes:
        member: Who it is in the present generation.
        held: When each partition that it holds was given to it, as a number that only grows.
    """

    def __init__(self, cluster: Cluster, group_id: str, topic: str, name: str) -> None:
        self.member = NOBODY
        self.held: dict[int, int] = {}
        self._cluster = cluster
        self._group_id = group_id
        self._topic = topic
        self._name = name
        self._share = Share(frozenset())
        self._shares = 0
        self._partitions = 0
        self._changes: deque[Change] = deque()
        self._news = asyncio.Event()
        self._client: AIOKafkaClient | None = None
        self._coordinator: GroupCoordinator | None = None
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._failure.add_done_callback(lambda _: self._tell())

    async def join(self) -> None:
        """Begin to join; the first change tells that it is done.

        Raises:
            TemporaryError: The cluster is away.
            PermanentError: The cluster refuses it.
        """
        self._client = AIOKafkaClient(**self._cluster.client_settings())
        try:
            await self._client.bootstrap()
            await self._client.set_topics([self._topic])
        except KafkaError as error:
            raise translated(error, f"joining group {self._group_id}") from error
        state = SubscriptionState()
        # What would end aiokafka's waits for records with an error, ends this future with it.
        state.register_fetch_waiters({self._failure})
        state.subscribe({self._topic}, self)
        self._coordinator = GroupCoordinator(
            self._client,
            state,
            group_id=self._group_id,
            group_instance_id=f"{self._name}.{self._topic}" if self._name else None,
            session_timeout_ms=int(SESSION_SECONDS * 1000),
            heartbeat_interval_ms=int(HEARTBEAT_SECONDS * 1000),
            rebalance_timeout_ms=int(SESSION_SECONDS * 1000),
            max_poll_interval_ms=_NO_LIMIT,
            enable_auto_commit=False,
            assignors=(CooperativeAssignor(self._claim, self._told),),
        )

    async def change(self) -> Change:
        """Wait for the next change, in the order in which they happened; safe to cancel.

        Raises:
            PenstockError: The member cannot be one any more.
        """
        while not self._changes:
            await self._something_new()
        return self._changes.popleft()

    async def other_than(self, member: Member) -> None:
        """Wait until this is somebody else, or nobody.

        Raises:
            PenstockError: The member cannot be one any more.
        """
        while self.member == member:
            await self._something_new()

    def release(self, partitions: frozenset[int]) -> None:
        """Hold these no more: they go to their next reader."""
        if given_up := partitions & self.held.keys():
            for partition in given_up:
                del self.held[partition]
            self._rejoin()

    def look_for_partitions(self) -> None:
        """Have the group share anew if the topic has got more partitions since it last did."""
        if self._count() > self._partitions > 0:
            self._rejoin()

    async def leave(self) -> None:
        """Leave the group, so that others get the partitions at once; safe to call twice."""
        coordinator, self._coordinator = self._coordinator, None
        client, self._client = self._client, None
        self._failure.cancel()
        try:
            async with asyncio.timeout(_LEAVING):
                if coordinator and client:
                    await self._leave(coordinator, client)
        except (KafkaError, TimeoutError) as error:
            _LOG.info("group %s keeps a member until its session ends: %s", self._group_id, error)
        finally:
            if client:
                await client.close()

    async def _leave(self, coordinator: GroupCoordinator, client: AIOKafkaClient) -> None:
        node, member = coordinator.coordinator_id, coordinator.member_id
        await coordinator.close()
        # aiokafka lets a member with a name stay until its session ends, as for a short absence.
        if self._name and node is not None:
            request = LeaveGroupRequest(self._group_id, member)
            await client.send(node, request, group=ConnectionGroup.COORDINATION)

    def _rejoin(self) -> None:
        if self._coordinator:
            self._coordinator.request_rejoin()

    def _count(self) -> int:
        """How many partitions the topic has, as far as this member has heard."""
        cluster = self._client and self._client.cluster
        return len(cluster.partitions_for_topic(self._topic) or ()) if cluster else 0

    async def _something_new(self) -> None:
        if not self._failure.done():
            await self._news.wait()
            return
        doing = f"being a member of group {self._group_id}"
        error = None if self._failure.cancelled() else self._failure.exception()
        if isinstance(error, KafkaError):
            raise translated(error, doing) from error
        raise TemporaryError(f"{doing}: {error or 'it has left'}")

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    # What aiokafka calls for each generation, in this order.

    def on_partitions_revoked(self, revoked: object) -> None:
        """Nothing is given up in order to join again: see `sharing`."""

    def _claim(self) -> Claim:
        coordinator = self._coordinator
        if coordinator is None or coordinator.generation < 0:
            # The coordinator has given this member up: others may read already what it held.
            self.member = NOBODY
            if self.held:
                self._changes.append(Change(gone=frozenset(self.held)))
                self.held.clear()
            self._tell()
            return Claim(self._topic)
        return Claim(self._topic, frozenset(self.held), coordinator.generation)

    def _told(self, share: Share) -> None:
        self._share = share

    def on_partitions_assigned(self, assigned: object) -> None:  # noqa: ARG002 - see `_told`
        """A generation has begun, in which this member has a share."""
        if self._coordinator is None:
            return
        share, held = self._share, frozenset(self.held)
        self.member = Member(self._coordinator.generation, self._coordinator.member_id)
        self._partitions = self._count()
        self._shares += 1
        change = Change(
            fresh=share.partitions - held - share.revoking,
            revoking=share.revoking & held,
            gone=held - share.partitions,
            settles=share.settles,
            alone=share.alone,
        )
        for partition in change.gone:
            del self.held[partition]
        self.held |= dict.fromkeys(change.fresh, self._shares)
        self._changes.append(change)
        self._tell()
        if share.revoking - held:
            # Kafka remembers what an earlier process of this name was asked to give up.
            self._rejoin()
