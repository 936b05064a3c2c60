"""The consumer groups of a cluster: a Kafka group for each version of a group."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from weakref import WeakValueDictionary

from penstock.plugin import Group, PermanentError, Start, Subscription
from penstock_kafka.cluster import Cluster
from penstock_kafka.groups.beginning import Beginnings
from penstock_kafka.groups.history import History
from penstock_kafka.groups.membership import Membership
from penstock_kafka.groups.offsets import Offsets
from penstock_kafka.groups.outsiders import OutsiderAcks
from penstock_kafka.groups.reader import Reader
from penstock_kafka.groups.stored import acked
from penstock_kafka.groups.subscription import KafkaSubscription
from penstock_kafka.topics import Topics


class Groups:
    """Joins groups, and stores their positions.

    Args:
        cluster: Where they are.
        topics: Makes topics that are not there.
    """

    def __init__(self, cluster: Cluster, topics: Topics) -> None:
        self._cluster = cluster
        self._topics = topics
        self._offsets = Offsets(cluster)
        self._outsiders = OutsiderAcks(self._offsets)
        self._histories: WeakValueDictionary[tuple[str, str], History] = WeakValueDictionary()
        self._members: defaultdict[tuple[str, str], set[KafkaSubscription]] = defaultdict(set)

    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        """As `PubSub.subscribe`."""
        _check_group(group)
        group_id = str(group)
        partitions = await self._topics.ensure(topic)
        history = self._history(topic, group.name)
        subscription = KafkaSubscription(
            group_id,
            topic,
            membership=Membership(self._cluster, group_id, topic, member),
            reader=Reader(self._cluster, self._topics, topic, history.highest),
            beginnings=Beginnings(self._topics, self._offsets, group_id, topic, start),
            offsets=self._offsets,
            history=history,
            closed=self._forget,
        )
        self._members[group_id, topic].add(subscription)
        await subscription.open(partitions)
        return subscription

    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:
        """As `PubSub.ack`."""
        _check_group(group)
        group_id = str(group)
        await self._topics.ensure(topic)
        left = dict(positions)
        for member in tuple(self._members.get((group_id, topic), ())):
            mine = {at: offset for at, offset in left.items() if member.holds(at)}
            for stored in await member.ack_held(mine):
                del left[stored]
        if left:
            positions_left = {at: acked(offset) for at, offset in left.items()}
            await self._outsiders.commit(group_id, topic, positions_left)
            self._history(topic, group.name).note(group_id, positions_left)

    async def positions(self, topic: str, name: str) -> Mapping[int, Mapping[int, int]]:
        """As `PubSub.positions`."""
        versions = await self._offsets.versions(name)
        found = await asyncio.gather(
            *(self._offsets.fetch(group_id, topic) for group_id in versions.values())
        )
        acks = {
            version: {at: one.acked for at, one in sorted(stored.items()) if one.acked >= 0}
            for version, stored in zip(versions, found, strict=True)
        }
        return {version: offsets for version, offsets in acks.items() if offsets}

    async def close(self) -> None:
        """End every subscription."""
        members = [member for group in self._members.values() for member in group]
        await asyncio.gather(*(member.close() for member in members))
        await self._offsets.close()

    def _history(self, topic: str, name: str) -> History:
        history = self._histories.get((topic, name))
        if history is None:
            history = self._histories[topic, name] = History(self._offsets, topic, name)
        return history

    def _forget(self, group_id: str, topic: str, subscription: KafkaSubscription) -> None:
        members = self._members.get((group_id, topic), set())
        members.discard(subscription)
        if not members:
            self._members.pop((group_id, topic), None)


def _check_group(group: Group) -> None:
    if not group.name:
        raise PermanentError("group: expected a name, got an empty one")
