"""Gateways that make, change and remove streams wrongly, or say wrongly how they are."""

import asyncio
from dataclasses import replace
from itertools import count

from core.tests.testing.broken.breakage import caught_by
from penstock.plugin import (
    Address,
    Group,
    Health,
    PermanentError,
    Retention,
    StreamName,
    StreamSettings,
)
from penstock.testing.cases.deprovisioning import Deprovisioning
from penstock.testing.cases.health import Health as HealthCases
from penstock.testing.cases.partitions import Partitions
from penstock.testing.cases.provisioning import Provisioning
from penstock.testing.cases.refusals import Refusals
from penstock.testing.cases.retention import RetentionBounds
from penstock_inmemory import InMemoryGateway
from penstock_inmemory.settings import topic_of


@caught_by(Provisioning.test_the_topic_of_a_stream_can_be_used)
class AnswersNoTopic(InMemoryGateway):
    async def provision(self, stream: StreamSettings) -> Address:
        return Address(f"the topic of {(await super().provision(stream)).topic}")


@caught_by(Provisioning.test_a_stream_may_leave_its_partitions_to_the_gateway)
class NeedsToBeToldHowMany(InMemoryGateway):
    async def provision(self, stream: StreamSettings) -> Address:
        if stream.partitions is None:
            raise PermanentError("partitions: how many?")
        return await super().provision(stream)


@caught_by(Provisioning.test_asked_twice_it_answers_the_same)
class MakesAnotherTopicEachTime(InMemoryGateway):
    _topic_numbers = count()

    async def provision(self, stream: StreamSettings) -> Address:
        return await super().provision(
            replace(stream, name=f"{stream.name}-{next(self._topic_numbers)}")
        )


@caught_by(Provisioning.test_asked_by_several_at_once_it_answers_the_same)
class FailsWhenItIsAskedAtOnce(InMemoryGateway):
    async def provision(self, stream: StreamSettings) -> Address:
        known = topic_of(stream) in self._topics
        await asyncio.sleep(0)
        if not known and topic_of(stream) in self._topics:
            raise PermanentError(f"topic {topic_of(stream)} is there already")
        return await super().provision(stream)


@caught_by(Provisioning.test_no_two_streams_share_a_topic)
class SharesTopicsOfOneName(InMemoryGateway):
    async def provision(self, stream: StreamSettings) -> Address:
        joined = f"{stream.namespace}-{stream.name}"
        return await super().provision(replace(stream, namespace="all", name=joined))


@caught_by(Provisioning.test_the_stream_of_a_topic_is_known)
class ForgetsWhoseTopicItIs(InMemoryGateway):
    def stream_of(self, topic: str) -> StreamName | None:
        return super().stream_of(topic) if topic in self._topics else None


@caught_by(Provisioning.test_a_topic_of_no_stream_is_of_no_stream)
class FindsAStreamForEachTopic(InMemoryGateway):
    def stream_of(self, topic: str) -> StreamName | None:
        namespace, _, name = topic.partition("_")
        return StreamName(namespace, name)


@caught_by(Provisioning.test_impossible_partitions_are_refused)
class TakesAnyPartitions(InMemoryGateway):
    async def provision(self, stream: StreamSettings) -> Address:
        possible = stream.partitions and max(1, stream.partitions)
        return await super().provision(replace(stream, partitions=possible))


@caught_by(Provisioning.test_a_setting_that_there_is_not_is_refused)
class IgnoresSettings(InMemoryGateway):
    async def provision(self, stream: StreamSettings) -> Address:
        return await super().provision(replace(stream, config={}))


@caught_by(HealthCases.test_a_gateway_that_is_well_says_so)
class IsNeverWell(InMemoryGateway):
    async def check(self) -> Health:
        return Health(ready=False, message="nobody knows")


@caught_by(HealthCases.test_a_gateway_that_was_not_used_can_be_closed)
class ClosesOnlyWhatWasUsed(InMemoryGateway):
    async def close(self) -> None:
        if not self._topics:
            raise RuntimeError("there is nothing to close")
        await super().close()


@caught_by(Partitions.test_a_stream_has_the_partitions_that_it_asked_for)
class MakesOnePartition(InMemoryGateway):
    async def provision(self, stream: StreamSettings) -> Address:
        return await super().provision(replace(stream, partitions=1))


