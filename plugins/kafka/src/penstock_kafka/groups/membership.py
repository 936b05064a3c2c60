"""One member of a Kafka group: it joins, beats, and is given its share.

aiokafka's coordinator does the talking. It is used without aiokafka's consumer, which would stop
reading all partitions during each rebalance: here, reading is another object's, and goes on.
"""

import asyncio
import logging

from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import KafkaError, UnknownMemberIdError
from aiokafka.protocol.group import LeaveGroupRequest

from penstock.plugin import TemporaryError
from penstock_kafka.cluster import Cluster
from penstock_kafka.errors import CLIENT_ERRORS, translated
from penstock_kafka.groups.assignor import CooperativeAssignor
from penstock_kafka.groups.client import hang_up, open_client
from penstock_kafka.groups.offsets import NOBODY, Member
from penstock_kafka.groups.sharing import Claim, Share

SESSION_SECONDS = 10.0
"""After so long without a word from a member, its partitions go to the others."""
HEARTBEAT_SECONDS = 0.5
"""How often a member speaks to the coordinator, and so how soon it hears of a rebalance."""

# Members are never asked how long ago they read: a function may take as long as it needs.
_NO_LIMIT = 2**40
_LEAVING_SECONDS = 2.0
_LOG = logging.getLogger(__name__)


