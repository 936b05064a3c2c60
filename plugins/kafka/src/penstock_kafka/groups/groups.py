"""The consumer groups of a cluster: a Kafka group for each version of a group."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple
from weakref import WeakValueDictionary

from penstock.plugin import Group, PermanentError, Start, Subscription
from penstock_kafka.cluster import Cluster
from penstock_kafka.groups.acks import MemberAcks
from penstock_kafka.groups.history import History
from penstock_kafka.groups.membership import Membership
from penstock_kafka.groups.offsets import Offsets
from penstock_kafka.groups.outsiders import OutsiderAcks
from penstock_kafka.groups.reader import Reader
from penstock_kafka.groups.settlement import Settlement
from penstock_kafka.groups.stored import Mark, acked, behind
from penstock_kafka.groups.subscription import GRACE_SECONDS, KafkaSubscription
from penstock_kafka.groups.surroundings import Surroundings
from penstock_kafka.groups.versions import Versions
from penstock_kafka.topics import Topics

_LAST_OFFSET = 2**63 - 2
_LONGEST_GROUP = 2**15 - 1  # what Kafka's protocol has room for


class _Place(NamedTuple):
    group_id: str
    topic: str


class Groups:
    """Joins groups, and stores their positions.

    Args:
        cluster: Where they are.
        topics: Makes topics that are not there.
        grace: Seconds in which a member has to release a partition that goes elsewhere.
    """

    def __init__(self, cluster: Cluster, topics: Topics, grace: float = GRACE_SECONDS) -> None:
        self._cluster = cluster
        self._topics = topics
        self._grace = grace
        self._offsets = Offsets(cluster)
        self._versions = Versions(cluster)
        self._outsiders = OutsiderAcks(self._offsets)
        self._histories: WeakValueDictionary[_Place, History] = WeakValueDictionary()
        self._members: defaultdict[_Place, set[KafkaSubscription]] = defaultdict(set)
        # Where groups were when their topic was deleted: they begin with the first record of the
        # one that comes in its place.
        self._orphaned: set[_Place] = set()

    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        """As `PubSub.subscribe`."""
        _check_group(group)
        place = _Place(str(group), topic)
        partitions = await self._count(topic)
        history = self._history(topic, group.name)
        membership = Membership(self._cluster, *place, partitions, member)
        settlement = Settlement(
            self._topics, self._offsets, *place, start, begun=place in self._orphaned
        )
        acks = MemberAcks(*place, membership, self._offsets, history)
        subscription = KafkaSubscription(
            membership=membership,
            reader=Reader(self._cluster, self._topics, topic, history.highest),
            settlement=settlement,
            acks=acks,
            surroundings=Surroundings(
                self._cluster,
                topic,
                membership=membership,
                settlement=settlement,
                acks=acks,
                history=history,
            ),
            grace=self._grace,
            closed=lambda subscription: self._forget(place, subscription),
        )
        self._members[place].add(subscription)
        await subscription.open()
        self._orphaned.discard(place)
        return subscription

    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:
        """As `PubSub.ack`."""
        _check_group(group)
        place = _Place(str(group), topic)
        await self._check_positions(topic, positions)
        left = dict(positions)
        for member in tuple(self._members.get(place, ())):
            for stored in await member.ack_held(left):
                del left[stored]
        if left:
            stored_left = {at: behind(one, Mark.ACKED_BY_OTHERS) for at, one in left.items()}
            await self._outsiders.commit(*place, stored_left)
            self._history(topic, group.name).note(place.group_id, stored_left)

    async def positions(self, topic: str, name: str) -> Mapping[int, Mapping[int, int]]:
        """As `PubSub.positions`."""
        versions = await self._versions.of(name)
        found = await asyncio.gather(
            *(self._offsets.fetch(group_id, topic) for group_id in versions.values())
        )
        acks = zip(versions, map(acked, found), strict=True)
        return {version: offsets for version, offsets in sorted(acks) if offsets}

    async def close(self) -> None:
        """End every subscription."""
        members = [member for group in self._members.values() for member in group]
        await asyncio.gather(self._outsiders.close(), *(member.close() for member in members))
        await self._offsets.close()

    async def _count(self, topic: str) -> int:
        """How many partitions a topic has, which is made if need be: it may be gone by now."""
        await self._topics.ensure(topic)
        return await self._topics.partitions(topic) or await self._topics.ensure(topic)

    async def _check_positions(self, topic: str, positions: Mapping[int, int]) -> None:
        """See that what is acked can be there: Kafka would refuse it in words that help nobody."""
        count = await self._topics.ensure(topic)
        if max(positions, default=-1) >= count:
            count = await self._topics.partitions(topic)
        for partition, offset in positions.items():
            if partition >= count:
                raise PermanentError(
                    f"topic {topic} has no partition {partition}: expected 0 to {count - 1}"
                )
            if offset > _LAST_OFFSET:
                raise PermanentError(
                    f"partition {partition} of topic {topic}: offset {offset} is larger than "
                    f"Kafka's offsets can be, {_LAST_OFFSET}"
                )

    def _history(self, topic: str, name: str) -> History:
        history = self._histories.get(_Place(name, topic))
        if history is None:
            history = History(self._versions, self._offsets, topic, name)
            self._histories[_Place(name, topic)] = history
        return history

    def _forget(self, place: _Place, subscription: KafkaSubscription) -> None:
        if subscription.has_lost_topic:
            self._orphaned.add(place)
        members = self._members.get(place, set())
        members.discard(subscription)
        if not members:
            self._members.pop(place, None)


def _check_group(group: Group) -> None:
    try:
        size = len(str(group).encode())
    except UnicodeEncodeError:
        raise PermanentError(f"group: expected text, got {group.name!r}") from None
    if not group.name:
        raise PermanentError("group: expected a name, got an empty one")
    if size > _LONGEST_GROUP:
        raise PermanentError(f"group: expected at most {_LONGEST_GROUP} bytes, got {size}")