@caught_by(Partitions.test_a_stream_that_asks_for_more_gets_more_and_keeps_its_records)
class NeverGrows(InMemoryGateway):
    async def provision(self, stream: StreamSettings) -> Address:
        if topic_of(stream) in self._topics:
            return Address(topic_of(stream))
        return await super().provision(stream)


@caught_by(Partitions.test_partitions_are_never_taken_away_and_the_drift_says_so)
class KeepsPartitionsInSilence(InMemoryGateway):
    async def provision(self, stream: StreamSettings) -> Address:
        return (await super().provision(stream))._replace(drift=())


@caught_by(Partitions.test_records_of_a_partition_that_is_added_are_not_missed)
class TellsMembersOfNoPartitionThatIsAdded(InMemoryGateway):
    async def provision(self, stream: StreamSettings) -> Address:
        known = self._topics.get(topic_of(stream))
        if known is None:
            return await super().provision(stream)
        groups, known._groups = known._groups, {}
        address = await super().provision(stream)
        known._groups = groups
        return address


@caught_by(RetentionBounds.test_one_kind_of_bound_is_taken_at_least)
class TakesNoBound(InMemoryGateway):
    async def provision(self, stream: StreamSettings) -> Address:
        if stream.retention != Retention():
            raise PermanentError("retention: there is none")
        return await super().provision(stream)


@caught_by(
    RetentionBounds.test_a_bound_in_messages_is_kept, RetentionBounds.test_a_bound_in_bytes_is_kept
)
class KeepsEverything(InMemoryGateway):
    async def provision(self, stream: StreamSettings) -> Address:
        return await super().provision(replace(stream, retention=Retention()))


@caught_by(RetentionBounds.test_a_bound_in_seconds_is_kept, patience=3.0)
class KeepsTheOld(InMemoryGateway):
    async def provision(self, stream: StreamSettings) -> Address:
        bound = replace(stream.retention, seconds=None)
        return await super().provision(replace(stream, retention=bound))


@caught_by(RetentionBounds.test_without_a_bound_nothing_is_let_go)
class BoundsEverything(InMemoryGateway):
    async def provision(self, stream: StreamSettings) -> Address:
        return await super().provision(replace(stream, retention=Retention(messages=10)))


@caught_by(RetentionBounds.test_a_bound_may_be_set_later)
class BoundsOnlyWhatIsNew(InMemoryGateway):
    async def provision(self, stream: StreamSettings) -> Address:
        new = topic_of(stream) not in self._topics
        bound = stream.retention if new else Retention()
        return await super().provision(replace(stream, retention=bound))


@caught_by(Deprovisioning.test_a_stream_that_is_made_again_is_empty)
class RemovesNothing(InMemoryGateway):
    async def deprovision(self, stream: StreamSettings) -> None:
        pass


@caught_by(Deprovisioning.test_positions_of_its_groups_are_gone_with_it)
class KeepsPositionsOfWhatIsRemoved(InMemoryGateway):
    async def deprovision(self, stream: StreamSettings) -> None:
        known = self._topics.get(topic_of(stream))
        await super().deprovision(stream)
        for name, versions in known._groups.items() if known else ():
            for version, group in versions.items():
                await self.ack(topic_of(stream), Group(name, version), group.acked)


@caught_by(Deprovisioning.test_a_stream_that_is_not_there_is_no_error)
class RemovesOnlyWhatIsThere(InMemoryGateway):
    async def deprovision(self, stream: StreamSettings) -> None:
        if topic_of(stream) not in self._topics:
            raise PermanentError(f"there is no stream {stream.name}")
        await super().deprovision(stream)


@caught_by(Deprovisioning.test_other_streams_stay)
class RemovesEverything(InMemoryGateway):
    async def deprovision(self, stream: StreamSettings) -> None:
        await super().deprovision(stream)
        self._topics.clear()


@caught_by(
    Refusals.test_offsets_and_times_are_refused,
    Refusals.test_locating_a_time_is_refused,
    Refusals.test_versions_are_refused,
    Refusals.test_acks_by_others_are_refused,
    Refusals.test_several_partitions_are_refused,
    Refusals.test_bounds_of_retention_are_refused,
    Refusals.test_deprovisioning_is_refused,
    capabilities=frozenset(),
)
class DoesWhatItDoesNotDeclare(InMemoryGateway):
    pass