class Membership:
    """Is a member of a group on one topic from `join` until `leave`.

    Args:
        cluster: The cluster.
        group_id: The Kafka group.
        topic: The topic.
        partitions: How many the topic has.
        name: The member's name if it has one that outlives its process, or empty.

    Attributes:
        member: Who it is in the present generation.
        share: What it was given in it.
        held: When each partition that it holds was given to it, as a number that only grows.
        moment: Grows with each change of the others.
    """

    def __init__(
        self, cluster: Cluster, group_id: str, topic: str, partitions: int, name: str = ""
    ) -> None:
        self.member = NOBODY
        self.share = Share()
        self.held: dict[int, int] = {}
        self.moment = 0
        self._cluster = cluster
        self._group_id = group_id
        self._topic = topic
        self._partitions = partitions
        self._name = name
        self._shares = 0
        self._news = asyncio.Event()
        self._client: AIOKafkaClient | None = None
        self._coordinator: GroupCoordinator | None = None
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._failure.add_done_callback(self._failed)

    async def join(self) -> None:
        """Begin to join; the first share tells that it is done.

        Raises:
            TemporaryError: The cluster is away.
            PermanentError: The cluster refuses it.
        """
        self._client = await open_client(self._cluster, f"joining group {self._group_id}")
        state = SubscriptionState()
        # What would end aiokafka's waits for records with an error, ends this future with it.
        state.register_fetch_waiters({self._failure})
        state.subscribe({self._topic})
        self._coordinator = GroupCoordinator(
            self._client,
            state,
            group_id=self._group_id,
            group_instance_id=self._instance_id(),
            session_timeout_ms=int(SESSION_SECONDS * 1000),
            heartbeat_interval_ms=int(HEARTBEAT_SECONDS * 1000),
            rebalance_timeout_ms=int(SESSION_SECONDS * 1000),
            max_poll_interval_ms=_NO_LIMIT,
            enable_auto_commit=False,
            assignors=(CooperativeAssignor(self._claim, self._told),),
        )

    @property
    def is_in_touch(self) -> bool:
        """Whether it knows a coordinator, as far as it has heard."""
        return self._coordinator is not None and self._coordinator.coordinator_id is not None

    async def after(self, moment: int) -> int:
        """Wait for a moment later than this one, and return the present one; safe to cancel.

        Raises:
            PenstockError: The member cannot be one any more.
        """
        while self.moment == moment:
            self._check()
            await self._news.wait()
        return self.moment

    def release(self, partitions: frozenset[int]) -> None:
        """Hold these no more: they go to their next reader."""
        if given_up := partitions & self.held.keys():
            for partition in given_up:
                del self.held[partition]
            self._rejoin()

    def forget(self) -> None:
        """Hold nothing any more, and let nobody know: the topic is not the one that it was."""
        self.held.clear()

    def grow(self, partitions: int) -> None:
        """Have the group share anew if the topic has more partitions than it had."""
        if partitions > self._partitions:
            self._partitions = partitions
            self._rejoin()

    async def leave(self) -> None:
        """Leave the group, so that others get the partitions at once; safe to call twice."""
        coordinator, self._coordinator = self._coordinator, None
        client, self._client = self._client, None
        self._failure.cancel()
        self.member = NOBODY
        self.held.clear()
        try:
            if coordinator:
                await _stop(coordinator)
            if client and coordinator and coordinator.member_id:
                await self._say_goodbye(client, coordinator)
        finally:
            if client:
                await hang_up(client)

    async def _say_goodbye(self, client: AIOKafkaClient, coordinator: GroupCoordinator) -> None:
        # Over another connection than the coordinator's: brokers answer one request after the
        # other, and a request to join waits for all members.
        request = LeaveGroupRequest(self._group_id, coordinator.member_id)
        try:
            async with asyncio.timeout(_LEAVING_SECONDS):
                await client.send(coordinator.coordinator_id, request)
        except CLIENT_ERRORS as error:
            doing = f"leaving group {self._group_id}, which keeps the member until its session ends"
            _LOG.info("%s", translated(error, doing))

    def _instance_id(self) -> str | None:
        return f"{self._name}.{self._topic}" if self._name else None

    def _rejoin(self) -> None:
        if self._coordinator:
            self._coordinator.request_rejoin()

    def _check(self) -> None:
        if not self._failure.done():
            return
        doing = f"being a member of group {self._group_id}"
        error = None if self._failure.cancelled() else self._failure.exception()
        if self._name and isinstance(error, UnknownMemberIdError):
            raise TemporaryError(
                f"{doing}: it was away for longer than {SESSION_SECONDS:g} s, or somebody else has "
                f'taken the name "{self._name}"'
            ) from error
        if isinstance(error, KafkaError):
            raise translated(error, doing) from error
        raise TemporaryError(f"{doing}: it has left")

    def _failed(self, failure: asyncio.Future[None]) -> None:
        if not failure.cancelled():
            failure.exception()  # it may be that nobody waits for it any more
        self._tell()

    def _tell(self) -> None:
        self.moment += 1
        news, self._news = self._news, asyncio.Event()
        news.set()

    # What the strategy calls for each generation, in this order.

    def _claim(self) -> Claim:
        coordinator = self._coordinator
        if self.member != NOBODY and (coordinator is None or coordinator.generation < 0):
            # The group has given this member up: others may read already what it held.
            self.member, self.share = NOBODY, Share()
            self.held.clear()
            self._tell()
            if self._name:
                # To join at once would be to take the name back from who has taken it.
                raise UnknownMemberIdError
        return Claim(self._topic, self._partitions, frozenset(self.held), self.member.generation)

    def _told(self, share: Share) -> None:
        coordinator = self._coordinator
        if coordinator is None:
            return
        held = frozenset(self.held)
        self._shares += 1
        for partition in held - share.partitions:
            del self.held[partition]
        self.held |= dict.fromkeys(share.partitions - held - share.revoking, self._shares)
        self.member = Member(coordinator.generation, coordinator.member_id)
        self.share = share
        if share.revoking - held or share.total < self._partitions:
            # Said before this member knew better, or of an earlier process of its name.
            self._rejoin()
        self._partitions = max(self._partitions, share.total)
        self._tell()


async def _stop(coordinator: GroupCoordinator) -> None:
    """End what a coordinator does in the background.

    Its own way to close waits for answers of the broker, such as that everybody has joined.
    """
    tasks = [
        task
        for task in (
            coordinator._coordination_task,  # noqa: SLF001
            coordinator._heartbeat_task,  # noqa: SLF001
            coordinator._commit_refresh_task,  # noqa: SLF001
        )
        if task
    ]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
